"""Parameters of a mixture, and what the kernels need of them."""

from dataclasses import dataclass

import numpy as np

from skextra._core.em_kernels import DIAG, FULL, SPHERICAL, TIED, count_features
from skextra._core.em_linalg import invert_covariances
from skextra._core.em_statistics import create_scatters
from skextra._core.jit import njit

_TINY = 10 * np.finfo(np.float64).eps
#: Digits that may be lost to expanding a square: a factor of 1e5 leaves 1e-11.
_LARGEST_EXPANSION = 1e5
#: Above, the features of a row no longer fit the cache, and the products of the
#: triangular factors are large enough to be fast.
_MOST_FEATURES = 16384


class CollapseError(ValueError):
    """Some components have no positive definite covariance.

    Attributes
    ----------
    components : ndarray of int
        Which; all of them for "tied".
    """

    def __init__(self, components):
        super().__init__(
            "Fitting the mixture model failed because some components have "
            "ill-defined empirical covariance (for instance caused by singleton "
            "or collapsed samples). Try to decrease the number of components, "
            "increase reg_covar, or scale the input data."
        )
        self.components = components


@dataclass
class Parameters:
    """A mixture of Gaussians.

    Attributes
    ----------
    kind : int
    weights : ndarray of shape (n_components,)
    means : ndarray of shape (n_components, n_features)
    covariances : ndarray of three axes, in the layout of `em_linalg`, or None
    cholesky : ndarray of the same shape
        Factors of the precisions.
    """

    kind: int
    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray | None
    cholesky: np.ndarray

    @property
    def is_matrix(self):
        """Whether covariances are matrices."""
        return self.kind in (FULL, TIED)

    def compute_traces(self):
        """Trace of the precision of each component."""
        d = self.means.shape[1]
        traces = np.einsum("kij,kij->k", self.cholesky, self.cholesky)
        if self.kind == SPHERICAL:
            traces = traces * d
        return np.broadcast_to(traces, len(self.weights))


@dataclass(frozen=True)
class Prepared:
    """Parameters in the coordinates of a frame, as the kernels read them."""

    theta: np.ndarray
    constants: np.ndarray
    by_differences: np.ndarray
    means: np.ndarray
    cholesky: np.ndarray


def prepare(parameters, frame, penalties=None):
    """Write parameters in the coordinates of a frame.

    Parameters
    ----------
    parameters : Parameters
    frame : Frame
    penalties : ndarray of shape (n_components,) or None
        Subtracted from the log-densities of the components.
    """
    kind = parameters.kind
    n_components, d = parameters.means.shape
    with np.errstate(divide="ignore"):
        offsets = np.log(parameters.weights) - 0.5 * d * np.log(2 * np.pi)
    if penalties is not None:
        offsets = offsets - penalties
    p = count_features(kind, d)
    means = parameters.means - frame.center
    means = means @ frame.to_frame if parameters.is_matrix else means * frame.scale
    prepared = Prepared(
        np.zeros((n_components, p)),
        np.empty(n_components),
        np.zeros(n_components, dtype=np.bool_),
        means,
        np.empty_like(parameters.cholesky),
    )
    fill_prepared(
        kind, offsets, parameters.cholesky, frame.scale, frame.from_frame, means, prepared.theta,
        prepared.constants, prepared.by_differences, prepared.cholesky,
    )  # fmt: skip
    if p > _MOST_FEATURES or (kind == TIED and prepared.by_differences.any()):
        prepared.by_differences[:] = True
    return prepared


@njit(error_model="numpy")
def fill_prepared(
    kind, offsets, cholesky, scale, from_frame, means, theta, constants, by_differences,
    frame_cholesky,
):  # fmt: skip
    """Write theta, constants and the rest of `Prepared`; `means` are in the frame."""
    n_components, d = means.shape
    log_determinant = 0.0
    for k in range(n_components):
        h = 0 if kind == TIED else k
        if h == k:
            log_determinant = 0.0
            if kind in (FULL, TIED):
                np.dot(from_frame, cholesky[k], frame_cholesky[k])
                for i in range(d):
                    log_determinant += np.log(cholesky[k, i, i])
            elif kind == DIAG:
                for i in range(d):
                    frame_cholesky[k, 0, i] = cholesky[k, 0, i] / scale[i]
                    log_determinant += np.log(cholesky[k, 0, i])
            else:
                frame_cholesky[k, 0, 0] = cholesky[k, 0, 0] / scale[0]
                log_determinant = d * np.log(cholesky[k, 0, 0])
        constants[k] = offsets[k] + log_determinant
        square = fill_theta(kind, means[k], frame_cholesky[h], theta[k])
        theta[k, theta.shape[1] - 1] = constants[k] - 0.5 * square
        by_differences[k] = not (
            measure_expansion(kind, means[k], frame_cholesky[h]) < _LARGEST_EXPANSION
        )


