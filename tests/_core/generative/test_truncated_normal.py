"""Normal distributions on an interval against SciPy and quadrature."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, special, stats

from skextra._core.generative.truncated_normal import (
    compute_log_mass,
    compute_mean,
    compute_quantile,
)

BOUNDS = [
    (-1.0, 2.0), (-np.inf, 0.3), (0.2, np.inf), (-np.inf, np.inf), (3.0, 3.5), (-9.0, -8.0),
    (-30.0, -25.0), (0.1, 0.1 + 1e-7), (-4.0, -4.0 + 1e-3), (20.0, np.inf),
]  # fmt: skip


@pytest.mark.parametrize(("a", "b"), BOUNDS)
def test_mass_and_mean_agree_with_quadrature(a, b):
    low, high = max(a, -40.0), min(b, 40.0)
    # Relative to the density next to the mean, which may underflow.
    peak = min(max(0.0, low), high)
    points = [p for p in np.linspace(peak - 8, peak + 8, 17) if low < p < high]

    def density(x):
        return np.exp(-0.5 * (x - peak) * (x + peak))

    mass = integrate.quad(density, low, high, points=points, epsabs=0, limit=200)[0]
    first = integrate.quad(lambda x: x * density(x), low, high, points=points, limit=200)[0]
    expected = np.log(mass) - 0.5 * peak**2 - 0.5 * np.log(2 * np.pi)
    assert_allclose(compute_log_mass(a, b), expected, rtol=1e-9, atol=1e-9)
    assert_allclose(compute_mean(a, b), first / mass, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("a", "b"), BOUNDS)
def test_quantiles_invert_the_distribution(a, b):
    for u in (1e-6, 0.01, 0.3, 0.5, 0.77, 0.999):
        z = compute_quantile(a, b, u)
        assert a <= z <= b
        if b - a < 1e-5:
            assert_allclose(z, a + u * (b - a), rtol=1e-9)
        else:
            assert_allclose(stats.truncnorm.cdf(z, a, b), u, rtol=1e-8, atol=1e-11)


def test_quantiles_of_the_whole_line_are_the_normal_ones():
    u = np.concatenate([np.logspace(-300, -1, 50), np.linspace(0.01, 0.99, 50)])
    found = [compute_quantile(-np.inf, np.inf, value) for value in u]
    assert_allclose(found, special.ndtri(u), rtol=1e-13, atol=1e-15)


def test_far_tails_follow_mills_ratio():
    assert_allclose(compute_log_mass(50.0, np.inf), special.log_ndtr(-50.0), rtol=1e-6)
    assert_allclose(compute_log_mass(-60.0, -50.0), special.log_ndtr(-50.0), rtol=1e-6)
    z = compute_quantile(50.0, np.inf, 0.5)
    assert_allclose(special.log_ndtr(-z) - special.log_ndtr(-50.0), np.log(0.5), rtol=1e-3)
