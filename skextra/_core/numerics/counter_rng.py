"""Philox 4x32-10, a random generator without a state, and a key for the content of a row.

A block of noise is a function of ``(seed, row, stream, position)`` alone, so that
it does not depend on who asks first, on the number of threads or on how the rows
are cut into batches. Reference: Salmon, Moraes, Dror & Shaw, "Parallel random
numbers: as easy as 1, 2, 3", SC 2011. Rows are keyed by the steps of XXH64.

Nothing here is contracted or reassociated: the bits are the same on every
processor.
"""

import numpy as np

from skextra._core.runtime.jit import njit

# Streams: draws that must not share noise.
GUMBEL, UNIFORM, SEQUENCE = 0, 1, 2

_STRIP = 1024  # counters expanded at a time: the scratch stays in the first-level cache


_U6, _U27, _U29, _U31, _U32, _U33 = (np.uint64(n) for n in (6, 27, 29, 31, 32, 33))

_LOW = np.uint64(0xFFFFFFFF)
_MULTIPLIER_0, _MULTIPLIER_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL_0, _WEYL_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_PRIME_1 = np.uint64(0x9E3779B185EBCA87)
_PRIME_2 = np.uint64(0xC2B2AE3D27D4EB4F)
_PRIME_3 = np.uint64(0x165667B19E3779F9)
_PRIME_4 = np.uint64(0x85EBCA77C2B2AE63)


@njit(error_model="numpy")
def _fill_strip(counters, rows, seed, stream, out):
    """Two uniforms a counter, (k + 1/2) / 2^52 each: never 0, never 1."""
    key_0, key_1 = seed & _LOW, seed >> _U32
    for t in range(counters.shape[0]):
        a, b, c, d = counters[t], stream, rows[t] & _LOW, rows[t] >> _U32
        k, m = key_0, key_1
        for _ in range(10):
            p, q = _MULTIPLIER_0 * a, _MULTIPLIER_1 * c
            a, b = (q >> _U32) ^ b ^ k, q & _LOW
            c, d = (p >> _U32) ^ d ^ m, p & _LOW
            k, m = (k + _WEYL_0) & _LOW, (m + _WEYL_1) & _LOW
        out[2 * t] = ((a >> _U6) * 67108864.0 + (b >> _U6) + 0.5) * 2.220446049250313e-16
        out[2 * t + 1] = ((c >> _U6) * 67108864.0 + (d >> _U6) + 0.5) * 2.220446049250313e-16


@njit(error_model="numpy")
def fill_uniforms(rows, n_pairs, seed, stream, out):
    """Fill `out` with ``2 * n_pairs`` uniforms of (0, 1) a row.

    Parameters
    ----------
    rows : ndarray of uint64
        What tells the rows apart: numbers or keys.
    n_pairs : int
        Below 2^32.
    seed, stream : uint64
    out : ndarray of shape (len(rows) * 2 * n_pairs,)
    """
    counters = np.empty(_STRIP, dtype=np.uint64)
    expanded = np.empty(_STRIP, dtype=np.uint64)
    total = rows.shape[0] * n_pairs
    row, pair = 0, 0
    for start in range(0, total, _STRIP):
        n = min(_STRIP, total - start)
        for t in range(n):
            counters[t] = pair
            expanded[t] = rows[row]
            pair += 1
            if pair == n_pairs:
                row, pair = row + 1, 0
        _fill_strip(counters[:n], expanded[:n], seed, stream, out[2 * start : 2 * (start + n)])


@njit(error_model="numpy")
def _advance(lane, word):
    lane += word * _PRIME_2
    return ((lane << _U31) | (lane >> _U33)) * _PRIME_1


@njit(error_model="numpy")
def _key_row(words, row):
    """Key of a row of words. Four lanes as in XXH64, so that the multiplications overlap."""
    n_words = words.shape[1]
    h0, h1, h2, h3 = _PRIME_1, _PRIME_2, _PRIME_3, _PRIME_4
    whole = n_words // 4 * 4
    for j in range(0, whole, 4):
        h0 = _advance(h0, words[row, j])
        h1 = _advance(h1, words[row, j + 1])
        h2 = _advance(h2, words[row, j + 2])
        h3 = _advance(h3, words[row, j + 3])
    key = np.uint64(n_words) * _PRIME_3
    key = _advance(_advance(key, h0) ^ h1, h2) ^ _advance(key, h3)
    for j in range(whole, n_words):
        key = _advance(key, words[row, j])
    key = (key ^ (key >> _U33)) * _PRIME_2
    key = (key ^ (key >> _U29)) * _PRIME_3
    return key ^ (key >> _U32)


@njit(error_model="numpy")
def compute_row_keys(values, n_dropped):
    """One 64-bit key a row, a function of its numbers alone.

    Both zeros count as one number, and float32 as the float64 of the same value.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns), C-contiguous
    n_dropped : int
        Last bits of each number that are rounded away first: what sums and
        products differ by, from one batch to another, changes a key rarely.

    Returns
    -------
    keys : ndarray of uint64
    """
    n_rows, n_columns = values.shape
    keys = np.empty(n_rows, dtype=np.uint64)
    block = max(1, _STRIP // n_columns)
    numbers = np.empty((block, n_columns))
    words = numbers.view(np.uint64)
    shift = np.uint64(n_dropped)
    half = (np.uint64(1) << shift) >> np.uint64(1)
    for first in range(0, n_rows, block):
        n = min(block, n_rows - first)
        for i in range(n):
            for j in range(n_columns):
                numbers[i, j] = values[first + i, j] + 0.0  # -0.0 becomes 0.0
        for i in range(n):
            for j in range(n_columns):
                words[i, j] = (words[i, j] + half) >> shift
        for i in range(n):
            keys[first + i] = _key_row(words, i)
    return keys
