"""SQUAREM: squared extrapolation of EM, in unconstrained coordinates.

References
----------
Varadhan & Roland, "Simple and globally convergent methods for accelerating the
convergence of any EM algorithm", Scandinavian Journal of Statistics 35 (2008),
scheme S3.
"""

import numpy as np

from skextra._core.em_linalg import invert_precision_cholesky
from skextra._core.em_parameters import Parameters


class Squarem:
    """Proposes parameters ahead of the path of EM.

    The coordinates are log-weights, means and logarithmic Cholesky factors of the
    precisions, in the frame of the data: whatever they are moved to is a mixture,
    and the length of a step does not depend on the units.

    Parameters
    ----------
    frame : Frame

    References
    ----------
    Varadhan & Roland (2008), as in the module.
    """

    def __init__(self, frame):
        self.frame = frame
        self.longest = 4.0

    def propose(self, first, second, third):
        """Parameters extrapolated from three successive ones, or None.

        Parameters
        ----------
        first, second, third : Parameters
            Each the EM step of the one before.
        """
        start, middle, end = (self._flatten(each) for each in (first, second, third))
        step = middle - start
        curvature = (end - middle) - step
        with np.errstate(all="ignore"):
            length = np.linalg.norm(step) / np.linalg.norm(curvature)
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

    def _flatten(self, parameters):
        frame, cholesky = self.frame, parameters.cholesky
        with np.errstate(divide="ignore"):
            weights = np.log(parameters.weights)
        means = parameters.means - frame.center
        if parameters.is_matrix:
            means = means @ frame.to_frame
            factors = frame.from_frame @ cholesky
            diagonal = np.einsum("kii->ki", factors)
            diagonal[:] = np.log(diagonal)
            upper = np.triu_indices(factors.shape[1])
            factors = factors[:, upper[0], upper[1]]
        else:
            means, factors = means * frame.scale, np.log(cholesky)
        return np.concatenate([weights, means.ravel(), factors.ravel()])

    def _restore(self, vector, like):
        frame = self.frame
        n_components, d = like.means.shape
        weights = np.exp(vector[:n_components] - vector[:n_components].max())
        means, factors = np.split(vector[n_components:], [n_components * d])
        means = means.reshape(n_components, d)
        if like.is_matrix:
            means = means @ frame.from_frame
            cholesky = np.zeros_like(like.cholesky)
            upper = np.triu_indices(d)
            cholesky[:, upper[0], upper[1]] = factors.reshape(len(cholesky), -1)
            diagonal = np.einsum("kii->ki", cholesky)
            diagonal[:] = np.exp(diagonal)
            cholesky = frame.to_frame @ cholesky
            positive = np.einsum("kii->ki", cholesky)
        else:
            means = means / frame.scale
            cholesky = positive = np.exp(factors.reshape(like.cholesky.shape))
        if not (np.isfinite(cholesky).all() and (positive > 0).all() and np.isfinite(means).all()):
            return None
        covariances = invert_precision_cholesky(cholesky, like.is_matrix)
        return Parameters(
            like.kind, weights / weights.sum(), means + frame.center, covariances, cholesky
        )
