"""How exact a solution is, measured one way for every contestant.

Written apart from the package's own certificates on purpose: a mistake there
must not be able to hide here.
"""

import numpy as np
from scipy import linalg, sparse

# Below this the simple bound is good enough to print.
_WORTH_REFINING = 1e-8


def compute_relative_gaps(
    X, y, coefs, intercepts, alphas, l1_ratio, fit_intercept, *, refine=False
):
    """Duality gap of each solution, relative to the objective at zero.

    The objective of solution k is ``||y - X w - b||^2 / (2 n) + alpha_k * (l1_ratio
    * ||w||_1 + (1 - l1_ratio) / 2 * ||w||^2)``; at zero means w = 0 and the best b.
    The dual point comes from the coefficients alone: the residual, centered if
    there is an intercept, scaled as well as it can be. For a Lasso that point
    lags behind coefficients which are already good; `refine` also tries the
    residual of the exact optimum on their own support, and the better bound
    counts. The plain gap says what the coefficients can prove by themselves,
    the refined one how far they are from the minimum.

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
    refine : bool

    Returns
    -------
    gaps : ndarray of shape (n_solutions,)
        NaN coefficients give NaN.
    """
    n_samples = X.shape[0]
    coefs, alphas = np.asarray(coefs, dtype=float), np.asarray(alphas, dtype=float)
    targets = np.asarray(y, dtype=float).reshape(n_samples, -1)
    l1, l2 = alphas * l1_ratio, alphas * (1.0 - l1_ratio)
    residuals = targets - X @ coefs - intercepts
    primal = (residuals**2).sum(axis=0) / (2 * n_samples)
    primal += l1 * np.abs(coefs).sum(axis=0) + l2 * (coefs**2).sum(axis=0) / 2
    if fit_intercept:
        targets = targets - targets.mean(axis=0)
        residuals = residuals - residuals.mean(axis=0)
    at_zero = (targets**2).sum(axis=0) / (2 * n_samples)
    dual = _bound_below(X, targets, residuals, coefs, l1, l2)
    if refine and l1_ratio == 1:
        for k in np.flatnonzero((primal - dual) / at_zero > _WORTH_REFINING):
            target = targets[:, [min(k, targets.shape[1] - 1)]]
            refined = _solve_on_support(X, target[:, 0], coefs[:, k], alphas[k], fit_intercept)
            if refined is not None:
                residual = target - (X @ refined)[:, None]
                residual -= residual.mean() * fit_intercept
                bound = _bound_below(X, target, residual, refined[:, None], l1[[k]], l2[[k]])
                dual[k] = max(dual[k], bound[0])
    return np.where(np.isfinite(primal), (primal - dual) / at_zero, np.nan)


def _bound_below(X, targets, residuals, coefs, l1, l2):
    """Dual objective at scaled residuals: a lower bound on each minimum."""
    n_samples = X.shape[0]
    theta = residuals / n_samples
    correlations = X.T @ theta
    linear = (targets * theta).sum(axis=0)
    quadratic = n_samples * (theta**2).sum(axis=0)
    # The L2 part as extra rows of X, which leaves a plain Lasso to bound.
    steepest = np.abs(correlations - l2 * coefs).max(axis=0)
    dual = _maximize_scaling(linear, quadratic + l2 * (coefs**2).sum(axis=0), l1, steepest)
    if (l2 > 0).all():
        # The conjugate of the whole penalty, which any point satisfies.
        excess = np.maximum(np.abs(correlations) - l1, 0.0)
        dual = np.fmax(dual, linear - quadratic / 2 - (excess**2).sum(axis=0) / (2 * l2))
    return dual


def _maximize_scaling(linear, quadratic, bound, steepest):
    """Largest ``s * linear - s^2 * quadratic / 2`` with ``|s| * steepest <= bound``."""
    with np.errstate(divide="ignore", invalid="ignore"):
        limit = np.where(steepest > 0, bound / steepest, np.inf)
        best = np.where(quadratic > 0, linear / quadratic, 0.0)
    scale = np.clip(best, -limit, limit)
    return scale * linear - scale**2 * quadratic / 2


def _solve_on_support(X, y, coef, alpha, fit_intercept):
    """Stationary coefficients with the support and signs of `coef`, or None."""
    support = np.flatnonzero(coef)
    n_samples = X.shape[0]
    if not 0 < len(support) <= n_samples:
        return None
    columns = X[:, support]
    gram = columns.T @ columns
    gram = gram.toarray() if sparse.issparse(gram) else gram
    right = columns.T @ y - n_samples * alpha * np.sign(coef[support])
    if fit_intercept:  # y is centered; the columns are not
        means = np.asarray(columns.mean(axis=0)).ravel()
        gram = gram - n_samples * np.outer(means, means)
    try:
        solution = linalg.solve(gram, right, assume_a="pos")
    except linalg.LinAlgError:
        return None
    refined = np.zeros(X.shape[1])
    refined[support] = solution
    return refined
