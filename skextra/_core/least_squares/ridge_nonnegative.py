"""Ridge regression with non-negative coefficients, by block principal pivoting.

References
----------
Kim & Park, "Fast nonnegative matrix factorization: an active-set-like method
and comparisons", SIAM J. Sci. Comput. 33 (2011), algorithm 2.
"""

import numpy as np
from scipy.linalg import eigh, lapack
from scipy.optimize import nnls

from skextra._core.least_squares import ridge
from skextra._core.least_squares.problem import Problem, Result
from skextra._core.numerics.design_matrix import Design

# Above this many features the Gram matrix of all columns is not formed.
_MAX_GRAM = 3000


def solve_positive(problem, alphas, penalised, *, tol=1e-4, max_iter=None):
    """Minimise ``1/2 ||Y - ZW||^2 + alpha/2 ||W[penalised]||^2`` over ``W >= 0``.

    Parameters
    ----------
    problem : Problem
        Without projected-out features.
    alphas : ndarray of shape (n_targets,)
    penalised : ndarray of bool of shape (n_features,)
    tol : float
        Relative tolerance of inner solves that have to iterate.
    max_iter : int or None
        Limit of exchanges of the active set.

    Returns
    -------
    result : Result
        ``n_iter`` counts the linear systems solved for each target.
    """
    p = problem.design.shape[1]
    k = problem.Y.shape[1]
    W = np.zeros((p, k))
    gap = np.zeros(k)
    n_iter = np.zeros(k, dtype=np.int32)
    if p == 0:
        return Result(W, gap, n_iter)
    if p <= _MAX_GRAM or not penalised.all():
        gram, cross = problem.design.compute_moments(problem.Y)
        gram = np.tril(gram) + np.tril(gram, -1).T
        systems = (_GramSystem(gram, cross[:, j], alphas[j] * penalised) for j in range(k))
    else:
        systems = (_DataSystem(problem, j, alphas[j], tol) for j in range(k))
    for j, system in enumerate(systems):
        W[:, j], n_iter[j] = pivot(system, p, max_iter)
        gap[j] = compute_gap(W[:, j], system.compute_gradient(W[:, j]), alphas[j] * penalised)
    return Result(W, gap, n_iter, "block pivoting")


def compute_gap(w, gradient, penalty):
    """Duality gap of ``w >= 0`` with the residual as dual point.

    Per feature ``penalty/2 w^2 - c w + max(c, 0)^2 / (2 penalty)`` where c is
    the feature's correlation with the residual. Unpenalised features have no
    finite bound: their violation of the optimality conditions is counted.
    """
    correlation = penalty * w - gradient
    slack = np.where(correlation > 0, gradient**2, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        positive_part = np.where(penalty > 0, slack / (2 * penalty), 0.0)
    outside = np.where(
        (correlation <= 0) & (penalty > 0), penalty * w**2 / 2 - correlation * w, 0.0
    )
    free = penalty <= 0
    scale = np.abs(w).max(initial=0.0)
    unbounded = np.abs(gradient[free]) * w[free] + np.maximum(-gradient[free], 0) * scale
    return float(positive_part.sum() + outside.sum() + unbounded.sum())


class _GramSystem:
    """The problem of one target, given by its Gram matrix."""

    def __init__(self, gram, cross, penalty):
        self.hessian = gram + np.diag(penalty)
        self.cross = cross

    def solve(self, passive):
        index = np.flatnonzero(passive)
        w = np.zeros(len(passive))
        if not len(index):
            return w
        a = np.asfortranarray(self.hessian[np.ix_(index, index)])
        factor, info = lapack.dpotrf(a, lower=1, clean=0)
        diagonal = factor.diagonal()
        if info or (diagonal.min() / diagonal.max()) ** 2 < 1e-15:
            w[index] = np.linalg.lstsq(a, self.cross[index], rcond=None)[0]
        else:
            w[index] = lapack.dpotrs(factor, self.cross[index], lower=1)[0]
        return w

    def compute_gradient(self, w):
        return self.hessian @ w - self.cross

    def solve_safely(self):
        """Lawson-Hanson on a square root of the Hessian, for singular problems."""
        values, V = eigh(self.hessian)
        kept = values > len(values) * np.finfo(np.float64).eps * values[-1]
        root = np.sqrt(values[kept])
        A = root[:, None] * V[:, kept].T
        b = (V[:, kept].T @ self.cross) / root
        return nnls(A, b, maxiter=max(30 * A.shape[1], 1000))[0]


class _DataSystem:
    """The problem of one target, given by the data; solved on subsets of columns."""

    def __init__(self, problem, j, alpha, tol):
        self.problem = problem
        self.Y = problem.Y[:, [j]]
        self.null_objective = problem.null_objective[[j]]
        self.alpha = alpha
        self.tol = tol

    def solve(self, passive):
        index = np.flatnonzero(passive)
        w = np.zeros(len(passive))
        if not len(index):
            return w
        full = self.problem.design
        scale = None if full.scale is None else full.scale[index]
        design = Design(full.X[:, index], full.weights, full.fit_intercept, scale, full.dtype)
        sub = Problem(design, self.Y, self.problem.y_mean, self.null_objective, len(index))
        tol = min(self.tol, 1e-3) ** 2
        w[index] = ridge.solve(sub, np.array([self.alpha]), tol=tol).W[:, 0]
        return w

    def compute_gradient(self, w):
        design = self.problem.design
        residual = self.Y - design.dot(w[:, None])
        return self.alpha * w - design.transpose_dot(design.weigh(residual))[:, 0]

    def solve_safely(self):
        return None


def pivot(system, p, max_iter=None):
    """Exchange whole blocks of violators between the active and the passive set.

    Returns
    -------
    w : ndarray of shape (n_features,)
        Non-negative.
    n_iter : int
    """
    limit = 5 * p + 100 if max_iter is None else max_iter
    gradient = system.compute_gradient(np.zeros(p))
    noise = 1e-13 * np.abs(gradient).max(initial=0.0)
    passive = gradient < -noise
    fewest, patience = p + 1, 3
    n_iter = 0
    w = np.zeros(p)
    while n_iter < limit:
        w = system.solve(passive)
        n_iter += 1
        gradient = system.compute_gradient(w)
        wrong = np.where(passive, w < -1e-15 * np.abs(w).max(initial=0.0), gradient < -noise)
        n_wrong = np.count_nonzero(wrong)
        if n_wrong == 0:
            return np.maximum(w, 0), n_iter
        if n_wrong < fewest:
            fewest, patience = n_wrong, 3
        elif patience > 0:
            patience -= 1
        else:
            # One exchange at a time, always the last index, cannot cycle.
            last = np.flatnonzero(wrong)[-1]
            wrong = np.zeros(p, dtype=bool)
            wrong[last] = True
        passive = passive ^ wrong
    safe = system.solve_safely() if max_iter is None else None
    return (np.maximum(w, 0) if safe is None else safe), n_iter
