"""Hinge loss with few features: a primal-dual interior-point method.

Its steps solve a system in the coefficients and the intercept alone, and their number
hardly depends on C. With margins ``m_i = y_i (x_i w + b) - 1 = s_i - t_i``, slacks ``s, t``
that are positive, and dual variables ``0 < a < C``, it follows
``a_i s_i = (C_i - a_i) t_i = mu`` to mu = 0.

References
----------
Ferris & Munson, "Interior-point methods for massive support vector machines",
SIAM J. Optim. 13 (2002).

Mehrotra, "On the implementation of a primal-dual interior point method",
SIAM J. Optim. 2 (1992).
"""

import numpy as np
from scipy import sparse
from scipy.linalg import lapack

from skextra._core.svm.hinge import (
    balance,
    compute_dual_value,
    compute_loss,
    compute_null_objective,
    find_hinge_intercept,
)
from skextra._core.svm.result import LinearMachine

_BOUNDARY = 0.995  # share of the way to the boundary
_BLOCK_VALUES = 1 << 17
_PATIENCE = 4  # steps without a smaller gap


def solve(X, y, C, *, fit_intercept, tol, max_iter):
    """Minimise over coefficients and the intercept; arguments as of the squared hinge's.

    Returns
    -------
    machine : LinearMachine
    """
    state = _State(X, y, C, fit_intercept)
    best, n_worse = LinearMachine(state.w, 0.0, np.inf, 0, False), 0
    for n_iter in range(max_iter + 1):
        machine = state.certify(n_iter, tol)
        n_worse = 0 if machine.gap < best.gap else n_worse + 1
        best = machine if machine.gap < best.gap else best
        if best.converged or n_worse >= _PATIENCE or n_iter == max_iter or not state.step():
            break
    best.n_iter = n_iter
    return best


class _State:
    def __init__(self, X, y, C, fit_intercept):
        self.X, self.y, self.C, self.fit_intercept = X, y, C, fit_intercept
        n, d = X.shape
        self.w, self.b = np.zeros(d), 0.0
        self.a = 0.5 * C
        if fit_intercept:
            self.a = 0.5 * balance(C, y)
        self.scores = np.zeros(n)
        # Both slacks about as large as the margins they have to make up for.
        self.s, self.t = np.ones(n), np.ones(n)
        self.scale = compute_null_objective(y, C, False, fit_intercept)

    def certify(self, n_iter, tol):
        """Duality gap at the nearest feasible dual point, with the better of two primal ones."""
        dual = balance(self.a, self.y) if self.fit_intercept else self.a
        v = self.X.T @ (dual * self.y)
        half = 0.5 * float(v @ v)
        value = compute_dual_value(dual, self.C, False, half)
        best = None
        for w, scores in ((self.w, self.scores), (v, self.X @ v)):
            b = find_hinge_intercept(scores, self.y, self.C) if self.fit_intercept else 0.0
            primal = 0.5 * float(w @ w) + compute_loss(self.y * (scores + b), self.C, False)
            gap = max(primal - value, 0.0) / self.scale
            if best is None or gap < best.gap:
                best = LinearMachine(w.copy(), b, gap, n_iter, False)
        rounding = 1e-14 * (1.0 + abs(value) / self.scale)
        best.converged = bool(best.gap <= max(tol, rounding))
        return best

    def step(self):
        """One predictor and corrector step; False if rounding errors allow none."""
        a, s, t, rest = self.a, self.s, self.t, self.C - self.a
        n = len(a)
        margins = self.y * (self.scores + self.b) - 1.0
        weights = 1.0 / (s / a + t / rest)
        factor = self._factorise(weights)
        if factor is None:
            return False
        mu = (a @ s + rest @ t) / (2 * n)
        zero = np.zeros(n)
        da, ds, dt, *_ = self._solve(factor, weights, margins, 0.0, zero, zero)
        length = min(_find_length(a, da, rest), 1.0), min(_find_slack_length(s, ds, t, dt), 1.0)
        ahead = (
            (a + length[0] * da) @ (s + length[1] * ds)
            + (rest - length[0] * da) @ (t + length[1] * dt)
        ) / (2 * n)  # fmt: skip
        target = mu * min(max(ahead / mu, 0.0), 1.0) ** 3
        da, ds, dt, dw, db = self._solve(factor, weights, margins, target, da * ds, -da * dt)
        if not np.isfinite(dw).all():
            return False
        # One length for both: the coefficients belong to either side.
        length = min(1.0, _BOUNDARY * _find_length(a, da, rest))
        length = min(length, _BOUNDARY * _find_slack_length(s, ds, t, dt))
        if not length > 1e-10:
            return False
        self.a = a + length * da
        self.s, self.t = s + length * ds, t + length * dt
        self.w = self.w + length * dw
        self.b += length * db
        self.scores = self.X @ self.w
        return True

    def _solve(self, factor, weights, margins, mu, second_s, second_t):
        """Direction towards ``a s + second_s = mu`` and ``(C - a) t + second_t = mu``."""
        a, s, t, rest = self.a, self.s, self.t, self.C - self.a
        pull_s, pull_t = (mu - second_s) / a - s, (mu - second_t) / rest - t
        # Change of the margins that is asked for, before that by the coefficients.
        wanted = pull_s - pull_t + (s - t) - margins
        u = (a + weights * wanted) * self.y
        right = self.X.T @ u - self.w
        if self.fit_intercept:
            right = np.append(right, u.sum())
        solution = lapack.dpotrs(factor, right, lower=1)[0]
        d = len(self.w)
        dw, db = solution[:d], (float(solution[d]) if self.fit_intercept else 0.0)
        da = weights * (wanted - self.y * (self.X @ dw + db))
        return da, pull_s - (s / a) * da, pull_t + (t / rest) * da, dw, db

    def _factorise(self, weights):
        n, d = self.X.shape
        system = np.zeros((d + 1, d + 1))
        n_rows = max(_BLOCK_VALUES // d, 64)
        for start in range(0, n, n_rows):
            part = slice(start, start + n_rows)
            X, c = self.X[part], weights[part]
            X = X.toarray() if sparse.issparse(X) else X
            weighted = X * c[:, None]
            system[:d, :d] += X.T @ weighted
            system[d, :d] += weighted.sum(axis=0)
        system[d, d] = weights.sum()
        system[np.arange(d), np.arange(d)] += 1.0
        if not self.fit_intercept:
            system = system[:d, :d]
        factor, failed = lapack.dpotrf(np.asfortranarray(system), lower=1, clean=0)
        return None if failed else factor


def _find_length(a, da, rest):
    """Longest step at which ``0 <= a <= C``."""
    with np.errstate(divide="ignore", invalid="ignore"):
        down = np.where(da < 0, -a / da, np.inf).min()
        up = np.where(da > 0, rest / da, np.inf).min()
    return min(down, up)


def _find_slack_length(s, ds, t, dt):
    with np.errstate(divide="ignore", invalid="ignore"):
        return min(np.where(ds < 0, -s / ds, np.inf).min(), np.where(dt < 0, -t / dt, np.inf).min())
