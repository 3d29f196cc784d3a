"""Best split of a column by sorting it: any criterion, NaN, several outputs, monotonicity.

What scikit-learn does, literally: candidates in ascending order, with the missing
values on the right and then on the left. The other searches are faster and leave to
this one what they cannot.
"""

import numpy as np

from skextra._core.runtime.entries import entry, inlined_kernel, kernel, part
from skextra._core.tree.absolute_error import fill_errors, rank_targets
from skextra._core.tree.criteria import TIE, compute_impurity, compute_proxy
from skextra._core.tree.criterion_table import (
    ABSOLUTE_ERROR,
    BINARY,
    CLASSES,
    ENTROPY,
    GINI,
    SUMS,
)
from skextra._core.tree.encode import sort_keys
from skextra._core.tree.state import State


@inlined_kernel
def _sort_node(code, keys, counts, order):
    """Places of a node's rows in the order of their codes."""
    n = len(code)
    for i in range(n):
        keys[0, i] = (np.uint64(code[i]) << np.uint64(32)) | np.uint64(i)
    source = sort_keys(keys, n, counts)
    for p in range(n):
        order[p] = np.int64(keys[source, p] & np.uint64(0xFFFFFFFF))


@kernel
def add_row(problem, row, sums):
    """Add a row to class weights or sums of targets."""
    stride, weight = problem.stride, problem.sample_weights[row]
    targets = problem.targets
    for k in range(len(problem.n_classes)):
        if problem.is_classification:
            sums[k * stride + int(targets[k, row])] += weight
        else:
            sums[k * stride] += weight * targets[k, row]


@kernel
def add_centered_row(state, row, sums):
    """Add a row to class weights, or to sums of targets about the node's mean.

    Of targets far from zero, sums about zero would leave rounding alone.
    """
    problem, totals, weight = state.problem, state.node.totals, state.node.weight
    if problem.is_classification:
        add_row(problem, row, sums)
        return
    stride, targets, own = problem.stride, problem.targets, problem.sample_weights[row]
    for k in range(len(problem.n_classes)):
        sums[k * stride] += own * (targets[k, row] - totals[k * stride] / weight)


@kernel
def keeps_order(state, left, median_left, median_right):
    """Whether the two sides' values respect a monotonic constraint and the node's bounds."""
    node, problem, excess = state.node, state.problem, state.scratch.sums[0]
    if problem.criterion == ABSOLUTE_ERROR:
        value_left, value_right = median_left, median_right
    else:
        # Class weights are sums about zero, sums of targets about the mean.
        mean = 0.0 if problem.is_classification else node.totals[0] / node.weight
        rest = node.totals[0] - excess if problem.is_classification else -excess
        value_left, value_right = mean + excess / left, mean + rest / (node.weight - left)
    lowest, highest = min(value_left, value_right), max(value_left, value_right)
    return (
        lowest >= node.lower
        and highest <= node.upper
        and (value_left - value_right) * state.column.direction <= 0
    )


@inlined_kernel
def _convert_score(state, proxy, left):
    """What the faster searches of the same problem would call the exact measure and the score."""
    search, criterion = state.problem.search, state.problem.criterion
    totals, sums, weight = state.node.totals, state.scratch.sums, state.node.weight
    if search == SUMS and criterion == GINI:
        excess = sums[1] - left * (totals[1] / weight)
        score = excess * excess * weight / (left * (weight - left))
        return score, score
    if search in (BINARY, CLASSES):
        n_classes = state.problem.n_classes[0]
        impurity = compute_impurity(criterion, totals, 0, n_classes, weight)
        score = proxy + weight * impurity
        if criterion == ENTROPY:
            return proxy, score * np.log(2.0)
        return proxy, 0.5 * score if search == BINARY else score
    return proxy, proxy


@kernel
def get_slack(state):
    """How much a split is to be better than the best so far, where scores are rounded."""
    problem = state.problem
    is_sum = not problem.is_classification and problem.criterion != ABSOLUTE_ERROR
    is_sum = is_sum or problem.search == SUMS
    return TIE * max(state.best.exact, 0.0) + state.node.zero_score if is_sum else 0.0


@inlined_kernel
def _arrange(order, n, n_missing, goes_left, arranged):
    """The sequence whose heads are the left sides."""
    first = n - n_missing if goes_left else 0
    for p in range(n):
        arranged[p] = order[first + p if first + p < n else first + p - n]


@inlined_kernel
def _fill_errors(state, rows):
    """Absolute errors of every head and tail of the arranged sequence, and their medians."""
    problem, scratch, n = state.problem, state.scratch, len(rows)
    errors, medians = scratch.errors, scratch.medians
    for p in range(n):
        errors[0, p] = errors[1, p] = 0.0
    for k in range(len(problem.n_classes)):
        rank_targets(problem.target_ranks[k], rows, scratch.radix_keys, scratch.counts,
                     scratch.local, scratch.ordered)  # fmt: skip
        for side in range(2):
            fill_errors(
                part(scratch.arranged, 0, n), scratch.local, scratch.ordered, problem.targets[k],
                problem.sample_weights, side == 1, scratch.fenwick, errors[side], medians[side],
            )  # fmt: skip


@entry(State)
def search_general(state):
    """Offer every split of the current column."""
    problem, scratch, node, column, best = (
        state.problem, state.scratch, state.node, state.column, state.best,
    )  # fmt: skip
    criterion, n, missing = problem.criterion, node.end - node.start, column.missing
    code, rows = part(scratch.code, 0, n), part(state.rows.numbers, node.start, node.end)
    order, arranged, sums = scratch.order, scratch.arranged, scratch.sums
    errors, medians = scratch.errors, scratch.medians
    _sort_node(code, scratch.radix_keys, scratch.counts, order)
    n_missing = 0
    if missing >= 0:
        while n_missing < n and code[order[n - 1 - n_missing]] == missing:
            n_missing += 1
    n_present, min_leaf, weight = n - n_missing, problem.min_samples_leaf, node.weight
    for goes_left in range(2 if n_missing > 0 else 1):
        _arrange(order, n, n_missing, goes_left == 1, arranged)
        if criterion == ABSOLUTE_ERROR:
            _fill_errors(state, rows)
        for k in range(len(sums)):
            sums[k] = 0.0
        left = 0.0
        for p in range(1, n):
            row = rows[arranged[p - 1]]
            add_centered_row(state, row, sums)
            left += problem.sample_weights[row]
            if goes_left == 0 and p > n_present:
                break
            if goes_left == 1 and p <= n_missing:
                continue
            is_before_missing = goes_left == 0 and p == n_present
            if code[arranged[p]] == code[arranged[p - 1]] and not is_before_missing:
                continue
            if p < min_leaf or n - p < min_leaf:
                continue
            if column.direction != 0 and not keeps_order(
                state, left, medians[0, p - 1], medians[1, p]
            ):
                continue
            if left < node.min_weight or weight - left < node.min_weight:
                continue
            proxy = compute_proxy(
                problem, node.totals, sums, weight, left, errors[0, p - 1], errors[1, p]
            )
            exact, score = _convert_score(state, proxy, left)
            if exact > best.exact + get_slack(state):
                best.exact, best.score = exact, score
                best.feature, best.cut = column.feature, code[arranged[p - 1]]
                best.missing_left = goes_left if n_missing > 0 else -1
    return 0
