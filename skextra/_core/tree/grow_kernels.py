"""Growing a tree, depth first or best split first, into flat arrays."""

import numpy as np

from skextra._core.runtime.entries import call_entry, inlined_kernel, kernel
from skextra._core.tree import slots
from skextra._core.tree.criteria import ABSOLUTE_ERROR, ENTROPY, EPSILON, round_down
from skextra._core.tree.records import CUT, FEATURE, MISSING_LEFT, THRESHOLD
from skextra._core.tree.search_random import find_code
from skextra._core.tree.sorted_block import divide_block, load_codes
from skextra._core.tree.split import find_split

# Entries of a node waiting on the stack or in the heap.
START, END, DEPTH, PARENT, IS_LEFT, N_CONSTANT, MIDDLE, DIRECTION = range(8)
LOWER, UPPER, IMPROVEMENT, BETWEEN = range(4)


@inlined_kernel
def _store_values(t, totals, weight, values, is_constrained, lower, upper):
    divisor = 1.0 if t[slots.CRITERION] == ABSOLUTE_ERROR else weight
    for k in range(len(totals)):
        values[k] = totals[k] / divisor
    if is_constrained:
        values[0] = min(max(values[0], lower), upper)
        if t[slots.STRIDE] > 1:
            values[1] = 1.0 - values[0]


@inlined_kernel
def _is_leaf(t, floats, depth):
    n = t[slots.END] - t[slots.START]
    return (
        depth >= t[slots.MAX_DEPTH]
        or n < t[slots.MIN_SPLIT]
        or n < 2 * t[slots.MIN_LEAF]
        or floats[slots.WEIGHT] < 2 * floats[slots.MIN_WEIGHT]
        or floats[slots.IMPURITY] <= (EPSILON if t[slots.CRITERION] <= ENTROPY else 0.0)
    )


@inlined_kernel
def _apply_split(t, address, table, features, n_constant, record, marks, node, tree):
    """Divide a node's rows by its best split; where the right child begins."""
    start, feature = t[slots.START], marks[FEATURE]
    is_in_block = t[slots.END] - start <= t[slots.BLOCK_SIZE]
    if is_in_block:
        load_codes(t, feature)
        t[slots.MISSING] = -1
    elif t[slots.FEATURE] != feature:  # else its codes are still there
        t[slots.FEATURE], t[slots.MISSING] = feature, table[2][feature]
        call_entry(t[slots.GATHER], address)
    t[slots.CUT], t[slots.GOES_LEFT] = marks[CUT], marks[MISSING_LEFT] == 1
    middle = start + call_entry(t[slots.PARTITION], address)
    below, above, first = t[slots.BELOW], t[slots.ABOVE], table[1][feature]
    cut = marks[CUT]
    if is_in_block:
        divide_block(t, features, n_constant, feature, cut)
    if t[slots.IS_RANDOM]:
        threshold = round_down(record[THRESHOLD])
    elif above < 0:
        threshold = np.float32(np.inf)
    else:
        values = table[0][first : table[1][feature + 1]]
        threshold = round_down(values[below] / 2.0 + values[above] / 2.0)
        # Rows without weight are routed by codes, and may lie between those of the node.
        if t[slots.ROUTES]:
            cut = find_code(values, below, above - 1, threshold)
    missing_left = marks[MISSING_LEFT]
    if missing_left < 0:
        missing_left = middle - start > t[slots.END] - middle
    tree[0][node], tree[1][node], tree[2][node], tree[3][node] = (
        feature, threshold, cut, missing_left,
    )  # fmt: skip
    return middle


