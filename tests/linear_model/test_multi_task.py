"""MultiTaskLasso, MultiTaskElasticNet and their cross-validated forms."""

import warnings

import numpy as np
import pytest
import sklearn.linear_model as sklearn_linear_model
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold

from skextra import linear_model
from skextra._core.least_squares import multi_task
from skextra.utils import Blocks

TIGHT = {"tol": 1e-12, "max_iter": 100_000}
SINGLE = [("MultiTaskLasso", {}), ("MultiTaskElasticNet", {"l1_ratio": 0.4})]
SEARCHES = [
    ("MultiTaskLassoCV", {}),
    ("MultiTaskElasticNetCV", {"l1_ratio": [0.3, 0.9]}),
]


def make_data(n=60, p=8, n_targets=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + 0.5
    X *= rng.random((n, p)) < 0.7
    W = np.where(np.arange(p) < 4, rng.standard_normal((n_targets, p)), 0.0)
    return X, X @ W.T + rng.standard_normal((n, n_targets)) + np.arange(n_targets)


@pytest.mark.parametrize(("name", "options"), SINGLE)
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("p", [8, 330])
def test_equals_scikit_learn(name, options, fit_intercept, kind, p):
    X, Y = make_data(p=p)
    weights = np.random.default_rng(1).uniform(0.1, 2, size=len(X))
    options = {"alpha": 0.1, "fit_intercept": fit_intercept, **TIGHT, **options}
    ours = getattr(linear_model, name)(**options).fit(kind(X), Y, sample_weight=weights)
    theirs = getattr(sklearn_linear_model, name)(**options).fit(X, Y, sample_weight=weights)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-6)
    assert ours.eps_ == pytest.approx(theirs.eps_)
    assert ours.sparse_coef_.shape == (3, p)
    assert ours.converged_ and ours.dual_gap_ <= 1e-12
    np.testing.assert_allclose(ours.to_sklearn().predict(X), ours.predict(X))


@pytest.mark.parametrize(("name", "options"), SEARCHES)
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("shape", [(60, 8), (30, 320)])
def test_search_equals_scikit_learn(name, options, fit_intercept, weighted, shape):
    X, Y = make_data(*shape)
    weights = np.random.default_rng(1).uniform(0.1, 2, size=len(X)) if weighted else None
    options = {"alphas": 6, "eps": 0.05, "cv": 3, "fit_intercept": fit_intercept, **options}
    tight = {"tol": 1e-9, "max_iter": 100_000}
    ours = getattr(linear_model, name)(**options, **tight).fit(X, Y, sample_weight=weights)
    theirs = getattr(sklearn_linear_model, name)(**options, **tight)
    theirs.fit(X, Y, sample_weight=weights)
    np.testing.assert_allclose(ours.alphas_, theirs.alphas_)
    np.testing.assert_allclose(ours.mse_path_, theirs.mse_path_, rtol=1e-5)
    assert ours.alpha_ == pytest.approx(theirs.alpha_)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-4)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-4)
    if "l1_ratio" in options:
        assert ours.l1_ratio_ == theirs.l1_ratio_


@pytest.mark.parametrize("penalty_weights", [None, "one free, one excluded"])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csc_array])
def test_errors_of_folds_are_those_of_fits(penalty_weights, kind):
    """On tall data they come from moments, on sparse data from the rows."""
    X, Y = make_data(90, 5)
    weights = np.random.default_rng(2).uniform(0.1, 2, size=90)
    v = None if penalty_weights is None else np.array([0.0, np.inf, 1.0, 2.0, 1.0])
    options = {"penalty_weights": v, **TIGHT}
    alphas = [0.5, 0.05]
    model = linear_model.MultiTaskLassoCV(alphas=alphas, cv=KFold(3), **options)
    model.fit(kind(X), Y, sample_weight=weights)
    for i, (train, test) in enumerate(KFold(3).split(X)):
        for j, alpha in enumerate(alphas):
            one = linear_model.MultiTaskLasso(alpha, **options)
            one.fit(X[train], Y[train], sample_weight=weights[train])
            squares = ((Y[test] - one.predict(X[test])) ** 2).mean(axis=1)
            expected = np.average(squares, weights=weights[test])
            assert model.mse_path_[j, i] == pytest.approx(expected, rel=1e-6)


