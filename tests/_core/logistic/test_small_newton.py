"""Steps of small logistic regressions in one kernel."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, softmax

from skextra._core import logistic
from skextra._core.logistic import l1_proximal_newton, l2_newton
from skextra._core.logistic.problem import build_problem
from skextra._core.logistic.small_newton import descend, join_columns
from skextra._core.logistic.solver_choice import Start
from tests._core.logistic.logistic_cases import PROBLEMS, create_problem, measure
from tests._core.logistic.logistic_reference import NoOptimumError, compute_objective, find_minimum

FUZZED = {name: PROBLEMS[name] for name in PROBLEMS if name not in ("container", "engine")}


def make_data(n_classes, shape=(60, 5), seed=0):
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=shape)
    codes = (Z[:, :1] * np.arange(n_classes) + rng.gumbel(size=(shape[0], n_classes))).argmax(1)
    codes[:n_classes] = np.arange(n_classes)
    return Z, codes, rng.uniform(0.2, 2.0, shape[0])


def run(Z, codes, weights, n_classes, l1, l2, reach=1e-9, max_steps=60):
    columns = join_columns(Z, np.ones((1, len(Z))))
    U = np.zeros((1 if n_classes == 2 else n_classes, columns.shape[1]))
    penalties = [np.append(np.full(Z.shape[1], value), 0.0) for value in (l1, l2)]
    n_steps, is_close = descend(columns, codes, weights, *penalties, U, reach, max_steps)
    return columns, U, n_steps, is_close


def descend_from_nothing(problem, reach):
    """Solutions before and after, as (coefs, intercepts), and whether they say it is close."""
    options = (problem.sample_weight, problem.fit_intercept, problem.penalty_weights)
    built = build_problem(problem.X, problem.codes, problem.n_classes, *options)
    W, V = built.create_start()
    Z = built.design.X - built.design.mean if problem.fit_intercept else built.design.X
    columns = join_columns(Z, built.nuisance)
    lam1, lam2 = problem.l1_ratio / problem.C, (1.0 - problem.l1_ratio) / problem.C
    l1, l2 = lam1 * built.l1_scale, lam2 * built.l2_scale
    l1, l2 = (np.append(values, np.zeros(len(V))) / built.weight_unit for values in (l1, l2))
    U = np.concatenate([W, V]).T.copy()
    before = built.expand(W, V)
    _, is_close = descend(columns, built.loss.codes, built.loss.weights, l1, l2, U, reach, 60)
    return before, built.expand(U.T[: len(W)], U.T[len(W) :]), is_close


def compute_slopes(columns, codes, weights, U, l2):
    scores = columns @ U.T
    P = expit(scores) if len(U) == 1 else softmax(scores, axis=1)
    targets = codes[:, None] == (1 if len(U) == 1 else np.arange(len(U)))
    slopes = ((targets - P) * weights[:, None]).T @ columns
    slopes[:, :-1] -= l2 * U[:, :-1]
    return slopes


@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize(("l1", "l2"), [(0.0, 0.5), (2.0, 0.0), (1.0, 0.5), (1e3, 0.0)])
def test_optimality_conditions_hold_at_the_end(n_classes, l1, l2):
    Z, codes, weights = make_data(n_classes)
    columns, U, n_steps, is_close = run(Z, codes, weights, n_classes, l1, l2)
    assert is_close
    assert 0 < n_steps < 60
    slopes = compute_slopes(columns, codes, weights, U, l2)
    assert_allclose(slopes[:, -1], 0, atol=1e-5)
    W, slopes = U[:, :-1], slopes[:, :-1]
    assert (np.abs(slopes) <= l1 + 1e-5).all()
    assert_allclose(slopes[W != 0], l1 * np.sign(W[W != 0]), atol=1e-5)
    assert l1 < 1e3 or not W.any()


@settings(max_examples=30, deadline=None, derandomize=True)
@given(**FUZZED, log_C=st.floats(-6, 8))
def test_close_is_at_the_minimum_and_the_objective_never_rises(**choices):
    problem = create_problem(**choices)
    try:
        minimum = find_minimum(problem)
    except (NoOptimumError, np.linalg.LinAlgError):
        assume(False)
    before, after, is_close = descend_from_nothing(problem, reach=1e-4)
    first, last = (compute_objective(problem, *solution) for solution in (before, after))
    path = SimpleNamespace(coefs=after[0][:, None], intercepts=after[1][:, None])
    excess, rounding = measure(problem, path, minimum)
    assert last <= first * (1 + 1e-12)
    assert excess >= -rounding
    # A Newton step of m leaves an error of about its square, and the objective that squared.
    assert excess <= 1e-9 + rounding or not is_close


@pytest.mark.parametrize("l1", [0.0, 1.0])
def test_steps_end_at_the_number_allowed(l1):
    Z, codes, weights = make_data(3)
    _, U, n_steps, is_close = run(Z, codes, weights, 3, l1, 0.5, max_steps=1)
    assert (n_steps, is_close) == (1, False)
    assert U.any()


def test_a_singular_hessian_is_left_to_others():
    Z, codes, weights = make_data(2)
    Z[:, 1] = Z[:, 0]
    _, U, n_steps, is_close = run(Z, codes, weights, 2, 0.0, 1e-13)
    assert (n_steps, is_close) == (0, False)
    assert not U.any()


def test_zero_columns_stay_out():
    Z, codes, weights = make_data(3)
    Z[:, 2] = 0.0
    _, U, _, is_close = run(Z, codes, weights, 3, 0.5, 0.0)
    assert is_close
    assert_array_equal(U[:, 2], 0.0)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_result_equals_the_solvers(monkeypatch, l1_ratio, n_classes):
    Z, codes, weights = make_data(n_classes, seed=3)
    options = {
        "l1_ratio": l1_ratio, "sample_weight": weights,
        "settings": logistic.path.Settings(tol=1e-10),
        "penalty_weights": np.array([1.0, 0.0, 2.0, np.inf, 1.0]),
    }  # fmt: skip
    Cs = [0.05, 1.0, 20.0]
    small = logistic.path.solve(Z, codes, n_classes, Cs, **options)
    for module, choice, value in (
        (l2_newton, "choose_start", Start.NONE),
        (l1_proximal_newton, "uses_small_kernel", False),
    ):
        monkeypatch.setattr(module, choice, lambda shape, value=value: value)
    alone = logistic.path.solve(Z, codes, n_classes, Cs, **options)
    assert small.converged.all() and alone.converged.all()
    assert_allclose(small.coefs, alone.coefs, atol=1e-4)
    assert_allclose(small.intercepts, alone.intercepts, atol=1e-4)
