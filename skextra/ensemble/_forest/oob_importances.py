"""Permutation importances on the rows that each tree has not seen."""

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.utils import Bunch

from skextra import _core
from skextra.tree import _data


def compute_tree_importances(tree, X, y, weights, left_out, score, seed):
    """Loss of score of one tree as each feature is permuted among the rows it has not seen.

    Parameters
    ----------
    tree : Trees
        With one tree.
    X : ndarray of float32 of shape (n_samples, n_features)
    y : ndarray of shape (n_samples, n_outputs)
    weights : ndarray of shape (n_samples,) or None
    left_out : ndarray of int
        Rows.
    score : callable
        Takes targets, leaf values and weights; larger is better.
    seed : list of int

    Returns
    -------
    losses : ndarray of float64 of shape (n_features,)
        0 for features that the tree does not use.
    """
    losses = np.zeros(X.shape[1])
    inner = tree.nodes[:, 2] >= 0
    if len(left_out) < 2 or not inner.any():
        return losses
    rows = X[left_out]
    rows = np.ascontiguousarray(rows.toarray() if sparse.issparse(rows) else rows, np.float32)
    targets = y[left_out]
    weights = None if weights is None else weights[left_out]
    reference = score(targets, _predict(tree, rows), weights)
    for feature in np.unique(tree.nodes[inner, 0] & _core.tree.nodes.FEATURE_MASK):
        # A generator for each feature: the order of features is of no consequence.
        order = np.random.default_rng([*seed, feature]).permutation(len(rows))
        kept = rows[:, feature].copy()
        rows[:, feature] = kept[order]
        losses[feature] = reference - score(targets, _predict(tree, rows), weights)
        rows[:, feature] = kept
    return losses


def _predict(tree, rows):
    out = np.zeros((len(rows), tree.leaf_values.shape[1]))
    _core.tree.predict.sum_leaf_values(tree, rows, out)
    return out


def summarize(losses):
    """Means over trees, with their standard errors.

    Parameters
    ----------
    losses : ndarray of float64 of shape (n_trees, n_features)

    Returns
    -------
    importances : Bunch
    """
    n_trees = len(losses)
    spread = losses.std(axis=0, ddof=1) if n_trees > 1 else np.full(losses.shape[1], np.nan)
    return Bunch(
        importances_mean=losses.mean(axis=0),
        importances_standard_error=spread / np.sqrt(n_trees),
        importances=losses.T,
    )


def check_training_rows(forest, X, y, sample_weight):
    """Training data given once more: as many rows as the forest was fitted on."""
    X = _data.validate_rows(forest, X)
    y = np.asarray(y)
    if y.ndim not in (1, 2):
        raise ValueError(f"y must have one or two dimensions, got shape {y.shape}")
    y = np.reshape(y, (len(y), -1))
    n = forest._n_samples
    if X.shape[0] != n or len(y) != n:
        raise ValueError(
            f"X and y must be the training data of the forest, of {n} samples, got "
            f"{X.shape[0]} and {len(y)}"
        )
    if sample_weight is not None and np.shape(sample_weight) != (n,):
        raise ValueError(
            f"sample_weight must have shape ({n},), got shape {np.shape(sample_weight)}"
        )
    return X.tocsr() if sparse.issparse(X) else X, y


def compute_null_importances(forest, X, y, weights, random_state, n_permutations):
    """Importances in forests grown on rows of X that were permuted against all else.

    Parameters
    ----------
    forest : Forest
    X, y : ndarray or sparse matrix
        The training data.
    weights : ndarray or None
        In the score.
    random_state, n_permutations : int

    Returns
    -------
    importances : ndarray of float64 of shape (n_permutations, n_features)
    """
    importances = []
    options = {"warm_start": False, "oob_score": False}
    if forest.get_params().get("class_weight") not in (None, "balanced_subsample"):
        options["class_weight"] = None  # they are in the weights that the trees were grown with
    targets = y[:, 0] if y.shape[1] == 1 else y
    for index in range(n_permutations):
        # A generator for each permutation: more of them do not change the first ones.
        random = np.random.default_rng([random_state, index])
        rows = random.permutation(X.shape[0])
        seed = int(random.integers(2**31 - 1))
        permuted = clone(forest).set_params(random_state=seed, **options)
        permuted.fit(X[rows], targets, sample_weight=forest._sample_weight)
        result = permuted.compute_oob_importances(X[rows], targets, weights, random_state)
        importances.append(result.importances_mean)
    return np.array(importances)
