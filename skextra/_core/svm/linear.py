"""Linear support vector machines between two classes: solvers in turn, until one certifies."""

import numpy as np
from scipy.linalg import lapack

from skextra._core.svm import interior_point, l1_newton, newton
from skextra._core.svm.dual_coordinate_descent import DualDescent
from skextra._core.svm.linear_problem import LinearProblem
from skextra._core.svm.result import LinearSVMResult
from skextra._core.svm.solver_choice import LinearShape, LinearSolver, choose_linear_solvers

# Of the gap asked for, what a solver aims at: rounding of the coefficients returned comes on top.
_SHARE = 0.9


def solve(
    rows, y, C, *, is_squared, has_l1_penalty, fit_intercept, tol, max_iter, dtype=np.float64
):
    """Fit to samples of two classes.

    Parameters
    ----------
    rows : CenteredRows
    y, C : ndarray of shape (n_samples,)
        -1 and 1, and positive weights of the losses.
    is_squared : bool
        Squared hinge, else hinge.
    has_l1_penalty : bool
        L1 penalty, else L2.
    fit_intercept : bool
    tol : float
        Duality gap relative to the objective of the best constant.
    max_iter : int
    dtype : float32 or float64
        Precision of the coefficients, whose rounding the gap contains.

    Returns
    -------
    result : LinearSVMResult
    """
    is_one_class = (y > 0).all() or (y < 0).all()
    if len(y) == 0 or (is_one_class and fit_intercept):
        # All samples of one class are on the right side of a constant.
        side = float(np.sign(y.sum()))
        return LinearSVMResult(np.zeros(rows.shape[1]), side, 0.0, 0, True)
    problem = LinearProblem(rows, y, C, is_squared, fit_intercept, dtype)
    if has_l1_penalty:
        return l1_newton.solve(problem, tol, max_iter)
    return _solve_in_turn(problem, tol, max_iter)


def _solve_in_turn(problem, tol, max_iter):
    best, n_iter = None, 0
    for solver, limit in choose_linear_solvers(_describe(problem)):
        left = max_iter - n_iter
        if left <= 0 and best is not None:
            break
        limit = left if limit is None else min(limit, left)
        start = best.coef if best is not None else None
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            result = _SOLVERS[solver](problem, tol, limit, start)
        n_iter += result.n_iter
        if best is None or result.gap < best.gap or not np.isfinite(best.coef).all():
            best = result
        if best.converged:
            break
    best.n_iter = n_iter
    return best


def _describe(problem):
    n, d = problem.shape
    if problem.is_squared:
        return LinearShape(n, d, problem.is_sparse, True)
    strength = float(problem.C.mean()) * problem.rows.mean_square
    return LinearShape(n, d, problem.is_sparse, False, strength)


def _solve_factored(problem, tol, max_iter, start):
    aim = _SHARE * tol * problem.scale
    d = problem.shape[1]
    u, dual, n_iter = interior_point.solve(
        problem.columns, problem.y, problem.C, d, problem.is_squared, aim, max_iter
    )
    return _finish(problem, u[:d], u[d:].sum(), dual, tol, n_iter)


def _solve_by_descent(problem, tol, max_iter, start):
    descent = DualDescent(problem)
    n_iter = descent.solve(_SHARE * tol, max_iter)
    result = problem.certify(
        descent.w, descent.b, descent.dual, tol, scores=descent.scores, image=descent.w
    )
    result.n_iter = n_iter
    return result


def _solve_by_conjugate_gradients(problem, tol, max_iter, start):
    w, b, n_iter = newton.solve(problem, _SHARE * tol, max_iter, start)
    return _finish(problem, w, b, None, tol, n_iter)


def _solve_rotated(problem, tol, max_iter, start):
    """Solve for the coordinates of ``X = U S V'``, of columns U S, with ``w = V u``.

    Columns are orthogonal: the system of a step is well conditioned but for the weights of
    samples, whatever features have in common. Singular values that Jacobi's method computes are
    accurate relative to the units of the features, too (Drmac & Veselic, SIAM J. Matrix Anal.
    Appl. 29, 2008).
    """
    X = problem.X
    is_wide = X.shape[0] < X.shape[1]
    values, left, right, work, _, failed = lapack.dgejsv(
        np.asfortranarray(X.T if is_wide else X), joba=2, jobu=0, jobv=0, jobr=0, jobp=0
    )
    if failed:
        return problem.certify(np.zeros(X.shape[1]), 0.0, np.zeros(X.shape[0]), tol)
    U, V = (right, left) if is_wide else (left, right)
    values = values * (work[0] / work[1])
    size = len(values)
    columns = np.ones((X.shape[0], size + problem.fit_intercept))
    np.multiply(U[:, :size], values, out=columns[:, :size])
    aim = _SHARE * tol * problem.scale
    u, dual, n_iter = interior_point.solve(
        columns, problem.y, problem.C, size, problem.is_squared, aim, max_iter
    )
    return _finish(problem, V[:, :size] @ u[:size], u[size:].sum(), dual, tol, n_iter)


def _finish(problem, w, b, dual, tol, n_iter):
    result = problem.certify(w, float(b), dual, tol)
    result.n_iter = n_iter
    return result


_SOLVERS = {
    LinearSolver.FACTORED: _solve_factored,
    LinearSolver.COORDINATE_DESCENT: _solve_by_descent,
    LinearSolver.CONJUGATE_GRADIENTS: _solve_by_conjugate_gradients,
    LinearSolver.ROTATED: _solve_rotated,
}
