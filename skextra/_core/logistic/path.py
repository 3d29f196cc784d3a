"""Penalized logistic regression: from checked data to certified coefficients.

min over W, b of  C sum_i s_i loss_i(x_i W + b)
                  + sum_j v_j (l1_ratio |W_j|_1 + (1 - l1_ratio) |W_j|^2 / 2)
"""

from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial

import numpy as np

from skextra._core.logistic.gap import FullDataGap
from skextra._core.logistic.l1_proximal_newton import WorkingSetSolver, correlate_rows
from skextra._core.logistic.l2_newton import RidgeLogisticSolver
from skextra._core.logistic.problem import bound_penalties, build_problem
from skextra._core.logistic.result import StoppingCriterion
from skextra._core.logistic.solver_choice import limits_blas_threads
from skextra._core.numerics.full_data import multiply
from skextra._core.numerics.path import Path
from skextra._core.runtime.threads import single_threaded_blas

# Gaps below this multiple of the null objective cannot be told from rounding.
_ROUNDING = 64 * np.finfo(np.float64).eps
# Times that a solver goes on, more accurately, where its answer does not certify.
_MOST_REFINEMENTS = 3
# What it then aims at, relative to what is wanted: its own products may be that far off.
_REFINED = 0.1
# Change of decision values in the last of steps that cost next to nothing, relative to the
# root of the tolerance.
_SMALL_CHANGE = 0.1


@dataclass
class Settings:
    """How to solve, apart from the data and the penalties.

    Attributes
    ----------
    tol : float
        Duality gap to reach, relative to the objective of the null model.
    max_iter : int
        Iterations that a penalty may take; with none, what was given to start from or
        zeros come back.
    report : callable or None
        Called after every step with a function that gives the present coefficients
        (n_rows, n_features) and intercepts (n_rows,).
    """

    tol: float = 1e-4
    max_iter: int = 100
    report: object = None


def solve(
    X, codes, n_classes, Cs, *, l1_ratio=0.0, sample_weight=None, fit_intercept=True,
    penalty_weights=None, settings=None, start=None, start_intercept=None,
):  # fmt: skip
    """Solve for every C of an increasing sequence.

    Parameters
    ----------
    X : ndarray or CSR/CSC of shape (n_samples, n_features)
    codes : ndarray of int of shape (n_samples,)
        Classes, from 0 to ``n_classes - 1``.
    n_classes : int
    Cs : ndarray of shape (n_Cs,)
        Increasing; inf for no penalty.
    l1_ratio : float
    sample_weight : ndarray of shape (n_samples,) or None
    fit_intercept : bool
    penalty_weights : ndarray of shape (n_features,) or None
    settings : Settings or None
    start : ndarray of shape (n_rows, n_features) or None
        Coefficients to start from.
    start_intercept : ndarray of shape (n_rows,) or None
        Intercepts to go with them; None is the best ones.

    Returns
    -------
    path : Path
        Gaps relative to the null model, iterations and flags have one entry per C. The
        coefficients have the precision of X, and the gaps are theirs.
    """
    settings = Settings() if settings is None else settings
    Cs = np.asarray(Cs, dtype=np.float64)
    # Switching takes longer than a tiny problem does.
    shape = X.shape[0], X.shape[1], 1 if n_classes == 2 else n_classes
    with single_threaded_blas() if limits_blas_threads(*shape) else nullcontext():
        problem = build_problem(X, codes, n_classes, sample_weight, fit_intercept, penalty_weights)
        if settings.max_iter == 0:
            return _certify_start(problem, Cs, l1_ratio, start, start_intercept)
        W, V = _find_start(problem, start, start_intercept)
        return _solve(problem, Cs, l1_ratio, settings, W, V)


def _find_start(problem, start, start_intercept):
    W, V = problem.create_start(start, start_intercept)
    if start is not None and start_intercept is None and problem.fit_intercept:
        shift, _, _ = problem.loss.fit_intercept(problem.compute_decision(W, V))
        V[0] += shift
    return W, V


def _solve(problem, Cs, l1_ratio, settings, W, V):
    target = _create_target(problem, settings.tol)
    path = _allocate(problem, len(Cs))
    certificate = FullDataGap(problem)
    solver = None
    for i, C in enumerate(Cs):
        lam1, lam2 = _compute_penalties(problem, C, l1_ratio)
        # Nothing is sparse without an L1 penalty.
        kind = RidgeLogisticSolver if lam1 == 0 else WorkingSetSolver
        if not isinstance(solver, kind):
            solver = kind(problem, target, settings.max_iter, W, V)
            if settings.report is not None:
                solver.report = lambda W, V: settings.report(partial(problem.expand, W, V))
        coef, intercept, gap, solution = _solve_one(
            problem, certificate, solver, target, settings.max_iter, lam1, lam2
        )
        W, V = solution.W, solution.V
        path.coefs[:, i], path.intercepts[:, i] = coef, intercept
        path.gaps[i] = gap / max(problem.null_objective, np.finfo(np.float64).tiny)
        path.n_iters[i] = solution.n_iter
        path.converged[i] = gap <= target.gap and not solution.is_separable
        path.solver = solver.solver_used
    return path


