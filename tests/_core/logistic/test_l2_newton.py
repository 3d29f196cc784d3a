"""L2-penalized and unpenalized logistic regression: optima, certificates, separation."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import logsumexp

from skextra._core import logistic
from skextra._core.logistic import preconditioners
from skextra._core.logistic.l2_newton import RidgeLogisticSolver
from skextra._core.logistic.l2_start import combine_solutions
from skextra._core.logistic.loss import LogLoss
from skextra._core.logistic.newton_system import make_feasible
from skextra._core.logistic.problem import build_problem
from skextra._core.logistic.result import StoppingCriterion
from skextra._core.logistic.solver_choice import Start


def make_data(n, p, n_classes, seed=0, noise=1.0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) + 0.5
    scores = X[:, :3] @ (2.0 * rng.normal(size=(min(p, 3), n_classes)))
    codes = (scores + noise * rng.gumbel(size=(n, n_classes))).argmax(axis=1)
    codes[: 2 * n_classes] = np.tile(np.arange(n_classes), 2)
    return X, codes


def compute_objective(X, codes, n_classes, C, coefs, intercepts, v=None):
    """Objective over C, and its gradient with respect to coefficients and intercepts."""
    X = X.toarray() if sparse.issparse(X) else X.astype(float)
    F = X @ coefs.T + intercepts
    F = np.column_stack([np.zeros(len(F)), F]) if n_classes == 2 else F
    logs = F - logsumexp(F, axis=1, keepdims=True)
    v = np.ones(X.shape[1]) if v is None else v
    value = -logs[np.arange(len(F)), codes].sum() + 0.5 * (v * coefs**2).sum() / C
    errors = (np.exp(logs) - np.eye(n_classes)[codes])[:, -len(coefs) :]
    return value, errors.T @ X + v * coefs / C, errors.sum(axis=0)


def find_minimum(X, codes, n_classes, C, v=None):
    k = 1 if n_classes == 2 else n_classes

    def function(z):
        Z = z.reshape(k, -1)
        value, gradient, shift = compute_objective(X, codes, n_classes, C, Z[:, :-1], Z[:, -1], v)
        return value, np.column_stack([gradient, shift]).ravel()

    start = np.zeros(k * (X.shape[1] + 1))
    options = {"maxiter": 20_000, "maxfun": 100_000, "ftol": 1e-16, "gtol": 1e-11, "maxcor": 50}
    return minimize(function, start, jac=True, method="L-BFGS-B", options=options).fun


def solve(X, codes, n_classes, C, tol=1e-8, max_iter=100, **options):
    settings = logistic.path.Settings(tol=tol, max_iter=max_iter)
    return logistic.path.solve(X, codes, n_classes, np.atleast_1d(C), settings=settings, **options)


def check(X, codes, n_classes, C, tol=1e-8, v=None):
    path = solve(X, codes, n_classes, C, tol, penalty_weights=v)
    value, gradient, shift = compute_objective(
        X, codes, n_classes, C, path.coefs[:, 0], path.intercepts[:, 0], v
    )
    counts = np.bincount(codes)
    null = -float(counts @ np.log(counts / counts.sum()))
    assert path.converged[0]
    assert path.gaps[0] <= tol
    excess = (value - find_minimum(X, codes, n_classes, C, v)) / null
    assert excess <= path.gaps[0] + 1e-9
    # A derivative g along which the curvature is at most L leaves g^2 / (2 L) to gain.
    v = np.ones(X.shape[1]) if v is None else v
    squares = np.asarray((abs(X) ** 2).sum(axis=0)).ravel()
    left = path.gaps[0] * null * (1 + 1e-6) + 1e-14 * null
    assert (gradient**2 <= 2 * (squares / 4 + v / C) * left).all()
    assert (shift**2 <= 2 * len(codes) / 4 * left).all()


CONTAINERS = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "csr": sparse.csr_array,
    "csc": sparse.csc_array,
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize(("n", "p"), [(400, 5), (60, 30), (30, 80)])
def test_optimum_at_every_shape(container, n_classes, n, p):
    X, codes = make_data(n, p, n_classes)
    for C in (0.01, 10.0):
        check(CONTAINERS[container](X), codes, n_classes, C)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_penalty_weights(n_classes):
    X, codes = make_data(100, 6, n_classes)
    check(X, codes, n_classes, 1.0, v=np.array([1.0, 0.1, 10.0, 1e-3, 2.0, 0.0]))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_classes_separable_without_a_penalty_have_no_solution(n_classes):
    X, codes = make_data(60, 4, n_classes)
    X[:, 0] = 3.0 * codes + np.random.default_rng(0).uniform(-1, 1, len(codes))
    path = solve(X, codes, n_classes, np.inf, tol=1e-4)
    assert not path.converged[0]
    assert path.gaps[0] <= 1e-4
    assert np.isfinite(path.coefs).all()


def test_one_class_separable_without_a_penalty_has_no_solution():
    # The other two overlap: the loss has an infimum above zero that no model attains.
    X, codes = make_data(90, 3, 3, noise=5.0)
    X[:, 0] += np.where(codes == 0, 50.0, 0.0)
    path = solve(X, codes, 3, np.inf, tol=1e-6)
    kept = codes > 0
    pair = solve(X[kept], codes[kept] - 1, 2, np.inf, tol=1e-10)
    assert pair.converged[0]
    assert not path.converged[0]
    assert path.gaps[0] <= 1e-6
    value = compute_objective(X, codes, 3, 1e300, path.coefs[:, 0], path.intercepts[:, 0])[0]
    infimum = compute_objective(
        X[kept], codes[kept] - 1, 2, 1e300, pair.coefs[:, 0], pair.intercepts[:, 0]
    )[0]
    assert 0 <= value - infimum <= 1e-6 * len(codes) * np.log(3)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_features_that_are_all_free_or_excluded(n_classes):
    X, codes = make_data(80, 3, n_classes, noise=5.0)
    free = solve(X, codes, n_classes, 1.0, penalty_weights=np.zeros(3))
    none = solve(X, codes, n_classes, np.inf)
    assert free.converged[0]
    assert none.converged[0]
    assert_allclose(free.coefs, none.coefs, atol=1e-5)
    excluded = solve(X, codes, n_classes, 1.0, penalty_weights=np.full(3, np.inf))
    assert excluded.converged[0]
    assert not excluded.coefs.any()


@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_columns_of_any_scale(scale):
    X, codes = make_data(100, 4, 3)
    X[:, 1] *= scale
    X[:, 2] = 1.0
    X[:, 3] = X[:, 0]
    for C in (1e-6, 1.0, 1e8):
        path = solve(X, codes, 3, C, tol=1e-6)
        assert path.converged[0]
        assert np.isfinite(path.coefs).all()
        assert_allclose(path.coefs[:, 0, 0], path.coefs[:, 0, 3], rtol=1e-4, atol=1e-8)


def test_a_start_worse_than_nothing_is_thrown_away():
    X, codes = make_data(50, 3, 2)
    worse = np.full((1, 3), 1e4)
    path = solve(X, codes, 2, 1.0, start=worse)
    assert path.converged[0]
    assert path.n_iters[0] < 20


def test_steps_follow_the_number_allowed():
    X, codes = make_data(50, 3, 3)
    problem = build_problem(X, codes, 3, None, True, None)
    solver = RidgeLogisticSolver(problem, StoppingCriterion(0.0, 0.0), 2, *problem.create_start())
    solution = solver.solve(0.0, 1.0)
    assert solution.n_iter == 2
    assert not solution.converged
    assert 0 < solution.gap < problem.null_objective


PRECONDITIONERS = {
    "whole": lambda *data: preconditioners.WholePreconditioner(*data, None),
    "sampled": lambda *data: preconditioners.WholePreconditioner(*data, np.arange(0, 200, 3)),
    "classes": lambda *data: preconditioners.ClassPreconditioner(*data, None),
    "diagonal": preconditioners.DiagonalPreconditioner,
}


def solve_by_newton(X, codes, n_classes, Cs, gap, precondition):
    """Path of the Newton method alone, with a preconditioner of choice."""
    problem = build_problem(X, codes, n_classes, None, True, None)
    target = StoppingCriterion(gap * problem.null_objective)
    solver = RidgeLogisticSolver(problem, target, 1000, *problem.create_start())
    solver.start, solver.small_columns = Start.NONE, None
    solver.preconditioner = precondition(problem, solver.rows)
    solutions = [solver.solve(0.0, 1.0 / C) for C in Cs]
    return problem, solutions


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("container", ["C", "csr"])
@pytest.mark.parametrize("preconditioner", PRECONDITIONERS)
@pytest.mark.parametrize(("n", "p"), [(200, 8), (300, 50)])
def test_every_preconditioner_leads_to_the_optimum(n, p, preconditioner, container, n_classes):
    X, codes = make_data(n, p, n_classes)
    problem, (solution,) = solve_by_newton(
        CONTAINERS[container](X), codes, n_classes, [1.0], 1e-8, PRECONDITIONERS[preconditioner]
    )
    assert solution.converged
    coef, intercept = problem.expand(solution.W, solution.V)
    value = compute_objective(X, codes, n_classes, 1.0, coef, intercept)[0]
    assert value - find_minimum(X, codes, n_classes, 1.0) <= solution.gap + 1e-9 * value


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("tol", [1e-4, 1e-8])
def test_gaps_hold_along_a_path_from_combined_solutions(n_classes, tol):
    X, codes = make_data(200, 8, n_classes, noise=0.3)
    Cs = np.logspace(-4, 6, 8)
    problem, solutions = solve_by_newton(X, codes, n_classes, Cs, tol, PRECONDITIONERS["classes"])
    null = problem.null_objective
    for solution, C in zip(solutions, Cs, strict=True):
        coef, intercept = problem.expand(solution.W, solution.V)
        value = compute_objective(X, codes, n_classes, C, coef, intercept)[0]
        best = solve(X, codes, n_classes, C, 1e-11)
        lowest = compute_objective(X, codes, n_classes, C, best.coefs[:, 0], best.intercepts[:, 0])[
            0
        ]
        assert -1e-10 <= (value - lowest) / null <= solution.gap / null + 1e-10
        assert solution.gap <= tol * null
    # Four or five from the last solution alone.
    assert np.mean([solution.n_iter for solution in solutions]) < (3 if tol == 1e-4 else 4)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_combination_of_solutions_is_the_best_one(n_classes):
    X, codes = make_data(80, 4, n_classes, noise=2.0)
    loss = LogLoss(codes, n_classes, np.random.default_rng(0).uniform(0.5, 2.0, 80))
    path = solve(X, codes, n_classes, [0.001, 0.02], fit_intercept=False)
    W = np.moveaxis(path.coefs, 1, 0)[::-1].copy()
    F = W @ X.T
    shares, best_F, value, P = combine_solutions(loss, F, W, 0.7, 1e-14)

    def function(a):
        return loss.compute_value(np.tensordot(a, F, 1)) + 0.35 * (np.tensordot(a, W, 1) ** 2).sum()

    first, last = function([1.0, 0.0]), minimize(function, [1.0, 0.0], tol=1e-12).fun
    assert last - 1e-9 <= function(shares) <= last + 0.1 * (first - last)
    assert_allclose(best_F, np.tensordot(shares, F, 1), atol=1e-12)
    assert_allclose(loss.evaluate(best_F)[1], P)
    assert loss.compute_value(best_F) == pytest.approx(value)
    # A copy of the first solution adds nothing.
    twice = combine_solutions(loss, F[[0, 0]], W[[0, 0]], 0.7, 1e-14)
    once = combine_solutions(loss, F[:1], W[:1], 0.7, 1e-14)
    assert_allclose(twice[1], once[1], atol=1e-6)


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("n_nuisance", [0, 1, 2])
def test_probabilities_are_made_feasible(n_classes, n_nuisance):
    rng = np.random.default_rng(0)
    X, codes = make_data(60, 3, n_classes, noise=3.0)
    loss = LogLoss(codes, n_classes, rng.uniform(0.5, 2.0, 60))
    nuisance = np.vstack([np.ones(60), X[:, 0]])[:n_nuisance]
    P = loss.evaluate(0.3 * rng.normal(size=loss.targets.shape))[1]
    outside = P + 0.2 * rng.normal(size=P.shape)
    outside = outside / outside.sum(axis=0) if n_classes > 2 else outside
    assert outside.min() < 0
    U, theta, slack = make_feasible(loss, nuisance, outside)
    assert U.min() >= 0
    assert U.max() <= 1
    if n_classes > 2:
        assert_allclose(U.sum(axis=0), 1)
    assert_allclose(theta, loss.weights * (loss.targets - U))
    assert_allclose(theta @ nuisance.T, 0, atol=1e-13 * loss.total_weight)
    assert_allclose(slack, theta @ nuisance.T, atol=1e-12)
