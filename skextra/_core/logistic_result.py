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
