"""AdaBoostClassifier: scikit-learn's answers, and what it does not have."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_breast_cancer, load_iris, make_classification
from sklearn.ensemble import AdaBoostClassifier as SklearnAdaBoostClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from skextra.ensemble import AdaBoostClassifier


def make_problem(n=400, n_classes=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 5))
    signal = X[:, 0] + X[:, 1] * X[:, 2] + 0.5 * rng.standard_normal(n)
    cuts = np.quantile(signal, np.arange(1, n_classes) / n_classes)
    return X, np.array(["no", "maybe", "yes", "other"])[np.searchsorted(cuts, signal)]


def hide(estimator):
    """The same tree, of a class that is not known to be one: it is fitted as it is."""

    class Hidden(type(estimator)):
        pass

    return Hidden(**estimator.get_params())


def assert_same_model(ours, theirs, X, atol=1e-12):
    assert len(ours) == len(theirs)
    assert_allclose(ours.estimator_weights_, theirs.estimator_weights_, atol=atol)
    assert_allclose(ours.estimator_errors_, theirs.estimator_errors_, atol=atol)
    assert_array_equal(ours.predict(X), theirs.predict(X))
    assert_allclose(ours.decision_function(X), theirs.decision_function(X), atol=atol)
    assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=atol)
    assert_allclose(ours.predict_log_proba(X), theirs.predict_log_proba(X), atol=atol)
    for method in ("staged_predict", "staged_decision_function", "staged_predict_proba"):
        for a, b in zip(getattr(ours, method)(X), getattr(theirs, method)(X), strict=True):
            if method == "staged_predict":
                assert_array_equal(a, b)
            else:
                assert_allclose(a, b, atol=atol)


@pytest.mark.parametrize("n_classes", [2, 3, 4])
@pytest.mark.parametrize("max_depth", [1, 2])
@pytest.mark.parametrize("learning_rate", [1.0, 0.5])
def test_shallow_trees_give_scikit_learns_model(n_classes, max_depth, learning_rate):
    X, y = make_problem(1200, n_classes=n_classes)
    weights = np.random.default_rng(1).exponential(size=len(y))
    weights[::9] = 0.0
    params = {
        "estimator": DecisionTreeClassifier(max_depth=max_depth),
        "n_estimators": 8,
        "learning_rate": learning_rate,
        "random_state": 0,
    }
    ours = AdaBoostClassifier(**params).fit(X, y, sample_weight=weights)
    theirs = SklearnAdaBoostClassifier(**params).fit(X, y, sample_weight=weights)
    assert ours._ensemble is not None
    assert_same_model(ours, theirs, X)
    assert_allclose(ours.feature_importances_, theirs.feature_importances_, atol=1e-9)
    for a, b in zip(ours, theirs, strict=True):
        assert a.get_params() == b.get_params()
        assert_array_equal(a.tree_.feature, b.tree_.feature)
        assert_array_equal(a.tree_.threshold, b.tree_.threshold)
        assert_array_equal(a.predict(X), b.predict(X))


@pytest.mark.parametrize(
    "estimator",
    [
        hide(DecisionTreeClassifier(max_depth=2)),
        DecisionTreeClassifier(max_depth=2, criterion="entropy"),
        DecisionTreeClassifier(max_depth=2, min_samples_leaf=5),
        LogisticRegression(C=1e-3),
    ],
    ids=str,
)
def test_any_estimator_gives_scikit_learns_model_to_the_last_bit(estimator):
    X, y = make_problem()
    params = {"estimator": estimator, "n_estimators": 6, "random_state": 0}
    ours = AdaBoostClassifier(**params).fit(X, y)
    theirs = SklearnAdaBoostClassifier(**params).fit(X, y)
    assert ours._ensemble is None
    assert_array_equal(ours.estimator_weights_, theirs.estimator_weights_)
    assert_array_equal(ours.estimator_errors_, theirs.estimator_errors_)
    assert_array_equal(ours.decision_function(X), theirs.decision_function(X))
    assert_same_model(ours, theirs, X)


@pytest.mark.parametrize(
    "options",
    [{}, {"resample": True}, {"weight_trimming": 0.1}, {"n_iter_no_change": 3, "tol": 0.0}],
    ids=str,
)
def test_both_ways_of_fitting_agree(options):
    X, y = make_problem(seed=2)
    tree = DecisionTreeClassifier(max_depth=2)
    params = {"n_estimators": 10, "random_state": 3, **options}
    fast = AdaBoostClassifier(tree, **params).fit(X, y)
    plain = AdaBoostClassifier(hide(tree), **params).fit(X, y)
    assert fast._ensemble is not None
    assert plain._ensemble is None
    assert_same_model(fast, plain, X)
    if "n_iter_no_change" in options:
        assert_allclose(fast.validation_scores_, plain.validation_scores_)


def test_a_perfect_fit_ends_after_one_round():
    X, y = np.arange(10.0)[:, None], np.arange(10) > 4
    model = AdaBoostClassifier().fit(X, y)
    assert len(model) == 1
    assert_array_equal(model.estimator_weights_, [1.0] + [0.0] * 49)
    assert_array_equal(model.estimator_errors_, [0.0] + [1.0] * 49)


class Stubborn(ClassifierMixin, BaseEstimator):
    """Right about the first samples of the training data only, whatever their weights."""

    def __init__(self, share=0.9):
        self.share = share

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        self.y_ = y
        return self

    def predict(self, X):
        wrong = np.arange(len(X)) >= self.share * len(X)
        codes = np.searchsorted(self.classes_, self.y_)
        return self.classes_[np.where(wrong, codes + 1, codes) % len(self.classes_)]


@pytest.mark.parametrize("cls", [AdaBoostClassifier, SklearnAdaBoostClassifier])
def test_a_learner_at_chance_is_dropped_and_ends_the_rounds(cls):
    X, y = make_problem(n=200, n_classes=2)
    model = cls(Stubborn()).fit(X, y)  # the second one makes the errors of the first
    assert len(model.estimators_) == 1
    assert_allclose(model.estimator_weights_, [np.log(9)] + [0.0] * 49)
    assert_allclose(model.estimator_errors_, [0.1] + [1.0] * 49)
    with pytest.raises(ValueError, match="worse than random"):
        cls(Stubborn(share=0.5)).fit(X, y)


def test_a_failed_fit_leaves_no_model_of_an_earlier_one():
    X, y = make_problem(n=100)
    model = AdaBoostClassifier(n_estimators=3).fit(X, y)
    with pytest.raises(ValueError, match="worse than random"):
        model.set_params(estimator=Stubborn(share=0.0)).fit(X, y)
    with pytest.raises((NotFittedError, AttributeError)):
        model.estimators_[0].predict(X)


def test_a_stump_at_chance_is_refused():
    X, y = np.zeros((4, 2)), [0, 1, 0, 1]
    with pytest.raises(ValueError, match="worse than random"):
        AdaBoostClassifier().fit(X, y)


def test_resampling_needs_no_sample_weights():
    X, y = make_problem(n_classes=2)
    knn = KNeighborsClassifier(n_neighbors=15)
    with pytest.raises(ValueError, match="KNeighborsClassifier doesn't support sample_weight"):
        AdaBoostClassifier(knn).fit(X, y)
    model = AdaBoostClassifier(knn, n_estimators=5, resample=True, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.8
    with pytest.raises(ValueError, match="weight_trimming must be 0"):
        AdaBoostClassifier(knn, resample=True, weight_trimming=0.1).fit(X, y)


def test_resampling_depends_on_the_seed_only():
    X, y = make_problem(n_classes=2)
    first, again, other = (
        AdaBoostClassifier(resample=True, random_state=seed).fit(X, y).decision_function(X)
        for seed in (0, 0, 1)
    )
    assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_votes_as_they_are_give_the_probabilities_of_the_additive_model(n_classes):
    X, y = make_problem(n_classes=n_classes)
    plain = AdaBoostClassifier(n_estimators=20).fit(X, y)
    model = AdaBoostClassifier(n_estimators=20, normalize_votes=False).fit(X, y)
    assert_array_equal(model.decision_function(X), plain.decision_function(X))
    tally = np.zeros((len(X), n_classes))
    for estimator, vote, staged in zip(
        model.estimators_, model.estimator_weights_, model.staged_predict_proba(X), strict=True
    ):
        tally += vote * (estimator.predict(X)[:, None] == model.classes_)
        expected = np.exp(tally) / np.exp(tally).sum(axis=1, keepdims=True)
        assert_allclose(staged, expected, atol=1e-12)
    assert_allclose(model.predict_proba(X), expected, atol=1e-12)
    assert_allclose(model.predict_log_proba(X), np.log(expected), atol=1e-9)


def test_default_probabilities_of_two_classes_are_compressed():
    X, y = load_breast_cancer(return_X_y=True)
    default = AdaBoostClassifier(n_estimators=10).fit(X[::2], y[::2])
    other = AdaBoostClassifier(n_estimators=10, normalize_votes=False).fit(X[::2], y[::2])
    probabilities = default.predict_proba(X)
    bound = 1 / (1 + np.exp(-2))
    assert probabilities.max() <= bound + 1e-12
    assert probabilities.min() >= 1 - bound - 1e-12
    losses = [log_loss(y[1::2], model.predict_proba(X[1::2])) for model in (default, other)]
    assert losses[1] < losses[0]


def test_trimming_no_weight_changes_nothing_and_keeps_the_error_exact():
    X, y = make_problem(n_classes=2, n=600)
    exact = AdaBoostClassifier(n_estimators=10).fit(X, y)
    model = AdaBoostClassifier(n_estimators=10, weight_trimming=1e-12).fit(X, y)
    assert_array_equal(model.decision_function(X), exact.decision_function(X))
    model = AdaBoostClassifier(n_estimators=30, weight_trimming=0.2).fit(X, y)
    weights = np.full(len(y), 1 / len(y))
    for estimator, error, vote in zip(model, model.estimator_errors_, model.estimator_weights_):
        is_wrong = estimator.predict(X) != y
        assert_allclose(weights[is_wrong].sum(), error)
        weights = weights * np.exp(vote * is_wrong)
        weights /= weights.sum()
        assert estimator.tree_.n_node_samples[0] <= len(y)
    assert min(estimator.tree_.n_node_samples[0] for estimator in model) < len(y)


def test_trimmed_splits_are_as_good_as_promised():
    """Impurity of the split found, of all samples: at most twice the share above the best."""
    X, y = make_problem(n_classes=2, n=600)
    share = 0.05
    model = AdaBoostClassifier(n_estimators=25, weight_trimming=share).fit(X, y)
    weights = np.full(len(y), 1 / len(y))
    for estimator, vote in zip(model, model.estimator_weights_):
        best = DecisionTreeClassifier(max_depth=1).fit(X, y, sample_weight=weights)
        impurities = []
        for tree in (estimator, best):
            leaves = tree.apply(X)
            impurities.append(
                sum(gini(y[leaves == leaf], weights[leaves == leaf]) for leaf in np.unique(leaves))
            )
        assert impurities[0] <= impurities[1] + 2 * share
        weights = weights * np.exp(vote * (estimator.predict(X) != y))
        weights /= weights.sum()


def gini(y, weights):
    shares = np.unique(y, return_inverse=True)[1]
    shares = np.bincount(shares, weights) / weights.sum()
    return weights.sum() * (1 - (shares**2).sum())


def test_trimming_leaves_no_class_out():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 3))
    y = np.where(np.arange(300) < 3, "rare", np.where(X[:, 0] > 0, "a", "b"))
    X[:3] += 20
    for tree in (DecisionTreeClassifier(max_depth=1), LogisticRegression()):
        model = AdaBoostClassifier(tree, n_estimators=15, weight_trimming=0.4).fit(X, y)
        for estimator in model:
            assert len(estimator.classes_) == 3


def test_early_stopping_watches_validation_accuracy():
    X, y = make_classification(800, 10, flip_y=0.3, random_state=0)
    params = {"n_iter_no_change": 5, "validation_fraction": 0.25, "random_state": 0}
    model = AdaBoostClassifier(n_estimators=300, **params).fit(X, y)
    scores = model.validation_scores_
    assert len(model) == len(scores) < 300
    assert scores[-5:].max() <= scores[:-5].max() + 1e-4
    assert all(scores[k - 5 : k].max() > scores[: k - 5].max() for k in range(6, len(scores)))
    model.set_params(n_iter_no_change=None, n_estimators=3).fit(X, y)
    assert not hasattr(model, "validation_scores_")
    weights = np.zeros(len(y))
    weights[0] = 1
    with pytest.raises(ValueError, match="validation_fraction=0.25"):
        AdaBoostClassifier(**params).fit(X, y, sample_weight=weights)


@pytest.mark.parametrize("hidden", [False, True])
def test_missing_values_are_taken_if_allowed(hidden):
    X, y = make_problem(n_classes=2)
    X[np.random.default_rng(0).random(X.shape) < 0.2] = np.nan
    tree = DecisionTreeClassifier(max_depth=2)
    tree = hide(tree) if hidden else tree
    with pytest.raises(ValueError, match="NaN"):
        AdaBoostClassifier(tree).fit(X, y)
    model = AdaBoostClassifier(tree, n_estimators=10, allow_nan=True).fit(X, y)
    assert model.score(X, y) > 0.7
    assert_array_equal(
        model.predict(X),
        AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), n_estimators=10, allow_nan=True)
        .fit(X, y)
        .predict(X),
    )
    with pytest.raises(ValueError, match="infinity"):
        model.fit(np.where(np.isnan(X), np.inf, X), y)


def test_estimators_are_built_on_access_and_may_be_changed():
    X, y = make_problem()
    model = AdaBoostClassifier(n_estimators=8).fit(X, y)
    whole = model.decision_function(X)
    estimators = model.estimators_
    assert model.estimators_ is estimators
    assert_array_equal(model.decision_function(X), whole)
    assert model._get_ensemble() is not None
    estimators.pop()
    assert len(model) == 7
    fewer = AdaBoostClassifier(n_estimators=7).fit(X, y)
    assert_array_equal(model.predict(X), fewer.predict(X))
    model.estimators_ = estimators[:3]
    assert len(model) == 3
    assert len(list(model.staged_predict(X))) == 3
    with pytest.raises(AttributeError, match="not fitted yet"):
        AdaBoostClassifier().estimators_  # noqa: B018


def test_pickles_are_small_and_whole():
    X, y = load_breast_cancer(return_X_y=True)
    model = AdaBoostClassifier(n_estimators=50).fit(X, y)
    theirs = SklearnAdaBoostClassifier(n_estimators=50).fit(X, y)
    assert len(model.estimators_) == 50
    text = pickle.dumps(model)
    assert len(text) < len(pickle.dumps(theirs)) / 2
    again = pickle.loads(text)
    assert_array_equal(again.decision_function(X), model.decision_function(X))
    assert_array_equal(again.estimators_[7].apply(X), model.estimators_[7].apply(X))


def test_sparse_data_give_the_dense_model():
    X, y = make_problem(n_classes=2, n=150)
    X[np.abs(X) < 0.7] = 0.0
    dense = AdaBoostClassifier(n_estimators=6, random_state=0).fit(X, y)
    for container in (sparse.csr_array, sparse.csc_matrix):
        model = AdaBoostClassifier(n_estimators=6, random_state=0).fit(container(X), y)
        assert_array_equal(model.predict(container(X)), dense.predict(X))
        assert_array_equal(dense.predict(container(X)), dense.predict(X))


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, bool, np.float16, np.float32, object])
def test_types_of_numbers_do_not_matter(dtype):
    X, y = load_iris(return_X_y=True)
    X = np.round(X * 2).astype(dtype)
    model = AdaBoostClassifier(n_estimators=5, random_state=0).fit(X, y)
    reference = AdaBoostClassifier(n_estimators=5, random_state=0).fit(X.astype(float), y)
    assert_array_equal(model.predict(X), reference.predict(X.astype(float)))


def test_values_beyond_single_precision_are_refused_by_name():
    X, y = make_problem()
    X[0, 0] = 1e300
    with pytest.raises(ValueError, match="Input X contains infinity or a value too large"):
        AdaBoostClassifier().fit(X, y)
    model = AdaBoostClassifier(n_estimators=2).fit(X[1:], y[1:])
    with pytest.raises(ValueError, match="Input X contains infinity or a value too large"):
        model.predict(X)


def test_verbose_reports_progress(capsys):
    X, y = make_problem()
    AdaBoostClassifier(n_estimators=25, verbose=1).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 11
    assert lines[-1].startswith("[AdaBoostClassifier] round 20 of 25: error 0.")
    AdaBoostClassifier(n_estimators=5, verbose=2, n_iter_no_change=5).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert "validation score" in lines[0]


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"weight_trimming": 1.0}, "weight_trimming"),
        ({"n_iter_no_change": 0}, "n_iter_no_change"),
        ({"validation_fraction": 0.0}, "validation_fraction"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"n_estimators": 0}, "n_estimators"),
        ({"resample": "yes"}, "resample"),
        ({"normalize_votes": 2.5}, "normalize_votes"),
        ({"allow_nan": None}, "allow_nan"),
        ({"tol": -1.0}, "tol"),
        ({"estimator": 3}, "estimator"),
    ],
)
def test_wrong_arguments_are_refused_by_name(params, name):
    X, y = make_problem(n=30)
    with pytest.raises(ValueError, match=name):
        AdaBoostClassifier(**params).fit(X, y)


def test_continuous_labels_are_refused():
    X, _ = make_problem(n=30)
    with pytest.raises(ValueError, match="Unknown label type"):
        AdaBoostClassifier().fit(X, X[:, 0])
