"""Kernel logistic regression, binary and multinomial."""

import warnings
from functools import partial
from numbers import Integral, Real

import numpy as np
from joblib import effective_n_jobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from skextra import _core
from skextra._callbacks import report_fit
from skextra._compat import CallbackSupportMixin, Interval, StrOptions, fit_context
from skextra._kernels import KERNEL_CONSTRAINTS, create_gram
from skextra._parallel import map_in_threads
from skextra._validation import (
    check_finite_result,
    compute_weights,
    validate_sample_weight,
)
from skextra.kernel_logistic._base import KernelClassifier


class KernelLogisticRegression(CallbackSupportMixin, KernelClassifier):
    """Logistic regression in the function space of a kernel.

    Minimizes::

        C * sum_i s_i loss(y_i, f(x_i) + b) + |f|^2 / 2

    over functions ``f`` of the kernel's Hilbert space and intercepts ``b``, with
    sample weights ``s``. The loss is ``log(1 + exp(-y f))`` with two classes and that of
    the multinomial model (softmax) with more, with a function for each class. The
    intercept is not penalized. By the representer theorem the solution is a combination
    of kernel functions at the samples. Probabilities are those of the model itself: no
    part of the data is set aside to calibrate them. The fit stops on a certificate, the
    duality gap.

    Parameters
    ----------
    C : float, default=1.0
        Inverse of the strength of the penalty, positive and finite.
    kernel : {'linear', 'poly', 'rbf', 'sigmoid', 'laplacian', 'precomputed'} or callable, \
default='rbf'
        ``x.y``, ``(gamma x.y + coef0)^degree``, ``exp(-gamma |x - y|^2)``,
        ``tanh(gamma x.y + coef0)``, ``exp(-gamma |x - y|_1)``; 'precomputed' takes
        matrices of kernel values for X; a function of two arrays returns the matrix of
        their kernel values.
    gamma : {'scale', 'auto'} or float, default='scale'
        'scale' is ``1 / (n_features * X.var())``, with the variance weighted by
        `sample_weight`; 'auto' is ``1 / n_features``.
    degree : float, default=3
        Of the polynomial kernel.
    coef0 : float, default=0.0
        Of the polynomial and the sigmoid kernel.
    kernel_params : dict, default=None
        Keyword arguments of a kernel that is a function.
    fit_intercept : bool, default=True
        Whether to fit an intercept.
    class_weight : dict or 'balanced', default=None
        Weight of each class as ``{label: weight}``, 1 where not given; it multiplies
        the sample weights. 'balanced' gives all classes one total.
    tol : float, default=1e-6
        Duality gap to reach, relative to the objective of the null model (the best
        intercept and no function).
    max_iter : int, default=100
        Newton steps at most.
    warm_start : bool, default=False
        Start from the coefficients of the previous fit.
    approximation : {'auto', 'nystroem'} or None, default='auto'
        None solves the problem on all samples, whose kernel values take
        ``4 * n_samples**2`` bytes where the memory is there and are computed anew for
        every product where it is not. 'nystroem' looks for functions in the span of
        `n_components` kernel functions; its kernel values take
        ``4 * n_samples * n_components`` bytes, or less where there is less memory.
        'auto' is None up to 20,000 samples if half of the free memory holds their
        matrix, else 'nystroem'; `approximation_` says which.
    n_components : int, default=None
        Kernel functions of the approximation; None for ``10 * sqrt(n_samples)``.
    random_state : int, RandomState instance or None, default=None
        Seed of the draw of these functions. Without an approximation nothing is random.
    n_jobs : int, default=None
        Threads that compute kernel values. It never changes the result.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    dual_coef_ : ndarray of shape (1, n_points) or (n_classes, n_points)
        Coefficients of the kernel functions, one row with two classes.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts, of sum 0 if there are several; 0 if ``fit_intercept=False``.
    X_fit_ : {ndarray, sparse matrix} of shape (n_points, n_features)
        Points of the kernel functions: the training data, or what the approximation
        kept of them. With a precomputed kernel there is none.
    components_indices_ : ndarray of shape (n_points,)
        Rows of the training data they are; samples of weight zero are left out. With a
        precomputed kernel, the columns of X that prediction reads.
    approximation_ : {'nystroem', None}
        The approximation used.
    dual_gap_ : float
        Duality gap relative to the objective of the null model: an upper bound of the
        relative suboptimality, among functions in the span of the kernel functions
        used.
    n_iter_ : ndarray of shape (1,)
        Newton steps taken.
    converged_ : bool
        Whether the tolerance was reached.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during `fit`, if all are strings.

    See Also
    --------
    skextra.linear_model.LogisticRegression : The same with linear functions.

    Notes
    -----
    A matrix of kernel values that has negative eigenvalues (of the sigmoid kernel, or
    given) is no kernel's: the model is then the one for the matrix with these set to
    zero, and its coefficients are an expansion in the functions given that has exactly
    its decision values on the training data.

    A class whose samples all have weight 0 keeps its place in ``classes_``, with an
    intercept so low that its probability rounds to 0.

    References
    ----------
    Zhu & Hastie, "Kernel logistic regression and the import vector machine", NeurIPS
    (2001).

    Keerthi, Duan, Shevade & Poo, "A fast dual algorithm for kernel logistic
    regression", Machine Learning 61 (2005).

    Marteau-Ferey, Bach & Rudi, "Globally convergent Newton methods for ill-conditioned
    generalized self-concordant losses", NeurIPS (2019).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skextra.kernel_logistic import KernelLogisticRegression
    >>> X, y = load_iris(return_X_y=True)
    >>> model = KernelLogisticRegression(C=10).fit(X, y)
    >>> model.predict_proba(X[:1]).round(2)
    array([[0.99, 0.01, 0.  ]])
    >>> bool(model.dual_gap_ <= 1e-6)
    True
    """

    _parameter_constraints: dict = {
        "C": [Interval(Real, 0, None, closed="neither")],
        **KERNEL_CONSTRAINTS,
        "fit_intercept": ["boolean"],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "tol": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "warm_start": ["boolean"],
        "approximation": [StrOptions({"auto", "nystroem"}), None],
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        C=1.0,
        *,
        kernel="rbf",
        gamma="scale",
        degree=3,
        coef0=0.0,
        kernel_params=None,
        fit_intercept=True,
        class_weight=None,
        tol=1e-6,
        max_iter=100,
        warm_start=False,
        approximation="auto",
        n_components=None,
        random_state=None,
        n_jobs=None,
    ):
        self.C = C
        self.kernel = kernel
        self.gamma = gamma
        self.degree = degree
        self.coef0 = coef0
        self.kernel_params = kernel_params
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
        self.approximation = approximation
        self.n_components = n_components
        self.random_state = random_state
        self.n_jobs = n_jobs

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data; the square matrix of kernel values if the kernel is
            precomputed.
        y : array-like of shape (n_samples,)
            Labels.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weight of each sample; twice the weights is twice `C`.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            If the data or an argument has a wrong shape or value, y is continuous or
            holds one class, or weights leave one class.
        """
        given = X, y
        X, codes, classes = self._validate(X, y)
        sample_weight = validate_sample_weight(sample_weight, X)
        weights = compute_weights(sample_weight, self.class_weight, codes, classes)
        weights = compute_loss_weights(self.C, weights, len(codes))
        start = self._get_start(len(classes), X.shape[0])
        settings = create_settings(self)
        choice = _core.kernel_logistic.solver_choice
        approximation = choice.choose_approximation(self.approximation, X.shape[0], settings.budget)
        if approximation is None:
            settings.seed = 0  # what is drawn then changes the way, not the solution
        # Without an approximation, an intercept makes coefficients sum to zero.
        is_centered = self.fit_intercept and approximation is None
        source, gamma = create_gram(self, X, sample_weight, is_centered)
        n_components = choice.choose_n_components(self.n_components, X.shape[0])
        fixed = {"classes_": classes, "approximation_": approximation, "_gamma": gamma}
        with (
            report_fit(self, *given, sample_weight, max_subtasks=None) as report,
            report.count("iteration") as advance,
        ):
            if advance is not None:
                settings.report = partial(self._report, advance, fixed, X)
            model = _core.kernel_logistic.fit.fit(
                source, codes, len(classes), weights, self.fit_intercept, settings,
                approximation=approximation, n_components=n_components, start=start,
            )  # fmt: skip
            set_solution(self, model, fixed, X)
        if not self.converged_:
            warn_unconverged(self)
        return self

    def _report(self, advance, fixed, X, A, b, points):
        """Tell callbacks of an iteration, and of the model as it then stands."""

        def get_attributes():
            return describe_expansion(self, fixed, A.copy(), b.copy(), points, X)

        advance(get_attributes)

    def _get_start(self, n_classes, n_samples):
        if not (self.warm_start and hasattr(self, "dual_coef_")):
            return None
        n_rows = 1 if n_classes == 2 else n_classes
        if len(self.dual_coef_) != n_rows or self._n_samples_fit != n_samples:
            raise ValueError(
                "warm_start=True needs as many classes and samples as the previous fit had: "
                f"{len(self.classes_)} classes and {self._n_samples_fit} samples; got "
                f"{n_classes} and {n_samples}"
            )
        return self.dual_coef_, self.intercept_, self.components_indices_


def compute_loss_weights(C, weights, n_samples):
    """Weight of each sample's loss: C times its own."""
    weights = np.full(n_samples, float(C)) if weights is None else C * weights
    if not np.isfinite(weights).all():
        raise ValueError(f"C={C} times the largest sample weight overflows")
    return weights


