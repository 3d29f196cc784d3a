"""Perturbed log-weights: their noise, exact sums, argmax and race."""

import numpy as np
import pytest
from scipy import stats

from skextra._core.sampling import gumbel
from tests.sampling.exact import assert_continuous, assert_distributed, softmax

SEED = np.uint64(42)


def draw(values, is_log, n, seed=SEED):
    values = np.atleast_2d(np.asarray(values))
    rows = np.arange(n * len(values), dtype=np.uint64)
    labels = np.empty(len(rows), dtype=np.int64)
    gumbel.draw_labels_by_race(values, is_log, rows, np.uint64(seed), labels)
    return labels


def test_noise_is_standard_gumbel():
    noise = np.empty(200_000)
    gumbel.fill_gumbels(np.arange(1000, dtype=np.uint64), 100, SEED, np.uint64(0), noise)
    assert_continuous(noise, stats.gumbel_r.cdf)
    assert np.isfinite(noise).all()
    assert abs(noise.mean() - np.euler_gamma) < 4 * noise.std() / np.sqrt(noise.size)


def test_exponentials_are_standard():
    numbers = np.empty(200_000)
    gumbel.fill_exponentials(np.arange(1000, dtype=np.uint64), 100, SEED, np.uint64(0), numbers)
    assert_continuous(numbers, stats.expon.cdf)
    assert numbers.min() > 0


@pytest.mark.parametrize("is_log", [True, False])
def test_labels_have_the_probabilities_of_the_softmax(is_log):
    logits = np.array([0.3, -1.0, 2.0, 0.0, -np.inf])
    values = logits if is_log else 7 * np.exp(logits)
    assert_distributed(draw(values, is_log, 100_000), softmax(logits))


def test_race_and_logarithms_draw_the_same():
    logits = np.random.default_rng(0).normal(size=(5000, 9))
    np.testing.assert_array_equal(draw(logits, True, 1), draw(np.exp(logits), False, 1))


def test_sum_of_logit_and_noise_is_exact():
    values = np.array([[1e308, -1e308, 1e20, 3.0, -np.inf, 1e-300]])
    high, low = np.zeros((2, 1, 6))
    gumbel.fill_keys(values, True, np.zeros(1, dtype=np.uint64), SEED, high, low)
    noise = np.empty(6)
    gumbel.fill_gumbels(np.zeros(1, dtype=np.uint64), 3, SEED, np.uint64(0), noise)
    for j in (0, 1, 2, 3, 5):
        exact = int(values[0, j] * 2.0**0) if abs(values[0, j]) > 1e15 else values[0, j]
        if isinstance(exact, int):  # the noise is all that is left over
            assert int(high[0, j]) == exact and low[0, j] == noise[j]
        else:
            assert high[0, j] + low[0, j] == values[0, j] + noise[j]
    assert high[0, 4] == -np.inf and low[0, 4] == 0.0


@pytest.mark.parametrize("scale", [0.0, 1e20, 1e308, -1e308])
def test_ties_at_any_scale_are_broken_evenly(scale):
    labels = draw([scale, scale, scale, -np.inf], True, 100_000)
    assert_distributed(labels, np.array([1, 1, 1, 0]) / 3)


def test_gaps_beyond_the_noise_decide():
    assert (draw([1e308, -1e308, 0.0], True, 1000) == 0).all()
    assert (draw([-1e308, -np.inf], True, 1000) == 0).all()
    assert (draw([0.0, -50.0, -1000.0], True, 1000) == 0).all()


@pytest.mark.parametrize("scale", [1e-320, 1e-300, 1.0, 1e300])
def test_weights_of_any_scale(scale):
    weights = np.array([4.0, 3.0, 2.0, 0.0, 1.0])
    labels = draw(weights * scale, False, 100_000)
    exact = weights * scale / (weights * scale).max()
    assert_distributed(labels, exact / exact.sum())


def test_rows_of_weights_over_the_whole_range():
    weights = np.array([[1e300, 1e300, 1e-300, 5e-324, 0.0]])
    assert_distributed(draw(weights, False, 100_000), np.array([0.5, 0.5, 0, 0, 0]), visible=0.02)


@pytest.mark.parametrize("n_columns", [1, 2, 3, 4, 5, 8, 31, 4096, 5001])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_argmax_is_that_of_the_keys(n_columns, dtype):
    values = np.random.default_rng(1).normal(size=(20, n_columns)).astype(dtype)
    rows = np.arange(20, dtype=np.uint64)
    width = n_columns + n_columns % 2
    high, low = np.empty((20, width)), np.empty((20, width))
    gumbel.fill_keys(values, True, rows, SEED, high, low)
    np.testing.assert_array_equal(draw(values, True, 1), high[:, :n_columns].argmax(axis=1))


def test_rows_are_taken_in_turn():
    values = np.array([[0.0, -np.inf], [-np.inf, 0.0], [0.0, -np.inf]])
    np.testing.assert_array_equal(draw(values, True, 700), np.tile([0, 1, 0], 700))
