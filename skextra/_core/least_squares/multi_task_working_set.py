"""Multi-task elastic-net paths on wide data: solve on few features, certify on all.

References
----------
Tibshirani et al., "Strong rules for discarding predictors in lasso-type
problems", JRSS B 74 (2012), section 5: the group form of the rule.
"""

import numpy as np

from skextra._core.least_squares.multi_task_newton import solve_rows
from skextra._core.least_squares.multi_task_sweeps import (
    compute_multi_task_gap,
    sweep_rows_sparse_until_flat,
    sweep_rows_until_flat,
)
from skextra._core.numerics.packed_columns import correlate, pack

# Share of the certified tolerance that the problem on the working set may use.
_ACTIVE_SHARE = 0.3
_SMALLEST_INTAKE = 50
# Sweeps over columns between two certificates.
_SWEEPS_PER_GAP = 10
_OVERFLOW = "X contains values whose squares overflow: rescale its columns"


def compute_outside(norms, l1, l2):
    """Worst ratio and sum of conjugates of features whose coefficients are zero.

    Returns
    -------
    worst, conjugate : float
        As `worst_outside` and `conjugate_outside` of
        :func:`skextra._core.least_squares.multi_task_sweeps.compute_multi_task_gap`.
    """
    if len(norms) == 0:
        return 0.0, 0.0
    excess = np.maximum(norms - l1, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        worst = np.max(np.where(norms > 0, norms / l1, 0.0))
        conjugate = np.sum(np.where(excess > 0, 0.5 * excess * excess / l2, 0.0))
    return float(worst), float(conjugate)


def _compute_norms(C):
    return np.sqrt(np.einsum("tj,tj->j", C, C))


class RowWorkingSet:
    """Solves all targets for decreasing penalties.

    Parameters
    ----------
    problem : Problem
    scale : ndarray of shape (n_features,)
        Penalty weights.
    limits : tuple (tol, settle, settings)
        Absolute gap to reach, relative change of coefficients to reach, Settings.
    W : ndarray of shape (n_targets, n_features)
        Where to start.
    """

    def __init__(self, problem, scale, limits, W):
        self.design, self.scale = problem.design, scale
        self.tol, self.settle, self.settings = limits
        self.Y = self.design.weigh_rows(problem.Y)
        self.yy = float(np.vdot(self.Y, self.Y))
        self.W = W
        self.B = np.ascontiguousarray(correlate(self.design, self.Y).T)
        if not np.isfinite(self.B).all():
            raise ValueError(_OVERFLOW)
        self.active = np.flatnonzero(W.any(axis=0))
        self.columns = pack(self.design, self.active)
        self.gram = None
        R = self.Y - self._predict(W[:, self.active])
        self.C = np.ascontiguousarray(correlate(self.design, R).T)

    def solve_path(self, lam1, lam2):
        """Yield coefficients, gap and iterations for each penalty."""
        previous = np.inf
        for first, second in zip(lam1, lam2):
            self._prune()
            # The strong rule; a first penalty has no predecessor to lean on.
            threshold = 2 * first - previous if np.isfinite(previous) else first
            self._extend(_compute_norms(self.C) / self.scale - threshold)
            gap, n_iter = self._solve(first * self.scale, second * self.scale)
            previous = first
            yield self.W, gap, n_iter

    def _solve(self, l1, l2):
        """Solve one problem, adding violators until all features certify it."""
        sweeps, n_iter = self.settings.create_sweeps(), 0
        stop = _ACTIVE_SHARE * self.tol
        while True:
            budget = self.settings.max_iter - n_iter
            C, R, n_more = self._solve_active(l1, l2, stop, sweeps, budget)
            n_iter += n_more
            self.C = np.ascontiguousarray(correlate(self.design, R).T)
            self.C[:, self.active] = C
            norms = _compute_norms(self.C)
            outside = np.ones(len(norms), dtype=bool)
            outside[self.active] = False
            gap = compute_multi_task_gap(
                np.ascontiguousarray(self.W[:, self.active]), C, l1[self.active], l2[self.active],
                float(np.vdot(self.Y, R)),
                *compute_outside(norms[outside], l1[outside], l2[outside]),
            )  # fmt: skip
            if gap <= self.tol or n_iter >= self.settings.max_iter:
                return gap, n_iter
            if self._extend((norms - l1) / self.scale) == 0:
                if stop < 1e-3 * _ACTIVE_SHARE * self.tol:
                    return gap, n_iter  # this is what rounding allows
                stop *= 0.1

    # --- the working set ----------------------------------------------------

    def _extend(self, score):
        """Take in the features of largest positive score; return how many."""
        score = score.copy()
        score[self.active] = -np.inf
        features = np.flatnonzero(score > 0)
        limit = max(_SMALLEST_INTAKE, len(self.active))
        if len(features) > limit:
            features = features[np.argpartition(-score[features], limit - 1)[:limit]]
        features = np.sort(features)
        if len(features):
            new = pack(self.design, features)
            with np.errstate(over="ignore"):
                is_finite = np.isfinite(new.compute_squared_norms()).all()
            if not is_finite:
                raise ValueError(_OVERFLOW)
            self.active = np.concatenate([self.active, features])
            self.columns.append(new)
            self._extend_gram(new)
        return len(features)

    def _uses_gram(self):
        # Beyond this a sweep over the columns is cheaper than one over their
        # Gram matrix, and so is keeping them.
        n_entries = self.design.shape[0]
        if self._sweeps_sparse():
            n_entries = 2 * self.design.X.nnz / self.design.shape[1]
        return len(self.active) <= max(1000, 2 * n_entries)

    def _sweeps_sparse(self):
        # A projection on unpenalized features cannot be kept implicit in a
        # sparse residual: such columns are made dense.
        return self.design.is_sparse and self.design.rows is None

    def _extend_gram(self, new):
        if not self._uses_gram():
            self.gram = None
            return
        n, m = len(self.active), new.n
        if self.gram is None:
            self._build_gram()
            return
        gram = np.empty((n, n))
        gram[: n - m, : n - m] = self.gram
        gram[n - m :] = new.compute_gram(self.columns)
        gram[: n - m, n - m :] = gram[n - m :, : n - m].T
        self.gram = gram

    def _prune(self):
        """Forget features whose coefficients have become zero."""
        positions = np.flatnonzero(self.W[:, self.active].any(axis=0))
        if len(self.active) <= 1.25 * len(positions) + 40:
            return
        self.active = self.active[positions]
        self.columns.keep(positions)
        if self.gram is not None:
            self.gram = np.ascontiguousarray(self.gram[np.ix_(positions, positions)])
        elif self._uses_gram():
            self._build_gram()

    def _build_gram(self):
        # One layout, so that kernels are compiled once.
        self.gram = np.ascontiguousarray(self.columns.compute_gram(self.columns))

    def _predict(self, W):
        if self.design.is_sparse:
            return self.columns.predict(W.T)
        return (W @ self.columns.matrix).T

    # --- the problem on it --------------------------------------------------

    def _solve_active(self, l1, l2, stop, sweeps, budget):
        """Solve on the working set: correlations there, residual, iterations."""
        W = np.ascontiguousarray(self.W[:, self.active])
        l1, l2 = l1[self.active], l2[self.active]
        if len(self.active) == 0:
            return W, self.Y, 1
        if self._uses_gram():
            if self.gram is None:
                self._build_gram()
            B = np.ascontiguousarray(self.B[:, self.active])
            C = B - W @ self.gram
            _, n_iter = solve_rows(
                self.gram, B, C, W, l1, l2, self.yy, stop, self.settle, sweeps, budget
            )
            R = self.Y - self._predict(W)
        else:
            C, R, n_iter = self._solve_on_columns(W, l1, l2, stop, sweeps, budget)
        self.W[:, self.active] = W
        return C, R, n_iter

    def _solve_on_columns(self, W, l1, l2, stop, sweeps, budget):
        update = self._create_column_sweeps(l1, l2, sweeps)
        n_iter = 0
        while True:
            # The residual afresh: updates drift.
            R = self.Y - self._predict(W)
            move, n_more, sweeps.state = update(W, R, min(_SWEEPS_PER_GAP, budget - n_iter))
            n_iter += n_more
            R = self.Y - self._predict(W)
            C = self._correlate(R)
            gap = compute_multi_task_gap(W, C, l1, l2, float(np.vdot(self.Y, R)), 0.0, 0.0)
            is_settled = move <= self.settle * np.abs(W).max()
            if (gap <= stop and is_settled) or n_iter >= budget:
                return C, R, n_iter

    def _create_column_sweeps(self, l1, l2, sweeps):
        """Function of coefficients (updated), residual and sweeps to make."""
        design, norms = self.design, self.columns.compute_squared_norms()
        if self._sweeps_sparse():
            matrix, mean = self.columns.matrix, design.mean[self.active]
            return lambda W, R, n: sweep_rows_sparse_until_flat(
                matrix.data, matrix.indices, matrix.indptr, mean, design.total_weight, norms,
                np.array(R, order="C"), W, l1, l2, n, sweeps.random, sweeps.state,
            )  # fmt: skip
        columns = self._list_dense_columns()
        return lambda W, R, n: sweep_rows_until_flat(
            columns, norms, np.array(R.T, order="C"), W, l1, l2, n, sweeps.random, sweeps.state
        )

    def _correlate(self, R):
        if self.design.is_sparse:
            columns = self.columns
            C = columns.matrix.T @ R - columns.loadings.T @ (columns.basis.T @ R)
        else:
            C = self.columns.matrix @ R
        return np.ascontiguousarray(C.T)

    def _list_dense_columns(self):
        columns = self.columns
        if not self.design.is_sparse:
            return columns.matrix
        centered = columns.matrix.toarray().T - columns.loadings.T @ columns.basis.T
        return np.ascontiguousarray(centered)
