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

_U1, _U6, _U27, _U29, _U30, _U31, _U32, _U33 = (
    np.uint64(n) for n in (1, 6, 27, 29, 30, 31, 32, 33)
)

_LOW = np.uint64(0xFFFFFFFF)
_MULTIPLIER_0, _MULTIPLIER_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL_0, _WEYL_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_PRIME_1 = np.uint64(0x9E3779B185EBCA87)
_PRIME_2 = np.uint64(0xC2B2AE3D27D4EB4F)
_PRIME_3 = np.uint64(0x165667B19E3779F9)
_PRIME_4 = np.uint64(0x85EBCA77C2B2AE63)
# Of SplitMix64: Steele, Lea & Flood, "Fast splittable pseudorandom number generators", 2014.
_WEYL_64 = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)

_BUCKET_SIZE = 512  # keys that are compared with each other: table and keys fit the first cache


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


@njit(error_model="numpy")
def tell_repeats_apart(keys):
    """Change the keys that occurred before, by how often they did; the first of each is kept.

    A hash table in one piece would miss the cache with every key: keys are first sorted into
    buckets by their leading bits (hashes fill these evenly), each with a table that fits.

    Parameters
    ----------
    keys : ndarray of uint64
        Hashes. Changed in place.
    """
    n, n_bits = keys.shape[0], 0
    while n_bits < 11 and n >> n_bits > _BUCKET_SIZE:
        n_bits += 1
    shift = np.uint64(63 - n_bits)
    ends = np.zeros((1 << n_bits) + 1, dtype=np.int64)
    for i in range(n):
        ends[((keys[i] >> _U1) >> shift) + _U1] += 1
    largest = 0
    for b in range(1, len(ends)):
        largest = max(largest, ends[b])
        ends[b] += ends[b - 1]
    order = np.empty(n, dtype=np.int64)
    for i in range(n):  # stable, so that equal keys stay in the order of their rows
        b = (keys[i] >> _U1) >> shift
        order[ends[b]] = i
        ends[b] += 1
    size = 2
    while size < 2 * largest:
        size *= 2
    known, counts = np.empty(size, dtype=np.uint64), np.empty(size, dtype=np.uint64)
    start = 0
    for b in range(len(ends) - 1):
        stop, size = ends[b], 2
        while size < 2 * (stop - start):
            size *= 2
        mask = np.uint64(size - 1)
        for slot in range(size):
            counts[slot] = 0
        for position in range(start, stop):
            i = order[position]
            key = keys[i]
            place = key & mask
            while counts[place] > 0 and known[place] != key:
                place = (place + _U1) & mask
            known[place] = key
            count = counts[place]
            counts[place] = count + _U1
            keys[i] = key ^ _mix(count)
        start = stop


@njit(error_model="numpy")
def _mix(number):
    """The finalizer of SplitMix64: bits all over the word for small numbers, 0 for 0."""
    number *= _WEYL_64
    number = (number ^ (number >> _U30)) * _MIX_1
    number = (number ^ (number >> _U27)) * _MIX_2
    return number ^ (number >> _U31)
