"""Logistic regression against optima proven to 40 digits."""

from dataclasses import replace

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logsumexp
from sklearn.datasets import load_breast_cancer, load_iris, make_classification

from benchmarks._log_loss_accuracy import (
    Model,
    compute_lower_bound,
    compute_objective as compute_value,
    polish,
)
from skextra._core import logistic
from tests._core.logistic.logistic_cases import (
    CONTAINERS,
    PROBLEMS,
    ROUNDING,
    add_quirk,
    check,
    create_penalty_weights,
    create_problem,
    get_solution,
    measure,
    predict,
    run,
)
from tests._core.logistic.logistic_reference import (
    Problem,
    compute_null_objective,
    compute_objective,
    compute_probabilities,
    find_free_objective,
    find_minimum,
    make_problem,
)

# The certificate ----------------------------------------------------------------------


@settings(max_examples=40, deadline=None, derandomize=True)
@given(**PROBLEMS, log_C=st.floats(-6, 8), tol=st.sampled_from([1e-2, 1e-4, 1e-8]))
def test_gap_bounds_the_distance_to_the_true_minimum(container, engine, tol, **choices):
    problem = create_problem(**choices)
    path = run(problem, container=container, engine=engine, tol=tol)
    coefs, intercepts = get_solution(path)
    assert np.isfinite(coefs).all()
    assert coefs.shape == (problem.n_rows, problem.X.shape[1])
    assert not coefs[:, np.isinf(problem.v)].any()
    if not problem.fit_intercept:
        assert not intercepts.any()
    elif problem.n_classes > 2:
        assert abs(intercepts.sum()) <= 1e-12 * (1 + abs(intercepts).max())
    check(problem, path, find_minimum(problem), tol)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(**PROBLEMS, log_C=st.floats(-2, 3), max_iter=st.integers(1, 3))
def test_gap_of_an_unfinished_solution_is_a_bound(container, engine, max_iter, **choices):
    problem = create_problem(**choices)
    path = run(problem, container=container, engine=engine, tol=0.0, max_iter=max_iter)
    excess, rounding = measure(problem, path, find_minimum(problem))
    assert -rounding <= excess <= path.gaps[0] + rounding


@settings(max_examples=15, deadline=None, derandomize=True)
@given(**PROBLEMS, log_C=st.floats(-2, 3))
def test_any_start_leads_to_the_optimum(container, engine, **choices):
    problem = create_problem(**choices)
    rng = np.random.default_rng(choices["seed"])
    start = rng.normal(size=(problem.n_rows, problem.X.shape[1])) * 10.0 ** rng.uniform(-2, 1)
    start[:, np.isinf(problem.v)] = 0.0
    path = run(problem, container=container, engine=engine, start=start)
    check(problem, path, find_minimum(problem), 1e-8)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_no_direction_leads_down_from_the_optimum(n_classes, l1_ratio):
    # Differences of the objective itself, in 40 digits: no formula of a gradient is trusted.
    problem = make_problem(40, 5, n_classes, seed=3, l1_ratio=l1_ratio, C=0.3)
    coefs, intercepts = get_solution(run(problem, tol=1e-13))
    size, n_intercepts = coefs.size, len(intercepts)
    random = np.random.default_rng(0).normal(size=(10, size + n_intercepts))
    directions = np.vstack([np.eye(size + n_intercepts), random])
    at_optimum = compute_objective(problem, coefs, intercepts)
    null = float(compute_null_objective(problem))
    for direction in np.vstack([directions, -directions]):
        for h in (1e-3, 1e-5):
            moved = compute_objective(
                problem,
                coefs + h * direction[:size].reshape(coefs.shape),
                intercepts + h * direction[size:],
            )
            assert float(moved - at_optimum) >= -1e-12 * null


