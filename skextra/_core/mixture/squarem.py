"""SQUAREM: squared extrapolation of EM, in unconstrained coordinates.

References
----------
Varadhan & Roland, "Simple and globally convergent methods for accelerating the
convergence of any EM algorithm", Scandinavian Journal of Statistics 35 (2008),
scheme S3.
"""

import numpy as np

from skextra._core.mixture.blocks import list_pairs
from skextra._core.mixture.covariances import invert_precision_cholesky
from skextra._core.mixture.parameters import Parameters


class Squarem:
    """Proposes parameters ahead of the path of EM.

    The coordinates are log-weights, means and logarithmic Cholesky factors of the
    precisions, in the frame of the data: whatever they are moved to is a mixture,
    and the length of a step does not depend on the units.

    Parameters
    ----------
    frame : Frame
    with_covariances : bool
        Whether proposals need them.

    References
    ----------
    Varadhan & Roland (2008), as in the module.
    """

    def __init__(self, frame, with_covariances=True):
        self.frame, self.with_covariances = frame, with_covariances
        self.longest = 4.0

    def propose(self, first, second, third):
        """Parameters extrapolated from three successive ones, or None.

        Parameters
        ----------
        first, second, third : Parameters
            Each the EM step of the one before.
        """
        with np.errstate(all="ignore"):
            start, middle, end = self._flatten((first, second, third))
            step = middle - start
            curvature = (end - middle) - step
            length = np.sqrt(np.dot(step, step) / np.dot(curvature, curvature))
        if not length > 1.0:  # no further than EM itself went; NaN where a weight is zero
            return None
        if length >= self.longest:
            length, self.longest = self.longest, 4.0 * self.longest
        proposal = start + 2.0 * length * step + length**2 * curvature
        with np.errstate(all="ignore"):
            return self._restore(proposal, third)

    def reject(self):
        """Take note that the last proposal had a lower likelihood."""
        self.longest = max(2.0, self.longest / 4.0)

    def _flatten(self, points):
        frame, like = self.frame, points[0]
        weights = np.log(np.array([point.weights for point in points]))
        means = np.array([point.means for point in points]) - frame.center
        factors = np.array([point.cholesky for point in points])
        if like.is_matrix:
            means = means @ frame.to_frame
            factors = frame.from_frame @ factors
            diagonal = np.einsum("...ii->...i", factors)
            np.log(diagonal, out=diagonal)
            factors = factors[:, :, *list_pairs(factors.shape[-1])]
        else:
            means, factors = means * frame.scale, np.log(factors)
        n = len(points)
        return np.hstack([weights, means.reshape(n, -1), factors.reshape(n, -1)])

    def _restore(self, vector, like):
        frame = self.frame
        n_components, d = like.means.shape
        weights = np.exp(vector[:n_components] - vector[:n_components].max())
        means = vector[n_components : n_components * (d + 1)].reshape(n_components, d)
        factors = vector[n_components * (d + 1) :]
        if like.is_matrix:
            means = means @ frame.from_frame
            cholesky = np.zeros_like(like.cholesky)
            cholesky[:, *list_pairs(d)] = factors.reshape(len(cholesky), -1)
            diagonal = np.einsum("kii->ki", cholesky)
            np.exp(diagonal, out=diagonal)
            cholesky = frame.to_frame @ cholesky
            positive = np.einsum("kii->ki", cholesky)
        else:
            means = means / frame.scale
            cholesky = positive = np.exp(factors.reshape(like.cholesky.shape))
        if not (np.isfinite(cholesky).all() and (positive > 0).all() and np.isfinite(means).all()):
            return None
        covariances = None
        if self.with_covariances:
            covariances = invert_precision_cholesky(cholesky, like.is_matrix)
        return Parameters(
            like.kind, weights / weights.sum(), means + frame.center, covariances, cholesky
        )
