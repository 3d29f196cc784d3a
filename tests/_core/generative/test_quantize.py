"""Nearest codes and their rows, against all distances."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skextra._core.generative import quantize


def run(function, tasks):
    return [function(*task) for task in tasks]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_assignment_and_sums(dtype):
    random = np.random.default_rng(0)
    X, codes = random.normal(size=(150, 4)).astype(dtype), random.normal(size=(9, 4)).astype(dtype)
    distances = ((X[:, None].astype(float) - codes) ** 2).sum(axis=2)
    nearest = distances.argmin(axis=1)
    assert_array_equal(quantize.assign(X, codes, run), nearest)
    labels, best, sums, counts = quantize.assign_and_sum(X, codes, X, run)
    assert_array_equal(labels, nearest)
    squares = (X.astype(float) ** 2).sum(axis=1) - 2 * best
    assert_allclose(squares, distances.min(axis=1), rtol=0, atol=1e-5)
    assert_array_equal(counts, np.bincount(nearest, minlength=9))
    assert_allclose(sums, [X[nearest == k].sum(axis=0) for k in range(9)], atol=1e-5)
    assert_allclose(quantize.measure(X, codes, labels, run), distances.min(axis=1), rtol=1e-5)


def test_seeds_are_different_rows_as_long_as_there_are_some():
    X = np.repeat(np.random.default_rng(0).normal(size=(8, 3)), 4, axis=0)
    codes = quantize.choose_seeds(X, 8, np.random.default_rng(1))
    assert len(np.unique(codes, axis=0)) == 8
    assert len(quantize.choose_seeds(X, 12, np.random.default_rng(1))) == 12


def test_dead_codes_go_to_the_farthest_rows_and_not_to_rows_at_codes():
    X = np.array([[0.0], [0.1], [5.0], [-7.0]])
    codes = np.array([[0.0], [90.0], [80.0]])
    labels, best, _, counts = quantize.assign_and_sum(X, codes, X, run)
    assert quantize.revive(codes, X, counts, best) == 2
    assert_allclose(codes, [[0.0], [-7.0], [5.0]])
    codes = np.array([[0.0], [0.1], [5.0], [-7.0], [50.0]])
    labels, best, _, counts = quantize.assign_and_sum(X, codes, X, run)
    assert quantize.revive(codes, X, counts, best) == 0
    assert_allclose(codes[4], 50.0)
