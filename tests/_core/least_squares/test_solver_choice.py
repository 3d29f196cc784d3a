"""Which algorithm solves which shape of lasso."""

import numpy as np
import pytest

from skextra._core.least_squares.solver_choice import (
    Shape,
    Solver,
    choose_solver,
    count_patient_sweeps,
    sweeps_on_gram,
)
from skextra.linear_model import ElasticNet, Lasso, LassoCV


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (Shape(442, 10), Solver.GRAM),
        (Shape(10**6, 100), Solver.GRAM),
        (Shape(1_000, 300), Solver.COLUMNS),
        (Shape(3_000, 1_000), Solver.COLUMNS),
        (Shape(1_000, 3_000, 5), Solver.COLUMNS),
        (Shape(1_000, 10_000), Solver.WORKING_SET),
        (Shape(1_000, 300, 100), Solver.GRAM),
        (Shape(3_000, 1_000, 100), Solver.GRAM),
        (Shape(1_000, 3_000, 100), Solver.WORKING_SET),
        (Shape(10_000, 4_000, 100), Solver.WORKING_SET),
        (Shape(1_000, 10_000, 1, True), Solver.GRAM),
    ],
)
def test_solver(shape, expected):
    assert choose_solver(shape) is expected


def test_patience_is_the_price_of_newton_steps():
    few, many = (count_patient_sweeps(1_000, k, k, 1.0, False, False) for k in (10, 900))
    assert 0 < few < 12 < many < 500
    # What is in the Gram matrix already need not be paid for.
    assert count_patient_sweeps(1_000, 900, 0, 1.0, False, False) < many
    # Sweeps over sparse columns cost next to nothing beside a factor.
    assert count_patient_sweeps(2_000, 900, 900, 0.01, True, False) > many
    for k in (0, 1_000, 2_000):
        assert count_patient_sweeps(1_000, k, k, 1.0, False, False) == np.inf
    # With an L2 penalty a support of any size determines its coefficients.
    assert many < count_patient_sweeps(1_000, 1_000, 1_000, 1.0, False, True) < np.inf


def test_sweeps_read_whichever_is_smaller():
    assert sweeps_on_gram(100, 100 * 1_000)
    assert not sweeps_on_gram(100, 100 * 20)


def test_a_fitted_model_says_what_it_was_solved_on():
    rng = np.random.default_rng(0)
    y = rng.standard_normal(30)
    for p, expected in [(5, "gram"), (200, "columns"), (4_001, "working-set")]:
        X = rng.standard_normal((30, p))
        assert Lasso(alpha=0.3).fit(X, y).solver_ == expected
    assert LassoCV(cv=2, alphas=5).fit(X[:, :5], y).solver_ == "gram"
    assert ElasticNet(l1_ratio=0).fit(X[:, :5], y).solver_ == "cholesky"
