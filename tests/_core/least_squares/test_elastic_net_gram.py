"""Coordinate descent and Newton steps together on a Gram matrix."""

import inspect

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skextra._core.least_squares.elastic_net_gram import Sweeps, solve_path, solve_problem
from tests._core.least_squares.elastic_net_reference import find_minimum, make_problem


def make(seed, n=30, p=5):
    X, y = make_problem(n, p, seed, offset=0.0)
    return X, y, np.ascontiguousarray(X.T @ X), X.T @ y


def run_path(gram, b, scale, lam1, lam2, yy, tol, sweeps):
    # Without a wish for settled coefficients, where the solver has such an argument.
    settle = {"settle": np.inf} if "settle" in inspect.signature(solve_path).parameters else {}
    return solve_path(
        gram=gram, b=b, L1=np.outer(lam1, scale), L2=np.outer(lam2, scale), yy=yy, tol=tol,
        sweeps=sweeps, w=np.zeros(len(b)), **settle,
    )  # fmt: skip


@pytest.mark.parametrize("positive", [True, False])
@pytest.mark.parametrize("seed", [None, 0, 7])
@pytest.mark.parametrize("problem", range(3))
def test_path_on_a_gram_matrix(positive, seed, problem):
    X, y, gram, b = make(problem)
    scale = np.random.default_rng(problem).uniform(0.5, 2, 5)
    alphas = np.array([1.0, 0.1, 0.01])
    coefs, gaps, n_iters = run_path(
        gram, b, scale, 30 * 0.7 * alphas, 30 * 0.3 * alphas, y @ y, 1e-12 * (y @ y),
        Sweeps(positive, 1000, seed),
    )  # fmt: skip
    assert (gaps <= 1e-12 * (y @ y)).all() and (n_iters >= 0).all()
    for alpha, coef in zip(alphas, coefs):
        _, expected, _ = find_minimum(
            X, y, alpha, 0.7, fit_intercept=False, penalty_weights=scale, positive=positive
        )
        assert_allclose(coef, expected, atol=1e-4)


@pytest.mark.parametrize("max_iter", [1, 2, 5, 30])
def test_iterations_are_limited(max_iter):
    rng = np.random.default_rng(0)
    common = rng.normal(size=(60, 1))
    X = common + 1e-3 * rng.normal(size=(60, 40))
    y = rng.normal(size=60)
    gram, b = X.T @ X, X.T @ y
    lam1 = 1e-4 * np.abs(b).max() * np.ones(2)
    _, gaps, n_iters = run_path(
        gram, b, np.ones(40), lam1, np.zeros(2), y @ y, 0.0, Sweeps(False, max_iter)
    )
    # A Newton step, of three at most, may end the last problem.
    assert (n_iters <= max_iter + 3).all()
    assert np.isfinite(gaps).all()
    w, c = np.zeros(40), b.copy()
    gap, n_iter = solve_problem(
        gram, b, c, w, lam1[0] * np.ones(40), np.zeros(40), y @ y, 0.0, Sweeps(), max_iter
    )
    assert n_iter <= max_iter + 3
    assert_allclose(c, b - gram @ w, atol=1e-9)


def test_leading_block_of_a_larger_buffer():
    _, y, gram, b = make(0)
    buffer = np.full((9, 9), np.nan)
    buffer[:5, :5] = gram
    results = []
    for matrix in (gram, buffer):
        w, c = np.zeros(5), b.copy()
        solve_problem(matrix, b, c, w, np.full(5, 2.0), np.zeros(5), y @ y, 1e-10, Sweeps(), 1000)
        results.append(w)
    assert_array_equal(*results)


def test_state_of_the_generator_is_carried_on():
    sweeps = Sweeps(seed=3)
    assert sweeps.random and not Sweeps().random
    _, y, gram, b = make(1)
    before = sweeps.state
    solve_problem(
        gram, b, b.copy(), np.zeros(5), np.ones(5), np.zeros(5), y @ y, 1e-10, sweeps, 1000
    )
    assert isinstance(sweeps.state, np.uint64) and sweeps.state != before
    assert Sweeps(seed=3).state == before != Sweeps(seed=4).state
