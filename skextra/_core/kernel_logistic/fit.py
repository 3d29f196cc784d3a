"""Kernel logistic regression from a Gram source: which solver, which samples, which classes."""

from dataclasses import dataclass, replace

import numpy as np

from skextra._core.gram.products import GramProduct, measure_free_memory
from skextra._core.kernel_logistic import nystroem
from skextra._core.kernel_logistic.exact import KernelLogisticSolver
from skextra._core.runtime.threads import single_threaded_blas

# Of the memory that is free, what kernel values may take.
_SHARE = 0.5
# This far below the most probable class a probability is zero to double precision.
_ABSENT = 40.0


@dataclass
class Model:
    """Expansion of decision values in kernel functions, and its certificate.

    Attributes
    ----------
    A : ndarray of shape (n_rows, n_points)
    b : ndarray of shape (n_rows,)
    points : ndarray of int of shape (n_points,)
        Samples whose kernel functions they are, increasing unless approximate.
    F : ndarray of shape (n_rows, n_counted)
        Decision values of the samples that have a weight.
    gap : float
        Relative to the objective of the null model.
    n_iter : int
    converged : bool
    """

    A: np.ndarray
    b: np.ndarray
    points: np.ndarray
    F: np.ndarray
    gap: float
    n_iter: int
    converged: bool


def get_budget():
    """Bytes that kernel values may take."""
    return _SHARE * measure_free_memory()


def fit(source, codes, n_classes, weights, fit_intercept, settings, *, approximation=None,
        n_components=None, start=None):  # fmt: skip
    """Fit with one vector of weights.

    Parameters
    ----------
    source : Gram source
    codes : ndarray of int of shape (n_samples,)
    n_classes : int
    weights : ndarray of shape (n_samples,)
        Of the samples' losses; a sample of weight zero plays no part.
    fit_intercept : bool
    settings : kernel_logistic.Settings
    approximation : 'nystroem' or None
    n_components : int
    start : (ndarray, ndarray, ndarray) or None
        Coefficients, intercepts and points of an earlier model.

    Returns
    -------
    model : Model
    """
    counted = np.flatnonzero(weights > 0)
    if len(counted) < len(weights):
        source, codes, weights = source.take(counted), codes[counted], weights[counted]
    if settings.report is not None:
        settings = replace(settings, report=_Report(settings.report, counted))
    present, numbers = np.unique(codes, return_inverse=True)
    solve = _solve_reduced if approximation == "nystroem" else _solve_whole
    options = {"n_components": n_components, "start": _locate(start, counted, n_classes)}
    with single_threaded_blas():
        if len(present) == n_classes or not fit_intercept:
            model = solve(source, codes, n_classes, weights, fit_intercept, settings, **options)
        else:
            options["start"] = None
            model = _solve_present(
                solve, source, present, numbers, n_classes, weights, settings, options
            )
    model.points = counted[model.points]
    return model


class _Report:
    """Passes a model in progress on, in terms of all samples."""

    def __init__(self, report, counted):
        self.report, self.counted = report, counted

    def __call__(self, A, b, points=None):
        self.report(A, b, self.counted if points is None else self.counted[points])


def _locate(start, counted, n_classes):
    """An earlier model in terms of the samples that count, if it is of use."""
    if start is None:
        return None
    A, b, points = start
    if len(A) != (1 if n_classes == 2 else n_classes):
        return None
    positions = np.searchsorted(counted, points)
    positions[positions == len(counted)] = 0
    if len(points) == 0 or not np.array_equal(counted[positions], points):
        return None
    return A, b, positions


def _solve_whole(source, codes, n_classes, weights, fit_intercept, settings, n_components, start):
    product = GramProduct(source, settings.budget, settings.apply)
    solver = KernelLogisticSolver(product, codes, n_classes, fit_intercept, settings)
    if start is not None:
        A = np.zeros_like(solver.A)
        A[:, start[2]] = start[0]
        solver.start_from(A, start[1])
    solver.solve(weights)
    points, A, b = np.arange(source.n_samples), product.project(solver.A), solver.b
    gap, converged = solver.gap, solver.converged
    if fit_intercept:
        b, rounding = source.restore_intercepts(A, b)
        # Rounding of intercepts that are returned, far from zero, counts.
        lost = float(rounding @ np.abs(A).sum(axis=1)) / solver.null
        gap, converged = gap + lost, converged and gap + lost <= solver.tol / solver.null
    return Model(A, b, points, solver.F, gap, solver.n_iter, bool(converged))


def _solve_reduced(source, codes, n_classes, weights, fit_intercept, settings, n_components, start):
    centers, upper = nystroem.choose_centers(source, n_components, settings.seed)
    rows = nystroem.KernelRows(source, centers, upper, settings.budget, settings.apply)
    if start is not None:
        same = np.array_equal(start[2], centers)
        start = (start[0] @ upper.T, start[1]) if same else None
    A, b, F, solution = nystroem.solve(
        rows, codes, n_classes, weights, fit_intercept, settings, start
    )
    return Model(A, b, centers, F, solution.gap, solution.n_iter, solution.converged)


def _solve_present(solve, source, present, numbers, n_classes, weights, settings, options):
    """Model of the classes that have samples; the others get an intercept of about -inf."""
    settings = replace(settings, report=None)
    if len(present) == 1:
        n = source.n_samples
        model = Model(np.zeros((1, n)), np.zeros(1), np.arange(n), np.zeros((1, n)), 0.0, 0, True)
    elif len(present) == 2:
        # Two rows of softmax share one row of log-odds evenly, at half its penalty.
        model = solve(source, numbers, 2, 2.0 * weights, True, settings, **options)
    else:
        model = solve(source, numbers, len(present), weights, True, settings, **options)
    if n_classes == 2:
        model.b = model.b + (_ABSENT if present[0] == 1 else -_ABSENT)
        return model
    if len(present) == 2:
        model.A, model.F = np.vstack([-0.5 * model.A, 0.5 * model.A]), _halve(model.F)
        model.b = np.append(-0.5 * model.b, 0.5 * model.b)
    lowest = model.F.max(axis=0).min() - _ABSENT
    A, b = np.zeros((n_classes, model.A.shape[1])), np.full(n_classes, lowest)
    F = np.full((n_classes, model.F.shape[1]), lowest)
    A[present], b[present], F[present] = model.A, model.b, model.F
    model.A, model.b, model.F = A, b - b.mean(), F - b.mean()
    return model


def _halve(F):
    return np.vstack([-0.5 * F, 0.5 * F])
