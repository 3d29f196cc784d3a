import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import MultiTaskElasticNet

from skextra._core.least_squares import elastic_net, multi_task
from skextra._core.least_squares.elastic_net import Settings
from skextra._core.least_squares.elastic_net_gram import Sweeps
from skextra._core.least_squares.multi_task_newton import (
    compute_rows_objective,
    update_rows_by_newton,
)
from skextra._core.least_squares.multi_task_sweeps import (
    sweep_rows_columns,
    sweep_rows_sparse,
)
from skextra._core.least_squares.multi_task_working_set import RowWorkingSet, descend

TIGHT = Settings(tol=1e-12, max_iter=20_000)


def make_data(n=50, p=12, n_targets=3, seed=0, correlated=False, density=1.0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + 0.5
    if correlated:
        X += 2 * rng.standard_normal((n, 1))
    if density < 1:
        X *= rng.random((n, p)) < density
    W = np.where(np.arange(p) < 5, rng.standard_normal((n_targets, p)), 0.0)
    Y = X @ W.T + rng.standard_normal((n, n_targets)) + np.arange(n_targets)
    return X, Y


def find_alpha_max(X, Y, l1_ratio=1.0):
    C = (X - X.mean(axis=0)).T @ (Y - Y.mean(axis=0))
    return np.linalg.norm(C, axis=1).max() / len(X) / l1_ratio


def compute_objective(X, Y, W, b, alpha, l1_ratio=1.0, sample_weight=None, penalty_weights=None):
    s = np.ones(len(X)) if sample_weight is None else sample_weight
    v = np.ones(X.shape[1]) if penalty_weights is None else penalty_weights
    v = np.where(np.isinf(v), 0.0, v)  # whose coefficients are zero
    norms = np.linalg.norm(W, axis=0)
    loss = (s[:, None] * (Y - X @ W.T - b) ** 2).sum() / (2 * s.sum())
    return loss + alpha * (v * (l1_ratio * norms + (1 - l1_ratio) * norms**2 / 2)).sum()


def assert_optimal(X, Y, W, b, alpha, l1_ratio, sample_weight, penalty_weights, atol=1e-8):
    """The optimality conditions, feature by feature."""
    s = np.ones(len(X)) if sample_weight is None else sample_weight
    residual = s[:, None] / s.sum() * (Y - X @ W.T - b)
    np.testing.assert_allclose(residual.sum(axis=0), 0, atol=atol)
    for j, v in enumerate(penalty_weights):
        if np.isinf(v):
            assert (W[:, j] == 0).all()
            continue
        descent = X[:, j] @ residual - alpha * v * (1 - l1_ratio) * W[:, j]
        limit, norm = alpha * v * l1_ratio, np.linalg.norm(W[:, j])
        if norm > 0:
            np.testing.assert_allclose(descent, limit * W[:, j] / norm, atol=atol)
        else:
            assert np.linalg.norm(descent) <= limit + atol


def solve(X, Y, alphas, **options):
    return multi_task.solve(X, Y, np.atleast_1d(alphas), **{"settings": TIGHT, **options})


def as_matrix(X, kind):
    return sparse.csc_array(X) if kind == "sparse" else X


@pytest.mark.parametrize("kind", ["dense", "sparse"])
@pytest.mark.parametrize("shape", [(40, 8), (60, 30), (25, 320), (60, 500)])
@pytest.mark.parametrize(("l1_ratio", "fit_intercept"), [(1.0, True), (0.5, False), (0.05, True)])
@pytest.mark.parametrize("correlated", [False, True])
def test_equals_scikit_learn(kind, shape, l1_ratio, fit_intercept, correlated):
    density = 0.4 if kind == "sparse" else 1.0
    X, Y = make_data(*shape, correlated=correlated, density=density, seed=sum(shape))
    alphas = find_alpha_max(X, Y, l1_ratio) * np.geomspace(0.9, 0.02, 4)
    path = solve(as_matrix(X, kind), Y, alphas, l1_ratio=l1_ratio, fit_intercept=fit_intercept)
    assert path.converged.all()
    assert path.coefs.shape == (3, 4, shape[1])
    assert path.gaps.shape == path.n_iters.shape == path.converged.shape == (1, 4)
    for i, alpha in enumerate(alphas):
        peer = MultiTaskElasticNet(
            alpha=alpha, l1_ratio=l1_ratio, fit_intercept=fit_intercept, tol=1e-13,
            max_iter=200_000,
        ).fit(X, Y)  # fmt: skip
        np.testing.assert_allclose(path.coefs[:, i], peer.coef_, atol=1e-8)
        np.testing.assert_allclose(path.intercepts[:, i], peer.intercept_, atol=1e-8)


@pytest.mark.parametrize("p", [10, 400])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.3])
def test_one_target_is_the_elastic_net(p, l1_ratio):
    X, Y = make_data(40, p, n_targets=1, seed=1)
    alphas = find_alpha_max(X, Y, l1_ratio) * np.array([1.1, 0.5, 0.1, 0.01])
    joint = solve(X, Y, alphas, l1_ratio=l1_ratio)
    single = elastic_net.solve(X, Y, alphas, l1_ratio=l1_ratio, settings=TIGHT)
    # A gap of 1e-12 determines coefficients to about its root.
    np.testing.assert_allclose(joint.coefs, single.coefs, atol=1e-6)
    np.testing.assert_allclose(joint.intercepts, single.intercepts, atol=1e-6)


