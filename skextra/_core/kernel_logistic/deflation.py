"""Newton's equations on the span of few kernel functions, solved exactly.

With K's rows at the pivots and ``L = R'^-1 K[pivots]``, coefficients ``E y``, which are
``R^-1 y`` at the pivots and zero elsewhere, have decision values ``y L`` and the norm of
y. On them Newton's matrix is ``I + L H L'``, of as many rows as there are pivots times
classes. Conjugate gradients are left with what is orthogonal to this space.
"""

import numpy as np
from scipy.linalg import blas, lapack, solve_triangular

_BLOCK_BYTES = 1 << 22


class CoarseSpace:
    """Span of the kernel functions at pivots.

    Parameters
    ----------
    factor : ndarray of shape (rank, n_samples)
        Partial Cholesky factor; its type is that of products.
    pivots : ndarray of int of shape (rank,)
    """

    def __init__(self, factor, pivots):
        self.factor, self.pivots = factor, pivots
        self.upper = np.triu(factor[:, pivots].astype(np.float64))

    def update(self, curvature):
        """Factor Newton's matrix at new probabilities."""
        inner = _compute_inner(self.factor, curvature)
        diagonal = np.diag_indices_from(inner)
        size = inner.diagonal().max(initial=0.0)
        # Rounding in single precision must not make it indefinite.
        rounding = 1e-6 if self.factor.dtype == np.float32 else 1e-14
        for damping in (0.0, rounding, 1e3 * rounding, 1.0):
            damped = inner.copy(order="F")
            damped[diagonal] += 1.0 + damping * size
            self.cholesky, failed = lapack.dpotrf(damped, lower=1, overwrite_a=1, clean=0)
            if not failed:
                return

    def solve(self, T):
        """Coordinates of the solution for residuals `T`: ``(I + L H L')^-1 L T'``."""
        if len(self.factor) == 0:
            return np.zeros((len(T), 0))
        coarse = self._project(T)
        return lapack.dpotrs(self.cholesky, coarse.ravel(), lower=1)[0].reshape(coarse.shape)

    def _project(self, T):
        return np.asarray(T.astype(self.factor.dtype, copy=False) @ self.factor.T, dtype=np.float64)

    def predict(self, y):
        """Decision values of coordinates: ``y L``."""
        return np.asarray(y.astype(self.factor.dtype, copy=False) @ self.factor, dtype=np.float64)

    def add_coefficients(self, y, factor, A):
        """Add ``factor * E y`` to expansion coefficients."""
        if len(self.pivots):
            A[:, self.pivots] += factor * solve_triangular(self.upper, y.T, check_finite=False).T


def _compute_inner(L, curvature):
    """``L (H - H 1 (1' H 1)^-1 1' H) L'`` for all classes, class by class; lower triangle."""
    P, c = curvature.P, curvature.loss.weights
    k, m = len(P), len(L)
    inner = np.zeros((k * m, k * m), order="F")
    syrk = blas.dsyrk if L.dtype == np.float64 else blas.ssyrk
    step = max(256, _BLOCK_BYTES // (8 * max(k * m, 1)))
    for start in range(0, L.shape[1], step):
        part = slice(start, start + step)
        block = np.ascontiguousarray(L[:, part])
        if k == 1:
            block = block * np.sqrt(curvature.h[0, part]).astype(L.dtype)
            inner += syrk(1.0, block.T, trans=1, lower=1)
            continue
        p = P[:, part]
        rows = np.empty((k, m, block.shape[1]), dtype=L.dtype)
        for j in range(k):
            own = slice(j * m, (j + 1) * m)
            np.multiply(block, np.sqrt(c[part] * p[j]).astype(L.dtype), out=rows[j])
            inner[own, own] += syrk(1.0, rows[j].T, trans=1, lower=1)
            rows[j] *= np.sqrt(p[j]).astype(L.dtype)
        inner -= syrk(1.0, rows.reshape(k * m, -1).T, trans=1, lower=1)
    if len(curvature.ones):
        _subtract_intercept(inner, L, curvature)
    return inner


def _subtract_intercept(inner, L, curvature):
    P, weighted, m = curvature.P, curvature.weighted, len(L)
    k = len(P)
    sums = np.asarray(weighted.astype(L.dtype) @ L.T, dtype=np.float64)
    if k == 1:
        g = np.asarray(curvature.h[0].astype(L.dtype) @ L.T, dtype=np.float64)
        inner -= np.outer(g, g) / max(float(curvature.h.sum()), 1e-300)
        return
    # Products of the columns with the curvature of each intercept, (k * m, k).
    G = np.zeros((k * m, k))
    for j in range(k):
        G[j * m : (j + 1) * m, j] = sums[j]
        mixed = (weighted * P[j]).astype(L.dtype) @ L.T
        G[:, j] -= np.asarray(mixed, dtype=np.float64).ravel()
    block = np.diag(weighted.sum(axis=1)) - weighted @ P.T
    inner -= G @ np.linalg.pinv(block, rcond=1e-13, hermitian=True) @ G.T
