"""Least squares fitted to blocks of rows is least squares fitted to all of them at once."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold

from skextra.linear_model import ElasticNet, ElasticNetCV, Lasso, LassoCV, Ridge, RidgeCV
from skextra.utils import Blocks

PENALTY_WEIGHTS = [0, 1, 2, np.inf, 1]
MODELS = [
    Ridge(),
    Ridge(fit_intercept=False),
    Ridge(alpha=0),
    Ridge(solver="svd", penalty_weights=PENALTY_WEIGHTS),
    Ridge(positive=True),
    RidgeCV(),
    RidgeCV(alphas=[1, 10, 100], fit_intercept=False, selection_rule="1se"),
    RidgeCV(penalty_weights=PENALTY_WEIGHTS),
    RidgeCV(cv=3),
    RidgeCV(cv=4, scoring="neg_mean_squared_error", selection_rule="1se", fit_intercept=False),
    RidgeCV(cv=3, scoring="neg_root_mean_squared_error", penalty_weights=PENALTY_WEIGHTS),
    Lasso(alpha=0.1),
    ElasticNet(alpha=0.1, fit_intercept=False),
    ElasticNet(alpha=0.1, penalty_weights=PENALTY_WEIGHTS),
    ElasticNet(alpha=0.1, l1_ratio=0),
    ElasticNet(alpha=0),
    ElasticNet(alpha=0.1, positive=True, tol=1e-12),
    LassoCV(),
    LassoCV(cv=KFold(3), penalty_weights=PENALTY_WEIGHTS, selection_rule="1se"),
    ElasticNetCV(l1_ratio=[0.3, 0.9], cv=3, fit_intercept=False),
    ElasticNetCV(l1_ratio=0, alphas=[1, 0.1], positive=False),
]


def make_data(n=400, p=5, dtype=np.float64):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p)) @ rng.standard_normal((p, p))
    X = X * [1e-3, 1, 10, 1, 100] + [1, -5, 0, 100, 1e3]
    y = (X - X.mean(axis=0)) / X.std(axis=0) @ np.arange(p) + rng.standard_normal(n)
    weight = rng.random(n)
    weight[:30] = 0
    return X.astype(dtype), y, weight


def fit_in_blocks(model, X, y, weight=None, size=37):
    parts = [None if a is None else Blocks.from_array(a, size) for a in (X, y, weight)]
    return clone(model).fit(*parts)


def assert_same_model(model, other, X, rtol=1e-10):
    scale = X.std(axis=0)
    size = np.abs(other.coef_ * scale).max()
    np.testing.assert_allclose(model.coef_ * scale, other.coef_ * scale, atol=rtol * size)
    np.testing.assert_allclose(model.intercept_, other.intercept_, rtol=1e-8, atol=1e-8)
    assert model.coef_.dtype == other.coef_.dtype
    assert model.coef_.shape == other.coef_.shape
    assert np.shape(model.intercept_) == np.shape(other.intercept_)
    assert np.shape(model.dual_gap_) == np.shape(other.dual_gap_)
    assert model.converged_ and other.converged_
    assert model.n_features_in_ == other.n_features_in_
    for name in ("alpha_", "best_score_", "alphas_", "mse_path_", "l1_ratio_"):
        assert hasattr(model, name) == hasattr(other, name)
        if hasattr(other, name):
            np.testing.assert_allclose(getattr(model, name), getattr(other, name), rtol=1e-6)
    assert vars(model).keys() == vars(other).keys()


@pytest.mark.parametrize("model", MODELS, ids=str)
@pytest.mark.parametrize("weighted", [False, True])
def test_fit_is_that_of_all_rows(model, weighted):
    X, y, weight = make_data()
    weight = weight if weighted else None
    if hasattr(model, "max_iter") and not isinstance(model, Ridge):
        # Where sweeps stop earlier, they may do so one sweep apart.
        model = clone(model).set_params(tol=1e-13)
    in_memory = clone(model).fit(X, y, weight)
    assert_same_model(fit_in_blocks(model, X, y, weight), in_memory, X)


@pytest.mark.parametrize(
    "model",
    [Ridge(alpha=[1, 100]), RidgeCV(alpha_per_target=True), Lasso(alpha=0.1, tol=1e-13)],
    ids=str,
)
def test_several_targets(model):
    X, y, weight = make_data()
    Y = np.column_stack([y, np.random.default_rng(1).standard_normal(len(y))])
    assert_same_model(fit_in_blocks(model, X, Y, weight), clone(model).fit(X, Y, weight), X)


@pytest.mark.parametrize("model", [Ridge(), LassoCV(tol=1e-12)], ids=str)
def test_gap_is_that_of_coefficients_in_single_precision(model):
    X, y, _ = make_data(dtype=np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = fit_in_blocks(model, X, y)
    assert model.coef_.dtype == np.float32
    exact = fit_in_blocks(clone(model), X.astype(np.float64), y)
    # Rounding to single precision leaves a gap that is seen.
    assert exact.dual_gap_ < model.dual_gap_ < 1e-4


def test_blocks_of_both_precisions_are_a_fit_in_double():
    X, y, _ = make_data()
    model = Ridge().fit(Blocks([X[:200], X[200:].astype(np.float32)]), y)
    assert model.coef_.dtype == np.float64


@pytest.mark.parametrize("size", [1, 100, 400])
def test_sizes_of_blocks_do_not_matter(size):
    X, y, weight = make_data()
    model = fit_in_blocks(Ridge(), X, y, weight, size)
    assert_same_model(model, Ridge().fit(X, y, weight), X)


def test_nearly_dependent_columns_are_as_exact_as_in_memory():
    X, y, _ = make_data()
    X[:, 1] = X[:, 0] + 1e-7 * X[:, 1]
    penalty = 1e-20
    model, in_memory = fit_in_blocks(Ridge(penalty), X, y), Ridge(penalty).fit(X, y)
    assert model.converged_ and model.dual_gap_ < 1e-12
    np.testing.assert_allclose(model.predict(X), in_memory.predict(X), atol=1e-8)


def test_a_number_weighs_all_rows():
    X, y, _ = make_data()
    model = Ridge(alpha=50).fit(Blocks.from_array(X, 30), y, sample_weight=2.0)
    assert_same_model(model, Ridge(alpha=25).fit(X, y), X)


def test_more_features_than_rows():
    X, y, _ = make_data(20, 5)
    X = np.hstack([X, np.random.default_rng(2).standard_normal((20, 40))])
    for model in (Ridge(), RidgeCV(), Lasso(alpha=0.2, tol=1e-13)):
        assert_same_model(fit_in_blocks(model, X, y, size=7), clone(model).fit(X, y), X, 1e-8)


def test_a_fit_that_stops_early_warns():
    X, y, _ = make_data()
    with pytest.warns(ConvergenceWarning, match="gap"):
        model = fit_in_blocks(Lasso(alpha=1e-3, tol=1e-14, max_iter=1), X, y)
    assert not model.converged_ and model.dual_gap_ > 1e-14


def test_warm_start_begins_where_the_last_fit_ended():
    X, y, _ = make_data()
    blocks = Blocks.from_array(X, 50)
    model = Lasso(alpha=0.01, warm_start=True).fit(blocks, y)
    assert model.n_iter_ > model.fit(blocks, y).n_iter_


@pytest.mark.parametrize(
    "model, message",
    [
        (RidgeCV(scoring="r2"), "leave-one-out takes scoring=None"),
        (RidgeCV(store_cv_results=True), "store_cv_results must be False"),
        (RidgeCV(cv=3, scoring="explained_variance"), "scoring must be None, 'r2'"),
        (RidgeCV(cv=KFold(3, shuffle=True)), "cv must be None, an integer or"),
        (LassoCV(cv=[([0, 1], [2])]), "cv must be None, an integer or"),
        (LassoCV(cv=1), "cv"),
        (LassoCV(cv=500), "n_splits=500 greater"),
        (ElasticNetCV(l1_ratio=0), "l1_ratio=0"),
        (Lasso(precompute=np.eye(5)), "precompute must be"),
        (Ridge(positive=True, alpha=0), "positive=True needs"),
        (Lasso(positive=True, penalty_weights=PENALTY_WEIGHTS), "positive=True needs"),
        (Ridge(penalty_weights=[1, 2]), r"penalty_weights must have shape \(5,\)"),
        (Ridge(alpha=[1, 2]), "penalties do not correspond"),
    ],
    ids=str,
)
def test_what_blocks_cannot_do_is_refused_by_name(model, message):
    X, y, _ = make_data()
    with pytest.raises(ValueError, match=message), warnings.catch_warnings():
        warnings.simplefilter("error")
        fit_in_blocks(model, X, y)


def test_missing_targets_are_refused():
    X, y, _ = make_data()
    with pytest.raises(ValueError, match="requires y"):
        Ridge().fit(Blocks.from_array(X, 50), None)
    with pytest.raises(ValueError, match="For multi-task outputs"):
        fit_in_blocks(LassoCV(), X, np.column_stack([y, y]))


def test_a_fold_without_weight_is_refused():
    X, y, weight = make_data()
    weight[:200] = 0
    with pytest.raises(ValueError, match="test part of a fold"):
        fit_in_blocks(LassoCV(cv=2), X, y, weight)
