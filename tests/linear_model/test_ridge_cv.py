"""RidgeCV against brute force, GridSearchCV and scikit-learn's RidgeCV."""

import numpy as np
import pytest
import sklearn.linear_model
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.metrics import make_scorer, mean_absolute_error
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, ShuffleSplit
from sklearn.utils.estimator_checks import parametrize_with_checks

from skextra.linear_model import Ridge, RidgeCV

ALPHAS = np.logspace(-3, 3, 7)
MANY = np.logspace(-4, 4, 25)
SHAPES = [(40, 6), (12, 30), (20, 20)]


@parametrize_with_checks([RidgeCV(), RidgeCV(cv=3)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def make_data(n, p, k=1, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) + 3
    Y = X @ rng.normal(size=(p, k)) / np.sqrt(p) + 2 * rng.normal(size=(n, k)) - 7
    return X, (Y[:, 0] if k == 1 else Y), rng.uniform(0.2, 2, n)


def predict_left_out(X, y, alpha, weights=None, **parameters):
    predictions = np.empty_like(y)
    for i in range(len(y)):
        kept = np.arange(len(y)) != i
        model = Ridge(alpha=alpha, **parameters)
        model.fit(X[kept], y[kept], None if weights is None else weights[kept])
        predictions[i] = model.predict(X[[i]])[0]
    return predictions


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n_targets", [1, 3])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("gcv_mode", ["eigen", "svd"])
@pytest.mark.parametrize("alphas", [ALPHAS[::3], ALPHAS], ids=["inverses", "eigenvectors"])
def test_leave_one_out_by_refitting(shape, n_targets, fit_intercept, gcv_mode, alphas):
    X, y, weights = make_data(*shape, n_targets)
    weights[2] = 0
    parameters = {"alphas": alphas, "fit_intercept": fit_intercept, "gcv_mode": gcv_mode}
    squares = RidgeCV(store_cv_results=True, **parameters).fit(X, y, weights)
    scored = RidgeCV(store_cv_results=True, scoring="r2", **parameters).fit(X, y, weights)
    for a, alpha in enumerate(alphas):
        expected = predict_left_out(X, y, alpha, weights, fit_intercept=fit_intercept)
        assert_allclose(scored.cv_results_[..., a], expected, rtol=1e-6, atol=1e-8)
        error = weights.reshape((-1,) + (1,) * (y.ndim - 1)) * (y - expected) ** 2
        assert_allclose(squares.cv_results_[..., a], error, rtol=1e-6, atol=1e-8)
    means = squares.cv_results_.reshape(-1, len(alphas)).mean(axis=0)
    assert squares.alpha_ == alphas[means.argmin()]
    assert_allclose(squares.best_score_, -means.min(), rtol=1e-9)
    final = Ridge(alpha=squares.alpha_, fit_intercept=fit_intercept).fit(X, y, weights)
    assert_allclose(squares.coef_, final.coef_, rtol=1e-7, atol=1e-9)
    assert_allclose(squares.intercept_, final.intercept_, rtol=1e-7, atol=1e-9)
    assert squares.converged_ and np.max(squares.dual_gap_) < 1e-10


@pytest.mark.parametrize("shape", [(40, 6), (12, 30)])
def test_leave_one_out_with_penalty_weights(shape):
    X, y, weights = make_data(*shape)
    gamma = np.random.default_rng(1).uniform(0.2, 4, shape[1])
    gamma[0], gamma[1] = 0, np.inf
    model = RidgeCV(alphas=ALPHAS, penalty_weights=gamma, store_cv_results=True, scoring="r2")
    model.fit(X, y, weights)
    for a, alpha in enumerate(ALPHAS):
        expected = predict_left_out(X, y, alpha, weights, penalty_weights=gamma)
        assert_allclose(model.cv_results_[:, a], expected, rtol=1e-6)
    final = Ridge(alpha=model.alpha_, penalty_weights=gamma).fit(X, y, weights)
    assert_allclose(model.coef_, final.coef_, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("value", [0.0, np.inf])
def test_leave_one_out_without_penalized_features(value):
    X, y, _ = make_data(25, 2)
    model = RidgeCV(penalty_weights=[value] * 2, store_cv_results=True, scoring="r2").fit(X, y)
    expected = predict_left_out(X, y, 1.0, penalty_weights=[value] * 2)
    assert_allclose(model.cv_results_, np.repeat(expected[:, None], 3, axis=1), rtol=1e-8)


@pytest.mark.parametrize("shape", [(300, 8), (8, 300), (3000, 5)])
@pytest.mark.parametrize("n_targets", [1, 4])
@pytest.mark.parametrize("per_target", [True, False])
@pytest.mark.parametrize("alphas", [ALPHAS, MANY])
def test_leave_one_out_equals_scikit_learn(shape, n_targets, per_target, alphas):
    X, y, weights = make_data(*shape, n_targets)
    for sample_weight in (None, weights):
        parameters = {"alphas": alphas, "alpha_per_target": per_target}
        ours = RidgeCV(**parameters).fit(X, y, sample_weight)
        theirs = sklearn.linear_model.RidgeCV(**parameters).fit(X, y, sample_weight)
        assert_array_equal(ours.alpha_, theirs.alpha_)
        assert np.shape(ours.alpha_) == np.shape(theirs.alpha_)
        assert_allclose(ours.best_score_, theirs.best_score_, rtol=1e-8)
        assert_allclose(ours.coef_, theirs.coef_, rtol=1e-6, atol=1e-9)
        assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-6)


@pytest.mark.parametrize("shape", [(60, 6), (20, 50), (60, 45)])
@pytest.mark.parametrize("n_targets", [1, 3])
@pytest.mark.parametrize(
    "cv", [4, KFold(3, shuffle=True, random_state=0), ShuffleSplit(3, random_state=0)]
)
@pytest.mark.parametrize("alphas", [ALPHAS, MANY])
def test_folds_equal_grid_search(shape, n_targets, cv, alphas):
    X, y, weights = make_data(*shape, n_targets)
    for scoring, sample_weight in (
        (None, weights),
        ("neg_mean_absolute_error", None),
        (make_scorer(mean_absolute_error), weights),
    ):
        ours = RidgeCV(alphas=alphas, cv=cv, scoring=scoring).fit(X, y, sample_weight)
        search = GridSearchCV(
            sklearn.linear_model.Ridge(), {"alpha": alphas}, cv=cv, scoring=scoring
        ).fit(X, y, sample_weight=sample_weight)
        assert ours.alpha_ == search.best_params_["alpha"]
        assert_allclose(ours.best_score_, search.best_score_, rtol=1e-8)
        assert_allclose(ours.coef_, search.best_estimator_.coef_, rtol=1e-6, atol=1e-9)


def test_folds_with_scorer_of_models():
    X, y, _ = make_data(60, 6)
    seen = []

    def score(model, X, y):
        seen.append((model.alpha, model.coef_.shape))
        return -np.abs(model.coef_).sum() - mean_absolute_error(y, model.predict(X))

    ours = RidgeCV(alphas=ALPHAS, cv=3, scoring=score).fit(X, y)
    assert len(seen) == 3 * len(ALPHAS)
    search = GridSearchCV(sklearn.linear_model.Ridge(), {"alpha": ALPHAS}, cv=3, scoring=score)
    assert ours.alpha_ == search.fit(X, y).best_params_["alpha"]
    assert_allclose(ours.best_score_, search.best_score_, rtol=1e-9)


@pytest.mark.parametrize("shape", [(60, 6), (20, 50)])
def test_folds_with_penalty_weights_and_no_penalty(shape):
    X, y, _ = make_data(*shape)
    gamma = np.ones(shape[1])
    gamma[0], gamma[1], gamma[2] = 0, np.inf, 3
    alphas = [0.0, 0.1, 10.0] if shape[0] > shape[1] else [0.1, 10.0]
    ours = RidgeCV(alphas=alphas, cv=4, penalty_weights=gamma).fit(X, y)
    search = GridSearchCV(Ridge(penalty_weights=gamma), {"alpha": alphas}, cv=4).fit(X, y)
    assert ours.alpha_ == search.best_params_["alpha"]
    assert_allclose(ours.best_score_, search.best_score_, rtol=1e-8)
    assert_allclose(ours.coef_, search.best_estimator_.coef_, rtol=1e-7, atol=1e-10)


def test_folds_where_a_feature_is_constant_in_training():
    X, y, _ = make_data(60, 4)
    X[:, 0] = 0
    X[:15, 0] = np.random.default_rng(2).normal(size=15) * 1e3
    ours = RidgeCV(alphas=ALPHAS, cv=4).fit(X, y)
    search = GridSearchCV(sklearn.linear_model.Ridge(), {"alpha": ALPHAS}, cv=4).fit(X, y)
    assert ours.alpha_ == search.best_params_["alpha"]
    assert_allclose(ours.best_score_, search.best_score_, rtol=1e-8)


@pytest.mark.parametrize("cv", [None, 3])
@pytest.mark.parametrize("shape", [(60, 6), (12, 50)])
@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_matrix])
def test_sparse_equals_dense(cv, shape, container):
    X, y, weights = make_data(*shape, 2)
    X[np.random.default_rng(3).random(shape) > 0.3] = 0
    dense = RidgeCV(alphas=ALPHAS, cv=cv).fit(X, y, weights)
    model = RidgeCV(alphas=ALPHAS, cv=cv).fit(container(X), y, weights)
    assert model.alpha_ == dense.alpha_
    assert_allclose(model.best_score_, dense.best_score_, rtol=1e-9)
    assert_allclose(model.coef_, dense.coef_, rtol=1e-8, atol=1e-10)


