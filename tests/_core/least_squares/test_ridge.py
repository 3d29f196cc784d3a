"""The pieces below Ridge and RidgeCV, each against its definition."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from skextra._core.least_squares import (
    ridge,
    ridge_conjugate_gradients,
    ridge_folds,
    ridge_leave_one_out,
    ridge_nonnegative,
)
from skextra._core.least_squares.problem import build_problem
from skextra._core.numerics import design_matrix as design_module


def form_explicitly(X, weights, fit_intercept, penalty_weights=None):
    """The weighted Z of a problem, formed as its documentation says."""
    n = len(X)
    w = np.ones(n) if weights is None else weights
    Z = X - (w @ X / w.sum() if fit_intercept else 0)
    if penalty_weights is not None:
        free = Z[:, penalty_weights == 0]
        kept = np.isfinite(penalty_weights) & (penalty_weights > 0)
        Z = Z[:, kept]
        root = np.sqrt(w)[:, None]
        Z = Z - free @ np.linalg.lstsq(free * root, Z * root, rcond=None)[0]
        Z = Z / np.sqrt(penalty_weights[kept])
    return Z * np.sqrt(w)[:, None]


def make_problem(shape, container=np.asarray, weighted=True, fit_intercept=True, gamma=None):
    rng = np.random.default_rng(0)
    X = rng.normal(size=shape) + 2
    if container is not np.asarray:
        X[rng.random(shape) > 0.3] = 0
    weights = rng.uniform(0.1, 2, shape[0]) if weighted else None
    Y = rng.normal(size=(shape[0], 2))
    problem = build_problem(container(X), Y, weights, fit_intercept, gamma)
    return X, Y, weights, problem


CONTAINERS = [np.asarray, np.asfortranarray, sparse.csr_array, sparse.csc_array]


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("with_gamma", [True, False])
@pytest.mark.parametrize("block_bytes", [1 << 21, 1])
def test_design(monkeypatch, container, weighted, fit_intercept, with_gamma, block_bytes):
    monkeypatch.setattr(design_module, "_BLOCK_BYTES", block_bytes)
    gamma = np.array([1.0, 0, 2, np.inf, 1, 0.5, 0]) if with_gamma else None
    X, _, weights, problem = make_problem((1100, 7), container, weighted, fit_intercept, gamma)
    design = problem.design
    Z = form_explicitly(X, weights, fit_intercept, gamma)
    Yw = design.weigh_rows(problem.Y)
    W = np.random.default_rng(1).normal(size=(Z.shape[1], 3))
    gram, cross = design.compute_moments(problem.Y)
    kernel = design.compute_kernel()
    assert_allclose(np.tril(gram), np.tril(Z.T @ Z), atol=1e-9)
    assert_allclose(cross, Z.T @ Yw, atol=1e-10)
    assert_allclose(np.tril(kernel), np.tril(Z @ Z.T), atol=1e-10)
    assert_allclose(design.weigh_rows(design.dot(W)), Z @ W, atol=1e-10)
    assert_allclose(design.transpose_dot(design.weigh_rows(Yw)), Z.T @ Yw, atol=1e-10)
    R, C = design.compute_triangular_factor(problem.Y)
    assert_allclose(R.T @ R, Z.T @ Z, atol=1e-9)
    assert_allclose(R.T @ C, Z.T @ Yw, atol=1e-9)
    null_rows = design.list_null_rows()
    if null_rows is not None:
        assert_allclose(null_rows.T @ null_rows, np.eye(null_rows.shape[1]), atol=1e-12)
        assert_allclose(null_rows.T @ Z, 0, atol=1e-10)
    if not with_gamma:
        assert_allclose(design.compute_column_norms(), (Z**2).sum(axis=0))


def test_moments_without_the_exact_mean_notice_a_bad_shift(monkeypatch):
    monkeypatch.setattr(design_module, "_BLOCK_BYTES", 1)
    X = np.random.default_rng(2).normal(size=(5000, 2))
    sampled = np.arange(5000) % 4 == 0  # the rows that the provisional shift is taken from
    X[:, 0] += np.where(sampled, 0, 1e9)
    weights = np.where(sampled, 1e-6, 1.0)
    calls = []
    accumulate = design_module.Design.accumulate_moments
    monkeypatch.setattr(
        design_module.Design,
        "accumulate_moments",
        lambda self, Y, shift, *rest: calls.append(shift) or accumulate(self, Y, shift, *rest),
    )
    design = design_module.Design(X, weights)
    gram, _ = design.compute_moments(np.zeros((5000, 1)))
    mean = weights @ X / weights.sum()
    centered = X - mean
    assert_allclose(np.tril(gram), np.tril(centered.T @ (weights[:, None] * centered)), rtol=1e-7)
    assert_allclose(design.mean, mean)
    assert len(calls) == 2
    design_module.Design(X[:, 1:], weights).compute_moments(np.zeros((5000, 1)))
    assert len(calls) == 3, "one pass over the data where the sampled shift is good"


def test_factorize_refuses_noise_and_ignores_scales():
    rng = np.random.default_rng(3)
    A = rng.normal(size=(20, 6))
    good = A.T @ A
    scales = np.logspace(-8, 8, 6)
    _, refine = ridge.factorize(good * np.outer(scales, scales), 0.0, 1e-7)
    assert not refine
    A[:, 5] = A[:, 0] + 1e-5 * A[:, 5]
    _, refine = ridge.factorize(A.T @ A, 0.0, 1e-7)
    assert refine
    A[:, 5] = A[:, 0]
    with pytest.raises(ridge.SingularError):
        ridge.factorize(A.T @ A, 0.0, 1e-7)


@pytest.mark.parametrize("shape", [(30, 5), (5, 30), (12, 12)])
@pytest.mark.parametrize("alphas", [[0.5, 0.5], [0.1, 20.0]])
def test_all_methods_agree(monkeypatch, shape, alphas):
    _, _, _, problem = make_problem(shape)
    alphas = np.array(alphas)
    reference = ridge.solve_singular(problem, alphas).W
    direct = ridge.solve_direct(problem, alphas)
    iterated = ridge_conjugate_gradients.solve_iterative(problem, alphas, tol=1e-14)
    monkeypatch.setattr(ridge, "_MAX_FACTORIZATIONS", 0)
    eigen = ridge.solve_direct(problem, alphas)
    for result in (direct, iterated, eigen):
        assert_allclose(result.W, reference, atol=1e-8)
        assert (result.gap >= 0).all()
        assert (result.gap <= 1e-12 * problem.null_objective).all()
    assert (iterated.n_iter > 0).all()


@pytest.mark.parametrize("shape", [(30, 5), (5, 30)])
def test_gap_bounds_the_distance_of_any_point(shape):
    _, _, _, problem = make_problem(shape)
    best = ridge.solve_direct(problem, np.full(2, 0.7)).W

    def compute_objective(W):
        residual = problem.design.weigh_rows(problem.Y - problem.design.dot(W))
        return 0.5 * (residual**2).sum(axis=0) + 0.35 * (W**2).sum(axis=0)

    rng = np.random.default_rng(4)
    for size in (1e-3, 1.0):
        W = best + size * rng.normal(size=best.shape)
        residual = problem.design.weigh(problem.Y - problem.design.dot(W))
        gradient = problem.design.transpose_dot(residual) - 0.7 * W
        distance = compute_objective(W) - compute_objective(best)
        assert (distance <= (gradient**2).sum(axis=0) / 1.4 * (1 + 1e-9)).all()


def test_positive_gap_bounds_the_distance_of_any_point():
    _, _, _, problem = make_problem((30, 5))
    penalized = np.ones(5, dtype=bool)
    result = ridge_nonnegative.solve_positive(problem, np.full(2, 0.7), penalized)
    gram, cross = problem.design.compute_moments(problem.Y)
    hessian = np.tril(gram) + np.tril(gram, -1).T + 0.7 * np.eye(5)
    rng = np.random.default_rng(5)
    for j in range(2):

        def compute_objective(w, j=j):
            return 0.5 * w @ hessian @ w - cross[:, j] @ w

        best = compute_objective(result.W[:, j])
        for size in (1e-3, 1.0):
            w = np.maximum(result.W[:, j] + size * rng.normal(size=5), 0)
            gradient = hessian @ w - cross[:, j]
            length = np.sqrt(2 * problem.null_objective[j])
            gap = ridge_nonnegative.compute_gap(w, gradient, np.full(5, 0.7), length)
            assert -1e-12 <= compute_objective(w) - best <= gap * (1 + 1e-9) + 1e-12


def test_block_pivoting_that_cycles_falls_back(monkeypatch):
    class Cycling:
        """Reports every solution as violated everywhere."""

        def compute_gradient(self, w):
            return -np.ones(3)

        def solve(self, passive):
            return np.where(passive, -1.0, 0.0)

    w, n_iter = ridge_nonnegative.pivot(Cycling(), 3, 0.0)
    assert_allclose(w, 0)
    assert n_iter == 115
    _, _, _, problem = make_problem((30, 5))
    penalized = np.ones(5, dtype=bool)
    expected = ridge_nonnegative.solve_positive(problem, np.full(2, 0.7), penalized)
    monkeypatch.setattr(ridge_nonnegative, "pivot", lambda system, p, *rest: (np.zeros(p), 9))
    found = ridge_nonnegative.solve_positive(problem, np.full(2, 0.7), penalized)
    assert_allclose(found.W, expected.W, atol=1e-10)
    assert (found.gap <= 1e-12 * problem.null_objective).all()


@pytest.mark.parametrize("shape", [(30, 5), (5, 30), (12, 12)])
@pytest.mark.parametrize("n_alphas", [2, 9])
def test_leave_one_out_is_one_minus_leverage(shape, n_alphas):
    X, Y, weights, problem = make_problem(shape)
    alphas = np.logspace(-2, 2, n_alphas)
    totals = ridge_leave_one_out.LooTotals(shape[0], 2, n_alphas, weights, True, True, True)
    ridge_leave_one_out.build_loo(problem).accumulate(alphas, totals)
    Z = form_explicitly(X, weights, True)
    root = np.sqrt(weights)
    for a, alpha in enumerate(alphas):
        hat = Z @ np.linalg.solve(Z.T @ Z + alpha * np.eye(shape[1]), Z.T)
        hat += np.outer(root, root) / weights.sum()
        errors = (np.eye(shape[0]) - hat) @ (root[:, None] * Y) / (1 - np.diag(hat))[:, None]
        assert_allclose(totals.errors[:, :, a] * root[:, None], errors, rtol=1e-6, atol=1e-9)
        assert_allclose(totals.losses[a], (errors**2).sum(axis=0), rtol=1e-7)
        assert_allclose(totals.squared_losses[a], (errors**4).sum(axis=0), rtol=1e-7)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("n_alphas", [2, 20])
def test_complementary_folds_equal_direct_ones(monkeypatch, fit_intercept, weighted, n_alphas):
    rng = np.random.default_rng(6)
    X, Y = rng.normal(size=(60, 5)) + 3, rng.normal(size=(60, 2))
    weights = rng.uniform(0.1, 2, 60) if weighted else None
    alphas = np.logspace(-2, 2, n_alphas)
    solver = ridge_folds.FoldSolver(X, Y, alphas, weights, fit_intercept, None)
    direct = ridge_folds.FoldSolver(X, Y, alphas, weights, fit_intercept, None)
    direct._may_subtract = False
    test = np.arange(10, 25)
    train = np.setdiff1d(np.arange(60), test)
    monkeypatch.setattr(solver, "_solve_rows", None)
    for ours, theirs in zip(
        solver.solve_fold(train, test), direct.solve_fold(train, test), strict=True
    ):
        assert_allclose(ours[0], theirs[0], rtol=1e-9, atol=1e-12)
        assert_allclose(ours[1], theirs[1], rtol=1e-9, atol=1e-12)
