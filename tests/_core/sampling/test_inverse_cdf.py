"""Inversion of cumulated weights: exact probabilities, nothing drawn that has no weight."""

import numpy as np
import pytest

from skextra._core.sampling import inverse_cdf
from tests.sampling.exact import assert_distributed, enumerate_rankings, softmax

N = 100_000


def draw(values, is_log, n=N, seed=3):
    values = np.atleast_2d(np.asarray(values))
    rows = np.arange(n * len(values), dtype=np.uint64)
    labels = np.empty(len(rows), dtype=np.int64)
    inverse_cdf.draw_labels_by_inversion(values, is_log, rows, np.uint64(seed), labels)
    many = np.empty((n, len(values)), dtype=np.int64)
    inverse_cdf.draw_many_labels(values, is_log, rows, np.uint64(seed), many)
    agree = (many.ravel() == labels).mean()
    assert agree > 0.999, "one uniform number, one cumulation, but for its rounding and order"
    return labels


@pytest.mark.parametrize("n_columns", [1, 2, 5, 8, 15, 16, 17, 24, 40])
def test_probabilities_are_those_of_the_softmax(n_columns):
    logits = np.linspace(0.0, -2.0, n_columns)
    if n_columns == 1:
        assert not draw(logits, True).any()
        return
    assert_distributed(draw(logits, True), softmax(logits))
    assert_distributed(draw(np.exp(logits + 3), False), softmax(logits))


@pytest.mark.parametrize("n_columns", [3, 7, 16, 17, 33, 100])
def test_nothing_without_weight_is_drawn(n_columns):
    rng = np.random.default_rng(n_columns)
    weights = rng.random((2000, n_columns)) * (rng.random((2000, n_columns)) < 0.3)
    weights[np.arange(2000), rng.integers(0, n_columns, 2000)] = 1e-12
    labels = draw(weights, False, 20)
    assert (weights[np.arange(len(labels)) % 2000, labels] > 0).all()


@pytest.mark.parametrize("uniform", [2.0**-53, 0.5, 1 - 2.0**-53])
@pytest.mark.parametrize("n_columns", [2, 3, 8, 17, 64, 1001])
def test_ends_of_the_unit_interval(uniform, n_columns):
    rng = np.random.default_rng(0)
    for _ in range(200):
        weights = rng.random((1, n_columns)) * 10.0 ** rng.integers(-12, 1, n_columns)
        weights *= rng.random(n_columns) < 0.5
        weights[0, rng.integers(n_columns)] = 1.0
        sums = np.empty((n_columns + 7) // 8)
        inverse_cdf._sum_groups(weights, 0, sums)
        place = inverse_cdf._invert(weights, 0, uniform * inverse_cdf._add_up(sums), sums)
        short = inverse_cdf._invert_short(weights, 0, uniform)
        assert 0 <= place < n_columns and weights[0, place] > 0
        assert 0 <= short < n_columns and weights[0, short] > 0
        if uniform < 1e-10 and weights[0, np.flatnonzero(weights)[0]] > 1e-5:
            assert place == short == np.flatnonzero(weights)[0]


@pytest.mark.parametrize("scale", [1e-320, 1e-300, 1e300, 1.7e308])
def test_weights_of_any_scale(scale):
    weights = np.array([1.0, 0.5, 0.0, 0.25, 0.25])
    exact = weights * scale / scale
    assert_distributed(draw(weights * scale, False), exact / exact.sum())


@pytest.mark.parametrize(
    "logits",
    [[1e308, 1e308, -1e308], [-1e308, -1e308, -np.inf], [800.0, 800.0, -800.0]],
)
def test_extreme_logits(logits):
    assert_distributed(draw(logits, True), np.array([0.5, 0.5, 0.0]), visible=0.02)


def test_a_million_categories():
    weights, n = np.ones((1, 1_000_000)), 20_000
    many = np.empty((n, 1), dtype=np.int64)
    rows = np.arange(n, dtype=np.uint64)
    inverse_cdf.draw_many_labels(weights, False, rows, np.uint64(0), many)
    assert_distributed(many[:, 0] // 100_000, np.full(10, 0.1), visible=0.02)
    labels = np.empty(40, dtype=np.int64)
    inverse_cdf.draw_labels_by_inversion(weights, False, rows[:40], np.uint64(0), labels)
    np.testing.assert_array_equal(labels, many[:40, 0])


def draw_top(values, is_log, n_draws, k, seed=3):
    top = np.empty((n_draws, k), dtype=np.int64)
    rows = np.arange(n_draws, dtype=np.uint64)
    inverse_cdf.draw_top_by_inversion(values, is_log, rows, np.uint64(seed), top)
    return top


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("is_log", [True, False])
def test_rankings_drawn_one_by_one_are_plackett_luce(k, is_log):
    weights = np.array([3.0, 2.0, 1.5, 1.0])
    # Columns that are never drawn put the others into groups of their own.
    spread = np.zeros((1, 30))
    spread[0, [2, 9, 10, 29]] = weights
    with np.errstate(divide="ignore"):
        top = draw_top(np.log(spread) if is_log else spread, is_log, 200_000, k)
    positions = np.full(30, -1)
    positions[[2, 9, 10, 29]] = range(4)
    rankings, probabilities = enumerate_rankings(weights, k)
    codes = {ranking: code for code, ranking in enumerate(rankings)}
    drawn = np.array([codes[tuple(r)] for r in positions[top].tolist()])
    assert_distributed(drawn, probabilities)


@pytest.mark.parametrize("is_log", [True, False])
def test_weights_that_vanish_beside_the_first_are_drawn_in_proportion_after_it(is_log):
    far = np.array([[0.0, -650.0, -650.0 + np.log(2.0), -650.0, -700.0, -np.inf]])
    values = far if is_log else np.exp(far)
    top = draw_top(values, is_log, 60_000, 5)
    assert (top[:, 0] == 0).all() and (top[:, 4] == 4).all()
    assert_distributed(top[:, 1] - 1, np.array([0.25, 0.5, 0.25]), visible=0.02)
    if is_log:
        deeper = far * np.array([[1.0, 1e305, 1e305, 1e305, 1e305, 1.0]])
        top = draw_top(deeper, True, 1000, 5)
        assert (top[:, :2] == [0, 2]).all() and (top[:, 4] == 4).all()


@pytest.mark.parametrize("n_columns", [1, 7, 8, 9, 64, 100])
def test_all_categories_are_drawn_once(n_columns):
    values = np.random.default_rng(n_columns).normal(scale=300.0, size=(20, n_columns))
    top = draw_top(values, True, 20, n_columns)
    np.testing.assert_array_equal(np.sort(top, axis=1), np.tile(np.arange(n_columns), (20, 1)))
