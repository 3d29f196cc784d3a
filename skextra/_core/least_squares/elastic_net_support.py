"""Newton steps on the support of an elastic net, for problems on which sweeps are slow."""

import numpy as np

from skextra._core.least_squares import solver_choice
from skextra._core.least_squares.elastic_net_gram import solve_problem
from skextra._core.numerics.packed_columns import pack
from skextra._core.quadratic.projected_newton import update_by_newton

# Sweeps of a problem on the Gram matrix before all features are looked at again: where these
# are nearly collinear, what is missing may be what makes them so slow.
_SWEEPS_PER_VISIT = 200


class SupportGram:
    """Gram matrix of the features that have been in the support, kept from call to call.

    Parameters
    ----------
    design : Design
    y : ndarray of shape (n_samples,)
    b : ndarray of shape (n_features,)
        Products of the columns with y.

    Attributes
    ----------
    features : ndarray of int
        In the order of the Gram matrix; empty before the first solution.
    """

    def __init__(self, design, y, b):
        self.design, self.y, self.b = design, y, b
        self.yy = float(y @ y)
        self.features = np.empty(0, dtype=np.int64)
        self.columns = None
        self.gram = np.zeros((0, 0))

    def count_missing(self, w):
        """How many features of the support have no row in the Gram matrix yet."""
        known = np.count_nonzero(w[self.features])
        return np.count_nonzero(w) - known

    def solve(self, w, l1, l2, tol, sweeps, max_iter):
        """Solve with the features in the support of `w`, which is updated in place.

        Parameters
        ----------
        w, l1, l2 : ndarray of shape (n_features,)
        tol : float
            Absolute duality gap to reach among these features.
        sweeps : Sweeps
        max_iter : int

        Returns
        -------
        n_iter : int
        """
        self._cover(w)
        k = len(self.features)
        values, l1, l2 = w[self.features], l1[self.features], l2[self.features]
        gram, b = self.gram[:k, :k], self.b[self.features]
        c = b - gram @ values
        if solver_choice.sweeps_on_gram(k, self.columns.count_stored()):
            budget = min(max_iter, _SWEEPS_PER_VISIT)
            _, n_iter = solve_problem(self.gram, b, c, values, l1, l2, self.yy, tol, sweeps, budget)
        else:
            n_iter = update_by_newton(gram, b, c, values, l1, l2, min(max_iter, 10))
        w[self.features] = values
        return n_iter

    def _cover(self, w):
        """Keep the features of the support, and bring in those that are missing."""
        self._prune(w)
        missing = w != 0
        missing[self.features] = False
        features = np.flatnonzero(missing)
        if not len(features):
            return
        new = pack(self.design, features)
        k, m = len(self.features), len(features)
        if k + m > len(self.gram):
            gram = np.zeros((k + m + max(k // 2, 64),) * 2)
            gram[:k, :k] = self.gram[:k, :k]
            self.gram = gram
        if k == 0:
            self.columns = new
        else:
            self.columns.append(new)
        self.features = np.concatenate([self.features, features])
        cross = new.compute_gram(self.columns)
        self.gram[k : k + m, : k + m] = cross
        self.gram[: k + m, k : k + m] = cross.T

    def _prune(self, w):
        """Forget features whose coefficients have become zero, once they are many."""
        positions = np.flatnonzero(w[self.features])
        k = len(positions)
        if len(self.features) <= 1.25 * k + 40:
            return
        self.gram[:k, :k] = self.gram[np.ix_(positions, positions)]
        self.columns.keep(positions)
        self.features = self.features[positions]
