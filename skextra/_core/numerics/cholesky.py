"""Cholesky factors and sums of outer products within kernels, for systems of few unknowns.

A call of LAPACK costs more than these as long as there are about a hundred unknowns.
"""

import numpy as np

from skextra._core.runtime.jit import njit

_FAST = {"contract", "reassoc", "nsz"}


@njit(fastmath=_FAST)
def factor_in_place(matrix, size, smallest):
    """Lower Cholesky factor of the leading block, from and into its lower triangle.

    Parameters
    ----------
    matrix : ndarray of shape (n, n), C-ordered
    size : int
    smallest : float
        Part of a diagonal entry that a pivot must be larger than.

    Returns
    -------
    is_definite : bool
    """
    for j in range(size):
        row = matrix[j]
        diagonal = row[j]
        for i in range(j):
            other = matrix[i]
            s = row[i]
            for t in range(i):
                s -= row[t] * other[t]
            row[i] = s / other[i]
        pivot = diagonal
        for t in range(j):
            pivot -= row[t] * row[t]
        if not pivot > smallest * diagonal:
            return False
        row[j] = np.sqrt(pivot)
    return True


@njit(fastmath=_FAST)
def solve_factored(factor, size, rhs):
    """Solve for the first `size` unknowns, in place, from a lower factor."""
    for j in range(size):
        row = factor[j]
        s = rhs[j]
        for t in range(j):
            s -= row[t] * rhs[t]
        rhs[j] = s / row[j]
    for j in range(size - 1, -1, -1):
        row = factor[j]
        rhs[j] /= row[j]
        for t in range(j):
            rhs[t] -= row[t] * rhs[j]


@njit(fastmath=_FAST)
def add_outer_products(X, rows, factors, n_rows, out):
    """Add ``sum_i factors_i x_i x_i'`` over the first `n_rows` of `rows`; lower triangle."""
    d = X.shape[1]
    whole = n_rows - n_rows % 4
    for s in range(0, whole, 4):
        a, b, c, e = X[rows[s]], X[rows[s + 1]], X[rows[s + 2]], X[rows[s + 3]]
        fa, fb, fc, fe = factors[s], factors[s + 1], factors[s + 2], factors[s + 3]
        for j in range(d):
            ta, tb, tc, te = fa * a[j], fb * b[j], fc * c[j], fe * e[j]
            row = out[j]
            for k in range(j + 1):
                row[k] += (ta * a[k] + tb * b[k]) + (tc * c[k] + te * e[k])
    for s in range(whole, n_rows):
        a = X[rows[s]]
        for j in range(d):
            t = factors[s] * a[j]
            row = out[j]
            for k in range(j + 1):
                row[k] += t * a[k]