def create_settings(estimator):
    """How the core is to solve, from an estimator's parameters."""
    effective_n_jobs(estimator.n_jobs)  # refuses 0, also where there is nothing to share
    seed = check_random_state(estimator.random_state).randint(np.iinfo(np.int32).max)
    return _core.kernel_logistic.exact.Settings(
        tol=estimator.tol,
        max_iter=estimator.max_iter,
        seed=int(seed),
        budget=_core.kernel_logistic.fit.get_budget(),
        apply=partial(map_in_threads, n_jobs=estimator.n_jobs),
    )


def describe_expansion(estimator, fixed, A, b, points, X):
    """Fitted attributes of a combination of kernel functions at rows of X.

    Parameters
    ----------
    estimator : estimator instance
    fixed : dict
        Attributes that do not depend on the solution.
    A, b : ndarray of shape (n_rows, n_points) and (n_rows,)
    points : ndarray of int of shape (n_points,)
    X : ndarray or sparse
    """
    attributes = {
        **fixed, "intercept_": b, "components_indices_": points, "_n_samples_fit": X.shape[0]
    }  # fmt: skip
    if estimator.kernel == "precomputed":
        return {**attributes, "dual_coef_": A, "X_fit_": None}
    is_whole = len(points) == X.shape[0] and fixed["approximation_"] is None
    return {**attributes, "dual_coef_": A, "X_fit_": X if is_whole else X[points]}


def set_solution(estimator, model, fixed, X):
    """Set the fitted attributes; see `describe_expansion`."""
    check_finite_result(estimator, model.A, model.b)
    attributes = describe_expansion(estimator, fixed, model.A, model.b, model.points, X)
    for name, value in attributes.items():
        setattr(estimator, name, value)
    estimator.dual_gap_ = float(model.gap)
    estimator.n_iter_ = np.array([model.n_iter], dtype=np.int32)
    estimator.converged_ = bool(model.converged)


def warn_unconverged(estimator, stacklevel=4):
    """Say that a fit stopped before its tolerance."""
    reached = "The max_iter was reached. " if estimator.n_iter_[0] >= estimator.max_iter else ""
    warnings.warn(
        f"{type(estimator).__name__} failed to converge; relative duality gap "
        f"{estimator.dual_gap_:.2e} after {estimator.n_iter_[0]} iterations, "
        f"tol={estimator.tol:.3g}. {reached}Increase the number of iterations (max_iter), "
        "decrease C, or scale the features.",
        ConvergenceWarning,
        stacklevel=stacklevel,
    )
