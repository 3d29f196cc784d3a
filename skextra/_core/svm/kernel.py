"""The soft-margin support vector machine between two classes, with its certificate."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from skextra._core.svm import smo_small
from skextra._core.svm.smo import solve_matrix
from skextra._core.svm.smo_blocks import BlockSolver, update_far_scores
from skextra._core.svm.smo_small import compute_gap, compute_intercept, compute_violation

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
    K = source.compute_whole()
    if not K.flags.writeable:
        K = K.copy()  # numba would compile anew
    diag = np.ascontiguousarray(K.diagonal())
    n_iter, state = smo_small.solve(K, diag, y, C, alpha, f, tol, limit)
    if state == smo_small.MANY:
        n_iter += _finish(K, diag, y, C, alpha, f, tol, min(limit - n_iter, n_iter // 4))
    return n_iter, state != smo_small.SHORT


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
            scores = np.empty(len(y))
            smo_small.compute_scores(K, y, exact, scores)
            violation = compute_violation(y, C, exact, scores)
            # Where the system is singular, the solution may be anything.
            if violation <= 1e3 * smo_small.bound_rounding(diag, exact):
                alpha[:], f[:] = exact, scores
                break
    return n_steps


def _solve_free(K, y, C, alpha, f):
    """As `smo_small.solve_free`, for many variables; None if there is no minimiser."""
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
        f += (length * step * y[free]) @ K[free]
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
