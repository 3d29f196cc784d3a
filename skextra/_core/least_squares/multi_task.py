"""Multi-task elastic-net paths: features enter for all targets or for none.

min over W, b of  sum_i s_i ||y_i - W x_i - b||^2 / (2 sum_i s_i)
                  + alpha sum_j v_j (l1_ratio ||W_j|| + (1 - l1_ratio) ||W_j||^2 / 2)

with ``W_j`` the coefficients of feature j for every target. Small problems are
solved on the Gram matrix of all features, wide ones on that of a working set,
whose solution is certified on all features.
"""

from contextlib import nullcontext
from functools import partial

import numpy as np

from skextra._core.least_squares import elastic_net, ridge, ridge_bounds
from skextra._core.least_squares.elastic_net import (
    Path,
    Settings,
    build,
    compute_gram,
    compute_null_objectives,
    normalize,
)
from skextra._core.least_squares.elastic_net_certificate import ROUNDING_SHARE, bound_gram_rounding
from skextra._core.least_squares.multi_task_newton import solve_rows
from skextra._core.least_squares.multi_task_sweeps import compute_multi_task_gap
from skextra._core.least_squares.multi_task_working_set import RowWorkingSet
from skextra._core.least_squares.problem import build_problem
from skextra._core.least_squares.ridge_bounds import advance
from skextra._core.runtime.threads import single_threaded_blas

# Gaps below this multiple of the null objective cannot be told from rounding,
_ROUNDING = 64 * np.finfo(np.float64).eps
# nor changes below this multiple of the largest coefficient.
_SETTLED = 1e-13


def prefers_gram(X, n_alphas):
    """Whether one Gram matrix of all features is the cheaper way.

    For one penalty working sets are 1.4 to 8 times as fast on `multi-task-square` and
    `multi-task-square-strong` of the benchmarks; many penalties share the matrix.
    """
    n, p = X.shape
    return p <= 300 or (n_alphas > 5 and p <= min(n, 3000))


def solve(
    X, Y, alphas, *, l1_ratio=1.0, sample_weight=None, fit_intercept=True,
    penalty_weights=None, settings=None, start=None, gram=None,
):  # fmt: skip
    """Solve all targets jointly for every penalty of a decreasing sequence.

    Parameters
    ----------
    X, Y, alphas, l1_ratio, sample_weight, fit_intercept, penalty_weights, settings, start, gram
        As in :func:`skextra._core.least_squares.elastic_net.solve`; `settings.positive` must
        be False.

    Returns
    -------
    path : Path
        Coefficients and intercepts have an entry for each target; gaps,
        iterations and convergence are joint: their first axis has length 1.
    """
    settings = Settings() if settings is None else settings
    alphas = np.asarray(alphas, dtype=np.float64)
    # Without an L1 penalty the targets separate, and there is a closed form.
    n_sparse = np.count_nonzero(alphas) if l1_ratio > 0 else 0
    parts = []
    if n_sparse:
        parts.append(
            _solve_penalized(
                X, Y, alphas[:n_sparse], l1_ratio, sample_weight, fit_intercept,
                penalty_weights, settings, start, gram,
            )
        )  # fmt: skip
    if n_sparse < len(alphas):
        parts.append(
            _solve_ridge(
                X, Y, alphas[n_sparse:] * (1 - l1_ratio), sample_weight, fit_intercept,
                penalty_weights, settings,
            )
        )  # fmt: skip
    return parts[0] if len(parts) == 1 else _join(*parts)


def _allocate(n_targets, n_alphas, n_features):
    path = Path.allocate(n_targets, n_alphas, n_features)
    for name in ("gaps", "n_iters", "converged"):
        setattr(path, name, getattr(path, name)[:1])
    return path


def _join(first, second):
    names = ("coefs", "intercepts", "gaps", "n_iters", "converged")
    return Path(*(np.concatenate([getattr(first, n), getattr(second, n)], axis=1) for n in names))


