"""A support vector machine on a kernel matrix in memory: to the exact solution if possible.

Sequential minimal optimization to the tolerance, scores computed anew, and then the linear
system of the variables that are off their bounds. All of it is one compiled function: on
small data sets calls cost more than arithmetic.
"""

import numpy as np

from skextra._core.numerics.cholesky import factor_in_place, solve_factored
from skextra._core.numerics.products import add_multiple
from skextra._core.runtime.jit import njit
from skextra._core.svm.smo import solve_matrix

_FAST = {"contract", "reassoc", "nsz"}
_EPS = np.finfo(np.float64).eps
# Free variables up to which their system is factored (25 ms), and variables that may meet a
# bound on the way to the exact solution.
_MOST_FREE, _MAX_REMOVALS = 600, 20
# Times that steps go on after what their rounding has done to the sum was put right.
_MAX_BALANCED = 3
# Multiplications that these systems may take together.
_MOST_WORK = 1e9
#: How a fit ended: short of the tolerance; there; at the exact solution.
SHORT, CLOSE, EXACT = 0, 1, 2


@njit
def solve(K, diag, y, C, alpha, f, tol, limit):
    """Minimize over all rows of a kernel matrix; `alpha` and `f` are updated in place.

    Parameters
    ----------
    K : ndarray of shape (n, n), C-ordered and float64
    diag, y, C, alpha, f, tol
        As of `solve_matrix`.
    limit : int
        Pairs at most.

    Returns
    -------
    n_iter : int
        Pairs solved.
    state : int
        SHORT, CLOSE or EXACT.
    """
    if not np.isfinite(np.sum(diag)):
        alpha[:] = np.nan
        return 0, SHORT
    n_iter, aim, n_balanced = 0, tol, 0
    while True:
        budget = min(limit - n_iter, 100_000 + 100 * len(y))
        n_steps, _ = solve_matrix(K, diag, y, C, alpha, f, aim, budget)
        n_iter += n_steps
        # Scores gather rounding errors from step to step.
        compute_scores(K, y, alpha, f)
        if not np.isfinite(np.sum(f)):
            alpha[:] = np.nan
            return n_iter, SHORT
        violation = compute_violation(y, C, alpha, f)
        if violation <= max(tol, bound_rounding(diag, alpha)):
            # And so does the sum of the dual variables.
            if not balance(y, C, alpha):
                break
            compute_scores(K, y, alpha, f)
            violation, n_balanced = compute_violation(y, C, alpha, f), n_balanced + 1
            if violation <= max(tol, bound_rounding(diag, alpha)) or n_balanced > _MAX_BALANCED:
                break
        # Not a number is not larger than anything.
        if n_iter >= limit or n_steps == 0 or not violation > tol:
            return n_iter, SHORT
        aim = 0.5 * tol
    budget = min(limit - n_iter, n_iter // 4)
    close_alpha, close_f = alpha.copy(), f.copy()
    for attempt in range(2):
        if attempt == 1:
            # A few more steps may tell which variables are free.
            n_steps, _ = solve_matrix(K, diag, y, C, alpha, f, 0.1 * tol, budget)
            n_iter += n_steps
        exact, n_free = solve_free(K, y, C, alpha, f)
        if n_free > 0:
            scores = np.empty(len(y))
            compute_scores(K, y, exact, scores)
            # Where the system is singular, the solution may be anything.
            allowed = min(1e3 * bound_rounding(diag, exact), max(tol, violation))
            if compute_violation(y, C, exact, scores) <= allowed:
                for i in range(len(y)):
                    alpha[i], f[i] = exact[i], scores[i]
                return n_iter, EXACT
    # Steps that were cut short may have led away: the violation does not fall with each.
    compute_scores(K, y, alpha, f)
    if not compute_violation(y, C, alpha, f) <= violation:
        for i in range(len(y)):
            alpha[i], f[i] = close_alpha[i], close_f[i]
    return n_iter, CLOSE


@njit(fastmath=_FAST)
def compute_scores(K, y, alpha, f):
    """``K @ (alpha * y) - y`` into `f`, over rows of a symmetric matrix."""
    for t in range(f.shape[0]):
        f[t] = -y[t]
    for i in range(f.shape[0]):
        if alpha[i] != 0.0:
            add_multiple(K[i], alpha[i] * y[i], f)


@njit
def bound_rounding(diag, alpha):
    """Error of scores that rounding explains."""
    # No entry of a positive semidefinite matrix is larger than the largest on its diagonal.
    largest, total = 0.0, 0.0
    for i in range(alpha.shape[0]):
        largest = max(largest, abs(diag[i]))
        total += alpha[i]
    return 8 * _EPS * max(largest * total, 1.0)


@njit
def compute_violation(y, C, alpha, f):
    """Largest score of a low row less the smallest of an up row."""
    high, least = -np.inf, np.inf
    for i in range(y.shape[0]):
        if (alpha[i] < C[i]) if y[i] > 0.0 else (alpha[i] > 0.0):
            least = min(least, f[i])
        if (alpha[i] > 0.0) if y[i] > 0.0 else (alpha[i] < C[i]):
            high = max(high, f[i])
    return high - least


@njit
def compute_intercept(y, C, alpha, f):
    """Minus the mean score of the free rows; without any, the middle of what fits."""
    high, least, total, n_free = -np.inf, np.inf, 0.0, 0
    for i in range(y.shape[0]):
        is_up = (alpha[i] < C[i]) if y[i] > 0.0 else (alpha[i] > 0.0)
        is_low = (alpha[i] > 0.0) if y[i] > 0.0 else (alpha[i] < C[i])
        if is_up and is_low:
            total += f[i]
            n_free += 1
        elif is_up:
            least = min(least, f[i])
        elif is_low:
            high = max(high, f[i])
    return -total / n_free if n_free else -0.5 * (least + high)


@njit
def compute_gap(y, C, alpha, f, intercept):
    """Duality gap relative to the primal objective of the best constant.

    Every sample's share is that by which it misses complementary slackness, and none is
    negative: nothing cancels.
    """
    total, up, down = 0.0, 0.0, 0.0
    for i in range(y.shape[0]):
        margin = y[i] * (f[i] + intercept)  # less one
        if margin >= 0.0:
            total += alpha[i] * margin
        else:
            # Without an upper bound, a sample within the margin has an infinite loss.
            total -= (C[i] - alpha[i]) * margin
        if y[i] > 0.0:
            up += C[i]
        else:
            down += C[i]
    scale = 2.0 * min(up, down)
    return total / scale if np.isfinite(scale) else total


@njit
def solve_free(K, y, C, alpha, f):
    """Minimizer over the variables off their bounds, if these are few.

    On the way there, variables that meet a bound stay at it.

    Returns
    -------
    alpha : ndarray of shape (n,)
    n_free : int
        How many are free there; 0 if there is no minimizer, or finding it costs too much.
    """
    alpha, f = alpha.copy(), f.copy()
    free, n_free = np.empty(_MOST_FREE, dtype=np.int64), np.int64(0)
    for i in range(len(y)):
        if 0.0 < alpha[i] < C[i]:
            if n_free == _MOST_FREE:
                return alpha, 0
            free[n_free] = i
            n_free += 1
    factor, ones = np.empty((n_free, n_free)), np.empty(n_free)
    step = np.empty(n_free)
    work = 0.0
    for _ in range(_MAX_REMOVALS):
        work += np.float64(n_free) ** 3 / 6.0
        if n_free == 0 or work > _MOST_WORK or not factor_free(K, free, n_free, factor, ones):
            return alpha, 0
        find_step(factor, ones, free, n_free, y, f, step)
        length, first = 1.0, -1
        for s in range(n_free):
            i = free[s]
            room = C[i] - alpha[i] if step[s] > 0.0 else alpha[i]
            if abs(step[s]) * length > room:
                length, first = room / abs(step[s]), s
        for s in range(n_free):
            i = free[s]
            alpha[i] = min(max(alpha[i] + length * step[s], 0.0), C[i])
            add_multiple(K[i], length * step[s] * y[i], f)
        if first < 0:
            # Once more, against rounding.
            find_step(factor, ones, free, n_free, y, f, step)
            for s in range(n_free):
                i = free[s]
                alpha[i] = min(max(alpha[i] + step[s], 0.0), C[i])
            balance_free(y, C, alpha, free, n_free)
            return alpha, n_free
        i = free[first]
        alpha[i] = C[i] if step[first] > 0.0 else 0.0
        n_free -= 1
        for s in range(first, n_free):
            free[s] = free[s + 1]
    return alpha, 0


@njit
def balance(y, C, alpha):
    """Make ``y @ alpha`` zero, if it is more than rounding; returns whether that took a change."""
    free, n_free = np.empty(len(y), dtype=np.int64), 0
    excess, total = 0.0, 0.0
    for i in range(len(y)):
        excess += y[i] * alpha[i]
        total += alpha[i]
    if abs(excess) <= 64 * _EPS * total:
        return False
    for i in range(len(y)):
        if 0.0 < alpha[i] < C[i]:
            free[n_free] = i
            n_free += 1
    if n_free > 0:
        balance_free(y, C, alpha, free, n_free)
    return n_free > 0


@njit
def balance_free(y, C, alpha, free, n_free):
    """Make ``y @ alpha`` zero to rounding, by the free variable with the most room.

    Steps of a nearly singular system leave a sum, which the intercept would have to pay for.
    """
    for _ in range(2):
        excess = 0.0
        for i in range(len(y)):
            excess += y[i] * alpha[i]
        widest, room = free[0], -1.0
        for s in range(n_free):
            i = free[s]
            if min(alpha[i], C[i] - alpha[i]) > room:
                widest, room = i, min(alpha[i], C[i] - alpha[i])
        if abs(excess) < room:
            alpha[widest] -= excess * y[widest]


@njit
def factor_free(K, free, n_free, factor, ones):
    """Factor of the free rows' matrix, and what it makes of ones; False if it is singular."""
    largest = 0.0
    for s in range(n_free):
        row = K[free[s]]
        largest = max(largest, abs(row[free[s]]))
        for t in range(s + 1):
            factor[s, t] = row[free[t]]
    for s in range(n_free):
        factor[s, s] += 1e-12 * largest  # equal rows share evenly
        ones[s] = 1.0
    if not factor_in_place(factor, n_free, 0.0):
        return False
    solve_factored(factor, n_free, ones)
    return True


@njit
def find_step(factor, ones, free, n_free, y, f, step):
    """Step of the free variables that makes their scores equal and keeps ``y @ alpha``."""
    for s in range(n_free):
        step[s] = -f[free[s]]
    solve_factored(factor, n_free, step)
    share = np.sum(step[:n_free]) / np.sum(ones[:n_free])
    for s in range(n_free):
        step[s] = (step[s] - share * ones[s]) * y[free[s]]
