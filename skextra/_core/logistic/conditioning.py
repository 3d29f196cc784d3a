"""Columns of one scale: what lets a solver call a direction of the data rounding.

Beside a time stamp in nanoseconds a column of ones is rounding to every test that compares
columns with each other. Columns of very different scales are therefore divided by powers of
two (which is exact) before anything else, and centered where an intercept is fitted. Data
that are well scaled are used as they are: measuring them costs a pass or two.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from skextra._core.numerics.full_data import correlate, iterate_row_blocks
from skextra._core.numerics.scaling import compute_column_scales

# Largest ratio of column scales that is left alone: squares lose 8 of 16 digits there.
_MOST_SPREAD = 1e4
# Largest distance from zero, in standard deviations, at which products may be centered
# afterwards: they lose 3 of 16 digits there, and squares of them 6.
_MOST_OFFSET = 1e3
# Scales outside overflow or underflow when they are squared and summed.
_LARGEST, _SMALLEST = 1e100, 1e-100


@dataclass
class ConditionedData:
    """``Z = (X - shift) / scales``, or X itself.

    Attributes
    ----------
    X : ndarray, CSR or CSC of shape (n_samples, n_features)
        Z.
    shift, scales : ndarray of shape (n_features,), or None where Z is X
    sizes : ndarray of shape (n_features,)
        Root mean squares of the columns of the data as given, about `shift` if there is one.
    means : ndarray of shape (n_features,) or None
        Means of the columns, where Z is X.
    """

    X: object
    shift: np.ndarray | None
    scales: np.ndarray | None
    sizes: np.ndarray
    means: np.ndarray | None = None


def condition_columns(X, sample_weight, center, used):
    """Bring columns to one scale where theirs are too different, and near zero.

    Parameters
    ----------
    X : ndarray, CSR or CSC of shape (n_samples, n_features)
    sample_weight : ndarray of shape (n_samples,)
        Positive.
    center : bool
        Whether an intercept is fitted, so that columns may be shifted. Of sparse columns
        only those are that store every entry: others cannot be far from zero in their own
        scale, beyond the root of the number of samples.
    used : ndarray of bool of shape (n_features,)
        Columns that take part; others are left alone.

    Returns
    -------
    data : ConditionedData
    """
    with np.errstate(over="ignore", invalid="ignore"):
        means, squares = _measure(X, center)
        variances = np.maximum(squares - means**2, 0.0) if center else squares
        counted = used
        if center and not sparse.issparse(X):
            counted = used & ~_find_constant(X, means, variances)
        is_good = _are_well_scaled(means[counted], squares[counted], variances[counted])
    if is_good:
        return ConditionedData(X, None, None, np.sqrt(squares), means)
    means, scales = compute_column_scales(X, sample_weight, center)
    scales = np.where(used, scales, 1.0)
    shift = np.where(used, means, 0.0)
    if sparse.issparse(X):
        if center:
            counts = (
                np.diff(X.indptr)
                if X.format == "csc"
                else np.bincount(X.indices, minlength=X.shape[1])
            )
            shift = np.where(counts == X.shape[0], shift, 0.0)
        return ConditionedData(_transform_sparse(X, shift, scales), shift, scales, scales)
    Z = X.astype(np.float64)
    # A number may be larger than the largest power of two: divide before subtracting.
    Z /= scales
    Z -= shift / scales
    return ConditionedData(Z, shift, scales, scales)


def _measure(X, center):
    """Means (zeros if not `center`) and mean squares, in one pass each; good to a few digits."""
    n, p = X.shape
    means = correlate(X, np.full(n, 1.0 / n)) if center else np.zeros(p)
    if sparse.issparse(X):
        indices = X.indices
        values = X.data.astype(np.float64) ** 2
        if X.format == "csr":
            return means, np.bincount(indices, values, minlength=p) / n
        squares, stored = np.zeros(p), np.diff(X.indptr) > 0
        if stored.any():
            squares[stored] = np.add.reduceat(values, X.indptr[:-1][stored]) / n
        return means, squares
    if X.dtype == np.float64:
        return means, np.einsum("ij,ij->j", X, X) / n
    squares = np.zeros(p)
    for _, _, block in iterate_row_blocks(X):
        squares += np.einsum("ij,ij->j", block, block)
    return means, squares / n


def _find_constant(X, means, variances):
    """Columns of one value: centered they are nothing, wherever they are."""
    constant = variances <= 1e-6 * means**2
    for j in np.flatnonzero(constant):
        constant[j] = (X[:, j] == X[0, j]).all()
    return constant


def _are_well_scaled(means, squares, variances):
    if not (np.isfinite(means).all() and np.isfinite(squares).all()):
        return False
    if (means**2 > _MOST_OFFSET**2 * variances).any(where=means != 0):
        return False
    # A column of zeros has no scale.
    sizes = np.sqrt(variances[variances > 0])
    if len(sizes) == 0:
        return not (means != 0).any()
    low, high = sizes.min(), sizes.max()
    return high <= _MOST_SPREAD * low and high < _LARGEST and low > _SMALLEST


def _transform_sparse(X, shift, scales):
    if X.format == "csc":
        columns = np.repeat(np.arange(X.shape[1]), np.diff(X.indptr))
    else:
        columns = X.indices
    data = X.data.astype(np.float64) / scales[columns] - (shift / scales)[columns]
    return type(X)((data, X.indices, X.indptr), shape=X.shape)
