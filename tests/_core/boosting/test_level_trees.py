"""Shallow trees: every split is the best there is, by enumeration."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skextra._core.boosting.level_trees import Grower, arrange
from skextra._core.boosting.presorted_columns import encode


def make_problem(seed, n, n_features, n_classes, kind="continuous", missing=0.0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, n_features))
    if kind == "few":
        X = np.round(X * 1.5)
    elif kind == "close":  # neighbors within the tolerance, in the first column
        X[:, 0] *= 1e-6
    X[rng.random(X.shape) < missing] = np.nan
    filled = np.nan_to_num(X)
    signal = 3 * filled[:, -1] + filled[:, 0] ** 2 + rng.standard_normal(n)
    if n_classes:
        cuts = np.quantile(signal, np.arange(1, n_classes) / n_classes)
        y = np.searchsorted(cuts, signal).astype(np.int32)
        weights = rng.exponential(size=n) ** 2
    else:
        y, weights = signal, rng.poisson(1.0, n).astype(float)
    weights[rng.random(n) < 0.2] = 0.0
    weights[:2] = 1.0
    return X.astype(np.float32), y, weights


def grow(X, y, weights, n_classes, max_depth):
    grower = Grower(encode(X), y, n_classes, max_depth)
    grower.grow(weights)
    return grower, arrange([grower.copy()])


def route(trees, X):
    """Node of each row, and the rows that pass each node."""
    passing = [np.zeros(len(X), dtype=bool) for _ in trees.left]
    ends = np.zeros(len(X), dtype=int)
    passing[0][:] = True
    for node in range(trees.left.size):
        if trees.left[node] < 0:
            ends[passing[node]] = node
            continue
        value = X[:, trees.feature[node]]
        left = np.where(np.isnan(value), trees.missing_left[node], value <= trees.threshold[node])
        passing[trees.left[node]] = passing[node] & left
        passing[trees.right[node]] = passing[node] & ~left
    return ends, passing


def compute_impurity(y, weights, n_classes):
    """Weight times impurity."""
    total = weights.sum()
    if total == 0:
        return 0.0
    if n_classes:
        shares = np.bincount(y, weights, n_classes) / total
        return total * (1 - (shares**2).sum())
    return (weights * (y - np.average(y, weights=weights)) ** 2).sum()


def find_least_impurity(X, y, weights, n_classes):
    """Of all splits of rows with weight, by enumeration; inf if there is none."""
    best = np.inf
    for j in range(X.shape[1]):
        is_missing = np.isnan(X[:, j])
        sides = [False, True] if is_missing.any() else [False]
        values = np.unique(X[~is_missing, j])
        lefts = [(X[:, j] <= low) | (is_missing & side) for low in values[:-1] for side in sides]
        if is_missing.any() and values.size:
            lefts.append(~is_missing)
        for left in lefts:
            after = compute_impurity(y[left], weights[left], n_classes)
            best = min(best, after + compute_impurity(y[~left], weights[~left], n_classes))
    return best


@pytest.mark.parametrize("n_classes", [2, 3, 6, 0])
@pytest.mark.parametrize(("kind", "missing"), [("continuous", 0), ("few", 0.2), ("close", 0.1)])
@pytest.mark.parametrize("seed", range(4))
def test_every_split_is_the_best_by_enumeration(n_classes, kind, missing, seed):
    n = (9, 40, 150, 400)[seed]
    X, y, weights = make_problem(seed, n, 3, n_classes, kind, missing)
    y = np.arange(n, dtype=np.int32) % n_classes if n_classes and seed == 0 else y
    max_depth = 1 + seed
    _, trees = grow(X, y, weights, n_classes, max_depth)
    ends, passing = route(trees, X)
    assert trees.compute_depths()[0] <= max_depth
    total = compute_impurity(y, weights, n_classes)
    for node in range(trees.left.size):
        rows = passing[node] & (weights > 0)
        assert trees.count[node] == rows.sum()
        assert_allclose(trees.weight[node], weights[rows].sum())
        impurity = compute_impurity(y[rows], weights[rows], n_classes)
        assert_allclose(trees.impurity[node] * trees.weight[node], impurity, atol=1e-9 * total)
        if n_classes:
            value = np.bincount(y[rows], weights[rows], n_classes) / weights[rows].sum()
        else:
            value = [np.average(y[rows], weights=weights[rows])]
        assert_allclose(trees.value[node], value, atol=1e-12)
        least = find_least_impurity(X[rows], y[rows], weights[rows], n_classes)
        if trees.left[node] >= 0:
            children = [passing[child] & rows for child in (trees.left[node], trees.right[node])]
            after = sum(compute_impurity(y[c], weights[c], n_classes) for c in children)
            assert_allclose(after, least, rtol=1e-9, atol=1e-9 * total)
            assert all(child.any() for child in children)
        elif impurity > 1e-9 * total:
            is_deepest = count_ancestors(trees, node) == max_depth
            assert is_deepest or not np.isfinite(least)


def count_ancestors(trees, node):
    parents = np.flatnonzero((trees.left == node) | (trees.right == node))
    return 0 if parents.size == 0 else 1 + count_ancestors(trees, parents[0])


@pytest.mark.parametrize("n_classes", [2, 4, 0])
@pytest.mark.parametrize("missing", [0.0, 0.15])
def test_grower_knows_where_rows_end_whatever_they_weigh(n_classes, missing):
    X, y, weights = make_problem(5, 500, 4, n_classes, missing=missing)
    grower, trees = grow(X, y, weights, n_classes, 3)
    ends, _ = route(trees, X)
    assert_allclose(grower.value[grower.nodes], trees.value[ends], atol=0)


@pytest.mark.parametrize("n_classes", [2, 3, 0])
@pytest.mark.parametrize("max_depth", [1, 2, 4])
@pytest.mark.parametrize("n", [3000, 80])
def test_trees_are_scikit_learns_where_nothing_ties(n_classes, max_depth, n):
    X, y, weights = make_problem(n_classes, n, 5, n_classes)
    weights = np.where(weights > 0, weights, 0.5) if n_classes else np.ones(n)
    if n == 80:  # few rows tie deep down: at the top they do not
        max_depth = 1
    _, ours = grow(X, y, weights, n_classes, max_depth)
    kind = DecisionTreeClassifier if n_classes else DecisionTreeRegressor
    theirs = kind(max_depth=max_depth).fit(X, y, sample_weight=weights).tree_
    assert_array_equal(ours.left, theirs.children_left)
    assert_array_equal(ours.right, theirs.children_right)
    assert_array_equal(ours.feature, theirs.feature)
    assert_array_equal(ours.threshold, theirs.threshold)
    assert_array_equal(ours.count, theirs.n_node_samples)
    is_split = ours.left >= 0
    assert_array_equal(ours.missing_left[is_split], theirs.missing_go_to_left[is_split])
    assert_allclose(ours.impurity, theirs.impurity, atol=1e-10)
    assert_allclose(ours.weight, theirs.weighted_n_node_samples)
    assert_allclose(ours.value, theirs.value[:, 0, :], atol=1e-12)
    importances = ours.compute_importances(5)[0]
    assert_allclose(importances, theirs.compute_feature_importances(), atol=1e-10)


@pytest.mark.parametrize("n_classes", [2, 3, 0])
def test_more_buckets_than_wait_at_once_are_opened_in_between(n_classes):
    """Labels that are noise: hardly any bucket is ruled out by its bound."""
    rng = np.random.default_rng(0)
    n, n_features = 3000, 60
    X = rng.standard_normal((n, n_features)).astype(np.float32)
    y = rng.integers(0, n_classes, n).astype(np.int32) if n_classes else rng.standard_normal(n)
    weights = rng.exponential(size=n) ** 3
    _, ours = grow(X, y, weights, n_classes, 1)
    kind = DecisionTreeClassifier if n_classes else DecisionTreeRegressor
    theirs = kind(max_depth=1).fit(X, y, sample_weight=weights).tree_
    assert_array_equal(ours.feature, theirs.feature)
    assert_array_equal(ours.threshold, theirs.threshold)


def test_duplicate_features_are_told_apart_by_their_index():
    X, y, weights = make_problem(1, 200, 2, 2)
    X = np.column_stack([X, X])
    _, trees = grow(X, y, weights, 2, 3)
    assert trees.feature.max() < 2


@pytest.mark.parametrize("n_classes", [2, 3, 0])
def test_what_cannot_be_split_is_a_leaf(n_classes):
    y = np.array([0, 1, 1, 0], dtype=np.int32) if n_classes else np.array([0.0, 1.0, 1.0, 0.0])
    for X, weights in (
        (np.ones((4, 2)), np.ones(4)),
        (np.arange(8.0).reshape(4, 2), np.array([0.0, 1.0, 1.0, 0.0])),  # one class has weight
        (np.full((4, 2), np.nan), np.ones(4)),
    ):
        grower, trees = grow(X.astype(np.float32), y, weights, n_classes, 3)
        assert trees.left.tolist() == [-1]
        assert not grower.nodes.any()


def test_tiny_weights_do_not_mislead():
    X = np.arange(6, dtype=np.float32)[:, None]
    y = np.array([0, 0, 0, 1, 1, 1], dtype=np.int32)
    weights = np.array([1.0, 1e-16, 1e-16, 1e-16, 1e-16, 1.0])
    grower, _ = grow(X, y, weights, 2, 1)
    labels = grower.value[grower.nodes].argmax(axis=1)
    assert_array_equal(labels[[0, 5]], [0, 1])
