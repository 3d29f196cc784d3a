"""SinusoidalEncoder: the published definitions, its kernel, its inverse, its modes."""

import mpmath
import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import make_column_transformer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from skextra.preprocessing import SinusoidalEncoder

POSITIONS = np.r_[np.arange(120.0), 0.3, -7.25, 4096.0, 1.7e9][:, None]


@parametrize_with_checks(
    [
        SinusoidalEncoder(n_components=3, layout="blocks"),
        SinusoidalEncoder(spacing="tensor2tensor", mode="append"),
        SinusoidalEncoder(periods=[2.0, 5.0], n_harmonics=2, handle_missing="zero"),
        SinusoidalEncoder(handle_missing="propagate", origin="min"),
        SinusoidalEncoder(dtype=np.float32),
        SinusoidalEncoder(n_components=20, base="auto"),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def encode_paper(x, d, base):
    """PE(2i) = sin(x / base^(2i/d)), PE(2i+1) the cosine, at 50 digits."""
    with mpmath.workdps(50):
        rows = []
        for value in x.ravel():
            angles = [
                mpmath.mpf(float(value)) / mpmath.mpf(base) ** (mpmath.mpf(2 * (j // 2)) / d)
                for j in range(d)
            ]
            rows.append([mpmath.cos(a) if j % 2 else mpmath.sin(a) for j, a in enumerate(angles)])
        return np.array(rows, dtype=np.float64)


def encode_tensor2tensor(x, d, base):
    n = d // 2
    with mpmath.workdps(50):
        scales = [mpmath.mpf(base) ** (-mpmath.mpf(i) / max(n - 1, 1)) for i in range(n)]
        rows = []
        for value in x.ravel():
            angles = [mpmath.mpf(float(value)) * s for s in scales]
            rows.append([*map(mpmath.sin, angles), *map(mpmath.cos, angles)] + [0] * (d % 2))
        return np.array(rows, dtype=np.float64)


@pytest.mark.parametrize("d", [1, 2, 5, 16, 37])
@pytest.mark.parametrize("base", [10000.0, 37.5])
def test_the_papers_definition(d, base):
    encoded = SinusoidalEncoder(n_components=d, base=base).fit_transform(POSITIONS)
    assert_allclose(encoded, encode_paper(POSITIONS, d, base), rtol=0, atol=5e-16)


@pytest.mark.parametrize("d", [1, 2, 5, 16, 37])
def test_tensor2tensors_definition(d):
    encoder = SinusoidalEncoder(n_components=d, spacing="tensor2tensor", layout="blocks")
    expected = encode_tensor2tensor(POSITIONS, d, 10000.0)
    assert_allclose(encoder.fit_transform(POSITIONS), expected, rtol=0, atol=5e-16)


@pytest.mark.parametrize("d", [1, 4, 7, 40])
@pytest.mark.parametrize("spacing", ["paper", "tensor2tensor"])
def test_layouts_are_permutations(d, spacing):
    pairs, blocks = (
        SinusoidalEncoder(n_components=d, spacing=spacing, layout=layout).fit(POSITIONS)
        for layout in ("interleaved", "blocks")
    )
    order = [list(pairs.get_feature_names_out()).index(n) for n in blocks.get_feature_names_out()]
    assert sorted(order) == list(range(d))
    assert_array_equal(pairs.transform(POSITIONS)[:, order], blocks.transform(POSITIONS))


@pytest.mark.parametrize("dtype, atol", [(np.float64, 5e-16), (np.float32, 6.1e-8)])
def test_output_types(dtype, atol):
    encoder = SinusoidalEncoder(dtype=dtype)
    encoded = encoder.fit_transform(POSITIONS)
    assert encoded.dtype == dtype
    assert_allclose(encoded, encode_paper(POSITIONS, 16, 1e4), rtol=0, atol=atol)
    # A float32 position is a number like any other: its phase is not rounded.
    X = POSITIONS[:-1].astype(np.float32)
    assert SinusoidalEncoder().fit_transform(X).dtype == np.float32
    assert_array_equal(
        SinusoidalEncoder(dtype=np.float64).fit_transform(X),
        SinusoidalEncoder().fit_transform(X.astype(np.float64)),
    )


@pytest.mark.parametrize("offset", [0.0, 1e4, 1e6, 1.7e9, 1e12])
@pytest.mark.parametrize("unit", [1.0, 0.125])
def test_inner_products_depend_on_distance_alone(offset, unit):
    x = unit * np.arange(100.0)[:, None]
    encoder = SinusoidalEncoder(32).fit(x)
    encoded = encoder.transform(x + offset)
    gram = encoded @ encoded.T
    assert_allclose(gram, encoder.kernel(x - x.T), rtol=0, atol=5e-14)
    assert_allclose(np.diag(gram), 32.0, rtol=1e-14)


def test_kernel_of_several_columns_is_the_sum():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 3)) * [1.0, 10.0, 1000.0]
    encoder = SinusoidalEncoder(6, periods=None, origin="min").fit(X)
    encoded = encoder.transform(X)
    delta = X[:, None] - X[None]
    assert_allclose(encoder.kernel(delta), encoded @ encoded.T, atol=1e-12)
    assert encoder.kernel(np.zeros(3)) == pytest.approx(18.0)
    with pytest.raises(ValueError, match="last axis of 3"):
        encoder.kernel(np.zeros(2))


def test_kernel_needs_pairs():
    with pytest.raises(ValueError, match="even width"):
        SinusoidalEncoder(n_components=5).fit(POSITIONS).kernel(0.0)
    padded = SinusoidalEncoder(n_components=5, spacing="tensor2tensor").fit(POSITIONS)
    assert padded.kernel(0.0) == 2.0


@pytest.mark.parametrize("length", [300.0, 2000.0])
def test_automatic_base_keeps_the_kernel_non_negative(length):
    X = np.array([[-5.0], [length - 5.0]])
    encoder = SinusoidalEncoder(16, base="auto").fit(X)
    distances = np.linspace(0, length, 50_001)
    assert encoder.kernel(distances).min() > -1e-12
    assert encoder.kernel(np.linspace(0, 30 * length, 50_001)).min() < 0
    smaller = SinusoidalEncoder(16, base=encoder.base_[0] / 1.001).fit(X)
    assert smaller.kernel(distances).min() < 1e-2


def test_automatic_base_is_each_columns_own():
    X = np.array([[0.0, 0.0, np.nan], [10.0, 1000.0, 3.0]])
    encoder = SinusoidalEncoder(8, base="auto", handle_missing="zero").fit(X)
    assert encoder.base_[0] < encoder.base_[1]
    assert encoder.base_[2] == 1.0


def test_automatic_base_that_there_is_not():
    with pytest.raises(ValueError, match="base='auto' found no base.*2 pairs"):
        SinusoidalEncoder(2, base="auto").fit([[0.0], [100.0]])
    with pytest.raises(ValueError, match="base='auto' covers ranges"):
        SinusoidalEncoder(base="auto").fit([[0.0], [1e8]])


def test_calendar_periods():
    times = pd.DataFrame({"t": pd.to_datetime(["2024-02-29 18:00", "2025-03-07 06:00"])})
    encoded = SinusoidalEncoder(periods=["day", "week", "year"]).fit_transform(times)
    days = np.array([19782.75, 20154.25])
    for i, length in enumerate((1.0, 7.0, 365.2425)):
        angles = 2 * np.pi * days / length
        pair = np.c_[np.sin(angles), np.cos(angles)]
        assert_allclose(encoded[:, 2 * i : 2 * i + 2], pair, atol=1e-10)


def test_hour_23_is_beside_hour_0():
    """The mistake of encoders that take the largest hour seen for the period."""
    hours = np.arange(24.0)[:, None]
    encoded = SinusoidalEncoder(periods=24.0).fit_transform(hours)
    steps = np.linalg.norm(encoded - np.roll(encoded, 1, axis=0), axis=1)
    assert_allclose(steps, steps[0])


def test_harmonics():
    x = np.linspace(0, 30, 50)[:, None]
    encoder = SinusoidalEncoder(periods=[7.0, 3.0], n_harmonics=2).fit(x)
    each = SinusoidalEncoder(periods=[7.0, 3.5, 3.0, 1.5]).fit(x)
    assert_allclose(encoder.transform(x), each.transform(x), atol=5e-16)
    names = encoder.get_feature_names_out().tolist()
    assert names == [f"x0_{p}_{f}{h}" for p in (7, 3) for h in (1, 2) for f in ("sin", "cos")]


@pytest.mark.parametrize("mode", ["replace", "append"])
@pytest.mark.parametrize("spacing", ["paper", "tensor2tensor"])
@pytest.mark.parametrize("layout", ["interleaved", "blocks"])
@pytest.mark.parametrize("width", [16, 17])
def test_inverse_gives_the_positions_back(mode, spacing, layout, width):
    rng = np.random.default_rng(0)
    X = np.c_[rng.uniform(-3000, 3000, 200), rng.normal(size=200), rng.uniform(0, 50, 200)]
    encoder = SinusoidalEncoder(
        n_components=width, spacing=spacing, layout=layout, mode=mode, columns=[2, 0], origin=3.0
    )
    encoded = encoder.fit(X).transform(X)
    assert_allclose(encoder.inverse_transform(encoded), X, rtol=0, atol=1e-11)
    low, high = encoder.inverse_range_[1]
    period = 2 * np.pi / encoder.frequencies_[1][: width // 2].min()
    assert high - low == pytest.approx(period)
    assert low < X[:, 0].min() - 3 and X[:, 0].max() - 3 < high


def test_inverse_in_float32():
    X = np.linspace(-400, 400, 1000)[:, None]
    encoder = SinusoidalEncoder(dtype=np.float32).fit(X)
    assert_allclose(encoder.inverse_transform(encoder.transform(X)), X, rtol=0, atol=1e-6)


def test_inverse_beyond_its_range_is_a_period_off():
    encoder = SinusoidalEncoder(periods=[10.0, 5.0]).fit([[0.0], [8.0]])
    assert_allclose(encoder.inverse_range_, [[-1.0, 9.0]])
    assert_allclose(encoder.inverse_transform(encoder.transform([[9.5], [8.5]])), [[-0.5], [8.5]])


def test_inverse_of_dates():
    times = pd.date_range("2024-01-01", periods=500, freq="61min")
    X = pd.DataFrame({"t": times})
    for origin in (None, "min", "2024-01-03"):
        encoder = SinusoidalEncoder(periods=["day", "year"], origin=origin).fit(X)
        restored = encoder.inverse_transform(encoder.transform(X))
        assert restored.dtype == "M8[us]"
        assert_array_equal(restored[:, 0], times.to_numpy())
    X["a"], X["d"] = np.arange(500.0), times - times[0]
    encoder = SinusoidalEncoder(periods=["hour", "year"], columns=["t", "d"]).fit(X)
    restored = encoder.inverse_transform(encoder.transform(X))
    assert restored.dtype == object
    assert_array_equal(restored[:, 0].astype("M8[us]"), times.to_numpy())
    assert_array_equal(restored[:, 1].astype(float), X["a"])
    assert_array_equal(restored[:, 2].astype("m8[us]"), X["d"].to_numpy())


def test_inverse_of_missing_values():
    X = np.array([[1.0], [np.nan], [3.0]])
    for handling in ("zero", "propagate"):
        encoder = SinusoidalEncoder(handle_missing=handling).fit(X)
        assert_allclose(encoder.inverse_transform(encoder.transform(X)), X, atol=1e-12)
    times = pd.DataFrame({"t": pd.to_datetime(["2024-01-01", None])})
    encoder = SinusoidalEncoder(periods="year", handle_missing="zero").fit(times)
    restored = encoder.inverse_transform(encoder.transform(times))
    assert_array_equal(restored[:, 0], times["t"].to_numpy())


def test_inverse_that_there_is_not():
    added = SinusoidalEncoder(columns=0, mode="add").fit(np.ones((3, 3)))
    with pytest.raises(AttributeError, match="inverse_transform"):
        added.inverse_transform(np.ones((3, 2)))
    lone = SinusoidalEncoder(n_components=1).fit(POSITIONS)
    assert np.isnan(lone.inverse_range_).all()
    with pytest.raises(ValueError, match="pair of sine and cosine"):
        lone.inverse_transform(np.ones((2, 1)))
    with pytest.raises(ValueError, match="X must have 16 features, got 3"):
        SinusoidalEncoder().fit(POSITIONS).inverse_transform(np.ones((2, 3)))


class TestModes:
    X = np.c_[np.arange(30.0), np.random.default_rng(0).normal(size=(30, 5))]

    def encode(self, **parameters):
        return SinusoidalEncoder(**parameters).fit_transform(self.X)

    def test_replace_and_append(self):
        alone = SinusoidalEncoder(4).fit_transform(self.X[:, [2]])
        replaced = self.encode(n_frequencies=4, columns=2)
        assert_array_equal(replaced, np.c_[np.delete(self.X, 2, axis=1), alone])
        appended = self.encode(n_frequencies=4, columns=2, mode="append")
        assert_array_equal(appended, np.c_[self.X, alone])

    @pytest.mark.parametrize("layout", ["interleaved", "blocks"])
    def test_add_and_multiply(self, layout):
        alone = SinusoidalEncoder(n_components=5, layout=layout).fit_transform(self.X[:, [0]])
        added = self.encode(columns=0, mode="add", layout=layout)
        assert_array_equal(added, self.X[:, 1:] + alone)
        multiplied = self.encode(columns=0, mode="multiply", layout=layout)
        assert_array_equal(multiplied, self.X[:, 1:] * alone)

    def test_several_positions_share_the_width(self):
        encoded = self.encode(columns=[0, 3], mode="add")
        parts = [SinusoidalEncoder(n_components=2).fit_transform(self.X[:, [j]]) for j in (0, 3)]
        assert_array_equal(encoded, self.X[:, [1, 2, 4, 5]] + np.column_stack(parts))
        uneven = self.encode(columns=[0, 3, 4], mode="add")
        ones = [SinusoidalEncoder(n_components=1).fit_transform(self.X[:, [j]]) for j in (0, 3, 4)]
        assert_array_equal(uneven, self.X[:, [1, 2, 5]] + np.column_stack(ones))

    def test_periods_must_fit(self):
        encoded = self.encode(columns=[0, 1], mode="add", periods=[5.0])
        assert encoded.shape == (30, 4)
        with pytest.raises(ValueError, match="as many as the encoding is wide"):
            self.encode(columns=0, mode="add", periods=[5.0])

    @pytest.mark.parametrize("parameters", [{}, {"columns": [0, 1, 2, 3]}])
    def test_there_must_be_other_features(self, parameters):
        with pytest.raises(ValueError, match="needs other features"):
            self.encode(mode="add", **parameters)

    def test_given_width_must_fit(self):
        assert self.encode(columns=0, mode="add", n_components=5).shape == (30, 5)
        with pytest.raises(ValueError, match="n_components=4 does not go with mode"):
            self.encode(columns=0, mode="add", n_components=4)

    def test_names(self):
        frame = pd.DataFrame(self.X, columns=list("tabcde"))
        for mode, expected in (
            ("replace", [*"abcde", "t_sin0", "t_cos0"]),
            ("append", [*"tabcde", "t_sin0", "t_cos0"]),
            ("add", list("abcde")),
        ):
            encoder = SinusoidalEncoder(1, columns="t", mode=mode).fit(frame)
            assert encoder.get_feature_names_out().tolist() == expected
            for library, kind in (("pandas", pd.DataFrame), ("polars", pl.DataFrame)):
                out = encoder.set_output(transform=library).transform(frame)
                assert isinstance(out, kind) and list(out.columns) == expected


def test_missing_values():
    X = np.array([[1.0, 5.0], [np.nan, 6.0], [3.0, np.nan]])
    with pytest.raises(ValueError, match="NaN"):
        SinusoidalEncoder().fit(X)
    zero = SinusoidalEncoder(2, handle_missing="zero").fit_transform(X)
    passed = SinusoidalEncoder(2, handle_missing="propagate").fit_transform(X)
    missing = np.repeat(np.isnan(X), 4, axis=1)
    assert_array_equal(zero[missing], 0.0)
    assert np.isnan(passed[missing]).all()
    reference = SinusoidalEncoder(2).fit_transform(np.nan_to_num(X))
    assert_array_equal(zero[~missing], reference[~missing])
    assert_array_equal(passed[~missing], reference[~missing])
    with pytest.raises(ValueError, match="infinity"):
        SinusoidalEncoder(handle_missing="zero").fit([[np.inf]])
    # A gap in transform, where there was none in fit, is handled as well.
    later = SinusoidalEncoder(2, handle_missing="zero").fit(np.ones((3, 2))).transform(X)
    assert_array_equal(later[missing], 0.0)


@pytest.mark.parametrize("handling", ["zero", "propagate"])
def test_columns_that_are_missing_altogether(handling):
    X = np.c_[np.full(4, np.nan), np.arange(4.0)]
    for parameters in ({}, {"origin": "min"}, {"base": "auto"}):
        encoder = SinusoidalEncoder(4, handle_missing=handling, **parameters)
        encoded = encoder.fit_transform(X)
        assert np.isfinite(encoded[:, 8:]).all()
        assert (encoded[:, :8] == 0).all() if handling == "zero" else np.isnan(encoded[:, :8]).all()


@pytest.mark.parametrize(
    "parameters, words",
    [
        ({"periods": ["fortnight"]}, "among second, minute, .*'fortnight'"),
        ({"periods": [0.0]}, "periods must be positive and finite, got 0.0"),
        ({"periods": [-1]}, "positive and finite"),
        ({"periods": [np.inf]}, "positive and finite"),
        ({"periods": [1e-310]}, "positive and finite"),
        ({"periods": []}, "at least one period"),
        ({"periods": [None]}, "names or numbers, got None"),
        ({"periods": [True]}, "names or numbers, got True"),
        ({"dtype": "int32"}, "dtype must be None, float32 or float64"),
        ({"dtype": "nothing"}, "dtype must be None, float32 or float64"),
        ({"base": 0.5}, "'base' parameter"),
        ({"base": np.nan}, "'base' parameter"),
        ({"n_frequencies": 0}, "'n_frequencies' parameter"),
        ({"unit": "fortnight"}, "'unit' parameter"),
    ],
)
def test_bad_parameters_are_refused(parameters, words):
    with pytest.raises((ValueError, TypeError), match=words):
        SinusoidalEncoder(**parameters).fit(POSITIONS)


def test_positions_beyond_resolution_are_rejected():
    encoder = SinusoidalEncoder(periods=[1.0]).fit([[0.0], [8e12]])
    for X in ([[1e13]], [[-1e300]]):
        with pytest.raises(ValueError, match="X holds positions up to .* in feature 0"):
            encoder.transform(X)
        with pytest.raises(ValueError, match="X holds positions"):
            SinusoidalEncoder(periods=[1.0]).fit(X)
    with pytest.raises(ValueError, match="positions up to"):
        encoder.kernel(1e20)


def test_a_linear_model_learns_a_cycle():
    rng = np.random.default_rng(0)
    hours = rng.uniform(0, 24 * 400, (500, 1))
    y = 2 * np.sin(2 * np.pi * hours[:, 0] / 24) + 0.1 * rng.normal(size=500)
    model = make_pipeline(
        make_column_transformer((SinusoidalEncoder(periods=24.0), [0])), Ridge(1e-3)
    ).fit(hours[:300], y[:300])
    assert model.score(hours[300:], y[300:]) > 0.99
