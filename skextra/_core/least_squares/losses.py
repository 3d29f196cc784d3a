"""The squared loss ``||y - f||^2 / 2`` and its dual along a ray.

Everything is written in inner products, so that solvers which never hold the
residual itself (they work on Gram matrices) use the same lines.
"""

from skextra._core.runtime.jit import njit


@njit(inline="always")
def compute_squared_residual(yr, wc):
    """``||r||^2`` from ``y @ r`` and ``w @ X.T @ r``; never negative."""
    return max(yr - wc, 0.0)


@njit(inline="always")
def compute_squared_loss_dual(scale, yr, rr):
    """Dual objective ``||y||^2/2 - ||y - scale r||^2/2`` of the point ``scale r``."""
    return scale * yr - 0.5 * scale * scale * rr


@njit(inline="always")
def find_best_dual_scale(yr, rr, limit):
    """Best scale of the residual as a dual point, at most `limit` in magnitude."""
    if rr <= 0.0:
        return 0.0
    return min(max(yr / rr, -limit), limit)
