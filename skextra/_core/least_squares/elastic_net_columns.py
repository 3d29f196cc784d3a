"""Elastic net on packed columns, for supports too large for a Gram matrix."""

import numpy as np

from skextra._core.least_squares.gap import compute_elastic_net_gap
from skextra._core.numerics.packed_columns import DenseColumns
from skextra._core.quadratic.sweeps import sweep_dense_until_flat, sweep_sparse_until_flat

# Sweeps between two certificates, each of which costs about one sweep.
_SWEEPS_PER_LOOK = 10


def solve_on_columns(columns, y, w, l1, l2, tol, sweeps, max_iter):
    """Minimize over the coefficients of packed columns.

    Parameters
    ----------
    columns : DenseColumns or SparseColumns
        Sparse ones may have the intercept as their only nuisance direction.
    y : ndarray of shape (n_samples,)
    w, l1, l2 : ndarray of shape (k,)
        Start and penalties.
    tol : float
        Absolute duality gap to reach.
    sweeps : Sweeps
    max_iter : int

    Returns
    -------
    w : ndarray of shape (k,)
    residual : ndarray of shape (n_samples,)
    n_iter : int
    """
    norms = columns.compute_squared_norms()
    w = w.copy()
    n_iter = 0
    while True:
        residual = y - columns.predict(w)
        c = columns.correlate(residual)
        gap = compute_elastic_net_gap(w, c, l1, l2, float(y @ residual), sweeps.positive, 0.0, 0.0)
        if gap <= tol or n_iter >= max_iter:
            return w, residual, n_iter
        budget = min(_SWEEPS_PER_LOOK, max_iter - n_iter)
        if isinstance(columns, DenseColumns):
            n_sweeps, sweeps.state = sweep_dense_until_flat(
                columns.matrix, norms, residual, w, l1, l2, budget, sweeps.positive,
                sweeps.random, sweeps.state,
            )  # fmt: skip
        else:
            n_sweeps = _sweep_sparse(columns, norms, residual, w, l1, l2, budget, sweeps)
        n_iter += n_sweeps


def _sweep_sparse(columns, norms, residual, w, l1, l2, budget, sweeps):
    matrix = columns.matrix
    # The one basis vector is the root of the weights over its length `size`, so
    # a column is `matrix_j - basis * loading_j` and the offset counts basis units.
    has_intercept = columns.basis.shape[1] > 0
    loading = columns.loadings[0] if has_intercept else np.zeros(columns.n)
    n_sweeps, _, sweeps.state = sweep_sparse_until_flat(
        matrix.data, matrix.indices, matrix.indptr, loading, 1.0 if has_intercept else 0.0,
        norms, residual, 0.0, w, l1, l2, budget, sweeps.positive, sweeps.random, sweeps.state,
    )  # fmt: skip
    return n_sweeps
