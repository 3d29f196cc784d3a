"""Rows drawn from leaves, and missing values of rows, drawn or expected."""

import math

import numpy as np

from skextra._core.generative.leaves import (
    exponentiate_weights,
    find_row_leaves,
    split_rows,
)
from skextra._core.generative.truncated_normal import compute_mean, compute_quantile
from skextra._core.runtime.jit import njit


@njit(error_model="numpy")
def _draw_value(densities, lower, upper, leaf, j, low, high, allowed, u):
    """Number of (low, high], or allowed category, by inversion of a leaf's distribution."""
    _, means, inverse_scales, _, log_probabilities, offsets = densities
    if offsets[j + 1] == offsets[j]:
        mean, inverse = means[leaf, j], inverse_scales[leaf, j]
        left, right = max(np.float64(lower[leaf, j]), low), min(np.float64(upper[leaf, j]), high)
        z = compute_quantile((left - mean) * inverse, (right - mean) * inverse, u)
        return min(max(mean + z / inverse, left), right)
    total = 0.0
    for c in range(offsets[j], offsets[j + 1]):
        if allowed[c]:
            total += math.exp(log_probabilities[leaf, c])
    goal, cumulated, drawn = u * total, 0.0, -1
    for c in range(offsets[j], offsets[j + 1]):
        weight = math.exp(log_probabilities[leaf, c]) if allowed[c] else 0.0
        if weight > 0.0 and (drawn < 0 or goal > cumulated):
            drawn = c
        cumulated += weight
    return np.float64(drawn - offsets[j])


@njit(error_model="numpy")
def _draw_rows(densities, lower, upper, chosen, low, high, allowed, uniforms, start, stop, out):
    for row in range(start, stop):
        for j in range(out.shape[1]):
            out[row, j] = _draw_value(
                densities, lower, upper, chosen[row], j, low[j], high[j], allowed,
                uniforms[row, j],
            )  # fmt: skip


def draw_from_leaves(leaves, chosen, low, high, allowed, uniforms, map_blocks):
    """Draw one row from each chosen leaf.

    Parameters
    ----------
    leaves : Leaves
    chosen : ndarray of int64 of shape (n,)
    low, high : ndarray of shape (n_columns,)
        Numbers are drawn from these intervals.
    allowed : ndarray of bool of shape (total of the categories,)
        Categories that may be drawn.
    uniforms : ndarray of shape (n, n_columns)
    map_blocks : callable
        Applies a function to each tuple of a list, as `map_in_threads` does.

    Returns
    -------
    rows : ndarray of float64 of shape (n, n_columns)
    """
    out = np.empty(uniforms.shape)
    tasks = [
        (
            leaves.densities, leaves.lower, leaves.upper, chosen, low, high, allowed, uniforms,
            start, stop, out,
        )
        for start, stop in split_rows(len(out))
    ]  # fmt: skip
    map_blocks(_draw_rows, tasks)
    return out


@njit(error_model="numpy")
def _expect_value(densities, lower, upper, j, found, weights, n_found, total, shares):
    """Expected number, or most probable category, in a mixture of leaves."""
    _, means, inverse_scales, _, log_probabilities, offsets = densities
    if offsets[j + 1] == offsets[j]:
        expected = 0.0
        for k in range(n_found):
            leaf = found[k]
            mean, inverse = means[leaf, j], inverse_scales[leaf, j]
            a = (np.float64(lower[leaf, j]) - mean) * inverse
            b = (np.float64(upper[leaf, j]) - mean) * inverse
            expected += weights[k] / total * (mean + compute_mean(a, b) / inverse)
        return expected
    n_categories = offsets[j + 1] - offsets[j]
    shares[:n_categories] = 0.0
    for k in range(n_found):
        for c in range(n_categories):
            shares[c] += weights[k] * math.exp(log_probabilities[found[k], offsets[j] + c])
    return np.float64(np.argmax(shares[:n_categories]))


@njit(error_model="numpy")
def _impute(
    forest, densities, lower, upper, X, depth, with_means, allowed, uniforms, start, stop, out
):
    n_leaves, n_columns = len(densities[0]), X.shape[1]
    found, weights = np.empty(n_leaves, np.int64), np.empty(n_leaves)
    stack, shares = np.empty(2 * depth + 2, np.int64), np.empty(len(allowed))
    for row in range(start, stop):
        n_found = find_row_leaves(forest, densities, X, row, stack, found, weights)
        _, total = exponentiate_weights(weights, n_found)
        chosen, cumulated, goal = found[0], 0.0, uniforms[row, n_columns] * total
        for k in range(n_found):
            if goal > cumulated:
                chosen = found[k]
            cumulated += weights[k]
        for j in range(n_columns):
            if X[row, j] == X[row, j]:
                out[row, j] = X[row, j]
            elif with_means:
                out[row, j] = _expect_value(
                    densities, lower, upper, j, found, weights, n_found, total, shares
                )
            else:
                out[row, j] = _draw_value(
                    densities, lower, upper, chosen, j, -np.inf, np.inf, allowed, uniforms[row, j]
                )


def impute_rows(leaves, X, uniforms, with_means, map_blocks):
    """Replace missing values by draws or means, given the other values of their row.

    Parameters
    ----------
    leaves : Leaves
    X : C-contiguous ndarray of float32 of shape (n_rows, n_columns)
        NaN is a missing value.
    uniforms : ndarray of shape (n_rows, n_columns + 1)
        Not read for means.
    with_means : bool
        Whether numbers are replaced by their means, categories by the most probable.
    map_blocks : callable
        Applies a function to each tuple of a list, as `map_in_threads` does.

    Returns
    -------
    filled : ndarray of float64 of shape (n_rows, n_columns)
    """
    out, depth = np.empty(X.shape), int(leaves.trees.depths.max())
    allowed = np.ones(leaves.offsets[-1], dtype=np.bool_)
    tasks = [
        (
            leaves.forest, leaves.densities, leaves.lower, leaves.upper, X, depth, with_means,
            allowed, uniforms, start, stop, out,
        )
        for start, stop in split_rows(len(X))
    ]  # fmt: skip
    map_blocks(_impute, tasks)
    return out
