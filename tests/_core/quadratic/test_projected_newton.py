"""Newton steps: exact on the right support, never uphill, modest on singular data."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skextra._core.quadratic.projected_newton import compute_objective, update_by_newton
from tests._core.least_squares.elastic_net_reference import find_minimum


def make(seed, n=20, p=5, l1_ratio=0.5):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) + rng.normal(size=(n, 1))
    y = X @ np.array([3.0, -2, 0, 0, 1])[:p] + rng.normal(size=n)
    alpha = 0.2
    return X, y, alpha, np.full(p, n * alpha * l1_ratio), np.full(p, n * alpha * (1 - l1_ratio))


def run(X, y, w, l1, l2, **options):
    gram, b = np.ascontiguousarray(X.T @ X), X.T @ y
    w = w.copy()
    c = b - gram @ w
    n_steps = update_by_newton(gram, b, c, w, l1, l2, **options)
    assert_allclose(c, b - gram @ w, atol=1e-9)
    return w, n_steps


def compute_primal(X, y, w, l1, l2):
    return 0.5 * np.sum((y - X @ w) ** 2) + l1 @ np.abs(w) + 0.5 * l2 @ w**2


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), size=st.floats(1e-3, 10), duplicate=st.booleans())
def test_never_uphill_and_never_across_zero(seed, size, duplicate):
    X, y, _, l1, l2 = make(seed, l1_ratio=1.0)
    if duplicate:
        X[:, 1] = X[:, 0]
    rng = np.random.default_rng(seed)
    start = size * rng.normal(size=5) * (rng.random(5) < 0.8)
    w, n_steps = run(X, y, start, l1, l2)
    before, after = (compute_primal(X, y, v, l1, l2) for v in (start, w))
    assert after <= before * (1 + 1e-12)
    assert (w * start >= 0).all() and not w[start == 0].any()
    if n_steps == 0:
        assert_array_equal(w, start)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("l1_ratio", [0.3, 1.0])
def test_one_step_from_the_right_signs_is_exact(seed, l1_ratio):
    X, y, alpha, l1, l2 = make(seed, l1_ratio=l1_ratio)
    _, expected, _ = find_minimum(X, y, alpha, l1_ratio, fit_intercept=False)
    w, n_steps = run(X, y, expected * 1.1, l1, l2)
    assert n_steps == 1
    assert_allclose(w, expected, atol=1e-10)


def test_objective():
    X, y, _, l1, l2 = make(0)
    w = np.random.default_rng(0).normal(size=5)
    b, c = X.T @ y, X.T @ (y - X @ w)
    expected = compute_primal(X, y, w, l1, l2) - y @ y / 2
    assert_allclose(compute_objective(b, c, w, l1, l2), expected)


def test_nothing_to_do():
    X, y, _, l1, l2 = make(0)
    assert run(X, y, np.zeros(5), l1, l2)[1] == 0
