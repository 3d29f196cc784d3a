"""Squared hinge with an L1 penalty: Newton's method on a working set of features.

    P(w, b) = |w|_1 + sum_i C_i max(0, 1 - y_i (x_i w + b))^2
    D(a)    = sum_i (a_i - a_i^2 / (4 C_i))   where |X'(a y)|_inf <= 1, a >= 0 and a @ y = 0

The objective without the penalty is quadratic as long as the same samples lie within
the margin; each step minimizes that quadratic plus the penalty by coordinate descent, for
features brought to one scale.

References
----------
Yuan, Chang, Hsieh & Lin, "A comparison of optimization methods and software for
large-scale L1-regularized linear classification", JMLR 11 (2010).
"""

import numpy as np
from scipy import sparse

from skextra._core.quadratic.model import solve_quadratic
from skextra._core.svm.hinge import (
    balance,
    compute_loss,
    compute_squared_dual,
    find_squared_intercept,
    sum_slacks,
)
from skextra._core.svm.result import LinearSVMResult

_FIRST = 20  # features in the first working set
_SWEEPS = 1000
_FEW_VALUES = 1 << 22  # that may be dense while a step is computed
_EPS = np.finfo(np.float64).eps
_REFINEMENTS = 3  # of a dual point; each makes what is left by rounding smaller by far
# Newton steps without a gap smaller by a tenth after which rounding has the last word.
_PATIENCE = 20


def solve(problem, tol, max_iter):
    """Minimize over coefficients and the intercept.

    Parameters
    ----------
    problem : LinearProblem
        Of the squared hinge.
    tol : float
        Duality gap relative to the objective of the best constant.
    max_iter : int
        Newton steps at most.

    Returns
    -------
    result : LinearSVMResult
        Of the smallest gap seen.
    """
    state = _State(problem)
    aim = tol * problem.scale
    best, n_waited, mark = None, 0, np.inf
    for n_iter in range(max_iter + 1):
        gap = state.measure()
        if best is None or gap < best.gap:
            best = LinearSVMResult(state.w, state.b, gap, n_iter, False)
        n_waited = 0 if gap < 0.9 * mark else n_waited + 1
        mark = gap if n_waited == 0 else mark
        is_done = gap <= 0.9 * aim or n_iter == max_iter or n_waited >= _PATIENCE
        if is_done or not state.step(gap):
            break
    result = _certify(problem, best.coef, best.intercept, tol)
    result.n_iter = n_iter
    return result


def _certify(problem, coef, b, tol):
    """Result with the gap of coefficients as they are returned."""
    w = coef.astype(problem.dtype).astype(np.float64)
    scores = np.asarray(problem.X @ w, dtype=np.float64)
    if problem.fit_intercept:
        b = find_squared_intercept(scores, problem.y, problem.C, b)
    returned, b = problem.round_intercept(w, b)
    gap, dual, correlation = compute_gap(problem, w, scores, b)
    if gap > tol * problem.scale and not problem.is_sparse:
        for _ in range(_REFINEMENTS):
            dual = _refine(problem, w, dual, correlation)
            other, dual, correlation = compute_gap(problem, w, scores, b, dual)
            gap = min(gap, other)
    rounding = 64 * _EPS * (float(np.abs(w).sum()) + problem.scale)
    converged = bool(gap <= max(tol * problem.scale, rounding))
    return LinearSVMResult(w, returned, gap / problem.scale, 0, converged)


def _refine(problem, w, dual, correlation):
    """Dual point whose correlations are 1 in size where coefficients are not zero, and no larger.

    Where units of features are large, last digits of dual variables make correlations exceed
    their bound, and scaling the whole point costs more than changing those digits.
    """
    wanted = np.flatnonzero((w != 0) | (np.abs(correlation) > 1.0))
    rows = np.flatnonzero(dual > 0)
    X = problem.X[np.ix_(rows, wanted)]
    signs = np.where(w[wanted] != 0, np.sign(w[wanted]), np.sign(correlation[wanted]))
    residual = signs - correlation[wanted]
    if problem.fit_intercept:
        X = np.column_stack([X, np.ones(len(rows))])
        residual = np.append(residual, -float((dual * problem.y).sum()))
    units = 1.0 / np.maximum(np.abs(X).max(axis=0, initial=0.0), 1e-300)
    change = np.linalg.lstsq((X * units).T, residual * units, rcond=None)[0]
    dual = dual.copy()
    dual[rows] = np.maximum(dual[rows] + change * problem.y[rows], 0.0)
    return dual


