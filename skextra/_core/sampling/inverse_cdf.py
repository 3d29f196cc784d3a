"""Categories by inversion of the cumulated weights: one uniform number per draw.

The distribution is that of the largest perturbed log-weights, up to the
rounding of a sum; the draws are others.
"""

import numpy as np

from skextra._core.numerics.counter_rng import SEQUENCE, UNIFORM, fill_uniforms
from skextra._core.numerics.vector_math import STRIP, exponentiate
from skextra._core.runtime.jit import njit

_GROUP = 8  # weights summed at a time
# What is left of the weights when they are computed anew: no one that underflowed counts before.
_LEFT = 1e-200


@njit(error_model="numpy")
def _load_relative_weights(values, is_log, source, out, row):
    """Weights of a row relative to the largest, as logarithms if `is_log`."""
    n_columns = values.shape[1]
    a = b = c = d = values[source, 0]
    whole = n_columns // 4 * 4
    for j in range(0, whole, 4):  # lanes that do not wait for one another
        a = values[source, j] if values[source, j] > a else a
        b = values[source, j + 1] if values[source, j + 1] > b else b
        c = values[source, j + 2] if values[source, j + 2] > c else c
        d = values[source, j + 3] if values[source, j + 3] > d else d
    for j in range(whole, n_columns):
        a = values[source, j] if values[source, j] > a else a
    largest = np.float64(max(max(a, b), max(c, d)))
    if is_log:
        for j in range(n_columns):
            out[row, j] = values[source, j] - largest
    elif 1e-290 < largest < 1e290:
        for j in range(n_columns):
            out[row, j] = values[source, j]
    else:
        for j in range(n_columns):
            out[row, j] = values[source, j] / largest


@njit(error_model="numpy")
def _fill_weights(values, is_log, source, weights, scratch):
    """Relative weights of a block of rows, from row `source` on; return the row after them."""
    for i in range(weights.shape[0]):
        _load_relative_weights(values, is_log, source, weights, i)
        source = source + 1 if source + 1 < values.shape[0] else 0
    if is_log:
        flat = weights.reshape(-1)
        for start in range(0, flat.shape[0], STRIP):
            exponentiate(flat[start : start + STRIP], scratch)
    return source


@njit(error_model="numpy")
def _invert_short(weights, row, uniform):
    """Position at which the cumulated weights reach a fraction `uniform` of their sum.

    Counting comparisons, rather than leaving a loop, spares a wrongly predicted
    branch. A category without weight is never reached: the sum before it is the
    same as the sum after it.
    """
    total = 0.0
    for j in range(weights.shape[1]):
        total += weights[row, j]
    goal = uniform * total
    reached, cumulated = 0, 0.0
    for j in range(weights.shape[1]):
        cumulated += weights[row, j]
        reached += goal > cumulated
    return reached


@njit(error_model="numpy")
def _sum_group(weights, row, group):
    j, n = group * _GROUP, weights.shape[1]
    if j + _GROUP <= n:
        part = (weights[row, j] + weights[row, j + 1]) + (weights[row, j + 2] + weights[row, j + 3])
        rest = weights[row, j + 4] + weights[row, j + 5]
        return part + (rest + (weights[row, j + 6] + weights[row, j + 7]))
    total = 0.0
    for i in range(j, n):
        total += weights[row, i]
    return total


@njit(error_model="numpy")
def _sum_groups(weights, row, sums):
    """Write the sums of every eight weights."""
    for group in range(sums.shape[0]):
        sums[group] = _sum_group(weights, row, group)


@njit(error_model="numpy")
def _add_up(values):
    total = 0.0
    for t in range(values.shape[0]):
        total += values[t]
    return total


@njit(error_model="numpy")
def _invert(weights, row, goal, sums):
    """`_invert_short` in two steps, the group first: its sums do not wait for one another.

    `goal` is the fraction times the sum, and `sums` those of the groups.
    """
    group, cumulated, before = 0, 0.0, 0.0
    for g in range(sums.shape[0]):
        cumulated += sums[g]
        passed = goal > cumulated
        group += passed
        before = cumulated if passed else before
    left = goal - before
    first, stop = group * _GROUP, min((group + 1) * _GROUP, weights.shape[1])
    reached, cumulated = first, 0.0
    for j in range(first, stop):
        cumulated += weights[row, j]
        reached += left > cumulated
    # The sum of a group and those of its members differ by their rounding.
    reached = min(reached, stop - 1)
    while weights[row, reached] == 0.0:
        reached -= 1
    return reached


