"""Cholesky factors of covariances and precisions, in loops over contiguous rows.

Mixtures have many small matrices: calling LAPACK for each costs more than the
factorisation. The layout of a batch is the same for all covariance types, three
axes, so that each kernel is compiled once: (n_components, n_features, n_features)
for "full", (1, n_features, n_features) for "tied", (n_components, 1, n_features)
for "diag" and (n_components, 1, 1) for "spherical".
"""

import numpy as np

from skextra._core.jit import njit

_FLAGS = {"contract", "reassoc", "nsz"}
# A pivot below this share of its diagonal entry is rounding error: the matrix is singular.
_ROUNDING = 4 * np.finfo(np.float64).eps


@njit(error_model="numpy", fastmath=_FLAGS)
def factorise(matrix, factor):
    """Write the lower Cholesky factor; return whether the matrix is positive definite.

    Parameters
    ----------
    matrix : ndarray of shape (d, d)
        Its lower triangle is read.
    factor : ndarray of shape (d, d)
        Overwritten; zero above the diagonal.
    """
    d = matrix.shape[0]
    for i in range(d):
        row = factor[i]
        for j in range(i):
            other = factor[j]
            dot = 0.0
            for t in range(j):
                dot += row[t] * other[t]
            row[j] = (matrix[i, j] - dot) / other[j]
        dot = 0.0
        for t in range(i):
            dot += row[t] * row[t]
        pivot = matrix[i, i] - dot
        if not (pivot > _ROUNDING * matrix[i, i]) or pivot == np.inf:
            return False
        row[i] = np.sqrt(pivot)
        for j in range(i + 1, d):
            row[j] = 0.0
    return True


@njit(error_model="numpy", fastmath=_FLAGS)
def invert_transposed(factor, inverse, work):
    """Write the transposed inverse of a lower factor: upper triangular.

    Parameters
    ----------
    factor, inverse, work : ndarray of shape (d, d)
        The second and third are overwritten.
    """
    d = factor.shape[0]
    for i in range(d):
        row = work[i]
        row[:] = 0.0
        for t in range(i):
            scale = factor[i, t]
            other = work[t]
            for j in range(t + 1):
                row[j] -= scale * other[j]
        for j in range(i):
            row[j] /= factor[i, i]
        row[i] = 1.0 / factor[i, i]
    for i in range(d):
        for j in range(d):
            inverse[j, i] = work[i, j]


@njit(error_model="numpy")
def invert_covariances(matrices, is_matrix, cholesky, failed):
    """Cholesky factors of the precisions of a batch of covariances.

    Parameters
    ----------
    matrices : ndarray of three axes
        Covariances, in the layout of this module.
    is_matrix : bool
        Whether they are matrices ("full", "tied") rather than variances.
    cholesky : ndarray of the same shape
        Overwritten: upper triangular U with ``precision = U @ U.T``, or square
        roots of inverse variances.
    failed : ndarray of bool of shape (len(matrices),)
        Overwritten: which of them are not positive definite.
    """
    n, rows, columns = matrices.shape
    if is_matrix:
        factor, work = np.empty((rows, rows)), np.empty((rows, rows))
        for k in range(n):
            failed[k] = not factorise(matrices[k], factor)
            if not failed[k]:
                invert_transposed(factor, cholesky[k], work)
        return
    for k in range(n):
        failed[k] = False
        for j in range(columns):
            variance = matrices[k, 0, j]
            if not (variance > 0.0) or variance == np.inf:
                failed[k] = True
            else:
                cholesky[k, 0, j] = 1.0 / np.sqrt(variance)


def invert_precision_cholesky(cholesky, is_matrix):
    """Covariances from the Cholesky factors of their precisions, in the same layout."""
    if not is_matrix:
        return 1.0 / cholesky**2
    inverse = np.linalg.inv(cholesky)
    return np.swapaxes(inverse, 1, 2) @ inverse


def factorise_precisions(precisions, is_matrix):
    """Upper triangular U with ``precision = U @ U.T``, or square roots, in the same layout."""
    if not is_matrix:
        return np.sqrt(precisions)
    # A Cholesky factor is lower triangular: turned about, it is the upper one wanted.
    turned = np.linalg.cholesky(precisions[:, ::-1, ::-1])
    return np.ascontiguousarray(turned[:, ::-1, ::-1])
