"""Growing a tree, depth first or best split first, into flat arrays."""

import numpy as np

from skextra._core.runtime.entries import call_entry, inlined_kernel, kernel, part
from skextra._core.tree.criteria import EPSILON, round_down
from skextra._core.tree.criterion_table import ABSOLUTE_ERROR
from skextra._core.tree.search_random import find_code
from skextra._core.tree.sorted_block import load_codes
from skextra._core.tree.split import find_split

# Columns of a node waiting on the stack or in the heap, and of its bounds.
START, END, DEPTH, PARENT, IS_LEFT, N_CONSTANT, MIDDLE, DIRECTION = range(8)
LOWER, UPPER, IMPROVEMENT, BETWEEN = range(4)
N_COLUMNS, N_BOUNDS = 8, 4


@inlined_kernel
def _store_node(state, number):
    """Rows, weight, impurity and values of a node, which is a leaf unless it is split."""
    problem, node, nodes, totals = state.problem, state.node, state.nodes, state.node.totals
    nodes.n_rows[number] = node.end - node.start
    nodes.weights[number], nodes.impurities[number] = node.weight, node.impurity
    nodes.rights[number] = -1
    values = nodes.values[number]
    divisor = 1.0 if problem.criterion == ABSOLUTE_ERROR else node.weight
    for k in range(len(totals)):
        values[k] = totals[k] / divisor
    if len(problem.directions) > 0:
        values[0] = min(max(values[0], node.lower), node.upper)
        if problem.stride > 1:
            values[1] = 1.0 - values[0]


@inlined_kernel
def _is_leaf(state, depth):
    problem, node = state.problem, state.node
    n = node.end - node.start
    return (
        depth >= problem.max_depth
        or n < problem.min_samples_split
        or n < 2 * problem.min_samples_leaf
        or node.weight < 2 * problem.min_weight_leaf
        or node.impurity <= (EPSILON if problem.is_classification else 0.0)
    )


@inlined_kernel
def _apply_split(state, number):
    """Divide a node's rows by its best split; where the right child begins."""
    codes, node, column, best, nodes = (
        state.codes, state.node, state.column, state.best, state.nodes,
    )  # fmt: skip
    feature, cut, offsets = best.feature, best.cut, codes.offsets
    is_in_block = node.end - node.start <= state.block.size
    if is_in_block:
        load_codes(state, feature)
        column.feature, column.missing = feature, -1
    elif column.feature != feature:  # else its codes are still there
        column.feature, column.missing = feature, codes.missing[feature]
        call_entry(state.steps.gather, state)
    middle = node.start + call_entry(state.steps.partition, state)
    if is_in_block:
        call_entry(state.steps.divide_block, state)
    if state.problem.is_random:
        threshold = round_down(best.threshold)
    elif best.above < 0:
        threshold = np.float32(np.inf)
    else:
        values = part(codes.values, offsets[feature], offsets[feature + 1])
        threshold = round_down(values[best.below] / 2.0 + values[best.above] / 2.0)
        # Rows without weight are routed by codes, and may lie between those of the node.
        if state.problem.keeps_routes:
            cut = find_code(values, best.below, best.above - 1, threshold)
    missing_left = best.missing_left
    if missing_left < 0:
        missing_left = np.int64(middle - node.start > node.end - middle)
    nodes.features[number], nodes.thresholds[number] = feature, threshold
    nodes.cuts[number], nodes.missing_left[number] = cut, missing_left
    return middle


@kernel
def _describe_children(state, middle):
    """Weights, impurities and first values of a split's sides, into sides[side]."""
    node, sides = state.node, state.scratch.sides
    start, end = node.start, node.end
    for side in range(2):
        node.start, node.end = (start, middle) if side == 0 else (middle, end)
        call_entry(state.steps.describe, state)
        divisor = 1.0 if state.problem.criterion == ABSOLUTE_ERROR else node.weight
        sides[side, 0], sides[side, 1] = node.weight, node.impurity
        sides[side, 2] = node.totals[0] / divisor
    node.start, node.end = start, end


