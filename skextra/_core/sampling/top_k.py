"""The largest perturbed log-weights in falling order: draws without replacement."""

import numpy as np

from skextra._core.numerics.vector_math import STRIP
from skextra._core.runtime.jit import njit
from skextra._core.sampling.gumbel import fill_block

_FEW = 16  # columns whose order is found by comparing all pairs
_LANES = 16  # maxima that bound the k-th largest from below, for k up to half as many


@njit(error_model="numpy")
def draw_top(values, is_log, rows, seed, top):
    """Draw the categories of each row.

    Parameters
    ----------
    values, is_log, rows, seed
        As in `gumbel.fill_keys`; every row has at least ``top.shape[1]`` categories
        of positive weight.
    top : ndarray of shape (n, k) and int64
        Receives the positions drawn. Meant for small k: an insertion costs as much.
    """
    n_columns, k = values.shape[1], top.shape[1]
    width = n_columns + n_columns % 2
    block, source = max(1, STRIP // width), np.int64(0)
    high, low = np.empty((block, width)), np.empty((block, width))
    kept_high, kept_low = np.empty(k), np.empty(k)
    order = np.empty(max(n_columns, _FEW), dtype=np.int64)
    lanes = np.empty(_LANES)
    for first in range(0, rows.shape[0], block):
        chunk = rows[first : first + block]
        source = fill_block(values, is_log, source, chunk, seed, high, low)
        for i in range(chunk.shape[0]):
            if n_columns <= _FEW and _rank(high, i, n_columns, order, top, first + i):
                continue
            n_left = _filter(high, i, n_columns, k, lanes, order)
            _insert(high, low, i, order, n_left, kept_high, kept_low, top, first + i)


@njit(error_model="numpy")
def _rank(high, row, n_columns, order, top, target):
    """Place each column by the number of larger ones, without a branch; False if two tie."""
    for j in range(n_columns):
        order[j] = -1
    for j in range(n_columns):
        own, rank = high[row, j], 0
        for i in range(n_columns):
            rank += high[row, i] > own
        order[rank] = j
    n_missing = 0
    for j in range(n_columns):
        n_missing += order[j] < 0  # a tie leaves the place after it empty
    if n_missing > 0:
        return False
    for place in range(top.shape[1]):
        top[target, place] = order[place]
    return True


@njit(error_model="numpy")
def _filter(high, row, n_columns, k, lanes, order):
    """Write the columns that may be among the k largest; return how many there are.

    The k-th largest of the maxima of disjoint sets is no larger than the k-th
    largest of all.
    """
    if k > _LANES // 2 or n_columns < 2 * _LANES:
        for j in range(n_columns):
            order[j] = j
        return n_columns
    for lane in range(_LANES):
        lanes[lane] = high[row, lane]
    whole = n_columns // _LANES * _LANES
    for start in range(_LANES, whole, _LANES):
        for lane in range(_LANES):
            key = high[row, start + lane]
            lanes[lane] = key if key > lanes[lane] else lanes[lane]
    bound = np.inf
    for lane in range(_LANES):
        rank = 0
        for other in range(_LANES):
            rank += lanes[other] > lanes[lane]
        bound = lanes[lane] if rank < k and lanes[lane] < bound else bound
    n_left = 0
    for j in range(n_columns):
        order[n_left] = j
        n_left += high[row, j] >= bound
    return n_left


@njit(error_model="numpy")
def _insert(high, low, row, columns, n_left, kept_high, kept_low, top, target):
    """Insert one after another into a sorted list of the largest so far."""
    k = top.shape[1]
    for j in range(k):
        kept_high[j], kept_low[j] = -np.inf, -np.inf
    for position in range(n_left):
        j = columns[position]
        h, e = high[row, j], low[row, j]
        if h < kept_high[k - 1] or (h == kept_high[k - 1] and e <= kept_low[k - 1]):
            continue
        place = k - 1
        while place > 0 and (
            kept_high[place - 1] < h or (kept_high[place - 1] == h and kept_low[place - 1] < e)
        ):
            kept_high[place], kept_low[place] = kept_high[place - 1], kept_low[place - 1]
            top[target, place] = top[target, place - 1]
            place -= 1
        kept_high[place], kept_low[place] = h, e
        top[target, place] = j
