"""Scales and means of columns against rational arithmetic."""

from fractions import Fraction

import numpy as np
import pytest
from scipy import sparse

from skextra._core.numerics.scaling import compute_column_scales, round_to_power_of_two

LAYOUTS = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "csr": sparse.csr_array,
    "csc": sparse.csc_array,
}


def compute_exact_mean_and_size(x, weights, center):
    """In rational arithmetic."""
    x = [Fraction(float(v)) for v in x]
    weights = [Fraction(float(w)) for w in weights]
    total = sum(weights)
    mean = sum(w * v for w, v in zip(weights, x, strict=True)) / total if center else Fraction(0)
    square = sum(w * (v - mean) ** 2 for w, v in zip(weights, x, strict=True)) / total
    return mean, square


def make_columns(rng, n, dtype):
    normal = rng.standard_normal(n)
    columns = [
        normal,
        1e8 * normal,
        1e-8 * normal,
        1e6 + normal,
        -3e4 + 1e-1 * normal,
        np.where(normal > 0.5, normal, 0.0),
    ]
    if dtype == np.float64:
        columns += [1.7e18 + rng.integers(0, 3 * 10**16, n), 1e-200 * normal, 1e200 * normal]
    return np.column_stack(columns).astype(dtype)


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("is_weighted", [True, False])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_scales_and_means_are_those_of_rational_arithmetic(layout, dtype, is_weighted, center):
    rng = np.random.default_rng(0)
    n = 257
    X = make_columns(rng, n, dtype)
    weights = None
    if is_weighted:
        weights = rng.choice([0.0, 1e-6, 1.0, 1e6], n)
    means, scales = compute_column_scales(LAYOUTS[layout](X), weights, center)
    assert means.dtype == scales.dtype == np.float64
    for j, x in enumerate(X.T):
        mean, square = compute_exact_mean_and_size(
            x, np.ones(n) if weights is None else weights, center
        )
        # One rounding of the mean, and a trace of the size.
        allowed = 2 * np.finfo(np.float64).eps * abs(float(mean)) + 1e-14 * scales[j]
        assert abs(float(Fraction(means[j]) - mean)) <= allowed
        ratio = float(square / Fraction(scales[j]) ** 2)
        assert 0.2499999 <= ratio <= 1.0000001
        assert np.frexp(scales[j])[0] == 0.5


@pytest.mark.parametrize("layout", LAYOUTS)
def test_constant_columns_have_scale_one(layout):
    X = np.column_stack([np.full(1000, 0.1), np.full(1000, -1e300), np.zeros(1000)])
    means, scales = compute_column_scales(LAYOUTS[layout](X))
    np.testing.assert_allclose(means, X[0], rtol=1e-15)
    np.testing.assert_array_equal(scales, 1.0)
    _, scales = compute_column_scales(LAYOUTS[layout](X), center=False)
    np.testing.assert_array_equal(scales, [0.125, 2.0**997, 1.0])


def test_rows_of_weight_zero_are_not_there():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 3))
    weights = np.ones(50)
    weights[10:20] = 0.0
    expected = compute_column_scales(np.delete(X, slice(10, 20), axis=0))
    X[10:20] = 1e308
    for layout in LAYOUTS.values():
        means, scales = compute_column_scales(layout(X), weights)
        np.testing.assert_allclose(means, expected[0], rtol=1e-12, atol=1e-15)
        np.testing.assert_array_equal(scales, expected[1])


def test_sparse_columns_in_several_chunks(monkeypatch):
    rng = np.random.default_rng(0)
    monkeypatch.setattr("skextra._core.numerics.scaling._CHUNK", 100)
    X = sparse.random_array((300, 40), density=0.1, rng=rng)
    expected = compute_column_scales(X.toarray())
    for layout in ("csr", "csc"):
        means, scales = compute_column_scales(X.asformat(layout))
        np.testing.assert_allclose(means, expected[0], rtol=1e-13, atol=1e-16)
        np.testing.assert_array_equal(scales, expected[1])


def test_scaling_keeps_powers_of_two():
    sizes = np.array([0.25, 0.3, 1.0, 1.5, 2.0**1000, 0.0, np.inf, np.nan])
    expected = [0.25, 0.5, 1.0, 2.0, 2.0**1000, 1.0, 1.0, 1.0]
    np.testing.assert_array_equal(round_to_power_of_two(sizes), expected)
