"""The squared loss in inner products, against vectors."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skextra._core.least_squares.losses import (
    compute_squared_loss_dual,
    compute_squared_residual,
    find_best_dual_scale,
)


@pytest.mark.parametrize("seed", range(5))
def test_inner_products_stand_for_vectors(seed):
    rng = np.random.default_rng(seed)
    X, w, y = rng.normal(size=(9, 4)), rng.normal(size=4), rng.normal(size=9)
    r = y - X @ w
    assert_allclose(compute_squared_residual(y @ r, w @ (X.T @ r)), r @ r)
    for scale in (-1.0, 0.0, 0.3, 2.0):
        expected = y @ y / 2 - np.sum((y - scale * r) ** 2) / 2
        assert_allclose(compute_squared_loss_dual(scale, y @ r, r @ r), expected, atol=1e-13)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("limit", [0.01, 1.0, np.inf])
def test_best_scale_is_the_best(seed, limit):
    rng = np.random.default_rng(seed)
    y, r = rng.normal(size=9), rng.normal(size=9)
    best = find_best_dual_scale(y @ r, r @ r, limit)
    assert abs(best) <= limit
    value = compute_squared_loss_dual(best, y @ r, r @ r)
    for scale in np.linspace(-min(limit, 10), min(limit, 10), 101):
        assert compute_squared_loss_dual(scale, y @ r, r @ r) <= value + 1e-12


def test_nothing_left():
    assert compute_squared_residual(1.0, 1.0 + 1e-16) == 0.0
    assert compute_squared_residual(1.0, 2.0) == 0.0
    assert find_best_dual_scale(0.0, 0.0, np.inf) == 0.0
