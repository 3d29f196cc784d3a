"""Squared hinge with an L2 penalty and many features: Newton's method, inexactly.

Newton's system is solved by conjugate gradients, preconditioned with its diagonal, so that
features of different units converge alike; then follows an exact line search. The objective
is quadratic as long as the same samples lie within the margin.

References
----------
Keerthi & DeCoste, "A modified finite Newton method for fast solution of large scale
linear SVMs", JMLR 6 (2005).
"""

import numpy as np
from scipy import sparse

from skextra._core.runtime.jit import njit
from skextra._core.svm.hinge import compute_loss, compute_squared_dual, find_squared_intercept

_FAST = {"contract", "reassoc", "nsz"}
_EPS = np.finfo(np.float64).eps
_MOST_CG_STEPS = 1000  # of one Newton step; more of them hardly ever pay


def solve(problem, tol, max_iter, start=None):
    """Minimize over coefficients and the intercept.

    Parameters
    ----------
    problem : LinearProblem
        Of the squared hinge.
    tol : float
        Duality gap relative to the objective of the best constant.
    max_iter : int
        Newton steps at most.
    start : ndarray of shape (n_features,) or None

    Returns
    -------
    coef : ndarray of shape (n_features,)
    intercept : float
    n_iter : int
    """
    X, y, C = problem.X, problem.y, problem.C
    w = np.zeros(X.shape[1]) if start is None else start.copy()
    scores = np.asarray(X @ w, dtype=np.float64)
    b = find_squared_intercept(scores, y, C, 0.0) if problem.fit_intercept else 0.0
    system = _NewtonSystem(problem)
    aim = tol * problem.scale
    for n_iter in range(max_iter + 1):
        margins = y * (scores + b)
        dual = compute_squared_dual(margins, C)
        # |w - X'(a y)|^2 / 2 is the gap, as the dual point is the derivative of the losses.
        residual = w - X.T @ (dual * y)
        gap = 0.5 * float(residual @ residual)
        imbalance = 0.0
        if problem.fit_intercept:
            # The dual point must be balanced; the best intercept makes it so.
            imbalance = float(dual @ y)
            gap += abs(imbalance) * (1.0 + abs(b))
        objective = 0.5 * float(w @ w) + compute_loss(margins, C, True)
        if gap <= max(aim, 64 * _EPS * objective) or n_iter == max_iter:
            break
        accuracy = min(0.1, np.sqrt(gap / problem.scale))
        step, step_b = system.solve(residual, imbalance, margins < 1.0, accuracy)
        change = X @ step
        length = search_line(w, step, margins, y * (change + step_b), C)
        if not length > 0:
            break
        w += length * step
        scores += length * change
        b += length * step_b
        if problem.fit_intercept:
            b = find_squared_intercept(scores, y, C, b)
    return w, b, n_iter


@njit(fastmath=_FAST)
def search_line(w, step, margins, change, C):
    """Minimizer of the objective along a direction, a convex quadratic in pieces."""
    slope_w, curve_w = 0.0, 0.0
    for j in range(w.shape[0]):
        slope_w += w[j] * step[j]
        curve_w += step[j] * step[j]
    low, high, t = 0.0, np.inf, 1.0
    for _ in range(60):
        slope, curvature = slope_w + t * curve_w, curve_w
        for i in range(margins.shape[0]):
            missed = 1.0 - margins[i] - t * change[i]
            if missed > 0.0:
                pull = 2.0 * C[i] * change[i]
                slope -= pull * missed
                curvature += pull * change[i]
        if slope < 0.0:
            low = t
        else:
            high = t
        if not curvature > 0.0:
            return t
        new = t - slope / curvature
        if not low <= new <= high:
            new = 0.5 * (low + min(high, 2.0 * t + 1.0))
        if abs(new - t) <= 1e-12 * t:
            return new
        t = new
    return t


class _NewtonSystem:
    """Newton's equations, by products with the samples within the margin."""

    def __init__(self, problem):
        self.problem = problem
        self.squares = _square(problem.X)

    def solve(self, residual, imbalance, inside, accuracy):
        """Newton's direction from the gradient (residual, -imbalance)."""
        rows = np.flatnonzero(inside)
        X, c = self.problem.X[rows], 2.0 * self.problem.C[rows]
        total = c.sum()
        has_intercept = self.problem.fit_intercept and total > 0
        Xt = X.T.tocsr() if sparse.issparse(X) else X.T
        mean = Xt @ c / total if has_intercept else None
        diagonal = 1.0 + np.asarray(self.squares[rows].T @ c).ravel()

        def multiply(v):
            u = X @ v
            if has_intercept:
                u -= mean @ v
            return v + Xt @ (c * u) - (mean * (c @ u) if has_intercept else 0.0)

        right = -residual
        if has_intercept:
            # The intercept's best answer to a step, eliminated.
            right = right - mean * imbalance
            diagonal = np.maximum(diagonal - total * mean * mean, 1.0)
        step = _solve_by_conjugate_gradients(multiply, right, diagonal, accuracy)
        return step, (imbalance / total - float(mean @ step) if has_intercept else 0.0)


def _square(X):
    return X.multiply(X).tocsr() if sparse.issparse(X) else X * X


def _solve_by_conjugate_gradients(multiply, right, diagonal, accuracy):
    """Solution to a relative `accuracy` of the residual in the preconditioner's norm."""
    x, r = np.zeros_like(right), right.copy()
    z = r / diagonal
    p, rz = z.copy(), float(r @ z)
    limit = max(accuracy, 1e-10) ** 2 * rz
    for _ in range(_MOST_CG_STEPS):
        if not rz > limit:
            break
        Hp = multiply(p)
        alpha = rz / float(p @ Hp)
        x += alpha * p
        r -= alpha * Hp
        z = r / diagonal
        new = float(r @ z)
        p = z + (new / rz) * p
        rz = new
    return x
