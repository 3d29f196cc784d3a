"""The elastic-net penalty  sum_j l1_j |w_j| + l2_j w_j^2 / 2, optionally with w >= 0.

Each function is one step of a solver: the proximal map, the value, the
violation of dual feasibility. Solvers call them directly, which keeps them in
numba's disk cache (a penalty passed as an argument would not be).
"""

import numpy as np

from skextra._core.runtime.jit import njit


@njit(inline="always")
def soft_threshold(z, l1, positive):
    """Proximal map of ``l1 |.|`` (and of ``w >= 0`` if `positive`) at `z`."""
    if z > l1:
        return z - l1
    if z < -l1 and not positive:
        return z + l1
    return 0.0


@njit(inline="always")
def compute_dual_magnitude(correlation, positive):
    """What must not exceed ``l1`` for a dual point to be feasible."""
    if positive:
        return max(correlation, 0.0)
    return abs(correlation)


def compute_class_shift(W, l1, l2):
    """Shift of every row of `W` that its penalty is smallest without.

    Softmax probabilities do not change when a feature's coefficients in all classes
    do by the same amount; only the penalty says which amount.

    Parameters
    ----------
    W : ndarray of shape (n_features, n_classes)
    l1, l2 : ndarray of shape (n_features,)

    Returns
    -------
    shift : ndarray of shape (n_features,)
        Minimizes ``l1 |W - shift|_1 + l2 |W - shift|^2 / 2`` row by row.
    """
    n_features, k = W.shape
    # The slope is zero at one of these or jumps over zero at a coefficient: the
    # minimum is their common median.
    excess = k - 2.0 * np.arange(k + 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        stationary = W.mean(axis=1)[:, None] + (l1 / (k * l2))[:, None] * excess
    # Without an L2 penalty any point between the middle coefficients would do: take
    # one of them, so that a coefficient becomes zero.
    flat = l2 == 0
    stationary[flat] = np.where(excess > 0, np.inf, -np.inf)
    points = np.concatenate([W, stationary], axis=1)
    return np.partition(points, k, axis=1)[:, k]
