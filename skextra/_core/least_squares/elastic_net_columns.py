"""Elastic net on packed columns: coordinate descent that looks at its gap when that is due."""

import numpy as np

from skextra._core.least_squares.gap import compute_elastic_net_gap
from skextra._core.quadratic.column_sweeps import descend_columns

# Sweeps between two certificates at most. A certificate costs about half a sweep over all
# columns, and lets in those that have been left out since the last one.
_SWEEPS_PER_LOOK = 12
# Sweeps among the same columns are over once one gains this share of what the first did.
_GAIN_SHARE = 0.02
# A gap is expected to be this many times what the last sweep gained, until one has been seen.
_FIRST_RATIO = 4.0
# Of the tolerance that the expected gap is to reach.
_AIM = 0.7


class ColumnDescent:
    """Coordinate descent on packed columns, which can be stopped and continued.

    Parameters
    ----------
    columns : DenseColumns, CenteredColumns or SparseColumns
    norms : ndarray of shape (k,)
        Their squared lengths.
    y : ndarray of shape (n_samples,)
        Free of the nuisance directions.
    w : ndarray of shape (k,)
        Coefficients to start from; updated in place.
    l1, l2 : ndarray of shape (k,)
        Penalties.
    sweeps : Sweeps

    Attributes
    ----------
    c : ndarray of shape (k,)
        Correlations of the columns with the residual, as of the last gap.
    gap : float
    n_iter : int
        Sweeps taken.
    """

    def __init__(self, columns, norms, y, w, l1, l2, sweeps):
        self.columns, self.norms, self.y, self.w, self.l1, self.l2 = columns, norms, y, w, l1, l2
        self.sweeps = sweeps
        self.n_iter = 0
        self.restart()

    def restart(self):
        """Take the coefficients as they are now."""
        self.parts = self.columns.start_residual(self.y, self.w)
        self.ratio = _FIRST_RATIO
        self._look()

    def _look(self):
        self.c = self.columns.correlate_parts(*self.parts)
        yr = float(self.y @ self.parts[0])
        self.gap = compute_elastic_net_gap(
            self.w, self.c, self.l1, self.l2, yr, self.sweeps.positive, 0.0, 0.0
        )

    def solve(self, tol, max_iter):
        """Sweep until the gap is at most `tol`, or `max_iter` times.

        Returns
        -------
        done : bool
            Whether it is, or rounding prevents progress.
        """
        limit = self.n_iter + max_iter
        arrays = self.columns.as_arrays()
        while self.gap > tol:
            if self.n_iter >= limit:
                return False
            magnitude = self.c if self.sweeps.positive else np.abs(self.c)
            members = np.flatnonzero((self.w != 0) | (magnitude > self.l1))
            n_sweeps, gain, self.sweeps.state = descend_columns(
                *arrays, self.norms, *self.parts, self.w, self.l1, self.l2, members,
                self.sweeps.positive, self.sweeps.random, self.sweeps.state,
                min(_SWEEPS_PER_LOOK, limit - self.n_iter), _AIM * tol / self.ratio, _GAIN_SHARE,
            )  # fmt: skip
            self.n_iter += n_sweeps
            self._look()
            if gain > 0.0:
                # What is asked of the next sweeps follows from what the last ones showed.
                self.ratio = max(self.gap / gain, 1.0)
            elif n_sweeps == 1:
                # Not even the columns that were let in could move.
                return True
        return True

    def is_support_solved(self, tol):
        """Whether the gap would be small without the columns whose coefficients are zero."""
        s = np.flatnonzero(self.w)
        yr = float(self.y @ self.parts[0])
        args = self.w[s], self.c[s], self.l1[s], self.l2[s], yr, self.sweeps.positive
        return compute_elastic_net_gap(*args, 0.0, 0.0) <= tol
