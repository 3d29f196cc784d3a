"""Ridge against closed forms, scikit-learn, invariances and bad input."""

import warnings

import numpy as np
import pytest
import sklearn.linear_model
from hypothesis import given, settings, strategies as st
from numpy.testing import assert_allclose
from scipy import sparse
from scipy.optimize import lsq_linear
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import parametrize_with_checks

from skextra.linear_model import Ridge

SHAPES = [(60, 7), (7, 60), (30, 30)]
SOLVERS = ["auto", "svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga"]


def get_expected_failures(estimator):
    if estimator.positive:
        return {}
    return {
        "check_non_transformer_estimators_n_iter": "n_iter_ is None where nothing iterates, "
        "for which scikit-learn expects its own Ridge to fail, too"
    }


@parametrize_with_checks(
    [Ridge(), Ridge(positive=True), Ridge(solver="svd")],
    expected_failed_checks=get_expected_failures,
    xfail_strict=True,
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def make_data(n, p, k=1, seed=0, offset=3.0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) + offset
    Y = X @ rng.normal(size=(p, k)) + rng.normal(size=(n, k)) - 7
    return X, (Y[:, 0] if k == 1 else Y), rng.uniform(0.1, 2, n)


def solve_augmented(X, y, alpha, weights=None, fit_intercept=True, penalty_weights=None):
    """Ridge as ordinary least squares on the data with penalty rows appended."""
    n, p = X.shape
    weights = np.ones(n) if weights is None else weights
    gamma = np.ones(p) if penalty_weights is None else penalty_weights
    columns = np.column_stack([X, np.ones(n)]) if fit_intercept else X
    root = np.sqrt(weights)
    penalty = np.zeros((p, columns.shape[1]))
    penalty[:, :p] = np.diag(np.sqrt(alpha * gamma))
    A = np.vstack([columns * root[:, None], penalty])
    b = np.concatenate([y * root, np.zeros(p)])
    solution = np.linalg.lstsq(A, b, rcond=None)[0]
    return (solution[:p], solution[p]) if fit_intercept else (solution, 0.0)


def compute_objective(X, y, coef, intercept, alpha, weights=None):
    weights = np.ones(len(y)) if weights is None else weights
    return 0.5 * weights @ (y - X @ coef - intercept) ** 2 + 0.5 * alpha * coef @ coef


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_closed_form(solver, shape, fit_intercept, weighted):
    X, y, weights = make_data(*shape)
    weights = weights if weighted else None
    model = Ridge(alpha=0.7, solver=solver, fit_intercept=fit_intercept)
    model.fit(X, y, sample_weight=weights)
    coef, intercept = solve_augmented(X, y, 0.7, weights, fit_intercept)
    assert_allclose(model.coef_, coef, rtol=1e-8, atol=1e-10)
    assert_allclose(model.intercept_, intercept, rtol=1e-8, atol=1e-9)
    assert model.converged_
    assert 0 <= model.dual_gap_ < 1e-12


@pytest.mark.parametrize("shape", [(500, 8), (8, 500), (100, 100)])
@pytest.mark.parametrize("n_targets", [1, 4])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_equals_scikit_learn(shape, n_targets, fit_intercept):
    X, y, weights = make_data(*shape, n_targets)
    for alpha in (1e-3, 1.0, 1e4):
        ours = Ridge(alpha=alpha, fit_intercept=fit_intercept).fit(X, y, weights)
        theirs = sklearn.linear_model.Ridge(alpha=alpha, fit_intercept=fit_intercept)
        theirs.fit(X, y, weights)
        assert_allclose(ours.coef_, theirs.coef_, rtol=1e-7, atol=1e-9)
        assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-7)
        assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-9)
        assert ours.solver_ == theirs.solver_


