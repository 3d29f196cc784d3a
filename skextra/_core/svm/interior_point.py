"""Linear support vector machines on little data: whole fits, each in one kernel.

The methods are those of `hinge_interior` and `squared_hinge_newton`. On little data these
cost more in calls than in arithmetic. A fit here ends with a certificate or not at all:
what asks for more care than a small Cholesky factor is left to them.
"""

import numpy as np
from scipy import sparse

from skextra._core.numerics.cholesky import add_outer_products, factor_in_place, solve_factored
from skextra._core.numerics.products import add_multiple
from skextra._core.runtime.jit import njit
from skextra._core.svm.hinge import compute_null_objective, find_squared_intercept
from skextra._core.svm.newton import search_line
from skextra._core.svm.result import LinearMachine

_FAST = {"contract", "reassoc", "nsz"}
_MOST_SAMPLES, _MOST_FEATURES = 5000, 100
_SMALLEST_PIVOT = 1e-13
_MOST_STEPS = 50
_BOUNDARY = 0.995  # share of the way to the boundary
# Trace of what may be left out of the Hessian, whose penalty is the identity.
_NEGLIGIBLE = 1e-3
# Complementarity from which on a certificate is worth its products, relative to the gap asked for.
_NEAR = 8.0


def is_small(n_samples, n_features):
    """Whether fits here are worth a try."""
    return n_samples <= _MOST_SAMPLES and n_features <= _MOST_FEATURES


def solve(X, y, C, is_squared, *, fit_intercept, tol, max_iter):
    """Fit to samples of two classes.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
    y, C : ndarray of shape (n_samples,)
        -1 and 1, and positive weights.
    is_squared, fit_intercept : bool
    tol : float
        Duality gap relative to the objective of the best constant.
    max_iter : int

    Returns
    -------
    machine : LinearMachine or None
        None if the tolerance was not reached.
    """
    n, d = X.shape
    scale = compute_null_objective(y, C, is_squared, fit_intercept)
    columns = np.empty((n, d + fit_intercept))
    columns[:, :d] = X.toarray() if sparse.issparse(X) else X
    columns[:, d:] = 1.0
    u = np.zeros(d + fit_intercept)
    minimise = minimise_squared if is_squared else minimise_hinge
    limit = min(max_iter, _MOST_STEPS)
    gap, n_iter = minimise(columns, y, C, d, tol * scale, limit, u)
    if not gap <= tol * scale:
        return None
    return LinearMachine(u[:d], float(u[d]) if fit_intercept else 0.0, gap / scale, n_iter, True)


@njit(fastmath=_FAST)
def predict(columns, u, out):
    """``columns @ u``."""
    for i in range(columns.shape[0]):
        total = 0.0
        for j in range(u.shape[0]):
            total += columns[i, j] * u[j]
        out[i] = total


@njit(fastmath=_FAST)
def correlate(columns, factors, out):
    """``factors @ columns``."""
    out[:] = 0.0
    for i in range(columns.shape[0]):
        factor = factors[i]
        if factor != 0.0:
            for j in range(out.shape[0]):
                out[j] += factor * columns[i, j]


@njit(fastmath=_FAST)
def minimise_squared(columns, y, C, d, aim, max_iter, u):
    """Newton's method on the squared hinge; coefficients and the intercept go to `u`.

    Parameters
    ----------
    columns : ndarray of shape (n_samples, n_features + 1 or n_features)
        The last one constant if there is an intercept.
    y, C : ndarray of shape (n_samples,)
    d : int
        Number of features.
    aim : float
        Gap to reach.
    max_iter : int
    u : ndarray of shape (n_columns,)
        Zeros.

    Returns
    -------
    gap : float
        Infinite if a step failed.
    n_iter : int
    """
    n, m = columns.shape
    scores, margins, change, dual = np.zeros(n), np.empty(n), np.empty(n), np.empty(n)
    hessian, system, step, turned = np.zeros((m, m)), np.empty((m, m)), np.empty(m), np.empty(n)
    is_inside, rows, factors = np.zeros(n, dtype=np.bool_), np.empty(n, dtype=np.int64), np.empty(n)
    n_iter = 0
    while True:
        if m > d:
            b = find_squared_intercept(scores - u[d], y, C, u[d])
            scores += b - u[d]
            u[d] = b
        n_changed = find_inside(y, C, scores, margins, dual, is_inside, rows, factors)
        correlate(columns, dual, step)
        gap = 0.0
        for j in range(d):
            step[j] -= u[j]
            gap += 0.5 * step[j] * step[j]
        if m > d:
            # The dual point must be balanced; the best intercept makes it so.
            gap += abs(step[d]) * (1.0 + abs(u[d]))
        if gap <= aim or n_iter == max_iter:
            return gap, n_iter
        add_outer_products(columns, rows, factors, n_changed, hessian)
        for i in range(m):
            for j in range(m):
                system[i, j] = hessian[i, j]
            system[i, i] += 1.0 if i < d else 0.0
        if not factor_in_place(system, m, _SMALLEST_PIVOT):
            return np.inf, n_iter
        solve_factored(system, m, step)
        predict(columns, step, change)
        for i in range(n):
            turned[i] = y[i] * change[i]
        length = search_line(u[:d], step[:d], margins, turned, C)
        if not length > 0.0:
            return np.inf, n_iter
        add_multiple(step, length, u)
        add_multiple(change, length, scores)
        n_iter += 1