def test_one_standard_error_leave_one_out():
    X, y, weights = make_data(60, 10, seed=4)
    model = RidgeCV(alphas=MANY, selection_rule="1se", store_cv_results=True)
    for sample_weight in (None, weights):
        model.fit(X, y, sample_weight)
        means = model.cv_results_.mean(axis=0)
        best = means.argmin()
        error = model.cv_results_[:, best].std(ddof=1) / np.sqrt(60)
        expected = MANY[means <= means[best] + error].max()
        assert model.alpha_ == expected > MANY[best]
        assert_allclose(model.best_score_, -means[expected == MANY][0])


def test_one_standard_error_per_target():
    X, Y, _ = make_data(60, 10, 3, seed=4)
    together = RidgeCV(alphas=MANY, selection_rule="1se", alpha_per_target=True).fit(X, Y)
    alone = [RidgeCV(alphas=MANY, selection_rule="1se").fit(X, y).alpha_ for y in Y.T]
    assert_array_equal(together.alpha_, alone)


def test_one_standard_error_of_folds():
    X, y, _ = make_data(60, 10, seed=4)
    model = RidgeCV(alphas=MANY, selection_rule="1se", cv=5).fit(X, y)
    search = GridSearchCV(sklearn.linear_model.Ridge(), {"alpha": MANY}, cv=5).fit(X, y)
    scores = np.array([search.cv_results_[f"split{i}_test_score"] for i in range(5)])
    best = scores.mean(axis=0).argmax()
    limit = scores.mean(axis=0)[best] - scores[:, best].std(ddof=1) / np.sqrt(5)
    assert model.alpha_ == MANY[scores.mean(axis=0) >= limit].max() > MANY[best]


