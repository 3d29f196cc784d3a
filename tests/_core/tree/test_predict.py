"""Walks down trees against a walk in Python: blocks, groups of eight, missing values."""

import numpy as np
import pytest

from skextra._core import tree
from skextra._core.tree.nodes import FEATURE_MASK, MISSING_LEFT
from skextra.tree import DecisionTreeClassifier, DecisionTreeRegressor


def walk(trees, row):
    nodes = trees.nodes
    thresholds = nodes.view(np.float32)
    node = 0
    while nodes[node, 2] >= 0:
        feature = nodes[node, 0]
        value = row[feature & FEATURE_MASK]
        goes_left = feature >= MISSING_LEFT if np.isnan(value) else value <= thresholds[node, 1]
        node = node + 1 if goes_left else nodes[node, 2]
    return node, ~nodes[node, 2]


def grow(n_classes, seed=0, n=300, p=5):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)).astype(np.float32)
    X[rng.random(X.shape) < 0.1] = np.nan
    if n_classes:
        model = DecisionTreeClassifier(min_samples_leaf=2).fit(X, rng.integers(n_classes, size=n))
    else:
        model = DecisionTreeRegressor(min_samples_leaf=2).fit(X, rng.standard_normal(n))
    return model._trees


@pytest.mark.parametrize("n_classes", [0, 2, 3])
@pytest.mark.parametrize("n_rows", [1, 7, 8, 9, 40])
def test_rows_end_where_a_walk_in_python_ends(n_classes, n_rows):
    trees = grow(n_classes)
    X = np.random.default_rng(1).standard_normal((n_rows, 5)).astype(np.float32)
    X[np.random.default_rng(2).random(X.shape) < 0.1] = np.nan
    expected = np.array([walk(trees, row) for row in X])
    np.testing.assert_array_equal(tree.predict.find_leaves(trees, X, True)[:, 0], expected[:, 0])
    np.testing.assert_array_equal(tree.predict.find_leaves(trees, X)[:, 0], expected[:, 1])
    out = np.full((n_rows, trees.leaf_values.shape[1]), 0.25)
    tree.predict.sum_leaf_values(trees, X, out)
    np.testing.assert_array_equal(out, 0.25 + trees.leaf_values[expected[:, 1]])


def test_blocks_change_nothing():
    trees = tree.nodes.concatenate([grow(3, seed) for seed in range(3)])
    X = np.random.default_rng(1).standard_normal((20_000, 5)).astype(np.float32)
    whole, parts = np.zeros((2, len(X), 3))
    tree.predict.sum_leaf_values(trees, X, whole)
    for start in range(0, len(X), 3001):
        part = slice(start, start + 3001)
        tree.predict.sum_leaf_values(trees, X[part], parts[part])
    np.testing.assert_array_equal(whole, parts)


def test_leaves_of_one_class():
    trees = grow(3)
    pure = trees.pure_classes
    values = trees.leaf_values
    is_pure = (values == 1).any(axis=1)
    np.testing.assert_array_equal(pure >= 0, is_pure)
    np.testing.assert_array_equal(pure[is_pure], values[is_pure].argmax(axis=1))
    assert is_pure.any() and not is_pure.all()
    assert "pure_classes" not in trees.to_arrays()
    assert len(grow(0).pure_classes) == 0
