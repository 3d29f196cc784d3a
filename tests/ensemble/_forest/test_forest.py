"""The forests: scikit-learn's trees, out-of-bag estimates, workers, pickles, bad input."""

import pickle

import numpy as np
import pytest
import sklearn.ensemble
from joblib import parallel_config
from sklearn.datasets import load_iris
from sklearn.metrics import balanced_accuracy_score

from skextra.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    OOBCurveDisplay,
    RandomForestClassifier,
    RandomForestRegressor,
)

FORESTS = [
    RandomForestClassifier,
    RandomForestRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
]


def make_data(cls, n_samples=300, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_samples, 6))
    signal = X[:, 0] + X[:, 1] ** 2 + 0.3 * rng.standard_normal(n_samples)
    if cls in (RandomForestClassifier, ExtraTreesClassifier):
        return X, np.digitize(signal, [0.3, 1.2])
    return X, np.round(64 * signal) / 64


def predict(forest, X):
    return getattr(forest, "predict_proba", forest.predict)(X)


def get_sklearns(cls):
    return getattr(sklearn.ensemble, cls.__name__)


@pytest.mark.parametrize("cls", FORESTS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"max_features": "log2"},
        {"max_samples": 0.5},
        {"bootstrap": True, "oob_score": True},
        {"max_leaf_nodes": 10},
    ],
    ids=str,
)
def test_trees_match_sklearn(cls, options):
    X, y = make_data(cls)
    options = {"min_samples_leaf": 8, "n_estimators": 12, "random_state": 3, **options}
    if "max_samples" in options:
        options["bootstrap"] = True
    ours, theirs = (kind(**options).fit(X, y) for kind in (cls, get_sklearns(cls)))
    np.testing.assert_allclose(predict(ours, X), predict(theirs, X), atol=1e-9)
    np.testing.assert_allclose(ours.feature_importances_, theirs.feature_importances_, atol=1e-9)
    for first, second in zip(ours.estimators_samples_, theirs.estimators_samples_, strict=True):
        np.testing.assert_array_equal(first, second)
    if "oob_score" in options:
        assert ours.oob_score_ == pytest.approx(theirs.oob_score_)
    assert [tree.random_state for tree in ours] == [tree.random_state for tree in theirs]


@pytest.mark.parametrize("cls", FORESTS)
def test_results_do_not_depend_on_n_jobs(cls):
    X, y = make_data(cls)
    options = {"n_estimators": 9, "random_state": 0, "bootstrap": True, "oob_score": True}
    reference = cls(**options).fit(X, y)
    for backend, n_jobs in (("threading", 2), ("threading", 3), ("loky", 2)):
        with parallel_config(backend=backend):
            forest = cls(n_jobs=n_jobs, **options).fit(X, y)
            np.testing.assert_array_equal(predict(forest, X), predict(reference, X))
            np.testing.assert_array_equal(forest.oob_curve_, reference.oob_curve_)


@pytest.mark.parametrize("cls", FORESTS)
def test_warm_start_adds_the_trees_of_a_larger_forest(cls):
    X, y = make_data(cls)
    warm = cls(n_estimators=4, random_state=0, warm_start=True).fit(X, y)
    warm.set_params(n_estimators=7).fit(X, y)
    whole = cls(n_estimators=7, random_state=0).fit(X, y)
    np.testing.assert_array_equal(predict(warm, X), predict(whole, X))
    with pytest.warns(UserWarning, match="does not fit new trees"):
        warm.fit(X, y)
    with pytest.raises(ValueError, match="must be larger or equal"):
        warm.set_params(n_estimators=3).fit(X, y)


@pytest.mark.parametrize("cls", FORESTS)
def test_to_sklearn_and_pickle(cls):
    X, y = make_data(cls, 800)
    forest = cls(n_estimators=20, random_state=0).fit(X, y)
    theirs = get_sklearns(cls)(n_estimators=20, random_state=0).fit(X, y)
    converted = forest.to_sklearn()
    assert type(converted) is get_sklearns(cls)
    np.testing.assert_allclose(predict(converted, X), predict(forest, X))
    data = pickle.dumps(forest)
    assert len(data) <= len(pickle.dumps(theirs)) / 3
    np.testing.assert_array_equal(predict(pickle.loads(data), X), predict(forest, X))
    leaves = np.column_stack([tree.tree_.apply(X.astype(np.float32)) for tree in forest])
    np.testing.assert_array_equal(forest.apply(X), leaves)


def compute_slow_curve(forest, X, y):
    """Out-of-bag accuracy after each tree, from the definition."""
    proba, curve = np.zeros((len(y), 3)), []
    for tree, rows in zip(forest.estimators_, forest.estimators_samples_, strict=True):
        left_out = np.setdiff1d(np.arange(len(y)), rows)
        proba[left_out] += tree.predict_proba(X[left_out])
        seen = proba.sum(axis=1) > 0
        curve.append(np.mean(proba[seen].argmax(axis=1) == y[seen]))
    return curve


def test_oob_curve():
    X, y = make_data(RandomForestClassifier)
    forest = RandomForestClassifier(40, oob_score=True, random_state=0, min_samples_leaf=3)
    forest.fit(X, y)
    np.testing.assert_allclose(forest.oob_curve_, compute_slow_curve(forest, X, y))
    assert forest.oob_curve_[-1] == forest.oob_score_
    display = OOBCurveDisplay.from_estimator(forest)
    np.testing.assert_array_equal(display.line_.get_ydata(), forest.oob_curve_)
    with pytest.raises(ValueError, match="oob_score=True"):
        OOBCurveDisplay.from_estimator(RandomForestClassifier(5).fit(X, y))


