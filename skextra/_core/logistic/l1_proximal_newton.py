"""L1 and elastic-net logistic regression: Newton steps on working sets of coefficients.

Each step minimizes the quadratic model of the loss, with the full Hessian over all
classes, plus the penalty itself. The probabilities that the model predicts at its
minimum are a dual point: feasible on the working set by construction, and off the
optimum only to second order, where the residual of the new coefficients is off to
first. One product with all columns then certifies the solution or names the
coefficients that are missing.

References
----------
Lee, Sun & Saunders, "Proximal Newton-type methods for minimizing composite
functions", SIAM J. Optim. 24 (2014).
Massias, Vaiter, Gramfort & Salmon, "Dual extrapolation for sparse generalized linear
models", JMLR 21 (2020).
"""

import numpy as np
from scipy import sparse

from skextra._core.logistic.gap import compute_gap
from skextra._core.logistic.implicit_quadratic_model import ImplicitModel
from skextra._core.logistic.quadratic_model import (
    Coordinates,
    GramModel,
    compute_hessian,
    prefers_hessian,
)
from skextra._core.logistic.result import Solution
from skextra._core.logistic.small_newton import join_columns, take_small_steps
from skextra._core.logistic.solver_choice import takes_short_last_step, uses_small_kernel
from skextra._core.numerics.design_matrix import Design
from skextra._core.numerics.full_data import correlate
from skextra._core.numerics.packed_columns import pack
from skextra._core.numerics.products import multiply_compressed
from skextra._core.quadratic.elastic_net_penalty import compute_class_shift

# Up to here all coefficients are worked on together.
_SMALL = 400
_CHEAP = 2e8
_SMALLEST_SET = 100
# Coefficients enter the working set at this share of the penalty.
_ENTRY = 0.9
# Accuracy of a model's minimum, as a share of the present gap.
_MODEL_SHARE = 0.03
# Sweeps, or products with all columns, that a step may take.
_BUDGET = 300
# Those that one usually takes; fewer where columns are sparse and a loose minimum will do.
_SWEEPS = 40
_LOOSE = 3e-3
# Moves of decision values beyond which the loss's own curvature misleads.
_FAR = 3.0
# By how much the penalty comes down between steps that are far from the solution.
_DESCENT = 4.0


