"""Cholesky factors of covariances and precisions, in loops over contiguous rows.

Mixtures have many small matrices: calling LAPACK for each costs more than the
factorization. The layout of a batch is the same for all covariance types, three
axes, so that each kernel is compiled once: (n_components, n_features, n_features)
for "full", (1, n_features, n_features) for "tied", (n_components, 1, n_features)
for "diag" and (n_components, 1, 1) for "spherical".
"""

import numpy as np

from skextra._core.runtime.jit import njit

_FLAGS = {"contract", "reassoc", "nsz"}
# A pivot below this share of its diagonal entry is rounding error: the matrix is singular.
_ROUNDING = 4 * np.finfo(np.float64).eps


@njit(error_model="numpy", fastmath=_FLAGS)
def invert_matrix(matrix, inverse, factor, work):
    """Write the upper triangular U with ``U @ U.T`` the inverse; return whether there is one.

    Parameters
    ----------
    matrix : ndarray of shape (d, d)
        Its lower triangle is read.
    inverse, factor, work : ndarray of shape (d, d)
        Overwritten.
    """
    d = matrix.shape[0]
    for i in range(d):
        row, below = factor[i], work[i]
        for j in range(i):
            dot = 0.0
            for t in range(j):
                dot += row[t] * factor[j, t]
            row[j] = (matrix[i, j] - dot) / factor[j, j]
        dot = 0.0
        for t in range(i):
            dot += row[t] * row[t]
        pivot = matrix[i, i] - dot
        if not (pivot > _ROUNDING * matrix[i, i]) or pivot == np.inf:
            return False
        row[i] = np.sqrt(pivot)
        # The same row of the inverse of the factor.
        for j in range(i):
            below[j] = 0.0
        for t in range(i):
            for j in range(t + 1):
                below[j] -= row[t] * work[t, j]
        for j in range(i):
            below[j] /= row[i]
            inverse[j, i] = below[j]
            inverse[i, j] = 0.0
        below[i] = inverse[i, i] = 1.0 / row[i]
    return True


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
    factor, work = np.empty((rows, rows)), np.empty((rows, rows))
    for k in range(n):
        if is_matrix:
            failed[k] = not invert_matrix(matrices[k], cholesky[k], factor, work)
            continue
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


def factorize_precisions(precisions, is_matrix):
    """Upper triangular U with ``precision = U @ U.T``, or square roots, in the same layout."""
    if not is_matrix:
        return np.sqrt(precisions)
    # A Cholesky factor is lower triangular: turned about, it is the upper one wanted.
    turned = np.linalg.cholesky(precisions[:, ::-1, ::-1])
    return np.ascontiguousarray(turned[:, ::-1, ::-1])
