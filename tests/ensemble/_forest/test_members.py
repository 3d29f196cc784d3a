"""What a user changes in the trees of a forest counts, or is refused."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier as SklearnTree

from skextra.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from skextra.tree import DecisionTreeClassifier, DecisionTreeRegressor


def make_data(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((200, 5))
    return X, (X[:, 0] + rng.standard_normal(200) > 0).astype(int)


def average(forest, X):
    return np.mean([tree.predict_proba(X) for tree in forest.estimators_], axis=0)


def test_forests_are_joined_and_cut():
    X, y = make_data()
    forest = RandomForestClassifier(5, random_state=0).fit(X, y)
    other = RandomForestClassifier(4, random_state=1, criterion="entropy").fit(X, 1 - y)
    forest.estimators_ += other.estimators_
    np.testing.assert_allclose(forest.predict_proba(X), average(forest, X))
    assert len(forest) == 9
    assert forest.apply(X).shape == (200, 9)
    loaded = pickle.loads(pickle.dumps(forest))
    np.testing.assert_array_equal(loaded.predict_proba(X), forest.predict_proba(X))
    assert [tree.criterion for tree in loaded] == ["gini"] * 5 + ["entropy"] * 4
    np.testing.assert_allclose(forest.to_sklearn().predict_proba(X), forest.predict_proba(X))
    np.testing.assert_allclose(
        forest.feature_importances_,
        np.mean([tree.feature_importances_ for tree in forest.estimators_], axis=0),
    )
    del forest.estimators_[2:]
    np.testing.assert_allclose(forest.predict_proba(X), average(forest, X))
    assert [len(rows) for rows in forest.estimators_samples_] == [200, 200]
    forest.set_params(warm_start=True, n_estimators=3).fit(X, y)
    assert len(forest.estimators_) == 3
    forest.estimators_ = other.estimators_
    np.testing.assert_array_equal(forest.predict_proba(X), other.predict_proba(X))


def test_trees_are_replaced():
    X, y = make_data()
    forest = RandomForestRegressor(3, random_state=0, oob_score=True, warm_start=True)
    with pytest.warns(UserWarning, match="do not have OOB scores"):
        forest.fit(X, X[:, 0])
    changed = copy.deepcopy(forest.estimators_[0].tree_)
    changed.value[:] = 7.0
    before = forest.predict(X)
    forest.estimators_[0].tree_ = changed
    expected = np.mean([tree.predict(X) for tree in forest.estimators_], axis=0)
    np.testing.assert_allclose(forest.predict(X), expected)
    assert np.abs(forest.predict(X) - before).max() > 1
    with pytest.raises(ValueError, match="not known"):
        forest.estimators_samples_  # noqa: B018
    with pytest.raises(ValueError, match="not known"):
        forest.compute_oob_importances(X, X[:, 0])
    with pytest.raises(ValueError, match="not known"):
        forest.set_params(n_estimators=5).fit(X, X[:, 0])


def test_other_things_than_trees_for_the_same_data_are_refused():
    X, y = make_data()
    forest = RandomForestClassifier(2, random_state=0).fit(X, y)
    for estimator, error, message in (
        (SklearnTree().fit(X, y), TypeError, r"estimators_\[2\] must be a fitted tree"),
        (DecisionTreeClassifier(), TypeError, r"estimators_\[2\] must be a fitted tree"),
        (DecisionTreeClassifier().fit(X[:, :2], y), ValueError, "has 2 features"),
        (DecisionTreeRegressor().fit(X, y), ValueError, "classes per output"),
        (DecisionTreeClassifier().fit(X, y + (X[:, 0] > 1)), ValueError, "classes per output"),
    ):
        forest.estimators_.append(estimator)
        with pytest.raises(error, match=message):
            forest.predict(X)
        forest.estimators_.pop()
    forest.estimators_.clear()
    with pytest.raises(ValueError, match="at least one tree"):
        forest.predict(X)


@pytest.mark.parametrize(
    "tree", [None, DecisionTreeClassifier(max_depth=2), SklearnTree(max_depth=2)], ids=str
)
def test_trees_of_adaboost_are_replaced(tree):
    X, y = make_data()
    model = AdaBoostClassifier(tree, n_estimators=4, random_state=0).fit(X, y)
    before = model.decision_function(X)
    with pytest.raises(ValueError, match="read-only"):
        model.estimators_[0].tree_.value[:] = 0.5
    np.testing.assert_array_equal(model.decision_function(X), before)
    model.estimators_[0].fit(X, 1 - y)
    assert np.abs(model.decision_function(X) - before).max() > 0.1
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(loaded.decision_function(X), model.decision_function(X))


def test_thresholds_of_adaboosts_trees_part_neighboring_values():
    X = np.float32(2**24) + 2 * np.arange(4.0)[:, None]
    y = np.array([0, 0, 1, 1])
    model = AdaBoostClassifier(n_estimators=1).fit(X, y)
    np.testing.assert_array_equal(model.estimators_[0].predict(X), model.predict(X))
    rng = np.random.default_rng(0)
    X = 1.7e9 + 4000 * np.abs(rng.standard_normal((300, 3)))
    model = AdaBoostRegressor(n_estimators=1, random_state=0).fit(X, rng.standard_normal(300))
    np.testing.assert_array_equal(model.estimators_[0].predict(X), model.predict(X))


@pytest.mark.parametrize("cls", [RandomForestRegressor, ExtraTreesRegressor])
def test_trees_keep_what_they_were_grown_with(cls):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 5))
    y = np.abs(X[:, 0]) + 0.1
    for first, second in (
        ({"criterion": "squared_error"}, {"criterion": "absolute_error"}),
        ({"criterion": "absolute_error"}, {"criterion": "poisson", "max_depth": 3}),
        ({"monotonic_cst": None}, {"monotonic_cst": [1, 0, 0, 0, 0]}),
    ):
        forest = cls(3, random_state=0, warm_start=True, **first).fit(X, y)
        old = [(tree.get_params(), tree.tree_.impurity, tree.tree_.value) for tree in forest]
        forest.set_params(n_estimators=5, **second).fit(X, y)
        for tree, (parameters, impurity, value) in zip(forest, old, strict=False):
            assert tree.get_params() == parameters
            np.testing.assert_array_equal(tree.tree_.impurity, impurity)
            np.testing.assert_array_equal(tree.tree_.value, value)
        whole = cls(5, random_state=0, **second).fit(X, y)
        for tree, same in list(zip(forest, whole, strict=True))[3:]:
            assert tree.get_params() == same.get_params()
            np.testing.assert_array_equal(tree.tree_.impurity, same.tree_.impurity)
            np.testing.assert_array_equal(tree.feature_importances_, same.feature_importances_)
        np.testing.assert_allclose(forest.to_sklearn().predict(X), forest.predict(X))


def test_warm_start_refuses_other_data():
    X, y = make_data()
    forest = RandomForestClassifier(2, random_state=0, warm_start=True).fit(X, y)
    forest.set_params(n_estimators=3)
    for other, message in (
        ((X[:, :2], y), "X has 2 features"),
        ((X, y + 1), "y has the classes"),
        ((X, y + (X[:, 0] > 1)), "y has the classes"),
        ((X, np.column_stack([y, y])), "y has 2 outputs"),
    ):
        with pytest.raises(ValueError, match=message):
            forest.fit(*other)
        assert len(forest) == 2
        forest.predict(X)
    forest.fit(X[:100], y[:100])  # a batch of other rows is allowed
    with pytest.raises(ValueError, match="grown on 200 samples"):
        forest.set_params(oob_score=True, n_estimators=4).fit(X[:100], y[:100])
    assert len(forest) == 3
