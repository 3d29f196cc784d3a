"""Leave-one-out errors of ridge regression where features have very different units.

Eigenvectors of all columns together serve every penalty, but those of the smaller columns are
rounding beside those of the larger ones. Here each penalty has a triangular factor R of its own,
of ``[Z; sqrt(alpha) I]``: its errors in each column are relative to that column. With
``T = Z inv(R)``, leverages are squared lengths of the rows of T.
"""

import numpy as np
from scipy.linalg import lapack

# Lengths of columns beside each other, and penalties beside the largest squared length, at which
# common eigenvectors lose the smaller columns.
_MOST_SPREAD, _LEAST_PENALTY = 1e3, 1e-11
# Features up to which a factor for each penalty is affordable (0.5 s at 1,000).
_MOST_FEATURES = 1000
_EPS = np.finfo(np.float64).eps


def needs_scaling(design, alphas):
    """Whether penalties are so weak that the units of the columns matter.

    Parameters
    ----------
    design : Design
    alphas : ndarray of shape (n_alphas,)
    """
    if not 0 < design.shape[1] <= _MOST_FEATURES:
        return False
    squares = design.compute_column_norms()
    squares = squares[squares > design.compute_noise()]
    if len(squares) == 0 or alphas.min() > _LEAST_PENALTY * squares.max():
        return False
    return bool(squares.max() > _MOST_SPREAD**2 * squares.min())


def accumulate(problem, alphas, totals):
    """Add the errors at every alpha to `totals`.

    Parameters
    ----------
    problem : Problem
    alphas : ndarray of shape (n_alphas,)
    totals : LooTotals
    """
    design = problem.design
    R, C = _reduce(problem)
    for a, alpha in enumerate(alphas):
        V, rotated = _factor(R, C, alpha)
        for start, stop, T in design.iterate_products(V, width=len(V)):
            residual = problem.Y[start:stop] - T @ rotated
            leverages = compute_leverages(design, (T * T).sum(axis=1), start, stop)
            factor = 1 / np.maximum(1 - leverages, 1e-15)
            if not totals.wants_raw and design.weights is not None:
                factor *= design.sqrt_weights[start:stop]
            errors = residual * factor[:, None]
            totals.add(start, stop, slice(a, a + 1), errors[:, None, :])


def compute_leverages(design, leverages, start, stop):
    """Leverages of some rows, given those of the penalized columns without weights.

    Parameters
    ----------
    design : Design
    leverages : ndarray of shape (stop - start,) or (stop - start, n_alphas)
        Overwritten.
    start, stop : int
    """
    columns = leverages.reshape(stop - start, -1)
    if design.fit_intercept:
        columns += 1 / design.total_weight
    if design.rows is not None:
        rows = design.rows[start:stop]
        columns += np.einsum("ij,ij->i", rows, rows)[:, None]
    if design.weights is not None:
        columns *= design.weights[start:stop, None]
    return leverages


def _reduce(problem):
    """A matrix with the inner products of the weighted columns, and what it makes of Y."""
    design = problem.design
    n, p = design.shape
    if p <= n:
        return design.compute_triangular_factor(problem.Y)
    Z = np.empty((n, p), order="F")
    for start, stop, block in design.iterate_column_blocks():
        Z[:, start:stop] = block
    return Z, problem.weigh_targets()


def _factor(R, C, alpha):
    """``inv(R)`` for one penalty, and the products of ``Z inv(R)`` with the targets."""
    p = R.shape[1]
    stacked = np.zeros((len(R) + p, p + C.shape[1]), order="F")
    stacked[: len(R), :p], stacked[: len(R), p:] = R, C
    stacked[np.arange(len(R), len(stacked)), np.arange(p)] = np.sqrt(alpha)
    lengths = np.sqrt(np.einsum("ij,ij->j", stacked[:, :p], stacked[:, :p]))
    lengths[lengths == 0] = 1.0
    stacked[:, :p] /= lengths
    stacked = lapack.dgeqrf(stacked, overwrite_a=1)[0]
    triangle, rotated = np.triu(stacked[:p, :p]), stacked[:p, p:]
    # Columns that depend on those before them: without a penalty they add nothing.
    gone = np.abs(triangle.diagonal()) <= p * _EPS
    triangle[gone, gone] = 1.0
    inverse = lapack.dtrtri(triangle)[0]
    inverse[:, gone] = 0.0
    return inverse / lengths[:, None], np.where(gone[:, None], 0.0, rotated)
