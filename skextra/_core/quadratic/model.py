"""Minimize a quadratic model plus an elastic-net penalty: one step of a Newton method.

    min over w of  (w - w0)^T G (w - w0) / 2 - g^T (w - w0)
                   + sum_j l1_j |w_j| + l2_j w_j^2 / 2

There is no data behind it and so no duality gap; it stops on the violation of the
optimality conditions, in units of the objective.
"""

import numpy as np
from scipy.linalg import lapack

from skextra._core.quadratic.projected_newton import update_by_newton
from skextra._core.quadratic.sweeps import find_nonzero, sweep_gram
from skextra._core.runtime.jit import njit

_CYCLE = 5


@njit
def combine_violation(slope, penalty, excess, value):
    """How far from optimal, in units of the objective.

    Parameters
    ----------
    slope : float
        Sum of coefficients times the slope they stand on.
    penalty : float
        L1 penalty of all coefficients.
    excess : float
        Largest slope, relative to its penalty, less one. Scaling a dual point until
        it is feasible costs in proportion to the penalty, and at second order in
        proportion to the objective.
    value : float
        Size of the objective.
    """
    if excess <= 0.0:
        return slope
    share = excess / (1.0 + excess)
    return slope + excess * penalty + share * share * value


@njit
def compute_violation(c, w, l1, l2, value):
    """Violation at coefficients `w` with minus gradients `c`."""
    slope, penalty, excess = 0.0, 0.0, 0.0
    for j in range(w.shape[0]):
        u = c[j] - l2[j] * w[j]
        if w[j] != 0.0:
            slope += abs(w[j] * (u - np.sign(w[j]) * l1[j]))
            penalty += l1[j] * abs(w[j])
        excess = max(excess, abs(u) / l1[j] - 1.0)
    return combine_violation(slope, penalty, excess, value)


@njit
def sweep_until_optimal(gram, c, w, l1, l2, value, tol, max_iter):
    """Sweep until the violation is at most `tol`; returns it and the sweeps taken."""
    k = w.shape[0]
    everything = np.arange(k)
    active = np.empty(k, dtype=np.int64)
    n_active, n_iter = 0, 0
    first, change = 0.0, 0.0
    violation = np.inf
    while n_iter < max_iter:
        if n_iter % _CYCLE == 0 or change <= 0.1 * first:
            first = change = sweep_gram(gram, c, w, l1, l2, everything, k, False)
            n_active = find_nonzero(w, active)
        else:
            change = sweep_gram(gram, c, w, l1, l2, active, n_active, False)
        n_iter += 1
        if n_iter % _CYCLE == 0 or change <= 0.1 * first or n_iter == max_iter:
            violation = compute_violation(c, w, l1, l2, value)
            if violation <= tol:
                break
    return violation, n_iter


def solve_quadratic(gram, c, w, l1, l2, value, tol, max_iter):
    """Minimize the model; `c` and `w` are updated in place.

    Parameters
    ----------
    gram : ndarray of shape (k, k)
        Both triangles, C-ordered.
    c, w, l1, l2 : ndarray of shape (k,)
        Minus the gradient of the quadratic at `w`; where to start; penalties,
        ``l1 > 0``.
    value : float
        Size of the objective.
    tol : float
        Violation of optimality to reach.
    max_iter : int
        Sweeps at most.

    Returns
    -------
    violation : float
    n_iter : int
        Sweeps and Newton steps taken.
    """
    patience = 2 + 3000 // max(len(w), 1)
    b = c + gram @ w
    n_iter = 0
    while True:
        violation, n_sweeps = sweep_until_optimal(
            gram, c, w, l1, l2, value, tol, min(patience, max_iter - n_iter)
        )
        n_iter += n_sweeps
        if violation <= tol or n_iter >= max_iter:
            return violation, n_iter
        n_steps = update_by_newton(gram, b, c, w, l1, l2)
        n_iter += n_steps
        if n_steps == 0:
            patience *= 2
        violation = compute_violation(c, w, l1, l2, value)
        if violation <= tol:
            return violation, n_iter


def solve_ridge(gram, c, w, l2):
    """As `solve_quadratic` without an L1 penalty: one Cholesky factor."""
    if len(w) == 0:
        return
    hessian = gram + np.diag(l2)
    damping = 0.0
    for _ in range(20):
        factor, failed = lapack.dpotrf(hessian.T, lower=1, clean=0)
        if not failed:
            break
        # Directions the data does not determine: the least move along them.
        damping = max(10 * damping, 1e-14 * hessian.diagonal().max(), 1e-300)
        hessian[np.diag_indices_from(hessian)] += damping
    delta = lapack.dpotrs(factor, c - l2 * w, lower=1)[0]
    w += delta
    c -= gram @ delta
