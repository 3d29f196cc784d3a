"""Elastic-net paths: from checked data to certified coefficients.

min over w, b of  sum_i s_i (y_i - x_i w - b)^2 / (2 sum_i s_i)
                  + alpha sum_j v_j (l1_ratio |w_j| + (1 - l1_ratio) w_j^2 / 2)
"""

from contextlib import nullcontext
from dataclasses import dataclass, fields

import numpy as np

from skextra._core.least_squares import ridge
from skextra._core.least_squares.elastic_net_gram import Sweeps, solve_path
from skextra._core.least_squares.elastic_net_working_set import WorkingSetSolver
from skextra._core.least_squares.problem import build_problem
from skextra._core.numerics.design_matrix import refuse_overflow
from skextra._core.numerics.packed_columns import correlate
from skextra._core.numerics.path import Path
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
    """Whether one Gram matrix of all features is the cheaper way."""
    n, p = X.shape
    if p <= 300:
        return True
    return p <= n and p <= (3000 if n_alphas > 5 else 1000)


def split_penalty_weights(penalty_weights):
    """Penalty weights as `build_problem` takes them (0, 1 or inf), and those of the rest."""
    if penalty_weights is None:
        return None, None
    kind = np.ones_like(penalty_weights)
    kind[penalty_weights == 0] = 0.0
    kind[np.isinf(penalty_weights)] = np.inf
    return kind, penalty_weights[kind == 1]


def normalise(sample_weight):
    """Weights with mean one: the objective does not depend on their scale."""
    return None if sample_weight is None else sample_weight / sample_weight.mean()


def build(X, Y, sample_weight, fit_intercept, penalty_weights):
    """The problem on penalised columns, and their penalty weights."""
    kind, scale = split_penalty_weights(penalty_weights)
    problem = build_problem(X, Y, normalise(sample_weight), fit_intercept, kind)
    if scale is None:
        scale = np.ones(X.shape[1])
    return problem, scale


def compute_null_objectives(problem):
    """Half the weighted squares of the targets, free of nuisance directions."""
    if problem.design.rows is None:
        return problem.null_objective
    Yw = problem.design.weigh_rows(problem.Y)
    return 0.5 * np.einsum("ij,ij->j", Yw, Yw)


