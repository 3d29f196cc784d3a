"""What ends the solution of a penalized logistic regression, and what it leaves behind."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class StoppingCriterion(NamedTuple):
    """When to stop.

    Attributes
    ----------
    gap : float
        Absolute duality gap to reach.
    max_change : float
        Change of a decision value in the last step that is small: where steps cost next to
        nothing more of them are taken until one is, and a step of an unpenalized model that
        is certified but longer shows that there is no solution.
    """

    gap: float
    max_change: float = np.inf


@dataclass
class Solution:
    """Coefficients of one penalty and their certificate, in the solvers' units.

    Attributes
    ----------
    W : ndarray of shape (n_penalized, n_rows)
    V : ndarray of shape (n_nuisance, n_rows)
    gap : float
        Absolute, as the solver knows it.
    n_iter : int
    converged : bool
        Whether that gap is small enough.
    U : ndarray of shape (n_rows, n_samples) or None
        Probabilities that make the dual point behind `gap`; None is those of the model.
    is_separable : bool
        Whether no minimum exists: along some direction no sample's loss rises.
    """

    W: np.ndarray
    V: np.ndarray
    gap: float
    n_iter: int
    converged: bool
    U: np.ndarray | None = None
    is_separable: bool = False
