"""The sweep kernels against a textbook step written with vectors."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skextra._core.quadratic.sweeps import find_nonzero, shuffle, sweep_gram


def make(seed=0, n=20, p=6):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * (rng.random((n, p)) < 0.7)
    w = rng.normal(size=p) * (rng.random(p) < 0.6)
    return X, rng.normal(size=n) * 3, w, rng.uniform(0.5, 3, p), rng.uniform(0, 2, p)


def sweep_by_hand(X, y, w, l1, l2, order, positive):
    w = w.copy()
    for j in order:
        x = X[:, j]
        z = x @ (y - X @ w + x * w[j])
        shrunk = max(abs(z) - l1[j], 0) * np.sign(z)
        w[j] = (max(shrunk, 0) if positive else shrunk) / (x @ x + l2[j])
    return w


ORDERS = [np.arange(6), np.array([3, 1, 5]), np.array([0, 0, 2])]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("positive", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_sweeps_are_textbook_steps(order, positive, seed):
    X, y, w0, l1, l2 = make(seed)
    w0 = np.abs(w0) if positive else w0
    expected = sweep_by_hand(X, y, w0, l1, l2, order, positive)
    w, c = w0.copy(), X.T @ (y - X @ w0)
    largest = sweep_gram(X.T @ X, c, w, l1, l2, order, len(order), positive)
    assert_allclose(w, expected, atol=1e-12)
    assert_allclose(c, X.T @ (y - X @ w), atol=1e-11)
    assert (largest > 0) == (w != w0).any()


def test_a_column_of_zeros_loses_its_coefficient():
    X, y, _, l1, l2 = make(5)
    X[:, 2] = 0
    l2[2] = 0
    order = np.arange(6)
    w = np.ones(6)
    c = X.T @ (y - X @ w)
    sweep_gram(X.T @ X, c, w, l1, l2, order, 6, False)
    assert w[2] == 0
    assert_allclose(c, X.T @ (y - X @ w), atol=1e-11)


def test_shuffle_permutes_evenly():
    state = np.uint64(0x9E3779B97F4A7C15)
    counts = np.zeros((4, 4))
    for _ in range(4000):
        order = np.arange(4)
        state = np.uint64(shuffle(order, 4, state))
        assert_array_equal(np.sort(order), np.arange(4))
        counts[order, np.arange(4)] += 1
    # Binomial with n = 4000 and p = 1/4: six standard deviations are 164.
    assert np.abs(counts - 1000).max() < 164
    order = np.arange(6)
    shuffle(order, 3, state)
    assert_array_equal(order[3:], [3, 4, 5])


def test_find_nonzero():
    out = np.empty(4, dtype=np.int64)
    assert find_nonzero(np.array([0.0, -1.0, 0.0, 1e-300]), out) == 2
    assert_array_equal(out[:2], [1, 3])