def compute_gap(problem, w, scores, b, dual=None):
    """Duality gap at a dual point, scaled until it is feasible.

    A sum of terms none of which is negative: ``|w_j| - w_j v_j`` with ``v = X'(a y)``, and
    the slacks of the losses.

    Parameters
    ----------
    dual : ndarray of shape (n_samples,) or None
        None for the derivative of the losses.

    Returns
    -------
    gap : float
    dual : ndarray of shape (n_samples,)
        Before it was scaled.
    correlation : ndarray of shape (n_features,)
        ``X.T @ (dual * y)``.
    """
    y, C = problem.y, problem.C
    margins = y * (scores + b)
    if dual is None:
        dual = compute_squared_dual(margins, C)
        dual = balance(dual, y, C, True) if problem.fit_intercept else dual
    correlation = np.asarray(problem.X.T @ (dual * y), dtype=np.float64)
    largest = float(np.abs(correlation).max(initial=0.0))
    # The best multiple of the dual point, of those that are feasible.
    square = float((dual * dual / C).sum())
    share = min(2.0 * float(dual.sum()) / square if square > 0 else 1.0, 1.0)
    share = min(share, 1.0 / largest if largest > 0 else 1.0)
    gap = float((np.abs(w) - share * w * correlation).sum())
    gap += sum_slacks(margins, share * dual, C, True)
    gap += abs(b) * share * abs(float((dual * y).sum()))
    return (gap if np.isfinite(gap) else np.inf), dual, correlation


class _State:
    def __init__(self, problem):
        self.problem = problem
        self.X, self.y, self.C = problem.X, problem.y, problem.C
        self.columns = sparse.csc_array(self.X) if problem.is_sparse else self.X
        self.units = 1.0 / problem.compute_scales()
        self.w, self.scores = np.zeros(self.X.shape[1]), np.zeros(len(self.y))
        self.b = self._find_intercept(self.scores, 0.0)

    def _find_intercept(self, scores, start):
        if not self.problem.fit_intercept:
            return 0.0
        return find_squared_intercept(scores, self.y, self.C, start)

    def _compute_objective(self, w, scores, b):
        return float(np.abs(w).sum()) + compute_loss(self.y * (scores + b), self.C, True)

    def measure(self):
        """Duality gap where the state is."""
        self.objective = self._compute_objective(self.w, self.scores, self.b)
        gap, self.dual, self.correlation = compute_gap(self.problem, self.w, self.scores, self.b)
        return gap

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
        # In units of about one: u = w / units has the penalty sum_j units_j |u_j|.
        units = self.units[wanted]
        gram = self._compute_gram(wanted, units)
        u, c = self.w[wanted] / units, self.correlation[wanted] * units
        before = u.copy()
        solve_quadratic(
            gram, c, u, units, np.zeros(len(wanted)), self.objective, 0.1 * gap, _SWEEPS
        )
        return self._search(wanted, (u - before) * units)

    def _compute_gram(self, wanted, units):
        rows = np.flatnonzero(self.dual > 0)
        weights = 2.0 * self.C[rows]
        X = self._pick(wanted)[rows]
        total = weights.sum()
        if sparse.issparse(X):
            gram = np.asarray((X.T @ (sparse.diags_array(weights) @ X)).toarray())
            if self.problem.fit_intercept and total > 0:
                # The intercept's best answer to a step, eliminated.
                moments = np.asarray(X.T @ weights, dtype=np.float64)
                gram -= np.outer(moments, moments / total)
        else:
            if self.problem.fit_intercept and total > 0:
                X = X - weights @ X / total
            gram = X.T @ (X * weights[:, None])
        gram *= units
        gram *= units[:, None]
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
