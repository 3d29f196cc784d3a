"""Block coordinate descent kernels for the multi-task elastic net, and its certificate.

All minimize, over W of shape (n_targets, n_features) with columns ``W_j``,

    P(W) = ||Y - X W'||_F^2 / 2 + sum_j l1_j ||W_j||_2 + l2_j ||W_j||_2^2 / 2 .

One target is one contiguous row of `W`, `B` and `C`, so that the updates of
correlations and residuals run over contiguous memory however few targets there are.

References
----------
Obozinski, Taskar & Jordan, "Joint covariate selection and joint subspace
selection for multiple classification problems", Stat. Comput. 20 (2010).
Simon, Friedman & Hastie, "A blockwise descent algorithm for group-penalized
multiresponse and multinomial regression" (2013), section 2.
"""

import numpy as np

from skextra._core.least_squares.losses import (
    compute_squared_loss_dual,
    compute_squared_residual,
    find_best_dual_scale,
)
from skextra._core.quadratic.sweeps import FAST, shuffle
from skextra._core.runtime.jit import njit

# Sweeps over the non-zero features between two looks at all of them.
_ACTIVE_SWEEPS = 4


@njit
def compute_multi_task_gap(W, C, l1, l2, yr):
    """Duality gap from correlations, in O(n_targets n_features).

    The same two dual points as for one target: the residual of the augmented
    problem scaled until ``||X_j' Theta||_2 <= l1_j`` for every feature, and the
    residual as it is, which pays the conjugate of the penalty.

    Parameters
    ----------
    W, C : ndarray of shape (n_targets, k)
        Coefficients and correlations ``(Y - X W').T @ X``.
    l1, l2 : ndarray of shape (k,)
        Penalties; finite.
    yr : float
        Inner product of Y and the residual.

    Returns
    -------
    gap : float
        At least ``P(W) - min P``, up to rounding.

    References
    ----------
    Ndiaye, Fercoq, Gramfort & Salmon, "Gap safe screening rules for sparsity
    enforcing penalties", JMLR 18 (2017), section 4.
    """
    penalty, ridge, wc = 0.0, 0.0, 0.0
    conjugate, worst = 0.0, 0.0
    for j in range(W.shape[1]):
        square, correlation, augmented = 0.0, 0.0, 0.0
        for t in range(W.shape[0]):
            w, c = W[t, j], C[t, j]
            wc += w * c
            square += w * w
            correlation += c * c
            augmented += (c - l2[j] * w) ** 2
        penalty += l1[j] * np.sqrt(square)
        ridge += l2[j] * square
        if l1[j] > 0.0:
            worst = max(worst, np.sqrt(augmented) / l1[j])
        elif augmented > 0.0:
            worst = np.inf
        excess = np.sqrt(correlation) - l1[j]
        if excess > 0.0:
            conjugate += 0.5 * excess * excess / l2[j] if l2[j] > 0.0 else np.inf
    rr = compute_squared_residual(yr, wc)
    primal = 0.5 * rr + penalty + 0.5 * ridge
    limit = 1.0 / worst if worst > 0.0 else np.inf
    scale = find_best_dual_scale(yr, rr + ridge, limit)
    scaled_gap = primal - compute_squared_loss_dual(scale, yr, rr + ridge)
    unscaled_gap = penalty + 0.5 * ridge + conjugate - wc
    return max(min(scaled_gap, unscaled_gap), 0.0)


@njit(fastmath=FAST)
def update_feature(z, j, W, curvature, l1):
    """Minimize over ``W_j`` given ``z``, which becomes the change; its squared length."""
    norm = 0.0
    for t in range(z.shape[0]):
        norm += z[t] * z[t]
    norm = np.sqrt(norm)
    factor = (1.0 - l1 / norm) / curvature if norm > l1 else 0.0
    square = 0.0
    for t in range(z.shape[0]):
        new = factor * z[t] if factor > 0.0 else 0.0
        change = new - W[t, j]
        W[t, j] = new
        z[t] = change
        square += change * change
    return square


@njit(fastmath=FAST)
def sweep_rows_gram(gram, C, W, l1, l2, order):
    """Minimize over each feature in `order`; largest change, a curvature times a square."""
    largest_change = 0.0
    n_targets, k = C.shape
    z = np.empty(n_targets)
    for j in order:
        curvature = gram[j, j] + l2[j]
        if curvature <= 0.0:
            continue
        for t in range(n_targets):
            z[t] = C[t, j] + gram[j, j] * W[t, j]
        square = update_feature(z, j, W, curvature, l1[j])
        if square == 0.0:
            continue
        row = gram[j]
        for t in range(n_targets):
            change = z[t]
            c = C[t]
            for m in range(k):
                c[m] -= change * row[m]
        largest_change = max(largest_change, curvature * square)
    return largest_change


