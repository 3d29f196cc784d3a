"""Newton steps for small logistic regressions, in one kernel.

On small data sets the steps of the solvers cost more in calls than in arithmetic. These are
such steps without a certificate: they lead close to the optimum, from where one certified
step ends the fit.
"""

import numpy as np

from skextra._core.numerics.cholesky import factor_in_place, solve_factored
from skextra._core.quadratic.elastic_net_penalty import soft_threshold
from skextra._core.runtime.jit import njit

_FAST = {"contract", "reassoc", "nsz"}
# A pivot that is rounding, relative to the diagonal.
_SMALLEST_PIVOT = 1e-11
_MOST_STEPS = 30
# Sweeps at most, and the decrease of the last one beside the largest of all.
_MOST_SWEEPS = 500
_SWEPT = 1e-8


def join_columns(Z, nuisance):
    """Penalized columns and then nuisance directions, of shape (n_samples, n_columns)."""
    return np.ascontiguousarray(np.concatenate([Z, nuisance.T], axis=1))


def take_small_steps(columns, loss, l1, l2, U, reach, max_steps, report=None):
    """Take Newton steps until one moves no decision value by more than `reach`.

    Parameters
    ----------
    columns, l1, l2, U, reach, max_steps
        See :func:`descend`.
    loss : LogLoss
    report : callable or None
        Called after every step with the coefficients.

    Returns
    -------
    n_steps : int
    is_close : bool
        Whether the last step was as small as `reach` asks for.
    """
    if report is None:
        return descend(columns, loss.codes, loss.weights, l1, l2, U, reach, max_steps)
    n_steps, is_close, is_going = 0, False, True
    while is_going and not is_close and n_steps < min(max_steps, _MOST_STEPS):
        is_going, is_close = descend(columns, loss.codes, loss.weights, l1, l2, U, reach, 1)
        n_steps += is_going
        if is_going:
            report(U)
    return n_steps, is_close


@njit(fastmath=_FAST)
def descend(columns, codes, weights, l1, l2, U, reach, max_steps):
    """Take Newton steps until one moves no decision value by more than `reach`.

    Ends early where a step would need more care: the Hessian is singular to rounding,
    sweeps do not find the minimum of the model, or the objective does not fall.

    Parameters
    ----------
    columns : ndarray of shape (n_samples, n_columns)
    codes : ndarray of int of shape (n_samples,)
    weights : ndarray of shape (n_samples,)
    l1, l2 : ndarray of shape (n_columns,)
        Penalties: zero for nuisance directions, which come last.
    U : ndarray of shape (n_rows, n_columns)
        Coefficients; updated.
    reach : float
    max_steps : int

    Returns
    -------
    n_steps : int
    is_close : bool
        Whether the last step was as small as `reach` asks for.
    """
    n, m = columns.shape
    k = U.shape[0]
    size, is_sparse = _count_unknowns(k, l1, l2)
    F, P = np.empty((k, n)), np.empty((k, n))
    new_F, new_P, DF = np.empty((k, n)), np.empty((k, n)), np.empty((k, n))
    new_U, D = np.empty((k, m)), np.zeros((k, m))
    hessian, step = np.empty((k * m, k * m)), D.reshape(k * m)
    is_solved = True
    for n_steps in range(min(max_steps, _MOST_STEPS)):
        if not is_solved:
            return n_steps, False
        # Anew from the coefficients: many calls of one step are one call of many.
        _predict(columns, U, F)
        value = _evaluate(F, codes, weights, P) + _penalize(U, l1, l2)
        _form_equations(columns, codes, weights, P, U, l2, hessian, step)
        slope = 0.0
        if is_sparse:
            slope, is_solved = _sweep_equations(hessian, step, U, l1, size)
        elif not _solve_equations(hessian, step, size):
            return n_steps, False
        _predict(columns, D, DF)
        slope += _compute_slope(codes, weights, P, DF, U, D, l2)
        length, lowered = 1.0, False
        for _ in range(20):
            _add_multiple(F, length, DF, new_F)
            _add_multiple(U, length, D, new_U)
            new_value = _evaluate(new_F, codes, weights, new_P) + _penalize(new_U, l1, l2)
            if new_value - value <= 1e-4 * length * slope + 1e-14 * abs(value):
                lowered = True
                break
            length *= 0.5
        if not lowered:
            return n_steps, False
        _add_multiple(new_U, 0.0, D, U)
        if is_solved and length == 1.0 and _find_largest(DF) <= reach:
            return n_steps + 1, True
    return min(max_steps, _MOST_STEPS), False


@njit(fastmath=_FAST)
def _count_unknowns(k, l1, l2):
    n_free, is_sparse = 0, False
    for j in range(len(l1)):
        is_sparse = is_sparse or l1[j] > 0.0
        n_free += not (l1[j] > 0.0 or l2[j] > 0.0)
    # All classes may share any nuisance coefficient: those of the last one stay.
    return k * len(l1) - (n_free if k > 1 else 0), is_sparse


@njit(fastmath=_FAST)
def _add_multiple(A, factor, B, out):
    # Expressions of arrays would take longer to compile than all the rest.
    for i in range(A.shape[0]):
        for j in range(A.shape[1]):
            out[i, j] = A[i, j] + factor * B[i, j]


@njit(fastmath=_FAST)
def _find_largest(A):
    largest = 0.0
    for i in range(A.shape[0]):
        for j in range(A.shape[1]):
            largest = max(largest, abs(A[i, j]))
    return largest


@njit(fastmath=_FAST)
def _penalize(U, l1, l2):
    penalty = 0.0
    for c in range(U.shape[0]):
        for j in range(U.shape[1]):
            penalty += l1[j] * abs(U[c, j]) + 0.5 * l2[j] * U[c, j] * U[c, j]
    return penalty