def test_ties_keep_the_first_alpha():
    X, y, _ = make_data(20, 3)
    for cv in (None, 3):
        model = RidgeCV(alphas=[3.0, 1.0, 2.0], scoring=lambda *a, **k: 0.5, cv=cv).fit(X, y)
        assert model.alpha_ == 3.0


def test_predictions_left_out_in_groups(monkeypatch):
    from skextra.linear_model import _ridge_cv

    X, y, _ = make_data(40, 6, 2)
    whole = RidgeCV(alphas=ALPHAS, scoring="r2").fit(X, y)
    monkeypatch.setattr(_ridge_cv, "_MAX_STORED", 1)
    grouped = RidgeCV(alphas=ALPHAS, scoring="r2").fit(X, y)
    assert grouped.alpha_ == whole.alpha_
    assert_allclose(grouped.best_score_, whole.best_score_)


def test_single_precision():
    X, y, _ = make_data(200, 8)
    reference = RidgeCV(alphas=ALPHAS).fit(X, y)
    for cv in (None, 4):
        model = RidgeCV(alphas=ALPHAS, cv=cv, store_cv_results=cv is None)
        model.fit(X.astype(np.float32), y.astype(np.float32))
        assert model.coef_.dtype == np.float32
        assert_allclose(model.coef_, reference.coef_, rtol=1e-3, atol=1e-3)


