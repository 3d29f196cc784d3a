"""Rotary encoding of arrays, as a kernel, and in linear attention."""

from functools import partial

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from skextra.preprocessing import (
    apply_rotary,
    convert_rotary_layout,
    rotary_frequencies,
    rotary_kernel,
    rotary_linear_attention,
)


def rotate_exactly(x, positions, n_rotated, base, half):
    """RoFormer's equation 34 at 50 digits, row by row."""
    n = n_rotated // 2
    out = np.array(x, dtype=object)
    with mpmath.workdps(50):
        for row, position in enumerate(positions):
            for i in range(n):
                a, b = (i, n + i) if half else (2 * i, 2 * i + 1)
                angle = mpmath.mpf(float(position)) * mpmath.mpf(base) ** (-mpmath.mpf(i) / n)
                c, s = mpmath.cos(angle), mpmath.sin(angle)
                first, second = mpmath.mpf(float(x[row, a])), mpmath.mpf(float(x[row, b]))
                out[row, a], out[row, b] = first * c - second * s, first * s + second * c
    return out.astype(np.float64)


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("width, n_rotated", [(2, 2), (9, 9), (12, 8), (40, 40)])
def test_against_50_digits(half, width, n_rotated):
    rng = np.random.default_rng(0)
    positions = np.r_[0, 1, 63, 64, 4096, 0.37, -5e5, 1.7e9]
    x = rng.standard_normal((8, width))
    rotated = apply_rotary(
        x, positions, n_rotated=n_rotated, base=5e5, layout="half" if half else "interleaved"
    )
    expected = rotate_exactly(x, positions, n_rotated, 5e5, half)
    assert_allclose(rotated, expected, rtol=0, atol=1e-15 * np.abs(x).max())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(4,), (5, 4), (2, 3, 5, 4), (0, 4), (3, 0)])
def test_leading_shapes(dtype, shape):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape).astype(dtype)
    positions = rng.normal(size=shape[-2:-1]) * 100
    rotated = apply_rotary(x, positions)
    assert rotated.shape == shape and rotated.dtype == dtype
    full = np.broadcast_to(positions, shape[:-1])
    for index in np.ndindex(shape[:-1]):
        assert_array_equal(rotated[index], apply_rotary(x[index], full[index]))


def test_positions_of_batches():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 3, 5, 4))
    for shape in [(), (5,), (2, 1, 5), (2, 1, 1), (3, 1), (2, 3, 5)]:
        positions = rng.integers(0, 1000, shape)
        rotated = apply_rotary(x, positions)
        full = np.broadcast_to(positions, (2, 3, 5))
        assert_array_equal(rotated, apply_rotary(x, full))


def test_integers_and_views():
    x = np.arange(24).reshape(4, 6)
    expected = apply_rotary(x.astype(float), np.arange(4))
    assert_array_equal(apply_rotary(x, np.arange(4)), expected)
    assert_array_equal(apply_rotary(x.tolist(), [0, 1, 2, 3]), expected)
    wide = np.zeros((8, 12))
    wide[::2, ::2] = x
    assert_array_equal(apply_rotary(wide[::2, ::2], np.arange(4)), expected)
    frozen = x.astype(float)
    frozen.flags.writeable = False
    assert_array_equal(apply_rotary(frozen, np.arange(4)), expected)


def test_inverse():
    rng = np.random.default_rng(0)
    x, positions = rng.standard_normal((2, 50, 12)), np.arange(50) * 0.7
    for options in ({}, {"layout": "half", "n_rotated": 7}, {"xpos": "key", "xpos_center": 25.0},
                    {"scaling": "yarn", "factor": 2.0, "original_length": 30}):  # fmt: skip
        rotated = apply_rotary(x, positions, **options)
        assert_allclose(
            apply_rotary(rotated, positions, inverse=True, **options), x, atol=2e-15 * 8
        )


def test_coordinates():
    rng = np.random.default_rng(0)
    x, positions = rng.standard_normal((2, 7, 12)), rng.normal(size=(7, 3)) * 50
    rotated = apply_rotary(x, positions, sections=[4, 2, 5])
    assert_array_equal(rotated[..., :4], apply_rotary(x[..., :4], positions[:, 0]))
    assert_array_equal(rotated[..., 4:6], apply_rotary(x[..., 4:6], positions[:, 1]))
    assert_array_equal(rotated[..., 6:11], apply_rotary(x[..., 6:11], positions[:, 2]))
    assert_array_equal(rotated[..., 11], x[..., 11])
    own = [[1.0, 0.5], [0.25], [2.0, 3.0]]
    rotated = apply_rotary(x, positions, sections=[4, 2, 5], frequencies=own)
    assert_array_equal(
        rotated[..., 4:6], apply_rotary(x[..., 4:6], positions[:, 1], frequencies=own[1])
    )


