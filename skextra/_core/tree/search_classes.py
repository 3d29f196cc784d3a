"""Best split of a column for any number of classes and any positive weights."""

import numpy as np

from skextra._core.numerics.sorting import insert_keys, sort_run
from skextra._core.runtime.entries import entry, inlined_kernel, kernel, part
from skextra._core.tree.criteria import TOLERANCE, compute_impurity, multiply_by_log
from skextra._core.tree.criterion_table import GINI
from skextra._core.tree.sorted_block import order_column
from skextra._core.tree.state import State

# Up to so many rows are sorted by insertion, unless their codes are so few that counting is less.
_SMALL, _FEW_VALUES = 28, 2


@kernel
def move(criterion, k, weight, left, right, parts):
    """Move a weight of class k to the left, in the class weights and the sides' scores.

    `parts` holds the left and the right sum over classes of w^2, or of w log(w), and the
    two sides' weights.
    """
    if criterion == GINI:
        parts[0] += weight * (2.0 * left[k] + weight)
        parts[1] += weight * (weight - 2.0 * right[k])
    else:
        parts[0] += multiply_by_log(left[k] + weight) - multiply_by_log(left[k])
        parts[1] += multiply_by_log(right[k] - weight) - multiply_by_log(right[k])
    left[k] += weight
    right[k] -= weight
    parts[2] += weight
    parts[3] -= weight


@kernel
def offer(state, n_left, constant, cut):
    """Take the split with the class weights in `scratch`, if it is valid and better."""
    problem, node, best, scratch = state.problem, state.node, state.best, state.scratch
    criterion, feature, left, right = (
        problem.criterion, state.column.feature, scratch.left, scratch.right,
    )  # fmt: skip
    parts = scratch.parts
    w_left, w_right = parts[2], parts[3]
    n_right = node.end - node.start - n_left
    if n_left < problem.min_samples_leaf or n_right < problem.min_samples_leaf:
        return
    least = node.min_weight
    if w_left < least or w_right < least or w_left <= 0.0 or w_right <= 0.0:
        return
    if criterion == GINI:
        score = parts[0] / w_left + parts[1] / w_right - constant
    else:
        score = parts[0] - multiply_by_log(w_left) + parts[1] - multiply_by_log(w_right)
        score -= constant
    if score < best.score - TOLERANCE * (1.0 + best.score):
        return
    impurity_left = compute_impurity(criterion, left, 0, len(left), w_left)
    impurity_right = compute_impurity(criterion, right, 0, len(right), w_right)
    exact = -w_right * impurity_right - w_left * impurity_left
    is_earlier = best.feature == feature and cut < best.cut
    if exact > best.exact or (exact == best.exact and is_earlier):
        best.exact, best.score = exact, score
        best.feature, best.cut = feature, cut


@inlined_kernel
def start(criterion, totals, weight, left, right, parts):
    """All weight to the right; returns what of the score no split changes."""
    for k in range(len(totals)):
        left[k], right[k] = 0.0, totals[k]
    parts[0], parts[2], parts[3] = 0.0, 0.0, weight
    parts[1] = 0.0
    for k in range(len(totals)):
        parts[1] += totals[k] * totals[k] if criterion == GINI else multiply_by_log(totals[k])
    if criterion == GINI:
        return parts[1] / weight
    return parts[1] - multiply_by_log(weight)


@kernel
def may_improve(criterion, parts, constant, score):
    """Whether to look closer at a split: a test without division of all `offer` would take."""
    if criterion != GINI:
        return True
    least = score - 2 * TOLERANCE * (1.0 + score)
    product = parts[0] * parts[3] + parts[1] * parts[2]
    return product >= (least + constant) * (1.0 - 1e-12) * (parts[2] * parts[3])


@inlined_kernel
def _mark(histogram, n_buckets, totals, weight, criterion, left, best_score, buckets):
    """Number the buckets that may hold a better split.

    A class's excess on the left rises at most by its own weight in the bucket, less its
    expectation, and falls at most by its expectation of the others'. For entropy,
    chi-square is an upper bound of twice the divergence.
    """
    n_classes = len(totals)
    stride = n_classes + 1
    least = best_score - TOLERANCE * (1.0 + best_score)
    for k in range(n_classes):
        left[k] = 0.0
    w_left, n_left, n_marked, place = 0.0, 0, 0, 0
    for b in range(n_buckets):
        n_inside = int(histogram[b * stride + n_classes])
        inside = 0.0
        for k in range(n_classes):
            inside += histogram[b * stride + k]
        if n_inside > 1:
            squares = 0.0
            for k in range(n_classes):
                share = totals[k] / weight
                excess = left[k] - w_left * share
                own = histogram[b * stride + k]
                largest = max(abs(excess + (1.0 - share) * own),
                              abs(excess - share * (inside - own)))  # fmt: skip
                if criterion == GINI:
                    squares += largest * largest
                elif share > 0.0:
                    squares += largest * largest / share
            after = w_left + inside
            smallest = min(w_left * (weight - w_left), after * (weight - after))
            is_open = w_left <= 0.0 or b == n_buckets - 1 or smallest <= 0.0
            if is_open or squares * weight >= least * smallest:
                buckets[n_marked, 0], buckets[n_marked, 1] = n_left, place
                place += n_inside
                n_marked += 1
                histogram[b * stride + n_classes] = -float(n_marked)
        for k in range(n_classes):
            left[k] += histogram[b * stride + k]
        w_left += inside
        n_left += n_inside
    return n_marked


