"""Reading a column's codes for the rows of a node."""

import numpy as np

from skextra._core.runtime.entries import entry, kernel, part
from skextra._core.tree.encode import DENSE_8, DENSE_16
from skextra._core.tree.state import State

# Nodes of so many rows read them from the row-major copy, where they lie together.
_FEW = 4096


@kernel
def _read(codes, first, stride, rows, out):
    low, high = np.int32(2147483647), np.int32(-2147483648)
    for i in range(len(rows)):
        # Unsigned: an index that may be negative costs a test.
        code = np.int32(codes[first + stride * np.uint64(rows[i])])
        out[i] = code
        low = min(low, code)
        high = max(high, code)
    return low, high


@kernel
def _read_sparse(column, indices, zero, places, start, end, rows, out):
    n = end - start
    for i in range(n):
        out[i] = zero
    n_found = 0
    if len(indices) > 12 * n:
        for i in range(n):
            row = rows[i]
            lower, upper = 0, len(indices)
            while lower < upper:
                middle = (lower + upper) >> 1
                if indices[middle] < row:
                    lower = middle + 1
                else:
                    upper = middle
            if lower < len(indices) and indices[lower] == row:
                out[i] = column[lower]
                n_found += 1
    else:
        for e in range(len(indices)):
            place = places[indices[e]]
            if start <= place < end:
                out[place - start] = column[e]
                n_found += 1
    if n_found == 0:
        return zero, zero
    low, high = 2147483647, -1
    for i in range(n):
        low = min(low, out[i])
        high = max(high, out[i])
    return low, high


@entry(State)
def gather_dense(state):
    """Codes of the node's rows in the current column, into `scratch.code`, and their extremes."""
    codes, column = state.codes, state.column
    start, end = state.node.start, state.node.end
    rows, out = part(state.rows.numbers, start, end), part(state.scratch.code, 0, end - start)
    is_by_row = end - start <= _FEW
    first, stride = np.uint64(column.feature * codes.n_samples), np.uint64(1)
    if is_by_row:
        first, stride = np.uint64(column.feature), np.uint64(codes.n_features)
    if codes.kind == DENSE_8:
        source = codes.by_row_8 if is_by_row else codes.codes_8
        low, high = _read(source, first, stride, rows, out)
    elif codes.kind == DENSE_16:
        source_16 = codes.by_row_16 if is_by_row else codes.codes_16
        low, high = _read(source_16, first, stride, rows, out)
    else:
        source_32 = codes.by_row_32 if is_by_row else codes.codes_32
        low, high = _read(source_32, first, stride, rows, out)
    column.low, column.high = low, high
    return 0


@entry(State)
def gather_sparse(state):
    """`gather_dense` for a sparse matrix."""
    codes, column = state.codes, state.column
    start, end, feature = state.node.start, state.node.end, column.feature
    lower, upper = codes.indptr[feature], codes.indptr[feature + 1]
    low, high = _read_sparse(
        part(codes.codes_32, lower, upper), part(codes.indices, lower, upper),
        int(codes.zero[feature]), state.rows.places, start, end,
        part(state.rows.numbers, start, end), part(state.scratch.code, 0, end - start),
    )  # fmt: skip
    column.low, column.high = low, high
    return 0
