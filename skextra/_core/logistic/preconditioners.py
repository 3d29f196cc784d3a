"""Approximate inverses of the Hessian of logistic regression with an L2 penalty.

By shape: the factor of all of it, from all rows or a sample of them; a factor for each
class; or its diagonal.
"""

import numpy as np
from scipy.linalg import blas, lapack

from skextra._core.logistic.solver_choice import Preconditioner, choose_preconditioner

# Weight of a row, relative to the mean, that a preconditioner can do without.
_NEGLIGIBLE = 1e-3
# A sample of the rows has this many for every coefficient, and is a small part of all.
_ROWS_EACH = 10
_FEW_ROWS = 8000
_MANY_TIMES = 3
_PARTS = 6
# Conjugate gradient steps after which it is computed again, at least.
_PATIENCE = 5
# How much faster the arithmetic of a Gram matrix is than that of a product.
_SPEED = 16
# Relative to the diagonal.
_SMALLEST_PIVOT = 1e-11
_DAMPINGS = (0.0, *np.logspace(-11, 0, 12).tolist())


def create_preconditioner(problem, rows, size):
    """The one that suits the shape of the data.

    Parameters
    ----------
    problem : LogisticProblem
    rows : DenseRows or SparseRows
    size : int
        Coefficients, nuisance coefficients included.
    """
    n, p = rows.shape
    choice = choose_preconditioner(n, p, problem.n_rows, size)
    if choice is Preconditioner.WHOLE:
        return WholePreconditioner(problem, rows, draw_rows(n, count_sampled_rows(n, size)))
    if choice is Preconditioner.CLASSES:
        return ClassPreconditioner(problem, rows, draw_rows(n, max(2 * p, _FEW_ROWS // 4)))
    return DiagonalPreconditioner(problem, rows)


def count_sampled_rows(n, size):
    """Rows that tell enough of a Hessian of `size` coefficients: all, unless there are many."""
    wanted = max(_ROWS_EACH * size, _FEW_ROWS, n // _PARTS)
    return n if n < _MANY_TIMES * wanted else wanted


def draw_rows(n, size):
    """A sample of the rows, the same every time; None for all of them."""
    if size >= n:
        return None
    return np.sort(np.random.default_rng(0).choice(n, size, replace=False))


class WholePreconditioner:
    """Cholesky factor of the Hessian over all classes and nuisance directions.

    Attributes
    ----------
    is_exact : bool
        Whether it is the inverse for the probabilities it was computed at.
    """

    def __init__(self, problem, rows, sample):
        self.problem, self.columns = problem, Columns(problem, rows, sample, np.float64)
        self.is_exact = sample is None
        self.patience = _PATIENCE
        p, q, k = rows.shape[1], len(problem.nuisance), problem.n_rows
        self.n_unknowns = (p + q) * k - (q if k > 1 else 0)
        positions = np.arange((p + q) * k).reshape(k, p + q)
        self.penalized = positions[:, :p].ravel()

    def update(self, P):
        """Compute it for probabilities `P`."""
        self.P = P
        self.hessian = _compute_hessian(self.columns, P)
        self.factor = None

    def factorize(self, penalties):
        """Add the penalty and factor."""
        hessian = self.hessian[: self.n_unknowns, : self.n_unknowns].copy(order="F")
        hessian[self.penalized, self.penalized] += np.tile(penalties, self.problem.n_rows)
        self.factor = factor_damped(hessian)

    def solve(self, r):
        """Approximate solution (n_rows, n_features) for a residual of that shape."""
        if r.size == 0:
            return r
        rhs = np.zeros(self.n_unknowns)
        rhs[self.penalized] = r.ravel()
        x = lapack.dpotrs(self.factor, rhs, lower=1, overwrite_b=1)[0][self.penalized]
        x = x.reshape(r.shape)
        return x if len(x) == 1 else x - x.sum(axis=0) / len(x)


def factor_damped(hessian):
    """Cholesky factor of a matrix (its lower triangle) that may be singular."""
    diagonal = hessian.diagonal().copy()
    if len(hessian) == 0:
        return hessian
    for damping in _DAMPINGS:
        if damping:
            # Relative to each coefficient: columns may differ by any factor.
            added = damping * diagonal + 1e-18 * damping * diagonal.max(initial=0.0) + 1e-300
            hessian = hessian.copy(order="F")
            np.einsum("ii->i", hessian)[:] = diagonal + added
        factor, failed = lapack.dpotrf(hessian, lower=1, clean=0)
        # A pivot that is rounding would send coefficients far along directions that
        # change nothing.
        if not failed and (factor.diagonal() ** 2 > _SMALLEST_PIVOT * diagonal).all():
            return factor
    return np.diag(np.sqrt(diagonal + diagonal.max() + 1e-300))


class Columns:
    """Penalized columns and then nuisance directions, of some rows that stand for all.

    Parameters
    ----------
    problem : LogisticProblem
    rows : DenseRows or SparseRows
    sample : ndarray of int or None
        None is all rows.
    dtype : type
    """

    def __init__(self, problem, rows, sample, dtype):
        self.problem, self.rows, self.sample, self.dtype = problem, rows, sample, dtype
        self.n_columns = rows.shape[1] + len(problem.nuisance)
        weights = problem.loss.weights
        self.weights = weights
        if sample is not None:
            self.weights = weights * (weights.sum() / max(weights[sample].sum(), 1e-300))
        self.whole = None
        if rows.whole is not None and sample is None:
            self.whole = self._join(slice(None), rows.whole.astype(dtype, copy=False))

    def _join(self, part, block):
        nuisance = self.problem.nuisance
        if len(nuisance) == 0:
            return block
        return np.concatenate([block, nuisance[:, part].T.astype(self.dtype)], axis=1)

    def iterate(self, n_classes):
        """Yield ``(rows, block)``; as many columns again for every class are to fit the cache."""
        if self.whole is not None:
            yield slice(None), self.whole
            return
        width = n_classes * self.n_columns
        for part, block in self.rows.iterate_blocks(self.sample, self.dtype, width):
            yield part, self._join(part, block)


def _compute_hessian(columns, P):
    """Lower triangle, class by class, features before nuisance directions in each."""
    k, width = len(P), columns.n_columns
    hessian = np.zeros((k * width, k * width), order="F")
    if width == 0:
        return hessian
    for part, block in columns.iterate(k):
        p, s = P[:, part], columns.weights[part]
        if k == 1:
            scaled = block * np.sqrt(s * p[0] * (1.0 - p[0]))[:, None]
            hessian = blas.dsyrk(
                1.0, scaled.T, beta=1.0, c=hessian, trans=0, lower=1, overwrite_c=1
            )
            continue
        scaled = np.empty((len(block), k, width))
        for c in range(k):
            own = slice(c * width, (c + 1) * width)
            np.multiply(block, np.sqrt(s * p[c])[:, None], out=scaled[:, c])
            hessian[own, own] += blas.dsyrk(1.0, scaled[:, c].T, trans=0, lower=1)
            scaled[:, c] *= np.sqrt(p[c])[:, None]
        scaled = scaled.reshape(len(block), k * width)
        hessian = blas.dsyrk(-1.0, scaled.T, beta=1.0, c=hessian, trans=0, lower=1, overwrite_c=1)
    return hessian


class ClassPreconditioner:
    """A Cholesky factor for each class, from single precision products of sampled rows."""

    is_exact = False

    def __init__(self, problem, rows, sample):
        self.columns = Columns(problem, rows, sample, np.float32)
        self.n_features = rows.shape[1]
        # Products that cost as much as computing it anew.
        n, p = rows.shape
        n_sampled = n if sample is None else len(sample)
        self.patience = max(_PATIENCE, n_sampled * p // (_SPEED * n))

    def update(self, P):
        """Compute it for probabilities `P`."""
        H = P * (1.0 - P)
        if (H[:, :1] == H).all():
            # No features yet: samples differ in weight alone, and classes in one factor.
            products = self._sum_products(np.ones_like(H[:1]))
            self.hessians = H[:, 0].astype(np.float32)[:, None, None] * products
        else:
            self.hessians = self._sum_products(H)

    def _sum_products(self, H):
        """Products of the columns with each other, for every row of curvatures."""
        width = self.columns.n_columns
        products = np.zeros((len(H), width, width), dtype=np.float32)
        for part, block in self.columns.iterate(1):
            for k, h in enumerate(H[:, part] * self.columns.weights[part]):
                kept = np.flatnonzero(h > _NEGLIGIBLE * h.mean())
                # A copy of some rows costs less than products with all of them.
                own, h = (block, h) if len(kept) > 0.7 * len(h) else (block[kept], h[kept])
                scaled = own * np.sqrt(h, dtype=np.float32)[:, None]
                products[k] += blas.ssyrk(1.0, scaled.T, trans=0, lower=1)
        return products

    def factorize(self, penalties):
        """Add the penalty and factor."""
        p = self.n_features
        self.factors = []
        for hessian in self.hessians:
            hessian = np.asarray(hessian, dtype=np.float64, order="F")
            diagonal = np.einsum("ii->i", hessian)
            # Rounding in single precision must not make it indefinite.
            diagonal *= 1 + 1e-6
            diagonal[:p] += penalties
            self.factors.append(factor_damped(hessian))

    def solve(self, r):
        """Approximate solution (n_rows, n_features) for a residual of that shape."""
        p = self.n_features
        x = np.empty_like(r)
        rhs = np.zeros(self.columns.n_columns)
        for k, factor in enumerate(self.factors):
            rhs[:p] = r[k]
            x[k] = lapack.dpotrs(factor, rhs, lower=1)[0][:p]
        return x if len(x) == 1 else x - x.sum(axis=0) / len(x)


class DiagonalPreconditioner:
    """The diagonal, the intercept eliminated."""

    is_exact = False
    patience = 5

    def __init__(self, problem, rows):
        self.problem, self.rows = problem, rows

    def update(self, P):
        """Compute it for probabilities `P`."""
        self.P = P
        H = self.problem.loss.weights * P * (1.0 - P)
        self.diagonal = self.rows.compute_squares(H)
        if self.problem.fit_intercept:
            sums = self.rows.correlate(H)
            self.diagonal -= sums * sums / np.maximum(H.sum(axis=1), 1e-300)[:, None]
            self.diagonal = np.maximum(self.diagonal, 0.0)

    def factorize(self, penalties):
        """Add the penalty and invert."""
        total = self.diagonal + penalties
        floor = 0.0 if (penalties > 0).all() else 1e-12 * total.max(initial=0.0)
        self.inverse = 1.0 / np.maximum(total, max(floor, 1e-300))
        if self.rows.shape[1] > self.rows.shape[0]:
            # Far from the matrix it is the diagonal of, it serves best half way to none.
            self.inverse = np.sqrt(self.inverse)

    def solve(self, r):
        """Approximate solution (n_rows, n_features) for a residual of that shape."""
        x = self.inverse * r
        return x if len(x) == 1 else x - x.sum(axis=0) / len(x)
