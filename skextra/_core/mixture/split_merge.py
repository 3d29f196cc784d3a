"""Starts with one component more or less than a mixture: one split, or two merged.

References
----------
Runnalls, "Kullback-Leibler approach to Gaussian mixture reduction", IEEE Trans.
Aerospace and Electronic Systems 43 (2007).
"""

import numpy as np

from skextra._core.mixture.covariances import invert_covariances
from skextra._core.mixture.features import FULL, SPHERICAL, TIED
from skextra._core.mixture.parameters import CollapseError, Parameters


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

    The cost is Runnalls's bound on the divergence that merging causes.

    Returns
    -------
    parameters : Parameters
    """
    kind, n_components = parameters.kind, len(parameters.weights)
    if n_components < 2:
        raise CollapseError(np.arange(n_components))
    i, j = np.triu_indices(n_components, 1)
    merged_weights, merged_means, merged_covariances = _merge_moments(parameters, i, j)
    costs = merged_weights * _compute_log_volumes(parameters, merged_covariances)
    own = parameters.weights * _compute_log_volumes(parameters, parameters.covariances)
    best = int(np.argmin(costs - own[i] - own[j]))
    i, j = i[best], j[best]
    kept = np.delete(np.arange(n_components), j)
    weights, means = parameters.weights.copy(), parameters.means.copy()
    covariances = parameters.covariances.copy()
    weights[i], means[i] = merged_weights[best], merged_means[best]
    if kind != TIED:
        covariances[i] = merged_covariances[best]
        covariances = covariances[kept]
    return _create(kind, weights[kept], means[kept], covariances)


def _merge_moments(parameters, i, j):
    """Weights, means and covariances that pairs of components would have as one."""
    weights, covariances = parameters.weights[i] + parameters.weights[j], parameters.covariances
    shares = parameters.weights[j] / np.maximum(weights, 1e-300)
    shifts = parameters.means[j] - parameters.means[i]
    means = parameters.means[i] + shares[:, None] * shifts
    shares = shares[:, None, None]
    if parameters.is_matrix:
        outer = shifts[:, :, None] * shifts[:, None, :]
    else:
        outer = (shifts**2)[:, None, :]
        if parameters.kind == SPHERICAL:
            outer = outer.mean(axis=2, keepdims=True)
    within = covariances
    if parameters.kind != TIED:
        within = (1 - shares) * covariances[i] + shares * covariances[j]
    return weights, means, within + shares * (1 - shares) * outer


def _compute_log_volumes(parameters, covariances):
    """Logarithms of the determinants."""
    if parameters.is_matrix:
        return np.linalg.slogdet(covariances)[1]
    repeats = parameters.means.shape[1] // covariances.shape[2]
    return np.log(covariances).sum(axis=(1, 2)) * repeats


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
