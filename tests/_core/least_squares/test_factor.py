"""Factors of blocks of data, and gaps from sums of residuals."""

import numpy as np
import pytest
from scipy.linalg import block_diag

from skextra._core.least_squares.factor import Factor, factorize
from skextra._core.least_squares.factor_certificate import Certifier, sum_residuals
from skextra._core.least_squares.factor_fits import compute_intercepts


def make_data(n=200, p=4, offset=0.0, seed=0):
    rng = np.random.default_rng(seed)
    X = (rng.standard_normal((n, p)) @ rng.standard_normal((p, p)) + offset).round(3)
    return X, rng.standard_normal((n, 2)) + offset, rng.integers(0, 3, n).astype(float)


def compute_moments(X, Y, weights):
    """Weighted mean and centered products in extended precision."""
    Z, s = np.hstack([X, Y]).astype(np.longdouble), weights.astype(np.longdouble)
    mean = s @ Z / s.sum()
    Z -= mean
    return mean.astype(float), ((s[:, None] * Z).T @ Z).astype(float)


def merge_blocks(X, Y, weights, size):
    parts = [
        factorize(X[i : i + size], Y[i : i + size], weights[i : i + size])
        for i in range(0, len(X), size)
    ]
    return sum(parts[1:], start=parts[0])


# Blocks of 3 rows are fewer than the columns; some have weights of zero only.
@pytest.mark.parametrize("size", [3, 37, 200])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_factor_has_the_moments_of_the_data(size, offset):
    X, Y, weights = make_data(offset=offset)
    weights[:9] = 0
    factor = merge_blocks(X, Y, weights, size)
    mean, moments = compute_moments(X, Y, weights)
    assert factor.weight == weights.sum()
    assert factor.rows.shape[0] <= 6
    np.testing.assert_allclose(factor.mean, mean, rtol=1e-14)
    scale = np.sqrt(moments.diagonal())
    # Data so far from zero have lost as many digits themselves.
    tol = 1e-13 if offset == 0 else 1e-9
    found = factor.rows.T @ factor.rows
    np.testing.assert_allclose(
        found / np.outer(scale, scale), moments / np.outer(scale, scale), atol=tol
    )


def test_factor_about_zero_has_the_raw_moments():
    X, Y, weights = make_data(offset=3.0)
    factor = merge_blocks(X, Y, weights, 40).move_to_zero()
    Z = np.hstack([X, Y])
    np.testing.assert_allclose(
        factor.rows.T @ factor.rows, (weights[:, None] * Z).T @ Z, rtol=1e-12
    )
    assert not factor.mean.any()


def test_rows_of_no_weight_are_not_there():
    X, Y, weights = make_data()
    weights[50:90] = 0
    kept = weights > 0
    with_them = merge_blocks(X, Y, weights, 40)
    without = factorize(X[kept], Y[kept], weights[kept])
    assert isinstance(with_them, Factor)
    for one, other in ((with_them.rows, without.rows),):
        np.testing.assert_allclose(one.T @ one, other.T @ other, atol=1e-11)


def test_constant_columns_are_cleared():
    X, Y, weights = make_data()
    X[:, 1] = 0.1
    features, _ = merge_blocks(X, Y, weights, 30).split(4)
    assert not features[:, 1].any() and features[:, 0].any()


def test_overflow_is_refused():
    X, Y, weights = make_data()
    with np.errstate(over="ignore", invalid="ignore"), pytest.raises(ValueError, match="overflow"):
        factorize(X * 1e200 * 1e108, Y, weights)


def test_nearly_dependent_columns_keep_their_digits():
    """Moments of data with a condition number of 1e9 would have no digit left."""
    X, Y, _ = make_data()
    X[:, 3] = X[:, 0] + 1e-9 * X[:, 3]
    factor = merge_blocks(X, Y, np.ones(len(X)), 25)
    found = np.linalg.svd(factor.rows[:, :4], compute_uv=False)
    exact = np.linalg.svd(X - X.mean(axis=0), compute_uv=False)
    np.testing.assert_allclose(found, exact, rtol=1e-5)


