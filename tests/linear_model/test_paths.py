"""lasso_path and enet_path: order, starts, certificates, weights, scikit-learn."""

import warnings

import numpy as np
import pytest
import sklearn.linear_model
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from skextra.linear_model import ElasticNet, Lasso, enet_path, lasso_path
from tests._core.least_squares.elastic_net_reference import compute_objective, make_problem

pytestmark = pytest.mark.filterwarnings("error::sklearn.exceptions.ConvergenceWarning")


def make_centered(n, p, seed=0, k=1, **options):
    X, y = make_problem(n, p, seed, k=k, **options)
    return X - X.mean(axis=0), y - y.mean(axis=0)


@pytest.mark.parametrize("shape", [(60, 20), (60, 800), (500, 30)])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
@pytest.mark.parametrize("kind", [np.ascontiguousarray, np.asfortranarray, sparse.csr_array])
def test_path_equals_scikit_learns(shape, l1_ratio, kind):
    X, y = make_centered(*shape, seed=1, n_nonzero=10)
    alphas, coefs, gaps = enet_path(kind(X), y, l1_ratio=l1_ratio, alphas=30, tol=1e-8,
                                    max_iter=20_000)  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        expected = sklearn.linear_model.enet_path(
            X, y, l1_ratio=l1_ratio, alphas=alphas, tol=1e-12, max_iter=100_000
        )
    assert_allclose(alphas[-1] / alphas[0], 1e-3)
    assert_allclose(alphas[0], np.abs(X.T @ y).max() / (len(y) * l1_ratio), rtol=1e-12)
    assert gaps.shape == alphas.shape and coefs.shape == (shape[1], 30)
    assert (gaps <= 1e-8).all() and (gaps >= 0).all()
    for i, alpha in enumerate(alphas):
        reached = compute_objective(X, y, coefs[:, i], 0.0, alpha, l1_ratio)
        other = compute_objective(X, y, expected[1][:, i], 0.0, alpha, l1_ratio)
        null = np.mean(y**2) / 2
        assert reached - other <= (gaps[i] + 1e-13) * null
        # Strong convexity of the loss in the fitted values.
        difference = X @ (coefs[:, i] - expected[1][:, i])
        assert np.mean(difference**2) / 2 <= (gaps[i] + 3e-12) * null * 1.01 + reached * 1e-11


