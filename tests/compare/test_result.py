"""Formatting of a comparison's numbers."""

import math

import numpy as np
import pytest

from skextra._compare._result import Comparison, Row
from skextra._compare._scores import compute_noise, is_equal
from skextra._compare._timing import draw_bar, format_ratio, format_seconds, time_in_turns


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
    data, line = str(Comparison([make_row(fit_spread=0.25)], [], {})).splitlines()[3:5]
    assert data == "d, 10 x 2"
    expected = "Lasso 1.00 s 3.20 s 3.2x ±0.2 │███ 12x 0.5x 0.5000 +0.2500"
    assert " ".join(line.split()) == expected


def test_tables_fit_100_columns():
    rows = [
        make_row(estimator="KernelLogisticRegressionCV", data="a-long-name.csv", score=-123.4567),
        make_row(sklearn_fit_seconds=123.0, fit_spread=99.9, sklearn_alone_seconds=999.0),
    ]
    notes = ["a note " * 30]
    assert max(map(len, str(Comparison(rows, notes, {"skextra": "1"})).splitlines())) <= 100


@pytest.mark.parametrize(
    ("ratio", "bar"),
    [
        (1, "  │   "),
        (2, "  │██ "),
        (0.5, "░░│   "),
        (1e-9, "░░│   "),
        (99, "  │███"),
        (1.1, "  │   "),
    ],
)
def test_bars_grow_from_1(ratio, bar):
    assert draw_bar(ratio, 2, 3) == bar


def test_the_sentence_is_computed_from_the_rows():
    rows = [
        make_row(),
        make_row(estimator="Ridge", sklearn_fit_seconds=0.5, score=0.25),
        make_row(estimator="SVC", sklearn_fit_seconds=5.0, score=0.24, score_noise=0.01),
    ]
    assert Comparison(rows, [], {}).summarize() == (
        "3 estimators: fits 3.2x as fast as scikit-learn in the median, "
        "0.5x at worst (Ridge on d); scores equal within noise in all but 1 of 3 (1 better)."
    )


def test_noise_is_that_of_the_paired_rows():
    rng = np.random.RandomState(0)
    ours = rng.rand(4, 50) < 0.8
    theirs = rng.rand(4, 50) < 0.7
    differences = ours.ravel().astype(float) - theirs.ravel()
    expected = np.sqrt(np.mean((differences - differences.mean()) ** 2) / 200)
    noise = compute_noise(list(ours.astype(float)), list(theirs.astype(float)))
    assert noise == pytest.approx(expected)
    assert is_equal(0.8, 0.8 + 1.9 * noise, noise) and not is_equal(0.8, 0.8 + 2.1 * noise, noise)


def test_missing_figures_are_dashes_and_null():
    comparison = Comparison(
        [make_row(dual_gap=None, score=math.nan)], ["careful"], {"skextra": "1"}
    )
    assert " nan " in str(comparison).splitlines()[4]
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
