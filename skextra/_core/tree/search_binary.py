"""Best split of a column for two classes and whole-numbered weights.

A row's payload packs three counts into one integer: 1 for the row itself, its
weight, and its weight if it is of the second class. Sums of payloads are then
histogram entries, prefix sums and statistics of a side, at one addition each.
"""

import numpy as np

from skextra._core.numerics.sorting import insert_keys, sort_run
from skextra._core.runtime.entries import entry, inlined_kernel, kernel, part
from skextra._core.tree.criteria import TOLERANCE, compute_binary_proxy
from skextra._core.tree.criterion_table import GINI
from skextra._core.tree.sorted_block import order_column
from skextra._core.tree.state import State

BITS = 21
MASK = (1 << BITS) - 1
# Total weight must stay below this, and a row's own weight below the other.
MAX_TOTAL, MAX_WEIGHT = 1 << BITS, 1 << 16
ROW = 1 << (2 * BITS)
# Up to so many rows are sorted by insertion, unless their codes are so few that counting is less.
_SMALL, _FEW_VALUES = 28, 2


@kernel
def compute_score(criterion, table, weight, second, left, left_second):
    """Decrease of the node's impurity times its weight, up to a constant factor."""
    right = weight - left
    if criterion == GINI:
        excess = left_second - left * (second / weight)
        return excess * excess * weight / (left * right)
    right_second = second - left_second
    return (
        table[left_second] + table[left - left_second] - table[left]
        + table[right_second] + table[right - right_second] - table[right]
        - table[second] - table[weight - second] + table[weight]
    )  # fmt: skip


@kernel
def offer(state, total, sums, cut):
    """Take the split with `sums` on the left, if it is valid and better than the best."""
    problem, best, min_weight = state.problem, state.best, state.node.min_weight
    left, weight = (sums >> BITS) & MASK, (total >> BITS) & MASK
    n_left, n_rows = sums >> (2 * BITS), total >> (2 * BITS)
    if n_left < problem.min_samples_leaf or n_rows - n_left < problem.min_samples_leaf:
        return
    if left < min_weight or weight - left < min_weight:
        return
    criterion, feature = problem.criterion, state.column.feature
    score = compute_score(criterion, problem.logs, weight, total & MASK, left, sums & MASK)
    if score < best.score - TOLERANCE * (1.0 + best.score):
        return
    exact = compute_binary_proxy(
        criterion, float(weight), float(total & MASK), float(left), float(sums & MASK)
    )
    is_earlier = best.feature == feature and cut < best.cut
    if exact > best.exact or (exact == best.exact and is_earlier):
        best.exact, best.score = exact, score
        best.feature, best.cut = feature, cut


@kernel
def may_improve(criterion, weight, share, sums, score):
    """Whether to look closer at a split: a test without division of all `offer` would take."""
    if criterion != GINI:
        return True
    left = float((sums >> BITS) & MASK)
    excess = float(sums & MASK) - left * share
    least = score - 2 * TOLERANCE * (1.0 + score)
    return excess * excess * weight >= least * (left * (weight - left))


@kernel
def _bound(criterion, table, total, before, bucket):
    """At least the score of every split inside a bucket, from its extreme compositions."""
    weight, second = (total >> BITS) & MASK, total & MASK
    left, left_second = (before >> BITS) & MASK, before & MASK
    inside, inside_second = (bucket >> BITS) & MASK, bucket & MASK
    inside_first = inside - inside_second
    if criterion != GINI:
        upper = compute_score(
            criterion, table, weight, second, left + inside_second, left_second + inside_second
        )
        lower = compute_score(criterion, table, weight, second, left + inside_first, left_second)
        return max(upper, lower)
    share = second / weight
    excess = left_second - left * share
    largest = max(abs(excess + (1.0 - share) * inside_second), abs(excess - share * inside_first))
    w_low, w_high = max(left, 1), min(left + inside, weight - 1)
    return largest * largest * weight / min(w_low * (weight - w_low), w_high * (weight - w_high))


