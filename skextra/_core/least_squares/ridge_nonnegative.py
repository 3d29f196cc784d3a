"""Ridge regression with non-negative coefficients, by block principal pivoting.

References
----------
Kim & Park, "Fast nonnegative matrix factorization: an active-set-like method
and comparisons", SIAM J. Sci. Comput. 33 (2011), algorithm 2.
"""

import numpy as np
from scipy.linalg import lapack
from scipy.optimize import nnls

from skextra._core.least_squares import ridge, ridge_bounds
from skextra._core.least_squares.problem import Problem, Result
from skextra._core.numerics.design_matrix import Design
from skextra._core.numerics.scaling import round_to_power_of_two

_EPS = np.finfo(np.float64).eps
# Above this many features the Gram matrix of all columns is not formed.
_MAX_GRAM = 3000
# Slopes along columns of unit length below this share of the target's length are rounding.
_NOISE = 1e-13
# Slopes below this share are charged at the size of coefficients rather than at the inverse
# of a penalty, which may be as small beside the column as one likes.
_CHARGED = 1e-9
# No coefficient of the optimum is taken to explain more than this many times what the target,
# or the largest coefficient found, amounts to.
_REACH = 4.0


def solve_positive(problem, alphas, penalized, *, tol=1e-4, max_iter=None):
    """Minimize ``1/2 ||Y - ZW||^2 + alpha/2 ||W[penalized]||^2`` over ``W >= 0``.

    Columns are brought to one length, so that what counts as rounding does not depend on
    the units of features, and the gap is taken from the data, not from the Gram matrix.

    Parameters
    ----------
    problem : Problem
        Without projected-out features.
    alphas : ndarray of shape (n_targets,)
    penalized : ndarray of bool of shape (n_features,)
    tol : float
        Relative gap above which a slower way is tried, and relative tolerance of inner
        solves that have to iterate.
    max_iter : int or None
        Limit of exchanges of the active set.

    Returns
    -------
    result : Result
        ``n_iter`` counts the linear systems solved for each target.
    """
    design = problem.design
    p, k = design.shape[1], problem.Y.shape[1]
    W = np.zeros((p, k))
    gap = np.zeros(k)
    n_iter = np.zeros(k, dtype=np.int32)
    if p == 0:
        return Result(W, gap, n_iter, "block pivoting", penalty=W)
    use_gram = p <= _MAX_GRAM or not penalized.all()
    if use_gram:
        gram, cross = design.compute_moments(problem.Y)
        gram = np.tril(gram) + np.tril(gram, -1).T
        squares = gram.diagonal()
    else:
        squares = design.compute_column_norms()
    for j in range(k):
        penalty = alphas[j] * penalized
        scales = 1 / round_to_power_of_two(np.sqrt(squares + penalty))
        if use_gram:
            system = _GramSystem(gram, cross[:, j], penalty, scales)
        else:
            system = _DataSystem(problem, j, alphas[j], tol, scales)
        target = _Target(problem, j, penalty, scales)
        w, n_iter[j] = pivot(system, p, target.noise, max_iter)
        found = target.refine(w, system)
        if found[1] > max(min(tol, 1e-6), 1e-10) * problem.null_objective[j] and use_gram:
            exact = target.solve_safely() if max_iter is None else None
            if exact is not None:
                exact = target.refine(exact, system)
                found = exact if exact[1] < found[1] else found
        W[:, j], gap[j] = found
    return Result(W, gap, n_iter, "block pivoting", penalty=np.outer(penalized, alphas))


class _Target:
    """One target's problem on scaled columns ``Z * scales``, judged by the data."""

    def __init__(self, problem, j, penalty, scales):
        self.problem, self.j = problem, j
        self.penalty, self.scales = penalty, scales
        self.y = problem.design.weigh_rows(problem.Y[:, [j]])
        self.length = float(np.linalg.norm(self.y))
        self.noise = _NOISE * self.length

    def refine(self, w, system):
        """Correct the positive coefficients with residuals of the data.

        Returns
        -------
        W : ndarray of shape (n_features,)
            Of the unscaled columns.
        gap : float
        """
        best = self._judge(w)
        for _ in range(3):
            if best[1] <= 1e-12 * 0.5 * self.length**2:
                break
            # Only where the data bend: a slope along a free direction would go anywhere.
            step = system.solve(w > 0, -best[2])
            if not np.isfinite(step).all() or (w + step < 0).any():
                break
            trial = self._judge(w + step)
            if not trial[1] < best[1]:
                break
            w, best = w + step, trial
        return best[:2]

    def _judge(self, w):
        W = w * self.scales
        _, correlations = ridge_bounds.advance(self.problem.design, self.y, W[:, None])
        gradient = (self.penalty * W - correlations[:, 0]) * self.scales
        gap = compute_gap(w, gradient, self.penalty * self.scales**2, self.length)
        return W, gap, gradient

    def solve_safely(self):
        """Lawson-Hanson on the data: slow, but it never squares their condition."""
        design = self.problem.design
        if design.shape[1] <= design.shape[0]:
            M, c = design.compute_triangular_factor(self.problem.Y[:, [self.j]])
        else:
            M, c = np.empty(design.shape), self.y
            for start, stop, block in design.iterate_column_blocks():
                M[:, start:stop] = block
        A = np.vstack([M, np.diag(np.sqrt(self.penalty))]) * self.scales
        b = np.append(c, np.zeros(len(self.penalty)))
        try:
            return nnls(A, b, maxiter=max(30 * A.shape[1], 1000))[0]
        except RuntimeError:
            return None


