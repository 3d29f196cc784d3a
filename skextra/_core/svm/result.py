"""Results of the solvers of support vector machines."""

from dataclasses import dataclass

import numpy as np


@dataclass
class LinearSVMResult:
    """A linear support vector machine between two classes.

    Attributes
    ----------
    coef : ndarray of shape (n_features,)
    intercept : float
    gap : float
        Duality gap relative to the objective of the best constant.
    n_iter : int
    converged : bool
    dual : ndarray of shape (n_samples,) or None
        A point close to the solution of the dual problem.
    """

    coef: np.ndarray
    intercept: float
    gap: float
    n_iter: int
    converged: bool
    dual: np.ndarray | None = None


@dataclass
class MultiClassSVMResult:
    """A linear support vector machine that separates all classes at once.

    Attributes
    ----------
    coef : ndarray of shape (n_classes, n_features)
    intercept : ndarray of shape (n_classes,)
    gap, n_iter, converged
        As of `LinearSVMResult`.
    """

    coef: np.ndarray
    intercept: np.ndarray
    gap: float
    n_iter: int
    converged: bool


@dataclass
class BinarySVMResult:
    """A support vector machine between two classes, in the function space of a kernel.

    Attributes
    ----------
    alpha : ndarray of shape (n_samples,)
        Dual variables, between 0 and C.
    intercept : float
    gap : float
        Duality gap relative to the primal objective of the best constant.
    n_iter : int
        Pairs of dual variables solved for.
    converged : bool
    """

    alpha: np.ndarray
    intercept: float
    gap: float
    n_iter: int
    converged: bool
