"""Best split of a column by sorting it: any criterion, NaN, several outputs, monotonicity.

What scikit-learn does, literally: candidates in ascending order, with the missing
values on the right and then on the left. The other searches are faster and leave to
this one what they cannot.
"""

import numpy as np

from skextra._core.runtime.entries import (
    entry,
    kernel,
    returning_kernel,
    view_float64,
    view_float64_rows,
    view_int32,
    view_int32_rows,
    view_int64,
    view_int64_rows,
    view_uint64_rows,
)
from skextra._core.tree import absolute_error, slots
from skextra._core.tree.criteria import (
    ABSOLUTE_ERROR,
    ENTROPY,
    GINI,
    POISSON,
    SQUARED_ERROR,
    TIE,
    compute_deviance,
    compute_impurity,
    compute_limits,
)
from skextra._core.tree.encode import sort_keys
from skextra._core.tree.problem import BINARY, CLASSES, SUMS
from skextra._core.tree.records import CUT, EXACT, FEATURE, MISSING_LEFT, SCORE


@kernel
def sort_node(code, n, keys, counts, order):
    """Places of a node's rows in the order of their codes."""
    for i in range(n):
        keys[0, i] = (np.uint64(code[i]) << np.uint64(32)) | np.uint64(i)
    source = sort_keys(keys, n, counts)
    for p in range(n):
        order[p] = np.int64(keys[source, p] & np.uint64(0xFFFFFFFF))


@kernel
def add_row(problem, row, sums):
    """Add a row to class weights or sums of targets."""
    criterion, n_classes, stride, targets, weights = (
        problem[1], problem[2], problem[3], problem[4], problem[5],
    )  # fmt: skip
    for k in range(len(n_classes)):
        if criterion <= ENTROPY:
            sums[k * stride + int(targets[k, row])] += weights[row]
        else:
            sums[k * stride] += weights[row] * targets[k, row]


@kernel
def add_centered_row(problem, row, totals, weight, sums):
    """Add a row to class weights, or to sums of targets about the node's mean.

    Of targets far from zero, sums about zero would leave rounding alone.
    """
    n_classes, stride, targets, weights = problem[2], problem[3], problem[4], problem[5]
    if problem[1] <= ENTROPY:
        add_row(problem, row, sums)
        return
    for k in range(len(n_classes)):
        sums[k * stride] += weights[row] * (targets[k, row] - totals[k * stride] / weight)


@kernel
def compute_proxy(problem, totals, sums, weight, left, error_left, error_right):
    """scikit-learn's measure of a split, given the left side's sums and weight.

    Of squared errors and Poisson deviances, where sums are centered, how much they fall: with a
    left sum of d, ``d^2 W / (l r)``; or ``m (l h(d / l m) + r h(-d / r m))``, where m is the
    node's mean and h(t) = (1 + t) log(1 + t) - t.
    """
    criterion, n_classes, stride = problem[1], problem[2], problem[3]
    n_outputs = len(n_classes)
    right = weight - left
    if criterion == ABSOLUTE_ERROR:
        return -(error_right / n_outputs) - (error_left / n_outputs)
    if criterion <= ENTROPY:
        return _compute_class_proxy(problem, totals, sums, left, right)
    score = 0.0
    for k in range(n_outputs):
        excess = sums[k * stride]
        if criterion == POISSON:
            mean = totals[k * stride] / weight
            # What rounding may leave of a sum of zeros, where sums are differences.
            least = 1e-13 * totals[k * stride]
            if excess + left * mean <= least or right * mean - excess <= least:
                return -np.inf
            score += mean * left * compute_deviance(excess / (left * mean))
            score += mean * right * compute_deviance(-excess / (right * mean))
        else:
            score += excess * excess * weight / (left * right)
    return score


@kernel
def _compute_class_proxy(problem, totals, sums, left, right):
    criterion, n_classes, stride = problem[1], problem[2], problem[3]
    impurity_left = impurity_right = 0.0
    for k in range(len(n_classes)):
        first, last = k * stride, k * stride + n_classes[k]
        impurity_left += compute_impurity(criterion, sums, first, n_classes[k], left)
        # The right side's weights take the left's place for the moment.
        for c in range(first, last):
            sums[c] = totals[c] - sums[c]
        impurity_right += compute_impurity(criterion, sums, first, n_classes[k], right)
        for c in range(first, last):
            sums[c] = totals[c] - sums[c]
    n_outputs = len(n_classes)
    return -right * (impurity_right / n_outputs) - left * (impurity_left / n_outputs)


