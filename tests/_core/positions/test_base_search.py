"""The smallest base with a non-negative kernel: certified, and no smaller one will do."""

import numpy as np
import pytest

from skextra._core.positions import base_search


def compute_kernel(base, n, distances):
    return np.cos(np.outer(distances, base ** (-np.arange(n) / n))).sum(axis=1)


@pytest.mark.parametrize(
    "length, n, published",
    # Su's article gives 4.3e3 for 1k and 2.7e4 for 4k, on whole distances alone.
    [(1000.0, 64, 4.3e3), (4096.0, 64, 2.7e4)],
)
def test_published_bases(length, n, published):
    base = base_search.find_base(length, n, n)
    assert base == pytest.approx(published, rel=0.1)


@pytest.mark.parametrize("length, n", [(1000.0, 8), (300.0, 5), (50.0, 16), (6.0, 8)])
def test_base_is_feasible_and_smallest(length, n):
    base = base_search.find_base(length, n, n)
    fine = np.linspace(0.0, length, 200_001)
    assert compute_kernel(base, n, fine).min() > -1e-12
    # Every base on a grid below it is refuted by a distance of its own.
    for smaller in np.geomspace(1.0, base / 1.0002, 60):
        assert compute_kernel(smaller, n, fine).min() < 1e-3


def test_first_negative_distance_of_base_10000():
    arguments = base_search._prepare(1e4, 64, 64)
    found = base_search.find_negative(0.0, 4096.0, *arguments)
    whole = np.arange(4097)
    first = whole[compute_kernel(1e4, 64, whole) < 0][0]
    assert first == 1707
    assert 1706.0 < found <= 1707.0
    assert compute_kernel(1e4, 64, [found])[0] < 0
    assert compute_kernel(1e4, 64, np.linspace(0, 1706, 100_001)).min() > 0


def test_feasible_bases_are_no_interval():
    """Why there is no bisection: above the smallest base there are others that fail."""
    length, n = 100.0, 6
    smallest = base_search.find_base(length, n, n)
    above = smallest * np.geomspace(1.0, 20.0, 200)
    fails = [not np.isnan(base_search._refute(b, length, n, n, np.nan)) for b in above]
    assert not fails[0] and any(fails) and not all(fails[np.argmax(fails) :])


def test_short_ranges_need_nothing():
    assert base_search.find_base(0.0, 4, 4) == 1.0
    assert base_search.find_base(1.5, 4, 4) == 1.0


def test_too_few_frequencies_have_no_base():
    assert base_search.find_base(10.0, 1, 1) is None
    assert base_search.find_base(10.0, 2, 2) is None


def test_touching_zero_counts_as_negative():
    # cos(0) + cos(m) + ... cannot be told from zero where it only touches it.
    turns, residues = np.array([0.5 / np.pi, 0.0]), np.zeros(2)
    assert base_search.find_negative(0.0, 10.0, turns, residues, 1.0) == pytest.approx(
        np.pi, abs=1e-2
    )
