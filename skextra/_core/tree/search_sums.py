"""Best split of a column by sums of targets: squared error, and gini of two weighted classes."""

import numpy as np

from skextra._core.numerics.sorting import insert_keys, sort_run
from skextra._core.runtime.entries import entry, inlined_kernel, kernel, part
from skextra._core.tree.criteria import TIE
from skextra._core.tree.sorted_block import order_column
from skextra._core.tree.state import State

# Up to so many rows are sorted by insertion, unless their codes are so few that counting is less.
_SMALL, _FEW_VALUES = 28, 2
# Of a bucket: weight, sum and sum of magnitudes of the centered targets, rows.
STRIDE = 4
ONE, TWO, THREE = np.uint64(1), np.uint64(2), np.uint64(3)


@kernel
def offer(state, n_left, left, excess, cut):
    """Take the split with `excess`, its centered left sum, if it is valid and better."""
    problem, node, best, feature = state.problem, state.node, state.best, state.column.feature
    weight, right = node.weight, node.weight - left
    n_right = node.end - node.start - n_left
    if n_left < problem.min_samples_leaf or n_right < problem.min_samples_leaf:
        return
    least = node.min_weight
    if left < least or right < least or left <= 0.0 or right <= 0.0:
        return
    score = excess * excess * weight / (left * right)
    slack = TIE * max(best.score, 0.0) + node.zero_score
    is_earlier = best.feature == feature and cut < best.cut
    if score > best.score + slack or (is_earlier and score >= best.score - slack):
        best.exact, best.score = score, score
        best.feature, best.cut = feature, cut


@kernel
def may_improve(weight, left, excess, score):
    """Whether to look closer at a split: a test without division of all `offer` would take."""
    return excess * excess * weight >= score * (1.0 - 4 * TIE) * (left * (weight - left))


@inlined_kernel
def _fill(code, weights, targets, low, shift, mean, n_buckets, counts_rows, histogram):
    for b in range(STRIDE * n_buckets):
        histogram[b] = 0.0
    if counts_rows:
        for i in range(len(code)):
            b = np.uint64(STRIDE * ((code[i] - low) >> shift))
            centered = weights[i] * (targets[i] - mean)
            histogram[b] += weights[i]
            histogram[b + ONE] += centered
            histogram[b + TWO] += abs(centered)
            histogram[b + THREE] += 1.0
    else:
        # A row's share of the count is not asked for: one is enough for `n_left`.
        for i in range(len(code)):
            b = np.uint64(STRIDE * ((code[i] - low) >> shift))
            histogram[b] += weights[i]
            histogram[b + ONE] += weights[i] * (targets[i] - mean)
            histogram[b + THREE] = 1.0


@inlined_kernel
def _mark(histogram, n_buckets, weight, best_score, buckets, bucket_sums):
    """Number the buckets that may hold a better split, by a bound on their splits' scores.

    Inside a bucket the centered left sum is at most what adding all positive targets,
    or all negative ones, would make of it.
    """
    least = best_score * (1.0 - 1e-9) - 1e-300
    left, excess, n_left, n_marked, place = 0.0, 0.0, 0, 0, 0
    for b in range(n_buckets):
        inside = histogram[STRIDE * b]
        change, magnitude = histogram[STRIDE * b + 1], histogram[STRIDE * b + 2]
        n_inside = int(histogram[STRIDE * b + 3])
        if n_inside > 1:
            rise, fall = 0.5 * (magnitude + change), 0.5 * (magnitude - change)
            largest = max(abs(excess + rise), abs(excess - fall))
            after = left + inside
            smallest = min(left * (weight - left), after * (weight - after))
            # The first and last buckets have no bound: a side may be as light as a row.
            is_open = left <= 0.0 or b == n_buckets - 1 or smallest <= 0.0
            if is_open or largest * largest * weight >= least * smallest:
                buckets[n_marked, 0], buckets[n_marked, 1] = n_left, place
                bucket_sums[n_marked, 0], bucket_sums[n_marked, 1] = left, excess
                place += n_inside
                n_marked += 1
                histogram[STRIDE * b] = -float(n_marked)
        left += inside
        excess += change
        n_left += n_inside
    return n_marked


