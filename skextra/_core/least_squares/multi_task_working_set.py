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
    find_largest,
    sweep_rows_columns,
    sweep_rows_sparse,
)
from skextra._core.numerics.packed_columns import correlate, pack
from skextra._core.quadratic.sweeps import shuffle

# Share of the certified tolerance that the problem on the working set may use.
_ACTIVE_SHARE = 0.5
# Share of the last gap that a set which is known to lack features may leave.
_LOOSE_SHARE = 0.2
_SMALLEST_INTAKE = 100
# Working sets up to these sizes are solved on a Gram matrix: always; after many sweeps.
_SMALL_GRAM, _LARGEST_GRAM = 200, 2000
_MANY_SWEEPS = 100
# Sweeps over columns between two certificates.
_SWEEPS_PER_GAP = 5
_OVERFLOW = "X contains values whose squares overflow: rescale its columns"


def _compute_norms(C):
    return np.sqrt(np.einsum("tj,tj->j", C, C))


def descend(sweep, W, sweeps, n_sweeps):
    """One full sweep, then sweeps over the features in use while these change more than little.

    Parameters
    ----------
    sweep : callable
        Visits the positions given to it; returns the largest change.
    W : ndarray of shape (n_targets, k)
        The coefficients that it updates.
    sweeps : Sweeps
        Shuffles, if that is asked for.
    n_sweeps : int
        At most.

    Returns
    -------
    change : float
        Of the last sweep.
    n_sweeps : int
    """
    order = np.arange(W.shape[1])
    for i in range(n_sweeps):
        if sweeps.random:
            sweeps.state = shuffle(order, len(order), sweeps.state)
        change = sweep(order)
        if i == 0:
            first, order = change, np.flatnonzero(W.any(axis=0))
        elif change <= 0.01 * first:
            return change, i + 1
    return change, n_sweeps


