"""Penalised logistic regression: from checked data to certified coefficients.

min over W, b of  C sum_i s_i loss_i(x_i W + b)
                  + sum_j v_j (l1_ratio |W_j|_1 + (1 - l1_ratio) |W_j|^2 / 2)
"""

from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial

import numpy as np

from skextra._core.logistic.l1_proximal_newton import WorkingSetSolver, correlate_rows
from skextra._core.logistic.l2_newton import RidgeLogisticSolver, WideRidgeSolver
from skextra._core.logistic.problem import build_problem
from skextra._core.logistic.result import Target
from skextra._core.logistic.row_space import is_wide
from skextra._core.numerics.path import Path
from skextra._core.runtime.threads import single_threaded_blas

# Gaps below this multiple of the null objective cannot be told from rounding.
_ROUNDING = 64 * np.finfo(np.float64).eps
# Share of the tolerance that settles what moves there have been.
_SETTLED = 1e-3
# Multiplications for a Hessian that take no time to speak of.
_CHEAP = 6e5


@dataclass
class Settings:
    """How to solve, apart from the data and the penalties.

    Attributes
    ----------
    tol : float
        Duality gap to reach, relative to the objective of the null model.
    max_iter : int
        Newton steps a penalty may take; with none, what was given to start from or
        zeros come back.
    report : callable or None
        Called after every step with a function that gives the present coefficients
        (n_rows, n_features) and intercepts (n_rows,).
    slack : float
        How many times further than usual the last step may move decision values once
        the gap is reached.
    """

    tol: float = 1e-4
    max_iter: int = 100
    report: object = None
    slack: float = 1.0


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
        Gaps relative to the null model, iterations and flags have one entry a C.
    """
    settings = Settings() if settings is None else settings
    Cs = np.asarray(Cs, dtype=np.float64)
    problem = build_problem(X, codes, n_classes, sample_weight, fit_intercept, penalty_weights)
    if settings.max_iter == 0:
        rows = slice(None) if sample_weight is None else np.flatnonzero(sample_weight)
        return _stay(problem, X[rows], Cs, l1_ratio, start, start_intercept)
    # Switching takes longer than a tiny problem does.
    is_tiny = problem.loss.n_samples * problem.n_rows <= 5000 and X.shape[1] <= 200
    with nullcontext() if is_tiny else single_threaded_blas():
        W, V = _find_start(problem, start, start_intercept)
        return _solve(problem, Cs, l1_ratio, settings, W, V)


def _find_start(problem, start, start_intercept):
    W, V = problem.create_start(start, start_intercept)
    if start is not None and start_intercept is None and problem.fit_intercept:
        shift, _, _ = problem.loss.fit_intercept(problem.compute_decision(W, V))
        V[0] += shift
    return W, V


def _solve(problem, Cs, l1_ratio, settings, W, V):
    target = _create_target(problem, settings.tol, settings.slack)
    path = _allocate(problem, len(Cs))
    solver = None
    for i, C in enumerate(Cs):
        # Nothing is sparse without an L1 penalty.
        kind = RidgeLogisticSolver if l1_ratio == 0 or np.isinf(C) else WorkingSetSolver
        if not isinstance(solver, kind):
            if kind is RidgeLogisticSolver and is_wide(problem):
                kind = WideRidgeSolver
            solver = kind(problem, target, settings.max_iter, W, V)
            if settings.report is not None:
                solver.report = lambda W, V: settings.report(partial(problem.expand, W, V))
        solution = solver.solve(l1_ratio / C, (1 - l1_ratio) / C)
        W, V = solution.W, solution.V
        path.coefs[:, i], path.intercepts[:, i] = problem.expand(W, V)
        path.gaps[i] = solution.gap / max(problem.null_objective, np.finfo(np.float64).tiny)
        path.n_iters[i] = solution.n_iter
        path.converged[i] = solution.converged
    return path


def _create_target(problem, tol, slack):
    """When to stop: later than the gap asks for where another step costs next to nothing.

    Newton's method doubles the digits: where a step moves decision values by m, it
    leaves an error of about m squared.
    """
    n_coefficients = problem.n_rows * (problem.design.shape[1] + len(problem.nuisance))
    share = 0.1 if problem.loss.n_samples * n_coefficients**2 <= _CHEAP else 4.0
    share *= slack
    reach = share * np.sqrt(max(tol, 1e-12))
    return Target(
        max(tol, _ROUNDING) * problem.null_objective, reach,
        _SETTLED * (share / 4.0) ** 2 * tol * problem.null_objective,
    )  # fmt: skip


def _stay(problem, X, Cs, l1_ratio, start, start_intercept):
    """The start, or zeros, as a path: what no steps at all arrive at."""
    path = _allocate(problem, len(Cs))
    W, _ = problem.create_start(start)
    F = np.zeros((problem.n_rows, problem.loss.n_samples))
    if start is not None:
        path.coefs[:] = start[:, None]
        F += np.asarray(start @ X.T)
    if start_intercept is not None and problem.fit_intercept:
        path.intercepts[:] = start_intercept[:, None]
        F += start_intercept[:, None]
    penalty = problem.scale @ (l1_ratio * np.abs(W) + 0.5 * (1 - l1_ratio) * W * W).sum(axis=1)
    # The dual point zero is always feasible.
    path.gaps[:] = (problem.loss.compute_value(F) + penalty / Cs) / problem.null_objective
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
    """Largest C at which every penalised coefficient is still zero.

    Returns
    -------
    C : float
        Infinite if the features say nothing about the classes.
    """
    problem = build_problem(X, codes, n_classes, sample_weight, fit_intercept, penalty_weights)
    W, V = problem.create_start()
    solver = WorkingSetSolver(problem, Target(0.0), 0, W, V)
    P = solver.fit_nuisance()
    correlations = correlate_rows(problem.design, problem.loss.compute_residual(P))
    largest = (np.abs(correlations) / problem.scale[:, None]).max(initial=0.0)
    return np.inf if largest == 0 else l1_ratio / float(largest)
