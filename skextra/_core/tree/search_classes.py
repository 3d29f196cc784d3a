"""Best split of a column for any number of classes and any positive weights."""

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
from skextra._core.tree.criteria import (
    GINI,
    TOLERANCE,
    compute_impurity,
    compute_limits,
    multiply_by_log,
)
from skextra._core.tree.records import CUT, EXACT, FEATURE, SCORE

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
def offer(criterion, limits, n_rows, n_left, left, right, parts, constant, feature, cut, record,
          marks):  # fmt: skip
    """Take the split with class weights `left` and `right`, if it is valid and better."""
    w_left, w_right = parts[2], parts[3]
    if n_left < limits[0] or n_rows - n_left < limits[0]:
        return
    if w_left < limits[1] or w_right < limits[1] or w_left <= 0.0 or w_right <= 0.0:
        return
    if criterion == GINI:
        score = parts[0] / w_left + parts[1] / w_right - constant
    else:
        score = parts[0] - multiply_by_log(w_left) + parts[1] - multiply_by_log(w_right) - constant
    if score < record[SCORE] - TOLERANCE * (1.0 + record[SCORE]):
        return
    impurity_left = compute_impurity(criterion, left, 0, len(left), w_left)
    impurity_right = compute_impurity(criterion, right, 0, len(right), w_right)
    exact = -w_right * impurity_right - w_left * impurity_left
    is_earlier = marks[FEATURE] == feature and cut < marks[CUT]
    if exact > record[EXACT] or (exact == record[EXACT] and is_earlier):
        record[EXACT], record[SCORE] = exact, score
        marks[FEATURE], marks[CUT] = feature, cut


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


@inlined_kernel
def search_classes(code, classes, weights, low, high, totals, weight, limits, criterion, feature,
                   scratch, record, marks):  # fmt: skip
    """Offer every split of a column's codes that may be the best.

    Parameters
    ----------
    code : ndarray of int32 of shape (n,)
    classes : ndarray of int64 of shape (n,)
    weights : ndarray of float64 of shape (n,)
        Positive.
    low, high : int
        Extremes of `code`, different.
    totals : ndarray of float64 of shape (n_classes,)
        Weight of each class.
    weight : float
        Their sum.
    limits, criterion, feature, record, marks
        As in `search_binary`.
    scratch : tuple of ndarray
        Keys, histogram, bucket marks, stack, left and right class weights, parts.
    """
    keys, histogram, buckets, stack, left, right, parts = scratch
    n, n_classes = len(code), len(totals)
    constant = start(criterion, totals, weight, left, right, parts)
    none = np.int64(0)  # typed: a literal would have callees compiled for it
    if n <= _SMALL and high - low >= _FEW_VALUES:
        for i in range(n):
            keys[i] = (np.int64(code[i]) << 32) | i
        insert_keys(keys, none, n)
        _walk(keys, none, n, n, none, classes, weights, criterion, left, right, parts, constant,
              limits, feature, record, marks)  # fmt: skip
        return
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
            cut = low + ((b + 1) << shift) - 1
            if may_improve(criterion, parts, constant, record):
                offer(criterion, limits, n, n_left, left, right, parts, constant, feature, cut,
                      record, marks)  # fmt: skip
    if shift == 0:
        return
    n_marked = _mark(histogram, n_buckets, totals, weight, criterion, left, record, buckets)
    if n_marked == 0:
        return
    for i in range(n):
        mark = histogram[((code[i] - low) >> shift) * stride + n_classes]
        if mark < 0.0:
            m = int(-mark) - 1
            keys[buckets[m, 1]] = (np.int64(code[i]) << 32) | i
            buckets[m, 1] += 1
    _refine(keys, n_marked, n_buckets, n_classes, classes, weights, totals, weight, criterion,
            limits, feature, constant, scratch, record, marks)  # fmt: skip


@inlined_kernel
def search_sorted(code, order, classes, weights, totals, weight, limits, criterion, feature, keys,
                  sides, record, marks):  # fmt: skip
    """`search_classes` of rows whose order is known: the other arrays are by their numbers."""
    left, right, parts = sides
    constant = start(criterion, totals, weight, left, right, parts)
    n, none = len(order), np.int64(0)
    for q in range(n):
        keys[q] = (np.int64(code[order[q]]) << 32) | order[q]
    _walk(keys, none, n, n, none, classes, weights, criterion, left, right, parts, constant, limits,
          feature, record, marks)  # fmt: skip


