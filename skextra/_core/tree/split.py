"""The best split of a node among features drawn as scikit-learn draws them."""

import numpy as np

from skextra._core.jit import njit
from skextra._core.tree.encode import SPARSE
from skextra._core.tree.gather import gather_codes
from skextra._core.tree.problem import BINARY, CLASSES, SUMS
from skextra._core.tree.random_state import draw_integer
from skextra._core.tree.records import CUT, EXACT, FEATURE, MISSING_LEFT, SCORE
from skextra._core.tree.scores import FEATURE_THRESHOLD
from skextra._core.tree.search_binary import search_binary
from skextra._core.tree.search_classes import search_classes
from skextra._core.tree.search_general import search_general
from skextra._core.tree.search_random import search_random
from skextra._core.tree.search_sums import search_sums


@njit
def find_split(problem, data, table, state, work, settings, start, end, totals, weight, packed,
               n_known, bounds, random, record, marks):  # fmt: skip
    """Search a node's split; the best is left in `record` and `marks`.

    Drawing without replacement, constant features found here or above included, is
    scikit-learn's, draw for draw, so that one seed gives one tree in both.

    Returns
    -------
    n_constant : int
        Number of features known to be constant in this node and below.
    """
    features, constants = work[1], work[2]
    is_random, max_features = settings[0], settings[1]
    n_features = len(features)
    record[EXACT], record[SCORE] = -np.inf, -1.0
    marks[FEATURE], marks[CUT], marks[MISSING_LEFT] = -1, -1, -1
    remaining, n_visited, n_found, n_drawn, n_constant = n_features, 0, 0, 0, n_known
    while remaining > n_constant and (n_visited < max_features or n_visited <= n_found + n_drawn):
        n_visited += 1
        j = draw_integer(n_drawn, remaining - n_found, random)
        if j < n_known:
            features[n_drawn], features[j] = features[j], features[n_drawn]
            n_drawn += 1
            continue
        j += n_found
        feature = features[j]
        code = work[0][: end - start]
        low, high = gather_codes(data, feature, state[0], state[1], start, end, code)
        has_missing = table[2][feature] >= 0 and high == table[2][feature]
        if has_missing:
            high = _find_highest_present(code, high)
        values = table[0][table[1][feature] : table[1][feature + 1]]
        if high < 0 or (values[high] <= values[low] + FEATURE_THRESHOLD and not has_missing):
            features[j], features[n_constant] = features[n_constant], features[j]
            n_found += 1
            n_constant += 1
            continue
        remaining -= 1
        features[remaining], features[j] = features[j], features[remaining]
        if is_random:
            search_random(problem, state, code, start, end, low, high, has_missing, values, totals,
                          weight, settings, bounds, feature, random, work, record, marks)  # fmt: skip
        else:
            _search(problem, table, state, work, settings, code, start, end, low, high, has_missing,
                    values, totals, weight, packed, bounds, feature, record, marks)  # fmt: skip
    features[:n_known] = constants[:n_known]
    constants[n_known:n_constant] = features[n_known:n_constant]
    return n_constant


@njit
def _find_highest_present(code, missing):
    highest = -1
    for i in range(len(code)):
        if code[i] != missing:
            highest = max(highest, code[i])
    return highest


@njit
def _search(problem, table, state, work, settings, code, start, end, low, high, has_missing, values,
            totals, weight, packed, bounds, feature, record, marks):  # fmt: skip
    kind = problem[0]
    direction = settings[8][feature] if len(settings[8]) else 0
    if kind <= CLASSES and not has_missing and direction == 0:
        if kind != SUMS and record[EXACT] == 0.0:
            return  # both sides are pure already: no split is better
        exact, score = record[EXACT], record[SCORE]
        best, cut, missing_left = marks[FEATURE], marks[CUT], marks[MISSING_LEFT]
        _search_fast(problem, state, work, settings, code, start, end, low, high, totals, weight,
                     packed, feature, record, marks)  # fmt: skip
        if marks[FEATURE] != feature:
            return
        marks[MISSING_LEFT] = -1
        if table[3][feature] == 0 or _separates(code, marks[CUT], values):
            return
        # The best cut runs between values that scikit-learn holds for one.
        record[EXACT], record[SCORE] = exact, score
        marks[FEATURE], marks[CUT], marks[MISSING_LEFT] = best, cut, missing_left
    search_general(problem, code, state[0][start:end], table[2][feature], values, totals, weight,
                   (settings[3], settings[4]), direction, bounds, feature, work[7], record,
                   marks)  # fmt: skip


@njit
def _separates(code, cut, values):
    below, above = -1, len(values)
    for i in range(len(code)):
        if code[i] <= cut:
            below = max(below, code[i])
        else:
            above = min(above, code[i])
    return values[above] > values[below] + FEATURE_THRESHOLD


@njit
def _search_fast(problem, state, work, settings, code, start, end, low, high, totals, weight, packed,
                 feature, record, marks):  # fmt: skip
    kind, criterion = problem[0], problem[1]
    limits = (settings[3], settings[4])
    keys, histogram, float_histogram = work[3], work[4], work[5]
    buckets, bucket_sums, stack = work[6]
    if kind == BINARY:
        search_binary(code, state[2][start:end], low, high, packed, limits, criterion, problem[7],
                      feature, (keys, histogram, buckets, stack), record, marks)  # fmt: skip
    elif kind == SUMS:
        mean = (totals[1] if problem[3] == 2 else totals[0]) / weight
        search_sums(code, state[3][start:end], state[4][start:end], low, high, weight, mean, limits,
                    feature, (keys, float_histogram, buckets, bucket_sums, stack), record,
                    marks)  # fmt: skip
    else:
        left, right, parts = work[8]
        search_classes(code, state[2][start:end], state[3][start:end], low, high, totals, weight,
                       limits, criterion, feature,
                       (keys, float_histogram, buckets, stack, left, right, parts), record,
                       marks)  # fmt: skip


@njit
def read_codes(data, feature, state, start, end, code):
    """Codes of a node's rows in the column it is split by."""
    gather_codes(data, feature, state[0], state[1], start, end, code)
    return data[0] == SPARSE
