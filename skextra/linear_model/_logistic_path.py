"""Regularization paths of logistic regression."""

import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array

from skextra import _core
from skextra._compat import Interval, StrOptions, validate_params
from skextra._validation import (
    check_finite_result,
    compute_weights,
    validate_classification_data,
    validate_penalty_weights,
    validate_sample_weight,
)
from skextra.linear_model._logistic import LogisticRegression

# scikit-learn's range, where nothing tells where a path begins.
_LOG10_RANGE = (-4, 4)


@validate_params(
    {
        "X": ["array-like", "sparse matrix"],
        "y": ["array-like"],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "eps": [Interval(Real, 0, 1, closed="neither")],
        "Cs": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "fit_intercept": ["boolean"],
        "sample_weight": ["array-like", Real, None],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "penalty_weights": ["array-like", None],
        "coef_init": ["array-like", None],
        "tol": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def logistic_path(
    X,
    y,
    *,
    l1_ratio=1.0,
    eps=1e-3,
    Cs=100,
    fit_intercept=True,
    sample_weight=None,
    class_weight=None,
    penalty_weights=None,
    coef_init=None,
    tol=1e-4,
    max_iter=100,
):
    """Compute the path of logistic regression: models for a sequence of penalties.

    Minimizes for each C, starting from the solution before,::

        C * sum_i s_i loss(y_i, x_i W + b)
        + sum_j v_j * (l1_ratio |W_j|_1 + (1 - l1_ratio) |W_j|_2^2 / 2)

    as :class:`LogisticRegression` does: with two classes there is one row of
    coefficients, with more there is one per class. The intercept is not penalized.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Training data.
    y : array-like of shape (n_samples,)
        Labels.
    l1_ratio : float, default=1.0
        Share of the L1 penalty, between 0 (pure L2) and 1 (pure L1).
    eps : float, default=1e-3
        Length of a generated grid: ``C_min / C_max``. Without effect if
        ``l1_ratio=0``.
    Cs : int or array-like of shape (n_cs,), default=100
        Inverse strengths of the penalty, positive, inf for no penalty; or the
        number of them. A generated grid starts at the largest C that leaves all
        penalized coefficients at zero; where there is none, because
        ``l1_ratio=0`` or no feature tells anything, it goes from 1e-4 to 1e4.
    fit_intercept : bool, default=True
        Whether to fit an intercept.
    sample_weight : float or array-like of shape (n_samples,), default=None
        Weight of each sample; twice the weights is twice `C`.
    class_weight : dict or 'balanced', default=None
        Weight of each class as in :class:`LogisticRegression`.
    penalty_weights : array-like of shape (n_features,), default=None
        Factor on the penalty of each feature: 0 leaves it unpenalized, inf
        excludes it.
    coef_init : array-like of shape (n_features,) or (n_classes, n_features), default=None
        Coefficients to start from; ``(1, n_features)`` will do for two classes.
    tol : float, default=1e-4
        Duality gap to reach, relative to the objective of the null model (the
        best intercept and no features).
    max_iter : int, default=100
        Iterations at most, for each C.

    Returns
    -------
    Cs : ndarray of shape (n_cs,)
        Inverse strengths, increasing: the penalty weakens along the path.
    coefs : ndarray of shape (n_features, n_cs) or (n_classes, n_features, n_cs)
        Coefficients along the path.
    intercepts : ndarray of shape (n_cs,) or (n_classes, n_cs)
        Intercepts along the path; 0 if ``fit_intercept=False``.
    dual_gaps : ndarray of shape (n_cs,)
        Duality gaps relative to the objective of the null model.
    n_iters : ndarray of int of shape (n_cs,)
        Iterations for each C.

    Raises
    ------
    ValueError
        If the data or an argument has a wrong shape or value.

    See Also
    --------
    LogisticRegression : The model for one penalty.
    LogisticRegressionCV : Chooses the penalty by cross-validation.
    enet_path : The like for least squares.

    References
    ----------
    Friedman, Hastie & Tibshirani, "Regularization paths for generalized linear
    models via coordinate descent", J. Stat. Softw. 33 (2010).

    Ndiaye, Fercoq, Gramfort & Salmon, "Gap safe screening rules for sparsity
    enforcing penalties", JMLR 18 (2017).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skextra.linear_model import logistic_path
    >>> X, y = load_iris(return_X_y=True)
    >>> Cs, coefs, intercepts, gaps, n_iters = logistic_path(X, y, Cs=5)
    >>> coefs.shape
    (3, 4, 5)
    >>> bool(coefs[..., 0].any()), bool(coefs[..., 1].any())
    (False, True)
    >>> bool((gaps <= 1e-4).all())
    True
    """
    X, codes, classes = validate_classification_data(LogisticRegression(), X, y)
    sample_weight = validate_sample_weight(sample_weight, X)
    weights = compute_weights(sample_weight, class_weight, codes, classes)
    penalty_weights = validate_penalty_weights(penalty_weights, X.shape[1])
    settings = _core.logistic.path.Settings(tol=tol, max_iter=max_iter)
    problem = {
        "l1_ratio": l1_ratio,
        "sample_weight": weights,
        "fit_intercept": fit_intercept,
        "penalty_weights": penalty_weights,
    }
    if isinstance(Cs, Integral) and l1_ratio > 0:
        Cs = _create_grid(X, codes, len(classes), eps, Cs, problem)
    Cs = np.sort(list_Cs(Cs))
    start = _validate_start(coef_init, len(classes), X.shape[1])
    path = _core.logistic.path.solve(
        X, codes, len(classes), Cs, settings=settings, start=start, **problem
    )
    check_finite_result("logistic_path", path.coefs, path.intercepts)
    warn_unconverged(path, Cs, settings, stacklevel=4)
    coefs = np.swapaxes(path.coefs, 1, 2).astype(X.dtype, copy=False)
    intercepts = path.intercepts.astype(X.dtype, copy=False)
    if len(classes) == 2:
        coefs, intercepts = coefs[0], intercepts[0]
    return Cs, coefs, intercepts, path.gaps, path.n_iters


def _create_grid(X, codes, n_classes, eps, n_Cs, problem):
    smallest = _core.logistic.path.compute_smallest_C(X, codes, n_classes, **problem)
    if not 0 < smallest < np.finfo(np.float64).max * eps:
        return list_Cs(n_Cs)
    smallest *= 1 - 1e-10  # so that rounding lets nothing in
    return np.geomspace(smallest, smallest / eps, num=n_Cs)


def list_Cs(Cs):
    """Inverse strengths in the order given, or as many as `Cs` says on scikit-learn's grid.

    Returns
    -------
    Cs : ndarray of shape (n_cs,) and float64

    Raises
    ------
    ValueError
        For entries that are not positive, NaN or no numbers, or for none at all.
    """
    if isinstance(Cs, Integral):
        return np.logspace(*_LOG10_RANGE, Cs)
    values = _as_numbers(Cs, "Cs")
    if not (values > 0).all():
        raise ValueError(f"Cs must be positive (inf for no penalty), got {Cs!r}")
    return values


def validate_l1_ratios(l1_ratios):
    """Mixing ratios as an array.

    Returns
    -------
    l1_ratios : ndarray of shape (n_l1_ratios,) and float64

    Raises
    ------
    ValueError
        For entries outside [0, 1] or no numbers, or for none at all.
    """
    values = _as_numbers(l1_ratios, "l1_ratios")
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"l1_ratios must be numbers between 0 and 1, got {l1_ratios!r}")
    return values


def _as_numbers(values, name):
    try:
        array = np.asarray(values)
        is_number = array.dtype.kind in "fiuO"
        array = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be an array of numbers: {error}") from error
    if not is_number or array.ndim != 1 or array.size == 0:
        raise ValueError(
            f"{name} must be a one-dimensional array of at least one number, got {values!r}"
        )
    return array


def _validate_start(coef_init, n_classes, n_features):
    if coef_init is None:
        return None
    start = check_array(coef_init, dtype=np.float64, ensure_2d=False, input_name="coef_init")
    shape = (1 if n_classes == 2 else n_classes, n_features)
    if start.shape != shape and (n_classes > 2 or start.shape != (n_features,)):
        wanted = (n_features,) if n_classes == 2 else shape
        raise ValueError(f"coef_init must have shape {wanted}, got {start.shape}")
    return start.reshape(shape)


def warn_unconverged(path, Cs, settings, stacklevel):
    """Warn once, of the worst model that stopped above its tolerance."""
    if path.converged.all():
        return
    worst = np.where(path.converged, -np.inf, path.gaps).argmax()
    warnings.warn(
        f"{np.count_nonzero(~path.converged)} of {path.converged.size} logistic models failed to "
        f"converge; the worst, C={Cs[worst]:.4g}, has a relative duality gap of "
        f"{path.gaps[worst]:.3e} after {path.n_iters[worst]} iterations, tol={settings.tol:.3g}, "
        f"max_iter={settings.max_iter}. Increase max_iter, decrease C, or scale the features.",
        ConvergenceWarning,
        stacklevel=stacklevel,
    )
