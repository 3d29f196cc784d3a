"""Dual coordinate descent for linear support vector machines of many features.

One dual variable at a time is minimised exactly, in random order, and rows that sit
firmly at a bound are left out of the sweeps until the others are done. The intercept is
not penalised, so the dual has the constraint ``sum_i a_i y_i = 0``: an augmented
Lagrangian, whose multiplier is the intercept, takes care of it. Its quadratic term
acts as one more feature of a constant value, and the multiplier moves after each
sweep.

References
----------
Hsieh, Chang, Lin, Keerthi & Sundararajan, "A dual coordinate descent method for
large-scale linear SVM", ICML (2008).

Bertsekas, "Constrained optimization and Lagrange multiplier methods" (1982), ch. 2.
"""

import numpy as np
from scipy import sparse

from skextra._core.runtime.jit import njit
from skextra._core.svm.hinge import (
    balance,
    compute_dual_value,
    compute_loss,
    compute_null_objective,
    find_intercept,
)
from skextra._core.svm.result import LinearMachine

_FAST = {"contract", "reassoc", "nsz"}
_MODULUS = np.uint64(6364136223846793005)
_CONSTANT = 0.03  # squared length of the constant feature beside that of a sample
_WORTH_SORTING = 4.0  # gap beside the one asked for
_STEP = np.uint64(1442695040888963407)


@njit
def shuffle(rows, n, state):
    """Random order of the first n entries, in place; returns the generator's next state."""
    for i in range(n - 1, 0, -1):
        state = state * _MODULUS + _STEP
        j = np.int64((state >> np.uint64(33)) % np.uint64(i + 1))
        rows[i], rows[j] = rows[j], rows[i]
    return state


@njit(fastmath=_FAST)
def dot_sparse(data, indices, start, stop, w):
    total = 0.0
    for t in range(start, stop):
        total += data[t] * w[np.uint64(indices[t])]
    return total


@njit(fastmath=_FAST)
def add_sparse(data, indices, start, stop, factor, w):
    for t in range(start, stop):
        w[np.uint64(indices[t])] += factor * data[t]


@njit(fastmath=_FAST)
def dot_dense(x, w):
    total = 0.0
    for j in range(w.shape[0]):
        total += x[j] * w[j]
    return total


@njit(fastmath=_FAST)
def add_dense(x, factor, w):
    for j in range(w.shape[0]):
        w[j] += factor * x[j]


@njit
def minimise_one(slope, a, curvature, upper, bounds):
    """Step of one variable, and whether it may be left out.

    Returns
    -------
    step : float
    projected : float
        Slope, 0 where a bound holds it.
    firm : bool
    """
    if a == 0.0 and slope >= 0.0:
        return 0.0, 0.0, slope > bounds[0]
    if a == upper and slope <= 0.0:
        return 0.0, 0.0, slope < bounds[1]
    new = min(max(a - slope / curvature, 0.0), upper)
    return new - a, slope, False


@njit
def measure_slack(slope, a, upper, ridge):
    """Share of one variable in the duality gap, as if no other one moved."""
    if ridge > 0.0:
        return 0.5 * slope * slope / ridge if slope < 0.0 or a > 0.0 else 0.0
    return a * slope if slope > 0.0 else (a - upper) * slope


@njit
def finish_sweep(largest, smallest, bounds):
    # Next time only what is beyond this sweep's worst slopes is firm.
    bounds[0] = largest if largest > 0.0 else np.inf
    bounds[1] = smallest if smallest < 0.0 else -np.inf
    return largest - smallest


@njit
def sweep_sparse(
    data, indices, indptr, y, upper, ridge, squares, a, w, rows, n_rows, balance_, rho, bounds,
    state,
):  # fmt: skip
    """One sweep over the first `n_rows` of `rows`; `a`, `w` and `balance_` are updated.

    Parameters
    ----------
    data, indices, indptr : ndarray
        Rows in compressed form.
    y, upper, ridge, squares : ndarray of shape (n_samples,)
        Labels, bounds, curvature of the loss's conjugate, squared lengths of rows.
    a, w : ndarray of shape (n_samples,) and (n_features,)
    rows : ndarray of int
        Reordered: what is left out goes to the end.
    balance_ : ndarray of shape (2,)
        The multiplier, and ``a @ y``.
    rho : float
        Weight of the quadratic term.
    bounds : ndarray of shape (2,)
        Slopes beyond which a variable at its bound is left out.
    state : uint64
        Of the random numbers.

    Returns
    -------
    n_rows : int
        How many are not left out.
    spread : float
        Largest less smallest slope.
    slack : float
        About the duality gap of these rows before the sweep.
    state : uint64
    """
    state = shuffle(rows, n_rows, state)
    largest, smallest, slack = -np.inf, np.inf, 0.0
    s = 0
    while s < n_rows:
        i = rows[s]
        start, stop = np.uint64(indptr[i]), np.uint64(indptr[i + 1])
        score = dot_sparse(data, indices, start, stop, w) + balance_[0] + rho * balance_[1]
        slope = y[i] * score - 1.0 + ridge[i] * a[i]
        step, projected, firm = minimise_one(
            slope, a[i], squares[i] + rho + ridge[i], upper[i], bounds
        )
        if firm:
            n_rows -= 1
            rows[s], rows[n_rows] = rows[n_rows], rows[s]
            continue
        largest, smallest = max(largest, projected), min(smallest, projected)
        slack += measure_slack(slope, a[i], upper[i], ridge[i])
        if step != 0.0:
            a[i] += step
            balance_[1] += step * y[i]
            add_sparse(data, indices, start, stop, step * y[i], w)
        s += 1
    return n_rows, finish_sweep(largest, smallest, bounds), slack, state


