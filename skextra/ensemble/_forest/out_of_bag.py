"""Out-of-bag predictions: every row by the trees that have not seen it."""

from dataclasses import replace
from warnings import warn

import numpy as np

from skextra.tree import _data

_GROUP = 16


def compute_out_of_bag(trees, X, y, sampling, seeds, score, n_jobs):
    """Predictions for the training rows, and their score as trees were added.

    Parameters
    ----------
    trees : Trees
    X : ndarray or sparse matrix of float32 of shape (n_samples, n_features)
    y : ndarray of shape (n_samples, n_outputs)
    sampling : Sampling
    seeds : list of int
    score : callable
        Takes targets and mean leaf values of the rows that have one.
    n_jobs : int or None
        The result does not depend on it.

    Returns
    -------
    predictions : ndarray of float64 of shape (n_samples, n_outputs * stride)
        Mean leaf values; 0 where every tree has seen the row.
    curve : ndarray of float64 of shape (n_trees,)
        Score after each tree, of the rows that have a prediction by then; NaN before
        the first.
    """
    n_samples = X.shape[0]
    if not isinstance(X, np.ndarray):
        X = X.tocsr()
    sums = np.zeros((n_samples, trees.leaf_values.shape[1]))
    counts = np.zeros(n_samples, np.int64)
    curve = np.full(trees.n_trees, np.nan)
    for first in range(0, trees.n_trees, _GROUP):
        group = range(first, min(first + _GROUP, trees.n_trees))
        leaves = _data.find_leaves(_take(trees, group), X, n_jobs=n_jobs)
        for column, index in enumerate(group):
            left_out = np.flatnonzero(sampling.find_left_out(seeds[index]))
            begin = trees.leaf_offsets[index]
            sums[left_out] += trees.leaf_values[begin + leaves[left_out, column]]
            counts[left_out] += 1
            seen = counts > 0
            if seen.any():
                curve[index] = score(y[seen], sums[seen] / counts[seen, None])
    if not counts.all():
        warn(
            "Some inputs do not have OOB scores. This probably means too few trees were used "
            "to compute any reliable OOB estimates.",
            UserWarning,
            stacklevel=6,
        )
    return sums / np.maximum(counts, 1)[:, None], curve


def _take(trees, group):
    """Some neighbouring trees, on the same memory."""
    first, stop = group.start, group.stop
    nodes = trees.node_offsets[first : stop + 1]
    leaves = trees.leaf_offsets[first : stop + 1]
    return replace(
        trees,
        nodes=trees.nodes[nodes[0] : nodes[-1]],
        node_offsets=nodes - nodes[0],
        leaf_offsets=leaves - leaves[0],
        leaf_values=trees.leaf_values[leaves[0] : leaves[-1]],
        depths=trees.depths[first:stop],
    )