@njit
def find_inside(y, C, scores, margins, dual, is_inside, rows, factors):
    """Margins, dual point, and which samples came within the margin or left it.

    Returns
    -------
    n_changed : int
        As many of `rows` and `factors` are what the Hessian has to gain.
    """
    n_changed = 0
    for i in range(y.shape[0]):
        margins[i] = y[i] * scores[i]
        missed = max(1.0 - margins[i], 0.0)
        dual[i] = 2.0 * C[i] * missed * y[i]
        if (missed > 0.0) != is_inside[i]:
            is_inside[i] = missed > 0.0
            rows[n_changed], factors[n_changed] = i, (2.0 if missed > 0.0 else -2.0) * C[i]
            n_changed += 1
    return n_changed


@njit(fastmath=_FAST)
def minimise_hinge(columns, y, C, d, aim, max_iter, u):
    """Interior-point method on the hinge; arguments and results as of `minimise_squared`."""
    n, m = columns.shape
    a, s, t = balance_half(y, C, m > d), np.ones(n), np.ones(n)
    da, ds, dt = np.empty(n), np.empty(n), np.empty(n)
    scores, weights, squares = np.zeros(n), np.empty(n), np.empty(n)
    zero, second_s, second_t = np.zeros(n), np.empty(n), np.empty(n)
    rows, factors = np.empty(n, dtype=np.int64), np.empty(n)
    system, step, v = np.empty((m, m)), np.empty(m), np.empty(m)
    for i in range(n):
        squares[i] = 0.0
        for j in range(d):
            squares[i] += columns[i, j] * columns[i, j]
    for n_iter in range(max_iter + 1):
        complementarity = measure_complementarity(C, a, s, t, zero, zero, zero, 0.0, 0.0)
        if complementarity <= _NEAR * aim:
            gap = certify(columns, y, C, d, a, u, scores, v, weights)
            if gap <= aim:
                return gap, n_iter
        if n_iter == max_iter:
            break
        for i in range(n):
            weights[i] = 1.0 / (s[i] / a[i] + t[i] / (C[i] - a[i]))
        form_system(columns, weights, squares, d, rows, factors, system)
        if not factor_in_place(system, m, _SMALLEST_PIVOT):
            break
        state = (columns, y, C, d, a, s, t, scores, weights, system, u)
        find_direction(state, 0.0, zero, zero, da, ds, dt, step)
        length, slack_length = find_lengths(C, a, s, t, da, ds, dt)
        ahead = measure_complementarity(
            C, a, s, t, da, ds, dt, min(length, 1.0), min(slack_length, 1.0)
        )
        for i in range(n):
            second_s[i], second_t[i] = da[i] * ds[i], -da[i] * dt[i]
        share = min(max(ahead / complementarity, 0.0), 1.0) ** 3
        target = share * complementarity / (2 * n)
        find_direction(state, target, second_s, second_t, da, ds, dt, step)
        length, slack_length = find_lengths(C, a, s, t, da, ds, dt)
        # One length for both: the coefficients belong to either side.
        length = min(_BOUNDARY * min(length, slack_length), 1.0)
        if not length > 1e-10:
            break
        add_multiple(da, length, a)
        add_multiple(ds, length, s)
        add_multiple(dt, length, t)
        add_multiple(step, length, u)
        predict(columns, u, scores)
    return np.inf, n_iter


@njit(fastmath=_FAST)
def measure_complementarity(C, a, s, t, da, ds, dt, length, slack_length):
    """``a @ s + (C - a) @ t``, some way ahead."""
    total = 0.0
    for i in range(C.shape[0]):
        ahead = a[i] + length * da[i]
        total += ahead * (s[i] + slack_length * ds[i])
        total += (C[i] - ahead) * (t[i] + slack_length * dt[i])
    return total


