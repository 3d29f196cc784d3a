"""How exact a solution is, measured one way for every contestant.

Written apart from the package's own certificates on purpose: a mistake there
must not be able to hide here.
"""

import numpy as np


def compute_relative_gaps(X, y, coefs, intercepts, alphas, l1_ratio, fit_intercept):
    """Duality gap of each solution, relative to the objective at zero.

    The objective of solution k is ``||y - X w - b||^2 / (2 n) + alpha_k * (l1_ratio
    * ||w||_1 + (1 - l1_ratio) / 2 * ||w||^2)``; at zero means w = 0 and the best b.
    The dual point is the residual, centred if there is an intercept, scaled as
    well as it can be. With an L2 part two bounds exist, and the better one counts.

    Parameters
    ----------
    X : ndarray or sparse of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,) or (n_samples, n_solutions)
        Two-dimensional: a target for each solution.
    coefs : ndarray of shape (n_features, n_solutions)
    intercepts : ndarray of shape (n_solutions,)
    alphas : ndarray of shape (n_solutions,)
        Positive.
    l1_ratio : float
        In [0, 1].
    fit_intercept : bool

    Returns
    -------
    gaps : ndarray of shape (n_solutions,)
        NaN coefficients give NaN.
    """
    n_samples = X.shape[0]
    coefs = np.asarray(coefs, dtype=float)
    targets = np.asarray(y, dtype=float).reshape(n_samples, -1)
    l1, l2 = np.asarray(alphas) * l1_ratio, np.asarray(alphas) * (1.0 - l1_ratio)
    residuals = targets - X @ coefs - intercepts
    norms = (coefs**2).sum(axis=0)
    primal = (residuals**2).sum(axis=0) / (2 * n_samples)
    primal += l1 * np.abs(coefs).sum(axis=0) + l2 * norms / 2
    if fit_intercept:
        targets = targets - targets.mean(axis=0)
        residuals = residuals - residuals.mean(axis=0)
    at_zero = (targets**2).sum(axis=0) / (2 * n_samples)

    theta = residuals / n_samples
    correlations = X.T @ theta
    linear = (targets * theta).sum(axis=0)
    quadratic = n_samples * (theta**2).sum(axis=0)
    dual = np.full(len(norms), -np.inf)
    if l1_ratio > 0:
        # The L2 part as extra rows of X, which leaves a plain Lasso to bound.
        steepest = np.abs(correlations - l2 * coefs).max(axis=0)
        dual = _maximize_scaling(linear, quadratic + l2 * norms, l1, steepest)
    if l1_ratio < 1:
        excess = np.maximum(np.abs(correlations) - l1, 0.0)
        dual = np.fmax(dual, linear - quadratic / 2 - (excess**2).sum(axis=0) / (2 * l2))
    return np.where(np.isfinite(primal), (primal - dual) / at_zero, np.nan)


def _maximize_scaling(linear, quadratic, bound, steepest):
    """Largest ``s * linear - s^2 * quadratic / 2`` with ``|s| * steepest <= bound``."""
    with np.errstate(divide="ignore", invalid="ignore"):
        limit = np.where(steepest > 0, bound / steepest, np.inf)
        best = np.where(quadratic > 0, linear / quadratic, 0.0)
    scale = np.clip(best, -limit, limit)
    return scale * linear - scale**2 * quadratic / 2
