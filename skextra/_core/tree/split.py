"""The best split of a node among features drawn as scikit-learn draws them."""

import numpy as np

from skextra._core.runtime.entries import call_entry, inlined_kernel, view_int32
from skextra._core.tree import slots
from skextra._core.tree.problem import CLASSES, SUMS
from skextra._core.tree.random_state import draw_integer
from skextra._core.tree.records import CUT, EXACT, FEATURE, MISSING_LEFT, SCORE
from skextra._core.tree.sorted_block import enter_block, is_constant_in_block, search_block


@inlined_kernel
def find_split(t, address, floats, table, features, constants, directions, n_known, random, record,
               marks):  # fmt: skip
    """Search a node's split; the best is left in `record` and `marks`.

    Drawing without replacement, constant features found here or above included, is
    scikit-learn's, draw for draw, so that one seed gives one tree in both.

    Parameters
    ----------
    t : ndarray of int64
        The table of `slots`, with START and END of the node.
    address : int
        Of the table.
    floats : ndarray of float64
        The table of real numbers.
    table : tuple of ndarray
        Values, their offsets and codes of NaN, of all features.
    features, constants : ndarray of int32 of shape (n_features,)
        A permutation, and features known to be constant in the nodes above.
    directions : ndarray of int8
        Monotonic constraints, or of size 0.
    n_known : int
        Number of features known to be constant.
    random : ndarray of int64 of shape (1,)
        State of the generator.
    record, marks : ndarray
        See `records`.

    Returns
    -------
    n_constant : int
        Number of features known to be constant in this node and below.
    """
    max_features = t[slots.MAX_FEATURES]
    is_in_block = enter_block(t, features, n_known)
    record[EXACT], record[SCORE] = -np.inf, -1.0
    marks[FEATURE], marks[CUT], marks[MISSING_LEFT] = -1, -1, -1
    remaining, n_visited, n_found, n_constant = len(features), 0, 0, n_known
    n_drawn = np.int64(0)
    while remaining > n_constant and (n_visited < max_features or n_visited <= n_found + n_drawn):
        n_visited += 1
        j = draw_integer(n_drawn, remaining - n_found, random)
        if j < n_known:
            features[n_drawn], features[j] = features[j], features[n_drawn]
            n_drawn += 1
            continue
        j += n_found
        if (
            is_constant_in_block(t, np.int64(features[j]))
            if is_in_block
            else _is_constant(t, address, table, features[j])
        ):
            features[j], features[n_constant] = features[n_constant], features[j]
            n_found += 1
            n_constant += 1
            continue
        remaining -= 1
        features[remaining], features[j] = features[j], features[remaining]
        if is_in_block:
            search_block(t, floats, record, marks)
            continue
        t[slots.DIRECTION] = directions[t[slots.FEATURE]] if len(directions) else 0
        if t[slots.IS_RANDOM]:
            call_entry(t[slots.SEARCH_RANDOM], address)
        else:
            _search(t, address, table, record, marks)
    for k in range(n_known):
        features[k] = constants[k]
    for k in range(n_known, n_constant):
        constants[k] = features[k]
    return n_constant


@inlined_kernel
def _is_constant(t, address, table, feature):
    """Read a column's codes, and whether the node's rows differ in them."""
    offsets, missing = table[1], table[2]
    t[slots.FEATURE], t[slots.MISSING] = feature, missing[feature]
    call_entry(t[slots.GATHER], address)
    low, high, first = t[slots.LOW], t[slots.HIGH], offsets[feature]
    has_missing = missing[feature] >= 0 and high == missing[feature]
    t[slots.VALUES] = t[slots.ALL_VALUES] + 4 * first
    t[slots.N_VALUES], t[slots.HAS_MISSING] = offsets[feature + 1] - first, has_missing
    if not has_missing:
        return low == high
    code = view_int32(t[slots.CODE], t[slots.END] - t[slots.START])
    high = -1
    for i in range(len(code)):
        if code[i] != missing[feature]:
            high = max(high, code[i])
    t[slots.HIGH] = high
    return high < 0  # all of the node's values are missing


@inlined_kernel
def _search(t, address, table, record, marks):
    kind, feature = t[slots.KIND], t[slots.FEATURE]
    if kind <= CLASSES and t[slots.HAS_MISSING] == 0 and t[slots.DIRECTION] == 0:
        if kind != SUMS and record[EXACT] == 0.0:
            return  # both sides are pure already: no split is better
        call_entry(t[slots.SEARCH], address)
        if marks[FEATURE] == feature:
            marks[MISSING_LEFT] = -1
        return
    call_entry(t[slots.SEARCH_GENERAL], address)
