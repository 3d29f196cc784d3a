"""Between our trees and scikit-learn's `Tree`."""

import numpy as np

from skextra import _core
from skextra._compat import build_pruned_tree, make_sklearn_tree


def build_sklearn_tree(trees, is_read_only=False):
    """scikit-learn's `Tree` of a single tree.

    Parameters
    ----------
    trees : Trees
    is_read_only : bool
        Whether its arrays are to refuse changes, which would not be seen.

    Returns
    -------
    tree : sklearn.tree._tree.Tree
    """
    n_classes = np.asarray(trees.n_classes, dtype=np.intp)
    tree = make_sklearn_tree(trees.n_features, n_classes, trees.n_outputs, is_read_only)
    left, right, feature, threshold, missing_left = _core.tree.nodes.unpack(trees)
    rows, weights, impurities, values = _core.tree.nodes.describe_nodes(trees)
    if trees.criteria[0] in _core.tree.criterion_table.CLASSIFICATION:
        values = _restore_counts(values, weights)
    # The type of a node differs between versions: the empty tree tells it.
    dtype = tree.__getstate__()["nodes"].dtype
    nodes = np.zeros(len(left), dtype=dtype)
    columns = {
        "left_child": left,
        "right_child": right,
        "feature": feature,
        "threshold": threshold,
        "impurity": impurities,
        "n_node_samples": rows,
        "weighted_n_node_samples": weights,
        "missing_go_to_left": missing_left,
    }
    for name, column in columns.items():
        nodes[name] = column
    state = {
        "max_depth": int(trees.depths[0]),
        "node_count": len(nodes),
        "nodes": nodes,
        "values": values.reshape(len(nodes), trees.n_outputs, int(n_classes.max())),
    }
    tree.__setstate__(state)
    return tree


def _restore_counts(values, weights):
    """Shares of classes as quotients of whole numbers, where they are but for rounding.

    Relative to each count: those of tiny weights are near 0, but not 0.
    """
    counts = values * weights[:, None]
    whole = np.rint(counts)
    is_whole = (np.abs(counts - whole) <= 1e-12 * np.abs(counts)) & (counts < 2**52)
    return whole / weights[:, None] if is_whole.all() else values


def read_sklearn_tree(tree, criterion):
    """Our form of a `Tree`.

    Parameters
    ----------
    tree : sklearn.tree._tree.Tree
    criterion : str

    Returns
    -------
    trees : Trees
    """
    state = tree.__getstate__()
    # In the order of a walk that goes left first; scikit-learn's may be another, and nodes that
    # were cut off are still there.
    order, rights, depth = _core.tree.nodes.walk_depth_first(
        state["nodes"]["left_child"], state["nodes"]["right_child"]
    )
    nodes, n_outputs = state["nodes"][order], tree.n_outputs
    is_leaf = rights < 0
    arrays = (
        np.where(is_leaf, 0, nodes["feature"]).astype(np.int32),
        _round_down(np.where(is_leaf, 0, nodes["threshold"])),
        None,
        nodes["missing_go_to_left"].astype(np.uint8),
        rights,
        nodes["n_node_samples"].astype(np.int32),
        nodes["weighted_n_node_samples"].astype(np.float64),
        nodes["impurity"].astype(np.float64),
        state["values"][order].reshape(len(nodes), -1).astype(np.float64),
    )
    return _core.tree.nodes.build_trees(
        arrays,
        depth,
        criterion=_core.tree.criterion_table.CRITERIA[criterion].number,
        n_classes=np.asarray(tree.n_classes, dtype=np.int64).reshape(n_outputs),
        n_features=tree.n_features,
        keeps_nodes=True,
    )


def _round_down(thresholds):
    """Largest float32 values that are not above: they part float32 values alike."""
    with np.errstate(over="ignore"):
        rounded = thresholds.astype(np.float32)
    return np.where(
        rounded > thresholds, np.nextafter(rounded, np.float32(-np.inf)), rounded
    ).astype(np.float32)


def prune(trees, ccp_alpha, criterion):
    """A single tree after minimal cost-complexity pruning.

    Parameters
    ----------
    trees : Trees
    ccp_alpha : float
    criterion : str

    Returns
    -------
    pruned : Trees
    """
    if ccp_alpha == 0.0:
        return trees
    tree = build_sklearn_tree(trees)
    pruned = make_sklearn_tree(
        trees.n_features, np.asarray(trees.n_classes, dtype=np.intp), trees.n_outputs
    )
    build_pruned_tree(pruned, tree, ccp_alpha)
    return read_sklearn_tree(pruned, criterion)