@inlined_kernel
def _refine(state, n_marked, n_buckets, classes, weights, constant):
    """Offer the splits inside the marked buckets."""
    criterion, totals, scratch = state.problem.criterion, state.node.totals, state.scratch
    keys, histogram, buckets = scratch.keys, scratch.histogram, scratch.buckets
    left, right, parts = scratch.left, scratch.right, scratch.parts
    start(criterion, totals, state.node.weight, left, right, parts)
    n_classes = len(totals)
    stride = n_classes + 1
    begin, m = np.int64(0), 0
    for b in range(n_buckets):
        if histogram[b * stride + n_classes] >= 0.0:
            for k in range(n_classes):
                if histogram[b * stride + k] > 0.0:
                    move(criterion, k, histogram[b * stride + k], left, right, parts)
            continue
        end = buckets[m, 1]
        sort_run(keys, begin, end, scratch.stack)
        _walk(state, keys, begin, end, buckets[m, 0], classes, weights, constant)
        last = keys[end - 1] & 0xFFFFFFFF
        move(criterion, classes[last], weights[last], left, right, parts)
        begin = end
        m += 1
        if m == n_marked:
            return


@inlined_kernel
def _walk(state, keys, begin, end, n_left, classes, weights, constant):
    """Offer the splits between the sorted keys of a run; its last row stays on the right."""
    criterion, scratch, best = state.problem.criterion, state.scratch, state.best
    left, right, parts = scratch.left, scratch.right, scratch.parts
    for q in range(begin, end - 1):
        i = keys[q] & 0xFFFFFFFF
        move(criterion, classes[i], weights[i], left, right, parts)
        n_left += 1
        if (keys[q] >> 32) != (keys[q + 1] >> 32) and may_improve(
            criterion, parts, constant, best.score
        ):
            offer(state, n_left, constant, keys[q] >> 32)


@entry(State)
def search_classes_block(state):
    """`search_classes` of a node whose rows are kept sorted."""
    codes, order = order_column(state)
    keys, block, scratch, none = state.scratch.keys, state.block, state.scratch, np.int64(0)
    constant = start(state.problem.criterion, state.node.totals, state.node.weight, scratch.left,
                     scratch.right, scratch.parts)  # fmt: skip
    for q in range(len(order)):
        keys[q] = (np.int64(codes[order[q]]) << 32) | order[q]
    _walk(state, keys, none, len(order), none, block.payload, block.weights, constant)
    return 0


@entry(State)
def search_classes(state):
    """Offer every split of the current column that may be the best."""
    scratch, node, column, best = state.scratch, state.node, state.column, state.best
    criterion, totals, weight = state.problem.criterion, node.totals, node.weight
    low, high = column.low, column.high
    n, n_classes = node.end - node.start, len(totals)
    code = part(scratch.code, 0, n)
    classes = part(state.rows.payload, node.start, node.end)
    weights = part(state.rows.weights, node.start, node.end)
    keys, histogram, buckets = scratch.keys, scratch.histogram, scratch.buckets
    left, right, parts = scratch.left, scratch.right, scratch.parts
    constant = start(criterion, totals, weight, left, right, parts)
    none = np.int64(0)  # typed: a literal would have callees compiled for it
    if n <= _SMALL and high - low >= _FEW_VALUES:
        for i in range(n):
            keys[i] = (np.int64(code[i]) << 32) | i
        insert_keys(keys, none, n)
        _walk(state, keys, none, n, none, classes, weights, constant)
        return 0
    stride = n_classes + 1
    shift = 0
    if (high - low) * n_classes >= 2 * n:
        # Coarse enough for the histogram's memory, and for reading it to cost less than filling.
        n_most = max(n // (2 + n_classes // 2), 8)
        while ((high - low) >> shift) >= n_most:
            shift += 1
    n_buckets = ((high - low) >> shift) + 1
    for b in range(n_buckets * stride):
        histogram[b] = 0.0
    for i in range(n):
        b = ((code[i] - low) >> shift) * stride
        histogram[b + classes[i]] += weights[i]
        histogram[b + n_classes] += 1.0
    n_left = 0
    for b in range(n_buckets - 1):
        n_inside = int(histogram[b * stride + n_classes])
        if n_inside > 0:
            for k in range(n_classes):
                if histogram[b * stride + k] > 0.0:
                    move(criterion, k, histogram[b * stride + k], left, right, parts)
            n_left += n_inside
            if may_improve(criterion, parts, constant, best.score):
                offer(state, n_left, constant, low + ((b + 1) << shift) - 1)
    if shift == 0:
        return 0
    n_marked = _mark(
        histogram, n_buckets, totals, node.weight, criterion, left, best.score, buckets
    )
    if n_marked == 0:
        return 0
    for i in range(n):
        mark = histogram[((code[i] - low) >> shift) * stride + n_classes]
        if mark < 0.0:
            m = int(-mark) - 1
            keys[buckets[m, 1]] = (np.int64(code[i]) << 32) | i
            buckets[m, 1] += 1
    _refine(state, n_marked, n_buckets, classes, weights, constant)
    return 0
