"""The duality gap at any point whatever, against the true minimum."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.testing import assert_allclose

from skextra._core.least_squares.elastic_net_working_set import compute_outside
from skextra._core.least_squares.gap import compute_elastic_net_gap
from tests._core.least_squares.elastic_net_reference import find_minimum


def make(seed, p, l1_ratio, l1_zero=False):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(12, p)), rng.normal(size=12) * 3
    v = rng.uniform(0.5, 2, p)
    alpha = 10.0 ** rng.uniform(-2, 0.5)
    return X, y, v, alpha, 12 * alpha * l1_ratio * v, 12 * alpha * (1 - l1_ratio) * v


def compute_primal(X, y, w, l1, l2):
    return 0.5 * np.sum((y - X @ w) ** 2) + l1 @ np.abs(w) + 0.5 * l2 @ w**2


def compute_gap(X, y, w, l1, l2, positive, outside=(0.0, 0.0)):
    r = y - X @ w
    return compute_elastic_net_gap(w, X.T @ r, l1, l2, float(y @ r), positive, *outside)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10_000),
    p=st.integers(1, 4),
    l1_ratio=st.sampled_from([0.0, 0.05, 0.5, 1.0]),
    positive=st.booleans(),
    size=st.sampled_from([0.0, 1e-3, 1.0, 10.0]),
)
def test_gap_bounds_the_suboptimality_of_any_point(seed, p, l1_ratio, positive, size):
    X, y, v, alpha, l1, l2 = make(seed, p, l1_ratio)
    rng = np.random.default_rng(seed + 1)
    minimum, best, _ = find_minimum(
        X, y, alpha, l1_ratio, fit_intercept=False, penalty_weights=v, positive=positive
    )
    w = best + size * rng.normal(size=p) * (rng.random(p) < 0.7)
    w = np.maximum(w, 0) if positive else w
    gap = compute_gap(X, y, w, l1, l2, positive)
    distance = compute_primal(X, y, w, l1, l2) - 12 * minimum
    assert gap >= 0
    assert gap >= distance - 1e-12 * (y @ y)
    if size == 0:
        assert gap <= 1e-12 * (y @ y)


@pytest.mark.parametrize("l1_ratio", [0.05, 0.5, 1.0])
@pytest.mark.parametrize("positive", [True, False])
@pytest.mark.parametrize("seed", range(10))
def test_features_at_zero_may_be_summed_up(l1_ratio, positive, seed):
    X, y, _, _, l1, l2 = make(seed, 6, l1_ratio)
    w = np.random.default_rng(seed).normal(size=6)
    w[3:] = 0
    w = np.abs(w) if positive else w
    r = y - X @ w
    c = X.T @ r
    whole = compute_gap(X, y, w, l1, l2, positive)
    outside = compute_outside(c, w, l1, l2, positive)
    inside = compute_elastic_net_gap(w[:3], c[:3], l1[:3], l2[:3], float(y @ r), positive, *outside)
    assert_allclose(inside, whole, rtol=1e-12)


@pytest.mark.parametrize("positive", [True, False])
def test_gap_is_that_of_the_better_of_two_dual_points(positive):
    """Written out with vectors of the augmented problem."""
    for seed in range(20):
        X, y, _, _, l1, l2 = make(seed, 4, 0.5)
        w = np.random.default_rng(seed).normal(size=4)
        w = np.abs(w) if positive else w
        A = np.vstack([X, np.diag(np.sqrt(l2))])
        b = np.concatenate([y, np.zeros(4)])
        r = b - A @ w
        c = A.T @ r
        primal = compute_primal(X, y, w, l1, l2)
        worst = np.max((np.maximum(c, 0) if positive else np.abs(c)) / l1)
        scales = np.linspace(0 if positive else -1, 1, 20_001) * min(1 / max(worst, 1e-300), 5)
        duals = b @ b / 2 - 0.5 * np.sum((b[:, None] - r[:, None] * scales) ** 2, axis=0)
        residual = y - X @ w
        z = X.T @ residual
        excess = np.maximum((np.maximum(z, 0) if positive else np.abs(z)) - l1, 0)
        dual = y @ y / 2 - np.sum((y - residual) ** 2) / 2 - np.sum(excess**2 / (2 * l2))
        expected = primal - max(duals.max(), dual)
        assert_allclose(compute_gap(X, y, w, l1, l2, positive), expected, rtol=1e-6, atol=1e-9)


def test_zero_is_optimal_above_the_largest_correlation():
    X, y, *_ = make(0, 5, 1.0)
    l1 = np.full(5, np.abs(X.T @ y).max())
    zero = np.zeros(5)
    assert compute_gap(X, y, zero, l1, zero, False) <= 1e-13 * (y @ y)
    assert compute_gap(X, y, zero, 0.9 * l1, zero, False) > 1e-3
    l1 = np.full(5, max((X.T @ y).max(), 1e-9))
    assert compute_gap(X, y, zero, l1, zero, True) <= 1e-13 * (y @ y)


def test_nothing_is_never_not_a_number():
    empty = np.zeros(0)
    # No features: the residual is its own dual point.
    assert compute_elastic_net_gap(empty, empty, empty, empty, 4.0, False, 0.0, 0.0) == 0.0
    zero, one = np.zeros(1), np.ones(1)
    assert compute_elastic_net_gap(zero, zero, one, zero, 0.0, False, 0.0, 0.0) == 0.0
    # An unpenalized violation cannot be scaled away: the bound is the trivial one.
    assert compute_elastic_net_gap(zero, one, zero, zero, 4.0, False, 0.0, 0.0) == 2.0
