"""skextra.compare: what it measures, on what, and what it refuses."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.datasets import load_diabetes, load_wine
from sklearn.linear_model import Lasso, Ridge
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from threadpoolctl import threadpool_info

import skextra
from skextra._compare import _registry


@pytest.fixture
def frame():
    """Mixed types, a gap in each, and a target that two columns explain."""
    rng = np.random.RandomState(0)
    n = 90
    data = pd.DataFrame(
        {
            "size": rng.normal(size=n),
            "color": rng.choice(["red", "green", "blue"], n),
            "sold": pd.date_range("2021-01-01", periods=n, freq="5D"),
        }
    )
    data["price"] = 2 * data["size"] + (data["color"] == "red") + 0.1 * rng.normal(size=n)
    data.loc[3, "size"] = np.nan
    data.loc[4, "color"] = None
    data.loc[5, "price"] = np.nan
    return data


def test_every_public_estimator_has_a_case():
    compared = {case.classes[0] for case in _registry.CASES}
    public = {cls for _, cls in skextra.all_estimators()}
    assert public <= compared
    # The others show what functions are used for.
    assert {cls.__module__ for cls in compared - public} == {"skextra._compare._sampling_uses"}


def test_cases_name_existing_parameters_on_both_sides():
    for case in _registry.CASES:
        for side, cls in enumerate(case.classes):
            names = {*case.params, *case.own_params[side]}
            assert names <= set(cls().get_params()), case.name
            assert set(case.grid) <= set(case.make(side)[-1][1].get_params()), case.name


def test_scores_are_those_of_the_model_described(alike):
    X, y = load_diabetes(return_X_y=True)
    row = skextra.compare("Lasso", X, y, time_budget=None).rows[0]
    y = (y - y.mean()) / y.std()
    search = GridSearchCV(
        make_pipeline(StandardScaler(), Lasso()), {"lasso__alpha": [1, 0.1]}, cv=3
    )
    expected = cross_val_score(search, X, y, cv=KFold(3, shuffle=True, random_state=0)).mean()
    assert row.score == pytest.approx(expected, abs=1e-12)
    assert row.sklearn_score == row.score
    assert (row.n_rounds, row.n_folds) == (9, 3)


def test_rounds_alternate_and_first_call_is_in_no_median(alike, monkeypatch):
    from skextra._compare import _measure

    calls, ticks = [], iter(range(10**6))
    # Every reading of the clock is a second after the last.
    monkeypatch.setattr(_measure, "perf_counter", lambda: float(next(ticks)))

    class Ours(Lasso):
        def fit(self, X, y):
            if "ours" not in calls:
                [next(ticks) for _ in range(100)]
            calls.append("ours")
            return super().fit(X, y)

    class Theirs(Lasso):
        def fit(self, X, y):
            calls.append("theirs")
            return super().fit(X, y)

    case = _registry.Case(Ours, Theirs, "regression", ("diabetes",))
    row = skextra.compare(case, time_budget=None).rows[0]
    # Every model is fitted as a whole, then the estimator alone.
    assert calls[:4] == ["theirs", "theirs", "ours", "ours"]
    assert calls[4:] == ((["ours", "theirs"] * 2 + ["theirs", "ours"] * 2) * 5)[:36]
    assert row.first_call_seconds == 101.0
    assert row.fit_seconds == row.sklearn_fit_seconds == 1.0
    assert row.alone_seconds == row.sklearn_alone_seconds == 1.0


def test_certificate_is_the_worst_fold(alike):
    class Certified(Lasso):
        def fit(self, X, y):
            super().fit(X, y)
            self.dual_gap_ = np.array([0.0, abs(y.sum())])
            return self

    X, y = load_diabetes(return_X_y=True)
    y = (y - y.mean()) / y.std()
    folds = KFold(3, shuffle=True, random_state=0).split(X)
    expected = max(abs(y[train].sum()) for train, _ in folds)
    case = _registry.Case(Certified, Lasso, "regression", ("diabetes",))
    assert skextra.compare(case, time_budget=None).rows[0].dual_gap == pytest.approx(expected)


def test_an_exhausted_time_budget_runs_one_fold_and_is_noted(alike):
    comparison = skextra.compare("Ridge", time_budget=0)
    assert [row.n_rounds for row in comparison.rows] == [1, 1]
    assert "Ridge on diabetes: 1 of 3 folds, the time budget ran out" in comparison.notes


def test_unconverged_fits_are_counted(alike):
    case = _registry.Case(Lasso, Lasso, "regression", ("diabetes",), {"max_iter": 1, "alpha": 1e-4})
    comparison = skextra.compare(case, time_budget=0)
    (row,) = comparison.rows
    assert row.n_unconverged == row.sklearn_n_unconverged == row.n_fits >= 1
    assert f"skextra {row.n_fits}, scikit-learn {row.n_fits}" in comparison.notes[-1]


def test_every_kind_of_estimator(alike):
    comparison = skextra.compare(time_budget=0)
    rows = {row.estimator: row for row in comparison.rows}
    assert rows["LogisticRegression"].score > 0.9
    assert rows["LogisticRegression"].score_name == "accuracy"
    assert rows["GaussianMixture"].score_name == "log-likelihood"
    assert rows["SplineTransformer"].score is None
    assert rows["Ridge"].n_targets > 1  # the last of its two data sets
    assert all(row.score == row.sklearn_score for row in comparison.rows)


def test_a_transformer_is_scored_by_what_follows_it():
    case = _registry.Case(
        PolynomialFeatures,
        StandardScaler,
        "regression",
        ("diabetes",),
        grid={"alpha": [1.0, 100.0]},
        follow="sklearn.linear_model.Ridge",
        own_params=({"degree": 2}, {}),
    )
    (row,) = skextra.compare(case, time_budget=None).rows
    X, y = load_diabetes(return_X_y=True)
    y = (y - y.mean()) / y.std()
    for transformer, score in (
        (PolynomialFeatures(2), row.score),
        (StandardScaler(), row.sklearn_score),
    ):
        pipeline = make_pipeline(StandardScaler(), transformer, Ridge())
        search = GridSearchCV(pipeline, {"ridge__alpha": [1.0, 100.0]}, cv=3)
        folds = KFold(3, shuffle=True, random_state=0)
        assert score == pytest.approx(cross_val_score(search, X, y, cv=folds).mean(), abs=1e-12)


def test_blas_threads_are_limited_and_restored(alike):
    seen = []

    class Watching(Lasso):
        def fit(self, X, y):
            seen.extend(p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas")
            return super().fit(X, y)

    before = threadpool_info()
    case = _registry.Case(Watching, Lasso, "regression", ("diabetes",))
    assert skextra.compare(case, time_budget=0).environment["BLAS threads"] == "1"
    assert set(seen) == {1}
    assert threadpool_info() == before


def test_unsettled_grid_fit_raises_instead_of_a_silent_nan(alike):
    class Broken(Lasso):
        def fit(self, X, y):
            raise RuntimeError("broken on purpose")

    case = _registry.Case(Broken, Lasso, "regression", ("diabetes",), {}, {"alpha": [1.0]})
    with pytest.raises(RuntimeError, match="on purpose"):
        skextra.compare(case)


def test_frame_with_categories_dates_and_gaps(alike, frame):
    comparison = skextra.compare("Ridge", frame, "price", time_budget=None)
    row = comparison.rows[0]
    # size, three colors and missing, elapsed days and six cyclical columns less hour
    assert (row.n_samples, row.n_features) == (89, 1 + 4 + 1 + 4)
    assert row.score > 0.9
    assert any("1 rows without a target" in note for note in comparison.notes)
    assert any("median of each training fold" in note for note in comparison.notes)


def test_sample_of_rows_is_noted_and_repeatable(alike):
    X, y = load_diabetes(return_X_y=True)
    options = {"time_budget": 0, "max_rows": 100}
    comparison = skextra.compare("Ridge", X, y, **options)
    assert comparison.rows[0].n_samples == 100
    assert "a random 100 of 442 rows" in comparison.notes
    again = skextra.compare("Ridge", sparse.coo_array(X).toarray(), y, **options)
    assert again.rows[0].score == comparison.rows[0].score
    assert skextra.compare("Ridge", sparse.coo_array(X), y, **options).rows[0].n_samples == 100
    other = skextra.compare("Ridge", X, y, random_state=1, **options)
    assert other.rows[0].score != comparison.rows[0].score


def test_polars_frame_gives_the_pandas_result(alike, frame):
    expected = skextra.compare("Ridge", frame, "price", time_budget=0).rows[0]
    row = skextra.compare("Ridge", pl.from_pandas(frame), "price", time_budget=0).rows[0]
    assert (row.n_features, row.score) == (expected.n_features, expected.score)


def test_default_estimators_suit_the_target(alike):
    X, y = load_wine(return_X_y=True)
    names = [row.estimator for row in skextra.compare(None, X, y, time_budget=0).rows]
    assert names == ["LogisticRegression"]
    names = [row.estimator for row in skextra.compare(None, X, X[:, 0], time_budget=0).rows]
    assert names == ["Lasso", "Ridge", "LassoCV"]
    names = [row.estimator for row in skextra.compare(None, X, time_budget=0).rows]
    assert names == ["GaussianMixture", "SplineTransformer"]


def test_text_classes_and_few_numbers(alike):
    X, y = load_wine(return_X_y=True)
    labels = np.array(["a", "b", "c"])[y]
    by_text = skextra.compare(None, X, labels, time_budget=0).rows[0]
    by_code = skextra.compare("logisticregression", X, y, time_budget=0).rows[0]
    assert by_text.score == by_code.score
    # Asked for by name, a regressor takes the same numbers as a quantity.
    assert skextra.compare("Ridge", X, y, time_budget=0).rows[0].score_name == "R2"


def test_sparse_gives_the_dense_result_up_to_centering(alike):
    X, y = load_diabetes(return_X_y=True)
    dense = skextra.compare("Ridge", X, y, time_budget=0).rows[0]
    row = skextra.compare("Ridge", sparse.csc_array(X), y, time_budget=0).rows[0]
    assert row.score == pytest.approx(dense.score, abs=1e-3)


def test_units_of_the_target_do_not_matter(alike):
    X, y = load_diabetes(return_X_y=True)
    plain = skextra.compare("Lasso", X, y, time_budget=0).rows[0]
    scaled = skextra.compare("Lasso", X, 1e9 * y + 5, time_budget=0).rows[0]
    assert scaled.score == pytest.approx(plain.score, abs=1e-9)


def _refused(match, *args, **kwargs):
    with pytest.raises(ValueError, match=match) as caught:
        skextra.compare(*args, **{"time_budget": 0, **kwargs})
    assert "\n" not in str(caught.value)


def test_error_messages(alike, frame):
    X, y = load_diabetes(return_X_y=True)
    _refused("unknown estimator 'Laso': did you mean 'Lasso'", "Laso")
    _refused("estimators is empty", [])
    _refused("y is given without X", "Lasso", None, y)
    _refused("regressors need a target", "Lasso", X)
    _refused("X has 442 rows and y has 5", "Lasso", X, y[:5])
    _refused("9 usable rows", "Lasso", X[:9], y[:9])
    _refused("target 'y' is constant", "Lasso", X, np.ones(442))
    _refused("target 'y' is constant", "Ridge", X, np.column_stack([y, np.ones(442)]))
    _refused("target 'color' is text", "Lasso", frame, "color")
    _refused("'sold' is a date", "Lasso", frame, "sold")
    _refused("unknown column 'prize': did you mean 'price'", "Lasso", frame, "prize")
    _refused("names a column, but X is not a frame", "Lasso", X, "price")
    _refused("LassoCV accepts one target, y has 2", "LassoCV", X, np.column_stack([y, X[:, 0]]))
    _refused("X: Input contains infinity", "Lasso", np.where(X > 0.1, np.inf, X), y)
    _refused("target 'y' has infinite", "Lasso", X, np.where(y > 200, np.inf, y))
    _refused("fractional numbers: classifiers need classes", "LogisticRegression", X, X[:, 0])
    _refused("class '1' of target 'y' has 2 rows", "LogisticRegression", X, np.arange(442) < 2)
    _refused("X must have two dimensions", "Lasso", y, y)
    _refused("n_folds must be an integer >= 2, got 1", "Lasso", n_folds=1)
    _refused("n_folds must be an integer >= 2, got True", "Lasso", n_folds=True)
    _refused("time_budget must be", "Lasso", time_budget=-1)
    _refused("time_budget must be", "Lasso", time_budget=float("nan"))
    _refused("max_rows must be None or an integer >= 1, got 0", "Lasso", X, y, max_rows=0)
    _refused("blas_threads must be", "Lasso", blas_threads=0)


def test_table_html_frame_and_json_agree(alike):
    comparison = skextra.compare("Ridge", time_budget=0)
    text, page = str(comparison), comparison._repr_html_()
    for row in comparison.rows:
        assert row.data in text and row.data in page
        assert f"{row.score:.4f}" in text and f"{row.score:.4f}" in page
    assert page.count("<tr>") == 1 + len(comparison.rows)
    table = comparison.to_frame()
    content = json.loads(json.dumps(comparison.to_dict(), allow_nan=False))
    assert table["fit_ratio"].tolist() == [row["fit_ratio"] for row in content["rows"]]
    assert table["data"].tolist() == ["diabetes", "digits-halves"]


def test_data_name_is_escaped_in_html(alike):
    X, y = load_diabetes(return_X_y=True)
    comparison = skextra.compare("Ridge", X, y, time_budget=0, data_name="<b>x</b>")
    assert "<b>" not in comparison._repr_html_()


def test_inputs_are_left_as_they_were(alike, frame):
    copy = frame.copy(deep=True)
    skextra.compare("Ridge", frame, "price", time_budget=0)
    pd.testing.assert_frame_equal(frame, copy)


def test_many_rows_without_time_share_a_note(alike, monkeypatch):
    monkeypatch.setattr("skextra._compare._MOST_NAMED", 1)
    comparison = skextra.compare("Ridge", time_budget=0)
    shared = "2 of 2 rows: fewer than 3 folds, down to 1, the time budget ran out"
    assert [note for note in comparison.notes if "time budget" in note] == [shared]


def test_mixtures_are_chosen_by_bic_on_both_sides():
    X = load_wine().data[:, :3]
    ours, theirs = (
        cls(max_components=2, random_state=0).fit(X)
        for cls in _registry.select_cases("GaussianMixtureIC")[0].classes
    )
    best = theirs.best_estimator_
    assert ours.best_criterion_ <= best.bic(X) < 1.01 * ours.best_criterion_
    assert (best.n_components, best.covariance_type) == (
        ours.n_components_, ours.covariance_type_,
    )  # fmt: skip