def certify(X, Y, weights, coef, intercept, penalty_weights=None):
    factor = merge_blocks(X, Y, weights, 40)
    offset = intercept - compute_intercepts(coef, factor.mean)
    parts = [
        sum_residuals(X[i : i + 40], Y[i : i + 40], weights[i : i + 40], coef, offset, factor.mean)
        for i in range(0, len(X), 40)
    ]
    sums = sum(parts[1:], start=parts[0])
    features, targets = factor.split(X.shape[1])
    return sums, [Certifier(features, y, factor.weight, penalty_weights) for y in targets.T]


@pytest.mark.parametrize("alpha", [0.0, 1e-6, 5.0])
@pytest.mark.parametrize("penalty_weights", [None, [0.0, 1.0, 2.0, np.inf]])
def test_ridge_gap_bounds_the_distance_from_the_minimum(alpha, penalty_weights):
    X, Y, weights = make_data()
    v = np.ones(4) if penalty_weights is None else np.array(penalty_weights)
    used = np.isfinite(v)
    A = np.hstack([X[:, used], np.ones((len(X), 1))]) * np.sqrt(weights)[:, None]
    rhs = Y * np.sqrt(weights)[:, None]
    root = np.diag(np.append(np.sqrt(alpha * v[used]), 0.0))

    def evaluate(solution):
        losses = ((A @ solution - rhs) ** 2).sum(axis=0) + ((root @ solution) ** 2).sum(axis=0)
        return 0.5 * losses

    best = np.linalg.lstsq(np.vstack([A, root]), np.vstack([rhs, np.zeros((len(root), 2))]))[0]
    for size in (0.0, 1e-3, 1.0):
        point = best + size * np.random.default_rng(1).standard_normal(best.shape)
        coef = np.zeros((2, 4))
        coef[:, used] = point[:-1].T
        sums, certifiers = certify(X, Y, weights, coef, point[-1], v)
        gaps = [
            c.compute_ridge_gap(sums.select(t), coef[t], alpha) for t, c in enumerate(certifiers)
        ]
        distance = evaluate(point) - evaluate(best)
        rounding = 1e-12 * evaluate(best)
        assert (gaps >= distance - rounding).all()
        # The bound is the distance itself, as it is of a quadratic function.
        assert (gaps <= 1.02 * distance + rounding).all()


@pytest.mark.parametrize("positive", [False, True])
def test_elastic_net_gap_bounds_the_distance_from_a_better_point(positive):
    X, Y, weights = make_data()
    coef = np.array([[0.3, 0.0, 0.2, 0.1], [0.0, 0.1, 0.0, 0.2]])
    sums, certifiers = certify(X, Y, weights, coef, np.array([0.3, -0.2]))
    l1, l2 = 3.0, 2.0

    def evaluate(t, w, b):
        r = Y[:, t] - X @ w - b
        return 0.5 * weights @ r**2 + l1 * np.abs(w).sum() + 0.5 * l2 * w @ w

    for t, certifier in enumerate(certifiers):
        gap = certifier.compute_elastic_net_gap(sums.select(t), coef[t], l1, l2, positive)
        here = evaluate(t, coef[t], [0.3, -0.2][t])
        rng = np.random.default_rng(2)
        for _ in range(200):
            w = np.abs(rng.standard_normal(4) * rng.integers(0, 2, 4)) * rng.random()
            b = np.average(Y[:, t] - X @ w, weights=weights)
            assert here - evaluate(t, w, b) <= gap


def test_block_diagonal_of_factors_is_no_merge():
    """Means that differ add to the moments."""
    X, Y, weights = make_data()
    first, second = factorize(X, Y, weights), factorize(X + 1, Y, weights)
    apart = block_diag(first.rows, second.rows)
    assert np.linalg.norm((first + second).rows) > np.linalg.norm(apart)
