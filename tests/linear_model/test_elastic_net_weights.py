"""Lasso and ElasticNet: weights of features and of samples, degenerate data."""

import numpy as np
import pytest
import sklearn.linear_model
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from skextra.linear_model import ElasticNet, Lasso
from tests._core.least_squares.elastic_net_reference import compute_objective, make_problem

pytestmark = pytest.mark.filterwarnings("error::sklearn.exceptions.ConvergenceWarning")


# --- penalty weights --------------------------------------------------------


@pytest.mark.parametrize("shape", [(50, 8), (40, 400)])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_penalty_weight_of_the_lasso_is_a_rescaled_column(shape, kind):
    """v_j |w_j| with column x_j is |u_j| with column x_j / v_j and w_j = u_j / v_j."""
    X, y = make_problem(*shape, seed=12)
    v = np.random.default_rng(0).uniform(0.5, 3, shape[1])
    v[0] = 2.0
    model = Lasso(0.2, penalty_weights=v, tol=1e-13).fit(kind(X), y)
    rescaled = Lasso(0.2, tol=1e-13).fit(X / v, y)
    assert_allclose(model.coef_, rescaled.coef_ / v, atol=2e-6)
    assert_allclose(model.intercept_, rescaled.intercept_, atol=2e-5)


def test_adaptive_lasso():
    X, y = make_problem(100, 10, seed=13)
    first = np.linalg.lstsq(X - X.mean(axis=0), y - y.mean(), rcond=None)[0]
    v = 1 / np.abs(first)
    model = Lasso(0.05, penalty_weights=v, tol=1e-13).fit(X, y)
    expected = sklearn.linear_model.Lasso(0.05, tol=1e-13, max_iter=100_000).fit(X / v, y)
    assert_allclose(model.coef_, expected.coef_ / v, atol=1e-6)


@pytest.mark.parametrize("shape", [(60, 8), (40, 400)])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_unpenalized_features_are_projected_out(shape, kind, l1_ratio, weighted, fit_intercept):
    """Frisch, Waugh and Lovell: regress the free features out of everything else."""
    X, y = make_problem(*shape, seed=14)
    n, p = shape
    s = np.random.default_rng(1).uniform(0.2, 2, n) if weighted else np.ones(n)
    v = np.random.default_rng(2).uniform(0.5, 2, p)
    v[[1, 3]] = 0
    options = {"l1_ratio": l1_ratio, "tol": 1e-13}
    model = ElasticNet(0.2, penalty_weights=v, fit_intercept=fit_intercept, **options)
    model.fit(kind(X), y, sample_weight=s)
    F = np.column_stack([X[:, [1, 3]], np.ones(n)]) if fit_intercept else X[:, [1, 3]]
    root = np.sqrt(s / s.mean())[:, None]
    Q = np.linalg.qr(F * root)[0]
    others = np.delete(np.arange(p), [1, 3])
    Z, r = X[:, others] * root, y * root[:, 0]
    Z, r = Z - Q @ (Q.T @ Z), r - Q @ (Q.T @ r)
    rest = ElasticNet(0.2, penalty_weights=v[others], fit_intercept=False, **options).fit(Z, r)
    assert_allclose(model.coef_[others], rest.coef_, atol=2e-6)
    free = np.linalg.lstsq(F * root, root[:, 0] * (y - X[:, others] @ rest.coef_), rcond=None)[0]
    assert_allclose(model.coef_[[1, 3]], free[:2], atol=1e-4)
    if fit_intercept:
        assert_allclose(model.intercept_, free[2], atol=1e-4)


@pytest.mark.parametrize("shape", [(60, 8), (40, 400)])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("positive", [True, False])
def test_infinite_penalty_weight_removes_the_feature(shape, kind, positive):
    X, y = make_problem(*shape, seed=15)
    v = np.ones(shape[1])
    v[[0, 5]] = np.inf
    model = Lasso(0.1, penalty_weights=v, positive=positive, tol=1e-13).fit(kind(X), y)
    kept = np.isfinite(v)
    reduced = Lasso(0.1, positive=positive, tol=1e-13).fit(kind(X[:, kept]), y)
    assert_array_equal(model.coef_[[0, 5]], 0)
    assert_allclose(model.coef_[kept], reduced.coef_, atol=1e-6)
    assert_allclose(model.intercept_, reduced.intercept_, atol=1e-5)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_all_features_unpenalized_is_least_squares(l1_ratio, kind):
    X, y = make_problem(40, 5, seed=16)
    model = ElasticNet(3.0, l1_ratio=l1_ratio, penalty_weights=np.zeros(5)).fit(kind(X), y)
    expected = sklearn.linear_model.LinearRegression().fit(X, y)
    assert_allclose(model.coef_, expected.coef_, rtol=1e-9)
    assert_allclose(model.intercept_, expected.intercept_, rtol=1e-9)
    # What the gap counts is the rounding of the coefficients, and its own: from the data.
    assert model.converged_ and model.dual_gap_ <= 1e-14


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_all_features_excluded_is_the_mean(l1_ratio, alpha):
    X, y = make_problem(40, 5, seed=17)
    s = np.random.default_rng(0).uniform(0.1, 2, 40)
    model = ElasticNet(alpha, l1_ratio=l1_ratio, penalty_weights=np.full(5, np.inf))
    model.fit(X, y, sample_weight=s)
    assert_array_equal(model.coef_, 0)
    assert_allclose(model.intercept_, np.average(y, weights=s))
    # What the gap counts is the rounding of the coefficients.
    assert model.converged_ and model.dual_gap_ <= 1e-25


# --- sample weights, offsets, degenerate data -----------------------------------


