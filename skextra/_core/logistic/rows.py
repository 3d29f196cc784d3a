"""Products with the penalized columns, which never form their centered copy.

Coefficients are class-major, (n_rows, n_features), as decision values are: a product is
then one BLAS call without a transposed copy.
"""

import numpy as np
from scipy import sparse

from skextra._core.numerics.products import multiply_compressed, multiply_dense

_BLOCK_BYTES = 1 << 20
# The same for blocks that two products in a row read: a second-level cache (3,000 x 1,000:
# 1.5 ms instead of 1.9, 4 classes 2.2 instead of 5.7).
_TWICE_READ_BYTES = 1 << 20
# Centered copies of dense data are kept up to this many entries.
_SMALL = 1 << 19


def create_rows(design):
    """Products with ``Z = X - mean``, dense or sparse."""
    return (SparseRows if design.is_sparse else DenseRows)(design)


class DenseRows:
    """Dense data, centered implicitly.

    Parameters
    ----------
    design : Design

    Attributes
    ----------
    whole : ndarray of shape (n_samples, n_features) or None
        All of Z, if it is small.
    """

    is_sparse = False

    def __init__(self, design):
        self.X = design.X
        self.shape = design.X.shape
        self.mean = design.mean if design.fit_intercept else None
        self.whole = None
        if self.X.size <= _SMALL:
            self.whole = self._center(self.X, np.float64)
            self.X, self.mean = self.whole, None

    def _center(self, block, dtype):
        block = block.astype(dtype, order="C")
        if self.mean is not None:
            block -= self.mean.astype(dtype)
        return block

    def predict(self, D):
        """``D @ Z.T`` of shape (n_rows, n_samples)."""
        if self.X.dtype == np.float64:
            F = multiply_dense(self.X, D.T).T
        else:
            F = np.empty((len(D), self.shape[0]))
            for rows, block in self._iterate_doubles(_BLOCK_BYTES):
                F[:, rows] = multiply_dense(block, D.T).T
        if self.mean is not None:
            F -= (D @ self.mean)[:, None]
        return F

    def correlate(self, T):
        """``T @ Z`` of shape (n_rows, n_features)."""
        if self.X.dtype == np.float64:
            C = multiply_dense(self.X.T, T.T).T
        else:
            C = np.zeros((len(T), self.shape[1]))
            for rows, block in self._iterate_doubles(_BLOCK_BYTES):
                C += multiply_dense(block.T, T[:, rows].T).T
        if self.mean is not None:
            C -= np.outer(T.sum(axis=1), self.mean)
        return C

    def evaluate(self, loss, W, b):
        """Loss, and its gradient with respect to coefficients and intercepts, in one pass.

        Parameters
        ----------
        loss : LogLoss
        W : ndarray of shape (n_rows, n_features)
        b : ndarray of shape (n_rows,)

        Returns
        -------
        F : ndarray of shape (n_rows, n_samples)
            Decision values.
        value : float
        P : ndarray of shape (n_rows, n_samples)
            Probabilities.
        C : ndarray of shape (n_rows, n_features)
            Products of the columns with the residuals.
        sums : ndarray of shape (n_rows,)
            Sums of the residuals.
        """
        n, p = self.shape
        level = b if self.mean is None else b - W @ self.mean
        F, P = np.empty((len(W), n)), np.empty((len(W), n))
        C, sums, value = np.zeros((len(W), p)), np.zeros(len(W)), 0.0
        for rows, block in self._iterate_doubles(_TWICE_READ_BYTES):
            F[:, rows] = multiply_dense(block, W.T).T + level[:, None]
            part, P[:, rows] = loss.evaluate(F[:, rows], rows)
            value += part
            T = loss.compute_residual(P[:, rows], rows)
            C += multiply_dense(block.T, T.T).T
            sums += T.sum(axis=1)
        if self.mean is not None:
            C -= np.outer(sums, self.mean)
        return F, value, P, C, sums

    def _iterate_doubles(self, block_bytes):
        # Products of single precision numbers, summed in double precision.
        n, p = self.shape
        step = max(32, block_bytes // (8 * max(p, 1)))
        if self.X.dtype == np.float64 and (self.X.size <= _SMALL or not self.X.flags.c_contiguous):
            # A block of rows of columns that stand one after another would be copied.
            step = n
        for start in range(0, n, max(step, 1)):
            rows = slice(start, min(start + step, n))
            yield rows, self.X[rows].astype(np.float64, copy=False)

    def iterate_blocks(self, sample, dtype, width):
        """Yield ``(rows, block)``: blocks of Z, of the rows `sample` if not None."""
        if self.whole is not None and sample is None and dtype == np.float64:
            yield slice(None), self.whole
            return
        for rows in _cut(self.shape[0], sample, np.dtype(dtype).itemsize * max(width, 1)):
            yield rows, self._center(self.X[rows], dtype)

    def compute_squares(self, H):
        """``H @ Z**2`` for weights (n_rows, n_samples)."""
        squares = np.zeros((len(H), self.shape[1]))
        for rows, block in self.iterate_blocks(None, np.float64, self.shape[1]):
            squares += H[:, rows] @ (block * block)
        return squares


class SparseRows:
    """Sparse data, not centered: a row of ones among the nuisance directions does that."""

    is_sparse = True
    whole = None

    def __init__(self, design):
        X = design.X
        self.shape = X.shape
        self.csr, self.csc = sparse.csr_array(X), sparse.csc_array(X)
        self.mean = None

    def predict(self, D):
        """``D @ Z.T`` of shape (n_rows, n_samples)."""
        return multiply_compressed(self.csr, D)

    def correlate(self, T):
        """``T @ Z`` of shape (n_rows, n_features)."""
        return multiply_compressed(self.csc, T)

    def iterate_blocks(self, sample, dtype, width):
        """Yield ``(rows, block)``: blocks of Z, of the rows `sample` if not None."""
        for rows in _cut(self.shape[0], sample, np.dtype(dtype).itemsize * max(width, 1)):
            yield rows, self.csr[rows].toarray().astype(dtype, copy=False)

    def compute_squares(self, H):
        """``H @ Z**2`` for weights (n_rows, n_samples)."""
        squared = self.csc.astype(np.float64)
        squared.data **= 2
        return multiply_compressed(squared, H)


def _cut(n, sample, row_bytes):
    step = max(128, _BLOCK_BYTES // row_bytes)
    if sample is None:
        return [slice(start, min(start + step, n)) for start in range(0, n, step)]
    return [sample[start : start + step] for start in range(0, len(sample), step)]
