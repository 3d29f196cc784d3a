"""Densities, responsibilities and moments of one block of rows: E-step and M-step in one pass.

With z the row in a frame where the data have mean zero and unit scale, the
log-density of a Gaussian is linear in features of z,

    full        (z_i z_j for i <= j, z, 1)
    tied        (z, 1), as the quadratic part is the same for all components
    diag        (z_i^2, z, 1)
    spherical   (sum of z_i^2, z, 1)

so that the densities of all components at a block of rows are one matrix
product, and so are the moments that the M-step wants: responsibilities times
the same features. The symmetry of z z' is used up, which halves the work of
going by triangular factors.

Expanding a square loses digits where a component is narrow beside its distance
from the origin of the frame. Such components are marked, and go by differences
from their own mean instead.
"""

import numpy as np

from skextra._core.jit import njit
from skextra._core.vector_math import exponentiate, negate_logs

FULL, TIED, DIAG, SPHERICAL = 0, 1, 2, 3
KINDS = {"full": FULL, "tied": TIED, "diag": DIAG, "spherical": SPHERICAL}

_FLAGS = {"contract", "reassoc", "nsz"}


def count_features(kind, d):
    """Number of features of a row of `d` values."""
    return {FULL: d * (d + 1) // 2, TIED: 0, DIAG: d, SPHERICAL: 1}[kind] + d + 1


def choose_block_size(kind, d, n_components):
    """Rows a block: features and densities of a block stay in the second-level cache."""
    width = count_features(kind, d) + n_components + 3 * d
    return int(min(1024, max(64, 65536 // width // 8 * 8)))


def create_work(kind, d, n_components):
    """Scratch for one thread, for `process_block` and `evaluate_block`."""
    p, b = count_features(kind, d), choose_block_size(kind, d, n_components)
    return np.empty(b * (p + n_components + 3 * d + 5))


@njit
def hold_all(flags):
    """Whether all of some flags are set."""
    count = 0
    for flag in flags:
        count += flag
    return count == len(flags)


@njit(error_model="numpy")
def enter_frame(kind, rows, scale, to_frame, z):
    """Write centred rows (b, d) in frame coordinates, one row of `z` (d, b) a feature."""
    b, d = rows.shape
    if kind in (FULL, TIED):
        np.dot(to_frame.T, rows.T, z)
    else:
        for j in range(d):
            for t in range(b):
                z[j, t] = rows[t, j] * scale[j]


@njit(error_model="numpy")
def fill_features(kind, z, features):
    """Write the features of a block, one row a feature."""
    d, b = z.shape
    q = 0
    if kind == FULL:
        for i in range(d):
            first = z[i]
            for j in range(i, d):
                second, row = z[j], features[q]
                for t in range(b):
                    row[t] = first[t] * second[t]
                q += 1
    elif kind == DIAG:
        for i in range(d):
            for t in range(b):
                features[q, t] = z[i, t] * z[i, t]
            q += 1
    elif kind == SPHERICAL:
        features[q] = 0.0
        for i in range(d):
            for t in range(b):
                features[q, t] += z[i, t] * z[i, t]
        q += 1
    # Array to array by loops throughout: numba's own assignment takes seconds to compile.
    for i in range(d):
        for t in range(b):
            features[q + i, t] = z[i, t]
    features[q + d] = 1.0


@njit(error_model="numpy")
def subtract_mean(z, mean, out):
    d, b = z.shape
    for i in range(d):
        for t in range(b):
            out[i, t] = z[i, t] - mean[i]


@njit(error_model="numpy", fastmath=_FLAGS)
def sum_squares(rows, out):
    """Write the sum of squares over the rows of an array."""
    out[:] = 0.0
    for i in range(rows.shape[0]):
        for t in range(rows.shape[1]):
            out[t] += rows[i, t] * rows[i, t]


@njit(error_model="numpy")
def fill_by_differences(kind, z, mean, cholesky, constant, differences, y, out):
    """Write the log-density of one component without expanding its square."""
    d, b = z.shape
    subtract_mean(z, mean, differences)
    if kind in (FULL, TIED):
        np.dot(cholesky.T, differences, y)
    else:
        for i in range(d):
            factor = cholesky[0, i if kind == DIAG else 0]
            for t in range(b):
                y[i, t] = differences[i, t] * factor
    sum_squares(y, out)
    for t in range(b):
        out[t] = constant - 0.5 * out[t]


@njit(error_model="numpy")
def fill_log_densities(
    kind, z, theta, constants, by_differences, means, cholesky, features, y, differences, base,
    log_densities,
):  # fmt: skip
    """Write weighted log-densities (n_components, b), up to `base` (b,), common to all."""
    n_components = means.shape[0]
    base[:] = 0.0
    if not hold_all(by_differences):
        fill_features(kind, z, features)
        np.dot(theta, features, log_densities)
        if kind == TIED:
            np.dot(cholesky[0].T, z, y)
            sum_squares(y, base)
            for t in range(base.shape[0]):
                base[t] *= -0.5
    for k in range(n_components):
        if by_differences[k]:
            fill_by_differences(
                kind, z, means[k], cholesky[0 if kind == TIED else k], constants[k],
                differences, y, log_densities[k],
            )  # fmt: skip


@njit(error_model="numpy", fastmath=_FLAGS)
def normalise(log_densities, weights, base, top, total, scratch):
    """Turn log-densities into responsibilities times weights, in place.

    `top` is overwritten with the log-likelihood of each row.

    Returns
    -------
    log_likelihood : float
        Weighted sum over the rows.
    """
    n_components, b = log_densities.shape
    for t in range(b):
        top[t] = log_densities[0, t]
    for k in range(1, n_components):
        row = log_densities[k]
        for t in range(b):
            top[t] = row[t] if row[t] > top[t] else top[t]
    total[:] = 0.0
    for k in range(n_components):
        row = log_densities[k]
        for t in range(b):
            row[t] -= top[t]
        exponentiate(row, scratch)
        for t in range(b):
            total[t] += row[t]
    for t in range(b):
        scratch[t] = weights[t] / total[t]
    for k in range(n_components):
        row = log_densities[k]
        for t in range(b):
            row[t] *= scratch[t]
    negate_logs(total, scratch)
    log_likelihood = 0.0
    for t in range(b):
        top[t] = top[t] - total[t] + base[t]
        log_likelihood += weights[t] * top[t]
    return log_likelihood


@njit(error_model="numpy", fastmath=_FLAGS)
def add_by_differences(kind, z, mean, responsibilities, differences, y, pooled, moments):
    """Write the moments of one component about its own mean."""
    d, b = z.shape
    subtract_mean(z, mean, differences)
    for i in range(d):
        for t in range(b):
            y[i, t] = differences[i, t] * responsibilities[t]
    q = 0
    if kind in (FULL, TIED):
        product = np.dot(y, differences.T)
        if kind == TIED:
            for i in range(d):
                for j in range(d):
                    pooled[i, j] += product[i, j]
        else:
            for i in range(d):
                for j in range(i, d):
                    moments[q] = product[i, j]
                    q += 1
    else:
        if kind == SPHERICAL:
            moments[0] = 0.0
        for i in range(d):
            square = 0.0
            for t in range(b):
                square += y[i, t] * differences[i, t]
            if kind == DIAG:
                moments[q] = square
                q += 1
            else:
                moments[0] += square
        q = d if kind == DIAG else 1
    for i in range(d):
        total = 0.0
        for t in range(b):
            total += y[i, t]
        moments[q + i] = total
    total = 0.0
    for t in range(b):
        total += responsibilities[t]
    moments[q + d] = total


@njit(error_model="numpy")
def process_block(
    kind, rows, weights, scale, to_frame, theta, constants, by_differences, means, cholesky,
    work, product, moments, pooled,
):  # fmt: skip
    """E-step of a block, its moments added to `moments` (and `pooled`).

    Parameters
    ----------
    kind : int
    rows : ndarray of shape (b, d)
        Less the centre of the frame.
    weights : ndarray of shape (b,)
    scale : ndarray of shape (d,)
    to_frame : ndarray of shape (d, d)
        Read for "full" and "tied"; the others read `scale`.
    theta, constants, by_differences, means, cholesky : ndarray
        Of the components, as `prepare` wrote them.
    work : ndarray
        As `create_work` returns it.
    product, moments : ndarray of shape (n_components, n_features)
        Scratch, and what is added to: about the origin of the frame, or for
        components by differences, about their means.
    pooled : ndarray of shape (d, d)
        Added to for "tied" by differences: the scatter about all means.

    Returns
    -------
    log_likelihood : float
        Weighted sum over the rows.
    """
    b, d = rows.shape
    n_components, p = theta.shape
    features = work[: p * b].reshape(p, b)
    start = p * b
    log_densities = work[start : start + n_components * b].reshape(n_components, b)
    start += n_components * b
    z = work[start : start + d * b].reshape(d, b)
    y = work[start + d * b : start + 2 * d * b].reshape(d, b)
    differences = work[start + 2 * d * b : start + 3 * d * b].reshape(d, b)
    rest = work[start + 3 * d * b :]
    base, top, total, scratch = rest[:b], rest[b : 2 * b], rest[2 * b : 3 * b], rest[3 * b : 4 * b]
    enter_frame(kind, rows, scale, to_frame, z)
    fill_log_densities(
        kind, z, theta, constants, by_differences, means, cholesky, features, y, differences,
        base, log_densities,
    )  # fmt: skip
    log_likelihood = normalise(log_densities, weights, base, top, total, scratch)
    if not hold_all(by_differences):
        np.dot(log_densities, features.T, product)
    for k in range(n_components):
        if by_differences[k]:
            add_by_differences(
                kind, z, means[k], log_densities[k], differences, y, pooled, product[k]
            )
    for k in range(n_components):
        for q in range(p):
            moments[k, q] += product[k, q]
    return log_likelihood


@njit(error_model="numpy")
def evaluate_block(
    kind, rows, weights, scale, to_frame, theta, constants, by_differences, means, cholesky,
    work, log_likelihoods, labels, responsibilities, is_wanted,
):  # fmt: skip
    """E-step alone: log-likelihood and likeliest component of each row.

    Parameters as `process_block`, and
    log_likelihoods, labels : ndarray of shape (b,)
        Overwritten.
    responsibilities : ndarray of shape (b, n_components)
        Overwritten if `is_wanted`.
    """
    b, d = rows.shape
    n_components, p = theta.shape
    features = work[: p * b].reshape(p, b)
    start = p * b
    log_densities = work[start : start + n_components * b].reshape(n_components, b)
    start += n_components * b
    z = work[start : start + d * b].reshape(d, b)
    y = work[start + d * b : start + 2 * d * b].reshape(d, b)
    differences = work[start + 2 * d * b : start + 3 * d * b].reshape(d, b)
    rest = work[start + 3 * d * b :]
    base, total, scratch = rest[:b], rest[b : 2 * b], rest[2 * b : 3 * b]
    enter_frame(kind, rows, scale, to_frame, z)
    fill_log_densities(
        kind, z, theta, constants, by_differences, means, cholesky, features, y, differences,
        base, log_densities,
    )  # fmt: skip
    for t in range(b):
        best = 0
        for k in range(1, n_components):
            if log_densities[k, t] > log_densities[best, t]:
                best = k
        labels[t] = best
    normalise(log_densities, weights, base, log_likelihoods, total, scratch)
    if is_wanted:
        for k in range(n_components):
            for t in range(b):
                responsibilities[t, k] = log_densities[k, t]
