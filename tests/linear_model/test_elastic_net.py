"""Lasso and ElasticNet: closed forms, scikit-learn, invariances, warnings, bad input."""

import warnings

import numpy as np
import pytest
import sklearn.linear_model
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.optimize import nnls
from sklearn.exceptions import ConvergenceWarning

from skextra.linear_model import ElasticNet, Lasso
from tests._core.least_squares.elastic_net_reference import (
    compute_null_objective,
    compute_objective,
    find_minimum,
    make_problem,
)

pytestmark = pytest.mark.filterwarnings("error::sklearn.exceptions.ConvergenceWarning")


def fit_sklearn(X, y, alpha, l1_ratio=1.0, sample_weight=None, **options):
    model = sklearn.linear_model.ElasticNet(
        alpha=alpha, l1_ratio=l1_ratio, tol=1e-14, max_iter=200_000, **options
    )
    with warnings.catch_warnings():
        # Its tolerance may be below its own rounding; it has converged then.
        warnings.simplefilter("ignore")
        return model.fit(X, y, sample_weight=sample_weight)


def bound_coefficient_error(X, y, gap, alpha_ridge=0.0):
    """Largest coefficient error that a relative gap allows, from strong convexity."""
    centered = X - X.mean(axis=0)
    smallest = np.linalg.svd(centered, compute_uv=False)[-1] if len(X) > X.shape[1] else 0.0
    curvature = smallest**2 / len(X) + alpha_ridge
    return np.sqrt(2 * gap * 0.5 * np.var(y) / curvature)


# --- closed forms -----------------------------------------------------------


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.05])
@pytest.mark.parametrize("positive", [True, False])
@pytest.mark.parametrize("p", [8, 400])
def test_orthogonal_design_is_soft_thresholding(l1_ratio, positive, p):
    rng = np.random.default_rng(0)
    n = p + 20
    Q = np.linalg.qr(rng.normal(size=(n, p)))[0] * np.sqrt(n)
    y = rng.normal(size=n) * 3
    b = Q.T @ y / n
    alpha = 0.1
    shrunk = np.sign(b) * np.maximum(np.abs(b) - alpha * l1_ratio, 0)
    if positive:
        shrunk = np.maximum(shrunk, 0)
    model = ElasticNet(
        alpha, l1_ratio=l1_ratio, fit_intercept=False, positive=positive, tol=1e-14
    ).fit(Q, y)
    # The Hessian is the identity: the squared error is at most twice the gap.
    bound = np.sqrt(2 * 1e-14 * np.mean(y**2) / 2) + 1e-13
    assert np.linalg.norm(model.coef_ - shrunk / (1 + alpha * (1 - l1_ratio))) <= bound


@pytest.mark.parametrize("shape", [(60, 8), (8, 60), (20, 20)])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_without_l1_it_is_ridge(shape, fit_intercept, weighted):
    X, y = make_problem(*shape, seed=1)
    s = np.random.default_rng(0).uniform(0.1, 2, shape[0]) if weighted else None
    model = ElasticNet(0.3, l1_ratio=0, fit_intercept=fit_intercept, tol=1e-12)
    model.fit(X, y, sample_weight=s)
    weights = np.ones(shape[0]) if s is None else s / s.mean()
    A = np.column_stack([X, np.ones(len(X))]) if fit_intercept else X
    penalty = 0.3 * len(X) * np.eye(A.shape[1])
    penalty[shape[1] :] = 0
    expected = np.linalg.solve(A.T @ (weights[:, None] * A) + penalty, A.T @ (weights * y))
    assert_allclose(model.coef_, expected[: shape[1]], rtol=1e-8, atol=1e-10)
    if fit_intercept:
        assert_allclose(model.intercept_, expected[-1], rtol=1e-8)


