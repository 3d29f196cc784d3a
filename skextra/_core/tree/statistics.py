"""Weight, sums and impurity of a node."""

import numpy as np

from skextra._core.runtime.entries import (
    entry,
    kernel,
    summing_kernel,
    view_float64,
    view_int32,
    view_int64,
)
from skextra._core.tree import absolute_error, slots
from skextra._core.tree.criteria import (
    ABSOLUTE_ERROR,
    ENTROPY,
    GINI,
    POISSON,
    compute_binary_impurity,
    compute_deviance,
    compute_impurity,
    is_spread,
)
from skextra._core.tree.problem import BINARY, SUMS
from skextra._core.tree.search_binary import BITS, MASK
from skextra._core.tree.search_general import add_row, load_problem, load_scratch


@summing_kernel
def _sum_products(weights, targets):
    weight, total = 0.0, 0.0
    for i in range(len(weights)):
        weight += weights[i]
        total += weights[i] * targets[i]
    return weight, total


@summing_kernel
def _sum_squares(weights, targets, mean):
    total, lowest, highest = 0.0, np.inf, -np.inf
    for i in range(len(weights)):
        centred = targets[i] - mean
        total += weights[i] * centred * centred
        lowest, highest = min(lowest, targets[i]), max(highest, targets[i])
    return total if is_spread(lowest, highest) else 0.0


@summing_kernel
def _sum_integers(payload):
    total = 0
    for i in range(len(payload)):
        total += payload[i]
    return total


@kernel
def _describe_general(problem, rows, weight, totals, scratch):
    criterion, n_classes, stride = problem[1], problem[2], problem[3]
    n_outputs = len(n_classes)
    impurity = 0.0
    if criterion == ABSOLUTE_ERROR:
        keys, local, ordered = scratch[0][0], scratch[0][1], scratch[0][2]
        counts = scratch[0][6]
        n = len(rows)
        for k in range(n_outputs):
            absolute_error.rank_targets(problem[6][k], rows, keys, counts, local, ordered)
            totals[k], error = absolute_error.compute_median(
                local[:n], ordered[:n], problem[4][k], problem[5]
            )
            lowest, highest = problem[4][k][ordered[0]], problem[4][k][ordered[n - 1]]
            impurity += error if is_spread(lowest, highest) else 0.0
        return impurity / (weight * n_outputs)
    for p in range(len(rows)):
        add_row(problem, rows[p], totals)
    for k in range(n_outputs):
        if criterion <= ENTROPY:
            impurity += compute_impurity(criterion, totals, k * stride, n_classes[k], weight)
        elif criterion == POISSON and totals[k] <= 0.0:
            return np.inf
        else:
            impurity += _compute_deviation(problem, rows, k, totals[k] / weight) / weight
    return impurity / n_outputs


@kernel
def _compute_deviation(problem, rows, k, mean):
    """Weighted sum of squares, or of Poisson deviances, about the mean."""
    criterion, targets, weights = problem[1], problem[4], problem[5]
    total, lowest, highest = 0.0, np.inf, -np.inf
    for p in range(len(rows)):
        y = targets[k, rows[p]]
        lowest, highest = min(lowest, y), max(highest, y)
        if criterion == POISSON:
            total += weights[rows[p]] * mean * compute_deviance((y - mean) / mean)
        else:
            total += weights[rows[p]] * (y - mean) * (y - mean)
    return total if is_spread(lowest, highest) else 0.0


@entry
def enter_describe(address):
    """Weight and impurity of a node, and its class weights or sums into TOTALS.

    PACKED receives the sum of payloads where `search_binary` is used.
    """
    t = view_int64(address, slots.N_SLOTS)
    start, kind, criterion = t[slots.START], t[slots.KIND], t[slots.CRITERION]
    n = t[slots.END] - start
    floats = view_float64(t[slots.FLOATS], slots.N_FLOATS)
    totals = view_float64(t[slots.TOTALS], t[slots.STRIDE])
    if kind == BINARY:
        packed = _sum_integers(view_int64(t[slots.PAYLOAD] + 8 * start, n))
        weight, second = float((packed >> BITS) & MASK), float(packed & MASK)
        totals[0], totals[1], t[slots.PACKED] = weight - second, second, packed
        floats[slots.IMPURITY] = compute_binary_impurity(criterion, second, weight)
        floats[slots.WEIGHT] = weight
        return 0
    weights = view_float64(t[slots.ROW_WEIGHTS] + 8 * start, n)
    if kind == SUMS:
        targets = view_float64(t[slots.ROW_TARGETS] + 8 * start, n)
        weight, total = _sum_products(weights, targets)
        if criterion == GINI:
            totals[0], totals[1] = max(weight - total, 0.0), total
            floats[slots.IMPURITY] = compute_binary_impurity(criterion, total, weight)
        else:
            totals[0] = total
            floats[slots.IMPURITY] = _sum_squares(weights, targets, total / weight) / weight
        floats[slots.WEIGHT] = weight
        return 0
    classes = view_int64(t[slots.PAYLOAD] + 8 * start, n)
    for k in range(len(totals)):
        totals[k] = 0.0
    weight = 0.0
    for p in range(n):
        totals[classes[p]] += weights[p]
        weight += weights[p]
    floats[slots.WEIGHT] = weight
    floats[slots.IMPURITY] = compute_impurity(criterion, totals, 0, len(totals), weight)
    return 0


@entry
def enter_describe_general(address):
    """`enter_describe` for any problem; TOTALS are medians for the absolute error."""
    t = view_int64(address, slots.N_SLOTS)
    start = t[slots.START]
    n = t[slots.END] - start
    floats = view_float64(t[slots.FLOATS], slots.N_FLOATS)
    totals = view_float64(t[slots.TOTALS], t[slots.N_OUTPUTS] * t[slots.STRIDE])
    rows = view_int32(t[slots.ROWS] + 4 * start, n)
    weights = view_float64(t[slots.WEIGHTS], t[slots.N_SAMPLES])
    for k in range(len(totals)):
        totals[k] = 0.0
    weight = 0.0
    for p in range(n):
        weight += weights[rows[p]]
    floats[slots.WEIGHT] = weight
    floats[slots.IMPURITY] = _describe_general(
        load_problem(t), rows, weight, totals, load_scratch(t)
    )
    return 0


@summing_kernel
def sum_payloads(code, cut, payload):
    """Sum over the rows on the left of a cut."""
    total = 0
    for i in range(len(code)):
        total += payload[i] if code[i] <= cut else 0
    return total


@summing_kernel
def sum_targets(code, cut, weights, targets, center):
    """Number of the rows on the left of a cut, their weight, and their weighted centered sum."""
    n_left, left, total = 0, 0.0, 0.0
    for i in range(len(code)):
        weight = weights[i] if code[i] <= cut else 0.0
        n_left += code[i] <= cut
        left += weight
        total += weight * (targets[i] - center)
    return n_left, left, total
