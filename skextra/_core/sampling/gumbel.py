"""Samples of categories: perturbed log-weights, their argmax.

With independent standard Gumbel ``G_j``, the argmax of ``l_j + G_j`` has the
probabilities ``softmax(l)``, and the k largest in order are draws without
replacement (Plackett-Luce). ``exp(-G_j)`` is a standard exponential ``E_j``: the
same order is that of the race ``w_j / E_j`` with ``w_j = exp(l_j)``, which needs no
logarithm of a weight.

A perturbed log-weight is kept as the exact sum ``high + low`` of two numbers:
noise added to a logit of 1e20 would otherwise be lost, and with it the order of
equal logits.

Scratch is indexed by row and column from zero, never sliced by the row: a slice
costs as much as a short row, and an offset hides from the compiler that it is
not negative.
"""

import math

import numpy as np

from skextra._core.numerics.counter_rng import GUMBEL, fill_uniforms
from skextra._core.numerics.vector_math import STRIP, negate_logs
from skextra._core.runtime.jit import njit

# Weights between these keep their order, and enough digits, when divided by noise.
_NARROW_LOW, _NARROW_HIGH = 1e-280, 1e280


@njit(error_model="numpy")
def fill_exponentials(rows, n_pairs, seed, stream, out):
    """Fill `out` with standard exponentials, ``2 * n_pairs`` a row; see `fill_uniforms`."""
    scratch = np.empty(STRIP)
    fill_uniforms(rows, n_pairs, seed, stream, out)
    for start in range(0, out.shape[0], STRIP):
        negate_logs(out[start : start + STRIP], scratch)


@njit(error_model="numpy")
def fill_gumbels(rows, n_pairs, seed, stream, out):
    """Fill `out` with standard Gumbel numbers, ``2 * n_pairs`` a row."""
    scratch = np.empty(STRIP)
    fill_exponentials(rows, n_pairs, seed, stream, out)
    for start in range(0, out.shape[0], STRIP):
        negate_logs(out[start : start + STRIP], scratch)


@njit(error_model="numpy")
def find_largest(high, low, row, n_columns):
    """Column of the largest ``high + low`` of a row."""
    a = b = c = d = high[row, 0]
    whole = n_columns // 4 * 4
    for j in range(0, whole, 4):  # lanes that do not wait for one another
        a = high[row, j] if high[row, j] > a else a
        b = high[row, j + 1] if high[row, j + 1] > b else b
        c = high[row, j + 2] if high[row, j + 2] > c else c
        d = high[row, j + 3] if high[row, j + 3] > d else d
    for j in range(whole, n_columns):
        a = high[row, j] if high[row, j] > a else a
    top = max(max(a, b), max(c, d))
    best, n_best = 0, 0
    for j in range(n_columns):
        equal = high[row, j] == top
        best = j if equal else best
        n_best += equal
    if n_best > 1:
        for j in range(n_columns):
            if high[row, j] == top and low[row, j] > low[row, best]:
                best = j
    return best


@njit(error_model="numpy")
def add_noise(values, source, high, low, row):
    """Replace the noise in `high` by the exact sum ``log-weight + noise = high + low``."""
    for j in range(values.shape[1]):
        weight, noise = np.float64(values[source, j]), high[row, j]
        total = weight + noise
        part = total - weight
        error = (weight - (total - part)) + (noise - part)
        high[row, j] = total
        low[row, j] = error if error == error else 0.0  # -inf has none


@njit(error_model="numpy")
def add_noise_to_rows(values, source, high, low, n_rows):
    """`add_noise` for rows that follow one another, in one loop over all of them."""
    width, n = high.shape[1], n_rows * high.shape[1]
    weights = values.reshape(-1)[source * width : source * width + n]
    flat_high, flat_low = high.reshape(-1)[:n], low.reshape(-1)[:n]
    for t in range(n):
        weight, noise = np.float64(weights[t]), flat_high[t]
        total = weight + noise
        part = total - weight
        error = (weight - (total - part)) + (noise - part)
        flat_high[t] = total
        flat_low[t] = error if error == error else 0.0


@njit(error_model="numpy")
def _race(values, source, high, low, row):
    """Replace the exponentials in `high` by what orders as ``log(w) - log(E)`` does."""
    n_wide = 0
    for j in range(values.shape[1]):
        w = np.float64(values[source, j])
        n_wide += (w < _NARROW_LOW or w > _NARROW_HIGH) and w != 0.0
    for j in range(values.shape[1]):
        low[row, j] = 0.0
    if n_wide == 0:
        for j in range(values.shape[1]):
            high[row, j] = np.float64(values[source, j]) / high[row, j]
        return
    for j in range(values.shape[1]):
        w = np.float64(values[source, j])
        high[row, j] = math.log(w) - math.log(high[row, j]) if w > 0.0 else -np.inf


@njit(error_model="numpy")
def fill_block(values, is_log, source, rows, seed, high, low):
    """Keys in the order of the perturbed log-weights, for rows of `values` from `source` on."""
    n_pairs, flat = high.shape[1] // 2, high.reshape(-1)
    n = rows.shape[0] * high.shape[1]
    if is_log:
        fill_gumbels(rows, n_pairs, seed, np.uint64(GUMBEL), flat[:n])
    else:
        fill_exponentials(rows, n_pairs, seed, np.uint64(GUMBEL), flat[:n])
    if is_log and high.shape[1] == values.shape[1] and source + len(rows) <= len(values):
        add_noise_to_rows(values, source, high, low, len(rows))
        return (source + len(rows)) % len(values)
    for i in range(rows.shape[0]):
        if is_log:
            add_noise(values, source, high, low, i)
        else:
            _race(values, source, high, low, i)
        source = source + 1 if source + 1 < values.shape[0] else 0
    return source


@njit(error_model="numpy")
def fill_keys(values, is_log, rows, seed, high, low):
    """Keys of each row, to be sorted by ``(high, low)``, in arrays of an even width.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns), C-contiguous
        Log-weights (-inf excludes a category) or weights. Checked.
    is_log : bool
    rows : ndarray of shape (n,) and uint64
        Keys of the draws; draw i is from row ``i % n_rows``.
    seed : uint64
    high, low : ndarray of shape (n, n_columns or n_columns + 1)
    """
    block, source = max(1, STRIP // high.shape[1]), np.int64(0)
    for first in range(0, rows.shape[0], block):
        stop = min(first + block, rows.shape[0])
        source = fill_block(
            values, is_log, source, rows[first:stop], seed, high[first:stop], low[first:stop]
        )


@njit(error_model="numpy")
def draw_labels_by_race(values, is_log, rows, seed, labels):
    """Argmax of the perturbed log-weights of each row.

    Parameters
    ----------
    values, is_log, rows, seed
        As in `fill_keys`.
    labels : ndarray of shape (n,) and int64
        Receives the positions drawn.
    """
    n_columns = values.shape[1]
    width = n_columns + n_columns % 2
    block, source = max(1, STRIP // width), np.int64(0)
    high, low = np.empty((block, width)), np.empty((block, width))
    for first in range(0, rows.shape[0], block):
        chunk = rows[first : first + block]
        source = fill_block(values, is_log, source, chunk, seed, high, low)
        for i in range(chunk.shape[0]):
            labels[first + i] = find_largest(high, low, i, n_columns)
