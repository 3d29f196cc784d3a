"""Small subtrees: their rows are sorted once by every feature, and kept sorted on the way down.

Most nodes of a tree have few rows. To read and to sort those again for each of them would be
most of the work; a block of rows is sorted at the first node that is small enough, and each
split below divides the orders. Rows have numbers in the block that never change; arrays of
one entry per row are by these numbers.
"""

import numpy as np

from skextra._core.runtime.entries import entry, inlined_kernel, part, spliced_kernel
from skextra._core.tree.criterion_table import BINARY, SUMS
from skextra._core.tree.encode import DENSE_8, DENSE_16
from skextra._core.tree.state import State

# Numbers of rows take a byte, and six bits of a key.
BLOCK_ROWS = 64
# Codes are to leave room for the number in a key of 31 bits.
MOST_CODES = 1 << 25
_LANES = 16


@spliced_kernel
def get_places(state):
    """Numbers of the node's rows in the order in which they stand."""
    block, node = state.block, state.node
    return part(block.places, node.start - block.start, node.end - block.start)


@spliced_kernel
def get_order(state, feature):
    """Numbers of the node's rows in the order of a feature."""
    block, node = state.block, state.node
    first = BLOCK_ROWS * feature - block.start
    return part(block.orders, first + node.start, first + node.end)


@spliced_kernel
def get_codes(state, feature):
    """A feature's codes of the block's rows, by number."""
    return part(state.block.codes, BLOCK_ROWS * feature, BLOCK_ROWS * (feature + 1))


@inlined_kernel
def _read(codes, first, stride, rows, out):
    for i in range(len(rows)):
        out[i] = np.int32(codes[first + stride * np.uint64(rows[i])])


@inlined_kernel
def _read_codes(codes, feature, rows, out):
    first, stride = np.uint64(feature), np.uint64(codes.n_features)
    if codes.kind == DENSE_8:
        _read(codes.by_row_8, first, stride, rows, out)
    elif codes.kind == DENSE_16:
        _read(codes.by_row_16, first, stride, rows, out)
    else:
        _read(codes.by_row_32, first, stride, rows, out)


@entry(State)
def enter_block(state):
    """Make sure that the node is in a block: if not in the last one, it begins another."""
    node, block, features = state.node, state.block, state.sampler.features
    start, end = node.start, node.end
    if block.start <= start and end <= block.end:
        return 0
    block.start, block.end = start, end
    n = end - start
    rows, places, keys, ranks = (
        part(state.rows.numbers, start, end), get_places(state), block.keys, block.ranks,
    )  # fmt: skip
    for i in range(n):
        places[i] = i
    _copy_payload(state, n)
    n_padded = (n + _LANES - 1) // _LANES * _LANES
    # Features known to be constant come first, and stay constant below.
    for p in range(node.n_constant, len(features)):
        feature = np.int64(features[p])
        codes, order = get_codes(state, feature), get_order(state, feature)
        _read_codes(state.codes, feature, rows, codes)
        for i in range(n):
            keys[i] = codes[i] * np.int32(BLOCK_ROWS) + np.int32(i)
        for i in range(n, n_padded):
            keys[i] = 0
        _count_lower(part(keys, 0, n_padded), n, ranks)
        for i in range(n):
            order[np.uint32(ranks[i])] = i
    return 0


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
def _copy_payload(state, n):
    rows, block, start, search = state.rows, state.block, state.node.start, state.problem.search
    if search != SUMS:
        for i in range(n):
            block.payload[i] = rows.payload[start + i]
    if search != BINARY:
        for i in range(n):
            block.weights[i] = rows.weights[start + i]
    if search == SUMS:
        for i in range(n):
            block.targets[i] = rows.targets[start + i]


@inlined_kernel
def is_constant_in_block(state):
    """Whether the node's rows do not differ in the current column."""
    feature = state.column.feature
    codes = get_codes(state, feature)
    # A pair is ordered when it is searched.
    is_pair = state.node.end - state.node.start == 2
    order = get_places(state) if is_pair else get_order(state, feature)
    return codes[order[0]] == codes[order[len(order) - 1]]


@spliced_kernel
def order_column(state):
    """Codes of the current column by number, and the order of the node's rows."""
    feature = state.column.feature
    codes, order = get_codes(state, feature), get_order(state, feature)
    if len(order) == 2:
        places = get_places(state)
        is_ordered = codes[places[0]] <= codes[places[1]]
        order[0] = places[0] if is_ordered else places[1]
        order[1] = places[1] if is_ordered else places[0]
    return codes, order


@inlined_kernel
def load_codes(state, feature):
    """Codes of the node's rows, in the order in which they stand, into `scratch.code`."""
    codes, places, out = get_codes(state, feature), get_places(state), state.scratch.code
    for i in range(len(places)):
        out[i] = codes[places[i]]


@entry(State)
def divide_block(state):
    """Divide the orders of all features that may still vary, as the rows were divided."""
    node, block, features, best = state.node, state.block, state.sampler.features, state.best
    n = node.end - node.start
    if n == 2:
        return 0  # the children are leaves
    codes, places = get_codes(state, best.feature), get_places(state)
    sides, spare = block.sides, block.spare
    for i in range(n):
        sides[places[i]] = codes[places[i]] <= best.cut
    _divide(places, sides, spare)
    if n == 3:
        return 0  # a pair is ordered when it is searched
    for p in range(node.n_constant, len(features)):
        _divide(get_order(state, np.int64(features[p])), sides, spare)
    return 0


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
