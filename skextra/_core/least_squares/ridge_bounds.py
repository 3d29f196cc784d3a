"""Bounds of ridge solutions from the data, and corrections that lower them.

The dual point of a bound is the residual, or a multiple of it; see the formula in
:mod:`skextra._core.least_squares.ridge`.
"""

import numpy as np

from skextra._core.numerics.products import multiply_dense

_EPS = np.finfo(np.float64).eps
# A factorization has to reach this gap, relative to the null objective; if it does not, a
# slower and more exact way is taken. Sound ones are below 1e-20.
EXACT = 1e-10
# A bound on what rounding coefficients to single precision costs is good enough up to this.
_CAST = 1e-8


class Newton:
    """Newton steps: an inverse of the Hessian, exact or nearly so.

    Parameters
    ----------
    solve : callable
        Step of each column of gradients.
    is_trusted : bool
        Whether the squared length of a gradient in the norm of the inverse is its true one
        to some digits.
    """

    def __init__(self, solve, is_trusted):
        self.solve = solve
        self.is_trusted = is_trusted


def advance(design, dual, step):
    """Residual after a step, and its products with the columns of Z, reading X once.

    Parameters
    ----------
    design : Design
    dual : ndarray of shape (n_samples, k)
        Times the roots of the weights.
    step : ndarray of shape (n_features, k)

    Returns
    -------
    dual : ndarray of shape (n_samples, k)
        ``dual - sqrt(weights) Z step``.
    correlations : ndarray of shape (n_features, k)
        ``(sqrt(weights) Z).T`` times that.
    """
    if design.is_sparse:
        dual = dual - design.weigh_rows(design.dot(step))
        return dual, design.transpose_dot(design.weigh_rows(dual))
    step = step if design.scale is None else design.scale[:, None] * step
    new, correlations = np.empty_like(dual), np.zeros(step.shape)
    for start, stop, block in design.iterate_row_blocks(16 if step.shape[1] == 1 else 256):
        change = multiply_dense(block, step)
        if design.weights is not None:
            root = design.sqrt_weights[start:stop, None]
            change *= root
        part = np.subtract(dual[start:stop], change, out=new[start:stop])
        part = part if design.weights is None else part * root
        correlations += multiply_dense(block.T, part)
    if design.scale is not None:
        correlations *= design.scale[:, None]
    return new, correlations


def refine_primal(problem, alpha, columns, W, newton, polish):
    """Bound a solution from the data, and correct it until the bound no longer falls.

    The dual point is the residual, updated with the corrections: it does not have the
    rounding of a residual of coefficients whose products with the data are large, which the
    length of those columns would multiply.

    Parameters
    ----------
    problem : Problem
    alpha : float
    columns : slice or ndarray
        Targets.
    W : ndarray of shape (n_features, k)
    newton : Newton
    polish : bool
        Whether to correct a solution also if its bound is small.

    Returns
    -------
    W, gap, dual, correlations : ndarrays
        As in :class:`Result`.
    """
    design, null = problem.design, problem.null_objective[columns]
    target = design.weigh_rows(problem.Y[:, columns])
    dual, correlations = advance(design, target, W)
    step, gap = _bound(newton, correlations - alpha * W, alpha, null)
    n_steps = 0
    while n_steps < 8 and (polish or (gap > EXACT * null).any()):
        new = W + step
        new_dual, new_correlations = advance(design, dual, step)
        new_step, new_gap = _bound(newton, new_correlations - alpha * new, alpha, null)
        if not (new_gap <= gap).all() or not np.isfinite(new).all():
            break
        has_stalled = (new_gap > 0.25 * gap).all()
        W, dual, correlations, step, gap = new, new_dual, new_correlations, new_step, new_gap
        n_steps += 1
        if has_stalled:
            break
    if n_steps:
        drift = target - design.weigh_rows(design.dot(W)) - dual
        gap = gap + 0.5 * np.einsum("ij,ij->j", drift, drift)
    return W, gap + _bound_rounding(design, W, null), dual, correlations


def refine_dual(problem, kernel, alpha, Yw, C, solve_all, polish):
    """As `refine_primal`, for ``W = Z'C`` and the dual point ``alpha C``.

    Of the gap only ``||y - Z w - alpha c||^2 / 2`` is left, and what rounding did to W.
    """
    design = problem.design
    null = 0.5 * np.einsum("ij,ij->j", Yw, Yw)
    trace = max(kernel.trace(), 0.0)
    noise = 0.5 * (design.shape[0] * _EPS) ** 2 * trace * alpha
    n_steps = 0
    best = None
    while True:
        # Without cancellation where features have an offset.
        W = design.transpose_dot(design.weigh_rows(C))
        error = Yw - design.weigh_rows(design.dot(W)) - alpha * C
        gap = 0.5 * np.einsum("ij,ij->j", error, error) + noise * np.einsum("ij,ij->j", C, C)
        if best is not None and not (gap < 0.25 * best[1]).any():
            break
        best = W, gap, alpha * C
        n_steps += 1
        if n_steps > 6 or not (polish or (gap > EXACT * null).any()):
            break
        C = C + solve_all(error)
    W, gap, dual = best
    return W, gap + _bound_rounding(design, W, null, trace), dual


