"""What a linear support vector machine between two classes found."""

from dataclasses import dataclass

import numpy as np


@dataclass
class LinearMachine:
    """Result of a solver.

    Attributes
    ----------
    coef : ndarray of shape (n_features,)
    intercept : float
    gap : float
        Duality gap over the objective of the best constant.
    n_iter : int
    converged : bool
    """

    coef: np.ndarray
    intercept: float
    gap: float
    n_iter: int
    converged: bool
