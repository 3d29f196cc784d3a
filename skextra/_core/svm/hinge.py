"""The hinge and its square, as losses of margins: best intercepts and duality gaps.

    P(w, b) = |w|^2 / 2 + sum_i C_i loss(y_i (x_i w + b))
    D(a)    = sum_i a_i - [squared: a_i^2 / (4 C_i)] - |sum_i a_i y_i x_i|^2 / 2

over ``a >= 0`` (hinge: ``a <= C``) with ``sum_i a_i y_i = 0`` where the intercept is fitted.
"""

import numpy as np

from skextra._core.runtime.jit import njit

_FAST = {"contract", "reassoc", "nsz"}
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


@njit(fastmath=_FAST)
def sum_slacks(margins, dual, C, is_squared):
    """Sum of ``C loss(m) + C loss*(a / C) - a (1 - m)``, of which no sample's is negative.

    For the hinge it is ``a (m - 1)`` outside of the margin and ``(C - a) (1 - m)`` within,
    for its square ``(a - 2 C max(1 - m, 0))^2 / (4 C)`` and ``a (m - 1)`` outside.
    """
    total = 0.0
    for i in range(margins.shape[0]):
        missed = 1.0 - margins[i]
        if is_squared:
            away = dual[i] - 2.0 * C[i] * max(missed, 0.0)
            total += away * away / (4.0 * C[i]) + dual[i] * max(-missed, 0.0)
        elif missed > 0.0:
            total += (C[i] - dual[i]) * missed
        else:
            total -= dual[i] * missed
    return total


@njit(fastmath=_FAST)
def balance(dual, y, C, is_squared):
    """Nearby dual point whose ``y @ dual`` is zero to rounding.

    An excess of the size of rounding goes to the variable with the most room, which moves the
    sum of the samples least; a larger one is taken evenly from the class of the larger sum.

    Parameters
    ----------
    dual, y, C : ndarray of shape (n_samples,)
    is_squared : bool
        Whether variables have no upper bound, else C.

    Returns
    -------
    dual : ndarray of shape (n_samples,)
        A copy.
    """
    dual = dual.copy()
    for _ in range(2):
        up, down, widest, largest = 0.0, 0.0, 0, -1.0
        for i in range(dual.shape[0]):
            if y[i] > 0.0:
                up += dual[i]
            else:
                down += dual[i]
            room = dual[i] if is_squared else min(dual[i], C[i] - dual[i])
            if room > largest:
                widest, largest = i, room
        excess = up - down
        if excess == 0.0:
            break
        if abs(excess) <= min(0.5 * largest, _ROUNDING * (up + down)):
            dual[widest] -= excess * y[widest]
        else:
            share = min(up, down) / max(up, down)
            for i in range(dual.shape[0]):
                if (y[i] > 0.0) == (excess > 0.0):
                    dual[i] *= share
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
