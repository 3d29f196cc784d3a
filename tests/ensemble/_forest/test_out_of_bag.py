"""Out-of-bag predictions, scores and importances, from their definitions."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, r2_score

from skextra.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from skextra.ensemble._forest import out_of_bag
from skextra.tree import DecisionTreeClassifier


def make_data(n_samples=60, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_samples, 5))
    return X, X[:, 0] + 0.5 * rng.standard_normal(n_samples)


def find_unseen(forest, n_samples):
    seen = np.array([np.bincount(rows, minlength=n_samples) for rows in forest.estimators_samples_])
    return (seen > 0).all(axis=0)


@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.filterwarnings("ignore:Some inputs do not have OOB scores")
def test_rows_that_every_tree_has_seen_do_not_count(n_outputs):
    X, y = make_data()
    y = np.column_stack([100 + y, -y])[:, :n_outputs]
    target = y[:, 0] if n_outputs == 1 else y
    forest = RandomForestRegressor(2, oob_score=True, random_state=0).fit(X, target)
    is_unseen = find_unseen(forest, 60)
    assert 0 < is_unseen.sum() < 60
    predictions = forest.oob_prediction_.reshape(60, n_outputs)
    np.testing.assert_array_equal(np.isnan(predictions).all(axis=1), is_unseen)
    expected = r2_score(y[~is_unseen], predictions[~is_unseen])
    assert forest.oob_score_ == forest.oob_curve_[-1] == pytest.approx(expected)

    labels = (y > np.median(y, axis=0)).astype(int)
    labels = labels[:, 0] if n_outputs == 1 else labels
    forest = RandomForestClassifier(2, oob_score=True, random_state=0).fit(X, labels)
    probabilities = forest.oob_decision_function_
    is_unseen = find_unseen(forest, 60)
    np.testing.assert_array_equal(np.isnan(probabilities.reshape(60, -1)).all(axis=1), is_unseen)
    chosen = probabilities[~is_unseen].argmax(axis=1)
    assert forest.oob_score_ == forest.oob_curve_[-1]
    assert forest.oob_score_ == pytest.approx(accuracy_score(labels[~is_unseen], chosen))


@pytest.mark.filterwarnings("ignore:Some inputs do not have OOB scores")
def test_no_score_where_fewer_than_two_rows_are_left_out():
    X, y = make_data(3)
    n_left_out = []
    for seed in range(20):
        forest = RandomForestRegressor(1, oob_score=True, random_state=seed).fit(X, y)
        n_left_out.append((~find_unseen(forest, 3)).sum())
        assert np.isnan(forest.oob_score_) == (n_left_out[-1] < 2)
    assert set(n_left_out) == {0, 1, 2}


def test_scores_are_those_of_the_metrics():
    rng = np.random.default_rng(0)
    y = rng.standard_normal((20, 2))
    y[:, 1] = 1.0
    for values in (rng.standard_normal((20, 2)), np.ones((20, 2))):
        assert out_of_bag._compute_r2(y, values) == pytest.approx(r2_score(y, values))
    labels = rng.integers(0, 2, (20, 2))
    assert out_of_bag._compute_accuracy(labels, labels[::-1]) == accuracy_score(
        labels, labels[::-1]
    )
    assert np.isnan(out_of_bag._compute_r2(y[:1], y[:1]))


@pytest.mark.parametrize("cls", [RandomForestClassifier, ExtraTreesRegressor])
def test_warm_starts_continue_the_curve(cls, monkeypatch):
    X, y = make_data(100)
    y = (y > 0).astype(int)
    options = {"random_state": 0, "bootstrap": True, "oob_score": True}
    whole = cls(30, **options).fit(X, y)
    forest = cls(15, warm_start=True, **options).fit(X, y)
    n_walked = []
    find_leaves = out_of_bag._data.find_leaves

    def count(trees, *args, **kwargs):
        n_walked.append(trees.n_trees)
        return find_leaves(trees, *args, **kwargs)

    monkeypatch.setattr(out_of_bag._data, "find_leaves", count)
    forest.set_params(n_estimators=30).fit(X, y)
    assert sum(n_walked) == 15
    np.testing.assert_array_equal(forest.oob_curve_, whole.oob_curve_)
    for name in ("oob_decision_function_", "oob_prediction_"):
        if hasattr(whole, name):
            np.testing.assert_array_equal(getattr(forest, name), getattr(whole, name))
    with pytest.raises(ValueError, match="same training data"):
        forest.set_params(n_estimators=31).fit(X + 1, y)
    assert len(forest) == 30


def test_unknown_targets_are_refused():
    X, y = make_data()
    names = np.where(y > 0, "up", "down")
    forest = RandomForestClassifier(5, random_state=0).fit(X, names)
    with pytest.raises(ValueError, match="labels that the forest was not fitted with: .'left'"):
        forest.compute_oob_importances(X, np.where(names == "up", "up", "left"))
    regressor = RandomForestRegressor(5, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="y must be finite"):
        regressor.compute_oob_importances(X, np.where(y > 0, y, np.nan))


@pytest.mark.parametrize("cls", [RandomForestClassifier, RandomForestRegressor])
def test_pvalues_separate_signal_from_noise(cls):
    X, y = make_data()
    y = (y > 0).astype(int) if cls is RandomForestClassifier else y
    options = {"class_weight": "balanced"} if cls is RandomForestClassifier else {}
    forest = cls(10, random_state=0, min_samples_leaf=3, **options).fit(X, y)
    result = forest.compute_oob_importances(X, y, n_permutations=19)
    assert result.pvalues[0] == 1 / 20
    assert (result.pvalues[1:] > 1 / 20).all()
    parallel = forest.set_params(n_jobs=2).compute_oob_importances(X, y, n_permutations=19)
    np.testing.assert_array_equal(parallel.pvalues, result.pvalues)
    assert "pvalues" not in forest.compute_oob_importances(X, y)


def test_pvalues_have_their_level():
    # Under the hypothesis each is at most 2 / 5 with a probability of 2 / 5.
    pvalues = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        X, y = rng.standard_normal((30, 3)), rng.standard_normal(30)
        forest = RandomForestRegressor(5, max_depth=3, random_state=seed).fit(X, y)
        result = forest.compute_oob_importances(X, y, n_permutations=4, random_state=seed)
        pvalues.append(result.pvalues)
    assert 0.3 < np.mean(np.array(pvalues) <= 0.4) < 0.5


@pytest.mark.parametrize("cls", [RandomForestClassifier, ExtraTreesClassifier])
@pytest.mark.parametrize("class_weight", [None, "balanced_subsample"])
def test_leaf_weights_are_shares_of_each_trees_weight(cls, class_weight):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 4))
    y = np.column_stack([rng.random(300) < 0.1, rng.random(300) < 0.15]).astype(int)
    options = {"bootstrap": True, "class_weight": class_weight, "min_weight_fraction_leaf": 0.1}
    trees = cls(10, random_state=0, **options).fit(X, y).estimators_
    assert max(tree.get_n_leaves() for tree in trees) > 2
    for tree in trees:
        weights = tree.tree_.weighted_n_node_samples
        assert weights[tree.tree_.children_left < 0].min() >= 0.1 * weights[0] * (1 - 1e-12)


@pytest.mark.parametrize("cls", [ExtraTreesRegressor, RandomForestRegressor])
def test_importances_are_zero_where_no_split_gains(cls):
    X = np.random.default_rng(0).standard_normal((30, 2))
    y = np.zeros(30)
    y[-1] = 1.0
    forest = cls(3, criterion="absolute_error", max_depth=1, bootstrap=False, random_state=0)
    np.testing.assert_array_equal(forest.fit(X, y).feature_importances_, np.zeros(2))


@pytest.mark.parametrize("cls", [RandomForestClassifier, ExtraTreesClassifier])
@pytest.mark.parametrize("weight", [1e-200, 1e-9, 1e160])
def test_extreme_weights_are_scaled_ones(cls, weight):
    X, y = make_data(200)
    y = np.digitize(y, [-0.5, 0.5])
    weights = 1.0 + (y == 1)
    plain = cls(5, bootstrap=False, random_state=0, ccp_alpha=1e-6).fit(X, y, weights)
    scaled = cls(5, bootstrap=False, random_state=0, ccp_alpha=1e-6).fit(X, y, weight * weights)
    assert scaled.score(X, y) == plain.score(X, y) > 0.9
    for tree in scaled:
        np.testing.assert_allclose(tree.tree_.value.sum(axis=2), 1)
        np.testing.assert_array_equal(tree.to_sklearn().predict(X), tree.predict(X))
    alone = DecisionTreeClassifier(random_state=0).fit(X, y, weight * weights)
    assert alone.score(X, y) == 1