@kernel
def keeps_order(criterion, totals, sums, weight, left, medians, bounds, direction):
    """Whether the two sides' values respect a monotonic constraint and the node's bounds."""
    if criterion == ABSOLUTE_ERROR:
        value_left, value_right = medians[0], medians[1]
    else:
        # Class weights are sums about zero, sums of targets about the mean.
        mean = 0.0 if criterion <= ENTROPY else totals[0] / weight
        rest = totals[0] - sums[0] if criterion <= ENTROPY else -sums[0]
        value_left, value_right = mean + sums[0] / left, mean + rest / (weight - left)
    lowest, highest = min(value_left, value_right), max(value_left, value_right)
    return (
        lowest >= bounds[0] and highest <= bounds[1] and (value_left - value_right) * direction <= 0
    )


@kernel
def convert_score(problem, totals, weight, proxy, sums, left):
    """What the faster searches of the same problem would call the exact measure and the score."""
    kind, criterion = problem[0], problem[1]
    if kind == SUMS and criterion == GINI:
        excess = sums[1] - left * (totals[1] / weight)
        score = excess * excess * weight / (left * (weight - left))
        return score, score
    if kind in (BINARY, CLASSES):
        n_classes = problem[2][0]
        impurity = compute_impurity(criterion, totals, 0, n_classes, weight)
        score = proxy + weight * impurity
        if criterion == ENTROPY:
            return proxy, score * np.log(2.0)
        return proxy, 0.5 * score if kind == BINARY else score
    return proxy, proxy


@kernel
def get_slack(problem, record, zero):
    """How much a split is to be better than the best so far, where scores are rounded."""
    is_sum = problem[0] == SUMS or problem[1] in (SQUARED_ERROR, POISSON)
    return TIE * max(record[EXACT], 0.0) + zero if is_sum else 0.0


@kernel
def _arrange(order, n, n_missing, goes_left, arranged):
    """The sequence whose heads are the left sides."""
    first = n - n_missing if goes_left else 0
    for p in range(n):
        arranged[p] = order[first + p if first + p < n else first + p - n]


@kernel
def _fill_errors(problem, rows, n, arranged, scratch):
    n_outputs = len(problem[2])
    keys, local, ordered, tree, errors, medians, counts = scratch
    for p in range(n):
        errors[0, p] = errors[1, p] = 0.0
    for k in range(n_outputs):
        absolute_error.rank_targets(problem[6][k], rows, keys, counts, local, ordered)
        for side in range(2):
            absolute_error.fill_errors(
                arranged[:n], local[:n], ordered[:n], problem[4][k], problem[5], side == 1, tree,
                errors[side, :n], medians[side, :n],
            )  # fmt: skip