def test_one_standard_error_rule():
    X, Y = make_data()
    smallest = linear_model.MultiTaskLassoCV(cv=5, alphas=30).fit(X, Y)
    simplest = linear_model.MultiTaskLassoCV(cv=5, alphas=30, selection_rule="1se").fit(X, Y)
    mean = smallest.mse_path_.mean(axis=1)
    best = mean.argmin()
    limit = mean[best] + smallest.mse_path_[best].std(ddof=1) / np.sqrt(5)
    assert simplest.alpha_ == smallest.alphas_[np.flatnonzero(mean <= limit)[0]]
    assert simplest.alpha_ > smallest.alpha_


def test_one_target_is_the_lasso():
    X, Y = make_data(n_targets=1)
    joint = linear_model.MultiTaskLasso(0.1, **TIGHT).fit(X, Y)
    single = linear_model.Lasso(0.1, **TIGHT).fit(X, Y[:, 0])
    np.testing.assert_allclose(joint.coef_, single.coef_[None], atol=1e-7)


@pytest.mark.parametrize("name", [name for name, _ in SINGLE + SEARCHES])
def test_one_dimensional_y_is_refused(name):
    X, Y = make_data()
    with pytest.raises(ValueError, match=f"For mono-task outputs, use {name[9:]}: y must"):
        getattr(linear_model, name)().fit(X, Y[:, 0])


@pytest.mark.parametrize("name", [name for name, _ in SINGLE + SEARCHES])
def test_blocks_are_refused(name):
    blocks = (Blocks.from_array(array, block_rows=10) for array in make_data())
    with pytest.raises(TypeError, match=f"X must be .* for {name}, got Blocks"):
        getattr(linear_model, name)().fit(*blocks)


def test_warm_start():
    X, Y = make_data(p=40)
    model = linear_model.MultiTaskLasso(0.01, warm_start=True, tol=1e-8).fit(X, Y)
    n_iter = model.n_iter_
    assert model.fit(X, Y).n_iter_ < n_iter
    with pytest.raises(ValueError, match="warm_start=True needs as many targets"):
        model.fit(X, Y[:, :2])


def test_what_moments_leave_short_of_the_gap_is_solved_from_the_data():
    """Columns far from zero, on which a Gram matrix loses what the tolerance asks for."""
    X, Y = make_data(200, 6)
    Gram = (X - X.mean(axis=0)).T @ (X - X.mean(axis=0))
    wrong = Gram + 1e-3 * np.abs(Gram).max() * np.eye(6)
    given = {"gram": wrong, "settings": multi_task.Settings(tol=1e-10, max_iter=10_000)}
    path = multi_task.solve(X, Y, [0.01], **given)
    right = multi_task.solve(X, Y, [0.01], settings=given["settings"])
    assert path.converged.all() and path.gaps[0, 0] <= 1e-10
    np.testing.assert_allclose(path.coefs, right.coefs, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_gap_of_what_is_returned(dtype, scale):
    """Against the objective in extended precision, on columns of different units and offsets."""
    X, Y = make_data(50, 6, seed=3)
    X = ((X + [0, 1, 10, 100, 0, 3]) * scale ** np.array([0, 0.5, 1, 0, -1, 0])).astype(dtype)
    Y = Y.astype(dtype)
    Z, T = X.astype(np.longdouble), Y.astype(np.longdouble)
    alpha = 0.05 * np.linalg.norm((X - X.mean(0)).T @ (Y - Y.mean(0)), axis=1).max() / len(X)

    def evaluate(model):
        residual = T - Z @ model.coef_.T.astype(np.longdouble) - model.intercept_
        norms = np.sqrt((model.coef_.astype(np.longdouble) ** 2).sum(axis=0)).sum()
        return (residual**2).sum() / (2 * len(X)) + alpha * norms

    null = ((T - T.mean(axis=0)) ** 2).sum() / (2 * len(X))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        best = linear_model.MultiTaskLasso(alpha, tol=1e-14, max_iter=100_000)
        best.fit(X.astype(float), Y.astype(float))
        for tol in (1e-2, 1e-4, 1e-8):
            model = linear_model.MultiTaskLasso(alpha, tol=tol).fit(X, Y)
            excess = float((evaluate(model) - evaluate(best)) / null)
            assert excess <= model.dual_gap_ * (1 + 1e-6) + 1e-13
            assert model.converged_ == (model.dual_gap_ <= tol)