def compute_gap(w, gradient, penalty, length):
    """Duality gap of ``w >= 0`` with the residual as dual point, on columns of like length.

    Per feature ``penalty/2 w^2 - c w + max(c, 0)^2 / (2 penalty)`` where c is the feature's
    correlation with the residual. Where the penalty is nothing beside rounding there is no
    bound that is finite: slopes are charged at the size that coefficients can have.
    """
    correlation = penalty * w - gradient
    reach = _REACH * max(length, np.abs(w).max(initial=0.0))
    charge = np.where(gradient > 0, gradient * w, -gradient * (w + reach))
    with np.errstate(divide="ignore", invalid="ignore"):
        bound = np.where(
            correlation > 0,
            gradient**2 / (2 * penalty),
            penalty * w**2 / 2 - correlation * w,
        )
    is_charged = (np.abs(gradient) <= _CHARGED * length) | (penalty <= 0)
    bound = np.where(is_charged, np.minimum(np.where(penalty > 0, bound, np.inf), charge), bound)
    return float(np.where(gradient == 0, 0.0, bound).sum())


class _GramSystem:
    """The problem of one target on scaled columns, given by its Gram matrix."""

    def __init__(self, gram, cross, penalty, scales):
        self.hessian = gram * scales * scales[:, None]
        self.hessian[np.diag_indices_from(gram)] += penalty * scales**2
        self.cross = cross * scales

    def solve(self, passive, rhs=None):
        index = np.flatnonzero(passive)
        rhs = self.cross if rhs is None else rhs
        w = np.zeros(len(passive))
        if not len(index):
            return w
        a = np.asfortranarray(self.hessian[np.ix_(index, index)])
        factor, info = lapack.dpotrf(a, lower=1, clean=0)
        diagonal = factor.diagonal()
        if info or (diagonal.min() / diagonal.max()) ** 2 < 1e-15:
            w[index] = np.linalg.lstsq(a, rhs[index], rcond=None)[0]
        else:
            w[index] = lapack.dpotrs(factor, rhs[index], lower=1)[0]
        return w

    def compute_gradient(self, w):
        return self.hessian @ w - self.cross


class _DataSystem:
    """The problem of one target, given by the data; solved on subsets of columns."""

    def __init__(self, problem, j, alpha, tol, scales):
        self.problem = problem
        self.Y = problem.Y[:, [j]]
        self.null_objective = problem.null_objective[[j]]
        self.alpha = alpha
        self.tol = tol
        self.scales = scales

    def solve(self, passive, rhs=None):
        index = np.flatnonzero(passive)
        w = np.zeros(len(passive))
        if not len(index) or rhs is not None:
            return w
        full = self.problem.design
        scale = None if full.scale is None else full.scale[index]
        design = Design(full.X[:, index], full.weights, full.fit_intercept, scale, full.dtype)
        sub = Problem(design, self.Y, self.problem.y_mean, self.null_objective, len(index))
        tol = min(self.tol, 1e-3) ** 2
        w[index] = ridge.solve(sub, np.array([self.alpha]), tol=tol).W[:, 0]
        return w / self.scales

    def compute_gradient(self, w):
        design = self.problem.design
        W = (w * self.scales)[:, None]
        residual = self.Y - design.dot(W)
        gradient = self.alpha * W - design.transpose_dot(design.weigh(residual))
        return gradient[:, 0] * self.scales


def pivot(system, p, noise, max_iter=None):
    """Exchange whole blocks of violators between the active and the passive set.

    Parameters
    ----------
    system : _GramSystem or _DataSystem
    p : int
        Number of features.
    noise : float
        Slopes up to this size are rounding.
    max_iter : int or None
        Limit of exchanges.

    Returns
    -------
    w : ndarray of shape (n_features,)
        Non-negative.
    n_iter : int
    """
    limit = 5 * p + 100 if max_iter is None else max_iter
    passive = system.compute_gradient(np.zeros(p)) < -noise
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
            break
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
    return np.maximum(w, 0), n_iter
