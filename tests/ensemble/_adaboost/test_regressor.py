"""AdaBoostRegressor: scikit-learn's answers, and what it does not have."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.ensemble import AdaBoostRegressor as SklearnAdaBoostRegressor
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor

from skextra.ensemble import AdaBoostRegressor
from skextra.tree import DecisionTreeRegressor as OurTree
from tests.ensemble._adaboost.test_classifier import hide


def make_problem(n=3000, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 5))
    return X, X[:, 0] + X[:, 1] * X[:, 2] + 0.5 * rng.standard_normal(n)


def assert_same_model(ours, theirs, X, atol=1e-9):
    assert len(ours) == len(theirs)
    assert_allclose(ours.estimator_weights_, theirs.estimator_weights_, atol=atol)
    assert_allclose(ours.estimator_errors_, theirs.estimator_errors_, atol=atol)
    assert_allclose(ours.predict(X), theirs.predict(X), atol=atol)
    for a, b in zip(ours.staged_predict(X), theirs.staged_predict(X), strict=True):
        assert_allclose(a, b, atol=atol)


@pytest.mark.parametrize("loss", ["linear", "square", "exponential"])
def test_shallow_trees_give_scikit_learns_model(loss):
    X, y = make_problem()
    weights = np.random.default_rng(1).exponential(size=len(y))
    weights[::9] = 0.0
    tree = DecisionTreeRegressor(max_depth=2)
    # Few rounds: later ones see few distinct rows, which several features split alike.
    params = {"estimator": tree, "n_estimators": 3, "random_state": 0, "learning_rate": 0.7}
    params["loss"] = loss
    ours = AdaBoostRegressor(**params).fit(X, y, sample_weight=weights)
    theirs = SklearnAdaBoostRegressor(**params).fit(X, y, sample_weight=weights)
    assert ours._ensemble is not None
    assert_same_model(ours, theirs, X)
    assert_allclose(ours.feature_importances_, theirs.feature_importances_, atol=1e-6)
    for a, b in zip(ours, theirs, strict=True):
        assert a.get_params() == b.get_params()
        assert_array_equal(a.tree_.feature, b.tree_.feature)
        assert_array_equal(a.tree_.n_node_samples, b.tree_.n_node_samples)
        assert_allclose(a.predict(X), b.predict(X), atol=1e-9)


@pytest.mark.parametrize(
    "estimator", [LinearRegression(), hide(DecisionTreeRegressor(max_depth=3))], ids=str
)
def test_any_estimator_gives_scikit_learns_model_to_the_last_bit(estimator):
    X, y = make_problem(300)
    params = {"estimator": estimator, "n_estimators": 6, "random_state": 0}
    ours = AdaBoostRegressor(**params).fit(X, y)
    theirs = SklearnAdaBoostRegressor(**params).fit(X, y)
    assert ours._ensemble is None
    assert_array_equal(ours.estimator_weights_, theirs.estimator_weights_)
    assert_array_equal(ours.estimator_errors_, theirs.estimator_errors_)
    assert_array_equal(ours.predict(X), theirs.predict(X))
    assert_same_model(ours, theirs, X)


def test_both_ways_of_fitting_agree_with_early_stopping():
    X, y = make_problem()
    params = {"n_estimators": 4, "random_state": 3, "n_iter_no_change": 2, "tol": 0.0}
    tree = DecisionTreeRegressor(max_depth=2)
    fast = AdaBoostRegressor(tree, **params).fit(X, y)
    plain = AdaBoostRegressor(hide(tree), **params).fit(X, y)
    assert fast._ensemble is not None
    assert_same_model(fast, plain, X)
    assert_allclose(fast.validation_scores_, plain.validation_scores_)


def test_a_perfect_fit_ends_after_one_round():
    X, y = np.arange(10.0)[:, None], np.arange(10) > 4
    model = AdaBoostRegressor(random_state=0).fit(X, y)
    assert len(model) == 1
    assert_array_equal(model.estimator_weights_, [1.0] + [0.0] * 49)
    assert_array_equal(model.predict(X), y)


def test_an_average_loss_of_one_half_ends_but_keeps_the_only_estimator():
    X, y = np.zeros((4, 1)), np.array([-1.0, -1.0, 1.0, 1.0])
    ours = AdaBoostRegressor(random_state=1).fit(X, y)
    theirs = SklearnAdaBoostRegressor(random_state=1).fit(X, y)
    assert len(ours) == len(theirs) == 1
    assert_array_equal(ours.estimator_weights_, theirs.estimator_weights_)
    assert_array_equal(ours.estimator_errors_, theirs.estimator_errors_)
    assert_array_equal(ours.predict(X), theirs.predict(X))


def test_early_stopping_watches_r2():
    X, y = make_problem(800)
    model = AdaBoostRegressor(n_estimators=300, n_iter_no_change=4, random_state=0).fit(X, y)
    scores = model.validation_scores_
    assert len(model) == len(scores) < 300
    assert scores[-4:].max() <= scores[:-4].max() + 1e-4
    assert scores.max() > 0.2


def test_missing_values_are_taken_if_allowed():
    X, y = make_problem(600)
    X[np.random.default_rng(0).random(X.shape) < 0.2] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        AdaBoostRegressor().fit(X, y)
    model = AdaBoostRegressor(n_estimators=10, allow_nan=True, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.3


def test_estimators_may_be_changed_and_pickles_are_small():
    X, y = make_problem(500)
    model = AdaBoostRegressor(n_estimators=20, random_state=0).fit(X, y)
    theirs = SklearnAdaBoostRegressor(n_estimators=20, random_state=0).fit(X, y)
    assert len(pickle.dumps(model)) < 0.7 * len(pickle.dumps(theirs))
    model.estimators_ = model.estimators_[:5]
    fewer = AdaBoostRegressor(n_estimators=5, random_state=0).fit(X, y)
    assert_allclose(model.predict(X), fewer.predict(X))


def test_sparse_data_give_the_dense_model():
    X, y = make_problem(200)
    X[np.abs(X) < 0.7] = 0.0
    dense = AdaBoostRegressor(n_estimators=6, random_state=0).fit(X, y)
    model = AdaBoostRegressor(n_estimators=6, random_state=0).fit(sparse.csc_array(X), y)
    assert_array_equal(model.predict(sparse.csr_array(X)), dense.predict(X))


def test_verbose_reports_progress(capsys):
    X, y = make_problem(100)
    AdaBoostRegressor(n_estimators=3, verbose=2).fit(X, y)
    assert capsys.readouterr().out.count("[AdaBoostRegressor] round") == 3


@pytest.mark.parametrize("max_depth", [3, 8])
def test_units_and_offset_of_the_target(max_depth):
    X, y = make_problem(200)
    y = np.round(64 * y) / 64
    params = {"n_estimators": 5, "random_state": 0}
    params["estimator"] = OurTree(max_depth=max_depth, min_samples_leaf=1, random_state=0)
    reference = AdaBoostRegressor(**params).fit(X, y).predict(X)
    for exponent in (-400, -30, 300):
        scaled = AdaBoostRegressor(**params).fit(X, np.ldexp(y, exponent)).predict(X)
        assert_array_equal(scaled, np.ldexp(reference, exponent))
    assert_array_equal(AdaBoostRegressor(**params).fit(1e-20 * X, y).predict(1e-20 * X), reference)
