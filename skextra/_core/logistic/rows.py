"""Products with the penalised columns, which never form their centred, scaled copy.

Coefficients are class-major, (n_rows, n_features), as decision values are: a product is
then one BLAS call without a transposed copy.
"""

import numpy as np
from scipy import sparse

from skextra._core.numerics.products import multiply_compressed, multiply_dense

_BLOCK_BYTES = 1 << 20
# Centred copies of dense data are kept up to this many entries.
_SMALL = 1 << 19


def create_rows(design, factor):
    """Products with ``Z = (X - mean) * factor``, dense or sparse."""
    return (SparseRows if design.is_sparse else DenseRows)(design, factor)


class DenseRows:
    """Dense data, centred on paper.

    Parameters
    ----------
    design : Design
    factor : ndarray of shape (n_features,) or None
        On each column.

    Attributes
    ----------
    whole : ndarray of shape (n_samples, n_features) or None
        All of Z, if it is small.
    """

    is_sparse = False

    def __init__(self, design, factor):
        self.X, self.factor = design.X, factor
        self.shape = design.X.shape
        self.mean = design.mean if design.fit_intercept else None
        self.whole = None
        if self.X.size <= _SMALL:
            self.whole = self._center(self.X, np.float64)
            self.X, self.mean, self.factor = self.whole, None, None

    def _center(self, block, dtype):
        block = block.astype(dtype, order="C")
        if self.mean is not None:
            block -= self.mean.astype(dtype)
        if self.factor is not None:
            block *= self.factor.astype(dtype)
        return block

    def predict(self, D):
        """``D @ Z.T`` of shape (n_rows, n_samples)."""
        D = D if self.factor is None else D * self.factor
        if self.X.dtype == np.float64:
            F = multiply_dense(self.X, D.T).T
        else:
            F = np.empty((len(D), self.shape[0]))
            for start, stop, block in self._iterate_doubles():
                F[:, start:stop] = multiply_dense(block, D.T).T
        if self.mean is not None:
            F -= (D @ self.mean)[:, None]
        return F

    def correlate(self, T):
        """``T @ Z`` of shape (n_rows, n_features)."""
        if self.X.dtype == np.float64:
            C = multiply_dense(self.X.T, T.T).T
        else:
            C = np.zeros((len(T), self.shape[1]))
            for start, stop, block in self._iterate_doubles():
                C += multiply_dense(block.T, T[:, start:stop].T).T
        if self.mean is not None:
            C -= np.outer(T.sum(axis=1), self.mean)
        return C if self.factor is None else C * self.factor

    def _iterate_doubles(self):
        # Products of single precision numbers, summed in double precision.
        n, p = self.shape
        step = max(64, _BLOCK_BYTES // (8 * max(p, 1)))
        for start in range(0, n, step):
            stop = min(start + step, n)
            yield start, stop, self.X[start:stop].astype(np.float64)

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
    """Sparse data, not centred: a row of ones among the nuisance directions does that."""

    is_sparse = True
    whole = None

    def __init__(self, design, factor):
        X = design.X
        self.shape, self.factor = X.shape, factor
        self.csr, self.csc = sparse.csr_array(X), sparse.csc_array(X)
        self.mean = None

    def predict(self, D):
        """``D @ Z.T`` of shape (n_rows, n_samples)."""
        D = D if self.factor is None else D * self.factor
        return multiply_compressed(self.csr, D)

    def correlate(self, T):
        """``T @ Z`` of shape (n_rows, n_features)."""
        C = multiply_compressed(self.csc, T)
        return C if self.factor is None else C * self.factor

    def iterate_blocks(self, sample, dtype, width):
        """Yield ``(rows, block)``: blocks of Z, of the rows `sample` if not None."""
        for rows in _cut(self.shape[0], sample, np.dtype(dtype).itemsize * max(width, 1)):
            block = self.csr[rows].toarray().astype(dtype, copy=False)
            yield rows, block if self.factor is None else block * self.factor.astype(dtype)

    def compute_squares(self, H):
        """``H @ Z**2`` for weights (n_rows, n_samples)."""
        squared = self.csc.astype(np.float64)
        squared.data **= 2
        squares = multiply_compressed(squared, H)
        return squares if self.factor is None else squares * self.factor**2


def _cut(n, sample, row_bytes):
    step = max(128, _BLOCK_BYTES // row_bytes)
    if sample is None:
        return [slice(start, min(start + step, n)) for start in range(0, n, step)]
    return [sample[start : start + step] for start in range(0, len(sample), step)]
