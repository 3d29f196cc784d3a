"""Exact search for the best split of each node of a level, by buckets and bounds.

With weights ``w``, centered values ``v`` (in a node, ``sum v = 0``) and a split
that sends weight ``l`` and values ``d`` to the left, the impurity falls by::

    d^2 / l + d^2 / r                     r = sum w - l

for the squared error (``v = w (y - mean)``) and, but for a factor, for two
classes and Gini's criterion (``v = w (1[class 0] - p_0)``); for more classes the
numerator is the sum of ``d_k^2`` over the classes. It is convex in what a bucket
adds to the left, so that no split inside a bucket does better than the corners
of what can be added: buckets whose corners do not beat the best split between
buckets are never opened.

Gains that differ by rounding only are a tie. It goes to the feature with the lowest
index, then to the split that sends missing values right, then to the lowest value.
"""

import numpy as np

from skextra._core.boosting.presorted_columns import STRIDE
from skextra._core.runtime.jit import njit

# Bounds are rounded, too: they are widened by more than the rounding.
_WIDEN = 1.0 + 1e-9
# Relative difference up to which gains are a tie.
_TIE = 1e-10
#: Buckets that wait to be opened.
CAPACITY = 4096
# Special values of a best split's bucket: found inside one, or before the missing values.
INSIDE, BEFORE_MISSING = -1, -2
# Where missing values go, if the node has none: 0 is right and 1 left.
UNDECIDED = 2


@njit(error_model="numpy")
def add_up(codes, offsets, weights, histogram):
    """Add each row's weight to its bucket, in the part of the histogram its offset names."""
    for i in range(codes.size):
        histogram[offsets[i] + codes[i]] += weights[i]


@njit(error_model="numpy")
def add_up_listed(codes, rows, offsets, weights, histogram):
    """The same for some of the rows."""
    for position in range(rows.size):
        i = np.uint32(rows[position])
        histogram[offsets[i] + codes[i]] += weights[i]


@njit(error_model="numpy")
def _offer(gain, slot, feature, bucket, side, position, weigh, choice):
    """Take a split for the best one of its slot if it is; says whether it was taken."""
    best = weigh[slot]
    if not gain >= 0.0 or gain < best * (1.0 - _TIE):
        return False
    if gain <= best * (1.0 + _TIE):
        key, held = (feature, side, position), (choice[slot, 0], choice[slot, 2], choice[slot, 3])
        if key >= held:
            return False
    weigh[slot] = max(gain, best)
    choice[slot, 0], choice[slot, 1], choice[slot, 2] = feature, bucket, side
    choice[slot, 3] = position
    return True


@njit(error_model="numpy")
def scan_values(
    feature,
    slot,
    buckets,
    n_buckets,
    is_mixed,
    edges,
    total,
    reach,
    weigh,
    choice,
    place,
    waiting,
    starts,
):
    """Best split between buckets, of values; buckets that may hide a better one are noted.

    Parameters
    ----------
    buckets : ndarray of shape (3, 256)
        Weight, positive and negative values in each bucket; missing values after
        the last.
    total : float
        Weight of the node.
    reach : float
        Largest absolute value for a unit of weight.
    weigh, choice : ndarray
        Gain, and feature, bucket, direction of missing values and position, of the
        best split of each slot.
    place : ndarray of shape (1,)
        How many buckets wait.
    waiting, starts : ndarray
        Feature, slot, bucket and direction, and bound, weight and value on the left.
    """
    last = n_buckets - 1
    while last >= 0 and buckets[0, last] == 0.0:
        last -= 1
    missing = buckets[0, n_buckets]
    for direction in range(1 if missing == 0.0 else 2):
        side = direction if missing > 0.0 else UNDECIDED
        left, d = 0.0, 0.0
        if direction == 1:
            left, d = missing, buckets[1, n_buckets] + buckets[2, n_buckets]
        for b in range(last + 1):
            weight = buckets[0, b]
            if weight == 0.0:
                continue
            if is_mixed[b]:
                low, high = d + buckets[2, b], d + buckets[1, b]
                d_max = max(abs(low), abs(high))
                before, after = d_max * reach, d_max * reach
                if left > 0.0:
                    before = min(before, d_max * d_max / left)
                if total - left - weight > 0.0:
                    after = min(after, d_max * d_max / (total - left - weight))
                bound = (before + after) * _WIDEN
                if bound > weigh[slot]:
                    n = place[0]
                    waiting[n, 0], waiting[n, 1], waiting[n, 2] = feature, slot, b
                    waiting[n, 3] = side
                    starts[n, 0], starts[n, 1], starts[n, 2] = bound, left, d
                    place[0] = n + 1
            left += weight
            d += buckets[1, b] + buckets[2, b]
            right = total - left
            if b < last or (missing > 0.0 and direction == 0):
                gain = d * d * total / (left * right) if right > 0.0 else -1.0
                bucket = b if b < last else BEFORE_MISSING
                if gain >= weigh[slot] * (1.0 - _TIE):
                    position = np.int64(edges[b + 1])
                    _offer(gain, slot, feature, bucket, side, position, weigh, choice)


