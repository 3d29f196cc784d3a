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

from skextra._core.jit import njit


def compute_inclusion(weights, k, max_halvings=8):
    """Inclusion probabilities and how far their sum is from k.

    Parameters
    ----------
    weights : ndarray of shape (n,) and float64
        Positive; only their ratios matter.
    k : int
        Between 1 and n.

    Returns
    -------
    probabilities : ndarray of shape (n,)
    error : float
        The larger of the last change and of ``|sum - k|``, both relative to k.
    """
    n = len(weights)
    if k == n:
        return np.ones(n), 0.0
    weights = weights / weights.max()
    count_missing = k > n // 2  # the shorter of two sums: who is left out is n - k
    few = n - k if count_missing else k
    # Before the first node nothing has arrived; after the last one enough have.
    slowest = weights.min() if count_missing else np.sort(weights)[n - k - 1]
    first = np.log(1e-18 / weights.sum())
    last = np.log(50.0 + np.log(n)) - np.log(slowest)
    step = 0.5 / np.sqrt(few)
    estimate, error = None, np.inf
    for _ in range(max_halvings):
        previous, last_error = estimate, error
        nodes = np.exp(np.arange(first, last + step, step))
        estimate = step * sum_over_nodes(weights, nodes, few, count_missing)
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
def sum_over_nodes(weights, nodes, few, count_missing):
    """Sum over t of ``t w_i exp(-w_i t) P(N_i(t) < few)`` for each i.

    ``N_i`` counts the others that have arrived or, if `count_missing`, have not.
    """
    n = weights.shape[0]
    total = np.zeros(n)
    # before[i, a]: probability that a of the categories before i are counted.
    before, after, cumulated = np.empty((n, few)), np.empty(few), np.empty(few)
    for t in nodes:
        before[0, :] = 0.0
        before[0, 0] = 1.0
        for i in range(n - 1):
            counted, other = -np.expm1(-weights[i] * t), np.exp(-weights[i] * t)
            if count_missing:
                counted, other = other, counted
            before[i + 1, 0] = before[i, 0] * other
            for a in range(1, few):
                before[i + 1, a] = before[i, a] * other + before[i, a - 1] * counted
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
            counted, other = -np.expm1(-weights[i] * t), np.exp(-weights[i] * t)
            total[i] += t * weights[i] * other * fewer
            if count_missing:
                counted, other = other, counted
            for a in range(few - 1, 0, -1):
                after[a] = after[a] * other + after[a - 1] * counted
            after[0] *= other
    return total
