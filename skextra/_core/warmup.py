"""Runs, on tiny data, the solvers that no fit of an estimator on tiny data selects.

Warming the cache by fitting every estimator on tiny data compiles all kernels
but these. A solver with a size below which it is never chosen, or that only a
function uses, has its line here.
"""

import numpy as np
from scipy import sparse

from skextra._core import generative, logistic, tree
from skextra._core.boosting import adaboost, level_trees, predict, presorted_columns
from skextra._core.gram.kernel_functions import NAMES, Kernel, NamedGram
from skextra._core.kernel_logistic import nystroem
from skextra._core.least_squares import multi_task
from skextra._core.least_squares.elastic_net_columns import ColumnDescent
from skextra._core.least_squares.elastic_net_gram import Sweeps
from skextra._core.least_squares.multi_task_sweeps import (
    find_largest,
    sweep_rows_columns,
    sweep_rows_sparse,
)
from skextra._core.numerics import exact_arithmetic
from skextra._core.numerics.design_matrix import Design
from skextra._core.numerics.packed_columns import pack
from skextra._core.positions import rotary, sinusoids
from skextra._core.sampling import gumbel, inclusion_probabilities, inverse_cdf
from skextra._core.svm.dual_coordinate_descent import DualDescent
from skextra._core.svm.linear_problem import CenteredRows, LinearProblem
from skextra._core.svm.smo_blocks import BlockSolver


def run_solvers_of_large_data(family=None):
    """Run each of them once for every signature it is compiled for.

    Parameters
    ----------
    family : str, default=None
        Run those of one family only; a family may have none.
    """
    X = np.random.default_rng(0).standard_normal((8, 3))
    y = np.random.default_rng(1).standard_normal(8)
    runs = {
        # Chosen on processors without a fused multiply-add.
        "numerics": lambda: exact_arithmetic.compute_error_by_halves(1.5, 2.5, 3.75),
        "least_squares": lambda: _solve_least_squares(X, y),
        "logistic": lambda: _fit_logistic(np.random.default_rng(0)),
        "kernel_logistic": lambda: _compute_kernels(X),
        "svm": lambda: _solve_support_vectors(X, np.where(np.arange(8) % 2, 1.0, -1.0)),
        "tree": _grow_trees,
        "boosting": lambda: _boost(X),
        "positions": _rotate_arrays,
        "sampling": _draw,
        "generative": _condition_density,
    }
    for name, run in runs.items():
        if family in (None, name):
            run()


def _solve_least_squares(X, y):
    for dtype in (np.float64, np.float32):
        for order in "CF":
            pack(Design(np.array(X, dtype=dtype, order=order)), np.arange(3))
    for matrix in (X, sparse.csc_array(X)):
        columns = pack(Design(matrix), np.arange(3))
        # scipy decides on the type of indices by the size of the matrix.
        for index_type in (np.int32, np.int64):
            if sparse.issparse(matrix):
                columns.matrix.indices = columns.matrix.indices.astype(index_type)
                columns.matrix.indptr = columns.matrix.indptr.astype(index_type)
            _solve(columns, y - y.mean())
    _solve_jointly(X, np.column_stack([y, y]))


def _solve_support_vectors(X, y):
    """Blocks of kernel rows, which samples must be many for, and descent on dense rows."""
    C = np.ones(len(y))
    for dtype in (np.float32, np.float64):
        for points in (X, sparse.csr_array(X)):
            source = NamedGram(Kernel("rbf"), points)
            solver = BlockSolver(source, y, C, np.zeros(len(y)), -y, 1e6, dtype, True)
            solver.solve(1e-3, 100)
            solver.cache.restrict(np.arange(4))
    wide = sparse.random_array((8, 200), density=0.1, rng=0, format="csr")
    for points in (X, wide):
        rows = CenteredRows(points, True)
        DualDescent(LinearProblem(rows, y, C, False, True)).solve(1e-3, 1)


def _fit_logistic(rng):
    """What logistic regressions use that are too large for steps in one kernel."""
    wide = rng.standard_normal((40, 400))
    sparse_tall = sparse.random_array((200, 150), density=0.1, rng=rng, format="csr")
    for X in (rng.standard_normal((200, 70)), wide, sparse.csr_array(wide), sparse_tall):
        for n_classes in (2, 3):
            codes = np.arange(X.shape[0]) % n_classes
            for l1_ratio in (0.0, 0.5):
                logistic.path.solve(X, codes, n_classes, [0.1, 1.0], l1_ratio=l1_ratio)


def _solve_jointly(X, Y):
    multi_task.solve(X, Y, [0.1])
    W, offset = np.zeros((Y.shape[1], X.shape[1])), np.zeros(Y.shape[1])
    columns, R = np.ascontiguousarray(X.T), np.ascontiguousarray(Y.T)
    ones, order = np.ones(len(columns)), np.arange(len(columns))
    find_largest(W, ones, ones)
    sweep_rows_columns(columns, ones, R, W, ones, ones, order)
    matrix, R = sparse.csc_array(X), np.ascontiguousarray(Y)
    for index_type in (np.int32, np.int64):
        sweep_rows_sparse(
            matrix.data, matrix.indices.astype(index_type), matrix.indptr.astype(index_type),
            ones, 1.0, ones, R, offset, W, ones, ones, order,
        )  # fmt: skip