def test_huge_offsets():
    rng = np.random.default_rng(5)
    X = np.round(rng.normal(size=(3000, 4)) * 1024) / 1024
    y = X @ rng.normal(size=4) + rng.normal(size=3000)
    for cv in (None, 4):
        reference = RidgeCV(alphas=MANY, cv=cv).fit(X, y)
        shifted = RidgeCV(alphas=MANY, cv=cv).fit(X + 2.0**20, y)
        assert shifted.alpha_ == reference.alpha_
        assert_allclose(shifted.best_score_, reference.best_score_, rtol=1e-7)
        assert_allclose(shifted.coef_, reference.coef_, rtol=1e-6)


def test_groups_are_routed_to_the_splitter():
    X, y, weights = make_data(40, 5)
    groups = np.arange(40) % 4
    splits = list(GroupKFold(4).split(X, y, groups))
    expected = RidgeCV(alphas=ALPHAS, cv=splits).fit(X, y)
    with config_context(enable_metadata_routing=True):
        model = RidgeCV(alphas=ALPHAS, cv=GroupKFold(4)).fit(X, y, groups=groups)
        weighted = RidgeCV(alphas=ALPHAS, cv=4).fit(X, y, sample_weight=weights)
        theirs = sklearn.linear_model.RidgeCV(alphas=ALPHAS, cv=4)
        theirs.fit(X, y, sample_weight=weights)
    assert model.alpha_ == expected.alpha_
    assert_allclose(model.best_score_, expected.best_score_)
    assert weighted.alpha_ == theirs.alpha_
    assert_allclose(weighted.best_score_, theirs.best_score_, rtol=1e-9)
    with pytest.raises(ValueError, match="groups"):
        RidgeCV(cv=GroupKFold(4)).fit(X, y, groups=groups)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"alphas": [1.0, -1.0]}, ValueError, r"alphas\[1\]"),
        ({"alphas": [0.0, 1.0]}, ValueError, r"alphas\[0\] == 0.0, must be > 0.0"),
        ({"alphas": [1.0, np.inf]}, ValueError, "alphas must be finite"),
        ({"alphas": [1.0, np.nan]}, ValueError, "alphas must be finite"),
        ({"alphas": []}, ValueError, "alphas must be a number or a one-dim"),
        ({"alphas": [[1.0]]}, ValueError, "alphas must be a number or a one-dim"),
        ({"alphas": [1.0, "1"]}, TypeError, r"alphas\[1\] must be an instance of float"),
        ({"cv": 3, "store_cv_results": True}, ValueError, "store_cv_results=True are incom"),
        ({"cv": 3, "alpha_per_target": True}, ValueError, "alpha_per_target=True are incom"),
        ({"selection_rule": "2se"}, ValueError, "selection_rule"),
        ({"selection_rule": "1se", "scoring": "r2"}, ValueError, "selection_rule='1se'"),
        ({"penalty_weights": [1.0]}, ValueError, "penalty_weights must have shape"),
        ({"gcv_mode": "qr"}, ValueError, "gcv_mode"),
    ],
)
def test_bad_parameters(parameters, error, message):
    X, y, _ = make_data(20, 3)
    with pytest.raises(error, match=message):
        RidgeCV(**parameters).fit(X, y)


def test_bad_weights():
    X, y, _ = make_data(20, 3)
    with pytest.raises(ValueError, match="at least one non-zero"):
        RidgeCV().fit(X, y, sample_weight=np.zeros(20))
    with pytest.raises(ValueError, match="at least two samples of positive sample_weight"):
        RidgeCV().fit(X, y, sample_weight=np.eye(20)[3])
    weights = np.zeros(20)
    weights[:10] = 1
    with pytest.raises(ValueError, match="training part of a fold"):
        RidgeCV(cv=2).fit(X, y, sample_weight=weights)


def test_svd_mode_of_sparse_data_warns():
    X, y, _ = make_data(20, 3)
    with pytest.warns(FutureWarning, match="The 'svd' mode is not supported"):
        RidgeCV(gcv_mode="svd").fit(sparse.csr_array(X), y)
