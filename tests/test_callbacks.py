"""scikit-learn's callbacks on estimators that iterate."""

import copy
import pickle
import threading

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skextra._callbacks import report_fit
from skextra.linear_model import ElasticNet, ElasticNetCV, Lasso, LassoCV

callback = pytest.importorskip("sklearn.callback", reason="came with scikit-learn 1.9")

N_FOLDS = 3
L1_RATIOS = [0.3, 0.9]
CASES = {
    "Lasso": (Lasso(alpha=0.1), 0),
    "ElasticNet": (ElasticNet(alpha=0.1), 0),
    "LassoCV": (LassoCV(alphas=5, cv=N_FOLDS), N_FOLDS),
    "ElasticNetCV": (
        ElasticNetCV(l1_ratio=L1_RATIOS, alphas=5, cv=N_FOLDS),
        N_FOLDS * len(L1_RATIOS),
    ),
}
SEARCHED = [name for name in CASES if name.endswith("CV")]

every_estimator = pytest.mark.parametrize("name", CASES)


@pytest.fixture
def model(name):
    return clone(CASES[name][0])


@pytest.fixture
def n_subtasks(name):
    return CASES[name][1]


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 8))
    return X, X[:, 0] - 2 * X[:, 1] + 0.5 * rng.standard_normal(60) + 3


@pytest.fixture
def screen(monkeypatch, capsys):
    """What is shown, on a terminal wide enough for every line."""
    monkeypatch.setenv("COLUMNS", "200")
    return capsys


class Recorder:
    """Every hook called, in order, and what it was given."""

    def __init__(self, fail_at=None, answer=None):
        self.events, self.fail_at, self.answer = [], fail_at, answer

    def _note(self, hook, context, **given):
        # Appending is atomic: hooks come from several threads.
        self.events.append((hook, get_path(context), given))
        if hook == self.fail_at:
            raise RuntimeError(f"failed at {hook}")
        return self.answer

    def setup(self, estimator, context):
        self._note("setup", context)

    def teardown(self, estimator, context):
        self._note("teardown", context)

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None, metadata=None):
        return self._note("begin", context, X=X, y=y, metadata=metadata)

    def on_fit_task_end(
        self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None
    ):
        given = {"X": X, "y": y, "metadata": metadata, "fitted_estimator": fitted_estimator}
        return self._note("end", context, **given)

    def list_paths(self, hook):
        return [path for name, path, _ in self.events if name == hook]

    def get_given(self, hook, path):
        (given,) = [given for name, at, given in self.events if (name, at) == (hook, path)]
        return given


class PropagatedRecorder(Recorder):
    max_propagation_depth = None


def get_path(context):
    """Names and ids of tasks, from the outermost."""
    step = (context.estimator_name, context.task_name, context.task_id)
    return (step,) if context.parent is None else (*get_path(context.parent), step)


def get_fitted(model):
    return {name: value for name, value in vars(model).items() if name.endswith("_")}


def assert_same_fit(model, expected):
    fitted, expected = get_fitted(model), get_fitted(expected)
    assert fitted.keys() == expected.keys()
    for name, value in expected.items():
        assert_array_equal(fitted[name], value, err_msg=name, strict=isinstance(value, np.ndarray))


def assert_no_traces(model):
    """Nothing of a fit's reporting is left on the estimator."""
    left = {"_callback_fit_ctx", "_skl_callbacks_to_teardown", "_parent_callback_ctx"}
    assert not left & vars(model).keys()


@every_estimator
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_each_task_begins_and_ends_once(name, model, n_subtasks, data, n_jobs):
    if name in SEARCHED:
        model.set_params(n_jobs=n_jobs)
    recorder = Recorder()
    model.set_callbacks(recorder).fit(*data)
    root = ((name, "fit", 0),)
    expected = [root, *((*root, (name, "path", i)) for i in range(n_subtasks))]
    for hook in ("begin", "end"):
        assert sorted(recorder.list_paths(hook)) == sorted(expected)
    hooks = [hook for hook, _, _ in recorder.events]
    assert hooks[:2] == ["setup", "begin"] and hooks[-2:] == ["end", "teardown"]
    assert recorder.events[1][1] == recorder.events[-2][1] == root
    assert hooks.count("setup") == hooks.count("teardown") == 1
    for path in expected:
        order = [hook for hook, at, _ in recorder.events if at == path]
        assert order.index("begin") < order.index("end")
    assert_no_traces(model)


