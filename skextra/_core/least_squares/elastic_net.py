"""Elastic-net paths: from checked data to certified coefficients.

min over w, b of  sum_i s_i (y_i - x_i w - b)^2 / (2 sum_i s_i)
                  + alpha sum_j v_j (l1_ratio |w_j| + (1 - l1_ratio) w_j^2 / 2)
"""

from contextlib import nullcontext
from dataclasses import dataclass, fields, replace

import numpy as np

from skextra._core.least_squares import ridge, ridge_bounds, ridge_nonnegative, solver_choice
from skextra._core.least_squares.elastic_net_gram import Sweeps, solve_path
from skextra._core.least_squares.elastic_net_target import FLOOR, Target
from skextra._core.least_squares.problem import build_problem
from skextra._core.least_squares.solver_choice import Shape, Solver
from skextra._core.numerics.design_matrix import Design
from skextra._core.numerics.packed_columns import correlate
from skextra._core.numerics.path import Path
from skextra._core.numerics.scaling import round_to_power_of_two
from skextra._core.runtime.threads import single_threaded_blas

# Gaps below this multiple of the null objective cannot be told from rounding.
_ROUNDING = 64 * np.finfo(np.float64).eps


@dataclass
class Settings:
    """How to solve, apart from the data and the penalties.

    Attributes
    ----------
    tol : float
        Duality gap to reach, relative to the objective of the null model.
    max_iter : int
        Sweeps a problem may take.
    positive : bool
    seed : int or None
        Shuffle coordinates before each sweep; None sweeps in order.
    """

    tol: float = 1e-4
    max_iter: int = 1000
    positive: bool = False
    seed: int | None = None

    def create_sweeps(self):
        """Fresh sweep state: every problem starts from the same seed."""
        return Sweeps(self.positive, self.max_iter, self.seed)


def prefers_gram(X, n_alphas):
    """Whether one Gram matrix of all features pays for a path, or for many targets."""
    return solver_choice.prefers_gram(Shape(*X.shape, n_alphas))


def split_penalty_weights(penalty_weights, positive=False):
    """Penalty weights as `build_problem` takes them (0, 1 or inf), and those of the rest."""
    if penalty_weights is None:
        return None, None
    kind = np.ones_like(penalty_weights)
    if not positive:
        # A sign constraint keeps unpenalized features from being projected out.
        kind[penalty_weights == 0] = 0.0
    kind[np.isinf(penalty_weights)] = np.inf
    return kind, penalty_weights[kind == 1]


def normalize(sample_weight):
    """Weights with mean one: the objective does not depend on their scale."""
    return None if sample_weight is None else sample_weight / sample_weight.mean()


def build(X, Y, sample_weight, fit_intercept, penalty_weights, positive=False):
    """The problem on penalized columns, and their penalty weights.

    With a sign constraint unpenalized features are among them, with weight 0.
    """
    kind, scale = split_penalty_weights(penalty_weights, positive)
    problem = build_problem(X, Y, normalize(sample_weight), fit_intercept, kind)
    if scale is None:
        scale = np.ones(X.shape[1])
    return problem, scale


def compute_null_objectives(problem):
    """Half the weighted squares of the targets, free of unpenalized directions.

    What gaps are relative to: at least rounding of the targets themselves, which is all that
    is left where unpenalized features explain them.
    """
    if problem.design.rows is None:
        return problem.null_objective
    Yw = problem.weigh_targets()
    rounding = 64 * np.finfo(problem.design.X.dtype).eps
    return np.maximum(0.5 * np.einsum("ij,ij->j", Yw, Yw), rounding * problem.null_objective)


def compute_alpha_max(problem, scale, l1_ratio, positive):
    """Smallest alpha whose solution is zero, but for unpenalized features, for every target."""
    penalized = scale > 0
    if not penalized.any():
        return 0.0
    Y = problem.Y
    if not penalized.all():
        # With a sign constraint they are not projected out: they are fitted first.
        free = _select_features(problem, ~penalized)
        none = np.zeros(np.count_nonzero(~penalized), dtype=bool)
        result = ridge_nonnegative.solve_positive(free, np.zeros(Y.shape[1]), none)
        Y = Y - free.design.dot(result.W)
    c = correlate(problem.design, problem.design.weigh_rows(Y))[penalized]
    c = np.maximum(c, 0.0) if positive else np.abs(c)
    magnitude = c[:, 0] if c.shape[1] == 1 else np.sqrt((c * c).sum(axis=1))
    largest = (magnitude / scale[penalized]).max()
    return float(largest / (problem.design.shape[0] * l1_ratio))


