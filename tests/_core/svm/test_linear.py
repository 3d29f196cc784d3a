import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import sparse

from skextra._core.svm import hinge, interior_point_blas, l1_newton, linear, newton
from skextra._core.svm.dual_coordinate_descent import DualDescent


def make_problem(seed, n=60, d=5, scale=1.0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) + 1.0
    y = np.where(X @ np.linspace(1, -1, d) + 0.7 * rng.standard_normal(n) > 0.2, 1.0, -1.0)
    y[:2] = 1.0, -1.0
    return X, y, scale * rng.uniform(0.2, 3.0, n)


def compute_objective(machine, X, y, C, is_squared, norm=2):
    w = machine.coef
    penalty = 0.5 * w @ w if norm == 2 else np.abs(w).sum()
    return penalty + hinge.compute_loss(y * (X @ w + machine.intercept), C, is_squared)


def solve_descent(X, y, C, is_squared, fit_intercept, tol):
    return DualDescent(X, y, C, is_squared, fit_intercept).solve(tol, 20_000)


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
    X, y, C = make_problem(seed, n, d, scale)
    method = newton if is_squared else interior_point_blas
    first = method.solve(X, y, C, fit_intercept=fit_intercept, tol=1e-9, max_iter=500)
    second = solve_descent(X, y, C, is_squared, fit_intercept, 1e-5)
    third = solve_descent(sparse.csr_array(X), y, C, is_squared, fit_intercept, 1e-5)
    null = hinge.compute_null_objective(y, C, is_squared, fit_intercept)
    values = [compute_objective(m, X, y, C, is_squared) / null for m in (first, second, third)]
    assert first.converged
    assert first.gap <= 1e-9
    for machine, value in zip((second, third), values[1:], strict=True):
        assert machine.converged
        assert -1e-9 <= value - values[0] <= machine.gap + 1e-9
    if not fit_intercept:
        assert first.intercept == second.intercept == 0.0


@pytest.mark.parametrize("max_iter", [0, 1, 2, 5, 20])
@pytest.mark.parametrize("is_squared", [True, False])
def test_gap_bounds_the_suboptimality(max_iter, is_squared):
    X, y, C = make_problem(1, 200, 8)
    method = newton if is_squared else interior_point_blas
    best = method.solve(X, y, C, fit_intercept=True, tol=1e-12, max_iter=500)
    null = hinge.compute_null_objective(y, C, is_squared)
    optimum = compute_objective(best, X, y, C, is_squared)
    machines = [method.solve(X, y, C, fit_intercept=True, tol=1e-12, max_iter=max_iter)]
    if max_iter:
        machines.append(DualDescent(X, y, C, is_squared, True).solve(1e-12, max_iter))
    for machine in machines:
        excess = compute_objective(machine, X, y, C, is_squared) - optimum
        assert machine.gap * null >= excess - 1e-10 * null
        assert machine.n_iter <= max_iter


@pytest.mark.parametrize("is_squared", [True, False])
@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("shape", [(30, 200), (300, 40), (150, 900)])
def test_every_shape(is_squared, convert, shape):
    X, y, C = make_problem(2, *shape)
    options = {"is_squared": is_squared, "is_sparse_penalty": False, "fit_intercept": True}
    machine = linear.solve(convert(X), y, C, **options, tol=1e-5, max_iter=5000)
    method = newton if is_squared else interior_point_blas
    reference = method.solve(X, y, C, fit_intercept=True, tol=1e-10, max_iter=500)
    values = [compute_objective(m, X, y, C, is_squared) for m in (machine, reference)]
    assert machine.converged
    null = hinge.compute_null_objective(y, C, is_squared)
    assert (values[0] - values[1]) / null <= 1e-5


def test_descent_goes_on_after_rows_were_left_out():
    """At a tight tolerance the sweeps' own stop comes long before the gap's."""
    X, y, C = make_problem(3, 400, 10, scale=10.0)
    machine = DualDescent(X, y, C, False, True).solve(1e-8, 100_000)
    assert machine.converged
    reference = interior_point_blas.solve(X, y, C, fit_intercept=True, tol=1e-11, max_iter=500)
    np.testing.assert_allclose(machine.coef, reference.coef, atol=1e-3)


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("shape", [(80, 5), (60, 150)])
def test_sparse_penalty(convert, fit_intercept, shape):
    X, y, C = make_problem(4, *shape)
    machine = l1_newton.solve(convert(X), y, C, fit_intercept=fit_intercept, tol=1e-9, max_iter=200)
    assert machine.converged
    margins = y * (X @ machine.coef + machine.intercept)
    slope = X.T @ (hinge.compute_squared_dual(margins, C) * y)
    assert (np.abs(slope) <= 1 + 1e-3).all()
    used = machine.coef != 0
    np.testing.assert_allclose(slope[used], np.sign(machine.coef[used]), atol=1e-3)
    if fit_intercept:
        assert abs(hinge.compute_squared_dual(margins, C) @ y) <= 1e-8 * C.sum()
    else:
        assert machine.intercept == 0.0


def test_large_C_is_no_harder_for_the_interior_point():
    X, y, C = make_problem(5, 500, 10)
    n_iters = []
    for scale in (1e-3, 1.0, 1e4):
        machine = interior_point_blas.solve(
            X, y, scale * C, fit_intercept=True, tol=1e-6, max_iter=100
        )
        assert machine.converged
        n_iters.append(machine.n_iter)
    assert max(n_iters) <= 25


def test_one_class():
    X, y, C = make_problem(6)
    options = {"is_squared": True, "is_sparse_penalty": False, "fit_intercept": True}
    machine = linear.solve(X, np.ones(60), C, **options, tol=1e-4, max_iter=10)
    assert machine.intercept == 1.0
    assert not machine.coef.any()


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
