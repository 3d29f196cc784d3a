"""Extra-trees: scikit-learn's trees, alone and as the members of forests."""

import numpy as np
import pytest
import sklearn.tree
from sklearn.base import clone

import skextra.ensemble
from skextra.ensemble import AdaBoostClassifier
from skextra.tree import ExtraTreeClassifier, ExtraTreeRegressor

PAIRS = [
    (ExtraTreeClassifier, sklearn.tree.ExtraTreeClassifier),
    (ExtraTreeRegressor, sklearn.tree.ExtraTreeRegressor),
]


def make_data(cls):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 5))
    X[:, 1] = np.round(X[:, 1])  # zeros of either sign
    signal = X[:, 0] + X[:, 1] * X[:, 2] + 0.3 * rng.standard_normal(300)
    y = np.digitize(signal, [-0.5, 0.5]) if cls is ExtraTreeClassifier else np.round(64 * signal)
    return X, y, rng.standard_normal((200, 5))


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "options", [{"min_samples_leaf": 5}, {"min_weight_fraction_leaf": 0.03}, {"max_leaf_nodes": 9}]
)
def test_same_trees_as_sklearns(ours, theirs, weighted, options):
    X, y, points = make_data(ours)
    weights = np.random.default_rng(1).integers(0, 4, len(y)) if weighted else None
    for seed in range(3):
        first, second = (cls(random_state=seed, **options) for cls in (ours, theirs))
        for tree in (first, second):
            tree.fit(X, y, sample_weight=weights)
        np.testing.assert_allclose(first.predict(points), second.predict(points))
        assert first.get_n_leaves() == second.get_n_leaves()


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_parameters_and_classes_match_sklearn(ours, theirs):
    assert ours().get_params() == theirs().get_params()
    assert issubclass(ours, theirs)
    X, y, points = make_data(ours)
    tree = ours(random_state=0).fit(X, y)
    assert type(tree.to_sklearn()) is theirs
    np.testing.assert_array_equal(tree.to_sklearn().predict(points), tree.predict(points))


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_they_are_the_members_of_forests(ours, theirs):
    X, y, _ = make_data(ours)
    name = ours.__name__.replace("Tree", "Trees")
    forest = getattr(skextra.ensemble, name)(n_estimators=3, random_state=0).fit(X, y)
    assert type(forest.estimator_) is ours
    assert {type(tree) for tree in forest.estimators_} == {ours}
    assert {type(tree) for tree in forest.to_sklearn().estimators_} == {theirs}


def test_boosting_grows_the_trees_it_would_fit():
    X, y, points = make_data(ExtraTreeClassifier)
    tree = ExtraTreeClassifier(max_depth=3)
    model = AdaBoostClassifier(tree, n_estimators=3, random_state=0).fit(X, y)
    first = clone(model.estimators_[0]).fit(X, y, sample_weight=np.full(len(y), 1 / len(y)))
    np.testing.assert_array_equal(model.estimators_[0].predict(points), first.predict(points))