# Each optimum beside the reference ----------------------------------------------------


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_path_and_probabilities(container, n_classes, l1_ratio):
    problem = make_problem(60, 7, n_classes, seed=5, l1_ratio=l1_ratio)
    problem.X[np.random.default_rng(1).random(problem.X.shape) < 0.4] = 0.0
    Cs = [0.01, 0.1, 1.0, 10.0]
    path = run(problem, Cs, container=container, tol=1e-12)
    assert path.coefs.shape == (problem.n_rows, 4, 7)
    assert path.intercepts.shape == (problem.n_rows, 4)
    assert path.gaps.shape == path.n_iters.shape == path.converged.shape == (4,)
    assert path.n_iters.dtype.kind == "i"
    for k, C in enumerate(Cs):
        at_C = replace(problem, C=C)
        minimum = find_minimum(at_C)
        check(at_C, path, minimum, 1e-12, k)
        expected = compute_probabilities(at_C, minimum.coefs, minimum.intercepts)
        # A relative gap of 1e-12 allows decision values to be off by about its root.
        assert_allclose(predict(at_C, path, k), expected, rtol=0, atol=1e-5)
        if l1_ratio < 1 or n_classes == 2:  # else shifts of a feature's row leave it as good
            assert_allclose(path.coefs[:, k], minimum.coefs, rtol=0, atol=1e-4)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_default_tolerance_gives_probabilities_right_to_that_tolerance(n_classes, l1_ratio):
    problem = make_problem(80, 6, n_classes, seed=6, l1_ratio=l1_ratio)
    minimum = find_minimum(problem)
    path = run(problem, tol=1e-4)
    check(problem, path, minimum, 1e-4)
    expected = compute_probabilities(problem, minimum.coefs, minimum.intercepts)
    assert_allclose(predict(problem, path), expected, rtol=0, atol=1e-3)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_where_diagonal_majorization_and_a_loop_over_classes_fail(seed, l1_ratio):
    # scikit-learn names this data set where its newton-cd solvers refuse more than two classes.
    X, y = make_classification(
        n_samples=20, n_features=20, n_informative=10, n_classes=3, random_state=seed
    )
    problem = Problem(X, y, 3, C=1.0, l1_ratio=l1_ratio)
    path = run(problem, tol=1e-10, max_iter=100)
    check(problem, path, find_minimum(problem), 1e-10)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_more_features_than_samples(n_classes, l1_ratio, fit_intercept):
    problem = make_problem(
        15, 40, n_classes, seed=8, l1_ratio=l1_ratio, fit_intercept=fit_intercept
    )
    for C in (0.05, 5.0):
        at_C = replace(problem, C=C)
        check(at_C, run(at_C, tol=1e-9), find_minimum(at_C), 1e-9)


@pytest.mark.parametrize("container", ["C", "csr"])
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
def test_path_of_a_wide_problem_against_a_bound_computed_apart(container, n_classes, l1_ratio):
    # Too big for 40 digits, big enough for working sets and for models without a Hessian.
    problem = make_problem(120, 1200, n_classes, seed=13, l1_ratio=l1_ratio, offset=0.0)
    if container == "csr":
        problem.X[np.random.default_rng(0).random(problem.X.shape) > 0.05] = 0.0
    smallest = logistic.path.compute_smallest_C(
        problem.X, problem.codes, n_classes, l1_ratio=l1_ratio, sample_weight=None,
        fit_intercept=True, penalty_weights=None,
    )  # fmt: skip
    Cs = smallest * np.array([2.0, 10.0, 100.0])
    rough = run(problem, Cs, container=container, tol=1e-4)
    exact = run(problem, Cs, container=container, tol=1e-12)
    assert rough.converged.all()
    assert exact.converged.all()
    null = float(compute_null_objective(problem))
    for k, C in enumerate(Cs):
        models = [
            Model(problem.X, problem.codes, *get_solution(path, k), l1_ratio / C,
                  (1 - l1_ratio) / C, True)
            for path in (rough, exact)
        ]  # fmt: skip
        # On a support that is not the only one, polishing may lose the residual its bound.
        bound = max(map(compute_lower_bound, (models[1], polish(models[1]))))
        excess = [(compute_value(model) - bound) / null for model in models]
        assert -ROUNDING <= excess[0] <= rough.gaps[k] + 1e-8
        # The bound computed apart is that of a residual, which lags behind.
        assert -ROUNDING <= excess[1] <= 1e-7


@pytest.mark.parametrize("load", [load_iris, load_breast_cancer])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("scaled", [True, False])
def test_gaps_on_real_data_hold_against_a_tighter_solve(load, l1_ratio, scaled):
    X, y = load(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0) if scaled else X
    problem = Problem(X, y, y.max() + 1, l1_ratio=l1_ratio, C=10.0)
    null = compute_null_objective(problem)
    values = {}

    def evaluate(coefs, intercepts):  # 40 digits would take seconds, and floats do
        penalty = l1_ratio * abs(coefs).sum() + (1 - l1_ratio) / 2 * (coefs**2).sum()
        scores = X @ coefs.T + intercepts
        scores = np.hstack([np.zeros_like(scores), scores]) if len(coefs) == 1 else scores
        losses = logsumexp(scores, axis=1) - scores[np.arange(len(y)), y]
        return float((losses.sum() + penalty / problem.C) / null)

    for tol in (1e-2, 1e-4, 1e-6, 1e-11):
        path = run(problem, tol=tol)
        assert path.converged[0]
        assert path.gaps[0] <= tol
        values[tol] = evaluate(*get_solution(path)), path.gaps[0]
    best = values[1e-11][0]
    for tol, (value, gap) in values.items():
        assert -1e-11 <= value - best <= gap + 1e-12, tol