@pytest.mark.parametrize("kind", ["dense", "sparse"])
@pytest.mark.parametrize("p", [15, 350])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.7, 0.05])
def test_gap_bounds_the_distance_to_the_minimum(kind, p, l1_ratio):
    X, Y = make_data(30, p, correlated=True, seed=2, density=0.5 if kind == "sparse" else 1.0)
    alphas = find_alpha_max(X, Y, l1_ratio) * np.array([0.3, 0.03])
    best = solve(X, Y, alphas, l1_ratio=l1_ratio)
    null = ((Y - Y.mean(axis=0)) ** 2).sum() / (2 * len(X))
    n_loose = 0
    for max_iter in (1, 2, 3, 5, 8, 13):
        path = solve(
            as_matrix(X, kind), Y, alphas, l1_ratio=l1_ratio,
            settings=Settings(tol=1e-12, max_iter=max_iter),
        )  # fmt: skip
        for i, alpha in enumerate(alphas):
            values = [
                compute_objective(X, Y, r.coefs[:, i], r.intercepts[:, i], alpha, l1_ratio)
                for r in (path, best)
            ]
            suboptimality = (values[0] - values[1]) / null
            n_loose += suboptimality > 1e-6
            assert path.gaps[0, i] >= suboptimality - 1e-12
            assert path.converged[0, i] == (path.gaps[0, i] <= 1e-12)
    assert n_loose >= 4  # else nothing was shown


@pytest.mark.parametrize("p", [15, 350])
@pytest.mark.parametrize("tol", [1e-2, 1e-4, 1e-8])
def test_stops_on_the_gap(p, tol):
    X, Y = make_data(40, p, correlated=True, seed=3)
    alphas = find_alpha_max(X, Y) * np.geomspace(1, 0.01, 8)
    path = solve(X, Y, alphas, settings=Settings(tol=tol, max_iter=10_000))
    assert path.converged.all()
    assert (path.gaps <= tol).all()
    assert (path.n_iters >= 1).all()


def test_small_problems_settle_beyond_the_gap():
    X, Y = make_data(200, 6, seed=4)
    alpha = 1e-3 * find_alpha_max(X, Y)
    path = solve(X, Y, alpha, settings=Settings(tol=1e-4))
    best = solve(X, Y, alpha)
    error = np.abs(path.coefs - best.coefs).max()
    assert error <= 1e-3 * np.abs(best.coefs).max()