@njit(fastmath=_FAST)
def _compute_slope(codes, weights, P, DF, U, D, l2):
    """Derivative of the smooth part of the objective along a step."""
    slope = 0.0
    k, n = P.shape
    for c in range(k):
        for i in range(n):
            target = 1.0 if codes[i] == (1 if k == 1 else c) else 0.0
            slope -= weights[i] * (target - P[c, i]) * DF[c, i]
        for j in range(U.shape[1]):
            slope += l2[j] * U[c, j] * D[c, j]
    return slope


@njit(fastmath=_FAST)
def _predict(columns, U, F):
    n, m = columns.shape
    for c in range(U.shape[0]):
        for i in range(n):
            f = 0.0
            for j in range(m):
                f += columns[i, j] * U[c, j]
            F[c, i] = f


@njit(fastmath=_FAST)
def _evaluate(F, codes, weights, P):
    """Loss at decision values `F`; probabilities go to `P`."""
    k, n = F.shape
    value = 0.0
    for i in range(n):
        if k == 1:
            f = F[0, i]
            e = np.exp(-abs(f))
            P[0, i] = (1.0 if f >= 0.0 else e) / (1.0 + e)
            behind = -f if codes[i] == 1 else f
            value += weights[i] * (np.log1p(e) + max(behind, 0.0))
            continue
        top = F[0, i]
        for c in range(1, k):
            top = max(top, F[c, i])
        total = 0.0
        for c in range(k):
            P[c, i] = np.exp(F[c, i] - top)
            total += P[c, i]
        for c in range(k):
            P[c, i] /= total
        value += weights[i] * (np.log(total) + top - F[codes[i], i])
    return value


@njit(fastmath=_FAST)
def _form_equations(columns, codes, weights, P, U, l2, hessian, gradient):
    """Lower triangle of the Hessian of the objective, and minus its gradient."""
    n, m = columns.shape
    k = U.shape[0]
    hessian[:] = 0.0
    gradient[:] = 0.0
    # Four rows at a time: the Hessian is then read and written a quarter as often.
    h = np.empty(4)
    for start in range(0, n, 4):
        x, x1 = columns[start], columns[min(start + 1, n - 1)]
        x2, x3 = columns[min(start + 2, n - 1)], columns[min(start + 3, n - 1)]
        for a in range(k):
            for s in range(4):
                i = min(start + s, n - 1)
                target = 1.0 if codes[i] == (1 if k == 1 else a) else 0.0
                h[s] = weights[i] * (target - P[a, i]) if start + s < n else 0.0
            for j in range(m):
                gradient[a * m + j] += h[0] * x[j] + h[1] * x1[j] + h[2] * x2[j] + h[3] * x3[j]
            for b in range(a + 1):
                for s in range(4):
                    i = min(start + s, n - 1)
                    curvature = P[a, i] * ((1.0 - P[a, i]) if a == b else -P[b, i])
                    h[s] = weights[i] * curvature if start + s < n else 0.0
                for j in range(m):
                    h0, h1, h2, h3 = h[0] * x[j], h[1] * x1[j], h[2] * x2[j], h[3] * x3[j]
                    row = hessian[a * m + j, b * m : b * m + (j + 1 if a == b else m)]
                    for t in range(len(row)):
                        row[t] += h0 * x[t] + h1 * x1[t] + h2 * x2[t] + h3 * x3[t]
    for a in range(k):
        for j in range(m):
            hessian[a * m + j, a * m + j] += l2[j]
            gradient[a * m + j] -= l2[j] * U[a, j]


@njit(fastmath=_FAST)
def _solve_equations(hessian, rhs, size):
    """Solve for the first `size` unknowns by a Cholesky factor, in place.

    Returns
    -------
    is_solved : bool
    """
    if not factor_in_place(hessian, size, _SMALLEST_PIVOT):
        return False
    solve_factored(hessian, size, rhs)
    for j in range(size, len(rhs)):
        rhs[j] = 0.0
    return True


@njit(fastmath=_FAST)
def _sweep_equations(hessian, rhs, U, l1, size):
    """Coordinate descent on the model with its L1 penalty; the step replaces `rhs`.

    Returns
    -------
    slope : float
        Change of the L1 penalty over the whole step.
    is_solved : bool
    """
    m = U.shape[1]
    for j in range(size):
        for t in range(j):
            hessian[t, j] = hessian[j, t]
    step = np.zeros(len(rhs))
    first, is_solved = 0.0, False
    for _ in range(_MOST_SWEEPS):
        largest = 0.0
        for j in range(size):
            row = hessian[j]
            curvature = row[j]
            old = U[j // m, j % m] + step[j]
            if not curvature > 0.0 or (old == 0.0 and abs(rhs[j]) <= l1[j % m]):
                continue
            new = soft_threshold(rhs[j] + curvature * old, l1[j % m], False) / curvature
            delta = new - old
            if delta != 0.0:
                step[j] += delta
                for t in range(size):
                    rhs[t] -= delta * row[t]
                largest = max(largest, delta * delta * curvature)
        first = max(first, largest)
        if largest <= _SWEPT * first:
            is_solved = True
            break
    change = 0.0
    for j in range(len(rhs)):
        rhs[j] = step[j]
        old = U[j // m, j % m]
        new = old + step[j]
        # What the sweeps made zero is zero, whatever rounding leaves of it.
        if abs(new) <= 1e-15 * abs(old):
            rhs[j] = -old
            new = 0.0
        change += l1[j % m] * (abs(new) - abs(old))
    return change, is_solved
