"""Projected Newton steps for the elastic net on a Gram matrix.

Coordinate descent finds the support quickly and the values slowly when columns
are correlated. On the current support and signs the objective is quadratic: one
Cholesky factor gives its minimiser. Coefficients that would change sign on the
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


def compute_objective(b, c, w, l1, l2):
    """Objective minus ``||y||^2 / 2``, from ``b = X.T y`` and ``c = X.T r``."""
    return -0.5 * (w @ b + w @ c) + l1 @ np.abs(w) + 0.5 * (l2 * w) @ w


def update_by_newton(gram, b, c, w, l1, l2, max_steps=10):
    """Newton steps on the support of `w`, in place.

    Parameters
    ----------
    gram : ndarray of shape (k, k)
    b, c, w, l1, l2 : ndarray of shape (k,)
        As in :func:`skextra._core.coordinate_descent.solve_gram`; `c` and `w`
        are updated.
    max_steps : int
        Steps at most; ends early once a full step changes no sign.

    Returns
    -------
    n_steps : int
        Steps that lowered the objective.
    """
    objective = compute_objective(b, c, w, l1, l2)
    for n_steps in range(max_steps):
        support = np.flatnonzero(w)
        direction = _solve_on_support(gram, c, w, l1, l2, support)
        if direction is None:
            return n_steps
        old = w[support]
        for step in _STEPS:
            new = old + step * direction
            crossed = new * old <= 0
            new[crossed] = 0.0
            trial = np.zeros_like(w)
            trial[support] = new
            trial_c = b - gram @ trial
            trial_objective = compute_objective(b, trial_c, trial, l1, l2)
            if trial_objective < objective:
                break
        else:
            if not (old * (old + direction) <= 0).any():
                return n_steps
            trial, trial_c = _step_to_first_crossing(gram, b, support, old, direction)
            trial_objective = compute_objective(b, trial_c, trial, l1, l2)
            if not trial_objective < objective:
                return n_steps
        w[:] = trial
        c[:] = trial_c
        objective = trial_objective
        if step == 1.0 and not crossed.any():
            return n_steps + 1
    return max_steps


def _step_to_first_crossing(gram, b, support, old, direction):
    """Follow the direction until the first coefficient is zero.

    Up to there the objective is the quadratic the direction minimises, so it
    falls; taking one coefficient out at a time is slow but sure.
    """
    with np.errstate(divide="ignore"):
        steps = np.where(old * direction < 0, -old / direction, np.inf)
    first = steps.argmin()
    new = old + steps[first] * direction
    new[first] = 0.0
    trial = np.zeros(len(b))
    trial[support] = new
    return trial, b - gram @ trial


def _solve_on_support(gram, c, w, l1, l2, support):
    """Newton direction on the support, or None where it is not well defined."""
    if len(support) == 0:
        return None
    hessian = gram.take(support, axis=0).take(support, axis=1)
    hessian[np.diag_indices_from(hessian)] += l2[support]
    # dpotrf reads columns: the transpose of a symmetric C-ordered matrix is free.
    factor, failed = lapack.dpotrf(hessian.T, lower=1, clean=0, overwrite_a=1)
    if failed:
        return None
    values = w[support]
    rhs = c[support] - l2[support] * values - l1[support] * np.sign(values)
    direction, failed = lapack.dpotrs(factor, rhs, lower=1)
    return direction if np.isfinite(direction).all() else None
