"""Projected Newton steps for the elastic net on a Gram matrix.

Coordinate descent finds the support quickly and the values slowly when columns
are correlated. On the current support and signs the objective is quadratic: one
Cholesky factor gives its minimizer. Coefficients that would change sign on the
way are put to zero, all at once (Bertsekas' two-metric projection); a step
counts only if the objective falls, so the solver stays monotone.

References
----------
Bertsekas, "Projected Newton methods for optimization problems with simple
constraints", SIAM J. Control Optim. 20 (1982).
"""

import numpy as np
from scipy.linalg import lapack

_STEPS = (1.0, 0.5, 0.25, 0.1)
# Relative to each curvature, whatever its unit; enough for a Cholesky factor to exist.
_DAMPING = 1e-10


def compute_objective(b, c, w, l1, l2):
    """Objective minus ``||y||^2 / 2``, from ``b = X.T y`` and ``c = X.T r``."""
    return -0.5 * (w @ b + w @ c) + l1 @ np.abs(w) + 0.5 * (l2 * w) @ w


def update_by_newton(gram, b, c, w, l1, l2, max_steps=10):
    """Newton steps on the support of `w`, in place.

    Parameters
    ----------
    gram : ndarray of shape (k, k)
    b, c, w, l1, l2 : ndarray of shape (k,)
        As in :func:`skextra._core.least_squares.elastic_net_gram.solve_gram`; `c` and `w`
        are updated.
    max_steps : int
        Steps at most; ends early once a full step changes no sign.

    Returns
    -------
    n_steps : int
        Steps that lowered the objective.
    """
    objective = compute_objective(b, c, w, l1, l2)
    factor = None
    for n_steps in range(max_steps):
        if factor is None or factor.is_worn(w):
            factor = SupportFactor(gram, w, l2)
        direction = factor.solve(c - l2 * w - l1 * np.sign(w), w)
        if direction is None:
            return n_steps
        trial, crossed = _search(gram, b, w, direction, l1, l2, objective)
        if trial is None:
            return n_steps
        w[:], c[:], objective = trial
        if crossed is not None and not crossed:
            return n_steps + 1
    return max_steps


def _search(gram, b, w, direction, l1, l2, objective):
    """Step along `direction` that lowers the objective.

    Returns
    -------
    trial : (w, c, objective) or None
    crossed : bool or None
        Whether a full step put coefficients to zero; None if the step is shorter.
    """
    for step in (*_STEPS, _find_first_crossing(w, direction)):
        if step <= 0:
            continue
        new = w + step * direction
        crossed = (new * w <= 0) & (w != 0)
        # A coefficient at its crossing is zero, whatever rounding leaves of it.
        crossed |= (np.abs(new) <= 1e-15 * np.abs(w)) & (w != 0)
        new[crossed] = 0.0
        c = b - gram @ new
        value = compute_objective(b, c, new, l1, l2)
        if value < objective:
            return (new, c, value), (bool(crossed.any()) if step == 1.0 else None)
    return None, None


def _find_first_crossing(w, direction):
    """Step at which the first coefficient becomes zero; 0 if none does within a full one.

    Up to there the objective is the quadratic the direction minimizes, so it
    falls; taking one coefficient out at a time is slow but sure.
    """
    towards = w * direction < 0
    if not towards.any():
        return 0.0
    step = np.min(-w[towards] / direction[towards])
    # Just beyond, so that the sign shows.
    return step * (1 + 1e-14) if step < 1 else 0.0


class SupportFactor:
    """Cholesky factor on the support of `w`, reused while coefficients leave it.

    A coefficient that has become zero is a constraint on the direction; its
    multiplier needs one more column of the inverse, which costs a hundredth of
    a new factor.

    Parameters
    ----------
    gram : ndarray of shape (k, k)
    w, l2 : ndarray of shape (k,)
    """

    def __init__(self, gram, w, l2):
        self.support = np.flatnonzero(w)
        self.left = np.empty(0, dtype=np.int64)
        self.inverse_columns = np.empty((len(self.support), 0))
        self.factor = None
        if len(self.support) == 0:
            return
        if len(self.support) == len(w):
            hessian = gram.copy()
        else:
            hessian = gram.take(self.support, axis=0).take(self.support, axis=1)
        hessian[np.diag_indices_from(hessian)] += l2[self.support]
        # dpotrf reads columns: the transpose of a symmetric C-ordered matrix is free.
        factor, failed = lapack.dpotrf(hessian.T, lower=1, clean=0)
        if failed:
            # More coefficients than the data determines: damped, the direction
            # runs along the null space until one of them reaches zero.
            hessian[np.diag_indices_from(hessian)] *= 1 + _DAMPING
            factor, failed = lapack.dpotrf(hessian.T, lower=1, clean=0, overwrite_a=1)
        if not failed:
            self.factor = factor

    def is_worn(self, w):
        """Whether so many coefficients have left that a new factor is cheaper."""
        n_left = np.count_nonzero(w[self.support] == 0)
        return n_left > 20 + len(self.support) // 8

    def solve(self, rhs, w):
        """Direction with zeros off the support of `w`, or None if not well defined."""
        if self.factor is None:
            return None
        left = np.flatnonzero(w[self.support] == 0)
        entering = np.setdiff1d(left, self.left, assume_unique=True)
        if len(entering):
            units = np.zeros((len(self.support), len(entering)), order="F")
            units[entering, np.arange(len(entering))] = 1.0
            columns, _ = lapack.dpotrs(self.factor, units, lower=1, overwrite_b=1)
            self.inverse_columns = np.hstack([self.inverse_columns, columns])
            self.left = np.concatenate([self.left, entering])
        solution, _ = lapack.dpotrs(self.factor, rhs[self.support], lower=1)
        if len(self.left):
            # The inverse's block on what has left is positive definite.
            _, multipliers, failed = lapack.dposv(
                self.inverse_columns[self.left], solution[self.left]
            )
            if failed:
                return None
            solution = solution - self.inverse_columns @ multipliers
            solution[self.left] = 0.0
        direction = np.zeros(len(w))
        direction[self.support] = solution
        return direction if np.isfinite(direction).all() else None
