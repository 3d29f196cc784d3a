"""The judge of the logistic benchmarks against optima in 40 digits, and its cases."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from benchmarks import _classification, _harness, logistic
from benchmarks._log_loss_accuracy import (
    Model,
    compute_lower_bound,
    compute_null_objective,
    compute_objective,
    polish,
)
from tests._core.logistic import logistic_reference as reference


def create_model(problem, coefs, intercepts, container=np.asarray):
    share, C = problem.l1_ratio, problem.C
    return Model(
        container(problem.X), problem.codes, coefs, intercepts, share / C, (1 - share) / C,
        problem.fit_intercept,
    )  # fmt: skip


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_bound_is_below_the_minimum_and_meets_it_there(
    n_classes, l1_ratio, fit_intercept, container
):
    problem = reference.make_problem(
        30, 5, n_classes, seed=2, l1_ratio=l1_ratio, fit_intercept=fit_intercept
    )
    minimum = reference.find_minimum(problem)
    best = float(minimum.value)
    model = create_model(problem, minimum.coefs, minimum.intercepts, container)
    assert_allclose(compute_objective(model), best, rtol=1e-13)
    assert_allclose(compute_lower_bound(model), best, rtol=1e-11)
    rng = np.random.default_rng(0)
    gaps = []
    for scale in (1e-6, 1e-3, 1e-1, 1.0, 10.0):
        moved = replace(
            model,
            coefs=model.coefs + scale * rng.normal(size=model.coefs.shape),
            intercepts=model.intercepts + fit_intercept * scale * rng.normal(size=len(model.coefs)),
        )
        bound = compute_lower_bound(moved)
        assert bound <= best * (1 + 1e-13)
        assert compute_objective(moved) >= best
        gaps.append(best - bound)
    # The bound is of use only if it rises as the coefficients get better.
    assert gaps[0] < 1e-3 * gaps[3]


def test_objective_at_zero_is_that_of_the_reference():
    for fit_intercept in (True, False):
        problem = reference.make_problem(30, 2, 3, seed=1, fit_intercept=fit_intercept)
        expected = float(reference.compute_null_objective(problem))
        assert_allclose(compute_null_objective(problem.codes, 3, fit_intercept), expected)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_polish_reaches_the_minimum_from_the_right_support(n_classes, l1_ratio, container):
    problem = reference.make_problem(60, 8, n_classes, seed=4, l1_ratio=l1_ratio, C=0.2)
    minimum = reference.find_minimum(problem)
    rough = minimum.coefs * 1.001
    model = create_model(problem, rough, minimum.intercepts + 0.001, container)
    best = float(minimum.value)
    before, after = best - compute_lower_bound(model), best - compute_lower_bound(polish(model))
    assert before > 1e-4 * best if l1_ratio == 1 else before > 1e-9 * best
    assert abs(after) < 1e-11 * best


@pytest.mark.parametrize("case", logistic.CASES, ids=lambda case: case.name)
def test_solvers_reach_a_miniature_of_every_case(case):
    problem = case.make(True)
    if problem is None:
        pytest.skip("the data set is not on this machine")
    problem = logistic.prepare(problem.miniature(), case)
    exact = [name for name in case.runs if name in ("skextra", "newton-cholesky", "liblinear")]
    for name in exact:
        result = case.runs[name](problem, 1e-10)
        # liblinear's own tolerance has a floor.
        target = 1e-5 if name == "liblinear" else 1e-7
        assert 0 <= case.measure(case, problem, result, refine=True) < target, name


@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_problem_survives_the_way_to_a_worker(tmp_path, kind):
    problem = _classification.make_classification(20, 5, 2, 3).with_penalty(0.5, 10)
    if kind == "sparse":
        problem = replace(problem, X=sparse.csr_matrix(problem.X))
    problem = replace(problem, bounds={"plain": np.ones(1)}, fit_intercept=False)
    problem.save(tmp_path)
    loaded = _classification.Problem.load(tmp_path)
    assert abs(loaded.X - problem.X).max() == 0
    assert_array_equal(loaded.y, problem.y)
    assert_array_equal(loaded.Cs, problem.Cs)
    assert_array_equal(loaded.bounds["plain"], [1.0])
    assert (loaded.l1_ratio, loaded.fit_intercept) == (0.5, False)


def test_a_solver_that_penalizes_the_intercept_is_judged_on_its_own_problem():
    problem = _classification.make_classification(100, 5, 3).with_penalty(1.0, 20)
    problem = replace(problem, X=problem.X + 1.0)
    case = next(case for case in logistic.CASES if case.name == "l1-tall")
    problem = logistic.prepare(problem, case)
    result = case.runs["liblinear"](problem, 1e-8)
    assert 0 <= case.measure(case, problem, result, refine=True) < 1e-7
    plain = LogisticRegression(C=1.0).fit(problem.X, problem.y)
    plain.coef_, plain.intercept_ = result.coef_, result.intercept_
    assert case.measure(case, problem, plain, refine=True) > 1e-5


def test_smallest_C_is_where_liblinear_finds_its_first_coefficient():
    problem = _classification.make_classification(100, 5, 3)
    problem = replace(problem, fit_intercept=False)
    for factor, n_expected in [(0.99, 0), (1.01, 1)]:
        model = LogisticRegression(
            C=factor * problem.smallest_C, l1_ratio=1, solver="liblinear", fit_intercept=False,
            tol=1e-10,
        )  # fmt: skip
        assert np.count_nonzero(model.fit(problem.X, problem.y).coef_) == n_expected


def test_every_contestant_has_a_package_and_every_case_a_name_of_its_own():
    assert len({case.name for case in logistic.CASES}) == len(logistic.CASES)
    for case in logistic.CASES:
        assert set(case.runs) <= set(_harness.PACKAGES)
        assert next(iter(case.runs)) == "skextra"
