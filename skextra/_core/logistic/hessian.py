"""Hessian of the logistic loss on chosen coordinates: one feature and one class each.

With probabilities p_i the Hessian is the sum over samples of
``s_i x_i x_i^T (x) (diag(p_i) - p_i p_i^T)``: for softmax a sum of one Gram matrix a
class, less one Gram matrix of everything; for two classes a single Gram matrix.
"""

import numpy as np
from scipy.linalg import blas

from skextra._core.runtime.jit import njit

_FAST = {"contract", "reassoc", "nsz"}
_BLOCK_BYTES = 1 << 22


def compute_dense_hessian(matrix, nuisance, features, classes, P, weights):
    """Hessian from packed rows of features.

    Parameters
    ----------
    matrix : ndarray of shape (n_packed, n_samples)
        Features, one per row.
    nuisance : ndarray of shape (n_nuisance, n_samples)
        More of them, behind those of `matrix`.
    features, classes : ndarray of int of shape (n_coordinates,)
        Row of `matrix` and class of every coordinate, sorted by class.
    P : ndarray of shape (n_rows, n_samples)
        Probabilities.
    weights : ndarray of shape (n_samples,)

    Returns
    -------
    hessian : ndarray of shape (n_coordinates, n_coordinates), F-ordered
        Only its lower triangle is meaningful.
    """
    m, n = len(features), matrix.shape[1]
    hessian = np.zeros((m, m), order="F")
    if m == 0:
        return hessian
    own = np.flatnonzero(features < len(matrix))
    other = np.flatnonzero(features >= len(matrix))
    picked, added = features[own], features[other] - len(matrix)
    everything = len(own) == len(matrix) and (np.diff(picked) == 1).all()
    bounds = np.searchsorted(classes, np.arange(len(P) + 1))
    step = min(n, max(512, _BLOCK_BYTES // (8 * m)))
    for start in range(0, n, step):
        here = slice(start, start + step)
        p, s = P[:, here], weights[here]
        block = matrix[:, here]
        rows = np.empty((m, block.shape[1]))
        rows[own] = block if everything else block[picked]
        rows[other] = nuisance[added, here]
        if len(P) == 1:
            rows *= np.sqrt(s * p[0] * (1.0 - p[0]))
            hessian = blas.dsyrk(1.0, rows.T, beta=1.0, c=hessian, trans=1, lower=1, overwrite_c=1)
            continue
        roots = np.sqrt(s * p)
        for k in range(len(P)):
            mine = slice(bounds[k], bounds[k + 1])
            if mine.start < mine.stop:
                scaled = rows[mine] * roots[k]
                hessian[mine, mine] += blas.dsyrk(1.0, scaled.T, trans=1, lower=1)
        rows *= (np.sqrt(s) * p)[classes]
        hessian = blas.dsyrk(-1.0, rows.T, beta=1.0, c=hessian, trans=1, lower=1, overwrite_c=1)
    return hessian


def compute_sparse_hessian(matrix, nuisance, features, classes, P, weights):
    """As `compute_dense_hessian`, from CSR columns and dense nuisance rows.

    Parameters
    ----------
    matrix : CSR of shape (n_samples, n_packed)
    nuisance : ndarray of shape (n_nuisance, n_samples)
        Features behind those of `matrix`.
    features, classes, P, weights
        As in :func:`compute_dense_hessian`.
    """
    n_features = matrix.shape[1] + len(nuisance)
    order = np.argsort(features, kind="stable")
    starts = np.searchsorted(features[order], np.arange(n_features + 1))
    hessian = np.zeros((len(features), len(features)))
    add_sparse_hessian(
        matrix.data, matrix.indices, matrix.indptr, nuisance, starts, order, classes[order],
        np.ascontiguousarray(P), weights, hessian,
    )  # fmt: skip
    return hessian.T


@njit(fastmath=_FAST)
def add_sparse_hessian(data, indices, indptr, nuisance, starts, ids, classes, P, weights, hessian):
    """Add every sample's outer product to the upper triangle of `hessian`.

    ``ids[starts[j]:starts[j + 1]]`` are the coordinates of feature j, and `classes`
    theirs.
    """
    n_rows, n = P.shape
    n_packed = starts.shape[0] - 1 - nuisance.shape[0]
    # Unsigned: signed indices might count from the end, which keeps loops from vectorizing.
    entry_id = np.empty(hessian.shape[0], dtype=np.uint64)
    entry_class = np.empty(hessian.shape[0], dtype=np.int64)
    value = np.empty(hessian.shape[0])
    expected = np.empty(hessian.shape[0])
    scaled = np.empty(hessian.shape[0])
    for i in range(n):
        count = 0
        for t in range(indptr[i], indptr[i + 1] + nuisance.shape[0]):
            if t < indptr[i + 1]:
                j, x = np.int64(indices[t]), data[t]
            else:
                q = t - indptr[i + 1]
                j, x = n_packed + q, nuisance[q, i]
            for a in range(starts[j], starts[j + 1]):
                k = classes[a]
                p = P[k, i]
                entry_id[count] = ids[a]
                entry_class[count] = k
                value[count] = x
                expected[count] = p * x
                scaled[count] = weights[i] * p * ((1.0 - p) * x if n_rows == 1 else x)
                count += 1
        for a in range(count):
            own, row = entry_class[a], hessian[entry_id[a]]
            if n_rows == 1:
                s = scaled[a]
                for e in range(count):
                    row[entry_id[e]] += s * value[e]
            else:
                s = scaled[a]
                for e in range(count):
                    own_part = value[e] if entry_class[e] == own else 0.0
                    row[entry_id[e]] += s * (own_part - expected[e])
