"""Runs, on tiny data, the solvers that only large data selects.

Warming the cache by fitting every estimator on tiny data compiles all kernels
but these. A solver with a size below which it is never chosen has its line here.
"""

import numpy as np
from scipy import sparse

from skextra._core.columns import pack
from skextra._core.gram_solver import Sweeps
from skextra._core.residual_solver import solve_on_columns
from skextra._core.ridge_design import Design


def run_solvers_of_large_data():
    """Run each of them once for every signature it is compiled for."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((8, 3))
    y = rng.standard_normal(8)
    for matrix in (X, sparse.csc_array(X)):
        columns = pack(Design(matrix), np.arange(3))
        # scipy decides on the type of indices by the size of the matrix.
        for index_type in (np.int32, np.int64):
            if sparse.issparse(matrix):
                columns.matrix.indices = columns.matrix.indices.astype(index_type)
                columns.matrix.indptr = columns.matrix.indptr.astype(index_type)
            _solve(columns, y - y.mean())


def _solve(columns, y):
    l1, l2 = np.full(columns.n, 0.1), np.zeros(columns.n)
    for seed in (None, 0):
        sweeps = Sweeps(seed=seed)
        solve_on_columns(columns, y, np.zeros(columns.n), l1, l2, 1e-6, sweeps, sweeps.max_iter)