@pytest.mark.parametrize("shape", [(60, 8), (8, 60), (20, 20)])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("duplicated", [True, False])
def test_without_penalty_it_is_least_squares(shape, fit_intercept, l1_ratio, duplicated):
    X, y = make_problem(*shape, seed=2)
    if duplicated:
        X = np.hstack([X, X])
    model = ElasticNet(0, l1_ratio=l1_ratio, fit_intercept=fit_intercept).fit(X, y)
    # The projection is unique even where the coefficients are not.
    A = np.column_stack([X, np.ones(len(X))]) if fit_intercept else X
    expected = A @ np.linalg.lstsq(A, y, rcond=None)[0]
    assert_allclose(model.predict(X), expected, rtol=0, atol=1e-9 * np.abs(y).max())
    assert model.converged_
    if duplicated or shape[1] > shape[0]:
        # Of all solutions, the one of least norm, as LinearRegression has it.
        reference = sklearn.linear_model.LinearRegression(fit_intercept=fit_intercept).fit(X, y)
        assert_allclose(model.coef_, reference.coef_, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("shape", [(60, 8), (20, 40), (30, 350)])
@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_positive_without_penalty_is_non_negative_least_squares(shape, l1_ratio, seed):
    X, y = make_problem(*shape, seed=seed, offset=0.0)
    model = ElasticNet(
        0, l1_ratio=l1_ratio, positive=True, fit_intercept=False, tol=1e-9, max_iter=100_000
    ).fit(X, y)
    expected, residual = nnls(X, y)
    assert (model.coef_ >= 0).all()
    reached = np.sum((y - X @ model.coef_) ** 2) / 2
    # The gap, relative to the objective at zero, bounds the excess.
    assert reached - residual**2 / 2 <= 1e-9 * (y @ y) / 2
    assert_allclose(X @ model.coef_, X @ expected, atol=np.sqrt(2 * 1e-9 * (y @ y)))


def test_one_feature_has_a_closed_form():
    X, y = make_problem(20, 1)
    x, r = X[:, 0] - X.mean(), y - y.mean()
    b, g = x @ r / 20, x @ x / 20
    for alpha in (0.01, 0.3, 1.0):
        model = ElasticNet(alpha, l1_ratio=0.5, tol=1e-14).fit(X, y)
        expected = np.sign(b) * max(abs(b) - 0.5 * alpha, 0) / (g + 0.5 * alpha)
        assert_allclose(model.coef_, [expected], rtol=1e-6)
        assert_allclose(model.intercept_, y.mean() - X.mean() * expected, rtol=1e-6)


@pytest.mark.parametrize("alpha", [0.0, 0.1])
def test_two_samples(alpha):
    X, y = np.array([[1.0, 2.0], [3.0, 7.0]]), np.array([1.0, 5.0])
    model = Lasso(alpha, tol=1e-12).fit(X, y)
    minimum, _, _ = find_minimum(X, y, alpha)
    reached = compute_objective(X, y, model.coef_, model.intercept_, alpha)
    assert reached - minimum <= 1e-12 * np.var(y) + 1e-13


def test_one_sample_is_its_own_mean():
    model = Lasso(0.1).fit([[1.0, 2.0]], [3.0])
    assert_array_equal(model.coef_, [0, 0])
    assert model.intercept_ == 3.0 and model.dual_gap_ == 0.0 and model.converged_


# --- against scikit-learn ---------------------------------------------------


@pytest.mark.parametrize("l1_ratio", [0.3, 1.0])
@pytest.mark.parametrize("positive", [True, False])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("make_X", [
    np.ascontiguousarray, np.asfortranarray, sparse.csc_array, sparse.csr_array,
    sparse.coo_array, sparse.csr_matrix, lambda X: np.repeat(X, 2, axis=1)[:, ::2],
], ids=["C", "F", "csc", "csr", "coo", "matrix", "strided"])  # fmt: skip
def test_equals_scikit_learn(l1_ratio, positive, fit_intercept, weighted, make_X):
    X, y = make_problem(80, 12, seed=3)
    X[np.random.default_rng(3).random(X.shape) < 0.6] = 0
    s = np.random.default_rng(4).integers(0, 4, 80).astype(float) if weighted else None
    options = {"positive": positive, "fit_intercept": fit_intercept}
    expected = fit_sklearn(X, y, 0.05, l1_ratio, s, **options)
    given = make_X(X)
    before = given.copy()
    model = ElasticNet(0.05, l1_ratio=l1_ratio, tol=1e-14, **options)
    model.fit(given, y, sample_weight=s)
    assert_allclose(model.coef_, expected.coef_, rtol=0, atol=2e-6)
    assert_allclose(model.intercept_, expected.intercept_, rtol=0, atol=2e-6)
    assert_allclose(model.predict(given), expected.predict(X), rtol=0, atol=1e-5)
    assert (before != given).sum() == 0
    assert_allclose(model.sparse_coef_.toarray()[0], model.coef_)


@pytest.mark.parametrize("shape", [(40, 600), (500, 40)])
@pytest.mark.parametrize("dense", [True, False])
def test_equals_scikit_learn_on_larger_data(shape, dense):
    X, y = make_problem(*shape, seed=5, offset=0.3, n_nonzero=10)
    if not dense:
        X[np.random.default_rng(5).random(X.shape) < 0.8] = 0
    for fraction in (0.5, 0.05):
        centered = X - X.mean(axis=0)
        alpha = fraction * np.abs(centered.T @ (y - y.mean())).max() / len(y)
        expected = fit_sklearn(X, y, alpha)
        model = Lasso(alpha, tol=1e-13).fit(X if dense else sparse.csr_array(X), y)
        assert_allclose(model.coef_, expected.coef_, rtol=0, atol=1e-5 * np.abs(y).max())
        reached = compute_objective(X, y, model.coef_, model.intercept_, alpha)
        other = compute_objective(X, y, expected.coef_, expected.intercept_, alpha)
        assert reached - other <= 2e-13 * np.var(y)


@pytest.mark.parametrize("name, target", [("golub_leukemia", "y"), ("yarn_nir", "y"),
                                          ("tecator", "Y")])  # fmt: skip
def test_equals_scikit_learn_on_real_data(name, target, data_folder):
    data = np.load(data_folder / f"{name}.npz", allow_pickle=True)
    X, y = data["X"].astype(np.float64), data[target].astype(np.float64)
    y = y[:, 1] if y.ndim == 2 else y
    centered = X - X.mean(axis=0)
    alpha_max = np.abs(centered.T @ (y - y.mean())).max() / len(y)
    for fraction in (0.5, 0.1):
        alpha = fraction * alpha_max
        model = Lasso(alpha, tol=1e-9, max_iter=50_000).fit(X, y)
        expected = sklearn.linear_model.Lasso(alpha, tol=1e-9, max_iter=1_000_000).fit(X, y)
        assert model.converged_ and model.dual_gap_ <= 1e-9
        reached = compute_objective(X, y, model.coef_, model.intercept_, alpha)
        other = compute_objective(X, y, expected.coef_, expected.intercept_, alpha)
        # Neither is further above the minimum than its gap: scikit-learn's is
        # relative to twice our scale.
        assert reached - other <= 1e-9 * np.var(y) / 2 + 1e-13 * np.var(y)
        assert other - reached <= 1e-9 * np.var(y) + 1e-13 * np.var(y)
        difference = model.predict(X) - expected.predict(X)
        assert np.mean(difference**2) / 2 <= 2 * 2e-9 * np.var(y)


# --- certificates -----------------------------------------------------------


@pytest.mark.parametrize(
    "dtype, tol",
    # Coefficients of single precision cannot be more exact than that.
    [(np.float64, tol) for tol in (1e-1, 1e-4, 1e-8, 1e-12)]
    + [(np.float32, tol) for tol in (1e-1, 1e-4, 1e-6)],
)
@pytest.mark.parametrize("shape", [(50, 10), (30, 500)])
def test_dual_gap_bounds_the_suboptimality(tol, shape, dtype):
    X, y = make_problem(*shape, seed=6)
    X, y = X.astype(dtype), y.astype(dtype)
    model = Lasso(0.1, tol=tol).fit(X, y)
    assert model.coef_.dtype == dtype
    assert 0 <= model.dual_gap_ <= tol and model.converged_
    X, y = X.astype(np.float64), y.astype(np.float64)
    best = Lasso(0.1, tol=1e-14, max_iter=100_000).fit(X, y)
    null = compute_null_objective(X, y)
    minimum = compute_objective(X, y, best.coef_, best.intercept_, 0.1)
    coef = model.coef_.astype(np.float64)
    # A rounded intercept is not the best one for rounded coefficients; the gap is
    # that of the best one.
    intercept = np.mean(y - X @ coef)
    reached = compute_objective(X, y, coef, intercept, 0.1)
    # Rounding the coefficients moves the objective by its slope, which near the
    # optimum is at most the square root of the gap, times eps.
    allowed = 1e-13 if dtype == np.float64 else 1e-6
    assert reached - minimum <= (model.dual_gap_ + allowed) * null


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [(60, 10), (40, 400)])
@pytest.mark.parametrize("offset", [0.0, 30.0, 1e3])
def test_single_precision_is_near_double(dtype, shape, offset):
    # Products in single precision leave an error of offset * 6e-8 in a correlation
    # of size 0.1 or so, which the certificate of a wide problem sees as a gap.
    tol = 1e-6 if dtype == np.float64 else max(1e-6, 1e-6 * offset)
    X, y = make_problem(*shape, seed=8, offset=0.0)
    X = (X + offset).astype(np.float32)
    y = (y + offset).astype(np.float32)
    expected = Lasso(0.1, tol=1e-10).fit(X.astype(np.float64), y.astype(np.float64))
    model = Lasso(0.1, tol=tol).fit(X.astype(dtype), y.astype(dtype))
    X, y = X.astype(np.float64), y.astype(np.float64)
    coef = model.coef_.astype(np.float64)
    excess = compute_objective(X, y, coef, np.mean(y - X @ coef), 0.1) - compute_objective(
        X, y, expected.coef_, expected.intercept_, 0.1
    )
    assert model.converged_
    assert excess <= (model.dual_gap_ + 1e-6) * compute_null_objective(X, y)


