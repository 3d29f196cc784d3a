"""Ridge regression by conjugate gradients, all targets in step, with certificate."""

import numpy as np

from skextra._core.ridge_problem import Result


def solve_iterative(problem, alphas, *, tol=1e-4, max_iter=None):
    """Minimise by conjugate gradients preconditioned with the Hessian's diagonal.

    A target is done when the relative duality gap and the relative gradient are
    both at most `tol`; both are checked on a gradient computed afresh, and the
    iteration starts again from there if rounding has let it drift.

    Parameters
    ----------
    problem : Problem
    alphas : ndarray of shape (n_targets,)
    tol : float
    max_iter : int or None
        None allows ten times the smaller dimension, and at least 1000.

    Returns
    -------
    result : ridge_problem.Result
        ``n_iter`` counts products with Z and its transpose, a target each.
    """
    design = problem.design
    if max_iter is None:
        max_iter = max(1000, 10 * min(design.shape))
    tol = max(tol, 10 * np.finfo(design.dtype).eps)
    weighted = design.weigh(problem.Y)
    cross = design.transpose_dot(weighted)
    diagonal = design.compute_column_norms()
    W = np.zeros_like(cross)
    n_iter = np.zeros(len(alphas), dtype=np.int32)
    limits = _Limits(problem.null_objective, np.linalg.norm(cross, axis=0), alphas, tol)
    gradient = cross
    active = np.flatnonzero(~limits.are_met(gradient, slice(None)))
    while len(active) and (n_iter[active] < max_iter).all():
        before = n_iter[active].sum()
        _iterate(design, alphas, diagonal, W, gradient, n_iter, active, limits, max_iter)
        gradient = _compute_descent(problem, alphas, W)
        unmet = active[~limits.are_met(gradient[:, active], active)]
        if n_iter[active].sum() - before <= len(active):
            break  # a fresh start that stops at once: this is what rounding allows
        active = unmet[n_iter[unmet] < max_iter]
    return Result(W, limits.compute_gap(gradient, slice(None)), n_iter, "conjugate gradients")


class _Limits:
    """When a target is solved."""

    def __init__(self, null_objective, cross_norm, alphas, tol):
        self.null_objective = null_objective
        self.cross_norm = cross_norm
        self.alphas = alphas
        self.tol = tol

    def compute_gap(self, gradient, columns):
        squares = np.einsum("ij,ij->j", gradient, gradient)
        alphas = self.alphas[columns]
        # Without a penalty there is no finite dual bound: relative gradient.
        scale = np.maximum(self.cross_norm[columns], 1e-300) ** 2
        relative = squares / scale * self.null_objective[columns]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(alphas > 0, squares / (2 * alphas), relative)

    def are_met(self, gradient, columns):
        norms = np.linalg.norm(gradient, axis=0)
        small = norms <= self.tol * self.cross_norm[columns]
        gap = self.compute_gap(gradient, columns)
        return small & (gap <= self.tol * self.null_objective[columns])


def _compute_descent(problem, alphas, W):
    design = problem.design
    residual = design.weigh(problem.Y - design.dot(W))
    return design.transpose_dot(residual) - alphas * W


def _iterate(design, alphas, diagonal, W, gradient, n_iter, active, limits, max_iter):
    """Conjugate gradients on the columns `active` until each is solved, in place."""
    inverse = 1 / np.maximum(diagonal[:, None] + alphas[active], 1e-300)
    R = gradient[:, active].copy()
    S = inverse * R
    P = S.copy()
    rho = np.einsum("ij,ij->j", R, S)
    while len(active):
        AP = design.transpose_dot(design.weigh(design.dot(P))) + alphas[active] * P
        curvature = np.einsum("ij,ij->j", P, AP)
        step = np.divide(rho, curvature, out=np.zeros_like(rho), where=curvature > 0)
        W[:, active] += step * P
        R -= step * AP
        n_iter[active] += 1
        S = inverse * R
        new_rho = np.einsum("ij,ij->j", R, S)
        beta = np.divide(new_rho, rho, out=np.zeros_like(rho), where=rho > 0)
        rho = new_rho
        going = (step > 0) & (n_iter[active] < max_iter) & ~limits.are_met(R, active)
        if going.all():
            P *= beta
            P += S
            continue
        active, R, rho, inverse = active[going], R[:, going], rho[going], inverse[:, going]
        P = S[:, going] + beta[going] * P[:, going]
