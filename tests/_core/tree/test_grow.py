"""Whole trees, node for node, against scikit-learn's.

Targets and weights are multiples of a power of two, so that sums are exact in any
order and ties are ties in both packages.
"""

import numpy as np
import pytest
from scipy import sparse
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils import check_random_state

from skextra._core import tree

OPTIONS = [
    {},
    {"max_features": 2},
    {"splitter": "random"},
    {"splitter": "random", "max_features": 2},
    {"min_samples_leaf": 5},
    {"max_depth": 4},
    {"min_impurity_decrease": 0.01},
    {"min_samples_split": 20},
    {"monotonic_cst": [1, 0, -1, 0, 0]},
]


def make_data(n_samples, n_classes=None, seed=0, has_missing=False):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_samples, 5)).astype(np.float32)
    X[:, 3] = np.round(2 * X[:, 3])
    signal = X[:, 0] + X[:, 1] * X[:, 2] + 0.5 * rng.standard_normal(n_samples)
    if has_missing:
        X[rng.random(X.shape) < 0.1] = np.nan
    if n_classes is None:
        return X, np.round(64 * np.abs(signal)) / 64
    return X, np.floor(10 * (signal + 20)).astype(int) % n_classes


def make_weights(kind, n_samples):
    rng = np.random.default_rng(1)
    if kind == "counts":
        return rng.poisson(1, n_samples).astype(float)
    return None if kind == "none" else np.ceil(8 * rng.random(n_samples)) / 4


def grow_both(X, y, options, weights, seed=0):
    is_classification = options["criterion"] in ("gini", "entropy")
    cls = DecisionTreeClassifier if is_classification else DecisionTreeRegressor
    theirs = cls(random_state=seed, **options).fit(X, y, sample_weight=weights).tree_
    options = {"max_features": X.shape[1], **options}
    if is_classification:
        target = tree.problem.classification_target(y, len(np.unique(y)))
    else:
        target = tree.problem.regression_target(y)
    if "monotonic_cst" in options:
        signs = np.array(options["monotonic_cst"], dtype=np.int8)
        options["monotonic_cst"] = -signs if is_classification else signs
    options["min_samples_split"] = max(
        options.get("min_samples_split", 2), 2 * options.get("min_samples_leaf", 1)
    )
    split_seed = check_random_state(seed).randint(0, 2**31 - 1)
    encode = tree.encode.encode_sparse if sparse.issparse(X) else tree.encode.encode_dense
    leaf_of_row = np.empty(X.shape[0], np.int32)
    ours = tree.grow.grow_tree(
        encode(X), target, weights, tree.grow.Settings(**options), split_seed, leaf_of_row
    )
    return ours, theirs, leaf_of_row


def round_down(thresholds):
    rounded = thresholds.astype(np.float32)
    above = rounded > thresholds
    rounded[above] = np.nextafter(rounded[above], np.float32(-np.inf))
    return rounded


def assert_same_tree(ours, theirs):
    left, right, feature, threshold, missing_left = tree.nodes.unpack(ours)
    np.testing.assert_array_equal(feature, theirs.feature)
    np.testing.assert_array_equal(left, theirs.children_left)
    np.testing.assert_array_equal(right, theirs.children_right)
    inner = feature >= 0
    np.testing.assert_array_equal(threshold[inner], round_down(theirs.threshold[inner]))
    np.testing.assert_array_equal(missing_left[inner], theirs.missing_go_to_left[inner] != 0)
    rows, weights, impurities, values = tree.nodes.describe_nodes(ours)
    np.testing.assert_array_equal(rows, theirs.n_node_samples)
    np.testing.assert_allclose(weights, theirs.weighted_n_node_samples)
    np.testing.assert_allclose(impurities, theirs.impurity, atol=1e-9)
    np.testing.assert_allclose(values, theirs.value.reshape(values.shape), atol=1e-9)
    assert ours.depths[0] == theirs.max_depth


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("weighting", ["none", "counts", "quarters"])
@pytest.mark.parametrize("criterion", ["gini", "entropy"])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_classification(options, weighting, criterion, n_classes):
    if "monotonic_cst" in options and n_classes > 2:
        options = {}
    X, y = make_data(600, n_classes)
    weights = make_weights(weighting, 600)
    ours, theirs, leaf_of_row = grow_both(X, y, {"criterion": criterion, **options}, weights)
    if not (weighting == "quarters" and n_classes == 2) and criterion == "gini":
        assert_same_tree(ours, theirs)
    values = ours.leaf_values[leaf_of_row]
    np.testing.assert_array_equal(ours.leaf_values[tree.predict.find_leaves(ours, X)[:, 0]], values)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("criterion", ["squared_error", "absolute_error", "poisson"])