@pytest.mark.parametrize("shape", [(40, 6), (30, 350)])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("penalty", [False, True])
def test_integer_weights_repeat_rows(shape, kind, l1_ratio, penalty):
    X, y = make_problem(*shape, seed=18)
    counts = np.random.default_rng(0).integers(0, 4, shape[0])
    v = None
    if penalty:
        v = np.random.default_rng(1).uniform(0.5, 2, shape[1])
        v[[0, 2]] = 0.0, np.inf
    model = ElasticNet(0.1, l1_ratio=l1_ratio, tol=1e-13, penalty_weights=v)
    weighted = model.fit(kind(X), y, sample_weight=counts)
    coef, intercept = weighted.coef_.copy(), weighted.intercept_
    repeated = model.fit(kind(np.repeat(X, counts, axis=0)), np.repeat(y, counts))
    # A gap of 1e-13 allows sqrt(2 gap P0 / curvature) = 1.7e-5 where half the penalty is L2.
    assert_allclose(coef, repeated.coef_, atol=2e-5)
    assert_allclose(intercept, repeated.intercept_, atol=2e-5)


@pytest.mark.parametrize("factor", [1e-200, 1e-100, 7.0, 1e100, 1e200])
@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
@pytest.mark.parametrize("p", [6, 350])
def test_scale_of_the_sample_weights_is_immaterial(factor, l1_ratio, p):
    X, y = make_problem(40, p, seed=19)
    s = np.random.default_rng(0).uniform(0.1, 2, 40)
    expected = ElasticNet(0.1, l1_ratio=l1_ratio, tol=1e-12).fit(X, y, sample_weight=s)
    model = ElasticNet(0.1, l1_ratio=l1_ratio, tol=1e-12).fit(X, y, sample_weight=s * factor)
    # Weights that round differently may end a path of iterations elsewhere within
    # the gap, which allows fitted values that are 1e-6 of y apart.
    assert_allclose(model.coef_, expected.coef_, rtol=0, atol=1e-6)
    assert_allclose(model.intercept_, expected.intercept_, rtol=1e-6)


def test_a_number_as_weight_changes_nothing():
    X, y = make_problem(30, 5)
    expected = Lasso(0.1, tol=1e-12).fit(X, y)
    for weight in (1, 3, 0.25, 1e-200):
        model = Lasso(0.1, tol=1e-12).fit(X, y, sample_weight=weight)
        assert_allclose(model.coef_, expected.coef_, atol=1e-9)


@pytest.mark.parametrize("p", [6, 350])
@pytest.mark.parametrize("penalized", [True, False])
def test_features_and_targets_far_from_zero(p, penalized):
    """Means of a million standard deviations leave ten digits of the data."""
    X, y = make_problem(50, p, seed=20, offset=0.0)
    X, y = np.round(X, 3), np.round(y, 3)
    v = None if penalized else np.where(np.arange(p) == 1, 0.0, 1.0)
    expected = Lasso(0.1, tol=1e-12, penalty_weights=v).fit(X, y)
    model = Lasso(0.1, tol=1e-9, penalty_weights=v).fit(X + 1e6, y + 1e6)
    excess = compute_objective(
        X, y, model.coef_, np.mean(y - X @ model.coef_), 0.1, 1.0, None, v
    ) - compute_objective(X, y, expected.coef_, expected.intercept_, 0.1, 1.0, None, v)
    # The data itself is rounded to 1e-10 of a standard deviation.
    assert excess <= (1e-9 + 1e-9) * np.var(y)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("p", [6, 350])
@pytest.mark.parametrize("value", [0.0, 0.1, 1e6])
@pytest.mark.parametrize("alpha", [0.0, 0.1])
@pytest.mark.parametrize("positive", [True, False])
def test_constant_features_get_no_coefficient(kind, p, value, alpha, positive):
    X, y = make_problem(40, p, seed=21)
    X[:, 2] = value
    model = Lasso(alpha, positive=positive, max_iter=100_000).fit(kind(X), y)
    # Centering leaves rounding behind, and of many solutions the one of least norm
    # uses it in proportion to its size.
    assert abs(model.coef_[2]) <= 1e-12 + 40 * np.finfo(float).eps * value
    rest = np.delete(X, 2, axis=1)
    expected = Lasso(alpha, positive=positive, max_iter=100_000).fit(kind(rest), y)
    assert_allclose(model.predict(X), expected.predict(rest), atol=0.05 * np.std(y))


@pytest.mark.parametrize("value", [0.0, 0.1, -3.0, 1e6])
@pytest.mark.parametrize("p", [6, 350])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alpha", [0.0, 0.1])
def test_constant_target(value, p, fit_intercept, alpha):
    X, _ = make_problem(40, p, seed=22)
    X -= X.mean(axis=0)
    y = np.full(40, value)
    model = Lasso(alpha, fit_intercept=fit_intercept).fit(X, y)
    assert_allclose(model.coef_, 0, atol=1e-10 * max(abs(value), 1))
    assert_allclose(model.intercept_, value if fit_intercept else 0.0, rtol=1e-12)
    assert model.converged_


@pytest.mark.parametrize("scale", [1e-150, 1e-100, 1e-8, 1e8, 1e100, 1e140])
@pytest.mark.parametrize("p", [6, 350])
def test_scales_of_the_data(scale, p):
    """(c X, c y, c^2 alpha) has the solution of (X, y, alpha)."""
    X, y = make_problem(40, p, seed=23)
    expected = Lasso(0.1, tol=1e-10).fit(X, y)
    model = Lasso(0.1 * scale**2 if scale > 1e-150 else 0.1e-300, tol=1e-10)
    model.fit(X * scale, y * scale)
    assert_allclose(model.coef_, expected.coef_, rtol=1e-4, atol=1e-6)
