import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.optimize import LinearConstraint, minimize

from skextra._core.gram.kernel_functions import Kernel, NamedGram, PrecomputedGram
from skextra._core.svm import kernel, smo_blocks
from skextra._core.svm.kernel import Settings, solve
from skextra._core.svm.solver_choice import KernelSolver


def make_problem(seed, n=40, d=4, scale=1.0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    y = np.where(X[:, 0] + 0.7 * rng.standard_normal(n) > 0.2, 1.0, -1.0)
    y[:2] = 1.0, -1.0
    return X, y, scale * rng.uniform(0.2, 3.0, n)


def compute_primal(K, y, C, beta, b):
    margins = y * (K @ beta + b)
    return 0.5 * beta @ K @ beta + C @ np.maximum(1.0 - margins, 0.0)


def compute_dual(K, y, alpha):
    beta = alpha * y
    return alpha.sum() - 0.5 * beta @ K @ beta


def solve_by_blocks(monkeypatch, source, y, C, options, block=16):
    monkeypatch.setattr(kernel, "choose_kernel_solver", lambda *_: KernelSolver.BLOCKS)
    monkeypatch.setattr(smo_blocks, "BLOCK", block)
    return solve(source, y, C, options)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(4, 60),
    st.sampled_from(["linear", "rbf", "poly"]),
    st.sampled_from([0.01, 1.0, 100.0]),
)
def test_optimality(seed, n, name, scale):
    X, y, C = make_problem(seed, n, scale=scale)
    source = NamedGram(Kernel(name, gamma=0.3, coef0=1.0), X)
    result = solve(source, y, C, Settings(tol=1e-6))
    K, alpha = source.compute_block(), result.alpha
    assert result.converged
    assert (alpha >= 0).all()
    assert (alpha <= C).all()
    assert abs(alpha @ y) <= 1e-9 * C.sum()
    # Complementary slackness: off its bounds, a sample sits on its margin.
    margins = y * (K @ (alpha * y) + result.intercept)
    room = 1e-5 * (1.0 + np.abs(K).max())
    assert (margins[alpha == 0] >= 1 - room).all()
    assert (margins[alpha == C] <= 1 + room).all()
    np.testing.assert_allclose(margins[(alpha > 0) & (alpha < C)], 1.0, atol=room)
    gap = compute_primal(K, y, C, alpha * y, result.intercept) - compute_dual(K, y, alpha)
    null = 2 * min(C[y > 0].sum(), C[y < 0].sum())
    np.testing.assert_allclose(result.gap, gap / null, atol=1e-9 * max(1.0, K.max()))


