"""scikit-learn's callbacks on AdaBoost: a task per round."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skextra.ensemble import AdaBoostClassifier, AdaBoostRegressor

callback = pytest.importorskip("sklearn.callback", reason="came with scikit-learn 1.9")

MODELS = {
    "trees": AdaBoostClassifier(n_estimators=4, random_state=0),
    "any estimator": AdaBoostClassifier(GaussianNB(), n_estimators=4, random_state=0),
    "regression": AdaBoostRegressor(n_estimators=4, random_state=0),
}
each_model = pytest.mark.parametrize("name", MODELS)


@pytest.fixture(scope="module")
def data():
    return load_breast_cancer(return_X_y=True)


@each_model
def test_scores_are_those_of_the_stages(name, data):
    model, expected = (clone(MODELS[name]) for _ in range(2))
    monitor = callback.ScoringMonitor(scoring="r2" if name == "regression" else "accuracy")
    model.set_callbacks(monitor).fit(*data)
    expected.fit(*data)
    assert_array_equal(model.estimator_weights_, expected.estimator_weights_)
    assert_array_equal(model.predict(data[0]), expected.predict(data[0]))
    (log,) = monitor.get_logs("all")
    scores = [row.get("accuracy", row.get("r2")) for row in log.data]
    stages = list(expected.staged_score(*data))
    assert_allclose(scores, [stages[-1], *stages])  # of the fit, and of each round


@each_model
def test_progress_bar_reaches_the_end(name, data, monkeypatch, capsys):
    pytest.importorskip("rich")
    monkeypatch.setenv("COLUMNS", "200")
    model = clone(MODELS[name]).set_callbacks(callback.ProgressBar()).fit(*data)
    shown = capsys.readouterr().out
    assert f"{type(model).__name__} - fit" in shown
    assert "100%" in shown


def test_callbacks_of_a_pipeline_see_the_rounds(data):
    seen = []

    class Counter:
        max_propagation_depth = None

        def setup(self, estimator, context):
            pass

        teardown = setup

        def on_fit_task_begin(self, estimator, context, *, X=None, y=None, metadata=None):
            pass

        def on_fit_task_end(
            self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None
        ):
            if context.task_name == "round" and fitted_estimator is not None:
                seen.append(len(fitted_estimator))

    make_pipeline(StandardScaler(), clone(MODELS["trees"])).set_callbacks(Counter()).fit(*data)
    assert seen == [1, 2, 3, 4]


def test_a_fit_that_fails_leaves_nothing_behind():
    model = AdaBoostClassifier().set_callbacks(callback.ProgressBar())
    with pytest.raises(ValueError, match="worse than random"):
        model.fit(np.zeros((4, 1)), [0, 1, 0, 1])
    assert "_callback_fit_ctx" not in vars(model)
