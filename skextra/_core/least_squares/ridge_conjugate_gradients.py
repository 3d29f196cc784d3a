"""Ridge regression by conjugate gradients, all targets in step, with certificate."""

import numpy as np

from skextra._core.least_squares.problem import Result

# Squared lengths of columns that differ by more than this are in different units.
_UNITS = 1e6


def solve_iterative(problem, alphas, *, tol=1e-4, max_iter=None):
    """Minimize by conjugate gradients, preconditioned with the diagonal of tall data.

    A target is done when the gradient relative to its start is at most `tol` and
    the relative duality gap at most 1 % of it; both are checked on a gradient
    computed afresh, and the iteration starts again from there if rounding has
    let it drift.

    Parameters
    ----------
    problem : Problem
    alphas : ndarray of shape (n_targets,)
    tol : float
    max_iter : int or None
        None allows ten times the smaller dimension, and at least 1000.

    Returns
    -------
    result : problem.Result
        ``n_iter`` counts products with Z and its transpose, a target each.
    """
    design = problem.design
    if max_iter is None:
        max_iter = max(1000, 10 * min(design.shape))
    tol = max(tol, 10 * np.finfo(np.float64).eps)
    weighted = design.weigh(problem.Y)
    cross = design.transpose_dot(weighted)
    diagonal = design.compute_column_norms()
    # The Gram matrix of more columns than rows is too far from its diagonal for
    # that to help (measured: twice the iterations), unless its columns differ in units.
    is_wide = design.shape[1] > design.shape[0]
    if is_wide and diagonal.max() < _UNITS * diagonal[diagonal > 0].min(initial=np.inf):
        diagonal = np.zeros(design.shape[1])
    W = np.zeros_like(cross)
    n_iter = np.zeros(len(alphas), dtype=np.int32)
    limits = _Limits(problem.null_objective, cross, alphas, tol)
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
    return Result(W, limits.compute_gap(gradient), n_iter, "conjugate gradients")


class _Limits:
    """When a target is solved, as a bound on the squared norm of its gradient."""

    def __init__(self, null_objective, cross, alphas, tol):
        self.null_objective = null_objective
        self.alphas = alphas
        self.cross_squares = np.einsum("ij,ij->j", cross, cross)
        self.squares = tol**2 * self.cross_squares
        # The gap goes with the square of the gradient: 1 % of `tol` costs a few
        # iterations more and keeps coefficients as good as the data allow.
        bound = 0.01 * tol * null_objective * 2 * alphas
        self.squares = np.where(alphas > 0, np.minimum(self.squares, bound), self.squares)

    def compute_gap(self, gradient):
        """Duality gap; without a penalty there is none: the relative gradient."""
        squares = np.einsum("ij,ij->j", gradient, gradient)
        relative = squares / np.maximum(self.cross_squares, 1e-300) * self.null_objective
        gap = np.divide(squares, 2 * self.alphas, out=np.zeros_like(squares), where=self.alphas > 0)
        return np.where(self.alphas > 0, gap, relative)

    def are_met(self, gradient, columns):
        return np.einsum("ij,ij->j", gradient, gradient) <= self.squares[columns]


def _compute_descent(problem, alphas, W):
    design = problem.design
    residual = design.weigh(problem.Y - design.dot(W))
    return design.transpose_dot(residual) - alphas * W


def _iterate(design, alphas, diagonal, W, gradient, n_iter, active, limits, max_iter):
    """Conjugate gradients on the columns `active` until each is solved, in place."""
    inverse = diagonal[:, None] + alphas[active]
    inverse = np.divide(1, inverse, out=np.ones_like(inverse), where=inverse > 0)
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
