"""Coordinate descent for the elastic net on columns, helped by extrapolation.

Minimizes ``||y - Z w||^2 / 2 + sum_j l1_j |w_j| + l2_j w_j^2 / 2`` without a Gram matrix: a
coordinate costs a pass over its column, two if it moves. Columns of both layouts come as five
arrays, of which one layout leaves the others empty:

- dense: row j of `dense` is column j;
- sparse: column j is ``x_j - B loadings[:, j]`` with ``x_j`` in compressed form and an
  orthonormal basis B of the nuisance directions, which y is free of. The residual is
  ``r + B offset``, of which only `r` is sparse to update; as it is free of B,
  ``z_j @ (r + B offset) = x_j @ r + loadings[:, j] @ offset``.

References
----------
Bertrand & Massias, "Anderson acceleration of coordinate descent", AISTATS (2021).
"""

import numpy as np

from skextra._core.quadratic.elastic_net_penalty import soft_threshold
from skextra._core.quadratic.sweeps import FAST, shuffle
from skextra._core.runtime.jit import njit

# Differences of iterates that an extrapolation combines; 5 in the reference.
_DEPTH = 5
# Relative to the squared differences: keeps their 5 x 5 system solvable.
_DAMPING = 1e-12


@njit(fastmath=FAST)
def correlate_column(dense, data, indices, indptr, loadings, r, offset, j):
    """Product of column j with the residual."""
    c = 0.0
    for q in range(loadings.shape[0]):
        c += loadings[q, j] * offset[q]
    if dense.shape[0] > 0:
        column = dense[j]
        for i in range(r.shape[0]):
            c += column[i] * r[i]
        return c
    for i in range(indptr[j], indptr[j + 1]):
        c += data[i] * r[indices[i]]
    return c


@njit(fastmath=FAST)
def subtract_column(dense, data, indices, indptr, loadings, r, offset, j, delta):
    """Subtract ``delta`` times column j from the residual."""
    for q in range(loadings.shape[0]):
        offset[q] += delta * loadings[q, j]
    if dense.shape[0] > 0:
        column = dense[j]
        for i in range(r.shape[0]):
            r[i] -= delta * column[i]
        return
    for i in range(indptr[j], indptr[j + 1]):
        r[indices[i]] -= delta * data[i]


@njit(fastmath=FAST)
def sweep_columns(
    dense, data, indices, indptr, loadings, norms, r, offset, w, l1, l2, order, n_order, positive
):
    """Minimize over each coordinate in `order`; returns by how much the objective fell."""
    decrease = 0.0
    for i in range(n_order):
        j = order[i]
        curvature = norms[j] + l2[j]
        if curvature <= 0.0:
            # A start may put a value on a column of zeros, which no residual would undo.
            w[j] = 0.0
            continue
        old = w[j]
        c = correlate_column(dense, data, indices, indptr, loadings, r, offset, j)
        new = soft_threshold(c + norms[j] * old, l1[j], positive) / curvature
        if new != old:
            delta = new - old
            w[j] = new
            subtract_column(dense, data, indices, indptr, loadings, r, offset, j, delta)
            # At least this much: a parabola of this curvature whose minimum is at `new`.
            decrease += 0.5 * curvature * delta * delta
    return decrease


@njit(fastmath=FAST)
def compute_value(r, offset, w, l1, l2):
    """Objective, from the two parts of the residual."""
    value = 0.0
    for i in range(r.shape[0]):
        value += r[i] * r[i]
    # The residual is free of B, hence ``B.T @ r = -offset``.
    for q in range(offset.shape[0]):
        value -= offset[q] * offset[q]
    value *= 0.5
    for j in range(w.shape[0]):
        value += l1[j] * abs(w[j]) + 0.5 * l2[j] * w[j] * w[j]
    return value