@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix])
@pytest.mark.parametrize("shape", [(80, 12), (12, 80)])
@pytest.mark.parametrize("density", [0.05, 0.6])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_sparse_equals_dense(container, shape, density, fit_intercept):
    X, y, weights = make_data(*shape)
    X[np.random.default_rng(1).random(shape) > density] = 0
    dense = Ridge(fit_intercept=fit_intercept).fit(X, y, weights)
    Xs = container(X)
    Xs.indices, Xs.indptr = Xs.indices.astype(np.int64), Xs.indptr.astype(np.int64)
    model = Ridge(fit_intercept=fit_intercept).fit(Xs, y, weights)
    assert_allclose(model.coef_, dense.coef_, rtol=1e-9, atol=1e-11)
    assert_allclose(model.intercept_, dense.intercept_, rtol=1e-9)
    assert_allclose(model.predict(Xs), dense.predict(X), rtol=1e-9)


def test_sparse_with_duplicate_entries_and_large_offset():
    X, y, _ = make_data(40, 3, offset=1e6)
    doubled = sparse.coo_array(
        (
            np.concatenate([X.ravel() / 2] * 2),
            (np.tile(np.repeat(np.arange(40), 3), 2), np.tile(np.arange(3), 80)),
        ),
        shape=X.shape,
    )
    model = Ridge().fit(doubled, y)
    assert_allclose(model.coef_, Ridge().fit(X, y).coef_, rtol=1e-7)


@pytest.mark.parametrize("shape", [(400, 5), (20000, 3), (9, 300)])
@pytest.mark.parametrize("weighted", [True, False])
def test_huge_offsets_cost_no_accuracy(shape, weighted):
    X, _, weights = make_data(*shape, offset=0.0)
    rng = np.random.default_rng(2)
    X = np.round(X * 1024) / 1024  # so that adding the offset is exact
    y = X @ rng.normal(size=shape[1]) + rng.normal(size=shape[0])
    weights = weights if weighted else None
    shifted = Ridge().fit(X + 2.0**20, y + 2.0**20, weights)
    assert_allclose(shifted.coef_, Ridge().fit(X, y, weights).coef_, rtol=1e-6, atol=1e-8)


def test_first_rows_far_from_the_rest():
    # The provisional shift is then a bad one, which must be noticed.
    X, y, _ = make_data(30000, 4, offset=0.0)
    X[:, 0] += np.where(np.arange(30000) % 29 == 0, 0, 2.0**20)
    expected = solve_augmented(X - X.mean(axis=0), y, 1.0)[0]
    assert_allclose(Ridge().fit(X, y).coef_, expected, rtol=1e-7)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_weights_are_repetitions(shape, container):
    X, y, _ = make_data(*shape)
    counts = np.random.default_rng(3).integers(0, 4, shape[0])
    repeated = Ridge().fit(container(np.repeat(X, counts, axis=0)), np.repeat(y, counts))
    weighted = Ridge().fit(container(X), y, sample_weight=counts)
    assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-7, atol=1e-10)
    assert_allclose(weighted.intercept_, repeated.intercept_, rtol=1e-7)
    assert weighted.dual_gap_ < 1e-12


def test_number_as_weight_scales_the_data_term():
    X, y, _ = make_data(50, 4)
    assert_allclose(
        Ridge(alpha=3.0).fit(X, y, sample_weight=3.0).coef_, Ridge(alpha=1.0).fit(X, y).coef_
    )


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("solver", ["auto", "svd"])
def test_alpha_per_target_equals_separate_fits(shape, solver):
    X, Y, weights = make_data(*shape, 5)
    alphas = np.array([0.0, 0.1, 0.1, 5.0, 100.0]) + (shape[0] <= shape[1])
    together = Ridge(alpha=alphas, solver=solver).fit(X, Y, weights)
    for j, alpha in enumerate(alphas):
        alone = Ridge(alpha=alpha).fit(X, Y[:, j], weights)
        assert_allclose(together.coef_[j], alone.coef_, rtol=1e-8, atol=1e-10)
        assert_allclose(together.intercept_[j], alone.intercept_, rtol=1e-8)
    assert together.dual_gap_.shape == (5,)


