"""Support vector classification with kernels."""

import warnings
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, column_or_1d

from skextra import _core
from skextra._callbacks import report_fit
from skextra._compat import (
    CallbackSupportMixin,
    Interval,
    StrOptions,
    align_sparse_interface,
    fit_context,
)
from skextra._conversion import SklearnConvertible
from skextra._core.runtime.threads import single_threaded_blas
from skextra._kernels import KERNEL_CONSTRAINTS, create_gram
from skextra._validation import (
    compute_weights,
    validate_classification_data,
    validate_sample_weight,
)
from skextra.svm._one_vs_one import OneVsOneSolver, list_members
from skextra.svm._pairwise import PairwiseClassifier

_OVERFLOW = (
    "The dual coefficients or intercepts are not finite: kernel values of X overflow. The "
    "input data may contain large values and need to be preprocessed."
)
_SMALL = 1_000_000  # values that need not be kept sparse


@dataclass
class _Problem:
    """What a fit solves: data, kernel values, samples of each class, and their solver."""

    X: object
    source: object
    gamma: float
    members: list
    class_weight: np.ndarray
    solver: OneVsOneSolver


class SVC(SklearnConvertible, CallbackSupportMixin, PairwiseClassifier):
    """Support vector classification with kernels.

    For two classes, labeled -1 and 1, minimizes::

        ||f||^2 / 2 + sum_i C_i max(0, 1 - y_i (f(x_i) + b)),   C_i = C s_i

    over functions f of the kernel's space and the intercept b, with sample weights
    ``s`` (1 by default). With more classes there is a machine for each pair of them,
    and the class that wins most pairs is predicted.

    Parameters
    ----------
    C : float, default=1.0
        Weight of the losses, positive; inf allows none.
    kernel : {'linear', 'poly', 'rbf', 'sigmoid', 'laplacian', 'precomputed'} or callable, \
default='rbf'
        Kernel. A callable takes two sets of samples, in the form that `fit` was given,
        and returns the matrix of kernel values between them.
    degree : int, default=3
        Of the polynomial kernel.
    gamma : {'scale', 'auto'} or float, default='scale'
        Factor in all kernels but the linear one. 'scale' is
        ``1 / (n_features * X.var())``, 'auto' is ``1 / n_features``.
    coef0 : float, default=0.0
        Constant in the polynomial and the sigmoid kernel.
    shrinking : bool, default=True
        Whether samples at a bound that do not tend to leave it are left out for a while.
    tol : float, default=1e-3
        Largest violation of the optimality conditions, in units of the decision
        value, at the end. Problems of up to about 1,500 samples are solved exactly
        from there in most cases. Where kernel values are so large that their rounding
        exceeds it, the fit has converged if `dual_gap_` is below a thousandth of it.
    cache_size : float, default=200
        Megabytes (1e6 bytes) that a machine may use to keep kernel values.
    class_weight : dict or 'balanced', default=None
        Weight of each class as ``{label: weight}``, 1 where not given; it
        multiplies the sample weights. 'balanced' gives all classes one total,
        ``n_samples / n_classes``.
    verbose : bool, default=False
        Accepted for compatibility: nothing is printed.
    max_iter : int, default=-1
        Pairs of dual variables that a machine may solve for; -1 for no limit but that
        of a safeguard, ten million or a hundred a sample.
    decision_function_shape : {'ovo', 'ovr'}, default='ovr'
        With more than two classes, whether `decision_function` has a column for each
        class ('ovr') or for each pair of classes ('ovo').
    break_ties : bool, default=False
        Whether classes that win equally many pairs are told apart by their decision
        values; else the first of them is predicted.
    random_state : int, RandomState instance or None, default=None
        Accepted for compatibility: nothing is random.
    probability : bool, default=False
        Whether to calibrate probabilities, by fits to five folds of the data.
    n_jobs : int, default=None
        Threads over pairs of classes; None is 1 unless in a joblib context. Each
        machine that is being fitted has its own cache.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    class_weight_ : ndarray of shape (n_classes,)
        Weight of each class.
    support_ : ndarray of shape (n_support,)
        Positions of the support vectors, sorted by class.
    support_vectors_ : ndarray or sparse matrix of shape (n_support, n_features)
        Support vectors; empty if the kernel is precomputed or a callable.
    n_support_ : ndarray of shape (n_classes,)
        Number of support vectors of each class.
    dual_coef_ : ndarray or sparse matrix of shape (n_classes - 1, n_support)
        Dual variables times labels: row j of a support vector is its coefficient
        against the j-th of the other classes.
    coef_ : ndarray or sparse matrix of shape (n_classes * (n_classes - 1) / 2, n_features)
        Coefficients of the features, with the linear kernel only.
    intercept_ : ndarray of shape (n_classes * (n_classes - 1) / 2,)
        Intercepts of the machines.
    probA_ : ndarray of shape (n_classes * (n_classes - 1) / 2,)
        Slopes of the sigmoids ``1 / (1 + exp(d probA_ + probB_))`` of decision values d,
        never positive; with ``probability=True`` only.
    probB_ : ndarray of shape (n_classes * (n_classes - 1) / 2,)
        Offsets of the sigmoids; with ``probability=True`` only.
    dual_gap_ : float
        Duality gap relative to the objective of the best constant, an upper bound
        of the relative suboptimality if the kernel is positive semidefinite; the
        largest of the machines.
    n_iter_ : ndarray of shape (n_classes * (n_classes - 1) / 2,)
        Pairs of dual variables that each machine was solved for.
    converged_ : bool
        Whether all machines reached the tolerance.
    fit_status_ : int
        0 if they did, else 1.
    shape_fit_ : tuple of int
        Shape of the training data.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during `fit`, if all are strings.

    See Also
    --------
    LinearSVC : The same without a kernel, for many samples.

    Notes
    -----
    Differs from scikit-learn: `probability` is here to stay; probabilities come from
    decision values of samples that a machine has not seen, weights count in them, and
    no random number does: folds follow from the ranks of values within their columns, and
    equal samples share one. The slope of a sigmoid is never positive.
    ``class_weight="balanced"`` and ``gamma="scale"`` count sample weights. `cache_size` is
    never exceeded. Data in single precision are kept so. ``fit`` warns if it stops short of
    `tol` for any reason.

    `predict` follows the decision values and is the same with and without
    ``probability=True``. The most probable class, ``predict_proba(X).argmax(axis=1)``, may be
    another one where the sigmoid's middle is not at 0, as for classes of very
    different sizes. With two classes a larger decision value never has a smaller
    probability.

    A class whose samples all have weight 0 keeps its place in ``classes_`` and wins no
    pair.

    References
    ----------
    Fan, Chen & Lin, "Working set selection using second order information for
    training support vector machines", JMLR 6 (2005).

    Platt, "Probabilistic outputs for support vector machines and comparisons to
    regularized likelihood methods", Advances in Large Margin Classifiers (1999).

    Wu, Lin & Weng, "Probability estimates for multi-class classification by pairwise
    coupling", JMLR 5 (2004).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skextra.svm import SVC
    >>> X, y = load_iris(return_X_y=True)
    >>> model = SVC(probability=True).fit(X, y)
    >>> model.predict(X[:2])
    array([0, 0])
    >>> model.predict_proba(X[:1]).round(2)
    array([[0.98, 0.01, 0.01]])
    >>> bool(model.dual_gap_ < 1e-3)
    True
    """

    _parameter_constraints: dict = {
        "C": [Interval(Real, 0.0, None, closed="right")],
        **{name: KERNEL_CONSTRAINTS[name] for name in ("kernel", "degree", "gamma", "coef0")},
        "shrinking": ["boolean"],
        "tol": [Interval(Real, 0.0, None, closed="neither")],
        "cache_size": [Interval(Real, 0, None, closed="neither")],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "verbose": ["verbose"],
        "max_iter": [Interval(Integral, -1, None, closed="left")],
        "decision_function_shape": [StrOptions({"ovr", "ovo"})],
        "break_ties": ["boolean"],
        "random_state": ["random_state"],
        "probability": ["boolean"],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        *,
        C=1.0,
        kernel="rbf",
        degree=3,
        gamma="scale",
        coef0=0.0,
        shrinking=True,
        tol=1e-3,
        cache_size=200,
        class_weight=None,
        verbose=False,
        max_iter=-1,
        decision_function_shape="ovr",
        break_ties=False,
        random_state=None,
        probability=False,
        n_jobs=None,
    ):
        self.C = C
        self.kernel = kernel
        self.degree = degree
        self.gamma = gamma
        self.coef0 = coef0
        self.shrinking = shrinking
        self.tol = tol
        self.cache_size = cache_size
        self.class_weight = class_weight
        self.verbose = verbose
        self.max_iter = max_iter
        self.decision_function_shape = decision_function_shape
        self.break_ties = break_ties
        self.random_state = random_state
        self.probability = probability
        self.n_jobs = n_jobs

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or \
(n_samples, n_samples)
            Training data; kernel values among them if ``kernel="precomputed"``. For a
            callable kernel, anything that it takes.
        y : array-like of shape (n_samples,)
            Labels.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weight of each sample: a factor on its `C`. A sample of a negative one is left
            out, as if it were 0.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        TypeError
            If a precomputed kernel matrix is sparse.
        ValueError
            If the data or an argument has a wrong shape or value, y is continuous
            or holds one class, weights leave one class, or kernel values overflow.
        """
        given = X, y
        X, codes, classes = self._validate(X, y)
        sample_weight = self._validate_weights(sample_weight, codes)
        with single_threaded_blas():
            problem = self._build_problem(X, codes, classes, sample_weight)
            n_pairs = len(problem.solver.pairs)
            with report_fit(self, *given, sample_weight, max_subtasks=n_pairs) as report:
                results = problem.solver.solve(report.split)
                attributes = self._describe(problem, results, classes)
                if self.probability:
                    attributes.update(self._calibrate(problem, sample_weight))
                self._set_attributes(attributes)
        if self.fit_status_:
            self._warn_unconverged()
        return self

    def _validate(self, X, y):
        if sparse.issparse(X) and self.kernel == "precomputed":
            raise TypeError("Sparse precomputed kernels are not supported: X must be dense")
        if not callable(self.kernel):
            X, codes, classes = validate_classification_data(self, X, y)
            return (sparse.csr_array(X) if sparse.issparse(X) else X), codes, classes
        check_consistent_length(X, y)
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        classes, codes = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(
                f"The number of classes has to be greater than one; got {len(classes)} class"
            )
        return X, codes, classes

    def _validate_weights(self, sample_weight, codes):
        """Weights that are not negative, of at least two classes."""
        weights = validate_sample_weight(sample_weight, codes, negative_is_zero=True)
        if weights is not None and len(np.unique(codes[weights > 0])) < 2:
            raise ValueError(
                "Invalid input - all samples with positive weights belong to the same class: "
                "sample_weight must leave two classes"
            )
        return weights

    def _build_problem(self, X, codes, classes, sample_weight):
        """Kernel values, and what there is to solve for all pairs of classes."""
        n_samples = len(codes)
        weights = compute_weights(sample_weight, self.class_weight, codes, classes)
        class_weight = np.ones(len(classes))
        if self.class_weight is not None:
            class_weight = compute_class_weight(
                self.class_weight, classes=classes, y=classes[codes], sample_weight=sample_weight
            )
        source, gamma = self._create_source(X, sample_weight)
        members = list_members(codes, weights, len(classes))
        C = np.full(n_samples, float(self.C)) if weights is None else self.C * weights
        settings = _core.svm.kernel.Settings(
            tol=self.tol, max_iter=self.max_iter, cache_bytes=1e6 * self.cache_size,
            shrinking=self.shrinking,
        )  # fmt: skip
        solver = OneVsOneSolver(source, members, C, settings, self.n_jobs)
        return _Problem(X, source, gamma, members, class_weight, solver)

    def _create_source(self, X, sample_weight):
        if callable(self.kernel):
            n_samples = X.shape[0] if hasattr(X, "shape") else len(X)
            K = self._call_kernel(X, X)
            if K.shape != (n_samples, n_samples):
                raise ValueError(
                    "kernel must return an array of shape (n_samples, n_samples) = "
                    f"{(n_samples, n_samples)} for X, got shape {K.shape}"
                )
            return _core.gram.kernel_functions.PrecomputedGram(K), 0.0
        if sparse.issparse(X) and X.shape[0] * X.shape[1] <= _SMALL:
            X = X.toarray()  # products of rows are then the same to the last bit
        source, gamma = create_gram(self, X, sample_weight, is_centered=True)
        if self.gamma == "scale" and self.kernel != "precomputed" and gamma == 0.0:
            raise ValueError(_OVERFLOW)
        return source, gamma

    def _describe(self, problem, results, classes):
        """Fitted attributes."""
        X, n_classes = problem.X, len(classes)
        support, n_support, table = _core.svm.one_vs_one.collect(
            [result.alpha for result in results], problem.members, n_classes
        )
        intercept = np.array([result.intercept for result in results])
        if not (np.isfinite(table).all() and np.isfinite(intercept).all()):
            raise ValueError(_OVERFLOW)
        # Of two classes the second is the positive one, of more the first of each pair.
        sign = -1.0 if n_classes == 2 else 1.0
        is_sparse = sparse.issparse(X) and not callable(self.kernel)
        dual_coef, vectors = sign * table, np.empty((0, 0))
        if not (callable(self.kernel) or self.kernel == "precomputed"):
            vectors = X[support]
        if is_sparse:
            vectors = align_sparse_interface(vectors)
            dual_coef = align_sparse_interface(sparse.csr_array(dual_coef))
        converged = all(result.converged for result in results)
        return {
            "classes_": classes,
            "class_weight_": problem.class_weight,
            "shape_fit_": X.shape if hasattr(X, "shape") else (len(X),),
            "support_": support,
            "support_vectors_": vectors,
            "n_support_": n_support,
            "dual_coef_": dual_coef,
            "intercept_": sign * intercept,
            "n_iter_": np.array([result.n_iter for result in results], dtype=np.int32),
            "dual_gap_": max(result.gap for result in results),
            "converged_": converged,
            "fit_status_": int(not converged),
            "_gamma": problem.gamma,
            "_points": X if callable(self.kernel) else None,
            "_sparse": is_sparse,
        }

    def _calibrate(self, problem, sample_weight):
        """Attributes of the sigmoids, fitted to decision values of samples left out."""
        source = problem.source
        weights = np.ones(source.n_samples) if sample_weight is None else sample_weight
        is_given = source.points is None
        hashes = _core.svm.content_folds.hash_samples(
            source.K if is_given else source.points, weights > 0, is_square=is_given
        )
        slopes, offsets = problem.solver.calibrate(hashes, weights)
        # Decision values of two classes have the other sign.
        return {"probA_": slopes, "probB_": -offsets if len(problem.members) == 2 else offsets}

    def _get_sklearn_state(self):
        if self.kernel == "laplacian":
            raise ValueError(
                "to_sklearn: scikit-learn's SVC has no kernel='laplacian'; fit with kernel="
                "sklearn.metrics.pairwise.laplacian_kernel to convert"
            )
        # libsvm's values of two classes have the other sign.
        sign = -1.0 if len(self.classes_) == 2 else 1.0
        dual_coef = sign * self.dual_coef_
        if self._sparse:
            # libsvm reads the values of all support vectors, zeros included.
            table = dual_coef.toarray()
            n_rows, n = table.shape
            columns, ends = np.tile(np.arange(n), n_rows), n * np.arange(n_rows + 1)
            dual_coef = sparse.csr_array((table.ravel(), columns, ends), shape=table.shape)
        else:
            dual_coef = np.ascontiguousarray(dual_coef)
        slopes = getattr(self, "probA_", np.empty(0))
        offsets = getattr(self, "probB_", np.empty(0))
        is_single = len(self.classes_) == 2
        state = {
            "_n_support": self.n_support_.astype(np.int32),
            "support_": self.support_.astype(np.int32),
            "_dual_coef_": dual_coef,
            "_intercept_": sign * self.intercept_,
            "_probA": slopes,
            "_probB": -offsets if is_single else offsets,
            "support_vectors_": (
                self.support_vectors_
                if self._sparse
                else np.ascontiguousarray(self.support_vectors_, dtype=np.float64)
            ),
            "_sparse": self._sparse,
            "_gamma": self._gamma,
            "_effective_probability": self.probability,
        }
        if callable(self.kernel):
            state["_BaseLibSVM__Xfit"] = self._points
        return state

    def _set_attributes(self, attributes):
        for name in ("probA_", "probB_"):
            if hasattr(self, name):
                delattr(self, name)
        for name, value in attributes.items():
            setattr(self, name, value)

    def _warn_unconverged(self):
        failure = "failed to converge"
        if 0 <= self.max_iter <= self.n_iter_.max():
            # scikit-learn's words, for those who filter warnings by them.
            failure = (
                f"Solver terminated early (max_iter={self.max_iter}).  Consider pre-processing "
                "your data with StandardScaler or MinMaxScaler."
            )
        warnings.warn(
            f"{failure}; {type(self).__name__}: relative duality gap {self.dual_gap_:.2e} after "
            f"{self.n_iter_.max()} steps, tol={self.tol:.3g}.",
            ConvergenceWarning,
            stacklevel=3,
        )
