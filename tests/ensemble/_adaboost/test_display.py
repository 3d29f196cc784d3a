"""The error against the rounds, drawn."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skextra.ensemble import AdaBoostClassifier, AdaBoostRegressor, StagedScoreDisplay


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def halves():
    X, y = load_breast_cancer(return_X_y=True)
    return X[::2], y[::2], X[1::2], y[1::2]


def test_both_errors_and_the_bound_are_drawn(halves):
    X, y, X_val, y_val = halves
    model = AdaBoostClassifier(n_estimators=30).fit(X, y)
    display = StagedScoreDisplay.from_estimator(
        model, X, y, X_val=X_val, y_val=y_val, show_bound=True
    )
    assert set(display.lines_) == {"training", "validation", "bound"}
    rounds, errors = display.lines_["validation"].get_data()
    assert_allclose(rounds, np.arange(1, 31))
    assert_allclose(errors, [1 - score for score in model.staged_score(X_val, y_val)])
    assert_allclose(display.train_errors, [1 - score for score in model.staged_score(X, y)])
    assert display.best_round_ == errors.argmin() + 1
    assert display.ax_.get_ylabel() == "Error rate"
    assert np.all(display.train_errors <= display.bound)
    assert np.all(np.diff(display.bound) < 0)


@pytest.mark.parametrize("learning_rate", [1.0, 0.5])
def test_bound_holds_with_weights(halves, learning_rate):
    X, y, _, _ = halves
    weights = np.random.default_rng(0).exponential(size=len(y))
    model = AdaBoostClassifier(n_estimators=15, learning_rate=learning_rate)
    model.fit(X, y, sample_weight=weights)
    display = StagedScoreDisplay.from_estimator(model, X, y, sample_weight=weights, show_bound=True)
    assert np.all(display.train_errors <= display.bound + 1e-12)


def test_regressors_show_one_minus_r2():
    X, y = load_diabetes(return_X_y=True)
    model = AdaBoostRegressor(n_estimators=5, random_state=0).fit(X, y)
    display = StagedScoreDisplay.from_estimator(model, X, y)
    assert_allclose(display.train_errors, [1 - score for score in model.staged_score(X, y)])
    assert display.ax_.get_ylabel() == "1 - R2"
    assert display.best_round_ is None


def test_early_stopping_brings_its_own_errors(halves):
    X, y, _, _ = halves
    model = AdaBoostClassifier(n_iter_no_change=5, random_state=0).fit(X, y)
    display = StagedScoreDisplay.from_estimator(model)
    assert_allclose(display.validation_errors, 1 - model.validation_scores_)
    assert set(display.lines_) == {"validation"}


def test_pipelines_and_other_staged_estimators(halves):
    X, y, X_val, y_val = halves
    pipeline = make_pipeline(StandardScaler(), AdaBoostClassifier(n_estimators=3)).fit(X, y)
    display = StagedScoreDisplay.from_estimator(pipeline, X, y)
    assert_allclose(display.train_errors[-1], 1 - pipeline.score(X, y))
    other = GradientBoostingClassifier(n_estimators=3).fit(X, y)
    ax = plt.figure().gca()
    display = StagedScoreDisplay.from_estimator(
        other, X_val=X_val, y_val=y_val, ax=ax, line_kw={"linewidth": 3.0}
    )
    assert display.ax_ is ax
    assert display.lines_["validation"].get_linewidth() == 3.0
    assert_allclose(display.validation_errors[-1], 1 - other.score(X_val, y_val))


def test_what_cannot_be_drawn_is_refused(halves):
    X, y, _, _ = halves
    from_estimator = StagedScoreDisplay.from_estimator
    model = AdaBoostClassifier(n_estimators=3).fit(X, y)
    with pytest.raises(TypeError, match="staged_predict, got LinearRegression"):
        from_estimator(LinearRegression(), X, y)
    with pytest.raises(ValueError, match="nothing to draw"):
        from_estimator(model)
    with pytest.raises(ValueError, match="X_val and y_val must be given together"):
        from_estimator(model, X, y, X_val=X)
    many = AdaBoostClassifier(n_estimators=3).fit(*load_iris(return_X_y=True))
    with pytest.raises(ValueError, match="two classes"):
        from_estimator(many, *load_iris(return_X_y=True), show_bound=True)
    with pytest.raises(ValueError, match="one length"):
        StagedScoreDisplay([0.1], [0.1, 0.2])
    with pytest.raises(ValueError, match="one length"):
        StagedScoreDisplay()
    with pytest.raises(ValueError, match="train_errors must be one-dimensional"):
        StagedScoreDisplay([[0.1]])
