"""Reading a column's codes for the rows of a node."""

from skextra._core.jit import njit
from skextra._core.tree.encode import DENSE_8, DENSE_16, DENSE_32


@njit
def _read(column, rows, out):
    low, high = 2147483647, -1
    for i in range(len(rows)):
        code = int(column[rows[i]])
        out[i] = code
        low = min(low, code)
        high = max(high, code)
    return low, high


@njit
def _read_sparse(column, indices, zero, where, start, end, rows, out):
    n = end - start
    out[:n] = zero
    n_found = 0
    if len(indices) > 12 * n:
        for i in range(n):
            row = rows[i]
            lower, upper = 0, len(indices)
            while lower < upper:
                middle = (lower + upper) >> 1
                if indices[middle] < row:
                    lower = middle + 1
                else:
                    upper = middle
            if lower < len(indices) and indices[lower] == row:
                out[i] = column[lower]
                n_found += 1
    else:
        for e in range(len(indices)):
            place = where[indices[e]]
            if start <= place < end:
                out[place - start] = column[e]
                n_found += 1
    if n_found == 0:
        return zero, zero
    low, high = 2147483647, -1
    for i in range(n):
        low = min(low, out[i])
        high = max(high, out[i])
    return low, high


@njit
def gather_codes(data, feature, rows, where, start, end, out):
    """Codes of rows[start:end] in a column, and their extremes.

    Parameters
    ----------
    data : tuple
        Kind, the three views of the codes, indptr, indices, zero, n_samples.
    feature : int
    rows : ndarray of int32
    where : ndarray of int32
        Place of each row in `rows`, -1 where it is not; only read where sparse.
    start, end : int
    out : ndarray of int32

    Returns
    -------
    low, high : int
    """
    kind, codes_8, codes_16, codes_32, indptr, indices, zero, n_samples = data
    node = rows[start:end]
    begin = feature * n_samples
    if kind == DENSE_8:
        return _read(codes_8[begin : begin + n_samples], node, out)
    if kind == DENSE_16:
        return _read(codes_16[begin : begin + n_samples], node, out)
    if kind == DENSE_32:
        return _read(codes_32[begin : begin + n_samples], node, out)
    lower, upper = indptr[feature], indptr[feature + 1]
    return _read_sparse(
        codes_32[lower:upper], indices[lower:upper], int(zero[feature]), where, start, end, node, out
    )
