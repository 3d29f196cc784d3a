"""Small subtrees: their rows are sorted once by every feature, and kept sorted on the way down.

Most nodes of a tree have few rows. To read and to sort those again for each of them would be
most of the work; a block of rows is sorted at the first node that is small enough, and each
split below divides the orders. Rows have numbers in the block that never change; arrays of
one entry a row are by these numbers.
"""

import numpy as np

from skextra._core.runtime.entries import (
    inlined_kernel,
    kernel,
    view_float64,
    view_int32,
    view_int64,
    view_uint8,
    view_uint16,
    view_uint32,
)
from skextra._core.tree import search_binary, search_classes, search_sums, slots
from skextra._core.tree.criteria import compute_limits
from skextra._core.tree.encode import DENSE_8, DENSE_16
from skextra._core.tree.problem import BINARY, SUMS
from skextra._core.tree.records import EXACT, FEATURE

# Numbers of rows take a byte, and six bits of a key.
BLOCK_ROWS = 64
# Codes are to leave room for the number in a key of 31 bits.
MOST_CODES = 1 << 25
_LANES = 16


@inlined_kernel
def _locate_order(t, feature):
    """Address of the numbers of the node's rows in the order of a feature."""
    return t[slots.BLOCK_ORDERS] + BLOCK_ROWS * feature + t[slots.START] - t[slots.BLOCK_START]


@inlined_kernel
def _locate_places(t):
    """Address of the numbers of the node's rows in the order in which they stand."""
    return t[slots.BLOCK_PLACES] + t[slots.START] - t[slots.BLOCK_START]


@inlined_kernel
def _locate_codes(t, feature):
    """Address of a feature's codes in the block."""
    return t[slots.BLOCK_CODES] + 4 * BLOCK_ROWS * feature


@kernel
def _read(codes, first, stride, rows, out):
    for i in range(len(rows)):
        out[i] = np.int32(codes[first + stride * np.uint64(rows[i])])


@inlined_kernel
def _read_codes(t, feature, rows, out):
    size, stride = t[slots.N_SAMPLES] * t[slots.N_FEATURES], np.uint64(t[slots.N_FEATURES])
    first, address = np.uint64(feature), t[slots.CODES_BY_ROW]
    if t[slots.DATA_KIND] == DENSE_8:
        _read(view_uint8(address, size), first, stride, rows, out)
    elif t[slots.DATA_KIND] == DENSE_16:
        _read(view_uint16(address, size), first, stride, rows, out)
    else:
        _read(view_uint32(address, size), first, stride, rows, out)


@inlined_kernel
def enter_block(t, features, n_known):
    """Whether the node is in a block; of one that could begin a block, sort the rows.

    Parameters
    ----------
    t : ndarray of int64
        The table of `slots`, with START and END of the node.
    features : ndarray of int32
        The first `n_known` are constant, here and below.
    """
    start, end = t[slots.START], t[slots.END]
    n = end - start
    if n > t[slots.BLOCK_SIZE]:
        return False
    if t[slots.BLOCK_START] <= start and end <= t[slots.BLOCK_END]:
        return True
    t[slots.BLOCK_START], t[slots.BLOCK_END] = start, end
    rows, places = view_uint32(t[slots.ROWS] + 4 * start, n), view_uint8(_locate_places(t), n)
    for i in range(n):
        places[i] = i
    _copy_payload(t, n)
    n_padded = (n + _LANES - 1) // _LANES * _LANES
    keys, ranks = view_int32(t[slots.LOCAL], n_padded), view_int32(t[slots.ORDERED], n_padded)
    for p in range(n_known, len(features)):
        feature = np.int64(features[p])
        codes = view_int32(_locate_codes(t, feature), n)
        order = view_uint8(_locate_order(t, feature), n)
        _read_codes(t, feature, rows, codes)
        for i in range(n):
            keys[i] = codes[i] * np.int32(BLOCK_ROWS) + np.int32(i)
        for i in range(n, n_padded):
            keys[i] = 0
        _count_lower(keys, n, ranks)
        for i in range(n):
            order[np.uint32(ranks[i])] = i
    return True


@inlined_kernel
def _count_lower(keys, n, ranks):
    """Of each key how many of the first n are lower: its place, without a branch to mispredict."""
    for i in range(len(keys)):
        ranks[i] = 0
    for j in range(n):
        key = keys[j]
        for i in range(len(keys)):
            ranks[i] += np.int32(keys[i] > key)


@inlined_kernel
def _copy_payload(t, n):
    start, kind = t[slots.START], t[slots.KIND]
    if kind != SUMS:
        source = view_int64(t[slots.PAYLOAD] + 8 * start, n)
        target = view_int64(t[slots.BLOCK_PAYLOAD], n)
        for i in range(n):
            target[i] = source[i]
    if kind != BINARY:
        source_weights = view_float64(t[slots.ROW_WEIGHTS] + 8 * start, n)
        weights = view_float64(t[slots.BLOCK_WEIGHTS], n)
        for i in range(n):
            weights[i] = source_weights[i]
    if kind == SUMS:
        source_targets = view_float64(t[slots.ROW_TARGETS] + 8 * start, n)
        targets = view_float64(t[slots.BLOCK_TARGETS], n)
        for i in range(n):
            targets[i] = source_targets[i]


