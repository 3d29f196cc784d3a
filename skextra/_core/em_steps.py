"""E-step over whole data: sufficient statistics, or densities of each row."""

import numpy as np

from skextra._core.em_data import Data
from skextra._core.em_kernels import (
    DIAG,
    FULL,
    SPHERICAL,
    TIED,
    choose_block_size,
    count_features,
    evaluate_block,
    process_block,
)
from skextra._core.em_missing import expand, take_marginal
from skextra._core.em_parameters import prepare
from skextra._core.em_statistics import read_moments


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
    d, n_components = part.X.shape[1], len(prepared.constants)
    frame, weights = part.frame, part.weights
    size = choose_block_size(data.kind, d, n_components)
    buffer, work, product = data.get_scratch(d, n_components)
    moments = np.zeros((n_components, count_features(data.kind, d)))
    is_pooled = data.kind == TIED and prepared.by_differences.all()
    pooled = np.zeros((d, d) if is_pooled else (1, 1))
    log_likelihood = 0.0
    for first in range(start, stop, size):
        last = min(first + size, stop)
        rows = np.subtract(part.X[first:last], frame.center, out=buffer[: last - first])
        log_likelihood += process_block(
            data.kind, rows, data.ones[: last - first] if weights is None else weights[first:last],
            frame.scale, frame.to_frame, prepared.theta, prepared.constants,
            prepared.by_differences, prepared.means, prepared.cholesky, work, product, moments,
            pooled,
        )  # fmt: skip
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
    data, part, prepared, (start, stop), out = task
    d, n_components = part.X.shape[1], len(prepared.constants)
    frame = part.frame
    size = choose_block_size(data.kind, d, n_components)
    buffer, work, _ = data.get_scratch(d, n_components)
    is_wanted = len(out[2]) > 0
    log_likelihoods, labels = np.empty(size), np.empty(size, dtype=np.intp)
    shares = np.empty((size if is_wanted else 0, n_components))
    for first in range(start, stop, size):
        n = min(first + size, stop) - first
        rows = np.subtract(part.X[first : first + n], frame.center, out=buffer[:n])
        evaluate_block(
            data.kind, rows, data.ones[:n], frame.scale, frame.to_frame, prepared.theta,
            prepared.constants, prepared.by_differences, prepared.means, prepared.cholesky, work,
            log_likelihoods[:n], labels[:n], shares[:n], is_wanted,
        )  # fmt: skip
        where = slice(first, first + n) if part.rows is None else part.rows[first : first + n]
        out[0][where], out[1][where] = log_likelihoods[:n], labels[:n]
        if is_wanted:
            out[2][where] = shares[:n]