@pytest.mark.parametrize("shape", [(60, 7), (7, 60)])
def test_many_different_alphas(shape):
    X, Y, _ = make_data(*shape, 30)
    alphas = np.logspace(-2, 3, 30)
    together = Ridge(alpha=alphas).fit(X, Y)
    apart = [Ridge(alpha=a).fit(X, y).coef_ for a, y in zip(alphas, Y.T, strict=True)]
    assert_allclose(together.coef_, apart, rtol=1e-8, atol=1e-10)
    assert (together.dual_gap_ < 1e-12).all()


@pytest.mark.parametrize("shape", [(60, 7), (7, 60)])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_penalty_weights(shape, fit_intercept):
    X, y, weights = make_data(*shape)
    p = shape[1]
    gamma = np.random.default_rng(4).uniform(0.2, 5, p)
    gamma[1], gamma[2], gamma[3] = 0, np.inf, 0
    model = Ridge(alpha=2.0, fit_intercept=fit_intercept, penalty_weights=gamma)
    model.fit(X, y, weights)
    kept = np.isfinite(gamma)
    coef, intercept = solve_augmented(X[:, kept], y, 2.0, weights, fit_intercept, gamma[kept])
    assert model.coef_[2] == 0
    assert_allclose(model.coef_[kept], coef, rtol=1e-7, atol=1e-9)
    assert_allclose(model.intercept_, intercept, rtol=1e-7, atol=1e-9)
    in_sparse = Ridge(alpha=2.0, fit_intercept=fit_intercept, penalty_weights=gamma)
    assert_allclose(in_sparse.fit(sparse.csr_array(X), y, weights).coef_, model.coef_, rtol=1e-7)
    assert model.dual_gap_ < 1e-12


@pytest.mark.parametrize("value", [0.0, np.inf])
def test_penalty_weights_all_alike(value):
    X, y, _ = make_data(40, 3)
    coef = Ridge(penalty_weights=np.full(3, value)).fit(X, y).coef_
    expected = solve_augmented(X, y, 0.0)[0] if value == 0 else np.zeros(3)
    assert_allclose(coef, expected, rtol=1e-9)


@pytest.mark.parametrize("shape", [(60, 7), (7, 60), (30, 30)])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_no_penalty_is_minimum_norm_least_squares(shape, fit_intercept):
    X, y, _ = make_data(*shape)
    X[:, 1] = X[:, 0]
    model = Ridge(alpha=0.0, fit_intercept=fit_intercept).fit(X, y)
    centered = X - X.mean(axis=0) * fit_intercept
    expected = np.linalg.lstsq(centered, y - y.mean() * fit_intercept, rcond=None)[0]
    assert_allclose(model.coef_, expected, rtol=1e-6, atol=1e-8)
    assert model.converged_


def test_ill_conditioned_is_corrected_from_the_data():
    rng = np.random.default_rng(5)
    U = np.linalg.qr(rng.normal(size=(200, 6)))[0]
    V = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    X = U * np.logspace(0, -5, 6) @ V.T
    w = rng.normal(size=6)
    y = X @ w
    # The normal equations alone have condition 1e10 and would lose ten digits.
    model = Ridge(alpha=0.0, fit_intercept=False).fit(X, y)
    assert_allclose(model.coef_, w, rtol=1e-9)


@pytest.mark.parametrize("scale", [1e-150, 1e-8, 1e8, 1e120])
def test_scales(scale):
    X, y, _ = make_data(40, 4)
    model = Ridge(alpha=scale**2).fit(X * scale, y)
    assert_allclose(model.coef_ * scale, Ridge().fit(X, y).coef_, rtol=1e-8)


def test_features_of_different_scales_stay_accurate():
    X, y, _ = make_data(50, 4, offset=0.0)
    scales = np.array([1e-9, 1.0, 1e9, 1e3])
    model = Ridge(alpha=0.0).fit(X * scales, y)
    assert_allclose(model.coef_ * scales, Ridge(alpha=0.0).fit(X, y).coef_, rtol=1e-8)


