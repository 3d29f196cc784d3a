"""The elastic-net driver against exhaustive enumeration of supports and signs."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from skextra._core.least_squares import (
    elastic_net,
    elastic_net_support,
    elastic_net_target,
    elastic_net_working_set,
    solver_choice,
)
from skextra._core.least_squares.solver_choice import Solver
from tests._core.least_squares.elastic_net_reference import (
    compute_null_objective,
    compute_objective,
    find_minimum,
    make_problem,
)

# Rounding of an objective relative to the null objective: a few hundred additions of
# relative error eps each, in the code under test and in the reference.
ROUNDING = 1e-13

ENGINES = ["gram", "columns", "working set", "support", "sparse gram", "sparse columns",
           "sparse working set", "sparse support"]  # fmt: skip


def force(monkeypatch, engine):
    """Send a small problem to the engine that a large one would get."""
    solver = Solver.WORKING_SET
    if "gram" in engine or "columns" in engine:
        solver = Solver.GRAM if "gram" in engine else Solver.COLUMNS
    monkeypatch.setattr(
        solver_choice, "choose_solver", lambda shape: Solver.GRAM if shape.has_gram else solver
    )
    if "support" in engine:
        monkeypatch.setattr(elastic_net_working_set, "_SWEEPS_PER_VISIT", 1)
        monkeypatch.setattr(solver_choice, "count_patient_sweeps", lambda *args: 0)


def run(X, y, alphas, engine="gram", **options):
    as_given = sparse.csc_array(X) if "sparse" in engine else X
    tol, positive = options.pop("tol", 1e-8), options.pop("positive", False)
    max_iter, seed = options.pop("max_iter", 20_000), options.pop("seed", None)
    return elastic_net.solve(
        as_given, y.reshape(len(y), -1), np.atleast_1d(alphas),
        settings=elastic_net.Settings(tol, max_iter, positive, seed), **options,
    )  # fmt: skip


def create_weights(kind, n, rng):
    if kind is None:
        return None
    weights = rng.uniform(0.1, 3.0, n)
    if kind == "with zeros":
        weights[rng.permutation(n)[: n // 3]] = 0.0
    return weights


def create_penalty_weights(kind, p, rng):
    if kind is None:
        return None
    v = rng.uniform(0.3, 3.0, p)
    if kind in ("zero", "both"):
        v[rng.integers(p)] = 0.0
    if kind in ("inf", "both"):
        v[rng.integers(p)] = np.inf
    return v


@settings(max_examples=120, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(4, 25),
    p=st.integers(1, 5),
    l1_ratio=st.sampled_from([0.0, 0.05, 0.5, 1.0]),
    log_alpha=st.floats(-4, 1),
    positive=st.booleans(),
    fit_intercept=st.booleans(),
    weights=st.sampled_from([None, "plain", "with zeros"]),
    penalty=st.sampled_from([None, "plain", "zero", "inf", "both"]),
    tol=st.sampled_from([1e-2, 1e-4, 1e-8, 1e-12]),
    engine=st.sampled_from(ENGINES),
)
def test_gap_bounds_the_distance_to_the_true_minimum(
    seed, n, p, l1_ratio, log_alpha, positive, fit_intercept, weights, penalty, tol, engine
):
    rng = np.random.default_rng(seed)
    X, y = make_problem(n, p, seed, offset=rng.choice([0.0, 1.0, 10.0]))
    s = create_weights(weights, n, rng)
    v = create_penalty_weights(penalty, p, rng)
    options = {"sample_weight": s, "fit_intercept": fit_intercept, "penalty_weights": v}
    alpha = 10.0**log_alpha
    with pytest.MonkeyPatch.context() as patch:
        force(patch, engine)
        path = run(X, y, alpha, engine, l1_ratio=l1_ratio, positive=positive, tol=tol, **options)
    assert path.converged.all()
    coef, gap = path.coefs[0, 0], path.gaps[0, 0]
    assert gap >= 0
    if positive:
        assert (coef >= 0).all()
    null = compute_null_objective(X, y, positive=positive, **options)
    reached = compute_objective(X, y, coef, path.intercepts[0, 0], alpha, l1_ratio, s, v)
    minimum, _, _ = find_minimum(X, y, alpha, l1_ratio, positive=positive, **options)
    # Rounding grows with the size of y, which the null model may explain well.
    rounding = ROUNDING * (null + np.mean(y**2))
    assert reached - minimum >= -rounding
    assert reached - minimum <= gap * null + rounding
    assert gap * null <= tol * null + rounding


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10_000),
    max_iter=st.integers(1, 3),
    l1_ratio=st.sampled_from([0.05, 0.5, 1.0]),
    positive=st.booleans(),
    penalty=st.sampled_from([None, "plain", "both"]),
    engine=st.sampled_from(ENGINES),
)
def test_gap_of_an_unfinished_solution_is_a_bound(
    seed, max_iter, l1_ratio, positive, penalty, engine
):
    rng = np.random.default_rng(seed)
    X, y = make_problem(20, 5, seed)
    v = create_penalty_weights(penalty, 5, rng)
    with pytest.MonkeyPatch.context() as patch:
        force(patch, engine)
        path = run(
            X, y, 1e-3, engine, l1_ratio=l1_ratio, positive=positive, tol=0.0,
            max_iter=max_iter, penalty_weights=v,
        )  # fmt: skip
    null = compute_null_objective(X, y, penalty_weights=v, positive=positive)
    reached = compute_objective(
        X, y, path.coefs[0, 0], path.intercepts[0, 0], 1e-3, l1_ratio, None, v
    )
    minimum, _, _ = find_minimum(X, y, 1e-3, l1_ratio, penalty_weights=v, positive=positive)
    rounding = ROUNDING * (null + np.mean(y**2))
    assert -rounding <= reached - minimum <= path.gaps[0, 0] * null + rounding


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("penalty", [None, "both"])
@pytest.mark.parametrize("positive", [True, False])
def test_engines_agree_on_a_path(engine, fit_intercept, weighted, penalty, positive, monkeypatch):
    rng = np.random.default_rng(3)
    X, y = make_problem(60, 15, seed=3)
    X[rng.random(X.shape) < 0.5] = 0.0
    options = {
        "l1_ratio": 0.8,
        "fit_intercept": fit_intercept,
        "sample_weight": create_weights("with zeros", 60, rng) if weighted else None,
        "penalty_weights": create_penalty_weights(penalty, 15, rng),
        "positive": positive,
        "tol": 1e-13,
    }
    alphas = np.geomspace(1.0, 1e-3, 12)
    expected = run(X, y, alphas, "gram", **options)
    force(monkeypatch, engine)
    path = run(X, y, alphas, engine, **options)
    assert path.converged.all()
    # A relative gap of 1e-13 allows ||X dw|| <= 5e-7 ||y||; X is well conditioned.
    assert_allclose(path.coefs, expected.coefs, rtol=0, atol=1e-5)
    assert_allclose(path.intercepts, expected.intercepts, rtol=0, atol=1e-5)


def test_engines_are_the_ones_they_are_called(monkeypatch):
    X, y = make_problem(30, 8)
    seen = []
    for module, name, label in [
        (elastic_net_target, "solve_path", "gram"),
        (elastic_net_working_set, "ColumnDescent", "columns"),
        (elastic_net_working_set, "pack_all", "all columns"),
        (elastic_net_support, "solve_problem", "support"),
    ]:
        original = getattr(module, name)
        monkeypatch.setattr(
            module, name,
            lambda *args, _f=original, _l=label, **kw: (seen.append(_l), _f(*args, **kw))[1],
        )  # fmt: skip
    for engine, expected in [
        ("gram", {"gram"}), ("columns", {"columns", "all columns"}),
        ("working set", {"columns"}), ("support", {"columns", "support"}),
        ("sparse columns", {"columns", "all columns"}), ("sparse working set", {"columns"}),
    ]:  # fmt: skip
        seen.clear()
        with pytest.MonkeyPatch.context() as patch:
            force(patch, engine)
            run(X, y, [0.1, 0.01], engine, tol=1e-8 if engine == "support" else 1e-3)
        assert set(seen) == expected


@pytest.mark.parametrize("engine", ENGINES)
def test_alpha_max_is_where_the_first_coefficient_enters(engine, monkeypatch):
    force(monkeypatch, engine)
    for seed, l1_ratio in [(0, 1.0), (1, 0.5), (2, 0.05)]:
        X, y = make_problem(30, 10, seed)
        problem, scale = elastic_net.build(X, y[:, None], None, True, None)
        alpha_max = elastic_net.compute_alpha_max(problem, scale, l1_ratio, False)
        centered = X - X.mean(axis=0)
        assert_allclose(
            alpha_max, np.abs(centered.T @ (y - y.mean())).max() / (30 * l1_ratio), rtol=1e-12
        )
        alphas = [alpha_max, alpha_max * (1 - 1e-4)]
        path = run(X, y, alphas, engine, l1_ratio=l1_ratio, tol=1e-12)
        assert not path.coefs[0, 0].any()
        assert np.count_nonzero(path.coefs[0, 1]) == 1


def test_positive_alpha_max_looks_at_positive_correlations_only():
    X, y = make_problem(40, 6, seed=5)
    y = y - X[:, 0] * 20
    problem, scale = elastic_net.build(X, y[:, None], None, True, None)
    both = elastic_net.compute_alpha_max(problem, scale, 1.0, False)
    alpha_max = elastic_net.compute_alpha_max(problem, scale, 1.0, True)
    c = (X - X.mean(axis=0)).T @ (y - y.mean()) / 40
    assert_allclose(both, np.abs(c).max())
    assert_allclose(alpha_max, c.clip(min=0).max(), atol=1e-13)
    path = run(X, -y, [both], positive=True, tol=1e-12)
    assert path.converged.all()


def test_every_target_is_a_problem_of_its_own():
    X, Y = make_problem(40, 12, seed=1, k=3)
    alphas = [0.5, 0.1, 0.0]
    together = run(X, Y, alphas, l1_ratio=0.7)
    for t in range(3):
        alone = run(X, Y[:, t], alphas, l1_ratio=0.7)
        assert_allclose(together.coefs[t], alone.coefs[0], rtol=1e-7, atol=1e-9)
        assert_array_equal(together.n_iters[t], alone.n_iters[0])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("positive", [True, False])
def test_any_start_leads_to_the_same_optimum(engine, positive, monkeypatch):
    force(monkeypatch, engine)
    X, y = make_problem(40, 6, seed=7)
    cold = run(X, y, [0.1], engine, tol=1e-13, positive=positive)
    for start in [np.ones((1, 6)), -5 * np.ones((1, 6)), cold.coefs[:, 0]]:
        warm = run(X, y, [0.1], engine, tol=1e-13, positive=positive, start=start)
        assert warm.converged.all()
        assert_allclose(warm.coefs, cold.coefs, rtol=0, atol=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_start_with_the_wrong_signs_is_no_positive_solution(engine, monkeypatch):
    # The unconstrained solution has no duality gap as a point of the constrained
    # problem unless its infeasibility counts.
    force(monkeypatch, engine)
    X, y = make_problem(40, 6, seed=0)
    free = run(X, y, [0.1], engine, tol=1e-14)
    assert (free.coefs < 0).any()
    path = run(X, y, [0.1], engine, tol=1e-8, positive=True, start=free.coefs[:, 0])
    assert (path.coefs >= 0).all()
    _, coef, _ = find_minimum(X, y, 0.1, positive=True)
    assert_allclose(path.coefs[0, 0], coef, atol=1e-3)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("constant", [0.0, 1.0, 0.1])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_a_start_on_a_constant_feature_is_forgotten(engine, constant, l1_ratio, monkeypatch):
    force(monkeypatch, engine)
    X, y = make_problem(40, 5, seed=2)
    X[:, 3] = constant
    path = run(X, y, [0.1], engine, l1_ratio=l1_ratio, start=np.ones((1, 5)))
    assert path.converged.all()
    assert path.coefs[0, 0, 3] == 0.0


@pytest.mark.parametrize("engine", ENGINES)
def test_duplicate_columns(engine, monkeypatch):
    force(monkeypatch, engine)
    half, y = make_problem(30, 4, seed=4)
    X = np.hstack([half, half])
    for l1_ratio in (1.0, 0.5):
        path = run(X, y, [0.3, 0.01], engine, l1_ratio=l1_ratio, tol=1e-12)
        assert path.converged.all()
        single = run(half, y, [0.3, 0.01], l1_ratio=l1_ratio, tol=1e-12)
        if l1_ratio == 1.0:
            merged = path.coefs[..., :4] + path.coefs[..., 4:]
            assert_allclose(merged, single.coefs, atol=1e-5)
        else:
            assert_allclose(path.coefs[..., :4], path.coefs[..., 4:], atol=1e-4)


@pytest.mark.parametrize("rank", [3, 8, 20])
@pytest.mark.parametrize("shape", [(20, 60), (60, 20)])
@pytest.mark.parametrize("engine", ENGINES)
def test_designs_of_given_singular_values(rank, shape, engine, monkeypatch):
    """Rank-deficient designs: the gap is reached, and the fitted values are unique."""
    force(monkeypatch, engine)
    rng = np.random.default_rng(rank)
    U = np.linalg.qr(rng.normal(size=(shape[0], rank)))[0]
    V = np.linalg.qr(rng.normal(size=(shape[1], rank)))[0]
    X = (U * np.geomspace(1, 1e-2, rank)) @ V.T * 10
    y = rng.normal(size=shape[0])
    path = run(X, y, [0.05, 0.005], engine, fit_intercept=False, tol=1e-11)
    monkeypatch.undo()
    expected = run(X, y, [0.05, 0.005], fit_intercept=False, tol=1e-13)
    assert path.converged.all() and expected.converged.all()
    # ||X dw||^2 / 2 is at most the sum of both gaps, in units of ||y||^2 / 2.
    bound = np.sqrt(1.1e-11 * (y @ y)) * 2
    for got, wanted in zip(path.coefs[0], expected.coefs[0]):
        assert np.linalg.norm(X @ (got - wanted)) <= bound


def test_nothing_to_solve():
    X, y = make_problem(20, 3)
    path = run(X, y, [1.0, 0.1], penalty_weights=np.full(3, np.inf))
    assert not path.coefs.any() and not path.gaps.any() and path.converged.all()
    assert_allclose(path.intercepts, y.mean())


def test_scale_of_the_sample_weights_is_immaterial():
    X, y = make_problem(30, 5)
    s = np.random.default_rng(0).uniform(0.5, 2, 30)
    expected = run(X, y, [0.1], sample_weight=s)
    for factor in [1e-300, 1e-200, 1e-20, 1e20, 1e200, 1e300]:
        path = run(X, y, [0.1], sample_weight=s * factor)
        assert_allclose(path.coefs, expected.coefs, rtol=1e-9)
        assert_allclose(path.gaps, expected.gaps, atol=1e-12)


def test_overflow_is_an_error_that_names_the_argument():
    X, y = make_problem(20, 4)
    with pytest.raises(ValueError, match="^y"):
        run(X, y * 1e200, [0.1])
    with pytest.raises(ValueError, match="^X"):
        run(X * 1e200, y, [0.1])