@pytest.mark.parametrize("width, n_rotated", [(8, None), (9, None), (9, 6), (5, 3), (4, 0)])
def test_layouts_convert_exactly(width, n_rotated):
    rng = np.random.default_rng(0)
    x, positions = rng.standard_normal((3, 6, width)), np.arange(6) * 1.5
    there = convert_rotary_layout(x, "interleaved", "half", n_rotated=n_rotated)
    back = convert_rotary_layout(there, "half", "interleaved", n_rotated=n_rotated)
    assert_array_equal(back, x)
    rotated = apply_rotary(x, positions, n_rotated=n_rotated)
    assert_array_equal(
        convert_rotary_layout(rotated, "interleaved", "half", n_rotated=n_rotated),
        apply_rotary(there, positions, n_rotated=n_rotated, layout="half"),
    )
    assert_array_equal(convert_rotary_layout(x, "half", "half"), x)


def test_mixed_up_layouts_are_another_encoding():
    rng = np.random.default_rng(0)
    x, positions = rng.standard_normal((6, 8)), np.arange(6)
    assert not np.allclose(apply_rotary(x, positions), apply_rotary(x, positions, layout="half"))


class TestKernel:
    rng = np.random.default_rng(0)
    X = np.c_[rng.normal(size=40) * 100, rng.standard_normal((40, 6))]

    def test_is_the_inner_product_of_encoded_rows(self):
        rotated = apply_rotary(self.X[:, 1:], self.X[:, 0])
        assert_allclose(rotary_kernel(self.X), rotated @ rotated.T, atol=1e-14)
        assert_allclose(rotary_kernel(self.X[:5], self.X), rotated[:5] @ rotated.T, atol=1e-14)

    def test_is_positive_definite_and_relative(self):
        K = rotary_kernel(self.X, base=100.0)
        assert_array_equal(K, K.T)
        assert np.linalg.eigvalsh(K).min() > -1e-12
        shifted = self.X + np.r_[1e6, np.zeros(6)]
        assert_allclose(rotary_kernel(shifted, base=100.0), K, atol=1e-12)

    def test_several_positions(self):
        K = rotary_kernel(self.X, columns=[0, -1])
        rotated = apply_rotary(self.X[:, 1:6], self.X[:, [0, 6]], sections=[2, 2])
        assert_allclose(K, rotated @ rotated.T, atol=1e-14)
        K = rotary_kernel(self.X, columns=[0], sections=[4])
        rotated = apply_rotary(self.X[:, 1:], self.X[:, 0], n_rotated=4)
        assert_allclose(K, rotated @ rotated.T, atol=1e-14)

    def test_in_a_support_vector_machine(self):
        """A rotating pattern: classes differ by the phase of the features to the position."""
        rng = np.random.default_rng(0)
        hours, relative = rng.uniform(0, 500, 300), rng.uniform(-np.pi, np.pi, 300)
        angles = relative - 2 * np.pi * hours / 24
        X, y = np.c_[hours, np.cos(angles), np.sin(angles)], relative > 0
        model = SVC(kernel=partial(rotary_kernel, frequencies=[2 * np.pi / 24]))
        scores = cross_val_score(clone(model), X, y, cv=3)
        assert scores.min() > 0.95
        plain = make_pipeline(FunctionTransformer(lambda X: X[:, 1:]), SVC(kernel="linear"))
        assert cross_val_score(plain, X, y, cv=3).max() < 0.7

    @pytest.mark.parametrize(
        "call, words",
        [
            (lambda X: rotary_kernel(X, columns=7), "columns must be indices"),
            (lambda X: rotary_kernel(X, columns=-8), "columns must be indices"),
            (lambda X: rotary_kernel(X, columns=0.5), "columns must be indices"),
            (lambda X: rotary_kernel(X[0]), "X must be a matrix"),
        ],
    )
    def test_bad_arguments_are_refused(self, call, words):
        with pytest.raises(ValueError, match=words):
            call(self.X)

    def test_features_must_match(self):
        with pytest.raises(ValueError, match="as many features, got 7 and 4"):
            rotary_kernel(self.X, self.X[:, :4])


