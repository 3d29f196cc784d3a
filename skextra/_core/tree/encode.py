"""Rank codes of a data matrix: each value's position among its column's distinct values.

Trees ask of a value only on which side of a threshold it lies, and candidate
thresholds lie between distinct values; so the codes say all that a threshold needs, in
one, two or four bytes. They are computed once and shared by all trees.
"""

import threading
from dataclasses import dataclass

import numpy as np

from skextra._core.runtime.jit import njit

DENSE_8, DENSE_16, DENSE_32, SPARSE, KEYS = range(5)
NO_CODE = -1
_SIGN = np.uint32(0x80000000)
_ALL = np.uint32(0xFFFFFFFF)
_RADIX = 11
_MASK = (1 << _RADIX) - 1


@dataclass(frozen=True)
class Codes:
    """Codes of every value, and the values they stand for.

    Attributes
    ----------
    kind : int
        `DENSE_8`, `DENSE_16`, `DENSE_32` or `SPARSE`: the type and layout of `codes`; `KEYS`
        where a code is the value itself, see `encode_keys`.
    codes : ndarray of uint8, uint16 or uint32
        Column-major, of size n_features * n_samples; where sparse, of the stored entries.
    codes_by_row : ndarray of the same type
        The same row-major, which small nodes read; empty where sparse.
    indptr, indices : ndarray of int64 and int32
        Of the columns, where sparse; else of size 1.
    values : ndarray of float32
        Distinct values of the first column in ascending order, then of the next.
    offsets : ndarray of int64 of shape (n_features + 1,)
        Where each column's values begin.
    missing : ndarray of int32 of shape (n_features,)
        Code of NaN, above all others; -1 where a column has none.
    zero : ndarray of int32 of shape (n_features,)
        Code of the entries that are not stored, where sparse; else of size 1.
    n_samples, n_features : int
    """

    kind: int
    codes: np.ndarray
    codes_by_row: np.ndarray
    indptr: np.ndarray
    indices: np.ndarray
    values: np.ndarray
    offsets: np.ndarray
    missing: np.ndarray
    zero: np.ndarray
    n_samples: int
    n_features: int

    @property
    def has_missing(self):
        """Whether any value is NaN."""
        return bool((self.missing >= 0).any())

    def as_views(self):
        """The codes as one array of each type: kernels then need one signature only."""
        empty = [np.empty(0, dtype) for dtype in (np.uint8, np.uint16, np.uint32)]
        empty[min(self.kind, DENSE_32)] = self.codes
        return tuple(empty)


def encode_dense(X, map_blocks=None):
    """Codes of a dense matrix.

    Parameters
    ----------
    X : ndarray of float32 of shape (n_samples, n_features)
        In any layout; NaN is a missing value.
    map_blocks : callable or None
        Applies a function to each tuple of a list, as `map_in_threads` does.

    Returns
    -------
    codes : Codes
    """
    n_samples, n_features = X.shape
    blocks = _split_columns(n_samples, n_features)
    map_blocks = map_blocks or _map_serially
    ranks = np.empty((n_features, n_samples), np.uint32)
    tables = map_blocks(_encode_block, [(X, ranks, lower, upper) for lower, upper in blocks])
    values, sizes, missing = (np.concatenate(parts) for parts in zip(*tables, strict=True))
    # The code of NaN is one more than the last value's.
    n_codes = int((sizes + (missing >= 0)).max(initial=1))
    dtype = np.uint8 if n_codes <= 256 else np.uint16 if n_codes <= 65536 else np.uint32
    ranks = ranks.astype(dtype, copy=False)
    return Codes(
        kind={np.uint8: DENSE_8, np.uint16: DENSE_16, np.uint32: DENSE_32}[dtype],
        codes=ranks.reshape(-1),
        codes_by_row=np.ascontiguousarray(ranks.T).reshape(-1),
        indptr=np.zeros(1, np.int64),
        indices=np.zeros(1, np.int32),
        values=values,
        offsets=np.concatenate([[0], np.cumsum(sizes)]),
        missing=missing,
        zero=np.zeros(1, np.int32),
        n_samples=n_samples,
        n_features=n_features,
    )


