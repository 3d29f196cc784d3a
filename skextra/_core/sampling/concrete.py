"""The softmax of perturbed log-weights: samples of the Concrete distribution."""

import math

import numpy as np

from skextra._core.numerics.counter_rng import GUMBEL
from skextra._core.numerics.vector_math import STRIP, exponentiate, negate_logs
from skextra._core.runtime.jit import njit
from skextra._core.sampling.gumbel import add_noise, add_noise_to_rows, fill_gumbels, find_largest

_SMALLEST_NORMAL = 2.2250738585072014e-308


@njit(error_model="numpy")
def _load_log_weights(values, source, out, scratch):
    """Logarithms of the non-negative weights of a row, as a row of `out`; zero gives -inf."""
    n = values.shape[1]
    n_small = 0
    for j in range(n):
        w = np.float64(values[source, j])
        small = w < _SMALLEST_NORMAL
        n_small += small
        out[0, j] = 1.0 if small else w
    for start in range(0, n, STRIP):
        negate_logs(out[0, start : start + STRIP], scratch)
    for j in range(n):
        out[0, j] = -out[0, j]
    if n_small > 0:
        for j in range(n):
            w = np.float64(values[source, j])
            if w < _SMALLEST_NORMAL:
                out[0, j] = math.log(w) if w > 0.0 else -np.inf


@njit(error_model="numpy")
def _scale_to_largest(high, low, row, n_columns, temperature):
    """Replace ``high + low`` by its distance from the largest over the temperature."""
    best = find_largest(high, low, row, n_columns)
    top_high, top_low = high[row, best], low[row, best]
    if temperature == 0.0:
        for j in range(n_columns):
            high[row, j] = -np.inf
        high[row, best] = 0.0
        return
    if 1e-300 < temperature < 1e300:
        inverse = 1.0 / temperature
        for j in range(n_columns):
            high[row, j] = ((high[row, j] - top_high) + (low[row, j] - top_low)) * inverse
        return
    for j in range(n_columns):  # the inverse may overflow
        high[row, j] = ((high[row, j] - top_high) + (low[row, j] - top_low)) / temperature


@njit(error_model="numpy")
def _normalize(scaled, exponentials, row, return_log, out, target):
    n_columns = out.shape[1]
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    whole = n_columns // 4 * 4
    for j in range(0, whole, 4):  # lanes that do not wait for one another
        a += exponentials[row, j]
        b += exponentials[row, j + 1]
        c += exponentials[row, j + 2]
        d += exponentials[row, j + 3]
    for j in range(whole, n_columns):
        a += exponentials[row, j]
    total = (a + b) + (c + d)
    if return_log:
        log_total = math.log(total)
        for j in range(n_columns):
            out[target, j] = scaled[row, j] - log_total
    else:
        factor = 1.0 / total
        for j in range(n_columns):
            out[target, j] = exponentials[row, j] * factor


@njit(error_model="numpy")
def draw_soft(values, is_log, rows, seed, temperature, return_log, out):
    """``softmax((log-weights + noise) / temperature)`` of each row.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns), C-contiguous
        Log-weights (-inf excludes a category) or weights. Checked.
    is_log : bool
    rows : ndarray of shape (n,) and uint64
        Keys of the draws; draw i is from row ``i % n_rows``.
    seed : uint64
    temperature : float
        0 gives the vertex of the largest.
    return_log : bool
        Whether to write logarithms.
    out : ndarray of shape (n, n_columns)
    """
    n_columns = values.shape[1]
    width = n_columns + n_columns % 2
    block, source = max(1, STRIP // width), np.int64(0)
    high, low = np.empty((block, width)), np.empty((block, width))
    flat_high, flat_low = high.reshape(-1), low.reshape(-1)
    log_weights, scratch = np.empty((1, n_columns)), np.empty(STRIP)
    for first in range(0, rows.shape[0], block):
        chunk = rows[first : first + block]
        n = chunk.shape[0] * width
        fill_gumbels(chunk, width // 2, seed, np.uint64(GUMBEL), flat_high[:n])
        is_flat = is_log and width == n_columns and source + len(chunk) <= len(values)
        if is_flat:
            add_noise_to_rows(values, source, high, low, len(chunk))
        for i in range(chunk.shape[0]):
            if is_log and not is_flat:
                add_noise(values, source, high, low, i)
            elif not is_log:
                _load_log_weights(values, source, log_weights, scratch)
                add_noise(log_weights, np.int64(0), high, low, i)
            _scale_to_largest(high, low, i, n_columns, temperature)
            source = source + 1 if source + 1 < values.shape[0] else 0
        for j in range(n):
            flat_low[j] = flat_high[j]
        for start in range(0, n, STRIP):
            exponentiate(flat_low[start : min(start + STRIP, n)], scratch)
        for i in range(chunk.shape[0]):
            _normalize(high, low, i, return_log, out, first + i)