@every_estimator
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_results_do_not_depend_on_callbacks(name, model, data, weighted, n_jobs):
    if name in SEARCHED:
        model.set_params(n_jobs=n_jobs)
    weights = np.linspace(0.5, 2, len(data[1])) if weighted else None
    expected = clone(model).fit(*data, sample_weight=weights)
    # Whatever a callback answers: there is no part of these fits to leave out.
    model.set_callbacks(Recorder(answer=True), callback.ScoringMonitor(scoring="r2"))
    assert_same_fit(model.fit(*data, sample_weight=weights), expected)


@every_estimator
def test_callbacks_see_the_data_as_given_and_the_fitted_estimator(name, model, data):
    pd = pytest.importorskip("pandas")
    X, y = pd.DataFrame(data[0], columns=list("abcdefgh")), data[1]
    recorder, root = Recorder(), ((name, "fit", 0),)
    model.set_callbacks(recorder).fit(X, y, sample_weight=2.0)
    for hook in ("begin", "end"):
        given = recorder.get_given(hook, root)
        assert given["X"] is X and given["y"] is y
        assert_array_equal(given["metadata"]["sample_weight"], np.full(len(y), 2.0))
    fitted = recorder.get_given("end", root)["fitted_estimator"]
    assert fitted is not model
    assert_same_fit(fitted, model)
    assert_array_equal(fitted.predict(X), model.predict(X))


@every_estimator
@pytest.mark.filterwarnings("error")
def test_scoring_monitor(name, model, data):
    pd = pytest.importorskip("pandas")
    X, y = pd.DataFrame(data[0], columns=list("abcdefgh")), data[1]
    weights = np.linspace(0.5, 2, len(y))
    monitor = callback.ScoringMonitor(scoring="r2")
    model.set_callbacks(monitor).fit(X, y, sample_weight=weights)
    (row,) = monitor.get_logs().data
    assert row["estimator_name"] == name and row["task_id_path"] == (0,)
    assert row["r2"] == model.score(X, y, sample_weight=weights)


@every_estimator
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_progress_bar(name, model, n_subtasks, data, n_jobs, screen):
    pytest.importorskip("rich")
    if name in SEARCHED:
        model.set_params(n_jobs=n_jobs)
    expected = clone(model).fit(*data)
    model.set_callbacks(callback.ProgressBar()).fit(*data)
    assert_same_fit(model, expected)
    shown = screen.readouterr().out
    assert f"{name} - fit" in shown and "100%" in shown


@every_estimator
def test_progress_bar_in_a_search_over_a_pipeline(name, model, data, screen):
    pytest.importorskip("rich")
    search = GridSearchCV(
        make_pipeline(StandardScaler(), model), {f"{name.lower()}__tol": [1e-3, 1e-5]}, cv=2
    )
    expected = clone(search).fit(*data)
    search.set_callbacks(callback.ProgressBar(max_propagation_depth=None)).fit(*data)
    assert_same_fit(search.best_estimator_[-1], expected.best_estimator_[-1])
    assert f"{name} - fit" in screen.readouterr().out


@every_estimator
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_callbacks_set_outside_reach_the_estimator_inside(name, model, n_subtasks, data, n_jobs):
    recorder = PropagatedRecorder()
    pipeline = make_pipeline(StandardScaler(), model)
    if name in SEARCHED:
        model.set_params(n_jobs=n_jobs)
    pipeline.set_callbacks(recorder).fit(*data)
    begun = [path for path in recorder.list_paths("begin") if path[-1][0] == name]
    assert sorted(begun) == sorted(p for p in recorder.list_paths("end") if p[-1][0] == name)
    assert len(begun) == len(set(begun)) == 1 + n_subtasks
    assert {path[0][:2] for path in begun} == {("Pipeline", "fit")}
    # Set up and torn down by the pipeline alone.
    assert (
        recorder.list_paths("setup")
        == recorder.list_paths("teardown")
        == [(("Pipeline", "fit", 0),)]
    )
    assert not hasattr(model, "_skl_callbacks")
    assert_no_traces(model)


@every_estimator
def test_callbacks_set_inside_a_search(name, model, data):
    monitor = callback.ScoringMonitor(scoring="r2")
    model.set_callbacks(monitor)
    search = GridSearchCV(model, {"tol": [1e-3, 1e-5]}, cv=KFold(2)).fit(*data)
    (log,) = monitor.get_logs("all")
    assert log.estimator_name == "GridSearchCV"
    assert len(log.data) == 2 * 2 + 1
    assert {row["estimator_name"] for row in log.data} == {name}
    assert search.best_estimator_.score(*data) in [row["r2"] for row in log.data]


