"""Logistic regression, binary and multinomial."""

import warnings
from functools import partial
from numbers import Integral, Real

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skextra import _core
from skextra._callbacks import report_fit
from skextra._compat import CallbackSupportMixin, Interval, StrOptions, fit_context
from skextra._validation import (
    check_finite_result,
    compute_weights,
    validate_classification_data,
    validate_penalty_weights,
    validate_sample_weight,
)
from skextra.linear_model import _logistic_blocks
from skextra.linear_model._base import LinearClassifier
from skextra.linear_model._deprecated import resolve_penalty
from skextra.utils import Blocks

SOLVERS = {"lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga"}


class LogisticRegression(CallbackSupportMixin, LinearClassifier):
    """Logistic regression with an L1, L2 or elastic-net penalty.

    Minimizes::

        C * sum_i s_i loss(y_i, x_i W + b)
        + sum_j v_j * (l1_ratio |W_j|_1 + (1 - l1_ratio) |W_j|_2^2 / 2)

    with sample weights ``s`` and penalty weights ``v`` (both 1 by default). With
    two classes there is one row of coefficients and the loss is
    ``log(1 + exp(-y f))``; with more there is a row for each class and the loss is
    that of the multinomial model (softmax). The intercept is never penalized. The
    fit stops on a certificate: the duality gap.

    Parameters
    ----------
    penalty : {'l1', 'l2', 'elasticnet', None}, default='deprecated'
        Deprecated in scikit-learn 1.8, removed in 1.10, and accepted until then with its
        `FutureWarning`: 'l1' is ``l1_ratio=1``, 'l2' ``l1_ratio=0``, 'elasticnet' leaves
        `l1_ratio` as it is, and None is ``C=np.inf``.
    C : float, default=1.0
        Inverse of the strength of the penalty, positive; inf for no penalty.
    l1_ratio : float, default=0.0
        Share of the L1 penalty, between 0 (pure L2) and 1 (pure L1). None is 0, with
        scikit-learn's `FutureWarning`.
    dual : bool, default=False
        Accepted for compatibility, without effect.
    tol : float, default=1e-4
        Duality gap to reach, relative to the objective of the null model (the
        best intercept and no features). The fit stops as soon as the gap is that
        small.
    fit_intercept : bool, default=True
        Whether to fit an intercept.
    intercept_scaling : float, default=1
        Accepted for compatibility, without effect: the intercept is not penalized.
    class_weight : dict or 'balanced', default=None
        Weight of each class as ``{label: weight}``, 1 where not given; it
        multiplies the sample weights. 'balanced' gives all classes one total,
        ``n_samples / n_classes``.
    random_state : int, RandomState instance or None, default=None
        Accepted for compatibility: nothing is random.
    solver : {'lbfgs', 'liblinear', 'newton-cg', 'newton-cholesky', 'sag', 'saga'}, \
default='lbfgs'
        Accepted for compatibility, without effect: every name goes with every
        penalty and any number of classes, and gives the same answer.
    max_iter : int, default=100
        Iterations at most.
    verbose : int, default=0
        Accepted for compatibility: nothing is printed.
    warm_start : bool, default=False
        Start from the coefficients and intercepts of the previous fit.
    n_jobs : int, default=None
        Deprecated in scikit-learn 1.8, removed in 1.10, and accepted until then with its
        `FutureWarning`, without effect.
    penalty_weights : array-like of shape (n_features,), default=None
        Factor on the penalty of each feature: 0 leaves it unpenalized, inf
        excludes it.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Coefficients, one row with two classes; a sparse matrix after `sparsify`.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts, of sum 0 if there are several; 0 if ``fit_intercept=False``.
    dual_gap_ : float
        Duality gap relative to the objective of the null model: an upper bound
        of the relative suboptimality of `coef_` and `intercept_` as they are,
        computed in double precision from all of the data.
    n_iter_ : ndarray of shape (1,)
        Iterations taken.
    solver_ : str
        Algorithm that found the solution: 'lbfgs', 'newton-cg', 'small-newton'
        (Newton steps in one compiled kernel) or 'proximal-newton' (with an L1
        penalty); empty where there was nothing to solve. All of them end with
        the same certificate.
    converged_ : bool
        Whether the tolerance was reached.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during `fit`, if all are strings.

    See Also
    --------
    Ridge : Least squares with an L2 penalty.
    ElasticNet : Least squares with L1 and L2 penalties.

    Notes
    -----
    Differs from scikit-learn: `solver`, `dual`, `intercept_scaling` and
    `random_state` never change the answer; the intercept is never penalized
    (liblinear penalizes it); `tol` is a duality gap; ``predict_log_proba`` stays
    finite where probabilities round to 0; ``warm_start=True`` refuses other
    numbers of classes or features.

    A class whose samples all have weight 0 keeps its place in ``classes_``, with
    an intercept so low that its probability rounds to 0.

    If the classes are separable and some feature is not penalized, there is no
    finite solution: the fit ends with a `ConvergenceWarning` that says so.

    References
    ----------
    Friedman, Hastie & Tibshirani, "Regularization paths for generalized linear
    models via coordinate descent", J. Stat. Softw. 33 (2010).

    Massias, Vaiter, Gramfort & Salmon, "Dual extrapolation for sparse generalized
    linear models", JMLR 21 (2020).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skextra.linear_model import LogisticRegression
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LogisticRegression(C=0.5, l1_ratio=1).fit(X, y)
    >>> model.predict(X[:2])
    array([0, 0])
    >>> int((model.coef_ == 0).sum())
    9
    >>> bool(model.dual_gap_ <= 1e-4)
    True
    """

    _parameter_constraints: dict = {
        "C": [Interval(Real, 0, None, closed="right")],
        "penalty": [StrOptions({"l1", "l2", "elasticnet", "deprecated"}), None],
        "l1_ratio": [Interval(Real, 0, 1, closed="both"), None],
        "dual": ["boolean"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "fit_intercept": ["boolean"],
        "intercept_scaling": [Interval(Real, 0, None, closed="neither")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "random_state": ["random_state"],
        "solver": [StrOptions(SOLVERS)],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "n_jobs": [Integral, None],
        "penalty_weights": ["array-like", None],
    }

    def __init__(
        self,
        penalty="deprecated",
        *,
        C=1.0,
        l1_ratio=0.0,
        dual=False,
        tol=1e-4,
        fit_intercept=True,
        intercept_scaling=1,
        class_weight=None,
        random_state=None,
        solver="lbfgs",
        max_iter=100,
        verbose=0,
        warm_start=False,
        n_jobs=None,
        penalty_weights=None,
    ):
        self.penalty = penalty
        self.C = C
        self.l1_ratio = l1_ratio
        self.dual = dual
        self.tol = tol
        self.fit_intercept = fit_intercept
        self.intercept_scaling = intercept_scaling
        self.class_weight = class_weight
        self.random_state = random_state
        self.solver = solver
        self.max_iter = max_iter
        self.verbose = verbose
        self.warm_start = warm_start
        self.n_jobs = n_jobs
        self.penalty_weights = penalty_weights

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix, Blocks} of shape (n_samples, n_features)
            Training data; also in blocks of rows, see :class:`skextra.utils.Blocks`.
        y : {array-like, Blocks} of shape (n_samples,)
            Labels.
        sample_weight : float, array-like or Blocks of shape (n_samples,), default=None
            Weight of each sample; twice the weights is twice `C`.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            If the data or an argument has a wrong shape or value, y is continuous
            or holds one class, or weights leave one class.
        """
        penalty = resolve_penalty(self)
        if isinstance(X, Blocks):
            return self._fit_blocks(penalty, X, y, sample_weight)
        given = X, y
        X, codes, classes = validate_classification_data(self, X, y)
        sample_weight = validate_sample_weight(sample_weight, X)
        weights = compute_weights(sample_weight, self.class_weight, codes, classes)
        penalty_weights = validate_penalty_weights(self.penalty_weights, X.shape[1])
        settings = _core.logistic.path.Settings(tol=self.tol, max_iter=self.max_iter)
        start, start_intercept = self._get_start(len(classes), X.shape[1])
        with (
            report_fit(self, *given, sample_weight, max_subtasks=None) as report,
            report.count("iteration") as advance,
        ):
            if advance is not None:
                settings.report = partial(self._report, advance, classes, X.dtype)
            path = _core.logistic.missing_classes.solve_present_classes(
                X, codes, len(classes), np.array([penalty.C]), l1_ratio=penalty.l1_ratio,
                sample_weight=weights, fit_intercept=self.fit_intercept,
                penalty_weights=penalty_weights, settings=settings, start=start,
                start_intercept=start_intercept,
            )  # fmt: skip
            set_solution(self, path, classes, X.dtype)
            separable = has_no_solution(self, penalty.C, X, codes, weights, penalty_weights)
            self.converged_ &= not separable
        if not self.converged_:
            _warn_unconverged(self, separable)
        return self

    def _fit_blocks(self, penalty, X, y, sample_weight):
        fitted = _logistic_blocks.fit_logistic(self, penalty, X, y, sample_weight)
        solution, description, classes, gap, tol, separable = fitted
        coef, intercept = (a.astype(description.dtype) for a in (solution.coef, solution.intercept))
        check_finite_result(self, coef, intercept)
        self.classes_, self.coef_, self.intercept_ = classes, coef, intercept
        self.dual_gap_ = float(gap)
        self.n_iter_ = np.array([solution.n_iter], dtype=np.int32)
        self.converged_ = bool(gap <= tol and not separable)
        self.solver_ = "proximal-newton" if penalty.l1_ratio > 0 else "newton-cholesky"
        if not self.converged_:
            _warn_unconverged(self, separable)
        return self

    def _report(self, advance, classes, dtype, expand):
        """Tell callbacks of an iteration, and of the model as it then stands."""

        def get_attributes():
            coef, intercept = expand()
            return {
                "classes_": classes,
                "coef_": coef.astype(dtype),
                "intercept_": intercept.astype(dtype),
            }

        advance(get_attributes)

    def _get_start(self, n_classes, n_features):
        if not (self.warm_start and hasattr(self, "coef_")):
            return None, None
        shape = (1 if n_classes == 2 else n_classes, n_features)
        if self.coef_.shape != shape:
            raise ValueError(
                "warm_start=True needs as many classes and features as the previous fit had: "
                f"coef_ has shape {self.coef_.shape}, expected {shape} for warm start"
            )
        coef = np.asarray(self.densify().coef_, dtype=np.float64)
        return coef, np.asarray(self.intercept_, dtype=np.float64)


def set_solution(estimator, path, classes, dtype):
    """Set the fitted attributes from a path of one penalty."""
    coef, intercept = path.coefs[:, 0].astype(dtype), path.intercepts[:, 0].astype(dtype)
    check_finite_result(estimator, coef, intercept)
    estimator.classes_ = classes
    estimator.coef_ = coef
    estimator.intercept_ = intercept
    estimator.dual_gap_ = float(path.gaps[0])
    estimator.n_iter_ = path.n_iters[:1].astype(np.int32)
    estimator.converged_ = bool(path.converged[0])
    estimator.solver_ = path.solver


def is_separated(scores, codes, weights):
    """Whether every sample that counts lies strictly on the side of its class.

    Parameters
    ----------
    scores : ndarray of shape (n_samples, n_rows)
        Of the training data, one column with two classes.
    codes : ndarray of int of shape (n_samples,)
    weights : ndarray of shape (n_samples,) or None

    Returns
    -------
    is_separated : bool
        The scores may then grow without end, and the loss tend to zero.
    """
    if scores.shape[1] == 1:
        scores = np.column_stack([-scores, scores])
    own = np.take_along_axis(scores, codes[:, None], axis=1)
    is_right = np.count_nonzero(scores >= own, axis=1) == 1
    return bool(is_right.all() if weights is None else is_right[weights > 0].all())


def has_no_solution(estimator, C, X, codes, weights, penalty_weights):
    """Whether features without a penalty separate the classes, so that no minimum is finite."""
    if np.isinf(C):
        coef = estimator.coef_
    elif penalty_weights is None or penalty_weights.all():
        return False
    else:
        coef = np.where(penalty_weights == 0, estimator.coef_, 0.0)
    return is_separated(X @ coef.T + estimator.intercept_, codes, weights)


def _warn_unconverged(estimator, separable):
    failure = "failed to converge"
    advice = "Increase the number of iterations (max_iter), decrease C, or scale the features."
    if separable:
        failure = "has no finite solution: features without a penalty separate the classes"
        advice = "Set a finite C and positive penalty_weights."
    elif estimator.n_iter_[0] >= estimator.max_iter:
        # scikit-learn's words, for those who filter warnings by them.
        advice = f"The max_iter was reached which means the coef_ did not converge. {advice}"
    warnings.warn(
        f"{type(estimator).__name__} {failure}; relative duality gap "
        f"{estimator.dual_gap_:.2e} after {estimator.n_iter_[0]} iterations, "
        f"tol={estimator.tol:.3g}. {advice}",
        ConvergenceWarning,
        stacklevel=4,
    )
