"""Rotation kernels against complex multiplication."""

import numpy as np
import pytest

from skextra._core.positions import frequencies, rotary, sinusoids


def rotate_complex(x, positions, angular, half, gain=1.0, scales=None, center=0.0):
    k = len(angular)
    pairs = x[:, :k] + 1j * x[:, k:] if half else x[:, ::2] + 1j * x[:, 1::2]
    turned = gain * pairs * np.exp(1j * positions[:, None] * angular)
    if scales is not None:
        turned = turned * np.exp((positions[:, None] - center) * scales)
    if half:
        return np.c_[turned.real, turned.imag]
    return np.stack([turned.real, turned.imag], axis=-1).reshape(len(x), -1)


@pytest.mark.parametrize("k", [1, 2, 5, 16, 40])
@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("unit", [0.0, 1.0])
def test_rotation_is_complex_multiplication(k, half, unit):
    rng = np.random.default_rng(k)
    angular = frequencies.compute_geometric(1e3, k, k)
    turns = frequencies.split_turns(angular)
    positions = np.r_[np.arange(60.0), rng.normal(size=40) * 30]
    x = rng.standard_normal((100, 2 * k + 3))
    x[:, 1] = positions - 2.0
    out = np.full((100, 2 * k + 2), 7.0)
    scales = rotary.compute_xpos_log_scales(k, 512.0)
    for sign, log_scales in ((1.0, np.zeros(0)), (-1.0, scales)):
        weights = (sign * 1.5, 1.5, 10.0)
        found = rotary.rotate(
            x, 1, -2.0, 1e9, *turns, unit, weights, log_scales, x, 2, half, out, 1
        )
        assert found == (0, 0)
        expected = rotate_complex(
            x[:, 2 : 2 + 2 * k],
            positions,
            sign * frequencies.round_to_floats(angular),
            half,
            1.5,
            log_scales if len(log_scales) else None,
            10.0,
        )
        np.testing.assert_allclose(out[:, 1:-1], expected, atol=1e-13)
        assert (out[:, [0, -1]] == 7).all()


@pytest.mark.parametrize("half", [False, True])
def test_tables_give_the_same_bits(half):
    rng = np.random.default_rng(0)
    turns = frequencies.split_turns(frequencies.compute_geometric(1e4, 6, 6))
    positions = rng.normal(size=20) * 100
    index = rng.integers(0, 20, 50)
    x = rng.standard_normal((50, 12))
    direct, tabled = np.empty((2, 50, 12))
    source = positions[index][:, None]
    rotary.rotate(
        source, 0, 0.0, 1e9, *turns, 0.0, (1.0, 1.0, 0.0), np.zeros(0), x, 0, half, direct, 0
    )
    sines, cosines = np.empty((2, 20, 6))
    sinusoids.fill_rows(positions, *turns, 0.0, sines, cosines)
    rotary.rotate_by_table(index, sines, cosines, x, 0, half, tabled, 0)
    np.testing.assert_array_equal(tabled, direct)


@pytest.mark.parametrize("k", [3, 20])
@pytest.mark.parametrize("unit", [0.0, 1.0])
def test_what_is_lost_or_infinite_is_counted(k, unit):
    turns = frequencies.split_turns(frequencies.compute_geometric(1e3, k, k))
    x, out = np.ones((300, 2 * k + 1)), np.zeros((300, 2 * k + 2))

    def rotate(begin, n):
        options = (*turns, unit, (1.0, 1.0, 0.0), np.zeros(0))
        return rotary.rotate(x, 0, 0.0, 100.0, *options, x, 1, False, out[:, :n].copy(), begin)

    for begin, n in ((0, 2 * k), (1, 2 * k + 2)):
        x[:, :3] = 1.0
        assert rotate(begin, n) == (0, 0)
        x[[7, 250], 1] = np.nan, np.inf
        assert rotate(begin, n) == (0, 4)
        for position in (np.nan, np.inf, -100.0, 1e300):
            x[299, 0] = position
            assert rotate(begin, n)[0] == 1
        x[299, 0] = -99.0
        assert rotate(begin, n) == (0, 4)


def test_partial_sums():
    turns = np.array([[0.0, 0.25, 0.5], [0.0, 0.0, 0.0]])
    # |1| + |1 + i| + |1 + i - 1|, and 1 + 2 + 3
    np.testing.assert_allclose(rotary.compute_partial_sums(turns), [2 + np.sqrt(2), 6.0])


def test_xpos_amplitudes():
    d, length = 8, 512.0
    zeta = (np.arange(0, d, 2) + 0.4 * d) / (1.4 * d)
    np.testing.assert_allclose(
        np.exp(100.0 * rotary.compute_xpos_log_scales(4, length)), zeta ** (100 / length)
    )