@kernel
def _compute_improvement(impurity, weight, total_weight, sides):
    return (weight / total_weight) * (
        impurity - sides[1, 0] / weight * sides[1, 1] - sides[0, 0] / weight * sides[0, 1]
    )


@kernel
def _push_children(waiting, n, parent, bounds, number):
    """Put the right and then the left child of a split on the stack.

    A monotonic constraint keeps their values on two sides of a value between.

    Parameters
    ----------
    waiting : Waiting
    n : int
        Number of nodes on the stack.
    parent, bounds : ndarray of int64 and float64
        The parent's own columns.
    number : int
        The parent's number.
    """
    stack, stack_bounds, direction = waiting.stack, waiting.stack_bounds, parent[DIRECTION]
    for side in range(2):
        is_left = side == 1
        place = n + side
        stack[place, START] = parent[START] if is_left else parent[MIDDLE]
        stack[place, END] = parent[MIDDLE] if is_left else parent[END]
        stack[place, DEPTH], stack[place, PARENT] = parent[DEPTH] + 1, number
        stack[place, IS_LEFT], stack[place, N_CONSTANT] = is_left, parent[N_CONSTANT]
        stack_bounds[place, LOWER], stack_bounds[place, UPPER] = bounds[LOWER], bounds[UPPER]
        if direction != 0:
            if (direction > 0) == is_left:
                stack_bounds[place, UPPER] = bounds[BETWEEN]
            else:
                stack_bounds[place, LOWER] = bounds[BETWEEN]


@kernel
def _push(heap, n, node, bounds):
    """Add a node to a heap with the largest improvement on top."""
    i = n
    while i > 0:
        parent = (i - 1) >> 1
        if bounds[heap[parent], IMPROVEMENT] >= bounds[node, IMPROVEMENT]:
            break
        heap[i] = heap[parent]
        i = parent
    heap[i] = node


@kernel
def _pop(heap, n, bounds):
    """Take the top off a heap of n nodes."""
    top, last = heap[0], heap[n - 1]
    i, m = 0, n - 1
    while 2 * i + 1 < m:
        child = 2 * i + 1
        if (
            child + 1 < m
            and bounds[heap[child + 1], IMPROVEMENT] > bounds[heap[child], IMPROVEMENT]
        ):
            child += 1
        if bounds[heap[child], IMPROVEMENT] <= bounds[last, IMPROVEMENT]:
            break
        heap[i] = heap[child]
        i = child
    if m > 0:
        heap[i] = last
    return top


@kernel
def _pop_children(state, n_heap, n_nodes, n_splits):
    """Take the best node off the heap and put its children on the stack; how many they are."""
    waiting, nodes = state.waiting, state.nodes
    number = _pop(waiting.heap, n_heap, waiting.frontier_bounds)
    parent, bounds = waiting.frontier[number], waiting.frontier_bounds[number]
    if parent[MIDDLE] >= parent[END] or n_splits <= 0:
        return 0
    nodes.lefts[number], nodes.rights[number] = n_nodes, n_nodes + 1
    _push_children(waiting, np.int64(0), parent, bounds, number)
    return 2


