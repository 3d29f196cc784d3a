"""Conditional quantiles from the training targets in the leaves (Meinshausen 2006)."""

import numpy as np

from skextra._core.runtime.jit import njit


@njit(error_model="numpy")
def _fill_quantiles(leaves, starts, members, shares, targets, quantiles, out):
    """Quantiles of the mean over trees of the leaves' distributions, a row at a time."""
    n_rows, n_trees = leaves.shape
    n = len(targets)
    mass = np.zeros(n)
    for row in range(n_rows):
        for t in range(n_trees):
            first = t * n
            leaf = leaves[row, t]
            for p in range(first + starts[t, leaf], first + starts[t, leaf + 1]):
                mass[members[p]] += shares[p]
        reached, q = 0.0, 0
        total = mass.sum()
        last = 0
        for i in range(n):
            if mass[i] > 0.0:
                reached += mass[i]
                last = i
                while q < len(quantiles) and reached >= quantiles[q] * total * (1.0 - 1e-12):
                    out[row, q] = targets[i]
                    q += 1
                mass[i] = 0.0
        while q < len(quantiles):
            out[row, q] = targets[last]
            q += 1


class LeafTargets:
    """Training targets by leaf, in the order of their size.

    Parameters
    ----------
    leaves : ndarray of int32 of shape (n_samples, n_trees)
        Leaf of each training row in each tree.
    weights : list of ndarray of shape (n_samples,) or None
        Each tree's weights of the rows; None for weights of 1.
    y : ndarray of float64 of shape (n_samples,)

    Notes
    -----
    Twelve bytes per row and tree, for as long as it lives.
    """

    def __init__(self, leaves, weights, y):
        n, n_trees = leaves.shape
        order = np.argsort(y, kind="stable")
        self.targets = y[order]
        largest = int(leaves.max()) + 2
        self.starts = np.zeros((n_trees, largest), np.int64)
        self.members = np.empty(n * n_trees, np.int32)
        self.shares = np.empty(n * n_trees)
        for t in range(n_trees):
            own = leaves[order, t]
            by_leaf = np.argsort(own, kind="stable")
            counts = np.bincount(own, minlength=largest - 1)
            np.cumsum(counts, out=self.starts[t, 1:])
            row_weights = np.ones(n) if weights[t] is None else weights[t][order]
            totals = np.bincount(own, row_weights, minlength=largest - 1)
            part = slice(t * n, (t + 1) * n)
            self.members[part] = by_leaf
            # A leaf whose rows all have weight 0 says nothing.
            share = row_weights / np.where(totals > 0, totals, 1.0)[own]
            self.shares[part] = share[by_leaf]

    def compute_quantiles(self, leaves, quantiles):
        """Quantiles for rows that fall into `leaves`, of shape (n_rows, n_trees).

        Parameters
        ----------
        leaves : ndarray of int32 of shape (n_rows, n_trees)
        quantiles : ndarray of float64 of shape (n_quantiles,)
            Ascending.

        Returns
        -------
        out : ndarray of float64 of shape (n_rows, n_quantiles)
        """
        out = np.empty((len(leaves), len(quantiles)))
        _fill_quantiles(
            leaves, self.starts, self.members, self.shares, self.targets, quantiles, out
        )
        return out
