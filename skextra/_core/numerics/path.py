"""Solutions along a sequence of penalties, whatever the loss."""

from dataclasses import dataclass

import numpy as np


@dataclass
class Path:
    """Solutions for each target and penalty.

    Attributes
    ----------
    coefs : ndarray of shape (n_targets, n_alphas, n_features)
    intercepts : ndarray of shape (n_targets, n_alphas)
    gaps : ndarray of shape (n_targets, n_alphas)
        Duality gaps relative to the objective of the null model.
    n_iters : ndarray of int of shape (n_targets, n_alphas)
    converged : ndarray of bool of shape (n_targets, n_alphas)
    solver : str
        Algorithm that found the last solution, where there is a choice.
    null_objective : float
        Of all targets together, where they are solved jointly.
    """

    coefs: np.ndarray
    intercepts: np.ndarray
    gaps: np.ndarray
    n_iters: np.ndarray
    converged: np.ndarray
    solver: str = ""
    null_objective: float = 0.0

    @classmethod
    def allocate(cls, n_targets, n_alphas, n_features):
        """Zeros, gaps of zero, and everything converged."""
        shape = (n_targets, n_alphas)
        return cls(
            np.zeros((*shape, n_features)),
            np.zeros(shape),
            np.zeros(shape),
            np.zeros(shape, dtype=np.int64),
            np.ones(shape, dtype=bool),
        )
