"""Fit the densities in the leaves of a forest to the rows that fall into them."""

import math

import numpy as np

from skextra._core.generative.leaves import Leaves
from skextra._core.generative.truncated_normal import LOG_ROOT_TWO_PI, compute_log_mass
from skextra._core.runtime.jit import njit
from skextra._core.tree.nodes import FEATURE_MASK
from skextra._core.tree.predict import find_leaves

# Rows that the prior of a leaf counts for: of the shares, and of means, variances and
# probabilities. Without them a leaf with one row would have a variance of zero.
_PRIOR = 1.0


@njit
def _find_bounds(nodes, thresholds, lower, upper, node_lower, node_upper):
    """Bounds of a tree's leaves; scratch has a row for each node."""
    node_lower[0, :], node_upper[0, :] = -np.inf, np.inf
    for node in range(len(node_lower)):
        right = nodes[3 * node + 2]
        if right < 0:
            lower[~right], upper[~right] = node_lower[node], node_upper[node]
            continue
        feature, threshold = nodes[3 * node] & FEATURE_MASK, thresholds[3 * node + 1]
        for child in (node + 1, np.int64(right)):
            node_lower[child], node_upper[child] = node_lower[node], node_upper[node]
        node_upper[node + 1, feature] = threshold
        node_lower[right, feature] = threshold


@njit(error_model="numpy")
def _fit_numbers(
    j, X, leaf_of_row, counts, lower, upper, low, high, min_scale, means, inverse_scales, constants
):
    """Moments of a column in each leaf, with the uniform distribution on the leaf as a prior."""
    n_leaves = len(counts)
    sums, squares = np.zeros(n_leaves), np.zeros(n_leaves)
    for i in range(X.shape[0]):
        sums[leaf_of_row[i, 0]] += np.float64(X[i, j])
    left, right = np.empty(n_leaves), np.empty(n_leaves)
    for leaf in range(n_leaves):
        left[leaf] = min(max(np.float64(lower[leaf, j]), low), high)
        right[leaf] = max(min(np.float64(upper[leaf, j]), high), left[leaf])
        middle = 0.5 * (left[leaf] + right[leaf])
        means[leaf, j] = (sums[leaf] + _PRIOR * middle) / (counts[leaf] + _PRIOR)
    for i in range(X.shape[0]):
        leaf = leaf_of_row[i, 0]
        squares[leaf] += (np.float64(X[i, j]) - means[leaf, j]) ** 2
    for leaf in range(n_leaves):
        width, mean = right[leaf] - left[leaf], means[leaf, j]
        spread = width * width / 12.0 + (0.5 * (left[leaf] + right[leaf]) - mean) ** 2
        variance = (squares[leaf] + _PRIOR * spread) / (counts[leaf] + _PRIOR)
        inverse = 1.0 / max(math.sqrt(variance), min_scale)
        a, b = (lower[leaf, j] - mean) * inverse, (upper[leaf, j] - mean) * inverse
        inverse_scales[leaf, j] = inverse
        constants[leaf, j] = math.log(inverse) - LOG_ROOT_TWO_PI - compute_log_mass(a, b)


@njit(error_model="numpy")
def _fit_categories(j, X, leaf_of_row, counts, lower, upper, prior, table):
    """Shares of a column's categories in each leaf, with those of all rows as a prior."""
    n_leaves, n_categories = table.shape
    table[:] = 0.0
    for i in range(X.shape[0]):
        table[leaf_of_row[i, 0], np.int64(X[i, j])] += 1.0
    for leaf in range(n_leaves):
        total = 0.0
        for c in range(n_categories):
            if lower[leaf, j] < c <= upper[leaf, j]:
                total += prior[c]
        for c in range(n_categories):
            if lower[leaf, j] < c <= upper[leaf, j]:
                share = table[leaf, c] + _PRIOR * prior[c] / total
                table[leaf, c] = math.log(share / (counts[leaf] + _PRIOR))
            else:
                table[leaf, c] = -np.inf


def _fit_tree(tree, X, synthetic, priors, min_scales, parts):
    """Fill one tree's part of the arrays of `Leaves`."""
    log_shares, lower, upper, means, inverse_scales, constants, table, offsets = parts
    n_leaves, n_columns = lower.shape
    nodes = tree.nodes.reshape(-1)
    scratch = np.empty((2, len(tree.nodes), n_columns), np.float32)
    _find_bounds(nodes, nodes.view(np.float32), lower, upper, scratch[0], scratch[1])
    leaf_of_row = find_leaves(tree, X)
    counts = np.bincount(leaf_of_row[:, 0], minlength=n_leaves).astype(np.float64)
    # A leaf without real rows has its share of one synthetic row: no density is zero.
    expected = np.bincount(find_leaves(tree, synthetic)[:, 0], minlength=n_leaves)
    shares = (counts + _PRIOR * expected / len(synthetic)) / (len(X) + _PRIOR)
    with np.errstate(divide="ignore"):
        log_shares[:] = np.log(shares)
    for j, prior in enumerate(priors):
        if offsets[j + 1] > offsets[j]:
            part = np.empty((n_leaves, len(prior)))
            _fit_categories(j, X, leaf_of_row, counts, lower, upper, prior, part)
            table[:, offsets[j] : offsets[j + 1]] = part
        else:
            low, high = prior
            _fit_numbers(
                j, X, leaf_of_row, counts, lower, upper, low, high, min_scales[j], means,
                inverse_scales, constants,
            )  # fmt: skip


def _make_priors(X, n_categories):
    """The range of each column of numbers, smoothed shares of each column's categories."""
    priors = []
    for column, n in zip(X.T, n_categories, strict=True):
        if n:
            counts = np.bincount(column.astype(np.int64), minlength=n)
            priors.append((counts + 1.0) / (len(X) + n))
        else:
            priors.append((float(column.min()), float(column.max())))
    return priors


def fit_leaves(trees, X, synthetic, n_categories, min_scales, map_blocks):
    """Densities in the leaves of trees that were grown to tell two samples apart.

    Parameters
    ----------
    trees : Trees
    X : C-contiguous ndarray of float32 of shape (n_samples, n_columns)
        Real rows, without missing values. Columns of categories hold their numbers.
    synthetic : C-contiguous ndarray of float32 of shape (n_synthetic, n_columns)
    n_categories : sequence of int
        Number of categories of each column; 0 for numbers.
    min_scales : ndarray of shape (n_columns,)
        Lower bounds of the standard deviations.
    map_blocks : callable
        Applies a function to each tuple of a list, as `map_in_threads` does.

    Returns
    -------
    leaves : Leaves
    """
    shape = (trees.n_leaves, X.shape[1])
    offsets = np.concatenate([[0], np.cumsum(n_categories)]).astype(np.int64)
    lower, upper = np.empty((2, *shape), np.float32)
    means, inverse_scales, constants = np.zeros((3, *shape))
    table, log_shares = np.empty((shape[0], offsets[-1])), np.empty(shape[0])
    priors, tasks = _make_priors(X, n_categories), []
    for index in range(trees.n_trees):
        part = slice(*trees.leaf_offsets[index : index + 2])
        arrays = (log_shares, lower, upper, means, inverse_scales, constants, table)
        parts = (*(array[part] for array in arrays), offsets)
        tasks.append((trees.get_tree(index), X, synthetic, priors, min_scales, parts))
    map_blocks(_fit_tree, tasks)
    return Leaves(trees, log_shares, lower, upper, means, inverse_scales, constants, table, offsets)
