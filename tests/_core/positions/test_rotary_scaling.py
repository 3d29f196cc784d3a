"""Stretched frequencies against their published formulas, written out in floats."""

import numpy as np
import pytest

from skextra._core.positions import frequencies, rotary_scaling

N, BASE, K, LENGTH = 64, 1e4, 8.0, 4096.0
PLAIN = BASE ** (-np.arange(N) / N)


def compute(rule, n=N, base=BASE, factor=K, original_length=LENGTH, **options):
    angular, amplitude = rotary_scaling.compute_rotary(
        n, base, rule, factor, original_length, **options
    )
    return frequencies.round_to_floats(angular), amplitude


def test_plain():
    found, amplitude = compute(None)
    np.testing.assert_allclose(found, PLAIN, rtol=1e-14)
    assert amplitude == 1.0


def test_linear():
    np.testing.assert_allclose(compute("linear")[0], PLAIN / K, rtol=1e-14)


def test_ntk_raises_the_base():
    d = 2 * N
    raised = BASE * K ** (d / (d - 2))
    np.testing.assert_allclose(compute("ntk")[0], raised ** (-np.arange(N) / N), rtol=1e-13)


@pytest.mark.parametrize("length", [None, 100.0, 16384.0])
def test_dynamic_is_transformers(length):
    d, longer = 2 * N, max(length or LENGTH, LENGTH)
    raised = BASE * (K * longer / LENGTH - (K - 1)) ** (d / (d - 2))
    options = {} if length is None else {"length": length}
    np.testing.assert_allclose(
        compute("dynamic", **options)[0], raised ** (-np.arange(N) / N), rtol=1e-13
    )


def test_fixed_digits():
    m = np.arange(1, N + 1)
    ratio, digit = K ** (1 / N), BASE ** (1 / N)
    np.testing.assert_allclose(
        compute("ntk-fixed")[0], 1 / (ratio * (ratio * digit) ** (m - 1)), rtol=1e-13
    )


def test_mixed_digits():
    m = np.arange(1, N + 1)
    for b in (0.625, 1.0):
        a = np.log(K) / N**b
        found = compute("ntk-mixed", exponent=b)[0]
        np.testing.assert_allclose(found, PLAIN * np.exp(-a * m**b), rtol=1e-13)
        assert found[-1] == pytest.approx(PLAIN[-1] / K, rel=1e-13)


@pytest.mark.parametrize(
    "rule, low, high", [("ntk-by-parts", 1, 32), ("yarn", 1, 32), ("llama3", 1, 4)]
)
def test_ramps_over_rotations(rule, low, high):
    rotations = LENGTH * PLAIN / (2 * np.pi)
    kept = np.clip((rotations - low) / (high - low), 0, 1)
    expected = kept * PLAIN + (1 - kept) * PLAIN / K
    np.testing.assert_allclose(compute(rule)[0], expected, rtol=1e-13)
    amplitude = 0.1 * np.log(K) + 1 if rule == "yarn" else 1.0
    assert compute(rule)[1] == pytest.approx(amplitude, rel=1e-15)


@pytest.mark.parametrize("truncate", [True, False])
def test_yarn_of_the_transformers_library(truncate):
    def find_dimension(rotations):
        return 2 * N * np.log(LENGTH / (rotations * 2 * np.pi)) / (2 * np.log(BASE))

    low, high = find_dimension(32), find_dimension(1)
    if truncate:
        low, high = np.floor(low), np.ceil(high)
    ramp = np.clip((np.arange(N) - max(low, 0)) / (min(high, 2 * N - 1) - max(low, 0)), 0, 1)
    expected = PLAIN / K * ramp + PLAIN * (1 - ramp)
    found, amplitude = compute("yarn-transformers", truncate=truncate)
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    assert amplitude == pytest.approx(0.1 * np.log(K) + 1, rel=1e-15)


def test_the_two_yarns_differ_by_more_than_half():
    ratio = compute("yarn")[0] / compute("yarn-transformers")[0]
    assert 0.5 < np.abs(ratio - 1).max() < 0.6


@pytest.mark.parametrize("rule", rotary_scaling.RULES)
def test_factor_one_changes_nothing(rule):
    found, amplitude = compute(rule, factor=1.0)
    np.testing.assert_allclose(found, PLAIN, rtol=1e-14)
    assert amplitude == 1.0


@pytest.mark.parametrize("rule", rotary_scaling.RULES)
@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_pairs(rule, n):
    found, _ = compute(rule, n=n)
    assert found.shape == (n,)
    assert np.isfinite(found).all() and (found > 0).all()
