"""Splits drawn between values need no ranks: the same trees from codes that are values."""

import numpy as np
import pytest

from skextra._core import tree
from skextra._core.tree.encode import from_key, to_key


def make_problem(n_classes, weighting, n_samples=700):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_samples, 6)).astype(np.float32)
    X[:, 2] = X[:, 2] > 1  # constant in many nodes
    X[:, 3] = np.round(X[:, 3])  # has zeros of either sign
    signal = X[:, 0] + X[:, 1] * X[:, 3] + 0.3 * rng.standard_normal(n_samples)
    weights = {
        "none": None,
        "counts": rng.poisson(1, n_samples).astype(float),
        "quarters": np.ceil(8 * rng.random(n_samples)) / 4,  # sums are exact, so that ties are ties
    }[weighting]
    if n_classes == 1:
        return X, tree.problem.regression_target(np.round(64 * signal) / 64), weights
    labels = np.digitize(signal, np.quantile(signal, np.arange(1, n_classes) / n_classes))
    return X, tree.problem.classification_target(labels, n_classes), weights


def assert_equal_trees(first, second):
    for name, value in first.to_arrays().items():
        np.testing.assert_array_equal(second.to_arrays()[name], value, err_msg=name)


PROBLEMS = [
    ("squared_error", 1), ("gini", 2), ("entropy", 2), ("gini", 4), ("entropy", 4),
]  # fmt: skip


@pytest.mark.parametrize("weighting", ["none", "counts", "quarters"])
@pytest.mark.parametrize(("criterion", "n_classes"), PROBLEMS)
@pytest.mark.parametrize(
    "options",
    [{}, {"min_samples_leaf": 3, "max_features": 2}, {"min_weight_fraction_leaf": 0.01}],
    ids=str,
)
def test_drawn_splits_need_no_ranks(criterion, n_classes, weighting, options):
    X, target, weights = make_problem(n_classes, weighting)
    settings = tree.grow.Settings(criterion, **{"max_features": 6, "splitter": "random", **options})
    leaves = np.empty((2, len(X)), np.int32)
    by_value = tree.grow.grow_tree(
        tree.encode.encode_keys(X), target, weights, settings, 5, leaves[0]
    )
    by_rank = tree.grow.grow_tree(
        tree.encode.encode_dense(X), target, weights, settings, 5, leaves[1]
    )
    assert_equal_trees(by_value, by_rank)
    np.testing.assert_array_equal(*leaves)


def test_keys_are_in_the_order_of_the_values():
    values = np.array([-np.finfo(np.float32).max, -1.5, -1e-45, 0.0, 1e-45, 2.0, 3e38], np.float32)
    keys = [int(to_key(value)) for value in values]
    assert keys == sorted(set(keys))
    assert to_key(np.float32(-0.0)) == to_key(np.float32(0.0)) == 0
    np.testing.assert_array_equal([from_key(key) for key in keys], values)
    codes = tree.encode.encode_keys(np.stack([values, -values], axis=1))
    np.testing.assert_array_equal(codes.codes[: len(values)].view(np.int32), keys)
    np.testing.assert_array_equal(codes.codes_by_row[::2].view(np.int32), keys)


def test_codes_by_row_are_the_codes():
    X, _, _ = make_problem(1, "none")
    codes = tree.encode.encode_dense(X)
    np.testing.assert_array_equal(
        codes.codes_by_row.reshape(X.shape), codes.codes.reshape(X.shape[::-1]).T
    )
