"""Parameters a fit starts from, drawn as scikit-learn draws them."""

from dataclasses import replace

import numpy as np
from sklearn.cluster import KMeans, kmeans_plusplus

from skextra import _core

INIT_PARAMS = ("kmeans", "k-means++", "random", "random_from_data")


def draw_statistics(X, weights, kind, n_components, init_params, random_state):
    """Statistics of a first assignment of rows to components.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Without missing values.
    weights : ndarray of shape (n_samples,) or None
    kind : int
    n_components : int
    init_params : str
    random_state : RandomState
        The same numbers are taken from it as scikit-learn takes.

    Returns
    -------
    statistics : SufficientStatistics
    """
    if init_params == "random":

        def draw(n_rows):
            shares = random_state.uniform(size=(n_rows, n_components))
            return shares / shares.sum(axis=1)[:, None]

        return _core.mixture.start.summarise_responsibilities(kind, X, weights, draw, n_components)
    labels = draw_labels(X, weights, n_components, init_params, random_state)
    statistics = _core.mixture.start.summarise_labels(kind, n_components, X, weights, labels)
    if kind == _core.mixture.features.TIED and init_params != "kmeans":
        # scikit-learn's start: the rows that were not drawn, about the origin.
        others = labels < 0
        rows = X[others].astype(np.float64, copy=False)
        scaled = rows if weights is None else rows * weights[others, None]
        statistics.scatters += scaled.T @ rows
    return statistics


def draw_labels(X, weights, n_components, init_params, random_state):
    """Component of each row, -1 for rows that are in none."""
    if init_params == "kmeans":
        if X.dtype == np.float64 and X.size * n_components <= _core.mixture.kmeans.LARGEST:
            before = random_state.get_state()
            labels = _core.mixture.kmeans.find_labels(X, weights, n_components, random_state)
            if labels is not None:
                return labels
            random_state.set_state(before)
        clusters = KMeans(n_components, n_init=1, random_state=random_state)
        return clusters.fit(X, sample_weight=weights).labels_
    labels = np.full(len(X), -1)
    if init_params == "k-means++":
        _, rows = kmeans_plusplus(X, n_components, sample_weight=weights, random_state=random_state)
    else:
        rows = random_state.choice(
            len(X), size=n_components, replace=False, p=_get_chances(weights)
        )
    # A row drawn twice stands for the component that drew it first.
    labels[rows[::-1]] = np.arange(n_components)[::-1]
    return labels


def _get_chances(weights):
    return None if weights is None else weights / weights.sum()


def create_start(statistics, floor, kind, given, spread=None):
    """Parameters from statistics, with what the user gave in their place.

    Parameters
    ----------
    statistics : SufficientStatistics or None
        None if everything is given.
    floor : float
    kind : int
    given : dict
        Some of "weights", "means" and "precisions", the last in the core's layout.
    spread : ndarray or None
        Covariance (or variances) of the data, for components whose own is not
        positive definite; None refuses those.

    Returns
    -------
    parameters : Parameters
    """
    values = {"kind": kind}
    if statistics is not None:
        try:
            values |= vars(_core.mixture.parameters.maximise(statistics, floor, initial=True))
        except _core.mixture.parameters.CollapseError:
            if spread is None:
                raise
            # As wide as all data: EM narrows what should be narrow.
            widened = _widen(statistics, spread)
            values |= vars(_core.mixture.parameters.maximise(widened, floor, initial=True))
    values |= {name: given[name] for name in ("weights", "means") if name in given}
    if "precisions" in given:
        is_matrix = kind in (_core.mixture.features.FULL, _core.mixture.features.TIED)
        cholesky = _core.mixture.covariances.factorise_precisions(given["precisions"], is_matrix)
        values["cholesky"] = cholesky
        values["covariances"] = _core.mixture.covariances.invert_precision_cholesky(
            cholesky, is_matrix
        )
    return _core.mixture.parameters.Parameters(**values)


def _widen(statistics, spread):
    if statistics.kind == _core.mixture.features.SPHERICAL:
        spread = spread.sum()
    added = np.maximum(statistics.counts, 1.0)[:, None, None] * spread
    if statistics.kind == _core.mixture.features.TIED:
        added = added.sum(axis=0)[None]
    return replace(statistics, scatters=statistics.scatters + added)


def impute(data, floor, pool):
    """Rows with conditional means, under one Gaussian, where values are missing.

    Only the first assignment of rows is made from them.
    """
    kernels, kind = _core.mixture.features, data.kind
    X = data.X.astype(np.float64)
    center, covariance = data.center, data.covariance
    filled = np.where(np.isnan(X), center, X)
    if kind in (kernels.DIAG, kernels.SPHERICAL):
        return filled
    single = _core.mixture.data.Data(
        kernels.FULL, 1, data.X, data.weights, floor, center, covariance
    )
    ridge = max(floor, 1e-8 * covariance.trace() / len(center), np.finfo(float).tiny)
    covariances = (covariance + ridge * np.eye(len(center)))[None]
    cholesky = np.zeros_like(covariances)
    failed = np.zeros(1, dtype=np.bool_)
    _core.mixture.covariances.invert_covariances(covariances, True, cholesky, failed)
    if failed.any():
        return filled
    start = _core.mixture.parameters.Parameters(
        kernels.FULL, np.ones(1), center[None].copy(), covariances, cholesky
    )
    settings = _core.mixture.em.Settings(tol=1e-2, max_iter=20, floor=ridge)
    fitted = _core.mixture.em.solve(single, start, settings, pool).parameters
    for part in single.parts:
        marginal = _core.mixture.missing.take_marginal(fitted, part.columns)
        missing = np.setdiff1d(np.arange(len(center)), part.columns)
        coefficients, _ = _core.mixture.missing.regress(
            fitted.covariances, marginal.cholesky, part.columns, missing
        )
        shifts = (part.X - marginal.means) @ coefficients[0].T
        filled[np.ix_(part.rows, missing)] = fitted.means[0, missing] + shifts
    return filled
