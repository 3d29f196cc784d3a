"""Elastic-net paths on wide data: a small problem at a time, certified on all of it.

Three nested sets of features keep the passes over X rare:

- `active`: those the current solution may use. Their Gram matrix is kept, and
  the solver works on it alone.
- `pool`: packed copies of the features close to entering. It is searched for
  violators whenever the active problem is solved.
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

from skextra._core.least_squares.elastic_net_columns import solve_on_columns
from skextra._core.least_squares.elastic_net_gram import solve_problem
from skextra._core.least_squares.gap import compute_elastic_net_gap
from skextra._core.numerics.packed_columns import correlate, pack

# Share of the certified tolerance that the pool, and the active problem, may use.
_POOL_SHARE = 0.3
_ACTIVE_SHARE = 0.15
# Features enter the pool at this share of the last penalty of a batch.
_POOL_THRESHOLD = 0.9
# Sweeps on the active features before the pool is searched again: where they
# are nearly collinear, what is missing may be what makes them so slow.
_SWEEPS_A_VISIT = 200
_LARGEST_BATCH = 8
_SMALLEST_POOL = 100


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
    """

    def __init__(self, design, y, scale, tol, sweeps, w, floor):
        self.design, self.y, self.scale, self.floor = design, y, scale, floor
        self.tol, self.sweeps = tol, sweeps
        self.yy = float(y @ y)
        self.b = correlate(design, y[:, None])[:, 0]
        self.w = w.copy()
        self._start_active(np.flatnonzero(w))
        self.pool = np.empty(0, dtype=np.int64)
        self.pool_columns = None
        self.c = self.b.copy()
        if len(self.active):
            residual = y - self.columns.predict(w[self.active])
            self.c = correlate(design, residual[:, None])[:, 0]

    # --- the path -------------------------------------------------------

    def solve_path(self, lam1, lam2):
        """Solve for ``l1 = lam1[i] * scale, l2 = lam2[i] * scale``, decreasing.

        Returns
        -------
        solutions : list of (support, values, gap, n_iter)
        """
        self._approach(lam1[0], lam2[0])
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

    def _approach(self, lam1, lam2):
        """Come down loosely to a first penalty far below the largest useful one."""
        certified, self.tol = self.tol, max(self.tol, 1e-3 * self.yy)
        for _ in range(60):
            worst, _ = compute_outside(
                self.c, self.w, self.scale * lam1 + self.floor, self.scale * lam2,
                self.sweeps.positive,
            )  # fmt: skip
            if not 4.0 < worst < np.inf:
                break
            factor = max(0.5 * worst, 1.0)
            self._solve_batch(np.array([lam1 * factor]), np.array([lam2 * factor]), final=False)
        self.tol = certified

    def _solve_batch(self, lam1, lam2, final=True):
        """Solve a few successive problems and certify them with one product."""
        self._prune_active()
        self._fill_pool(lam1[-1])
        solutions = [None] * len(lam1)
        done, n_rounds = 0, 0
        while done < len(lam1):
            n_rounds += 1
            for i in range(done, len(lam1)):
                if solutions[i] is not None:
                    self._restore(solutions[i])
                previous = 0 if solutions[i] is None else solutions[i].n_iter
                solutions[i] = self._solve_on_pool(lam1[i], lam2[i], previous)
            residuals = np.column_stack([s.residual for s in solutions[done:]])
            correlations = correlate(self.design, residuals)
            stalled = n_rounds > 50
            done, missing = self._certify(lam1, lam2, solutions, done, correlations, stalled)
            if not final:
                break
            self._extend_pool(missing)
        self._restore(solutions[-1])
        return solutions, n_rounds

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
            l1, l2 = lam1[i] * self.scale + self.floor, lam2[i] * self.scale
            self._restore(solution)
            outside = compute_outside(c, self.w, l1, l2, self.sweeps.positive)
            s = solution.support
            solution.gap = compute_elastic_net_gap(
                solution.values, c[s], l1[s], l2[s], float(self.y @ solution.residual),
                self.sweeps.positive, *outside,
            )  # fmt: skip
            exhausted = solution.n_iter >= self.sweeps.max_iter or stalled
            accept = accept and (solution.gap <= self.tol or exhausted)
            if accept:
                done, self.c = i + 1, c.copy()
            else:
                magnitude = np.maximum(c, 0.0) if self.sweeps.positive else np.abs(c)
                worst = np.maximum(worst, magnitude - l1)
        worst[self.pool] = 0.0
        missing = np.flatnonzero(worst > 0)
        return done, missing[np.argsort(-worst[missing], kind="stable")]

    # --- the pool ---------------------------------------------------------

    def _limit_pool(self):
        n, p = self.design.shape
        return min(p, max(_SMALLEST_POOL, 8 * len(self.active), p // 4))

    def _fill_pool(self, lam1):
        magnitude = np.maximum(self.c, 0.0) if self.sweeps.positive else np.abs(self.c)
        with np.errstate(divide="ignore", invalid="ignore"):
            score = np.where(self.scale > 0, magnitude / self.scale, np.inf)
        candidates = np.flatnonzero(score >= _POOL_THRESHOLD * lam1)
        limit = self._limit_pool()
        if len(candidates) > limit:
            candidates = candidates[np.argpartition(-score[candidates], limit - 1)[:limit]]
        wanted = np.zeros(len(self.w), dtype=bool)
        wanted[candidates] = True
        wanted[self.active] = True
        # A pool that is a little too large is cheaper than packing it anew.
        if self.pool_columns is not None:
            kept = wanted[self.pool]
            if 2 * kept.sum() >= len(self.pool):
                wanted[self.pool] = False
                self._extend_pool(np.flatnonzero(wanted))
                return
        self.pool = np.flatnonzero(wanted)
        self.pool_columns = pack(self.design, self.pool)

    def _extend_pool(self, features):
        features = np.sort(features[: self._limit_pool()])
        if len(features):
            self.pool = np.concatenate([self.pool, features])
            self.pool_columns.append(pack(self.design, features))

    def _solve_on_pool(self, lam1, lam2, n_iter):
        """Solve with the features of the pool, adding violators to the active ones."""
        l1, l2 = lam1 * self.scale + self.floor, lam2 * self.scale
        pool_l1, pool_l2 = l1[self.pool], l2[self.pool]
        in_active = np.zeros(len(self.w), dtype=bool)
        in_active[self.active] = True
        stop = _ACTIVE_SHARE * self.tol
        while True:
            budget = min(self.sweeps.max_iter - n_iter, _SWEEPS_A_VISIT)
            values, residual, n_more = self._solve_active(l1, l2, stop, budget)
            n_iter += n_more
            solved = n_more < budget
            self.w[self.active] = values
            c = self.pool_columns.correlate(residual)
            pool_w = self.w[self.pool]
            gap = compute_elastic_net_gap(
                pool_w, c, pool_l1, pool_l2, float(self.y @ residual), self.sweeps.positive,
                0.0, 0.0,
            )  # fmt: skip
            magnitude = np.maximum(c, 0.0) if self.sweeps.positive else np.abs(c)
            violation = np.where(in_active[self.pool], 0.0, magnitude - pool_l1)
            entering = np.flatnonzero(violation > 0)
            exhausted = n_iter >= self.sweeps.max_iter
            if gap <= _POOL_SHARE * self.tol or exhausted or (solved and len(entering) == 0):
                support = self.active[values != 0]
                return _Solution(support, values[values != 0], residual, n_iter)
            if len(entering) == 0:
                continue
            limit = max(20, len(self.active) // 4)
            if len(entering) > limit:
                entering = entering[np.argpartition(-violation[entering], limit - 1)[:limit]]
            features = self.pool[np.sort(entering)]
            in_active[features] = True
            self._extend_active(features)

    # --- the active problem -------------------------------------------------

    def _start_active(self, features):
        self.active = features
        self.columns = pack(self.design, features)
        self.gram = np.zeros((0, 0))
        if self._uses_gram():
            self._build_gram()

    def _uses_gram(self):
        # Beyond this a sweep over the columns is cheaper than one over the Gram
        # matrix; a projection cannot be kept implicit in a sparse residual.
        k = len(self.active)
        if self.design.is_sparse:
            return k <= 4000 or self.design.rows is not None
        return k <= max(1000, 2 * self.design.shape[0])

    def _build_gram(self):
        k = len(self.active)
        self.gram = np.zeros((k + k // 4 + 64,) * 2)
        self.gram[:k, :k] = self.columns.compute_gram(self.columns)

    def _extend_active(self, features):
        new = pack(self.design, features)
        k, m = len(self.active), len(features)
        had_gram = len(self.gram) >= k and self._uses_gram()
        self.active = np.concatenate([self.active, features])
        self.columns.append(new)
        if not self._uses_gram():
            self.gram = np.zeros((0, 0))
            return
        if not had_gram:
            self._build_gram()
            return
        if k + m > len(self.gram):
            gram = np.zeros((max(k + m, 2 * k) + 64,) * 2)
            gram[:k, :k] = self.gram[:k, :k]
            self.gram = gram
        cross = new.compute_gram(self.columns)
        self.gram[k : k + m, : k + m] = cross
        self.gram[: k + m, k : k + m] = cross.T

    def _prune_active(self):
        """Forget active features whose coefficient has become zero."""
        positions = np.flatnonzero(self.w[self.active])
        k = len(positions)
        if len(self.active) <= 1.25 * k + 40:
            return
        if len(self.gram):
            self.gram[:k, :k] = self.gram[np.ix_(positions, positions)]
        self.columns.keep(positions)
        self.active = self.active[positions]
        if self._uses_gram() and not len(self.gram):
            self._build_gram()

    def _solve_active(self, l1, l2, stop, budget):
        values = self.w[self.active]
        l1, l2 = l1[self.active], l2[self.active]
        if len(self.active) == 0:
            return values, self.y, 0
        if not self._uses_gram():
            return solve_on_columns(self.columns, self.y, values, l1, l2, stop, self.sweeps, budget)
        k = len(values)
        b = self.b[self.active]
        c = b - self.gram[:k, :k] @ values
        _, n_more = solve_problem(
            self.gram, b, c, values, l1, l2, self.yy, stop, self.sweeps, budget
        )
        return values, self.y - self.columns.predict(values), n_more

    def _restore(self, solution):
        self.w[:] = 0.0
        self.w[solution.support] = solution.values
