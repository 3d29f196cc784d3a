"""Starts from a sample of the rows: they change the time it takes, not the answer."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skextra._core import logistic
from skextra._core.logistic import subsample_start
from skextra._core.logistic.l1_proximal_newton import WorkingSetSolver
from tests._core.logistic.logistic_reference import make_problem


def solve(problem, Cs=(0.3,), **changes):
    return logistic.path.solve(
        problem.X, problem.codes, problem.n_classes, np.array(Cs),
        settings=logistic.path.Settings(tol=1e-8), **problem.options | changes,
    )  # fmt: skip


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
def test_l1_starts_from_a_sample_where_rows_are_many(monkeypatch, n_classes, l1_ratio):
    problem = make_problem(
        1500, 3, n_classes, l1_ratio=l1_ratio, sample_weight=np.linspace(0.5, 2.0, 1500)
    )
    plain = solve(problem)
    sizes = []

    def record(sample_problem, sample, *rest):
        sizes.append(len(sample))
        return subsample_start.solve_sample(sample_problem, sample, *rest)

    monkeypatch.setattr(subsample_start, "_FEW_ROWS", 100)
    monkeypatch.setattr("skextra._core.logistic.l1_proximal_newton.solve_sample", record)
    monkeypatch.setattr("skextra._core.logistic.l1_proximal_newton.is_small", lambda *shape: False)
    sampled = solve(problem)
    assert sizes == [250]
    assert sampled.converged.all()
    assert sampled.n_iters[0] < plain.n_iters[0]
    assert_allclose(sampled.coefs, plain.coefs, atol=1e-5)
    assert_allclose(sampled.intercepts, plain.intercepts, atol=1e-5)
    # Coefficients to start from are better than a sample's.
    solve(problem, start=plain.coefs[:, 0])
    assert sizes == [250]


def test_no_sample_where_coefficients_are_many(monkeypatch):
    monkeypatch.setattr(subsample_start, "_FEW_ROWS", 10)
    problem = make_problem(200, 30, 2, l1_ratio=1.0)
    built = logistic.path.build_problem(problem.X, problem.codes, 2, None, True, None)
    solver = WorkingSetSolver(built, logistic.path.Target(1.0), 1, *built.create_start())
    assert solver.sample is None