class TestLinearAttention:
    rng = np.random.default_rng(0)
    queries, keys = rng.standard_normal((2, 3, 9, 8)), rng.standard_normal((2, 3, 12, 8))
    values = rng.standard_normal((2, 3, 12, 5))
    m, n = np.arange(9) * 2.0, np.arange(12) + 3.0

    def attend(self, queries, keys):
        """Weight by weight, with sums of outer products nowhere."""
        numerators = apply_rotary(queries, self.m) @ np.swapaxes(apply_rotary(keys, self.n), -1, -2)
        denominators = (queries @ np.swapaxes(keys, -1, -2)).sum(axis=-1, keepdims=True)
        return numerators @ self.values / denominators

    def test_is_the_quadratic_form(self):
        found = rotary_linear_attention(self.queries, self.keys, self.values, self.m, self.n)
        features = [np.where(a > 0, a + 1, np.exp(a)) for a in (self.queries, self.keys)]
        assert_allclose(found, self.attend(*features), atol=1e-13)

    def test_own_features(self):
        q, k = np.abs(self.queries), np.abs(self.keys)
        found = rotary_linear_attention(q, k, self.values, self.m, self.n, feature_map=None)
        assert_allclose(found, self.attend(q, k), atol=1e-13)

    def test_only_relative_positions_count(self):
        first, second = (
            rotary_linear_attention(self.queries, self.keys, self.values, self.m + a, self.n + a)
            for a in (0.0, 12345.0)
        )
        assert_allclose(second, first, atol=1e-12)

    def test_without_rotation_it_is_a_mean(self):
        ones = np.ones((2, 3, 12, 1))
        found = rotary_linear_attention(self.queries, self.keys, ones, self.m, self.n, n_rotated=0)
        assert_allclose(found, 1.0, rtol=1e-14)

    def test_self_attention(self):
        found = rotary_linear_attention(self.keys, self.keys, self.values, self.n)
        explicit = rotary_linear_attention(self.keys, self.keys, self.values, self.n, self.n)
        assert_array_equal(found, explicit)

    @pytest.mark.parametrize(
        "changes, words",
        [
            ({"values": values[..., :3, :]}, "keys and values must have as many rows"),
            ({"queries": queries[..., :4]}, "queries and keys must have as many features"),
            ({"feature_map": None}, "must not be negative"),
            ({"feature_map": "softmax"}, "feature_map must be 'elu' or None"),
            ({"feature_map": None, "queries": 0 * queries, "keys": 0 * keys}, "sum to zero"),
        ],
    )
    def test_bad_arguments_are_refused(self, changes, words):
        arguments = {"queries": self.queries, "keys": self.keys, "values": self.values} | changes
        feature_map = arguments.pop("feature_map", "elu")
        with pytest.raises(ValueError, match=words):
            rotary_linear_attention(
                **arguments,
                query_positions=self.m,
                key_positions=self.n,
                feature_map=feature_map,
            )


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: apply_rotary(3.0, 1.0), "at least one axis"),
        (lambda: apply_rotary(["a"], 1.0), "x must hold real numbers"),
        (lambda: apply_rotary([1j], 1.0), "x must hold real numbers"),
        (lambda: apply_rotary([1.0, 2.0], "a"), "positions must be numbers"),
        (lambda: apply_rotary([1.0, 2.0], np.nan), "positions must be finite"),
        (lambda: apply_rotary(np.ones((3, 2)), [1.0, 2.0]), "positions must broadcast"),
        (lambda: apply_rotary(np.ones(2), [[1.0]]), "positions must broadcast"),
        (lambda: apply_rotary(np.ones(4), [1.0, 2.0, 3.0], sections=[2, 2]), "last axis of 2"),
        (lambda: apply_rotary(np.ones(2), 1e20), "positions up to 1e.20 are beyond"),
        (lambda: apply_rotary(np.ones(2), 1.0, n_rotated=3), "n_rotated must be"),
        (lambda: apply_rotary(np.ones(2), 1.0, base=0.0), "base must be"),
        (lambda: apply_rotary(np.ones(2), 1.0, layout="other"), "layout must be"),
        (lambda: apply_rotary(np.ones(2), 1.0, xpos="other"), "xpos must be"),
        (lambda: apply_rotary(np.ones(2), 1.0, xpos="key", xpos_length=0), "xpos_length"),
        (lambda: apply_rotary(np.ones(2), 1.0, xpos="key", xpos_center=np.inf), "xpos_center"),
        (lambda: convert_rotary_layout([1, 2], "half", "llama"), "target must be"),
        (lambda: convert_rotary_layout([1, 2], "llama", "half"), "source must be"),
        (lambda: convert_rotary_layout([1, 2], "half", "half", n_rotated=3), "n_rotated must be"),
        (lambda: convert_rotary_layout(1, "half", "half"), "at least one axis"),
        (lambda: rotary_frequencies(-2), "n_rotated must be"),
        (lambda: rotary_frequencies(8, factor=np.inf), "factor must be"),
        (lambda: rotary_frequencies(8, scaling="yarn", original_length=-1), "original_length"),
    ],
)
def test_bad_arguments_are_refused(call, words):
    with pytest.raises((ValueError, TypeError), match=words):
        call()


@pytest.mark.parametrize("n_rotated", [1, 2, 5, 7, 8])
def test_frequencies_of_odd_numbers_of_features_are_those_of_their_pairs(n_rotated):
    n = n_rotated // 2
    found, _ = rotary_frequencies(n_rotated, base=50.0)
    assert_allclose(found, [50.0 ** (-i / n) for i in range(n)], rtol=1e-15)