def _solve(columns, y):
    l1, l2 = np.full(columns.n, 0.1), np.zeros(columns.n)
    for seed in (None, 0):
        sweeps = Sweeps(seed=seed)
        w, norms = np.zeros(columns.n), columns.compute_squared_norms()
        ColumnDescent(columns, norms, y, w, l1, l2, sweeps).solve(1e-6, sweeps.max_iter)


def _rotate_arrays():
    """Tables of angles, which arrays use whose positions repeat."""
    ones, index = np.ones(2), np.zeros(3, dtype=np.int64)
    sines, cosines = np.empty((2, 2, 2))
    sinusoids.fill_rows(ones, ones, ones, 0.0, sines, cosines)
    for dtype in (np.float32, np.float64):
        x = np.ones((3, 4), dtype=dtype)
        rotary.rotate_by_table(index, sines, cosines, x, 0, False, np.empty_like(x), 0)


def _draw():
    """What only functions of `skextra.sampling`, and draws of many categories, use."""
    rows, seed = np.arange(4, dtype=np.uint64), np.uint64(0)
    gumbel.fill_gumbels(rows, 1, seed, np.uint64(0), np.empty(8))
    for dtype in (np.float64, np.float32):
        weights = np.ones((2, 3), dtype=dtype)
        gumbel.fill_keys(weights, False, rows, seed, np.empty((4, 4)), np.empty((4, 4)))
        inverse_cdf.draw_many_labels(weights, False, rows, seed, np.empty((2, 2), dtype=np.int64))
    inclusion_probabilities.compute_inclusion(np.zeros(3), 1)


def _condition_density():
    """What only methods of densities, columns of categories and missing values use."""

    def run(function, tasks):
        return [function(*task) for task in tasks]

    X = np.random.default_rng(0).standard_normal((40, 3)).astype(np.float32)
    X[:, 2] = np.arange(40) % 3
    settings = tree.grow.Settings("gini", max_features=2)
    target = tree.problem.classification_target(np.arange(40) % 2, 2)
    grown = tree.grow.grow_tree(tree.encode.encode_dense(X), target, None, settings, 1)
    leaves = generative.leaf_fit.fit_leaves(grown, X, X, [0, 0, 3], np.full(3, 1e-3), run)
    generative.leaves.score_rows(leaves, X, run)
    evidence = generative.evidence.make_evidence(leaves)
    evidence.values[0], evidence.low[1] = 0.0, 0.0
    generative.evidence.weigh_leaves(leaves, evidence)
    uniforms = np.full((40, 4), 0.5)
    for with_means in (False, True):
        generative.draws.impute_rows(leaves, X, uniforms, with_means, run)
    chosen, drawn = np.zeros(40, dtype=np.int64), np.full((40, 3), 0.5)
    generative.draws.draw_from_leaves(
        leaves, chosen, evidence.low, evidence.high, evidence.allowed, drawn, run
    )


def _boost(X):
    """What only options of AdaBoost, its estimators and its stages use."""
    adaboost.trim(np.ones(len(X)), 0.1)
    columns = presorted_columns.encode(X.astype(np.float32))
    grower = level_trees.Grower(columns, np.arange(len(X), dtype=np.int32) % 2, 2, 1)
    grower.grow(np.ones(len(X)))
    trees = level_trees.arrange([grower.copy()])
    trees.compute_depths()
    trees.compute_importances(X.shape[1])
    predict.find_nodes(trees, 0, columns.values)


def _grow_trees():
    """What of trees only methods and options use: best-first growth, leaves, quantiles."""
    X = np.random.default_rng(0).standard_normal((40, 3)).astype(np.float32)
    y, leaf_of_row = X[:, 0].astype(np.float64), np.empty(40, np.int32)
    settings = tree.grow.Settings("squared_error", max_features=3, max_leaf_nodes=5)
    target = tree.problem.regression_target(y)
    grown = tree.grow.grow_tree(tree.encode.encode_dense(X), target, None, settings, 1, leaf_of_row)
    tree.nodes.compute_importances(grown)
    leaves = tree.predict.find_leaves(grown, X)
    kept = tree.quantiles.LeafTargets(leaves, [None], y)
    kept.compute_quantiles(leaves, np.array([0.5]))
    # Trees of scikit-learn, which users may put among the estimators of a forest.
    tree.nodes.walk_depth_first(np.array([1, -1, -1]), np.array([2, -1, -1]))


def _compute_kernels(X):
    """Every named kernel in either precision, and products of the reduced problem."""
    for dtype in (np.float64, np.float32):
        for name in NAMES:
            for points in (X, sparse.csr_array(X)):
                NamedGram(Kernel(name), points).compute_block(dtype=dtype)
    block, out = np.ones((5, 3), dtype=np.float32), np.zeros(3)
    nystroem.multiply_rows(block, out, np.empty(5))
    nystroem.add_combination(block, np.ones(5), out)
    nystroem.multiply_both_ways(block, out, np.ones(5), np.empty(5), out.copy())
