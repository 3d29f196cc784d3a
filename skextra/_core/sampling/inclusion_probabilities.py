"""Probability of each category to be among the first k drawn without replacement.

With exponential arrival times ``T_j`` of rate ``w_j``, category i is among the
first k exactly if fewer than k others come before it:

    pi_i = integral of w_i exp(-w_i t) P(N_i(t) < k) dt,

where ``N_i(t)`` counts the others that have arrived, a sum of independent
Bernoulli variables. In ``log t`` the integrand is smooth and dies away on both
sides, so that the trapezoidal rule converges faster than any power of its step.
The probabilities sum to k, which certifies the result.
"""

import numpy as np

from skextra._core.runtime.jit import njit

_GAP = 60.0  # exp(-60) is far below the rounding of any sum


def compute_inclusion(log_weights, k, max_halvings=8):
    """Inclusion probabilities and how far their sum is from k.

    Parameters
    ----------
    log_weights : ndarray of shape (n,) and float64
        Finite; only their differences matter.
    k : int
        Between 1 and n.

    Returns
    -------
    probabilities : ndarray of shape (n,)
    error : float
        The larger of the last change and of ``|sum - k|``, both relative to k.
    """
    order = np.argsort(log_weights)[::-1]
    ordered = log_weights[order]
    # What lies beyond a wide gap is drawn after everything before it.
    with np.errstate(over="ignore"):
        cuts = np.flatnonzero(ordered[:-1] - ordered[1:] > _GAP) + 1
    cuts = np.r_[0, cuts, len(order)]
    start, stop = cuts[cuts < k].max(), cuts[cuts >= k].min()
    probabilities = np.zeros(len(order))
    probabilities[order[:start]] = 1.0
    group = ordered[start:stop]
    found, error = _integrate(group - group[0], int(k - start), max_halvings)
    probabilities[order[start:stop]] = found
    return probabilities, error


def _integrate(log_weights, k, max_halvings):
    """`compute_inclusion` of falling log-weights that start with zero."""
    n = len(log_weights)
    if k == n:
        return np.ones(n), 0.0
    count_missing = k > n // 2  # the shorter of two sums: who is left out is n - k
    few = n - k if count_missing else k
    # Before the first node nothing has arrived; after the last one enough have.
    slowest = log_weights[-1] if count_missing else log_weights[k]
    first = np.log(1e-18 / np.exp(log_weights).sum())
    last = np.log(50.0 + np.log(n)) - slowest
    step = 0.5 / np.sqrt(few)
    estimate, error = None, np.inf
    for _ in range(max_halvings):
        previous, last_error = estimate, error
        nodes = np.arange(first, last + step, step)
        estimate = step * sum_over_nodes(log_weights, nodes, few, count_missing)
        error = abs(estimate.sum() - few) / few
        if previous is not None:
            error = max(error, np.abs(estimate - previous).max())
            # Once it has converged, only rounding is left to change.
            if error < 1e-13 or (error < 1e-11 and error > 0.1 * last_error):
                break
        step /= 2
    estimate = np.minimum(estimate, 1.0)
    return 1.0 - estimate if count_missing else estimate, error


@njit(error_model="numpy")
def sum_over_nodes(log_weights, nodes, few, count_missing):
    """Sum over ``log t`` of ``t w_i exp(-w_i t) P(N_i(t) < few)`` for each i.

    ``N_i`` counts the others that have arrived or, if `count_missing`, have not.
    """
    n = log_weights.shape[0]
    total, counted, other, density = np.zeros(n), np.empty(n), np.empty(n), np.empty(n)
    # before[i, a]: probability that a of the categories before i are counted.
    before, after, cumulated = np.empty((n, few)), np.empty(few), np.empty(few)
    for node in nodes:
        for i in range(n):
            rate = np.exp(min(log_weights[i] + node, 7.0))  # exp(-exp(7)) is zero
            counted[i], other[i] = -np.expm1(-rate), np.exp(-rate)
            density[i] = rate * other[i]
            if count_missing:
                counted[i], other[i] = other[i], counted[i]
        before[0, :] = 0.0
        before[0, 0] = 1.0
        for i in range(n - 1):
            before[i + 1, 0] = before[i, 0] * other[i]
            for a in range(1, few):
                before[i + 1, a] = before[i, a] * other[i] + before[i, a - 1] * counted[i]
        after[:] = 0.0
        after[0] = 1.0
        for i in range(n - 1, -1, -1):
            running = 0.0
            for a in range(few):
                running += after[a]
                cumulated[few - 1 - a] = running
            fewer = 0.0
            for a in range(few):
                fewer += before[i, a] * cumulated[a]
            total[i] += density[i] * fewer
            for a in range(few - 1, 0, -1):
                after[a] = after[a] * other[i] + after[a - 1] * counted[i]
            after[0] *= other[i]
    return total