@inlined_kernel
def is_constant_in_block(t, feature):
    """Whether the node's rows do not differ in a feature."""
    codes, n = view_int32(_locate_codes(t, feature), BLOCK_ROWS), t[slots.END] - t[slots.START]
    order = view_uint8(_locate_places(t) if n == 2 else _locate_order(t, feature), n)
    t[slots.FEATURE] = feature
    return codes[order[0]] == codes[order[n - 1]]


@inlined_kernel
def search_block(t, floats, record, marks):
    """Offer every split of FEATURE."""
    kind, feature = t[slots.KIND], t[slots.FEATURE]
    if kind != SUMS and record[EXACT] == 0.0:
        return  # both sides are pure already: no split is better
    codes, n = view_int32(_locate_codes(t, feature), BLOCK_ROWS), t[slots.END] - t[slots.START]
    order = view_uint8(_locate_order(t, feature), n)
    if n == 2:
        if marks[FEATURE] >= 0:
            return  # there is but one way to part two rows
        _order_pair(codes, view_uint8(_locate_places(t), n), order)
    keys = view_int64(t[slots.KEYS], len(order))
    limits = compute_limits(
        t[slots.MIN_LEAF], floats[slots.MIN_WEIGHT], n, floats[slots.WEIGHT],
        floats[slots.IMPURITY],
    )  # fmt: skip
    payload = view_int64(t[slots.BLOCK_PAYLOAD], BLOCK_ROWS)
    if kind == BINARY:
        logs = view_float64(t[slots.LOGS], t[slots.N_LOGS])
        search_binary.search_sorted(codes, order, payload, t[slots.PACKED], limits,
                                    t[slots.CRITERION], logs, feature, keys, record,
                                    marks)  # fmt: skip
        return
    weights = view_float64(t[slots.BLOCK_WEIGHTS], BLOCK_ROWS)
    totals = view_float64(t[slots.TOTALS], t[slots.STRIDE])
    if kind == SUMS:
        targets = view_float64(t[slots.BLOCK_TARGETS], BLOCK_ROWS)
        # Of two classes, it is the second's share that is a mean.
        mean = totals[t[slots.STRIDE] - 1] / floats[slots.WEIGHT]
        search_sums.search_sorted(codes, order, weights, targets, floats[slots.WEIGHT], mean,
                                  limits, feature, keys, record, marks)  # fmt: skip
        return
    sides = (
        view_float64(t[slots.LEFT], t[slots.STRIDE]), view_float64(t[slots.RIGHT], t[slots.STRIDE]),
        view_float64(t[slots.PARTS], 4),
    )  # fmt: skip
    search_classes.search_sorted(codes, order, payload, weights, totals, floats[slots.WEIGHT],
                                 limits, t[slots.CRITERION], feature, keys, sides, record,
                                 marks)  # fmt: skip


@inlined_kernel
def _order_pair(codes, places, order):
    is_ordered = codes[places[0]] <= codes[places[1]]
    order[0] = places[0] if is_ordered else places[1]
    order[1] = places[1] if is_ordered else places[0]


@inlined_kernel
def load_codes(t, feature):
    """Codes of the node's rows, in the order in which they stand, into CODE."""
    n = t[slots.END] - t[slots.START]
    codes = view_int32(_locate_codes(t, feature), BLOCK_ROWS)
    places, out = view_uint8(_locate_places(t), n), view_int32(t[slots.CODE], n)
    for i in range(len(places)):
        out[i] = codes[places[i]]


@inlined_kernel
def divide_block(t, features, n_constant, feature, cut):
    """Divide the orders of all features that may still vary, as the rows were divided."""
    n = t[slots.END] - t[slots.START]
    if n == 2:
        return  # the children are leaves
    codes = view_int32(_locate_codes(t, feature), BLOCK_ROWS)
    places = view_uint8(_locate_places(t), n)
    sides, spare = view_uint8(t[slots.BLOCK_SIDES], BLOCK_ROWS), view_uint8(t[slots.SPARE], n)
    for i in range(n):
        sides[places[i]] = codes[places[i]] <= cut
    _divide(places, sides, spare)
    if n == 3:
        return  # a pair is ordered when it is looked at
    for p in range(n_constant, len(features)):
        _divide(view_uint8(_locate_order(t, np.int64(features[p])), n), sides, spare)


@inlined_kernel
def _divide(order, sides, spare):
    n_left = n_right = np.uint64(0)
    for q in range(len(order)):
        number = order[q]
        left = np.uint64(sides[number])
        order[n_left] = number
        spare[n_right] = number
        n_left += left
        n_right += np.uint64(1) - left
    for q in range(n_right):
        order[n_left + np.uint64(q)] = spare[q]
