"""The default run of the command: a line per estimator, on a table and on small data."""

import numpy as np
import pytest

from skextra._compare import _overview, _registry
from skextra._compare._datasets import load_problem
from skextra._compare._overview_cases import _TABLES, LARGE, Large
from skextra._compare._progress import ProgressLine


@pytest.fixture
def overview(alike, monkeypatch):
    small = {task: Large(table, rows=300) for task, table in _TABLES.items()}
    monkeypatch.setattr(_overview, "find_large", lambda case: small[case.task])
    monkeypatch.setattr(_overview, "_FEWEST", 1)
    lines = []
    return _overview.run_overview(0.0, 1, ProgressLine(None), lines.append), lines


def test_a_line_per_estimator_written_as_it_is_known(overview, alike):
    result, lines = overview
    assert "\n".join(lines) == str(result)
    names = {case.name for case in alike}
    assert [line.split()[0] for line in lines if line.split()[:1] and line.split()[0] in names] == [
        "Lasso", "Ridge", "LassoCV", "LogisticRegression", "GaussianMixture", "SplineTransformer",
    ]  # fmt: skip
    assert max(map(len, lines)) <= 100


def test_the_same_class_has_the_same_score(overview):
    result, lines = overview
    assert all(large.score == large.sklearn_score for _, large in result.pairs)
    assert {large.n_samples for _, large in result.pairs} == {300}
    sentence = " ".join(" ".join(lines).split())
    assert f"{len(result.pairs)} estimators: fits " in sentence
    assert "scores equal within noise." in sentence


def test_every_public_estimator_has_a_line():
    cases = _overview.list_cases()
    names = {case.name for case in cases}
    assert names == {case.name for case in _registry.list_estimator_cases()}
    assert set(LARGE) <= names
    for case in cases:
        large = _overview.find_large(case)
        for side in (0, 1):
            case.make(side)[0][1].set_params(**large.params)


def test_embedded_tables():
    adult, california = load_problem("adult"), load_problem("california")
    assert adult.X.shape == (48842, 47) and california.X.shape == (20640, 8)
    assert np.bincount(adult.y).tolist() == [37155, 11687]
    # The first row of each, as published.
    assert adult.X[0, :5].tolist() == [25, 7, 0, 0, 40]
    np.testing.assert_allclose(
        california.X[0],
        [8.3252, 41, 6.98412698, 1.02380952, 322, 2.55555556, 37.88, -122.23],
        rtol=1e-8,
    )
    assert california.y[0] == pytest.approx(4.526)
