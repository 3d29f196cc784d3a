"""Matrix products: by SciPy's BLAS where dense, summed in double precision."""

import numpy as np
from scipy.linalg import blas


def multiply_dense(A, B):
    """``A @ B`` for matrices of one type, on the threads that SciPy's BLAS has.

    NumPy's wheels have a BLAS of their own, whose threads go on spinning after a
    product, in the way of the factorisation or product by SciPy that comes next.
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
