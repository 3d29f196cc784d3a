"""Shallow trees of a boosted ensemble as estimators, and back."""

from numbers import Real

import numpy as np
from sklearn.base import clone
from sklearn.tree import (
    DecisionTreeClassifier as SklearnDecisionTreeClassifier,
    DecisionTreeRegressor as SklearnDecisionTreeRegressor,
)

from skextra import _core
from skextra._compat import make_sklearn_tree
from skextra.tree import DecisionTreeClassifier, DecisionTreeRegressor

# Trees whose parameters are otherwise these can be grown by level.
_PLAIN = {
    "splitter": "best",
    "min_samples_split": 2,
    "min_samples_leaf": 1,
    "min_weight_fraction_leaf": 0.0,
    "max_features": None,
    "max_leaf_nodes": None,
    "min_impurity_decrease": 0.0,
    "class_weight": None,
    "ccp_alpha": 0.0,
    "monotonic_cst": None,
}
_CRITERIA = {
    DecisionTreeClassifier: "gini",
    SklearnDecisionTreeClassifier: "gini",
    DecisionTreeRegressor: "squared_error",
    SklearnDecisionTreeRegressor: "squared_error",
}
# Histograms of the deepest level, in entries.
_LARGEST_HISTOGRAM = 1 << 18


def describe_shallow_tree(estimator, n_classes):
    """Depth of a tree that can be grown by level, or None.

    Parameters
    ----------
    estimator : estimator
    n_classes : int
        0 for regressors.

    Returns
    -------
    max_depth : int or None
    """
    criterion = _CRITERIA.get(type(estimator))
    if criterion is None or (criterion == "gini") != (n_classes > 0) or n_classes == 1:
        return None
    params = estimator.get_params(deep=False)
    if params.pop("criterion") != criterion:
        return None
    max_depth = params.pop("max_depth")
    if not isinstance(max_depth, int | np.integer) or isinstance(max_depth, bool):
        return None
    if not 1 <= max_depth <= _core.boosting.level_trees.MAX_DEPTH:
        return None
    size = 2 ** (max_depth - 1) * max(3, n_classes) * _core.boosting.presorted_columns.STRIDE
    params.pop("random_state", None)
    is_plain = all(_is_plain(name, value) for name, value in params.items())
    return int(max_depth) if is_plain and size <= _LARGEST_HISTOGRAM else None


def _is_plain(name, value):
    if name not in _PLAIN or _PLAIN[name] is None:
        return name in _PLAIN and value is None  # no array is compared with None
    return isinstance(value, str | Real) and value == _PLAIN[name]


def make_estimators(template, ensemble, classes):
    """Make a list of fitted clones of `template`, one per tree.

    Parameters
    ----------
    template : DecisionTreeClassifier or DecisionTreeRegressor
    ensemble : TreeEnsemble
    classes : ndarray of shape (n_classes,) or None

    Returns
    -------
    estimators : list of estimator
    """
    trees = ensemble.trees
    depths = trees.compute_depths()
    estimators = []
    for index, seed in enumerate(ensemble.seeds):
        estimator = clone(template).set_params(random_state=int(seed))
        estimator.n_features_in_ = ensemble.n_features
        estimator.n_outputs_ = 1
        estimator.max_features_ = ensemble.n_features
        if classes is not None:
            estimator.classes_ = classes
            estimator.n_classes_ = np.int64(len(classes))
        estimator.tree_ = _make_tree(trees[index], int(depths[index]), ensemble.n_features)
        estimators.append(estimator)
    return estimators


def get_tree(estimator):
    """What an estimator predicts with: an object that is replaced, never changed."""
    held = vars(estimator)
    return held.get("_trees", held.get("tree_"))


def _make_tree(tree, depth, n_features):
    """One tree as scikit-learn's `Tree`."""
    n_classes = np.array([tree.value.shape[1]], dtype=np.intp)
    # Read-only: the ensemble predicts with its own arrays, and would not see changes.
    made = make_sklearn_tree(n_features, n_classes, 1, is_read_only=True)
    # The fields of a node differ between versions.
    nodes = np.zeros(len(tree.left), dtype=made.__getstate__()["nodes"].dtype)
    nodes["left_child"], nodes["right_child"] = tree.left, tree.right
    nodes["feature"], nodes["threshold"] = tree.feature, tree.threshold
    with np.errstate(over="ignore", under="ignore"):
        nodes["impurity"] = np.ldexp(tree.impurity, tree.impurity_exponent)
    nodes["n_node_samples"] = tree.count
    nodes["weighted_n_node_samples"] = tree.weight
    nodes["missing_go_to_left"] = tree.missing_left
    values = np.ascontiguousarray(tree.value[:, None, :])
    made.__setstate__(
        {"max_depth": depth, "node_count": len(nodes), "nodes": nodes, "values": values}
    )
    return made
