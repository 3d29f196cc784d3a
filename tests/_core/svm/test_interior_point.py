import numpy as np
import pytest

from skextra._core.svm import interior_point
from skextra._core.svm.dual_coordinate_descent import DualDescent
from skextra._core.svm.hinge import compute_loss
from skextra._core.svm.linear_problem import CenteredRows, LinearProblem


def make_problem(is_squared, fit_intercept=True, n=60, d=5, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) + 0.5
    y = np.where(X[:, 0] + rng.standard_normal(n) > 0.8, 1.0, -1.0)
    C = rng.uniform(0.1, 3.0, n)
    return LinearProblem(CenteredRows(X, fit_intercept), y, C, is_squared, fit_intercept)


def solve(problem, tol, max_iter=100):
    d = problem.shape[1]
    u, dual, n_iter = interior_point.solve(
        problem.columns, problem.y, problem.C, d, problem.is_squared, tol * problem.scale, max_iter
    )
    return problem.certify(u[:d], u[d:].sum(), dual, tol), n_iter


def compute_objective(problem, result):
    w = result.coef
    scores = problem.rows.predict(w, result.intercept)
    return 0.5 * w @ w + compute_loss(problem.y * scores, problem.C, problem.is_squared)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("is_squared", [True, False])
def test_agrees_with_coordinate_descent(is_squared, fit_intercept):
    problem = make_problem(is_squared, fit_intercept)
    result, _ = solve(problem, 1e-9)
    assert result.converged
    descent = DualDescent(problem)
    descent.solve(1e-9, 100_000)
    np.testing.assert_allclose(result.coef, descent.w, atol=1e-4)


@pytest.mark.parametrize("is_squared", [True, False])
def test_gap_bounds_suboptimality(is_squared):
    problem = make_problem(is_squared, seed=1)
    rough, _ = solve(problem, 1e-2)
    exact, _ = solve(problem, 1e-11)
    missing = compute_objective(problem, rough) - compute_objective(problem, exact)
    assert -1e-9 * problem.scale <= missing <= rough.gap * problem.scale


@pytest.mark.parametrize("is_squared", [True, False])
@pytest.mark.parametrize("d", [70, 150])
def test_systems_by_blas_are_those_of_loops(monkeypatch, d, is_squared):
    problem = make_problem(is_squared, n=300, d=d)
    rows, factors = np.arange(300)[::2], np.linspace(-1, 2, 150)
    system = np.zeros((d + 1, d + 1))
    interior_point.add_weighted_gram(problem.columns, rows, factors, 150, system)
    part = problem.columns[rows]
    expected = np.tril(part.T @ (part * factors[:, None]))
    np.testing.assert_allclose(system, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("scale", [1e-8, 1e8])
@pytest.mark.parametrize("C", [1e-6, 1e6])
@pytest.mark.parametrize("is_squared", [True, False])
def test_extreme_penalties_and_units(is_squared, C, scale):
    rng = np.random.default_rng(3)
    X = scale * rng.standard_normal((80, 4))
    X[:, 1] = X[:, 0]  # the penalty alone tells these two apart
    y = np.where(X[:, 0] + scale * rng.standard_normal(80) > 0, 1.0, -1.0)
    problem = LinearProblem(CenteredRows(X, True), y, np.full(80, C), is_squared, True)
    result, n_iter = solve(problem, 1e-6)
    assert result.converged
    assert n_iter <= 40
    np.testing.assert_allclose(result.coef[0], result.coef[1], rtol=1e-3)


def test_weights_of_all_sizes():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 3))
    y = np.where(X[:, 0] + rng.standard_normal(60) > 0, 1.0, -1.0)
    C = 10.0 ** rng.uniform(-6, 6, 60)
    for is_squared in (True, False):
        problem = LinearProblem(CenteredRows(X, True), y, C, is_squared, True)
        result, n_iter = solve(problem, 1e-6)
        assert result.converged
        assert n_iter <= 40


def test_samples_that_hardly_count_may_be_left_out():
    # Far from the margin of a wide gap: the Hessian needs few rows, the answer is the same.
    problem = make_problem(False, n=400, d=3)
    problem.columns[:, 0] += 5.0 * problem.y
    result, _ = solve(problem, 1e-8)
    assert result.converged
    assert result.gap <= 1e-8
