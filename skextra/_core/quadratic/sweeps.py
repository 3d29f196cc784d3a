"""Coordinate descent for the elastic net on a Gram matrix.

Minimizes ``||y - X w||^2 / 2 + sum_j l1_j |w_j| + l2_j w_j^2 / 2``.

References
----------
Friedman, Hastie & Tibshirani, "Regularization paths for generalized linear
models via coordinate descent", J. Stat. Softw. 33 (2010): covariance updates.
"""

import numpy as np

from skextra._core.quadratic.elastic_net_penalty import soft_threshold
from skextra._core.runtime.jit import njit

# Sums may be reordered (that is what makes them SIMD); NaN and inf keep their meaning.
FAST = {"contract", "reassoc", "nsz"}
# A sweep over all coordinates, then sweeps over those that are not zero.
CYCLE = 5


@njit(fastmath=FAST)
def shuffle(order, n, state):
    """Fisher-Yates on ``order[:n]`` with a xorshift generator; returns its new state."""
    for i in range(n - 1, 0, -1):
        state ^= (state << np.uint64(13)) & np.uint64(0xFFFFFFFFFFFFFFFF)
        state ^= state >> np.uint64(7)
        state ^= (state << np.uint64(17)) & np.uint64(0xFFFFFFFFFFFFFFFF)
        k = np.int64(state % np.uint64(i + 1))
        order[i], order[k] = order[k], order[i]
    return state


@njit(fastmath=FAST)
def sweep_gram(gram, c, w, l1, l2, order, n_order, positive):
    """Minimize over each coordinate in `order`; returns the largest change."""
    largest = 0.0
    n = c.shape[0]
    for i in range(n_order):
        j = order[i]
        curvature = gram[j, j] + l2[j]
        if curvature <= 0.0:
            # A start may put a value on a column of zeros, which no residual would undo.
            w[j] = 0.0
            continue
        old = w[j]
        new = soft_threshold(c[j] + gram[j, j] * old, l1[j], positive) / curvature
        if new != old:
            delta = new - old
            w[j] = new
            row = gram[j]
            for k in range(n):
                c[k] -= delta * row[k]
            largest = max(largest, abs(delta))
    return largest


@njit
def find_nonzero(w, out):
    """Write the indices of non-zero entries to `out`; return how many."""
    n = 0
    for j in range(w.shape[0]):
        if w[j] != 0.0:
            out[n] = j
            n += 1
    return n


@njit
def is_settled(w, largest_move, tol):
    """Whether the last sweep moved no coefficient by more than `tol` of the largest."""
    largest = 0.0
    for j in range(w.shape[0]):
        largest = max(largest, abs(w[j]))
    return largest_move == 0.0 or largest_move <= tol * largest
