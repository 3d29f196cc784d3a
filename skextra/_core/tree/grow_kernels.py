"""Growing a tree, depth first or best split first, into flat arrays."""

import numpy as np

from skextra._core.jit import njit
from skextra._core.tree.partition import partition
from skextra._core.tree.records import CUT, EXACT, FEATURE, MISSING_LEFT, THRESHOLD
from skextra._core.tree.scores import ABSOLUTE_ERROR, EPSILON
from skextra._core.tree.split import find_split, read_codes
from skextra._core.tree.statistics import describe_node

# Entries of a node waiting on the stack or in the heap.
START, END, DEPTH, PARENT, IS_LEFT, N_CONSTANT, MIDDLE, NODE = range(8)
LOWER, UPPER, IMPROVEMENT = range(3)


@njit
def round_down(threshold):
    """Largest float32 that is not above: compares with float32 values as the threshold does."""
    rounded = np.float32(threshold)
    if rounded > threshold:
        rounded = np.nextafter(rounded, np.float32(-np.inf))
    return rounded


@njit
def _store_values(problem, totals, weight, values, settings, bounds):
    criterion = problem[1]
    if criterion == ABSOLUTE_ERROR:
        values[:] = totals
    else:
        values[:] = totals / weight
    if len(settings[8]):
        values[0] = min(max(values[0], bounds[0]), bounds[1])
        if problem[3] > 1:
            values[1] = 1.0 - values[0]


@njit
def _is_leaf(settings, depth, n, weight, impurity):
    min_split, min_leaf, min_weight, max_depth = settings[2], settings[3], settings[4], settings[5]
    return (
        depth >= max_depth
        or n < min_split
        or n < 2 * min_leaf
        or weight < 2 * min_weight
        or impurity <= EPSILON
    )


@njit
def _split(problem, data, table, state, spare, work, settings, node, start, end, totals, weight,
           packed, n_known, bounds, random, record, marks, tree):  # fmt: skip
    """Find and apply a node's split; where the right child begins, or `end` if there is none."""
    n_constant = find_split(problem, data, table, state, work, settings, start, end, totals, weight,
                            packed, n_known, bounds, random, record, marks)  # fmt: skip
    feature = marks[FEATURE]
    if feature < 0:
        return end, n_constant
    code = work[0][: end - start]
    is_sparse = read_codes(data, feature, state, start, end, code)
    missing = table[2][feature]
    middle, below, above = partition(problem[0], is_sparse, state, spare, code, start, end,
                                     marks[CUT], missing, marks[MISSING_LEFT] == 1)  # fmt: skip
    values = table[0][table[1][feature] : table[1][feature + 1]]
    if settings[0]:
        threshold = round_down(record[THRESHOLD])
    elif above < 0:
        threshold = np.float32(np.inf)
    else:
        threshold = round_down(values[below] / 2.0 + values[above] / 2.0)
    missing_left = marks[MISSING_LEFT]
    if missing_left < 0:
        missing_left = middle - start > end - middle
    features, thresholds, cuts, is_missing_left = tree[0], tree[1], tree[2], tree[3]
    features[node], thresholds[node], cuts[node] = feature, threshold, marks[CUT]
    is_missing_left[node] = missing_left
    return middle, n_constant


@njit
def _describe_children(problem, state, work, start, middle, end, totals, sides):
    """Weights, impurities and first values of a split's sides, into sides[side]."""
    for side in range(2):
        lower, upper = (start, middle) if side == 0 else (middle, end)
        weight, impurity, _ = describe_node(problem, state, lower, upper, totals, work[7])
        sides[side, 0], sides[side, 1] = weight, impurity
        sides[side, 2] = totals[0] if problem[1] == ABSOLUTE_ERROR else totals[0] / weight


@njit
def _compute_improvement(impurity, weight, total_weight, sides):
    return (weight / total_weight) * (
        impurity - sides[1, 0] / weight * sides[1, 1] - sides[0, 0] / weight * sides[0, 1]
    )


