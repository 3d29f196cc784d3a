"""What ends the solution of a penalised logistic regression, and what it leaves behind."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class Target(NamedTuple):
    """When to stop.

    Attributes
    ----------
    gap : float
        Absolute duality gap to reach.
    reach : float
        Largest move of a decision value in the last step.
    settled : float
        Absolute gap that settles what moves there have been.
    """

    gap: float
    reach: float = np.inf
    settled: float = 0.0

    def is_met(self, gap, moved):
        """Whether a gap, and how far the last step moved a decision value, may end it."""
        is_settled = moved <= self.reach or gap <= self.settled
        return gap <= self.gap and is_settled


@dataclass
class Solution:
    """Coefficients of one penalty and their certificate.

    Attributes
    ----------
    W : ndarray of shape (n_penalised, n_rows)
    V : ndarray of shape (n_nuisance, n_rows)
    gap : float
        Absolute.
    n_iter : int
        Newton steps.
    converged : bool
    """

    W: np.ndarray
    V: np.ndarray
    gap: float
    n_iter: int
    converged: bool
