"""Leave-one-out errors of ridge regression, block by block.

A block is seen centered by the means of all data and without their unpenalized directions, and
the eigenvectors are those of all data: the errors of its rows then follow as in memory.
"""

from dataclasses import dataclass

import numpy as np

from skextra._core.least_squares.factor_fits import build_ridge_problem
from skextra._core.least_squares.problem import Problem
from skextra._core.least_squares.ridge_leave_one_out import LooTotals, TallLoo
from skextra._core.numerics import full_data
from skextra._core.numerics.design_matrix import Design


@dataclass
class Losses:
    """Sums of leave-one-out losses, and of their squares.

    Attributes
    ----------
    losses, squared_losses : ndarray of shape (n_alphas,) or (n_alphas, n_targets)
    """

    losses: np.ndarray
    squared_losses: np.ndarray

    def __add__(self, other):
        """Sums over the rows of both."""
        return Losses(self.losses + other.losses, self.squared_losses + other.squared_losses)


class BlockLoo(TallLoo):
    """Leave-one-out of the rows of one block at a time.

    Parameters
    ----------
    factor : Factor
        Of all data, about zero for models without an intercept.
    n_features : int
    penalty_weights : ndarray of shape (n_features,) or None
    fit_intercept : bool
    """

    def __init__(self, factor, n_features, penalty_weights, fit_intercept):
        # Singular values of so few rows cost nothing.
        problem = build_ridge_problem(factor, n_features, penalty_weights)
        super().__init__(problem, use_svd=True)
        self.mean, self.weight = factor.mean, factor.weight
        self.fit_intercept = fit_intercept
        self.total = self.problem

    def sum_losses(self, X, Y, sample_weight, alphas, spread, per_target):
        """Losses of the rows of a block.

        Parameters
        ----------
        X : ndarray or CSR of shape (n_samples, n_features)
        Y : ndarray of shape (n_samples, n_targets) and float64
        sample_weight : ndarray of shape (n_samples,) or None
        alphas : ndarray of shape (n_alphas,)
        spread, per_target : bool
            As in :class:`LooTotals`.

        Returns
        -------
        losses : Losses
        """
        total, p = self.total, X.shape[1]
        penalized = slice(None) if total.penalized is None else total.penalized
        design = Design(
            X[:, penalized], sample_weight, self.fit_intercept, total.design.scale, np.float64
        )
        design._mean = self.mean[:p][penalized]
        design.total_weight = self.weight
        Y = Y - self.mean[p:]
        if total.free_transform is not None:
            free, shift = X[:, total.free], self.mean[:p][total.free]
            free = free if design.is_sparse else np.asfortranarray(free)
            design.rows = full_data.multiply(free, total.free_transform, shift)
            design.projection = total.design.projection
            Y = Y - design.rows @ total.free_cross
        self.problem = Problem(design, Y, self.mean[p:], total.null_objective, p)
        totals = LooTotals(
            *Y.shape, len(alphas), sample_weight, store=False, spread=spread, per_target=per_target
        )
        self.accumulate(alphas, totals)
        self.problem = total
        return Losses(totals.losses, totals.squared_losses)