@pytest.mark.parametrize("kind", ["dense", "sparse"])
@pytest.mark.parametrize("p", [9, 330])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.4])
@pytest.mark.parametrize("weighted", [False, True])
def test_penalty_weights(kind, p, l1_ratio, weighted):
    X, Y = make_data(40, p, seed=5, density=0.6 if kind == "sparse" else 1.0)
    rng = np.random.default_rng(6)
    v = rng.uniform(0.3, 3, size=p)
    v[[0, 6]] = 0
    v[[1, 7]] = np.inf
    s = rng.uniform(0.1, 2, size=40) if weighted else None
    alphas = find_alpha_max(X, Y, l1_ratio) * np.array([0.5, 0.05])
    path = solve(
        as_matrix(X, kind), Y, alphas, l1_ratio=l1_ratio, penalty_weights=v, sample_weight=s
    )
    assert path.converged.all()
    for i, alpha in enumerate(alphas):
        assert path.coefs[:, i, [0, 6]].all()
        assert_optimal(X, Y, path.coefs[:, i], path.intercepts[:, i], alpha, l1_ratio, s, v)


@pytest.mark.parametrize("p", [9, 330])
def test_penalty_weights_scale_columns(p):
    X, Y = make_data(40, p, seed=7)
    v = np.random.default_rng(8).uniform(0.5, 2, size=p)
    alpha = 0.1 * find_alpha_max(X, Y)
    path = solve(X, Y, alpha, penalty_weights=v)
    scaled = solve(X / v, Y, alpha)
    np.testing.assert_allclose(path.coefs, scaled.coefs / v, atol=1e-8)


@pytest.mark.parametrize("kind", ["dense", "sparse"])
@pytest.mark.parametrize("p", [9, 330])
def test_sample_weights_repeat_and_remove_rows(kind, p):
    X, Y = make_data(40, p, seed=9, density=0.5 if kind == "sparse" else 1.0)
    counts = np.random.default_rng(10).integers(0, 4, size=40)
    alphas = find_alpha_max(X, Y) * np.array([0.3, 0.05])
    weighted = solve(as_matrix(X, kind), Y, alphas, sample_weight=counts.astype(float) * 7)
    X, Y = X.repeat(counts, axis=0), Y.repeat(counts, axis=0)
    repeated = solve(as_matrix(X, kind), Y, alphas)
    np.testing.assert_allclose(weighted.coefs, repeated.coefs, atol=1e-8)
    np.testing.assert_allclose(weighted.intercepts, repeated.intercepts, atol=1e-8)


@pytest.mark.parametrize(("alphas", "l1_ratio"), [([0.5, 0.0], 1.0), ([2.0, 0.3, 0.0], 0.0)])
def test_without_an_l1_penalty_it_is_ridge(alphas, l1_ratio):
    X, Y = make_data(40, 6, seed=11)
    path = solve(X, Y, alphas, l1_ratio=l1_ratio)
    Xc, Yc = X - X.mean(axis=0), Y - Y.mean(axis=0)
    for i, alpha in enumerate(alphas):
        if l1_ratio == 0 or alpha == 0:
            ridge = 40 * alpha * (1 - l1_ratio) * np.eye(6)
            np.testing.assert_allclose(
                path.coefs[:, i].T, np.linalg.solve(Xc.T @ Xc + ridge, Xc.T @ Yc), atol=1e-9
            )
    assert path.converged.all()
    assert path.gaps.shape == (1, len(alphas))


@pytest.mark.parametrize("kind", ["dense", "sparse"])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("penalty_weights", [None, "some free"])
def test_columns_in_place_of_their_gram_matrix(monkeypatch, kind, fit_intercept, penalty_weights):
    X, Y = make_data(30, 340, seed=12, density=0.5 if kind == "sparse" else 1.0)
    v = None if penalty_weights is None else np.where(np.arange(340) % 170 == 3, 0.0, 1.0)
    alphas = find_alpha_max(X, Y, 0.5) * np.array([0.5, 0.05])
    options = {"l1_ratio": 0.5, "fit_intercept": fit_intercept, "penalty_weights": v}
    options["sample_weight"] = np.random.default_rng(13).uniform(0.5, 2, size=30)
    on_gram = solve(as_matrix(X, kind), Y, alphas, **options)
    monkeypatch.setattr(RowWorkingSet, "_uses_gram", lambda self: False)
    for seed in (None, 1):
        options["settings"] = Settings(1e-12, 20_000, seed=seed)
        on_columns = solve(as_matrix(X, kind), Y, alphas, **options)
        assert on_columns.converged.all()
        np.testing.assert_allclose(on_columns.coefs, on_gram.coefs, atol=1e-8)