def test_against_a_general_solver():
    X, y, C = make_problem(0, 25)
    source = NamedGram(Kernel("rbf", gamma=0.5), X)
    result = solve(source, y, C, Settings(tol=1e-8))
    Q = source.compute_block() * np.outer(y, y)
    reference = minimize(
        lambda a: 0.5 * a @ Q @ a - a.sum(),
        0.1 * C,
        jac=lambda a: Q @ a - 1.0,
        bounds=list(zip(np.zeros(25), C, strict=True)),
        constraints=LinearConstraint(y, 0.0, 0.0),
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    value = result.alpha.sum() - 0.5 * result.alpha @ Q @ result.alpha
    assert value >= -reference.fun - 1e-8
    np.testing.assert_allclose(value, -reference.fun, rtol=1e-6)


@pytest.mark.parametrize("tol", [1e-1, 1e-3, 1e-5])
@pytest.mark.parametrize("max_iter", [3, 30, -1])
def test_gap_bounds_the_suboptimality(monkeypatch, tol, max_iter):
    X, y, C = make_problem(1, 120)
    source = NamedGram(Kernel("rbf", gamma=0.5), X)
    K = source.compute_block()
    best = solve(source, y, C, Settings(tol=1e-10))
    optimum = compute_dual(K, y, best.alpha)
    null = 2 * min(C[y > 0].sum(), C[y < 0].sum())
    options = Settings(tol=tol, max_iter=max_iter)
    for result in (
        solve(source, y, C, options),
        solve_by_blocks(monkeypatch, source, y, C, options),
    ):
        excess = compute_primal(K, y, C, result.alpha * y, result.intercept) - optimum
        assert result.gap * null >= excess - 1e-5 * null
        assert (result.alpha >= 0).all()
        assert (result.alpha <= C).all()
        assert result.converged == (max_iter == -1)


@pytest.mark.parametrize("shrinking", [True, False])
@pytest.mark.parametrize("cache_bytes", [0.0, 5_000.0, 1e8])
@pytest.mark.parametrize("name", ["linear", "rbf"])
def test_blocks_find_what_the_whole_matrix_does(monkeypatch, shrinking, cache_bytes, name):
    X, y, C = make_problem(2, 300, scale=10.0)
    source = NamedGram(Kernel(name, gamma=0.4), X)
    reference = solve(source, y, C, Settings(tol=1e-9))
    options = Settings(tol=1e-7, cache_bytes=cache_bytes, shrinking=shrinking)
    result = solve_by_blocks(monkeypatch, source, y, C, options)
    assert result.converged
    K = source.compute_block()
    values = [compute_dual(K, y, m.alpha) for m in (reference, result)]
    np.testing.assert_allclose(values[1], values[0], rtol=1e-7)
    scores = [K @ (m.alpha * y) + m.intercept for m in (reference, result)]
    np.testing.assert_allclose(scores[1], scores[0], atol=1e-4)


def test_cache_size_is_respected(monkeypatch):
    sizes = []
    original = smo_blocks.RowCache.__init__

    def note(self, source, n_bytes, dtype):
        original(self, source, n_bytes, dtype)
        sizes.append(self.rows.nbytes)

    monkeypatch.setattr(smo_blocks.RowCache, "__init__", note)
    X, y, C = make_problem(3, 400)
    source = NamedGram(Kernel("rbf", gamma=0.4), X)
    result = solve_by_blocks(monkeypatch, source, y, C, Settings(cache_bytes=40_000), block=64)
    assert result.converged
    assert sizes
    assert max(sizes) <= 40_000


def test_left_out_rows_are_checked_again(monkeypatch):
    """A row left out too early must come back: the end is optimal over all of them."""
    monkeypatch.setattr(smo_blocks, "_PATIENCE", 1)
    monkeypatch.setattr(smo_blocks, "_WORTHWHILE", 0.0)
    for seed in range(5):
        X, y, C = make_problem(seed, 200, scale=5.0)
        source = NamedGram(Kernel("rbf", gamma=1.0), X)
        result = solve_by_blocks(monkeypatch, source, y, C, Settings(tol=1e-6), block=8)
        f = source.compute_block() @ (result.alpha * y) - y
        assert kernel.compute_violation(y, C, result.alpha, f) <= 2e-6


def test_single_precision_is_refined_where_it_is_too_coarse(monkeypatch):
    X, y, C = make_problem(4, 200)
    # Unit rows far away from zero: products in single precision lose all that counts.
    source = NamedGram(Kernel("linear"), X + 3000.0)
    result = solve_by_blocks(monkeypatch, source, y, C, Settings(tol=1e-3))
    exact = solve_by_blocks(monkeypatch, source, y, C, Settings(tol=1e-6))
    K = source.compute_block()
    scores = [K @ (m.alpha * y) + m.intercept for m in (result, exact)]
    np.testing.assert_allclose(scores[0], scores[1], atol=5e-3)


@pytest.mark.parametrize("name", ["sigmoid", "indefinite"])
def test_indefinite_kernels_end_at_a_stationary_point(name):
    X, y, C = make_problem(5, 60)
    if name == "sigmoid":
        source = NamedGram(Kernel("sigmoid", gamma=1.0, coef0=-1.0), X)
    else:
        K = np.random.default_rng(0).standard_normal((60, 60))
        source = PrecomputedGram(K + K.T)
    result = solve(source, y, C, Settings(tol=1e-3))
    f = source.compute_block() @ (result.alpha * y) - y
    assert result.converged
    assert kernel.compute_violation(y, C, result.alpha, f) <= 1e-3


def test_singular_matrices():
    X, y, C = make_problem(6, 30)
    for source in (PrecomputedGram(np.zeros((30, 30))), PrecomputedGram(np.ones((30, 30)))):
        result = solve(source, y, C, Settings(tol=1e-3))
        assert result.converged
        # Nothing to go by: the result is a constant, the heavier class.
        assert np.sign(result.intercept) == np.sign(C @ y)


def test_hard_margin():
    X = np.array([[-2.0], [-1.0], [1.0], [3.0]])
    result = solve(
        NamedGram(Kernel("linear"), X),
        np.array([-1.0, -1.0, 1.0, 1.0]),
        np.full(4, np.inf),
        Settings(),
    )
    np.testing.assert_allclose(result.alpha, [0.0, 0.5, 0.5, 0.0])
    np.testing.assert_allclose(result.intercept, 0.0, atol=1e-12)
    assert result.gap <= 1e-12