def test_wide_path_reaches_the_same_coefficients():
    X, y = make_centered(60, 800, seed=2, n_nonzero=10)
    alphas, coefs, gaps = lasso_path(X, y, tol=1e-12, max_iter=100_000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        expected = sklearn.linear_model.lasso_path(X, y, alphas=alphas, tol=1e-13, max_iter=100_000)
    assert len(alphas) == 100 and (gaps <= 1e-12).all()
    assert_allclose(coefs, expected[1], atol=1e-3 * np.abs(coefs).max())
    assert_allclose(coefs[:, :60], expected[1][:, :60], atol=1e-5 * np.abs(coefs).max())


@pytest.mark.parametrize("p", [20, 500])
@pytest.mark.parametrize("positive", [False, True])
def test_each_point_of_a_path_is_a_fit(p, positive):
    X, y = make_centered(50, p, seed=3)
    s = np.random.default_rng(0).uniform(0.1, 2, 50)
    v = np.random.default_rng(1).uniform(0.5, 2, p)
    v[[0, 4]] = 0.0, np.inf
    options = {"l1_ratio": 0.7, "tol": 1e-12, "positive": positive, "max_iter": 20_000}
    alphas, coefs, gaps, n_iters = enet_path(
        X, y, alphas=[0.5, 0.05, 0.2], sample_weight=s, penalty_weights=v, return_n_iter=True,
        **options,
    )  # fmt: skip
    assert_array_equal(alphas, [0.5, 0.2, 0.05])
    assert len(n_iters) == 3 and all(isinstance(n, int) for n in n_iters)
    options.update(fit_intercept=False, penalty_weights=v)
    for alpha, coef, gap in zip(alphas, coefs.T, gaps):
        model = ElasticNet(alpha, **options).fit(X, y, sample_weight=s)
        assert gap <= 1e-12
        assert_allclose(coef, model.coef_, atol=1e-5)
        if positive:
            assert (coef[v > 0] >= 0).all()


@pytest.mark.parametrize("p", [20, 500])
def test_objective_is_monotone_along_the_path(p):
    X, y = make_centered(40, p, seed=4)
    alphas, coefs, gaps = lasso_path(X, y, alphas=50, tol=1e-10, max_iter=20_000)
    values = [compute_objective(X, y, c, 0.0, a) for a, c in zip(alphas, coefs.T)]
    losses = [np.mean((y - X @ c) ** 2) for c in coefs.T]
    norms = np.abs(coefs).sum(axis=0)
    null = np.mean(y**2) / 2
    assert (np.diff(values) <= 1e-10 * null).all()
    # In exact solutions both are monotone; inexact ones slip by gap / (alpha difference).
    slip = 2e-10 * null / np.abs(np.diff(alphas))
    assert (np.diff(norms) >= -slip).all()
    assert (np.diff(losses) <= 2 * (alphas[:-1] * slip + 1e-10 * null)).all()


def test_generated_grid():
    X, y = make_centered(40, 10, seed=5)
    for l1_ratio in (1.0, 0.3):
        alphas, coefs, _ = enet_path(X, y, l1_ratio=l1_ratio, alphas=7, eps=0.01, tol=1e-10)
        expected = sklearn.linear_model.enet_path(X, y, l1_ratio=l1_ratio, alphas=7, eps=0.01)[0]
        assert_allclose(alphas, expected, rtol=1e-10)
        assert not coefs[:, 0].any() and coefs[:, 1].any()
    alphas, coefs, _ = lasso_path(X, y, alphas=7, eps=0.01, positive=True, tol=1e-10)
    assert_allclose(alphas[0], (X.T @ y).max() / 40, rtol=1e-12)
    assert not coefs[:, 0].any() and coefs[:, 1].any() and (coefs >= 0).all()
    v = np.random.default_rng(0).uniform(0.5, 2, 10)
    v[3] = np.inf
    alphas, coefs, _ = lasso_path(X, y, alphas=7, penalty_weights=v, tol=1e-10)
    assert_allclose(alphas[0], (np.abs(X.T @ y) / v).max() / 40, rtol=1e-12)
    assert not coefs[:, 0].any() and coefs[:, 1].any()
    s = np.random.default_rng(0).uniform(0.5, 2, 40)
    alphas, coefs, _ = lasso_path(X, y, alphas=7, sample_weight=s, tol=1e-10)
    assert_allclose(alphas[0], np.abs(X.T @ (s * y)).max() / s.sum(), rtol=1e-12)


def test_constant_target_has_a_grid_of_nothing():
    X, _ = make_centered(40, 5)
    alphas, coefs, gaps = lasso_path(X, np.zeros(40), alphas=4)
    assert len(alphas) == 4 and not coefs.any() and not gaps.any()


@pytest.mark.parametrize("p", [8, 500])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_alpha_zero_ends_a_path(p, l1_ratio):
    X, y = make_centered(40, p, seed=6)
    alphas, coefs, gaps = enet_path(
        X, y, l1_ratio=l1_ratio, alphas=[0.0, 1.0, 0.1], tol=1e-8, max_iter=20_000
    )
    assert_array_equal(alphas, [1.0, 0.1, 0.0])
    assert (gaps <= 1e-8).all()
    assert_allclose(coefs[:, -1], np.linalg.lstsq(X, y, rcond=None)[0], atol=1e-6)


@pytest.mark.parametrize("p", [20, 500])
def test_start(p):
    X, y = make_centered(50, p, seed=7)
    options = {"alphas": [0.05], "tol": 1e-9, "return_n_iter": True, "max_iter": 20_000}
    _, coefs, _, n_cold = lasso_path(X, y, **options)
    _, warm, gaps, n_warm = lasso_path(X, y, coef_init=coefs[:, 0], **options)
    assert gaps[0] <= 1e-9 and n_warm[0] < n_cold[0]
    assert_allclose(warm, coefs, atol=1e-3)
    for start in (np.full(p, 10.0), -np.ones(p)):
        for positive in (False, True):
            _, cold, _ = lasso_path(X, y, alphas=[0.05], tol=1e-12, positive=positive,
                                    max_iter=20_000)  # fmt: skip
            _, other, gaps = lasso_path(X, y, alphas=[0.05], tol=1e-12, positive=positive,
                                        coef_init=start, max_iter=20_000)  # fmt: skip
            assert gaps[0] <= 1e-12
            assert_allclose(other, cold, atol=1e-4)


@pytest.mark.parametrize("p", [10, 500])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.6])
def test_several_targets_are_solved_jointly(p, l1_ratio):
    X, Y = make_centered(40, p, seed=8, k=3)
    alphas, coefs, gaps, n_iters = enet_path(
        X, Y, l1_ratio=l1_ratio, alphas=5, eps=0.1, tol=1e-10, return_n_iter=True,
        max_iter=20_000,
    )  # fmt: skip
    expected = sklearn.linear_model.enet_path(
        X, Y, l1_ratio=l1_ratio, alphas=5, eps=0.1, tol=1e-13, max_iter=200_000
    )
    assert_allclose(alphas, expected[0])
    assert coefs.shape == (3, p, 5) and gaps.shape == (5,) and len(n_iters) == 5
    assert (gaps >= 0).all() and (gaps <= 1e-10).all()
    assert_allclose(coefs, expected[1], atol=1e-4)
    null = np.sum(Y**2) / 80
    for i, alpha in enumerate(alphas):
        reached, other = (
            np.sum((Y - X @ W.T) ** 2) / 80
            + alpha * l1_ratio * np.linalg.norm(W, axis=0).sum()
            + alpha * (1 - l1_ratio) * np.sum(W**2) / 2
            for W in (coefs[..., i], expected[1][..., i])
        )
        assert reached - other <= (gaps[i] + 1e-13) * null


