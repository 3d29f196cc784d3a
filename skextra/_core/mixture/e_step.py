"""E-step over whole data: sufficient statistics, or densities of each row."""

import numpy as np

from skextra._core.mixture.data import Data
from skextra._core.mixture.features import DIAG, FULL, SPHERICAL, TIED
from skextra._core.mixture.missing import expand, take_marginal
from skextra._core.mixture.parameters import prepare
from skextra._core.mixture.statistics import read_moments

#: Rows times features times components, up to which `evaluate_small` is faster than cutting
#: the rows into blocks: 0.09 ms against 0.21 ms for `predict` on 150 x 4, three components.
_MOST_DIFFERENCES = 20_000
_HALF_LOG_TAU = 0.5 * np.log(2 * np.pi)


def compute_statistics(data, parameters, pool, penalties=None):
    """Sufficient statistics of the data at some parameters.

    Parameters
    ----------
    data : Data
    parameters : Parameters
    pool : Pool
    penalties : ndarray of shape (n_components,) or None
        Subtracted from the log-densities of the components.

    Returns
    -------
    statistics : SufficientStatistics
        The same bits for every number of threads.
    """
    marginals = [take_marginal(parameters, part.columns) for part in data.parts]
    prepared = [
        prepare(marginal, part.frame, penalties)
        for marginal, part in zip(marginals, data.parts, strict=True)
    ]
    tasks = [
        (data, part, ready, segment)
        for part, ready in zip(data.parts, prepared, strict=True)
        for segment in part.segments
    ]
    results = pool.map(_process_segment, tasks)
    total = None
    for part, marginal, ready in zip(data.parts, marginals, prepared, strict=True):
        statistics = _read_part(data, part, ready, [next(results) for _ in part.segments])
        if part.columns is not None:
            statistics = expand(statistics, marginal, parameters, part.columns)
        total = statistics if total is None else total + statistics
    return total


def _process_segment(task):
    data, part, prepared, (start, stop) = task
    block, product = data.get_scratch(part.X.shape[1], len(prepared.constants))
    moments = np.zeros(product.shape)
    is_pooled = data.kind == TIED and prepared.is_all_by_differences
    pooled = np.zeros((part.X.shape[1],) * 2 if is_pooled else (1, 1))
    log_likelihood, size = 0.0, block.n_rows
    with np.errstate(all="ignore"):
        for first in range(start, stop, size):
            last = min(first + size, stop)
            block = block.resize(last - first)
            weights = data.ones if part.weights is None else part.weights[first:last]
            weights = weights[: last - first]
            block.enter(part.X[first:last], part.frame)
            block.fill_log_densities(prepared)
            block.normalize(prepared, weights)
            block.add_moments(prepared, product, moments, pooled)
            log_likelihood += float(weights @ block.log_likelihoods)
    return moments, pooled, log_likelihood


def _read_part(data, part, prepared, results):
    moments, pooled, log_likelihood = results[0]
    for more_moments, more_pooled, more in results[1:]:
        moments += more_moments
        pooled += more_pooled
        log_likelihood += more
    statistics = read_moments(data.kind, moments, pooled, part.total, prepared, part.frame)
    statistics.log_likelihood = log_likelihood
    statistics.weight = float(len(part.X) if part.weights is None else part.weights.sum())
    return statistics


def compute_moments(parameters):
    """Mean and covariance (or variances) of a mixture."""
    weights = parameters.weights / parameters.weights.sum()
    kind, covariances = parameters.kind, parameters.covariances
    d = parameters.means.shape[1]
    center = weights @ parameters.means
    offsets = parameters.means - center
    if kind in (DIAG, SPHERICAL):
        within = np.broadcast_to(covariances[:, 0], (len(weights), d))
        return center, weights @ (within + offsets**2)
    within = np.tensordot(weights, covariances, 1) if kind == FULL else covariances[0]
    return center, within + (offsets.T * weights) @ offsets


def evaluate(X, parameters, pool, with_responsibilities=False):
    """Log-likelihood, likeliest component and responsibilities of each row.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        NaN where missing.
    parameters : Parameters
    pool : Pool
    with_responsibilities : bool

    Returns
    -------
    log_likelihoods : ndarray of shape (n_samples,)
    labels : ndarray of int of shape (n_samples,)
    responsibilities : ndarray of shape (n_samples, n_components) or None
    """
    n_components = len(parameters.weights)
    center, covariance = compute_moments(parameters)
    data = Data(parameters.kind, n_components, X, None, 0.0, center, covariance, has_total=False)
    # What a row without values would be told.
    log_likelihoods = np.zeros(len(X))
    labels = np.full(len(X), parameters.weights.argmax(), dtype=np.intp)
    responsibilities = np.empty((len(X) if with_responsibilities else 0, n_components))
    responsibilities[:] = 0.0 if data.is_complete else parameters.weights
    out = log_likelihoods, labels, responsibilities
    tasks = []
    for part in data.parts:
        marginal = take_marginal(parameters, part.columns)
        prepared = prepare(marginal, part.frame)
        tasks += [(data, part, prepared, segment, out) for segment in part.segments]
    list(pool.map(_evaluate_segment, tasks))
    return log_likelihoods, labels, responsibilities if with_responsibilities else None


def _evaluate_segment(task):
    data, part, prepared, (start, stop), (log_likelihoods, labels, responsibilities) = task
    block, _ = data.get_scratch(part.X.shape[1], len(prepared.constants))
    size = block.n_rows
    with np.errstate(all="ignore"):
        for first in range(start, stop, size):
            last = min(first + size, stop)
            block = block.resize(last - first)
            block.enter(part.X[first:last], part.frame)
            block.fill_log_densities(prepared)
            where = slice(first, last) if part.rows is None else part.rows[first:last]
            labels[where] = block.log_densities.argmax(axis=0)
            block.normalize(prepared, data.ones[: last - first])
            log_likelihoods[where] = block.log_likelihoods
            if len(responsibilities):
                responsibilities[where] = block.log_densities.T


def evaluate_small(X, parameters):
    """As `evaluate`, in a dozen calls of NumPy; None for large data, and for missing values."""
    (n_components, d), cholesky = parameters.means.shape, parameters.cholesky
    if n_components * X.size > _MOST_DIFFERENCES:
        return None
    differences = X - parameters.means[:, None]
    if parameters.is_matrix:
        differences = differences @ cholesky
        roots = np.einsum("kii->ki", cholesky)
    else:
        differences *= cholesky
        roots = cholesky[:, 0]
    with np.errstate(all="ignore"):
        logs = np.einsum("kij,kij->ki", differences, differences)
        logs *= -0.5
        log_determinants = np.log(roots).sum(axis=1) * (d // roots.shape[1])
        constants = np.log(parameters.weights) + log_determinants - _HALF_LOG_TAU * d
        logs += constants[:, None]
        labels, log_likelihoods = logs.argmax(axis=0), logs.max(axis=0)
        logs -= log_likelihoods
        np.exp(logs, out=logs)
        sums = logs.sum(axis=0)
        logs /= sums
        log_likelihoods += np.log(sums)
    if not np.isfinite(log_likelihoods).all():
        return None
    return log_likelihoods, labels, logs.T
