"""Duality gaps: how far a point can be from the optimum, whatever produced it.

Elastic-net least squares, with nuisance directions (intercept, unpenalised
features) projected out of X and y beforehand:

    P(w) = ||y - X w||^2 / 2 + sum_j l1_j |w_j| + l2_j w_j^2 / 2 .

Two dual points are tried and the better one counts. The first scales the
residual of the augmented problem [X; sqrt(l2) I] into the feasible set. The
second leaves the residual as it is and pays the conjugate of the penalty; it
needs l2 > 0 wherever a correlation exceeds l1.
"""

import numpy as np

from skextra._core.jit import njit
from skextra._core.losses import (
    compute_squared_loss_dual,
    compute_squared_residual,
    find_best_dual_scale,
)
from skextra._core.penalties import compute_dual_magnitude


@njit
def compute_elastic_net_gap(w, c, l1, l2, yr, positive, worst_outside, conjugate_outside):
    """Duality gap from correlations, in O(n_features).

    Parameters
    ----------
    w, c : ndarray of shape (k,)
        Coefficients and correlations ``X.T @ (y - X @ w)``.
    l1, l2 : ndarray of shape (k,)
        Penalties; finite.
    yr : float
        ``y @ (y - X @ w)``.
    positive : bool
        Whether the problem constrains ``w >= 0``.
    worst_outside, conjugate_outside : float
        Over the features that are not listed here and whose coefficients are
        zero: the largest ``|c_j| / l1_j``, and the sum of the penalty's
        conjugates ``(|c_j| - l1_j)_+^2 / (2 l2_j)``. Zeros if there are none.

    Returns
    -------
    gap : float
        At least ``P(w) - min P``, up to rounding.

    References
    ----------
    Ndiaye, Fercoq, Gramfort & Salmon, "Gap safe screening rules for sparsity
    enforcing penalties", JMLR 18 (2017), section 3.
    """
    penalty = 0.0
    conjugate = conjugate_outside
    wc = 0.0
    ridge = 0.0
    worst = worst_outside
    for j in range(w.shape[0]):
        wj = w[j]
        wc += wj * c[j]
        ridge += l2[j] * wj * wj
        penalty += l1[j] * abs(wj)
        augmented = compute_dual_magnitude(c[j] - l2[j] * wj, positive)
        if l1[j] > 0.0:
            worst = max(worst, augmented / l1[j])
        elif augmented > 0.0:
            worst = np.inf
        excess = compute_dual_magnitude(c[j], positive) - l1[j]
        if excess > 0.0:
            conjugate += 0.5 * excess * excess / l2[j] if l2[j] > 0.0 else np.inf
    rr = compute_squared_residual(yr, wc)
    primal = 0.5 * rr + penalty + 0.5 * ridge
    limit = 1.0 / worst if worst > 0.0 else np.inf
    scale = find_best_dual_scale(yr, rr + ridge, limit)
    if positive:
        scale = max(scale, 0.0)
    scaled_gap = primal - compute_squared_loss_dual(scale, yr, rr + ridge)
    unscaled_gap = penalty + 0.5 * ridge + conjugate - wc
    return max(min(scaled_gap, unscaled_gap), 0.0)


def compute_logistic_gap(loss, primal, U, C, W, l1, l2, noise):
    """Duality gap of penalised logistic regression at a dual point.

    Parameters
    ----------
    loss : LogLoss
    primal : float
        Objective at `W`.
    U : ndarray of shape (n_rows, n_samples)
        Probabilities; the dual point is ``weights * (targets - U)`` and must be
        orthogonal to the nuisance directions.
    C : ndarray of shape (k, n_rows)
        Products of the penalised columns with the dual point.
    W : ndarray of shape (k, n_rows)
    l1, l2 : ndarray of shape (k,)
    noise : ndarray of shape (k, n_rows)
        Rounding error of `C`. An excess within it is charged at the coefficient's
        value, not scaled away: where the penalty is weaker than rounding, no dual
        point would ever seem feasible.

    Returns
    -------
    gap : float
    scale : float
        Of the dual point that counts.
    """
    l1, l2 = l1[:, None], l2[:, None]
    limit = l1 + noise
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        magnitude = np.abs(C - l2 * W)
        worst = float(np.where(magnitude > 0, magnitude / limit, 0.0).max(initial=0.0))
        # The dual point zero is always feasible.
        best, best_scale = 0.0, 0.0
        for scale in sorted({1.0, 1.0 / max(worst, 1.0)}):
            excess = np.maximum(scale * np.abs(C) - limit, 0.0)
            # The scale that makes the worst product feasible leaves rounding behind.
            excess[excess <= 1e-14 * limit] = 0.0
            conjugate = float(np.where(excess > 0, 0.5 * excess * excess / l2, 0.0).sum())
            value = loss.compute_dual_value(loss.targets + scale * (U - loss.targets)) - conjugate
            if value > best:
                best, best_scale = value, scale
    return max(primal - best + float((noise * np.abs(W)).sum()), 0.0), best_scale
