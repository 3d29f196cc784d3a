"""Support vector classification with kernels."""

import warnings
from numbers import Integral, Real

import numpy as np
from scipy import sparse
from scipy.special import log_expit
from sklearn.base import ClassifierMixin
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from skextra import _core
from skextra._base import BaseEstimator
from skextra._callbacks import report_fit
from skextra._compat import (
    CallbackSupportMixin,
    Interval,
    StrOptions,
    align_sparse_interface,
    fit_context,
)
from skextra._core.threads import single_threaded_blas
from skextra._kernels import (
    KERNEL_CONSTRAINTS,
    KernelTagsMixin,
    create_gram,
    create_prediction_gram,
)
from skextra._validation import (
    as_contiguous,
    compute_weights,
    validate_classification_data,
    validate_sample_weight,
)
from skextra.svm._machines import Machines, list_members

_BLOCK = 1024  # rows of a prediction at a time
_SMALL = 1_000_000  # values that need not be kept sparse


class SVC(CallbackSupportMixin, KernelTagsMixin, ClassifierMixin, BaseEstimator):
    """Support vector classification with kernels.

    For two classes, labelled -1 and 1, minimises::

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
        Whether samples that sit firmly at a bound are left out for a while.
    tol : float, default=1e-3
        Largest violation of the optimality conditions, in units of the decision
        value, at the end. Problems of up to about 1,500 samples are solved exactly
        from there in most cases.
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
    no random number does: equal rows share a fold, whose number follows from what
    stands in the row. The slope of a sigmoid is never positive. Negative sample
    weights are refused, and ``class_weight="balanced"`` and ``gamma="scale"`` count
    sample weights. `cache_size` is never exceeded. Data in single precision are kept
    so. ``fit`` warns if it stops short of `tol` for any reason.

    `predict` follows the decision values and is the same with and without
    ``probability=True``. The likeliest class, ``predict_proba(X).argmax(axis=1)``, may be
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
            Weight of each sample: a factor on its `C`.

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
        n_samples = len(codes)
        sample_weight = validate_sample_weight(sample_weight, codes)
        weights = compute_weights(sample_weight, self.class_weight, codes, classes)
        self.classes_ = classes
        self.class_weight_ = compute_class_weight(
            self.class_weight, classes=classes, y=classes[codes], sample_weight=sample_weight
        )
        members = list_members(codes, weights, len(classes))
        C = np.full(n_samples, float(self.C)) if weights is None else self.C * weights
        with single_threaded_blas():
            source = self._create_source(X, sample_weight)
            machines = Machines(source, members, C, self._get_settings(), self.n_jobs)
            with report_fit(
                self, *given, sample_weight, max_subtasks=len(machines.pairs)
            ) as report:
                self._set_solution(X, machines.solve(report.split), members)
                self._calibrate(source, machines, sample_weight)
        if self.fit_status_:
            self._warn_unconverged()
        return self

    def _validate(self, X, y):
        if sparse.issparse(X) and self.kernel == "precomputed":
            raise TypeError("Sparse precomputed kernels are not supported: X must be dense")
        if not callable(self.kernel):
            self._sparse = sparse.issparse(X)
            X, codes, classes = validate_classification_data(self, X, y)
            return (sparse.csr_array(X) if self._sparse else X), codes, classes
        self._sparse = False
        check_consistent_length(X, y)
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        classes, codes = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(
                f"The number of classes has to be greater than one; got {len(classes)} class"
            )
        return X, codes, classes

    def _create_source(self, X, sample_weight):
        self.shape_fit_ = X.shape if hasattr(X, "shape") else (len(X),)
        if callable(self.kernel):
            self._gamma, self._points = 0.0, X
            n_samples = self.shape_fit_[0]
            K = self._call_kernel(X)
            if K.shape != (n_samples, n_samples):
                raise ValueError(
                    "kernel must return an array of shape (n_samples, n_samples) = "
                    f"{(n_samples, n_samples)} for X, got shape {K.shape}"
                )
            return _core.kernels.PrecomputedGram(K)
        self._points = None
        if sparse.issparse(X) and X.shape[0] * X.shape[1] <= _SMALL:
            X = X.toarray()  # products of rows are then the same to the last bit
        return create_gram(self, X, sample_weight)

    def _call_kernel(self, X):
        K = self.kernel(X, self._points)
        K = K.toarray() if sparse.issparse(K) else np.asarray(K)
        if K.dtype.kind not in "fiub":
            raise ValueError(f"kernel must return numbers, got an array of {K.dtype}")
        K = np.ascontiguousarray(K, dtype=np.float64)
        if not np.isfinite(K).all():
            raise ValueError("kernel returned NaN or infinity for X")
        return K

    def _get_settings(self):
        return _core.support_vectors.Settings(
            tol=self.tol, max_iter=self.max_iter, cache_bytes=1e6 * self.cache_size,
            shrinking=self.shrinking,
        )  # fmt: skip

    def _set_solution(self, X, found, members):
        n_classes = len(members)
        self.support_, self.n_support_, table = _core.one_vs_one.collect(
            [machine.alpha for machine in found], members, n_classes
        )
        intercept = np.array([machine.intercept for machine in found])
        if not (np.isfinite(table).all() and np.isfinite(intercept).all()):
            raise ValueError(
                "The dual coefficients or intercepts are not finite: kernel values of X "
                "overflow. The input data may contain large values and need to be preprocessed."
            )
        # Of two classes the second is the positive one, of more the first of each pair.
        sign = -1.0 if n_classes == 2 else 1.0
        self.dual_coef_, self.intercept_ = sign * table, sign * intercept
        if callable(self.kernel) or self.kernel == "precomputed":
            self.support_vectors_ = np.empty((0, 0))
        else:
            self.support_vectors_ = X[self.support_]
        if self._sparse:
            self.support_vectors_ = align_sparse_interface(self.support_vectors_)
            self.dual_coef_ = align_sparse_interface(sparse.csr_array(self.dual_coef_))
        self.n_iter_ = np.array([machine.n_iter for machine in found], dtype=np.int32)
        self.dual_gap_ = max(machine.gap for machine in found)
        self.converged_ = all(machine.converged for machine in found)
        self.fit_status_ = int(not self.converged_)

    def _calibrate(self, source, machines, sample_weight):
        for name in ("probA_", "probB_"):
            if hasattr(self, name):
                delattr(self, name)
        if not self.probability:
            return
        weights = np.ones(source.n_samples) if sample_weight is None else sample_weight
        points = source.K if source.points is None else source.points
        hashes = _core.content_folds.hash_rows(points)
        slopes, offsets = machines.calibrate(hashes, weights)
        # Decision values of two classes have the other sign.
        self.probA_, self.probB_ = slopes, (-offsets if len(self.classes_) == 2 else offsets)

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

    def _compute_decisions(self, X):
        """Decision values of all pairs, (n_samples, n_pairs); one of two classes."""
        check_is_fitted(self)
        if callable(self.kernel):
            n_new = X.shape[0] if hasattr(X, "shape") else len(X)
        else:
            X = validate_data(
                self, X, accept_sparse="csr", dtype=[np.float64, np.float32], reset=False
            )
            if sparse.issparse(X) and not self._sparse:
                raise ValueError(
                    f"cannot use sparse input in {type(self).__name__!r} trained on dense data"
                )
            X = as_contiguous(X)
            n_new = X.shape[0]
        table = self.dual_coef_.toarray() if self._sparse else np.asarray(self.dual_coef_)
        if len(self.classes_) == 2:
            coefs = table.T
        else:
            coefs = _core.one_vs_one.expand(table, self.n_support_)
        decisions = np.empty((n_new, coefs.shape[1]))
        compute = self._create_kernel_function()
        with single_threaded_blas(), np.errstate(over="ignore", invalid="ignore"):
            for start in range(0, n_new, _BLOCK):
                part = slice(start, start + _BLOCK)
                decisions[part] = compute(X[part]) @ coefs + self.intercept_
        if not np.isfinite(decisions).all():
            raise ValueError(f"the scores of {type(self).__name__} overflow: X is too large")
        return decisions

    def _create_kernel_function(self):
        """Function from new points to their kernel values with the support vectors."""
        if self.kernel == "precomputed":
            return lambda X: X[:, self.support_].astype(np.float64)
        if callable(self.kernel):
            return self._call_kernel_on_support
        source = create_prediction_gram(self, self.support_vectors_)
        return source.compute_cross

    def _call_kernel_on_support(self, X):
        K = self._call_kernel(X)
        if K.ndim != 2 or K.shape[1] != self.shape_fit_[0]:
            raise ValueError(
                f"kernel must return an array of {self.shape_fit_[0]} columns, the number of "
                f"samples at training time, got shape {K.shape}"
            )
        return K[:, self.support_]

    def decision_function(self, X):
        """Compute decision values.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or \
