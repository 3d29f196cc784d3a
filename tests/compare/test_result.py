"""Formatting of a comparison's numbers."""

import math

import pytest

from skextra._compare._result import Comparison, Row
from skextra._compare._timing import format_ratio, format_seconds, time_in_turns


def make_row(**changes):
    values = {
        "estimator": "Lasso",
        "data": "d",
        "task": "regression",
        "n_samples": 10,
        "n_features": 2,
        "n_targets": 1,
        "fit_seconds": 1.0,
        "sklearn_fit_seconds": 3.2,
        "alone_seconds": 1.0,
        "sklearn_alone_seconds": 12.0,
        "predict_seconds": 2.0,
        "sklearn_predict_seconds": 1.0,
        "score_name": "R2",
        "score": 0.5,
        "sklearn_score": 0.25,
        "dual_gap": 3e-7,
        "first_call_seconds": 0.8,
        "n_rounds": 9,
        "n_folds": 3,
        "n_fits": 9,
        "n_unconverged": 0,
        "sklearn_n_unconverged": 0,
    }
    return Row(**{**values, **changes})


def test_calls_are_timed_in_turns():
    ticks, called = iter(range(100)), []
    calls = {name: (lambda name=name: called.append(name)) for name in "ab"}
    times = time_in_turns(calls, 3, clock=lambda: next(ticks) ** 2)
    assert called == ["a", "b"] * 3
    assert times == {"a": [1, 9, 17], "b": [5, 13, 21]}


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (None, "-"),
        (3.24, "3.2x"),
        (1, "1.0x"),
        (0.949, "0.95x"),
        (0.05, "0.05x"),
        (9.96, "10x"),
        (123.4, "123x"),
    ],
)
def test_ratio(ratio, text):
    assert format_ratio(ratio) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (1.234, "1.23 s"),
        (75.0, "75.0 s"),
        (0.0123, "12.3 ms"),
        (0.5, "500 ms"),
        (4e-5, "40.0 us"),
    ],
)
def test_seconds(seconds, text):
    assert format_seconds(seconds) == text


def test_row_shows_the_ratios_the_right_way_round():
    line = str(Comparison([make_row()], [], {})).splitlines()[3]
    expected = "Lasso d 10 x 2 1.00 s 3.20 s 3.2x 12x 0.5x 0.5000 0.2500 3e-07 800 ms"
    assert " ".join(line.split()) == expected


def test_missing_figures_are_dashes_and_null():
    comparison = Comparison(
        [make_row(dual_gap=None, score=math.nan)], ["careful"], {"skextra": "1"}
    )
    assert " - " in str(comparison).splitlines()[3]
    assert "Note: careful." in str(comparison)
    assert comparison.to_dict()["rows"][0]["score"] is None
    assert comparison.to_dict()["rows"][0]["dual_gap"] is None


def test_plot_draws_a_bar_a_ratio_from_one():
    plt = pytest.importorskip("matplotlib.pyplot")
    comparison = Comparison([make_row(), make_row(estimator="Ridge")], [], {})
    ax = comparison.plot()
    try:
        assert {bar.get_x() for bar in ax.patches} == {1.0}
        assert [bar.get_width() for bar in ax.patches] == pytest.approx(
            [2.2, 2.2, 11.0, 11.0, -0.5, -0.5]
        )
        assert [label.get_text() for label in ax.get_yticklabels()] == ["Lasso  (d)", "Ridge  (d)"]
        low, high = ax.get_xlim()
        assert low < 0.5 and high > 12
    finally:
        plt.close(ax.figure)