def compute_alpha_max(problem, scale, l1_ratio, positive):
    """Smallest alpha whose solution is zero for every target."""
    if len(scale) == 0:
        return 0.0
    c = correlate(problem.design, problem.design.weigh_rows(problem.Y))
    c = np.maximum(c, 0.0) if positive else np.abs(c)
    magnitude = c[:, 0] if c.shape[1] == 1 else np.sqrt((c * c).sum(axis=1))
    return float((magnitude / scale).max() / (problem.design.shape[0] * l1_ratio))


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
        Weighted Gram matrix of the centred columns, if known already.

    Returns
    -------
    path : Path
    """
    settings = Settings() if settings is None else settings
    alphas = np.asarray(alphas, dtype=np.float64)
    options = (l1_ratio, sample_weight, fit_intercept, penalty_weights, settings, start, gram)
    if settings.positive:
        return _solve_penalised(X, Y, alphas, *options)
    # Without an L1 penalty it is a different problem with a closed form.
    n_sparse = np.count_nonzero(alphas) if l1_ratio > 0 else 0
    parts = []
    if n_sparse:
        parts.append(_solve_penalised(X, Y, alphas[:n_sparse], *options))
    if n_sparse < len(alphas):
        ridge_alphas = alphas[n_sparse:] * (1 - l1_ratio)
        parts.append(_solve_ridge(X, Y, ridge_alphas, *options[1:5]))
    if len(parts) == 1:
        return parts[0]
    return Path(*(np.concatenate(arrays, axis=1) for arrays in zip(*map(_list_arrays, parts))))


def _solve_penalised(
    X, Y, alphas, l1_ratio, sample_weight, fit_intercept, penalty_weights, settings, start, gram
):
    """`solve` by coordinate descent."""
    problem, scale = build(X, Y, sample_weight, fit_intercept, penalty_weights)
    null = compute_null_objectives(problem)
    tols = np.maximum(settings.tol * null, _ROUNDING * problem.null_objective)
    if start is not None and problem.penalised is not None:
        start = start[:, problem.penalised]
    if start is not None and settings.positive:
        # A gap only bounds anything at a feasible point.
        start = np.maximum(start, 0.0)
    shape = (Y.shape[1], len(alphas))
    path = Path.allocate(*shape, X.shape[1])
    W = np.zeros((*shape, len(scale)))
    if len(scale):
        lam1 = alphas * l1_ratio * X.shape[0]
        lam2 = alphas * (1 - l1_ratio) * X.shape[0]
        use_gram = gram is not None or prefers_gram(problem.design.X, len(alphas))
        solve_targets = _solve_on_gram if use_gram else _solve_on_working_sets
        results = solve_targets(problem, scale, lam1, lam2, tols, settings, start, gram)
        # Switching takes longer than a tiny problem does.
        is_tiny = len(scale) <= 50
        with nullcontext() if is_tiny else single_threaded_blas():
            for t, (coefs, gaps, n_iters) in enumerate(results):
                W[t], path.gaps[t], path.n_iters[t] = coefs, gaps, n_iters
                path.converged[t] = gaps <= tols[t]
    path.gaps /= np.maximum(null, np.finfo(np.float64).tiny)[:, None]
    for i in range(len(alphas)):
        path.coefs[:, i], path.intercepts[:, i] = problem.expand(W[:, i].T)
    return path


def _solve_on_gram(problem, scale, lam1, lam2, tols, settings, start, gram):
    """Results of each target, on one Gram matrix: coefficients, gaps, iterations."""
    gram, cross = compute_gram(problem, gram)
    return _solve_targets_on_gram(problem, gram, cross, scale, lam1, lam2, tols, settings, start)


def compute_gram(problem, gram=None):
    """Gram matrix of the penalised columns (both triangles), and products with the targets."""
    design = problem.design
    # A Gram matrix from outside knows nothing of unpenalised features.
    if gram is None or design.rows is not None:
        gram, cross = design.compute_moments(problem.Y)
        gram = np.tril(gram) + np.tril(gram, -1).T
    else:
        cross = correlate(design, design.weigh_rows(problem.Y))
        if problem.penalised is not None:
            gram = gram[np.ix_(problem.penalised, problem.penalised)]
    gram = np.ascontiguousarray(gram, dtype=np.float64)
    return gram, cross


def _solve_targets_on_gram(problem, gram, cross, scale, lam1, lam2, tols, settings, start):
    yys = 2 * compute_null_objectives(problem)
    for t, yy in enumerate(yys):
        w = np.zeros(len(scale)) if start is None else start[t].astype(np.float64)
        yield solve_path(
            gram, np.ascontiguousarray(cross[:, t]), scale, _floor(lam1, lam2, cross[:, t]), lam2,
            float(yy), tols[t], settings.tol, settings.create_sweeps(), w,
        )  # fmt: skip


def _solve_on_working_sets(problem, scale, lam1, lam2, tols, settings, start, gram):
    """As `_solve_on_gram`, on working sets of features."""
    Yw = problem.design.weigh_rows(problem.Y)
    for t in range(Yw.shape[1]):
        w = np.zeros(len(scale)) if start is None else start[t].astype(np.float64)
        solver = WorkingSetSolver(
            problem.design, np.ascontiguousarray(Yw[:, t]), scale, tols[t],
            settings.create_sweeps(), w,
        )  # fmt: skip
        refuse_overflow(solver.b)
        solutions = solver.solve_path(_floor(lam1, lam2, solver.b), lam2)
        coefs = np.zeros((len(lam1), len(scale)))
        for row, (support, values, _, _) in zip(coefs, solutions):
            row[support] = values
        yield coefs, np.array([s[2] for s in solutions]), np.array([s[3] for s in solutions])


def _floor(lam1, lam2, b):
    """A trace of an L1 penalty where there is none at all (non-negative least squares)."""
    # Its duality gap would ask for exact feasibility. With a trace t of the largest
    # correlation, rounding of the correlations costs (eps / t)^2 of gap, and the
    # trace itself at most t: 1e-10 keeps both below what a tolerance can ask.
    if lam1[-1] > 0 or lam2[-1] > 0:
        return lam1
    return np.where(lam1 == 0, 1e-10 * np.abs(b).max(initial=0.0), lam1)


def _solve_ridge(X, Y, alphas, sample_weight, fit_intercept, penalty_weights, settings):
    """`solve` without an L1 penalty and without a sign constraint."""
    problem = build_problem(X, Y, normalise(sample_weight), fit_intercept, penalty_weights)
    path = Path.allocate(Y.shape[1], len(alphas), X.shape[1])
    null = compute_null_objectives(problem)
    for i, alpha in enumerate(alphas):
        penalties = np.full(Y.shape[1], alpha * X.shape[0])
        result = ridge.solve(problem, penalties, tol=settings.tol, max_iter=settings.max_iter)
        path.coefs[:, i], path.intercepts[:, i] = problem.expand(result.W)
        path.gaps[:, i] = result.gap / np.where(null > 0, null, 1.0)
        path.n_iters[:, i] = 1 if result.n_iter is None else result.n_iter
    path.converged[:] = path.gaps <= max(settings.tol, 1e-10)
    return path


def _list_arrays(path):
    return [getattr(path, field.name) for field in fields(path)]


def solve_on_moments(gram, cross, yy, total_weight, alphas, l1_ratio, penalty_weights, settings):
    """Solve for one target given nothing but weighted, centred moments.

    Parameters
    ----------
    gram : ndarray of shape (n_features, n_features)
    cross : ndarray of shape (n_features,)
    yy, total_weight : float
    alphas : ndarray of shape (n_alphas,)
        Decreasing.
    l1_ratio : float
    penalty_weights : ndarray of shape (n_features,) or None
        Finite; unpenalised features are eliminated by a Schur complement.
    settings : Settings

    Returns
    -------
    coefs : ndarray of shape (n_alphas, n_features)
    converged : bool
        Nothing at all (None) is returned where the moments do not determine
        the solution well: no L1 penalty, or collinear unpenalised features.
    """
    if (l1_ratio == 0 or alphas[-1] == 0) and not settings.positive:
        return None
    scale = np.ones(len(cross)) if penalty_weights is None else penalty_weights
    free, penalised = np.flatnonzero(scale == 0), np.flatnonzero(scale)
    G, b, projection = gram, cross, None
    if len(free):
        values, V = np.linalg.eigh(gram[np.ix_(free, free)])
        if values[0] <= 1e-8 * values[-1] or settings.positive:
            return None
        solve_free = (V / values) @ V.T
        projection = solve_free @ gram[np.ix_(free, penalised)]
        G = gram[np.ix_(penalised, penalised)] - gram[np.ix_(penalised, free)] @ projection
        free_values = solve_free @ cross[free]
        b = cross[penalised] - gram[np.ix_(penalised, free)] @ free_values
        yy = yy - cross[free] @ free_values
    lam1, lam2 = alphas * l1_ratio * total_weight, alphas * (1 - l1_ratio) * total_weight
    tol = max(settings.tol, _ROUNDING) * 0.5 * yy
    coefs = np.zeros((len(alphas), len(cross)))
    coefs[:, penalised], gaps, _ = solve_path(
        np.ascontiguousarray(G), np.ascontiguousarray(b), scale[penalised],
        _floor(lam1, lam2, b), lam2, float(yy), tol, settings.tol, settings.create_sweeps(),
        np.zeros(len(penalised)),
    )  # fmt: skip
    if len(free):
        coefs[:, free] = free_values - coefs[:, penalised] @ projection.T
    return coefs, bool((gaps <= tol).all())