def test_converged_says_whether_the_gap_reached_the_tolerance():
    X, y = make_problem(50, 20, seed=9)
    for max_iter in (1, 2, 3, 10, 1000):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = Lasso(1e-3, tol=1e-9, max_iter=max_iter).fit(X, y)
        assert model.converged_ == (model.dual_gap_ <= 1e-9)
        assert len(caught) == (not model.converged_)
        assert isinstance(model.converged_, bool) and isinstance(model.n_iter_, int)
    assert model.converged_


@pytest.mark.parametrize("shape", [(50, 20), (50, 600)])
def test_one_warning_with_the_gap_in_it(shape):
    X, y = make_problem(*shape, seed=10)
    with pytest.warns(ConvergenceWarning) as caught:
        model = Lasso(1e-3, tol=1e-12, max_iter=1).fit(X, y)
    assert len(caught) == 1
    message = str(caught[0].message)
    assert f"{model.dual_gap_:.3e}" in message and "max_iter" in message
    assert caught[0].filename == __file__
    assert not model.converged_ and model.dual_gap_ > 1e-12


def test_several_targets_that_do_not_converge_warn_once():
    X, Y = make_problem(50, 20, seed=10, k=3)
    with pytest.warns(ConvergenceWarning) as caught:
        model = Lasso(1e-3, tol=1e-12, max_iter=1).fit(X, Y)
    assert len(caught) == 1
    assert f"{model.dual_gap_.max():.3e}" in str(caught[0].message)


