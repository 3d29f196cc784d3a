"""Logarithm and exponential of blocks against 50 digits."""

import mpmath
import numpy as np
import pytest

from skextra._core.numerics import vector_math

EDGES_OF_LOG = [
    2.2250738585072014e-308,
    2.0**-53,
    np.nextafter(1.0, 0.0),
    1.0,
    np.nextafter(1.0, 2.0),
    np.sqrt(0.5),
    np.nextafter(np.sqrt(0.5), 0.0),
    np.sqrt(2.0),
    2.0,
    37.0,
    1.7976931348623157e308,
]


def measure_ulps(values, arguments, function):
    """Largest error in units in the last place of the exact value."""
    with mpmath.workdps(50):
        exact = [function(mpmath.mpf(float(x))) for x in arguments]
        errors = [
            abs(mpmath.mpf(float(value)) - true) / mpmath.mpf(float(np.spacing(abs(float(true)))))
            for value, true in zip(values, exact)
        ]
    return float(max(errors))


def negate_logs(x):
    x = np.array(x, dtype=np.float64)
    vector_math.negate_logs(x, np.empty(len(x)))
    return x


def exponentiate(x):
    x = np.array(x, dtype=np.float64)
    vector_math.exponentiate(x, np.empty(len(x)))
    return x


def test_logs_are_within_one_unit_in_the_last_place():
    rng = np.random.default_rng(0)
    arguments = np.r_[
        rng.random(1500),
        1 - 2.0 ** -rng.uniform(1, 52, 700),  # where the logarithm vanishes
        1 + 2.0 ** -rng.uniform(1, 51, 700),
        10.0 ** rng.uniform(-300, 300, 700),
        [x for x in EDGES_OF_LOG if x != 1.0],
    ]
    assert measure_ulps(negate_logs(arguments), arguments, lambda x: -mpmath.log(x)) <= 1.0
    assert negate_logs([1.0])[0] == 0.0


def test_exponentials_are_within_one_and_a_half_units_in_the_last_place():
    rng = np.random.default_rng(1)
    arguments = np.r_[-rng.uniform(0, 707.9, 2000), -(10.0 ** rng.uniform(-20, 2, 1000)), -0.0, 0.0]
    assert measure_ulps(exponentiate(arguments), arguments, mpmath.exp) <= 1.5
    assert exponentiate([0.0])[0] == 1.0


def test_exponentials_of_what_is_far_below_are_zero():
    below = [-708.1, -745.0, -1e10, -1e308, -np.inf]
    assert exponentiate(below).tolist() == [0.0] * 5
    assert exponentiate([-707.9])[0] > 0


@pytest.mark.parametrize("n", [1, 2, 3, 7, 8, 9, 4096])
def test_place_in_the_block_does_not_matter(n):
    x = np.random.default_rng(2).random(n)
    assert negate_logs(x).tolist() == [negate_logs([value])[0] for value in x]
    assert exponentiate(-x).tolist() == [exponentiate([-value])[0] for value in x]


def test_exponentials_do_not_decrease():
    x = np.sort(-np.random.default_rng(3).uniform(0, 700, 20_000))
    assert (np.diff(exponentiate(x)) >= 0).all()
