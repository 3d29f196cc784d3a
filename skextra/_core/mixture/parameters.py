"""Parameters of a mixture, and what the kernels need of them."""

from dataclasses import dataclass

import numpy as np

from skextra._core.mixture.covariances import invert_covariances
from skextra._core.mixture.features import FULL, SPHERICAL, TIED, count_features
from skextra._core.runtime.jit import njit

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
        return np.repeat(traces, len(self.weights)) if self.kind == TIED else traces


@dataclass(frozen=True)
class Prepared:
    """Parameters in the coordinates of a frame, as blocks of rows want them.

    Attributes
    ----------
    theta : ndarray of shape (n_components, n_features)
        Coefficients of the log-density in the features of a row.
    constants : ndarray of shape (n_components,)
        Log-density at the mean, weighted.
    means, cholesky : ndarray
    by_differences : ndarray of bool of shape (n_components,)
        Components that an expanded square would lose digits of.
    is_all_by_differences : bool
    components_by_differences : list of int
    """

    theta: np.ndarray
    constants: np.ndarray
    means: np.ndarray
    cholesky: np.ndarray
    by_differences: np.ndarray
    is_all_by_differences: bool
    components_by_differences: list


def prepare(parameters, frame, penalties=None):
    """Write parameters in the coordinates of a frame.

    Parameters
    ----------
    parameters : Parameters
    frame : Frame
    penalties : ndarray of shape (n_components,) or None
        Subtracted from the log-densities of the components.
    """
    kind, cholesky = parameters.kind, parameters.cholesky
    n_components, d = parameters.means.shape
    with np.errstate(divide="ignore"):
        constants = np.log(parameters.weights)
    constants -= 0.5 * d * np.log(2 * np.pi)
    if penalties is not None:
        constants -= penalties
    p = count_features(kind, d)
    means = parameters.means - frame.center
    if parameters.is_matrix:
        means, in_frame = means @ frame.to_frame, frame.from_frame @ cholesky
        precisions = in_frame @ in_frame.swapaxes(1, 2)
    else:
        means = means * frame.scale
        in_frame = cholesky / (frame.scale[:1] if kind == SPHERICAL else frame.scale)
        precisions = in_frame * in_frame
    theta, by_differences = np.zeros((n_components, p)), np.empty(n_components, dtype=np.bool_)
    n_marked = fill_theta(kind, cholesky, precisions, means, constants, theta, by_differences)
    if p > _MOST_FEATURES or (kind == TIED and n_marked):
        by_differences[:] = True
        n_marked = n_components
    marked = np.flatnonzero(by_differences).tolist() if n_marked else []
    is_all = n_marked == n_components
    return Prepared(theta, constants, means, in_frame, by_differences, is_all, marked)


@njit(error_model="numpy")
def fill_theta(kind, cholesky, precisions, means, constants, theta, by_differences):
    """Write theta and which components go by differences, and complete the constants.

    Parameters
    ----------
    kind : int
    cholesky : ndarray of three axes
        Factors of the precisions, in the coordinates of the data.
    precisions, means : ndarray
        In the frame.
    constants : ndarray of shape (n_components,)
        Overwritten; all but the determinants on entry.
    theta : ndarray of shape (n_components, n_features)
        Overwritten.
    by_differences : ndarray of bool of shape (n_components,)
        Overwritten.

    Returns
    -------
    n_marked : int
        Number of components by differences.
    """
    n_components, d = means.shape
    is_matrix, first, n_marked = kind in (FULL, TIED), theta.shape[1] - 1 - d, 0
    for k in range(n_components):
        factor, precision = cholesky[k % len(cholesky)], precisions[k % len(cholesky)]
        trace, distance, square, log_determinant, q = 0.0, 0.0, 0.0, 0.0, 0
        for i in range(d):
            linear = 0.0
            if is_matrix:
                diagonal, root = precision[i, i], factor[i, i]
                for j in range(d):
                    linear += precision[i, j] * means[k, j]
                if kind == FULL:
                    theta[k, q] = -0.5 * diagonal
                    for j in range(i + 1, d):
                        theta[k, q + j - i] = -precision[i, j]
                    q += d - i
            else:
                h = i % precision.shape[1]
                diagonal, root = precision[0, h], factor[0, h]
                linear = diagonal * means[k, i]
                theta[k, h] = -0.5 * diagonal
            theta[k, first + i] = linear
            trace += diagonal
            square += linear * means[k, i]
            distance += means[k, i] * means[k, i]
            log_determinant += np.log(root)
        constants[k] += log_determinant
        theta[k, first + d] = constants[k] - 0.5 * square
        # How many times larger than the result the terms of an expanded square get.
        by_differences[k] = not (trace * (distance + d) / d < _LARGEST_EXPANSION)
        n_marked += by_differences[k]
    return n_marked


def maximize(statistics, floor, initial=False):
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
    covariances, cholesky = np.empty((2, *statistics.scatters.shape))
    failed = np.empty(len(covariances), dtype=np.bool_)
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
