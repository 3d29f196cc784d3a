"""The map of speed: its cells, its data, and its file of results."""

import json

import numpy as np
import pytest
from scipy import sparse

import skextra
from benchmarks.map import report
from benchmarks.map.__main__ import main
from benchmarks.map.cells import ESTIMATORS, MOST_VALUES, Cell, list_cells, make_data
from benchmarks.map.contestants import OURS, THEIRS, list_contestants
from benchmarks.map.measure import Result, make_objective
from skextra._patch import list_replaceable


def test_every_drop_in_estimator_has_a_map():
    classes = {
        name for (_, name), (theirs, _) in list_replaceable().items() if isinstance(theirs, type)
    }
    assert set(ESTIMATORS) == classes


@pytest.mark.parametrize("name", ESTIMATORS)
def test_cells(name):
    cells = list_cells(name)
    assert len({cell.key for cell in cells}) == len(cells) > 10
    sizes = [cell.n_samples * cell.n_features * cell.density for cell in cells]
    assert sizes == sorted(sizes) and sizes[-1] <= MOST_VALUES
    smallest = make_data(cells[0])
    contestants = list_contestants(cells[0], smallest)
    assert isinstance(contestants[OURS], dict(skextra.all_estimators())[name])
    assert type(contestants[THEIRS]).__module__.startswith("sklearn.")


@pytest.mark.parametrize("target", ["regression", "10 targets", "2 classes", "100 classes", "none"])
def test_data(target):
    cell = Cell("Ridge", 1000, 10, target)
    first, second = make_data(cell), make_data(cell)
    np.testing.assert_array_equal(first.X, second.X)
    assert first.X.shape == (1000, 10) and len(first.X_test) == 250
    if target == "none":
        assert first.y is None
    elif target.endswith("classes"):
        assert len(np.unique(first.y)) == int(target.split()[0])
    else:
        assert first.y.shape == ((1000, 10) if target == "10 targets" else (1000,))


def test_kinds_of_data():
    assert sparse.issparse(make_data(Cell("Lasso", 100, 50, "regression", density=0.1)).X)
    assert make_data(Cell("Lasso", 100, 5, "regression", dtype="float32")).X.dtype == np.float32
    one_hot = make_data(Cell("Lasso", 100, 25, "regression", values="one-hot")).X
    np.testing.assert_array_equal(one_hot.sum(axis=1), 3.0)


@pytest.mark.parametrize(
    ("name", "target"),
    [("Lasso", "regression"), ("ElasticNet", "regression"), ("Ridge", "10 targets"),
     ("MultiTaskLasso", "10 targets"), ("MultiTaskElasticNet", "10 targets"),
     ("LogisticRegression", "2 classes"), ("LogisticRegression", "10 classes"),
     ("SVC", "2 classes")],
)  # fmt: skip
def test_objectives_are_what_both_minimize(name, target):
    cell = Cell(name, 200, 10, target, parameters="tight")
    data = make_data(cell)
    objective = make_objective(cell, data)
    contestants = list_contestants(cell, data)
    values = [objective(contestants[key].fit(data.X, data.y)) for key in (OURS, THEIRS)]
    np.testing.assert_allclose(*values, rtol=1e-6)


def test_a_map_is_measured_once_and_reported(tmp_path, capsys):
    arguments = ["Ridge", "--results", str(tmp_path), "--cells", "plain: 50 x 2"]
    assert main(arguments) == 0
    (row,) = report.read_results(tmp_path / "Ridge.jsonl").values()
    assert row["cell"]["n_samples"] == 50 and row["variant"] == "plain"
    ours = row["contestants"][OURS]
    assert min(ours["fit"], ours["predict"], ours["predict_one"]) > 0
    assert ours["error"] < 1e-6 and np.isfinite(ours["score"])
    assert (tmp_path / "Ridge.png").stat().st_size > 1000
    first = (tmp_path / "Ridge.jsonl").read_text()
    assert main(arguments) == 0
    assert (tmp_path / "Ridge.jsonl").read_text() == first
    assert "plain: 50 x 2" in (tmp_path / "Ridge.md").read_text()
    assert "fit: 1 cells" in capsys.readouterr().out


def test_ratios_and_losses(tmp_path):
    cell = Cell("Ridge", 50, 10, "regression")
    times = {OURS: Result(fit=2.0, score=0.5), THEIRS: Result(fit=1.0), "other": Result(note="no")}
    row = report.append_result(tmp_path / "file.jsonl", cell, times)
    assert json.loads((tmp_path / "file.jsonl").read_text()) == row
    assert report.compute_ratio(row) == 0.5
    assert np.isnan(report.compute_ratio(row, rival="other"))
    assert "slower in 1: plain: 50 x 10 0.50x" in report.summarize([row])


def test_unknown_names_are_refused(capsys):
    with pytest.raises(SystemExit):
        main(["KMeans"])
    assert "unknown estimator 'KMeans'" in capsys.readouterr().err