def _select_features(problem, mask):
    """The problem with some of its features."""
    full = problem.design
    design = Design(
        full.X[:, np.flatnonzero(mask)], full.weights, full.fit_intercept, None, full.dtype
    )
    return replace(problem, design=design, n_features=design.shape[1], penalized=None)


def solve(
    X, Y, alphas, *, l1_ratio=1.0, sample_weight=None, fit_intercept=True,
    penalty_weights=None, settings=None, start=None, gram=None,
):  # fmt: skip
    """Solve for every target and every penalty of a decreasing sequence.

    Parameters
    ----------
    X : ndarray or CSC of shape (n_samples, n_features)
    Y : ndarray of shape (n_samples, n_targets)
    alphas : ndarray of shape (n_alphas,)
        Decreasing.
    l1_ratio : float
    sample_weight : ndarray of shape (n_samples,) or None
    fit_intercept : bool
    penalty_weights : ndarray of shape (n_features,) or None
    settings : Settings or None
    start : ndarray of shape (n_targets, n_features) or None
        Coefficients to start from.
    gram : ndarray of shape (n_features, n_features) or None
        Weighted Gram matrix of the centered columns, if known already.

    Returns
    -------
    path : Path
    """
    settings = Settings() if settings is None else settings
    alphas = np.asarray(alphas, dtype=np.float64)
    options = (l1_ratio, sample_weight, fit_intercept, penalty_weights, settings, start, gram)
    if settings.positive:
        return _solve_penalized(X, Y, alphas, *options)
    # Without an L1 penalty it is a different problem with a closed form.
    n_sparse = np.count_nonzero(alphas) if l1_ratio > 0 else 0
    parts = []
    if n_sparse:
        parts.append(_solve_penalized(X, Y, alphas[:n_sparse], *options))
    if n_sparse < len(alphas):
        ridge_alphas = alphas[n_sparse:] * (1 - l1_ratio)
        parts.append(_solve_ridge(X, Y, ridge_alphas, *options[1:5]))
    if len(parts) == 1:
        return parts[0]
    arrays = zip(*map(_list_arrays, parts), strict=True)
    return Path(*(np.concatenate(a, axis=1) for a in arrays), solver=parts[-1].solver)


def _solve_penalized(
    X, Y, alphas, l1_ratio, sample_weight, fit_intercept, penalty_weights, settings, start, gram
):
    """`solve` by coordinate descent."""
    positive = settings.positive
    problem, scale = build(X, Y, sample_weight, fit_intercept, penalty_weights, positive)
    null = compute_null_objectives(problem)
    tols = np.maximum(settings.tol, _ROUNDING) * null
    if start is not None and problem.penalized is not None:
        start = start[:, problem.penalized]
    if start is not None and positive:
        # A gap only bounds anything at a feasible point.
        start = np.maximum(start, 0.0)
    path = Path.allocate(Y.shape[1], len(alphas), X.shape[1])
    lam1, lam2 = alphas * l1_ratio * X.shape[0], alphas * (1 - l1_ratio) * X.shape[0]
    shape = Shape(*problem.design.shape, len(alphas), gram is not None)
    solver = solver_choice.choose_solver(shape)
    path.solver = solver.value
    # A Gram matrix from outside may be anything, and unpenalized features are not in it.
    is_trusted = gram is None and problem.free_transform is None
    moments = compute_gram(problem, gram) if solver is Solver.GRAM and len(scale) else None
    # Switching takes longer than a tiny problem does.
    is_tiny = len(scale) <= 50
    with nullcontext() if is_tiny else single_threaded_blas():
        for t in range(Y.shape[1]):
            w = np.zeros(len(scale)) if start is None else start[t].astype(np.float64)
            target = Target(problem, t, scale, lam1, lam2, tols[t], settings)
            target.solve(w, moments, solver)
            target.certify(is_trusted, moments)
            target.store(path)
    path.gaps /= np.maximum(null, np.finfo(np.float64).tiny)[:, None]
    return path


def compute_gram(problem, gram=None):
    """Gram matrix of the penalized columns (both triangles), and products with the targets."""
    design = problem.design
    # A Gram matrix from outside knows nothing of unpenalized features.
    if gram is None or design.rows is not None:
        gram, cross = design.compute_moments(problem.Y)
        gram = np.tril(gram) + np.tril(gram, -1).T
    else:
        cross = correlate(design, design.weigh_rows(problem.Y))
        if problem.penalized is not None:
            gram = gram[np.ix_(problem.penalized, problem.penalized)]
    gram = np.ascontiguousarray(gram, dtype=np.float64)
    return gram, cross