def _bound_rounding(design, W, null_objective, trace=np.inf):
    """What the rounding of residuals can hide: large where coefficients cancel.

    `trace` is the sum of the squared lengths of columns, if known: it spares a pass.
    """
    lengths = np.linalg.norm(W, axis=0)
    sizes = np.where(lengths > 0, np.sqrt(trace), 0.0) * lengths if trace < np.inf else np.inf
    if not (0.5 * (4 * _EPS * sizes) ** 2 <= 1e-3 * EXACT * null_objective).all():
        sizes = np.sqrt(design.compute_column_norms()) @ np.abs(W)
    return 0.5 * (4 * _EPS * sizes) ** 2


def _bound(newton, gradient, alpha, null_objective):
    """Newton step, and bound on the distance of each target from its minimum."""
    step = newton.solve(gradient)
    decrement = np.maximum(0.5 * np.einsum("ij,ij->j", gradient, step), 0.0)
    if alpha <= 0:
        return step, decrement
    gap = np.einsum("ij,ij->j", gradient, gradient) / (2 * alpha)
    if newton.is_trusted:
        # Half the squared length of the gradient in the norm of the inverse Hessian is the
        # distance itself. Unlike the gap it does not depend on the units of features.
        gap = np.minimum(gap, 1.01 * decrement + _EPS * null_objective)
    return step, gap


def compute_returned_gap(problem, result, coef, intercept, alphas):
    """Gaps of coefficients as they are returned, on the data as they were given.

    Parameters
    ----------
    problem : Problem
    result : Result
        The solution that was expanded, and perhaps rounded, to `coef`.
    coef : ndarray of shape (n_targets, n_features)
    intercept : ndarray of shape (n_targets,)
    alphas : ndarray of shape (n_targets,)

    Returns
    -------
    gap : ndarray of shape (n_targets,)
    """
    design, null = problem.design, problem.null_objective
    if coef.dtype == np.float64 and problem.free_transform is None:
        # Rounding of means and of the intercept moves all predictions by about as much.
        penalized = coef if problem.penalized is None else coef[:, problem.penalized]
        moved = 2 * _EPS * (np.abs(penalized) @ np.abs(design.mean))
        return result.gap + design.total_weight * moved**2
    W = coef.astype(np.float64).T
    W = W if problem.penalized is None else W[problem.penalized]
    W = W if design.scale is None else W / design.scale[:, None]
    if result.lengths is not None and problem.free_transform is None:
        gap = _bound_cast(problem, result, W, coef, intercept, alphas)
        if (gap <= _CAST * null).all():
            return gap
    residual = design.weigh_rows(problem.compute_residual(coef, intercept))
    gap = np.full(len(null), np.inf)
    if result.dual is not None and (alphas > 0).all():
        dual, correlations, _ = _project_dual(design, result.dual, result.correlations)
        loss = residual - dual
        excess = np.sqrt(alphas) * W - correlations / np.sqrt(alphas)
        gap = 0.5 * (np.einsum("ij,ij->j", loss, loss) + np.einsum("ij,ij->j", excess, excess))
    if (gap <= EXACT * null).all():
        return gap
    # What the objective is above that of the solution, which is bounded otherwise.
    solved, correlations = advance(design, problem.weigh_targets(), result.W)
    _, _, lost = _project_dual(design, solved, correlations)
    loss = np.einsum("ij,ij->j", residual, residual) - np.einsum("ij,ij->j", solved, solved)
    penalty = alphas if result.penalty is None else result.penalty
    change = (penalty * (W - result.W) * (W + result.W)).sum(axis=0)
    return np.minimum(gap, result.gap + lost + np.maximum(0.5 * (loss + change), 0.0))


def _project_dual(design, dual, correlations):
    """A dual point without what rounding has left of the unpenalized directions.

    The means of columns 1e8 standard deviations from zero are rounded to 1e-8 of these, which
    large coefficients multiply.

    Returns
    -------
    dual : ndarray of shape (n_samples, k)
    correlations : ndarray of shape (n_features, k)
    lost : ndarray of shape (k,)
        The squared length of what was taken away: twice what it does to the objective.
    """
    parts = [np.ones((len(dual), 1))] if design.fit_intercept else []
    parts += [design.rows] if design.rows is not None else []
    if not parts:
        return dual, correlations, np.zeros(dual.shape[1])
    directions, _ = np.linalg.qr(design.weigh_rows(np.concatenate(parts, axis=1)))
    shares = directions.T @ dual
    images = design.transpose_dot(design.weigh_rows(directions))
    lost = np.einsum("ij,ij->j", shares, shares)
    return dual - directions @ shares, correlations - images @ shares, lost


def _bound_cast(problem, result, W, coef, intercept, alphas):
    """Bound on the gap of rounded coefficients from lengths of columns, without the data.

    With ``H = Z'Z + alpha I`` and a change d of the solution the gap rises by at most
    ``|g'd| + d'Hd / 2``, where the gradient g is at most ``sqrt(2 alpha gap)`` long.
    """
    change = np.abs(W - result.W)
    size = np.einsum("ij,ij->j", change, change)
    shift = problem.compute_shift(coef, intercept)
    moved = (result.lengths @ change) ** 2 + alphas * size
    moved += problem.design.total_weight * shift**2
    return result.gap + np.sqrt(2 * alphas * result.gap * size) + 0.5 * moved