def encode_sparse(X):
    """Codes of a sparse matrix: of what is stored, and of zero.

    Parameters
    ----------
    X : CSC matrix of float32 with sorted, unique indices
        NaN is a missing value.

    Returns
    -------
    codes : Codes
    """
    n_samples, n_features = X.shape
    codes = np.empty(X.nnz, np.uint32)
    values = np.empty(X.nnz + n_features, np.float32)
    sizes = np.empty(n_features, np.int64)
    missing, zero = np.empty(n_features, np.int32), np.empty(n_features, np.int32)
    indptr = X.indptr.astype(np.int64)
    data = np.array(X.data, np.float32)
    keys = np.empty((2, n_samples + 1), np.uint64)
    n_values = _rank_sparse(
        data, indptr, n_samples, keys, make_counts(), codes, values, sizes, missing, zero
    )
    return Codes(
        kind=SPARSE,
        codes=codes,
        codes_by_row=codes[:0],
        indptr=indptr,
        indices=X.indices.astype(np.int32),
        values=values[:n_values].copy(),
        offsets=np.concatenate([[0], np.cumsum(sizes)]),
        missing=missing,
        zero=zero,
        n_samples=n_samples,
        n_features=n_features,
    )


def encode_keys(X):
    """Codes that order and tell apart values without ranking them, for splits at drawn values.

    The bits of a float32 are an integer; with the lower ones of negative values inverted
    integers are in the order of the values.

    Parameters
    ----------
    X : ndarray of float32 of shape (n_samples, n_features)
        Without NaN.

    Returns
    -------
    codes : Codes
        Without tables of values.
    """
    n_samples, n_features = X.shape
    keys = np.add(X, np.float32(0.0), order="C").view(np.int32)  # -0.0 becomes 0.0
    for start in range(0, n_samples, 4096):
        block = keys[start : start + 4096]
        block ^= (block >> 31) & 0x7FFFFFFF
    keys = keys.view(np.uint32)
    return Codes(
        kind=KEYS,
        codes=np.ascontiguousarray(keys.T).reshape(-1),
        codes_by_row=keys.reshape(-1),
        indptr=np.zeros(1, np.int64),
        indices=np.zeros(1, np.int32),
        values=np.zeros(1, np.float32),
        offsets=np.zeros(n_features + 1, np.int64),
        missing=np.full(n_features, NO_CODE, np.int32),
        zero=np.zeros(1, np.int32),
        n_samples=n_samples,
        n_features=n_features,
    )


@njit
def to_key(value):
    """The code of `encode_keys` for a float32."""
    bits = np.float32(value + np.float32(0.0)).view(np.int32)
    return bits ^ ((bits >> 31) & 0x7FFFFFFF)


@njit
def from_key(key):
    """Undo `to_key`."""
    return np.int32(key ^ ((key >> 31) & 0x7FFFFFFF)).view(np.float32)


def _map_serially(function, tasks):
    return [function(*task) for task in tasks]


