"""Parameters to start from: moments of rows that are assigned to components."""

from dataclasses import replace

import numpy as np

from skextra._core.mixture import em
from skextra._core.mixture.covariances import factorize_precisions, invert_precision_cholesky
from skextra._core.mixture.data import Data
from skextra._core.mixture.features import DIAG, FULL, SPHERICAL, TIED
from skextra._core.mixture.missing import regress, take_marginal
from skextra._core.mixture.parameters import CollapseError, Parameters, maximize
from skextra._core.mixture.statistics import SufficientStatistics, create_scatters

BLOCK = 4096  # rows at a time
_ROUNDING = 4 * np.finfo(np.float64).eps
_START_VARIANCE = 1e-6  # of the variances of the data; scikit-learn's default `reg_covar`


def summarize_labels(kind, n_components, X, weights, labels):
    """Statistics of complete rows that belong to one component each.

    Parameters
    ----------
    kind : int
    n_components : int
    X : ndarray of shape (n_samples, n_features)
        Without missing values.
    weights : ndarray of shape (n_samples,) or None
    labels : ndarray of int of shape (n_samples,)
        Negative for rows that belong to none.
    """
    d = X.shape[1]
    weight = float(len(X) if weights is None else weights.sum())
    counts, means = np.zeros(n_components), np.zeros((n_components, d))
    scatters = create_scatters(kind, n_components, d)
    # Rows of a component one after the other, so that BLAS sums each.
    order = np.argsort(labels, kind="stable")
    edges = np.searchsorted(labels[order], np.arange(n_components + 1))
    for k in range(n_components):
        members = order[edges[k] : edges[k + 1]]
        pieces = [members[i : i + BLOCK] for i in range(0, len(members), BLOCK)]
        for piece in pieces:
            w = np.ones(len(piece)) if weights is None else weights[piece]
            counts[k] += w.sum()
            means[k] += w @ X[piece].astype(np.float64, copy=False)
        means[k] /= counts[k] if counts[k] > 0 else 1.0
        for piece in pieces:
            differences = X[piece] - means[k]
            if weights is not None:
                differences *= np.sqrt(weights[piece, None])
            scatters[0 if kind == TIED else k] += compute_scatter(kind, differences)
    return SufficientStatistics(kind, counts, means, scatters, 0.0, weight)


def compute_scatter(kind, differences):
    """Sum of squared differences, in the layout of the scatters."""
    if kind in (FULL, TIED):
        return differences.T @ differences
    squares = np.einsum("ij,ij->j", differences, differences)
    return squares[None] if kind == DIAG else squares.sum(keepdims=True)[None]


def summarize_responsibilities(kind, X, weights, draw, n_components):
    """Statistics of complete rows shared out between the components.

    Parameters
    ----------
    kind : int
    X : ndarray of shape (n_samples, n_features)
        Without missing values.
    weights : ndarray of shape (n_samples,) or None
    draw : callable
        ``draw(n_rows)`` gives the responsibilities of the next rows, of shape
        (n_rows, n_components).
    n_components : int

    Returns
    -------
    statistics : SufficientStatistics
        Merged from blocks, so that no array has a row per sample.
    """
    d = X.shape[1]
    total = None
    for start in range(0, len(X), BLOCK):
        rows = X[start : start + BLOCK].astype(np.float64)
        shares = draw(len(rows))
        if weights is not None:
            shares = shares * weights[start : start + BLOCK, None]
        counts = shares.sum(axis=0)
        means = (shares.T @ rows) / np.where(counts > 0, counts, 1.0)[:, None]
        scatters = create_scatters(kind, n_components, d)
        for k in range(n_components):
            differences = (rows - means[k]) * np.sqrt(shares[:, k, None])
            scatters[0 if kind == TIED else k] += compute_scatter(kind, differences)
        part = SufficientStatistics(kind, counts, means, scatters, 0.0, float(shares.sum()))
        total = part if total is None else total + part
    return total