@kernel
def may_improve(criterion, parts, constant, record):
    """Whether to look closer at a split: a test without division of all `offer` would take."""
    if criterion != GINI:
        return True
    least = record[SCORE] - 2 * TOLERANCE * (1.0 + record[SCORE])
    product = parts[0] * parts[3] + parts[1] * parts[2]
    return product >= (least + constant) * (1.0 - 1e-12) * (parts[2] * parts[3])


@inlined_kernel
def _mark(histogram, n_buckets, totals, weight, criterion, left, record, buckets):
    """Number the buckets that may hold a better split.

    A class's excess on the left rises at most by its own weight in the bucket, less its
    expectation, and falls at most by its expectation of the others'. For entropy,
    chi-square is an upper bound of twice the divergence.
    """
    n_classes = len(totals)
    stride = n_classes + 1
    least = record[SCORE] - TOLERANCE * (1.0 + record[SCORE])
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
def _refine(keys, n_marked, n_buckets, n_classes, classes, weights, totals, weight, criterion,
            limits, feature, constant, scratch, record, marks):  # fmt: skip
    """Offer the splits inside the marked buckets."""
    _, histogram, buckets, stack, left, right, parts = scratch
    start(criterion, totals, weight, left, right, parts)
    stride = n_classes + 1
    begin, m = np.int64(0), 0
    for b in range(n_buckets):
        if histogram[b * stride + n_classes] >= 0.0:
            for k in range(n_classes):
                if histogram[b * stride + k] > 0.0:
                    move(criterion, k, histogram[b * stride + k], left, right, parts)
            continue
        end = buckets[m, 1]
        sort_run(keys, begin, end, stack)
        _walk(keys, begin, end, len(weights), buckets[m, 0], classes, weights, criterion, left,
              right, parts, constant, limits, feature, record, marks)  # fmt: skip
        last = keys[end - 1] & 0xFFFFFFFF
        move(criterion, classes[last], weights[last], left, right, parts)
        begin = end
        m += 1
        if m == n_marked:
            return


@inlined_kernel
def _walk(keys, begin, end, n_rows, n_left, classes, weights, criterion, left, right, parts,
          constant, limits, feature, record, marks):  # fmt: skip
    """Offer the splits between the sorted keys of a run; its last row stays on the right."""
    for q in range(begin, end - 1):
        i = keys[q] & 0xFFFFFFFF
        move(criterion, classes[i], weights[i], left, right, parts)
        n_left += 1
        if (keys[q] >> 32) != (keys[q + 1] >> 32) and may_improve(
            criterion, parts, constant, record
        ):
            offer(criterion, limits, n_rows, n_left, left, right, parts, constant, feature,
                  keys[q] >> 32, record, marks)  # fmt: skip


@entry
def enter_search_classes(address):
    """`search_classes` with arguments from the table of `slots`."""
    t = view_int64(address, slots.N_SLOTS)
    floats = view_float64(t[slots.FLOATS], slots.N_FLOATS)
    n, stride = t[slots.END] - t[slots.START], t[slots.STRIDE]
    scratch = (
        view_int64(t[slots.KEYS], t[slots.CAPACITY]),
        view_float64(t[slots.HISTOGRAM], 4 * t[slots.CAPACITY] + 16 * (stride + 1)),
        view_int64_rows(t[slots.BUCKETS], t[slots.CAPACITY], 2),
        view_int64_rows(t[slots.STACK], 64, 2),
        view_float64(t[slots.LEFT], stride),
        view_float64(t[slots.RIGHT], stride),
        view_float64(t[slots.PARTS], 4),
    )
    limits = compute_limits(
        t[slots.MIN_LEAF], floats[slots.MIN_WEIGHT], n, floats[slots.WEIGHT],
        floats[slots.IMPURITY],
    )  # fmt: skip
    search_classes(
        view_int32(t[slots.CODE], n), view_int64(t[slots.PAYLOAD] + 8 * t[slots.START], n),
        view_float64(t[slots.ROW_WEIGHTS] + 8 * t[slots.START], n), t[slots.LOW], t[slots.HIGH],
        view_float64(t[slots.TOTALS], stride), floats[slots.WEIGHT],
        limits, t[slots.CRITERION], t[slots.FEATURE],
        scratch, view_float64(t[slots.RECORD], 4), view_int64(t[slots.MARKS], 4),
    )  # fmt: skip
    return 0
