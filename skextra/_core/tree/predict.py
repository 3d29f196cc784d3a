"""Prediction: several rows walk down a tree side by side, tree after tree.

One row's walk waits for memory at every node; four walks wait together. Trees are
outermost over blocks of rows, so that a tree's nodes stay in the cache.
"""

import numpy as np

from skextra._core.jit import njit
from skextra._core.tree.nodes import FEATURE_MASK, MISSING_LEFT

BLOCK = 4096


@njit
def _step(nodes, thresholds, X, row, node):
    right = nodes[node, 2]
    feature = nodes[node, 0]
    value = X[row, feature & FEATURE_MASK]
    goes_left = (value <= thresholds[node, 1]) | ((value != value) & (feature >= MISSING_LEFT))
    following = node + 1 if goes_left else np.int64(right)
    return following if right >= 0 else node


@njit
def _find_nodes(nodes, thresholds, X, start, stop, out):
    """Leaves, as nodes, of rows start to stop in one tree."""
    row = start
    while row + 4 <= stop:
        a = b = c = d = 0
        while True:
            a, b = (
                _step(nodes, thresholds, X, row, a),
                _step(nodes, thresholds, X, row + 1, b),
            )
            c, d = (
                _step(nodes, thresholds, X, row + 2, c),
                _step(nodes, thresholds, X, row + 3, d),
            )
            if (nodes[a, 2] & nodes[b, 2] & nodes[c, 2] & nodes[d, 2]) < 0:
                break
        out[row - start], out[row + 1 - start] = a, b
        out[row + 2 - start], out[row + 3 - start] = c, d
        row += 4
    while row < stop:
        a = 0
        while nodes[a, 2] >= 0:
            a = _step(nodes, thresholds, X, row, a)
        out[row - start] = a
        row += 1


@njit
def _sum_values(nodes, thresholds, node_offsets, leaf_offsets, leaf_values, X, first, last, out):
    width = leaf_values.shape[1]
    found = np.empty(BLOCK, np.int64)
    for start in range(0, len(X), BLOCK):
        stop = min(start + BLOCK, len(X))
        for t in range(first, last):
            tree = nodes[node_offsets[t] : node_offsets[t + 1]]
            tree_thresholds = thresholds[node_offsets[t] : node_offsets[t + 1]]
            _find_nodes(tree, tree_thresholds, X, start, stop, found)
            if width == 1:
                for row in range(start, stop):
                    out[row, 0] += leaf_values[leaf_offsets[t] + ~tree[found[row - start], 2], 0]
            else:
                for row in range(start, stop):
                    leaf = leaf_offsets[t] + ~tree[found[row - start], 2]
                    for k in range(width):
                        out[row, k] += leaf_values[leaf, k]


@njit
def _fill_leaves(nodes, thresholds, node_offsets, X, as_nodes, out):
    found = np.empty(BLOCK, np.int64)
    for start in range(0, len(X), BLOCK):
        stop = min(start + BLOCK, len(X))
        for t in range(len(node_offsets) - 1):
            tree = nodes[node_offsets[t] : node_offsets[t + 1]]
            tree_thresholds = thresholds[node_offsets[t] : node_offsets[t + 1]]
            _find_nodes(tree, tree_thresholds, X, start, stop, found)
            for row in range(start, stop):
                node = found[row - start]
                out[row, t] = node if as_nodes else ~tree[node, 2]


def sum_leaf_values(trees, X, out, first=0, last=None):
    """Add the values of each row's leaves in trees first to last, in order.

    Parameters
    ----------
    trees : Trees
    X : C-contiguous ndarray of float32 of shape (n_samples, n_features)
    out : ndarray of float64 of shape (n_samples, n_outputs * stride)
    """
    last = trees.n_trees if last is None else last
    _sum_values(
        trees.nodes, trees.nodes.view(np.float32), trees.node_offsets, trees.leaf_offsets,
        trees.leaf_values, X, first, last, out,
    )  # fmt: skip


def find_leaves(trees, X, as_nodes=False):
    """Number of each row's leaf within each tree, or the leaf's node.

    Returns
    -------
    leaves : ndarray of int32 of shape (n_samples, n_trees)
    """
    out = np.empty((len(X), trees.n_trees), np.int32)
    _fill_leaves(trees.nodes, trees.nodes.view(np.float32), trees.node_offsets, X, as_nodes, out)
    return out
