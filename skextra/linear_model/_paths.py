"""Regularization paths of the lasso and the elastic net."""

import sys
import warnings
from numbers import Integral, Real

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array, check_random_state

from skextra import _core
from skextra._compat import Interval, StrOptions, validate_params
from skextra._validation import (
    as_columns,
    check_finite_result,
    validate_alphas,
    validate_penalty_weights,
    validate_sample_weight,
)
from skextra.linear_model._deprecated import resolve_alphas

_FLOATS = (np.float64, np.float32)
# A target that varies by less than this share of its mean is constant but for rounding.
_CONSTANT = 8 * np.finfo(np.float64).eps
_PATH_CONSTRAINTS = {
    "X": ["array-like", "sparse matrix"],
    "y": ["array-like", "sparse matrix"],
    "eps": [Interval(Real, 0, None, closed="neither"), None],
    "n_alphas": [Interval(Integral, 1, None, closed="left"), StrOptions({"deprecated"})],
    "alphas": [Interval(Integral, 1, None, closed="left"), "array-like", None],
    "precompute": [StrOptions({"auto"}), "boolean", "array-like"],
    "Xy": ["array-like", None],
    "copy_X": ["boolean"],
    "coef_init": ["array-like", None],
    "verbose": ["verbose"],
    "return_n_iter": ["boolean"],
    "positive": ["boolean"],
    "check_input": ["boolean"],
}
_ENET_PATH_CONSTRAINTS = _PATH_CONSTRAINTS | {"l1_ratio": [Interval(Real, 0, 1, closed="both")]}


@validate_params(_ENET_PATH_CONSTRAINTS, prefer_skip_nested_validation=True)
def enet_path(
    X,
    y,
    *,
    l1_ratio=0.5,
    eps=1e-3,
    n_alphas="deprecated",
    alphas=100,
    precompute="auto",
    Xy=None,
    copy_X=True,
    coef_init=None,
    verbose=False,
    return_n_iter=False,
    positive=False,
    check_input=True,
    **params,
):
    """Compute the elastic-net path: coefficients for a sequence of penalties.

    Minimizes for each alpha, without an intercept,::

        ||y - Xw||^2 / (2 n_samples)
        + alpha * sum_j v_j * (l1_ratio |w_j| + (1 - l1_ratio) w_j^2 / 2)

    A two-dimensional y makes it the multi-task elastic net, where ``|w_j|`` is
    the Euclidean norm of the coefficients of feature j for all targets: a
    feature enters for every target or for none.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Training data; center it beforehand for a model with an intercept.
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        Target values; several targets are solved jointly.
    l1_ratio : float, default=0.5
        Share of the L1 penalty, between 0 and 1.
    eps : float, default=1e-3
        Length of a generated grid: ``alpha_min / alpha_max``.
    n_alphas : int, default='deprecated'
        Deprecated in scikit-learn 1.9 in favor of `alphas`, removed in 1.11, and accepted until
        then with its `FutureWarning`.
    alphas : int or array-like, default=100
        Number of penalties on the path, or the penalties themselves.
    precompute : 'auto', bool or array-like of shape (n_features, n_features), \
default='auto'
        The Gram matrix ``X.T @ X`` if it is known. Otherwise without effect:
        what is precomputed is chosen by shape.
    Xy : array-like of shape (n_features,) or (n_features, n_targets), default=None
        Accepted for compatibility; it is not needed.
    copy_X : bool, default=True
        Accepted for compatibility; X is never written to.
    coef_init : array-like of shape (n_features,) or (n_targets, n_features), \
default=None
        Coefficients to start from.
    verbose : bool or int, default=False
        Print a dot to standard error once the path is computed.
    return_n_iter : bool, default=False
        Whether to return the numbers of iterations.
    positive : bool, default=False
        Constrain coefficients to be non-negative. One target only.
    check_input : bool, default=True
        Skip the checks of X and y if False.
    **params : dict
        ``tol=1e-4``, ``max_iter=1000``, ``selection="cyclic"``,
        ``random_state=None`` as in :class:`ElasticNet`; ``sample_weight=None``
        and ``penalty_weights=None``.

    Returns
    -------
    alphas : ndarray of shape (n_alphas,)
        Penalties, decreasing.
    coefs : ndarray of shape (n_features, n_alphas) or \
(n_targets, n_features, n_alphas)
        Coefficients along the path.
    dual_gaps : ndarray of shape (n_alphas,)
        Duality gaps relative to the objective at zero.
    n_iters : list of int
        Iterations for each alpha, if `return_n_iter`.

    Raises
    ------
    ValueError
        If the data or an argument has a wrong shape or value.

    Notes
    -----
    Differs from scikit-learn: the gaps are relative, and every gap, also at
    ``l1_ratio=0``, is a valid bound; `sample_weight` also weights dense data,
    and only the ratios of the weights count.

    References
    ----------
    Friedman, Hastie & Tibshirani, "Regularization paths for generalized linear
    models via coordinate descent", J. Stat. Softw. 33 (2010).

    Obozinski, Taskar & Jordan, "Joint covariate selection and joint subspace
    selection for multiple classification problems", Stat. Comput. 20 (2010).

    Examples
    --------
    >>> import numpy as np
    >>> from skextra.linear_model import enet_path
    >>> X = np.array([[1.0, 2.0, 3.0], [2.0, 1.0, 5.0]]).T
    >>> y = np.array([1.0, 2.0, 3.1])
    >>> alphas, coefs, gaps = enet_path(X, y, l1_ratio=0.9, alphas=[1.0, 0.1])
    >>> coefs.shape
    (2, 2)
    >>> bool((gaps <= 1e-4).all())
    True
    """
    alphas = resolve_alphas(alphas, n_alphas)
    return _compute_path(
        X, y, l1_ratio, eps, alphas, precompute, coef_init, verbose, return_n_iter, positive,
        check_input, params,
    )  # fmt: skip