@pytest.mark.parametrize("shape", [(3000, 20), (20, 300)])
def test_single_precision(shape):
    X, y, weights = make_data(*shape)
    reference = Ridge().fit(X, y, weights)
    model = Ridge().fit(X.astype(np.float32), y.astype(np.float32), weights)
    assert model.coef_.dtype == np.float32
    assert model.predict(X.astype(np.float32)).dtype == np.float32
    assert_allclose(model.coef_, reference.coef_, rtol=2e-3, atol=2e-4)


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 25),
    p=st.integers(1, 25),
    alpha=st.floats(1e-3, 1e3),
    seed=st.integers(0, 1000),
    fit_intercept=st.booleans(),
)
def test_is_the_optimum(n, p, alpha, seed, fit_intercept):
    X, y, weights = make_data(n, p, seed=seed)
    model = Ridge(alpha=alpha, fit_intercept=fit_intercept).fit(X, y, weights)
    value = compute_objective(X, y, model.coef_, model.intercept_, alpha, weights)
    rng = np.random.default_rng(seed)
    for size in (1e-3, 1e-1):
        step = size * rng.normal(size=p)
        shift = size * rng.normal() * fit_intercept
        moved = compute_objective(
            X, y, model.coef_ + step, model.intercept_ + shift, alpha, weights
        )
        assert moved >= value * (1 - 1e-12)
    assert model.converged_
    assert model.dual_gap_ < 1e-9


def test_permutations():
    X, y, weights = make_data(50, 9)
    rng = np.random.default_rng(6)
    rows, columns = rng.permutation(50), rng.permutation(9)
    model = Ridge().fit(X, y, weights)
    assert_allclose(
        Ridge().fit(X[rows][:, columns], y[rows], weights[rows]).coef_,
        model.coef_[columns],
        rtol=1e-10,
    )


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("copy_X", [True, False])
def test_input_is_unchanged(order, copy_X):
    X, y, weights = make_data(5000, 30)
    X = np.array(X, order=order)
    before = X.copy()
    X.flags.writeable = y.flags.writeable = weights.flags.writeable = False
    model = Ridge(copy_X=copy_X).fit(X, y, weights)
    assert (before == X).all()
    assert_allclose(model.coef_, solve_augmented(X, y, 1.0, weights)[0], rtol=1e-8)


def test_strided_input():
    X, y, _ = make_data(100, 12)
    assert_allclose(
        Ridge().fit(X[::2, ::3], y[::2]).coef_, Ridge().fit(X[::2, ::3].copy(), y[::2]).coef_
    )


