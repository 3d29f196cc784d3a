"""scikit-learn's callbacks follow every fit that iterates, and change nothing about it."""

import numpy as np
import pytest

from tests.common.estimators import assert_same_outputs, fit, for_each, make, make_data

callback = pytest.importorskip("sklearn.callback", reason="came with scikit-learn 1.9")

# What they solve, they solve at once: `max_iter` is there for scikit-learn's iterative solvers.
DIRECT = {"Ridge", "RidgeCV"}


def iterates(cls):
    parameters = cls().get_params(deep=False)
    names = {"max_iter", "n_estimators", "max_components"}
    return bool(names & parameters.keys()) and cls.__name__ not in DIRECT


class Recorder:
    """The path of every task that begins or ends."""

    def __init__(self):
        self.begun, self.ended = [], []

    def setup(self, estimator, context):
        pass

    teardown = setup

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None, metadata=None):
        self.begun.append(get_path(context))

    def on_fit_task_end(
        self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None
    ):
        self.ended.append(get_path(context))


def get_path(context):
    step = (context.estimator_name, context.task_name, context.task_id)
    return (step,) if context.parent is None else (*get_path(context.parent), step)


@for_each(iterates)
def test_tasks_begin_and_end_once_and_change_nothing(cls):
    X, y = make_data(cls)
    recorder = Recorder()
    model = make(cls).set_callbacks(recorder)
    fit(model, X, y)
    assert_same_outputs(fit(make(cls), X, y), model, X, exact=True)
    root = ((cls.__name__, "fit", 0),)
    assert recorder.begun[0] == recorder.ended[-1] == root
    assert sorted(recorder.begun) == sorted(recorder.ended)
    assert len(set(recorder.begun)) == len(recorder.begun)
    assert all(path[:1] == root for path in recorder.begun)
    assert not {"_callback_fit_ctx", "_skl_callbacks_to_teardown"} & vars(model).keys()


@for_each(iterates)
def test_progress_bar_reaches_the_end(cls, monkeypatch, capsys):
    pytest.importorskip("rich")
    monkeypatch.setenv("COLUMNS", "200")
    fit(make(cls).set_callbacks(callback.ProgressBar()), *make_data(cls))
    shown = capsys.readouterr().out
    assert f"{cls.__name__} - fit" in shown and "100%" in shown


@for_each(iterates)
def test_a_fit_that_is_refused_reports_nothing(cls):
    X, y = make_data(cls)
    recorder = Recorder()
    with pytest.raises(ValueError, match="infinity"):
        fit(make(cls).set_callbacks(recorder), np.full_like(X, np.inf), y)
    assert recorder.begun == recorder.ended == []
