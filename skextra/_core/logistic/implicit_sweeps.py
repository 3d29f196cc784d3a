"""Coordinate descent on the quadratic model of a logistic loss that forms no Hessian.

The model of the loss at decision values f, moved by d, has at coordinate (j, k) the
slope ``sum_i x_ij (r_ik - q_ik (d_ik - m_i))`` with residual r, ``q = s p`` and the mean
move ``m_i = sum_l p_il d_il``: one product with a column, whatever the number of
classes. A coordinate's update changes d in its own class and m, nothing else.

Indices are read as unsigned: signed ones might count from the end, and that check keeps
loops from vectorizing.

Unpenalized directions are eliminated analytically: `offset` counts them in the units of
`solved`, so that an update costs their number, not a pass over the samples.
"""

import numpy as np

from skextra._core.quadratic.elastic_net_penalty import soft_threshold
from skextra._core.runtime.jit import njit

_FAST = {"contract", "reassoc", "nsz"}


@njit(inline="always")
def _compute_slope_violation(w, u, l1, l2):
    """A coefficient's share of the violation, its penalty, and its excess slope."""
    if l1 == 0.0:
        # Nothing is excess then: the slope is what the conjugate of the square pays for.
        return (0.5 * u * u / l2 if l2 > 0.0 else abs(w * u)), 0.0, 0.0
    if w > 0.0:
        return abs(w * (u - l1)), l1 * w, abs(u) / l1 - 1.0
    if w < 0.0:
        return abs(w * (u + l1)), -l1 * w, abs(u) / l1 - 1.0
    return 0.0, 0.0, abs(u) / l1 - 1.0


@njit(fastmath=_FAST)
def sweep_dense_model(
    columns, features, classes, R, Q, P, D, M, cross, solved, offset, curvatures, w, l1, l2,
    order, n_order,
):  # fmt: skip
    """Minimize over each coordinate in `order`, on columns that are dense rows.

    Parameters
    ----------
    columns : ndarray of shape (n_packed, n_samples)
    features, classes : ndarray of int of shape (m,)
    R, Q, P : ndarray of shape (n_rows, n_samples)
        Residuals, weights times probabilities, probabilities.
    D : ndarray of shape (n_rows, n_samples)
        Move of the decision values, without the nuisance directions' part; updated.
    M : ndarray of shape (n_samples,)
        Its mean under `P`; updated.
    cross, solved : ndarray of shape (m, n_nuisance)
        Hessian between coordinates and nuisance directions; the same times the
        inverse of the nuisance block.
    offset : ndarray of shape (n_nuisance,)
        Coefficients of the nuisance directions; updated.
    curvatures, w, l1, l2 : ndarray of shape (m,)
        `w` is updated.
    order : ndarray of int
    n_order : int

    Returns
    -------
    slope, penalty, excess : float
        Violation of optimality as met on the way, see
        :func:`skextra._core.quadratic.model.combine_violation`.
    """
    n = columns.shape[1]
    q = offset.shape[0]
    slope, penalty, worst = 0.0, 0.0, 0.0
    for t in range(n_order):
        j = order[t]
        k = classes[j]
        x, r, s, d, p = columns[features[j]], R[k], Q[k], D[k], P[k]
        c = 0.0
        for i in range(n):
            c += x[i] * (r[i] - s[i] * (d[i] - M[i]))
        for a in range(q):
            c -= offset[a] * cross[j, a]
        old = w[j]
        a_slope, a_penalty, excess = _compute_slope_violation(old, c - l2[j] * old, l1[j], l2[j])
        slope += a_slope
        penalty += a_penalty
        worst = max(worst, excess)
        total = curvatures[j] + l2[j]
        new = soft_threshold(c + curvatures[j] * old, l1[j], False) / total if total > 0 else 0.0
        if new != old:
            delta = new - old
            w[j] = new
            for i in range(n):
                step = delta * x[i]
                d[i] += step
                M[i] += p[i] * step
            for a in range(q):
                offset[a] -= delta * solved[j, a]
    return slope, penalty, worst


@njit(fastmath=_FAST)
def sweep_sparse_model(
    data, indices, indptr, features, classes, R, Q, P, D, M, cross, solved, offset, curvatures,
    w, l1, l2, order, n_order,
):  # fmt: skip
    """As `sweep_dense_model`, on CSC columns."""
    q = offset.shape[0]
    slope, penalty, worst = 0.0, 0.0, 0.0
    for t in range(n_order):
        j = order[t]
        k, f = classes[j], features[j]
        r, s, d, p = R[k], Q[k], D[k], P[k]
        c = 0.0
        for e in range(np.uint64(indptr[f]), np.uint64(indptr[f + 1])):
            i = np.uint64(indices[e])
            c += data[e] * (r[i] - s[i] * (d[i] - M[i]))
        for a in range(q):
            c -= offset[a] * cross[j, a]
        old = w[j]
        a_slope, a_penalty, excess = _compute_slope_violation(old, c - l2[j] * old, l1[j], l2[j])
        slope += a_slope
        penalty += a_penalty
        worst = max(worst, excess)
        total = curvatures[j] + l2[j]
        new = soft_threshold(c + curvatures[j] * old, l1[j], False) / total if total > 0 else 0.0
        if new != old:
            delta = new - old
            w[j] = new
            for e in range(np.uint64(indptr[f]), np.uint64(indptr[f + 1])):
                i = np.uint64(indices[e])
                step = delta * data[e]
                d[i] += step
                M[i] += p[i] * step
            for a in range(q):
                offset[a] -= delta * solved[j, a]
    return slope, penalty, worst


@njit(fastmath=_FAST)
def sweep_sparse_binary_model(
    data, indices, indptr, features, z, h, cross, solved, offset, curvatures, w, l1, l2, order,
    n_order,
):  # fmt: skip
    """As `sweep_sparse_model` for two classes.

    Parameters
    ----------
    z : ndarray of shape (n_samples,)
        ``r - h d``, the residual of the model; updated.
    h : ndarray of shape (n_samples,)
        Curvature of each sample's loss.
    """
    q = offset.shape[0]
    slope, penalty, worst = 0.0, 0.0, 0.0
    for t in range(n_order):
        j = order[t]
        f = features[j]
        c = 0.0
        for e in range(np.uint64(indptr[f]), np.uint64(indptr[f + 1])):
            c += data[e] * z[np.uint64(indices[e])]
        for a in range(q):
            c -= offset[a] * cross[j, a]
        old = w[j]
        a_slope, a_penalty, excess = _compute_slope_violation(old, c - l2[j] * old, l1[j], l2[j])
        slope += a_slope
        penalty += a_penalty
        worst = max(worst, excess)
        total = curvatures[j] + l2[j]
        new = soft_threshold(c + curvatures[j] * old, l1[j], False) / total if total > 0 else 0.0
        if new != old:
            delta = new - old
            w[j] = new
            for e in range(np.uint64(indptr[f]), np.uint64(indptr[f + 1])):
                i = np.uint64(indices[e])
                z[i] -= delta * data[e] * h[i]
            for a in range(q):
                offset[a] -= delta * solved[j, a]
    return slope, penalty, worst
