"""Dual coordinate descent for linear support vector machines of many features.

One dual variable at a time is minimized exactly, in random order. Variables at a bound,
with no tendency to leave it, are left out of the sweeps until the others are done. The
intercept is not penalized, so the dual has the constraint ``sum_i a_i y_i = 0``: an
augmented Lagrangian, whose multiplier is the intercept, takes care of it. Its quadratic
term acts as one more feature of a constant value, and the multiplier moves after each sweep.

References
----------
Hsieh, Chang, Lin, Keerthi & Sundararajan, "A dual coordinate descent method for
large-scale linear SVM", ICML (2008).

Bertsekas, "Constrained optimization and Lagrange multiplier methods" (1982), ch. 2.
"""

import numpy as np

from skextra._core.runtime.jit import njit
from skextra._core.svm.hinge import balance, find_intercept, sum_slacks

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
def minimize_one(slope, a, curvature, upper, bounds):
    """Step of one variable, and whether it may be left out.

    Returns
    -------
    step : float
    projected : float
        Slope, 0 where a bound holds it.
    can_shrink : bool
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
    # Next time only what is beyond this sweep's worst slopes may be left out.
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
        step, projected, can_shrink = minimize_one(
            slope, a[i], squares[i] + rho + ridge[i], upper[i], bounds
        )
        if can_shrink:
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
        step, projected, can_shrink = minimize_one(
            slope, a[i], squares[i] + rho + ridge[i], upper[i], bounds
        )
        if can_shrink:
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
    """Dual coordinate descent on one problem, from one call of `solve` to the next.

    Parameters
    ----------
    problem : LinearProblem

    Attributes
    ----------
    w, b : ndarray of shape (n_features,), float
        Coefficients and intercept of the smallest gap seen.
    dual, scores : ndarray of shape (n_samples,)
        Their balanced dual point, and ``X @ w``.
    gap : float
        Absolute.
    """

    def __init__(self, problem):
        self.problem = problem
        self.y, self.C = problem.y, problem.C
        n, d = problem.shape
        self.is_sparse = problem.is_sparse
        self.upper = np.full(n, np.inf) if problem.is_squared else self.C
        self.ridge = 0.5 / self.C if problem.is_squared else np.zeros(n)
        X = problem.X
        if self.is_sparse:
            self.squares = np.asarray(X.multiply(X).sum(axis=1)).ravel()
        else:
            self.squares = np.einsum("ij,ij->i", X, X)
        # A constant feature as long as a sample makes all samples alike, and sweeps slow; a
        # very short one slows the multiplier down.
        self.rho = _CONSTANT * float(self.squares.mean()) if problem.fit_intercept else 0.0
        # Rows of zeros, without a constant: any positive curvature leads to a bound.
        self.squares = np.maximum(self.squares, 1e-300)
        self._a, self._w = np.zeros(n), np.zeros(d)
        self._balance = np.zeros(2)
        self._state = np.uint64(0x5DEECE66D)
        self.w, self.b, self.gap = np.zeros(d), 0.0, np.inf
        self.dual, self.scores = np.zeros(n), np.zeros(n)

    def solve(self, tol, max_iter):
        """Sweep until the relative duality gap is at most `tol`; returns the sweeps taken."""
        n = len(self.y)
        rows, n_rows = np.arange(n), n
        bounds = np.array([np.inf, -np.inf])
        aim, n_iter, next_check = 0.1, 0, 8
        target = tol * self.problem.scale
        promising = 2.0 * target
        while n_iter < max_iter:
            n_rows, spread, slack, state = self._sweep(rows, n_rows, bounds)
            self._state = np.uint64(state)
            n_iter += 1
            self._balance[0] += self.rho * self._balance[1]
            is_flat = n_rows == 0 or spread <= aim
            # A look at the gap costs a few sweeps over the rows that are left.
            if not (is_flat or slack <= promising or n_iter >= min(next_check, max_iter)):
                continue
            if self._check(target):
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
        return n_iter

    def _sweep(self, rows, n_rows, bounds):
        shared = (self.y, self.upper, self.ridge, self.squares, self._a, self._w, rows, n_rows)
        rest = (self._balance, self.rho, bounds, self._state)
        if self.is_sparse:
            X = self.problem.X
            return sweep_sparse(X.data, X.indices, X.indptr, *shared, *rest)
        return sweep_dense(self.problem.columns, *shared, *rest)

    def _check(self, target):
        """Whether the best gap so far is small enough."""
        problem, y, C = self.problem, self.y, self.C
        dual = (
            balance(self._a, y, C, problem.is_squared) if problem.fit_intercept else self._a.copy()
        )
        # The sum anew: rounding errors of the sweeps end here.
        w = np.asarray(problem.X.T @ (dual * y), dtype=np.float64)
        scores = np.asarray(problem.X @ w, dtype=np.float64)

        def note(b):
            gap = sum_slacks(y * (scores + b), dual, C, problem.is_squared)
            if gap < self.gap:
                self.w, self.b, self.dual, self.scores, self.gap = w, b, dual, scores, gap
            return gap

        gap = note(float(self._balance[0]))
        # The best intercept takes sorting, and gains little.
        if problem.fit_intercept and target < gap <= _WORTH_SORTING * target:
            note(find_intercept(scores, y, C, problem.is_squared, self._balance[0]))
        return self.gap <= target