@inlined_kernel
def _walk(state, keys, begin, end, weights, targets, mean, n_left, left, excess):
    """Offer the splits between the sorted keys of a run."""
    weight, best = state.node.weight, state.best
    for q in range(begin, end - 1):
        i = keys[q] & 0xFFFFFFFF
        left += weights[i]
        excess += weights[i] * (targets[i] - mean)
        n_left += 1
        if (keys[q] >> 32) != (keys[q + 1] >> 32) and may_improve(weight, left, excess, best.score):
            offer(state, n_left, left, excess, keys[q] >> 32)


@inlined_kernel
def _compute_mean(state):
    # Of two classes, it is the second's share that is a mean.
    return state.node.totals[state.problem.stride - 1] / state.node.weight


@entry(State)
def search_sums_block(state):
    """`search_sums` of a node whose rows are kept sorted."""
    codes, order = order_column(state)
    keys, block, none = state.scratch.keys, state.block, np.int64(0)
    for q in range(len(order)):
        keys[q] = (np.int64(codes[order[q]]) << 32) | order[q]
    _walk(state, keys, none, len(order), block.weights, block.targets, _compute_mean(state), none,
          0.0, 0.0)  # fmt: skip
    return 0


@entry(State)
def search_sums(state):
    """Offer every split of the current column that may be the best."""
    scratch, node, column, best = state.scratch, state.node, state.column, state.best
    start, end_of_node, low, high, weight = (
        node.start,
        node.end,
        column.low,
        column.high,
        node.weight,
    )
    n, none = end_of_node - start, np.int64(0)  # typed: a literal has callees compiled for it
    code = part(scratch.code, 0, n)
    weights = part(state.rows.weights, node.start, node.end)
    targets = part(state.rows.targets, node.start, node.end)
    mean = _compute_mean(state)
    keys, histogram, buckets, sums = (
        scratch.keys, scratch.histogram, scratch.buckets, scratch.bucket_sums,
    )  # fmt: skip
    if n <= _SMALL and high - low >= _FEW_VALUES:
        for i in range(n):
            keys[i] = (np.int64(code[i]) << 32) | i
        insert_keys(keys, none, n)
        _walk(state, keys, none, n, weights, targets, mean, none, 0.0, 0.0)
        return 0
    shift = 0
    if high - low >= n:
        while ((high - low) >> shift) >= (n >> 2):
            shift += 1
    n_buckets = ((high - low) >> shift) + 1
    counts_rows = state.problem.min_samples_leaf > 1 or shift > 0
    _fill(code, weights, targets, low, shift, mean, n_buckets, counts_rows, histogram)
    left, excess, n_left = 0.0, 0.0, 0
    for b in range(n_buckets - 1):
        if histogram[STRIDE * b] != 0.0:
            left += histogram[STRIDE * b]
            excess += histogram[STRIDE * b + 1]
            n_left += int(histogram[STRIDE * b + 3])
            if may_improve(weight, left, excess, best.score):
                offer(state, n_left, left, excess, low + ((b + 1) << shift) - 1)
    if shift == 0:
        return 0
    n_marked = _mark(histogram, n_buckets, weight, best.score, buckets, sums)
    if n_marked == 0:
        return 0
    for i in range(n):
        mark = histogram[np.uint64(STRIDE * ((code[i] - low) >> shift))]
        if mark < 0.0:
            m = int(-mark) - 1
            keys[buckets[m, 1]] = (np.int64(code[i]) << 32) | i
            buckets[m, 1] += 1
    begin = none
    for m in range(n_marked):
        end = buckets[m, 1]
        sort_run(keys, begin, end, scratch.stack)
        _walk(
            state, keys, begin, end, weights, targets, mean, buckets[m, 0], sums[m, 0], sums[m, 1]
        )
        begin = end
    return 0
