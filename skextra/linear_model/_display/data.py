"""From an estimator to the arrays a regularization-path display draws."""

from importlib import import_module
from inspect import signature

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.utils import check_array, check_consistent_length

from skextra._base import public_module
from skextra._validation import validate_sample_weight
from skextra.linear_model._display.logistic import LOGISTIC_FAMILY, compute_logistic_data

_SPARSE_FAMILY = ("Lasso", "ElasticNet", "LassoCV", "ElasticNetCV")
_RIDGE_FAMILY = ("Ridge", "RidgeCV")
_FAMILIES = (*_SPARSE_FAMILY, *_RIDGE_FAMILY, *LOGISTIC_FAMILY)
_N_ALPHAS = 100


def compute_display_data(
    estimator, X, y, *, alphas=None, sample_weight=None, feature_names=None, panels=None
):
    """Coefficients, errors and choices along the penalty of `estimator`.

    Parameters
    ----------
    estimator : estimator or Pipeline
        One of `_FAMILIES`, fitted or not, ours or scikit-learn's.
    X, y : array-like or None
        Training data. Without them a fitted CV form shows its errors only.
    alphas : array-like, int or None
        Penalties (or values of C) for an estimator that holds only one.
    sample_weight : array-like or None
    feature_names : sequence of str or None
    panels : sequence or None
        Names of the targets or classes to keep.

    Returns
    -------
    data : dict
        Arguments of ``RegularizationPathDisplay``.
    """
    estimator, X, names = _take_pipeline_apart(estimator, X, y)
    family = _find_family(estimator)
    names = _find_feature_names(estimator, X, names) if feature_names is None else feature_names
    if family.__name__ in LOGISTIC_FAMILY:
        data = compute_logistic_data(estimator, X, y, Cs=alphas, sample_weight=sample_weight)
    else:
        data = _compute_linear_data(estimator, family, X, y, alphas, sample_weight)
    return _keep_panels(data | {"feature_names": names}, panels)


def _keep_panels(data, panels):
    """The data of the panels named, in that order."""
    if panels is None or data["coefs"] is None:
        return data
    n_panels = len(data["coefs"]) if data["coefs"].ndim == 3 else 1
    names = data["panel_names"] or [str(i) for i in range(n_panels)]
    panels = [str(panel) for panel in panels]
    unknown = [panel for panel in panels if panel not in names]
    if unknown or not panels:
        raise ValueError(f"panels must be some of {names}, got {panels}")
    coefs = data["coefs"].reshape(n_panels, *data["coefs"].shape[-2:])
    kept = [names.index(panel) for panel in panels]
    return data | {"coefs": coefs[kept], "panel_names": panels}


def _compute_linear_data(estimator, family, X, y, alphas, sample_weight):
    targets = [str(column) for column in y.columns] if hasattr(y, "columns") else None
    if X is not None:
        X, y = _check_data(estimator, X, y)
        sample_weight = validate_sample_weight(sample_weight, X)
    if family.__name__.endswith("CV"):
        estimator = _fit_if_needed(estimator, X, y, sample_weight, family)
        alphas, cv_scores = _read_cv(estimator)
        selected = float(estimator.alpha_)
    elif X is None:
        raise ValueError(f"X and y are needed to compute the path of {type(estimator).__name__}")
    else:
        alphas = _resolve_alphas(estimator, family, X, y, sample_weight, alphas)
        cv_scores, selected = None, np.asarray(estimator.alpha, dtype=float)
        selected = float(selected) if selected.ndim == 0 else None
    coefs = None if X is None else _solve(estimator, family, X, y, alphas, sample_weight)
    return {
        "alphas": alphas,
        "coefs": coefs,
        "cv_scores": cv_scores,
        "alpha_selected": selected,
        "panel_names": targets if coefs is not None and coefs.ndim == 3 else None,
    }


