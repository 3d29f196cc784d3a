"""Sequential minimal optimization on a kernel matrix that is at hand.

The dual of the soft-margin support vector machine, with ``y`` in {-1, 1} and ``K``
the kernel matrix::

    min  1/2 sum_ij alpha_i alpha_j y_i y_j K_ij - sum_i alpha_i
    s.t. 0 <= alpha_i <= C_i,   sum_i y_i alpha_i = 0 .

Everything is said in the scores ``f_i = sum_j alpha_j y_j K_ij - y_i``, the gradient
times the label. A row is *up* if ``y_i alpha_i`` may grow and *low* if it may shrink;
the optimum is where no up row has a smaller score than a low one, and minus the
score in between is the intercept.
"""

import numpy as np

from skextra._core.runtime.jit import njit

# No `ninf`: a row that is not up carries an infinite penalty.
_FAST = {"contract", "reassoc", "nsz", "nnan"}
_FLAT = 1e-12  # curvature of a direction in which the kernel has none
_MAGNITUDE = 0x7FFFFFFFFFFFFFFF


@njit
def mark_bounds(y, C, alpha, up, low):
    """Infinite penalties for the rows that are not up, and not low."""
    for t in range(y.shape[0]):
        mark_row(t, y, C, alpha, up, low)


@njit
def mark_row(t, y, C, alpha, up, low):
    below, above = alpha[t] < C[t], alpha[t] > 0.0
    if y[t] < 0.0:
        below, above = above, below
    up[t] = 0.0 if below else np.inf
    low[t] = 0.0 if above else np.inf


# Compilers vectorize minima and maxima of integers, not of floating-point numbers:
# bits of the latter sort like them once those of negative numbers are turned round.
@njit
def find_smallest(values):
    """Position of the smallest number, the last of equals."""
    keys = values.view(np.int64)
    least = np.int64(_MAGNITUDE)
    for t in range(keys.shape[0]):
        key = keys[t]
        key ^= (key >> 63) & _MAGNITUDE
        least = min(least, key)
    least ^= (least >> 63) & _MAGNITUDE
    return find_last(keys, least)


@njit
def find_largest(magnitudes):
    """Position of the largest of numbers that are not negative, the last of equals."""
    keys = magnitudes.view(np.int64)
    most = np.int64(0)
    for t in range(keys.shape[0]):
        most = max(most, keys[t])
    return find_last(keys, most)


@njit
def find_last(keys, key):
    found = np.int64(0)
    for t in range(keys.shape[0]):
        found = max(found, t if keys[t] == key else 0)
    return found


@njit(fastmath=_FAST)
def find_up(f, up, scratch):
    """Up row of the smallest score and the score; infinite if no row is up."""
    for t in range(f.shape[0]):
        scratch[t] = f[t] + up[t]
    found = find_smallest(scratch)
    return found, scratch[found]


@njit(fastmath=_FAST, error_model="numpy")
def find_partner(f_i, diag_i, row, diag, f, low, gaps, gains):
    """Low row whose pair with the up row of score `f_i` lowers the objective most.

    Returns
    -------
    j : int
    violation : float
        Largest score of a low row less `f_i`, 0 at least.

    References
    ----------
    Fan, Chen & Lin, "Working set selection using second order information for
    training support vector machines", JMLR 6 (2005), WSS 2.
    """
    for t in range(f.shape[0]):
        gap = f[t] - low[t] - f_i
        gap = gap if gap > 0.0 else 0.0
        curvature = diag_i + diag[t] - 2.0 * row[t]
        curvature = curvature if curvature > 0.0 else _FLAT
        gaps[t] = gap
        gains[t] = gap * gap / curvature
    return find_largest(gains), gaps[find_largest(gaps)]


@njit
def step_pair(i, j, step, y, C, alpha):
    """Move ``y_i alpha_i`` up and ``y_j alpha_j`` down by `step` at most; returns by how much."""
    room_i = C[i] - alpha[i] if y[i] > 0.0 else alpha[i]
    room_j = alpha[j] if y[j] > 0.0 else C[j] - alpha[j]
    taken = min(step, room_i, room_j)
    # Bounds are hit exactly: what is at one must not look free.
    if taken == room_i:
        alpha[i] = C[i] if y[i] > 0.0 else 0.0
    else:
        alpha[i] += taken * y[i]
    if taken == room_j:
        alpha[j] = 0.0 if y[j] > 0.0 else C[j]
    else:
        alpha[j] -= taken * y[j]
    return taken


@njit(fastmath=_FAST)
def update_scores(f, row_i, row_j, step):
    for t in range(f.shape[0]):
        f[t] += step * (row_i[t] - row_j[t])


@njit
def solve_matrix(K, diag, y, C, alpha, f, tol, max_steps):
    """Minimize over all rows of a kernel matrix; `alpha` and `f` are updated in place.

    Parameters
    ----------
    K : ndarray of shape (n, n), C-ordered, float32 or float64
    diag : ndarray of shape (n,)
        Of the kernel matrix.
    y, C, alpha, f : ndarray of shape (n,) and float64
        Labels, upper bounds, where to start and the scores there.
    tol : float
        Largest difference of scores, a low row's less an up row's, to end at.
    max_steps : int
        Pairs at most.

    Returns
    -------
    n_steps : int
    violation : float
        When it ended.
    """
    n = y.shape[0]
    up, low, gaps, gains = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    mark_bounds(y, C, alpha, up, low)
    n_steps = 0
    while True:
        i, f_i = find_up(f, up, gains)
        if f_i == np.inf:
            return n_steps, 0.0
        j, violation = find_partner(f_i, diag[i], K[i], diag, f, low, gaps, gains)
        if violation <= tol or n_steps == max_steps:
            return n_steps, violation
        curvature = diag[i] + diag[j] - 2.0 * K[i, j]
        curvature = curvature if curvature > 0.0 else _FLAT
        taken = step_pair(i, j, (f[j] - f_i) / curvature, y, C, alpha)
        update_scores(f, K[i], K[j], taken)
        mark_row(i, y, C, alpha, up, low)
        mark_row(j, y, C, alpha, up, low)
        n_steps += 1