@njit(fastmath=FAST)
def sweep_rows_columns(columns, norms, R, W, l1, l2, order):
    """As `sweep_rows_gram`, on columns (rows of `columns`) and residuals `R`."""
    largest_change = 0.0
    n_targets, n = R.shape
    z = np.empty(n_targets)
    for j in order:
        curvature = norms[j] + l2[j]
        if curvature <= 0.0:
            continue
        column = columns[j]
        for t in range(n_targets):
            r = R[t]
            product = 0.0
            for m in range(n):
                product += column[m] * r[m]
            z[t] = product + norms[j] * W[t, j]
        square = update_feature(z, j, W, curvature, l1[j])
        if square == 0.0:
            continue
        for t in range(n_targets):
            change = z[t]
            r = R[t]
            for m in range(n):
                r[m] -= change * column[m]
        largest_change = max(largest_change, curvature * square)
    return largest_change


@njit(fastmath=FAST)
def sweep_rows_sparse(data, indices, indptr, mean, total, norms, R, offset, W, l1, l2, order):
    """As `sweep_rows_columns`, on centered sparse columns.

    The residual is ``R + outer(root, offset)`` with `root` the square roots of
    the sample weights, one target a column; only `R` is sparse to update.
    `total` is ``root @ root``, `mean` zero without an intercept.
    """
    largest_change = 0.0
    n_targets = W.shape[0]
    z = np.empty(n_targets)
    for j in order:
        curvature = norms[j] + l2[j]
        if curvature <= 0.0:
            continue
        for t in range(n_targets):
            z[t] = offset[t] * total * mean[j] + norms[j] * W[t, j]
        for m in range(indptr[j], indptr[j + 1]):
            value, r = data[m], R[indices[m]]
            for t in range(n_targets):
                z[t] += value * r[t]
        square = update_feature(z, j, W, curvature, l1[j])
        if square == 0.0:
            continue
        for m in range(indptr[j], indptr[j + 1]):
            value, r = data[m], R[indices[m]]
            for t in range(n_targets):
                r[t] -= value * z[t]
        for t in range(n_targets):
            offset[t] += z[t] * mean[j]
        largest_change = max(largest_change, curvature * square)
    return largest_change


@njit
def find_nonzero_rows(W, out):
    """Write the features with a non-zero coefficient to `out`; return how many."""
    n = 0
    for j in range(W.shape[1]):
        for t in range(W.shape[0]):
            if W[t, j] != 0.0:
                out[n] = j
                n += 1
                break
    return n


@njit
def find_largest(W, norms, l2):
    """Largest curvature times squared coefficients: what a change is compared with.

    Unlike the coefficients themselves it has the same unit for all features.
    """
    largest = 0.0
    for j in range(W.shape[1]):
        square = 0.0
        for t in range(W.shape[0]):
            square += W[t, j] * W[t, j]
        largest = max(largest, (norms[j] + l2[j]) * square)
    return largest


@njit
def compute_inner(A, B):
    """Frobenius inner product."""
    total = 0.0
    for t in range(A.shape[0]):
        for j in range(A.shape[1]):
            total += A[t, j] * B[t, j]
    return total


@njit
def solve_rows_gram(gram, B, C, W, l1, l2, yy, tol, settle, max_iter, random, state):
    """Sweep until the gap is at most `tol` and a sweep changes next to nothing.

    Parameters
    ----------
    gram : ndarray of shape (>=k, >=k)
        Symmetric; its leading block is used.
    B, C, W : ndarray of shape (n_targets, k)
        ``Y.T @ X``; correlations and coefficients, updated in place.
    l1, l2 : ndarray of shape (k,)
    yy, tol : float
        Squared norm of Y, and the absolute gap to reach.
    settle : float
        Largest change of a coefficient in the last sweep, relative to the
        largest coefficient, each times the root of its curvature.
    max_iter : int
        Sweeps at most.
    random : bool
    state : uint64
        Of the generator that orders the sweeps if `random`.

    Returns
    -------
    gap : float
    is_settled : bool
    n_iter : int
    state : uint64
    """
    k = W.shape[1]
    everything = np.arange(k)
    active = np.empty(k, dtype=np.int64)
    norms = np.diag(gram)[:k]
    n_iter = 0
    change = np.inf
    while True:
        gap = compute_multi_task_gap(W, C, l1, l2, yy - compute_inner(W, B))
        is_settled = change <= settle * settle * find_largest(W, norms, l2)
        if (gap <= tol and is_settled) or n_iter >= max_iter:
            return gap, is_settled, n_iter, state
        if random:
            state = shuffle(everything, k, state)
        first = change = sweep_rows_gram(gram, C, W, l1, l2, everything)
        n_iter += 1
        n_active = find_nonzero_rows(W, active)
        for _ in range(_ACTIVE_SWEEPS):
            if n_iter >= max_iter:
                break
            if random:
                state = shuffle(active, n_active, state)
            change = sweep_rows_gram(gram, C, W, l1, l2, active[:n_active])
            n_iter += 1
            if change <= 0.01 * first:
                break