def _take_pipeline_apart(estimator, X, y):
    """The last step of a pipeline, and X as that step sees it."""
    if not hasattr(estimator, "steps"):
        return estimator, X, None
    steps, final = estimator[:-1], estimator[-1]
    if X is None or not len(steps):
        return final, X, None
    if not hasattr(steps, "__sklearn_is_fitted__") or not steps.__sklearn_is_fitted__():
        steps = clone(steps).fit(X, y)
    try:
        names = steps.get_feature_names_out()
    except (AttributeError, ValueError):  # a step that does not know its names
        names = None
    return final, steps.transform(X), names


def _find_family(estimator):
    """The class among the families that `estimator` is or derives from."""
    for cls in type(estimator).__mro__:
        if cls.__name__ in _FAMILIES:
            return cls
    raise TypeError(
        f"estimator must be one of {', '.join(_FAMILIES)} or a pipeline "
        f"that ends in one, got {type(estimator).__name__}"
    )


def _find_feature_names(estimator, X, names):
    if names is None and hasattr(X, "columns"):
        names = [str(column) for column in X.columns]
    if names is None:
        names = getattr(estimator, "feature_names_in_", None)
    return None if names is None else list(names)


def _check_data(estimator, X, y):
    if y is None:
        raise ValueError("y is needed beside X: it is None")
    X = check_array(X, accept_sparse="csc", dtype=[np.float64, np.float32], estimator=estimator)
    y = check_array(y, dtype=X.dtype, ensure_2d=False, input_name="y")
    check_consistent_length(X, y)
    return X, y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y


def _fit_if_needed(estimator, X, y, sample_weight, family):
    if getattr(estimator, "alpha_per_target", False):
        raise ValueError(
            "alpha_per_target=True chooses a penalty for each target: plot one target at a time"
        )
    fitted = hasattr(estimator, "alpha_")
    if not fitted and X is None:
        raise ValueError(f"this {type(estimator).__name__} is not fitted: X and y are needed")
    storable = family.__name__ == "RidgeCV" and estimator.cv is None and estimator.scoring is None
    if storable and not hasattr(estimator, "cv_results_") and X is not None:
        # Only a fit that is asked to keeps its leave-one-out errors.
        estimator, fitted = clone(estimator).set_params(store_cv_results=True), False
    return estimator if fitted else clone(estimator).fit(X, y, sample_weight=sample_weight)


def _read_cv(estimator):
    """Penalties a CV form tried, and its squared errors of shape (n_alphas, n_folds)."""
    if not hasattr(estimator, "mse_path_"):
        alphas = np.asarray(estimator.alphas, dtype=np.float64).ravel()
        if estimator.scoring is not None or not hasattr(estimator, "cv_results_"):
            return alphas, None
        errors = np.asarray(estimator.cv_results_)
        errors = errors.mean(axis=1) if errors.ndim == 3 else errors
        return alphas, errors.T
    alphas, errors = np.asarray(estimator.alphas_), np.asarray(estimator.mse_path_)
    if errors.ndim == 3:
        chosen = int(np.argmin(np.abs(np.asarray(estimator.l1_ratio) - estimator.l1_ratio_)))
        errors = errors[chosen]
        alphas = alphas[chosen] if alphas.ndim == 2 else alphas
    return alphas, errors.reshape(alphas.size, -1)


def _resolve_alphas(estimator, family, X, y, sample_weight, alphas):
    n_alphas = _N_ALPHAS if alphas is None else alphas
    if np.ndim(n_alphas) == 1:
        return np.sort(np.asarray(n_alphas, dtype=np.float64))[::-1]
    if isinstance(n_alphas, bool) or not isinstance(n_alphas, int | np.integer) or n_alphas < 2:
        raise ValueError(f"alphas must be an array, an integer >= 2 or None, got {alphas!r}")
    weights = np.ones(len(y)) if sample_weight is None else sample_weight
    weights = weights / weights.sum()
    offset = weights @ X if estimator.fit_intercept else np.zeros(X.shape[1])
    if family.__name__ == "Ridge":
        squares = X.multiply(X).T @ weights if sparse.issparse(X) else weights @ X**2
        # The middle of the grid is the mean eigenvalue of the (centered) Gram matrix.
        middle = len(y) * max(np.mean(squares - offset**2), np.finfo(np.float64).tiny)
        return middle * np.logspace(3, -3, n_alphas)
    target = y - weights @ y if estimator.fit_intercept else y
    products = X.T @ (weights * target.T).T
    l1_ratio = getattr(estimator, "l1_ratio", 1.0)
    largest = products.max() if estimator.positive else np.abs(products).max()
    # Centering a constant leaves rounding errors, not zeros.
    if not largest > 1e-12 * abs(X).max() * np.abs(y).max():
        raise ValueError("no feature is correlated with y: there is no path to draw")
    return largest / max(l1_ratio, 1e-3) * np.logspace(0, -3, n_alphas)