@kernel
def search_general(problem, code, rows, missing, totals, weight, limits, direction, bounds, feature,
                   scratch, record, marks):  # fmt: skip
    """Offer every split of a column's codes.

    Parameters
    ----------
    problem : tuple
        Kind, criterion, classes of each output, stride, targets, weights, ranks of targets.
    code : ndarray of int32 of shape (n,)
    rows : ndarray of int32 of shape (n,)
    missing : int
        Code of NaN, or -1.
    totals : ndarray of float64
        Class weights or sums of targets of the node.
    weight : float
    limits : tuple
        As `compute_limits` returns it.
    direction : int
        Monotonic constraint: -1, 0 or 1.
    bounds : tuple of float
        Between which values of the sides must lie if there is one.
    scratch : tuple of ndarray
        Of the absolute error, then order, arranged order, sums.
    """
    absolute_scratch, order, arranged, sums = scratch
    criterion, n = problem[1], len(code)
    sort_node(code, n, absolute_scratch[0], absolute_scratch[6], order)
    n_missing = 0
    if missing >= 0:
        while n_missing < n and code[order[n - 1 - n_missing]] == missing:
            n_missing += 1
    n_present = n - n_missing
    errors, medians = absolute_scratch[4], absolute_scratch[5]
    for goes_left in range(2 if n_missing > 0 else 1):
        _arrange(order, n, n_missing, goes_left == 1, arranged)
        if criterion == ABSOLUTE_ERROR:
            _fill_errors(problem, rows, n, arranged, absolute_scratch)
        for k in range(len(sums)):
            sums[k] = 0.0
        left = 0.0
        for p in range(1, n):
            row = rows[arranged[p - 1]]
            add_centered_row(problem, row, totals, weight, sums)
            left += problem[5][row]
            if goes_left == 0 and p > n_present:
                break
            if goes_left == 1 and p <= n_missing:
                continue
            is_before_missing = goes_left == 0 and p == n_present
            if code[arranged[p]] == code[arranged[p - 1]] and not is_before_missing:
                continue
            if p < limits[0] or n - p < limits[0]:
                continue
            sides = (medians[0, p - 1], medians[1, p])
            if direction != 0 and not keeps_order(
                criterion, totals, sums, weight, left, sides, bounds, direction
            ):
                continue
            if left < limits[1] or weight - left < limits[1]:
                continue
            proxy = compute_proxy(
                problem, totals, sums, weight, left, errors[0, p - 1], errors[1, p]
            )
            exact, score = convert_score(problem, totals, weight, proxy, sums, left)
            if exact > record[EXACT] + get_slack(problem, record, limits[2]):
                record[EXACT], record[SCORE] = exact, score
                marks[FEATURE], marks[CUT] = feature, code[arranged[p - 1]]
                marks[MISSING_LEFT] = goes_left if n_missing > 0 else -1


@returning_kernel
def load_problem(t):
    """The problem's tuple, from the table of `slots`."""
    n_outputs, n = t[slots.N_OUTPUTS], t[slots.N_SAMPLES]
    return (
        t[slots.KIND], t[slots.CRITERION], view_int64(t[slots.N_CLASSES], n_outputs),
        t[slots.STRIDE], view_float64_rows(t[slots.TARGETS], n_outputs, n),
        view_float64(t[slots.WEIGHTS], n), view_int32_rows(t[slots.RANKS], n_outputs, n),
    )  # fmt: skip


@returning_kernel
def load_scratch(t):
    """Scratch memory of `search_general`, from the table of `slots`."""
    n, width = t[slots.CAPACITY], t[slots.N_OUTPUTS] * t[slots.STRIDE]
    absolute_scratch = (
        view_uint64_rows(t[slots.KEYS], 2, n), view_int32(t[slots.LOCAL], n),
        view_int32(t[slots.ORDERED], n), view_float64_rows(t[slots.FENWICK], 2, n + 1),
        view_float64_rows(t[slots.ERRORS], 2, n), view_float64_rows(t[slots.MEDIANS], 2, n),
        view_int64_rows(t[slots.COUNTS], 3, 2048),
    )  # fmt: skip
    return (
        absolute_scratch, view_int32(t[slots.ORDER], n), view_int32(t[slots.ARRANGED], n),
        view_float64(t[slots.SUMS], width),
    )  # fmt: skip


@entry
def enter_search_general(address):
    """`search_general` with arguments from the table of `slots`."""
    t = view_int64(address, slots.N_SLOTS)
    floats = view_float64(t[slots.FLOATS], slots.N_FLOATS)
    n = t[slots.END] - t[slots.START]
    limits = compute_limits(
        t[slots.MIN_LEAF], floats[slots.MIN_WEIGHT], n, floats[slots.WEIGHT],
        floats[slots.IMPURITY],
    )  # fmt: skip
    search_general(
        load_problem(t), view_int32(t[slots.CODE], n),
        view_int32(t[slots.ROWS] + 4 * t[slots.START], n), t[slots.MISSING],
        view_float64(t[slots.TOTALS], t[slots.N_OUTPUTS] * t[slots.STRIDE]),
        floats[slots.WEIGHT], limits, t[slots.DIRECTION],
        (floats[slots.LOWER], floats[slots.UPPER]), t[slots.FEATURE], load_scratch(t),
        view_float64(t[slots.RECORD], 4), view_int64(t[slots.MARKS], 4),
    )  # fmt: skip
    return 0
