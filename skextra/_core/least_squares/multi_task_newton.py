"""Multi-task elastic net on a Gram matrix: block descent helped by Newton steps.

Block descent finds the features quickly and the values slowly when columns are
correlated. Away from zero the penalty ``||W_j||`` is smooth: a Newton step on
the features in use costs a few products with the Gram matrix, by conjugate
gradients. Features whose coefficients would turn against their former direction
are put to zero, and a step counts only if the objective falls.
"""

import numpy as np

from skextra._core.least_squares.multi_task_sweeps import solve_rows_gram

_STEPS = (1.0, 0.5, 0.25, 0.1)
# More exact directions cost more than the sweeps they save (measured).
_CG_ITERATIONS = 30
_CG_SHARE = 1e-2


def solve_rows(gram, B, C, W, l1, l2, yy, tol, settle, sweeps, max_iter):
    """Minimize on the leading block of `gram`; `C` and `W` are updated in place.

    Returns
    -------
    gap : float
    n_iter : int
        Sweeps and Newton steps.
    """
    k = W.shape[1]
    patience = 20 + 3000 // max(k, 1)
    n_iter = 0
    while True:
        gap, is_settled, n_sweeps, sweeps.state = solve_rows_gram(
            gram, B, C, W, l1, l2, yy, tol, settle, min(patience, max_iter - n_iter),
            sweeps.random, sweeps.state,
        )  # fmt: skip
        n_iter += n_sweeps
        if (gap <= tol and is_settled) or n_iter >= max_iter:
            return gap, n_iter
        n_steps = update_rows_by_newton(gram[:k, :k], B, C, W, l1, l2)
        n_iter += n_steps
        if n_steps == 0:
            patience *= 2


def compute_rows_objective(B, C, W, l1, l2):
    """Objective minus ``||Y||^2 / 2``, from ``B = Y.T X`` and ``C = R.T X``."""
    squares = np.einsum("tj,tj->j", W, W)
    quadratic = np.einsum("tj,tj->", W, B + C)
    return -0.5 * quadratic + l1 @ np.sqrt(squares) + 0.5 * (l2 @ squares)


def update_rows_by_newton(gram, B, C, W, l1, l2, max_steps=3):
    """Newton steps on the features in use, in place.

    Parameters
    ----------
    gram : ndarray of shape (k, k)
    B, C, W : ndarray of shape (n_targets, k)
        As in :func:`skextra._core.least_squares.multi_task_sweeps.solve_rows_gram`.
    l1, l2 : ndarray of shape (k,)
    max_steps : int

    Returns
    -------
    n_steps : int
        Steps that lowered the objective.
    """
    objective = compute_rows_objective(B, C, W, l1, l2)
    for n_steps in range(max_steps):
        support = np.flatnonzero(W.any(axis=0))
        if len(support) == 0:
            return n_steps
        direction = _compute_direction(gram, C, W, l1, l2, support)
        old = W[:, support]
        for step in _STEPS:
            new = old + step * direction
            new[:, np.einsum("tj,tj->j", new, old) <= 0] = 0.0
            trial = np.zeros_like(W)
            trial[:, support] = new
            trial_C = B - trial @ gram
            trial_objective = compute_rows_objective(B, trial_C, trial, l1, l2)
            if trial_objective < objective:
                break
        else:
            return n_steps
        W[:], C[:], objective = trial, trial_C, trial_objective
    return max_steps


def _compute_direction(gram, C, W, l1, l2, support):
    """Newton direction on the support, to a share of the gradient."""
    G, w = gram[np.ix_(support, support)], W[:, support]
    l1, l2 = l1[support], l2[support]
    norms = np.sqrt(np.einsum("tj,tj->j", w, w))
    units, bend = w / norms, l1 / norms

    def multiply(V):
        along = np.einsum("tj,tj->j", units, V)
        return V @ G + (l2 + bend) * V - (bend * along) * units

    descent = C[:, support] - l2 * w - l1 * units
    # Not the exact diagonal, which would differ between targets.
    curvature = np.maximum(G.diagonal() + l2 + bend, 1e-300)
    return _solve_conjugate_gradients(multiply, descent, 1 / curvature)


def _solve_conjugate_gradients(multiply, rhs, inverse):
    V = np.zeros_like(rhs)
    R = rhs.copy()
    P = S = inverse * R
    rs = np.vdot(R, S)
    target = _CG_SHARE**2 * rs
    for _ in range(_CG_ITERATIONS):
        if not rs > target:
            break
        product = multiply(P)
        curvature = np.vdot(P, product)
        if not curvature > 0:
            break
        V += (rs / curvature) * P
        R -= (rs / curvature) * product
        S = inverse * R
        previous, rs = rs, np.vdot(R, S)
        P = S + (rs / previous) * P
    return V
