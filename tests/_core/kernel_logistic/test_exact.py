"""Kernel logistic regression against an independent solve, and its certificate."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.optimize import minimize

from skextra._core.gram.kernel_functions import Kernel, NamedGram, PrecomputedGram
from skextra._core.gram.partial_cholesky import compute_partial_cholesky
from skextra._core.gram.products import GramProduct
from skextra._core.kernel_logistic.exact import KernelLogisticSolver, Settings
from skextra._core.kernel_logistic.fit import fit
from skextra._core.kernel_logistic.folds import compute_log_losses
from skextra._core.kernel_logistic.leave_one_out import compute_left_out_decisions
from skextra._core.kernel_logistic.nystroem import KernelRows, choose_centers, solve
from skextra._core.kernel_logistic.solver_choice import Equations
from skextra._core.logistic.loss import LogLoss


def make_data(n, n_classes, seed=0, d=3):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    scores = np.sin(2.0 * X @ rng.standard_normal((d, n_classes))) + 0.3 * rng.gumbel(
        size=(n, n_classes)
    )
    codes = scores.argmax(axis=1)
    codes[:n_classes] = np.arange(n_classes)
    return X, codes


def compute_objective(K, codes, n_classes, weights, A, b):
    loss = LogLoss(codes, n_classes, weights)
    return loss.compute_value(A @ K + b[:, None]) + 0.5 * float(((A @ K) * A).sum())


def solve_by_quasi_newton(K, codes, n_classes, weights, fit_intercept):
    """Minimum of the objective in whitened coordinates, by a solver that is not ours."""
    values, vectors = np.linalg.eigh(K)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    loss = LogLoss(codes, n_classes, weights)
    k = loss.n_rows

    def evaluate(x):
        W, b = x[: k * len(K)].reshape(k, -1), x[k * len(K) :]
        value, P = loss.evaluate(W @ root.T + b[:, None])
        R = loss.compute_residual(P)
        slope = -R.sum(axis=1) if fit_intercept else np.zeros(k)
        return value + 0.5 * (W * W).sum(), np.append((W - R @ root).ravel(), slope)

    options = {"maxiter": 20_000, "maxfun": 50_000, "ftol": 1e-16, "gtol": 1e-10}
    start = np.zeros(k * len(K) + k)
    return minimize(evaluate, start, jac=True, method="L-BFGS-B", options=options).fun


def run(K, codes, n_classes, weights, fit_intercept=True, **options):
    product = GramProduct(PrecomputedGram(K, True))
    solver = KernelLogisticSolver(product, codes, n_classes, fit_intercept, Settings(**options))
    return solver.solve(weights)


@pytest.mark.parametrize("is_direct", [True, False])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("C", [0.1, 30.0])
@pytest.mark.parametrize("n", [40, 130])
def test_objective_is_that_of_an_independent_solver(
    n, C, n_classes, fit_intercept, is_direct, monkeypatch
):
    # Neither the direct solver nor a coarse space of everything for the larger ones.
    if not is_direct:
        monkeypatch.setattr(
            "skextra._core.kernel_logistic.exact.choose_equations",
            lambda *_: Equations.CONJUGATE_GRADIENTS,
        )
        monkeypatch.setattr("skextra._core.kernel_logistic.solver_choice._SMALL_INNER", 10)
    X, codes = make_data(n, n_classes)
    K = NamedGram(Kernel("rbf", gamma=0.5), X).compute_block()
    weights = C * np.random.default_rng(1).uniform(0.5, 2.0, n)
    solver = run(K, codes, n_classes, weights, fit_intercept, tol=1e-10)
    objective = compute_objective(K, codes, n_classes, weights, solver.A, solver.b)
    reference = solve_by_quasi_newton(K, codes, n_classes, weights, fit_intercept)
    assert solver.converged
    assert objective <= reference + 1e-9 * solver.null
    assert objective >= reference - 1e-6 * solver.null
    if fit_intercept:
        np.testing.assert_allclose(solver.A.sum(axis=1), 0.0, atol=1e-3 * C)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    n=st.integers(5, 40),
    n_classes=st.integers(2, 3),
    log_C=st.floats(-3, 4),
    gamma=st.sampled_from([0.01, 1.0, 100.0]),
    max_iter=st.integers(0, 6),
)
def test_gap_bounds_the_suboptimality(seed, n, n_classes, log_C, gamma, max_iter):
    X, codes = make_data(n, n_classes, seed)
    K = NamedGram(Kernel("rbf", gamma=gamma), X).compute_block()
    weights = np.full(n, 10.0**log_C)
    early = run(K, codes, n_classes, weights, max_iter=max_iter, tol=1e-12)
    best = run(K, codes, n_classes, weights, tol=1e-12)
    value, least = (
        compute_objective(K, codes, n_classes, weights, solver.A, solver.b)
        for solver in (early, best)
    )
    assert best.gap <= 1e-8
    assert early.gap >= (value - least) / early.null - 1e-11


@pytest.mark.parametrize("n_classes", [2, 3])
def test_single_precision_and_recomputed_products_reach_the_same_solution(n_classes, monkeypatch):
    X, codes = make_data(500, n_classes)
    gram = NamedGram(Kernel("rbf", gamma=0.5), X)
    weights = np.full(500, 10.0)
    exact = KernelLogisticSolver(GramProduct(gram), codes, n_classes, True, Settings(tol=1e-9))
    exact.solve(weights)
    monkeypatch.setattr("skextra._core.gram.products._FEW_SAMPLES", 100)
    monkeypatch.setattr("skextra._core.gram.products._BLOCK", 128)
    for budget in (np.inf, 3e5, 0.0):
        product = GramProduct(gram, budget)
        assert not product.is_exact
        solver = KernelLogisticSolver(product, codes, n_classes, True, Settings(tol=1e-9))
        solver.solve(weights)
        assert solver.converged
        F = solver.A @ exact.product.K + solver.b[:, None]
        np.testing.assert_allclose(F, exact.F, atol=2e-3)
        np.testing.assert_allclose(solver.F, F, atol=1e-6)


def test_duplicate_rows_make_a_singular_matrix_and_no_difference():
    X, codes = make_data(60, 2)
    K = NamedGram(Kernel("rbf", gamma=0.5), X).compute_block()
    twice = np.tile(np.arange(60), 2)
    once = run(K, codes, 2, np.full(60, 2.0), tol=1e-12)
    both = run(K[np.ix_(twice, twice)], codes[twice], 2, np.ones(120), tol=1e-12)
    np.testing.assert_allclose(both.F[:, :60], once.F, atol=1e-7)


@pytest.mark.parametrize("scale", [1e-12, 1e8])
def test_huge_and_tiny_matrices_are_solved(scale):
    X, codes = make_data(60, 3)
    K = scale * NamedGram(Kernel("rbf", gamma=0.5), X).compute_block()
    assert run(K, codes, 3, np.ones(60)).converged


def test_negative_eigenvalues_are_left_out_consistently():
    X, codes = make_data(90, 2)
    K = NamedGram(Kernel("sigmoid", gamma=0.7, coef0=-1.0), X).compute_block()
    values, vectors = np.linalg.eigh(K)
    assert values[0] < -0.1
    clipped = (vectors * np.maximum(values, 0.0)) @ vectors.T
    weights = np.full(90, 5.0)
    model = fit(PrecomputedGram(K), codes, 2, weights, True, Settings(tol=1e-10))
    reference = run(0.5 * (clipped + clipped.T), codes, 2, weights, tol=1e-10)
    np.testing.assert_allclose(model.A @ K + model.b[:, None], reference.F, atol=1e-5)


def test_partial_cholesky_approximates_from_below():
    X, _ = make_data(200, 2)
    gram = NamedGram(Kernel("rbf", gamma=0.5), X)
    K = gram.compute_block()
    lefts = []
    for rank in (10, 40, 200):
        factor, pivots, left = compute_partial_cholesky(gram, rank)
        lefts.append(left)
        assert len(np.unique(pivots)) == len(pivots) <= rank
        error = K - factor.T @ factor
        assert np.linalg.eigvalsh(error)[0] > -1e-8
        np.testing.assert_allclose(np.trace(error) / np.trace(K), left, atol=1e-9)
        np.testing.assert_allclose(error[pivots], 0.0, atol=1e-6)
        # The pivots' columns of the factor are their own triangular factor.
        np.testing.assert_allclose(np.tril(factor[:, pivots], -1), 0.0, atol=1e-6)
    assert lefts[0] > lefts[1] > lefts[2] and lefts[2] < 1e-9


@pytest.mark.parametrize("n_classes", [2, 3])
def test_span_of_all_functions_is_the_whole_problem(n_classes):
    X, codes = make_data(80, n_classes)
    gram = NamedGram(Kernel("rbf", gamma=2.0), X)
    weights = np.full(80, 3.0)
    whole = fit(gram, codes, n_classes, weights, True, Settings(tol=1e-10))
    reduced = fit(gram, codes, n_classes, weights, True, Settings(tol=1e-10),
                  approximation="nystroem", n_components=80)  # fmt: skip
    np.testing.assert_allclose(reduced.F, whole.F, atol=1e-4)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("budget", [np.inf, 0.0])
def test_reduced_gap_bounds_the_reduced_suboptimality(n_classes, budget):
    n, m = 1500, 40
    X, codes = make_data(n, n_classes)
    gram = NamedGram(Kernel("rbf", gamma=0.5), X)
    weights = np.ones(n)
    centers, upper = choose_centers(gram, m, 0)
    assert len(centers) == m
    rows = KernelRows(gram, centers, upper, budget)
    K_nm = gram.compute_block(None, centers)
    K_mm = K_nm[centers]
    np.testing.assert_allclose(upper.T @ upper, K_mm, atol=1e-10)
    loss = LogLoss(codes, n_classes, weights)

    def compute(A, b):
        return loss.compute_value(A @ K_nm.T + b[:, None]) + 0.5 * (A * (A @ K_mm)).sum()

    null = loss.compute_value(np.repeat(loss.compute_null_intercept()[:, None], n, axis=1))
    best = compute(*solve(rows, codes, n_classes, weights, True, Settings(tol=1e-12))[:2])
    for max_iter in (0, 1, 2, 50):
        A, b, F, solution = solve(
            rows, codes, n_classes, weights, True, Settings(tol=1e-8, max_iter=max_iter)
        )
        np.testing.assert_allclose(A @ K_nm.T + b[:, None], F, atol=1e-4)
        assert solution.gap >= (compute(A, b) - best) / null - 1e-9
    assert solution.converged and solution.gap <= 1e-8


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("C", [0.1, 1.0])
def test_left_out_decisions_are_nearly_those_of_refitted_models(n_classes, C):
    n = 60
    X, codes = make_data(n, n_classes)
    gram = NamedGram(Kernel("rbf", gamma=0.5), X)
    weights = C * np.random.default_rng(1).uniform(0.5, 2.0, n)
    options = Settings(tol=1e-10)
    solver = KernelLogisticSolver(GramProduct(gram), codes, n_classes, True, options)
    approximate = compute_left_out_decisions(solver.solve(weights))
    exact = np.empty_like(approximate)
    for i in range(n):
        rest = np.delete(np.arange(n), i)
        part = KernelLogisticSolver(
            GramProduct(gram.take(rest)), codes[rest], n_classes, True, options
        ).solve(weights[rest])
        exact[:, i] = part.A @ gram.compute_block(rest, np.array([i]))[:, 0] + part.b
    in_sample, left_out, refitted = (
        compute_log_losses(F, codes).mean() for F in (solver.F, approximate, exact)
    )
    # The approximation is off by much less than what leaving out changes.
    assert abs(left_out - refitted) <= 0.06 * (refitted - in_sample)
