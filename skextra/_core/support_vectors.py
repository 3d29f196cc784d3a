"""The soft-margin support vector machine between two classes, with its certificate."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from skextra._core.smo import solve_matrix
from skextra._core.smo_blocks import BlockSolver, update_far_scores

DIRECT = 1536  # samples up to which the whole kernel matrix is at hand, in double precision
DIRECT_IF_AT_HAND = 4000  # the same if it is given
_SINGLE_SHARE = 0.02  # of the tolerance, that rounding of a single precision value may take
_MANY_STEPS = 10_000_000  # where no limit is asked for
_MOST_FREE = 600  # variables whose system costs little beside the rest
_MAX_REMOVALS = 20  # of variables that meet a bound on the way to the exact solution
_EPS = np.finfo(np.float64).eps


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


@dataclass
class Machine:
    """What a fit between two classes found.

    Attributes
    ----------
    alpha : ndarray of shape (n_samples,)
        Dual variables, between 0 and C.
    intercept : float
    gap : float
        Duality gap over the primal objective of the best constant.
    n_iter : int
        Pairs solved.
    converged : bool
    """

    alpha: np.ndarray
    intercept: float
    gap: float
    n_iter: int
    converged: bool


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
    machine : Machine
    """
    n = len(y)
    alpha, f = np.zeros(n), -y
    limit = settings.max_iter if settings.max_iter >= 0 else max(_MANY_STEPS, 100 * n)
    at_hand = source.points is None and n <= DIRECT_IF_AT_HAND
    if at_hand or (n <= DIRECT and 8 * n * n <= settings.cache_bytes):
        n_iter, converged = _solve_directly(source, y, C, alpha, f, settings.tol, limit)
    else:
        n_iter, converged = _solve_by_blocks(source, y, C, alpha, f, settings, limit)
    intercept = compute_intercept(y, C, alpha, f)
    gap = compute_gap(y, C, alpha, f, intercept)
    return Machine(alpha, intercept, gap, n_iter, converged)


