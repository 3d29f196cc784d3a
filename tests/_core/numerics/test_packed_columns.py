"""Packed columns and correlations against the matrix they stand for."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from skextra._core.least_squares.problem import build_problem
from skextra._core.numerics.packed_columns import DenseColumns, SparseColumns, correlate, pack
from tests._core.least_squares.elastic_net_reference import make_problem

KINDS = {"C": np.ascontiguousarray, "F": np.asfortranarray, "sparse": sparse.csc_array}
CASES = [
    (kind, fit_intercept, weighted, free)
    for kind in KINDS
    for fit_intercept in (True, False)
    for weighted in (True, False)
    for free in (True, False)
]


def make_case(kind, fit_intercept, weighted, free):
    """A design, its targets, and the same matrix written out."""
    X, y = make_problem(25, 9, seed=1)
    X[np.random.default_rng(0).random(X.shape) < 0.3] = 0
    s = np.random.default_rng(1).uniform(0.1, 2, 25) if weighted else np.ones(25)
    v = np.ones(9)
    if free:
        v[[2, 7]] = 0
    problem = build_problem(
        KINDS[kind](X), y[:, None], s if weighted else None, fit_intercept, v if free else None
    )
    root = np.sqrt(s)[:, None]
    nuisance = np.column_stack([np.ones((25, int(fit_intercept))), X[:, v == 0]]) * root
    Z, b = X[:, v == 1] * root, y * root[:, 0]
    if nuisance.shape[1]:
        Q = np.linalg.qr(nuisance)[0]
        Z, b = Z - Q @ (Q.T @ Z), b - Q @ (Q.T @ b)
    return problem, Z, b


@pytest.mark.parametrize("case", CASES)
def test_correlations(case):
    problem, Z, b = make_case(*case)
    Yw = problem.design.weigh_rows(problem.Y)
    assert_allclose(Yw[:, 0], b, atol=1e-12)
    R = np.column_stack([b, b - Z @ np.ones(Z.shape[1])])
    assert_allclose(correlate(problem.design, R), Z.T @ R, atol=1e-11)


@pytest.mark.parametrize("case", CASES)
def test_packed_columns_are_the_columns(case):
    problem, Z, b = make_case(*case)
    features = np.array([1, 3, 4])
    columns = pack(problem.design, features)
    assert isinstance(columns, SparseColumns if case[0] == "sparse" else DenseColumns)
    w = np.array([1.0, 0.0, -2.0, 0.5, 3.0])

    def check(columns, Z):
        assert columns.n == Z.shape[1]
        assert_allclose(columns.correlate(b), Z.T @ b, atol=1e-12)
        assert_allclose(columns.compute_squared_norms(), np.sum(Z * Z, axis=0), atol=1e-12)
        assert_allclose(columns.compute_gram(columns), Z.T @ Z, atol=1e-12)
        for sign in (1.0, 0.0):
            values = w[: columns.n] * np.where(np.arange(columns.n) == 0, 1.0, sign)
            assert_allclose(columns.predict(values), Z @ values, atol=1e-12)

    check(columns, Z[:, features])
    more = pack(problem.design, np.array([0, 5]))
    columns.append(more)
    check(columns, Z[:, [1, 3, 4, 0, 5]])
    assert_allclose(more.compute_gram(columns), Z[:, [0, 5]].T @ Z[:, [1, 3, 4, 0, 5]], atol=1e-12)
    columns.keep(np.array([0, 2, 4]))
    check(columns, Z[:, [1, 4, 5]])
    columns.append(pack(problem.design, np.array([2])))
    check(columns, Z[:, [1, 4, 5, 2]])


@pytest.mark.parametrize("kind", KINDS)
def test_packing_does_not_change_the_data(kind):
    X, y = make_problem(25, 9, seed=1)
    given = KINDS[kind](X)
    problem = build_problem(given, y[:, None], np.linspace(0.5, 1, 25), True, None)
    columns = pack(problem.design, np.arange(9))
    columns.keep(np.arange(3))
    assert_array_equal(given.toarray() if kind == "sparse" else given, X)


def test_a_constant_sparse_column_has_no_negative_length():
    X = sparse.csc_array(np.column_stack([np.full(30, 0.1), np.arange(30.0)]))
    problem = build_problem(X, np.zeros((30, 1)), None, True, None)
    norms = pack(problem.design, np.arange(2)).compute_squared_norms()
    assert 0 <= norms[0] < 1e-15 and norms[1] > 1