def _split_columns(n_samples, n_features):
    size = max(1, 400_000 // max(n_samples, 1))
    return [(i, min(i + size, n_features)) for i in range(0, n_features, size)]


def _encode_block(X, ranks, lower, upper):
    columns = np.array(X[:, lower:upper].T, dtype=np.float32, order="C")
    n_columns, n_samples = columns.shape
    values = np.empty(columns.size, np.float32)
    sizes = np.empty(n_columns, np.int64)
    missing = np.empty(n_columns, np.int32)
    keys = _get_keys(n_samples)
    n_values = _rank_columns(
        columns, keys, make_counts(), ranks[lower:upper], values, sizes, missing
    )
    return values[:n_values].copy(), sizes, missing


def make_counts():
    """Scratch of `sort_keys`."""
    return np.empty((3, _MASK + 1), np.int64)


_local = threading.local()


def _get_keys(n_samples):
    # Small fits come by the thousand; large ones give their memory back.
    if n_samples > 4096:
        return np.empty((2, n_samples), np.uint64)
    if getattr(_local, "keys", None) is None or _local.keys.shape[1] < n_samples:
        _local.keys = np.empty((2, 4096), np.uint64)
    return _local.keys


@njit
def make_key(bits):
    """Unsigned integers in the order of the floats whose bits they are made of."""
    return bits ^ (_ALL if bits & _SIGN else _SIGN)


@njit
def sort_keys(keys, n, counts):
    """Sort the first n of `keys[0]` by their upper 32 bits, stably; which row holds the result.

    `counts` is scratch of int64 of shape (3, 2048).
    """
    if n <= 48:
        for i in range(1, n):
            key = keys[0, i]
            j = i - 1
            while j >= 0 and keys[0, j] > key:
                keys[0, j + 1] = keys[0, j]
                j -= 1
            keys[0, j + 1] = key
        return 0
    for digit in range(3):
        for value in range(_MASK + 1):
            counts[digit, value] = 0
    for i in range(n):
        key = np.int64(keys[0, i] >> np.uint64(32))
        for digit in range(3):
            counts[digit, (key >> (digit * _RADIX)) & _MASK] += 1
    source = 0
    for digit in range(3):
        shift = 32 + digit * _RADIX
        first = np.int64((keys[source, 0] >> np.uint64(shift)) & np.uint64(_MASK))
        if counts[digit, first] == n:
            continue
        total = 0
        for value in range(_MASK + 1):
            count = counts[digit, value]
            counts[digit, value] = total
            total += count
        for i in range(n):
            key = keys[source, i]
            value = np.int64((key >> np.uint64(shift)) & np.uint64(_MASK))
            keys[1 - source, counts[digit, value]] = key
            counts[digit, value] += 1
        source = 1 - source
    return source


@njit
def _rank_columns(columns, keys, counts, ranks, values, sizes, missing):
    n_columns, n_samples = columns.shape
    n_values = np.int64(0)
    for j in range(n_columns):
        row = columns[j]
        for i in range(n_samples):
            row[i] += np.float32(0.0)  # -0.0 becomes 0.0
            if np.isnan(row[i]):
                row[i] = np.float32(np.nan)  # whose sign and payload differ otherwise
        bits = row.view(np.uint32)
        for i in range(n_samples):
            keys[0, i] = (np.uint64(make_key(bits[i])) << np.uint64(32)) | np.uint64(i)
        source = sort_keys(keys, n_samples, counts)
        code, has_missing = _assign_ranks(keys[source], n_samples, row, ranks[j], values, n_values)
        sizes[j] = code
        missing[j] = code if has_missing else NO_CODE
        n_values += code
    return n_values


@njit
def _assign_ranks(keys, n, row, ranks, values, n_values):
    """Codes in the order of sorted keys; NaN, which sorts last, gets the one after."""
    code, last, has_missing = -1, np.uint64(0), False
    for p in range(n):
        key = keys[p] >> np.uint64(32)
        i = np.int64(keys[p] & np.uint64(0xFFFFFFFF))
        if p == 0 or key != last:
            last = key
            code += 1
            if np.isnan(row[i]):
                has_missing = True
            else:
                values[n_values + code] = row[i]
        ranks[i] = code
    return (code if has_missing else code + 1), has_missing


@njit
def _rank_sparse(data, indptr, n_samples, keys, counts, codes, values, sizes, missing, zero):
    n_values = np.int64(0)
    for j in range(len(indptr) - 1):
        lower, upper = indptr[j], indptr[j + 1]
        n = upper - lower
        row = np.empty(n + 1, np.float32)
        row[:n] = data[lower:upper]
        row[n] = 0.0
        # Zero takes part where it occurs, or where it alone would be the column.
        n_keys = n + 1 if n < n_samples else n
        for i in range(n_keys):
            row[i] += np.float32(0.0)
            if np.isnan(row[i]):
                row[i] = np.float32(np.nan)
        bits = row.view(np.uint32)
        for i in range(n_keys):
            keys[0, i] = (np.uint64(make_key(bits[i])) << np.uint64(32)) | np.uint64(i)
        source = sort_keys(keys, n_keys, counts)
        ranks = np.empty(n + 1, np.uint32)
        code, has_missing = _assign_ranks(keys[source], n_keys, row, ranks, values, n_values)
        codes[lower:upper] = ranks[:n]
        zero[j] = ranks[n] if n < n_samples else 0
        sizes[j] = code
        missing[j] = code if has_missing else NO_CODE
        n_values += code
    return n_values