@njit
def sweep_dense(
    X, y, upper, ridge, squares, a, w, rows, n_rows, balance_, rho, bounds, state
):  # fmt: skip
    """As `sweep_sparse` with the rows of an array."""
    state = shuffle(rows, n_rows, state)
    largest, smallest, slack = -np.inf, np.inf, 0.0
    s = 0
    while s < n_rows:
        i = rows[s]
        score = dot_dense(X[i], w) + balance_[0] + rho * balance_[1]
        slope = y[i] * score - 1.0 + ridge[i] * a[i]
        step, projected, firm = minimise_one(
            slope, a[i], squares[i] + rho + ridge[i], upper[i], bounds
        )
        if firm:
            n_rows -= 1
            rows[s], rows[n_rows] = rows[n_rows], rows[s]
            continue
        largest, smallest = max(largest, projected), min(smallest, projected)
        slack += measure_slack(slope, a[i], upper[i], ridge[i])
        if step != 0.0:
            a[i] += step
            balance_[1] += step * y[i]
            add_dense(X[i], step * y[i], w)
        s += 1
    return n_rows, finish_sweep(largest, smallest, bounds), slack, state


class DualDescent:
    """Dual coordinate descent on one binary problem.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), C-ordered, or CSR
    y, C : ndarray of shape (n_samples,)
        -1 and 1, and positive weights.
    is_squared, fit_intercept : bool
    """

    def __init__(self, X, y, C, is_squared, fit_intercept):
        self.X, self.y, self.C = X, y, C
        self.is_squared, self.fit_intercept = is_squared, fit_intercept
        n, d = X.shape
        self.is_sparse = sparse.issparse(X)
        self.upper = np.full(n, np.inf) if is_squared else C
        self.ridge = 0.5 / C if is_squared else np.zeros(n)
        if self.is_sparse:
            self.squares = np.asarray(X.multiply(X).sum(axis=1), dtype=np.float64).ravel()
        else:
            self.squares = np.einsum("ij,ij->i", X, X, dtype=np.float64)
        # A constant feature as long as a sample makes all samples alike, and sweeps slow; a
        # very short one slows the multiplier down.
        self.rho = _CONSTANT * float(self.squares.mean()) if fit_intercept else 0.0
        # Rows of zeros, without a constant: any positive curvature leads to a bound.
        self.squares = np.maximum(self.squares, 1e-300)
        self.scale = compute_null_objective(y, C, is_squared, fit_intercept)
        self.a, self.w = np.zeros(n), np.zeros(d)
        self.balance = np.zeros(2)
        self.state = np.uint64(0x5DEECE66D)
        self.best = LinearMachine(self.w.copy(), 0.0, np.inf, 0, False)

    def solve(self, tol, max_iter):
        """Sweep until the relative duality gap is at most `tol`.

        Returns
        -------
        machine : LinearMachine
            Of the smallest gap seen.
        """
        n = len(self.y)
        rows, n_rows = np.arange(n), n
        bounds = np.array([np.inf, -np.inf])
        aim, n_iter, next_check = 0.1, 0, 8
        target = tol * self.scale
        promising = 2.0 * target
        while n_iter < max_iter:
            n_rows, spread, slack, state = self._sweep(rows, n_rows, bounds)
            self.state = np.uint64(state)
            n_iter += 1
            if self.fit_intercept:
                self.balance[0] += self.rho * self.balance[1]
            is_flat = n_rows == 0 or spread <= aim
            # A look at the gap costs a few sweeps over the rows that are left.
            if not (is_flat or slack <= promising or n_iter >= min(next_check, max_iter)):
                continue
            if self._check(tol):
                break
            next_check = 2 * n_iter
            if is_flat or slack <= min(promising, target):
                # What was left out is looked at again, at a higher accuracy.
                n_rows = n
                bounds[:] = np.inf, -np.inf
            if is_flat:
                aim = max(0.2 * aim, 1e-15)
            if slack <= promising:
                promising = 0.5 * slack
        self.best.n_iter = n_iter
        return self.best

    def _sweep(self, rows, n_rows, bounds):
        shared = (self.y, self.upper, self.ridge, self.squares, self.a, self.w, rows, n_rows)
        rest = (self.balance, self.rho, bounds, self.state)
        if self.is_sparse:
            X = self.X
            return sweep_sparse(X.data, X.indices, X.indptr, *shared, *rest)
        return sweep_dense(self.X, *shared, *rest)

    def _check(self, tol):
        """Whether the best gap so far is small enough."""
        dual = balance(self.a, self.y) if self.fit_intercept else self.a
        # The sum anew: rounding errors of the sweeps end here.
        v = np.asarray(self.X.T @ (dual * self.y), dtype=np.float64)
        scores = np.asarray(self.X @ v, dtype=np.float64)
        half = 0.5 * float(v @ v)
        value = compute_dual_value(dual, self.C, self.is_squared, half)

        def note(b):
            primal = half + compute_loss(self.y * (scores + b), self.C, self.is_squared)
            gap = max(primal - value, 0.0) / self.scale
            if gap < self.best.gap:
                self.best = LinearMachine(v, b, gap, 0, bool(gap <= tol))
            return gap

        gap = note(float(self.balance[0]) if self.fit_intercept else 0.0)
        # The best intercept takes sorting, and gains little.
        if self.fit_intercept and tol < gap <= _WORTH_SORTING * tol:
            note(find_intercept(scores, self.y, self.C, self.is_squared, self.balance[0]))
        return self.best.converged
