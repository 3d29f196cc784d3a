"""The elastic-net penalty  sum_j l1_j |w_j| + l2_j w_j^2 / 2, optionally with w >= 0.

Each function is one step of a solver: the proximal map, the value, the
violation of dual feasibility. Solvers call them directly, which keeps them in
numba's disk cache (a penalty passed as an argument would not be).
"""

from skextra._core.jit import njit


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