@pytest.mark.parametrize("seed", [None, 1])
def test_sparse_sweeps_are_those_of_centered_dense_columns(seed):
    X, Y = make_data(30, 10, seed=26, density=0.5)
    weights = np.random.default_rng(27).uniform(0.5, 2, size=30)
    root, mean = np.sqrt(weights), np.average(X, axis=0, weights=weights)
    R = (Y - np.average(Y, axis=0, weights=weights)) * root[:, None]
    matrix = sparse.csc_array(X * root[:, None])
    columns = np.ascontiguousarray(((X - mean) * root[:, None]).T)
    norms, l1, l2 = (columns**2).sum(axis=1), np.full(10, 1.0), np.full(10, 0.1)
    on_dense, on_sparse = np.zeros((3, 10)), np.zeros((3, 10))
    offset, dense_R = np.zeros(3), np.array(R.T, order="C")
    expected = descend(
        lambda order: sweep_rows_columns(
            columns, norms, dense_R, on_dense, l1, l2, order
        ),
        on_dense, Sweeps(seed=seed), 5,
    )  # fmt: skip
    result = descend(
        lambda order: sweep_rows_sparse(
            matrix.data, matrix.indices, matrix.indptr, mean, weights.sum(), norms, R, offset,
            on_sparse, l1, l2, order,
        ),
        on_sparse, Sweeps(seed=seed), 5,
    )  # fmt: skip
    np.testing.assert_allclose(on_sparse, on_dense, atol=1e-12)
    assert on_dense.any()
    assert result == pytest.approx(expected)


def test_working_set_larger_than_its_gram_matrix():
    X, Y = make_data(20, 1300, seed=14)
    alpha = 0.01 * find_alpha_max(X, Y, 0.01)
    path = solve(X, Y, [100 * alpha, alpha], l1_ratio=0.01)
    assert path.converged.all()
    assert np.count_nonzero(path.coefs[0, 1]) > 1000
    args = (alpha, 0.01, None, np.ones(1300))
    assert_optimal(X, Y, path.coefs[:, 1], path.intercepts[:, 1], *args)


@pytest.mark.parametrize("p", [12, 340])
def test_starts_from_the_given_point(p):
    X, Y = make_data(40, p, correlated=True, seed=15)
    alpha = 0.02 * find_alpha_max(X, Y)
    cold = solve(X, Y, alpha)
    warm = solve(X, Y, alpha, start=cold.coefs[:, 0])
    rng = np.random.default_rng(16)
    wild = solve(X, Y, alpha, start=rng.standard_normal(cold.coefs[:, 0].shape))
    assert warm.n_iters[0, 0] < cold.n_iters[0, 0] / 4
    np.testing.assert_allclose(warm.coefs, cold.coefs, atol=1e-9)
    np.testing.assert_allclose(wild.coefs, cold.coefs, atol=1e-8)


@pytest.mark.parametrize("p", [12, 340])
def test_random_order(p):
    X, Y = make_data(40, p, correlated=True, seed=17)
    alpha = 0.05 * find_alpha_max(X, Y)
    cyclic = solve(X, Y, alpha)
    one, again, other = (
        solve(X, Y, alpha, settings=Settings(1e-12, 20_000, seed=seed)) for seed in (1, 1, 2)
    )
    np.testing.assert_allclose(one.coefs, cyclic.coefs, atol=1e-8)
    np.testing.assert_array_equal(one.coefs, again.coefs)
    assert (one.coefs != other.coefs).any()


def test_path_does_not_depend_on_its_first_penalties():
    X, Y = make_data(50, 600, seed=18)
    alphas = find_alpha_max(X, Y) * np.geomspace(1, 0.01, 12)
    whole, last = solve(X, Y, alphas), solve(X, Y, alphas[-1])
    np.testing.assert_allclose(whole.coefs[:, -1], last.coefs[:, 0], atol=1e-8)