@njit
def balance_half(y, C, fit_intercept):
    """Half of the largest dual point proportional to C in each class, of equal sums."""
    up, down = 0.0, 0.0
    for i in range(y.shape[0]):
        if y[i] > 0.0:
            up += C[i]
        else:
            down += C[i]
    a = 0.5 * C
    if fit_intercept:
        for i in range(y.shape[0]):
            a[i] *= min(1.0, down / up) if y[i] > 0.0 else min(1.0, up / down)
    return a


@njit(fastmath=_FAST)
def certify(columns, y, C, d, a, u, scores, v, dual):
    """Gap at the nearest balanced dual point, with the better of two sets of coefficients.

    These are `u` and those of the dual point, which replace `u` if they are better.
    """
    n, m = columns.shape
    up, down, total = 0.0, 0.0, 0.0
    for i in range(n):
        if y[i] > 0.0:
            up += a[i]
        else:
            down += a[i]
    for i in range(n):
        dual[i] = a[i] * y[i]
        if m > d:
            dual[i] *= min(1.0, down / up) if y[i] > 0.0 else min(1.0, up / down)
        total += abs(dual[i])
    correlate(columns, dual, v)
    value = total
    for j in range(d):
        value -= 0.5 * v[j] * v[j]
    if m > d:
        v[d] = u[d]
    primal = evaluate(y, C, u[:d], scores)
    predict(columns, v, dual)
    other = evaluate(y, C, v[:d], dual)
    if other < primal:
        for j in range(m):
            u[j] = v[j]
        for i in range(n):
            scores[i] = dual[i]
    return max(min(primal, other) - value, 0.0)


@njit(fastmath=_FAST)
def evaluate(y, C, w, scores):
    """Objective of the hinge."""
    value = 0.0
    for j in range(w.shape[0]):
        value += 0.5 * w[j] * w[j]
    for i in range(y.shape[0]):
        value += C[i] * max(1.0 - y[i] * scores[i], 0.0)
    return value


@njit(fastmath=_FAST)
def form_system(columns, weights, squares, d, rows, factors, system):
    """Newton's matrix, without samples that would not be seen in it."""
    n, m = columns.shape
    system[:] = 0.0
    limit, n_rows = _NEGLIGIBLE / n, 0
    for i in range(n):
        if weights[i] * squares[i] > limit:
            rows[n_rows], factors[n_rows] = i, weights[i]
            n_rows += 1
        elif m > d:
            # No penalty holds the intercept.
            for j in range(m):
                system[d, j] += weights[i] * columns[i, j]
    add_outer_products(columns, rows, factors, n_rows, system)
    for j in range(d):
        system[j, j] += 1.0


@njit(fastmath=_FAST)
def find_direction(state, mu, second_s, second_t, da, ds, dt, step):
    """Direction towards ``a s + second_s = mu`` and ``(C - a) t + second_t = mu``."""
    columns, y, C, d, a, s, t, scores, weights, system, u = state
    for i in range(y.shape[0]):
        ds[i] = (mu - second_s[i]) / a[i] - s[i]
        dt[i] = (mu - second_t[i]) / (C[i] - a[i]) - t[i]
        # Change of the margins that is asked for, before that by the coefficients.
        dt_less = ds[i] - dt[i] + (s[i] - t[i]) - (y[i] * scores[i] - 1.0)
        da[i] = (a[i] + weights[i] * dt_less) * y[i]
    correlate(columns, da, step)
    for j in range(d):
        step[j] -= u[j]
    solve_factored(system, step.shape[0], step)
    for i in range(y.shape[0]):
        change = 0.0
        for j in range(step.shape[0]):
            change += columns[i, j] * step[j]
        da[i] = da[i] * y[i] - a[i] - weights[i] * y[i] * change
        ds[i] -= s[i] / a[i] * da[i]
        dt[i] += t[i] / (C[i] - a[i]) * da[i]


@njit
def find_lengths(C, a, s, t, da, ds, dt):
    """Longest steps at which ``0 <= a <= C``, and slacks are not negative."""
    length, slack_length = np.inf, np.inf
    for i in range(C.shape[0]):
        if da[i] < 0.0:
            length = min(length, -a[i] / da[i])
        elif da[i] > 0.0:
            length = min(length, (C[i] - a[i]) / da[i])
        if ds[i] < 0.0:
            slack_length = min(slack_length, -s[i] / ds[i])
        if dt[i] < 0.0:
            slack_length = min(slack_length, -t[i] / dt[i])
    return length, slack_length