@njit(error_model="numpy")
def open_buckets_of_values(
    values,
    order,
    edges,
    slots,
    weights,
    signed,
    totals,
    weigh,
    choice,
    ends,
    place,
    waiting,
    starts,
):
    """Look for better splits inside the buckets that wait, row by row.

    Parameters
    ----------
    slots : ndarray of shape (n_samples,) and uint8
    weights, signed : ndarray of shape (n_samples,)
        Weight and centered value of each row.
    totals : ndarray of shape (n_slots,)
    ends : ndarray of shape (n_slots, 2) and float32
        Values on both sides of the best split, where it is inside a bucket.
    """
    inside = np.int64(INSIDE)  # not a literal, for which a kernel is compiled apart
    for n in range(place[0]):
        feature, slot, b = waiting[n, 0], waiting[n, 1], waiting[n, 2]
        if starts[n, 0] <= weigh[slot]:
            continue
        left, d, total = starts[n, 1], starts[n, 2], totals[slot]
        started, last = False, np.float32(0.0)
        for position in range(edges[feature, b], edges[feature, b + 1]):
            i = order[feature, position]
            if slots[i] != slot:
                continue
            value = values[feature, i]
            if started and value > last:
                gain = d * d * total / (left * (total - left))
                gain = gain if total > left else -1.0
                if gain >= weigh[slot] * (1.0 - _TIE) and _offer(
                    gain, slot, feature, inside, waiting[n, 3], position, weigh, choice
                ):
                    ends[slot, 0], ends[slot, 1] = last, value
            started, last = True, value
            left += weights[i]
            d += signed[i]
    place[0] = 0


@njit(error_model="numpy")
def scan_classes(
    feature, slot, buckets, n_buckets, is_mixed, edges, totals, total, weigh, choice, place,
    waiting, starts, left,
):  # fmt: skip
    """`scan_values` for more than two classes.

    Parameters
    ----------
    buckets : ndarray of shape (n_classes, 256)
        Weight of each class in each bucket.
    totals : ndarray of shape (n_classes,)
    left : ndarray of shape (n_classes,)
        Scratch.
    """
    n_classes = totals.size
    last = n_buckets - 1
    while last >= 0 and _sum_bucket(buckets, last) == 0.0:
        last -= 1
    missing = _sum_bucket(buckets, n_buckets)
    for direction in range(1 if missing == 0.0 else 2):
        side = direction if missing > 0.0 else UNDECIDED
        n_left = 0.0
        for k in range(n_classes):
            left[k] = buckets[k, n_buckets] if direction == 1 else 0.0
            n_left += left[k]
        for b in range(last + 1):
            weight = _sum_bucket(buckets, b)
            if weight == 0.0:
                continue
            if is_mixed[b]:
                bound = _bound_bucket(buckets, b, weight, left, n_left, totals, total)
                if bound > weigh[slot]:
                    n = place[0]
                    waiting[n, 0], waiting[n, 1], waiting[n, 2] = feature, slot, b
                    waiting[n, 3] = side
                    starts[n, 0], starts[n, 1] = bound, n_left
                    for k in range(n_classes):
                        starts[n, 2 + k] = left[k]
                    place[0] = n + 1
            n_left += weight
            for k in range(n_classes):
                left[k] += buckets[k, b]
            if b < last or (missing > 0.0 and direction == 0):
                gain = _compute_gain(left, n_left, totals, total)
                bucket = b if b < last else BEFORE_MISSING
                if gain >= weigh[slot] * (1.0 - _TIE):
                    position = np.int64(edges[b + 1])
                    _offer(gain, slot, feature, bucket, side, position, weigh, choice)


