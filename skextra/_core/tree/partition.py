"""Dividing a node's rows, and all that goes with them, between its children."""

import numpy as np

from skextra._core.runtime.entries import entry, inlined_kernel, kernel, view_int32, view_int64
from skextra._core.tree import slots
from skextra._core.tree.encode import SPARSE
from skextra._core.tree.problem import BINARY, CLASSES, SUMS


@kernel
def _divide(code, cut, missing, missing_left):
    """Replace codes by whether they go left.

    Returns
    -------
    n_left : int
    below, above : int
        Highest code of the left, and lowest of the right, but for NaN; -1 if there is none.
    """
    below, above, n_left = -1, 2147483647, 0
    for p in range(len(code)):
        value = code[p]
        goes_left = value <= cut
        if value == missing:
            goes_left = missing_left
        elif goes_left:
            below = max(below, value)
        else:
            above = min(above, value)
        code[p] = goes_left
        n_left += goes_left
    return n_left, below, above if above != 2147483647 else -1


@kernel
def _move(array, spare, goes_left):
    """Entries that go left before the others, in the order they had."""
    n_left = n_right = np.uint64(0)
    for p in range(len(array)):
        value, left = array[p], np.uint64(goes_left[p])
        array[n_left] = value
        spare[n_right] = value
        n_left += left
        n_right += np.uint64(1) - left
    for p in range(n_right):
        array[n_left + np.uint64(p)] = spare[p]


@inlined_kernel
def _move_pairs(code, cut, rows, payload, spare_rows, spare):
    """`_divide` and `_move` of rows and one payload in a pass, where no value is missing."""
    n_left = n_right = np.uint64(0)
    below, above = -1, 2147483647
    for p in range(len(code)):
        row, value, own = rows[p], payload[p], code[p]
        is_left = own <= cut
        below = max(below, own if is_left else -1)
        above = min(above, 2147483647 if is_left else own)
        left = np.uint64(is_left)
        rows[n_left], payload[n_left] = row, value
        spare_rows[n_right], spare[n_right] = row, value
        n_left += left
        n_right += np.uint64(1) - left
    for p in range(n_right):
        rows[n_left + np.uint64(p)] = spare_rows[p]
        payload[n_left + np.uint64(p)] = spare[p]
    return np.int64(n_left), below, above if above != 2147483647 else -1


@inlined_kernel
def _move_triples(code, cut, rows, first, second, spare_rows, spare_first, spare_second):
    """`_move_pairs` with two payloads."""
    n_left = n_right = np.uint64(0)
    below, above = -1, 2147483647
    for p in range(len(code)):
        row, a, b, own = rows[p], first[p], second[p], code[p]
        is_left = own <= cut
        below = max(below, own if is_left else -1)
        above = min(above, 2147483647 if is_left else own)
        left = np.uint64(is_left)
        rows[n_left], first[n_left], second[n_left] = row, a, b
        spare_rows[n_right], spare_first[n_right], spare_second[n_right] = row, a, b
        n_left += left
        n_right += np.uint64(1) - left
    for p in range(n_right):
        place = n_left + np.uint64(p)
        rows[place], first[place], second[place] = spare_rows[p], spare_first[p], spare_second[p]
    return np.int64(n_left), below, above if above != 2147483647 else -1


@entry
def enter_partition(address):
    """Move rows whose code is at most CUT before the others; returns how many they are.

    Codes are read from CODE. BELOW and ABOVE receive those next to the cut.
    """
    t = view_int64(address, slots.N_SLOTS)
    start, kind = t[slots.START], t[slots.KIND]
    n = t[slots.END] - start
    code, spare = view_int32(t[slots.CODE], n), view_int64(t[slots.SPARE], n)
    rows = view_int32(t[slots.ROWS] + 4 * start, n)
    if kind == BINARY and t[slots.MISSING] < 0:
        n_left, t[slots.BELOW], t[slots.ABOVE] = _move_pairs(
            code, t[slots.CUT], rows, view_int64(t[slots.PAYLOAD] + 8 * start, n),
            view_int32(t[slots.SPARE] + 16 * t[slots.CAPACITY], n), spare,
        )  # fmt: skip
    elif kind in (SUMS, CLASSES) and t[slots.MISSING] < 0:
        # Bits are moved: of real numbers as of integers.
        second = slots.ROW_TARGETS if kind == SUMS else slots.PAYLOAD
        n_left, t[slots.BELOW], t[slots.ABOVE] = _move_triples(
            code, t[slots.CUT], rows, view_int64(t[slots.ROW_WEIGHTS] + 8 * start, n),
            view_int64(t[second] + 8 * start, n),
            view_int32(t[slots.SPARE] + 16 * t[slots.CAPACITY], n), spare,
            view_int64(t[slots.SPARE] + 8 * t[slots.CAPACITY], n),
        )  # fmt: skip
    else:
        n_left, below, above = _divide(
            code, t[slots.CUT], t[slots.MISSING], t[slots.GOES_LEFT] != 0
        )
        t[slots.BELOW], t[slots.ABOVE] = below, above
        _move(rows, view_int32(t[slots.SPARE], n), code)
        if kind in (BINARY, CLASSES):
            _move(view_int64(t[slots.PAYLOAD] + 8 * start, n), spare, code)
        if kind in (SUMS, CLASSES):
            _move(view_int64(t[slots.ROW_WEIGHTS] + 8 * start, n), spare, code)
        if kind == SUMS:
            _move(view_int64(t[slots.ROW_TARGETS] + 8 * start, n), spare, code)
    if t[slots.DATA_KIND] == SPARSE:
        where = view_int32(t[slots.WHERE], t[slots.N_SAMPLES])
        for p in range(n):
            where[rows[p]] = start + p
    return n_left