@kernel
def _describe_children(t, address, floats, middle, totals, sides):
    """Weights, impurities and first values of a split's sides, into sides[side]."""
    start, end = t[slots.START], t[slots.END]
    for side in range(2):
        t[slots.START], t[slots.END] = (start, middle) if side == 0 else (middle, end)
        call_entry(t[slots.DESCRIBE], address)
        weight = floats[slots.WEIGHT]
        sides[side, 0], sides[side, 1] = weight, floats[slots.IMPURITY]
        sides[side, 2] = totals[0] / (1.0 if t[slots.CRITERION] == ABSOLUTE_ERROR else weight)
    t[slots.START], t[slots.END] = start, end


@kernel
def _compute_improvement(impurity, weight, total_weight, sides):
    return (weight / total_weight) * (
        impurity - sides[1, 0] / weight * sides[1, 1] - sides[0, 0] / weight * sides[0, 1]
    )


@kernel
def _push_children(entries, entry_bounds, n, start, middle, end, depth, node, n_constant, lower,
                   upper, direction, between):  # fmt: skip
    """Put the right and then the left child on the stack.

    A monotonic constraint keeps their values on two sides of a value between.
    """
    for side in range(2):
        is_left = side == 1
        place = n + side
        entries[place, START] = start if is_left else middle
        entries[place, END] = middle if is_left else end
        entries[place, DEPTH], entries[place, PARENT] = depth + 1, node
        entries[place, IS_LEFT], entries[place, N_CONSTANT] = is_left, n_constant
        entry_bounds[place, LOWER], entry_bounds[place, UPPER] = lower, upper
        if direction != 0:
            if (direction > 0) == is_left:
                entry_bounds[place, UPPER] = between
            else:
                entry_bounds[place, LOWER] = between


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
def _pop_children(heap, n_heap, frontier, frontier_bounds, entries, entry_bounds, n_nodes, rights,
                  lefts, n_splits):  # fmt: skip
    """Take the best node off the heap and put its children on the stack; how many they are."""
    node = _pop(heap, n_heap, frontier_bounds)
    f, b = frontier[node], frontier_bounds[node]
    if f[MIDDLE] >= f[END] or n_splits <= 0:
        return 0
    lefts[node], rights[node] = n_nodes, n_nodes + 1
    none = np.int64(0)
    _push_children(entries, entry_bounds, none, f[START], f[MIDDLE], f[END], f[DEPTH], node, none,
                   b[LOWER], b[UPPER], f[DIRECTION], b[BETWEEN])  # fmt: skip
    return 2


@inlined_kernel
def _open_node(t, address, floats, total_weight, table, features, constants, directions, random,
               tree, small, node, depth, n_constant, always_weighs):  # fmt: skip
    """Describe a node and divide its rows.

    Returns
    -------
    middle : int
        Where the right child's rows begin; the node's end if it stays a leaf.
    n_constant, direction : int
        Number of features known to be constant; monotonic constraint of the split's.
    gain, between : float
        Improvement, and a value between the children's, where they are needed.
    """
    record, marks, totals, sides = small
    call_entry(t[slots.DESCRIBE], address)
    weight, impurity, end = floats[slots.WEIGHT], floats[slots.IMPURITY], t[slots.END]
    tree[5][node], tree[6][node], tree[7][node] = end - t[slots.START], weight, impurity
    lower, upper = floats[slots.LOWER], floats[slots.UPPER]
    _store_values(t, totals, weight, tree[8][node], len(directions) > 0, lower, upper)
    tree[4][node] = -1
    middle, direction, gain, between = end, np.int64(0), 0.0, 0.0
    if not _is_leaf(t, floats, depth):
        n_constant = find_split(t, address, floats, table, features, constants, directions,
                                n_constant, random, record, marks)  # fmt: skip
        if marks[FEATURE] >= 0:
            middle = _apply_split(t, address, table, features, n_constant, record, marks, node,
                                  tree)  # fmt: skip
    if middle < end:
        direction = np.int64(directions[marks[FEATURE]] if len(directions) else 0)
        if always_weighs or floats[slots.MIN_DECREASE] > 0.0 or direction != 0:
            _describe_children(t, address, floats, middle, totals, sides)
            gain = _compute_improvement(impurity, weight, total_weight, sides)
            between = sides[0, 2] / 2 + sides[1, 2] / 2
            if gain + EPSILON * impurity * weight / total_weight < floats[slots.MIN_DECREASE]:
                middle, gain = end, 0.0
    return middle, n_constant, direction, gain, between


