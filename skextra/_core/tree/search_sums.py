"""Best split of a column by sums of targets: squared error, and gini of two weighted classes."""

import numpy as np

from skextra._core.numerics.sorting import insert_keys, sort_run
from skextra._core.runtime.entries import (
    entry,
    inlined_kernel,
    kernel,
    view_float64,
    view_float64_rows,
    view_int32,
    view_int64,
    view_int64_rows,
)
from skextra._core.tree import slots
from skextra._core.tree.criteria import TIE, compute_limits
from skextra._core.tree.records import CUT, EXACT, FEATURE, SCORE

# Up to so many rows are sorted by insertion, unless their codes are so few that counting is less.
_SMALL, _FEW_VALUES = 28, 2
# Of a bucket: weight, sum and sum of magnitudes of the centred targets, rows.
STRIDE = 4
ONE, TWO, THREE = np.uint64(1), np.uint64(2), np.uint64(3)


@kernel
def offer(weight, limits, n_rows, n_left, left, excess, feature, cut, record, marks):
    """Take the split with `excess`, its centred left sum, if it is valid and better."""
    right = weight - left
    if n_left < limits[0] or n_rows - n_left < limits[0]:
        return
    if left < limits[1] or right < limits[1] or left <= 0.0 or right <= 0.0:
        return
    score = excess * excess * weight / (left * right)
    slack = TIE * max(record[SCORE], 0.0) + limits[2]
    is_earlier = marks[FEATURE] == feature and cut < marks[CUT]
    if score > record[SCORE] + slack or (is_earlier and score >= record[SCORE] - slack):
        record[EXACT], record[SCORE] = score, score
        marks[FEATURE], marks[CUT] = feature, cut


@inlined_kernel
def search_sums(code, weights, targets, low, high, weight, mean, limits, feature, scratch,
                record, marks):  # fmt: skip
    """Offer every split of a column's codes that may be the best.

    Parameters
    ----------
    code : ndarray of int32 of shape (n,)
    weights, targets : ndarray of float64 of shape (n,)
        Weights are positive.
    low, high : int
        Extremes of `code`, different.
    weight, mean : float
        Sum of `weights`, and the weighted mean of `targets`.
    limits, feature, record, marks
        As in `search_binary`.
    scratch : tuple of ndarray
        Keys, histogram, bucket marks of integers and of floats, stack.
    """
    keys, histogram, buckets, bucket_sums, stack = scratch
    n, none = len(code), np.int64(0)  # typed: a literal would have callees compiled for it
    if n <= _SMALL and high - low >= _FEW_VALUES:
        for i in range(n):
            keys[i] = (np.int64(code[i]) << 32) | i
        insert_keys(keys, none, n)
        _walk(keys, none, n, n, none, 0.0, 0.0, weights, targets, weight, mean, limits, feature,
              record, marks)  # fmt: skip
        return
    shift = 0
    if high - low >= n:
        while ((high - low) >> shift) >= (n >> 2):
            shift += 1
    n_buckets = ((high - low) >> shift) + 1
    _fill(
        code, weights, targets, low, shift, mean, n_buckets, limits[0] > 1 or shift > 0, histogram
    )
    left, excess, n_left = 0.0, 0.0, 0
    for b in range(n_buckets - 1):
        if histogram[STRIDE * b] != 0.0:
            left += histogram[STRIDE * b]
            excess += histogram[STRIDE * b + 1]
            n_left += int(histogram[STRIDE * b + 3])
            cut = low + ((b + 1) << shift) - 1
            if may_improve(weight, left, excess, record):
                offer(weight, limits, n, n_left, left, excess, feature, cut, record, marks)
    if shift == 0:
        return
    n_marked = _mark(histogram, n_buckets, weight, record, buckets, bucket_sums)
    if n_marked == 0:
        return
    for i in range(n):
        mark = histogram[np.uint64(STRIDE * ((code[i] - low) >> shift))]
        if mark < 0.0:
            m = int(-mark) - 1
            keys[buckets[m, 1]] = (np.int64(code[i]) << 32) | i
            buckets[m, 1] += 1
    begin = none
    for m in range(n_marked):
        end = buckets[m, 1]
        sort_run(keys, begin, end, stack)
        _walk(keys, begin, end, n, buckets[m, 0], bucket_sums[m, 0], bucket_sums[m, 1], weights,
              targets, weight, mean, limits, feature, record, marks)  # fmt: skip
        begin = end