def test_oob_score_takes_a_callable():
    X, y = make_data(RandomForestClassifier)
    forest = RandomForestClassifier(60, oob_score=balanced_accuracy_score, random_state=0).fit(X, y)
    chosen = forest.oob_decision_function_.argmax(axis=1)
    assert forest.oob_score_ == pytest.approx(balanced_accuracy_score(y, chosen))


@pytest.mark.parametrize("cls", [RandomForestClassifier, RandomForestRegressor])
def test_oob_importances_separate_signal_from_noise(cls):
    X, y = make_data(cls)
    forest = cls(60, random_state=0, max_features=3).fit(X, y)
    result = forest.compute_oob_importances(X, y)
    assert result.importances.shape == (6, 60)
    ratios = result.importances_mean / result.importances_standard_error
    assert set(np.argsort(ratios)[-2:]) == {0, 1}
    assert (ratios[:2] > 5).all()
    assert (np.abs(ratios[2:]) < 4).all()
    parallel = cls(60, random_state=0, max_features=3, n_jobs=2).fit(X, y)
    np.testing.assert_array_equal(
        parallel.compute_oob_importances(X, y).importances, result.importances
    )
    with pytest.raises(ValueError, match="training data of the forest"):
        forest.compute_oob_importances(X[:-1], y[:-1])


def test_oob_importances_need_a_bootstrap():
    X, y = load_iris(return_X_y=True)
    forest = ExtraTreesClassifier(5).fit(X, y)
    with pytest.raises(ValueError, match="bootstrap=True"):
        forest.compute_oob_importances(X, y)


def test_strings_and_several_outputs():
    X, y = make_data(RandomForestClassifier)
    names = np.array(["one", "two", "three"])[y]
    forest = RandomForestClassifier(10, random_state=0).fit(X, names)
    assert set(forest.predict(X)) <= set(names)
    Y = np.column_stack([y, y % 2])
    both = RandomForestClassifier(10, random_state=0).fit(X, Y)
    theirs = sklearn.ensemble.RandomForestClassifier(10, random_state=0).fit(X, Y)
    assert [part.shape for part in both.predict_proba(X)] == [(300, 3), (300, 2)]
    assert np.mean(both.predict(X) == theirs.predict(X)) > 0.95


def test_contradicting_parameters():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="only available if bootstrap=True"):
        ExtraTreesClassifier(oob_score=True).fit(X, y)
    with pytest.raises(ValueError, match="max_sample"):
        ExtraTreesClassifier(max_samples=5).fit(X, y)
    with pytest.raises(ValueError, match="(?i)sample.weight"):
        RandomForestClassifier().fit(X, y, sample_weight=np.zeros(150))
    with pytest.raises(ValueError, match="more samples than can be drawn"):
        RandomForestClassifier(max_samples=0.5).fit(X, y, sample_weight=np.full(150, 1e160))


def compute_slow_quantile(forest, x, X, y, level):
    """Quantile of the training targets, weighted by the leaves they share with a row."""
    weights = np.zeros(len(y))
    for tree, rows in zip(forest.estimators_, forest.estimators_samples_, strict=True):
        counts = np.bincount(rows, minlength=len(y)) * (tree.apply(X) == tree.apply(x[None])[0])
        weights += counts / counts.sum()
    order = np.argsort(y)
    reached = np.cumsum(weights[order]) / weights.sum()
    return y[order][np.searchsorted(reached, level - 1e-9)]


@pytest.mark.parametrize("cls", [RandomForestRegressor, ExtraTreesRegressor])
def test_quantiles_are_those_of_the_weighted_targets(cls):
    X, y = make_data(cls, 150)
    forest = cls(15, random_state=0, min_samples_leaf=4, bootstrap=True).fit(X, y)
    levels = [0.9, 0.1, 0.5]
    predicted = forest.predict_quantiles(X[:20], X, y, levels)
    expected = [[compute_slow_quantile(forest, x, X, y, level) for level in levels] for x in X[:20]]
    np.testing.assert_array_equal(predicted, expected)
    extremes = forest.predict_quantiles(X, X, y, (0.0, 1.0))
    assert (extremes[:, 0] <= forest.predict(X)).all()
    assert (extremes[:, 1] >= forest.predict(X)).all()


def test_quantiles_refuse_what_they_cannot_use():
    X, y = make_data(RandomForestRegressor)
    forest = RandomForestRegressor(5, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="between 0 and 1"):
        forest.predict_quantiles(X, X, y, 1.5)
    with pytest.raises(ValueError, match="training data of the forest"):
        forest.predict_quantiles(X, X[:9], y[:9])
    forest.fit(X, np.column_stack([y, y]))
    with pytest.raises(ValueError, match="one output"):
        forest.predict_quantiles(X, X, y)


def test_trees_are_pruned():
    X, y = make_data(RandomForestClassifier)
    options = {"n_estimators": 5, "random_state": 0, "ccp_alpha": 0.02}
    ours, theirs = (
        cls(**options).fit(X, y)
        for cls in (RandomForestClassifier, sklearn.ensemble.RandomForestClassifier)
    )
    assert [t.get_n_leaves() for t in ours] == [t.get_n_leaves() for t in theirs]
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X))