@inlined_kernel
def _open_node(state, number, opened, bounds, always_weighs):
    """Describe a node and divide its rows.

    Parameters
    ----------
    state : State
    number : int
    opened, bounds : ndarray of int64 and float64
        The node's columns. Of the split they receive: where the right child's rows begin, the
        node's end if it stays a leaf; the number of features known to be constant; the
        monotonic constraint; and improvement and a value between the children's, where they
        are needed.
    always_weighs : bool
        Whether the improvement is needed in any case.
    """
    problem, node, best, sides = state.problem, state.node, state.best, state.scratch.sides
    node.start, node.end = opened[START], opened[END]
    node.lower, node.upper = bounds[LOWER], bounds[UPPER]
    call_entry(state.steps.describe, state)
    _store_node(state, number)
    opened[MIDDLE], opened[DIRECTION] = node.end, 0
    bounds[IMPROVEMENT] = bounds[BETWEEN] = 0.0
    if _is_leaf(state, opened[DEPTH]):
        return
    weight, impurity = node.weight, node.impurity
    node.n_constant = opened[N_CONSTANT]
    find_split(state)
    opened[N_CONSTANT] = node.n_constant
    if best.feature < 0:
        return
    middle = _apply_split(state, number)
    if middle >= node.end:
        return
    if len(problem.directions) > 0:
        opened[DIRECTION] = problem.directions[best.feature]
    if always_weighs or problem.min_impurity_decrease > 0.0 or opened[DIRECTION] != 0:
        _describe_children(state, middle)
        gain = _compute_improvement(impurity, weight, problem.total_weight, sides)
        rounding = EPSILON * impurity * weight / problem.total_weight
        if gain + rounding < problem.min_impurity_decrease:
            return
        bounds[IMPROVEMENT], bounds[BETWEEN] = gain, sides[0, 2] / 2 + sides[1, 2] / 2
    opened[MIDDLE] = middle


@kernel
def grow(state):
    """Grow a tree into `state.nodes`, numbered in scikit-learn's order.

    Returns
    -------
    n_nodes : int
        -1 if the stack was too small.
    depth : int
    """
    problem, nodes, waiting = state.problem, state.nodes, state.waiting
    stack, stack_bounds = waiting.stack, waiting.stack_bounds
    frontier, frontier_bounds = waiting.frontier, waiting.frontier_bounds
    stack[0, START], stack[0, END], stack[0, DEPTH] = 0, state.rows.n, 0
    stack[0, PARENT], stack[0, IS_LEFT], stack[0, N_CONSTANT] = -1, 0, 0
    stack_bounds[0, LOWER], stack_bounds[0, UPPER] = -np.inf, np.inf
    # Typed from the start: literals would have every callee compiled for them, too.
    n_pending, n_heap, n_nodes, deepest = np.int64(1), np.int64(0), np.int64(0), np.int64(0)
    is_best_first, n_splits = problem.max_leaf_nodes > 0, problem.max_leaf_nodes - 1
    while n_pending > 0 or n_heap > 0:
        if n_pending == 0:
            n_pending = _pop_children(state, n_heap, n_nodes, n_splits)
            n_heap -= 1
            n_splits -= n_pending // 2
            continue
        n_pending -= 1
        number = n_nodes
        n_nodes += 1
        deepest = max(deepest, stack[n_pending, DEPTH])
        place = number if is_best_first else np.int64(0)
        opened, bounds = frontier[place], frontier_bounds[place]
        for k in range(N_COLUMNS):
            opened[k] = stack[n_pending, k]
        for k in range(N_BOUNDS):
            bounds[k] = stack_bounds[n_pending, k]
        if not is_best_first and number > 0 and opened[IS_LEFT] == 0:
            nodes.rights[opened[PARENT]] = number
        _open_node(state, number, opened, bounds, is_best_first)
        if is_best_first:
            # Features known to be constant are kept of one path only, which is not followed.
            opened[N_CONSTANT] = 0
            _push(waiting.heap, n_heap, number, frontier_bounds)
            n_heap += 1
        elif opened[MIDDLE] < opened[END]:
            if n_pending + 2 > len(stack):
                return np.int64(-1), np.int64(0)
            nodes.rights[number] = 0
            _push_children(waiting, n_pending, opened, bounds, number)
            n_pending += 2
    return n_nodes, deepest


@kernel
def number_depth_first(lefts, rights, n_nodes, order, stack):
    """Nodes in the order in which a depth-first tree would number them."""
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