def _solve(estimator, family, X, y, alphas, sample_weight):
    """Coefficients of shape (n_features, n_alphas), with a leading axis for targets."""
    if y.ndim == 2:
        return np.stack(
            [_solve(estimator, family, X, target, alphas, sample_weight) for target in y.T]
        )
    if family.__name__ in _RIDGE_FAMILY:
        return _solve_ridge(estimator, family, X, y, alphas, sample_weight)
    if sparse.issparse(X) or getattr(estimator, "penalty_weights", None) is not None:
        return _solve_one_by_one(estimator, family, X, y, alphas, sample_weight)
    return _solve_by_path(estimator, X, y, alphas, sample_weight)


def _solve_by_path(estimator, X, y, alphas, sample_weight):
    # `path` knows neither intercept nor weights: center, then scale the rows.
    weights = np.ones(len(y)) if sample_weight is None else sample_weight
    weights = weights / weights.mean()
    if estimator.fit_intercept:
        X = X - np.average(X, axis=0, weights=weights)
        y = y - np.average(y, weights=weights)
    if sample_weight is not None:
        root = np.sqrt(weights).astype(X.dtype)
        X, y = X * root[:, None], y * root
    order = np.argsort(alphas)[::-1]
    # A Lasso's path may be the elastic net's, where the mixture has to be said.
    ratio = {}
    if "l1_ratio" in signature(estimator.path).parameters:
        ratio = {"l1_ratio": getattr(estimator, "l1_ratio_", getattr(estimator, "l1_ratio", 1.0))}
    _, coefs, _ = estimator.path(
        np.asfortranarray(X),
        np.ascontiguousarray(y),
        alphas=alphas[order],
        positive=estimator.positive,
        tol=estimator.tol,
        max_iter=estimator.max_iter,
        **ratio,
    )
    return coefs[:, np.argsort(order)]


def _make_single(estimator, family, **changes):
    """An estimator with one penalty and all else as in `estimator`."""
    name = family.__name__.removesuffix("CV")
    single = getattr(import_module(public_module(family)), name)()
    given, known = estimator.get_params(deep=False), single.get_params(deep=False)
    shared = {key: given[key] for key in given.keys() & known.keys() - {"precompute", "copy_X"}}
    if "l1_ratio" in known and hasattr(estimator, "l1_ratio_"):
        shared["l1_ratio"] = estimator.l1_ratio_
    return single.set_params(**{**shared, **changes})


def _solve_one_by_one(estimator, family, X, y, alphas, sample_weight):
    coefs = np.empty((X.shape[1], alphas.size))
    single = _make_single(estimator, family, warm_start=True)
    for position in np.argsort(alphas)[::-1]:
        single.set_params(alpha=alphas[position]).fit(X, y, sample_weight=sample_weight)
        coefs[:, position] = single.coef_
    return coefs


def _solve_ridge(estimator, family, X, y, alphas, sample_weight):
    single = _make_single(estimator, family)
    if single.positive:
        fits = [
            single.set_params(alpha=alpha).fit(X, y, sample_weight=sample_weight).coef_.copy()
            for alpha in alphas
        ]
        return np.column_stack(fits)
    # A copy of the target for every penalty: one fit shares the factorization.
    copies = np.repeat(y[:, None], alphas.size, axis=1)
    single.set_params(alpha=alphas).fit(X, copies, sample_weight=sample_weight)
    return single.coef_.reshape(alphas.size, -1).T
