import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import sparse

from skextra._core.svm import hinge, interior_point, l1_newton, linear, newton
from skextra._core.svm.dual_coordinate_descent import DualDescent
from skextra._core.svm.linear_problem import CenteredRows, LinearProblem


def make_data(seed, n=60, d=5, scale=1.0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) + 1.0
    y = np.where(X @ np.linspace(1, -1, d) + 0.7 * rng.standard_normal(n) > 0.2, 1.0, -1.0)
    y[:2] = 1.0, -1.0
    return X, y, scale * rng.uniform(0.2, 3.0, n)


def make_problem(X, y, C, is_squared, fit_intercept=True, dtype=np.float64):
    return LinearProblem(CenteredRows(X, fit_intercept), y, C, is_squared, fit_intercept, dtype)


def compute_objective(result, X, y, C, is_squared, norm=2):
    w = result.coef
    penalty = 0.5 * w @ w if norm == 2 else np.abs(w).sum()
    return penalty + hinge.compute_loss(y * (X @ w + result.intercept), C, is_squared)


def solve_descent(problem, tol, max_iter=20_000):
    descent = DualDescent(problem)
    n_iter = descent.solve(tol, max_iter)
    result = problem.certify(descent.w, descent.b, descent.dual, tol)
    result.n_iter = n_iter
    return result


def solve_factored(problem, tol, max_iter=500):
    d = problem.shape[1]
    columns = problem.columns
    if columns is None:
        columns = np.column_stack([problem.X.toarray(), np.ones(problem.shape[0])])
    u, dual, n_iter = interior_point.solve(
        columns, problem.y, problem.C, d, problem.is_squared, tol * problem.scale, max_iter
    )
    result = problem.certify(u[:d], u[d:].sum(), dual, tol)
    result.n_iter = n_iter
    return result


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(4, 80),
    st.integers(1, 12),
    st.booleans(),
    st.booleans(),
    st.sampled_from([0.01, 1.0, 10.0]),
)
def test_methods_agree(seed, n, d, is_squared, fit_intercept, scale):
    X, y, C = make_data(seed, n, d, scale)
    problem = make_problem(X, y, C, is_squared, fit_intercept)
    first, second = solve_factored(problem, 1e-9), solve_descent(problem, 1e-5)
    values = [compute_objective(m, X, y, C, is_squared) / problem.scale for m in (first, second)]
    assert first.converged and second.converged
    assert first.gap <= 1e-9
    assert -1e-9 <= values[1] - values[0] <= second.gap + 1e-9
    if is_squared:
        w, b, _ = newton.solve(problem, 1e-9, 500)
        third = problem.certify(w, b, None, 1e-9)
        assert third.converged
        np.testing.assert_allclose(third.coef, first.coef, atol=1e-3)
    if not fit_intercept:
        assert first.intercept == second.intercept == 0.0


@pytest.mark.parametrize("is_squared", [True, False])
def test_rows_that_stay_sparse(is_squared):
    rng = np.random.default_rng(0)
    X = sparse.random_array((150, 300), density=0.05, rng=rng, format="csr")
    y = np.where(np.asarray(X[:, :30].sum(axis=1)).ravel() > 0.7, 1.0, -1.0)
    C = rng.uniform(0.2, 3.0, 150)
    options = {"is_squared": is_squared, "has_l1_penalty": False, "fit_intercept": True}
    rows = CenteredRows(X, True)
    assert rows.is_sparse
    ours = linear.solve(rows, y, C, **options, tol=1e-7, max_iter=5000)
    dense = linear.solve(CenteredRows(X.toarray(), True), y, C, **options, tol=1e-7, max_iter=5000)
    assert ours.converged and dense.converged
    np.testing.assert_allclose(ours.coef, dense.coef, atol=1e-3)
    np.testing.assert_allclose(ours.intercept, dense.intercept, atol=1e-3)


def test_sparse_rows_without_zeros_are_stored_dense():
    X = np.random.default_rng(0).standard_normal((20, 300)) + 1e6
    rows = CenteredRows(sparse.csr_array(X), True)
    assert not rows.is_sparse
    np.testing.assert_allclose(rows.X, X - X.mean(axis=0), atol=1e-9)


@pytest.mark.parametrize("max_iter", [0, 1, 2, 5, 20])
@pytest.mark.parametrize("is_squared", [True, False])
def test_gap_bounds_the_suboptimality(max_iter, is_squared):
    X, y, C = make_data(1, 200, 8)
    problem = make_problem(X, y, C, is_squared)
    best = solve_factored(problem, 1e-12)
    optimum = compute_objective(best, X, y, C, is_squared)
    results = [solve_factored(problem, 1e-12, max_iter), solve_descent(problem, 1e-12, max_iter)]
    for result in results:
        excess = compute_objective(result, X, y, C, is_squared) - optimum
        assert result.gap * problem.scale >= excess - 1e-10 * problem.scale
        assert result.n_iter <= max_iter


