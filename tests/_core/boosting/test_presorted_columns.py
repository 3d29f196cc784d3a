"""Columns sorted once and cut into buckets."""

import numpy as np
import pytest

from skextra._core.boosting.presorted_columns import STRIDE, choose_n_buckets, encode


def make_values(kind, n):
    rng = np.random.default_rng(n)
    values = {
        "continuous": rng.standard_normal(n) * 10.0 ** rng.integers(-30, 30, n),
        "few": rng.integers(0, 5, n).astype(float),
        "heavy": np.where(rng.random(n) < 0.7, 1.0, rng.standard_normal(n)),
        "close": 1.0 + rng.integers(0, 40, n) * 3e-8,
        "constant": np.full(n, -2.5),
        "zeros of both signs": np.where(rng.random(n) < 0.5, 0.0, -0.0),
        "missing": np.where(rng.random(n) < 0.3, np.nan, rng.standard_normal(n)),
        "negative missing": np.where(rng.random(n) < 0.3, -np.nan, rng.standard_normal(n)),
        "all missing": np.full(n, np.nan),
    }[kind]
    return values.astype(np.float32)


KINDS = (
    "continuous",
    "few",
    "heavy",
    "close",
    "constant",
    "zeros of both signs",
    "missing",
    "negative missing",
    "all missing",
)


@pytest.mark.parametrize("n", [1, 7, 300, 5000])
@pytest.mark.parametrize("kind", KINDS)
def test_columns_are_sorted_and_cut_where_values_differ(kind, n):
    values = make_values(kind, n)
    columns = encode(np.column_stack([np.arange(n, dtype=np.float32), values]))
    order, codes = columns.order[1], columns.codes[1].astype(int)
    n_missing, n_buckets = columns.n_missing[1], columns.n_buckets[1]
    assert sorted(order) == list(range(n))
    assert n_missing == np.isnan(values).sum()
    kept, rest = values[order[: n - n_missing]], values[order[n - n_missing :]]
    assert np.all(np.diff(kept) >= 0)
    assert np.isnan(rest).all()
    assert n_buckets <= choose_n_buckets(n) < STRIDE
    np.testing.assert_array_equal(codes[np.isnan(values)], n_buckets)
    edges = columns.edges[1, : n_buckets + 1]
    assert edges[-1] == n - n_missing
    for b in range(n_buckets):
        inside = kept[edges[b] : edges[b + 1]]
        assert inside.size > 0
        np.testing.assert_array_equal(codes[order[edges[b] : edges[b + 1]]], b)
        assert columns.is_mixed[1, b] == (inside[-1] > inside[0])
        if b > 0:
            assert inside[0] > kept[edges[b] - 1]


def test_values_have_buckets_of_their_own_where_there_are_few():
    values = make_values("few", 400)
    columns = encode(values[:, None])
    assert columns.n_buckets[0] == 5
    np.testing.assert_array_equal(columns.codes[0], values.astype(int))
    assert not columns.is_mixed.any()


def test_buckets_of_continuous_values_are_of_about_one_size():
    columns = encode(np.random.default_rng(0).standard_normal((20_000, 1)).astype(np.float32))
    sizes = np.diff(columns.edges[0, : columns.n_buckets[0] + 1])
    assert columns.n_buckets[0] > 200
    assert sizes.max() < 2 * sizes.mean()