@pytest.mark.parametrize("shape", [(60, 7), (20, 60)])
@pytest.mark.parametrize("alpha", [0.0, 0.5, 50.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_positive_against_bounded_least_squares(shape, alpha, fit_intercept):
    X, y, weights = make_data(*shape)
    model = Ridge(alpha=alpha, positive=True, fit_intercept=fit_intercept).fit(X, y, weights)
    n, p = shape
    root = np.sqrt(weights)
    mean = weights @ X / weights.sum() * fit_intercept
    y_mean = weights @ y / weights.sum() * fit_intercept
    A = np.vstack([(X - mean) * root[:, None], np.sqrt(alpha) * np.eye(p)])
    b = np.concatenate([(y - y_mean) * root, np.zeros(p)])
    best = lsq_linear(A, b, bounds=(0, np.inf), tol=1e-14)
    value = 0.5 * np.sum((A @ model.coef_ - b) ** 2)
    assert (model.coef_ >= 0).all()
    assert value <= best.cost * (1 + 1e-9) + 1e-9 * (b @ b)
    assert model.converged_
    if alpha:
        assert_allclose(model.coef_, best.x, atol=1e-5)
        assert model.dual_gap_ < 1e-10


def test_positive_sparse_multi_target_and_penalty_weights():
    X, Y, weights = make_data(80, 10, 3)
    X[np.random.default_rng(7).random(X.shape) > 0.4] = 0
    gamma = np.array([0, np.inf, 1, 1, 2, 3, 0.5, 1, 1, 1])
    dense = Ridge(positive=True, penalty_weights=gamma).fit(X, Y, weights)
    other = Ridge(positive=True, penalty_weights=gamma).fit(sparse.csc_array(X), Y, weights)
    assert_allclose(other.coef_, dense.coef_, atol=1e-9)
    assert (dense.coef_[:, 1] == 0).all()
    gradient = (
        X.T @ (weights[:, None] * (Y - dense.predict(X)))
        - (np.where(np.isfinite(gamma), gamma, 0) * dense.coef_).T
    )
    gradient[1] = 0
    active = dense.coef_.T > 0
    assert_allclose(gradient[active], 0, atol=1e-7)
    assert (gradient[~active] <= 1e-7).all()


def test_positive_wider_than_the_gram_limit(monkeypatch):
    from skextra._core.least_squares import ridge_nonnegative

    X, y, weights = make_data(15, 60)
    expected = Ridge(positive=True).fit(X, y, weights)
    monkeypatch.setattr(ridge_nonnegative, "_MAX_GRAM", 10)
    model = Ridge(positive=True).fit(X, y, weights)
    assert_allclose(model.coef_, expected.coef_, atol=1e-9)
    assert model.dual_gap_ < 1e-10


def test_positive_warns_when_stopped_early():
    X, y, _ = make_data(100, 40, seed=8)
    with pytest.warns(ConvergenceWarning, match="lbfgs solver did not converge"):
        model = Ridge(alpha=1e-6, positive=True, max_iter=1, tol=1e-12).fit(X, y)
    assert not model.converged_
    assert (model.coef_ >= 0).all()


@pytest.mark.parametrize("n_targets", [1, 3])
@pytest.mark.parametrize("weighted", [True, False])
def test_large_sparse_by_conjugate_gradients(n_targets, weighted):
    rng = np.random.default_rng(9)
    X = sparse.random_array((900, 800), density=0.01, rng=rng, format="csr")
    Y = X @ rng.normal(size=(800, n_targets)) + 0.1 * rng.normal(size=(900, n_targets)) + 5
    weights = rng.uniform(0.5, 2, 900) if weighted else None
    model = Ridge(alpha=0.5, tol=1e-12).fit(X, Y, weights)
    assert (model.n_iter_ > 1).all(), "this is meant to exercise the iterative solver"
    reference = Ridge(alpha=0.5).fit(X.toarray(), Y, weights)
    assert_allclose(model.coef_, reference.coef_, atol=1e-7)
    assert_allclose(model.intercept_, reference.intercept_, rtol=1e-7)
    assert model.converged_
    loose = Ridge(alpha=0.5).fit(X, Y, weights)
    assert loose.converged_ and np.max(loose.dual_gap_) <= 1e-4
    with pytest.warns(ConvergenceWarning, match="sparse_cg solver did not converge"):
        stopped = Ridge(alpha=0.5, tol=1e-12, max_iter=2).fit(X, Y, weights)
    assert not stopped.converged_


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("solver", SOLVERS)
def test_direct_solutions_have_no_iterations(shape, solver):
    X, Y, _ = make_data(*shape, k=2)
    assert Ridge(solver=solver).fit(X, Y).n_iter_ is None
    assert Ridge(positive=True).fit(X, Y).n_iter_.shape == (2,)


def test_direct_solution_that_misses_its_tolerance_warns(monkeypatch):
    from skextra._core.least_squares import ridge

    X, y, _ = make_data(30, 4)
    solve = ridge.solve

    def solve_badly(*args, **kwargs):
        result = solve(*args, **kwargs)
        result.gap += 1e6
        return result

    monkeypatch.setattr(ridge, "solve", solve_badly)
    with pytest.warns(ConvergenceWarning, match=r"gap [\de+.]+, tol=0.0001. Increase alpha"):
        model = Ridge().fit(X, y)
    assert not model.converged_ and model.n_iter_ is None


def test_dual_gap_bounds_the_true_distance():
    rng = np.random.default_rng(10)
    X = sparse.random_array((900, 800), density=0.01, rng=rng, format="csr")
    y = X @ rng.normal(size=800) + 3
    alpha = 0.3
    best = Ridge(alpha=alpha).fit(X.toarray(), y)
    minimum = compute_objective(X, y, best.coef_, best.intercept_, alpha)
    null = 0.5 * np.sum((y - y.mean()) ** 2)
    for max_iter in (1, 2, 4, 8):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = Ridge(alpha=alpha, tol=1e-13, max_iter=max_iter).fit(X, y)
        value = compute_objective(X, y, model.coef_, model.intercept_, alpha)
        assert 0 < (value - minimum) / null <= model.dual_gap_ * (1 + 1e-9)


@pytest.mark.parametrize("solver", ["svd", "cholesky", "saga"])
def test_solvers_that_refuse_sparse_with_intercept(solver):
    with pytest.raises(ValueError, match=f"solver='{solver}' does not support fitting"):
        Ridge(solver=solver).fit(sparse.eye_array(5, format="csr"), np.arange(5.0))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"alpha": -1.0}, "alpha"),
        ({"alpha": [1.0, -1.0]}, "alpha must be finite and not negative"),
        ({"alpha": [1.0, np.nan]}, "alpha must be finite and not negative"),
        ({"alpha": np.inf}, "alpha"),
        ({"alpha": [1.0, 2.0, 3.0]}, "3 != 2"),
        ({"solver": "newton"}, "solver"),
        ({"solver": "lbfgs"}, "only when positive=True"),
        ({"solver": "svd", "positive": True}, "does not support positive"),
        ({"tol": -1.0}, "tol"),
        ({"max_iter": 0}, "max_iter"),
        ({"penalty_weights": [1.0]}, "penalty_weights must have shape"),
        ({"penalty_weights": [1.0, -1.0, 1.0]}, "penalty_weights must be non-negative"),
    ],
)
def test_bad_parameters(parameters, message):
    X, Y, _ = make_data(20, 3, 2)
    with pytest.raises(ValueError, match=message):
        Ridge(**parameters).fit(X, Y)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.zeros(20), "at least one non-zero"),
        (-np.ones(20), "[Nn]egative"),
        (np.full(20, np.nan), "NaN"),
        (np.ones(19), "sample_weight.shape"),
        (np.ones((20, 1)), "Sample weights must be 1D"),
        (0.0, "sample_weight must be positive"),
    ],
)
def test_bad_weights(weights, message):
    X, y, _ = make_data(20, 3)
    with pytest.raises(ValueError, match=message):
        Ridge().fit(X, y, sample_weight=weights)


