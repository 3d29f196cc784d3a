"""The soft-margin support vector machine between two classes, with its certificate."""

from dataclasses import dataclass

import numpy as np

from skextra._core.svm import smo_small
from skextra._core.svm.result import BinarySVMResult
from skextra._core.svm.smo_blocks import BlockSolver, compute_scores, update_far_scores
from skextra._core.svm.smo_small import (
    balance,
    compute_gap,
    compute_intercept,
    compute_violation,
)
from skextra._core.svm.solver_choice import KernelSolver, choose_kernel_solver

_SINGLE_SHARE = 0.02  # of the tolerance, that rounding of a single precision value may take
_MANY_STEPS = 10_000_000  # where no limit is asked for
# Rounding errors of scores, relative to the largest kernel value and the length of alpha.
_NOISE = 8 * np.finfo(np.float64).eps
# Where kernel values are so large that violations below the tolerance cannot be told from
# rounding, the gap decides: as part of the tolerance.
_GAP_SHARE = 1e-3


@dataclass
class Settings:
    """How to solve.

    Attributes
    ----------
    tol : float
        Largest violation of optimality, a difference of scores.
    max_iter : int
        Pairs at most, -1 for no limit but that of a safeguard.
    cache_bytes : float
    shrinking : bool
    report : callable or None
        Called now and then while a large problem is solved.
    """

    tol: float = 1e-3
    max_iter: int = -1
    cache_bytes: float = 200e6
    shrinking: bool = True
    report: object = None


def solve(source, y, C, settings):
    """Fit to samples of two classes.

    Parameters
    ----------
    source : Gram source
    y : ndarray of shape (n_samples,)
        -1 and 1.
    C : ndarray of shape (n_samples,)
        Positive weight of each sample's loss.
    settings : Settings

    Returns
    -------
    result : BinarySVMResult
        Its intercept goes with the kernel values of the source.
    """
    if (y > 0).all() or (y < 0).all():
        # All samples of one class are on the right side of a constant.
        return BinarySVMResult(np.zeros(len(y)), float(np.sign(y.sum())), 0.0, 0, True)
    n = len(y)
    alpha, f = np.zeros(n), -y
    limit = settings.max_iter if settings.max_iter >= 0 else max(_MANY_STEPS, 100 * n)
    choice = choose_kernel_solver(n, source.points is None, settings.cache_bytes)
    if choice is KernelSolver.WHOLE_MATRIX:
        n_iter = _solve_whole(source, y, C, alpha, f, settings.tol, limit)
    else:
        n_iter = _solve_by_blocks(source, y, C, alpha, f, settings, limit)
    if not np.isfinite(alpha).all():
        return BinarySVMResult(alpha, np.nan, np.inf, n_iter, False)
    # Large kernel values and coefficients that cancel: what their rounding does to scores counts.
    noise = _NOISE * source.compute_magnitude() * float(np.linalg.norm(alpha))
    _balance(source, y, C, alpha, f)
    intercept = compute_intercept(y, C, alpha, f)
    gap = compute_gap(y, C, alpha, f, intercept) + noise * _weigh_all(y, C)
    violation = compute_violation(y, C, alpha, f)
    limit = (1.0 + 1e-6) * settings.tol  # scores computed anew differ in their last digits
    is_optimal = violation <= limit and noise <= settings.tol
    converged = bool(is_optimal or gap <= _GAP_SHARE * settings.tol)
    return BinarySVMResult(alpha, intercept, gap, n_iter, converged)


def _balance(source, y, C, alpha, f):
    """Make ``y @ alpha`` zero, which steps have left to rounding; scores change along."""
    before = alpha.copy()
    balance(y, C, alpha)
    moved = np.flatnonzero(np.abs(alpha - before) > _NOISE * np.abs(before))
    if len(moved):
        change = ((alpha - before) * y)[moved]
        update_far_scores(source, np.arange(len(y)), moved, change, f, np.float64)


def _weigh_all(y, C):
    """Loss of all samples, beside the objective of the best constant, at margins of 0 each."""
    total, positive = float(C.sum()), float(C[y > 0].sum())
    return total / (2.0 * min(positive, total - positive)) if np.isfinite(total) else 1.0


def _solve_whole(source, y, C, alpha, f, tol, limit):
    K = source.compute_whole()
    if not K.flags.writeable:
        K = K.copy()  # numba would compile anew
    diag = np.ascontiguousarray(K.diagonal())
    return smo_small.solve(K, diag, y, C, alpha, f, tol, limit)[0]


def _solve_by_blocks(source, y, C, alpha, f, settings, limit):
    rounding = np.finfo(np.float32).eps * source.compute_magnitude()
    dtype = np.float32 if rounding <= _SINGLE_SHARE * settings.tol else np.float64
    n_iter = 0
    while True:
        solver = BlockSolver(
            source, y, C, alpha, f, settings.cache_bytes, dtype, settings.shrinking
        )
        violation = solver.solve(settings.tol, limit - n_iter, settings.report)
        n_iter += solver.n_steps
        is_sure = _verify_scores(source, y, C, alpha, f, settings.tol)
        if not violation <= settings.tol or n_iter >= limit:
            return n_iter
        if dtype == np.float64 or (is_sure and compute_violation(y, C, alpha, f) <= settings.tol):
            return n_iter
        # Single precision cannot tell: go on from here in double.
        dtype = np.float64
        f[:] = -y
        moved = np.flatnonzero(alpha)
        update_far_scores(source, np.arange(len(y)), moved, (alpha * y)[moved], f, dtype)


def _verify_scores(source, y, C, alpha, f, tol):
    """Compute anew, in double precision, the scores on which optimality depends.

    These are the scores of samples that are free or so close to the margin that rounding of
    kernel values and sums might put them on its other side. All others take no part in the
    gap, and in no violation.

    Returns
    -------
    is_sure : bool
        Whether the scores were wrong by much less than the distance that the others keep.
    """
    intercept = compute_intercept(y, C, alpha, f)
    distance = np.abs(f + intercept)
    is_free = (alpha > 0) & (alpha < C)
    moved = np.flatnonzero(alpha)
    for share in (20.0, np.inf):
        rows = np.flatnonzero(is_free | (distance <= share * tol))
        if len(rows) == 0:
            return True
        exact = compute_scores(source, rows, moved, (alpha * y)[moved], np.float64) - y[rows]
        error = float(np.abs(exact - f[rows]).max())
        f[rows] = exact
        if not error > 0.25 * share * tol:
            break
    return error <= 0.25 * tol
