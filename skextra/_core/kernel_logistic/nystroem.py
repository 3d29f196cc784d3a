"""Kernel logistic regression on the span of few kernel functions, whatever the samples.

With centers Z, ``R' R = K_zz`` and coefficients ``A = W R'^-1``, the problem

    minimize over W, b   sum_i c_i loss_i(f_i) + |W|^2 / 2,   f = W R'^-1 K_zn + b

is logistic regression with an L2 penalty, whose columns ``K_nz R^-1`` are never formed:
the block K_nz is kept in single precision, as much of it as fits, or computed anew for
each product; triangular solves act on the coefficients. Products are summed in double
precision. Newton steps are preconditioned with the Hessian of a sample of the rows, and
start from the sample's solution.

References
----------
Marteau-Ferey, Bach & Rudi, "Globally convergent Newton methods for ill-conditioned
generalized self-concordant losses", NeurIPS (2019). Meanti, Carratino, Rosasco & Rudi,
"Kernel methods through the roof: handling billions of points efficiently", NeurIPS (2020).
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from skextra._core.gram.partial_cholesky import compute_partial_cholesky
from skextra._core.gram.products import apply_to_all
from skextra._core.logistic.l2_newton import RidgeLogisticSolver
from skextra._core.logistic.loss import LogLoss
from skextra._core.logistic.preconditioners import (
    WholePreconditioner,
    create_preconditioner,
    draw_rows,
)
from skextra._core.logistic.problem import build_problem
from skextra._core.logistic.result import StoppingCriterion
from skextra._core.logistic.solver_choice import Start
from skextra._core.runtime.jit import njit

_FAST = {"contract", "reassoc", "nsz"}
_BLOCK_BYTES = 1 << 22
# Rows among which centers are looked for: so many, or so many times the centers.
_FEW_ROWS, _ROWS_EACH = 5_000, 5
# Pivots that are this part of the trace at most make triangular solves amplify rounding.
_SMALLEST_LEFT = 1e-10
_START_TOL = 1e-3
# Rows of the sample that is solved first and that preconditions: so many for each center.
_SAMPLED_EACH, _FEW_SAMPLED = 4, 4000
_ROUNDING = 64 * np.finfo(np.float64).eps


@njit(fastmath=_FAST)
def multiply_rows(block, y, out):
    """``block @ y`` of single precision rows, summed in double precision."""
    for i in range(block.shape[0]):
        total = 0.0
        row = block[i]
        for j in range(np.uint64(row.shape[0])):
            total += np.float64(row[j]) * y[j]
        out[i] = total


@njit(fastmath=_FAST)
def add_combination(block, t, out):
    """Add ``t @ block`` of single precision rows to `out`, in double precision."""
    n = block.shape[0]
    whole = n - n % 4
    for i in range(0, whole, 4):
        a, b, c, d = block[i], block[i + 1], block[i + 2], block[i + 3]
        ta, tb, tc, td = t[i], t[i + 1], t[i + 2], t[i + 3]
        for j in range(np.uint64(out.shape[0])):
            first = np.float64(a[j]) * ta + np.float64(b[j]) * tb
            second = np.float64(c[j]) * tc + np.float64(d[j]) * td
            out[j] += first + second
    for i in range(whole, n):
        row, ti = block[i], t[i]
        for j in range(np.uint64(out.shape[0])):
            out[j] += np.float64(row[j]) * ti


@njit(fastmath=_FAST)
def multiply_both_ways(block, y, h, f, out):
    """``f = block @ y``, and ``(h * f) @ block`` added to `out`, reading the block once."""
    n = block.shape[0]
    for start in range(0, n, 4):
        part, own = block[start : start + 4], f[start : start + 4]
        multiply_rows(part, y, own)
        add_combination(part, h[start : start + 4] * own, out)


@dataclass
class ReducedProblem:
    """What the solver of L2-penalized logistic regression asks of a problem."""

    loss: LogLoss
    nuisance: np.ndarray
    l2_scale: np.ndarray
    null_objective: float
    fit_intercept: bool

    @property
    def n_rows(self):
        return self.loss.n_rows

    def create_start(self):
        """Coefficients of zero with the best intercept, as `LogisticProblem` has them."""
        V = np.zeros((len(self.nuisance), self.n_rows))
        if self.fit_intercept:
            V[0] = self.loss.compute_null_intercept()
        return np.zeros((len(self.l2_scale), self.n_rows)), V


class KernelRows:
    """Products with ``K_nz R^-1``, block by block of rows.

    Parameters
    ----------
    source : Gram source
        Of all samples.
    centers : ndarray of int of shape (n_centers,)
    upper : ndarray of shape (n_centers, n_centers)
        R.
    budget : float
        Bytes that kept blocks may take.
    apply : callable
        See `GramProduct`.
    """

    is_sparse = False
    whole = None
    mean = None

    def __init__(self, source, centers, upper, budget=np.inf, apply=apply_to_all):
        self.source, self.centers, self.upper, self.apply = source, centers, upper, apply
        n, m = source.n_samples, len(centers)
        self.shape = n, m
        step = max(64, _BLOCK_BYTES // (4 * max(m, 1)))
        self.parts = [slice(start, min(start + step, n)) for start in range(0, n, step)]
        n_kept = min(len(self.parts), int(min(budget, 1e18) // (4 * step * max(m, 1))))
        self.kept = apply(self._compute, [(part,) for part in self.parts[:n_kept]])
        self._sample = None

    def _compute(self, part):
        return self.source.compute_block(part, self.centers, np.float32)

    def _get(self, index):
        return self.kept[index] if index < len(self.kept) else self._compute(self.parts[index])

    def expand(self, W):
        """Coefficients at the centers: ``W R'^-1``."""
        return np.ascontiguousarray(solve_triangular(self.upper, W.T, check_finite=False).T)

    def predict(self, D):
        """``D @ Z.T`` of shape (n_rows, n_samples)."""
        Y = self.expand(D)
        F = np.empty((len(D), self.shape[0]))

        def fill(index):
            block, out = self._get(index), F[:, self.parts[index]]
            if len(Y) == 1:
                multiply_rows(block, Y[0], out[0])
            else:
                out[:] = Y @ block.astype(np.float64).T

        self.apply(fill, [(index,) for index in range(len(self.parts))])
        return F

    def multiply_both_ways(self, d, h):
        """Decision values ``f = d @ Z.T`` and ``(h * f) @ Z``, one row each."""
        y = self.expand(d)[0]
        f = np.empty((1, self.shape[0]))

        def compute(index):
            part, out = self.parts[index], np.zeros(self.shape[1])
            multiply_both_ways(self._get(index), y, h[part], f[0, part], out)
            return out

        return f, self._add_up(compute)

    def correlate(self, T):
        """``T @ Z`` of shape (n_rows, n_centers)."""

        def compute(index):
            block, t = self._get(index), T[:, self.parts[index]]
            if len(T) > 1:
                return t @ block.astype(np.float64)
            out = np.zeros((1, self.shape[1]))
            add_combination(block, np.ascontiguousarray(t[0]), out[0])
            return out

        return self._add_up(compute, len(T))

    def _add_up(self, compute, n_rows=1):
        """Sum of what the blocks yield, times ``R^-1``."""
        C = np.zeros((n_rows, self.shape[1]))
        # Sums in the order of the blocks, few at a time: threads do not change them.
        for first in range(0, len(self.parts), 64):
            group = range(first, min(first + 64, len(self.parts)))
            for part in self.apply(compute, [(index,) for index in group]):
                C += part
        return np.ascontiguousarray(
            solve_triangular(self.upper, C.T, trans=1, check_finite=False).T
        )

    def whiten(self, rows):
        """Rows of Z in double precision."""
        block = self.source.compute_block(rows, self.centers, np.float32).astype(np.float64)
        return solve_triangular(self.upper, block.T, trans=1, check_finite=False).T

    def iterate_blocks(self, sample, dtype, width):
        """Yield ``(rows, block)``: blocks of Z, of the rows `sample` if not None."""
        if sample is None:
            for part in self.parts:
                yield part, np.ascontiguousarray(self.whiten(part), dtype=dtype)
            return
        if self._sample is None:
            self._sample = np.ascontiguousarray(self.whiten(sample))
        step = max(128, _BLOCK_BYTES // (8 * max(width, 1)))
        for start in range(0, len(sample), step):
            rows = sample[start : start + step]
            yield rows, self._sample[start : start + step].astype(dtype, copy=False)

    def compute_squares(self, H):
        """``H @ Z**2`` for weights (n_rows, n_samples)."""
        squares = np.zeros((len(H), self.shape[1]))
        for rows, block in self.iterate_blocks(None, np.float64, self.shape[1]):
            squares += H[:, rows] @ (block * block)
        return squares


class NystroemSolver(RidgeLogisticSolver):
    """L2-penalized logistic regression whose columns are kernel functions.

    Parameters
    ----------
    problem : ReducedProblem
    rows : KernelRows
    target, max_iter
        As in `RidgeLogisticSolver`.
    """

    start = Start.NONE
    polishes = False
    small_columns = None

    def __init__(self, problem, rows, target, max_iter, W, V):
        self.problem, self.loss, self.rows = problem, problem.loss, rows
        self.target, self.max_iter = target, max_iter
        self.W, self.V = np.ascontiguousarray(W.T), np.ascontiguousarray(V.T)
        self.nuisance = problem.nuisance
        size = self.W.size + self.V.size
        self.preconditioner = create_preconditioner(problem, rows, size)
        if isinstance(self.preconditioner, WholePreconditioner):
            # Rows are dear to whiten, and steps of conjugate gradients cheap.
            sample = draw_rows(rows.shape[0], count_sampled_rows(rows.shape[1]))
            self.preconditioner = WholePreconditioner(problem, rows, sample)
        self._set_decision()
        self.is_stale, self.norms, self.report = True, None, None
        self.solutions = []

    def _compute_noise(self, theta):
        # What rounding may do to a product was paid for when pivots were refused.
        return np.zeros((len(theta), self.rows.shape[1]))


def choose_centers(source, n_components, seed):
    """Centers that span most of the kernel, and the Cholesky factor of their matrix.

    Returns
    -------
    centers : ndarray of int
        At most `n_components`: fewer span all that can be told apart.
    upper : ndarray of shape (n_centers, n_centers)
    """
    n = source.n_samples
    size = max(_FEW_ROWS, _ROWS_EACH * n_components)
    rows = None
    if n > size:
        rows = np.sort(np.random.default_rng(seed).choice(n, size, replace=False))
        source = source.take(rows)
    factor, pivots, _ = compute_partial_cholesky(
        source, n_components, tol=_SMALLEST_LEFT, seed=seed
    )
    return pivots if rows is None else rows[pivots], np.triu(factor[:, pivots])


def solve(rows, codes, n_classes, weights, fit_intercept, settings, start=None):
    """Solve the reduced problem.

    Parameters
    ----------
    rows : KernelRows
    codes : ndarray of int of shape (n_samples,)
    n_classes : int
    weights : ndarray of shape (n_samples,)
        Positive.
    fit_intercept : bool
    settings : kernel_logistic.Settings
    start : (ndarray, ndarray) or None
        Coefficients W of shape (n_rows, n_centers) and intercepts to start from.

    Returns
    -------
    A : ndarray of shape (n_rows, n_centers)
        Coefficients at the centers.
    b : ndarray of shape (n_rows,)
    F : ndarray of shape (n_rows, n_samples)
        Decision values.
    solution : Solution
        Its gap is relative to the objective of the null model.
    """
    loss = LogLoss(codes, n_classes, weights)
    n, m = rows.shape
    null = loss.compute_null_intercept() if fit_intercept else np.zeros(loss.n_rows)
    null_objective = loss.compute_value(np.repeat(null[:, None], n, axis=1))
    nuisance = np.ones((1 if fit_intercept else 0, n))
    problem = ReducedProblem(loss, nuisance, np.ones(m), null_objective, fit_intercept)
    tol = max(settings.tol, _ROUNDING)
    W, V = problem.create_start()
    if start is not None:
        W = start[0].T
        V = start[1][None] if fit_intercept else V
    else:
        W, V = _solve_sample(problem, rows, W, V)
    gap = tol * null_objective
    target = StoppingCriterion(gap, max_change=np.sqrt(max(tol, 1e-12)))
    solver = NystroemSolver(problem, rows, target, settings.max_iter, W, V)
    if settings.report is not None:
        solver.report = lambda W, V: settings.report(
            rows.expand(W.T), V[0] if fit_intercept else np.zeros(loss.n_rows), rows.centers
        )
    solution = solver.solve(0.0, 1.0)
    solution.gap /= max(null_objective, np.finfo(np.float64).tiny)
    b = solution.V[0] if fit_intercept else np.zeros(loss.n_rows)
    b = b - (b.mean() if len(b) > 1 else 0.0)
    return rows.expand(solution.W.T), b, solver.F, solution


def count_sampled_rows(n_centers):
    """Rows of a sample that stands for all, where few are needed."""
    return max(_SAMPLED_EACH * n_centers, _FEW_SAMPLED)


def _solve_sample(problem, rows, W, V):
    """Solution of a sample of the rows that stands for all, if that is worth it."""
    n, m = rows.shape
    size = count_sampled_rows(m)
    if n < 3 * size:
        return W, V
    loss = problem.loss
    sample = draw_rows(n, size)
    if np.bincount(loss.codes[sample], minlength=loss.n_classes).min() < 5:
        return W, V
    weights = loss.weights[sample]
    weights = weights * (loss.total_weight / weights.sum())
    part = build_problem(
        rows.whiten(sample), loss.codes[sample], loss.n_classes, weights,
        problem.fit_intercept, None,
    )  # fmt: skip
    target = StoppingCriterion(_START_TOL * part.null_objective)
    solver = RidgeLogisticSolver(part, target, 30, *part.create_start())
    solution = solver.solve(0.0, 1.0)
    coef, intercept = part.expand(solution.W, solution.V)
    return coef.T, intercept[None] if problem.fit_intercept else V