@pytest.mark.parametrize("p", [12, 340])
def test_largest_useful_penalty(p):
    X, Y = make_data(40, p, seed=19)
    problem, scale = elastic_net.build(X, Y, None, True, None)
    alpha_max = elastic_net.compute_alpha_max(problem, scale, 1.0, False)
    assert alpha_max == pytest.approx(find_alpha_max(X, Y))
    path = solve(X, Y, alpha_max * np.array([1 + 1e-9, 0.99]))
    assert not path.coefs[:, 0].any()
    assert path.coefs[:, 1].any()
    assert not np.signbit(path.coefs[path.coefs == 0]).any()
    np.testing.assert_allclose(path.intercepts[:, 0], Y.mean(axis=0))


@pytest.mark.parametrize("p", [5, 330])
def test_degenerate_data(p):
    X, Y = make_data(30, p, seed=20)
    X[:, 1], X[:, 2] = X[:, 0], 4.0
    alpha = 0.1 * find_alpha_max(X, Y)
    path = solve(X, Y, alpha)
    assert path.converged.all()
    assert not path.coefs[:, 0, 2].any()
    args = (alpha, 1.0, None, np.ones(p))
    assert_optimal(X, Y, path.coefs[:, 0], path.intercepts[:, 0], *args)
    constant = solve(X, np.full((30, 2), 3.0), alpha)
    assert constant.converged.all() and not constant.coefs.any()
    np.testing.assert_allclose(constant.intercepts, 3.0)
    excluded = solve(X, Y, alpha, penalty_weights=np.full(p, np.inf))
    assert excluded.converged.all() and not excluded.coefs.any()


@pytest.mark.parametrize("p", [12, 340])
def test_single_precision(p):
    X, Y = make_data(40, p, seed=21)
    alpha = 0.1 * find_alpha_max(X, Y)
    double = solve(X, Y, alpha)
    single = solve(X.astype(np.float32), Y.astype(np.float32), alpha, settings=Settings(1e-6, 1000))
    assert single.converged.all()
    np.testing.assert_allclose(single.coefs, double.coefs, atol=2e-3)


@pytest.mark.parametrize("p", [12, 340])
def test_overflow_is_refused(p):
    X, Y = make_data(20, p)
    with pytest.raises(ValueError, match="X .*overflow"):
        solve(X * 1e200, Y, 1.0)
    with pytest.raises(ValueError, match="y .*overflow"):
        solve(X, Y * 1e200, 1.0)


def test_gram_matrix_that_is_known():
    X, Y = make_data(40, 12, seed=22)
    Xc = X - X.mean(axis=0)
    alpha = 0.1 * find_alpha_max(X, Y)
    known, computed = solve(X, Y, alpha, gram=Xc.T @ Xc), solve(X, Y, alpha)
    np.testing.assert_allclose(known.coefs, computed.coefs, atol=1e-10)


@pytest.mark.parametrize("l2", [0.0, 3.0])
def test_newton_steps_lower_the_objective(l2):
    X, Y = make_data(60, 20, correlated=True, seed=23)
    gram, B = X.T @ X, Y.T @ X
    rng = np.random.default_rng(24)
    W = rng.standard_normal((3, 20)) * (np.arange(20) % 3 > 0)
    C = B - W @ gram
    l1, l2 = np.full(20, 2.0), np.full(20, l2)
    before = compute_rows_objective(B, C, W, l1, l2)
    off_support = ~W.any(axis=0)
    n_steps = update_rows_by_newton(gram, B, C, W, l1, l2)
    assert n_steps >= 1
    assert compute_rows_objective(B, C, W, l1, l2) < before
    assert not W[:, off_support].any()
    np.testing.assert_allclose(C, B - W @ gram, atol=1e-8)


def test_newton_finds_the_minimum_on_a_support():
    X, Y = make_data(60, 5, correlated=True, seed=25)
    gram, B = X.T @ X, Y.T @ X
    l1, l2 = np.full(5, 1.0), np.zeros(5)
    W = np.ascontiguousarray(np.linalg.solve(gram, B.T).T)
    C = B - W @ gram
    for _ in range(5):
        update_rows_by_newton(gram, B, C, W, l1, l2)
    path = solve(X, Y, 1 / 60, fit_intercept=False)
    np.testing.assert_allclose(W, path.coefs[:, 0], atol=1e-6)
