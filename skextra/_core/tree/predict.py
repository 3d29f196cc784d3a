"""Prediction: rows walk down a tree side by side, tree after tree.

One row's walk waits for memory at every node; many walks wait together. Trees are
outermost over blocks of rows, so that a tree's nodes stay in the cache.
"""

import numpy as np

from skextra._core.runtime.jit import njit
from skextra._core.tree.nodes import FEATURE_MASK, MISSING_LEFT

BLOCK = 1024


@njit(error_model="numpy")
def _find_nodes(nodes, thresholds, X, start, stop, out, active):
    """Leaves, as nodes, of rows start to stop in one tree.

    All rows take one step, then those that are not at a leaf take the next: no step
    waits for another's memory.
    """
    n_features = np.uint64(X.shape[1])
    flat, begin = X.reshape(-1), np.uint64(start) * n_features
    n_active = stop - start
    for i in range(n_active):
        out[i] = 0
        active[i] = i
    if nodes[2] < 0:
        return
    while n_active > 0:
        n_kept = np.uint64(0)
        for p in range(n_active):
            i = active[p]
            node = np.uint64(out[i])
            place = np.uint64(3) * node
            feature = nodes[place]
            value = flat[begin + np.uint64(i) * n_features + np.uint64(feature & FEATURE_MASK)]
            goes_left = (value <= thresholds[place + np.uint64(1)]) | (
                (value != value) & (feature >= MISSING_LEFT)
            )
            following = node + np.uint64(1)
            if not goes_left:
                following = np.uint64(nodes[place + np.uint64(2)])
            out[i] = following
            active[n_kept] = i
            n_kept += np.uint64(nodes[np.uint64(3) * following + np.uint64(2)] >= 0)
        n_active = np.int64(n_kept)


@njit
def _sum_values(nodes, thresholds, node_offsets, leaf_offsets, leaf_values, X, first, last, out):
    width = leaf_values.shape[1]
    found, active = np.empty(BLOCK, np.uint32), np.empty(BLOCK, np.uint32)
    for start in range(0, len(X), BLOCK):
        stop = min(start + BLOCK, len(X))
        for t in range(first, last):
            tree = nodes[3 * node_offsets[t] : 3 * node_offsets[t + 1]]
            tree_thresholds = thresholds[3 * node_offsets[t] : 3 * node_offsets[t + 1]]
            _find_nodes(tree, tree_thresholds, X, start, stop, found, active)
            if width == 1:
                for row in range(start, stop):
                    out[row, 0] += leaf_values[
                        leaf_offsets[t] + ~tree[np.uint64(3) * found[row - start] + np.uint64(2)], 0
                    ]
            else:
                for row in range(start, stop):
                    leaf = leaf_offsets[t] + ~tree[np.uint64(3) * found[row - start] + np.uint64(2)]
                    for k in range(width):
                        out[row, k] += leaf_values[leaf, k]


@njit
def _fill_leaves(nodes, thresholds, node_offsets, X, as_nodes, out):
    found, active = np.empty(BLOCK, np.uint32), np.empty(BLOCK, np.uint32)
    for start in range(0, len(X), BLOCK):
        stop = min(start + BLOCK, len(X))
        for t in range(len(node_offsets) - 1):
            tree = nodes[3 * node_offsets[t] : 3 * node_offsets[t + 1]]
            tree_thresholds = thresholds[3 * node_offsets[t] : 3 * node_offsets[t + 1]]
            _find_nodes(tree, tree_thresholds, X, start, stop, found, active)
            for row in range(start, stop):
                node = found[row - start]
                out[row, t] = node if as_nodes else ~tree[np.uint64(3) * node + np.uint64(2)]


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
        *_flatten(trees), trees.node_offsets, trees.leaf_offsets,
        trees.leaf_values, X, first, last, out,
    )  # fmt: skip


def find_leaves(trees, X, as_nodes=False):
    """Number of each row's leaf within each tree, or the leaf's node.

    Returns
    -------
    leaves : ndarray of int32 of shape (n_samples, n_trees)
    """
    out = np.empty((len(X), trees.n_trees), np.int32)
    _fill_leaves(*_flatten(trees), trees.node_offsets, X, as_nodes, out)
    return out
