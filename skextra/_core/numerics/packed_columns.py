"""Packed copies of a few columns, centered, weighted and free of nuisance directions.

The solvers visit a small set of columns thousands of times; packed side by side
they stay in cache. Dense columns are centered explicitly, sparse ones implicitly.
"""

import numpy as np
from scipy import sparse

from skextra._core.numerics import full_data
from skextra._core.numerics.products import multiply_compressed
from skextra._core.runtime.jit import njit

# Numbers in a block of columns that fits the cache.
_BLOCK = 1 << 17
# Squared spread of a column beside its squared mean, from which it is centered implicitly.
_SMALLEST_SPREAD = 1e-4
# What one layout has none of, see :mod:`skextra._core.quadratic.column_sweeps`.
_NO_DENSE_COLUMNS = np.empty((0, 0))
_NO_SPARSE_COLUMNS = (
    np.empty(0), np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int32), np.empty((0, 0))
)  # fmt: skip


def correlate(design, R):
    """``Z.T @ R`` in double precision for weighted residuals, reading X once.

    Parameters
    ----------
    design : Design
    R : ndarray of shape (n_samples, k)
        Times the roots of the sample weights, and orthogonal to the nuisance
        directions: the products with the means are corrections near rounding.

    Returns
    -------
    correlations : ndarray of shape (n_features, k) and float64
    """
    R = design.weigh_rows(R)
    X = design.X
    if X.dtype != np.float64 and not design.is_sparse:
        products = full_data.correlate(X, R, design.mean if design.fit_intercept else None)
    else:
        products = np.asarray(X.T @ R, dtype=np.float64)
        if design.fit_intercept:
            products -= np.outer(design.mean, R.sum(axis=0))
            # Far from zero the product would have the rounding of the mean, not of the column.
            far = design.far_columns
            if len(far):
                products[far] = full_data.correlate(X[:, far], R, design.mean[far])
    if design.rows is not None:
        products -= design.projection.T @ (design.rows.T @ R)
    return products


def pack(design, features):
    """Columns `features` of the design, packed."""
    if design.is_sparse:
        return SparseColumns.from_design(design, features)
    return DenseColumns.from_design(design, features)


def pack_all(design):
    """All columns of the design, as they lie in memory where that is possible."""
    if not design.is_sparse:
        columns = CenteredColumns.from_design(design)
        if columns is not None:
            return columns
    return pack(design, np.arange(design.shape[1]))


@njit
def gather_columns(X, features, mean, out):
    """Write columns of X less their means to the rows of `out`."""
    n = X.shape[0]
    # Blocks of both, so that X is read and `out` is written by whole lines of the cache.
    for first in range(0, len(features), 16):
        last = min(first + 16, len(features))
        for start in range(0, n, 64):
            stop = min(start + 64, n)
            for f in range(first, last):
                j = features[f]
                for i in range(start, stop):
                    out[f, i] = X[i, j] - mean[j]


