"""Working sets: whatever the sizes of pools and batches, the path is the same."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from skextra._core.least_squares import elastic_net_working_set, solver_choice
from skextra._core.least_squares.elastic_net import Settings, solve
from skextra._core.least_squares.solver_choice import Solver
from tests._core.least_squares.elastic_net_reference import compute_objective, make_problem


def run(X, y, alphas, tol=1e-10, max_iter=20_000, **options):
    positive = options.pop("positive", False)
    return solve(
        X, y[:, None], np.atleast_1d(alphas), settings=Settings(tol, max_iter, positive), **options
    )


@pytest.fixture(scope="module")
def wide():
    X, y = make_problem(50, 500, seed=1, n_nonzero=10)
    return X, y, np.geomspace(1.5, 0.02, 25)


@pytest.fixture(scope="module")
def expected(wide):
    X, y, alphas = wide
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(solver_choice, "choose_solver", lambda shape: Solver.GRAM)
        return run(X, y, alphas, tol=1e-13)


@pytest.mark.parametrize("changes", [
    {}, {"_SMALLEST_POOL": 3}, {"_LARGEST_BATCH": 1}, {"_LARGEST_BATCH": 40},
    {"_POOL_THRESHOLD": 0.999}, {"_POOL_THRESHOLD": 0.1}, {"_POOL_SHARE": 0.1},
    {"_LOOSE_SHARE": 0.9}, {"_SWEEPS_PER_VISIT": 1},
    {"_SMALLEST_POOL": 3, "_POOL_THRESHOLD": 0.999},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("kind", [np.asarray, sparse.csc_array])
def test_sizes_change_nothing(changes, kind, wide, expected, monkeypatch):
    for name, value in changes.items():
        monkeypatch.setattr(elastic_net_working_set, name, value)
    X, y, alphas = wide
    path = run(kind(X), y, alphas)
    assert path.converged.all() and (path.gaps <= 1e-10).all()
    null = np.var(y) / 2
    for i, alpha in enumerate(alphas):
        reached, other = (
            compute_objective(X, y, p.coefs[0, i], p.intercepts[0, i], alpha)
            for p in (path, expected)
        )
        assert -2e-13 * null <= reached - other <= (path.gaps[0, i] + 2e-13) * null


@pytest.mark.parametrize("kind", [np.asarray, sparse.csc_array])
@pytest.mark.parametrize("on_gram", [True, False])
def test_newton_steps_whenever_possible(kind, on_gram, wide, expected, monkeypatch):
    monkeypatch.setattr(elastic_net_working_set, "_SWEEPS_PER_VISIT", 1)
    monkeypatch.setattr(solver_choice, "count_patient_sweeps", lambda *args: 0)
    monkeypatch.setattr(solver_choice, "sweeps_on_gram", lambda *args: on_gram)
    X, y, alphas = wide
    path = run(kind(X), y, alphas)
    assert path.converged.all()
    assert_allclose(path.coefs, expected.coefs, atol=1e-3)


@pytest.mark.parametrize("alpha", [0.02, 1e-3])
def test_a_small_penalty_without_a_path(alpha, wide):
    X, y, _ = wide
    path = run(X, y, [alpha], tol=1e-8, max_iter=100_000)
    assert path.converged.all() and path.gaps[0, 0] <= 1e-8


def test_a_pool_of_everything(wide):
    """No feature is left outside when all are wanted at once."""
    X, y, _ = wide
    path = run(X, y, [1e-2], l1_ratio=0.01)
    assert path.converged.all()
    assert np.count_nonzero(path.coefs) > 100


@pytest.mark.parametrize("tol", [1e-8, 1e-12])
def test_hard_active_problems_do_not_starve_the_rest(tol):
    """A budget of iterations is worth no more spent at a tighter tolerance."""
    X, y = make_problem(50, 400, seed=1)
    X = np.hstack([X, X[:, :50] + 1e-6 * np.random.default_rng(0).normal(size=(50, 50))])
    centered = X - X.mean(axis=0)
    alpha = 0.1 * np.abs(centered.T @ (y - y.mean())).max() / 50
    loose = run(X, y, [alpha], tol=1e-4, max_iter=5000)
    tight = run(X, y, [alpha], tol=tol, max_iter=5000)
    assert loose.gaps[0, 0] <= 1e-4
    assert tight.gaps[0, 0] <= 1e-4