@njit
def combine_iterates(history, out):
    """Extrapolate the limit of a linear iteration from its last iterates.

    The combination with coefficients that sum to one of iterates ``history[i]`` whose
    differences, so combined, are smallest.

    Parameters
    ----------
    history : ndarray of shape (depth + 1, m)
    out : ndarray of shape (m,)

    Returns
    -------
    found : bool
    """
    depth = history.shape[0] - 1
    A = np.zeros((depth, depth))
    for i in range(depth):
        for k in range(i + 1):
            product = 0.0
            for j in range(history.shape[1]):
                product += (history[i + 1, j] - history[i, j]) * (history[k + 1, j] - history[k, j])
            A[i, k] = A[k, i] = product
    damping = 0.0
    for i in range(depth):
        damping += _DAMPING * A[i, i]
    weights = np.ones(depth)
    for i in range(depth):
        A[i, i] += damping
        if not A[i, i] > 0.0:
            return False
        for k in range(i + 1, depth):
            factor = A[k, i] / A[i, i]
            weights[k] -= factor * weights[i]
            for j in range(i, depth):
                A[k, j] -= factor * A[i, j]
    total = 0.0
    for i in range(depth - 1, -1, -1):
        for j in range(i + 1, depth):
            weights[i] -= A[i, j] * weights[j]
        weights[i] /= A[i, i]
        total += weights[i]
    if not (total > 0.0 and np.isfinite(total)):
        return False
    out[:] = 0.0
    for i in range(depth):
        for j in range(history.shape[1]):
            out[j] += weights[i] / total * history[i + 1, j]
    return True


@njit
def extrapolate(dense, data, indices, indptr, loadings, r, offset, w, l1, l2, members, history):
    """Replace `w` by an extrapolation of `history` if that lowers the objective."""
    target = np.empty(members.shape[0])
    if not combine_iterates(history, target):
        return
    before = compute_value(r, offset, w, l1, l2)
    trial_w, trial_r, trial_offset = w.copy(), r.copy(), offset.copy()
    for i in range(members.shape[0]):
        j = members[i]
        # No coefficient enters, and none changes its sign: that is what sweeps are for.
        new = target[i] if target[i] * w[j] > 0.0 else 0.0
        if new != w[j]:
            delta = new - w[j]
            trial_w[j] = new
            subtract_column(dense, data, indices, indptr, loadings, trial_r, trial_offset, j, delta)
    if compute_value(trial_r, trial_offset, trial_w, l1, l2) < before:
        w[:] = trial_w
        r[:] = trial_r
        offset[:] = trial_offset


@njit
def descend_columns(
    dense, data, indices, indptr, loadings, norms, r, offset, w, l1, l2, members, positive,
    random, state, max_sweeps, small, share,
):  # fmt: skip
    """Sweep over the coordinates `members`, then over those that stay, and extrapolate.

    Parameters
    ----------
    dense, data, indices, indptr, loadings : ndarrays
        The columns, see above.
    norms : ndarray of shape (k,)
        Squared lengths of the columns.
    r, offset, w : ndarrays
        Residual and coefficients, updated in place.
    l1, l2 : ndarray of shape (k,)
    members : ndarray of int
        Coordinates to visit.
    positive, random : bool
    state : uint64
        Of the generator that orders the sweeps if `random`.
    max_sweeps : int
    small : float
        Stop once a sweep lowers the objective by at most this.
    share : float
        Or by at most this share of what the first one did.

    Returns
    -------
    n_sweeps : int
    decrease : float
        Of the objective in the last sweep.
    state : uint64
    """
    order = members.copy()
    n_order = order.shape[0]
    history = np.empty((_DEPTH + 1, n_order))
    n_kept = 0
    for n_sweeps in range(1, max_sweeps + 1):
        if random:
            state = shuffle(order, n_order, state)
        decrease = sweep_columns(
            dense, data, indices, indptr, loadings, norms, r, offset, w, l1, l2, order, n_order,
            positive,
        )  # fmt: skip
        if n_sweeps == 1:
            small = max(small, share * decrease)
        if decrease <= small or n_sweeps == max_sweeps:
            break
        n_left = n_order
        n_order = 0
        for i in range(n_left):
            if w[order[i]] != 0.0:
                order[n_order] = order[i]
                n_order += 1
        for i in range(members.shape[0]):
            history[n_kept, i] = w[members[i]]
        n_kept += 1
        if n_kept > _DEPTH:
            extrapolate(
                dense, data, indices, indptr, loadings, r, offset, w, l1, l2, members, history
            )
            n_kept = 0
    return n_sweeps, decrease, state
