"""Prediction: eight rows walk down a tree side by side, tree after tree.

One row's walk waits for memory at every node; eight walks wait together. Which way a row
turns is as good as random, so steps are made without branches, and a row that has arrived
stays at its leaf until the others have. Trees are outermost over blocks of rows, so that a
tree's nodes stay in the cache.
"""

import numpy as np

from skextra._core.runtime.jit import njit
from skextra._core.runtime.select import choose
from skextra._core.tree.nodes import FEATURE_MASK, MISSING_LEFT

# Bytes of the rows that go through a tree together: they stay in the cache from tree to tree.
_BLOCK_BYTES = 1 << 19
_FEWEST_ROWS, _MOST_ROWS = 64, 8192
_ONE, _TWO, _THREE = np.uint64(1), np.uint64(2), np.uint64(3)


@njit(error_model="numpy", _nrt=False, forceinline=True)
def _step(nodes, thresholds, flat, begin, node):
    """Child of a node that a row goes to, and what the node says of its right child.

    A leaf, whose right child is negative, is its own child.
    """
    place = _THREE * node
    feature, right = nodes[place], nodes[place + _TWO]
    value = flat[begin + np.uint64(feature & FEATURE_MASK)]
    left = node + _ONE
    child = choose(value <= thresholds[place + _ONE], left, np.uint64(np.uint32(right)))
    child = choose((value != value) & (feature >= MISSING_LEFT), left, child)
    return choose(right < 0, node, child), right


@njit(error_model="numpy", _nrt=False)
def _find_nodes(nodes, thresholds, flat, n_features, start, stop, out):
    """Leaves, as nodes, of rows start to stop in one tree."""
    n_rows, p = np.uint64(stop - start), np.uint64(n_features)
    r = np.uint64(0)
    while r + np.uint64(8) <= n_rows:
        # Eight numbers that live in registers: numba keeps no array there.
        b0 = (np.uint64(start) + r) * p
        b1, b2, b3 = b0 + p, b0 + _TWO * p, b0 + _THREE * p
        b4 = b3 + p
        b5, b6, b7 = b4 + p, b4 + _TWO * p, b4 + _THREE * p
        n0 = n1 = n2 = n3 = n4 = n5 = n6 = n7 = np.uint64(0)
        marks = np.int32(0)
        while marks >= 0:
            n0, r0 = _step(nodes, thresholds, flat, b0, n0)
            n1, r1 = _step(nodes, thresholds, flat, b1, n1)
            n2, r2 = _step(nodes, thresholds, flat, b2, n2)
            n3, r3 = _step(nodes, thresholds, flat, b3, n3)
            n4, r4 = _step(nodes, thresholds, flat, b4, n4)
            n5, r5 = _step(nodes, thresholds, flat, b5, n5)
            n6, r6 = _step(nodes, thresholds, flat, b6, n6)
            n7, r7 = _step(nodes, thresholds, flat, b7, n7)
            marks = r0 & r1 & r2 & r3 & r4 & r5 & r6 & r7  # negative once all are at leaves
        out[r], out[r + np.uint64(1)] = n0, n1
        out[r + np.uint64(2)], out[r + np.uint64(3)] = n2, n3
        out[r + np.uint64(4)], out[r + np.uint64(5)] = n4, n5
        out[r + np.uint64(6)], out[r + np.uint64(7)] = n6, n7
        r += np.uint64(8)
    while r < n_rows:
        node, mark = np.uint64(0), np.int32(0)
        while mark >= 0:
            node, mark = _step(nodes, thresholds, flat, (np.uint64(start) + r) * p, node)
        out[r] = node
        r += np.uint64(1)


@njit
def _choose_block_size(n_features):
    return min(max(_BLOCK_BYTES // (4 * n_features), _FEWEST_ROWS), _MOST_ROWS)


@njit
def _sum_values(
    nodes, thresholds, node_offsets, leaf_offsets, leaf_values, pure_classes, flat, n_features,
    first, last, out,
):  # fmt: skip
    n_rows, width = out.shape
    size = _choose_block_size(n_features)
    found = np.empty(size, np.uint32)
    for start in range(0, n_rows, size):
        stop = min(start + size, n_rows)
        for t in range(first, last):
            tree = nodes[3 * node_offsets[t] : 3 * node_offsets[t + 1]]
            tree_thresholds = thresholds[3 * node_offsets[t] : 3 * node_offsets[t + 1]]
            _find_nodes(tree, tree_thresholds, flat, n_features, start, stop, found)
            for row in range(start, stop):
                leaf = leaf_offsets[t] + ~tree[_THREE * found[row - start] + _TWO]
                if width == 1:
                    out[row, 0] += leaf_values[leaf, 0]
                elif pure_classes[leaf] >= 0:
                    # Leaves of one class are most: their rows of values are not read.
                    out[row, pure_classes[leaf]] += 1.0
                else:
                    for k in range(width):
                        out[row, k] += leaf_values[leaf, k]


@njit
def _fill_leaves(nodes, thresholds, node_offsets, flat, n_features, as_nodes, out):
    n_rows = len(out)
    size = _choose_block_size(n_features)
    found = np.empty(size, np.uint32)
    for start in range(0, n_rows, size):
        stop = min(start + size, n_rows)
        for t in range(len(node_offsets) - 1):
            tree = nodes[3 * node_offsets[t] : 3 * node_offsets[t + 1]]
            tree_thresholds = thresholds[3 * node_offsets[t] : 3 * node_offsets[t + 1]]
            _find_nodes(tree, tree_thresholds, flat, n_features, start, stop, found)
            for row in range(start, stop):
                node = found[row - start]
                out[row, t] = node if as_nodes else ~tree[_THREE * node + _TWO]


def _flatten(trees):
    nodes = trees.nodes.reshape(-1)
    return nodes, nodes.view(np.float32)


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
        *_flatten(trees), trees.node_offsets, trees.leaf_offsets, trees.leaf_values,
        trees.pure_classes, X.reshape(-1), X.shape[1], first, last, out,
    )  # fmt: skip


def find_leaves(trees, X, as_nodes=False):
    """Number of each row's leaf within each tree, or the leaf's node.

    Returns
    -------
    leaves : ndarray of int32 of shape (n_samples, n_trees)
    """
    out = np.empty((len(X), trees.n_trees), np.int32)
    _fill_leaves(
        *_flatten(trees), trees.node_offsets, X.reshape(-1), X.shape[1], as_nodes, out
    )  # fmt: skip
    return out
