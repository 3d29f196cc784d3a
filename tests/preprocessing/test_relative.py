"""Relative positions: clipped, in buckets, as biases."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skextra.preprocessing import (
    alibi_bias,
    alibi_slopes,
    clipped_relative_positions,
    t5_buckets,
)


def test_clipped_positions():
    queries, keys = [3, 0, 10], [0, 5]
    index = clipped_relative_positions(queries, keys, max_distance=4)
    expected = [[max(-4, min(4, k - q)) + 4 for k in keys] for q in queries]
    assert_array_equal(index, expected)
    assert_array_equal(clipped_relative_positions(queries, max_distance=0), np.zeros((3, 3)))


def bucket_by_definition(relative, bidirectional, n_buckets, max_distance):
    """T5's rule in exact logarithms."""
    offset = 0
    if bidirectional:
        n_buckets //= 2
        offset = n_buckets if relative > 0 else 0
        distance = abs(relative)
    else:
        distance = max(-relative, 0)
    exact = n_buckets // 2
    if distance < exact:
        return offset + distance
    # distance / exact >= (max_distance / exact) ** (step / steps), without logarithms
    steps, step = n_buckets - exact, 0
    while step < steps and (distance / exact) ** steps >= (max_distance / exact) ** (step + 1) * (
        1 - 1e-12
    ):
        step += 1
    return offset + min(exact + step, n_buckets - 1)


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("n_buckets, max_distance", [(32, 128), (16, 64), (8, 20)])
def test_buckets_are_the_codes(bidirectional, n_buckets, max_distance):
    relative = np.arange(-300, 301)
    found = t5_buckets(
        [0], relative, bidirectional=bidirectional, n_buckets=n_buckets, max_distance=max_distance
    )[0]
    expected = [
        bucket_by_definition(r, bidirectional, n_buckets, max_distance) for r in relative.tolist()
    ]
    # At exact powers the code's float32 logarithm may fall a hair short of the rule.
    differing = relative[found != expected]
    assert len(differing) <= 4
    assert np.abs(found - expected).max() <= 1
    assert found.min() == 0 and found.max() == n_buckets - 1


def test_bucket_of_23():
    """Where descriptions of T5 and its code part: the code has 11."""
    assert t5_buckets([23], [0])[0, 0] == 11
    assert t5_buckets([0], [23])[0, 0] == 16 + 11


def test_buckets_of_queries_and_keys():
    buckets = t5_buckets([5, 7])
    assert_array_equal(buckets, [[0, 18], [2, 0]])


@pytest.mark.parametrize("n_heads", [1, 2, 8, 64])
def test_slopes_of_powers_of_two(n_heads):
    heads = np.arange(1, n_heads + 1)
    assert_allclose(alibi_slopes(n_heads), 2.0 ** (-8 * heads / n_heads), rtol=1e-15)


def test_slopes_of_other_numbers():
    # The first six of sixteen's odd ones follow eight's, as in the authors' code.
    slopes = alibi_slopes(12)
    assert_array_equal(slopes[:8], alibi_slopes(8))
    assert_array_equal(slopes[8:], alibi_slopes(16)[::2][:4])
    assert [len(alibi_slopes(n)) for n in range(1, 20)] == list(range(1, 20))


def test_bias():
    queries, keys = [0.0, 2.5], [1.0, 3.0, 7.0]
    bias = alibi_bias(queries, keys, n_heads=4)
    assert bias.shape == (4, 2, 3)
    assert_allclose(bias[1], -np.array([[1, 3, 7], [1.5, 0.5, 4.5]]) / 16)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: clipped_relative_positions([0.5], max_distance=1), "must be integers"),
        (lambda: clipped_relative_positions([0], max_distance=-1), "at least 0, got -1"),
        (lambda: clipped_relative_positions([0], max_distance=1.5), "max_distance"),
        (lambda: clipped_relative_positions([[0]], max_distance=1), "along one axis"),
        (lambda: clipped_relative_positions(["a"], max_distance=1), "must be numbers"),
        (lambda: clipped_relative_positions([0], [np.nan], max_distance=1), "key_positions"),
        (lambda: t5_buckets([0], n_buckets=2), "n_buckets must be an integer of at least 4"),
        (lambda: t5_buckets([0], max_distance=8), "max_distance must be above 8"),
        (lambda: alibi_slopes(0), "n_heads must be an integer of at least 1, got 0"),
        (lambda: alibi_slopes(True), "n_heads"),
        (lambda: alibi_bias([np.inf], n_heads=1), "query_positions must be finite"),
    ],
)
def test_bad_arguments_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