@validate_params(_PATH_CONSTRAINTS, prefer_skip_nested_validation=True)
def lasso_path(
    X,
    y,
    *,
    eps=1e-3,
    n_alphas="deprecated",
    alphas=100,
    precompute="auto",
    Xy=None,
    copy_X=True,
    coef_init=None,
    verbose=False,
    return_n_iter=False,
    positive=False,
    **params,
):
    """Compute the lasso path: coefficients for a sequence of penalties.

    Minimizes ``||y - Xw||^2 / (2 n_samples) + alpha * sum_j v_j |w_j|`` for each
    alpha, without an intercept.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Training data; center it beforehand for a model with an intercept.
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        Target values; several targets are solved jointly.
    eps : float, default=1e-3
        Length of a generated grid: ``alpha_min / alpha_max``.
    n_alphas : int, default='deprecated'
        Deprecated in scikit-learn 1.9 in favor of `alphas`, removed in 1.11, and accepted until
        then with its `FutureWarning`.
    alphas : int or array-like, default=100
        Number of penalties on the path, or the penalties themselves.
    precompute : 'auto', bool or array-like of shape (n_features, n_features), \
default='auto'
        As in :func:`enet_path`.
    Xy : array-like of shape (n_features,) or (n_features, n_targets), default=None
        Accepted for compatibility; it is not needed.
    copy_X : bool, default=True
        Accepted for compatibility; X is never written to.
    coef_init : array-like of shape (n_features,) or (n_targets, n_features), \
default=None
        Coefficients to start from.
    verbose : bool or int, default=False
        Print a dot to standard error once the path is computed.
    return_n_iter : bool, default=False
        Whether to return the numbers of iterations.
    positive : bool, default=False
        Constrain coefficients to be non-negative. One target only.
    **params : dict
        As in :func:`enet_path`.

    Returns
    -------
    alphas : ndarray of shape (n_alphas,)
        Penalties, decreasing.
    coefs : ndarray of shape (n_features, n_alphas) or \
(n_targets, n_features, n_alphas)
        Coefficients along the path.
    dual_gaps : ndarray of shape (n_alphas,)
        Duality gaps relative to the objective at zero.
    n_iters : list of int
        Iterations for each alpha, if `return_n_iter`.

    Raises
    ------
    ValueError
        If the data or an argument has a wrong shape or value.

    Examples
    --------
    >>> import numpy as np
    >>> from skextra.linear_model import lasso_path
    >>> X = np.array([[1, 2, 3.1], [2.3, 5.4, 4.3]]).T
    >>> y = np.array([1, 2, 3.1])
    >>> _, coefs, _ = lasso_path(X, y, alphas=[5.0, 1.0, 0.5], tol=1e-8)
    >>> coefs.round(3)
    array([[0.   , 0.   , 0.469],
           [0.216, 0.443, 0.237]])
    """
    if "l1_ratio" in params:
        raise ValueError("l1_ratio is 1 for the lasso; use enet_path for other values")
    alphas = resolve_alphas(alphas, n_alphas)
    return _compute_path(
        X, y, 1.0, eps, alphas, precompute, coef_init, verbose, return_n_iter, positive, True,
        params,
    )  # fmt: skip