@njit(error_model="numpy")
def fill_theta(kind, mean, cholesky, theta):
    """Write the coefficients of one component but the last; return mean' P mean."""
    d = mean.shape[0]
    q, square = 0, 0.0
    if kind in (FULL, TIED):
        precision = np.dot(cholesky, cholesky.T)
        if kind == FULL:
            for i in range(d):
                theta[q] = -0.5 * precision[i, i]
                for j in range(i + 1, d):
                    theta[q + j - i] = -precision[i, j]
                q += d - i
        for i in range(d):
            linear = 0.0
            for j in range(d):
                linear += precision[i, j] * mean[j]
            theta[q + i] = linear
            square += linear * mean[i]
        return square
    if kind == SPHERICAL:
        theta[0] = -0.5 * cholesky[0, 0] * cholesky[0, 0]
        q = 1
    for i in range(d):
        factor = cholesky[0, i if kind == DIAG else 0]
        precision_i = factor * factor
        if kind == DIAG:
            theta[i] = -0.5 * precision_i
        theta[(d if kind == DIAG else q) + i] = precision_i * mean[i]
        square += precision_i * mean[i] * mean[i]
    return square


@njit(error_model="numpy")
def measure_expansion(kind, mean, cholesky):
    """How many times larger than the result the terms of an expanded square get."""
    d = mean.shape[0]
    trace, distance = 0.0, 0.0
    for i in range(d):
        distance += mean[i] * mean[i]
    for i in range(cholesky.shape[0]):
        for j in range(cholesky.shape[1]):
            trace += cholesky[i, j] * cholesky[i, j]
    if kind == SPHERICAL:
        trace *= d
    return trace * (distance + d) / d


def maximise(statistics, floor, initial=False):
    """M-step: parameters of the largest expected log-likelihood.

    Parameters
    ----------
    statistics : SufficientStatistics
    floor : float
        Added to variances.
    initial : bool
        Whether weights are shares of the weight of the data, as scikit-learn has
        them at the start, rather than made to sum to 1.

    Returns
    -------
    parameters : Parameters

    Raises
    ------
    CollapseError
        If a covariance is not positive definite.
    """
    kind, (n_components, d) = statistics.kind, statistics.means.shape
    counts = np.empty(n_components)
    means = np.empty((n_components, d))
    covariances = create_scatters(kind, n_components, d)
    cholesky = np.zeros_like(covariances)
    failed = np.zeros(len(covariances), dtype=np.bool_)
    fill_maximum(
        kind, statistics.counts, statistics.means, statistics.scatters, float(floor),
        counts, means, covariances, cholesky, failed,
    )  # fmt: skip
    if failed.any():
        raise CollapseError(np.arange(n_components) if kind == TIED else np.flatnonzero(failed))
    weights = counts / (statistics.weight if initial else counts.sum())
    return Parameters(kind, weights, means, covariances, cholesky)


@njit(error_model="numpy")
def fill_maximum(
    kind, counts, means, scatters, floor, out_counts, out_means, covariances, cholesky, failed
):
    """Write counts, means, covariances and factors of the precisions."""
    n_components, d = means.shape
    is_matrix = kind in (FULL, TIED)
    total = 0.0
    for k in range(n_components):
        # As scikit-learn: a component without rows has mean zero, not NaN.
        out_counts[k] = counts[k] + _TINY
        total += out_counts[k]
        for i in range(d):
            out_means[k, i] = counts[k] * means[k, i] / out_counts[k]
    for h in range(scatters.shape[0]):
        divisor = total if kind == TIED else out_counts[h]
        if kind == SPHERICAL:
            divisor *= d
        for i in range(scatters.shape[1]):
            for j in range(scatters.shape[2]):
                covariances[h, i, j] = scatters[h, i, j] / divisor
            if is_matrix:
                covariances[h, i, i] += floor
        if not is_matrix:
            for j in range(scatters.shape[2]):
                covariances[h, 0, j] += floor
    invert_covariances(covariances, is_matrix, cholesky, failed)
