"""Inclusion probabilities against enumeration, symmetry and limits."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skextra._core.sampling import inclusion_probabilities
from tests.sampling.exact import enumerate_inclusion


def compute_inclusion(weights, k):
    return inclusion_probabilities.compute_inclusion(np.log(weights), k)


@pytest.mark.parametrize("n", [2, 3, 6, 7])
def test_enumeration(n):
    rng = np.random.default_rng(n)
    for scale in (0.3, 3.0, 12.0):
        weights = np.exp(scale * rng.standard_normal(n))
        for k in range(1, n + 1):
            found, error = compute_inclusion(weights, k)
            assert error < 1e-11
            assert_allclose(found, enumerate_inclusion(weights, k), rtol=0, atol=2e-13)


def test_equal_weights_share_k():
    for n, k in ((5, 2), (100, 1), (100, 50), (60, 59)):
        found, _ = compute_inclusion(np.full(n, 7.0), k)
        assert_allclose(found, k / n, rtol=1e-12)


def test_first_draw_has_the_weights_probabilities():
    weights = np.random.default_rng(0).lognormal(size=200)
    assert_allclose(compute_inclusion(weights, 1)[0], weights / weights.sum(), rtol=1e-11)


def test_weights_over_hundreds_of_decades():
    weights = 10.0 ** np.linspace(-250, 0, 26)
    found, error = compute_inclusion(weights, 3)
    assert error < 1e-11
    assert_allclose(found[-3:], 1.0, atol=1e-9)
    assert_allclose(found[-4], 1e-10, rtol=1e-3)
    assert (np.diff(found) >= 0).all()


@pytest.mark.parametrize("k", [1, 7, 99, 150, 293, 299])
def test_sum_is_certified(k):
    weights = np.random.default_rng(1).lognormal(sigma=2.0, size=300)
    found, error = compute_inclusion(weights, k)
    assert error < 1e-11
    assert_allclose(found.sum(), k, rtol=1e-11)
    assert ((found >= 0) & (found <= 1)).all()
    assert (np.diff(found[np.argsort(weights)]) > -1e-12).all()


def test_gaps_beyond_any_weight():
    logits = np.array([-1e308, 0.0, 1e308, 0.0, 800.0, -2000.0])
    expected = {1: [0, 0, 1, 0, 0, 0], 3: [0, 0.5, 1, 0.5, 1, 0], 5: [0, 1, 1, 1, 1, 1]}
    for k, probabilities in expected.items():
        assert_allclose(
            inclusion_probabilities.compute_inclusion(logits, k)[0], probabilities, atol=1e-12
        )
    chain = np.arange(0.0, -2000.0, -50.0)
    assert_allclose(
        inclusion_probabilities.compute_inclusion(chain, 3)[0][:5], [1, 1, 1, 0, 0], atol=1e-12
    )