def _compute_path(
    X, y, l1_ratio, eps, alphas, precompute, coef_init, verbose, return_n_iter, positive,
    check_input, params,
):  # fmt: skip
    options = _pop_options(params)
    sample_weight, penalty_weights = options.pop("sample_weight"), options.pop("penalty_weights")
    if check_input:
        X, y = _check_path_data(X, y)
    sample_weight = validate_sample_weight(sample_weight, X)
    penalty_weights = validate_penalty_weights(penalty_weights, X.shape[1])
    if y.ndim == 2 and positive:
        raise ValueError("positive=True is not allowed for multi-output (y.ndim != 1)")
    Y = y.reshape(len(y), -1)
    settings = create_settings(positive=positive, **options)
    if isinstance(alphas, Integral):
        alphas = create_alpha_grid(
            X, Y, l1_ratio, eps, alphas, sample_weight=sample_weight, fit_intercept=False,
            penalty_weights=penalty_weights, positive=positive,
        )  # fmt: skip
    alphas = np.sort(validate_alphas(alphas, allow_zero=True))[::-1]
    start = _validate_start(coef_init, Y.shape[1], X.shape[1])
    gram = validate_gram(precompute, X, sample_weight, fit_intercept=False)
    core = _core.least_squares.elastic_net if y.ndim == 1 else _core.least_squares.multi_task
    path = core.solve(
        X, Y, alphas, l1_ratio=l1_ratio, sample_weight=sample_weight, fit_intercept=False,
        penalty_weights=penalty_weights, settings=settings, start=start, gram=gram,
    )  # fmt: skip
    check_finite_result("enet_path", path.coefs)
    warn_if_unconverged(path, alphas, settings, stacklevel=5)
    if verbose:
        sys.stderr.write(".")
    coefs = np.swapaxes(path.coefs, 1, 2).astype(X.dtype, copy=False)
    gaps, n_iters = path.gaps[0], path.n_iters[0]
    if y.ndim == 1:
        coefs = coefs[0]
    return (alphas, coefs, gaps, n_iters.tolist()) if return_n_iter else (alphas, coefs, gaps)


def _pop_options(params):
    options = {
        "tol": params.pop("tol", 1e-4),
        "max_iter": params.pop("max_iter", 1000),
        "selection": params.pop("selection", "cyclic"),
        "random_state": params.pop("random_state", None),
        "sample_weight": params.pop("sample_weight", None),
        "penalty_weights": params.pop("penalty_weights", None),
    }
    # Of scikit-learn's solver; ours screens in any case.
    params.pop("do_screening", None)
    if params:
        raise ValueError("Unexpected parameters in params", params.keys())
    if options["selection"] not in ("random", "cyclic"):
        raise ValueError(
            f"selection should be either random or cyclic, got {options['selection']!r}"
        )
    tol, max_iter = options["tol"], options["max_iter"]
    if not (isinstance(tol, Real) and 0 <= tol < np.inf):
        raise ValueError(f"tol must be a non-negative, finite number, got {tol!r}")
    if not (isinstance(max_iter, Integral) and max_iter >= 1):
        raise ValueError(f"max_iter must be a positive integer, got {max_iter!r}")
    return options


def _check_path_data(X, y):
    X = check_array(X, accept_sparse=["csc", "csr"], dtype=list(_FLOATS))
    if sparse.issparse(y):
        y = y.toarray()
    y = check_array(y, dtype=X.dtype, order="F", ensure_2d=False, input_name="y")
    if y.ndim > 2 or len(y) != X.shape[0]:
        raise ValueError(
            f"y must have shape ({X.shape[0]},) or ({X.shape[0]}, n_targets), got {y.shape}"
        )
    return as_columns(X), y


def _validate_start(coef_init, n_targets, n_features):
    if coef_init is None:
        return None
    start = check_array(coef_init, dtype=np.float64, ensure_2d=False, input_name="coef_init")
    if start.shape != (n_targets, n_features) and (n_targets > 1 or start.shape != (n_features,)):
        wanted = (n_features,) if n_targets == 1 else (n_targets, n_features)
        raise ValueError(f"coef_init must have shape {wanted}, got {start.shape}")
    return start.reshape(n_targets, n_features)