@pytest.mark.parametrize("shape", [(50, 20), (50, 600)])
def test_zero_tolerance_ends_where_rounding_does(shape):
    X, y = make_problem(*shape, seed=11)
    model = Lasso(0.1, tol=0, max_iter=10_000).fit(X, y)
    assert model.converged_ and model.dual_gap_ < 1e-13


# --- several targets, random order, warm starts ------------------------------------


@pytest.mark.parametrize("shape", [(40, 8), (40, 400)])
@pytest.mark.parametrize("positive", [True, False])
def test_several_targets_are_separate_fits(shape, positive):
    X, Y = make_problem(*shape, seed=24, k=3)
    model = ElasticNet(0.1, l1_ratio=0.6, tol=1e-12, positive=positive).fit(X, Y)
    assert model.coef_.shape == (3, shape[1]) and model.intercept_.shape == (3,)
    assert model.predict(X).shape == Y.shape
    for t in range(3):
        alone = ElasticNet(0.1, l1_ratio=0.6, tol=1e-12, positive=positive).fit(X, Y[:, t])
        assert_allclose(model.coef_[t], alone.coef_, atol=1e-6)
        assert_allclose(model.intercept_[t], alone.intercept_, atol=1e-5)
        assert model.n_iter_[t] == alone.n_iter_
        assert_allclose(model.dual_gap_[t], alone.dual_gap_, atol=1e-12)
    one = ElasticNet(0.1, l1_ratio=0.6, tol=1e-12, positive=positive).fit(X, Y[:, :1])
    reference = sklearn.linear_model.ElasticNet(0.1, l1_ratio=0.6).fit(X, Y[:, :1])
    assert one.coef_.shape == reference.coef_.shape
    assert np.shape(one.intercept_) == np.shape(reference.intercept_)


