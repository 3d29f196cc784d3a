"""Weight, sums and impurity of a node."""

import numpy as np

from skextra._core.jit import njit
from skextra._core.tree import absolute
from skextra._core.tree.problem import BINARY, CLASSES, SUMS
from skextra._core.tree.scores import (
    ABSOLUTE_ERROR,
    ENTROPY,
    EPSILON,
    GINI,
    POISSON,
    compute_binary_impurity,
    compute_impurity,
)
from skextra._core.tree.search_binary import BITS, MASK
from skextra._core.tree.search_general import add_row


@njit(fastmath={"reassoc", "nsz", "contract"})
def _sum_products(weights, targets):
    weight, total = 0.0, 0.0
    for i in range(len(weights)):
        weight += weights[i]
        total += weights[i] * targets[i]
    return weight, total


@njit(fastmath={"reassoc", "nsz", "contract"})
def _sum_squares(weights, targets, mean):
    total, lowest, highest = 0.0, np.inf, -np.inf
    for i in range(len(weights)):
        centred = targets[i] - mean
        total += weights[i] * centred * centred
        lowest, highest = min(lowest, targets[i]), max(highest, targets[i])
    return total if highest > lowest else 0.0


@njit(fastmath={"reassoc"})
def _sum_integers(payload):
    total = 0
    for i in range(len(payload)):
        total += payload[i]
    return total


@njit
def describe_node(problem, state, start, end, totals, scratch):
    """Statistics of rows[start:end].

    Parameters
    ----------
    problem : tuple
        As in `search_general`.
    state : tuple of ndarray
        Rows, their places, and payloads in the same order: integers, weights, targets.
    start, end : int
    totals : ndarray of float64 of shape (n_outputs * stride,)
        Set to class weights, to sums of targets, or, for the absolute error, to medians.
    scratch : tuple of ndarray
        As `search_general` takes it.

    Returns
    -------
    weight, impurity : float
    packed : int
        Sum of the payloads of `search_binary`.
    """
    kind, criterion = problem[0], problem[1]
    if kind == BINARY:
        packed = _sum_integers(state[2][start:end])
        weight, second = float((packed >> BITS) & MASK), float(packed & MASK)
        totals[0], totals[1] = weight - second, second
        return weight, compute_binary_impurity(criterion, second, weight), packed
    if kind == SUMS:
        weights, targets = state[3][start:end], state[4][start:end]
        weight, total = _sum_products(weights, targets)
        if criterion == GINI:
            totals[0], totals[1] = max(weight - total, 0.0), total
            return weight, compute_binary_impurity(criterion, total, weight), 0
        totals[0] = total
        return weight, _sum_squares(weights, targets, total / weight) / weight, 0
    totals[:] = 0.0
    weight = 0.0
    if kind == CLASSES:
        for p in range(start, end):
            totals[state[2][p]] += state[3][p]
            weight += state[3][p]
        return weight, compute_impurity(criterion, totals, 0, len(totals), weight), 0
    weights = problem[5]
    for p in range(start, end):
        weight += weights[state[0][p]]
    return weight, _describe_general(problem, state[0][start:end], weight, totals, scratch), 0


@njit
def _describe_general(problem, rows, weight, totals, scratch):
    criterion, n_classes, stride = problem[1], problem[2], problem[3]
    n_outputs = len(n_classes)
    impurity = 0.0
    if criterion == ABSOLUTE_ERROR:
        keys, local, ordered = scratch[0][0], scratch[0][1], scratch[0][2]
        n = len(rows)
        for k in range(n_outputs):
            absolute.rank_targets(problem[6][k], rows, keys, local, ordered)
            totals[k], error = absolute.compute_median(
                local[:n], ordered[:n], problem[4][k], problem[5]
            )
            impurity += error
        return impurity / (weight * n_outputs)
    for p in range(len(rows)):
        add_row(problem, rows[p], totals)
    for k in range(n_outputs):
        if criterion <= ENTROPY:
            impurity += compute_impurity(criterion, totals, k * stride, n_classes[k], weight)
        elif criterion == POISSON and totals[k] <= EPSILON:
            return np.inf
        else:
            impurity += _compute_deviation(problem, rows, k, totals[k] / weight) / weight
    return impurity / n_outputs


@njit
def _compute_deviation(problem, rows, k, mean):
    """Weighted sum of squares, or of Poisson deviances, about the mean."""
    criterion, targets, weights = problem[1], problem[4], problem[5]
    total = 0.0
    is_constant = True
    for p in range(len(rows)):
        y = targets[k, rows[p]]
        is_constant &= y == targets[k, rows[0]]
        if criterion == POISSON:
            total += weights[rows[p]] * (y * np.log(y / mean) if y > 0.0 else 0.0)
        else:
            total += weights[rows[p]] * (y - mean) * (y - mean)
    return 0.0 if is_constant else total
