"""One split of a column at a threshold drawn between its extremes, where codes are values.

The same splits as `search_random` draws, for what needs no more than a pass over the rows:
one output, no missing values, no constraints, and criteria that sums are enough for.
"""

import numpy as np

from skextra._core.runtime.entries import entry, inlined_kernel, kernel, part
from skextra._core.tree.criteria import (
    TIE,
    compute_binary_proxy,
    compute_impurity,
    round_down,
)
from skextra._core.tree.criterion_table import BINARY, SQUARED_ERROR, SUMS
from skextra._core.tree.encode import from_key, to_key
from skextra._core.tree.random_state import draw_uniform
from skextra._core.tree.search_binary import BITS, MASK
from skextra._core.tree.state import State
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
def _score(state, code, cut):
    """scikit-learn's measure of the split at a cut; minus infinity if it is not allowed."""
    problem, node, rows, scratch = state.problem, state.node, state.rows, state.scratch
    criterion, start, end, weight = problem.criterion, node.start, node.end, node.weight
    payload, weights = part(rows.payload, start, end), part(rows.weights, start, end)
    second = 0.0
    if problem.search == BINARY:
        packed = sum_payloads(code, cut, payload)
        n_left, left, second = (
            packed >> (2 * BITS), float((packed >> BITS) & MASK), float(packed & MASK),
        )  # fmt: skip
    elif problem.search == SUMS:
        center = node.totals[0] / weight if criterion == SQUARED_ERROR else 0.0
        targets = part(rows.targets, start, end)
        n_left, left, second = sum_targets(code, cut, weights, targets, center)
    else:
        n_left, left = _sum_classes(code, cut, weights, payload, scratch.left)
    min_leaf, min_weight = problem.min_samples_leaf, node.min_weight
    if n_left < min_leaf or end - start - n_left < min_leaf:
        return -np.inf
    if left < min_weight or weight - left < min_weight:
        return -np.inf
    if criterion == SQUARED_ERROR:
        return second * second * weight / (left * (weight - left))
    if problem.search <= SUMS:
        return compute_binary_proxy(criterion, weight, node.totals[1], left, second)
    return _compute_class_proxy(criterion, node.totals, scratch.left, scratch.right, weight, left)


@entry(State)
def search_random_keys(state):
    """Draw a split of the current column and offer it."""
    column, best = state.column, state.best
    code = part(state.scratch.code, 0, state.node.end - state.node.start)
    low, high = np.float64(from_key(column.low)), np.float64(from_key(column.high))
    threshold = draw_uniform(low, high, state.sampler)
    if threshold == high:
        threshold = low
    cut = np.int32(to_key(round_down(threshold)))
    proxy = _score(state, code, cut)
    is_sum = state.problem.criterion == SQUARED_ERROR
    slack = TIE * max(best.exact, 0.0) + state.node.zero_score if is_sum else 0.0
    if proxy > best.exact + slack:
        best.exact, best.score, best.threshold = proxy, proxy, threshold
        best.feature, best.cut, best.missing_left = column.feature, cut, -1
    return 0
