"""Linear support vector machines by second-order methods, each fit in one kernel.

The squared hinge is minimized by Newton's method with an exact line search: the objective is
quadratic as long as the same samples lie within the margin. The hinge is minimized by a
primal-dual interior-point method, whose number of steps hardly depends on C. With margins
``m_i = y_i (x_i w + b) - 1 = s_i - t_i``, slacks ``s, t`` that are positive, and dual
variables ``0 < a < C``, it follows
``a_i s_i = (C_i - a_i) t_i = mu C_i`` to mu = 0.

Each step solves a system in the coefficients and the intercept by Cholesky's method, which
does not depend on the units of features: pivots are compared with their own diagonal entries.

References
----------
Mangasarian, "A finite Newton method for classification", Optim. Methods Softw. 17 (2002).

Ferris & Munson, "Interior-point methods for massive support vector machines",
SIAM J. Optim. 13 (2002).

Mehrotra, "On the implementation of a primal-dual interior point method",
SIAM J. Optim. 2 (1992).
"""

import numpy as np

from skextra._core.numerics.cholesky import add_outer_products, factor_in_place, solve_factored
from skextra._core.numerics.products import add_multiple
from skextra._core.runtime.jit import njit
from skextra._core.svm.hinge import find_squared_intercept
from skextra._core.svm.newton import search_line

_FAST = {"contract", "reassoc", "nsz"}
# Pivots below this part of their diagonal entries are rounding: 1e3 times the precision.
_SMALLEST_PIVOT = 1e-13
# Steps without progress after which rounding allows none: of the objective's size, or of
# the complementarity's.
_PATIENCE, _PRECISION = 10, 1e-13
_BOUNDARY = 0.995  # share of the way to the boundary, as is usual (Mehrotra)
# Trace of what may be left out of the Hessian, whose penalty is the identity.
_NEGLIGIBLE = 1e-3
# Complementarity from which on a certificate is worth its products, relative to the gap asked for.
_NEAR = 8.0
# Unknowns from which on BLAS forms the system faster than loops do: 1.0x at 64, 3x at 500.
_BLAS_SIZE, _BLAS_ROWS = 64, 256


def solve(columns, y, C, d, is_squared, aim, max_iter):
    """Minimize over coefficients and an intercept.

    Parameters
    ----------
    columns : ndarray of shape (n_samples, d + 1 or d)
        C-ordered rows, the last entry 1 if there is an intercept.
    y, C : ndarray of shape (n_samples,)
    d : int
        Number of features.
    is_squared : bool
    aim : float
        Gap to reach, absolute.
    max_iter : int

    Returns
    -------
    u : ndarray of shape (d + 1 or d,)
        Coefficients and intercept.
    dual : ndarray of shape (n_samples,) or None
    n_iter : int
    """
    u = np.zeros(columns.shape[1])
    if is_squared:
        return u, None, minimize_squared(columns, y, C, d, aim, max_iter, u)
    dual = np.zeros(len(y))
    return u, dual, minimize_hinge(columns, y, C, d, aim, max_iter, u, dual)


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


@njit(fastmath=_FAST, error_model="numpy")
def minimize_squared(columns, y, C, d, aim, max_iter, u):
    """Newton's method on the squared hinge; coefficients and the intercept go to `u`.

    Parameters
    ----------
    columns : ndarray of shape (n_samples, n_features + 1 or n_features)
        The last one constant if there is an intercept.
    y, C : ndarray of shape (n_samples,)
    d : int
        Number of features.
    aim : float
        Gap to reach, absolute.
    max_iter : int
    u : ndarray of shape (n_columns,)
        Zeros.

    Returns
    -------
    n_iter : int
    """
    n, m = columns.shape
    scores, margins, change, dual = np.zeros(n), np.empty(n), np.empty(n), np.empty(n)
    hessian, system, diagonal = np.zeros((m, m)), np.empty((m, m)), np.zeros(m)
    step, turned = np.empty(m), np.empty(n)
    is_inside, rows, factors = np.zeros(n, dtype=np.bool_), np.empty(n, dtype=np.int64), np.empty(n)
    n_iter, n_waited, least = 0, 0, np.inf
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
        value = evaluate_squared(u, d, margins, C)
        n_waited = 0 if value < (1.0 - _PRECISION) * least else n_waited + 1
        least = min(value, least)
        if gap <= aim or n_iter == max_iter or n_waited == _PATIENCE:
            return n_iter
        add_weighted_gram(columns, rows, factors, n_changed, hessian)
        for i in range(d):
            diagonal[i] = 1.0
        if not factor_damped(hessian, diagonal, system):
            return n_iter
        solve_factored(system, m, step)
        predict(columns, step, change)
        for i in range(n):
            turned[i] = y[i] * change[i]
        length = search_line(u[:d], step[:d], margins, turned, C)
        if not length > 0.0:
            return n_iter
        add_multiple(step, length, u)
        add_multiple(change, length, scores)
        n_iter += 1


