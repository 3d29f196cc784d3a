"""Dates in every container become the same positions."""

import datetime
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest

from skextra.preprocessing import RotaryEncoder, SinusoidalEncoder
from skextra.preprocessing._columns import find_columns
from skextra.preprocessing._dates import Dates

START = np.datetime64("2024-03-01T12:00:00", "s")
TIMES = START + np.array([0, 1, 3600, 86400, -(10**6)]).astype("m8[s]")
SECONDS = TIMES.astype(np.int64).astype(float)


def encode(X, **parameters):
    return SinusoidalEncoder(periods=["day", "year"], **parameters).fit_transform(X)


REFERENCE = encode(SECONDS[:, None])
OBJECTS = [t.item() for t in TIMES]

CONTAINERS = {
    "pandas s": lambda: pd.DataFrame({"t": TIMES.astype("M8[s]")}),
    "pandas ns": lambda: pd.DataFrame({"t": TIMES.astype("M8[ns]")}),
    "pandas objects": lambda: pd.DataFrame({"t": pd.Series(OBJECTS, dtype=object)}),
    "pandas arrow": lambda: pd.DataFrame(
        {"t": pd.Series(TIMES.astype("M8[ns]")).astype("timestamp[ns][pyarrow]")}
    ),
    "polars us": lambda: pl.DataFrame({"t": OBJECTS}),
    "polars ms": lambda: pl.DataFrame({"t": OBJECTS}).cast(pl.Datetime("ms")),
    "numpy s": lambda: TIMES[:, None],
    "numpy 10 ms": lambda: TIMES.astype("M8[10ms]")[:, None],
    "numpy ns": lambda: TIMES.astype("M8[ns]")[:, None],
    "numpy objects": lambda: np.array([[t] for t in OBJECTS], dtype=object),
    "list": lambda: [[t] for t in OBJECTS],
    "list of datetime64": lambda: [[t] for t in TIMES],
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_dates_in_every_container(container):
    np.testing.assert_array_equal(encode(CONTAINERS[container]()), REFERENCE)


@pytest.mark.parametrize("unit, length", [("ms", 1e-3), ("h", 3600), ("D", 86400), ("ns", 1e-9)])
def test_unit_of_dates_and_of_numbers_named_periods(unit, length):
    np.testing.assert_allclose(encode(TIMES[:, None], unit=unit), REFERENCE, atol=1e-9)
    np.testing.assert_allclose(encode(SECONDS[:, None] / length, unit=unit), REFERENCE, atol=1e-9)
    # A numeric period is in the unit, too.
    day = SinusoidalEncoder(periods=[86400 / length], unit=unit).fit_transform(TIMES[:, None])
    np.testing.assert_allclose(day, REFERENCE[:, :2], atol=1e-9)


def test_whole_days_and_other_coarse_dates():
    days = np.array(["2024-01-01", "2024-07-01"], dtype="M8[D]")
    expected = encode(days.astype("M8[s]")[:, None])
    np.testing.assert_array_equal(encode(days[:, None]), expected)
    np.testing.assert_array_equal(encode(pl.DataFrame({"t": days.tolist()})), expected)
    np.testing.assert_array_equal(encode(days.astype("M8[M]")[:, None]), expected)
    dates = pd.DataFrame({"t": pd.Series([datetime.date(2024, 1, 1), datetime.date(2024, 7, 1)])})
    np.testing.assert_array_equal(encode(dates), expected)


def test_durations_and_times_of_day():
    hours = np.array([0, 6, 12]).astype("m8[h]")
    expected = SinusoidalEncoder(periods="day").fit_transform([[0.0], [21600.0], [43200.0]])
    for X in (
        hours[:, None],
        pd.DataFrame({"t": hours.astype("m8[ns]")}),
        pl.DataFrame({"t": hours.astype("m8[us]")}),
        pl.DataFrame({"t": [datetime.time(0), datetime.time(6), datetime.time(12)]}),
        [[datetime.timedelta(hours=h)] for h in (0, 6, 12)],
    ):
        np.testing.assert_array_equal(SinusoidalEncoder(periods="day").fit_transform(X), expected)


def test_time_zones_are_read_on_the_wall_clock():
    local = pd.date_range("2024-03-30 12:00", periods=4, freq="24h", tz="Europe/Paris")
    wall = local.tz_localize(None)  # an hour is lost on the second night
    expected = encode(pd.DataFrame({"t": wall}))
    np.testing.assert_array_equal(encode(pd.DataFrame({"t": local})), expected)
    frame = pl.DataFrame({"t": list(wall)}).with_columns(
        pl.col("t").dt.replace_time_zone("Europe/Paris")
    )
    np.testing.assert_array_equal(encode(frame), expected)
    aware = [[t.to_pydatetime()] for t in local]
    np.testing.assert_array_equal(encode(aware), expected)


def test_an_origin_is_subtracted_before_dates_become_floats():
    """A nanosecond since 1970 is beyond float64; since a near origin it is not."""
    times = np.datetime64("2024-03-01", "ns") + np.arange(5).astype("m8[ns]")
    encoder = SinusoidalEncoder(periods=[8.0], unit="ns", origin="min").fit(times[:, None])
    angles = 2 * np.pi * np.arange(5) / 8
    np.testing.assert_allclose(
        encoder.transform(times[:, None]), np.c_[np.sin(angles), np.cos(angles)], atol=1e-15
    )
    assert encoder.origin_[0] == np.datetime64("2024-03-01", "ns").astype(np.int64)


@pytest.mark.parametrize(
    "origin",
    ["2024-02-29", datetime.date(2024, 2, 29), np.datetime64("2024-02-29"),
     pd.Timestamp("2024-02-29"), ["2024-02-29"]],
)  # fmt: skip
def test_origins_of_dates(origin):
    shifted = TIMES - np.datetime64("2024-02-29")
    expected = encode(shifted.astype("m8[s]").astype(float)[:, None])
    np.testing.assert_array_equal(encode(TIMES[:, None], origin=origin), expected)


def test_origins_of_numbers():
    X = np.array([[5.0, 100.0], [7.0, 300.0]])
    for origin, shift in ((None, [0, 0]), (3, [3, 3]), ("min", [5, 100]), ([1, 2.5], [1, 2.5])):
        encoder = SinusoidalEncoder(4, origin=origin).fit(X)
        np.testing.assert_array_equal(encoder.origin_, shift)
        np.testing.assert_array_equal(
            encoder.transform(X), SinusoidalEncoder(4).fit_transform(X - shift)
        )


def test_several_columns_of_several_kinds():
    X = pd.DataFrame({"t": TIMES, "a": np.arange(5.0), "d": (TIMES - START), "b": range(5)})
    encoder = SinusoidalEncoder(periods=[7.0], columns=["t", "d", "b"], origin=[START, 0, "min"])
    encoder.fit(X)
    alone = [
        SinusoidalEncoder(periods=[7.0]).fit_transform(np.asarray(x, dtype=float)[:, None])
        for x in ((TIMES - START).astype(float), (TIMES - START).astype(float), X["b"])
    ]
    np.testing.assert_array_equal(encoder.transform(X), np.column_stack([X["a"], *alone]))
    np.testing.assert_array_equal(encoder.transform(pl.from_pandas(X)), encoder.transform(X))


REFUSED = {
    "text": (pd.DataFrame({"t": ["a", "b"]}), "could not convert string"),
    "text beside dates": (pd.DataFrame({"t": TIMES[:2], "a": ["x", "y"]}), "feature 1"),
    "missing date": (pd.DataFrame({"t": [TIMES[0], None]}), "NaT in feature 0"),
    "infinite number": (pd.DataFrame({"t": TIMES[:2], "a": [1, np.inf]}), "infinity"),
    "mixed objects": (np.array([[OBJECTS[0]], [3.0]], dtype=object), "mix dates"),
    "no rows": (pd.DataFrame({"t": TIMES[:0]}), "0 sample"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_tables_are_refused(case):
    X, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        encode(X)


@pytest.mark.parametrize("encoder", [SinusoidalEncoder(), RotaryEncoder()])
def test_columns_must_stay_of_their_kind(encoder):
    dates = pd.DataFrame({"t": TIMES, "a": 1.0})
    numbers = pd.DataFrame({"t": SECONDS, "a": 1.0})
    encoder = SinusoidalEncoder(columns="t") if isinstance(encoder, SinusoidalEncoder) else encoder
    for first, second, words in (
        (dates, numbers, "number in feature 0.*fitted on a datetime"),
        (numbers, dates, "datetime in feature 0.*fitted on a number"),
    ):
        with pytest.raises(ValueError, match=words):
            encoder.fit(first).transform(second)


@pytest.mark.parametrize(
    "origin, error, words",
    [
        ("now", (ValueError, TypeError), "origin"),
        (5.0, TypeError, "origin must be None, 'min' or a date"),
        ([START, START], ValueError, "one value, or one for each of the 1 columns"),
        (np.datetime64("NaT"), TypeError, "origin"),
    ],
)
def test_bad_origins_of_dates(origin, error, words):
    with pytest.raises(error, match=words):
        SinusoidalEncoder(origin=origin).fit(TIMES[:, None])


@pytest.mark.parametrize("origin", ["2024-01-01", np.nan, np.inf, True, START])
def test_bad_origins_of_numbers(origin):
    with pytest.raises(TypeError, match="origin must be None, 'min' or a finite number"):
        SinusoidalEncoder(origin=origin).fit([[1.0], [2.0]])


@pytest.mark.parametrize(
    "columns, words",
    [
        ("c", "'c' is not among the features"),
        (["a", "a"], "each column once"),
        ([0, -3], "each column once"),
        (3, "out of range: X has 3 features"),
        (-4, "out of range"),
        ([], "at least one column"),
        ([0.5], "names or indices"),
        ([True], "names or indices"),
    ],
)
def test_bad_columns_are_refused(columns, words):
    with pytest.raises((ValueError, TypeError), match=re.escape(words)):
        find_columns(columns, 3, np.array(["a", "b", "d"]), "columns")


def test_columns_by_name_and_index():
    names = np.array(["a", "b", "d"])
    assert find_columns(None, 3, names, "columns") == [0, 1, 2]
    assert find_columns("d", 3, names, "columns") == [2]
    assert find_columns(-1, 3, None, "columns") == [2]
    assert find_columns(np.array([2, 0]), 3, None, "columns") == [2, 0]
    with pytest.raises(ValueError, match="no feature names"):
        find_columns("a", 3, None, "columns")


def test_an_empty_column_of_dates_has_no_first():
    assert Dates(np.array(["NaT"], dtype="M8[s]")).find_first() == 0


def test_input_is_not_written_to():
    frame = pd.DataFrame({"t": TIMES, "a": np.arange(5.0)})
    before = frame.copy()
    SinusoidalEncoder(columns="t", mode="add", n_components=1).fit_transform(frame)
    pd.testing.assert_frame_equal(frame, before)
