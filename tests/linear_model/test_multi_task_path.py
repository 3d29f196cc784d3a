"""Paths of several targets."""

import numpy as np
import pytest
import sklearn.linear_model as sklearn_linear_model
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from skextra.linear_model import ElasticNet, enet_path, lasso_path

TIGHT = {"tol": 1e-12, "max_iter": 50_000}


def make_data(n=50, p=12, n_targets=3, seed=0, density=1.0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + 0.5
    if density < 1:
        X *= rng.random((n, p)) < density
    W = np.where(np.arange(p) < 5, rng.standard_normal((n_targets, p)), 0.0)
    return X, X @ W.T + rng.standard_normal((n, n_targets)) + 1


def center(X, Y, weights=None):
    return X - np.average(X, axis=0, weights=weights), Y - np.average(Y, axis=0, weights=weights)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array, sparse.csc_matrix])
@pytest.mark.parametrize("p", [8, 330])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_equals_scikit_learn_on_its_own_grid(kind, p, l1_ratio):
    X, Y = make_data(30, p, density=0.5, seed=p)
    options = {"eps": 0.02, "alphas": 6, "return_n_iter": True, **TIGHT}
    ours = enet_path(kind(X), Y, l1_ratio=l1_ratio, **options)
    theirs = sklearn_linear_model.enet_path(X, Y, l1_ratio=l1_ratio, **options)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-12)
    np.testing.assert_allclose(ours[1], theirs[1], atol=1e-7)
    assert ours[1].shape == (3, p, 6)
    assert ours[2].shape == theirs[2].shape == (6,)
    assert (ours[2] <= 1e-12).all()
    assert len(ours[3]) == len(theirs[3]) == 6
    assert all(type(n_iter) is int for n_iter in ours[3])


def test_lasso_path_is_the_enet_path_at_one():
    X, Y = make_data(seed=1)
    for ours, theirs in zip(lasso_path(X, Y, **TIGHT), enet_path(X, Y, l1_ratio=1.0, **TIGHT)):
        np.testing.assert_array_equal(ours, theirs)
    theirs = sklearn_linear_model.lasso_path(X, Y, **TIGHT)
    np.testing.assert_allclose(lasso_path(X, Y, **TIGHT)[1], theirs[1], atol=1e-7)


def test_features_enter_for_all_targets_or_for_none():
    X, Y = make_data(40, 30, seed=2)
    _, coefs, _ = lasso_path(X, Y)
    used = coefs != 0
    assert (used.all(axis=0) == used.any(axis=0)).all()
    assert not used.all()
    assert used.any()


def test_one_column_is_one_target():
    X, Y = make_data(n_targets=1, seed=3)
    alphas, joint, gaps = enet_path(X, Y, **TIGHT)
    alphas_1d, single, gaps_1d = enet_path(X, Y[:, 0], **TIGHT)
    np.testing.assert_allclose(alphas, alphas_1d)
    assert joint.shape == (1, *single.shape)
    assert gaps.shape == gaps_1d.shape
    np.testing.assert_allclose(joint[0], single, atol=1e-6)


def test_estimators_solve_targets_one_by_one():
    X, Y = make_data(seed=4)
    both = ElasticNet(alpha=0.3, tol=1e-12).fit(X, Y)
    for t in range(Y.shape[1]):
        one = ElasticNet(alpha=0.3, tol=1e-12).fit(X, Y[:, t])
        np.testing.assert_allclose(both.coef_[t], one.coef_, atol=1e-10)
    _, joint, _ = enet_path(*center(X, Y), alphas=[0.3], **TIGHT)
    assert np.abs(joint[:, :, 0] - both.coef_).max() > 1e-3


