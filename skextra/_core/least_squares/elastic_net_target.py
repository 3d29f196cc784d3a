"""The elastic-net problems of one target: solved, certified, solved again where that fails."""

import numpy as np
from scipy.linalg import lapack

from skextra._core.least_squares.elastic_net_certificate import (
    ROUNDING_SHARE,
    Certifier,
    bound_cast,
    bound_gram_rounding,
)
from skextra._core.least_squares.elastic_net_gram import solve_path
from skextra._core.least_squares.elastic_net_working_set import WorkingSetSolver
from skextra._core.least_squares.solver_choice import Solver
from skextra._core.numerics.design_matrix import refuse_overflow
from skextra._core.numerics.packed_columns import pack

# Trace of an L1 penalty, see `compute_floor`.
FLOOR = 1e-10


class Target:
    """All problems of one target, for decreasing penalties.

    Parameters
    ----------
    problem : Problem
    t : int
    scale : ndarray of shape (n_penalized,)
        Penalty weights.
    lam1, lam2 : ndarray of shape (n_alphas,)
        L1 and L2 penalties at weight one.
    tol : float
        Absolute gap to reach.
    settings : Settings
    """

    def __init__(self, problem, t, scale, lam1, lam2, tol, settings):
        self.problem, self.t, self.scale, self.settings = problem, t, scale, settings
        self.lam1, self.lam2, self.tol = lam1, lam2, tol
        design = problem.design
        self.y = np.ascontiguousarray(design.weigh_rows(problem.Y[:, [t]])[:, 0])
        self.floor = np.zeros(len(scale))
        if settings.positive and len(scale):
            self.floor = compute_floor(design, self.y, scale, lam1, lam2)
        self.certifier = Certifier(problem, t, scale, lam1, lam2, settings.positive, self.floor)

    def solve(self, w, moments, solver):
        """Solve on the Gram matrix of all features, on all columns, or on working sets."""
        if len(w) == 0:
            n_alphas = len(self.lam1)
            self.W, self.gaps = np.zeros((n_alphas, 0)), np.zeros(n_alphas)
            self.n_iters = np.zeros(n_alphas, dtype=np.int64)
        elif moments is None:
            solution = self._solve_on_columns(w, slice(None), solver is Solver.COLUMNS)
            self.W, self.gaps, self.n_iters = solution
        else:
            gram, cross = moments
            L1, L2 = np.outer(self.lam1, self.scale) + self.floor, np.outer(self.lam2, self.scale)
            self.W, self.gaps, self.n_iters = solve_path(
                gram, np.ascontiguousarray(cross[:, self.t]), L1, L2,
                float(self.y @ self.y), self.tol, self.settings.tol,
                self.settings.create_sweeps(), w,
            )  # fmt: skip

    def _solve_on_columns(self, w, which, takes_all=False):
        solver = WorkingSetSolver(
            self.problem.design, self.y, self.scale, self.tol, self.settings.create_sweeps(), w,
            self.floor, takes_all,
        )  # fmt: skip
        refuse_overflow(solver.b)
        solutions = solver.solve_path(self.lam1[which], self.lam2[which])
        W = np.zeros((len(solutions), len(self.scale)))
        for row, (support, values, _, _) in zip(W, solutions):
            row[support] = values
        gaps, n_iters = (np.array([s[i] for s in solutions]) for i in (2, 3))
        return W, gaps, n_iters

    def certify(self, is_trusted, moments):
        """Make the gaps those of what is returned; solve again what they do not accept."""
        if self.floor.any():
            self._take_floors_away()
        self._expand()
        if not is_trusted or self.floor.any() or self.problem.free_transform is not None:
            needs = np.ones(len(self.gaps), dtype=bool)
        elif moments is None:
            needs = np.zeros(len(self.gaps), dtype=bool)
            if self.problem.design.X.dtype != np.float64:
                self.gaps += self.certifier.compute_cast_rise(self.W, self.solved, *self.returned)
        else:
            charge = self._bound_rounding(moments[0])
            needs = (charge > ROUNDING_SHARE * self.tol) | (
                (self.gaps <= self.tol) & (self.gaps + charge > self.tol)
            )
            self.gaps[~needs] += charge[~needs]
        which = np.flatnonzero(needs)
        if len(which):
            self.gaps[which] = self.certifier.compute_gaps(self.W, *self.returned, which)
            if moments is not None:
                self._solve_again(which)

    def _take_floors_away(self):
        """Newton steps on the support, with the penalties as they were asked for."""
        for i, w in enumerate(self.W):
            support = np.flatnonzero(w)
            if not len(support):
                continue
            columns = pack(self.problem.design, support)
            values, scale = w[support], self.scale[support]
            l1, l2 = self.lam1[i] * scale, self.lam2[i] * scale
            slopes = columns.correlate(self.y - columns.predict(values)) - l1 - l2 * values
            hessian = columns.compute_gram(columns) + np.diag(l2)
            unit = 1 / np.sqrt(np.maximum(hessian.diagonal(), 1e-300))
            _, step, failed = lapack.dposv(hessian * unit * unit[:, None], slopes * unit)
            new = values + step * unit
            if not failed and (new >= 0).all():
                self.W[i, support] = new

    def _expand(self):
        self.solved = self.problem.expand(self.W.T, self.t)
        dtype = self.problem.design.X.dtype
        self.returned = self.solved
        if dtype != np.float64:
            self.returned = tuple(a.astype(dtype).astype(np.float64) for a in self.solved)

    def _bound_rounding(self, gram):
        n, yy = self.problem.design.shape[0], float(self.y @ self.y)
        L1 = np.outer(self.lam1, self.scale)
        bound = bound_gram_rounding(gram, n, yy, self.W, L1)
        if self.problem.design.X.dtype != np.float64:
            returned = self.returned[0]
            if self.problem.penalized is not None:
                returned = returned[:, self.problem.penalized]
            bound = bound + bound_cast(gram, yy, self.W, returned, L1)
            shift = self.problem.compute_intercept(self.returned[0], self.t) - self.returned[1]
            bound = bound + self.problem.design.total_weight * shift**2 / max(yy, 1e-300)
        return bound * (0.5 * yy)

    def _solve_again(self, which):
        """Solve from the data what the Gram matrix left short of its certificate."""
        before = self.W.copy(), self.gaps.copy()
        which = which[
            (self.gaps[which] > self.tol) & (self.n_iters[which] < self.settings.max_iter)
        ]
        for i in which:
            W, _, n_iters = self._solve_on_columns(self.W[i].copy(), slice(i, i + 1))
            self.W[i] = W[0]
            self.n_iters[i] += n_iters[0]
        if not len(which):
            return
        self._expand()
        self.gaps[which] = self.certifier.compute_gaps(self.W, *self.returned, which)
        worse = which[~(self.gaps[which] <= before[1][which])]
        self.W[worse], self.gaps[worse] = before[0][worse], before[1][worse]
        self._expand()

    def store(self, path):
        """Fill in this target's part of the path; gaps stay absolute."""
        path.coefs[self.t], path.intercepts[self.t] = self.returned
        path.gaps[self.t], path.n_iters[self.t] = self.gaps, self.n_iters
        path.converged[self.t] = self.gaps <= self.tol


def compute_floor(design, y, scale, lam1, lam2):
    """Traces of an L1 penalty where features have none and are constrained to be positive."""
    # Their duality gap would ask for exact feasibility. With a trace t of the length of a
    # column times that of y, rounding of the correlations costs (eps / t)^2 of gap, and the
    # trace itself at most t: 1e-10 keeps both below what a tolerance can ask.
    has_none = scale == 0
    # Such traces and L2 penalties alone have no dual point in common.
    if lam1[-1] == 0 and (lam2[-1] == 0 or has_none.any()):
        has_none = np.ones(len(scale), dtype=bool)
    if not has_none.any():
        return np.zeros(len(scale))
    lengths = np.sqrt(design.compute_column_norms())
    return np.where(has_none, FLOOR * lengths * np.sqrt(y @ y), 0.0)
