"""A start for logistic regression: the solution of a sample of the rows."""

from dataclasses import replace

import numpy as np

from skextra._core.logistic.loss import LogLoss
from skextra._core.logistic.preconditioners import draw_rows
from skextra._core.logistic.result import Target
from skextra._core.numerics.design_matrix import Design

# A sample has at least so many rows, and is at least and at most such a part of all.
_FEW_ROWS = 8000
_PARTS = 6
_MANY_TIMES = 5
_FEWEST_OF_A_CLASS = 20
# Sampling leaves a larger error than this.
_TOL = 1e-3
_MAX_ITER = 30


def find_start_sample(problem, size):
    """Rows to start from, or None if there are too few in all, or of a class."""
    n = problem.loss.n_samples
    n_sampled = max(_FEW_ROWS, n // _PARTS)
    if n < _MANY_TIMES * n_sampled:
        return None
    sample = draw_rows(n, n_sampled)
    counts = np.bincount(problem.loss.codes[sample], minlength=problem.loss.n_classes)
    return sample if counts.min() >= _FEWEST_OF_A_CLASS else None


def solve_sample(problem, sample, solver, lam1, lam2):
    """Coefficients of the problem on the rows `sample`, which stand for all.

    Returns
    -------
    W : ndarray of shape (n_penalised, n_rows)
    V : ndarray of shape (n_nuisance, n_rows)
    """
    loss, design = problem.loss, problem.design
    weights = loss.weights[sample]
    weights = weights * (loss.total_weight / weights.sum())
    X = design.X.tocsr()[sample] if design.is_sparse else np.ascontiguousarray(design.X[sample])
    part = Design(X, None, design.fit_intercept)
    # The nuisance directions are those of the whole: so must be what columns are centred by.
    part._mean = design.mean
    problem = replace(
        problem,
        design=part,
        loss=LogLoss(loss.codes[sample], loss.n_classes, weights),
        nuisance=np.ascontiguousarray(problem.nuisance[:, sample]),
    )
    target = Target(_TOL * problem.null_objective)
    solution = solver(problem, target, _MAX_ITER, *problem.create_start()).solve(lam1, lam2)
    return solution.W, solution.V
