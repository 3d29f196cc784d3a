"""The best split of a node among features drawn as scikit-learn draws them."""

import numpy as np

from skextra._core.runtime.entries import call_entry, inlined_kernel, part
from skextra._core.tree.criteria import ZERO_SCORE
from skextra._core.tree.criterion_table import CLASSES, SUMS
from skextra._core.tree.random_state import draw_integer
from skextra._core.tree.sorted_block import is_constant_in_block


@inlined_kernel
def find_split(state):
    """Search the node's split; the best is left in `state.best`.

    Drawing without replacement, constant features found here or above included, is
    scikit-learn's, draw for draw, so that one seed gives one tree in both.

    `node.n_constant` is the number of features known to be constant above; it receives that
    of the features known to be constant in this node and below.
    """
    problem, node, best = state.problem, state.node, state.best
    sampler, column = state.sampler, state.column
    features, constants, max_features = sampler.features, sampler.constants, problem.max_features
    # A side with less than the rounding of the node's weight has no weight.
    rounding = (node.end - node.start) * np.finfo(np.float64).eps * node.weight
    node.min_weight = max(problem.min_weight_leaf, rounding)
    node.zero_score = ZERO_SCORE * node.weight * node.impurity
    best.exact, best.score = -np.inf, -1.0
    best.feature, best.cut, best.missing_left = -1, -1, -1
    is_in_block = node.end - node.start <= state.block.size
    if is_in_block:
        call_entry(state.steps.enter_block, state)
    n_known = node.n_constant
    remaining, n_visited, n_found, n_constant = len(features), 0, 0, n_known
    n_drawn = np.int64(0)
    while remaining > n_constant and (n_visited < max_features or n_visited <= n_found + n_drawn):
        n_visited += 1
        j = draw_integer(n_drawn, remaining - n_found, sampler)
        if j < n_known:
            features[n_drawn], features[j] = features[j], features[n_drawn]
            n_drawn += 1
            continue
        j += n_found
        column.feature = features[j]
        if is_constant_in_block(state) if is_in_block else _is_constant(state):
            features[j], features[n_constant] = features[n_constant], features[j]
            n_found += 1
            n_constant += 1
            continue
        remaining -= 1
        features[remaining], features[j] = features[j], features[remaining]
        column.direction = problem.directions[column.feature] if len(problem.directions) else 0
        if is_in_block:
            _search_block(state)
        elif problem.is_random:
            call_entry(state.steps.search_random, state)
        else:
            _search(state)
    for k in range(n_known):
        features[k] = constants[k]
    for k in range(n_known, n_constant):
        constants[k] = features[k]
    node.n_constant = n_constant


@inlined_kernel
def _search_block(state):
    """Offer the current column's splits in a block of sorted rows."""
    best, is_pair = state.best, state.node.end - state.node.start == 2
    if is_pair and best.feature >= 0:
        return  # there is but one way to part two rows
    if state.problem.search != SUMS and best.exact == 0.0:
        return  # both sides are pure already: no split is better
    call_entry(state.steps.search_block, state)


@inlined_kernel
def _is_constant(state):
    """Read the current column's codes, and whether the node's rows do not differ in them."""
    codes, column = state.codes, state.column
    feature = column.feature
    missing = np.int64(codes.missing[feature])
    column.missing = missing
    call_entry(state.steps.gather, state)
    high, first = column.high, codes.offsets[feature]
    has_missing = missing >= 0 and high == missing
    column.first, column.n_values = first, codes.offsets[feature + 1] - first
    column.has_missing = has_missing
    if not has_missing:
        return column.low == high
    code = part(state.scratch.code, 0, state.node.end - state.node.start)
    high = np.int64(-1)
    for i in range(len(code)):
        if code[i] != missing:
            high = max(high, np.int64(code[i]))
    column.high = high
    return high < 0  # all of the node's values are missing


@inlined_kernel
def _search(state):
    """Offer the current column's splits, by the problem's search or by the general one."""
    search, column, best = state.problem.search, state.column, state.best
    if search <= CLASSES and column.has_missing == 0 and column.direction == 0:
        if search != SUMS and best.exact == 0.0:
            return  # both sides are pure already: no split is better
        call_entry(state.steps.search, state)
        if best.feature == column.feature:
            best.missing_left = -1
        return
    call_entry(state.steps.search_general, state)