def _solve_penalized(
    X, Y, alphas, l1_ratio, sample_weight, fit_intercept, penalty_weights, settings, start, gram
):
    """`solve` by block coordinate descent."""
    problem, scale = build(X, Y, sample_weight, fit_intercept, penalty_weights)
    null = float(compute_null_objectives(problem).sum())
    if not np.isfinite(problem.null_objective.sum()):
        raise ValueError("y contains values whose squares overflow: rescale it")
    tol = max(settings.tol, _ROUNDING) * null
    path = _allocate(Y.shape[1], len(alphas), X.shape[1])
    W = np.zeros((Y.shape[1], len(scale)))
    if start is not None:
        W[:] = start if problem.penalized is None else start[:, problem.penalized]
    L1, L2 = (np.outer(a * X.shape[0], scale) for a in (alphas * l1_ratio, alphas * (1 - l1_ratio)))
    is_tiny = len(scale) <= 50  # switching takes longer than a tiny problem does
    with nullcontext() if is_tiny else single_threaded_blas():
        moments = None
        if len(scale) and (gram is not None or prefers_gram(problem.design.X, len(alphas))):
            moments = compute_gram(problem, gram)
        # A Gram matrix from outside may be anything, and unpenalized features are not in it.
        is_trusted = gram is None and problem.free_transform is None
        joint = _JointProblem(problem, tol, settings, moments, is_trusted)
        for i, solution in enumerate(joint.solve_path(W, L1, L2)):
            path.gaps[0, i], path.n_iters[0, i] = joint.store(path, i, *solution, L1[i], L2[i])
    path.converged[:] = path.gaps <= tol
    path.null_objective = null
    path.gaps /= null if null > 0 else 1.0
    return path


class _JointProblem:
    """All targets: solved, certified from the data, solved again where that fails.

    Parameters
    ----------
    problem : Problem
    tol : float
        Absolute gap to reach.
    settings : Settings
    moments : tuple (gram, cross) or None
        Of the penalized columns, where they are solved on; else on working sets.
    is_trusted : bool
        Whether gaps of the solver are those of the data, but for rounding.
    """

    def __init__(self, problem, tol, settings, moments, is_trusted):
        self.problem, self.tol, self.settings = problem, tol, settings
        self.moments = moments
        self.is_trusted = is_trusted and problem.design.X.dtype == np.float64
        self.Y = problem.design.weigh_rows(problem.Y)
        self.yy = float(np.vdot(self.Y, self.Y))

    def solve_path(self, W, L1, L2):
        """Yield coefficients, gap and iterations for decreasing penalties."""
        if W.shape[1] == 0:
            return ((W, 0.0, 0) for _ in L1)
        if self.moments is None:
            return self._solve_on_working_sets(W, L1, L2)
        gram, cross = self.moments
        return _solve_on_gram(gram, cross, L1, L2, self.yy, self.tol, self.settings, W)

    def _solve_on_working_sets(self, W, L1, L2):
        settle = max(float(self.settings.tol), _SETTLED)
        solver = RowWorkingSet(self.problem.design, self.Y, self.tol, settle, self.settings, W)
        return solver.solve_path(L1, L2)

    def store(self, path, i, W, gap, n_iter, l1, l2):
        """Fill in penalty `i` of the path; return certified gap and iterations."""
        gap = self._certify(path, i, W, gap, l1, l2)
        if gap <= self.tol or self.moments is None or n_iter >= self.settings.max_iter:
            return gap, n_iter
        # What the Gram matrix left short of the certificate is solved from the data.
        first = path.coefs[:, i].copy(), path.intercepts[:, i].copy()
        W, new_gap, n_more = next(self._solve_on_working_sets(W.copy(), l1[None], l2[None]))
        new_gap = self._certify(path, i, W, np.inf, l1, l2)
        if new_gap > gap:
            path.coefs[:, i], path.intercepts[:, i] = first
        return min(gap, new_gap), n_iter + n_more

    def _certify(self, path, i, W, gap, l1, l2):
        """Gap of the coefficients as they are returned, on the data as they were given."""
        problem = self.problem
        dtype = problem.design.X.dtype
        coefs, intercepts = (a.astype(dtype) for a in problem.expand(W.T))
        path.coefs[:, i], path.intercepts[:, i] = coefs, intercepts
        if self.is_trusted and gap <= self.tol:
            charge = self._bound_rounding(W, l1)
            if charge <= ROUNDING_SHARE * self.tol and gap + charge <= self.tol:
                return gap + charge
        gap, dual = self._compute_gap(W, l1, l2)
        if dtype == np.float64 and problem.free_transform is None:
            return gap
        residual = problem.design.weigh_rows(problem.compute_residual(coefs, intercepts))
        returned = coefs.astype(np.float64)
        if problem.penalized is not None:
            returned = returned[:, problem.penalized]
        rise = 0.5 * (np.vdot(residual, residual) - np.vdot(dual, dual))
        for values, sign in ((returned, 1.0), (W, -1.0)):
            squares = np.einsum("tj,tj->j", values, values)
            rise += sign * (l1 @ np.sqrt(squares) + 0.5 * (l2 @ squares))
        return gap + max(float(rise), 0.0)

    def _bound_rounding(self, W, l1):
        # Working sets certify themselves on the data.
        if self.moments is None or not len(l1):
            return 0.0
        norms = np.sqrt(np.einsum("tj,tj->j", W, W))
        n_samples = self.problem.design.shape[0]
        # The bound for one target: norms over targets obey the same triangle inequality.
        bound = bound_gram_rounding(self.moments[0], n_samples, self.yy, norms[None], l1[None])
        return float(bound[0]) * 0.5 * self.yy

    def _compute_gap(self, W, l1, l2):
        if not len(l1):
            return 0.0, self.Y
        dual, correlations = advance(self.problem.design, self.Y, W.T)
        gap = compute_multi_task_gap(
            W, np.ascontiguousarray(correlations.T), l1, l2, float(np.vdot(self.Y, dual))
        )
        return gap, dual


