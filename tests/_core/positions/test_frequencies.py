"""Frequencies to 32 digits."""

from decimal import Decimal

import mpmath
import numpy as np
import pytest

from skextra._core.positions import frequencies


def test_pi():
    with mpmath.workdps(60):
        assert abs(mpmath.mpf(str(frequencies.PI)) - mpmath.pi) < mpmath.mpf("1e-58")


@pytest.mark.parametrize("base", [1.0, 1.5, 1e4, 123456.789, 1e30])
@pytest.mark.parametrize("denominator", [8, 7.5, 1])
def test_geometric_frequencies(base, denominator):
    angular = frequencies.compute_geometric(base, 8, denominator)
    turns, residues = frequencies.split_turns(angular)
    with mpmath.workdps(60):
        for i in range(8):
            exact = mpmath.mpf(base) ** (-mpmath.mpf(i) / mpmath.mpf(denominator))
            exact /= 2 * mpmath.pi
            found = mpmath.mpf(float(turns[i])) + mpmath.mpf(float(residues[i]))
            assert abs(found / exact - 1) < mpmath.mpf("1e-30")
    np.testing.assert_allclose(
        frequencies.round_to_floats(angular), base ** (-np.arange(8) / denominator), rtol=1e-13
    )


def test_periods_and_harmonics():
    turns, residues = frequencies.split_turns(frequencies.convert_periods((3.0, 8.0), 2))
    np.testing.assert_array_equal(turns, [1 / 3, 2 / 3, 1 / 8, 1 / 4])
    assert residues[0] == pytest.approx(float(Decimal(1) / 3 - Decimal(1 / 3)), rel=1e-12)
    np.testing.assert_allclose(residues[2:], 0.0, atol=1e-30)


def test_given_floats_are_exact():
    assert frequencies.round_to_floats(frequencies.convert_floats([0.1, 3.0])).tolist() == [
        0.1,
        3.0,
    ]


def test_arrays_are_the_callers_own():
    angular = frequencies.compute_geometric(1e4, 4, 4)
    first = frequencies.split_turns(angular)
    first[0][:] = 0.0
    assert frequencies.split_turns(angular)[0].all()


def test_no_frequencies():
    turns, residues = frequencies.split_turns(frequencies.compute_geometric(1e4, 0, 1))
    assert turns.shape == residues.shape == (0,)
