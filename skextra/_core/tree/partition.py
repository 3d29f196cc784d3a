"""Dividing a node's rows, and all that goes with them, between its children."""

from skextra._core.tree import slots
from skextra._core.tree.encode import SPARSE
from skextra._core.tree.kernel import entry, kernel, view_int32, view_int64
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
    n_left = n_right = 0
    for p in range(len(array)):
        value = array[p]
        array[n_left] = value
        spare[n_right] = value
        n_left += goes_left[p]
        n_right += 1 - goes_left[p]
    for p in range(n_right):
        array[n_left + p] = spare[p]


@entry
def enter_partition(address):
    """Move rows whose code is at most CUT before the others; returns how many they are.

    Codes are read from CODE. BELOW and ABOVE receive those next to the cut.
    """
    t = view_int64(address, slots.N_SLOTS)
    start, kind = t[slots.START], t[slots.KIND]
    n = t[slots.END] - start
    code, spare = view_int32(t[slots.CODE], n), view_int64(t[slots.SPARE], n)
    n_left, below, above = _divide(code, t[slots.CUT], t[slots.MISSING], t[slots.GOES_LEFT] != 0)
    t[slots.BELOW], t[slots.ABOVE] = below, above
    rows = view_int32(t[slots.ROWS] + 4 * start, n)
    _move(rows, view_int32(t[slots.SPARE], n), code)
    if kind in (BINARY, CLASSES):
        _move(view_int64(t[slots.PAYLOAD] + 8 * start, n), spare, code)
    if kind in (SUMS, CLASSES):
        # Bits are moved: of real numbers as of integers.
        _move(view_int64(t[slots.ROW_WEIGHTS] + 8 * start, n), spare, code)
    if kind == SUMS:
        _move(view_int64(t[slots.ROW_TARGETS] + 8 * start, n), spare, code)
    if t[slots.DATA_KIND] == SPARSE:
        where = view_int32(t[slots.WHERE], t[slots.N_SAMPLES])
        for p in range(n):
            where[rows[p]] = start + p
    return n_left