def test_sparse_targets_and_lists_are_accepted():
    X, y = make_centered(30, 4, seed=9)
    options = {"alphas": [0.1], "tol": 1e-13}
    expected = lasso_path(X, y, **options)[1]
    assert_array_equal(lasso_path(X.tolist(), y.tolist(), **options)[1], expected)
    multi = lasso_path(X, sparse.csr_array(y[:, None]), **options)[1]
    assert_allclose(multi[0], expected, atol=1e-6)


def test_single_precision_is_kept():
    X, y = make_centered(30, 4, seed=9)
    expected = lasso_path(X, y, alphas=[0.1], tol=1e-8)[1]
    coefs = lasso_path(X.astype(np.float32), y.astype(np.float32), alphas=[0.1], tol=1e-6)[1]
    assert coefs.dtype == np.float32
    assert_allclose(coefs, expected, atol=2e-3)


@pytest.mark.parametrize("path", [enet_path, lasso_path])
def test_unfinished_path_warns_once(path):
    X, y = make_centered(40, 20, seed=10)
    with pytest.warns(ConvergenceWarning, match="gap") as caught:
        _, _, gaps = path(X, y, alphas=20, tol=1e-12, max_iter=1)
    assert len(caught) == 1 and caught[0].filename == __file__
    assert f"{gaps.max():.3e}" in str(caught[0].message)


def test_random_selection_reaches_the_same_path():
    X, y = make_centered(40, 500, seed=11)
    _, cyclic, _ = lasso_path(X, y, alphas=[0.3, 0.1], tol=1e-12)
    options = {"alphas": [0.3, 0.1], "tol": 1e-12, "selection": "random"}
    first, again = (lasso_path(X, y, random_state=3, **options)[1] for _ in range(2))
    assert_array_equal(first, again)
    assert_allclose(first, cyclic, atol=1e-6)


def test_estimators_point_at_the_paths():
    assert Lasso.path is enet_path or Lasso.path is lasso_path
    assert ElasticNet.path is enet_path


@pytest.mark.parametrize("options, error, message", [
    ({"alphas": [-1.0]}, ValueError, "alphas"),
    ({"alphas": [np.nan]}, ValueError, "alphas"),
    ({"alphas": [np.inf]}, ValueError, "alphas"),
    ({"alphas": []}, ValueError, "alphas"),
    ({"alphas": [[1.0]]}, ValueError, "alphas"),
    ({"alphas": 0}, ValueError, "alphas"),
    ({"alphas": ["a"]}, (TypeError, ValueError), "alphas"),
    ({"eps": 0.0}, ValueError, "eps"),
    ({"l1_ratio": 2.0}, ValueError, "l1_ratio"),
    ({"l1_ratio": 0.0}, ValueError, "l1_ratio=0"),
    ({"selection": "best"}, ValueError, "selection"),
    ({"unknown": 1}, ValueError, "unknown"),
    ({"coef_init": np.ones(4)}, ValueError, "coef_init"),
    ({"coef_init": np.full(3, np.nan)}, ValueError, "coef_init|NaN"),
    ({"tol": -1.0}, ValueError, "tol"),
    ({"tol": np.nan}, ValueError, "tol"),
    ({"max_iter": 0}, ValueError, "max_iter"),
    ({"penalty_weights": np.ones(2)}, ValueError, "penalty_weights"),
    ({"sample_weight": np.ones(2)}, ValueError, "sample_weight"),
    ({"precompute": np.eye(2)}, ValueError, "precompute"),
])  # fmt: skip
def test_bad_arguments(options, error, message):
    X, y = make_centered(20, 3)
    with pytest.raises(error, match=message):
        enet_path(X, y, **options)


def test_lasso_path_has_no_mixing_ratio():
    X, y = make_centered(20, 3)
    with pytest.raises(ValueError, match="l1_ratio"):
        lasso_path(X, y, l1_ratio=0.5)


def test_positive_paths_have_one_target():
    X, Y = make_centered(20, 3, k=2)
    with pytest.raises(ValueError, match="positive"):
        lasso_path(X, Y, positive=True)


def test_shapes_that_do_not_match():
    X, y = make_centered(20, 3)
    with pytest.raises(ValueError, match="y"):
        lasso_path(X, y[:-1])
