"""Exact leave-one-out errors of ridge regression for many penalties at once.

With the hat matrix H of the full fit, the error of sample i left out is its
residual divided by ``1 - H[i, i]``, also under weights and with an intercept.
One decomposition gives the residuals and the leverages for every alpha: in one
pass over blocks of rows for tall data, from the kernel for wide data.

References
----------
Rifkin & Lippert, "Notes on regularized least squares", MIT-CSAIL-TR-2007-025
(2007), section 4.
"""

import numpy as np
from scipy.linalg import blas, lapack, svd

from skextra._core.least_squares import ridge, ridge_scaled_leave_one_out as scaled
from skextra._core.runtime.threads import single_threaded_blas

# Up to this many alphas an n x n inverse each costs less than eigenvectors.
_MAX_INVERSES = 6


class LooTotals:
    """Running sums of squared leave-one-out errors, and the errors if asked for.

    Parameters
    ----------
    n_samples, n_targets, n_alphas : int
    sample_weight : ndarray of shape (n_samples,) or None
    store : bool
        Whether to keep every unweighted error in ``errors`` of shape
        (n_samples, n_targets, n_alphas).
    spread : bool
        Whether to sum the squares of the losses too, for standard errors.
    per_target : bool
        Whether losses are per target or averaged over targets.

    Attributes
    ----------
    losses : ndarray of shape (n_alphas,) or (n_alphas, n_targets)
        Sums over samples of the weighted squared errors (averaged over targets
        unless `per_target`).
    squared_losses : ndarray of the same shape
    """

    def __init__(self, n_samples, n_targets, n_alphas, sample_weight, store, spread, per_target):
        shape = (n_alphas, n_targets) if per_target else (n_alphas,)
        self.n_targets = n_targets
        self.root = None if sample_weight is None else np.sqrt(sample_weight)
        self.spread = spread
        self.per_target = per_target
        self.losses = np.zeros(shape)
        self.squared_losses = np.zeros(shape)
        self.errors = np.empty((n_samples, n_targets, n_alphas)) if store else None

    @property
    def wants_raw(self):
        """Whether `add` must be given unweighted errors."""
        return self.errors is not None

    def add(self, start, stop, which, errors):
        """Take in errors of shape (rows, alphas, targets) for the slice `which`."""
        if self.wants_raw:
            self.errors[start:stop, :, which] = errors.transpose(0, 2, 1)
            if self.root is not None:
                errors = errors * self.root[start:stop, None, None]
        if self.spread:
            squares = errors**2 if self.per_target else (errors**2).mean(axis=2)
            self.losses[which] += squares.sum(axis=0)
            self.squared_losses[which] += (squares**2).sum(axis=0)
        elif self.per_target:
            self.losses[which] += np.einsum("iaj,iaj->aj", errors, errors)
        elif errors.shape[1] == 1:
            self.losses[which] += np.vdot(errors, errors) / self.n_targets
        else:
            self.losses[which] += np.einsum("iaj,iaj->a", errors, errors) / self.n_targets


def build_loo(problem, use_svd=False):
    """Decompose the data once for leave-one-out errors at any alphas.

    Parameters
    ----------
    problem : Problem
        Its design must work in double precision.
    use_svd : bool
        Take singular values of the data rather than eigenvalues of its products.

    Returns
    -------
    loo : TallLoo or WideLoo
        With methods ``accumulate(alphas, totals)`` and ``solve(alphas)``.
    """
    n, p = problem.design.shape
    return (TallLoo if p < n else WideLoo)(problem, use_svd)


class TallLoo:
    """Leave-one-out from the eigenvectors of the columns' Gram matrix."""

    def __init__(self, problem, use_svd=False):
        self.problem = problem
        self.moments = None
        k = problem.Y.shape[1]
        if problem.design.shape[1] == 0:
            self.values, self.V, self.rotated = np.zeros(0), np.zeros((0, 0)), np.zeros((0, k))
        elif use_svd:
            s, self.V, UtY = _compute_singular_system(problem.design, problem.Y)
            self.values, self.rotated = s**2, s[:, None] * UtY
        else:
            self.moments = problem.design.compute_moments(problem.Y)
            gram, cross = self.moments
            self.values, self.V = ridge.decompose(gram)
            self.rotated = self.V.T @ cross
        self.values = np.maximum(self.values, 0)

    def accumulate(self, alphas, totals):
        """Add the errors at every alpha to `totals`, in one pass over the data."""
        problem, design = self.problem, self.problem.design
        if scaled.needs_scaling(design, alphas):
            scaled.accumulate(problem, alphas, totals)
            return
        k = problem.Y.shape[1]
        inverse = 1 / (self.values[:, None] + alphas)
        single = inverse * self.rotated if k == 1 else None
        scratch = np.empty((0, k))
        for start, stop, T in design.iterate_products(self.V, width=k):
            Y = problem.Y[start:stop]
            leverages = scaled.compute_leverages(design, (T * T) @ inverse, start, stop)
            factor = 1 / np.maximum(1 - leverages, 1e-15)
            if not totals.wants_raw and design.weights is not None:
                factor *= design.sqrt_weights[start:stop, None]
            if k == 1:
                errors = (Y - T @ single) * factor
                totals.add(start, stop, slice(None), errors[:, :, None])
                continue
            if len(scratch) < len(T):
                scratch = np.empty_like(Y, order="C")
            # Two BLAS threads wait longer for each other than such a block takes.
            with single_threaded_blas():
                for a in range(len(alphas)):
                    errors = _subtract_product(
                        Y, T, inverse[:, a, None] * self.rotated, factor[:, a], scratch[: len(T)]
                    )
                    totals.add(start, stop, slice(a, a + 1), errors[:, None, :])

    def solve(self, alphas):
        """Solution of the full problem with one alpha a target."""
        if len(self.values) == 0:
            return ridge.solve_direct(self.problem, alphas)
        if self.moments is None:
            return ridge.solve_singular(self.problem, alphas)
        try:
            result = ridge.solve_moments(self.problem, *self.moments, alphas)
        except ridge.SingularError:
            result = None
        return ridge.ensure_exact(self.problem, alphas, result)


