"""Elastic-net paths on columns: a small problem at a time, certified on all of it.

Two nested sets of features keep the passes over X rare:

- `pool`: packed copies of the features close to entering, or all features where these are
  few. Coordinate descent sweeps over those of them that matter, and Newton steps on the
  support take over where it is slow.
- everything: searched once for a *batch* of solutions of successive penalties,
  as one matrix product, which also gives the certificate of each.

References
----------
Tibshirani et al., "Strong rules for discarding predictors in lasso-type
problems", JRSS B 74 (2012).
Massias, Gramfort & Salmon, "Celer: a fast solver for the lasso with dual
extrapolation", ICML (2018).
"""

from dataclasses import dataclass

import numpy as np

from skextra._core.least_squares import solver_choice
from skextra._core.least_squares.elastic_net_columns import ColumnDescent
from skextra._core.least_squares.elastic_net_support import SupportGram
from skextra._core.least_squares.gap import compute_elastic_net_gap
from skextra._core.numerics.packed_columns import correlate, pack, pack_all

# Share of the certified tolerance that the problem of the pool may use.
_POOL_SHARE = 0.5
# The same of a pool of all features, whose gap differs from the certified one by rounding.
_WHOLE_SHARE = 0.98
# Share of the last gap on all features that a pool which is known to lack some may leave.
_LOOSE_SHARE = 0.2
# Features enter the pool at this share of the last penalty of a batch.
_POOL_THRESHOLD = 0.9
# Features that a pool takes in any case: fewer would be packed and certified too often.
_SMALLEST_POOL = 100
# Solutions that are certified with one product.
_LARGEST_BATCH = 8
# Sweeps before it is asked whether Newton steps would cost less.
_SWEEPS_PER_VISIT = 12


@dataclass
class _Solution:
    """One penalty's solution on the pool, before or after its certificate."""

    support: np.ndarray
    values: np.ndarray
    residual: np.ndarray
    n_iter: int
    gap: float = np.inf


def compute_outside(c, w, l1, l2, positive):
    """What a certificate needs of features whose coefficient is zero.

    Returns
    -------
    worst, conjugate : float
        As `worst_outside`, `conjugate_outside` of
        :func:`skextra._core.least_squares.gap.compute_elastic_net_gap`.
    """
    outside = w == 0
    magnitude = np.maximum(c, 0.0) if positive else np.abs(c)
    magnitude, l1, l2 = magnitude[outside], l1[outside], l2[outside]
    if len(magnitude) == 0:
        return 0.0, 0.0
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = magnitude / l1
        excess = np.maximum(magnitude - l1, 0.0)
        conjugate = 0.5 * excess * excess / l2
    worst = float(np.max(np.where(magnitude > 0, ratio, 0.0)))
    return worst, float(np.sum(np.where(excess > 0, conjugate, 0.0)))