(n_samples, n_training_samples)
            Samples; kernel values with all training samples if precomputed.

        Returns
        -------
        scores : ndarray of shape (n_samples,), (n_samples, n_classes) or \
(n_samples, n_classes * (n_classes - 1) / 2)
            With two classes, positive for ``classes_[1]``. With more, one a class
            ('ovr': its votes, and less than a third of one for its decision values)
            or one a pair of classes ('ovo': positive for the first).
        """
        decisions = self._compute_decisions(X)
        n_classes = len(self.classes_)
        if n_classes == 2:
            return decisions[:, 0]
        if self.decision_function_shape == "ovr":
            return _core.one_vs_one.compute_class_scores(decisions, n_classes)
        return decisions

    def predict(self, X):
        """Predict the class that wins most pairs.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or \
(n_samples, n_training_samples)
            Samples; kernel values with all training samples if precomputed.

        Returns
        -------
        y_pred : ndarray of shape (n_samples,)
            Labels, of the type of ``classes_``.

        Raises
        ------
        ValueError
            If ``break_ties=True`` and ``decision_function_shape="ovo"``.
        """
        check_is_fitted(self)
        if self.break_ties and self.decision_function_shape == "ovo":
            raise ValueError("break_ties must be False when decision_function_shape is 'ovo'")
        decisions = self._compute_decisions(X)
        n_classes = len(self.classes_)
        if n_classes == 2:
            codes = (decisions[:, 0] >= 0).astype(np.intp)
        elif self.break_ties:
            codes = _core.one_vs_one.compute_class_scores(decisions, n_classes).argmax(axis=1)
        else:
            codes = _core.one_vs_one.count_votes(decisions, n_classes).argmax(axis=1)
        return self.classes_[codes]

    def _check_probability(self):
        if not self.probability:
            raise AttributeError("predict_proba is not available when probability=False")
        return True

    def _get_calibrated_decisions(self, X):
        check_is_fitted(self)
        if not hasattr(self, "probA_"):
            raise NotFittedError(
                "predict_proba is not available when fitted with probability=False"
            )
        return self._compute_decisions(X)

    @available_if(_check_probability)
    def predict_proba(self, X):
        """Predict the probability of each class.

        Available if ``probability=True``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or \
