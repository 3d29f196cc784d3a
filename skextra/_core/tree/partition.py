"""Dividing a node's rows, and all that goes with them, between its children."""

from skextra._core.jit import njit
from skextra._core.tree.problem import BINARY, CLASSES, SUMS


@njit
def partition(kind, is_sparse, state, spare, code, start, end, cut, missing, missing_left):
    """Move rows whose code is at most `cut` before the others, keeping the order of both.

    Parameters
    ----------
    kind : int
        Which payloads are in use.
    is_sparse : bool
        Whether the places of rows are kept.
    state, spare : tuple of ndarray
        Rows, their places, payloads; and room for as many.
    code : ndarray of int32
        Of the node's rows.
    start, end, cut : int
    missing : int
        Code of NaN, or -1.
    missing_left : bool
        Whether its rows go left.

    Returns
    -------
    middle : int
        Where the right child's rows begin.
    below, above : int
        Highest code of the left, and lowest of the right, but for NaN; -1 if there is none.
    """
    rows, where = state[0], state[1]
    n_left, n_right = start, 0
    below, above = -1, 2147483647
    for p in range(start, end):
        value = code[p - start]
        goes_left = value <= cut
        if value == missing:
            goes_left = missing_left
        elif goes_left:
            below = max(below, value)
        else:
            above = min(above, value)
        code[p - start] = goes_left
        row = rows[p]
        rows[n_left] = row
        spare[0][n_right] = row
        n_left += goes_left
        n_right += 1 - goes_left
    rows[n_left:end] = spare[0][:n_right]
    if kind == BINARY or kind == CLASSES:
        _move(state[2], spare[2], code, start, end)
    if kind == SUMS or kind == CLASSES:
        _move(state[3], spare[3], code, start, end)
    if kind == SUMS:
        _move(state[4], spare[4], code, start, end)
    if is_sparse:
        for p in range(start, end):
            where[rows[p]] = p
    return n_left, below, above if above != 2147483647 else -1


@njit
def _move(array, spare, goes_left, start, end):
    n_left, n_right = start, 0
    for p in range(start, end):
        value = array[p]
        array[n_left] = value
        spare[n_right] = value
        n_left += goes_left[p - start]
        n_right += 1 - goes_left[p - start]
    array[n_left:end] = spare[:n_right]
