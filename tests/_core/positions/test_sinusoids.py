"""Sines and cosines against 50 digits, and the same bits however rows are batched."""

import mpmath
import numpy as np
import pytest

from skextra._core.positions import frequencies, sinusoids

POSITIONS = np.r_[
    np.arange(-70.0, 140.0),
    [0.1, -123456.789, 3.75e5 + 0.25, 1e-300, 5e-324],
    1.7e9 + np.arange(3),
    [1.7e9 + 0.5, 1e12 + 0.123, -1e12, 2.0**40],
    np.random.default_rng(0).uniform(-1, 1, 300) * 10.0 ** np.arange(-3, 12).repeat(20),
    np.floor(np.random.default_rng(1).uniform(0, 1e12, 100)),
]


def encode(positions, turns, residues, unit=0.0, dtype=np.float64):
    k = len(turns)
    out = np.empty((len(positions), 2 * k), dtype=dtype)
    sinusoids.encode(np.ascontiguousarray(positions), turns, residues, unit, out, 0, 1, 2, k)
    return out


def encode_exactly(positions, angular):
    """Sines and cosines at 50 digits, rounded once."""
    with mpmath.workdps(80):
        angles = [[mpmath.mpf(float(x)) * w for w in angular] for x in positions]
        values = [[f(a) for a in row for f in (mpmath.sin, mpmath.cos)] for row in angles]
        return np.array(values, dtype=object)


def largest_error(actual, exact):
    return max(abs(float(mpmath.mpf(float(a)) - e)) for a, e in zip(actual.ravel(), exact.ravel()))


@pytest.mark.parametrize("unit", [0.0, 1.0])
@pytest.mark.parametrize("base", [2.5, 1e4, 5e5])
def test_entries_are_right_to_the_stated_error(unit, base):
    n = 7
    turns, residues = frequencies.split_turns(frequencies.compute_geometric(base, n, n))
    with mpmath.workdps(80):
        exact = [mpmath.mpf(base) ** (-mpmath.mpf(i) / n) for i in range(n)]
    actual = encode(POSITIONS, turns, residues, unit)
    error = largest_error(actual, encode_exactly(POSITIONS, exact))
    assert error < (7e-16 if unit else 3.5e-16)  # as the user guide states


@pytest.mark.parametrize("period", [86400.0, 7 * 86400.0, 31556952.0, 0.1, 1e-3, 1e9])
def test_explicit_periods_hold_far_out(period):
    turns, residues = frequencies.split_turns(frequencies.convert_periods((period,), 3))
    with mpmath.workdps(80):
        exact = [2 * mpmath.pi * h / mpmath.mpf(period) for h in (1, 2, 3)]
    positions = POSITIONS[np.abs(POSITIONS) < sinusoids.MAX_TURNS * period / 3]
    actual = encode(positions, turns, residues)
    assert largest_error(actual, encode_exactly(positions, exact)) < 3.5e-16


def test_whole_periods_are_exact():
    turns, residues = frequencies.split_turns(frequencies.convert_periods((86400.0,), 1))
    days = 86400.0 * np.array([0, 1, 19675, -400, 10**6])
    np.testing.assert_allclose(encode(days, turns, residues), [[0, 1]] * 5, atol=2e-16)
    np.testing.assert_allclose(encode(days + 21600, turns, residues), [[1, 0]] * 5, atol=2e-16)


def test_largest_allowed_position():
    turns, residues = np.array([1.0]), np.array([0.0])
    far = sinusoids.MAX_TURNS + np.array([0.0, 0.25, 0.5, 0.75])
    np.testing.assert_allclose(
        encode(far, turns, residues), [[0, 1], [1, 0], [0, -1], [-1, 0]], atol=1e-15
    )


@pytest.mark.parametrize("n_frequencies", [1, 3, 4, 16, 33, 300])
@pytest.mark.parametrize("unit", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_bits_do_not_depend_on_the_batch(n_frequencies, unit, dtype):
    """Multiples of the unit and others, in runs, at random and one at a time."""
    rng = np.random.default_rng(n_frequencies)
    turns, residues = frequencies.split_turns(
        frequencies.compute_geometric(1e4, n_frequencies, n_frequencies)
    )
    positions = np.r_[
        np.arange(150.0),
        rng.integers(-5000, 5000, 200).astype(float),
        rng.normal(size=100) * 1e4,
        [np.nan],
    ]
    whole = encode(positions, turns, residues, unit, dtype)
    assert np.isnan(whole[-1]).all() and np.isfinite(whole[:-1]).all()
    order = rng.permutation(len(positions))[:137]
    np.testing.assert_array_equal(
        encode(positions[order], turns, residues, unit, dtype), whole[order]
    )
    for i in order[:20]:
        single = encode(positions[i : i + 1], turns, residues, unit, dtype)
        np.testing.assert_array_equal(single, whole[i : i + 1])


@pytest.mark.parametrize("unit", [0.0, 1.0])
def test_layouts_and_odd_widths_hold_the_same_numbers(unit):
    turns, residues = frequencies.split_turns(frequencies.compute_geometric(1e4, 20, 20))
    positions = np.r_[np.arange(90.0), 0.5]
    pairs = encode(positions, turns, residues, unit)
    blocks, odd = np.full((91, 45), 7.0), np.full((91, 41), 7.0)
    sinusoids.encode(positions, turns, residues, unit, blocks, 3, 23, 1, 20)
    np.testing.assert_array_equal(blocks[:, 3:43], np.c_[pairs[:, ::2], pairs[:, 1::2]])
    assert (blocks[:, :3] == 7).all() and (blocks[:, 43:] == 7).all()
    sinusoids.encode(positions, turns, residues, unit, odd, 1, 2, 2, 19)
    np.testing.assert_array_equal(odd[:, 1:40], pairs[:, :39])
    assert (odd[:, 0] == 7).all() and (odd[:, 40] == 7).all()
    sines, cosines = np.empty((2, 91, 20))
    sinusoids.fill_rows(positions, turns, residues, unit, sines, cosines)
    np.testing.assert_array_equal(sines, pairs[:, ::2])
    np.testing.assert_array_equal(cosines, pairs[:, 1::2])


def test_float32_phases_are_as_wrong_as_we_say():
    """Why phases are not computed in float32: 4e-4 at position 4096, in the docs' words."""
    n = 32
    angular = frequencies.round_to_floats(frequencies.compute_geometric(1e4, n, n))
    positions = np.arange(4090.0, 4097.0)
    exact = np.sin(positions[:, None] * angular)
    rounded = angular.astype(np.float32) * positions.astype(np.float32)[:, None]
    error = np.abs(np.sin(rounded.astype(np.float64)) - exact).max()
    assert 1e-4 < error < 5e-4
    turns, residues = frequencies.split_turns(frequencies.compute_geometric(1e4, n, n))
    ours = encode(positions, turns, residues, dtype=np.float32)[:, ::2]
    assert np.abs(ours - exact).max() < 6.1e-8


@pytest.mark.parametrize(
    "positions, unit",
    [
        (np.arange(50.0), 1.0),
        (3600.0 * np.arange(-5, 20) + 7200, 3600.0),
        (np.r_[6.0, np.nan, -9.0], 3.0),
        (np.r_[0.0, 0.5], 0.0),
        (np.arange(100.0) + 0.25 * (np.arange(100) == 99), 0.0),
        (np.zeros(3), 0.0),
        (np.full(3, np.nan), 0.0),
        (np.r_[1e300, 2.0], 0.0),
    ],
)
def test_unit_is_the_greatest_common_divisor(positions, unit):
    assert sinusoids.find_unit(positions) == unit