class DenseColumns:
    """Columns stored one after another; `matrix` is (n_columns, n_samples), C-ordered."""

    def __init__(self, matrix):
        self._buffer = matrix
        self.n = len(matrix)

    @classmethod
    def from_design(cls, design, features):
        """Pack columns of a dense design."""
        X, mean, which = design.X, design.mean, np.asarray(features, dtype=np.int64)
        if not X.flags.writeable:
            # Kernels are compiled for arrays that can be written to.
            X, mean, which = X[:, features], mean[features], np.arange(len(features))
        block = np.empty((len(features), design.shape[0]))
        gather_columns(X, which, mean, block)
        if design.rows is not None:
            block -= design.projection[:, features].T @ design.rows.T
        if design.weights is not None:
            block *= design.sqrt_weights
        return cls(block)

    @property
    def matrix(self):
        """The columns, one per row."""
        return self._buffer[: self.n]

    def append(self, other):
        """Add columns behind the present ones."""
        n = self.n + other.n
        if n > len(self._buffer):
            buffer = np.empty((max(n, 2 * len(self._buffer)), self._buffer.shape[1]))
            buffer[: self.n] = self.matrix
            self._buffer = buffer
        self._buffer[self.n : n] = other.matrix
        self.n = n

    def keep(self, positions):
        """Drop all columns but those at the increasing `positions`."""
        for new, old in enumerate(positions):
            if new != old:
                self._buffer[new] = self._buffer[old]
        self.n = len(positions)

    def as_arrays(self):
        """The arrays of :mod:`skextra._core.quadratic.column_sweeps`."""
        return self.matrix, *_NO_SPARSE_COLUMNS

    def start_residual(self, y, w):
        """The two parts of a residual there: all of it, and nothing."""
        return y - self.predict(w), np.empty(0)

    def count_stored(self):
        """Numbers that a pass over the columns reads."""
        return self.matrix.size

    def correlate(self, r):
        """Products of every column with `r`."""
        return self.matrix @ r

    def correlate_parts(self, r, offset):
        """Products of every column with a residual in two parts."""
        return self.matrix @ r

    def correlate_rows(self, R):
        """Products (n_columns, n_rows) of every column with the rows of `R`."""
        return self.matrix @ R.T

    def predict_rows(self, W):
        """Combinations (n_rows, n_samples) with the columns of `W`."""
        return W.T @ self.matrix

    def compute_weighted_squares(self, weights):
        """Weighted squared lengths (n_columns, n_rows) for weights (n_rows, n_samples)."""
        squares = np.empty((self.n, len(weights)))
        step = max(1, _BLOCK // max(self._buffer.shape[1], 1))
        for start in range(0, self.n, step):
            block = self.matrix[start : start + step]
            squares[start : start + step] = (block * block) @ weights.T
        return squares

    def predict(self, w):
        """Combination of the columns with coefficients `w`."""
        support = np.flatnonzero(w)
        if 2 * len(support) > self.n:
            return w @ self.matrix
        return w[support] @ self._buffer[support]

    def compute_gram(self, other):
        """Products of every column with every column of `other`."""
        return self.matrix @ other.matrix.T

    def compute_squared_norms(self):
        """Squared length of every column."""
        return np.einsum("ij,ij->i", self.matrix, self.matrix)


class CenteredColumns:
    """All columns of a dense design as they lie in memory, centered implicitly.

    Column j is ``matrix[j] - basis * loadings[0, j]`` with `basis` the direction of the
    intercept, or just ``matrix[j]`` without one.
    """

    def __init__(self, matrix, mean):
        n = matrix.shape[1]
        self.matrix = matrix
        self.basis = np.full((n, len(mean)), 1 / np.sqrt(n))
        self.loadings = np.sqrt(n) * mean
        self.squares = np.einsum("ij,ij->i", matrix, matrix)

    @classmethod
    def from_design(cls, design):
        """The columns of a dense design, or None where they have to be copied."""
        X, mean = design.X, design.mean[None, :]
        is_ready = X.dtype == np.float64 and X.flags.f_contiguous and X.flags.writeable
        if not is_ready or design.weights is not None or design.rows is not None:
            return None
        # What overflows is refused by whoever uses the products.
        with np.errstate(over="ignore", invalid="ignore"):
            columns = cls(X.T, mean if design.fit_intercept else mean[:0])
            squares = np.einsum("ij,ij->j", columns.loadings, columns.loadings)
            columns.squares -= squares
        # Far from zero products would have the rounding of the means.
        return None if (columns.squares < _SMALLEST_SPREAD * squares).any() else columns

    def as_arrays(self):
        """The arrays of :mod:`skextra._core.quadratic.column_sweeps`."""
        return self.matrix, *_NO_SPARSE_COLUMNS[:3], self.loadings

    def count_stored(self):
        """Numbers that a pass over the columns reads."""
        return self.matrix.size

    def start_residual(self, y, w):
        """Two parts of ``y - predict(w)``, for y free of `basis`: ``r + basis @ offset``."""
        return y - self._combine(w), self.loadings @ w

    def _combine(self, w):
        support = np.flatnonzero(w)
        if 4 * len(support) > len(w):
            return w @ self.matrix
        return w[support] @ self.matrix[support]

    def correlate(self, r):
        """Products of every column with `r`."""
        return self.matrix @ r - self.loadings.T @ (self.basis.T @ r)

    def correlate_parts(self, r, offset):
        """Products of every column with a residual in two parts."""
        return self.matrix @ r + offset @ self.loadings

    def predict(self, w):
        """Combination of the columns with coefficients `w`."""
        return self._combine(w) - self.basis @ (self.loadings @ w)

    def compute_squared_norms(self):
        """Squared length of every column."""
        return self.squares


class SparseColumns:
    """CSC columns times the roots of the weights, centered and projected implicitly.

    A column is ``matrix[:, j] - basis @ loadings[:, j]`` with an orthonormal
    `basis` of the nuisance directions (intercept, unpenalized features).
    """

    def __init__(self, matrix, basis, loadings):
        self.matrix = matrix
        self.basis = basis
        self.loadings = loadings
        self._rows = self._squares = None

    @classmethod
    def from_design(cls, design, features):
        """Pack columns of a sparse design."""
        matrix = design.X
        is_ready = matrix.format == "csc" and matrix.data.flags.writeable
        if len(features) < matrix.shape[1] or not is_ready:
            matrix = matrix[:, features]
        matrix = matrix.astype(np.float64, copy=False)
        if design.weights is not None:
            matrix = sparse.diags_array(design.sqrt_weights) @ matrix
        matrix = sparse.csc_array(matrix)
        basis = design.list_null_rows()
        if basis is None:
            basis = np.zeros((design.shape[0], 0))
        return cls(matrix, basis, (matrix.T @ basis).T)

    @property
    def n(self):
        """Number of columns."""
        return self.matrix.shape[1]

    def to_rows(self):
        """The columns as CSR, without the centering."""
        if self._rows is None:
            self._rows = self.matrix.tocsr()
        return self._rows

    def append(self, other):
        """Add columns behind the present ones."""
        self._rows = self._squares = None
        self.matrix = sparse.hstack([self.matrix, other.matrix], format="csc")
        self.loadings = np.hstack([self.loadings, other.loadings])

    def keep(self, positions):
        """Drop all columns but those at the increasing `positions`."""
        self._rows = self._squares = None
        self.matrix = self.matrix[:, positions]
        self.loadings = self.loadings[:, positions]

    def as_arrays(self):
        """The arrays of :mod:`skextra._core.quadratic.column_sweeps`."""
        matrix = self.matrix
        loadings = np.ascontiguousarray(self.loadings)
        return _NO_DENSE_COLUMNS, matrix.data, matrix.indices, matrix.indptr, loadings

    def start_residual(self, y, w):
        """Two parts of ``y - predict(w)``, for y free of `basis`: ``r + basis @ offset``."""
        return y - self.matrix @ w, self.loadings @ w

    def count_stored(self):
        """Numbers that a pass over the columns reads."""
        return self.matrix.nnz

    def correlate(self, r):
        """Products of every column with `r`."""
        return self.matrix.T @ r - (self.basis.T @ r) @ self.loadings

    def correlate_parts(self, r, offset):
        """Products of every column with a residual in two parts."""
        return self.matrix.T @ r + offset @ self.loadings

    def correlate_rows(self, R):
        """Products (n_columns, n_rows) of every column with the rows of `R`."""
        products = multiply_compressed(self.matrix, R).T
        return products - self.loadings.T @ (self.basis.T @ R.T)

    def predict_rows(self, W):
        """Combinations (n_rows, n_samples) with the columns of `W`."""
        return multiply_compressed(self.to_rows(), W.T) - (self.basis @ (self.loadings @ W)).T

    def compute_weighted_squares(self, weights):
        """Weighted squared lengths (n_columns, n_rows), of columns that are not centered."""
        if self._squares is None:
            self._squares = self.matrix.copy()
            self._squares.data **= 2
        return multiply_compressed(self._squares, weights).T

    def predict(self, w):
        """Combination of the columns with coefficients `w`."""
        return self.matrix @ w - self.basis @ (self.loadings @ w)

    def compute_gram(self, other):
        """Products of every column with every column of `other`."""
        gram = (self.matrix.T @ other.matrix).toarray()
        return gram - self.loadings.T @ other.loadings

    def compute_squared_norms(self):
        """Squared length of every column."""
        squares = self.matrix.copy()
        squares.data **= 2
        norms = squares.sum(axis=0) - np.einsum("ij,ij->j", self.loadings, self.loadings)
        return np.maximum(norms, 0.0)