@njit(fastmath=_FAST)
def evaluate_squared(u, d, margins, C):
    """Objective of the squared hinge."""
    value = 0.0
    for j in range(d):
        value += 0.5 * u[j] * u[j]
    for i in range(margins.shape[0]):
        missed = max(1.0 - margins[i], 0.0)
        value += C[i] * missed * missed
    return value


@njit
def factor_damped(matrix, diagonal, factor):
    """Cholesky factor of a matrix (its lower triangle) and a diagonal, damped if singular.

    Where rounding leaves no positive pivot, some directions hardly change the objective.
    Diagonal entries that grow by a part of their own, in any units, take short steps there.

    Returns
    -------
    is_definite : bool
    """
    m = matrix.shape[0]
    damping = 0.0
    for _ in range(6):
        for i in range(m):
            for j in range(i):
                factor[i, j] = matrix[i, j]
            factor[i, i] = (matrix[i, i] + diagonal[i]) * (1.0 + damping)
        if factor_in_place(factor, m, _SMALLEST_PIVOT):
            return True
        damping = max(100.0 * damping, 10.0 * _SMALLEST_PIVOT)
    return False


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


@njit(fastmath=_FAST, error_model="numpy")
def minimize_hinge(columns, y, C, d, aim, max_iter, u, a):
    """Interior-point method on the hinge; the dual point goes to `a`, else as the square's."""
    n, m = columns.shape
    a[:] = balance_half(y, C, m > d)
    s, t = np.ones(n), np.ones(n)
    total = np.sum(C)
    da, ds, dt = np.empty(n), np.empty(n), np.empty(n)
    scores, weights, squares = np.zeros(n), np.empty(n), np.empty(n)
    zero, second_s, second_t = np.zeros(n), np.empty(n), np.empty(n)
    rows, factors = np.empty(n, dtype=np.int64), np.empty(n)
    hessian, system, zero_diagonal = np.empty((m, m)), np.empty((m, m)), np.zeros(m)
    step, v = np.empty(m), np.empty(m)
    for i in range(n):
        squares[i] = 0.0
        for j in range(d):
            squares[i] += columns[i, j] * columns[i, j]
    n_waited, least = 0, np.inf
    for n_iter in range(max_iter + 1):
        complementarity = measure_complementarity(C, a, s, t, zero, zero, zero, 0.0, 0.0)
        is_near = complementarity <= _NEAR * aim
        if is_near and certify(columns, y, C, d, a, u, scores, v, weights) <= aim:
            break
        n_waited = 0 if complementarity < least else n_waited + 1
        least = min(complementarity, least)
        if n_iter == max_iter or n_waited == _PATIENCE:
            break
        for i in range(n):
            weights[i] = 1.0 / (s[i] / a[i] + t[i] / (C[i] - a[i]))
        form_system(columns, weights, squares, d, rows, factors, hessian)
        if not factor_damped(hessian, zero_diagonal, system):
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
        target = share * complementarity / (2 * total)
        find_direction(state, target, second_s, second_t, da, ds, dt, step)
        length, slack_length = find_lengths(C, a, s, t, da, ds, dt)
        # One length for both: the coefficients belong to either side.
        length = min(_BOUNDARY * min(length, slack_length), 1.0)
        if not (length > 1e-10 and np.isfinite(np.sum(step))):
            break
        add_multiple(da, length, a)
        add_multiple(ds, length, s)
        add_multiple(dt, length, t)
        add_multiple(step, length, u)
        predict(columns, u, scores)
    return n_iter


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
    add_weighted_gram(columns, rows, factors, n_rows, system)
    for j in range(d):
        system[j, j] += 1.0


@njit(fastmath=_FAST)
def add_weighted_gram(columns, rows, factors, n_rows, out):
    """Add ``sum_i factors_i x_i x_i'`` over some rows; lower triangle."""
    m = columns.shape[1]
    if m < _BLAS_SIZE:
        add_outer_products(columns, rows, factors, n_rows, out)
        return
    block, weighted = np.empty((_BLAS_ROWS, m)), np.empty((_BLAS_ROWS, m))
    product = np.empty((m, m))
    for start in range(0, n_rows, _BLAS_ROWS):
        size = min(_BLAS_ROWS, n_rows - start)
        for r in range(size):
            row, factor = columns[rows[start + r]], factors[start + r]
            for j in range(m):
                block[r, j] = row[j]
                weighted[r, j] = factor * row[j]
        np.dot(weighted[:size].T, block[:size], product)
        for i in range(m):
            for j in range(i + 1):
                out[i, j] += product[i, j]


@njit(fastmath=_FAST)
def find_direction(state, mu, second_s, second_t, da, ds, dt, step):
    """Direction towards ``a s + second_s = mu C`` and ``(C - a) t + second_t = mu C``.

    In proportion to C, the target suits samples of small and large weights alike.
    """
    columns, y, C, d, a, s, t, scores, weights, system, u = state
    for i in range(y.shape[0]):
        ds[i] = (mu * C[i] - second_s[i]) / a[i] - s[i]
        dt[i] = (mu * C[i] - second_t[i]) / (C[i] - a[i]) - t[i]
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
