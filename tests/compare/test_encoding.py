"""Columns of a user's table as numbers."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pytest

from skextra._compare._encoding import MAX_CATEGORIES, encode_features
from skextra._compare._numbers import read_written_numbers


def encode(**columns):
    return encode_features(pd.DataFrame(columns))


def test_numbers_stay_and_gaps_become_nan():
    X, notes = encode(
        a=[1, 2, 3],
        b=pd.array([1, None, 3], dtype="Int64"),
        c=pd.array([True, None, False], dtype="boolean"),
        d=[decimal.Decimal("1.5"), None, decimal.Decimal(2)],
    )
    expected = [[1, 1, 1, 1.5], [2, np.nan, np.nan, np.nan], [3, 3, 0, 2]]
    np.testing.assert_array_equal(X, expected)
    assert notes == ["missing numbers (25.0%): median of each training fold"]


def test_categories_most_frequent_first_and_missing_apart():
    X, notes = encode(a=pd.Categorical(["u", "v", "v", None, "w"]))
    np.testing.assert_array_equal(
        X, [[0, 1, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]]
    )
    assert notes == []


def test_two_categories_need_one_column():
    X, _ = encode(a=["x", "y", "x"])
    np.testing.assert_array_equal(X, [[1], [0], [1]])


def test_rare_categories_are_joined():
    # Forty texts, each three times: ten too many, but too frequent to be free text.
    X, notes = encode(a=[f"t{i % 40:02}" for i in range(120)])
    assert X.shape == (120, MAX_CATEGORIES + 1)
    assert X.sum(axis=1).tolist() == [1.0] * 120
    assert X[:, -1].sum() == 3 * 10
    assert notes == ["column 'a': 10 rare categories joined as \"other\""]


def test_free_text_and_constants_are_left_out_with_a_note():
    X, notes = encode(
        id=[f"row {i}" for i in range(40)], k=[1.0] * 40, e=[None] * 40, x=list(range(40))
    )
    assert X.shape == (40, 1)
    assert notes == [
        "column 'id' left out: 40 distinct texts in 40 rows",
        "column 'k' left out: constant or empty",
        "column 'e' left out: constant or empty",
    ]


_DAYS = ["2021-01-01", "2021-01-02", "2021-01-08"]


@pytest.mark.parametrize(
    "dates",
    [
        pd.to_datetime(_DAYS),
        pd.to_datetime(_DAYS).tz_localize("Europe/Zurich"),
        _DAYS,
        [datetime.date.fromisoformat(day) for day in _DAYS],
        ["01/01/2021", "01/02/2021", "01/08/2021"],
    ],
    ids=["datetime", "zoned", "text", "date", "slashes"],
)
def test_dates_become_days_and_cycles(dates):
    X, notes = encode(when=dates)
    np.testing.assert_allclose(X[:, 0], [0, 1, 7])
    assert X.shape == (3, 5)  # elapsed, season, weekday; the hour never varies
    # The first and the last day are a week apart: the same weekday.
    np.testing.assert_allclose(X[0, 3:], X[2, 3:], atol=1e-12)
    np.testing.assert_allclose(X[:, 3] ** 2 + X[:, 4] ** 2, 1)
    assert notes == []


def test_missing_date_is_missing_in_every_column():
    X, _ = encode(when=pd.to_datetime([*_DAYS, None]))
    assert np.isnan(X[3]).all() and not np.isnan(X[:3]).any()


def test_text_that_is_not_all_dates_is_categories():
    X, _ = encode(when=["2021-01-01", "unknown", "2021-01-01"])
    np.testing.assert_array_equal(X, [[1], [0], [1]])


def test_durations_are_seconds():
    X, _ = encode(took=pd.to_timedelta([1, 2, None], unit="min"))
    np.testing.assert_array_equal(X, [[60], [120], [np.nan]])


def test_infinite_values_count_as_missing_and_are_noted():
    X, notes = encode(a=[1.0, np.inf, -np.inf, 2.0])
    np.testing.assert_array_equal(X, [[1], [np.nan], [np.nan], [2]])
    assert notes[0] == "column 'a': 2 infinite values count as missing"


def test_values_no_model_can_square_are_refused():
    with pytest.raises(ValueError, match="column 'a' has extremely large.*--drop"):
        encode(a=[1.0, 1e200])


@pytest.mark.parametrize(
    ("texts", "comma", "values"),
    [
        (["1,234.5", "12", "-1,000,000"], False, [1234.5, 12, -1e6]),
        (["1.234,5", "12", "0,5"], False, [1234.5, 12, 0.5]),
        (["1 234,5", "12\u00a0000", "7"], False, [1234.5, 12000, 7]),
        (["1'234.5", "12", "7"], False, [1234.5, 12, 7]),
        (["12 %", "3.5%", "100%"], False, [0.12, 0.035, 1.0]),
        (["$1,200", "$ 3.5", "7"], False, [1200, 3.5, 7]),
        (["1,234", "5,678"], False, [1234, 5678]),
        (["1,234", "5,678"], True, [1.234, 5.678]),
        (["3.5", "inf", "-Infinity"], False, [3.5, np.inf, -np.inf]),
        (["1,2,3", "12"], False, None),
        (["2021-01-01", "12"], False, None),
        (["1e3", "x"], False, None),
    ],
)
def test_numbers_as_people_write_them(texts, comma, values):
    frame = read_written_numbers(pd.DataFrame({"a": [*texts, None]}), prefers_comma=comma)
    if values is None:
        assert frame["a"].tolist()[:-1] == texts and not frame.attrs["numbers"]
    else:
        np.testing.assert_allclose(frame["a"], [*values, np.nan])
        assert list(frame.attrs["numbers"]) == ["a"]


def test_complex_is_refused():
    with pytest.raises(ValueError, match="column 'a' holds complex"):
        encode(a=[1j, 2.0])


def test_nothing_usable_is_refused():
    with pytest.raises(ValueError, match="no usable feature column"):
        encode(a=[1, 1, 1])


def test_cells_that_are_lists_are_text():
    X, _ = encode(a=[[1, 2], [3], [1, 2]])
    np.testing.assert_array_equal(X, [[1], [0], [1]])