def _solve_ridge(X, Y, alphas, sample_weight, fit_intercept, penalty_weights, settings):
    """`solve` without an L1 penalty and without a sign constraint."""
    problem = build_problem(X, Y, normalize(sample_weight), fit_intercept, penalty_weights)
    path = Path.allocate(Y.shape[1], len(alphas), X.shape[1])
    null = compute_null_objectives(problem)
    for i, alpha in enumerate(alphas):
        penalties = np.full(Y.shape[1], alpha * X.shape[0])
        result = ridge.solve(problem, penalties, tol=settings.tol, max_iter=settings.max_iter)
        coefs, intercepts = (a.astype(X.dtype) for a in problem.expand(result.W))
        gaps = ridge_bounds.compute_returned_gap(problem, result, coefs, intercepts, penalties)
        path.coefs[:, i], path.intercepts[:, i] = coefs, intercepts
        path.gaps[:, i] = gaps / np.where(null > 0, null, 1.0)
        path.n_iters[:, i] = 1 if result.n_iter is None else result.n_iter
        path.solver = result.method
    path.converged[:] = path.gaps <= max(settings.tol, 1e-10)
    return path


def _list_arrays(path):
    values = (getattr(path, field.name) for field in fields(path))
    return [value for value in values if isinstance(value, np.ndarray)]


def solve_on_moments(
    gram, cross, yy, total_weight, alphas, l1_ratio, penalty_weights, settings, solve_gram=None
):
    """Solve given nothing but weighted, centered moments.

    Parameters
    ----------
    gram : ndarray of shape (n_features, n_features)
    cross : ndarray of shape (n_features, n_targets)
    yy : ndarray of shape (n_targets,)
    total_weight : float
    alphas : ndarray of shape (n_alphas,)
        Decreasing.
    l1_ratio : float
    penalty_weights : ndarray of shape (n_features,) or None
        Finite; unpenalized features are eliminated by a Schur complement.
    settings : Settings
    solve_gram : callable or None
        Solves on the Gram matrix of penalized features; by default for one target.

    Returns
    -------
    coefs : ndarray of shape (n_targets, n_alphas, n_features)
    converged : bool
        Nothing at all (None) is returned where the moments do not determine
        the solution well: no L1 penalty, or collinear unpenalized features.
    """
    if (l1_ratio == 0 or alphas[-1] == 0) and not settings.positive:
        return None
    scale = np.ones(len(cross)) if penalty_weights is None else penalty_weights
    sizes = round_to_power_of_two(np.sqrt(np.maximum(gram.diagonal(), 0.0)))
    free, penalized = np.flatnonzero(scale == 0), np.flatnonzero(scale)
    G, b, projection = gram, cross, None
    if len(free):
        # In one unit: no feature is collinear for being small.
        scaled = gram[np.ix_(free, free)] / sizes[free] / sizes[free, None]
        values, V = np.linalg.eigh(scaled)
        if values[0] <= 1e-8 * values[-1] or settings.positive:
            return None
        solve_free = (V / values) @ V.T / sizes[free] / sizes[free, None]
        projection = solve_free @ gram[np.ix_(free, penalized)]
        G = gram[np.ix_(penalized, penalized)] - gram[np.ix_(penalized, free)] @ projection
        free_values = solve_free @ cross[free]
        b = cross[penalized] - gram[np.ix_(penalized, free)] @ free_values
        yy = yy - np.einsum("jt,jt->t", cross[free], free_values)
    lam1, lam2 = alphas * l1_ratio * total_weight, alphas * (1 - l1_ratio) * total_weight
    yy = float(yy.sum())
    tol = max(settings.tol, _ROUNDING) * 0.5 * yy
    coefs = np.zeros((cross.shape[1], len(alphas), len(cross)))
    L1, L2 = np.outer(lam1, scale[penalized]), np.outer(lam2, scale[penalized])
    if lam1[-1] == 0 and lam2[-1] == 0:
        L1 = L1 + FLOOR * np.sqrt(np.maximum(G.diagonal(), 0.0) * yy)
    solve_gram = _solve_one_target if solve_gram is None else solve_gram
    G, b = np.ascontiguousarray(G), np.ascontiguousarray(b)
    coefs[..., penalized], gaps = solve_gram(G, b, L1, L2, yy, tol, settings)
    if len(free):
        coefs[..., free] = free_values.T[:, None] - coefs[..., penalized] @ projection.T
    return coefs, bool((gaps <= tol).all())


def _solve_one_target(gram, cross, L1, L2, yy, tol, settings):
    start = np.zeros(len(cross))
    sweeps = settings.create_sweeps()
    W, gaps, _ = solve_path(gram, cross[:, 0], L1, L2, yy, tol, settings.tol, sweeps, start)
    return W, gaps