@kernel
def grow(t, address, floats, total_weight, table, features, constants, directions, random, tree,
         lefts, entries, entry_bounds, frontier, frontier_bounds, heap, small):  # fmt: skip
    """Grow a tree, with nodes numbered in scikit-learn's order.

    Parameters
    ----------
    t, floats : ndarray of int64 and float64
        The tables of `slots`.
    address : int
        Of `t`.
    total_weight : float
    table, features, constants, directions, random
        As `find_split` takes them.
    tree : tuple of ndarray
        Receives features, thresholds, cuts, the side of missing values, right children
        (-1 at leaves), rows, weights, impurities and values.
    lefts : ndarray of int32
        Receives left children where the best node is split first.
    entries, entry_bounds : ndarray of int64 and float64
        Room for the stack.
    frontier, frontier_bounds, heap : ndarray
        Room for as many nodes as there may be, where the best is split first.
    small : tuple of ndarray
        Record, marks, totals, statistics of the sides.

    Returns
    -------
    n_nodes : int
        -1 if the stack was too small.
    depth : int
    """
    rights = tree[4]
    entries[0, START], entries[0, END], entries[0, DEPTH] = 0, t[slots.N_ROWS], 0
    entries[0, PARENT], entries[0, IS_LEFT], entries[0, N_CONSTANT] = -1, 0, 0
    entry_bounds[0, LOWER], entry_bounds[0, UPPER] = -np.inf, np.inf
    # Typed from the start: literals would have every callee compiled for them, too.
    n_pending, n_heap, n_nodes, deepest = np.int64(1), np.int64(0), np.int64(0), np.int64(0)
    is_best_first, n_splits = t[slots.MAX_LEAVES] > 0, t[slots.MAX_LEAVES] - 1
    while n_pending > 0 or n_heap > 0:
        if n_pending == 0:
            n_pending = _pop_children(heap, n_heap, frontier, frontier_bounds, entries,
                                      entry_bounds, n_nodes, rights, lefts, n_splits)  # fmt: skip
            n_heap -= 1
            n_splits -= n_pending // 2
            continue
        n_pending -= 1
        e, node = entries[n_pending], n_nodes
        start, end, depth, n_constant = e[START], e[END], e[DEPTH], e[N_CONSTANT]
        lower, upper = entry_bounds[n_pending, LOWER], entry_bounds[n_pending, UPPER]
        n_nodes += 1
        deepest = max(deepest, depth)
        if not is_best_first and node > 0 and e[IS_LEFT] == 0:
            rights[e[PARENT]] = node
        t[slots.START], t[slots.END] = start, end
        floats[slots.LOWER], floats[slots.UPPER] = lower, upper
        middle, n_constant, direction, gain, between = _open_node(
            t, address, floats, total_weight, table, features, constants, directions, random, tree,
            small, node, depth, n_constant, is_best_first,
        )  # fmt: skip
        if is_best_first:
            f, b = frontier[node], frontier_bounds[node]
            f[START], f[MIDDLE], f[END], f[DEPTH], f[DIRECTION] = (
                start, middle, end, depth, direction,
            )  # fmt: skip
            b[LOWER], b[UPPER], b[IMPROVEMENT], b[BETWEEN] = lower, upper, gain, between
            _push(heap, n_heap, node, frontier_bounds)
            n_heap += 1
        elif middle < end:
            if n_pending + 2 > len(entries):
                return -1, 0
            rights[node] = 0
            _push_children(entries, entry_bounds, n_pending, start, middle, end, depth, node,
                           n_constant, lower, upper, direction, between)  # fmt: skip
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
