"""Least squares on raw data: other units, far from zero, single precision, dependent columns."""

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from skextra.linear_model import (
    ElasticNet,
    ElasticNetCV,
    Lasso,
    LassoCV,
    Ridge,
    RidgeCV,
    enet_path,
    lasso_path,
)
from tests.properties import references


def make_time_stamps(n, seed=0):
    """Nanoseconds of about a year, and two features of size one."""
    rng = np.random.default_rng(seed)
    time = 1.7e18 + rng.integers(0, 3 * 10**16, n).astype(float)
    a, b = rng.standard_normal((2, n))
    return time, a, b, 3 * a - 2 * b + 0.1 * rng.standard_normal(n)


def test_ridge_in_single_precision_keeps_features_beside_a_large_one():
    rng = np.random.default_rng(0)
    n = 5000
    income = rng.normal(5e4, 2e4, n)
    group = rng.integers(0, 3, n)
    share = rng.random(n)
    y = 1e-4 * income + np.array([0.0, 5.0, -5.0])[group] + 3 * share
    y += 0.1 * rng.standard_normal(n)
    X = np.c_[income, np.eye(3)[group], share].astype(np.float32)
    for alpha in (1e-3, 1.0):
        model = Ridge(alpha=alpha).fit(X, y.astype(np.float32))
        expected = Ridge(alpha=alpha).fit(X.astype(float), y)
        assert model.converged_ and model.dual_gap_ < 1e-8
        assert_allclose(model.coef_, expected.coef_, rtol=1e-4, atol=1e-4)
        assert model.score(X, y) > 0.999


@pytest.mark.parametrize(
    "model", [Ridge(solver="svd"), Ridge(alpha=0), Lasso(alpha=0), ElasticNet(alpha=0)], ids=str
)
@pytest.mark.parametrize("repeated", [True, False])
def test_time_stamps_hide_no_other_feature(model, repeated):
    time, a, b, y = make_time_stamps(200)
    X = np.c_[time, a, a, b] if repeated else np.c_[time, a, b]
    model.fit(X, y)
    assert model.converged_
    assert model.score(X, y) > 0.999
    if repeated:
        assert_allclose(model.coef_[1], model.coef_[2], rtol=1e-6)


@pytest.mark.parametrize(
    "model",
    [
        Lasso(1e-3),
        ElasticNet(1e-3),
        Ridge(1e-3),
        RidgeCV(),
        RidgeCV(cv=3),
        LassoCV(),
        ElasticNetCV(),
    ],
    ids=str,
)
def test_unpenalized_features_of_any_units_are_fitted(model):
    time, a, b, y = make_time_stamps(300)
    X = np.c_[time, a, b, np.random.default_rng(1).standard_normal(300)]
    model.set_params(penalty_weights=[0, 0, 1, 1]).fit(X, y)
    assert model.converged_
    assert_allclose(model.coef_[1], 3, atol=0.05)
    before = model.coef_.copy()
    units = np.array([2.0**-60, 2.0**-30, 1.0, 1.0])
    model.fit(X * units, y)
    assert_allclose(model.coef_ * units, before, rtol=1e-6)


@pytest.mark.parametrize(
    "model", [Lasso(0.01), ElasticNet(0.01), LassoCV(), ElasticNetCV(), Ridge()], ids=str
)
@pytest.mark.parametrize("container", [np.asarray, sparse.csc_array])
def test_unpenalized_features_keep_their_sign(model, container):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100, 3))
    y = -2 * X[:, 0] + X[:, 1] + 0.1 * rng.standard_normal(100)
    model.set_params(positive=True, penalty_weights=[0, 1, 1]).fit(container(X), y)
    assert model.converged_
    assert (model.coef_ >= 0).all()
    # The constraint holds the first at zero: what is left is the fit without it.
    rest = type(model)(**model.get_params()).set_params(penalty_weights=[np.inf, 1, 1])
    assert_allclose(model.coef_, rest.fit(container(X), y).coef_, atol=1e-3)
    model.fit(container(X), -y)
    assert model.converged_
    assert_allclose(model.coef_[0], 2, atol=0.1)


