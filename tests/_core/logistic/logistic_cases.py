"""Logistic problems of every kind, solved by the facade and measured against their optima."""

from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, reject, strategies as st
from scipy import sparse
from scipy.special import expit, softmax

from skextra._core import logistic
from skextra._core.logistic import l1_proximal_newton, l2_newton
from skextra._core.logistic.solver_choice import Start
from tests._core.logistic.logistic_reference import (
    NoOptimumError,
    compute_null_objective,
    compute_objective,
    find_free_objective,
    make_problem,
)

# Rounding of an objective: some hundred additions of relative error eps, in the size of the
# losses and of the products that make up the decision values.
ROUNDING = 2e-13

CONTAINERS = ["C", "F", "csr", "csc", "csr with long indices"]


# What large problems get, for small ones: sweeps without a Hessian, a working set of few
# coefficients, limited-memory BFGS.
ENGINES = ["as chosen", "sweeps", "working set", "working set with sweeps", "first order"]


def _choose_first_order(shape):
    return Start.NONE if shape.is_sparse or shape.n_free else Start.LBFGS


@contextmanager
def force(engine):
    """Send a small problem to the engine that a large one would get."""
    with pytest.MonkeyPatch.context() as patch:
        if "sweeps" in engine:
            patch.setattr(l1_proximal_newton, "prefers_hessian", lambda *arguments: False)
        if "working set" in engine:
            patch.setattr(l1_proximal_newton, "_SMALL", 0)
            patch.setattr(l1_proximal_newton, "_SMALLEST_SET", 2)
        if "first order" in engine:
            patch.setattr(l2_newton, "choose_start", _choose_first_order)
        yield


def contain(X, kind):
    if kind in ("C", "F"):
        return np.array(X, order=kind)
    made = (sparse.csc_array if kind == "csc" else sparse.csr_array)(X)
    if "long" in kind:
        made.indices, made.indptr = made.indices.astype(np.int64), made.indptr.astype(np.int64)
    return made


def run(
    problem, Cs=None, *, container="C", tol=1e-8, max_iter=1000, start=None, dtype=float,
    engine="as chosen",
):  # fmt: skip
    with force(engine):
        return logistic.path.solve(
            contain(problem.X, container).astype(dtype),
            problem.codes,
            problem.n_classes,
            np.atleast_1d(problem.C if Cs is None else Cs).astype(float),
            settings=logistic.path.Settings(tol=tol, max_iter=max_iter),
            start=start,
            **problem.options,
        )


def get_solution(path, k=0):
    return path.coefs[:, k], path.intercepts[:, k]


def predict(problem, path, k=0):
    coefs, intercepts = get_solution(path, k)
    scores = problem.X @ coefs.T + intercepts
    if problem.n_classes == 2:
        return np.column_stack([expit(-scores), expit(scores)])
    return softmax(scores, axis=1)


def measure(problem, path, minimum, k=0):
    """Objective above the minimum, in units of the null objective, and what may be rounding."""
    coefs, intercepts = get_solution(path, k)
    null = compute_null_objective(problem)
    excess = compute_objective(problem, coefs, intercepts) - minimum.value
    products = abs(problem.X) @ abs(coefs.T) + abs(intercepts)
    rounding = ROUNDING * (1 + problem.s @ products.max(axis=1) / float(null))
    return float(excess / null), rounding


def check(problem, path, minimum, tol, k=0):
    assert path.converged[k]
    excess, rounding = measure(problem, path, minimum, k)
    assert -rounding <= excess <= path.gaps[k] + rounding
    assert path.gaps[k] <= tol + rounding


QUIRKS = ["none", "constant", "duplicate", "zero", "scales", "separable", "rare class"]


def add_quirk(problem, quirk, rng):
    X, codes = problem.X.copy(), problem.codes.copy()
    if quirk == "constant":
        X[:, 0] = 1.5
    elif quirk == "duplicate":
        X[:, -1] = X[:, 0]
    elif quirk == "zero":
        X[:, 0] = 0.0
    elif quirk == "scales":
        X *= 10.0 ** rng.uniform(-4, 4, X.shape[1])
    elif quirk == "separable":
        X[:, 0] = 3.0 * codes + rng.uniform(-1, 1, len(codes))
    elif quirk == "rare class":
        codes[codes == problem.n_classes - 1] = 0
        codes[-1] = problem.n_classes - 1
    return replace(problem, X=X, codes=codes)


def create_weights(kind, codes, rng):
    if kind is None:
        return None
    weights = rng.uniform(0.1, 3.0, len(codes))
    if kind == "with zeros":
        weights[rng.permutation(len(codes))[: len(codes) // 3]] = 0.0
        weights[np.unique(codes, return_index=True)[1]] = 1.0  # no class may vanish
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


PROBLEMS = {
    "seed": st.integers(0, 10_000),
    "n": st.integers(8, 30),
    "p": st.integers(1, 8),
    "n_classes": st.sampled_from([2, 2, 3, 4]),
    "l1_ratio": st.sampled_from([0.0, 0.05, 0.5, 1.0]),
    "fit_intercept": st.booleans(),
    "weights": st.sampled_from([None, "plain", "with zeros"]),
    "penalty": st.sampled_from([None, "plain", "zero", "inf", "both"]),
    "quirk": st.sampled_from(QUIRKS),
    "container": st.sampled_from(CONTAINERS),
    "engine": st.sampled_from(ENGINES),
}


def create_problem(seed, n, p, n_classes, log_C, l1_ratio, fit_intercept, weights, penalty, quirk):
    rng = np.random.default_rng(seed)
    problem = make_problem(n, p, n_classes, seed, offset=rng.choice([0.0, 0.5, 5.0]))
    problem = add_quirk(problem, quirk, rng)
    problem = replace(
        problem,
        C=10.0**log_C,
        l1_ratio=l1_ratio,
        fit_intercept=fit_intercept,
        sample_weight=create_weights(weights, problem.codes, rng),
        penalty_weights=create_penalty_weights(penalty, p, rng),
    )
    # Where unpenalized features tell the classes apart there is no optimum.
    try:
        assume(find_free_objective(problem) > 1e-3 * problem.s.sum())
    except NoOptimumError:
        reject()
    return problem
