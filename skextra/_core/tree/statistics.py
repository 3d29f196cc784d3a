"""Weight, sums and impurity of a node."""

import numpy as np

from skextra._core.runtime.entries import entry, inlined_kernel, kernel, part, summing_kernel
from skextra._core.tree.absolute_error import compute_median, rank_targets
from skextra._core.tree.criteria import (
    compute_binary_impurity,
    compute_impurity,
    compute_loss,
    is_spread,
)
from skextra._core.tree.criterion_table import ABSOLUTE_ERROR, BINARY, GINI, POISSON, SUMS
from skextra._core.tree.search_binary import BITS, MASK
from skextra._core.tree.search_general import add_row
from skextra._core.tree.state import State


@summing_kernel
def _sum_products(weights, targets):
    weight, total = 0.0, 0.0
    for i in range(len(weights)):
        weight += weights[i]
        total += weights[i] * targets[i]
    return weight, total


@summing_kernel
def _sum_squares(weights, targets, mean):
    total, lowest, highest = 0.0, np.inf, -np.inf
    for i in range(len(weights)):
        centered = targets[i] - mean
        total += weights[i] * centered * centered
        lowest, highest = min(lowest, targets[i]), max(highest, targets[i])
    return total if is_spread(lowest, highest) else 0.0


@summing_kernel
def _sum_integers(payload):
    total = 0
    for i in range(len(payload)):
        total += payload[i]
    return total


@inlined_kernel
def _compute_absolute_error(state, rows):
    """Mean over outputs of the mean absolute error about the medians, which become totals."""
    problem, scratch, node, n = state.problem, state.scratch, state.node, len(rows)
    local, ordered, n_outputs = scratch.local, scratch.ordered, len(problem.n_classes)
    total = 0.0
    for k in range(n_outputs):
        rank_targets(
            problem.target_ranks[k], rows, scratch.radix_keys, scratch.counts, local, ordered
        )
        node.totals[k], error = compute_median(
            part(local, 0, n), ordered, problem.targets[k], problem.sample_weights
        )
        targets = problem.targets[k]
        total += error if is_spread(targets[ordered[0]], targets[ordered[n - 1]]) else 0.0
    return total / (node.weight * n_outputs)


@inlined_kernel
def _compute_impurity(problem, rows, totals, weight):
    """Mean over outputs of the impurity, from class weights or sums of targets."""
    criterion, n_classes, stride = problem.criterion, problem.n_classes, problem.stride
    impurity = 0.0
    for k in range(len(n_classes)):
        if problem.is_classification:
            impurity += compute_impurity(criterion, totals, k * stride, n_classes[k], weight)
        elif criterion == POISSON and totals[k] <= 0.0:
            return np.inf
        else:
            impurity += _sum_losses(problem, rows, k, totals[k] / weight) / weight
    return impurity / len(n_classes)


@kernel
def _sum_losses(problem, rows, k, mean):
    """Weighted sum of losses of predicting the mean."""
    criterion, targets, weights = problem.criterion, problem.targets, problem.sample_weights
    total, lowest, highest = 0.0, np.inf, -np.inf
    for p in range(len(rows)):
        y = targets[k, rows[p]]
        lowest, highest = min(lowest, y), max(highest, y)
        total += compute_loss(criterion, weights[rows[p]], y, mean)
    return total if is_spread(lowest, highest) else 0.0


@entry(State)
def describe(state):
    """Weight and impurity of the node, and its class weights or sums into `node.totals`.

    `node.packed` receives the sum of packed counts where `search_binary` is used.
    """
    rows, node, totals = state.rows, state.node, state.node.totals
    search, criterion = state.problem.search, state.problem.criterion
    start, end = node.start, node.end
    if search == BINARY:
        packed = _sum_integers(part(rows.payload, start, end))
        weight, second = float((packed >> BITS) & MASK), float(packed & MASK)
        totals[0], totals[1], node.packed = weight - second, second, packed
        node.impurity = compute_binary_impurity(criterion, second, weight)
        node.weight = weight
        return 0
    weights = part(rows.weights, start, end)
    if search == SUMS:
        targets = part(rows.targets, start, end)
        weight, total = _sum_products(weights, targets)
        if criterion == GINI:
            totals[0], totals[1] = max(weight - total, 0.0), total
            node.impurity = compute_binary_impurity(criterion, total, weight)
        else:
            totals[0] = total
            node.impurity = _sum_squares(weights, targets, total / weight) / weight
        node.weight = weight
        return 0
    classes = part(rows.payload, start, end)
    for k in range(len(totals)):
        totals[k] = 0.0
    weight = 0.0
    for p in range(end - start):
        totals[classes[p]] += weights[p]
        weight += weights[p]
    node.weight = weight
    node.impurity = compute_impurity(criterion, totals, 0, len(totals), weight)
    return 0


@entry(State)
def describe_general(state):
    """`describe` for any problem; `node.totals` are medians for the absolute error."""
    problem, node, totals = state.problem, state.node, state.node.totals
    rows = part(state.rows.numbers, node.start, node.end)
    for k in range(len(totals)):
        totals[k] = 0.0
    weight = 0.0
    for p in range(len(rows)):
        weight += problem.sample_weights[rows[p]]
    node.weight = weight
    if problem.criterion == ABSOLUTE_ERROR:
        node.impurity = _compute_absolute_error(state, rows)
        return 0
    for p in range(len(rows)):
        add_row(problem, rows[p], totals)
    node.impurity = _compute_impurity(problem, rows, totals, weight)
    return 0


@summing_kernel
def sum_payloads(code, cut, payload):
    """Sum over the rows on the left of a cut."""
    total = 0
    for i in range(len(code)):
        total += payload[i] if code[i] <= cut else 0
    return total


@summing_kernel
def sum_targets(code, cut, weights, targets, center):
    """Number of the rows on the left of a cut, their weight, and their weighted centered sum."""
    n_left, left, total = 0, 0.0, 0.0
    for i in range(len(code)):
        weight = weights[i] if code[i] <= cut else 0.0
        n_left += code[i] <= cut
        left += weight
        total += weight * (targets[i] - center)
    return n_left, left, total
