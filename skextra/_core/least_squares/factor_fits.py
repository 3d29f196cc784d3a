"""Ridge regression and elastic nets from the factor of blocks of data.

The rows of a factor are data with the same moments: the solvers of data in memory run on them
as they are, with their fallbacks. What differs is the number of samples, by which elastic nets
divide their loss, and the certificate, see :mod:`skextra._core.least_squares.factor_certificate`.
"""

import numpy as np

from skextra._core.least_squares import elastic_net, ridge, ridge_folds, ridge_nonnegative
from skextra._core.least_squares.elastic_net import solve_on_moments
from skextra._core.least_squares.problem import build_problem
from skextra._core.numerics.products import multiply_dense

_EPS = np.finfo(np.float64).eps


def compute_intercepts(coef, mean):
    """Best intercepts of coefficients (n_targets, n_features) for data of that mean."""
    p = coef.shape[1]
    return mean[p:] - multiply_dense(np.ascontiguousarray(coef), mean[:p, None])[:, 0]


def build_ridge_problem(factor, n_features, penalty_weights):
    """Ridge regression on the rows of a factor."""
    X, Y = factor.split(n_features)
    return build_problem(np.asfortranarray(X), Y, None, False, penalty_weights)


def solve_ridge(factor, n_features, alphas, penalty_weights, method, positive, max_iter, tol):
    """Ridge regression.

    Parameters
    ----------
    factor : Factor
    n_features : int
    alphas : ndarray of shape (n_targets,)
    penalty_weights : ndarray of shape (n_features,) or None
        Positive with a sign constraint.
    method : {"auto", "svd"}
    positive : bool
    max_iter : int or None
    tol : float

    Returns
    -------
    coef : ndarray of shape (n_targets, n_features)
    result : Result
    """
    problem = build_ridge_problem(factor, n_features, penalty_weights)
    if positive:
        penalized = np.ones(problem.design.shape[1], dtype=bool)
        result = ridge_nonnegative.solve_positive(
            problem, alphas, penalized, tol=tol, max_iter=max_iter
        )
    else:
        result = ridge.solve_direct(problem, alphas, method=method)
    return problem.expand(result.W)[0], result


def solve_ridge_path(factor, n_features, alphas, penalty_weights):
    """Coefficients (n_targets, n_features) of ridge regression for each alpha in turn."""
    problem = build_ridge_problem(factor, n_features, penalty_weights)
    for result in ridge_folds.solve_path(problem, alphas):
        yield problem.expand(result.W)[0]


def solve_elastic_net(factor, n_features, alphas, l1_ratio, penalty_weights, settings, start=None):
    """Elastic net for each target and each penalty of a decreasing sequence.

    Parameters
    ----------
    factor : Factor
    n_features : int
    alphas : ndarray of shape (n_alphas,)
    l1_ratio : float
    penalty_weights : ndarray of shape (n_features,) or None
    settings : Settings
    start : ndarray of shape (n_targets, n_features) or None

    Returns
    -------
    path : Path
        With intercepts; its gaps are those of the factor's rows.
    """
    X, Y = factor.split(n_features)
    alphas = np.asarray(alphas, dtype=np.float64)
    if len(X) == 0:
        X, Y = np.zeros((1, n_features)), np.zeros((1, Y.shape[1]))
    path = elastic_net.solve(
        np.asfortranarray(X), Y, alphas * (factor.weight / len(X)), l1_ratio=l1_ratio,
        fit_intercept=False, penalty_weights=penalty_weights, settings=settings, start=start,
    )  # fmt: skip
    for i in range(len(alphas)):
        path.intercepts[:, i] = compute_intercepts(path.coefs[:, i], factor.mean)
    return path


def compute_null_objectives(factor, n_features, penalty_weights):
    """What gaps of elastic nets are relative to, one for each target."""
    X, Y = factor.split(n_features)
    problem, _ = elastic_net.build(np.asfortranarray(X), Y, None, False, penalty_weights)
    return elastic_net.compute_null_objectives(problem)


def compute_alpha_max(factor, n_features, l1_ratio, penalty_weights, positive):
    """Smallest alpha whose solution is zero, but for unpenalized features; 0 for no signal."""
    X, Y = factor.split(n_features)
    problem, scale = elastic_net.build(
        np.asfortranarray(X), Y, None, False, penalty_weights, positive
    )
    # What centering leaves of a constant target is rounding, and no signal in small units.
    noise = factor.weight * (8 * _EPS * factor.mean[n_features:]) ** 2
    if len(X) == 0 or (problem.null_objective <= noise).all():
        return 0.0
    largest = elastic_net.compute_alpha_max(problem, scale, l1_ratio, positive)
    return largest * len(X) / factor.weight


def compute_fold_errors(train, test, n_features, alphas, l1_ratio, penalty_weights, settings):
    """Mean squared errors, on a fold, of elastic nets fitted to the other folds.

    Parameters
    ----------
    train, test : Factor
    n_features : int
    alphas : ndarray of shape (n_alphas,)
    l1_ratio : float
    penalty_weights : ndarray of shape (n_features,) or None
    settings : Settings

    Returns
    -------
    errors : ndarray of shape (n_alphas,)
    converged : bool
    """
    X, Y = train.split(n_features)
    solution = None
    finite = penalty_weights is None or np.isfinite(penalty_weights).all()
    if len(X) and finite:
        # As folds of data in memory are solved.
        solution = solve_on_moments(
            X.T @ X, X.T @ Y, np.einsum("ij,ij->j", Y, Y), train.weight, alphas, l1_ratio,
            penalty_weights, settings,
        )  # fmt: skip
    if solution is None:
        path = solve_elastic_net(train, n_features, alphas, l1_ratio, penalty_weights, settings)
        solution = path.coefs, bool(path.converged.all())
    (coefs,), converged = solution
    squares = sum_squared_errors(test, coefs, compute_intercepts(coefs, train.mean))
    return squares / test.weight, converged


def sum_squared_errors(test, coefs, intercepts):
    """Weighted squared errors of models of one target, or each of its own target.

    Parameters
    ----------
    test : Factor
    coefs : ndarray of shape (n_models, n_features)
    intercepts : ndarray of shape (n_models,)

    Returns
    -------
    squares : ndarray of shape (n_models,)
    """
    p = coefs.shape[1]
    R = test.rows[:, p:] - test.rows[:, :p] @ coefs.T
    offset = compute_intercepts(coefs, test.mean) - intercepts
    return np.einsum("ij,ij->j", R, R) + test.weight * offset**2
