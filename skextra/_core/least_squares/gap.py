"""Duality gaps: how far a point can be from the optimum, whatever produced it.

Elastic-net least squares, with nuisance directions (intercept, unpenalized
features) projected out of X and y beforehand:

    P(w) = ||y - X w||^2 / 2 + sum_j l1_j |w_j| + l2_j w_j^2 / 2 .

Two dual points are tried and the better one counts. The first scales the
residual of the augmented problem [X; sqrt(l2) I] into the feasible set. The
second leaves the residual as it is and pays the conjugate of the penalty; it
needs l2 > 0 wherever a correlation exceeds l1.
"""

import numpy as np

from skextra._core.least_squares.losses import (
    compute_squared_loss_dual,
    compute_squared_residual,
    find_best_dual_scale,
)
from skextra._core.quadratic.elastic_net_penalty import compute_dual_magnitude
from skextra._core.runtime.jit import njit


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
