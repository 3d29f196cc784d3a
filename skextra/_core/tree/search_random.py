"""One split of a column at a threshold drawn between its extremes."""

import numpy as np

from skextra._core.jit import njit
from skextra._core.tree.absolute import compute_median, rank_targets
from skextra._core.tree.random_state import draw_integer, draw_uniform
from skextra._core.tree.records import CUT, EXACT, FEATURE, MISSING_LEFT, SCORE, THRESHOLD
from skextra._core.tree.scores import ABSOLUTE_ERROR
from skextra._core.tree.search_general import add_row, compute_proxy, keeps_order


@njit
def find_code(values, low, high, threshold):
    """Highest code from low on whose value is at most the threshold."""
    while low < high:
        middle = (low + high + 1) >> 1
        if values[middle] <= threshold:
            low = middle
        else:
            high = middle - 1
    return low


@njit
def search_random(problem, state, code, start, end, low, high, has_missing, values, totals, weight,
                  settings, bounds, feature, random, work, record, marks):  # fmt: skip
    """Draw a split and offer it; the arguments are those of `find_split`."""
    threshold = draw_uniform(float(values[low]), float(values[high]), random)
    missing_left = has_missing and draw_integer(0, 2, random) == 1
    if threshold == values[high]:
        threshold = float(values[low])
    cut = find_code(values, low, high, threshold)
    missing = len(values) if has_missing else -1
    rows = state[0][start:end]
    n, n_left, left = len(code), 0, 0.0
    sums, weights = work[7][3], problem[5]
    sums[:] = 0.0
    for i in range(n):
        if code[i] <= cut if code[i] != missing else missing_left:
            n_left += 1
            left += weights[rows[i]]
            add_row(problem, rows[i], sums)
    if n_left < settings[3] or n - n_left < settings[3]:
        return
    if left < settings[4] or weight - left < settings[4]:
        return
    error_left = error_right = 0.0
    medians = (0.0, 0.0)
    if problem[1] == ABSOLUTE_ERROR:
        error_left, error_right, medians = _compute_errors(
            problem, rows, code, cut, missing, missing_left, n_left, work[7]
        )
    direction = settings[8][feature] if len(settings[8]) else 0
    if direction != 0 and not keeps_order(
        problem[1], totals, sums, weight, left, medians, bounds, direction
    ):
        return
    proxy = compute_proxy(problem, totals, sums, weight, left, error_left, error_right)
    if proxy > record[EXACT]:
        record[EXACT], record[SCORE], record[THRESHOLD] = proxy, proxy, threshold
        marks[FEATURE], marks[CUT] = feature, cut
        marks[MISSING_LEFT] = int(missing_left) if has_missing else -1


@njit
def _compute_errors(problem, rows, code, cut, missing, missing_left, n_left, scratch):
    """Absolute errors of both sides about their medians, and the first output's medians."""
    keys, local, ordered = scratch[0][0], scratch[0][1], scratch[0][2]
    n = len(rows)
    sides = (np.empty(n_left, np.int32), np.empty(n - n_left, np.int32))
    n_left = n_right = 0
    for i in range(n):
        if code[i] <= cut if code[i] != missing else missing_left:
            sides[0][n_left] = rows[i]
            n_left += 1
        else:
            sides[1][n_right] = rows[i]
            n_right += 1
    errors, medians = np.zeros(2), np.zeros(2)
    for side in range(2):
        for k in range(len(problem[2])):
            m = len(sides[side])
            if m == 0:
                continue
            rank_targets(problem[6][k], sides[side], keys, local, ordered)
            median, error = compute_median(local[:m], ordered[:m], problem[4][k], problem[5])
            errors[side] += error
            if k == 0:
                medians[side] = median
    return errors[0], errors[1], (medians[0], medians[1])
