"""One split of a column at a threshold drawn between its extremes."""

import numpy as np

from skextra._core.runtime.entries import (
    entry,
    kernel,
    view_float32,
    view_float64,
    view_int32,
    view_int64,
)
from skextra._core.tree import slots
from skextra._core.tree.absolute_error import compute_median, rank_targets
from skextra._core.tree.criteria import ABSOLUTE_ERROR, GINI, compute_limits
from skextra._core.tree.problem import BINARY, SUMS
from skextra._core.tree.random_state import draw_integer, draw_uniform
from skextra._core.tree.records import CUT, EXACT, FEATURE, MISSING_LEFT, SCORE, THRESHOLD
from skextra._core.tree.search_binary import BITS, MASK
from skextra._core.tree.search_general import (
    add_centered_row,
    compute_proxy,
    get_slack,
    keeps_order,
    load_problem,
    load_scratch,
)
from skextra._core.tree.statistics import sum_payloads, sum_targets


@kernel
def find_code(values, low, high, threshold):
    """Highest code from low on whose value is at most the threshold."""
    while low < high:
        middle = (low + high + 1) >> 1
        if values[middle] <= threshold:
            low = middle
        else:
            high = middle - 1
    return low


@kernel
def _sum_left(t, problem, code, cut, missing, missing_left, rows, totals, weight, sums):
    """Rows and weight on the left of a cut, and their class weights or sums into `sums`."""
    kind, criterion, start, n = problem[0], problem[1], t[slots.START], len(code)
    if kind == BINARY and missing < 0:
        total = sum_payloads(code, cut, view_int64(t[slots.PAYLOAD] + 8 * start, n))
        left = float((total >> BITS) & MASK)
        sums[1] = float(total & MASK)
        sums[0] = left - sums[1]
        return total >> (2 * BITS), left
    if kind == SUMS and missing < 0:
        weights = view_float64(t[slots.ROW_WEIGHTS] + 8 * start, n)
        targets = view_float64(t[slots.ROW_TARGETS] + 8 * start, n)
        center = 0.0 if criterion == GINI else totals[0] / weight
        n_left, left, total = sum_targets(code, cut, weights, targets, center)
        sums[0] = left - total if criterion == GINI else total
        if criterion == GINI:
            sums[1] = total
        return n_left, left
    n_left, left, row_weights = 0, 0.0, problem[5]
    for i in range(n):
        if code[i] <= cut if code[i] != missing else missing_left:
            n_left += 1
            left += row_weights[rows[i]]
            add_centered_row(problem, rows[i], totals, weight, sums)
    return n_left, left


@kernel
def search_random(t, problem, code, rows, values, totals, floats, random, scratch, record,
                  marks):  # fmt: skip
    """Draw a split and offer it.

    Parameters
    ----------
    t, floats : ndarray of int64 and float64
        The tables of `slots`.
    problem, code, rows, values, totals, scratch, record, marks
        As `search_general` takes them.
    random : ndarray of int64 of shape (1,)
        State of the generator.
    """
    low, high, has_missing = t[slots.LOW], t[slots.HIGH], t[slots.HAS_MISSING] != 0
    weight, feature, min_leaf = floats[slots.WEIGHT], t[slots.FEATURE], t[slots.MIN_LEAF]
    threshold = draw_uniform(np.float64(values[low]), np.float64(values[high]), random)
    missing_left = has_missing and draw_integer(0, 2, random) == 1
    if threshold == values[high]:
        threshold = np.float64(values[low])
    cut = find_code(values, low, high, threshold)
    missing = len(values) if has_missing else -1
    n, sums = len(code), scratch[3]
    for k in range(len(sums)):
        sums[k] = 0.0
    n_left, left = _sum_left(
        t, problem, code, cut, missing, missing_left, rows, totals, weight, sums
    )
    limits = compute_limits(min_leaf, floats[slots.MIN_WEIGHT], n, weight, floats[slots.IMPURITY])
    if n_left < min_leaf or n - n_left < min_leaf:
        return
    if left < limits[1] or weight - left < limits[1]:
        return
    error_left = error_right = 0.0
    medians = (0.0, 0.0)
    if problem[1] == ABSOLUTE_ERROR:
        error_left, error_right, medians = _compute_errors(
            problem, rows, code, cut, missing, missing_left, scratch
        )
    direction, bounds = t[slots.DIRECTION], (floats[slots.LOWER], floats[slots.UPPER])
    if direction != 0 and not keeps_order(
        problem[1], totals, sums, weight, left, medians, bounds, direction
    ):
        return
    proxy = compute_proxy(problem, totals, sums, weight, left, error_left, error_right)
    if proxy > record[EXACT] + get_slack(problem, record, limits[2]):
        record[EXACT], record[SCORE], record[THRESHOLD] = proxy, proxy, threshold
        marks[FEATURE], marks[CUT] = feature, cut
        marks[MISSING_LEFT] = int(missing_left) if has_missing else -1


@kernel
def _compute_errors(problem, rows, code, cut, missing, missing_left, scratch):
    """Absolute errors of both sides about their medians, and the first output's medians."""
    keys, local, ordered = scratch[0][0], scratch[0][1], scratch[0][2]
    counts = scratch[0][6]
    n = len(rows)
    sides = (scratch[1], scratch[2])
    n_left = n_right = 0
    for i in range(n):
        if code[i] <= cut if code[i] != missing else missing_left:
            sides[0][n_left] = rows[i]
            n_left += 1
        else:
            sides[1][n_right] = rows[i]
            n_right += 1
    error_left = error_right = median_left = median_right = 0.0
    for side in range(2):
        m = n_left if side == 0 else n_right
        for k in range(len(problem[2])):
            rank_targets(problem[6][k], sides[side][:m], keys, counts, local, ordered)
            median, error = compute_median(local[:m], ordered[:m], problem[4][k], problem[5])
            if side == 0:
                error_left += error
                median_left = median if k == 0 else median_left
            else:
                error_right += error
                median_right = median if k == 0 else median_right
    return error_left, error_right, (median_left, median_right)


@entry
def enter_search_random(address):
    """`search_random` with arguments from the table of `slots`."""
    t = view_int64(address, slots.N_SLOTS)
    n = t[slots.END] - t[slots.START]
    search_random(
        t, load_problem(t), view_int32(t[slots.CODE], n),
        view_int32(t[slots.ROWS] + 4 * t[slots.START], n),
        view_float32(t[slots.VALUES], t[slots.N_VALUES]),
        view_float64(t[slots.TOTALS], t[slots.N_OUTPUTS] * t[slots.STRIDE]),
        view_float64(t[slots.FLOATS], slots.N_FLOATS), view_int64(t[slots.RANDOM], 1),
        load_scratch(t), view_float64(t[slots.RECORD], 4), view_int64(t[slots.MARKS], 4),
    )  # fmt: skip
    return 0
