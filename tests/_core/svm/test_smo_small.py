import numpy as np
import pytest

from skextra._core.gram.kernel_functions import Kernel, NamedGram
from skextra._core.svm import smo_small


def make_problem(n=80, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 3))
    y = np.where(X[:, 0] + 0.5 * rng.standard_normal(n) > 0, 1.0, -1.0)
    return NamedGram(Kernel("rbf", 0.5), X).compute_whole(), y, rng.uniform(0.5, 2.0, n)


def solve(K, y, C, tol=1e-3, limit=10**6):
    alpha, f = np.zeros(len(y)), -y
    diag = np.ascontiguousarray(K.diagonal())
    return *smo_small.solve(K, diag, y, C, alpha, f, tol, limit), alpha, f


def test_solution_is_exact():
    K, y, C = make_problem()
    n_iter, state, alpha, f = solve(K, y, C)
    assert state == smo_small.EXACT and n_iter > 0
    assert abs(alpha @ y) < 1e-12 and (alpha >= 0).all() and (alpha <= C).all()
    np.testing.assert_allclose(f, K @ (alpha * y) - y, atol=1e-12)
    free = (alpha > 0) & (alpha < C)
    assert np.ptp(f[free]) < 1e-10
    intercept = smo_small.compute_intercept(y, C, alpha, f)
    assert smo_small.compute_gap(y, C, alpha, f, intercept) < 1e-12
    # The gap is the difference of the objectives.
    rough = np.where(alpha > 0, 0.9, 0.0) * alpha
    scores = K @ (rough * y) - y
    losses = C @ np.maximum(0.0, 1.0 - y * (scores + y + intercept))
    square = rough @ (y * (K @ (rough * y)))
    expected = square + losses - rough.sum()
    null = 2.0 * min(C[y > 0].sum(), C[y < 0].sum())
    found = smo_small.compute_gap(y, C, rough, scores, intercept)
    np.testing.assert_allclose(found, expected / null, rtol=1e-10)


def test_limits_and_invalid_arguments_are_reported():
    K, y, C = make_problem()
    n_iter, state, *_ = solve(K, y, C, limit=3)
    assert n_iter == 3 and state == smo_small.SHORT
    K[0, 0] = np.nan
    _, state, alpha, _ = solve(K, y, C)
    assert state == smo_small.SHORT and np.isnan(alpha).all()


def test_too_many_free_variables_for_an_exact_solution():
    # The identity frees all: more than there is room for.
    n = smo_small._MOST_FREE + 10
    y = np.where(np.arange(n) % 2, 1.0, -1.0)
    _, state, alpha, _ = solve(np.eye(n), y, np.full(n, 2.0))
    assert state == smo_small.CLOSE
    np.testing.assert_allclose(alpha, 1.0, atol=1e-2)


def test_steps_that_were_cut_short_do_not_count():
    """Sequential minimal optimization may raise the violation before it falls."""
    for seed in range(353, 390):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(20, 120))
        X = rng.standard_normal((n, 2))
        y = np.where(rng.random(n) < 0.12, 1.0, -1.0)
        y[:2] = 1.0, -1.0
        for K in ((X @ X.T) ** 3, np.exp(-0.5 * ((X[:, None] - X) ** 2).sum(axis=2))):
            C = np.ones(n)
            _, state, alpha, f = solve(K, y, C, 1e-3)
            assert state != smo_small.SHORT
            exact = K @ (alpha * y) - y
            assert smo_small.compute_violation(y, C, alpha, exact) <= 1e-3 * (1 + 1e-6)


def test_dual_variables_are_balanced_to_rounding():
    rng = np.random.default_rng(0)
    for _ in range(20):
        X = rng.poisson(3, (60, 3)).astype(float) + 100.0
        y = np.where(rng.random(60) < 0.4, 1.0, -1.0)
        _, _, alpha, _ = solve(X @ X.T, y, np.ones(60))
        assert abs(alpha @ y) <= 1e-14 * alpha.sum()


@pytest.mark.parametrize("kernel", ["rbf", "linear", "laplacian"])
def test_whole_matrix_is_symmetric_and_that_of_blocks(kernel):
    X = np.random.default_rng(0).standard_normal((70, 4))
    source = NamedGram(Kernel(kernel, 0.3), X)
    K = source.compute_whole()
    np.testing.assert_array_equal(K, K.T)
    np.testing.assert_allclose(K, source.compute_block(), rtol=1e-12, atol=1e-14)
