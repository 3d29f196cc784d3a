"""Positions from phases."""

import numpy as np
import pytest

from skextra._core.positions import inverse


def make_pairs(positions, turns):
    angles = 2 * np.pi * positions[:, None] * turns
    return np.sin(angles), np.cos(angles)


@pytest.mark.parametrize("center", [0.0, 37.0, -1000.0])
def test_positions_within_the_slowest_period(center):
    rng = np.random.default_rng(0)
    turns = rng.permutation(1e4 ** (-np.arange(8) / 8))
    half = 0.5 / turns.min()
    positions = center + half * rng.uniform(-0.999, 0.999, 500)
    found = inverse.unwrap_positions(*make_pairs(positions, turns), turns, center)
    np.testing.assert_allclose(found, positions, rtol=0, atol=1e-9)


def test_beyond_it_they_are_a_period_off():
    turns = np.array([1.0, 0.1])
    found = inverse.unwrap_positions(*make_pairs(np.array([7.0]), turns), turns, 0.0)
    np.testing.assert_allclose(found, [-3.0], atol=1e-12)


def test_periods_need_not_divide_each_other():
    turns = 1 / np.array([24.0, 168.0, 8765.82])
    positions = np.linspace(-4000, 4000, 777)
    found = inverse.unwrap_positions(*make_pairs(positions, turns), turns, 0.0)
    np.testing.assert_allclose(found, positions, atol=1e-9)


def test_missing_pairs_have_no_position():
    sines, cosines = np.array([[0.0], [np.nan], [1.0]]), np.array([[0.0], [np.nan], [0.0]])
    found = inverse.unwrap_positions(sines, cosines, np.array([0.25]), 0.0)
    np.testing.assert_array_equal(found, [np.nan, np.nan, 1.0])


def test_frequencies_too_fast_to_follow_are_left_out():
    turns = np.array([1e-9, 1.0])
    np.testing.assert_array_equal(inverse.find_safe_frequencies(turns, 1e-7), [True, False])
    np.testing.assert_array_equal(inverse.find_safe_frequencies(turns, 1e-15), [True, True])