def test_keeps_single_precision():
    X, Y = make_data(seed=5)
    _, double, _ = enet_path(X, Y, alphas=[0.1], **TIGHT)
    _, single, gaps = enet_path(X.astype(np.float32), Y.astype(np.float32), alphas=[0.1])
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, double, atol=1e-2)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csc_array])
@pytest.mark.parametrize("n_targets", [1, 3])
def test_sample_weights_of_data_as_it_is(kind, n_targets):
    X, Y = make_data(n_targets=n_targets, seed=6, density=0.5)
    Y = Y[:, 0] if n_targets == 1 else Y
    counts = np.random.default_rng(7).integers(0, 4, size=50)
    weighted = enet_path(kind(X), Y, alphas=[0.3, 0.03], sample_weight=counts, **TIGHT)
    X, Y = X.repeat(counts, axis=0), Y.repeat(counts, axis=0)
    repeated = enet_path(kind(X), Y, alphas=[0.3, 0.03], **TIGHT)
    np.testing.assert_allclose(weighted[1], repeated[1], atol=1e-7)


@pytest.mark.parametrize("penalized", [True, False])
def test_penalty_weights(penalized):
    X, Y = make_data(seed=8)
    weights = np.ones(12)
    weights[0], weights[1] = (5.0 if penalized else 0.0), np.inf
    _, coefs, _ = lasso_path(X, Y, alphas=[1e6, 0.1], penalty_weights=weights, **TIGHT)
    assert not coefs[:, 1].any()
    if penalized:
        assert not coefs[..., 0].any()
        kept = np.delete(np.arange(12), 1)
        scaled = X[:, kept] / weights[kept]
        _, expected, _ = sklearn_linear_model.lasso_path(scaled, Y, alphas=[0.1], **TIGHT)
        np.testing.assert_allclose(coefs[:, kept, 1], expected[..., 0] / weights[kept], atol=1e-7)
    else:
        np.testing.assert_allclose(coefs[:, 0, 0], X[:, 0] @ Y / (X[:, 0] @ X[:, 0]))


# --- arguments ---------------------------------------------------------------


def test_starts_from_coef_init():
    X, Y = make_data(seed=18)
    options = {"alphas": [0.01], "return_n_iter": True, **TIGHT}
    _, coefs, _, cold = enet_path(X, Y, **options)
    _, again, _, warm = enet_path(X, Y, coef_init=coefs[..., 0], **options)
    assert warm[0] < cold[0] / 2
    np.testing.assert_allclose(again, coefs, atol=1e-9)


@pytest.mark.parametrize("shape", [(12, 3), (36,), (3, 11)])
def test_bad_coef_init(shape):
    X, Y = make_data()
    with pytest.raises(ValueError, match=r"coef_init must have shape \(3, 12\)"):
        enet_path(X, Y, coef_init=np.zeros(shape))
    with pytest.raises(ValueError, match=r"coef_init must have shape \(12,\)"):
        enet_path(X, Y[:, 0], coef_init=np.zeros(shape))


def test_positive_needs_one_target():
    X, Y = make_data()
    with pytest.raises(ValueError, match="positive=True is not allowed for multi-output"):
        enet_path(X, Y, positive=True)


def test_gram_matrix():
    X, Y = make_data(seed=19)
    known = enet_path(X, Y, alphas=[0.1], precompute=X.T @ X, **TIGHT)
    np.testing.assert_allclose(known[1], enet_path(X, Y, alphas=[0.1], **TIGHT)[1], atol=1e-10)


def test_warns_when_it_stops_early():
    X, Y = make_data(seed=20)
    with pytest.warns(ConvergenceWarning, match="max_iter"):
        _, _, gaps = enet_path(X, Y, alphas=[0.001], max_iter=2, tol=1e-10)
    assert gaps.shape == (1,)
    assert gaps[0] > 1e-10


def test_no_penalty():
    X, Y = make_data(seed=21)
    _, coefs, gaps = enet_path(X, Y, alphas=[0.5, 0.0])
    np.testing.assert_allclose(coefs[..., 1].T, np.linalg.lstsq(X, Y, rcond=None)[0], atol=1e-8)
    assert gaps.shape == (2,)


def test_verbose_writes_to_standard_error(capsys):
    X, Y = make_data()
    enet_path(X, Y, alphas=[0.5], verbose=True)
    captured = capsys.readouterr()
    assert captured.err == "."
    assert captured.out == ""
