"""Means of columns and powers of two that bring them to one scale.

A direction of the data can be called rounding only relative to the columns that it is made
of: beside a time stamp in nanoseconds, a column of values around one is not noise. Solvers
therefore scale (and center) columns before they drop anything. Powers of two make that
exact: scaled data, penalties and coefficients have the digits of the unscaled ones.
"""

import numpy as np
from scipy import sparse

from skextra._core.numerics.full_data import correlate, iterate_row_blocks

# Stored entries of a sparse matrix that are converted at a time.
_CHUNK = 1 << 18
# Mean squares outside this range may have lost digits, or all of them, to underflow or
# overflow: the column is measured again relative to its largest entry.
_SAFE_SQUARES = 1e-280, 1e300


def compute_column_scales(X, sample_weight=None, center=True):
    """Weighted means of the columns, and the powers of two nearest above their sizes.

    Parameters
    ----------
    X : ndarray (C- or F-contiguous) or CSR/CSC of shape (n_samples, n_features)
        Of either precision.
    sample_weight : ndarray of shape (n_samples,) or None
        Non-negative, not all zero.
    center : bool
        Whether sizes are measured about the means (standard deviations) or about zero
        (root mean squares).

    Returns
    -------
    means : ndarray of shape (n_features,) and float64
        In two passes: the second sums differences from the first, which leaves an error of
        one rounding however far a column is from zero. Zeros if not `center`.
    scales : ndarray of shape (n_features,) and float64
        ``2 ** k`` with ``X / scales`` between 1/2 and 1 in size; 1 for columns that are
        constant, or zero if not `center`, up to two units in the last place of X's type.
    """
    n, p = X.shape
    share = np.full(n, 1 / n)
    if sample_weight is not None:
        share = sample_weight / sample_weight.max()
        share = share / share.sum()
    visit = _sum_sparse if sparse.issparse(X) else _sum_dense
    # Overflow is looked for in the results.
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        means = correlate(X, share) if center else np.zeros(p)
        remainder, squares = visit(X, share, means)
        if center:
            means = means + remainder
            squares = squares - remainder**2
        sizes = np.sqrt(np.maximum(squares, 0.0))
        low, high = _SAFE_SQUARES
        unsafe = np.flatnonzero(~((squares > low) & (squares < high)))
        if len(unsafe):
            sizes[unsafe] = _measure_relative(X, share, means, unsafe)
    constant = sizes <= 2 * np.finfo(X.dtype).eps * np.abs(means)
    return means, round_to_power_of_two(np.where(constant, 1.0, sizes))


def round_to_power_of_two(sizes):
    """Powers of two above `sizes`, at most twice as large; 1 where a size is zero or not finite."""
    mantissas, exponents = np.frexp(sizes)
    # A power of two stays what it is: a second call changes nothing.
    exponents = np.where(mantissas == 0.5, exponents - 1, exponents)
    usable = (mantissas != 0) & np.isfinite(sizes)
    return np.ldexp(1.0, np.where(usable, np.minimum(exponents, 1023), 0))


def _sum_dense(X, share, shift):
    """Weighted means of the columns minus `shift`, and of their squares."""
    sums, squares = np.zeros(X.shape[1]), np.zeros(X.shape[1])
    for start, stop, block in iterate_row_blocks(X, shift if shift.any() else None):
        weights = share[start:stop]
        # A row of weight zero is not there, even where its squares overflow.
        block[weights == 0] = 0.0
        sums += weights @ block
        squares += weights @ np.square(block, out=block)
    return sums, squares


def _sum_sparse(X, share, shift):
    """As `_sum_dense`; entries that are not stored are counted, not visited."""
    p = X.shape[1]
    sums, squares, stored = np.zeros(p), np.zeros(p), np.zeros(p)
    n_stored = np.zeros(p, dtype=np.int64)
    for rows, columns, values in _iterate_entries(X):
        weights = share[rows]
        present = weights > 0
        if not present.all():
            columns, values, weights = columns[present], values[present], weights[present]
        values = values - shift[columns]
        sums += np.bincount(columns, weights * values, minlength=p)
        squares += np.bincount(columns, weights * values**2, minlength=p)
        stored += np.bincount(columns, weights, minlength=p)
        n_stored += np.bincount(columns, minlength=p)
    # Of a column that is stored whole the difference would be rounding, times its mean.
    is_whole = n_stored == np.count_nonzero(share)
    absent = np.where(is_whole, 0.0, np.maximum(1.0 - stored, 0.0))
    return sums - absent * shift, squares + absent * shift**2


def _iterate_entries(X):
    """Yield row indices, column indices and float64 values of stored entries, in chunks."""
    indptr = X.indptr
    n_major = len(indptr) - 1
    starts = np.unique(np.searchsorted(indptr, np.arange(0, indptr[-1], _CHUNK), side="right") - 1)
    for first, last in zip(starts, [*starts[1:], n_major], strict=True):
        entries = slice(indptr[first], indptr[last])
        major = np.repeat(np.arange(first, last), np.diff(indptr[first : last + 1]))
        minor = X.indices[entries]
        rows, columns = (major, minor) if X.format == "csr" else (minor, major)
        yield rows, columns, X.data[entries].astype(np.float64)


def _measure_relative(X, share, means, features):
    """Sizes of columns relative to their largest entry, whose squares are safe."""
    block = X[:, features]
    block = block.toarray() if sparse.issparse(X) else block
    block = block.astype(np.float64) - means[features]
    block[share == 0] = 0.0
    largest = np.abs(block).max(axis=0, initial=0.0)
    block /= np.where(largest > 0, largest, 1.0)
    return largest * np.sqrt(share @ block**2)
