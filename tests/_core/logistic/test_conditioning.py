"""Raw data: columns of any unit and any distance from zero, weights of any size."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from skextra._core import logistic
from skextra._core.logistic.conditioning import condition_columns
from skextra._core.logistic.gap import FullDataGap
from skextra._core.logistic.problem import build_problem
from tests._core.logistic.logistic_cases import check, contain, measure, run
from tests._core.logistic.logistic_reference import find_minimum, make_problem

UNITS = 10.0 ** np.array([-8.0, 8.0, 0.0, -3.0, 5.0, 1.0])


def spread(problem):
    # An L1 penalty in one unit would leave one column alone.
    weights = UNITS if problem.l1_ratio > 0 else None
    return replace(problem, X=problem.X * UNITS, penalty_weights=weights)


def shift(problem):
    return replace(problem, X=problem.X + 1e6 * np.arange(1, 7))


def spread_and_shift(problem):
    return spread(replace(problem, X=problem.X + 1e4))


def free_columns_of_other_units(problem):
    units = np.array([1e7, 0.1, 1.0, 1.0, 1.0, 1e-8])
    weights = np.array([0.0, 0.0, 1.0, 1.0, 1.0, 0.0])
    return replace(problem, X=problem.X * units, penalty_weights=weights)


def duplicates(problem):
    X = problem.X.copy()
    X[5:10] = X[10:15]
    if problem.l1_ratio == 0:  # else there are many optima
        X[:, 2], X[:, 3] = X[:, 1], X[:, 0] + X[:, 4]
    return spread(replace(problem, X=X))


def extreme_weights(problem):
    weights = 10.0 ** np.random.default_rng(0).uniform(-6, 6, len(problem.X))
    return replace(spread(problem), sample_weight=weights)


KINDS = [
    spread, shift, spread_and_shift, free_columns_of_other_units, duplicates, extreme_weights,
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("container", ["C", "csr", "csc"])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_gaps_hold_on_raw_data(n_classes, l1_ratio, container, kind):
    problem = kind(make_problem(30, 6, n_classes, seed=1, l1_ratio=l1_ratio, C=2.0))
    check(problem, run(problem, container=container, tol=1e-6), find_minimum(problem), 1e-6)


@pytest.mark.parametrize("container", ["F", "csr"])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
def test_single_precision_of_raw_data(l1_ratio, container):
    problem = spread(make_problem(40, 6, 2, seed=2, l1_ratio=l1_ratio, C=2.0))
    problem = replace(problem, X=problem.X.astype(np.float32).astype(float))
    path = run(problem, container=container, tol=1e-4, dtype=np.float32)
    check(problem, path, find_minimum(problem), 1e-4)
    assert_array_equal(path.coefs, path.coefs.astype(np.float32))


@pytest.mark.parametrize("container", ["C", "csr"])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_wide_data_beside_one_large_column(fit_intercept, container):
    problem = make_problem(20, 40, 2, seed=3, C=1e3, fit_intercept=fit_intercept, offset=0.0)
    problem.X[:, 0] = np.random.default_rng(0).normal(2.5e5, 6e4, 20)
    problem.X[:, 1:] *= 0.01
    check(problem, run(problem, container=container, tol=1e-6), find_minimum(problem), 1e-6)


@pytest.mark.parametrize("container", ["C", "csr"])
def test_far_from_zero_without_an_intercept(container):
    problem = make_problem(20, 30, 2, seed=4, fit_intercept=False, offset=0.0)
    problem.X += 1e6 * np.random.default_rng(0).standard_normal(30)
    check(problem, run(problem, container=container, tol=1e-6), find_minimum(problem), 1e-6)


@pytest.mark.parametrize(
    ("size", "l1_ratio"), [(1e200, 0.0), (1e200, 0.5), (1e200, 1.0), (1e-200, 1.0)]
)
def test_values_whose_squares_are_no_numbers(size, l1_ratio):
    X, codes = np.array([[0.0], [1.0], [2.0], [3.0]]) * size, np.array([0, 0, 1, 1])
    weights = None if size > 1 else np.array([size])
    path = logistic.path.solve(
        X, codes, 2, [1.0], l1_ratio=l1_ratio,
        penalty_weights=weights, settings=logistic.path.Settings(max_iter=500),
    )  # fmt: skip
    assert path.converged[0]
    assert_array_equal(X @ path.coefs[0, 0] + path.intercepts[0, 0] > 0, codes == 1)


def test_a_penalty_that_admits_no_coefficient():
    X, codes = np.array([[0.0], [1.0], [2.0], [3.0]]) * 1e-200, np.array([0, 0, 1, 1])
    path = logistic.path.solve(X, codes, 2, [1.0])
    assert path.converged[0]
    assert abs(path.coefs[0, 0, 0]) < 1e-40


@pytest.mark.parametrize("size", [1e-200, 1e-8, 1e160])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
def test_size_of_weights_goes_with_C(l1_ratio, size):
    problem = make_problem(30, 5, 3, seed=5, l1_ratio=l1_ratio, sample_weight=np.ones(30))
    expected = run(problem, tol=1e-10)
    weighted = replace(problem, sample_weight=np.full(30, size), C=1.0 / size)
    path = run(weighted, tol=1e-10)
    assert path.converged[0]
    assert_allclose(path.coefs, expected.coefs, atol=1e-4)


def test_units_change_nothing():
    problem = make_problem(60, 6, 3, seed=6, penalty_weights=np.ones(6))
    expected = run(problem, tol=1e-10)
    for exponent in (-40, 40):
        units = 2.0 ** (exponent * np.arange(6) / 5).round()
        scaled = replace(problem, X=problem.X * units, penalty_weights=units**2)
        path = run(scaled, tol=1e-10)
        assert path.converged[0]
        assert_allclose(path.coefs * units, expected.coefs, atol=1e-5)
        assert path.gaps[0] <= 1e-10


def test_rounded_coefficients_are_certified_as_such():
    problem = make_problem(50, 4, 2, seed=7, C=10.0)
    built = build_problem(problem.X, problem.codes, 2, None, True, None)
    path = run(problem, tol=1e-12)
    minimum = find_minimum(problem)
    certificate = FullDataGap(built)
    for error in (0.0, 1e-4, 1e-2):
        coef = path.coefs[:, 0] * (1 + error)
        gap = certificate.compute(coef, path.intercepts[:, 0], None, 0.0, 0.1)
        rounded = replace(path, coefs=coef[:, None])
        excess, rounding = measure(problem, rounded, minimum)
        assert excess <= gap / built.null_objective + rounding


def test_well_scaled_data_are_used_as_they_are():
    X = np.random.default_rng(0).normal(3.0, 2.0, (50, 3)) * [1.0, 1e-3, 1.0]
    X[:, 2] = 1e9
    for data in (X, X.astype(np.float32), sparse.csr_array(X[:, :2])):
        used = np.ones(data.shape[1], dtype=bool)
        assert condition_columns(data, np.ones(50), True, used).X is data


@pytest.mark.parametrize("container", ["C", "F", "csr", "csc"])
def test_conditioned_data(container):
    X = np.random.default_rng(0).normal(size=(50, 4)) * [1.0, 1e-6, 1e9, 1e150]
    X[:, 0] += 1e7
    X[::2, 1] = 0.0
    used = np.array([True, True, True, False])
    data = condition_columns(contain(X, container), np.ones(50), True, used)
    Z = data.X.toarray() if sparse.issparse(data.X) else data.X
    assert_allclose(Z, (X - data.shift) / data.scales, atol=1e-8)
    mantissas, _ = np.frexp(data.scales)
    assert_array_equal(mantissas, 0.5)
    sizes = Z[:, :3].std(axis=0)
    assert (sizes > 0.25).all()
    assert (sizes <= 1.0).all()
    assert abs(Z[:, 0].mean()) < 1e-8
    assert data.scales[3] == 1.0
    if sparse.issparse(data.X):
        # Only a column that stores every entry can be shifted and stay sparse.
        assert data.X.nnz == np.count_nonzero(X)
        assert data.shift[1] == 0.0