def _solve_directly(source, y, C, alpha, f, tol, limit):
    K = source.compute_block()
    if not np.isfinite(K.sum()):
        alpha[:] = np.nan
        return 0, False
    diag = np.ascontiguousarray(K.diagonal())
    n_iter, aim = 0, tol
    while True:
        budget = min(limit - n_iter, 100_000 + 100 * len(y))
        n_steps, _ = solve_matrix(K, diag, y, C, alpha, f, aim, budget)
        n_iter += n_steps
        # Scores gather rounding errors from step to step.
        f[:] = K @ (alpha * y) - y
        violation = compute_violation(y, C, alpha, f)
        if violation <= max(tol, _bound_rounding(diag, alpha)):
            break
        # Not a number is not larger than anything.
        if n_iter >= limit or n_steps == 0 or not violation > tol:
            return n_iter, False
        aim = 0.5 * tol
    return n_iter + _finish(K, diag, y, C, alpha, f, tol, min(limit - n_iter, n_iter // 4)), True


def _bound_rounding(diag, alpha):
    # No entry of a positive semidefinite matrix is larger than the largest on its diagonal.
    return 8 * _EPS * max(float(np.abs(diag).max() * alpha.sum()), 1.0)


def _finish(K, diag, y, C, alpha, f, tol, budget):
    """Go on to the exact solution, if few more steps tell which variables are free.

    Returns
    -------
    n_steps : int
        Taken to find out.
    """
    n_steps = 0
    for aim in (tol, 0.1 * tol):
        if aim < tol:
            n_steps, _ = solve_matrix(K, diag, y, C, alpha, f, aim, budget)
        exact = _solve_free(K, y, C, alpha, f)
        if exact is not None:
            scores = K @ (exact * y) - y
            violation = compute_violation(y, C, exact, scores)
            # Where the system is singular, the solution may be anything.
            if violation <= 1e3 * _bound_rounding(diag, exact):
                alpha[:], f[:] = exact, scores
                break
    return n_steps


def _solve_free(K, y, C, alpha, f):
    """Minimiser over the variables off their bounds; None if there is none.

    On the way there, variables that meet a bound stay at it.
    """
    alpha, f = alpha.copy(), f.copy()
    for _ in range(_MAX_REMOVALS):
        free = np.flatnonzero((alpha > 0) & (alpha < C))
        solve_system = _factorise(K, free) if 0 < len(free) <= _MOST_FREE else None
        if solve_system is None:
            return None
        step = solve_system(-f[free]) * y[free]
        room = np.where(step > 0, C[free] - alpha[free], alpha[free])
        with np.errstate(divide="ignore", invalid="ignore"):
            lengths = np.where(step != 0, room / np.abs(step), np.inf)
        first = int(lengths.argmin())
        length = min(lengths[first], 1.0)
        alpha[free] = np.clip(alpha[free] + length * step, 0.0, C[free])
        f += K[:, free] @ (length * step * y[free])
        if length == 1.0:
            # Once more, against rounding.
            step = solve_system(-f[free]) * y[free]
            alpha[free] = np.clip(alpha[free] + step, 0.0, C[free])
            return alpha
        alpha[free[first]] = C[free[first]] if step[first] > 0 else 0.0
    return None


def _factorise(K, free):
    """Function from residuals to steps, of sum zero, that make them equal; None if singular."""
    system = K.take(free, axis=0).take(free, axis=1)
    # Equal rows share evenly.
    system[np.diag_indices_from(system)] += 1e-12 * np.abs(system.diagonal()).max()
    factor, failed = lapack.dpotrf(system.T, lower=1, clean=0, overwrite_a=1)
    if failed:
        return None
    ones = lapack.dpotrs(factor, np.ones(len(free)), lower=1)[0]

    def solve_system(residual):
        step = lapack.dpotrs(factor, residual, lower=1)[0]
        return step - ones * (step.sum() / ones.sum())

    return solve_system


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
        if not violation <= settings.tol:
            return n_iter, False
        if dtype == np.float64 or _estimate_noise(source, alpha) <= settings.tol:
            return n_iter, True
        # Single precision cannot tell: go on from here in double.
        dtype = np.float64
        f[:] = -y
        moved = np.flatnonzero(alpha)
        update_far_scores(source, np.arange(len(y)), moved, (alpha * y)[moved], f, dtype)


def _estimate_noise(source, alpha):
    """Typical error of a score from kernel values in single precision."""
    return np.finfo(np.float32).eps * source.compute_magnitude() * np.linalg.norm(alpha)


def find_sides(y, C, alpha):
    """Which rows' ``y alpha`` may grow, and which may shrink."""
    below, above = alpha < C, alpha > 0
    return np.where(y > 0, below, above), np.where(y > 0, above, below)


def compute_violation(y, C, alpha, f):
    """Largest score of a low row less the smallest of an up row."""
    up, low = find_sides(y, C, alpha)
    return np.max(f[low], initial=-np.inf) - np.min(f[up], initial=np.inf)


def compute_intercept(y, C, alpha, f):
    """Minus the mean score of the free rows; without any, the middle of what fits."""
    up, low = find_sides(y, C, alpha)
    free = up & low
    if free.any():
        return -float(f[free].mean())
    return -0.5 * float(np.min(f[up]) + np.max(f[low]))


def compute_gap(y, C, alpha, f, intercept):
    """Duality gap relative to the primal objective of the best constant.

    Every sample's share is that by which it misses complementary slackness, and none is
    negative: nothing cancels.
    """
    margin = y * (f + intercept)  # less one
    missed = np.maximum(-margin, 0.0)
    shares = alpha * np.maximum(margin, 0.0)
    # Without an upper bound, a sample within the margin has an infinite loss.
    inside = missed > 0
    shares[inside] += (C - alpha)[inside] * missed[inside]
    scale = 2.0 * min(C[y > 0].sum(), C[y < 0].sum())
    return float(shares.sum() / scale) if np.isfinite(scale) else float(shares.sum())
