"""Our trees as what AdaBoost learns from: by level, coded once, or like any estimator."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.tree import DecisionTreeClassifier as SklearnDecisionTreeClassifier

from skextra.ensemble import AdaBoostClassifier, AdaBoostRegressor
from skextra.ensemble._adaboost.coded import CodedTreeLearner
from skextra.ensemble._adaboost.estimators import EstimatorLearner
from skextra.ensemble._adaboost.learners import make_learner
from skextra.ensemble._adaboost.levels import TreeLearner
from skextra.tree import DecisionTreeClassifier, DecisionTreeRegressor


def make_problem(n=600, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 5))
    signal = X[:, 0] + X[:, 1] * X[:, 2] + 0.5 * rng.standard_normal(n)
    return X, signal, np.digitize(signal, [-0.7, 0.7])


CODED = [
    {"max_depth": 8},
    {"max_depth": None, "min_samples_leaf": 20},
    {"max_depth": 2, "criterion": "entropy"},
    {"max_leaf_nodes": 6},
    {"max_depth": 3, "min_weight_fraction_leaf": 0.05},
    {"max_depth": 3, "class_weight": {0: 2.0, 1: 1.0, 2: 0.5}},
    {"max_depth": 4, "max_features": 2},
    {"max_depth": 3, "splitter": "random"},
]


@pytest.mark.parametrize("params", CODED, ids=str)
def test_trees_coded_once_are_those_fitted_each_round(params, monkeypatch):
    X, _, y = make_problem()
    weights = np.random.default_rng(1).exponential(size=len(y))
    model = AdaBoostClassifier(DecisionTreeClassifier(**params), n_estimators=5, random_state=0)
    assert type(make_learner(model.estimator, X, y, np.unique(y), resample=False)) is (
        CodedTreeLearner
    )
    coded = model.fit(X, y, sample_weight=weights)
    outputs = coded.decision_function(X), coded.estimator_errors_, coded.feature_importances_
    monkeypatch.setattr("skextra.ensemble._adaboost.learners.can_be_coded", lambda *args: False)
    plain = model.fit(X, y, sample_weight=weights)
    assert_allclose(outputs[0], plain.decision_function(X), atol=1e-12)
    assert_allclose(outputs[1], plain.estimator_errors_, atol=1e-12)
    assert_allclose(outputs[2], plain.feature_importances_, atol=1e-12)


def test_regression_and_sparse_data_are_coded(monkeypatch):
    X, y, _ = make_problem()
    X[np.abs(X) < 0.5] = 0
    tree = DecisionTreeRegressor(max_depth=8)
    for container in (np.asarray, sparse.csr_array):
        model = AdaBoostRegressor(tree, n_estimators=4, random_state=0)
        with monkeypatch.context() as patch:
            coded = model.fit(container(X), y).predict(X)
            patch.setattr("skextra.ensemble._adaboost.learners.can_be_coded", lambda *args: False)
            plain = model.fit(container(X), y).predict(X)
        assert_allclose(coded, plain, atol=1e-9)


@pytest.mark.parametrize("tree", [DecisionTreeClassifier, SklearnDecisionTreeClassifier])
def test_shallow_trees_are_grown_by_level_and_are_of_the_class_asked_for(tree):
    X, _, y = make_problem()
    model = AdaBoostClassifier(tree(max_depth=2), n_estimators=4, random_state=0).fit(X, y)
    assert model._ensemble is not None
    assert all(type(estimator) is tree for estimator in model)
    tally = np.zeros((len(X), 3))
    for estimator, vote in zip(model.estimators_, model.estimator_weights_, strict=True):
        tally += vote * (estimator.predict(X)[:, None] == model.classes_)
    assert_array_equal(model.classes_[tally.argmax(axis=1)], model.predict(X))
    assert type(AdaBoostClassifier().fit(X, y).estimator_) is DecisionTreeClassifier


@pytest.mark.parametrize("max_depth", [1, 8])
def test_wrong_parameters_of_the_tree_are_refused(max_depth):
    X, _, y = make_problem(60)
    tree = DecisionTreeClassifier(max_depth=max_depth, min_samples_leaf=-1)
    with pytest.raises(ValueError, match="min_samples_leaf"):
        AdaBoostClassifier(tree).fit(X, y)


class Subclass(DecisionTreeClassifier):
    pass


@pytest.mark.parametrize(
    ("tree", "resample", "expected"),
    [
        (DecisionTreeClassifier(max_depth=6), True, TreeLearner),
        (DecisionTreeClassifier(max_depth=7), True, CodedTreeLearner),
        (DecisionTreeClassifier(max_depth=1, min_samples_leaf=2), False, CodedTreeLearner),
        (DecisionTreeClassifier(max_depth=1, min_samples_leaf=2), True, EstimatorLearner),
        (DecisionTreeClassifier(max_depth=1, ccp_alpha=0.1), False, EstimatorLearner),
        (DecisionTreeClassifier(max_depth=1, monotonic_cst=np.zeros(5)), False, CodedTreeLearner),
        (SklearnDecisionTreeClassifier(max_depth=7), False, EstimatorLearner),
        (Subclass(max_depth=1), False, EstimatorLearner),
    ],
    ids=str,
)
def test_which_trees_are_grown_how(tree, resample, expected):
    X, _, y = make_problem(60)
    assert type(make_learner(tree, X, y, np.unique(y), resample=resample)) is expected
