"""Coordinate descent kernels for the elastic net, on a Gram matrix or on columns.

All minimize ``||y - X w||^2 / 2 + sum_j l1_j |w_j| + l2_j w_j^2 / 2``.

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


@njit(fastmath=FAST)
def sweep_dense(columns, norms, r, w, l1, l2, order, n_order, positive):
    """As `sweep_gram`, on columns (rows of `columns`) and the residual `r`."""
    largest = 0.0
    n = r.shape[0]
    for i in range(n_order):
        j = order[i]
        curvature = norms[j] + l2[j]
        if curvature <= 0.0:
            w[j] = 0.0
            continue
        column = columns[j]
        c = 0.0
        for k in range(n):
            c += column[k] * r[k]
        old = w[j]
        new = soft_threshold(c + norms[j] * old, l1[j], positive) / curvature
        if new != old:
            delta = new - old
            w[j] = new
            for k in range(n):
                r[k] -= delta * column[k]
            largest = max(largest, curvature * delta * delta)
    return largest


@njit(fastmath=FAST)
def sweep_sparse(
    data, indices, indptr, mean, total, norms, r, offset, w, l1, l2, order, n_order, positive
):
    """As `sweep_dense`, on centered sparse columns.

    The residual is ``r + offset * root`` with `root` the square roots of the
    sample weights; only `r` is sparse to update. `total` is ``root @ root``
    (zero without an intercept).
    """
    largest = 0.0
    for i in range(n_order):
        j = order[i]
        curvature = norms[j] + l2[j]
        if curvature <= 0.0:
            w[j] = 0.0
            continue
        c = offset * total * mean[j]
        for k in range(indptr[j], indptr[j + 1]):
            c += data[k] * r[indices[k]]
        old = w[j]
        new = soft_threshold(c + norms[j] * old, l1[j], positive) / curvature
        if new != old:
            delta = new - old
            w[j] = new
            for k in range(indptr[j], indptr[j + 1]):
                r[indices[k]] -= delta * data[k]
            offset += delta * mean[j]
            largest = max(largest, curvature * delta * delta)
    return largest, offset


@njit
def sweep_dense_until_flat(columns, norms, r, w, l1, l2, max_iter, positive, random, state):
    """Full sweeps, each followed by sweeps over the non-zero coefficients."""
    k = w.shape[0]
    everything = np.arange(k)
    active = np.empty(k, dtype=np.int64)
    n_iter = 0
    while n_iter < max_iter:
        if random:
            state = shuffle(everything, k, state)
        first = sweep_dense(columns, norms, r, w, l1, l2, everything, k, positive)
        n_iter += 1
        n_active = find_nonzero(w, active)
        for _ in range(CYCLE - 1):
            if n_iter >= max_iter:
                break
            change = sweep_dense(columns, norms, r, w, l1, l2, active, n_active, positive)
            n_iter += 1
            if change <= 0.01 * first:
                break
    return n_iter, state


@njit
def sweep_sparse_until_flat(
    data, indices, indptr, mean, total, norms, r, offset, w, l1, l2, max_iter, positive,
    random, state,
):  # fmt: skip
    """As `sweep_dense_until_flat`, on centered sparse columns."""
    k = w.shape[0]
    everything = np.arange(k)
    active = np.empty(k, dtype=np.int64)
    n_iter = 0
    while n_iter < max_iter:
        if random:
            state = shuffle(everything, k, state)
        first, offset = sweep_sparse(
            data, indices, indptr, mean, total, norms, r, offset, w, l1, l2, everything, k,
            positive,
        )  # fmt: skip
        n_iter += 1
        n_active = find_nonzero(w, active)
        for _ in range(CYCLE - 1):
            if n_iter >= max_iter:
                break
            change, offset = sweep_sparse(
                data, indices, indptr, mean, total, norms, r, offset, w, l1, l2, active,
                n_active, positive,
            )  # fmt: skip
            n_iter += 1
            if change <= 0.01 * first:
                break
    return n_iter, offset, state