def widen_single_rows(statistics, covariance, floor):
    """Give components that start from one row each a width of their own, where `floor` is none.

    A single row has no scatter. scikit-learn leaves it at `floor` (``reg_covar``), so that the
    first E-step assigns each row to the nearest component; kept where `floor` is more than the
    rounding of the variances, and as narrow as with its default on standardized data elsewhere.

    Parameters
    ----------
    statistics : SufficientStatistics
        Of one row per component.
    covariance : ndarray
        Of the data, or its variances.
    floor : float

    Returns
    -------
    statistics : SufficientStatistics
    """
    if statistics.kind == TIED:  # shares the scatter of all rows
        return statistics
    variances = np.diagonal(covariance) if covariance.ndim == 2 else covariance
    if statistics.kind == SPHERICAL:
        variances = variances.mean(keepdims=True)
    widths = np.where(floor > _ROUNDING * variances, 0.0, _START_VARIANCE * variances)
    if statistics.kind == FULL:
        widths = np.diag(widths)
    elif statistics.kind == SPHERICAL:
        widths = widths * statistics.means.shape[1]  # scatters are summed over features
    added = statistics.counts[:, None, None] * widths
    return replace(statistics, scatters=statistics.scatters + added)


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
            values |= vars(maximize(statistics, floor, initial=True))
        except CollapseError:
            if spread is None:
                raise
            # As wide as all data: EM narrows what should be narrow.
            widened = _widen(statistics, spread)
            values |= vars(maximize(widened, floor, initial=True))
    values |= {name: given[name] for name in ("weights", "means") if name in given}
    if "precisions" in given:
        is_matrix = kind in (FULL, TIED)
        cholesky = factorize_precisions(given["precisions"], is_matrix)
        values["cholesky"] = cholesky
        values["covariances"] = invert_precision_cholesky(cholesky, is_matrix)
    return Parameters(**values)


def _widen(statistics, spread):
    if statistics.kind == SPHERICAL:
        spread = spread.sum()
    added = np.maximum(statistics.counts, 1.0)[:, None, None] * spread
    if statistics.kind == TIED:
        added = added.sum(axis=0)[None]
    return replace(statistics, scatters=statistics.scatters + added)


def impute(data, floor, pool):
    """Rows with conditional means, under one Gaussian, where values are missing.

    Only the first assignment of rows to components is made from them.

    Parameters
    ----------
    data : Data
    floor : float
    pool : Pool

    Returns
    -------
    X : ndarray of shape (n_samples, n_features) and float64
    """
    center, covariance = data.center, data.covariance
    filled = np.where(np.isnan(data.X), center, data.X.astype(np.float64))
    if data.kind in (DIAG, SPHERICAL):  # features are independent: the mean says all
        return filled
    single = Data(FULL, 1, data.X, data.weights, floor, center, covariance)
    ridge = max(floor, 1e-8 * covariance.trace() / len(center), np.finfo(float).tiny)
    scatter = data.weight * covariance[None]
    statistics = SufficientStatistics(
        FULL, np.full(1, data.weight), center[None].copy(), scatter, 0.0, data.weight
    )
    settings = em.Settings(tol=1e-2, max_iter=20, floor=ridge)
    try:
        fitted = em.solve(single, maximize(statistics, ridge), settings, pool).parameters
        for part in single.parts:
            marginal = take_marginal(fitted, part.columns)
            missing = np.setdiff1d(np.arange(len(center)), part.columns)
            coefficients, _ = regress(fitted.covariances, marginal.cholesky, part.columns, missing)
            shifts = (part.X - marginal.means) @ coefficients[0].T
            filled[np.ix_(part.rows, missing)] = fitted.means[0, missing] + shifts
    except CollapseError:  # a Gaussian without width tells nothing: the means have to do
        return np.where(np.isnan(data.X), center, filled)
    return filled