@njit(error_model="numpy")
def _sum_bucket(buckets, b):
    weight = 0.0
    for k in range(buckets.shape[0]):
        weight += buckets[k, b]
    return weight


@njit(error_model="numpy")
def _compute_gain(left, n_left, totals, total):
    squares, share = 0.0, n_left / total
    for k in range(totals.size):
        d = left[k] - totals[k] * share
        squares += d * d
    if not total > n_left:
        return -1.0
    return squares * total / (n_left * (total - n_left))


@njit(error_model="numpy")
def _bound_bucket(buckets, b, weight, left, n_left, totals, total):
    """Upper bound of the gain of a split inside bucket `b`."""
    squares, distance = 0.0, 0.0
    for k in range(totals.size):
        prior = totals[k] / total
        d = left[k] - prior * n_left
        low = d - prior * (weight - buckets[k, b])
        high = d + (1.0 - prior) * buckets[k, b]
        d_max = max(abs(low), abs(high))
        squares += d_max * d_max
        distance += d_max
    before, after = distance, distance
    if n_left > 0.0:
        before = min(before, squares / n_left)
    if total - n_left - weight > 0.0:
        after = min(after, squares / (total - n_left - weight))
    return (before + after) * _WIDEN


@njit(error_model="numpy")
def open_buckets_of_classes(
    values, order, edges, slots, weights, y, totals, total, weigh, choice, ends, place, waiting,
    starts, left,
):  # fmt: skip
    """`open_buckets_of_values` for more than two classes."""
    n_classes = totals.shape[1]
    inside = np.int64(INSIDE)  # not a literal, for which a kernel is compiled apart
    for n in range(place[0]):
        feature, slot, b = waiting[n, 0], waiting[n, 1], waiting[n, 2]
        if starts[n, 0] <= weigh[slot]:
            continue
        n_left = starts[n, 1]
        for k in range(n_classes):
            left[k] = starts[n, 2 + k]
        started, last = False, np.float32(0.0)
        for position in range(edges[feature, b], edges[feature, b + 1]):
            i = order[feature, position]
            if slots[i] != slot:
                continue
            value = values[feature, i]
            if started and value > last:
                gain = _compute_gain(left, n_left, totals[slot], total[slot])
                if gain >= weigh[slot] * (1.0 - _TIE) and _offer(
                    gain, slot, feature, inside, waiting[n, 3], position, weigh, choice
                ):
                    ends[slot, 0], ends[slot, 1] = last, value
            started, last = True, value
            n_left += weights[i]
            left[y[i]] += weights[i]
    place[0] = 0


@njit(error_model="numpy")
def find_ends(values, order, edges, slots, slot, feature, bucket, ends):
    """Values of the node's rows on both sides of the edge after a bucket."""
    position = edges[feature, bucket + 1] - 1
    while slots[order[feature, position]] != slot:
        position -= 1
    ends[slot, 0] = values[feature, order[feature, position]]
    position = edges[feature, bucket + 1]
    while slots[order[feature, position]] != slot:
        position += 1
    ends[slot, 1] = values[feature, order[feature, position]]


def make_scratch(n_slots, n_planes):
    """Histogram of a level, and the buckets that wait.

    Returns
    -------
    histogram : ndarray of shape ((n_slots + 1) * n_planes * 256,)
        One part more, for the rows that are in no slot.
    waiting : ndarray of shape (CAPACITY + 512, 4) and int64
    starts : ndarray of shape (CAPACITY + 512, n_planes + 2)
    """
    histogram = np.zeros((n_slots + 1) * n_planes * STRIDE)
    size = CAPACITY + 2 * STRIDE  # a column adds its own before they are opened
    return histogram, np.empty((size, 4), dtype=np.int64), np.empty((size, n_planes + 2))
