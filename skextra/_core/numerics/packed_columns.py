"""Packed copies of a few columns, centered, weighted and free of nuisance directions.

The solvers visit a small set of columns thousands of times; packed side by side
they stay in cache. Dense columns are centered explicitly, sparse ones implicitly.
"""

import numpy as np
from scipy import sparse

from skextra._core.numerics import full_data
from skextra._core.numerics.products import multiply_compressed

# Numbers in a block of columns that fits the cache.
_BLOCK = 1 << 17


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


class DenseColumns:
    """Columns stored one after another; `matrix` is (n_columns, n_samples), C-ordered."""

    def __init__(self, matrix):
        self._buffer = matrix
        self.n = len(matrix)

    @classmethod
    def from_design(cls, design, features):
        """Pack columns of a dense design."""
        block = design.X[:, features].T.astype(np.float64, order="C")
        if design.fit_intercept:
            block -= design.mean[features, None]
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

    def correlate(self, r):
        """Products of every column with `r`."""
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
        matrix = design.X[:, features].astype(np.float64)
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

    def correlate(self, r):
        """Products of every column with `r`."""
        return self.matrix.T @ r - (self.basis.T @ r) @ self.loadings

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