def create_settings(*, tol, max_iter, positive, selection, random_state):
    """Solver settings from an estimator's parameters."""
    seed = None
    if selection == "random":
        seed = int(check_random_state(random_state).randint(np.iinfo(np.int32).max))
    return _core.least_squares.elastic_net.Settings(tol, max_iter, positive, seed)


def create_alpha_grid(
    X, Y, l1_ratio, eps, n_alphas, *, sample_weight, fit_intercept, penalty_weights, positive
):
    """Geometric grid from the smallest alpha with zero coefficients, down by `eps`.

    Returns
    -------
    alphas : ndarray of shape (n_alphas,)
        Decreasing.
    """
    check_grid_exists(l1_ratio)
    problem, scale = _core.least_squares.elastic_net.build(
        X, Y, sample_weight, fit_intercept, penalty_weights, positive
    )
    alpha_max = _core.least_squares.elastic_net.compute_alpha_max(
        problem, scale, l1_ratio, positive
    )
    # What centering leaves of a constant target is rounding, and no signal in small units.
    noise = problem.design.total_weight * (_CONSTANT * problem.y_mean) ** 2
    has_signal = (problem.null_objective > noise).any()
    return space_alphas(alpha_max if has_signal else 0.0, eps, n_alphas)


def check_grid_exists(l1_ratio):
    """Refuse to generate penalties where no finite one makes all coefficients zero."""
    if l1_ratio == 0:
        raise ValueError(
            "Automatic alpha grid generation is not supported for l1_ratio=0. "
            "Please supply a grid by providing your estimator with the appropriate "
            "`alphas=` argument."
        )


def space_alphas(alpha_max, eps, n_alphas):
    """Geometric grid down from `alpha_max`; tiny penalties if that is 0."""
    if not alpha_max > 0:
        return np.full(n_alphas, np.finfo(np.float64).resolution)
    return np.geomspace(alpha_max, alpha_max * eps, num=n_alphas)


def validate_gram(precompute, X, sample_weight, fit_intercept):
    """The user's Gram matrix if it is one of X as the solver sees it, else None.

    Raises
    ------
    ValueError
        If it has a wrong shape, or is not the Gram matrix of X at all.
    """
    if isinstance(precompute, (bool, np.bool_, str)) or precompute is None:
        return None
    n, p = X.shape
    gram = check_array(precompute, dtype=[np.float64, np.float32], input_name="precompute")
    if gram.shape != (p, p):
        raise ValueError(f"precompute must have shape ({p}, {p}), got {gram.shape}")
    design = _core.numerics.design_matrix.Design(
        X, _core.least_squares.elastic_net.normalize(sample_weight), fit_intercept
    )
    some = np.unique([0, p // 2, p - 1])
    columns = _core.numerics.packed_columns.pack(design, some)
    expected = columns.compute_gram(columns)
    size = np.sqrt(np.outer(expected.diagonal(), expected.diagonal()))
    error = np.abs(expected - gram[np.ix_(some, some)])
    if (error <= 1e-4 * size + 1e-30).all():
        return gram
    if fit_intercept and (np.abs(design.mean) > 1e-8 * np.sqrt(size.max() / n)).any():
        warnings.warn(
            "Gram matrix was provided but X was centered to fit intercept: "
            "recomputing Gram matrix.",
            UserWarning,
            stacklevel=4,
        )
        return None
    raise ValueError(
        "Gram matrix passed in via 'precompute' parameter did not pass validation when a "
        f"few elements were checked: expected {expected[0, -1]:.6g} for element "
        f"(0, {p - 1}), got {gram[0, -1]:.6g}"
    )


def warn_if_unconverged(path, alphas, settings, stacklevel):
    """Warn once, of the worst problem that stopped above its tolerance."""
    if path.converged.all():
        return
    gaps = np.where(path.converged, -np.inf, path.gaps)
    worst = gaps.max(axis=0).argmax()
    warnings.warn(
        "Objective did not converge. You might want to increase the number of iterations, "
        f"max_iter={settings.max_iter}: {np.count_nonzero(~path.converged)} of "
        f"{path.converged.size} problems stopped early; the worst, alpha={alphas[worst]:.4g}, has "
        f"a relative duality gap of {gaps.max():.3e} after {path.n_iters[:, worst].max()} "
        f"iterations, tol={settings.tol:.3g}. Increase alpha, or scale the features.",
        ConvergenceWarning,
        stacklevel=stacklevel,
    )