@njit
def _bound_children(direction, lower, upper, sides, bounds):
    """Intervals for the children's values: rows of `bounds`, left and right."""
    middle = sides[0, 2] / 2 + sides[1, 2] / 2
    bounds[:, 0], bounds[:, 1] = lower, upper
    if direction > 0:
        bounds[0, 1], bounds[1, 0] = middle, middle
    elif direction < 0:
        bounds[0, 0], bounds[1, 1] = middle, middle


@njit
def _grow_stack(pending, pending_values):
    n = len(pending)
    more = np.empty((2 * n, pending.shape[1]), pending.dtype)
    more_values = np.empty((2 * n, pending_values.shape[1]))
    more[:n], more_values[:n] = pending, pending_values
    return more, more_values


@njit
def grow_depth_first(problem, data, table, state, spare, work, settings, n_rows, total_weight, seed,
                     tree):  # fmt: skip
    """Grow a tree in scikit-learn's order of nodes; returns their number and the depth.

    `tree` is a tuple of arrays that receive features, thresholds, cuts, the side of
    missing values, right children (-1 at leaves), rows, weights, impurities and values.
    """
    rights, n_rows_of, weights, impurities, values = tree[4], tree[5], tree[6], tree[7], tree[8]
    random = np.array([seed], np.int64)
    record, marks = np.zeros(4), np.zeros(4, np.int64)
    totals, sides, bounds = np.zeros(values.shape[1]), np.zeros((2, 3)), np.zeros((2, 2))
    pending, pending_values = np.empty((64, 8), np.int64), np.empty((64, 3))
    pending[0, START], pending[0, END], pending[0, DEPTH], pending[0, PARENT] = 0, n_rows, 0, -1
    pending[0, IS_LEFT], pending[0, N_CONSTANT] = 0, 0
    pending_values[0, LOWER], pending_values[0, UPPER] = -np.inf, np.inf
    n_pending, n_nodes, deepest = 1, 0, 0
    while n_pending > 0:
        n_pending -= 1
        start, end, depth = pending[n_pending, START], pending[n_pending, END], pending[n_pending, DEPTH]
        parent, n_known = pending[n_pending, PARENT], pending[n_pending, N_CONSTANT]
        lower, upper = pending_values[n_pending, LOWER], pending_values[n_pending, UPPER]
        weight, impurity, packed = describe_node(problem, state, start, end, totals, work[7])
        node = n_nodes
        n_nodes += 1
        deepest = max(deepest, depth)
        if parent >= 0 and not pending[n_pending, IS_LEFT]:
            rights[parent] = node
        n_rows_of[node], weights[node], impurities[node] = end - start, weight, impurity
        _store_values(problem, totals, weight, values[node], settings, (lower, upper))
        rights[node] = -1
        if _is_leaf(settings, depth, end - start, weight, impurity):
            continue
        middle, n_constant = _split(problem, data, table, state, spare, work, settings, node, start,
                                    end, totals, weight, packed, n_known, (lower, upper), random,
                                    record, marks, tree)  # fmt: skip
        if middle >= end:
            continue
        direction = settings[8][marks[FEATURE]] if len(settings[8]) else 0
        if settings[7] > 0.0 or direction != 0:
            _describe_children(problem, state, work, start, middle, end, totals, sides)
            gain = _compute_improvement(impurity, weight, total_weight, sides)
            if gain + EPSILON < settings[7]:
                continue
        _bound_children(direction, lower, upper, sides, bounds)
        rights[node] = 0
        if n_pending + 2 > len(pending):
            pending, pending_values = _grow_stack(pending, pending_values)
        for side in (1, 0):
            pending[n_pending, START] = start if side == 0 else middle
            pending[n_pending, END] = middle if side == 0 else end
            pending[n_pending, DEPTH], pending[n_pending, PARENT] = depth + 1, node
            pending[n_pending, IS_LEFT], pending[n_pending, N_CONSTANT] = side == 0, n_constant
            pending_values[n_pending, LOWER] = bounds[side, 0]
            pending_values[n_pending, UPPER] = bounds[side, 1]
            n_pending += 1
    return n_nodes, deepest
