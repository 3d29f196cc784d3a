"""Densities in the leaves of a forest, and the leaves that a row may be in.

The density of a row x is the mean over the trees of the share of x's leaf in the training rows
times the product over the columns of the leaf's densities there: truncated normal for numbers,
multinomial for categories. Watson, Blesch, Kapar & Wright, "Adversarial random forests for density
estimation and generative modeling", AISTATS 2023, equation (2).
"""

import math
from dataclasses import dataclass, fields

import numpy as np

from skextra._core.runtime.jit import njit
from skextra._core.tree.nodes import FEATURE_MASK, Trees

_BLOCK = 256  # rows of a task


@dataclass(frozen=True)
class Leaves:
    """Trees, and a density in each of their leaves.

    Attributes
    ----------
    trees : Trees
    log_shares : ndarray of shape (n_leaves,)
        Logarithm of the share of each leaf among its tree's.
    lower, upper : ndarray of float32 of shape (n_leaves, n_columns)
        A leaf holds the values in (lower, upper].
    means, inverse_scales : ndarray of shape (n_leaves, n_columns)
        Of the normal distribution before it is truncated.
    constants : ndarray of shape (n_leaves, n_columns)
        Logarithms of the factors that normalize the densities.
    log_probabilities : ndarray of shape (n_leaves, total of the categories)
    offsets : ndarray of int64 of shape (n_columns + 1,)
        Where each column's categories begin; columns of numbers have none.
    """

    trees: Trees
    log_shares: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    means: np.ndarray
    inverse_scales: np.ndarray
    constants: np.ndarray
    log_probabilities: np.ndarray
    offsets: np.ndarray

    @property
    def n_columns(self):
        """Number of columns."""
        return self.lower.shape[1]

    @property
    def forest(self):
        """Arrays of the trees, as kernels take them."""
        nodes = self.trees.nodes.reshape(-1)
        return (
            nodes, nodes.view(np.float32), self.trees.node_offsets, self.trees.leaf_offsets,
        )  # fmt: skip

    @property
    def densities(self):
        """Arrays of the densities, as kernels take them."""
        return (
            self.log_shares, self.means, self.inverse_scales, self.constants,
            self.log_probabilities, self.offsets,
        )  # fmt: skip

    def to_arrays(self):
        """Fields by name, as plain data: what pickles hold."""
        state = {field.name: getattr(self, field.name) for field in fields(self)}
        if self.log_probabilities.size == 0:
            # Strides of an array without entries are anything, and copies' differ.
            state["log_probabilities"] = np.empty(self.log_probabilities.shape)
        return {**state, "trees": self.trees.to_arrays()}

    @classmethod
    def from_arrays(cls, arrays):
        """Undo `to_arrays`."""
        return cls(**{**arrays, "trees": Trees.from_arrays(arrays["trees"])})


@njit(error_model="numpy")
def compute_log_density(densities, leaf, j, value):
    """Logarithm of a leaf's density of column j at a value, or of a category's probability."""
    _, means, inverse_scales, constants, log_probabilities, offsets = densities
    if offsets[j + 1] > offsets[j]:
        return log_probabilities[leaf, offsets[j] + np.int64(value)]
    z = (np.float64(value) - means[leaf, j]) * inverse_scales[leaf, j]
    return constants[leaf, j] - 0.5 * z * z


@njit(error_model="numpy")
def find_row_leaves(forest, densities, X, row, stack, found, log_weights):
    """Leaves that a row may be in, and the logarithms of its densities there.

    A missing value goes both ways: the densities of the other columns, times the shares of the
    leaves, add up to the marginal density.

    Parameters
    ----------
    forest, densities : tuple of ndarray
        Of `Leaves`.
    X : ndarray of float32 of shape (n_rows, n_columns)
    row : int
    stack : ndarray of int64
        Room for twice the largest depth.
    found, log_weights : ndarray of shape (n_leaves,)
        Receive the leaves, and the logarithms of share times density.

    Returns
    -------
    n_found : int
    """
    nodes, thresholds, node_offsets, leaf_offsets = forest
    n_found = 0
    for t in range(len(node_offsets) - 1):
        start = node_offsets[t]
        stack[0], n_waiting = 0, 1
        while n_waiting > 0:
            n_waiting -= 1
            node = stack[n_waiting]
            place = 3 * (start + node)
            right = nodes[place + 2]
            while right >= 0:
                value = X[row, nodes[place] & FEATURE_MASK]
                if value != value:
                    stack[n_waiting] = right
                    n_waiting += 1
                node = right if value > thresholds[place + 1] else node + 1
                place = 3 * (start + node)
                right = nodes[place + 2]
            leaf = leaf_offsets[t] + ~np.int64(right)
            total = densities[0][leaf]
            for j in range(X.shape[1]):
                if X[row, j] == X[row, j]:
                    total += compute_log_density(densities, leaf, j, X[row, j])
            found[n_found], log_weights[n_found] = leaf, total
            n_found += 1
    return n_found


@njit(error_model="numpy")
def exponentiate_weights(log_weights, n):
    """Replace logarithms by numbers relative to the largest; return its logarithm and their sum."""
    largest = -np.inf
    for k in range(n):
        largest = max(largest, log_weights[k])
    total = 0.0
    for k in range(n):
        log_weights[k] = math.exp(log_weights[k] - largest) if largest > -np.inf else 0.0
        total += log_weights[k]
    return largest, total


@njit(error_model="numpy")
def _score(forest, densities, X, depth, start, stop, out):
    n_leaves = len(densities[0])
    found, weights = np.empty(n_leaves, np.int64), np.empty(n_leaves)
    stack, n_trees = np.empty(2 * depth + 2, np.int64), len(forest[2]) - 1
    for row in range(start, stop):
        n_found = find_row_leaves(forest, densities, X, row, stack, found, weights)
        largest, total = exponentiate_weights(weights, n_found)
        out[row] = largest + math.log(total / n_trees) if total > 0.0 else -np.inf


def split_rows(n_rows):
    """Blocks of rows, a task each."""
    return [(start, min(start + _BLOCK, n_rows)) for start in range(0, n_rows, _BLOCK)]


def score_rows(leaves, X, map_blocks):
    """Logarithm of the density at each row.

    Parameters
    ----------
    leaves : Leaves
    X : C-contiguous ndarray of float32 of shape (n_rows, n_columns)
        NaN is a missing value, which is integrated out.
    map_blocks : callable
        Applies a function to each tuple of a list, as `map_in_threads` does.

    Returns
    -------
    scores : ndarray of float64 of shape (n_rows,)
    """
    out, depth = np.empty(len(X)), int(leaves.trees.depths.max())
    tasks = [
        (leaves.forest, leaves.densities, X, depth, start, stop, out)
        for start, stop in split_rows(len(X))
    ]
    map_blocks(_score, tasks)
    return out
