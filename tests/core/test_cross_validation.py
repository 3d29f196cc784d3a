"""Held-out errors: from moments, from rows, and by hand."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from skextra._core.cross_validation import FoldErrors, _as_counts
from skextra._core.elastic_net import Settings, solve
from tests.core.elastic_net_reference import make_problem

ALPHAS = np.array([1.0, 0.3, 0.05])


def create(X, y, s=None, fit_intercept=True, v=None, tol=1e-13, positive=False):
    return FoldErrors(X, y, s, fit_intercept, v, Settings(tol, 20_000, positive), len(ALPHAS))


@pytest.mark.parametrize("kind", [np.ascontiguousarray, np.asfortranarray, sparse.csc_array])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("penalty", [None, "plain", "mixed"])
@pytest.mark.parametrize("offset", [0.0, 5.0])
def test_moments_and_rows_agree_with_a_plain_fit(kind, weighted, fit_intercept, penalty, offset):
    X, y = make_problem(60, 8, seed=1, offset=offset)
    X[np.random.default_rng(0).random(X.shape) < 0.3] = 0
    s = np.random.default_rng(1).uniform(0.1, 2, 60) if weighted else None
    v = None
    if penalty:
        v = np.random.default_rng(2).uniform(0.5, 2, 8)
        if penalty == "mixed":
            v[[1, 4, 6]] = 0.0, np.inf, 0.0
    folds = create(kind(X), y, s, fit_intercept, v)
    test = np.arange(60) % 4 == 0
    moments, _ = folds._compute_from_moments(test, ALPHAS, 0.7)
    rows, converged = folds._compute_from_rows((~test).astype(int), test.astype(int), ALPHAS, 0.7)
    assert converged
    path = solve(
        X[~test], y[~test, None], ALPHAS, l1_ratio=0.7, fit_intercept=fit_intercept,
        sample_weight=None if s is None else s[~test], penalty_weights=v,
        settings=Settings(1e-13, 20_000),
    )  # fmt: skip
    predictions = X[test] @ path.coefs[0].T + path.intercepts[0]
    expected = np.average(
        (y[test, None] - predictions) ** 2, axis=0, weights=None if s is None else s[test]
    )
    assert_allclose(moments, expected, rtol=1e-5)
    assert_allclose(rows, expected, rtol=1e-5)


@pytest.mark.parametrize("offset", [0.0, 1e2, 1e4])
def test_moments_of_single_precision(offset):
    """Means of 1e4 leave three digits of the data, and all of them count."""
    rng = np.random.default_rng(3)
    X = (rng.normal(size=(200, 5)) + offset).astype(np.float32)
    y = (X.astype(float) @ rng.normal(size=5) + rng.normal(size=200)).astype(np.float32)
    test = np.arange(200) % 4 == 0
    in_single = create(X, y, tol=1e-6)._compute_from_moments(test, ALPHAS, 1.0)
    in_double = create(X.astype(float), y.astype(float))._compute_from_moments(test, ALPHAS, 1.0)
    assert in_double is not None
    if in_single is not None:
        assert_allclose(in_single[0], in_double[0], rtol=0.01)


def test_moments_that_would_be_mostly_rounding_are_refused():
    X, y = make_problem(60, 4, seed=4)
    test = np.arange(60) < 20
    X[:, 0] = 0
    X[:20, 0] = 1e5 * np.arange(20)
    assert create(X, y)._compute_from_moments(test, ALPHAS, 1.0) is None
    X, y = make_problem(60, 4, seed=4)
    y[20:] = 1e-9 * y[20:]
    assert create(X, y)._compute_from_moments(test, ALPHAS, 1.0) is None
    X, y = make_problem(60, 4, seed=4)
    assert create(X, y)._compute_from_moments(test, np.array([0.1, 0.0]), 1.0) is None
    assert create(X, y)._compute_from_moments(test, ALPHAS, 0.0) is None
    assert create(X, y)._compute_from_moments(test, ALPHAS, 1.0) is not None


def test_counts():
    assert_array_equal(_as_counts(np.array([True, False, True]), 3), [1, 0, 1])
    assert_array_equal(_as_counts([0, 2, 2], 4), [1, 0, 2, 0])


def test_weights_of_nothing_are_named():
    X, y = make_problem(40, 4)
    s = np.r_[np.zeros(10), np.ones(30)]
    rows = np.arange(40)
    with pytest.raises(ValueError, match="sample_weight.*test"):
        create(X, y, s).compute(rows >= 10, rows < 10, ALPHAS, 1.0)
    with pytest.raises(ValueError, match="sample_weight.*training"):
        create(X, y, s).compute(rows < 10, rows >= 10, ALPHAS, 1.0)