def _compute_singular_system(design, Y):
    """Singular values s, right vectors V and ``U.T @ Y`` of weighted, tall Z."""
    R, C = design.compute_triangular_factor(Y)
    U, s, Vt = svd(R, full_matrices=False, check_finite=False)
    return s, Vt.T, U.T @ C


def _subtract_product(Y, T, C, factor, out):
    """``factor * (Y - T @ C)`` in `out`, touching the big arrays only twice."""
    np.multiply(Y, factor[:, None], out=out)
    scaled = T * factor[:, None]
    return blas.dgemm(-1.0, np.ascontiguousarray(C).T, scaled.T, beta=1.0, c=out.T, overwrite_c=1).T


class WideLoo:
    """Leave-one-out from the inverse of the kernel plus alpha on its diagonal."""

    def __init__(self, problem, use_svd=False):
        self.problem = problem
        self.null_rows = problem.design.list_null_rows()
        self.Yw = problem.design.weigh_rows(problem.Y)
        self.kernel = self.eigen = None
        if use_svd:
            self.eigen = self._decompose_data()
        else:
            kernel = problem.design.compute_kernel()
            self.kernel, self.shift = ridge.deflate_kernel(kernel, self.null_rows)

    def _decompose_data(self):
        # The null directions enter as columns of overwhelming length, so that
        # they come out as the first left singular vectors and can be dropped.
        design, rank = self.problem.design, 0
        n, p = design.shape
        rank = 0 if self.null_rows is None else self.null_rows.shape[1]
        Z = np.empty((n, p + rank), order="F")
        for start, stop, block in design.iterate_column_blocks():
            Z[:, start:stop] = block
        if rank:
            norm = np.linalg.norm(Z[:, :p])
            Z[:, p:] = self.null_rows * (2 * norm if norm > 0 else 1.0)
        U, s, _ = svd(Z, full_matrices=False, overwrite_a=True, check_finite=False)
        return s[rank:] ** 2, U[:, rank:]

    def _decompose_kernel(self):
        values, Q = ridge.decompose(self.kernel)
        rank = 0 if self.null_rows is None else self.null_rows.shape[1]
        kept = len(values) - rank
        return np.maximum(values[:kept], 0), Q[:, :kept]

    def accumulate(self, alphas, totals):
        """Add the errors at every alpha to `totals`."""
        if scaled.needs_scaling(self.problem.design, alphas):
            scaled.accumulate(self.problem, alphas, totals)
            return
        if self.eigen is None and len(alphas) <= _MAX_INVERSES:
            try:
                solutions = [self._invert(alpha) for alpha in alphas]
            except ridge.SingularError:
                solutions = None
            if solutions is not None:
                for a, (c, d) in enumerate(solutions):
                    self._add(alphas[a], a, c, d, totals)
                return
        if self.eigen is None:
            self.eigen = self._decompose_kernel()
        values, Q = self.eigen
        rotated = Q.T @ self.Yw
        D = 1 / (values[:, None] + alphas)
        diagonals = (Q * Q) @ D
        for a, alpha in enumerate(alphas):
            self._add(alpha, a, Q @ (D[:, a, None] * rotated), diagonals[:, a], totals)

    def _invert(self, alpha):
        factor, _ = ridge.factorize(self.kernel, alpha, refine_below=1e-7)
        c = lapack.dpotrs(factor, self.Yw, lower=1)[0]
        inverse, info = lapack.dpotri(factor, lower=1, overwrite_c=1)
        if info:
            raise ridge.SingularError
        d = inverse.diagonal().copy()
        if self.null_rows is not None:
            d -= np.einsum("ij,ij->i", self.null_rows, self.null_rows) / (self.shift + alpha)
        return c, d

    def _add(self, alpha, a, c, d, totals):
        design = self.problem.design
        errors = c / np.maximum(d, 1e-300)[:, None]
        if totals.wants_raw and design.weights is not None:
            gone = design.weights == 0
            root = np.where(gone, 1.0, design.sqrt_weights)
            errors = errors / root[:, None]
            if gone.any():
                # A sample of weight zero is left out already.
                W = design.transpose_dot(design.weigh_rows(c))
                errors[gone] = (self.problem.Y - design.dot(W))[gone]
        totals.add(0, len(errors), slice(a, a + 1), errors[:, None, :])

    def solve(self, alphas):
        """Solution of the full problem with one alpha a target."""
        if self.kernel is None:
            return ridge.solve_direct(self.problem, alphas, method="svd")
        try:
            result = ridge.solve_kernel(self.problem, self.kernel, alphas)
        except ridge.SingularError:
            result = None
        return ridge.ensure_exact(self.problem, alphas, result)
