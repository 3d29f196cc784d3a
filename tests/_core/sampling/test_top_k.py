"""The largest keys in order, however they are found."""

import numpy as np
import pytest

from skextra._core.sampling import gumbel, inverse_cdf, top_k
from skextra.sampling import _top_k
from tests.sampling.exact import assert_distributed, enumerate_rankings


def sort_keys(values, is_log, rows, seed, k):
    """Columns by falling key, by sorting all of them."""
    n, n_columns = len(rows), values.shape[1]
    high, low = (np.empty((n, n_columns + n_columns % 2)) for _ in range(2))
    gumbel.fill_keys(values, is_log, rows, seed, high, low)
    orders = [np.lexsort((low[i, :n_columns], high[i, :n_columns]))[::-1] for i in range(n)]
    return np.array(orders)[:, :k]


@pytest.mark.parametrize("n_columns", [1, 2, 5, 16, 17, 31, 32, 33, 64, 200, 5000])
@pytest.mark.parametrize("k", [1, 2, 8, 9, 40])
@pytest.mark.parametrize("is_log", [True, False])
def test_order_is_that_of_sorted_keys(n_columns, k, is_log):
    if k > n_columns:
        return
    logits = np.random.default_rng(n_columns).normal(scale=2, size=(30, n_columns))
    values = logits if is_log else np.exp(logits)
    rows, seed = np.arange(30, dtype=np.uint64), np.uint64(5)
    expected = sort_keys(values, is_log, rows, seed, k)
    top = np.empty((30, k), dtype=np.int64)
    top_k.draw_top(values, is_log, rows, seed, top)
    np.testing.assert_array_equal(top, expected)
    if k <= 8 and 8 * k <= n_columns:
        inverse_cdf.draw_top_by_inversion(values, is_log, rows, seed, expected)
    _top_k.draw_top(values, is_log, rows, seed, top)
    np.testing.assert_array_equal(top, expected)


@pytest.mark.parametrize("n_columns", [6, 40, 100])
@pytest.mark.parametrize("scale", [1e20, 1e308, -1e308])
def test_equal_logits_of_any_scale_keep_the_order_of_their_noise(n_columns, scale):
    equal, rows = np.zeros((20, n_columns)), np.arange(20, dtype=np.uint64)
    for k in (3, 6, 35):
        if k <= n_columns:
            top, expected = np.empty((2, 20, k), dtype=np.int64)
            top_k.draw_top(equal + scale, True, rows, np.uint64(1), top)
            top_k.draw_top(equal, True, rows, np.uint64(1), expected)
            np.testing.assert_array_equal(top, expected)


def test_ties_far_below_the_top_are_broken_by_noise():
    values = np.array([[1e308, 0.0, 0.0, 0.0, -1e308, -1e308, -np.inf]])
    rows = np.arange(60_000, dtype=np.uint64)
    top = np.empty((len(rows), 6), dtype=np.int64)
    top_k.draw_top(values, True, rows, np.uint64(2), top)
    assert (top[:, 0] == 0).all()
    assert_distributed(top[:, 1] - 1, np.full(3, 1 / 3), visible=0.02)
    assert set(np.unique(top[:, 4:])) == {4, 5}
    assert_distributed(top[:, 4] - 4, np.full(2, 1 / 2), visible=0.02)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_rankings_are_plackett_luce(k):
    weights = np.array([3.0, 2.0, 1.5, 1.0])
    rows = np.arange(200_000, dtype=np.uint64)
    top = np.empty((len(rows), k), dtype=np.int64)
    top_k.draw_top(np.log(weights)[None, :], True, rows, np.uint64(9), top)
    rankings, probabilities = enumerate_rankings(weights, k)
    codes = {ranking: code for code, ranking in enumerate(rankings)}
    assert_distributed(np.array([codes[tuple(r)] for r in top.tolist()]), probabilities)