@pytest.mark.parametrize("p", [10, 400])
def test_random_selection(p):
    X, y = make_problem(50, p, seed=25)
    cyclic = Lasso(0.05, tol=1e-12).fit(X, y)
    models = [
        Lasso(0.05, tol=1e-12, selection="random", random_state=seed).fit(X, y)
        for seed in (0, 0, 1)
    ]
    assert_array_equal(models[0].coef_, models[1].coef_)
    for model in models:
        assert_allclose(model.coef_, cyclic.coef_, atol=2e-6)
    short = [
        Lasso(0.05, tol=0.3, selection="random", random_state=seed).fit(X, y).coef_
        for seed in range(8)
    ]
    assert len({coef.tobytes() for coef in short}) > 1


@pytest.mark.parametrize("p", [30, 500])
def test_warm_start_saves_iterations(p):
    X, y = make_problem(60, p, seed=26, n_nonzero=8)
    model = Lasso(0.05, warm_start=True, tol=1e-8).fit(X, y)
    cold = model.n_iter_
    expected = model.coef_.copy()
    model.fit(X, y)
    assert model.n_iter_ < cold
    assert_allclose(model.coef_, expected, atol=1e-3)
    model.set_params(alpha=0.049).fit(X, y)
    assert model.n_iter_ <= Lasso(0.049, tol=1e-8).fit(X, y).n_iter_


@pytest.mark.parametrize("p", [10, 400])
def test_positive_refit_after_an_unconstrained_one(p):
    X, y = make_problem(40, p, seed=27)
    model = Lasso(0.1, warm_start=True, tol=1e-10).fit(X, y)
    assert (model.coef_ < 0).any()
    model.set_params(positive=True).fit(X, y)
    assert (model.coef_ >= 0).all()
    expected = Lasso(0.1, positive=True, tol=1e-10).fit(X, y)
    assert_allclose(model.coef_, expected.coef_, atol=1e-4)


def test_warm_start_on_other_shapes_starts_anew_or_raises():
    X, y = make_problem(40, 6, seed=28)
    for X_new, y_new in [(X[:, :4], y), (X, np.column_stack([y, -y]))]:
        model = Lasso(0.1, warm_start=True).fit(X, y)
        try:
            model.fit(X_new, y_new)
        except ValueError as error:
            assert "coef" in str(error) or "warm_start" in str(error)
        else:
            assert_allclose(model.coef_, Lasso(0.1).fit(X_new, y_new).coef_, atol=0.05)


# --- arguments --------------------------------------------------------------


def test_precomputed_gram_beside_penalty_weights():
    X, y = make_problem(60, 8, seed=3)
    centered = X - X.mean(axis=0)
    weights = np.array([1, 1, 2, 0, 1, np.inf, 1, 1])
    plain = ElasticNet(0.1, tol=1e-12, penalty_weights=weights).fit(X, y)
    gram = centered.T @ centered
    given = ElasticNet(0.1, tol=1e-12, penalty_weights=weights, precompute=gram).fit(X, y)
    assert_allclose(given.coef_, plain.coef_, rtol=1e-9)


def test_precomputed_gram():
    X, y = make_problem(40, 6, seed=29)
    X -= X.mean(axis=0)
    expected = Lasso(0.1, tol=1e-12).fit(X, y)
    for precompute in (True, False, X.T @ X, (X.T @ X).tolist()):
        model = Lasso(0.1, tol=1e-12, precompute=precompute).fit(X, y)
        assert_allclose(model.coef_, expected.coef_, atol=1e-6)
    with pytest.raises(ValueError, match="precompute"):
        Lasso(0.1, precompute=2 * X.T @ X).fit(X, y)
    with pytest.raises(ValueError, match="precompute"):
        Lasso(0.1, precompute=np.eye(5)).fit(X, y)