# Limits -------------------------------------------------------------------------------


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_all_penalty_leaves_the_log_odds(l1_ratio):
    for n_classes in (2, 3):
        problem = make_problem(50, 4, n_classes, seed=2, l1_ratio=l1_ratio, C=1e-9)
        problem = replace(problem, sample_weight=np.linspace(0.5, 2, 50))
        coefs, intercepts = get_solution(run(problem, tol=1e-12))
        shares = np.bincount(problem.codes, problem.sample_weight)
        logs = np.log(shares)
        expected = logs[1:] - logs[0] if n_classes == 2 else logs - logs.mean()
        assert_allclose(intercepts, expected, atol=1e-5)
        if l1_ratio > 0:
            assert not coefs.any()
        assert_allclose(coefs, 0, atol=1e-6)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_no_penalty_is_the_limit_of_little(n_classes, l1_ratio, fit_intercept):
    problem = make_problem(
        80, 3, n_classes, seed=4, noise=3.0, l1_ratio=l1_ratio, C=np.inf,
        fit_intercept=fit_intercept,
    )  # fmt: skip
    minimum = find_minimum(problem)
    path = run(problem, [1.0, 1e8, np.inf], tol=1e-12)
    check(problem, path, minimum, 1e-12, 2)
    expected = compute_probabilities(problem, minimum.coefs, minimum.intercepts)
    for k in (1, 2):
        assert_allclose(predict(problem, path, k), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("penalty", [None, "both"])
def test_smallest_C_is_where_the_first_coefficient_enters(
    n_classes, l1_ratio, fit_intercept, penalty
):
    problem = make_problem(
        40, 6, n_classes, seed=9, noise=3.0, l1_ratio=l1_ratio, fit_intercept=fit_intercept
    )
    problem = replace(
        problem,
        penalty_weights=create_penalty_weights(penalty, 6, np.random.default_rng(9)),
        sample_weight=np.linspace(0.5, 2, 40),
    )
    C = logistic.path.compute_smallest_C(problem.X, problem.codes, n_classes, **problem.options)
    penalized = problem.v > 0
    path = run(problem, [C * (1 - 1e-7), C * (1 + 1e-3)], tol=1e-12)
    assert path.converged.all()
    assert not path.coefs[:, 0, penalized].any()
    assert np.count_nonzero(path.coefs[:, 1, penalized].any(axis=0)) == 1


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("C", [1e2, 1e5, 1e8])
def test_separable_classes_converge_to_a_finite_optimum(n_classes, l1_ratio, C):
    problem = add_quirk(
        make_problem(30, 4, n_classes, seed=1), "separable", np.random.default_rng(0)
    )
    problem = replace(problem, C=C, l1_ratio=l1_ratio)
    path = run(problem, tol=1e-8)
    check(problem, path, find_minimum(problem), 1e-8)
    assert (predict(problem, path).argmax(axis=1) == problem.codes).all()


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("container", ["C", "csr"])
def test_separable_classes_without_a_penalty_end_in_finite_numbers(n_classes, container):
    problem = add_quirk(
        make_problem(30, 4, n_classes, seed=1), "separable", np.random.default_rng(0)
    )
    problem = replace(problem, C=np.inf)
    path = run(problem, tol=1e-4, max_iter=100, container=container)
    coefs, intercepts = get_solution(path)
    assert np.isfinite(coefs).all()
    assert np.isfinite(intercepts).all()
    # The infimum is zero.
    excess = float(compute_objective(problem, coefs, intercepts) / compute_null_objective(problem))
    assert excess <= path.gaps[0] + ROUNDING
    assert excess < 1e-2


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("C", [1.0, 1e8])
def test_one_hot_columns_with_rare_levels(n_classes, l1_ratio, C):
    # Every group of columns adds up to the intercept, and rare levels have one class only.
    rng = np.random.default_rng(3)
    levels = rng.zipf(1.5, size=(40, 2)).clip(max=6) - 1
    X = np.hstack([np.eye(6)[levels[:, k]] for k in range(2)])
    codes = rng.integers(n_classes, size=40)
    problem = Problem(X, codes, n_classes, C=C, l1_ratio=l1_ratio)
    minimum = find_minimum(problem)
    for container in ("C", "csr"):
        check(problem, run(problem, tol=1e-8, container=container), minimum, 1e-8)


# Invariances --------------------------------------------------------------------------

PENALTIES = [0.0, 0.5, 1.0]


def assert_same_model(problem, path, expected, **tolerance):
    assert path.converged.all()
    tolerance = tolerance or {"atol": 1e-5}
    assert_allclose(predict(problem, path), predict(problem, expected), rtol=0, **tolerance)


@pytest.fixture(params=[2, 3], ids=["binary", "multinomial"])
def problem(request):
    return make_problem(50, 6, request.param, seed=11, C=0.5)


@pytest.mark.parametrize("l1_ratio", PENALTIES)
def test_weights_are_repetitions(problem, l1_ratio):
    problem = replace(problem, l1_ratio=l1_ratio)
    counts = np.random.default_rng(0).integers(0, 4, len(problem.codes))
    weighted = run(replace(problem, sample_weight=counts.astype(float)), tol=1e-12)
    repeated = replace(
        problem, X=np.repeat(problem.X, counts, axis=0), codes=np.repeat(problem.codes, counts)
    )
    assert_same_model(problem, run(repeated, tol=1e-12), weighted)


@pytest.mark.parametrize("l1_ratio", PENALTIES)
def test_scale_of_weights_is_a_factor_of_C(problem, l1_ratio):
    problem = replace(problem, l1_ratio=l1_ratio)
    weights = np.full(len(problem.codes), 7.0)
    weighted = run(replace(problem, sample_weight=weights), tol=1e-12)
    assert_same_model(problem, run(problem, 7 * problem.C, tol=1e-12), weighted)


@pytest.mark.parametrize("l1_ratio", PENALTIES)
def test_order_of_rows_features_and_labels_does_not_matter(problem, l1_ratio):
    problem = replace(problem, l1_ratio=l1_ratio)
    rng = np.random.default_rng(2)
    expected = run(problem, tol=1e-12)
    rows, columns = rng.permutation(len(problem.codes)), rng.permutation(problem.X.shape[1])
    shuffled = replace(problem, X=problem.X[rows], codes=problem.codes[rows])
    assert_same_model(problem, run(shuffled, tol=1e-12), expected)
    shuffled = replace(problem, X=problem.X[:, columns])
    path = run(shuffled, tol=1e-12)
    path.coefs[:, :, columns] = path.coefs.copy()
    assert_same_model(problem, path, expected)
    labels = rng.permutation(problem.n_classes) if problem.n_classes > 2 else np.array([1, 0])
    relabelled = replace(problem, codes=labels[problem.codes])
    found = predict(relabelled, run(relabelled, tol=1e-12))[:, labels]
    assert_allclose(found, predict(problem, expected), atol=1e-5)


@pytest.mark.parametrize("l1_ratio", PENALTIES)
@pytest.mark.parametrize("container", CONTAINERS)
def test_single_precision_is_close(problem, l1_ratio, container):
    problem = replace(problem, l1_ratio=l1_ratio, X=problem.X.astype(np.float32).astype(float))
    expected = run(problem, tol=1e-12)
    path = run(problem, tol=1e-6, container=container, dtype=np.float32)
    # A gap of 1e-6 leaves errors of about 1e-3: single precision must not show beside it.
    assert_same_model(problem, path, expected, atol=1e-3)
    excess, rounding = measure(problem, path, find_minimum(problem))
    assert excess <= path.gaps[0] + 1e-6


@pytest.mark.parametrize("l1_ratio", PENALTIES)
def test_moving_and_scaling_columns(problem, l1_ratio):
    # With an intercept a shift changes nothing; a scale is a penalty weight.
    problem = replace(problem, l1_ratio=l1_ratio)
    expected = run(problem, tol=1e-12)
    moved = replace(problem, X=problem.X + np.arange(6) * 10.0)
    assert_allclose(predict(moved, run(moved, tol=1e-12)), predict(problem, expected), atol=1e-5)
    if l1_ratio == 1:
        factors = 10.0 ** np.arange(-3, 3)
        scaled = replace(problem, X=problem.X * factors, penalty_weights=factors)
        found = predict(scaled, run(scaled, tol=1e-12))
        assert_allclose(found, predict(problem, expected), atol=1e-5)


@pytest.mark.parametrize("l1_ratio", PENALTIES)
def test_a_duplicate_column_shares_the_coefficient(problem, l1_ratio):
    problem = replace(problem, l1_ratio=l1_ratio)
    doubled = replace(problem, X=np.column_stack([problem.X, problem.X[:, 0]]))
    path = run(doubled, tol=1e-12)
    if l1_ratio == 0:  # |w/2|^2 + |w/2|^2 = |w|^2 / 2
        single = replace(problem, penalty_weights=np.array([0.5, 1, 1, 1, 1, 1]))
    elif l1_ratio == 1:
        single = problem
    else:
        check(doubled, path, find_minimum(doubled), 1e-12)
        return
    assert_allclose(predict(doubled, path), predict(single, run(single, tol=1e-12)), atol=1e-5)


@pytest.mark.parametrize("l1_ratio", PENALTIES)
def test_constant_columns_beside_an_intercept_do_nothing(problem, l1_ratio):
    problem = replace(problem, l1_ratio=l1_ratio)
    wider = replace(problem, X=np.column_stack([problem.X, np.full(50, 1e3), np.zeros(50)]))
    path = run(wider, tol=1e-12)
    assert_allclose(path.coefs[:, 0, -2:], 0, atol=1e-7)
    assert_allclose(predict(wider, path), predict(problem, run(problem, tol=1e-12)), atol=1e-5)


@pytest.mark.parametrize(("l1_ratio", "factor"), [(0.0, 1.5), (1.0, 1.0)])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_two_classes_that_nothing_tells_apart_make_a_binary_model(l1_ratio, factor, fit_intercept):
    # Positive rows stand twice with half the weight, as class 1 and as class 2. By symmetry
    # the two have the same scores f1; d = f1 - f0 is a binary model up to log 2. The penalties
    # least for given d are |d|^2 / 3 = (2/3) |d|^2 / 2 and |d|.
    binary = make_problem(40, 5, 2, seed=12, C=0.7, noise=2.0, fit_intercept=fit_intercept)
    if not fit_intercept:  # log 2 has to go somewhere: an unpenalized column of ones
        binary = replace(binary, X=np.column_stack([binary.X, np.ones(40)]),
                         penalty_weights=np.array([1.0] * 5 + [0.0]))  # fmt: skip
    binary = replace(binary, l1_ratio=l1_ratio)
    positive = binary.codes == 1
    triple = replace(
        binary,
        X=np.vstack([binary.X, binary.X[positive]]),
        codes=np.append(binary.codes, np.full(positive.sum(), 2)),
        n_classes=3,
        sample_weight=np.append(np.where(positive, 0.5, 1.0), np.full(positive.sum(), 0.5)),
    )
    expected = predict(binary, run(binary, factor * binary.C, tol=1e-12))
    path = run(triple, tol=1e-12)
    found = predict(replace(binary, n_classes=3), path)
    assert_allclose(found[:, 0], expected[:, 0], atol=1e-5)
    if l1_ratio == 0:
        assert_allclose(found[:, 1], found[:, 2], atol=1e-5)


# The reference ------------------------------------------------------------------------


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_reference_lies_at_the_bottom(n_classes, l1_ratio):
    problem = make_problem(30, 4, n_classes, seed=1, l1_ratio=l1_ratio)
    minimum = find_minimum(problem)
    rng = np.random.default_rng(0)
    for scale in (1e-2, 1e-5):
        for _ in range(10):
            coefs = minimum.coefs + scale * rng.normal(size=minimum.coefs.shape)
            intercepts = minimum.intercepts + scale * rng.normal(size=minimum.intercepts.shape)
            assert compute_objective(problem, coefs, intercepts) > minimum.value
    at_floats = compute_objective(problem, minimum.coefs, minimum.intercepts)
    assert abs(at_floats - minimum.value) < mpmath.mpf(10) ** -15


def test_reference_of_a_model_without_features_is_the_log_odds():
    problem = make_problem(20, 3, 2, seed=0)
    k = problem.codes.sum()
    expected = -k * np.log(k / 20) - (20 - k) * np.log(1 - k / 20)
    without = replace(problem, fit_intercept=False)
    for compute in (compute_null_objective, find_free_objective):
        assert_allclose(float(compute(problem)), expected, rtol=1e-14)
        assert_allclose(float(compute(without)), 20 * np.log(2), rtol=1e-14)


def test_arrays_are_unchanged():
    problem = make_problem(20, 3, 3, seed=0, sample_weight=np.linspace(0.5, 2, 20))
    start = np.ones((3, 3))
    before = [a.copy() for a in (problem.X, problem.codes, problem.sample_weight, start)]
    for array in (problem.X, problem.codes, problem.sample_weight, start):
        array.flags.writeable = False
    run(problem, start=start)
    for array, old in zip((problem.X, problem.codes, problem.sample_weight, start), before):
        assert_array_equal(array, old)