class RowWorkingSet:
    """Solves all targets for decreasing penalties.

    Parameters
    ----------
    design : Design
    Y : ndarray of shape (n_samples, n_targets)
        Targets times the roots of the weights, free of unpenalized directions.
    tol, settle : float
        Absolute gap to reach, and relative change of coefficients in the last sweep.
    settings : Settings
    W : ndarray of shape (n_targets, n_features)
        Where to start; updated in place.
    """

    def __init__(self, design, Y, tol, settle, settings, W):
        self.design, self.Y, self.W = design, Y, W
        self.tol, self.settle, self.settings = tol, settle, settings
        self.yy = float(np.vdot(Y, Y))
        self.R, self.C = Y, np.ascontiguousarray(correlate(design, Y).T)
        if not np.isfinite(self.C).all():
            raise ValueError(_OVERFLOW)
        self.B = self.C
        self.active = np.flatnonzero(W.any(axis=0))
        self.columns = pack(design, self.active)
        self.gram, self.is_slow = None, False
        if len(self.active):
            self._refresh()

    def solve_path(self, L1, L2):
        """Yield coefficients, gap and iterations for the penalties (n_alphas, n_features)."""
        previous = None
        for l1, l2 in zip(L1, L2):
            self._prune()
            # The strong rule; a first penalty has no predecessor to lean on.
            threshold = l1 if previous is None else 2 * l1 - previous
            is_complete = self._extend((_compute_norms(self.C) - threshold) / l1)
            yield self.W, *self._solve(l1, l2, is_complete)
            previous = l1

    def _solve(self, l1, l2, is_complete):
        """Solve one problem, adding violators until all features certify it."""
        sweeps, n_iter = self.settings.create_sweeps(), 0
        # With all features in the set its gap is the gap.
        stop = self.tol * (1.0 if len(self.active) == len(l1) else _ACTIVE_SHARE)
        gap = self._compute_gap(l1, l2)
        while True:
            # What is known to lack features is solved as well as these are worth.
            goal = stop if is_complete else max(stop, _LOOSE_SHARE * gap)
            limits = goal, self.settle if is_complete else np.inf
            n_iter += self._solve_active(l1, l2, limits, sweeps, self.settings.max_iter - n_iter)
            self._refresh()
            gap = self._compute_gap(l1, l2)
            if (gap <= self.tol and is_complete) or n_iter >= self.settings.max_iter:
                return gap, max(n_iter, 1)
            if gap <= self.tol:
                is_complete = True
                continue
            score = (_compute_norms(self.C) - l1) / l1
            score[self.active] = 0.0
            if (score > 0).any():
                is_complete = self._extend(score)
            elif goal > stop:
                is_complete = True
            elif stop < 1e-3 * _ACTIVE_SHARE * self.tol:
                return gap, max(n_iter, 1)  # this is what rounding allows
            else:
                stop *= 0.1

    def _refresh(self):
        """Residual and correlations of all features, from the data."""
        self.R = self.Y - self._predict(self.W[:, self.active])
        self.C = np.ascontiguousarray(correlate(self.design, self.R).T)

    def _compute_gap(self, l1, l2):
        return compute_multi_task_gap(self.W, self.C, l1, l2, float(np.vdot(self.Y, self.R)))

    # --- the working set ----------------------------------------------------

    def _extend(self, score):
        """Take in the features of largest positive score; return whether all found room."""
        score = score.copy()
        score[self.active] = -np.inf
        features = np.flatnonzero(score > 0)
        limit = max(_SMALLEST_INTAKE, 2 * len(self.active), len(score) // 8)
        is_complete = len(features) <= limit
        if not is_complete:
            features = features[np.argpartition(-score[features], limit - 1)[:limit]]
        if len(features):
            features = np.sort(features)
            new = pack(self.design, features)
            with np.errstate(over="ignore"):
                is_finite = np.isfinite(new.compute_squared_norms()).all()
            if not is_finite:
                raise ValueError(_OVERFLOW)
            self.active = np.concatenate([self.active, features])
            self.columns.append(new)
            self._extend_gram(new)
        return is_complete

    def _uses_gram(self):
        # Beyond this a sweep over the columns is cheaper than one over their Gram matrix, and
        # so is keeping them: 2.6x on 200 x 3,000 with 5 targets at alpha_max / 20 (720 features),
        # `multi-task-wide` of the benchmarks. Where sweeps are many, Newton steps on the Gram
        # matrix are worth it all the same.
        n_entries = self.design.shape[0]
        if self._sweeps_sparse():
            n_entries = 2 * self.design.X.nnz // self.design.shape[1]
        k = len(self.active)
        return k <= max(_SMALL_GRAM, 3 * n_entries // 4) or (self.is_slow and k <= _LARGEST_GRAM)

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

    def _solve_active(self, l1, l2, limits, sweeps, budget):
        """Solve on the working set; return the number of iterations."""
        if len(self.active) == 0:
            return 0
        W = np.ascontiguousarray(self.W[:, self.active])
        l1, l2 = l1[self.active], l2[self.active]
        n_iter, is_done = 0, False
        if not self._uses_gram():
            k = len(self.active)
            patience = budget if k > _LARGEST_GRAM else min(budget, _MANY_SWEEPS)
            is_done, n_iter = self._solve_on_columns(W, l1, l2, limits, sweeps, patience)
            is_done = is_done or n_iter >= budget
            self.is_slow = not is_done
        if not is_done:
            if self.gram is None:
                self._build_gram()
            B = np.ascontiguousarray(self.B[:, self.active])
            C = B - W @ self.gram
            _, n_more = solve_rows(
                self.gram, B, C, W, l1, l2, self.yy, *limits, sweeps, budget - n_iter
            )
            n_iter += n_more
        self.W[:, self.active] = W
        return n_iter

    def _solve_on_columns(self, W, l1, l2, limits, sweeps, budget):
        """Sweep over the columns; return whether the limits are met, and iterations."""
        stop, settle = limits
        norms = self.columns.compute_squared_norms()
        columns = None if self._sweeps_sparse() else self._list_dense_columns()
        n_iter, change = 0, np.inf
        while True:
            # The residual afresh: updates drift.
            R = self.Y - self._predict(W)
            C = self._correlate(R)
            gap = compute_multi_task_gap(W, C, l1, l2, float(np.vdot(self.Y, R)))
            is_done = gap <= stop and change <= settle**2 * find_largest(W, norms, l2)
            if is_done or n_iter >= budget:
                return is_done, n_iter
            sweep = self._create_sweep(columns, norms, W, R, l1, l2)
            change, n_more = descend(sweep, W, sweeps, min(_SWEEPS_PER_GAP, budget - n_iter))
            n_iter += n_more

    def _create_sweep(self, columns, norms, W, R, l1, l2):
        """Function that sweeps over the positions given to it, on this residual."""
        if columns is not None:
            R = np.array(R.T, order="C")
            return lambda order: sweep_rows_columns(columns, norms, R, W, l1, l2, order)
        matrix, mean = self.columns.matrix, self.design.mean[self.active]
        R, offset = np.array(R, order="C"), np.zeros(W.shape[0])
        return lambda order: sweep_rows_sparse(
            matrix.data, matrix.indices, matrix.indptr, mean, self.design.total_weight, norms, R,
            offset, W, l1, l2, order,
        )  # fmt: skip

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
