"""Matrix products: by SciPy's BLAS where dense, summed in double precision."""

import numpy as np
from scipy.linalg import blas

from skextra._core.runtime.jit import njit

_FAST = {"contract", "reassoc", "nsz"}


def multiply_dense(A, B):
    """``A @ B`` for matrices of one type, on the threads that SciPy's BLAS has.

    NumPy's wheels have a BLAS of their own, whose threads go on spinning after a
    product, in the way of the factorization or product by SciPy that comes next.
    """
    if A.size == 0 or B.size == 0 or A.dtype != B.dtype:
        return A @ B
    a, trans_a = (A, 0) if A.flags.f_contiguous else (A.T, 1)
    gemv, gemm = (blas.dgemv, blas.dgemm) if A.dtype == np.float64 else (blas.sgemv, blas.sgemm)
    if B.shape[1] == 1:
        return gemv(1.0, a, B[:, 0], trans=trans_a)[:, None]
    b, trans_b = (B, 0) if B.flags.f_contiguous else (B.T, 1)
    return gemm(1.0, a, b, trans_a=trans_a, trans_b=trans_b)


def multiply_sparse(X, W):
    """``X @ W`` in float64."""
    # SciPy's product with a vector is much faster than with a matrix of one column.
    if W.shape[1] == 1:
        return np.asarray(X @ W[:, 0], dtype=np.float64)[:, None]
    return np.asarray(X @ W, dtype=np.float64)


def subtract_outer(gram, factor, x):
    """Subtract ``factor * outer(x, x)`` from the lower triangle of `gram`, in place."""
    if len(x) == 0:
        return gram
    return blas.dsyr(-factor, x, a=gram, lower=1, overwrite_a=1)


def accumulate_gram(gram, block):
    """Add ``block.T @ block`` to the lower triangle of `gram` (F-ordered float64)."""
    a, trans = (block.T, 0) if block.flags.c_contiguous else (block, 1)
    if block.dtype == np.float64:
        return blas.dsyrk(1.0, a, beta=1.0, c=gram, trans=trans, lower=1, overwrite_c=1)
    # Single precision products, double precision sums.
    gram += blas.ssyrk(1.0, a, trans=trans, lower=1)
    return gram


def multiply_compressed(matrix, D):
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
def add_multiple(values, factor, out):
    """``out += factor * values``, without the checks of shapes that array expressions compile."""
    for t in range(out.shape[0]):
        out[t] += factor * values[t]


@njit(fastmath=_FAST)
def multiply_vector(data, indices, indptr, d, out):
    """Compressed rows times a vector, summed in double precision."""
    for i in range(out.shape[0]):
        total = 0.0
        # Signed indices might count from the end, and that keeps loops from vectorizing.
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