@pytest.mark.parametrize("is_squared", [True, False])
@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("shape", [(30, 200), (300, 40), (150, 900)])
def test_every_shape(is_squared, convert, shape):
    X, y, C = make_data(2, *shape)
    options = {"is_squared": is_squared, "has_l1_penalty": False, "fit_intercept": True}
    result = linear.solve(CenteredRows(convert(X), True), y, C, **options, tol=1e-5, max_iter=5000)
    problem = make_problem(X, y, C, is_squared)
    reference = solve_factored(problem, 1e-10)
    values = [compute_objective(m, X, y, C, is_squared) for m in (result, reference)]
    assert result.converged
    assert (values[0] - values[1]) / problem.scale <= 1e-5


@pytest.mark.parametrize("is_squared", [True, False])
@pytest.mark.parametrize("shape", [(40, 90), (60, 12)])
def test_rotated_rows_solve_what_factors_cannot(is_squared, shape):
    # Far from zero without an intercept, features are equal but for their last digits.
    rng = np.random.default_rng(0)
    X = rng.standard_normal(shape) + 1e6 * rng.standard_normal(shape[1])
    y = np.where(X[:, 0] > np.median(X[:, 0]), 1.0, -1.0)
    C = np.ones(len(y))
    options = {"is_squared": is_squared, "has_l1_penalty": False, "fit_intercept": False}
    result = linear.solve(CenteredRows(X, False), y, C, **options, tol=1e-4, max_iter=1000)
    assert result.converged
    assert (np.sign(X @ result.coef) == y).mean() > 0.95


def test_descent_goes_on_after_rows_were_left_out():
    """At a tight tolerance the sweeps' own stop comes long before the gap's."""
    X, y, C = make_data(3, 400, 10, scale=10.0)
    problem = make_problem(X, y, C, False)
    result = solve_descent(problem, 1e-8, 100_000)
    assert result.converged
    np.testing.assert_allclose(result.coef, solve_factored(problem, 1e-11).coef, atol=1e-3)


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("shape", [(80, 5), (60, 150)])
def test_sparse_penalty(convert, fit_intercept, shape):
    X, y, C = make_data(4, *shape)
    problem = make_problem(convert(X), y, C, True, fit_intercept)
    result = l1_newton.solve(problem, 1e-9, 200)
    assert result.converged
    margins = y * (X @ result.coef + result.intercept)
    slope = X.T @ (hinge.compute_squared_dual(margins, C) * y)
    assert (np.abs(slope) <= 1 + 1e-3).all()
    used = result.coef != 0
    np.testing.assert_allclose(slope[used], np.sign(result.coef[used]), atol=1e-3)
    if fit_intercept:
        assert abs(hinge.compute_squared_dual(margins, C) @ y) <= 1e-8 * C.sum()
    else:
        assert result.intercept == 0.0


def test_large_C_is_no_harder_for_the_interior_point():
    X, y, C = make_data(5, 500, 10)
    n_iters = []
    for scale in (1e-3, 1.0, 1e4):
        result = solve_factored(make_problem(X, y, scale * C, False), 1e-6, 100)
        assert result.converged
        n_iters.append(result.n_iter)
    assert max(n_iters) <= 25


@pytest.mark.parametrize("is_squared", [True, False])
def test_gap_is_of_the_coefficients_as_returned(is_squared):
    """An intercept that single precision cannot hold makes the gap as large as it is."""
    X, y, C = make_data(6)
    X[:, 0] += 1e8
    options = {"is_squared": is_squared, "has_l1_penalty": False, "fit_intercept": True}
    rows = CenteredRows(X, True)
    exact = linear.solve(rows, y, C, **options, tol=1e-6, max_iter=500)
    single = linear.solve(rows, y, C, **options, tol=1e-6, max_iter=500, dtype=np.float32)
    assert exact.converged and not single.converged
    null = hinge.compute_null_objective(y, C, is_squared)
    excess = compute_objective(single, X, y, C, is_squared)
    excess -= compute_objective(exact, X, y, C, is_squared)
    assert 1e-3 < excess / null <= single.gap + 1e-6


def test_one_class():
    X, y, C = make_data(6)
    options = {"is_squared": True, "has_l1_penalty": False, "tol": 1e-4, "max_iter": 10}
    result = linear.solve(CenteredRows(X, True), np.ones(60), C, fit_intercept=True, **options)
    assert result.intercept == 1.0
    assert not result.coef.any()
    result = linear.solve(CenteredRows(X, False), np.ones(60), C, fit_intercept=False, **options)
    assert result.intercept == 0.0
    assert result.converged
    assert (X @ result.coef > 0).mean() > 0.8


@pytest.mark.parametrize("is_squared", [True, False])
def test_best_intercepts(is_squared):
    rng = np.random.default_rng(0)
    for _ in range(20):
        scores, C = 3 * rng.standard_normal(15), rng.uniform(0.1, 2, 15)
        y = np.where(rng.random(15) < 0.3, 1.0, -1.0)
        y[:2] = 1.0, -1.0
        b = hinge.find_intercept(scores, y, C, is_squared)
        grid = np.concatenate([np.linspace(-10, 10, 4001), y - scores])
        losses = [hinge.compute_loss(y * (scores + g), C, is_squared) for g in grid]
        assert hinge.compute_loss(y * (scores + b), C, is_squared) <= min(losses) + 1e-9
