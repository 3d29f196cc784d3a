"""Small data: an E-step in one kernel, and densities in a dozen calls of NumPy.

On a few hundred rows an E-step takes less time than the calls of NumPy that make
it up. Here the features of all rows are kept from one iteration to the next, and
products are plain loops.
"""

import numpy as np

from skextra._core.mixture.blocks import enter_frame as enter_rows, fill_features
from skextra._core.mixture.features import DIAG, FULL, SPHERICAL, TIED, count_features, normalise
from skextra._core.mixture.parameters import fill_theta
from skextra._core.mixture.statistics import SufficientStatistics, create_scatters, read_offsets
from skextra._core.runtime.jit import njit

_FLAGS = {"contract", "reassoc", "nsz"}
#: Multiplications, above which BLAS is worth its calls.
_MOST_PRODUCTS = 200_000
#: Numbers, above which blocks are worth their preparation.
_MOST_DIFFERENCES = 20_000
_HALF_LOG_TAU = 0.5 * np.log(2 * np.pi)


class SmallData:
    """Features of complete rows, all at once.

    Parameters
    ----------
    kind : int
    part : Part
    weights : ndarray of shape (n_samples,)
    """

    def __init__(self, kind, part, weights):
        self.kind, self.part, self.weights = kind, part, weights
        self.weight = float(weights.sum())
        n, d = part.X.shape
        z, self.features = np.empty((d, n)), np.empty((count_features(kind, d), n))
        enter_rows(kind, part.X - part.frame.center, part.frame, z)
        fill_features(kind, z, self.features)

    def compute_statistics(self, parameters, penalties):
        """Sufficient statistics, or None where components have to go by differences."""
        kind, frame = self.kind, self.part.frame
        n_components, d = parameters.means.shape
        penalties = np.zeros(n_components) if penalties is None else penalties
        counts, means = np.empty(n_components), np.empty((n_components, d))
        scatters = create_scatters(kind, n_components, d)
        log_likelihood, is_done = fill_statistics(
            kind, parameters.weights, parameters.means, parameters.cholesky, penalties,
            frame.center, frame.scale, frame.to_frame, frame.from_frame, self.features,
            self.weights, self.part.total, counts, means, scatters,
        )  # fmt: skip
        if not is_done:
            return None
        return SufficientStatistics(kind, counts, means, scatters, log_likelihood, self.weight)


def evaluate_small(X, parameters):
    """Densities as `em_steps.evaluate`; None for data that are large or have gaps."""
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


def is_small(kind, n_components, shape):
    """Whether data of this shape are small."""
    n, d = shape
    n_products = n_components * max(n * count_features(kind, d), d**3)
    return n_products <= _MOST_PRODUCTS


@njit(error_model="numpy", fastmath=_FLAGS)
def fill_statistics(
    kind, component_weights, means, cholesky, penalties, center, scale, to_frame, from_frame,
    features, weights, total, counts, out_means, scatters,
):  # fmt: skip
    """Write sufficient statistics; return the log-likelihood, and whether they are good."""
    n_components, d = means.shape
    p, n = features.shape
    in_frame, factors = np.empty(means.shape), np.zeros(cholesky.shape)
    precisions, theta = np.empty(cholesky.shape), np.zeros((n_components, p))
    constants = np.empty(n_components)
    for k in range(n_components):
        constants[k] = np.log(component_weights[k]) - _HALF_LOG_TAU * d - penalties[k]
    by_differences = np.empty(n_components, dtype=np.bool_)
    enter_frame(
        kind, means, cholesky, center, scale, to_frame, from_frame, in_frame, factors, precisions
    )
    if fill_theta(kind, cholesky, precisions, in_frame, constants, theta, by_differences):
        return 0.0, False
    shares, rest = np.zeros((n_components, n)), np.zeros((4, n))
    for k in range(n_components):
        for q in range(p):
            for t in range(n):
                shares[k, t] += theta[k, q] * features[q, t]
    base, top, sums, scratch = rest[0], rest[1], rest[2], rest[3]
    if kind == TIED:
        for i in range(d):
            scratch[:] = 0.0
            for j in range(i + 1):
                for t in range(n):
                    scratch[t] += factors[0, j, i] * features[j, t]
            for t in range(n):
                base[t] -= 0.5 * scratch[t] * scratch[t]
    normalise(shares, weights, top, sums, scratch)
    log_likelihood = 0.0
    for t in range(n):
        log_likelihood += weights[t] * (top[t] + np.log(sums[t]) + base[t])
    for k in range(n_components):
        for q in range(p):
            dot = 0.0
            for t in range(n):
                dot += shares[k, t] * features[q, t]
            theta[k, q] = dot  # from here on, moments
        counts[k] = theta[k, p - 1]
    if kind == TIED:
        for i in range(d):
            for j in range(d):
                scatters[0, i, j] = total[i, j]
    read_offsets(kind, theta, in_frame, scatters)
    leave_frame(kind, in_frame, counts, center, scale, from_frame, out_means, scatters)
    return log_likelihood, True


@njit(error_model="numpy", fastmath=_FLAGS)
def enter_frame(
    kind, means, cholesky, center, scale, to_frame, from_frame, in_frame, factors, precisions
):
    """Write means, factors of the precisions, and precisions in the coordinates of a frame."""
    n_components, d = means.shape
    if kind in (DIAG, SPHERICAL):
        for k in range(n_components):
            for i in range(d):
                in_frame[k, i] = (means[k, i] - center[i]) * scale[i]
            for i in range(cholesky.shape[2]):
                factor = cholesky[k, 0, i] / scale[i]
                precisions[k, 0, i] = factor * factor
        return
    for k in range(n_components):
        for i in range(d):
            in_frame[k, i] = 0.0
        for j in range(d):
            shift = means[k, j] - center[j]
            for i in range(j, d):
                in_frame[k, i] += shift * to_frame[j, i]
    for h in range(cholesky.shape[0]):
        factor, precision = factors[h], precisions[h]
        for i in range(d):
            for t in range(i, d):
                for j in range(t, d):
                    factor[i, j] += from_frame[i, t] * cholesky[h, t, j]
        for i in range(d):
            for j in range(i, d):
                dot = 0.0
                for t in range(j, d):
                    dot += factor[i, t] * factor[j, t]
                precision[i, j] = precision[j, i] = dot


@njit(error_model="numpy", fastmath=_FLAGS)
def leave_frame(kind, offsets, counts, center, scale, from_frame, means, scatters):
    """Write means in the coordinates of the data, and change scatters to these."""
    n_components, d = offsets.shape
    is_matrix = kind in (FULL, TIED)
    for k in range(n_components):
        for i in range(d):
            value = 0.0
            if is_matrix:
                for j in range(i + 1):
                    value += offsets[k, j] * from_frame[j, i]
            else:
                value = offsets[k, i] / scale[i]
            means[k, i] = value + center[i] if counts[k] > 0.0 else 0.0
    if not is_matrix:
        for k in range(n_components):
            for i in range(scatters.shape[2]):
                scatters[k, 0, i] /= scale[i] * scale[i]
        return
    half = np.empty((d, d))
    for h in range(scatters.shape[0]):
        scatter = scatters[h]
        for i in range(d):
            for j in range(d):
                half[i, j] = 0.0
            for t in range(d):
                for j in range(t, d):
                    half[i, j] += scatter[i, t] * from_frame[t, j]
        for i in range(d):
            for j in range(d):
                scatter[i, j] = 0.0
            for t in range(i + 1):
                for j in range(d):
                    scatter[i, j] += from_frame[t, i] * half[t, j]
