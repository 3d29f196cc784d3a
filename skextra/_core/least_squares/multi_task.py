"""Multi-task elastic-net paths: features enter for all targets or for none.

min over W, b of  sum_i s_i ||y_i - W x_i - b||^2 / (2 sum_i s_i)
                  + alpha sum_j v_j (l1_ratio ||W_j|| + (1 - l1_ratio) ||W_j||^2 / 2)

with ``W_j`` the coefficients of feature j for every target. Small problems are
solved on the Gram matrix of all features, wide ones on that of a working set,
whose solution is certified on all features.
"""

from contextlib import nullcontext

import numpy as np

from skextra._core.least_squares import ridge, ridge_bounds
from skextra._core.least_squares.elastic_net import (
    Path,
    Settings,
    build,
    compute_gram,
    compute_null_objectives,
    normalize,
    prefers_gram,
)
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
    lam1 = alphas * l1_ratio * X.shape[0]
    lam2 = alphas * (1 - l1_ratio) * X.shape[0]
    limits = (tol, max(float(settings.tol), _SETTLED), settings)
    if len(scale) == 0:
        solutions = ((W, 0.0, 0) for _ in alphas)
    elif gram is not None or prefers_gram(problem.design.X, len(alphas)):
        solutions = _solve_on_gram(problem, scale, lam1, lam2, limits, W, gram)
    else:
        solutions = RowWorkingSet(problem, scale, limits, W).solve_path(lam1, lam2)
    is_tiny = len(scale) <= 50  # switching takes longer than a tiny problem does
    with nullcontext() if is_tiny else single_threaded_blas():
        for i, (W, _, n_iter) in enumerate(solutions):
            coefs, intercepts = (a.astype(X.dtype) for a in problem.expand(W.T))
            gap = _certify(problem, W, coefs, intercepts, lam1[i] * scale, lam2[i] * scale)
            path.coefs[:, i], path.intercepts[:, i] = coefs, intercepts
            path.gaps[0, i], path.n_iters[0, i] = gap, n_iter
    path.converged[:] = path.gaps <= tol
    path.gaps /= null if null > 0 else 1.0
    return path


def _certify(problem, W, coefs, intercepts, l1, l2):
    """Gap of the coefficients as they are returned, on the data as they were given."""
    design = problem.design
    dual, gap = design.weigh_rows(problem.Y), 0.0
    if len(l1):
        dual, correlations = advance(design, dual, W.T)
        gap = compute_multi_task_gap(
            W, np.ascontiguousarray(correlations.T), l1, l2,
            float(np.vdot(design.weigh_rows(problem.Y), dual)), 0.0, 0.0,
        )  # fmt: skip
    if coefs.dtype == np.float64 and problem.free_transform is None:
        return gap
    residual = design.weigh_rows(problem.compute_residual(coefs, intercepts))
    returned = coefs.astype(np.float64)
    if problem.penalized is not None:
        returned = returned[:, problem.penalized]
    rise = 0.5 * (np.vdot(residual, residual) - np.vdot(dual, dual))
    for values, sign in ((returned, 1.0), (W, -1.0)):
        squares = np.einsum("tj,tj->j", values, values)
        rise += sign * (l1 @ np.sqrt(squares) + 0.5 * (l2 @ squares))
    return gap + max(float(rise), 0.0)


def _solve_on_gram(problem, scale, lam1, lam2, limits, W, gram):
    """Yield coefficients, gap and iterations for each penalty, on one Gram matrix."""
    tol, settle, settings = limits
    gram, cross = compute_gram(problem, gram)
    B = np.ascontiguousarray(cross.T)
    yy = 2 * float(compute_null_objectives(problem).sum())
    for first, second in zip(lam1, lam2):
        # Correlations afresh for every penalty: thousands of updates drift.
        C = B - W @ gram
        gap, n_iter = solve_rows(
            gram, B, C, W, first * scale, second * scale, yy, tol, settle,
            settings.create_sweeps(), settings.max_iter,
        )  # fmt: skip
        yield W, gap, n_iter


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
    return path
