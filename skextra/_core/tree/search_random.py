"""One split of a column at a threshold drawn between its extremes."""

import numpy as np

from skextra._core.runtime.entries import entry, inlined_kernel, kernel, part
from skextra._core.tree.absolute_error import compute_median, rank_targets
from skextra._core.tree.criteria import compute_proxy
from skextra._core.tree.criterion_table import ABSOLUTE_ERROR, BINARY, GINI, SUMS
from skextra._core.tree.random_state import draw_integer, draw_uniform
from skextra._core.tree.search_binary import BITS, MASK
from skextra._core.tree.search_general import add_centered_row, get_slack, keeps_order
from skextra._core.tree.state import State
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


@inlined_kernel
def _sum_left(state, code, cut, missing, missing_left):
    """Rows and weight on the left of a cut, and their class weights or sums into `scratch.sums`."""
    problem, rows, sums = state.problem, state.rows, state.scratch.sums
    start, end = state.node.start, state.node.end
    for k in range(len(sums)):
        sums[k] = 0.0
    if problem.search == BINARY and missing < 0:
        total = sum_payloads(code, cut, part(rows.payload, start, end))
        left = float((total >> BITS) & MASK)
        sums[1] = float(total & MASK)
        sums[0] = left - sums[1]
        return total >> (2 * BITS), left
    if problem.search == SUMS and missing < 0:
        weights, targets = part(rows.weights, start, end), part(rows.targets, start, end)
        center = 0.0 if problem.criterion == GINI else state.node.totals[0] / state.node.weight
        n_left, left, total = sum_targets(code, cut, weights, targets, center)
        sums[0] = left - total if problem.criterion == GINI else total
        if problem.criterion == GINI:
            sums[1] = total
        return n_left, left
    n_left, left = 0, 0.0
    numbers = part(rows.numbers, start, end)
    for i in range(len(code)):
        if code[i] <= cut if code[i] != missing else missing_left:
            n_left += 1
            left += problem.sample_weights[numbers[i]]
            add_centered_row(state, numbers[i], sums)
    return n_left, left


@kernel
def _compute_error(problem, scratch, rows):
    """Sum over outputs of the absolute errors of some rows, and the first output's median."""
    error = first_median = 0.0
    local, ordered = scratch.local, scratch.ordered
    for k in range(len(problem.n_classes)):
        rank_targets(
            problem.target_ranks[k], rows, scratch.radix_keys, scratch.counts, local, ordered
        )
        median, own = compute_median(
            part(local, 0, len(rows)), ordered, problem.targets[k], problem.sample_weights
        )
        error += own
        first_median = median if k == 0 else first_median
    return error, first_median


@inlined_kernel
def _compute_errors(state, code, cut, missing, missing_left):
    """Absolute errors of both sides about their medians, and the first output's medians."""
    scratch, rows = state.scratch, part(state.rows.numbers, state.node.start, state.node.end)
    left, right = scratch.order, scratch.arranged
    n_left = n_right = 0
    for i in range(len(code)):
        if code[i] <= cut if code[i] != missing else missing_left:
            left[n_left] = rows[i]
            n_left += 1
        else:
            right[n_right] = rows[i]
            n_right += 1
    error_left, median_left = _compute_error(state.problem, scratch, part(left, 0, n_left))
    error_right, median_right = _compute_error(state.problem, scratch, part(right, 0, n_right))
    return error_left, error_right, median_left, median_right


@entry(State)
def search_random(state):
    """Draw a split of the current column and offer it."""
    problem, node, column, best = state.problem, state.node, state.column, state.best
    sampler, has_missing = state.sampler, column.has_missing != 0
    values = part(state.codes.values, column.first, column.first + column.n_values)
    low, high = np.float64(values[column.low]), np.float64(values[column.high])
    threshold = draw_uniform(low, high, sampler)
    missing_left = has_missing and draw_integer(0, 2, sampler) == 1
    if threshold == high:
        threshold = low
    cut = find_code(values, column.low, column.high, threshold)
    missing = column.n_values if has_missing else -1
    n = node.end - node.start
    code = part(state.scratch.code, 0, n)
    n_left, left = _sum_left(state, code, cut, missing, missing_left)
    if n_left < problem.min_samples_leaf or n - n_left < problem.min_samples_leaf:
        return 0
    if left < node.min_weight or node.weight - left < node.min_weight:
        return 0
    error_left = error_right = median_left = median_right = 0.0
    if problem.criterion == ABSOLUTE_ERROR:
        error_left, error_right, median_left, median_right = _compute_errors(
            state, code, cut, missing, missing_left
        )
    if column.direction != 0 and not keeps_order(state, left, median_left, median_right):
        return 0
    proxy = compute_proxy(
        problem, node.totals, state.scratch.sums, node.weight, left, error_left, error_right
    )
    if proxy > best.exact + get_slack(state):
        best.exact, best.score, best.threshold = proxy, proxy, threshold
        best.feature, best.cut = column.feature, cut
        best.missing_left = int(missing_left) if has_missing else -1
    return 0
