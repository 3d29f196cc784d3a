"""Columns sorted once for all rounds of boosting, and cut into buckets.

Every round searches the same rows for splits, under other weights. The order of
a column never changes, so it is found once; a round then adds up the weights of
at most 256 buckets a column, and looks inside a bucket only where a better split
can hide there.
"""

from dataclasses import dataclass

import numpy as np

from skextra._core.runtime.jit import njit

#: Entries reserved for the buckets of a column; codes are bytes.
STRIDE = 256

_DIGIT_BITS = 11
_N_DIGITS = 1 << _DIGIT_BITS


@dataclass(frozen=True)
class Columns:
    """Training rows by column; read-only.

    Attributes
    ----------
    values : ndarray of shape (n_features, n_samples) and float32
    codes : ndarray of shape (n_features, n_samples) and uint8
        Bucket of each row, in order of the values; missing values in a last one
        of their own.
    order : ndarray of shape (n_features, n_samples) and int32
        Rows by increasing value, missing values last.
    edges : ndarray of shape (n_features, 256) and int32
        Where each bucket begins in `order`, and where the last one ends.
    is_mixed : ndarray of bool of shape (n_features, 256)
        Whether a bucket has values that a split can tell apart.
    n_buckets : ndarray of shape (n_features,) and int64
        Without that of missing values.
    n_missing : ndarray of shape (n_features,) and int64
    """

    values: np.ndarray
    codes: np.ndarray
    order: np.ndarray
    edges: np.ndarray
    is_mixed: np.ndarray
    n_buckets: np.ndarray
    n_missing: np.ndarray

    @property
    def n_features(self):
        """Number of columns."""
        return self.values.shape[0]

    @property
    def n_samples(self):
        """Number of rows."""
        return self.values.shape[1]


def encode(X):
    """Sort and cut the columns of X.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features) and float32
        Finite or NaN.

    Returns
    -------
    columns : Columns
        9 bytes per entry.
    """
    # Adding zero makes -0.0 the 0.0 that it equals: they are sorted by their bits.
    values = np.ascontiguousarray(X.T, dtype=np.float32) + np.float32(0.0)
    n_features, n_samples = values.shape
    columns = Columns(
        values=values,
        codes=np.empty(values.shape, dtype=np.uint8),
        order=np.empty(values.shape, dtype=np.int32),
        edges=np.zeros((n_features, STRIDE), dtype=np.int32),
        is_mixed=np.zeros((n_features, STRIDE), dtype=np.bool_),
        n_buckets=np.empty(n_features, dtype=np.int64),
        n_missing=np.empty(n_features, dtype=np.int64),
    )
    _encode_columns(
        values, values.view(np.uint32), choose_n_buckets(n_samples), columns.codes, columns.order,
        columns.edges, columns.is_mixed, columns.n_buckets, columns.n_missing,
    )  # fmt: skip
    return columns


def choose_n_buckets(n_samples):
    """How many buckets a column gets: few rows do not pay for scanning many."""
    return int(np.clip(n_samples // 32, 16, STRIDE - 2))


@njit(error_model="numpy")
def _encode_columns(values, bits, max_buckets, codes, order, edges, is_mixed, n_buckets, n_missing):
    n_features, n_samples = values.shape
    keys = np.empty((2, n_samples), dtype=np.uint32)
    spare = np.empty(n_samples, dtype=np.int32)
    for j in range(n_features):
        _argsort(values[j], bits[j], keys, order[j], spare)
        missing = 0
        while missing < n_samples and np.isnan(values[j, order[j, n_samples - 1 - missing]]):
            missing += 1
        n_missing[j] = missing
        # At first a bucket for each value; if those are too many, of as many rows as it takes.
        n_cut, target = -1, 0
        while n_cut < 0:
            n_cut = _cut(values[j], order[j], n_samples - missing, target, max_buckets, edges[j])
            target += 1 + (target // 8 if target > 0 else n_samples // (max_buckets - 1))
        n_buckets[j] = n_cut
        for b in range(n_cut):
            first, last = values[j, order[j, edges[j, b]]], values[j, order[j, edges[j, b + 1] - 1]]
            is_mixed[j, b] = last > first
            for position in range(edges[j, b], edges[j, b + 1]):
                codes[j, order[j, position]] = b
        for position in range(n_samples - missing, n_samples):
            codes[j, order[j, position]] = n_cut


@njit(error_model="numpy")
def _argsort(values, bits, keys, order, spare):
    """Sort by the bits, made to increase with the value, eleven at a time."""
    n = values.size
    top = np.uint32(0x80000000)
    for i in range(n):
        key = bits[i]
        if np.isnan(values[i]):
            keys[0, i] = np.uint32(0xFFFFFFFF)
        elif key & top:
            keys[0, i] = ~key
        else:
            keys[0, i] = key | top
        order[i] = i
    counts = np.zeros(_N_DIGITS, dtype=np.int64)
    source = 0
    for shift in (0, _DIGIT_BITS, 2 * _DIGIT_BITS):
        for digit in range(_N_DIGITS):
            counts[digit] = 0
        for i in range(n):
            counts[(keys[source, i] >> np.uint32(shift)) & np.uint32(_N_DIGITS - 1)] += 1
        if n > 0 and counts[(keys[source, 0] >> np.uint32(shift)) & np.uint32(_N_DIGITS - 1)] == n:
            continue  # all share the digit
        total = 0
        for digit in range(_N_DIGITS):
            counts[digit], total = total, total + counts[digit]
        for i in range(n):
            digit = (keys[source, i] >> np.uint32(shift)) & np.uint32(_N_DIGITS - 1)
            place = counts[digit]
            counts[digit] = place + 1
            keys[1 - source, place] = keys[source, i]
            spare[place] = order[i]
        for i in range(n):
            order[i] = spare[i]
        source = 1 - source


@njit(error_model="numpy")
def _cut(values, order, n, target, max_buckets, edges):
    """Cut sorted rows into buckets of about `target`, only between different values.

    Returns how many there are, or -1 if more than allowed.
    """
    n_cut, begin, position = 0, 0, 0
    edges[0] = 0
    while position < n:
        # A run of equal values, which no split tells apart.
        stop = position + 1
        while stop < n and values[order[stop]] == values[order[stop - 1]]:
            stop += 1
        if position > begin and stop - begin > target:
            if n_cut + 1 >= max_buckets:
                return -1
            n_cut += 1
            edges[n_cut] = position
            begin = position
        position = stop
    if n > 0:
        n_cut += 1
        edges[n_cut] = n
    return n_cut
