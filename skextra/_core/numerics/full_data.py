"""Products with the whole data matrix in double precision, for certificates.

A certificate bounds the error of the returned coefficients on the data as they were given,
so its products must not inherit the rounding of the solver: not the single precision of
its blocks, and not the cancellation of products that are centered afterwards. Data in single
precision are converted block by block, in cache; no copy of the matrix is made.
"""

import numpy as np
from scipy import sparse

from skextra._core.numerics.products import multiply_dense, multiply_sparse

# Bytes of a block in double precision: large enough for BLAS to run at full speed, small
# enough to stay in the cache between its conversion and its product.
_BLOCK_BYTES = 1 << 20
# A sparse matrix that stores more than this share of its entries is centered exactly, in
# expanded blocks of rows: only there can all values of a column be far from zero.
_DENSE_SHARE = 0.3


def multiply(X, W, shift=None):
    """``(X - shift) @ W`` in float64.

    Parameters
    ----------
    X : ndarray (C- or F-contiguous) or CSR/CSC of shape (n_samples, n_features)
        Of either precision.
    W : ndarray of shape (n_features,) or (n_features, k)
    shift : ndarray of shape (n_features,) or None
        Subtracted from every row before the product, so that features far from zero do not
        cancel afterwards.

    Returns
    -------
    product : ndarray of shape (n_samples,) or (n_samples, k)
    """
    W = np.asarray(W, dtype=np.float64)
    columns = W[:, None] if W.ndim == 1 else W
    if sparse.issparse(X) and not _is_mostly_stored(X):
        product = multiply_sparse(X, columns)
        if shift is not None:
            product -= shift @ columns
    elif _is_ready(X, shift):
        product = multiply_dense(X, columns)
    else:
        product = np.empty((X.shape[0], columns.shape[1]))
        for start, stop, block in iterate_row_blocks(X, shift):
            product[start:stop] = multiply_dense(block, columns)
    return product.reshape(X.shape[0], *W.shape[1:])


def correlate(X, R, shift=None):
    """``(X - shift).T @ R`` in float64; parameters as in :func:`multiply`.

    Parameters
    ----------
    X : ndarray (C- or F-contiguous) or CSR/CSC of shape (n_samples, n_features)
    R : ndarray of shape (n_samples,) or (n_samples, k)
    shift : ndarray of shape (n_features,) or None

    Returns
    -------
    correlations : ndarray of shape (n_features,) or (n_features, k)
    """
    R = np.asarray(R, dtype=np.float64)
    columns = R[:, None] if R.ndim == 1 else R
    if sparse.issparse(X) and not _is_mostly_stored(X):
        product = multiply_sparse(X.T, columns)
        if shift is not None:
            product -= np.outer(shift, columns.sum(axis=0))
    elif _is_ready(X, shift):
        product = multiply_dense(X.T, columns)
    else:
        product = np.zeros((X.shape[1], columns.shape[1]))
        for start, stop, block in iterate_row_blocks(X, shift):
            product += multiply_dense(block.T, columns[start:stop])
    return product.reshape(X.shape[1], *R.shape[1:])


def iterate_row_blocks(X, shift=None, at_least=16):
    """Yield ``(start, stop, X[start:stop] - shift)`` as dense float64 blocks.

    The block is scratch: it may be written to, and the next one reuses it.

    Parameters
    ----------
    X : ndarray (C- or F-contiguous) or CSR/CSC of shape (n_samples, n_features)
    shift : ndarray of shape (n_features,) or None
    at_least : int
        Rows of a block, at least.
    """
    n, p = X.shape
    is_sparse = sparse.issparse(X)
    X = X.tocsr() if is_sparse else X
    order = "C" if is_sparse or X.flags.c_contiguous else "F"
    m = min(n, max(_BLOCK_BYTES // (8 * max(p, 1)), at_least))
    scratch = np.empty((m, p), order=order)
    for start in range(0, n, m):
        stop = min(start + m, n)
        if stop - start < m:
            scratch = np.empty((stop - start, p), order=order)
        rows = X[start:stop].toarray() if is_sparse else X[start:stop]
        if shift is None:
            np.copyto(scratch, rows)
        else:
            np.subtract(rows, shift, out=scratch)
        yield start, stop, scratch


def _is_ready(X, shift):
    """Whether BLAS can take X as it is."""
    return shift is None and not sparse.issparse(X) and X.dtype == np.float64


def _is_mostly_stored(X):
    return X.nnz > _DENSE_SHARE * X.shape[0] * X.shape[1]
