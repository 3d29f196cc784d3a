"""Products with the penalised columns, which never form their centred, scaled copy.

Coefficients are class-major, (n_rows, n_features), as decision values are: a product is
then one BLAS call without a transposed copy.
"""

import numpy as np
from scipy import sparse

from skextra._core.jit import njit
from skextra._core.products import multiply_dense

_FAST = {"contract", "reassoc", "nsz"}
_BLOCK_BYTES = 1 << 20
# Centred copies of dense data are kept up to this many entries.
_SMALL = 1 << 16


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
    """

    is_sparse = False

    def __init__(self, design, factor):
        self.X, self.factor = design.X, factor
        self.shape = design.X.shape
        self.mean = design.mean if design.fit_intercept else None
        self._whole = None
        if self.X.size <= _SMALL:
            self._whole = self._center(self.X, np.float64)
            self.X, self.mean, self.factor = self._whole, None, None

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
        if self._whole is not None and sample is None and dtype == np.float64:
            yield slice(None), self._whole
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

    def __init__(self, design, factor):
        X = design.X
        self.shape, self.factor = X.shape, factor
        self.csr, self.csc = sparse.csr_array(X), sparse.csc_array(X)
        self.mean = None

    def predict(self, D):
        """``D @ Z.T`` of shape (n_rows, n_samples)."""
        D = D if self.factor is None else D * self.factor
        return _multiply(self.csr, D)

    def correlate(self, T):
        """``T @ Z`` of shape (n_rows, n_features)."""
        C = _multiply(self.csc, T)
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
        squares = _multiply(squared, H)
        return squares if self.factor is None else squares * self.factor**2


def _cut(n, sample, row_bytes):
    step = max(128, _BLOCK_BYTES // row_bytes)
    if sample is None:
        return [slice(start, min(start + step, n)) for start in range(0, n, step)]
    return [sample[start : start + step] for start in range(0, len(sample), step)]


def _multiply(matrix, D):
    """``(matrix @ D.T).T`` for a CSR matrix, or for the transpose of a CSC matrix."""
    n = len(matrix.indptr) - 1
    out = np.empty((len(D), n))
    if len(D) == 1:
        multiply_vector(matrix.data, matrix.indices, matrix.indptr, D[0], out[0])
    else:
        multiply_rows(
            matrix.data, matrix.indices, matrix.indptr, np.ascontiguousarray(D.T), out
        )  # fmt: skip
    return out


@njit(fastmath=_FAST)
def multiply_vector(data, indices, indptr, d, out):
    """Compressed rows times a vector, summed in double precision."""
    for i in range(out.shape[0]):
        total = 0.0
        # Signed indices might count from the end, and that keeps loops from vectorising.
        for t in range(np.uint64(indptr[i]), np.uint64(indptr[i + 1])):
            total += data[t] * d[np.uint64(indices[t])]
        out[i] = total


@njit(fastmath=_FAST)
def multiply_rows(data, indices, indptr, D, out):
    """As `multiply_vector` for several vectors, the columns of `D`; `out` has a row each."""
    n_rows = D.shape[1]
    total = np.empty(n_rows)
    for i in range(out.shape[1]):
        total[:] = 0.0
        for t in range(np.uint64(indptr[i]), np.uint64(indptr[i + 1])):
            x, j = data[t], np.uint64(indices[t])
            for k in range(n_rows):
                total[k] += x * D[j, k]
        for k in range(n_rows):
            out[k, i] = total[k]