def test_positive_path_with_an_unpenalized_feature():
    rng = np.random.default_rng(2)
    X = rng.standard_normal((60, 4))
    y = X @ [1.0, 2.0, 0.0, -1.0] + 0.1 * rng.standard_normal(60)
    options = {"positive": True, "penalty_weights": [0, 1, 1, 1], "tol": 1e-8}
    alphas, coefs, gaps = lasso_path(X, y, **options)
    assert (coefs >= 0).all() and (gaps <= 1e-8).all()
    # At the first penalty nothing but the unpenalized feature is in the model.
    assert_allclose(coefs[1:, 0], 0, atol=1e-6)
    assert coefs[0, 0] > 0.5 and np.count_nonzero(coefs[1:, 5]) > 0
    assert len(alphas) == 100


@pytest.mark.parametrize("model", [Ridge(0.0, positive=True), Lasso(0.0, positive=True)], ids=str)
@pytest.mark.parametrize("octaves", [45, 60])
def test_nonnegative_least_squares_on_columns_far_apart(model, octaves):
    rng = np.random.default_rng(3)
    X = np.abs(rng.standard_normal((50, 4)))
    y = X @ [1.0, 0.5, 2.0, 0.0] - X[:, 3] + 0.1 * rng.standard_normal(50)
    expected = model.fit(X, y).coef_.copy()
    units = 2.0 ** np.array([0, octaves, -octaves // 2, octaves // 3])
    model.fit(X * units, y)
    assert model.converged_
    assert_allclose(model.coef_ * units, expected, rtol=1e-6, atol=1e-9)
    assert np.count_nonzero(model.coef_) == 3


def make_shared(ratio, n=60, p=5):
    rng = np.random.default_rng(4)
    X = (rng.standard_normal((n, p)) + ratio * rng.standard_normal((n, 1))).astype(np.float32)
    y = X.astype(float) @ rng.standard_normal(p)
    return X, (y / np.std(y) + 0.1 * rng.standard_normal(n)).astype(np.float32)


@pytest.mark.filterwarnings("ignore:Objective did not converge")
@pytest.mark.parametrize("ratio", [1e2, 1e4])
@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
def test_single_precision_columns_that_share_a_large_part(ratio, l1_ratio):
    X, y = make_shared(ratio)
    wide, target = X.astype(float), y.astype(float)
    scale = np.mean((target - target.mean()) ** 2) / 2

    def compute_objective(coef, intercept, alpha):
        residual = target - wide @ coef.astype(float) - intercept
        penalty = l1_ratio * np.abs(coef).sum() + (1 - l1_ratio) / 2 * (coef**2).sum()
        return np.mean(residual**2) / 2 + alpha * penalty

    for alpha in (1e-2, 1e-4):
        options = {"alpha": alpha, "l1_ratio": l1_ratio, "max_iter": 20_000}
        exact = ElasticNet(tol=1e-12, **options).fit(wide, target)
        model = ElasticNet(**options).fit(X, y)
        above = compute_objective(model.coef_, model.intercept_, alpha)
        above -= compute_objective(exact.coef_, exact.intercept_, alpha)
        assert model.coef_.dtype == np.float32
        assert above / scale <= model.dual_gap_ + 1e-10
        assert model.converged_ == (model.dual_gap_ <= 1e-4)
    alphas, coefs, gaps = enet_path(X, y, l1_ratio=l1_ratio, alphas=[1e-2, 1e-3])
    _, exact, _ = enet_path(wide, target, l1_ratio=l1_ratio, alphas=alphas, tol=1e-12)
    null = np.mean(target**2) / 2
    for i, alpha in enumerate(alphas):
        above = compute_objective(coefs[:, i], 0, alpha) - compute_objective(exact[:, i], 0, alpha)
        assert above / null <= gaps[i] + 1e-10


def test_ridge_in_single_precision_with_extreme_weights():
    rng = np.random.default_rng(5)
    X = rng.standard_normal((40, 5)).astype(np.float32)
    y = rng.standard_normal(40).astype(np.float32)
    weights = 10.0 ** rng.uniform(-6, 6, 40)
    model = Ridge().fit(X, y, weights)
    expected = Ridge().fit(X.astype(float), y.astype(float), weights)
    assert model.converged_
    assert_allclose(model.coef_, expected.coef_, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_as_many_unpenalized_features_as_samples_fit_exactly(dtype):
    rng = np.random.default_rng(6)
    X, y = rng.standard_normal((6, 10)).astype(dtype), rng.standard_normal(6).astype(dtype)
    weights = np.r_[np.zeros(6), np.ones(4)]
    for model in (Lasso(0.1), ElasticNet(0.1), Ridge()):
        model.set_params(penalty_weights=weights).fit(X, y)
        assert_allclose(model.predict(X), y, atol=1e-4 if dtype == np.float32 else 1e-9)


def test_wide_ridge_on_mixed_units_converges():
    rng = np.random.default_rng(7)
    n, p = 80, 200
    X = np.c_[rng.normal(2.5e5, 6e4, n), 0.01 * rng.standard_normal((n, p))]
    y = X[:, 1:6].sum(axis=1) * 100
    model = Ridge().fit(X, y)
    assert model.converged_ and model.dual_gap_ < 1e-8
    X[:, 0] *= 2.0**20
    assert Ridge().fit(X, y).converged_


@pytest.mark.parametrize("shape", [(40, 6), (12, 30)])
@pytest.mark.parametrize("alpha", [1e-8, 1.0])
def test_ridge_is_exact_at_all_scales(shape, alpha):
    rng = np.random.default_rng(8)
    X = rng.standard_normal(shape) * 10.0 ** rng.uniform(-8, 8, shape[1])
    y = rng.standard_normal(shape[0])
    model = Ridge(alpha=alpha).fit(X, y)
    assert model.converged_ and model.dual_gap_ < 1e-9
    Z = X - X.mean(axis=0)
    A = np.vstack([Z, np.sqrt(alpha) * np.eye(shape[1])])
    scales = np.linalg.norm(A, axis=0)
    b = np.r_[y - y.mean(), np.zeros(shape[1])]
    expected = np.linalg.lstsq(A / scales, b, rcond=None)[0] / scales
    null = b @ b / 2
    reached, best = (((b - A @ w) ** 2).sum() / 2 for w in (model.coef_, expected))
    assert (reached - best) / null <= model.dual_gap_ + 1e-12


def test_grid_of_penalties_is_in_the_units_of_the_data():
    rng = np.random.default_rng(9)
    X, y = rng.standard_normal((50, 4)), rng.standard_normal(50)
    expected = LassoCV().fit(X, y)
    small = LassoCV().fit(X * 2.0**-30, y * 2.0**-30)
    assert_allclose(small.alphas_, expected.alphas_ * 2.0**-60)
    assert_allclose(small.coef_, expected.coef_, rtol=1e-9)


@pytest.mark.parametrize("solver", ["svd", "auto"])
@pytest.mark.parametrize("shape", [(4, 7), (10, 15)])
def test_least_norm_is_in_the_units_of_the_features(solver, shape):
    rng = np.random.default_rng(10)
    X = rng.standard_normal(shape) * np.repeat([0.3, 3.0], [shape[1] // 2, -(-shape[1] // 2)])
    y = rng.standard_normal(shape[0])
    model = Ridge(alpha=0, solver=solver, fit_intercept=False).fit(X, y)
    assert_allclose(model.coef_, np.linalg.pinv(X) @ y, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("shape", [(12, 4), (6, 8)])
def test_leave_one_out_errors_are_exact_in_mixed_units(shape):
    rng = np.random.default_rng(0)
    n, p = shape
    X = (rng.standard_normal(shape) + 10) * 10.0 ** np.resize([0, 4, 8, -3], p)
    y = (X / X.std(axis=0)) @ rng.standard_normal(p) + rng.standard_normal(n)
    weights = rng.uniform(0.5, 2, n)
    alphas = [1e-3, 1.0]
    model = RidgeCV(alphas, store_cv_results=True).fit(X, y, sample_weight=weights)
    with mpmath.workdps(50):
        exact, target, w = (references.to_exact(a) for a in (X, y, weights))
        for a, alpha in enumerate(alphas):
            for i in range(n):
                rest = np.arange(n) != i
                share = w[rest] / w[rest].sum()
                mean, y_mean = share @ exact[rest], share @ target[rest]
                Z, z = exact[rest] - mean, target[rest] - y_mean
                gram = (Z.T * w[rest]) @ Z
                gram[np.diag_indices(p)] += mpmath.mpf(alpha)
                coef = references.solve(gram, Z.T @ (w[rest] * z))
                error = float(target[i] - y_mean - (exact[i] - mean) @ coef)
                assert_allclose(model.cv_results_[i, a], weights[i] * error**2, rtol=1e-5)