def _solve_on_gram(gram, cross, L1, L2, yy, tol, settings, W):
    """Yield coefficients, gap and iterations for each penalty, on one Gram matrix.

    Parameters
    ----------
    gram : ndarray of shape (k, k)
    cross : ndarray of shape (k, n_targets)
    L1, L2 : ndarray of shape (n_alphas, k)
        Penalties of every feature.
    yy, tol : float
        Squared norm of Y, and the absolute gap to reach.
    settings : Settings
    W : ndarray of shape (n_targets, k)
        Where to start.
    """
    B = np.ascontiguousarray(cross.T)
    settle = max(float(settings.tol), _SETTLED)
    for l1, l2 in zip(L1, L2):
        # Correlations afresh for every penalty: thousands of updates drift.
        C = B - W @ gram
        gap, n_iter = solve_rows(
            gram, B, C, W, l1, l2, yy, tol, settle, settings.create_sweeps(), settings.max_iter
        )
        yield W, gap, n_iter


def _solve_moments(gram, cross, L1, L2, yy, tol, settings):
    """Coefficients (n_targets, n_alphas, k) and gaps for given moments."""
    W = np.zeros((cross.shape[1], len(cross)))
    coefs, gaps = np.empty((len(W), *L1.shape)), np.empty(len(L1))
    for i, solution in enumerate(_solve_on_gram(gram, cross, L1, L2, yy, tol, settings, W)):
        coefs[:, i], gaps[i], _ = solution
    return coefs, gaps


#: As :func:`skextra._core.least_squares.elastic_net.solve_on_moments`, all targets jointly.
solve_on_moments = partial(elastic_net.solve_on_moments, solve_gram=_solve_moments)


def _solve_ridge(X, Y, alphas, sample_weight, fit_intercept, penalty_weights, settings):
    """`solve` without an L1 penalty."""
    problem = build_problem(X, Y, normalize(sample_weight), fit_intercept, penalty_weights)
    path = _allocate(Y.shape[1], len(alphas), X.shape[1])
    null = float(compute_null_objectives(problem).sum())
    for i, alpha in enumerate(alphas):
        penalties = np.full(Y.shape[1], alpha * X.shape[0])
        result = ridge.solve(problem, penalties, tol=settings.tol, max_iter=settings.max_iter)
        coefs, intercepts = (a.astype(X.dtype) for a in problem.expand(result.W))
        gaps = ridge_bounds.compute_returned_gap(problem, result, coefs, intercepts, penalties)
        path.coefs[:, i], path.intercepts[:, i] = coefs, intercepts
        path.gaps[0, i] = gaps.sum() / (null if null > 0 else 1.0)
        path.n_iters[0, i] = 1 if result.n_iter is None else np.max(result.n_iter)
    path.converged[:] = path.gaps <= max(settings.tol, 1e-10)
    path.null_objective = null
    return path
