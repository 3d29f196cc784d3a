import numpy as np
import pytest
from scipy import sparse

from skextra._core.svm import interior_point, interior_point_blas, newton


def make_problem(n=60, d=5, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) + 0.5
    y = np.where(X[:, 0] + rng.standard_normal(n) > 0.8, 1.0, -1.0)
    return X, y, rng.uniform(0.1, 3.0, n)


def evaluate(machine, X, y, C, is_squared):
    missed = np.maximum(0.0, 1.0 - y * (X @ machine.coef + machine.intercept))
    return 0.5 * machine.coef @ machine.coef + C @ (missed**2 if is_squared else missed)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("is_squared", [True, False])
def test_agrees_with_the_methods_of_more_data(is_squared, fit_intercept):
    X, y, C = make_problem()
    options = {"fit_intercept": fit_intercept, "tol": 1e-9, "max_iter": 100}
    small = interior_point.solve(X, y, C, is_squared, **options)
    method = newton if is_squared else interior_point_blas
    large = method.solve(X, y, C, **options)
    np.testing.assert_allclose(small.coef, large.coef, atol=1e-4)
    np.testing.assert_allclose(small.intercept, large.intercept, atol=1e-4)
    assert small.converged and small.gap <= 1e-9


@pytest.mark.parametrize("is_squared", [True, False])
def test_gap_bounds_suboptimality(is_squared):
    X, y, C = make_problem(seed=1)
    rough = interior_point.solve(X, y, C, is_squared, fit_intercept=True, tol=1e-2, max_iter=100)
    exact = interior_point.solve(X, y, C, is_squared, fit_intercept=True, tol=1e-11, max_iter=100)
    missing = evaluate(rough, X, y, C, is_squared) - evaluate(exact, X, y, C, is_squared)
    null = interior_point.compute_null_objective(y, C, is_squared)
    assert -1e-9 * null <= missing <= rough.gap * null


@pytest.mark.parametrize("is_squared", [True, False])
def test_sparse_rows_are_the_same(is_squared):
    X, y, C = make_problem()
    X[X < 0.3] = 0.0
    options = {"fit_intercept": True, "tol": 1e-6, "max_iter": 100}
    dense = interior_point.solve(X, y, C, is_squared, **options)
    other = interior_point.solve(sparse.csr_array(X), y, C, is_squared, **options)
    np.testing.assert_array_equal(dense.coef, other.coef)


@pytest.mark.parametrize("is_squared", [True, False])
def test_what_is_not_certified_is_left_to_others(is_squared):
    X, y, C = make_problem()
    options = {"fit_intercept": True, "tol": 1e-9, "max_iter": 1}
    assert interior_point.solve(X, y, C, is_squared, **options) is None
    options["max_iter"] = 100
    assert interior_point.solve(1e160 * X, y, C, is_squared, **options) is None


def test_samples_that_hardly_count_may_be_left_out():
    # Far from the margin of a wide gap: the Hessian needs few rows, the answer is the same.
    X, y, C = make_problem(400, 3)
    X[:, 0] += 5.0 * y
    options = {"fit_intercept": True, "tol": 1e-8, "max_iter": 100}
    small = interior_point.solve(X, y, C, False, **options)
    large = interior_point_blas.solve(X, y, C, **options)
    np.testing.assert_allclose(small.coef, large.coef, atol=1e-4)
