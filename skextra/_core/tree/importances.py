"""Importance of features by the impurity their splits take away."""

import numpy as np

from skextra._core.tree.nodes import FEATURE_MASK, describe_nodes


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
