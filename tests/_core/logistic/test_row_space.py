"""Wide L2 problems on as many columns as samples: the same solution."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skextra._core.logistic.l2_newton import RidgeLogisticSolver
from skextra._core.logistic.path import Settings, solve
from skextra._core.logistic.problem import build_problem
from skextra._core.logistic.result import Target
from skextra._core.logistic.row_space import WideReduction, is_wide


def make_wide(n_classes, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((25, 60)) + 3.0
    X[:, 7] = X[:, 3]
    X[20] = X[4]
    return X, rng.permutation(np.arange(25) % n_classes)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_solution_is_that_of_all_columns(n_classes, fit_intercept, weighted):
    X, codes = make_wide(n_classes)
    penalty_weights = np.linspace(0.5, 4.0, 60)
    penalty_weights[[0, 5]] = 0.0, np.inf
    sample_weight = np.linspace(0.1, 2.0, 25) if weighted else None
    options = (sample_weight, fit_intercept, penalty_weights if weighted else None)
    path = solve(
        X, codes, n_classes, [0.3, 5.0], l1_ratio=0.0, sample_weight=options[0],
        fit_intercept=options[1], penalty_weights=options[2], settings=Settings(tol=1e-12),
    )  # fmt: skip
    assert path.converged.all()
    problem = build_problem(X, codes, n_classes, *options)
    assert is_wide(problem)
    target = Target(1e-12 * problem.null_objective, 1e-5)
    solver = RidgeLogisticSolver(problem, target, 100, *problem.create_start())
    for i, C in enumerate([0.3, 5.0]):
        solution = solver.solve(0.0, 1.0 / C)
        coef, intercept = problem.expand(solution.W, solution.V)
        assert_allclose(path.coefs[:, i], coef, atol=1e-6)
        assert_allclose(path.intercepts[:, i], intercept, atol=1e-6)


def test_coefficients_there_and_back():
    X, codes = make_wide(3)
    problem = build_problem(X, codes, 3, None, True, None)
    reduction = WideReduction(problem)
    # Centred, with one row twice: no more than 23 directions.
    assert reduction.problem.design.shape == (25, 23)
    W = np.random.default_rng(1).standard_normal((60, 3))
    reduced = reduction.reduce(W)
    assert_allclose(
        reduction.problem.design.X @ reduced, problem.design.dot(W), atol=1e-9
    )  # the same decision values
    assert_allclose(reduction.reduce(reduction.expand(reduced)), reduced, atol=1e-9)
    # and the least coefficients of all that have them
    assert np.linalg.norm(reduction.expand(reduced)) == pytest.approx(np.linalg.norm(reduced))
    assert np.linalg.norm(reduced) < np.linalg.norm(W)


def test_from_coefficients_of_all_columns():
    X, codes = make_wide(2)
    start = np.random.default_rng(2).standard_normal((1, 60)) * 0.01
    cold = solve(X, codes, 2, [1.0], settings=Settings(tol=1e-12))
    warm = solve(X, codes, 2, [1.0], settings=Settings(tol=1e-12), start=cold.coefs[:, 0])
    other = solve(X, codes, 2, [1.0], settings=Settings(tol=1e-12), start=start)
    assert warm.n_iters[0] < cold.n_iters[0]
    assert_allclose(other.coefs, cold.coefs, atol=1e-7)
