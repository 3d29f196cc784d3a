"""L1 and elastic-net logistic regression: Newton steps on working sets of coefficients.

Each step minimises the quadratic model of the loss, with the full Hessian over all
classes, plus the penalty itself. The probabilities that the model predicts at its
minimum are a dual point: feasible on the working set by construction, and off the
optimum only to second order, where the residual of the new coefficients is off to
first. One product with all columns then certifies the solution or names the
coefficients that are missing.

References
----------
Lee, Sun & Saunders, "Proximal Newton-type methods for minimizing composite
functions", SIAM J. Optim. 24 (2014).
Ndiaye, Fercoq, Gramfort & Salmon, "Gap safe screening rules for sparsity enforcing
penalties", JMLR 18 (2017).
Massias, Vaiter, Gramfort & Salmon, "Dual extrapolation for sparse generalized linear
models", JMLR 21 (2020).
"""

import numpy as np
from scipy import sparse

from skextra._core.logistic.gap import compute_logistic_gap
from skextra._core.logistic.implicit_quadratic_model import ImplicitModel
from skextra._core.logistic.quadratic_model import (
    Coordinates,
    GramModel,
    Hessian,
    prefers_hessian,
)
from skextra._core.logistic.result import Solution
from skextra._core.logistic.small_newton import is_small, join_columns, take_small_steps
from skextra._core.logistic.subsample_start import find_start_sample, solve_sample
from skextra._core.numerics.design_matrix import Design
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
# Numbers in the columns that are worth screening.
_WORTH_SCREENING = 1e6
# Those that one usually takes; fewer where columns are sparse and a loose minimum will do.
_SWEEPS = 40
_LOOSE = 3e-3
# Moves of decision values beyond which the loss's own curvature misleads.
_FAR = 3.0
# By how much the penalty comes down between steps that are far from the solution.
_DESCENT = 4.0
# Moves up to which a Hessian serves another step.
_NEAR = 0.5
_WORTH_KEEPING = 3e7
# Rows for every coefficient that make a sample worth starting from.
_ROWS_EACH = 20
# Far from the solution, one sample in so many tells enough of the curvature.
_STRIDE = 8


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
        self.noise = None
        self.alive = None
        self.dual_scale = 0.0
        self.hessian = None
        self.n_failures = 0
        self.moved = 0.0
        self.relative_gap = 1.0
        self.report = None
        self.sample = self._find_sample()
        self.small_columns = None
        if not self.design.is_sparse and is_small(self.loss.n_samples, W.size + V.size):
            Z = self.design.X - self.design.mean if problem.fit_intercept else self.design.X
            self.small_columns = join_columns(np.asarray(Z, dtype=np.float64), problem.nuisance)
        self._set_out()

    def _find_sample(self):
        """Rows to start from, where they are many beside the coefficients."""
        if self.design.is_sparse or self.W.any():
            return None
        sample = find_start_sample(self.problem, self.W.size)
        return None if sample is None or len(sample) < _ROWS_EACH * self.W.size else sample

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
        """Solve for ``l1 = lam1 * scale, l2 = lam2 * scale``; ``lam1 > 0``.

        Far from the solution the penalty comes down with the steps: a quadratic
        model made far away says little about a weak penalty.
        """
        scale = self.problem.scale
        self._refuse_poor_start(lam1 * scale, lam2 * scale)
        if self.sample is not None:
            self._start_from_sample(lam1, lam2)
        n_iter, is_close = self._descend(lam1 * scale, lam2 * scale)
        self.in_set = self.W != 0
        self.columns_are_stale, self.n_failures = True, 0
        self.alive = None
        factor = self._choose_factor(lam1)
        self.moved = np.inf if factor > 1.0 else 0.0
        gap = self.target.gap if is_close else self.problem.null_objective
        bound, stalled = np.inf, 0
        while True:
            self.l1, self.l2 = factor * lam1 * scale, factor * lam2 * scale
            self.relative_gap = gap / self.problem.null_objective
            n_new = self._extend_set()
            accuracy = self._choose_accuracy(gap) * 0.1**stalled
            decrease, U = self._step(accuracy)
            progress = decrease is not None and decrease > 1e-14 * abs(self.value)
            n_iter += 1
            is_feasible = U is not None
            self.C = self._correlate(U if is_feasible else self.P)
            before, gap = gap, self._compute_gap(U if is_feasible else None)
            if gap > 0.3 * before:
                self.hessian = None
            if self.report is not None:
                self.report(self.W, self.V)
            if factor > 1.0:
                factor = max(1.0, factor / _DESCENT) if self.moved < np.inf else factor
                if n_iter < self.max_iter:
                    gap = max(gap, 1e-2 * self.problem.null_objective)
                    continue
                factor, self.l1, self.l2 = 1.0, lam1 * scale, lam2 * scale
                gap = self._compute_gap(U if is_feasible else None)
            if is_feasible and gap < before:
                self._screen(gap)
            # The objective never rises, so an earlier bound still holds.
            gap = min(gap, bound)
            bound = gap
            is_final = self.target.is_met(gap, self.moved)
            stalled = 0 if progress or n_new else stalled + 1
            if is_final or n_iter >= self.max_iter or stalled > 2:
                return Solution(self.W.copy(), self.V.copy(), gap, n_iter, gap <= self.target.gap)

    def _start_from_sample(self, lam1, lam2):
        """Coefficients of a sample of the rows, where those at hand are far from the solution."""
        sample, self.sample = self.sample, None
        if self._choose_factor(lam1) == 1.0:
            return
        self.W, self.V = solve_sample(self.problem, sample, WorkingSetSolver, lam1, lam2)
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
            self.target.reach, self.max_iter - 1, None if self.report is None else report,
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
            worst = np.abs(self.C).max(axis=1, initial=0.0) / (lam1 * self.problem.scale)
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
        """Products of the columns with a dual point; old ones for columns ruled out."""
        R = self.loss.weights * (self.loss.targets - U)
        if self.alive is None:
            return correlate_rows(self.design, R)
        C = self.C.copy()
        C[self.alive] = correlate_rows(self.alive_design, R)
        return C

    def _compute_penalty(self, W, l1, l2):
        return float(l1 @ np.abs(W).sum(axis=-1) + 0.5 * (l2 @ (W * W).sum(axis=-1)))

    def _compute_gap(self, U):
        primal = self.value + self._compute_penalty(self.W, self.l1, self.l2)
        if U is None:
            return primal
        theta = self.loss.weights * (self.loss.targets - U)
        # Orthogonal to the nuisance directions but for rounding, which is charged.
        primal += float(np.abs((self.problem.nuisance @ theta.T) * self.V).sum())
        noise = np.outer(self._compute_noise(), np.sqrt((theta * theta).sum(axis=1)))
        rows = slice(None) if self.alive is None else self.alive
        gap, self.dual_scale = compute_logistic_gap(
            self.loss, primal, U, self.C[rows], self.W[rows], self.l1[rows], self.l2[rows],
            noise[rows],
        )  # fmt: skip
        return gap

    def _screen(self, gap):
        """Rule out columns that are zero in every solution of this penalty.

        The dual objective is strongly concave: the best dual point is within
        ``sqrt(gap / 2)`` of a feasible one, in the norm that divides by the weights.
        """
        n_left = len(self.W) if self.alive is None else len(self.alive)
        X = self.design.X if self.alive is None else self.alive_design.X
        n_numbers = X.nnz if self.design.is_sparse else X.size
        if n_numbers < _WORTH_SCREENING or self.dual_scale == 0.0:
            return
        reach = self._compute_lengths() * np.sqrt(0.5 * gap)
        bound = self.dual_scale * np.abs(self.C).max(axis=1) + reach
        is_left = (bound >= self.l1) | self.W.any(axis=1)
        if self.alive is not None:
            is_left &= self.is_alive
        if np.count_nonzero(is_left) > 0.5 * n_left:
            return
        self.is_alive, self.alive = is_left, np.flatnonzero(is_left)
        X = self.design.X[:, self.alive]
        self.alive_design = Design(X, None, self.design.fit_intercept)

    def _compute_lengths(self):
        """Upper bounds of the columns' lengths, in the norm that multiplies by the weights."""
        self._compute_noise()
        squares = self.squares
        if self.design.fit_intercept:
            squares = np.maximum(squares - self.loss.n_samples * self.design.mean**2, 0.0)
        return np.sqrt(squares * self.loss.weights.max())

    def _compute_noise(self):
        """Rounding error of a product with each column and a vector of length one."""
        if self.noise is None:
            X = self.design.X
            if sparse.issparse(X):
                squared = X.astype(np.float64)
                squared.data **= 2
                squares = multiply_compressed(squared, np.ones((1, X.shape[0])))[0]
            else:
                squares = np.einsum("ij,ij->j", X, X).astype(np.float64)
            self.squares = squares
            self.noise = 4.0 * np.finfo(X.dtype).eps * np.sqrt(squares)
        return self.noise

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
            if self.alive is not None:
                score[~self.is_alive] = 0.0
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
        model, P, is_exact = self._create_model(R)
        start = coordinates.gather(self.W[self.features])
        w = start.copy()
        violation = model.minimise(w, l1, l2, accuracy, _BUDGET)
        self.n_failures += violation > 10.0 * accuracy
        DF, DV = model.get_moves()
        U = self._predict_probabilities(P, DF) if is_exact else None
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
        is_exact : bool
            Whether the model knows all samples.
        """
        problem, columns, coordinates = self.problem, self.columns, self.coordinates
        keys = self.features[coordinates.features] * problem.n_rows + coordinates.classes
        is_far = self.moved > _FAR
        if self.hessian is not None and self.moved <= _NEAR:
            full = self.hessian.restrict(keys)
            if full is not None:
                model = GramModel(problem, columns, coordinates, R, full)
                return model, self.hessian.P, True
        self.hessian = None
        P = self.loss.soften(self.F, self.P) if is_far else self.P
        # Where sweeps have failed to minimise a model they are worth less.
        n_sweeps = _SWEEPS * 8.0 ** min(self.n_failures, 9)
        if sparse.issparse(self.design.X):
            n_sweeps *= 0.4 if self.relative_gap > _LOOSE else 3.0
        if self.l1.any() and not prefers_hessian(problem, columns, coordinates, n_sweeps):
            return ImplicitModel(problem, columns, coordinates, R, P), P, True
        stride = 1
        if is_far:
            stride = min(_STRIDE, max(1, self.loss.n_samples // (10 * len(keys) + 2000)))
        hessian = Hessian(problem, columns, coordinates, keys, P, stride)
        if stride == 1 and self._is_worth_keeping(len(keys)):
            self.hessian = hessian
        return GramModel(problem, columns, coordinates, R, hessian.matrix), P, stride == 1

    def _is_worth_keeping(self, m):
        # Another step with an old Hessian costs a few passes over the columns.
        return self.loss.n_samples * m * m > _WORTH_KEEPING

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

        def penalise(w):
            return l1 @ np.abs(w) + 0.5 * (l2 @ (w * w))

        before = self.value + penalise(start)
        slope = -float((R * DF).sum()) + penalise(start + delta) - penalise(start)
        step = 1.0
        for _ in range(40):
            w = start + step * delta if step < 1 else start + delta
            F = self.F + step * DF
            value, P = self.loss.evaluate(F)
            after = value + penalise(w)
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
    elif len(R) == 1:
        products = np.asarray(X.T @ R[0].astype(X.dtype, copy=False), dtype=np.float64)[:, None]
    else:
        R = R.astype(X.dtype, copy=False)
        products = np.asarray(X.T @ np.ascontiguousarray(R.T), dtype=np.float64)
    if design.fit_intercept:
        products -= np.outer(design.mean, R.sum(axis=1, dtype=np.float64))
    return products