class WorkingSetSolver:
    """Solves one target's problems for decreasing penalties.

    Parameters
    ----------
    design : Design
    y : ndarray of shape (n_samples,)
        Centered, residualised, times the roots of the weights.
    scale : ndarray of shape (n_features,)
        Penalty weights.
    tol : float
        Absolute duality gap to reach.
    sweeps : Sweeps
    w : ndarray of shape (n_features,)
        Where to start.
    floor : ndarray of shape (n_features,)
        Added to the L1 penalties of all problems.
    takes_all : bool
        Whether the pool is all features from the start.
    """

    def __init__(self, design, y, scale, tol, sweeps, w, floor, takes_all=False):
        self.design, self.y, self.scale, self.floor = design, y, scale, floor
        self.tol, self.sweeps = tol, sweeps
        self.w = w.copy()
        self.pool = np.empty(0, dtype=np.int64)
        self.pool_columns = self.norms = None
        self.takes_all = takes_all
        if self.takes_all:
            self.pool = np.arange(len(w))
            self.pool_columns = pack_all(design)
            self.norms = self.pool_columns.compute_squared_norms()
        self.b = self._correlate(y[:, None])[:, 0]
        self.c, self.residual = self.b, y
        self.support_gram = SupportGram(design, y, self.b)
        support = np.flatnonzero(w)
        if len(support):
            self.residual = y - pack(design, support).predict(w[support])
            self.c = self._correlate(self.residual[:, None])[:, 0]

    # --- the path -------------------------------------------------------

    def solve_path(self, lam1, lam2):
        """Solve for ``l1 = lam1[i] * scale, l2 = lam2[i] * scale``, decreasing.

        Returns
        -------
        solutions : list of (support, values, gap, n_iter)
        """
        results = []
        size = 4
        while len(results) < len(lam1):
            batch = slice(len(results), min(len(results) + size, len(lam1)))
            solutions, n_rounds = self._solve_batch(lam1[batch], lam2[batch])
            results.extend((s.support, s.values, s.gap, s.n_iter) for s in solutions)
            if n_rounds == 1:
                size = min(size + 2, _LARGEST_BATCH)
            elif n_rounds > 2:
                size = max(1, size // 2)
        return results

    def _solve_batch(self, lam1, lam2):
        """Solve a few successive problems and certify them with one product."""
        is_complete = self._fill_pool(lam1[-1])
        solutions = [None] * len(lam1)
        done, n_rounds = 0, 0
        gap = 0.0
        if not is_complete:
            gap = self._compute_gap(lam1[0], lam2[0], self.c, self.residual)
        while done < len(lam1):
            n_rounds += 1
            # What is known to lack features is solved as well as these are worth.
            stop = (_WHOLE_SHARE if self.takes_all else _POOL_SHARE) * self.tol
            stop = stop if is_complete else max(stop, _LOOSE_SHARE * gap)
            for i in range(done, len(lam1)):
                if solutions[i] is not None:
                    self._restore(solutions[i])
                previous = 0 if solutions[i] is None else solutions[i].n_iter
                solutions[i] = self._solve_on_pool(lam1[i], lam2[i], stop, previous)
            residuals = np.column_stack([s.residual for s in solutions[done:]])
            correlations = self._correlate(residuals)
            stalled = n_rounds > 50
            done, missing = self._certify(lam1, lam2, solutions, done, correlations, stalled)
            if done < len(lam1):
                gap = solutions[done].gap
                is_complete = self._extend_pool(missing)
        self._restore(solutions[-1])
        self.residual = solutions[-1].residual
        return solutions, n_rounds

    def _correlate(self, R):
        """Products of all columns with residuals."""
        if self.takes_all and not self.design.is_sparse:
            # The columns as they are packed are the data, in double precision.
            return self.pool_columns.correlate(R)
        return correlate(self.design, R)

    def _compute_gap(self, lam1, lam2, c, residual):
        """Gap of the coefficients `self.w` on all features."""
        l1, l2 = lam1 * self.scale + self.floor, lam2 * self.scale
        outside = compute_outside(c, self.w, l1, l2, self.sweeps.positive)
        s = np.flatnonzero(self.w)
        return compute_elastic_net_gap(
            self.w[s], c[s], l1[s], l2[s], float(self.y @ residual), self.sweeps.positive, *outside
        )

    def _certify(self, lam1, lam2, solutions, done, correlations, stalled):
        """Accept solutions from `done` on while their gaps allow it.

        Returns
        -------
        done : int
            Number of solutions accepted so far.
        missing : ndarray of int
            Features outside the pool that later solutions lack, worst first.
        """
        worst = np.zeros(len(self.w))
        first = done
        accept = True
        for i in range(first, len(solutions)):
            solution, c = solutions[i], correlations[:, i - first]
            self._restore(solution)
            solution.gap = self._compute_gap(lam1[i], lam2[i], c, solution.residual)
            exhausted = solution.n_iter >= self.sweeps.max_iter or stalled
            accept = accept and (solution.gap <= self.tol or exhausted)
            if accept:
                done, self.c = i + 1, c.copy()
            else:
                magnitude = np.maximum(c, 0.0) if self.sweeps.positive else np.abs(c)
                worst = np.maximum(worst, magnitude - lam1[i] * self.scale - self.floor)
        worst[self.pool] = 0.0
        missing = np.flatnonzero(worst > 0)
        return done, missing[np.argsort(-worst[missing], kind="stable")]

    # --- the pool ---------------------------------------------------------

    def _limit_pool(self):
        p = len(self.w)
        return min(p, max(_SMALLEST_POOL, 4 * np.count_nonzero(self.w), p // 8))

    def _fill_pool(self, lam1):
        """Choose the features that the next problems may use.

        Returns
        -------
        is_complete : bool
            Whether all candidates found room.
        """
        if self.takes_all:
            return True
        magnitude = np.maximum(self.c, 0.0) if self.sweeps.positive else np.abs(self.c)
        with np.errstate(divide="ignore", invalid="ignore"):
            score = np.where(self.scale > 0, magnitude / self.scale, np.inf)
        candidates = np.flatnonzero(score >= _POOL_THRESHOLD * lam1)
        limit = self._limit_pool()
        is_complete = len(candidates) <= limit
        if not is_complete:
            candidates = candidates[np.argpartition(-score[candidates], limit - 1)[:limit]]
        wanted = self.w != 0
        wanted[candidates] = True
        # A pool that is a little too large is cheaper than packing it anew.
        if self.pool_columns is not None:
            kept = wanted[self.pool]
            if 2 * kept.sum() >= len(self.pool):
                wanted[self.pool] = False
                self._append_to_pool(np.flatnonzero(wanted))
                return is_complete
        self.pool = np.flatnonzero(wanted)
        self.pool_columns = pack(self.design, self.pool)
        self.norms = self.pool_columns.compute_squared_norms()
        return is_complete

    def _extend_pool(self, features):
        """Add some of the features that were missing, the worst first; return whether all."""
        limit = max(self._limit_pool(), len(self.pool))
        self._append_to_pool(np.sort(features[:limit]))
        return len(features) <= limit

    def _append_to_pool(self, features):
        if len(features):
            new = pack(self.design, features)
            self.pool = np.concatenate([self.pool, features])
            self.pool_columns.append(new)
            self.norms = np.concatenate([self.norms, new.compute_squared_norms()])

    def _solve_on_pool(self, lam1, lam2, stop, n_iter):
        """Solve with the features of the pool.

        By sweeps, and by Newton steps on the support where these have taken as long as
        Newton steps would have.
        """
        l1, l2 = lam1 * self.scale + self.floor, lam2 * self.scale
        descent = ColumnDescent(
            self.pool_columns, self.norms, self.y, self.w[self.pool], l1[self.pool],
            l2[self.pool], self.sweeps,
        )  # fmt: skip
        max_iter = self.sweeps.max_iter
        left, since = max_iter - n_iter, 0
        while left > 0:
            n_before = descent.n_iter
            done = descent.solve(stop, min(left, _SWEEPS_PER_VISIT))
            left -= descent.n_iter - n_before
            since += descent.n_iter - n_before
            self.w[self.pool] = descent.w
            if done or left <= 0:
                break
            if since < self._count_patient_sweeps(lam2 > 0) or descent.is_support_solved(stop):
                continue
            left -= self.support_gram.solve(self.w, l1, l2, 0.5 * stop, self.sweeps, left)
            descent.w[:] = self.w[self.pool]
            descent.restart()
            since = 0
        w = descent.w
        residual = self.y - self.pool_columns.predict(w)
        return _Solution(self.pool[w != 0], w[w != 0], residual, max_iter - left)

    def _count_patient_sweeps(self, has_l2):
        n_support = np.count_nonzero(self.w)
        density = self.pool_columns.count_stored() / (len(self.pool) * len(self.y))
        n_missing = self.support_gram.count_missing(self.w)
        return solver_choice.count_patient_sweeps(
            len(self.y), n_support, n_missing, density, self.design.is_sparse, has_l2
        )

    def _restore(self, solution):
        self.w[:] = 0.0
        self.w[solution.support] = solution.values
