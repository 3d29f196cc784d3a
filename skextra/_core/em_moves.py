"""Starts with one component more or less than a mixture: one split, or two merged.

References
----------
Runnalls, "Kullback-Leibler approach to Gaussian mixture reduction", IEEE Trans.
Aerospace and Electronic Systems 43 (2007).
"""

import numpy as np

from skextra._core.em_kernels import FULL, SPHERICAL, TIED
from skextra._core.em_linalg import invert_covariances
from skextra._core.em_parameters import CollapseError, Parameters


def split(parameters, component, covariance):
    """Parameters with a component cut in two along its longest axis.

    Parameters
    ----------
    parameters : Parameters
    component : int
    covariance : ndarray
        Of the data (or variances): the axis where the component has none of its own.

    Returns
    -------
    parameters : Parameters
        The new component comes last.
    """
    kind, d = parameters.kind, parameters.means.shape[1]
    own = parameters.covariances[0 if kind == TIED else component]
    covariances = parameters.covariances
    if parameters.is_matrix:
        values, vectors = np.linalg.eigh(own)
        shift = np.sqrt(values[-1]) * vectors[:, -1]
    else:
        j = int(np.argmax(own[0] if own.shape[1] > 1 else covariance))
        shift = np.zeros(d)
        shift[j] = np.sqrt(own[0, j if own.shape[1] > 1 else 0])
    # Halves of a Gaussian have means 0.8 standard deviations off, and 0.36 of the variance.
    shift *= 0.8
    if kind == FULL:
        half = own - np.outer(shift, shift)
    elif kind == TIED:
        half = None
    else:
        half = own - (shift**2 if kind != SPHERICAL else (shift**2).sum() / d)
    if half is not None:
        covariances = np.concatenate([covariances, half[None]])
        covariances[component] = half
    weights = np.append(parameters.weights, parameters.weights[component] / 2)
    weights[component] /= 2
    means = np.concatenate([parameters.means, parameters.means[component : component + 1] + shift])
    means[component] -= shift
    return _create(kind, weights, means, covariances)


def choose_splits(parameters, n_most):
    """Components by falling weight times volume, the first to be split first."""
    if parameters.is_matrix:
        volumes = -np.log(np.einsum("kii->ki", parameters.cholesky)).sum(axis=1)
    else:
        volumes = -np.log(parameters.cholesky).mean(axis=(1, 2)) * parameters.means.shape[1]
    volumes = np.broadcast_to(volumes, len(parameters.weights))
    scores = np.log(np.maximum(parameters.weights, 1e-300)) + volumes
    return np.argsort(-scores, kind="stable")[:n_most]


def merge(parameters):
    """Parameters with the two components merged whose merging costs least.

    Returns
    -------
    parameters : Parameters
    """
    kind, n_components = parameters.kind, len(parameters.weights)
    best, best_cost = None, np.inf
    for i in range(n_components):
        for j in range(i + 1, n_components):
            merged = _merge_moments(parameters, i, j)
            cost = _measure_cost(parameters, i, j, merged)
            if cost < best_cost:
                best, best_cost = (i, j, merged), cost
    if best is None:
        raise CollapseError(np.arange(n_components))
    i, j, (weight, mean, covariance) = best
    kept = np.delete(np.arange(n_components), j)
    weights, means = parameters.weights.copy(), parameters.means.copy()
    covariances = parameters.covariances.copy()
    weights[i], means[i] = weight, mean
    if kind != TIED:
        covariances[i] = covariance
        covariances = covariances[kept]
    return _create(kind, weights[kept], means[kept], covariances)


def _merge_moments(parameters, i, j):
    weight = parameters.weights[i] + parameters.weights[j]
    share = parameters.weights[j] / max(weight, 1e-300)
    shift = parameters.means[j] - parameters.means[i]
    mean = parameters.means[i] + share * shift
    if parameters.kind == TIED:
        within, outer = parameters.covariances[0], np.outer(shift, shift)
    else:
        covariances = parameters.covariances
        within = (1 - share) * covariances[i] + share * covariances[j]
        if parameters.kind == FULL:
            outer = np.outer(shift, shift)
        else:
            outer = (shift**2)[None]
            outer = outer.mean(keepdims=True) if parameters.kind == SPHERICAL else outer
    return weight, mean, within + share * (1 - share) * outer


def _measure_cost(parameters, i, j, merged):
    """Runnalls's bound on the divergence that merging causes."""
    weight, _, covariance = merged
    total = weight * _log_volume(parameters, covariance)
    for k in (i, j):
        own = parameters.covariances[0 if parameters.kind == TIED else k]
        total -= parameters.weights[k] * _log_volume(parameters, own)
    return 0.5 * total


def _log_volume(parameters, covariance):
    if parameters.is_matrix:
        return np.linalg.slogdet(covariance)[1]
    d = parameters.means.shape[1]
    return np.log(covariance).sum() * (d if parameters.kind == SPHERICAL else 1)


def _create(kind, weights, means, covariances):
    covariances = np.ascontiguousarray(covariances)
    cholesky = np.zeros_like(covariances)
    failed = np.zeros(len(covariances), dtype=np.bool_)
    invert_covariances(covariances, kind in (FULL, TIED), cholesky, failed)
    if failed.any():
        raise CollapseError(np.flatnonzero(failed))
    return Parameters(
        kind, weights / weights.sum(), np.ascontiguousarray(means), covariances, cholesky
    )