@njit(error_model="numpy")
def draw_labels_by_inversion(values, is_log, rows, seed, labels):
    """Draw a category of each row.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns), C-contiguous
        Log-weights (-inf excludes a category) or weights. Checked.
    is_log : bool
    rows : ndarray of shape (n,) and uint64
        Keys of the draws; draw i is from row ``i % n_rows``.
    seed : uint64
    labels : ndarray of shape (n,) and int64
        Receives the positions drawn.
    """
    n_columns = values.shape[1]
    block, source = max(1, STRIP // n_columns), np.int64(0)
    weights, scratch = np.empty((block, n_columns)), np.empty(STRIP)
    uniforms = np.empty(2 * block)
    sums = np.empty((n_columns + _GROUP - 1) // _GROUP)
    for first in range(0, rows.shape[0], block):
        chunk = rows[first : first + block]
        fill_uniforms(chunk, 1, seed, np.uint64(UNIFORM), uniforms[: 2 * chunk.shape[0]])
        source = _fill_weights(values, is_log, source, weights[: chunk.shape[0]], scratch)
        for i in range(chunk.shape[0]):
            if n_columns <= 2 * _GROUP:
                labels[first + i] = _invert_short(weights, i, uniforms[2 * i])
            else:
                _sum_groups(weights, i, sums)
                labels[first + i] = _invert(weights, i, uniforms[2 * i] * _add_up(sums), sums)


@njit(error_model="numpy")
def _renew_weights(values, is_log, source, drawn, weights, row):
    """Weights of the columns not drawn, relative to the largest of them."""
    for place in range(drawn.shape[0]):
        weights[row, drawn[place]] = -1.0
    largest = -np.inf
    for j in range(values.shape[1]):
        if weights[row, j] >= 0.0:
            largest = max(largest, np.float64(values[source, j]))
    for j in range(values.shape[1]):
        if weights[row, j] < 0.0:
            weights[row, j] = 0.0
        elif is_log:
            weights[row, j] = np.exp(values[source, j] - largest)
        else:
            weights[row, j] = values[source, j] / largest


@njit(error_model="numpy")
def draw_top_by_inversion(values, is_log, rows, seed, top):
    """Draw categories one after another, each among those that are left.

    Parameters
    ----------
    values, is_log, rows, seed
        As in `draw_labels_by_inversion`; every row has at least ``top.shape[1]``
        categories of positive weight.
    top : ndarray of shape (n, k) and int64
        Receives the positions drawn. Meant for k much below the number of columns:
        each draw reads all of them.
    """
    n_columns, k = values.shape[1], top.shape[1]
    block, n_pairs, source = max(1, STRIP // n_columns), (k + 1) // 2, np.int64(0)
    weights, scratch = np.empty((block, n_columns)), np.empty(STRIP)
    uniforms, sums = np.empty(2 * n_pairs * block), np.empty((n_columns + _GROUP - 1) // _GROUP)
    for first in range(0, rows.shape[0], block):
        chunk = rows[first : first + block]
        n = chunk.shape[0]
        fill_uniforms(chunk, n_pairs, seed, np.uint64(SEQUENCE), uniforms[: 2 * n_pairs * n])
        after = _fill_weights(values, is_log, source, weights[:n], scratch)
        for i in range(n):
            _sum_groups(weights, i, sums)
            total = _add_up(sums)
            least = _LEFT * total
            for place in range(k):
                if total <= least:
                    _renew_weights(values, is_log, source, top[first + i, :place], weights, i)
                    _sum_groups(weights, i, sums)
                    total = _add_up(sums)
                    least = _LEFT * total
                drawn = _invert(weights, i, uniforms[2 * n_pairs * i + place] * total, sums)
                top[first + i, place] = drawn
                weights[i, drawn] = 0.0
                sums[drawn // _GROUP] = _sum_group(weights, i, drawn // _GROUP)
                total = _add_up(sums)
            source = source + 1 if source + 1 < values.shape[0] else 0
        source = after


@njit(error_model="numpy")
def draw_many_labels(values, is_log, rows, seed, labels):
    """As `draw_labels_by_inversion`, for many draws of each row: a search of a table.

    `labels` has shape (n_draws, n_rows), and draw i of row j the key
    ``rows[i * n_rows + j]``.
    """
    n_draws, n_rows = labels.shape
    weights, scratch = np.empty((1, values.shape[1])), np.empty(STRIP)
    uniforms = np.empty(2 * rows.shape[0])
    fill_uniforms(rows, 1, seed, np.uint64(UNIFORM), uniforms)
    for j in range(n_rows):
        _load_relative_weights(values, is_log, j, weights, np.int64(0))
        if is_log:
            for start in range(0, values.shape[1], STRIP):
                exponentiate(weights[0, start : start + STRIP], scratch)
        cumulated = np.cumsum(weights[0])
        for i in range(n_draws):
            goal = uniforms[2 * (i * n_rows + j)] * cumulated[-1]
            labels[i, j] = np.searchsorted(cumulated, goal)
