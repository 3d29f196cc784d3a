"""Logistic models of training rows that lack some of the classes.

With an intercept, the best one of a class without rows is minus infinity: its
probability is zero and its coefficients are, too. What is left is the model of
the classes that are present.
"""

import numpy as np
from scipy import sparse

from skextra._core.logistic.path import solve
from skextra._core.numerics.path import Path

# This far below the most probable class a probability is zero to double precision.
_ABSENT = 40.0
# Decision values at a time, so that they stay in the cache.
_BLOCK = 1 << 18


def solve_present_classes(
    X, codes, n_classes, Cs, *, l1_ratio, sample_weight, fit_intercept, penalty_weights, settings,
    start=None, start_intercept=None,
):  # fmt: skip
    """As `logistic.solve`, with no need of rows of positive weight in each class.

    An absent class gets an intercept that makes its probability zero on these rows.
    """
    counted = slice(None) if sample_weight is None else np.flatnonzero(sample_weight)
    present = np.flatnonzero(np.bincount(codes[counted], minlength=n_classes))
    options = {
        "fit_intercept": fit_intercept, "penalty_weights": penalty_weights, "settings": settings
    }  # fmt: skip
    if len(present) == n_classes or not fit_intercept:
        return solve(
            X, codes, n_classes, Cs, l1_ratio=l1_ratio, sample_weight=sample_weight, start=start,
            start_intercept=start_intercept, **options,
        )  # fmt: skip
    if sample_weight is not None:
        X, codes, sample_weight = X[counted], codes[counted], sample_weight[counted]
    numbers = np.searchsorted(present, codes)
    if len(present) == 1:
        path = _make_constant(len(Cs), X.shape[1])
    elif len(present) == 2:
        # Two rows of softmax share one row of log-odds evenly, at which their penalty
        # is l1_ratio |w| + (1 - l1_ratio) |w|^2 / 4: that of other numbers.
        share = 2.0 / (1.0 + l1_ratio)
        path = solve(
            X, numbers, 2, share * Cs, l1_ratio=share * l1_ratio, sample_weight=sample_weight,
            **options,
        )  # fmt: skip
    else:
        path = solve(
            X, numbers, len(present), Cs, l1_ratio=l1_ratio, sample_weight=sample_weight, **options
        )
    return _add_absent(path, X, present, n_classes)


def _make_constant(n_Cs, n_features):
    return Path(
        np.zeros((1, n_Cs, n_features)), np.zeros((1, n_Cs)), np.zeros(n_Cs),
        np.zeros(n_Cs, dtype=np.int64), np.ones(n_Cs, dtype=bool),
    )  # fmt: skip


def _add_absent(path, X, present, n_classes):
    coefs, intercepts = path.coefs, path.intercepts
    certificate = path.gaps, path.n_iters, path.converged, path.solver
    if n_classes == 2:
        return Path(coefs, intercepts + (_ABSENT if present[0] == 1 else -_ABSENT), *certificate)
    if len(present) == 2:
        coefs = np.stack([-0.5 * coefs[0], 0.5 * coefs[0]])
        intercepts = np.stack([-0.5 * intercepts[0], 0.5 * intercepts[0]])
    lowest = np.full(len(path.gaps), np.inf)
    for decisions, _ in iterate_decisions(X, coefs, intercepts):
        np.minimum(lowest, decisions.max(axis=0).min(axis=0), out=lowest)
    all_coefs = np.zeros((n_classes, *coefs.shape[1:]))
    all_coefs[present] = coefs
    all_intercepts = np.tile(lowest - _ABSENT, (n_classes, 1))
    all_intercepts[present] = intercepts
    return Path(all_coefs, all_intercepts - all_intercepts.mean(axis=0), *certificate)


def iterate_decisions(X, coefs, intercepts):
    """Decision values of all models, in blocks of rows.

    Yields
    ------
    decisions : ndarray of shape (n_rows, n_block, n_Cs) and float64
    block : slice
        Rows of X they belong to.
    """
    n_rows, n_Cs, n_features = coefs.shape
    W = coefs.reshape(n_rows * n_Cs, n_features)
    if not sparse.issparse(X):
        support = np.flatnonzero(W.any(axis=0))
        if len(support) <= n_features // 2:
            X, W = X[:, support], W[:, support]
    size = max(1, _BLOCK // (n_rows * n_Cs))
    for first in range(0, X.shape[0], size):
        block = slice(first, min(first + size, X.shape[0]))
        products = np.asarray(X[block] @ W.T, dtype=np.float64)
        products += intercepts.reshape(-1)
        yield np.moveaxis(products.reshape(-1, n_rows, n_Cs), 1, 0), block
