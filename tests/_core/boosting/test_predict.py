"""Votes and medians of many trees."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skextra._core.boosting.level_trees import Grower, arrange
from skextra._core.boosting.predict import (
    as_columns,
    compute_medians,
    compute_values,
    find_nodes,
    sum_votes,
)
from skextra._core.boosting.presorted_columns import encode


def make_trees(n_classes, n_trees=4, n=2500):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, 3)).astype(np.float32)
    X[rng.random(X.shape) < 0.1] = np.nan
    y = np.nan_to_num(X).sum(axis=1) + rng.standard_normal(n)
    if n_classes:
        y = np.searchsorted([-0.5, 0.5], y).astype(np.int32)
    grower, copies = Grower(encode(X), y, n_classes, 2), []
    for _ in range(n_trees):
        grower.grow(rng.exponential(size=n))
        copies.append(grower.copy())
    return X, arrange(copies)


def walk(trees, index, x):
    tree, node = trees[index], 0
    while tree.left[node] >= 0:
        value = x[tree.feature[node]]
        left = tree.missing_left[node] if np.isnan(value) else value <= tree.threshold[node]
        node = tree.left[node] if left else tree.right[node]
    return tree.value[node]


def test_votes_are_summed_tree_by_tree():
    X, trees = make_trees(3)
    votes = np.array([0.3, 1.1, 0.7, 0.2])
    sums = sum_votes(trees, trees.value.argmax(axis=1), votes, 3, as_columns(X))
    for i in (0, 1, 1023, 1024, 2499):
        expected = np.zeros(3)
        for index, vote in enumerate(votes):
            chosen = np.arange(3) == walk(trees, index, X[i]).argmax()
            expected = expected + np.where(chosen, vote, -1 / 2 * vote)
        assert_array_equal(sums[i], expected)


def test_values_are_those_of_the_leaves():
    X, trees = make_trees(0)
    values = compute_values(trees, as_columns(X))
    for i in (0, 1, 1023, 1024, 2499):
        assert_array_equal(values[i], [walk(trees, index, X[i])[0] for index in range(4)])
    assert_array_equal(trees.value[find_nodes(trees, 2, as_columns(X)), 0], values[:, 2])


@pytest.mark.parametrize("n_trees", [1, 2, 7, 60])
def test_median_is_the_least_value_whose_votes_reach_half(n_trees):
    rng = np.random.default_rng(n_trees)
    values = np.round(rng.standard_normal((50, n_trees)), 1)
    votes = rng.exponential(size=n_trees)
    medians = compute_medians(values, votes)
    for row, median in zip(values, medians):
        assert median in row
        assert votes[row <= median].sum() >= votes.sum() / 2
        assert votes[row < median].sum() < votes.sum() / 2
    assert_array_equal(compute_medians(values, np.zeros(n_trees)), values.min(axis=1))
