"""Votes, values and medians of many shallow trees, block by block of rows."""

import numpy as np

from skextra._core.runtime.jit import njit

_BLOCK = 1024


def as_columns(X):
    """Rows of X by column, in single precision, as trees compare them.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)

    Returns
    -------
    columns : ndarray of shape (n_features, n_samples) and float32
    """
    return np.ascontiguousarray(X.T, dtype=np.float32)


def find_nodes(trees, index, columns):
    """Node of tree `index` in which each row ends, an int64 array of shape (n_samples,)."""
    nodes = np.empty(columns.shape[1], dtype=np.int64)
    _walk(
        trees.begins[index], trees.left, trees.right, trees.feature, trees.threshold,
        trees.missing_left, columns, 0, nodes,
    )  # fmt: skip
    return nodes


def sum_votes(trees, labels, votes, n_classes, columns):
    """Sum what each tree says in its turn: its vote for a class, and a share against the others.

    Parameters
    ----------
    trees : Trees
    labels : ndarray of shape (n_nodes,) and int64
        Class of each node.
    votes : ndarray of shape (n_trees,)
    n_classes : int
    columns : ndarray of shape (n_features, n_samples) and float32

    Returns
    -------
    sums : ndarray of shape (n_samples, n_classes)
    """
    sums = np.zeros((columns.shape[1], n_classes))
    _sum_votes(
        trees.begins, trees.left, trees.right, trees.feature, trees.threshold,
        trees.missing_left, labels, votes, columns, sums,
    )  # fmt: skip
    return sums


def compute_values(trees, columns):
    """Value of each tree for each row, of shape (n_samples, n_trees)."""
    values = np.empty((columns.shape[1], len(trees)))
    _fill_values(
        trees.begins, trees.left, trees.right, trees.feature, trees.threshold,
        trees.missing_left, trees.value, columns, values,
    )  # fmt: skip
    return values


def compute_medians(values, votes):
    """Weighted median of each row: the least value whose votes, with those below, reach half.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_trees), C-contiguous
    votes : ndarray of shape (n_trees,)

    Returns
    -------
    medians : ndarray of shape (n_samples,)
    """
    return _compute_medians(values, votes)


@njit(error_model="numpy")
def _walk(begin, left, right, feature, threshold, missing_left, columns, start, nodes):
    """Fill `nodes` for the rows from `start` on."""
    for row in range(nodes.size):
        node = begin
        while left[node] >= 0:
            value = columns[feature[node], start + row]
            if value <= threshold[node] or (missing_left[node] and np.isnan(value)):
                node = begin + left[node]
            else:
                node = begin + right[node]
        nodes[row] = node


@njit(error_model="numpy")
def _sum_votes(begins, left, right, feature, threshold, missing_left, labels, votes, columns, sums):
    n_samples, n_classes = sums.shape
    nodes = np.empty(_BLOCK, dtype=np.int64)
    for start in range(0, n_samples, _BLOCK):
        n = min(_BLOCK, n_samples - start)
        for tree in range(votes.size):
            vote = votes[tree]
            against = -1.0 / (n_classes - 1) * vote
            _walk(
                begins[tree], left, right, feature, threshold, missing_left, columns, start,
                nodes[:n],
            )  # fmt: skip
            for row in range(n):
                label = labels[nodes[row]]
                for k in range(n_classes):
                    sums[start + row, k] += vote if k == label else against


@njit(error_model="numpy")
def _fill_values(begins, left, right, feature, threshold, missing_left, value, columns, values):
    n_samples, n_trees = values.shape
    nodes = np.empty(_BLOCK, dtype=np.int64)
    for start in range(0, n_samples, _BLOCK):
        n = min(_BLOCK, n_samples - start)
        for tree in range(n_trees):
            _walk(
                begins[tree], left, right, feature, threshold, missing_left, columns, start,
                nodes[:n],
            )  # fmt: skip
            for row in range(n):
                values[start + row, tree] = value[nodes[row], 0]


@njit(error_model="numpy")
def _compute_medians(values, votes):
    n_samples, n_trees = values.shape
    medians = np.empty(n_samples)
    order = np.empty(n_trees, dtype=np.int64)
    for i in range(n_samples):
        _shell_sort(values[i], order)
        total = 0.0
        for place in range(n_trees):
            total += votes[order[place]]
        below, place = votes[order[0]], 0
        while place < n_trees - 1 and not below >= 0.5 * total:
            place += 1
            below += votes[order[place]]
        medians[i] = values[i, order[place]]
    return medians


@njit(error_model="numpy")
def _shell_sort(values, order):
    """Order of the values, few as they are."""
    n = values.size
    for position in range(n):
        order[position] = position
    gap = 1
    while gap < n // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for position in range(gap, n):
            item = order[position]
            value, place = values[item], position
            while place >= gap and values[order[place - gap]] > value:
                order[place] = order[place - gap]
                place -= gap
            order[place] = item
        gap //= 3