class WorkingSetSolver:
    """Solves a problem for a sequence of penalties, each from the last solution.

    Parameters
    ----------
    problem : LogisticProblem
    target : Target
    max_iter : int
        Newton steps a penalty may take.
    W, V : ndarray
        Where to start, see `LogisticProblem.create_start`; updated in place.
    """

    def __init__(self, problem, target, max_iter, W, V):
        self.problem, self.loss, self.design = problem, problem.loss, problem.design
        if self.design.is_sparse and self.design.X.format != "csc":
            # Every step picks columns.
            self.design = Design(self.design.X.tocsc(), None, self.design.fit_intercept)
        self.target, self.max_iter = target, max_iter
        self.W, self.V = W, V
        self.features = np.empty(0, dtype=np.int64)
        self.columns = None
        self.n_failures = 0
        self.moved = 0.0
        self.relative_gap = 1.0
        self.report = None
        self.solver_used = "proximal-newton"
        self.noise = 4.0 * np.finfo(np.float64).eps * problem.column_lengths
        self.polishes = takes_short_last_step(problem.shape)
        self.small_columns = None
        if uses_small_kernel(problem.shape):
            Z = self.design.X - self.design.mean if problem.fit_intercept else self.design.X
            self.small_columns = join_columns(np.asarray(Z, dtype=np.float64), problem.nuisance)
        self._set_out()

    def _set_out(self):
        """Decision values and slopes of the coefficients, the intercept at its best."""
        self.F = self.problem.compute_decision(self.W, self.V)
        if self.problem.fit_intercept:
            shift, _, _ = self.loss.fit_intercept(self.F)
            self.V[0] += shift
            self.F += shift[:, None]
        self.value, self.P = self.loss.evaluate(self.F)
        self.C = self._correlate(self.P)

    def solve(self, lam1, lam2):
        """Solve for ``l1 = lam1 * l1_scale, l2 = lam2 * l2_scale``; ``lam1 > 0``.

        Far from the solution the penalty comes down with the steps: a quadratic
        model made far away says little about a weak penalty.
        """
        l1_scale, l2_scale = self.problem.l1_scale, self.problem.l2_scale
        self._refuse_poor_start(lam1 * l1_scale, lam2 * l2_scale)
        n_iter, is_close = self._descend(lam1 * l1_scale, lam2 * l2_scale)
        self.in_set = self.W != 0
        self.columns_are_stale, self.n_failures = True, 0
        factor = self._choose_factor(lam1)
        self.moved = np.inf if factor > 1.0 else 0.0
        gap = self.target.gap if is_close else self.problem.null_objective
        bound, best_U, stalled = np.inf, None, 0
        while True:
            self.l1, self.l2 = factor * lam1 * l1_scale, factor * lam2 * l2_scale
            self.relative_gap = gap / self.problem.null_objective
            n_new = self._extend_set()
            accuracy = self._choose_accuracy(gap) * 0.1**stalled
            decrease, U = self._step(accuracy)
            progress = decrease is not None and decrease > 1e-14 * abs(self.value)
            n_iter += 1
            self.C = self._correlate(self.P if U is None else U)
            gap = self._compute_gap(U)
            if self.report is not None:
                self.report(self.W, self.V)
            if factor > 1.0:
                factor = max(1.0, factor / _DESCENT) if self.moved < np.inf else factor
                if n_iter < self.max_iter:
                    gap = max(gap, 1e-2 * self.problem.null_objective)
                    continue
                factor, self.l1, self.l2 = 1.0, lam1 * l1_scale, lam2 * l2_scale
                gap = self._compute_gap(U)
            # The objective never rises, so an earlier bound still holds.
            if gap < bound:
                bound, best_U = gap, U
            gap = bound
            stalled = 0 if progress or n_new else stalled + 1
            is_reached = gap <= self.target.gap
            is_settled = not self.polishes or self.moved <= self.target.max_change
            if (is_reached and is_settled) or n_iter >= self.max_iter or stalled > 2:
                return Solution(self.W.copy(), self.V.copy(), gap, n_iter, is_reached, best_U)

    def refine(self, gap):
        """Prepare for solving again, for a smaller gap and from exact decision values."""
        self.target = self.target._replace(gap=gap)
        self.small_columns = None
        self._set_out()

    def _refuse_poor_start(self, l1, l2):
        """Start from nothing where the coefficients given are worse than that."""
        primal = self.value + self._compute_penalty(self.W, l1, l2)
        if not primal <= self.problem.null_objective * (1.0 + 1e-9):
            self.W, self.V = self.problem.create_start()
            self._set_out()

    def _descend(self, l1, l2):
        """Take all steps but the last in one kernel, where that pays.

        Returns
        -------
        n_steps : int
        is_close : bool
            Whether the optimum is near.
        """
        if self.small_columns is None:
            return 0, False
        U = np.concatenate([self.W, self.V]).T.copy()
        p, free = len(self.W), np.zeros(len(self.V))

        def report(U):
            self.report(U.T[:p], U.T[p:])

        n_steps, is_close = take_small_steps(
            self.small_columns, self.loss, np.append(l1, free), np.append(l2, free), U,
            self.target.max_change, self.max_iter - 1, None if self.report is None else report,
        )  # fmt: skip
        if n_steps:
            self.W, self.V = U.T[:p].copy(), U.T[p:].copy()
            self.F = self.problem.compute_decision(self.W, self.V)
            self.value, self.P = self.loss.evaluate(self.F)
            self.C = self._correlate(self.P)
        return n_steps, is_close

    def _choose_accuracy(self, gap):
        """Violation at which to leave a model: its own error falls with the gap's square."""
        share = min(_MODEL_SHARE, 10.0 * gap / self.problem.null_objective)
        return max(share * gap, 0.3 * self.target.gap)

    def _choose_factor(self, lam1):
        if lam1 == 0:
            return 1.0
        with np.errstate(over="ignore"):
            worst = np.abs(self.C).max(axis=1, initial=0.0) / (lam1 * self.problem.l1_scale)
        worst = worst.max(initial=0.0)
        return float(0.5 * worst) if worst > 2.0 * _DESCENT else 1.0

    def fit_nuisance(self, max_iter=50):
        """Fit the nuisance directions alone; returns the probabilities."""
        self.columns, self.coordinates = (
            pack(self.design, self.features),
            Coordinates(*np.empty((2, 0), dtype=np.int64)),
        )
        self.l1 = self.l2 = np.zeros(len(self.W))
        for _ in range(max_iter):
            decrease, _ = self._step(0.0)
            if decrease is None or self.moved <= 1e-12:
                break
        return self.P

    # --- what is certified ---------------------------------------------------

    def _correlate(self, U):
        """Products of the columns with a dual point."""
        return correlate_rows(self.design, self.loss.compute_residual(U))

    def _compute_penalty(self, W, l1, l2):
        return float(l1 @ np.abs(W).sum(axis=-1) + 0.5 * (l2 @ (W * W).sum(axis=-1)))

    def _compute_gap(self, U):
        primal = self.value + self._compute_penalty(self.W, self.l1, self.l2)
        if U is None:
            return primal
        theta = self.loss.compute_residual(U)
        # Orthogonal to the nuisance directions but for rounding, which is charged.
        primal += float(np.abs((self.problem.nuisance @ theta.T) * self.V).sum())
        noise = np.outer(self.noise, np.sqrt((theta * theta).sum(axis=1)))
        return compute_gap(self.loss, primal, U, self.C, self.W, self.l1, self.l2, noise)[0]

    # --- the working set -----------------------------------------------------

    def _extend_set(self):
        """Add the coefficients that the certificate lacks most; returns how many."""
        is_cheap = self.W.size <= _SMALL and self.loss.n_samples * self.W.size**2 <= _CHEAP
        if is_cheap or not self.l1.any():
            n_new = np.count_nonzero(~self.in_set)
            self.in_set[:] = True
        else:
            previous, self.in_set = self.in_set, self.W != 0
            score = np.abs(self.C) / self.l1[:, None]
            score[self.in_set] = 0.0
            entry = 1.0 - min(1.0 - _ENTRY, 2.0 * np.sqrt(self.relative_gap))
            candidates = np.flatnonzero(score.ravel() > entry)
            limit = max(_SMALLEST_SET, np.count_nonzero(self.W))
            if len(candidates) > limit:
                values = score.ravel()[candidates]
                candidates = candidates[np.argpartition(-values, limit - 1)[:limit]]
            self.in_set.ravel()[candidates] = True
            n_new = np.count_nonzero(self.in_set & ~previous)
        if n_new or self.columns_are_stale or len(self.coordinates) != self.in_set.sum():
            self._pack()
        return n_new

    def _pack(self):
        wanted = np.flatnonzero(self.in_set.any(axis=1))
        missing = np.setdiff1d(wanted, self.features, assume_unique=True)
        if self.columns is None or len(self.features) > 2 * len(wanted) + 200:
            self.features = wanted
            self.columns = pack(self.design, wanted)
        elif len(missing):
            self.columns.append(pack(self.design, missing))
            self.features = np.concatenate([self.features, missing])
        positions, classes = np.nonzero(self.in_set[self.features])
        self.coordinates = Coordinates(positions, classes)
        self.columns_are_stale = False

    # --- Newton steps ---------------------------------------------------------

    def _step(self, accuracy):
        """One Newton step in place.

        Returns
        -------
        decrease : float, or None if no step lowers the objective
        U : ndarray of shape (n_rows, n_samples)
            Dual point of the model.
        """
        coordinates = self.coordinates
        which = self.features[coordinates.features]
        l1, l2 = self.l1[which], self.l2[which]
        R = self.loss.compute_residual(self.P)
        model, P = self._create_model(R)
        start = coordinates.gather(self.W[self.features])
        w = start.copy()
        violation = model.minimize(w, l1, l2, accuracy, _BUDGET)
        self.n_failures += violation > 10.0 * accuracy
        DF, DV = model.get_moves()
        U = self._predict_probabilities(P, DF)
        decrease = self._search(start, w - start, DV, DF, l1, l2, R)
        self._shift_classes()
        return decrease, U if U is not None else self._fit_residual()

    def _create_model(self, R):
        """Quadratic model on the working set.

        Returns
        -------
        model : GramModel or ImplicitModel
        P : ndarray of shape (n_rows, n_samples)
            Probabilities at which its curvature is taken.
        """
        problem, columns, coordinates = self.problem, self.columns, self.coordinates
        P = self.loss.majorize_curvature(self.F, self.P) if self.moved > _FAR else self.P
        # Where sweeps have failed to minimize a model they are worth less.
        n_sweeps = _SWEEPS * 8.0 ** min(self.n_failures, 9)
        if sparse.issparse(self.design.X):
            n_sweeps *= 0.4 if self.relative_gap > _LOOSE else 3.0
        if self.l1.any() and not prefers_hessian(problem, columns, coordinates, n_sweeps):
            return ImplicitModel(problem, columns, coordinates, R, P), P
        hessian = compute_hessian(problem, columns, coordinates, P)
        return GramModel(problem, columns, coordinates, R, hessian), P

    def _shift_classes(self):
        """Take from every feature what all classes share and only the penalty feels."""
        if self.problem.n_rows == 1 or not self.l1.any():
            return
        rows = np.flatnonzero(self.W.any(axis=1))
        W = self.W[rows]
        self.W[rows] = W - compute_class_shift(W, self.l1[rows], self.l2[rows])[:, None]

    def _fit_residual(self):
        """Residual of the present coefficients as the dual point, if it is one."""
        if len(self.problem.nuisance) > self.problem.fit_intercept:
            return None
        if self.problem.fit_intercept:
            shift, self.value, self.P = self.loss.fit_intercept(self.F)
            self.V[0] += shift
            self.F = self.F + shift[:, None]
        return self.P

    def _predict_probabilities(self, P, DF):
        """Probabilities after the step as the model sees them, or None if they are none."""
        U = self.P + self.loss.multiply_curvature(P, DF)
        lowest = U.min(initial=1.0)
        highest = U.max(initial=0.0) if self.loss.n_rows == 1 else 1.0
        if lowest < -1e-15 or highest > 1.0 + 1e-15:
            return None
        return np.clip(U, 0.0, 1.0)

    def _search(self, start, delta, DV, DF, l1, l2, R):
        """Take the longest of ever shorter steps that lowers the objective enough."""

        def penalize(w):
            return l1 @ np.abs(w) + 0.5 * (l2 @ (w * w))

        before = self.value + penalize(start)
        slope = -float((R * DF).sum()) + penalize(start + delta) - penalize(start)
        step = 1.0
        for _ in range(40):
            w = start + step * delta if step < 1 else start + delta
            F = self.F + step * DF
            value, P = self.loss.evaluate(F)
            after = value + penalize(w)
            if after <= before + 0.01 * step * slope + 1e-14 * abs(before):
                break
            step *= 0.5
        else:
            return None
        self.F, self.value, self.P = F, value, P
        self.V += step * DV
        self.W[self.features[self.coordinates.features], self.coordinates.classes] = w
        self.moved = np.abs(DF).max(initial=0.0) if step == 1.0 else np.inf
        return before - after


def correlate_rows(design, R):
    """``Z.T @ R.T`` of shape (n_features, n_rows) for residuals (n_rows, n_samples)."""
    X = design.X
    if sparse.issparse(X) and X.format == "csc":
        products = multiply_compressed(X, R).T
    else:
        products = correlate(X, R.T)
    if design.fit_intercept:
        products -= np.outer(design.mean, R.sum(axis=1, dtype=np.float64))
    return products