def _compute_penalties(problem, C, l1_ratio):
    """L1 and L2 penalties in units of the loss; zeros for no penalty."""
    if np.isinf(C):
        return 0.0, 0.0
    shares = np.array([l1_ratio, 1.0 - l1_ratio])
    with np.errstate(over="ignore", under="ignore"):
        penalties = bound_penalties(shares / C / problem.weight_unit)
    return tuple(np.where(shares > 0, penalties, 0.0).tolist())


def _solve_one(problem, certificate, solver, target, max_iter, lam1, lam2):
    """Solution of one penalty, refined until the returned coefficients certify.

    Returns
    -------
    coef, intercept : ndarray
        In the precision of the data, as float64.
    gap : float
    solution : Solution
    """
    best, n_iter = None, 0
    solver.target = target
    for _ in range(1 + _MOST_REFINEMENTS):
        solver.max_iter = max_iter - n_iter
        solution = solver.solve(lam1, lam2)
        n_iter += solution.n_iter
        coef, intercept = _round(problem, *problem.expand(solution.W, solution.V))
        gap = certificate.compute(coef, intercept, solution.U, lam1, lam2)
        if best is None or gap < best[2]:
            best = coef, intercept, gap, solution
        if gap <= target.gap or solution.is_separable or n_iter >= max_iter:
            break
        solver.refine(_REFINED * min(solution.gap, target.gap))
    solver.target = target
    best[3].n_iter = n_iter
    return best


def _round(problem, coef, intercept):
    """Coefficients in the precision of the data, and the best intercepts for them."""
    if problem.X.dtype == np.float64:
        return coef, intercept
    rounded = coef.astype(problem.X.dtype).astype(np.float64)
    if problem.fit_intercept and np.isfinite(rounded).all():
        F = multiply(problem.X, rounded.T).T + intercept[:, None]
        intercept = intercept + problem.loss.fit_intercept(F)[0]
    return rounded, intercept.astype(problem.X.dtype).astype(np.float64)


def _create_target(problem, tol):
    """When to stop. A step that moves decision values by m leaves an error of about m^2."""
    max_change = _SMALL_CHANGE * np.sqrt(max(tol, 1e-12))
    return StoppingCriterion(max(tol, _ROUNDING) * problem.null_objective, max_change)


def _certify_start(problem, Cs, l1_ratio, start, start_intercept):
    """The start, or zeros, as a path: what no steps at all arrive at."""
    path = _allocate(problem, len(Cs))
    if start is not None:
        path.coefs[:] = start[:, None]
    if start_intercept is not None and problem.fit_intercept:
        path.intercepts[:] = start_intercept[:, None]
    certificate = FullDataGap(problem)
    for i, C in enumerate(Cs):
        solution = path.coefs[:, i], path.intercepts[:, i]
        penalties = _compute_penalties(problem, C, l1_ratio)
        path.gaps[i] = certificate.compute(*solution, None, *penalties)
    path.gaps /= max(problem.null_objective, np.finfo(np.float64).tiny)
    path.converged[:] = False
    return path


def _allocate(problem, n_Cs):
    return Path(
        np.zeros((problem.n_rows, n_Cs, problem.n_features)),
        np.zeros((problem.n_rows, n_Cs)),
        np.zeros(n_Cs),
        np.zeros(n_Cs, dtype=np.int64),
        np.ones(n_Cs, dtype=bool),
    )


def compute_smallest_C(
    X, codes, n_classes, *, l1_ratio=1.0, sample_weight=None, fit_intercept=True,
    penalty_weights=None,
):  # fmt: skip
    """Largest C at which every penalized coefficient is still zero.

    Returns
    -------
    C : float
        Infinite if the features say nothing about the classes.
    """
    problem = build_problem(X, codes, n_classes, sample_weight, fit_intercept, penalty_weights)
    W, V = problem.create_start()
    solver = WorkingSetSolver(problem, StoppingCriterion(0.0), 0, W, V)
    P = solver.fit_nuisance()
    correlations = correlate_rows(problem.design, problem.loss.compute_residual(P))
    largest = (np.abs(correlations) / problem.l1_scale[:, None]).max(initial=0.0)
    return np.inf if largest == 0 else l1_ratio / float(largest) / problem.weight_unit