def test_bad_data():
    X, y, _ = make_data(20, 3)
    spoilt = X.copy()
    spoilt[3, 1] = np.nan
    with pytest.raises(ValueError, match="X contains NaN"):
        Ridge().fit(spoilt, y)
    with pytest.raises(ValueError, match="y contains NaN"):
        Ridge().fit(X, np.where(np.arange(20) == 3, np.nan, y))
    with pytest.raises(ValueError, match="expecting 3 features"):
        Ridge().fit(X, y).predict(X[:, :2])
    with pytest.raises(TypeError, match="y must be dense"):
        Ridge().fit(X, sparse.csr_array(y[:, None]))


def test_constant_target_and_features():
    X, y, _ = make_data(30, 3)
    X[:, 1] = 4.0
    model = Ridge(alpha=0.0).fit(X, np.full(30, 2.5))
    assert_allclose(model.coef_, 0, atol=1e-14)
    assert model.intercept_ == 2.5
    assert model.dual_gap_ == 0
    assert np.isfinite(Ridge(alpha=0.0).fit(X, y).coef_).all()


def test_diabetes_matches_scikit_learn_exactly_enough():
    X, y = load_diabetes(return_X_y=True)
    for alpha in np.logspace(-6, 3, 7):
        ours, theirs = Ridge(alpha=alpha), sklearn.linear_model.Ridge(alpha=alpha, solver="svd")
        assert_allclose(ours.fit(X, y).coef_, theirs.fit(X, y).coef_, rtol=1e-8)
