"""Reading a column's codes for the rows of a node."""

import numpy as np

from skextra._core.runtime.entries import (
    entry,
    kernel,
    view_int32,
    view_int64,
    view_uint8,
    view_uint16,
    view_uint32,
)
from skextra._core.tree import slots
from skextra._core.tree.encode import DENSE_8, DENSE_16

# Nodes of so many rows read them from the row-major copy, where they lie together.
_FEW = 4096


@kernel
def _read(codes, first, stride, rows, out):
    low, high = np.int32(2147483647), np.int32(-2147483648)
    for i in range(len(rows)):
        code = np.int32(codes[first + stride * np.uint64(rows[i])])
        out[i] = code
        low = min(low, code)
        high = max(high, code)
    return low, high


@kernel
def _read_sparse(column, indices, zero, where, start, end, rows, out):
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
            place = where[indices[e]]
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


@entry
def enter_gather_dense(address):
    """Codes of a node's rows in a column, into CODE; their extremes into LOW and HIGH."""
    t = view_int64(address, slots.N_SLOTS)
    n, n_samples = t[slots.END] - t[slots.START], t[slots.N_SAMPLES]
    # Unsigned: an index that may be negative costs a test.
    rows = view_uint32(t[slots.ROWS] + 4 * t[slots.START], n)
    out = view_int32(t[slots.CODE], n)
    codes, first, stride = t[slots.CODES], np.uint64(t[slots.FEATURE] * n_samples), np.uint64(1)
    if n <= _FEW:
        codes, first = t[slots.CODES_BY_ROW], np.uint64(t[slots.FEATURE])
        stride = np.uint64(t[slots.N_FEATURES])
    size = n_samples * t[slots.N_FEATURES]
    if t[slots.DATA_KIND] == DENSE_8:
        low, high = _read(view_uint8(codes, size), first, stride, rows, out)
    elif t[slots.DATA_KIND] == DENSE_16:
        low, high = _read(view_uint16(codes, size), first, stride, rows, out)
    else:
        low, high = _read(view_uint32(codes, size), first, stride, rows, out)
    t[slots.LOW], t[slots.HIGH] = low, high
    return 0


@entry
def enter_gather_sparse(address):
    """`enter_gather_dense` for a sparse matrix."""
    t = view_int64(address, slots.N_SLOTS)
    start, end, feature = t[slots.START], t[slots.END], t[slots.FEATURE]
    indptr = view_int64(t[slots.INDPTR], t[slots.N_FEATURES] + 1)
    lower, upper = indptr[feature], indptr[feature + 1]
    zero = view_int32(t[slots.ZERO], t[slots.N_FEATURES])
    low, high = _read_sparse(
        view_uint32(t[slots.CODES] + 4 * lower, upper - lower),
        view_int32(t[slots.INDICES] + 4 * lower, upper - lower), int(zero[feature]),
        view_int32(t[slots.WHERE], t[slots.N_SAMPLES]), start, end,
        view_int32(t[slots.ROWS] + 4 * start, end - start), view_int32(t[slots.CODE], end - start),
    )  # fmt: skip
    t[slots.LOW], t[slots.HIGH] = low, high
    return 0
