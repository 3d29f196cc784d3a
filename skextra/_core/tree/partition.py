"""Dividing a node's rows, and all that goes with them, between its children."""

import numpy as np

from skextra._core.runtime.entries import entry, inlined_kernel, kernel, part
from skextra._core.tree.criterion_table import BINARY, CLASSES, SUMS
from skextra._core.tree.encode import SPARSE
from skextra._core.tree.state import State


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


@entry(State)
def partition(state):
    """Move rows whose code is at most the best split's cut before the others; how many they are.

    Codes are read from `scratch.code`; `best.below` and `best.above` receive those next to the cut.
    """
    search, rows, scratch, best = state.problem.search, state.rows, state.scratch, state.best
    start, end, missing = state.node.start, state.node.end, state.column.missing
    n = end - start
    code, numbers = part(scratch.code, 0, n), part(rows.numbers, start, end)
    payload = part(rows.payload, start, end)
    weights = part(rows.weight_bits, start, end)
    targets = part(rows.target_bits, start, end)
    if search == BINARY and missing < 0:
        n_left, below, above = _move_pairs(
            code, best.cut, numbers, payload, scratch.spare_rows, scratch.spare
        )
    elif search in (SUMS, CLASSES) and missing < 0:
        n_left, below, above = _move_triples(
            code, best.cut, numbers, weights, targets if search == SUMS else payload,
            scratch.spare_rows, scratch.spare, scratch.second_spare,
        )  # fmt: skip
    else:
        n_left, below, above = _divide(code, best.cut, missing, best.missing_left == 1)
        _move(numbers, scratch.spare_rows, code)
        if search in (BINARY, CLASSES):
            _move(payload, scratch.spare, code)
        if search in (SUMS, CLASSES):
            _move(weights, scratch.spare, code)
        if search == SUMS:
            _move(targets, scratch.spare, code)
    best.below, best.above = below, above
    if state.codes.kind == SPARSE:
        for p in range(n):
            rows.places[numbers[p]] = start + p
    return n_left
