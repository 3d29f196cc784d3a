"""Grown trees as they are kept: one or many in a few flat arrays.

A node takes twelve bytes: its feature, its threshold and its right child. Nodes are
numbered depth first, so that a left child follows its parent; a leaf has, in place of
the right child, the complement of its number among the leaves. Weights, values and
impurities are kept of leaves only, where those of inner nodes follow from them.
"""

from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np

from skextra._core.runtime.jit import njit
from skextra._core.tree.criteria import compute_decrease, compute_impurity
from skextra._core.tree.criterion_table import ABSOLUTE_ERROR, CLASSIFICATION

# Set in the feature of a node that sends missing values left.
MISSING_LEFT = 1 << 30
FEATURE_MASK = MISSING_LEFT - 1


@dataclass(frozen=True)
class Trees:
    """One or several trees.

    Attributes
    ----------
    nodes : ndarray of int32 of shape (n_nodes, 3)
        Feature, bits of the float32 threshold, right child or complement of the leaf's
        number; the numbers count from each tree's first node and leaf.
    node_offsets, leaf_offsets : ndarray of int64 of shape (n_trees + 1,)
        Where each tree's nodes and leaves begin.
    leaf_values : ndarray of float64 of shape (n_leaves, n_outputs * stride)
        Shares of classes, means, or medians.
    leaf_rows : ndarray of unsigned integers of shape (n_leaves,)
        Number of training rows.
    leaf_weights : ndarray of unsigned integers or float64 of shape (n_leaves,)
    leaf_impurities : ndarray of float64 of shape (n_leaves,) or (0,)
        Empty where all are 0, or follow from the values.
    node_values, node_impurities : ndarray of float64
        Of all nodes, where they do not follow from the leaves'; else empty.
    depths : ndarray of int32 of shape (n_trees,)
    criteria : ndarray of int8 of shape (n_trees,)
    n_classes : ndarray of int64 of shape (n_outputs,)
    n_features : int
    """

    nodes: np.ndarray
    node_offsets: np.ndarray
    leaf_offsets: np.ndarray
    leaf_values: np.ndarray
    leaf_rows: np.ndarray
    leaf_weights: np.ndarray
    leaf_impurities: np.ndarray
    node_values: np.ndarray
    node_impurities: np.ndarray
    depths: np.ndarray
    criteria: np.ndarray
    n_classes: np.ndarray
    n_features: int

    @property
    def n_trees(self):
        """Number of trees."""
        return len(self.depths)

    @property
    def n_leaves(self):
        """Number of leaves of all trees."""
        return len(self.leaf_values)

    @property
    def n_outputs(self):
        """Number of outputs."""
        return len(self.n_classes)

    @cached_property
    def pure_classes(self):
        """Class of each leaf whose samples are all of one class, else -1.

        Empty for values of one number; found at the first prediction and not kept in files.
        """
        if self.leaf_values.shape[1] == 1:
            return np.empty(0, np.int32)
        found = np.empty(self.n_leaves, np.int32)
        _find_pure_classes(self.leaf_values, found)
        return found

    def to_arrays(self):
        """Fields by name, in the one form that equal trees have: what pickles hold."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, value in arrays.items():
            if isinstance(value, np.ndarray):
                # Strides of an array without entries are anything, and copies' differ.
                arrays[name] = np.ascontiguousarray(value) if value.size else _empty_like(value)
        return arrays

    @classmethod
    def from_arrays(cls, arrays):
        """Undo `to_arrays`."""
        return cls(**arrays)

    def get_tree(self, index):
        """One of the trees, on the same memory."""
        nodes = slice(*self.node_offsets[index : index + 2])
        leaves = slice(*self.leaf_offsets[index : index + 2])
        return replace(
            self,
            nodes=self.nodes[nodes],
            node_offsets=np.array([0, nodes.stop - nodes.start]),
            leaf_offsets=np.array([0, leaves.stop - leaves.start]),
            leaf_values=self.leaf_values[leaves],
            leaf_rows=self.leaf_rows[leaves],
            leaf_weights=self.leaf_weights[leaves],
            leaf_impurities=self.leaf_impurities[leaves if len(self.leaf_impurities) else slice(0)],
            node_values=self.node_values[nodes if len(self.node_values) else slice(0)],
            node_impurities=self.node_impurities[nodes if len(self.node_values) else slice(0)],
            depths=self.depths[index : index + 1],
            criteria=self.criteria[index : index + 1],
        )


@njit
def _find_pure_classes(values, out):
    for leaf in range(values.shape[0]):
        n_zeros, last = 0, -1
        for k in range(values.shape[1]):
            if values[leaf, k] == 0.0:
                n_zeros += 1
            else:
                last = k
        is_pure = n_zeros == values.shape[1] - 1 and values[leaf, last] == 1.0
        out[leaf] = last if is_pure else -1


def _empty_like(array):
    return np.empty(array.shape, array.dtype)


def concatenate(trees):
    """Join bundles of trees for the same features and outputs into one.

    Parameters
    ----------
    trees : list of Trees

    Returns
    -------
    trees : Trees
    """
    if len(trees) == 1:
        return trees[0]
    if len({len(bundle.node_values) > 0 for bundle in trees}) > 1:
        trees = [_keep_nodes(bundle) for bundle in trees]
    joined = {}
    for field in fields(Trees):
        parts = [getattr(tree, field.name) for tree in trees]
        if field.name in ("n_classes", "n_features"):
            joined[field.name] = parts[0]
        elif field.name.endswith("_offsets"):
            sizes = np.concatenate([np.diff(part) for part in parts])
            joined[field.name] = np.concatenate([[0], np.cumsum(sizes)])
        elif field.name == "leaf_impurities" and any(len(part) for part in parts):
            filled = [
                part if len(part) else np.zeros(tree.n_leaves)
                for part, tree in zip(parts, trees, strict=True)
            ]
            joined[field.name] = np.concatenate(filled)
        else:
            joined[field.name] = np.concatenate(parts)
    return Trees(**joined)


def _keep_nodes(trees):
    """The same trees with values and impurities of all nodes, as others beside them have."""
    if len(trees.node_values):
        return trees
    described = [describe_nodes(trees.get_tree(i)) for i in range(trees.n_trees)]
    _, _, impurities, values = (np.concatenate(parts) for parts in zip(*described, strict=True))
    return replace(trees, node_impurities=impurities, node_values=values)


def build_trees(arrays, depth, criterion, n_classes, n_features, keeps_nodes):
    """The tree that was grown into arrays, in the form that is kept.

    Parameters
    ----------
    arrays : tuple of ndarray
        As `grow_kernels.grow` fills them; cuts are not read.
    depth, criterion : int
    n_classes : ndarray of int64 of shape (n_outputs,)
    n_features : int
    keeps_nodes : bool
        Whether values and impurities of inner nodes do not follow from the leaves'.

    Returns
    -------
    trees : Trees
    """
    features, thresholds, _, is_missing_left, rights, n_rows, weights, impurities, values = arrays
    leaves = np.flatnonzero(rights < 0)
    nodes = np.empty((len(features), 3), np.int32)
    nodes[:, 0] = features | is_missing_left.astype(np.int32) << 30
    nodes[:, 1] = thresholds.view(np.int32)
    nodes[:, 2] = rights
    nodes[leaves, :2] = 0
    nodes[leaves, 2] = ~np.arange(len(leaves), dtype=np.int32)
    is_whole = criterion == ABSOLUTE_ERROR or keeps_nodes
    leaf_impurities = impurities.take(leaves)
    follows = is_whole or criterion in CLASSIFICATION or not leaf_impurities.any()
    return Trees(
        nodes=nodes,
        node_offsets=np.array([0, len(nodes)]),
        leaf_offsets=np.array([0, len(leaves)]),
        leaf_values=values.take(leaves, axis=0),
        leaf_rows=_shrink(n_rows.take(leaves)),
        leaf_weights=_shrink(weights.take(leaves)),
        leaf_impurities=leaf_impurities[:0] if follows else leaf_impurities,
        node_values=values.copy() if is_whole else values[:0].copy(),
        node_impurities=impurities.copy() if is_whole else np.empty(0),
        depths=np.array([depth], np.int32),
        criteria=np.array([criterion], np.int8),
        n_classes=n_classes,
        n_features=n_features,
    )


def _shrink(values):
    """Whole numbers in the smallest type that holds them; anything else unchanged."""
    largest = values.max()
    if (
        values.min() < 0
        or largest >= 2**32
        or (values.dtype.kind == "f" and (values != np.floor(values)).any())
    ):
        return values
    return values.astype(np.min_scalar_type(int(largest)))


@njit
def _aggregate(nodes, criterion, n_classes, weights, rows, impurities, values):
    """Fill in the entries of inner nodes from their children's, last nodes first."""
    stride = values.shape[1] // len(n_classes)
    n_outputs = len(n_classes)
    for node in range(len(nodes) - 1, -1, -1):
        right = nodes[node, 2]
        if right >= 0:
            left = node + 1
            rows[node] = rows[left] + rows[right]
            weights[node] = weights[left] + weights[right]
            # Both by division: 1 - share would be rounding where a side is light.
            share, rest = weights[left] / weights[node], weights[right] / weights[node]
            spread = 0.0
            for k in range(values.shape[1]):
                a, b = values[left, k], values[right, k]
                mean = share * a + rest * b
                values[node, k] = mean
                excess = share * rest * (a - b)
                if excess != 0.0:
                    spread += compute_decrease(criterion, mean, 1.0, share, rest, excess)
            impurities[node] = (
                share * impurities[left] + rest * impurities[right] + spread / n_outputs
            )
        if criterion in CLASSIFICATION:
            impurity = 0.0
            for k in range(n_outputs):
                impurity += compute_impurity(criterion, values[node], k * stride, n_classes[k], 1.0)
            impurities[node] = max(impurity / n_outputs, 0.0)


