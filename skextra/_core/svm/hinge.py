"""The hinge and its square, as losses of margins: best intercepts and duality gaps.

    P(w, b) = |w|^2 / 2 + sum_i C_i loss(y_i (x_i w + b))
    D(a)    = sum_i a_i - [squared: a_i^2 / (4 C_i)] - |sum_i a_i y_i x_i|^2 / 2

over ``a >= 0`` (hinge: ``a <= C``) with ``sum_i a_i y_i = 0`` where the intercept is fitted.
"""

import numpy as np

from skextra._core.runtime.jit import njit

_MAX_STEPS = 200
_ROUNDING = 1e-10  # of a sum, that steps of a solver may leave


def find_hinge_intercept(scores, y, C):
    """Minimizer of ``sum_i C_i max(0, 1 - y_i (scores_i + b))`` over b.

    The loss bends at ``y_i - scores_i``, by C_i, and falls with slope minus the weight of
    the positive class before the first bend. Where it is flat, the middle is taken.
    """
    bends = y - scores
    order = np.argsort(bends, kind="stable")
    slope = np.cumsum(C[order]) - C[y > 0].sum()
    # Rounding must not push a flat stretch off zero.
    noise = 1e-13 * C.sum()
    first = min(np.searchsorted(slope, -noise), len(order) - 1)
    last = min(np.searchsorted(slope, noise, side="right"), len(order) - 1)
    return 0.5 * float(bends[order[first]] + bends[order[last]])


@njit
def find_squared_intercept(scores, y, C, start):
    """Minimizer of ``sum_i C_i max(0, 1 - y_i (scores_i + b))^2`` over b.

    The derivative is piecewise linear: Newton's method on it ends, once its steps are
    kept between the smallest and the largest bend.
    """
    low, high = np.inf, -np.inf
    for i in range(y.shape[0]):
        low, high = min(low, y[i] - scores[i]), max(high, y[i] - scores[i])
    b = min(max(start, low), high)
    for _ in range(_MAX_STEPS):
        slope, curvature = 0.0, 0.0
        for i in range(y.shape[0]):
            missed = 1.0 - y[i] * (scores[i] + b)
            if missed > 0.0:
                slope -= 2.0 * C[i] * y[i] * missed
                curvature += 2.0 * C[i]
        if slope > 0.0:
            high = b
        else:
            low = b
        new = b - slope / curvature if curvature > 0.0 else 0.5 * (low + high)
        if not low <= new <= high:
            new = 0.5 * (low + high)
        if abs(new - b) <= 1e-15 * max(abs(b), abs(new), 1e-300) or slope == 0.0:
            break
        b = new
    return b


def find_intercept(scores, y, C, is_squared, start=0.0):
    """Best intercept of either loss."""
    if is_squared:
        return find_squared_intercept(scores, y, C, start)
    return find_hinge_intercept(scores, y, C)


def compute_loss(margins, C, is_squared):
    """Weighted sum of losses."""
    missed = np.maximum(1.0 - margins, 0.0)
    return float(C @ (missed * missed if is_squared else missed))


def compute_squared_dual(margins, C):
    """Dual point of the squared hinge: minus the derivative of the losses."""
    return 2.0 * C * np.maximum(1.0 - margins, 0.0)


def compute_slacks(margins, dual, C, is_squared):
    """Gap of each sample, ``C loss(m) + C loss*(a / C) - a (1 - m)``, of which none is negative.

    For the hinge it is ``a (m - 1)`` outside of the margin and ``(C - a) (1 - m)`` within,
    for its square ``(a - 2 C max(1 - m, 0))^2 / (4 C)`` and ``a (m - 1)`` outside.
    """
    missed = 1.0 - margins
    within = np.maximum(missed, 0.0)
    if is_squared:
        away = dual - 2.0 * C * within
        return away * away / (4.0 * C) + dual * np.maximum(-missed, 0.0)
    return np.where(missed > 0.0, (C - dual) * within, -dual * missed)


def balance(dual, y, upper):
    """Nearby dual point whose ``y @ dual`` is zero to rounding.

    An excess of the size of rounding goes to the variable with the most room, which moves the
    sum of the samples least; a larger one is taken evenly from the class of the larger sum.

    Parameters
    ----------
    dual, y : ndarray of shape (n_samples,)
    upper : ndarray of shape (n_samples,) or inf
        Bounds of the variables.
    """
    excess = float((dual * y).sum())
    for _ in range(2):
        if excess == 0.0:
            return dual
        # A positive excess lowers a positive sample's variable, or raises a negative one's.
        room = np.where(y * excess > 0.0, dual, upper - dual)
        widest = int(np.argmin(-np.minimum(room, dual)))
        allowed = min(0.5 * min(room[widest], dual[widest]), _ROUNDING * float(dual.sum()))
        if abs(excess) <= allowed:
            dual = dual.copy()
            dual[widest] -= excess * y[widest]
        else:
            is_larger = (y > 0) == (excess > 0)
            total = float(dual[is_larger].sum())
            dual = np.where(is_larger, dual * max(1.0 - abs(excess) / total, 0.0), dual)
        excess = float((dual * y).sum())
    return dual


def compute_null_objective(y, C, is_squared, fit_intercept=True):
    """Objective of the best model without features: what gaps are relative to."""
    up, down = float(C[y > 0].sum()), float(C[y < 0].sum())
    if not fit_intercept:
        return up + down
    if is_squared:
        # b = (up - down) / (up + down); the losses are (1 -+ b)^2.
        return 4.0 * max(up, down) / (up + down) * min(up, down)
    return 2.0 * min(up, down)