@inlined_kernel
def search_sorted(code, order, weights, targets, weight, mean, limits, feature, keys, record,
                  marks):  # fmt: skip
    """`search_sums` of rows whose order is known: the other arrays are by their numbers."""
    n, none = len(order), np.int64(0)
    for q in range(n):
        keys[q] = (np.int64(code[order[q]]) << 32) | order[q]
    _walk(keys, none, n, n, none, 0.0, 0.0, weights, targets, weight, mean, limits, feature, record,
          marks)  # fmt: skip


@kernel
def may_improve(weight, left, excess, record):
    """Whether to look closer at a split: a test without division of all `offer` would take."""
    return excess * excess * weight >= record[SCORE] * (1.0 - 4 * TIE) * (left * (weight - left))


@inlined_kernel
def _fill(code, weights, targets, low, shift, mean, n_buckets, counts_rows, histogram):
    for b in range(STRIDE * n_buckets):
        histogram[b] = 0.0
    if counts_rows:
        for i in range(len(code)):
            b = np.uint64(STRIDE * ((code[i] - low) >> shift))
            centred = weights[i] * (targets[i] - mean)
            histogram[b] += weights[i]
            histogram[b + ONE] += centred
            histogram[b + TWO] += abs(centred)
            histogram[b + THREE] += 1.0
    else:
        # A row's share of the count is not asked for: one is enough for `n_left`.
        for i in range(len(code)):
            b = np.uint64(STRIDE * ((code[i] - low) >> shift))
            histogram[b] += weights[i]
            histogram[b + ONE] += weights[i] * (targets[i] - mean)
            histogram[b + THREE] = 1.0


@inlined_kernel
def _mark(histogram, n_buckets, weight, record, buckets, bucket_sums):
    """Number the buckets that may hold a better split, by a bound on their splits' scores.

    Inside a bucket the centred left sum is at most what adding all positive targets,
    or all negative ones, would make of it.
    """
    least = record[SCORE] * (1.0 - 1e-9) - 1e-300
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
def _walk(keys, begin, end, n_rows, n_left, left, excess, weights, targets, weight, mean, limits,
          feature, record, marks):  # fmt: skip
    """Offer the splits between the sorted keys of a run."""
    for q in range(begin, end - 1):
        i = keys[q] & 0xFFFFFFFF
        left += weights[i]
        excess += weights[i] * (targets[i] - mean)
        n_left += 1
        if (keys[q] >> 32) != (keys[q + 1] >> 32) and may_improve(weight, left, excess, record):
            offer(weight, limits, n_rows, n_left, left, excess, feature,
                  keys[q] >> 32, record, marks)  # fmt: skip


@entry
def enter_search_sums(address):
    """`search_sums` with arguments from the table of `slots`."""
    t = view_int64(address, slots.N_SLOTS)
    floats = view_float64(t[slots.FLOATS], slots.N_FLOATS)
    totals = view_float64(t[slots.TOTALS], t[slots.STRIDE])
    n = t[slots.END] - t[slots.START]
    scratch = (
        view_int64(t[slots.KEYS], t[slots.CAPACITY]),
        view_float64(t[slots.HISTOGRAM], 4 * t[slots.CAPACITY] + 8),
        view_int64_rows(t[slots.BUCKETS], t[slots.CAPACITY], 2),
        view_float64_rows(t[slots.BUCKET_SUMS], t[slots.CAPACITY], 2),
        view_int64_rows(t[slots.STACK], 64, 2),
    )
    # Of two classes, it is the second's share that is a mean.
    mean = totals[t[slots.STRIDE] - 1] / floats[slots.WEIGHT]
    limits = compute_limits(
        t[slots.MIN_LEAF], floats[slots.MIN_WEIGHT], n, floats[slots.WEIGHT],
        floats[slots.IMPURITY],
    )  # fmt: skip
    search_sums(
        view_int32(t[slots.CODE], n), view_float64(t[slots.ROW_WEIGHTS] + 8 * t[slots.START], n),
        view_float64(t[slots.ROW_TARGETS] + 8 * t[slots.START], n), t[slots.LOW], t[slots.HIGH],
        floats[slots.WEIGHT], mean, limits, t[slots.FEATURE],
        scratch, view_float64(t[slots.RECORD], 4),
        view_int64(t[slots.MARKS], 4),
    )  # fmt: skip
    return 0
