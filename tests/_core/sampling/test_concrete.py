"""Softmax of perturbed logits at every temperature."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skextra._core.sampling import concrete, gumbel

ROWS = np.arange(50, dtype=np.uint64)
SEED = np.uint64(8)


def draw(values, temperature, is_log=True, return_log=False, rows=ROWS):
    values = np.atleast_2d(np.asarray(values))
    out = np.empty((len(rows), values.shape[1]), dtype=values.dtype)
    concrete.draw_soft(values, is_log, rows, SEED, temperature, return_log, out)
    return out


def perturb(values):
    n_columns = values.shape[1]
    noise = np.empty(50 * (n_columns + n_columns % 2))
    gumbel.fill_gumbels(ROWS, (n_columns + 1) // 2, SEED, np.uint64(0), noise)
    return values + noise.reshape(50, -1)[:, :n_columns]


@pytest.mark.parametrize("n_columns", [1, 2, 3, 8, 33, 5000])
@pytest.mark.parametrize("temperature", [0.05, 1.0, 20.0])
def test_formula(n_columns, temperature):
    logits = np.random.default_rng(0).normal(size=(50, n_columns))
    keys = perturb(logits) / temperature
    keys -= keys.max(axis=1, keepdims=True)
    expected = np.exp(keys) / np.exp(keys).sum(axis=1, keepdims=True)
    assert_allclose(draw(logits, temperature), expected, rtol=1e-11, atol=1e-300)
    assert_allclose(
        draw(np.exp(logits), temperature, is_log=False), expected, rtol=1e-9, atol=1e-290
    )
    logs = draw(logits, temperature, return_log=True)
    assert_allclose(logs, keys - np.log(np.exp(keys).sum(axis=1, keepdims=True)), atol=1e-11)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("temperature", [0.0, 1e-300, 1e-30, 1e-3, 1.0, 1e3, 1e300])
@pytest.mark.parametrize(
    "logits",
    [
        [0.0, 1.0, 2.0],
        [3e38, -3e38, 0.0],
        [-np.inf, 0.0, -np.inf],
        [-np.inf, 1.0, 2.0],
        [5.0],
        [1e-40, 0.0, -1e-40],
    ],
)
def test_rows_sum_to_one_at_any_temperature(dtype, temperature, logits):
    logits = np.array(logits, dtype=dtype)
    with np.errstate(all="raise"):
        soft = draw(logits, temperature)
    assert np.isfinite(soft).all() and (soft >= 0).all()
    assert_allclose(soft.sum(axis=1), 1.0, rtol=2e-7 if dtype == np.float32 else 1e-15)
    assert not soft[:, np.isneginf(logits)].any()
    if temperature <= 1e-30:
        assert (soft.max(axis=1) == 1.0).all()


def test_largest_doubles():
    for temperature in (0.0, 1e-300, 1.0, 1e300):
        soft = draw([1.7e308, -1.7e308, 1.7e308], temperature)
        assert_allclose(soft.sum(axis=1), 1.0)
        share = 1 / 3 if temperature == 1e300 else 0.0
        assert (soft[:, 1] <= share + 1e-9).all()
    assert 10 < (draw([1.7e308, -1.7e308, 1.7e308], 0.0)[:, 0]).sum() < 40


def test_largest_entry_is_the_label_of_the_same_noise():
    logits = np.random.default_rng(1).normal(size=(50, 12))
    labels = np.empty(50, dtype=np.int64)
    gumbel.draw_labels_by_race(logits, True, ROWS, SEED, labels)
    for temperature in (0.0, 0.1, 1.0, 50.0):
        np.testing.assert_array_equal(draw(logits, temperature).argmax(axis=1), labels)


def test_weights_of_any_scale():
    weights = np.array([[0.0, 5e-324, 1e-310, 1e-300, 1.0, 1e300, 1.7e308]])
    logs = draw(weights, 100.0, is_log=False, return_log=True)
    with np.errstate(divide="ignore"):
        expected = draw(np.log(weights), 100.0, return_log=True)
    assert_allclose(logs, expected, rtol=1e-12)
    assert (logs[:, 0] == -np.inf).all() and np.isfinite(logs[:, 1:]).all()
