"""RotaryEncoder: relative positions, axes, scalings, inverse, decay."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from skextra.preprocessing import RotaryEncoder, apply_rotary, rotary_frequencies

SCALINGS = [
    {},
    {"scaling": "linear", "factor": 4.0},
    {"scaling": "ntk", "factor": 4.0},
    {"scaling": "dynamic", "factor": 2.0, "original_length": 50, "scaling_params": {"length": 90}},
    {"scaling": "ntk-fixed", "factor": 4.0},
    {"scaling": "ntk-mixed", "factor": 4.0, "scaling_params": {"exponent": 0.5}},
    {"scaling": "ntk-by-parts", "factor": 4.0, "original_length": 100},
    {"scaling": "yarn", "factor": 4.0, "original_length": 100, "scaling_params": {"ramp": (1, 9)}},
    {"scaling": "yarn-transformers", "factor": 4.0, "original_length": 100},
    {"scaling": "llama3", "factor": 4.0, "original_length": 100},
    {"base": 500.0},
    {"frequencies": [1.0, 0.25, 0.125]},
]


@parametrize_with_checks(
    [
        RotaryEncoder(layout="half", keep_positions=True),
        RotaryEncoder(-1, xpos="key", xpos_length=100.0, origin="min"),
        RotaryEncoder(scaling="yarn", factor=2.0, original_length=10.0, n_rotated=0),
        RotaryEncoder(dtype=np.float32),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def make_data(n=100, d=7, seed=0):
    rng = np.random.default_rng(seed)
    return np.c_[rng.integers(-50, 50, n), rng.standard_normal((n, d))]


@pytest.mark.parametrize("parameters", SCALINGS)
@pytest.mark.parametrize("layout", ["interleaved", "half"])
def test_rows_are_rotated_as_arrays_are(parameters, layout):
    X = make_data(d=6)
    encoded = RotaryEncoder(layout=layout, **parameters).fit_transform(X)
    expected = apply_rotary(X[:, 1:], X[:, 0], layout=layout, **parameters)
    assert_allclose(encoded, expected, rtol=0, atol=3e-15)


@pytest.mark.parametrize("d", [1, 2, 5, 8, 33])
@pytest.mark.parametrize("layout", ["interleaved", "half"])
def test_norms_are_kept_and_odd_columns_stay(d, layout):
    X = make_data(d=d)
    encoded = RotaryEncoder(layout=layout).fit_transform(X)
    assert_allclose(np.linalg.norm(encoded, axis=1), np.linalg.norm(X[:, 1:], axis=1), rtol=3e-15)
    if d % 2:
        assert_array_equal(encoded[:, -1], X[:, -1])


@pytest.mark.parametrize("offset", [0.0, 1e4, 1e6, 1.7e9])
@pytest.mark.parametrize("parameters", SCALINGS[:10])
def test_inner_products_depend_on_relative_positions_alone(offset, parameters):
    X = make_data(d=24)
    reference = RotaryEncoder(**parameters).fit_transform(X)
    shifted = RotaryEncoder(**parameters).fit_transform(X + np.r_[offset, np.zeros(24)])
    gram = reference @ reference.T
    assert_allclose(shifted @ shifted.T, gram, rtol=0, atol=2e-14 * np.abs(gram).max())


def test_an_origin_changes_no_inner_product():
    X = make_data(d=8)
    X[:, 0] += 1.7e9
    plain = RotaryEncoder().fit_transform(X)
    moved = RotaryEncoder(origin="min").fit(X)
    assert moved.origin_[0] == X[:, 0].min()
    encoded = moved.transform(X)
    assert_allclose(encoded @ encoded.T, plain @ plain.T, atol=1e-13)
    assert_array_equal(
        encoded, RotaryEncoder().fit_transform(X - np.r_[X[:, 0].min(), np.zeros(8)])
    )


def test_partial_rotation():
    X = make_data(d=9)
    encoded = RotaryEncoder(n_rotated=5, layout="half").fit_transform(X)
    assert_array_equal(encoded[:, 4:], X[:, 5:])
    assert_allclose(
        encoded[:, :4], apply_rotary(X[:, 1:5], X[:, 0], layout="half"), rtol=0, atol=3e-15
    )


class TestAxes:
    rng = np.random.default_rng(1)
    X = np.c_[
        rng.standard_normal((60, 3)), rng.uniform(-90, 90, 60), rng.standard_normal((60, 4)),
        rng.uniform(-180, 180, 60), rng.standard_normal((60, 6)), np.arange(60) * 3600.0,
    ]  # fmt: skip
    positions, features = [3, 8, 15], [0, 1, 2, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14]

    def test_each_rotates_a_section(self):
        encoder = RotaryEncoder(self.positions, base=100.0).fit(self.X)
        encoded, features = encoder.transform(self.X), self.X[:, self.features]
        for axis, j in enumerate(self.positions):
            part = slice(4 * axis, 4 * axis + 4)
            expected = apply_rotary(features[:, part], self.X[:, j], base=100.0)
            assert_allclose(encoded[:, part], expected, rtol=0, atol=3e-15)
        assert_array_equal(encoded[:, 12:], features[:, 12:])

    def test_given_sections(self):
        encoder = RotaryEncoder(self.positions, sections=[2, 5, 6], layout="half")
        encoded = encoder.fit_transform(self.X)
        features = self.X[:, self.features]
        expected = apply_rotary(
            features, self.X[:, self.positions], sections=[2, 5, 6], layout="half"
        )
        assert_allclose(encoded, expected, rtol=0, atol=3e-15)
        assert_array_equal(encoded[:, 6], features[:, 6])

    def test_relative_in_every_coordinate(self):
        shift = np.zeros(16)
        shift[self.positions] = [5.0, -11.0, 1e6]
        first, second = (
            RotaryEncoder(self.positions).fit_transform(X) for X in (self.X, self.X + shift)
        )
        assert_allclose(second @ second.T, first @ first.T, atol=1e-12)

    @pytest.mark.parametrize("keep", [False, True])
    def test_inverse(self, keep):
        encoder = RotaryEncoder(self.positions, keep_positions=keep, origin="min").fit(self.X)
        encoded = encoder.transform(self.X)
        given = {} if keep else {"positions": self.X[:, self.positions]}
        assert_allclose(encoder.inverse_transform(encoded, **given), self.X, atol=2e-14)


@pytest.mark.parametrize("parameters", [*SCALINGS, {"xpos": "query"}, {"xpos": "key"}])
@pytest.mark.parametrize("dtype, atol", [(np.float64, 1e-14), (np.float32, 2e-6)])
def test_inverse(parameters, dtype, atol):
    X = make_data(d=7).astype(dtype)
    parameters = {"n_rotated": 6, **parameters}
    for encoder in (RotaryEncoder(**parameters), RotaryEncoder(keep_positions=True, **parameters)):
        encoded = encoder.fit_transform(X)
        assert encoded.dtype == dtype
        restored = encoder.inverse_transform(encoded, X[:, 0])
        assert restored.dtype == dtype
        assert_allclose(restored, X, rtol=0, atol=atol)
    assert_allclose(encoder.inverse_transform(encoded), X, rtol=0, atol=atol)


def test_inverse_needs_positions():
    X = make_data()
    encoder = RotaryEncoder().fit(X)
    encoded = encoder.transform(X)
    with pytest.raises(ValueError, match="positions are needed"):
        encoder.inverse_transform(encoded)
    with pytest.raises(ValueError, match=r"positions must have shape \(100, 1\)"):
        encoder.inverse_transform(encoded, X[:3, 0])
    with pytest.raises(ValueError, match="X must have 7 features, got 8"):
        encoder.inverse_transform(X, X[:, 0])


def test_xpos_products_are_relative_too():
    X = make_data(d=8)
    for center in (0.0, 30.0):
        products = []
        for offset in (0.0, 300.0):
            shifted = X + np.r_[offset, np.zeros(8)]
            q, k = (
                RotaryEncoder(xpos=side, xpos_center=center).fit_transform(shifted)
                for side in ("query", "key")
            )
            products.append(q @ k.T)
        assert_allclose(*products, atol=1e-11)


def test_dates_as_positions():
    times = pd.date_range("2024-01-01", periods=30, freq="90min")
    features = np.random.default_rng(0).standard_normal((30, 4))
    frame = pd.DataFrame(features, columns=list("abcd"))
    frame.insert(2, "t", times)
    daily = [2 * np.pi / 86400, 2 * np.pi / (7 * 86400)]
    encoder = RotaryEncoder("t", frequencies=daily, keep_positions=True)
    encoded = encoder.fit_transform(frame)
    seconds = times.to_numpy().astype("M8[s]").astype(float)
    assert_array_equal(encoded[:, 0], seconds)
    assert_allclose(encoded[:, 1:], apply_rotary(features, seconds, frequencies=daily), atol=1e-14)
    assert encoder.get_feature_names_out().tolist() == ["t", *"abcd"]
    restored = encoder.inverse_transform(encoded)
    assert_allclose(restored, np.insert(features, 2, seconds, axis=1), atol=1e-14)
    out = encoder.set_output(transform="polars").transform(pl.from_pandas(frame))
    assert out.columns == ["t", *"abcd"]
    later = RotaryEncoder("t", frequencies=daily, origin="2024-01-01", keep_positions=True)
    moved = later.fit_transform(frame)
    assert_array_equal(moved[:, 0], seconds - seconds[0])
    assert_allclose(later.inverse_transform(moved), restored, atol=1e-14)


def test_dates_among_the_features_are_refused():
    frame = pd.DataFrame({"a": [1.0, 2.0], "t": pd.to_datetime(["2024-01-01", "2024-01-02"])})
    with pytest.raises(ValueError, match="dates among the features"):
        RotaryEncoder("a").fit(frame)


@pytest.mark.parametrize("n_axes", [1, 2])
def test_abels_bound_holds(n_axes):
    rng = np.random.default_rng(0)
    n_pairs, deltas = 16, np.r_[0.0, 1.0, 3.5, 100.0, 1e5]
    X = np.c_[np.zeros((4, n_axes)), rng.standard_normal((4, 2 * n_pairs))]
    encoder = RotaryEncoder(list(range(n_axes)), scaling="yarn", factor=3.0, original_length=64)
    encoder.fit(X)
    pairs = X[:, n_axes::2] + 1j * X[:, n_axes + 1 :: 2]
    if n_axes == 2:
        deltas = np.c_[deltas, deltas[::-1]]
    bounds = encoder.decay_bound(deltas)
    assert bounds.shape == (5,)
    assert (
        bounds[0] == pytest.approx(encoder.amplitude_**2 * n_pairs * (n_pairs + 1) / 2, rel=1e-12)
        or n_axes == 2
    )
    for delta, bound in zip(deltas, bounds):
        moved = X.copy()
        moved[:, :n_axes] += delta
        products = encoder.transform(moved) @ encoder.transform(X).T
        for q in range(4):
            for k in range(4):
                h = np.append(pairs[q] * pairs[k].conj(), 0.0)
                assert abs(products[q, k]) <= np.abs(np.diff(h)).max() * bound * (1 + 1e-12)


def test_bound_falls_with_the_distance():
    encoder = RotaryEncoder().fit(np.ones((2, 129)))
    means = [encoder.decay_bound(np.arange(a, a + 50.0)).mean() for a in (0, 50, 200)]
    assert means == sorted(means, reverse=True)
    with pytest.raises(ValueError, match="xpos=None"):
        RotaryEncoder(xpos="key").fit(np.ones((2, 5))).decay_bound(1.0)
    with pytest.raises(ValueError, match="last axis of 2"):
        RotaryEncoder([0, 1]).fit(np.ones((2, 6))).decay_bound([1.0])


@pytest.mark.parametrize(
    "parameters, words",
    [
        ({"n_rotated": 9}, "n_rotated must be an integer from 0 to .*7"),
        ({"sections": [3, 3]}, "sections must be 1 integers"),
        ({"sections": [8]}, "sum to at most the number of features, 7"),
        ({"sections": [4], "n_rotated": 6}, "n_rotated=6 does not go with sections"),
        ({"sections": [-2]}, "sections"),
        ({"frequencies": [1.0]}, "3 finite numbers, one per pair"),
        ({"frequencies": [1.0, np.nan, 2.0]}, "finite"),
        ({"frequencies": ["a", "b", "c"]}, "frequencies must be numbers"),
        ({"frequencies": [1.0, 2.0, 3.0], "scaling": "ntk"}, "does not go with given frequencies"),
        ({"scaling": "magic"}, "scaling must be None or among linear, ntk"),
        ({"scaling": "yarn", "factor": 2.0}, "scaling='yarn' needs original_length"),
        ({"scaling": "ntk", "factor": 0.5}, "factor"),
        ({"scaling": "ntk", "scaling_params": {"ramp": (1, 2)}}, "holds 'ramp'"),
        (
            {"scaling": "yarn", "original_length": 9, "scaling_params": {"ramp": (4, 2)}},
            "two rising numbers",
        ),
        ({"scaling": "ntk-mixed", "scaling_params": {"exponent": -1}}, "must be positive"),
        ({"xpos": "both"}, "xpos"),
        ({"layout": "blocks"}, "layout"),
        ({"columns": 8}, "columns=8 is out of range"),
        ({"columns": list(range(8))}, "there must be others to rotate"),
        ({"dtype": int}, "dtype must be"),
    ],
)
def test_bad_parameters_are_refused(parameters, words):
    with pytest.raises((ValueError, TypeError), match=words):
        RotaryEncoder(**parameters).fit(make_data())


def test_overflow_is_an_error():
    X = np.array([[1.0, 1.7e308, 1.7e308], [2.0, 1.7e308, -1.7e308]])
    with pytest.raises(ValueError, match="overflow"):
        RotaryEncoder().fit_transform(X)
    with pytest.raises(ValueError, match="X holds positions up to"):
        RotaryEncoder().fit([[1e20, 1.0, 1.0]])


def test_same_bits_in_any_batch():
    X = make_data(n=300, d=40)
    X[100:, 0] += np.random.default_rng(0).normal(size=200)
    encoder = RotaryEncoder().fit(X)
    whole = encoder.transform(X)
    for rows in (slice(0, 1), slice(40, 170), slice(299, 300), np.arange(300)[::-7]):
        assert_array_equal(encoder.transform(X[rows]), whole[rows])


def test_frequencies_and_amplitude_are_attributes():
    encoder = RotaryEncoder(scaling="yarn", factor=4.0, original_length=10.0).fit(make_data(d=8))
    frequencies, amplitude = rotary_frequencies(8, scaling="yarn", factor=4.0, original_length=10.0)
    assert_array_equal(encoder.frequencies_[0], frequencies)
    assert encoder.amplitude_ == amplitude > 1


def test_in_front_of_a_kernel_machine():
    """A pattern that turns with time: the class is the direction relative to the hour hand."""
    rng = np.random.default_rng(0)
    hours = rng.uniform(0, 240, 400)
    relative = rng.uniform(-np.pi, np.pi, 400)
    angles = relative + 2 * np.pi * hours / 24
    X = np.c_[hours, np.cos(angles), np.sin(angles)]
    y = relative > 0
    turned_back = RotaryEncoder(frequencies=[-2 * np.pi / 24])
    model = make_pipeline(turned_back, SVC(kernel="linear")).fit(X[:300], y[:300])
    assert model.score(X[300:], y[300:]) > 0.95
    assert SVC(kernel="linear").fit(X[:300, 1:], y[:300]).score(X[300:, 1:], y[300:]) < 0.7
