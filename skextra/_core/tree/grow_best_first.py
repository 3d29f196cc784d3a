"""Growing a tree by the most useful split first, up to a number of leaves."""

import numpy as np

from skextra._core.jit import njit
from skextra._core.tree.grow_kernels import (
    DEPTH,
    END,
    IMPROVEMENT,
    LOWER,
    MIDDLE,
    NODE,
    START,
    UPPER,
    _bound_children,
    _compute_improvement,
    _describe_children,
    _is_leaf,
    _split,
    _store_values,
)
from skextra._core.tree.records import FEATURE
from skextra._core.tree.scores import EPSILON
from skextra._core.tree.statistics import describe_node


@njit
def _push(heap, n, key, keys):
    """Add an entry to a heap with the largest key on top."""
    i = n
    while i > 0:
        parent = (i - 1) >> 1
        if keys[heap[parent], IMPROVEMENT] >= keys[key, IMPROVEMENT]:
            break
        heap[i] = heap[parent]
        i = parent
    heap[i] = key


@njit
def _pop(heap, n, keys):
    """Take the top off a heap of n entries."""
    top, last = heap[0], heap[n - 1]
    i, m = 0, n - 1
    while 2 * i + 1 < m:
        child = 2 * i + 1
        if child + 1 < m and keys[heap[child + 1], IMPROVEMENT] > keys[heap[child], IMPROVEMENT]:
            child += 1
        if keys[heap[child], IMPROVEMENT] <= keys[last, IMPROVEMENT]:
            break
        heap[i] = heap[child]
        i = child
    if m > 0:
        heap[i] = last
    return top


@njit
def _add(problem, data, table, state, spare, work, settings, node, start, end, depth, lower, upper,
         total_weight, random, record, marks, totals, sides, tree, frontier, frontier_values,
         frontier_bounds):  # fmt: skip
    """Add a node and find its split, to be used if its turn comes."""
    rights, n_rows_of, weights, impurities, values = tree[4], tree[5], tree[6], tree[7], tree[8]
    weight, impurity, packed = describe_node(problem, state, start, end, totals, work[7])
    n_rows_of[node], weights[node], impurities[node] = end - start, weight, impurity
    _store_values(problem, totals, weight, values[node], settings, (lower, upper))
    rights[node] = -1
    frontier[node, START], frontier[node, END], frontier[node, DEPTH] = start, end, depth
    frontier[node, MIDDLE], frontier_values[node, IMPROVEMENT] = end, 0.0
    if _is_leaf(settings, depth, end - start, weight, impurity):
        return
    middle, _ = _split(problem, data, table, state, spare, work, settings, node, start, end, totals,
                       weight, packed, 0, (lower, upper), random, record, marks, tree)  # fmt: skip
    if middle >= end:
        return
    _describe_children(problem, state, work, start, middle, end, totals, sides)
    gain = _compute_improvement(impurity, weight, total_weight, sides)
    if gain + EPSILON < settings[7]:
        return
    direction = settings[8][marks[FEATURE]] if len(settings[8]) else 0
    _bound_children(direction, lower, upper, sides, frontier_bounds[node])
    frontier[node, MIDDLE], frontier_values[node, IMPROVEMENT] = middle, gain


@njit
def grow_best_first(problem, data, table, state, spare, work, settings, n_rows, total_weight, seed,
                    tree, lefts):  # fmt: skip
    """Grow a tree of at most settings[6] leaves; nodes are numbered as they are added.

    Arguments and result are those of `grow_depth_first`; `lefts` receives left children.
    """
    rights, capacity = tree[4], len(lefts)
    random = np.array([seed], np.int64)
    record, marks = np.zeros(4), np.zeros(4, np.int64)
    totals, sides = np.zeros(tree[8].shape[1]), np.zeros((2, 3))
    frontier, frontier_values = np.empty((capacity, 8), np.int64), np.empty((capacity, 3))
    frontier_bounds = np.empty((capacity, 2, 2))
    heap = np.empty(capacity, np.int64)
    _add(problem, data, table, state, spare, work, settings, 0, 0, n_rows, 0, -np.inf, np.inf,
         total_weight, random, record, marks, totals, sides, tree, frontier, frontier_values,
         frontier_bounds)  # fmt: skip
    _push(heap, 0, 0, frontier_values)
    n_heap, n_nodes, deepest, n_splits = 1, 1, 0, settings[6] - 1
    while n_heap > 0:
        node = _pop(heap, n_heap, frontier_values)
        n_heap -= 1
        depth = frontier[node, DEPTH]
        deepest = max(deepest, depth)
        start, middle, end = frontier[node, START], frontier[node, MIDDLE], frontier[node, END]
        if middle >= end or n_splits <= 0:
            continue
        n_splits -= 1
        lefts[node], rights[node] = n_nodes, n_nodes + 1
        for side in range(2):
            lower, upper = (start, middle) if side == 0 else (middle, end)
            child_bounds = frontier_bounds[node, side]
            _add(problem, data, table, state, spare, work, settings, n_nodes + side, lower, upper,
                 depth + 1, child_bounds[0], child_bounds[1], total_weight, random, record, marks,
                 totals, sides, tree, frontier, frontier_values, frontier_bounds)  # fmt: skip
        _push(heap, n_heap, n_nodes, frontier_values)
        _push(heap, n_heap + 1, n_nodes + 1, frontier_values)
        n_heap += 2
        n_nodes += 2
    return n_nodes, deepest


@njit
def number_depth_first(lefts, rights, n_nodes):
    """Nodes in the order in which a depth-first tree would number them."""
    order, stack = np.empty(n_nodes, np.int64), np.empty(n_nodes, np.int64)
    stack[0] = 0
    n_stack, n_seen = 1, 0
    while n_stack > 0:
        n_stack -= 1
        node = stack[n_stack]
        order[n_seen] = node
        n_seen += 1
        if rights[node] >= 0:
            stack[n_stack], stack[n_stack + 1] = rights[node], lefts[node]
            n_stack += 2
    return order
