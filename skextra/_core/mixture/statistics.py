"""Sufficient statistics of a mixture: what one pass over data leaves behind."""

from dataclasses import dataclass

import numpy as np

from skextra._core.mixture.features import DIAG, FULL, SPHERICAL, TIED
from skextra._core.runtime.jit import njit


@dataclass
class SufficientStatistics:
    """Expected moments of each component, and the log-likelihood they were taken at.

    All that an M-step needs, whatever the number of rows: plain arrays, which can
    be pickled and sent. Statistics of two parts of the data add up to those of the
    whole, exactly but for rounding: scatters are about the means, and are merged
    as by Chan, Golub & LeVeque.

    Attributes
    ----------
    kind : int
    counts : ndarray of shape (n_components,)
        Sums of responsibilities times weights.
    means : ndarray of shape (n_components, n_features)
        Zero where the count is.
    scatters : ndarray of three axes, in the layout of `em_linalg`
        Weighted sums of squared differences from the means; one for all
        components for "tied", summed over features for "spherical".
    log_likelihood : float
        Weighted sum over the rows.
    weight : float
        Sum of the weights of the rows.

    References
    ----------
    Chan, Golub & LeVeque, "Algorithms for computing the sample variance: analysis
    and recommendations", The American Statistician 37 (1983).
    """

    kind: int
    counts: np.ndarray
    means: np.ndarray
    scatters: np.ndarray
    log_likelihood: float = 0.0
    weight: float = 0.0

    def __add__(self, other):
        counts = self.counts + other.counts
        safe = np.where(counts > 0, counts, 1.0)
        share = (other.counts / safe)[:, None]
        shift = other.means - self.means
        means = np.where(counts[:, None] > 0, self.means + share * shift, 0.0)
        between = (self.counts * other.counts / safe)[:, None] * shift
        scatters = self.scatters + other.scatters + compute_outer(self.kind, between, shift)
        return SufficientStatistics(
            self.kind,
            counts,
            means,
            scatters,
            self.log_likelihood + other.log_likelihood,
            self.weight + other.weight,
        )


def compute_outer(kind, first, second):
    """Products of the rows of two arrays, in the layout and sum of the scatters."""
    if kind == FULL:
        return first[:, :, None] * second[:, None, :]
    if kind == TIED:
        return (first.T @ second)[None]
    products = first * second
    return products[:, None, :] if kind == DIAG else products.sum(axis=1)[:, None, None]


def read_moments(kind, moments, pooled, total, prepared, frame):
    """Statistics in the coordinates of the data, from moments in those of a frame.

    Parameters
    ----------
    kind : int
    moments, pooled : ndarray
        As `Block.add_moments` leaves them.
    total : ndarray of shape (n_features, n_features)
        Of all rows, about the origin of the frame; read for "tied".
    prepared : Prepared
        What the moments were taken at.
    frame : Frame

    Returns
    -------
    statistics : SufficientStatistics
        Without log-likelihood and weight.
    """
    n_components, d = prepared.means.shape
    is_matrix = kind in (FULL, TIED)
    counts, offsets = moments[:, -1].copy(), np.empty((n_components, d))
    scatters = create_scatters(kind, n_components, d)
    if kind == TIED:
        scatters[0] = pooled if prepared.is_all_by_differences else total
    read_offsets(kind, moments, offsets, scatters)
    if prepared.components_by_differences:
        offsets[prepared.by_differences] += prepared.means[prepared.by_differences]
    if is_matrix:
        means = offsets @ frame.from_frame
        scatters = frame.from_frame.T @ scatters @ frame.from_frame
    else:
        means = offsets / frame.scale
        scatters /= (frame.scale if kind == DIAG else frame.scale[:1]) ** 2
    means += frame.center
    means[counts <= 0] = 0.0
    return SufficientStatistics(kind, counts, means, scatters)


@njit(error_model="numpy")
def read_offsets(kind, moments, offsets, scatters):
    """Write means and scatters about them, both in the frame, from packed moments."""
    n_components, d = offsets.shape
    p = moments.shape[1]
    for k in range(n_components):
        count = moments[k, p - 1]
        if not count > 0.0:
            for i in range(d):
                offsets[k, i] = 0.0
            continue
        q = 0
        for i in range(d):
            offsets[k, i] = moments[k, p - d - 1 + i] / count
        for i in range(d):
            if kind in (FULL, TIED):
                scatter = scatters[0 if kind == TIED else k]
                for j in range(i, d):
                    value = -count * offsets[k, i] * offsets[k, j]
                    if kind == FULL:
                        value += moments[k, q]
                        q += 1
                    scatter[i, j] += value
                    if j > i:
                        scatter[j, i] += value
            elif kind == DIAG:
                scatters[k, 0, i] = moments[k, i] - count * offsets[k, i] * offsets[k, i]
            else:
                if i == 0:
                    scatters[k, 0, 0] = moments[k, 0]
                scatters[k, 0, 0] -= count * offsets[k, i] * offsets[k, i]


def create_scatters(kind, n_components, d):
    """Zeros in the layout of the scatters and covariances."""
    shape = {
        FULL: (n_components, d, d),
        TIED: (1, d, d),
        DIAG: (n_components, 1, d),
        SPHERICAL: (n_components, 1, 1),
    }[kind]
    return np.zeros(shape)
