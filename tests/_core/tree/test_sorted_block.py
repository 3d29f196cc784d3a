"""Small subtrees grown from rows that are kept sorted are the same trees."""

import numpy as np
import pytest

from skextra._core import tree
from skextra._core.tree.grow import Grower


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


@pytest.mark.parametrize("weighting", ["none", "counts", "quarters"])
@pytest.mark.parametrize(
    ("criterion", "n_classes"),
    [("squared_error", 1), ("gini", 2), ("entropy", 2), ("gini", 4), ("entropy", 4)],
)
@pytest.mark.parametrize("options", [{}, {"min_samples_leaf": 3}, {"max_features": 3}], ids=str)
def test_blocks_change_no_tree(criterion, n_classes, weighting, options, monkeypatch):
    X, target, weights = make_problem(n_classes, weighting)
    settings = tree.grow.Settings(criterion, **{"max_features": 6, **options})
    grower = Grower(tree.encode.encode_dense(X), target, settings)
    in_blocks = grower.grow(weights, 5).to_arrays()
    assert grower.state.block.end > 0
    monkeypatch.setattr(Grower, "_has_blocks", lambda self, search: False)
    without = Grower(grower.codes, target, settings).grow(weights, 5).to_arrays()
    for name, value in in_blocks.items():
        np.testing.assert_array_equal(without[name], value, err_msg=name)
