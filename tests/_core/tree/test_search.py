"""The best split of a node against enumeration of all splits."""

import numpy as np
import pytest

from skextra._core import tree

CRITERIA = ("gini", "entropy", "squared_error", "absolute_error", "poisson", "gamma")

SIZES = [(4, 3), (9, 100), (40, 6), (60, 1000), (200, 5000), (300, 40)]


def compute_cost(criterion, y, weights, n_classes):
    """Weight times impurity of a node, from the definition."""
    if len(y) == 0:
        return 0.0
    total = weights.sum()
    if criterion in ("gini", "entropy"):
        shares = np.bincount(y.astype(int), weights, n_classes) / total
        if criterion == "gini":
            return total * (1 - (shares**2).sum())
        shares = shares[shares > 0]
        return -total * (shares * np.log2(shares)).sum()
    mean = (weights * y).sum() / total
    if criterion == "squared_error":
        return (weights * (y - mean) ** 2).sum()
    if criterion == "gamma":
        return (weights * np.log(mean / y)).sum()
    if criterion == "poisson":
        if mean <= 0:
            return np.inf
        ratios = np.where(y > 0, y / mean, 1.0)
        return (weights * y * np.log(ratios)).sum()
    return min((weights * np.abs(y - median)).sum() for median in y)


def enumerate_costs(X, y, weights, criterion, min_leaf):
    """The least cost of any split, every threshold and side of NaN tried."""
    n_classes = int(y.max()) + 1 if criterion in ("gini", "entropy") else 1
    best = np.inf
    for column in X.T:
        missing = np.isnan(column)
        values = np.unique(column[~missing])
        for threshold in values:
            for missing_left in (False, True):
                left = np.where(missing, missing_left, column <= threshold)
                if min(left.sum(), (~left).sum()) < min_leaf:
                    continue
                cost = sum(
                    compute_cost(criterion, y[side], weights[side], n_classes)
                    for side in (left, ~left)
                )
                best = min(best, cost)
    return best


def make_problem(rng, criterion, n_samples, n_distinct, has_missing):
    X = rng.integers(0, n_distinct, (n_samples, 2)).astype(np.float32)
    if has_missing:
        X[rng.random(X.shape) < 0.25] = np.nan
    if criterion in ("gini", "entropy"):
        y = rng.integers(0, rng.integers(2, 5), n_samples).astype(float)
        y = np.unique(y, return_inverse=True)[1].astype(float)
    elif criterion == "poisson":
        y = rng.poisson(2, n_samples).astype(float)
    elif criterion == "gamma":
        y = rng.gamma(0.5, 3.0, n_samples)
    else:
        y = rng.standard_normal(n_samples)
    return X, y


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("weighting", ["none", "integers", "reals"])
@pytest.mark.parametrize("has_missing", [False, True])
def test_split_is_the_best_of_all(criterion, weighting, has_missing):
    rng = np.random.default_rng(0)
    for n_samples, n_distinct in SIZES * 2:
        X, y = make_problem(rng, criterion, n_samples, n_distinct, has_missing)
        weights = {
            "none": np.ones(n_samples),
            "integers": rng.integers(1, 5, n_samples).astype(float),
            "reals": rng.uniform(0.1, 2.0, n_samples),
        }[weighting]
        min_leaf = int(rng.integers(1, 3))
        codes = tree.encode.encode_dense(X)
        if criterion in ("gini", "entropy"):
            target = tree.problem.classification_target(y, int(y.max()) + 1)
        else:
            target = tree.problem.regression_target(y)
        settings = tree.grow.Settings(
            criterion, max_features=2, max_depth=1, min_samples_leaf=min_leaf
        )
        grown = tree.grow.grow_tree(codes, target, weights, settings, seed=3)
        expected = enumerate_costs(X, y, weights, criterion, min_leaf)
        if grown.n_leaves == 1:
            assert not np.isfinite(expected) or len(np.unique(y)) == 1
            continue
        leaves = tree.predict.find_leaves(grown, X)[:, 0]
        n_classes = int(target.n_classes[0])
        reached = sum(
            compute_cost(criterion, y[leaves == side], weights[leaves == side], n_classes)
            for side in (0, 1)
        )
        assert reached == pytest.approx(expected, rel=1e-9, abs=1e-9)
