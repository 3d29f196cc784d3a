"""Linear support vector machines between two classes: which solver solves what."""

import numpy as np
from scipy import sparse

from skextra._core.svm import interior_point, interior_point_blas, l1_newton, newton
from skextra._core.svm.dual_coordinate_descent import DualDescent
from skextra._core.svm.result import LinearMachine

_FEW_FEATURES = 200  # for an interior-point method at once
_MANY_FEATURES = 2000  # for one if dual descent is slow
_MANY_SAMPLES = 5000  # from where on descent is worth a thought with few features
_FEW_SAMPLES = 1000  # to solve wide data on as many columns as samples
_SPARSE_FEATURES = 100  # whose rows may become dense, a block at a time
_DESCENT = 60  # sweeps before another method is thought of
_RANK = 1e-13  # of directions that are rounding


def solve(X, y, C, *, is_squared, is_sparse_penalty, fit_intercept, tol, max_iter):
    """Fit to samples of two classes.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), C-ordered, or CSR; float64
    y, C : ndarray of shape (n_samples,)
        -1 and 1, and positive weights of the losses.
    is_squared : bool
        Squared hinge, else hinge.
    is_sparse_penalty : bool
        L1 penalty, else L2.
    fit_intercept : bool
    tol : float
        Duality gap relative to the objective of the best constant.
    max_iter : int

    Returns
    -------
    machine : LinearMachine
    """
    options = {"fit_intercept": fit_intercept, "tol": tol, "max_iter": max_iter}
    if (y > 0).all() or (y < 0).all():
        # Of one class every sample is on the right side of a constant.
        side = float(np.sign(y[0])) if len(y) else 0.0
        return LinearMachine(np.zeros(X.shape[1]), side, 0.0, 0, True)
    if is_sparse_penalty:
        return l1_newton.solve(X, y, C, **options)
    n, d = X.shape
    if not sparse.issparse(X) and n < d and n <= _FEW_SAMPLES:
        return _solve_reduced(X, y, C, is_squared, options)
    if interior_point.is_small(n, d):
        machine = interior_point.solve(X, y, C, is_squared, **options)
        if machine is not None:
            return machine
    return _solve(X, y, C, is_squared, options)


def _solve(X, y, C, is_squared, options):
    d = X.shape[1]
    few = _SPARSE_FEATURES if sparse.issparse(X) else _FEW_FEATURES
    method = newton if is_squared else interior_point_blas
    is_small = d <= few or (is_squared and not sparse.issparse(X) and d <= len(y))
    if is_small and (is_squared or len(y) < _MANY_SAMPLES):
        return method.solve(X, y, C, **options)
    descent = DualDescent(X, y, C, is_squared, options["fit_intercept"])
    if is_small and C.mean() * descent.squares.mean() > 1.0:
        # Too little weight on the penalty for a few sweeps to do.
        return method.solve(X, y, C, **options)
    can_change = is_squared or is_small or (not sparse.issparse(X) and d <= _MANY_FEATURES)
    limit = options["max_iter"]
    machine = descent.solve(options["tol"], min(_DESCENT, limit) if can_change else limit)
    if machine.converged or not can_change or machine.n_iter >= limit:
        return machine
    options = {**options, "max_iter": limit - machine.n_iter}
    if is_squared:
        options["start"] = machine.coef
    other = method.solve(X, y, C, **options)
    other.n_iter += machine.n_iter
    return other if other.gap < machine.gap else machine


def _solve_reduced(X, y, C, is_squared, options):
    """Solve in an orthonormal basis of the samples: the coefficients are combinations of them."""
    with np.errstate(over="ignore", invalid="ignore"):
        kernel = X @ X.T
    if not np.isfinite(kernel).all():
        return LinearMachine(np.full(X.shape[1], np.nan), 0.0, np.inf, 0, False)
    values, vectors = np.linalg.eigh(kernel)
    kept = values > _RANK * max(values[-1], 0.0)
    if not kept.any():
        return _solve(np.zeros((len(y), 1)), y, C, is_squared, options)
    lengths, vectors = np.sqrt(values[kept]), vectors[:, kept]
    method = newton if is_squared else interior_point_blas
    machine = method.solve(vectors * lengths, y, C, **options)
    machine.coef = X.T @ (vectors @ (machine.coef / lengths))
    return machine
