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
Massias, Vaiter, Gramfort & Salmon, "Dual extrapolation for sparse generalized linear
models", JMLR 21 (2020).
"""

from dataclasses import dataclass

import numpy as np

from skextra._core.certificates import compute_logistic_gap
from skextra._core.columns import pack
from skextra._core.logistic_newton_model import Coordinates, Curvature
from skextra._core.quadratic_model import solve_quadratic, solve_ridge

# Up to here all coefficients are worked on together.
_SMALL = 400
_SMALLEST_SET = 100
# Coefficients enter the working set at this share of the penalty.
_ENTRY = 0.9
# Share of the tolerance that the working set may use up.
_ACTIVE_SHARE = 0.3
_MAX_SWEEPS = 2000


@dataclass
class Solution:
    """Coefficients of one penalty and their certificate.

    Attributes
    ----------
    W : ndarray of shape (n_penalised, n_rows)
    V : ndarray of shape (n_nuisance, n_rows)
    gap : float
        Absolute.
    n_iter : int
        Newton steps.
    converged : bool
    """

    W: np.ndarray
    V: np.ndarray
    gap: float
    n_iter: int
    converged: bool


class WorkingSetSolver:
    """Solves a problem for a sequence of penalties, each from the last solution.

    Parameters
    ----------
    problem : LogisticProblem
    tol : float
        Absolute duality gap to reach.
    reach : float
        Largest move of a decision value in the last step.
    max_iter : int
        Newton steps a penalty may take.
    W, V : ndarray
        Where to start, see `LogisticProblem.create_start`; updated in place.
    """

    def __init__(self, problem, tol, reach, max_iter, W, V):
        self.problem, self.loss, self.design = problem, problem.loss, problem.design
        self.tol, self.reach, self.max_iter = tol, reach, max_iter
        self.W, self.V = W, V
        self.F = problem.compute_decision(W, V)
        if problem.fit_intercept:
            shift, _, _ = self.loss.fit_intercept(self.F)
            self.V[0] += shift
            self.F += shift[:, None]
        self.value, self.P = self.loss.evaluate(self.F)
        self.features = np.empty(0, dtype=np.int64)
        self.columns = None
        self.curvature = None
        self.C = self._correlate(self.P)

    def solve(self, lam1, lam2):
        """Solve for ``l1 = lam1 * scale, l2 = lam2 * scale``; ``lam1 > 0``."""
        self.l1, self.l2 = lam1 * self.problem.scale, lam2 * self.problem.scale
        self.in_set = self.W != 0
        self.moved = np.inf
        gap, n_iter = np.inf, 0
        stalled = 0
        while True:
            n_new = self._extend_set()
            share = _ACTIVE_SHARE if n_new == 0 else 0.1
            stop = (
                _ACTIVE_SHARE * self.tol
                if np.isinf(gap)
                else max(_ACTIVE_SHARE * self.tol, share * min(gap, self.problem.null_objective))
            )
            if np.isinf(gap):
                stop = max(stop, 1e-3 * self.problem.null_objective) if n_new else stop
            U, n_steps = self._solve_on_set(stop, self.max_iter - n_iter)
            n_iter += n_steps
            self.C = self._correlate(U)
            gap = self._certify(U, gap)
            is_final = gap <= self.tol and self.moved <= self.reach
            stalled = stalled + 1 if n_steps == 0 and not self._count_missing() else 0
            if is_final or n_iter >= self.max_iter or stalled > 1:
                return Solution(self.W.copy(), self.V.copy(), gap, n_iter, gap <= self.tol)

    def fit_nuisance(self, max_iter=50):
        """Fit the nuisance directions alone; returns the probabilities."""
        self.columns, self.coordinates = (
            pack(self.design, self.features),
            Coordinates(*np.empty((2, 0), dtype=np.int64)),
        )
        nothing = np.zeros(0)
        self.l1 = self.l2 = np.zeros(len(self.W))
        for _ in range(max_iter):
            decrease, _, _ = self._step(nothing, nothing, 0.0, np.inf)
            if decrease is None or self.moved <= 1e-12:
                break
        return self.P

    # --- what is certified ---------------------------------------------------

    def _correlate(self, U):
        R = self.loss.weights * (self.loss.targets - U)
        return correlate_rows(self.design, R)

    def _compute_penalty(self, W, l1, l2):
        return float(l1 @ np.abs(W).sum(axis=-1) + 0.5 * (l2 @ (W * W).sum(axis=-1)))

    def _certify(self, U, best):
        primal = self.value + self._compute_penalty(self.W, self.l1, self.l2)
        gap, _ = compute_logistic_gap(self.loss, primal, U, self.C, self.W, self.l1, self.l2)
        return gap

    # --- the working set -----------------------------------------------------

    def _count_missing(self):
        return np.count_nonzero((np.abs(self.C) > self.l1[:, None]) & ~self.in_set)

    def _extend_set(self):
        """Add the coefficients that the certificate lacks most; returns how many."""
        if self.W.size <= _SMALL or not self.l1.any():
            n_new = 0 if self.columns is None else np.count_nonzero(~self.in_set)
            self.in_set[:] = True
        else:
            score = np.abs(self.C) / self.l1[:, None]
            score[self.in_set] = 0.0
            candidates = np.flatnonzero(score.ravel() > _ENTRY)
            limit = max(_SMALLEST_SET, np.count_nonzero(self.W))
            if len(candidates) > limit:
                values = score.ravel()[candidates]
                candidates = candidates[np.argpartition(-values, limit - 1)[:limit]]
            self.in_set.ravel()[candidates] = True
            n_new = len(candidates)
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
        self.curvature = None

    # --- Newton steps ---------------------------------------------------------

    def _solve_on_set(self, stop, budget):
        """Newton steps until the gap on the working set is at most `stop`.

        Returns
        -------
        U : ndarray of shape (n_rows, n_samples)
            Probabilities of the best dual point.
        n_steps : int
        """
        coordinates = self.coordinates
        which = self.features[coordinates.features]
        l1, l2 = self.l1[which], self.l2[which]
        gap = np.inf
        n_steps = 0
        best_U, best_gap = self.P, np.inf
        while n_steps < budget:
            decrease, U, C = self._step(l1, l2, stop, gap)
            n_steps += 1
            gap = self._compute_set_gap(U, C)
            if gap < best_gap:
                best_U, best_gap = U, gap
            if decrease is None or (gap <= stop and self.moved <= max(self.reach, 0.1)):
                break
            if decrease <= 1e-15 * abs(self.value) and gap > 0.5 * best_gap:
                break
        return best_U, n_steps

    def _step(self, l1, l2, stop, gap):
        """One Newton step in place.

        Returns
        -------
        decrease : float, or None if no step lowers the objective
        U : ndarray of shape (n_rows, n_samples)
            Dual point of the model.
        C : ndarray of shape (n_packed, n_rows)
            Its products with the packed columns, where they are in the set.
        """
        coordinates, shape = self.coordinates, (self.columns.n, self.problem.n_rows)
        R = self.loss.compute_residual(self.P)
        gradient = coordinates.gather(self.columns.correlate_rows(R))
        curvature = Curvature(self.problem, self.columns, coordinates, self.P)
        nuisance = curvature.nuisance_coordinates
        nuisance_gradient = nuisance.gather(self.problem.nuisance @ R.T)
        c = gradient - curvature.cross @ curvature.solve_nuisance(nuisance_gradient)
        start = coordinates.gather(self.W[self.features])
        w = start.copy()
        tol = max(0.1 * stop, 1e-3 * min(gap, self.problem.null_objective))
        if l1.any():
            solve_quadratic(curvature.gram, c, w, l1, l2, tol, _MAX_SWEEPS)
        else:
            solve_ridge(curvature.gram, c, w, l2)
        delta = w - start
        delta_nuisance = curvature.solve_nuisance(nuisance_gradient - curvature.cross.T @ delta)
        D = coordinates.scatter(delta, shape)
        DV = nuisance.scatter(delta_nuisance, self.V.shape)
        DF = self.columns.predict_rows(D) + DV.T @ self.problem.nuisance
        U = self._predict_probabilities(DF)
        decrease = self._search(start, delta, DV, DF, l1, l2, gradient, R)
        return decrease, U, coordinates.scatter(c, shape)

    def _predict_probabilities(self, DF):
        """Probabilities after the step as the model sees them, cut back to be some."""
        change = self.loss.multiply_curvature(self.P, DF)
        with np.errstate(divide="ignore", invalid="ignore"):
            down = np.where(change < 0, -self.P / change, np.inf).min(initial=np.inf)
            if self.loss.n_rows == 1:
                up = np.where(change > 0, (1.0 - self.P) / change, np.inf).min(initial=np.inf)
                down = min(down, up)
        # A part of the way is as orthogonal to the nuisance directions as all of it,
        # provided that the start is.
        self.share = min(1.0, down)
        return np.clip(self.P + self.share * change, 0.0, 1.0)

    def _compute_set_gap(self, U, C):
        features = self.features
        primal = self.value + self._compute_penalty(self.W, self.l1, self.l2)
        if self.share < 1.0:
            C = self.columns.correlate_rows(self.loss.weights * (self.loss.targets - U))
            C = np.where(self.in_set[features], C, 0.0)
        gap, _ = compute_logistic_gap(
            self.loss, primal, U, C, self.W[features], self.l1[features], self.l2[features]
        )
        return gap

    def _search(self, start, delta, DV, DF, l1, l2, gradient, R):
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
    R = R.astype(X.dtype, copy=False)
    if len(R) == 1:
        products = np.asarray(X.T @ R[0], dtype=np.float64)[:, None]
    else:
        products = np.asarray(X.T @ np.ascontiguousarray(R.T), dtype=np.float64)
    if design.fit_intercept:
        products -= np.outer(design.mean, R.sum(axis=1, dtype=np.float64))
    return products
