"""Best split of a column for two classes and whole-numbered weights.

A row's payload packs three counts into one integer: 1 for the row itself, its
weight, and its weight if it is of the second class. Sums of payloads are then
histogram entries, prefix sums and statistics of a side, at one addition each.
"""

import numpy as np

from skextra._core.numerics.sorting import insert_keys, sort_run
from skextra._core.runtime.entries import (
    entry,
    inlined_kernel,
    kernel,
    view_float64,
    view_int32,
    view_int64,
    view_int64_rows,
)
from skextra._core.tree import slots
from skextra._core.tree.criteria import GINI, TOLERANCE, compute_binary_proxy
from skextra._core.tree.records import CUT, EXACT, FEATURE, SCORE

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
def offer(criterion, table, total, limits, sums, feature, cut, record, marks):
    """Take the split with `sums` on the left, if it is valid and better than the best."""
    left, weight = (sums >> BITS) & MASK, (total >> BITS) & MASK
    n_left, n_rows = sums >> (2 * BITS), total >> (2 * BITS)
    if n_left < limits[0] or n_rows - n_left < limits[0]:
        return
    if left < limits[1] or weight - left < limits[1]:
        return
    score = compute_score(criterion, table, weight, total & MASK, left, sums & MASK)
    if score < record[SCORE] - TOLERANCE * (1.0 + record[SCORE]):
        return
    exact = compute_binary_proxy(
        criterion, float(weight), float(total & MASK), float(left), float(sums & MASK)
    )
    is_earlier = marks[FEATURE] == feature and cut < marks[CUT]
    if exact > record[EXACT] or (exact == record[EXACT] and is_earlier):
        record[EXACT], record[SCORE] = exact, score
        marks[FEATURE], marks[CUT] = feature, cut


@kernel
def may_improve(criterion, weight, share, sums, record):
    """Whether to look closer at a split: a test without division of all `offer` would take."""
    if criterion != GINI:
        return True
    left = float((sums >> BITS) & MASK)
    excess = float(sums & MASK) - left * share
    least = record[SCORE] - 2 * TOLERANCE * (1.0 + record[SCORE])
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
def search_binary(code, payload, low, high, total, limits, criterion, table, feature, scratch,
                  record, marks):  # fmt: skip
    """Offer every split of a column's codes that may be the best.

    Parameters
    ----------
    code : ndarray of int32 of shape (n,)
    payload : ndarray of int64 of shape (n,)
    low, high : int
        Extremes of `code`, different.
    total : int
        Sum of `payload`.
    limits : tuple of int and float
        Least number of rows and least weight of a side.
    table : ndarray of float64
        x log(x) of every whole weight, for entropy.
    scratch : tuple of ndarray
        Keys, histogram, bucket marks, stack; integers.
    record, marks : ndarray
        The best split so far, of other columns too.
    """
    keys, histogram, buckets, stack = scratch
    n, none = len(code), np.int64(0)  # typed: a literal would have callees compiled for it
    if n <= _SMALL and high - low >= _FEW_VALUES:
        for i in range(n):
            keys[i] = _make_key(code[i], payload[i])
        insert_keys(keys, none, n)
        _walk(keys, none, n, none, total, limits, criterion, table, feature, record, marks)
        return
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
            cut = low + ((b + 1) << shift) - 1
            if may_improve(criterion, weight, share, sums, record):
                offer(criterion, table, total, limits, sums, feature, cut, record, marks)
    if shift == 0:
        return
    n_marked = _mark(histogram, n_buckets, total, criterion, table, record, buckets)
    if n_marked == 0:
        return
    for i in range(n):
        mark = histogram[np.uint64((code[i] - low) >> shift)]
        if mark < 0:
            place = buckets[-mark - 1, 1]
            buckets[-mark - 1, 1] += 1
            keys[place] = _make_key(code[i], payload[i])
    begin = none
    for m in range(n_marked):
        end = buckets[m, 1]
        sort_run(keys, begin, end, stack)
        _walk(keys, begin, end, buckets[m, 0], total, limits, criterion, table, feature,
              record, marks)  # fmt: skip
        begin = end


@inlined_kernel
def search_sorted(code, order, payload, total, limits, criterion, table, feature, keys, record,
                  marks):  # fmt: skip
    """`search_binary` of rows whose order is known: `code` and `payload` are by their numbers."""
    n, none = len(order), np.int64(0)
    for q in range(n):
        keys[q] = _make_key(code[order[q]], payload[order[q]])
    _walk(keys, none, n, none, total, limits, criterion, table, feature, record, marks)


@inlined_kernel
def _mark(histogram, n_buckets, total, criterion, table, record, buckets):
    """Number the buckets that may hold a better split: the statistics before, and a place."""
    least = record[SCORE] - TOLERANCE * (1.0 + record[SCORE])
    sums, n_marked, place = np.int64(0), 0, 0
    for b in range(n_buckets):
        bucket = histogram[b]
        n_inside = bucket >> (2 * BITS)
        if n_inside > 1 and _bound(criterion, table, total, sums, bucket) >= least:
            buckets[n_marked, 0], buckets[n_marked, 1] = sums, place
            place += n_inside
            n_marked += 1
            histogram[b] = -n_marked
        sums += bucket
    return n_marked


@inlined_kernel
def _walk(keys, begin, end, sums, total, limits, criterion, table, feature, record, marks):
    """Offer the splits between the sorted keys of a run."""
    weight = float((total >> BITS) & MASK)
    share = float(total & MASK) / weight
    for q in range(begin, end - 1):
        key = keys[q]
        sums += ROW | (((key >> 16) & 0xFFFF) << BITS) | (key & 0xFFFF)
        if (key >> 32) != (keys[q + 1] >> 32) and may_improve(
            criterion, weight, share, sums, record
        ):
            offer(criterion, table, total, limits, sums, feature, key >> 32, record, marks)


@entry
def enter_search_binary(address):
    """`search_binary` with arguments from the table of `slots`."""
    t = view_int64(address, slots.N_SLOTS)
    floats = view_float64(t[slots.FLOATS], slots.N_FLOATS)
    n = t[slots.END] - t[slots.START]
    scratch = (
        view_int64(t[slots.KEYS], t[slots.CAPACITY]),
        view_int64(t[slots.HISTOGRAM], 2 * t[slots.CAPACITY] + 8),
        view_int64_rows(t[slots.BUCKETS], t[slots.CAPACITY], 2),
        view_int64_rows(t[slots.STACK], 64, 2),
    )
    search_binary(
        view_int32(t[slots.CODE], n), view_int64(t[slots.PAYLOAD] + 8 * t[slots.START], n),
        t[slots.LOW], t[slots.HIGH], t[slots.PACKED],
        (t[slots.MIN_LEAF], floats[slots.MIN_WEIGHT]), t[slots.CRITERION],
        view_float64(t[slots.LOGS], t[slots.N_LOGS]), t[slots.FEATURE], scratch,
        view_float64(t[slots.RECORD], 4), view_int64(t[slots.MARKS], 4),
    )  # fmt: skip
    return 0
