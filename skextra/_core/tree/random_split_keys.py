"""One split of a column at a threshold drawn between its extremes, where codes are values.

The same splits as `search_random` draws, for what needs no more than a pass over the rows:
one output, no missing values, no constraints, and criteria that sums are enough for.
"""

import numpy as np

from skextra._core.runtime.entries import (
    entry,
    inlined_kernel,
    kernel,
    view_float64,
    view_int32,
    view_int64,
)
from skextra._core.tree import slots
from skextra._core.tree.criteria import (
    SQUARED_ERROR,
    TIE,
    compute_binary_proxy,
    compute_impurity,
    compute_limits,
    round_down,
)
from skextra._core.tree.encode import from_key, to_key
from skextra._core.tree.problem import BINARY, SUMS
from skextra._core.tree.random_state import draw_uniform
from skextra._core.tree.records import CUT, EXACT, FEATURE, MISSING_LEFT, SCORE, THRESHOLD
from skextra._core.tree.search_binary import BITS, MASK
from skextra._core.tree.statistics import sum_payloads, sum_targets


@kernel
def _sum_classes(code, cut, weights, classes, sums):
    for k in range(len(sums)):
        sums[k] = 0.0
    n_left, left = 0, 0.0
    for i in range(len(code)):
        if code[i] <= cut:
            n_left += 1
            left += weights[i]
            sums[classes[i]] += weights[i]
    return n_left, left


@kernel
def _compute_class_proxy(criterion, totals, left_sums, right_sums, weight, left):
    right = weight - left
    for k in range(len(totals)):
        right_sums[k] = totals[k] - left_sums[k]
    impurity_left = compute_impurity(criterion, left_sums, 0, len(totals), left)
    impurity_right = compute_impurity(criterion, right_sums, 0, len(totals), right)
    return -right * impurity_right - left * impurity_left


@inlined_kernel
def _score(t, floats, limits, totals, code, cut):
    """scikit-learn's measure of the split at a cut; minus infinity if it is not allowed."""
    kind, criterion, start, n = t[slots.KIND], t[slots.CRITERION], t[slots.START], len(code)
    weight = floats[slots.WEIGHT]
    payload = view_int64(t[slots.PAYLOAD] + 8 * start, n)
    weights = view_float64(t[slots.ROW_WEIGHTS] + 8 * start, n)
    sums = view_float64(t[slots.LEFT], t[slots.STRIDE])
    second = 0.0
    if kind == BINARY:
        packed = sum_payloads(code, cut, payload)
        n_left, left, second = (
            packed >> (2 * BITS), float((packed >> BITS) & MASK), float(packed & MASK),
        )  # fmt: skip
    elif kind == SUMS:
        targets = view_float64(t[slots.ROW_TARGETS] + 8 * start, n)
        center = totals[0] / weight if criterion == SQUARED_ERROR else 0.0
        n_left, left, second = sum_targets(code, cut, weights, targets, center)
    else:
        n_left, left = _sum_classes(code, cut, weights, payload, sums)
    if n_left < limits[0] or n - n_left < limits[0]:
        return -np.inf
    if left < limits[1] or weight - left < limits[1]:
        return -np.inf
    if criterion == SQUARED_ERROR:
        return second * second * weight / (left * (weight - left))
    if kind <= SUMS:
        return compute_binary_proxy(criterion, weight, totals[1], left, second)
    right_sums = view_float64(t[slots.RIGHT], t[slots.STRIDE])
    return _compute_class_proxy(criterion, totals, sums, right_sums, weight, left)


@entry
def enter_draw(address):
    """Draw a split of FEATURE, whose codes are in CODE, and offer it."""
    t = view_int64(address, slots.N_SLOTS)
    floats = view_float64(t[slots.FLOATS], slots.N_FLOATS)
    record, marks = view_float64(t[slots.RECORD], 4), view_int64(t[slots.MARKS], 4)
    random = view_int64(t[slots.RANDOM], 1)
    totals = view_float64(t[slots.TOTALS], t[slots.STRIDE])
    code = view_int32(t[slots.CODE], t[slots.END] - t[slots.START])
    low, high = np.float64(from_key(t[slots.LOW])), np.float64(from_key(t[slots.HIGH]))
    threshold = draw_uniform(low, high, random)
    if threshold == high:
        threshold = low
    cut = np.int32(to_key(round_down(threshold)))
    limits = compute_limits(
        t[slots.MIN_LEAF], floats[slots.MIN_WEIGHT], len(code), floats[slots.WEIGHT],
        floats[slots.IMPURITY],
    )  # fmt: skip
    proxy = _score(t, floats, limits, totals, code, cut)
    is_sum = t[slots.CRITERION] == SQUARED_ERROR
    slack = TIE * max(record[EXACT], 0.0) + limits[2] if is_sum else 0.0
    if proxy > record[EXACT] + slack:
        record[EXACT], record[SCORE], record[THRESHOLD] = proxy, proxy, threshold
        marks[FEATURE], marks[CUT], marks[MISSING_LEFT] = t[slots.FEATURE], cut, -1
    return 0