def describe_nodes(trees):
    """Statistics of every node of a single tree, inner ones included.

    Parameters
    ----------
    trees : Trees
        With one tree.

    Returns
    -------
    rows : ndarray of int64 of shape (n_nodes,)
    weights, impurities : ndarray of float64 of shape (n_nodes,)
    values : ndarray of float64 of shape (n_nodes, n_outputs * stride)
    """
    nodes = np.ascontiguousarray(trees.nodes)
    is_leaf = nodes[:, 2] < 0
    rows, weights, impurities = (np.zeros(len(nodes), dtype) for dtype in (np.int64, float, float))
    values = np.zeros((len(nodes), trees.leaf_values.shape[1]))
    rows[is_leaf], weights[is_leaf] = trees.leaf_rows, trees.leaf_weights
    values[is_leaf] = trees.leaf_values
    if len(trees.leaf_impurities):
        impurities[is_leaf] = trees.leaf_impurities
    criterion = int(trees.criteria[0])
    _aggregate(nodes, criterion, trees.n_classes, weights, rows, impurities, values)
    if len(trees.node_values):
        return rows, weights, trees.node_impurities.copy(), trees.node_values.copy()
    return rows, weights, impurities, values


def unpack(trees):
    """Structure of a single tree, a leaf's children, feature and threshold as scikit-learn's.

    Returns
    -------
    left, right, feature : ndarray of int64 of shape (n_nodes,)
    threshold : ndarray of float64 of shape (n_nodes,)
    missing_go_to_left : ndarray of bool of shape (n_nodes,)
    """
    nodes = trees.nodes
    is_leaf = nodes[:, 2] < 0
    left = np.where(is_leaf, -1, np.arange(1, len(nodes) + 1))
    right = np.where(is_leaf, -1, nodes[:, 2])
    feature = np.where(is_leaf, -2, nodes[:, 0] & FEATURE_MASK)
    threshold = np.where(is_leaf, -2.0, np.ascontiguousarray(nodes[:, 1]).view(np.float32))
    return left, right, feature, threshold, (nodes[:, 0] & MISSING_LEFT) != 0


