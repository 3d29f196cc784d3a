"""A centered, weighted design matrix that is only ever formed block by block.

Solvers of linear models need three things of their data: the moments (Gram
matrix of the columns and their products with the targets), the kernel (Gram
matrix of the rows), and products with vectors. All are accumulated here from
blocks that fit the cache, so no centered or weighted copy of X ever exists.
"""

import numpy as np
from scipy import sparse
from scipy.linalg import blas, qr, solve_triangular, svd

from skextra._core.numerics import full_data
from skextra._core.numerics.products import (
    accumulate_gram,
    multiply_dense,
    multiply_sparse,
    subtract_outer,
)
from skextra._core.numerics.scaling import round_to_power_of_two

# Big enough for a product to run at full speed, small enough to stay in cache.
_BLOCK_BYTES = 1 << 21
# A column that varies by less than this multiple of its mean's rounding is constant.
_CONSTANT = 8
# Moments about a provisional shift keep their digits while the shift's part of a sum of
# squares is at most this many times what remains.
_LARGEST_SHIFT = 16
# Spread of a column relative to its mean, below which it is centered before products.
_FAR = 1e-4


class Design:
    """The columns of X that carry a penalty, seen centered and residualised.

    Parameters
    ----------
    X : ndarray (C- or F-contiguous) or CSR/CSC of shape (n_samples, n_features)
    sample_weight : ndarray of shape (n_samples,) or None
    fit_intercept : bool
        Whether columns are seen minus their weighted mean.
    scale : ndarray of shape (n_features,) or None
        Factor on each column: ``1 / sqrt(penalty_weights)``.
    dtype : dtype
        Type of the blocks; sums over blocks are always float64.

    Notes
    -----
    The matrix is ``Z = (X - mean - rows @ projection) * scale``, where `rows`
    (orthonormal under the weights) spans the unpenalized columns, see
    :meth:`project_out`.
    """

    def __init__(self, X, sample_weight=None, fit_intercept=True, scale=None, dtype=None):
        self.X = X
        self.is_sparse = sparse.issparse(X)
        self.shape = X.shape
        self.weights = sample_weight
        self.fit_intercept = fit_intercept
        self.scale = scale
        self.dtype = np.dtype(X.dtype if dtype is None else dtype)
        self.sqrt_weights = None if sample_weight is None else np.sqrt(sample_weight)
        self.total_weight = float(X.shape[0] if sample_weight is None else sample_weight.sum())
        self.rows = None
        self.projection = None
        self._mean = None if fit_intercept else np.zeros(X.shape[1])
        self._csr = None
        self._transposed = None
        self._far = None

    @property
    def mean(self):
        """Weighted mean of the columns (zeros without an intercept), float64."""
        if self._mean is None:
            self._mean = compute_column_means(self.X, self.weights, self.total_weight)
        return self._mean

    @property
    def far_columns(self):
        """Columns all of whose values, as far as a sample tells, are close to a mean far from 0."""
        if self._far is None:
            self._far = np.flatnonzero(_find_far_columns(self.X, self.mean, _FAR))
        return self._far

    def project_out(self, columns):
        """See every column minus its projection on `columns` from now on.

        Parameters
        ----------
        columns : ndarray of shape (n_samples, n_unpenalized) and float64
            Centered already, to the last digit: what they differ by counts, however far from
            zero they were.

        Returns
        -------
        transform : ndarray of shape (n_unpenalized, rank)
            ``columns @ transform`` is orthonormal under the weights.
        """
        # Brought to one length first: beside a time stamp in nanoseconds, a column of
        # values around one is not rounding.
        weighted = self.weigh_rows(columns)
        lengths = round_to_power_of_two(_compute_lengths(weighted))
        _, values, Vt = svd(weighted / lengths, full_matrices=False, check_finite=False)
        cutoff = max(columns.shape) * np.finfo(np.float64).eps * max(values[0], 1e-300)
        kept = values > cutoff
        transform = Vt[kept].T / values[kept]
        scaled = columns / lengths
        # Nearly dependent columns leave the first basis orthogonal to a few digits only.
        _, triangle = qr(self.weigh_rows(scaled @ transform), mode="economic", check_finite=False)
        transform = solve_triangular(triangle, transform.T, trans=1, check_finite=False).T
        self.rows = scaled @ transform
        self.projection = self._correlate_exactly(self.weigh(self.rows)).T
        return transform / lengths[:, None]

    def _correlate_exactly(self, R):
        """Products of the centered columns of X with R, which need not be centered."""
        return full_data.correlate(self.X, R, self.mean if self.fit_intercept else None)

    def weigh(self, R):
        """R with each row times its weight."""
        if self.weights is None:
            return R
        return R * (self.weights if R.ndim == 1 else self.weights[:, None])

    def weigh_rows(self, R):
        """R with each row times the square root of its weight."""
        return R if self.weights is None else R * self.sqrt_weights[:, None]

    def _count_block_rows(self, at_least, width=1):
        n, p = self.shape
        m = max(_BLOCK_BYTES // (self.dtype.itemsize * max(p, width)), at_least)
        return min(n, m)

    def iterate_row_blocks(self, at_least=16, shift=None, width=1):
        """Yield ``(start, stop, block)`` of centered, residualised, unscaled rows.

        The block is scratch: it may be written to, and the next one reuses it.
        """
        n, p = self.shape
        shift = self.mean if shift is None else shift
        shift = shift.astype(self.dtype, copy=False) if self.fit_intercept else None
        m = self._count_block_rows(at_least, width)
        X = self._to_csr() if self.is_sparse else self.X
        order = "F" if not self.is_sparse and not X.flags.c_contiguous else "C"
        scratch = np.empty((m, p), dtype=self.dtype, order=order)
        for start in range(0, n, m):
            stop = min(start + m, n)
            if stop - start < m:
                scratch = np.empty((stop - start, p), dtype=self.dtype, order=order)
            rows = X[start:stop]
            if self.is_sparse:
                rows.toarray(out=scratch) if rows.dtype == self.dtype else np.copyto(
                    scratch, rows.toarray()
                )
                if shift is not None:
                    scratch -= shift
            elif shift is not None:
                np.subtract(rows, shift, out=scratch, dtype=self.dtype, casting="same_kind")
            else:
                np.copyto(scratch, rows)
            if self.rows is not None:
                scratch -= (self.rows[start:stop] @ self.projection).astype(self.dtype)
            yield start, stop, scratch

    def iterate_products(self, W, at_least=256, width=1):
        """Yield ``(start, stop, Z[start:stop] @ W)``, unweighted, in scratch."""
        W = W if self.scale is None else self.scale[:, None] * W
        if not self.is_sparse:
            for start, stop, block in self.iterate_row_blocks(at_least, width=width):
                yield start, stop, multiply_dense(block, W)
            return
        X = self._to_csr()
        mean_part = self.mean @ W
        m = self._count_block_rows(at_least, width)
        for start in range(0, self.shape[0], m):
            stop = min(start + m, self.shape[0])
            product = np.asarray(X[start:stop] @ W, dtype=np.float64)
            product -= mean_part
            if self.rows is not None:
                product -= self.rows[start:stop] @ (self.projection @ W)
            yield start, stop, product

    def _to_csr(self):
        if self._csr is None:
            self._csr = self.X.tocsr()
        return self._csr

    def dot(self, W):
        """``Z @ W`` of shape (n_samples, k), unweighted, float64."""
        W = W if self.scale is None else self.scale[:, None] * W
        if self.is_sparse:
            out = multiply_sparse(self.X, W.astype(self.dtype, copy=False))
            if self.fit_intercept:
                out -= self.mean @ W
            if self.rows is not None:
                out -= self.rows @ (self.projection @ W)
            return out
        if self._is_plain():
            return multiply_dense(self.X, W) - self.mean @ W
        out = np.empty((self.shape[0], W.shape[1]))
        W = W.astype(self.dtype, copy=False)
        at_least = 16 if W.shape[1] == 1 else 512
        for start, stop, block in self.iterate_row_blocks(at_least):
            out[start:stop] = multiply_dense(block, W)
        return out

    def _is_plain(self):
        # Products may be centered afterwards unless a column is far from zero.
        is_double = self.X.dtype == self.dtype == np.float64
        return is_double and self.rows is None and len(self.far_columns) == 0

    def transpose_dot(self, R):
        """``Z.T @ R`` of shape (n_features, k), float64; weights are the caller's."""
        out = self._transpose_dot(R)
        if self.scale is not None:
            out *= self.scale[:, None]
        return out

    def _transpose_dot(self, R):
        if self.is_sparse:
            if self._transposed is None:
                self._transposed = self.X.T
            out = multiply_sparse(self._transposed, R.astype(self.dtype, copy=False))
            if self.fit_intercept:
                out -= np.outer(self.mean, R.sum(axis=0))
                if len(self.far_columns):
                    far = self.far_columns
                    out[far] = full_data.correlate(self.X[:, far], R, self.mean[far])
            if self.rows is not None:
                out -= self.projection.T @ (self.rows.T @ R)
            return out
        if self._is_plain():
            return multiply_dense(self.X.T, R) - np.outer(self.mean, R.sum(axis=0))
        out = None
        R = R.astype(self.dtype, copy=False)
        at_least = 16 if R.shape[1] == 1 else 512
        for start, stop, block in self.iterate_row_blocks(at_least):
            product = multiply_dense(block.T, R[start:stop])
            out = product.astype(np.float64, copy=False) if out is None else out + product
        return out

    def compute_column_norms(self):
        """Squared weighted norms of the columns of Z (before projection if sparse)."""
        if self.is_sparse:
            X = self.X
            squared = type(X)((X.data**2, X.indices, X.indptr), shape=X.shape)
            ones = np.ones(self.shape[0]) if self.weights is None else self.weights
            norms = np.asarray(squared.T @ ones, dtype=np.float64)
            centered = self.total_weight * self.mean**2
            norms = np.maximum(norms - centered, 0)
            # Of columns far from zero the difference is rounding, or not much else.
            lost = np.flatnonzero((norms <= 1e-6 * centered) & (centered > 0))
            if len(lost):
                block = X[:, lost].toarray() - self.mean[lost]
                norms[lost] = ones @ block**2
        else:
            norms = np.zeros(self.shape[1])
            for start, stop, block in self.iterate_row_blocks():
                if self.weights is not None:
                    block *= self.sqrt_weights[start:stop, None]
                norms += np.einsum("ij,ij->j", block, block)
        norms = norms if self.scale is None else norms * self.scale**2
        refuse_overflow(norms)
        return norms

    def compute_moments(self, Y):
        """Gram matrix of Z's columns and their products with Y, in one pass.

        Parameters
        ----------
        Y : ndarray of shape (n_samples, k)
            Centered and residualised like the columns; unweighted.

        Returns
        -------
        gram : ndarray of shape (n_features, n_features), F-ordered float64
            Only its lower triangle is meaningful.
        cross : ndarray of shape (n_features, k) and float64
        """
        if self.is_sparse and self._is_sparse_product_cheaper():
            moments = self._compute_sparse_moments(Y)
        else:
            moments = self._compute_dense_moments(Y)
        gram, cross = moments
        self._clear_constant_columns(gram, cross)
        if self.scale is not None:
            gram *= self.scale
            gram *= self.scale[:, None]
            cross *= self.scale[:, None]
        refuse_overflow(gram.diagonal(), cross)
        return gram, cross

    def compute_noise(self):
        """Squared length at which a column of weighted, unscaled Z is rounding.

        What centering leaves of a constant column is rounding, and so is what a projection
        leaves of a column that the unpenalized ones span; scaled up to a coefficient either
        would be noise of any size.
        """
        noise = np.zeros(self.shape[1])
        share = _CONSTANT * np.finfo(self.dtype).eps
        with np.errstate(over="ignore"):
            if self.fit_intercept:
                noise += self.total_weight * (share * self.mean) ** 2
            if self.rows is not None:
                noise += share**2 * np.einsum("ij,ij->j", self.projection, self.projection)
        return noise

    def _clear_constant_columns(self, gram, cross):
        if not self.fit_intercept and self.rows is None:
            return
        constant = gram.diagonal() <= self.compute_noise()
        constant &= np.isfinite(gram.diagonal())
        if constant.any():
            gram[constant] = 0.0
            gram[:, constant] = 0.0
            cross[constant] = 0.0

    def _is_sparse_product_cheaper(self):
        # A sparse multiply-add costs about as much as 60 dense ones.
        if self.rows is not None:
            return False
        if self.X.format == "csr":
            counts = np.diff(self.X.indptr).astype(np.float64)
        else:
            counts = np.bincount(self.X.indices, minlength=self.shape[0]).astype(np.float64)
        return 60 * (counts @ counts) < self.shape[0] * float(self.shape[1]) ** 2

    def _compute_sparse_moments(self, Y):
        Z = self.X.astype(self.dtype, copy=False)
        if self.weights is not None:
            Z = sparse.diags_array(self.sqrt_weights.astype(self.dtype)) @ Z
        gram = np.asfortranarray((Z.T @ Z).toarray(), dtype=np.float64)
        if self.fit_intercept:
            before = gram.diagonal().copy()
            gram = subtract_outer(gram, self.total_weight, self.mean)
            # Columns far from zero lose their digits: center those block by block.
            if (before > 1e6 * np.maximum(gram.diagonal(), 0)).any(where=before > 0):
                return self._compute_dense_moments(Y)
        return gram, self._transpose_dot(self.weigh(Y))

    def _compute_dense_moments(self, Y):
        n, p = self.shape
        at_least = max(512, min(p // 2, 1024))
        shift = self._choose_shift(self._count_block_rows(at_least))
        gram, cross, sums = self.accumulate_moments(Y, shift, at_least)
        if not self.fit_intercept or self._mean is not None:
            return gram, cross
        offset = sums / self.total_weight
        self._mean = shift.astype(np.float64) + offset
        gram = subtract_outer(gram, self.total_weight, offset)
        lost = self.total_weight * offset**2 > _LARGEST_SHIFT * np.maximum(gram.diagonal(), 0)
        if lost.any(where=offset != 0):
            gram, cross, _ = self.accumulate_moments(Y, self._mean, at_least)
        return gram, cross

    def _choose_shift(self, block_rows):
        # A shift near the mean is as good as the mean itself once the sums are
        # corrected, and a sample of a fraction f of the rows cannot be further
        # from it than sqrt(1 / f) standard deviations: this saves a pass over X.
        n = self.shape[0]
        if self._mean is not None or self.is_sparse or n <= block_rows:
            return self.mean
        step = max(1, n // 1024)
        sample = self.X[::step]
        if self.weights is None:
            shift = sample.mean(axis=0, dtype=np.float64)
        else:
            weights = self.weights[::step]
            if not weights.any():
                return self.mean
            shift = weights @ sample / weights.sum()
        return shift.astype(self.dtype)

    def accumulate_moments(self, Y, shift, at_least=512):
        """Moments about `shift`, without scaling, and the weighted column sums."""
        p = self.shape[1]
        gram = np.zeros((p, p), order="F")
        cross = np.zeros((p, Y.shape[1]))
        sums = np.zeros(p)
        Yw = self.weigh_rows(Y).astype(self.dtype, copy=False)
        as_is = self.weights is None and self.rows is None and self.X.dtype == self.dtype
        if as_is and not (self.is_sparse or self.fit_intercept):
            gram = accumulate_gram(gram, self.X)
            return gram, multiply_dense(self.X.T, Yw).astype(np.float64), sums
        for start, stop, block in self.iterate_row_blocks(at_least, shift):
            if self.weights is not None:
                block *= self.sqrt_weights[start:stop, None]
            gram = accumulate_gram(gram, block)
            cross += multiply_dense(block.T, Yw[start:stop])
            if self._mean is None:
                if self.weights is None:
                    sums += block.sum(axis=0, dtype=np.float64)
                else:
                    sums += self.sqrt_weights[start:stop].astype(self.dtype) @ block
        return gram, cross, sums

    def compute_kernel(self):
        """Gram matrix of the weighted rows of Z.

        Returns
        -------
        kernel : ndarray of shape (n_samples, n_samples), F-ordered float64
            Only its lower triangle is meaningful.
        """
        kernel = self._compute_kernel()
        refuse_overflow(kernel.diagonal())
        return kernel

    def _compute_kernel(self):
        n, p = self.shape
        if self.is_sparse and self.rows is None and self.X.nnz < 0.1 * n * p:
            kernel = self._compute_sparse_kernel()
            if kernel is not None:
                return kernel
        untouched = self.weights is None and self.rows is None and self.scale is None
        if untouched and not self.is_sparse and self.X.dtype == np.float64:
            kernel = self._compute_kernel_as_is()
            if kernel is not None:
                return kernel
        kernel = np.zeros((n, n), order="F")
        for _, _, block in self.iterate_column_blocks(at_least=min(max(256, n // 2), 1024)):
            kernel = accumulate_gram(kernel, block.T)
        return kernel

    def _compute_kernel_as_is(self):
        # Centering the kernel instead of the data saves a pass over the data, and
        # costs no digits worth having unless features are far from zero.
        n = self.shape[0]
        kernel = accumulate_gram(np.zeros((n, n), order="F"), self.X.T)
        if not self.fit_intercept:
            return kernel
        before = kernel.trace()
        lower = np.tril(kernel)
        means = (lower.sum(axis=0) + lower.sum(axis=1) - kernel.diagonal()) / n
        kernel -= means
        kernel -= (means - means.mean())[:, None]
        return kernel if before <= 100 * kernel.trace() else None

    def iterate_column_blocks(self, at_least=16):
        """Yield ``(start, stop, block)`` of columns of Z times the row weights' roots."""
        n, p = self.shape
        m = min(p, max(_BLOCK_BYTES // (self.dtype.itemsize * max(n, 1)), at_least))
        X = self.X.tocsc() if self.is_sparse else self.X
        order = "F" if self.is_sparse or not X.flags.c_contiguous else "C"
        scratch = np.empty((n, m), dtype=self.dtype, order=order)
        mean = self.mean
        for start in range(0, p, m):
            stop = min(start + m, p)
            if stop - start < m:
                scratch = np.empty((n, stop - start), dtype=self.dtype, order=order)
            block = X[:, start:stop]
            block = block.toarray() if self.is_sparse else block
            if self.fit_intercept:
                shift = mean[start:stop].astype(self.dtype, copy=False)
                np.subtract(block, shift, out=scratch, dtype=self.dtype, casting="same_kind")
            else:
                np.copyto(scratch, block)
            if self.rows is not None:
                scratch -= (self.rows @ self.projection[:, start:stop]).astype(self.dtype)
            if self.weights is not None:
                scratch *= self.sqrt_weights[:, None].astype(self.dtype, copy=False)
            if self.scale is not None:
                scratch *= self.scale[start:stop].astype(self.dtype, copy=False)
            yield start, stop, scratch

    def _compute_sparse_kernel(self):
        Z = self.X.astype(self.dtype, copy=False)
        if self.weights is not None:
            Z = sparse.diags_array(self.sqrt_weights.astype(self.dtype)) @ Z
        if self.scale is not None:
            Z = Z @ sparse.diags_array(self.scale.astype(self.dtype))
        kernel = np.asfortranarray((Z @ Z.T).toarray(), dtype=np.float64)
        if self.fit_intercept:
            mean = self.mean if self.scale is None else self.mean * self.scale
            root = np.ones(self.shape[0]) if self.weights is None else self.sqrt_weights
            before = kernel.diagonal().copy()
            half = Z @ mean - (0.5 * (mean @ mean)) * root
            kernel = blas.dsyr2(-1.0, half, root, a=kernel, lower=1, overwrite_a=1)
            if (before > 1e6 * np.maximum(kernel.diagonal(), 0)).any(where=before > 0):
                return None
        return kernel

    def list_null_rows(self):
        """Orthonormal directions (n_samples, r) that every weighted column is free of."""
        parts = []
        if self.fit_intercept:
            root = np.ones(self.shape[0]) if self.weights is None else self.sqrt_weights
            parts.append(root[:, None] / np.sqrt(self.total_weight))
        if self.rows is not None:
            parts.append(self.weigh_rows(self.rows))
        return np.hstack(parts) if parts else None

    def compute_triangular_factor(self, Y):
        """QR of weighted Z by blocks of rows: ``R`` and ``Q.T @ Y``, Q never stored.

        References
        ----------
        Demmel, Grigori, Hoemmen & Langou, "Communication-optimal parallel and
        sequential QR and LU factorizations", SIAM J. Sci. Comput. 34 (2012).
        """
        n, p = self.shape
        refuse_overflow(self.mean)
        R, C = np.zeros((0, p)), np.zeros((0, Y.shape[1]))
        Yw = self.weigh_rows(Y)
        for start, stop, block in self.iterate_row_blocks(at_least=max(256, 2 * p)):
            if self.weights is not None:
                block *= self.sqrt_weights[start:stop, None].astype(self.dtype, copy=False)
            if self.scale is not None:
                block *= self.scale.astype(self.dtype, copy=False)
            Q, R = np.linalg.qr(np.vstack([R, block]))
            C = Q.T @ np.vstack([C, Yw[start:stop]])
        return R, C


def compute_column_means(X, weights, total_weight):
    """Weighted means of the columns in float64, to one rounding."""
    n = X.shape[0]
    ones = np.ones(n) if weights is None else weights
    if not sparse.issparse(X) and X.dtype == np.float64 and weights is None:
        means = X.mean(axis=0)
    else:
        means = full_data.correlate(X, ones) / total_weight
    # The rounding of a sum is relative to the mean. Far from zero it may be large beside
    # the column itself: such columns are summed again, as differences from the first mean.
    is_far = _find_far_columns(X, means, 1e-2)
    if is_far.any():
        far = np.flatnonzero(is_far)
        remainder = full_data.correlate(X[:, far], ones, means[far]) / total_weight
        means[far] += np.where(np.isfinite(remainder), remainder, 0.0)
    return means


def _find_far_columns(X, means, share):
    """Columns of which sampled values differ from the mean by less than a share of it."""
    sample = X[:: max(1, X.shape[0] // 16)]
    sample = sample.toarray() if sparse.issparse(sample) else sample
    with np.errstate(over="ignore", invalid="ignore"):
        is_near_mean = (np.abs(sample - means) <= share * np.abs(means)).all(axis=0)
    return is_near_mean & (means != 0)


def _compute_lengths(columns):
    """Euclidean lengths of columns, without underflow or overflow of their squares."""
    largest = np.abs(columns).max(axis=0, initial=0.0)
    unit = columns / np.where(largest > 0, largest, 1.0)
    return largest * np.sqrt(np.einsum("ij,ij->j", unit, unit))


def refuse_overflow(*sums):
    """Refuse data whose sums of squares or products are not finite."""
    for values in sums:
        if not np.isfinite(values).all():
            raise ValueError(
                "X is too large: sums of squares of its features overflow; scale the features"
            )