@kernel
def _make_key(code, payload):
    """Sorts by code; below it the weight, and the weight of the second class."""
    return (np.int64(code) << 32) | (((payload >> BITS) & MASK) << 16) | (payload & MASK)


@inlined_kernel
def _mark(n_buckets, total, criterion, logs, histogram, best_score, buckets):
    """Number the buckets that may hold a better split: the statistics before, and a place."""
    least = best_score - TOLERANCE * (1.0 + best_score)
    sums, n_marked, place = np.int64(0), 0, 0
    for b in range(n_buckets):
        bucket = histogram[b]
        n_inside = bucket >> (2 * BITS)
        if n_inside > 1 and _bound(criterion, logs, total, sums, bucket) >= least:
            buckets[n_marked, 0], buckets[n_marked, 1] = sums, place
            place += n_inside
            n_marked += 1
            histogram[b] = -n_marked
        sums += bucket
    return n_marked


@inlined_kernel
def _walk(state, keys, begin, end, sums, total):
    """Offer the splits between the sorted keys of a run."""
    weight, criterion, best = float((total >> BITS) & MASK), state.problem.criterion, state.best
    share = float(total & MASK) / weight
    for q in range(begin, end - 1):
        key = keys[q]
        sums += ROW | (((key >> 16) & 0xFFFF) << BITS) | (key & 0xFFFF)
        if (key >> 32) != (keys[q + 1] >> 32) and may_improve(
            criterion, weight, share, sums, best.score
        ):
            offer(state, total, sums, key >> 32)


@entry(State)
def search_binary_block(state):
    """`search_binary` of a node whose rows are kept sorted."""
    codes, order = order_column(state)
    keys, payload, none = state.scratch.keys, state.block.payload, np.int64(0)
    for q in range(len(order)):
        keys[q] = _make_key(codes[order[q]], payload[order[q]])
    _walk(state, keys, none, len(order), none, state.node.packed)
    return 0


@entry(State)
def search_binary(state):
    """Offer every split of the current column that may be the best."""
    scratch, node, column, best = state.scratch, state.node, state.column, state.best
    criterion, logs, total = state.problem.criterion, state.problem.logs, node.packed
    low, high = column.low, column.high
    n, none = node.end - node.start, np.int64(0)  # typed: a literal has callees compiled for it
    code, payload = part(scratch.code, 0, n), part(state.rows.payload, node.start, node.end)
    keys, histogram, buckets = scratch.keys, scratch.packed_histogram, scratch.buckets
    if n <= _SMALL and high - low >= _FEW_VALUES:
        for i in range(n):
            keys[i] = _make_key(code[i], payload[i])
        insert_keys(keys, none, n)
        _walk(state, keys, none, n, none, total)
        return 0
    shift = 0
    if high - low >= 2 * n:
        while ((high - low) >> shift) >= (n >> 2):
            shift += 1
    n_buckets = ((high - low) >> shift) + 1
    for b in range(n_buckets):
        histogram[b] = 0
    for i in range(n):
        histogram[np.uint64((code[i] - low) >> shift)] += payload[i]
    sums, weight = 0, float((total >> BITS) & MASK)
    share = float(total & MASK) / weight
    for b in range(n_buckets - 1):
        if histogram[b] != 0:
            sums += histogram[b]
            if may_improve(criterion, weight, share, sums, best.score):
                offer(state, total, sums, low + ((b + 1) << shift) - 1)
    if shift == 0:
        return 0
    n_marked = _mark(n_buckets, total, criterion, logs, histogram, best.score, buckets)
    if n_marked == 0:
        return 0
    for i in range(n):
        mark = histogram[np.uint64((code[i] - low) >> shift)]
        if mark < 0:
            place = buckets[-mark - 1, 1]
            buckets[-mark - 1, 1] += 1
            keys[place] = _make_key(code[i], payload[i])
    begin = none
    for m in range(n_marked):
        end = buckets[m, 1]
        sort_run(keys, begin, end, scratch.stack)
        _walk(state, keys, begin, end, buckets[m, 0], total)
        begin = end
    return 0
