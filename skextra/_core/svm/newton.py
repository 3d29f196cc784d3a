"""Squared hinge with an L2 penalty: Newton's method with an exact line search.

The objective is quadratic as long as the same samples lie within the margin, so that
Newton's method ends after few steps. The system is solved by Cholesky's method where
features are few, by conjugate gradients else.

References
----------
Mangasarian, "A finite Newton method for classification", Optim. Methods Softw. 17 (2002).

Keerthi & DeCoste, "A modified finite Newton method for fast solution of large scale
linear SVMs", JMLR 6 (2005).
"""

import numpy as np
from scipy import sparse
from scipy.linalg import lapack

from skextra._core.runtime.jit import njit
from skextra._core.svm.hinge import (
    compute_loss,
    compute_null_objective,
    compute_squared_dual,
    find_squared_intercept,
)
from skextra._core.svm.result import LinearMachine

_FAST = {"contract", "reassoc", "nsz"}
_MANY_FEATURES = 1000
_BLOCK_VALUES = 1 << 18
_EPS = np.finfo(np.float64).eps


def solve(X, y, C, *, fit_intercept, tol, max_iter, start=None):
    """Minimise over coefficients and the intercept.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
    y, C : ndarray of shape (n_samples,)
    fit_intercept : bool
    tol : float
        Duality gap relative to the objective of the best constant.
    max_iter : int
        Newton steps at most.
    start : ndarray of shape (n_features,) or None

    Returns
    -------
    machine : LinearMachine
    """
    scale = compute_null_objective(y, C, True, fit_intercept)
    w = np.zeros(X.shape[1]) if start is None else start.copy()
    scores = np.asarray(X @ w, dtype=np.float64)
    b = find_squared_intercept(scores, y, C, 0.0) if fit_intercept else 0.0
    system = _choose_system(X, C, fit_intercept)
    floor = 0.0
    for n_iter in range(max_iter + 1):
        margins = y * (scores + b)
        dual = compute_squared_dual(margins, C)
        correlation = X.T @ (dual * y)
        loss = compute_loss(margins, C, True)
        # |w - correlation|^2 / 2, as the dual point is the derivative of the losses.
        residual = w - correlation
        gap = 0.5 * float(residual @ residual)
        if fit_intercept:
            # The dual point must be balanced; the best intercept makes it so.
            imbalance = abs(float(dual @ y))
            gap += imbalance * (1.0 + abs(b))
        objective = 0.5 * float(w @ w) + loss
        floor = 64 * _EPS * max(objective, _EPS * scale)
        if gap <= max(tol * scale, floor) or n_iter == max_iter:
            break
        step, step_b = system.solve(residual, float(dual @ y), margins < 1.0, gap / scale)
        change = X @ step
        length = search_line(w, step, margins, y * (change + step_b), C)
        if not length > 0:
            break
        w += length * step
        scores += length * change
        b += length * step_b
        if fit_intercept:
            b = find_squared_intercept(scores, y, C, b)
    converged = bool(gap <= max(tol * scale, floor))
    return LinearMachine(w, b, gap / scale if scale > 0 else gap, n_iter, converged)


@njit(fastmath=_FAST)
def search_line(w, step, margins, change, C):
    """Minimiser of the objective along a direction, a convex quadratic in pieces."""
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


def _choose_system(X, C, fit_intercept):
    n, d = X.shape
    if d <= _MANY_FEATURES and (not sparse.issparse(X) or X.nnz * 4 > n * d or d <= 100):
        return _DenseSystem(X, C, fit_intercept)
    return _IterativeSystem(X, C, fit_intercept)


class _DenseSystem:
    """Cholesky factors of the Hessian, whose samples come and go."""

    def __init__(self, X, C, fit_intercept):
        self.X, self.C, self.fit_intercept = X, C, fit_intercept
        d = X.shape[1]
        self.hessian = np.zeros((d + 1, d + 1))
        self.inside = np.zeros(len(C), dtype=bool)

    def solve(self, residual, imbalance, inside, gap):
        """Newton's direction from the gradient (residual, -imbalance)."""
        changed = np.flatnonzero(inside != self.inside)
        if len(changed) >= np.count_nonzero(inside):
            self.hessian[:] = 0.0
            changed = np.flatnonzero(inside)
        self._add(changed, np.where(inside[changed], 2.0, -2.0) * self.C[changed])
        self.inside = inside
        d = len(residual)
        system = self.hessian.copy()
        system[np.arange(d), np.arange(d)] += 1.0
        right = np.append(-residual, imbalance)
        # Without samples within the margin nothing holds the intercept.
        if not self.fit_intercept or not system[d, d] > 0:
            system, right = system[:d, :d], right[:d]
        solution = solve_definite(system, right)
        return solution[:d], (float(solution[d]) if len(solution) > d else 0.0)

    def _add(self, rows, weights):
        n_rows = max(_BLOCK_VALUES // self.X.shape[1], 64)
        for start in range(0, len(rows), n_rows):
            part = rows[start : start + n_rows]
            block = self.X[part]
            block = block.toarray() if sparse.issparse(block) else block
            block = np.column_stack([block.astype(np.float64, copy=False), np.ones(len(part))])
            self.hessian += block.T @ (block * weights[start : start + n_rows, None])


def solve_definite(system, right):
    """Solution of a symmetric positive definite system, damped if rounding makes it singular."""
    damping = 0.0
    for _ in range(12):
        factor, failed = lapack.dpotrf(system.T, lower=1, clean=0)
        if not failed:
            return lapack.dpotrs(factor, right, lower=1)[0]
        damping = max(100 * damping, 1e-14 * np.abs(system.diagonal()).max())
        system = system + damping * np.eye(len(system))
    return np.linalg.lstsq(system, right, rcond=None)[0]


class _IterativeSystem:
    """Conjugate gradients with products of the samples within the margin."""

    def __init__(self, X, C, fit_intercept):
        self.X, self.C, self.fit_intercept = X, C, fit_intercept

    def solve(self, residual, imbalance, inside, gap):
        """As `_DenseSystem.solve`, to an accuracy that grows as the gap falls."""
        rows = np.flatnonzero(inside)
        X, c = self.X[rows], 2.0 * self.C[rows]
        total = c.sum()
        centred = self.fit_intercept and total > 0
        Xt = X.T.tocsr() if sparse.issparse(X) else X.T
        mean = Xt @ c / total if centred else None

        def multiply(v):
            u = X @ v
            if centred:
                u -= mean @ v
            return v + Xt @ (c * u) - (mean * (c @ u) if centred else 0.0)

        right = -residual
        if centred:
            # The intercept's best answer to a step, eliminated.
            right = right - mean * imbalance
        step = _conjugate(multiply, right, min(0.1, np.sqrt(max(gap, 0.0))))
        return step, (imbalance / total - float(mean @ step) if centred else 0.0)


def _conjugate(multiply, right, accuracy):
    x, r = np.zeros_like(right), right.copy()
    p, rr = r.copy(), float(r @ r)
    limit = max(accuracy, 1e-10) ** 2 * rr
    for _ in range(1000):
        if rr <= limit or rr == 0:
            break
        Hp = multiply(p)
        alpha = rr / float(p @ Hp)
        x += alpha * p
        r -= alpha * Hp
        new = float(r @ r)
        p = r + (new / rr) * p
        rr = new
    return x