@every_estimator
def test_the_tree_of_tasks_is_whole_for_callbacks_that_stay_outside(name, model, n_subtasks, data):
    trees = []

    class TreeKeeper(Recorder):
        def teardown(self, estimator, context):
            trees.append([(task.estimator_name, task.max_subtasks) for task in context])

    make_pipeline("passthrough", model).set_callbacks(TreeKeeper()).fit(*data)
    (tree,) = trees
    expected = [(name, n_subtasks)] + [(name, 0)] * n_subtasks
    assert [task for task in tree if task[0] == name] == expected


@every_estimator
def test_an_estimator_in_a_meta_estimator_without_callbacks(name, model, data):
    expected = clone(model).fit(*data)
    assert_same_fit(make_pipeline("passthrough", model).fit(*data)[-1], expected)
    assert_no_traces(model)


@every_estimator
def test_clones_and_pickles_keep_callbacks(name, model, data):
    recorder = Recorder()
    model.set_callbacks(recorder)
    assert clone(model)._skl_callbacks[0] is recorder
    model.fit(*data)
    for copied in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert_same_fit(copied, model)
        (its_own,) = copied._skl_callbacks
        n_before = len(its_own.events)
        copied.fit(*data)
        assert len(its_own.events) == 2 * n_before == 2 * len(recorder.events)
    model.set_callbacks().fit(*data)
    assert 2 * len(recorder.events) == len(its_own.events)


@every_estimator
def test_standard_callbacks_are_pickled_with_a_fit(name, model, data):
    monitor = callback.ScoringMonitor(scoring="r2")
    model.set_callbacks(monitor).fit(*data)
    loaded = pickle.loads(pickle.dumps(model))
    assert_array_equal(loaded.predict(data[0]), model.predict(data[0]))
    assert loaded._skl_callbacks[0].get_logs().data == monitor.get_logs().data


@every_estimator
@pytest.mark.parametrize("hook", ["setup", "begin", "end"])
def test_a_failing_callback_is_torn_down(name, model, data, hook):
    recorder = Recorder(fail_at=hook)
    with pytest.raises(RuntimeError, match=f"failed at {hook}"):
        model.set_callbacks(recorder).fit(*data)
    assert len(recorder.list_paths("teardown")) == 1
    assert_no_traces(model)


@every_estimator
def test_a_failing_fit_does_not_end(name, model, data, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("the solver fails")

    monkeypatch.setattr("skextra._core.least_squares.elastic_net.solve", fail)
    recorder = Recorder()
    with pytest.raises(RuntimeError, match="the solver fails"):
        model.set_callbacks(recorder).fit(*data)
    root = ((name, "fit", 0),)
    assert root in recorder.list_paths("begin") and root not in recorder.list_paths("end")
    assert len(recorder.list_paths("teardown")) == 1
    assert_no_traces(model)


@every_estimator
def test_bad_data_is_refused_before_any_task_begins(name, model, data):
    recorder = Recorder()
    with pytest.raises(ValueError, match="NaN"):
        model.set_callbacks(recorder).fit(np.full_like(data[0], np.nan), data[1])
    assert recorder.events == []


@every_estimator
def test_convergence_warnings_point_at_the_call_of_fit(name, model, data):
    model.set_params(max_iter=1, tol=0.0).set_callbacks(Recorder())
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20, 40)) + 3 * rng.standard_normal((20, 1))
    with pytest.warns(ConvergenceWarning) as caught:
        model.fit(X, X[:, 0] + rng.standard_normal(20))
    assert {warning.filename for warning in caught} == {__file__}


@pytest.mark.parametrize("name", SEARCHED)
def test_hooks_of_paths_are_called_by_the_threads_that_fit_them(name, model, data):
    threads = {}

    class Watcher(Recorder):
        def _note(self, hook, context, **given):
            threads[hook, get_path(context)] = threading.get_ident()

    model.set_params(n_jobs=2).set_callbacks(Watcher()).fit(*data)
    paths = [path for hook, path in threads if hook == "begin" and len(path) > 1]
    assert len(paths) == CASES[name][1]
    assert all(threads["begin", path] == threads["end", path] for path in paths)
    assert any(threads["begin", path] != threading.get_ident() for path in paths)


def test_without_callbacks_nothing_is_reported():
    model = Lasso()
    before = dict(vars(model))
    with report_fit(model, None, None, max_subtasks=2) as report:
        function, tasks = report.split(max, [(1, 2)], "path")
    assert function is max and tasks == [(1, 2)]
    assert vars(model) == before
