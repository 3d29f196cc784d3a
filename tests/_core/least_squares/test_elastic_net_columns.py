"""The solver on packed columns, against enumeration."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from skextra._core.least_squares.elastic_net_columns import ColumnDescent
from skextra._core.least_squares.elastic_net_gram import Sweeps
from skextra._core.least_squares.problem import build_problem
from skextra._core.numerics.packed_columns import pack
from tests._core.least_squares.elastic_net_reference import find_minimum, make_problem


@pytest.mark.parametrize("kind", [np.asarray, sparse.csc_array])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("positive", [True, False])
@pytest.mark.parametrize("seed", [None, 1])
def test_optimum(kind, fit_intercept, weighted, positive, seed):
    X, y = make_problem(30, 5, seed=2)
    X[np.random.default_rng(0).random(X.shape) < 0.3] = 0
    s = np.random.default_rng(1).uniform(0.1, 2, 30)
    s = s / s.mean() if weighted else None
    problem = build_problem(kind(X), y[:, None], s, fit_intercept, None)
    b = problem.design.weigh_rows(problem.Y)[:, 0]
    columns = pack(problem.design, np.arange(5))
    l1, l2 = np.full(5, 30 * 0.1 * 0.6), np.full(5, 30 * 0.1 * 0.4)
    for start in (np.zeros(5), np.ones(5)):
        w, norms = start.copy(), columns.compute_squared_norms()
        descent = ColumnDescent(columns, norms, b, w, l1, l2, Sweeps(positive, 1000, seed))
        assert descent.solve(1e-12 * (b @ b), 1000)
        _, expected, _ = find_minimum(
            X, y, 0.1, 0.6, fit_intercept=fit_intercept, sample_weight=s, positive=positive
        )
        assert_allclose(w, expected, atol=1e-5)
        assert_allclose(descent.c, columns.correlate(b - columns.predict(w)), atol=1e-9)
        assert descent.n_iter < 1000 and (descent.n_iter > 0) == (np.abs(w - start).max() > 0)
        assert descent.is_support_solved(1e-12 * (b @ b))


def test_no_sweeps_allowed():
    X, y = make_problem(30, 5)
    problem = build_problem(X, y[:, None], None, True, None)
    columns = pack(problem.design, np.arange(5))
    w = np.zeros(5)
    descent = ColumnDescent(
        columns, np.ones(5), problem.Y[:, 0], w, np.ones(5), np.zeros(5), Sweeps()
    )
    assert not descent.solve(1e-9, 0)
    assert descent.n_iter == 0 and not w.any()