(n_samples, n_training_samples)
            Samples; kernel values with all training samples if precomputed.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``; each row sums to 1.

        Raises
        ------
        NotFittedError
            If the model was fitted with ``probability=False``.
        """
        decisions = self._get_calibrated_decisions(X)
        if len(self.classes_) == 2:
            return np.exp(self._compute_binary_logarithms(decisions[:, 0]))
        within = _core.platt.apply_sigmoid(decisions, self.probA_, self.probB_)
        n_classes = len(self.classes_)
        pairs = _core.one_vs_one.list_pairs(n_classes)
        return _core.platt.couple_pairs(within, pairs, n_classes)

    @available_if(_check_probability)
    def predict_log_proba(self, X):
        """Predict the logarithm of each class's probability.

        Available if ``probability=True``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or \
(n_samples, n_training_samples)
            Samples; kernel values with all training samples if precomputed.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.

        Raises
        ------
        NotFittedError
            If the model was fitted with ``probability=False``.
        """
        if len(self.classes_) == 2:
            return self._compute_binary_logarithms(self._get_calibrated_decisions(X)[:, 0])
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def _compute_binary_logarithms(self, decisions):
        z = decisions * self.probA_[0] + self.probB_[0]
        return np.column_stack([log_expit(z), log_expit(-z)])

    @property
    def coef_(self):
        """Coefficients of the features, for the linear kernel; read-only."""
        if self.kernel != "linear":
            raise AttributeError("coef_ is only available when using a linear kernel")
        check_is_fitted(self)
        table = self.dual_coef_.toarray() if self._sparse else self.dual_coef_
        if len(self.classes_) > 2:
            table = _core.one_vs_one.expand(table, self.n_support_).T
        if self._sparse:
            coef = sparse.csr_array(
                sparse.csr_array(table) @ sparse.csr_array(self.support_vectors_)
            )
            coef = align_sparse_interface(coef)
            coef.data.flags.writeable = False
            return coef
        coef = table @ self.support_vectors_
        coef.flags.writeable = False
        return coef