@pytest.mark.parametrize("weighting", ["none", "quarters"])
def test_regression_stops_at_nodes_without_ties(options, criterion, weighting):
    # Nodes of ten rows and more: below, different features often make the same division.
    X, y = make_data(400)
    options = {"min_samples_leaf": 10, "criterion": criterion, **options}
    if options.get("splitter") == "random" and criterion == "poisson":
        options["max_depth"] = 3
    ours, theirs, leaf_of_row = grow_both(X, y, options, make_weights(weighting, 400))
    assert_same_tree(ours, theirs)
    np.testing.assert_array_equal(tree.predict.find_leaves(ours, X)[:, 0], leaf_of_row)


@pytest.mark.parametrize("criterion", ["gini", "squared_error", "poisson"])
@pytest.mark.parametrize("splitter", ["best", "random"])
def test_missing_values(criterion, splitter):
    X, y = make_data(500, 3 if criterion == "gini" else None, has_missing=True)
    options = {"criterion": criterion, "splitter": splitter, "min_samples_leaf": 8}
    ours, theirs, _ = grow_both(X, y, options, None)
    assert_same_tree(ours, theirs)


@pytest.mark.parametrize("criterion", ["gini", "squared_error"])
def test_sparse_equals_dense(criterion):
    rng = np.random.default_rng(0)
    X, y = make_data(400, 3 if criterion == "gini" else None)
    X[rng.random(X.shape) < 0.6] = 0.0
    options = {"criterion": criterion, "max_features": 2}
    dense, _, leaves = grow_both(X, y, options, None)
    for splitter in ("best", "random"):
        dense, _, leaves = grow_both(X, y, {**options, "splitter": splitter}, None)
        stored, _, sparse_leaves = grow_both(
            sparse.csc_matrix(X), y, {**options, "splitter": splitter}, None
        )
        np.testing.assert_array_equal(stored.nodes, dense.nodes)
        np.testing.assert_array_equal(sparse_leaves, leaves)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_several_outputs(n_classes):
    X, y = make_data(300, n_classes)
    Y = np.column_stack([y, np.roll(y, 7)])
    theirs = DecisionTreeClassifier(random_state=0, min_samples_leaf=6).fit(X, Y).tree_
    settings = tree.grow.Settings("gini", 5, min_samples_leaf=6, min_samples_split=12)
    target = tree.problem.classification_target(Y, [n_classes] * 2)
    seed = check_random_state(0).randint(0, 2**31 - 1)
    ours = tree.grow.grow_tree(tree.encode.encode_dense(X), target, None, settings, seed)
    assert_same_tree(ours, theirs)


def test_best_first_takes_the_same_splits():
    X, y = make_data(500, 2)
    options = {"criterion": "gini", "max_leaf_nodes": 25}
    ours, theirs, leaf_of_row = grow_both(X, y, options, None)
    _, _, feature, threshold, _ = tree.nodes.unpack(ours)
    inner, their_inner = feature >= 0, theirs.feature >= 0
    assert sorted(zip(feature[inner], threshold[inner], strict=True)) == sorted(
        zip(theirs.feature[their_inner], round_down(theirs.threshold[their_inner]), strict=True)
    )
    np.testing.assert_array_equal(tree.predict.find_leaves(ours, X)[:, 0], leaf_of_row)


def test_values_close_to_one_another_are_divided():
    # scikit-learn takes values within 1e-7 for equal, whatever their size.
    rng = np.random.default_rng(0)
    X = rng.integers(0, 40, (300, 3)).astype(np.float32)
    y = rng.integers(0, 2, 300)
    reference, theirs, _ = grow_both(X, y, {"criterion": "gini"}, None)
    assert_same_tree(reference, theirs)
    for exponent in (-120, -30, 100):
        ours, _, _ = grow_both(np.ldexp(X, exponent), y, {"criterion": "gini"}, None)
        np.testing.assert_array_equal(ours.nodes[:, [0, 2]], reference.nodes[:, [0, 2]])
        thresholds = tree.nodes.unpack(reference)[3]
        inner = ours.nodes[:, 2] >= 0
        np.testing.assert_array_equal(
            tree.nodes.unpack(ours)[3][inner], np.ldexp(thresholds[inner], exponent)
        )


def test_a_stack_that_is_too_small_grows(monkeypatch):
    X, y = make_data(300, 2)
    reference, _, _ = grow_both(X, y, {"criterion": "gini"}, None)
    monkeypatch.setattr(tree.grow, "_FIRST_STACK", 3)
    again, _, _ = grow_both(X, y, {"criterion": "gini"}, None)
    np.testing.assert_array_equal(again.nodes, reference.nodes)