def test_precomputed_gram_of_weighted_data():
    X, y = make_problem(40, 6, seed=29)
    s = np.random.default_rng(0).uniform(0.1, 2, 40)
    s /= s.mean()
    centered = X - np.average(X, axis=0, weights=s)
    gram = (centered * s[:, None]).T @ centered
    model = Lasso(0.1, tol=1e-12, precompute=gram).fit(X, y, sample_weight=s)
    expected = Lasso(0.1, tol=1e-12).fit(X, y, sample_weight=s)
    assert_allclose(model.coef_, expected.coef_, atol=1e-6)


@pytest.mark.parametrize("options, error, message", [
    ({"alpha": -1.0}, ValueError, "alpha"),
    ({"alpha": np.nan}, ValueError, "alpha"),
    ({"alpha": np.inf}, ValueError, "alpha"),
    ({"alpha": "1"}, ValueError, "alpha"),
    ({"l1_ratio": 1.5}, ValueError, "l1_ratio"),
    ({"l1_ratio": -0.1}, ValueError, "l1_ratio"),
    ({"l1_ratio": np.nan}, ValueError, "l1_ratio"),
    ({"tol": -1e-3}, ValueError, "tol"),
    ({"tol": np.nan}, ValueError, "tol"),
    ({"max_iter": 0}, ValueError, "max_iter"),
    ({"max_iter": 1.5}, ValueError, "max_iter"),
    ({"selection": "best"}, ValueError, "selection"),
    ({"positive": "yes"}, ValueError, "positive"),
    ({"precompute": "auto"}, ValueError, "precompute"),
    ({"penalty_weights": [1.0]}, ValueError, "penalty_weights"),
    ({"penalty_weights": [1.0, -1.0, 1.0]}, ValueError, "penalty_weights"),
    ({"penalty_weights": [1.0, np.nan, 1.0]}, ValueError, "penalty_weights"),
    ({"penalty_weights": ["a", "b", "c"]}, TypeError, "penalty_weights"),
    ({"penalty_weights": 1.0}, ValueError, "penalty_weights"),
])  # fmt: skip
def test_bad_parameters(options, error, message):
    X, y = make_problem(20, 3)
    with pytest.raises(error, match=message):
        ElasticNet(**options).fit(X, y)


@pytest.mark.parametrize("weights, error", [
    (np.zeros(20), ValueError), (-np.ones(20), ValueError), (np.full(20, np.nan), ValueError),
    (np.full(20, np.inf), ValueError), (np.ones(19), ValueError), (["a"] * 20, TypeError),
    (0.0, ValueError), (-1.0, ValueError), (np.ones((20, 2)), ValueError),
])  # fmt: skip
def test_bad_sample_weights(weights, error):
    X, y = make_problem(20, 3)
    with pytest.raises(error, match="(?i)sample.?weight|negative"):
        Lasso().fit(X, y, sample_weight=weights)


@pytest.mark.parametrize("where", ["X", "y"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_data_that_are_not_finite(where, value):
    X, y = make_problem(20, 3)
    (X if where == "X" else y).flat[4] = value
    with pytest.raises(ValueError, match="NaN|infinity"):
        Lasso().fit(X, y)


def test_lasso_is_the_elastic_net_without_ridge():
    X, y = make_problem(40, 6, seed=30)
    lasso, net = Lasso(0.1).fit(X, y), ElasticNet(0.1, l1_ratio=1).fit(X, y)
    assert_array_equal(lasso.coef_, net.coef_)
    assert "l1_ratio" not in lasso.get_params()


def test_check_input_false_gives_the_same():
    X, y = make_problem(40, 6, seed=30)
    expected = Lasso(0.1).fit(X, y)
    model = Lasso(0.1).fit(np.asfortranarray(X), y, check_input=False)
    assert_allclose(model.coef_, expected.coef_, rtol=1e-10)