def compute_importances(trees):
    """Share of a single tree's decrease in impurity that each feature has.

    Parameters
    ----------
    trees : Trees
        With one tree.

    Returns
    -------
    importances : ndarray of float64 of shape (n_features,)
        Sums to 1, or 0 if no split decreases the impurity.
    """
    _, weights, impurities, _ = describe_nodes(trees)
    inner = np.flatnonzero(trees.nodes[:, 2] >= 0)
    right = trees.nodes[inner, 2]
    mass = weights * impurities
    decrease = mass[inner] - mass[inner + 1] - mass[right]
    features = trees.nodes[inner, 0] & FEATURE_MASK
    importances = np.bincount(features, weights=decrease, minlength=trees.n_features)
    total = importances.sum()
    return importances / total if total > 0 else importances


def walk_depth_first(left, right):
    """Nodes of a tree as a walk that goes left first meets them.

    Parameters
    ----------
    left, right : ndarray of integers of shape (n_nodes,)
        Children; negative in a leaf.

    Returns
    -------
    order : ndarray of int64
        The nodes that the root leads to.
    rights : ndarray of int32
        Right children by their places in `order`, -1 in a leaf; a left child follows its parent.
    depth : int
    """
    left, right = (np.ascontiguousarray(children, np.int64) for children in (left, right))
    if not ((left < len(left)).all() and (right < len(left)).all()):
        raise ValueError(f"children of a tree must be among its {len(left)} nodes")
    if ((left < 0) != (right < 0)).any():
        raise ValueError("a node of a tree must have two children, or none")
    order, rights = np.empty(len(left), np.int64), np.empty(len(left), np.int32)
    n_nodes, depth = _walk_depth_first(left, right, order, rights)
    if n_nodes < 0:
        raise ValueError("a node of a tree must have one parent")
    return order[:n_nodes], rights[:n_nodes], depth


@njit
def _walk_depth_first(left, right, order, rights):
    stack = np.empty((len(left) + 1, 3), np.int64)  # node, place of the parent if right, depth
    stack[0, 0], stack[0, 1], stack[0, 2] = 0, -1, 0
    n_stack, n_seen, deepest = 1, 0, 0
    while n_stack > 0:
        n_stack -= 1
        node, parent, depth = stack[n_stack, 0], stack[n_stack, 1], stack[n_stack, 2]
        if n_seen == len(left) or n_stack + 2 > len(stack):
            return -1, 0
        if parent >= 0:
            rights[parent] = n_seen
        order[n_seen], rights[n_seen] = node, -1
        deepest = max(deepest, depth)
        if left[node] >= 0:
            stack[n_stack, 0], stack[n_stack, 1], stack[n_stack, 2] = right[node], n_seen, depth + 1
            n_stack += 1
            stack[n_stack, 0], stack[n_stack, 1], stack[n_stack, 2] = left[node], -1, depth + 1
            n_stack += 1
        n_seen += 1
    return n_seen, deepest
