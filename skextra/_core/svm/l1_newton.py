"""Squared hinge with an L1 penalty: Newton's method on a working set of features.

    P(w, b) = |w|_1 + sum_i C_i max(0, 1 - y_i (x_i w + b))^2

The objective without the penalty is quadratic as long as the same samples lie within
the margin; each step minimises that quadratic plus the penalty by coordinate descent.

References
----------
Yuan, Chang, Hsieh & Lin, "A comparison of optimization methods and software for
large-scale L1-regularized linear classification", JMLR 11 (2010).
"""

import numpy as np
from scipy import sparse

from skextra._core.quadratic.model import solve_quadratic
from skextra._core.svm.hinge import (
    compute_loss,
    compute_null_objective,
    compute_squared_dual,
    find_squared_intercept,
)
from skextra._core.svm.result import LinearMachine

_FIRST = 20  # features in the first working set
_SWEEPS = 1000
_FEW_VALUES = 1 << 22  # that may be dense while a step is computed
_EPS = np.finfo(np.float64).eps


def solve(X, y, C, *, fit_intercept, tol, max_iter):
    """Minimise over coefficients and the intercept; arguments as of the L2 penalty's.

    Returns
    -------
    machine : LinearMachine
    """
    state = _State(X, y, C, fit_intercept)
    for n_iter in range(max_iter + 1):
        gap, floor = state.certify()
        if gap <= max(tol * state.scale, floor) or n_iter == max_iter or not state.step(gap):
            break
    converged = bool(gap <= max(tol * state.scale, floor))
    return LinearMachine(state.w, state.b, gap / state.scale, n_iter, converged)


class _State:
    def __init__(self, X, y, C, fit_intercept):
        self.X, self.y, self.C, self.fit_intercept = X, y, C, fit_intercept
        self.columns = sparse.csc_array(X) if sparse.issparse(X) else X
        self.scale = compute_null_objective(y, C, True, fit_intercept)
        self.w, self.scores = np.zeros(X.shape[1]), np.zeros(len(y))
        self.b = self._find_intercept(self.scores, 0.0)

    def _find_intercept(self, scores, start):
        if not self.fit_intercept:
            return 0.0
        return find_squared_intercept(scores, self.y, self.C, start)

    def _compute_objective(self, w, scores, b):
        return float(np.abs(w).sum()) + compute_loss(self.y * (scores + b), self.C, True)

    def certify(self):
        """Duality gap, and what of it may be rounding."""
        margins = self.y * (self.scores + self.b)
        self.dual = compute_squared_dual(margins, self.C)
        self.correlation = np.asarray(self.X.T @ (self.dual * self.y), dtype=np.float64)
        self.objective = self._compute_objective(self.w, self.scores, self.b)
        theta = 1.0 / max(np.abs(self.correlation).max(initial=0.0), 1.0)
        value = theta * float(self.dual.sum())
        value -= theta**2 * float((self.dual**2 / self.C).sum()) / 4.0
        gap = max(self.objective - max(value, 0.0), 0.0)
        return gap, 64 * _EPS * self.objective

    def step(self, gap):
        """One Newton step; False if the objective falls no further."""
        support = np.flatnonzero(self.w)
        excess = np.abs(self.correlation) - 1.0
        excess[support] = np.inf
        size = max(_FIRST, 2 * len(support))
        wanted = np.flatnonzero(excess > 0)
        if len(wanted) > size:
            wanted = wanted[np.argpartition(excess[wanted], -size)[-size:]]
        wanted = np.sort(wanted)
        if len(wanted) == 0:
            return False
        gram = self._compute_gram(wanted)
        w, c = self.w[wanted].copy(), self.correlation[wanted].copy()
        ones, zeros = np.ones(len(wanted)), np.zeros(len(wanted))
        before = w.copy()
        solve_quadratic(gram, c, w, ones, zeros, self.objective, 0.1 * gap, _SWEEPS)
        return self._search(wanted, w - before)

    def _compute_gram(self, wanted):
        rows = np.flatnonzero(self.dual > 0)
        weights = 2.0 * self.C[rows]
        X = self._pick(wanted)[rows]
        if sparse.issparse(X):
            gram = np.asarray((X.T @ (sparse.diags_array(weights) @ X)).toarray())
        else:
            gram = X.T @ (X * weights[:, None])
        total = weights.sum()
        if self.fit_intercept and total > 0:
            # The intercept's best answer to a step, eliminated.
            moments = np.asarray(X.T @ weights, dtype=np.float64)
            gram = gram - np.outer(moments, moments / total)
        gram = np.ascontiguousarray(0.5 * (gram + gram.T), dtype=np.float64)
        gram[np.diag_indices_from(gram)] += 1e-12 * max(gram.diagonal().max(), 1e-300)
        return gram

    def _pick(self, wanted):
        X = self.columns if len(wanted) == self.columns.shape[1] else self.columns[:, wanted]
        if sparse.issparse(X) and X.shape[0] * X.shape[1] <= _FEW_VALUES:
            return X.toarray()
        return sparse.csr_array(X) if sparse.issparse(X) else X

    def _search(self, wanted, direction):
        change = np.asarray(self._pick(wanted) @ direction, dtype=np.float64)
        length = 1.0
        # Near the optimum, rounding hides that the objective falls.
        limit = self.objective * (1.0 + 4 * _EPS)
        for _ in range(40):
            w = self.w.copy()
            w[wanted] += length * direction
            # A coefficient that the model has put to zero is zero.
            if length == 1.0:
                w[wanted[np.abs(w[wanted]) <= 1e-15 * np.abs(direction)]] = 0.0
            scores = self.scores + length * change
            b = self._find_intercept(scores, self.b)
            if self._compute_objective(w, scores, b) < (limit if length == 1.0 else self.objective):
                self.w, self.scores, self.b = w, scores, b
                return True
            length *= 0.5
        return False
