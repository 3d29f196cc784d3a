"""Curvature of the logistic loss at given probabilities, the intercept eliminated.

With H the Hessian of the loss with respect to decision values and 1 the direction of an
intercept, the curvature that is left once every step comes with its best intercept is
``H - H 1 (1' H 1)^-1 1' H``.
"""

import numpy as np

from skextra._core.logistic.newton_system import NuisanceBlock


class Curvature:
    """Products with H at probabilities `P`.

    Parameters
    ----------
    loss : LogLoss
    P : ndarray of shape (n_rows, n_samples)
    ones : ndarray of shape (1 or 0, n_samples)
        A row of ones if there is an intercept.
    """

    def __init__(self, loss, P, ones):
        self.loss, self.P, self.ones = loss, P, ones
        self.weighted = loss.weights * P
        self.is_binary = len(P) == 1
        self.h = self.weighted * (1.0 - P) if self.is_binary else None
        self.block = NuisanceBlock(ones, P, self.weighted, self.h)

    def solve_intercept(self, T):
        """Intercepts (n_rows, 1 or 0) whose curvature has the sums of `T`."""
        return self.block.solve(T)

    def shift(self, b):
        """Decision values of intercepts `b`."""
        return b @ self.ones if len(self.ones) else 0.0

    def multiply(self, F):
        """``H F``."""
        if self.is_binary:
            return self.h * F
        return self.weighted * (F - np.einsum("kn,kn->n", self.P, F))

    def multiply_projected(self, F):
        """H times F with its best intercept."""
        if not len(self.ones):
            return self.multiply(F)
        return self.multiply(F - self.shift(self.solve_intercept(self.multiply(F))))
