"""What is known of a row: values, intervals and categories, and the leaves' weights given it."""

from dataclasses import dataclass

import numpy as np

from skextra._core.generative.leaves import Leaves, compute_log_density
from skextra._core.generative.truncated_normal import compute_log_mass
from skextra._core.runtime.jit import njit


@dataclass(frozen=True)
class Evidence:
    """Conditions on the columns of a row.

    Attributes
    ----------
    values : ndarray of float32 of shape (n_columns,)
        Known values; NaN where there is none.
    low, high : ndarray of float64 of shape (n_columns,)
        Intervals that numbers are in; infinite where there are none.
    allowed : ndarray of bool of shape (total of the categories,)
    """

    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    allowed: np.ndarray


def make_evidence(leaves):
    """Evidence that says nothing."""
    p = leaves.n_columns
    return Evidence(
        np.full(p, np.nan, np.float32), np.full(p, -np.inf), np.full(p, np.inf),
        np.ones(leaves.offsets[-1], dtype=np.bool_),
    )  # fmt: skip


@njit(error_model="numpy")
def _add_value(densities, lower, upper, j, value, log_weights):
    for leaf in range(len(log_weights)):
        if lower[leaf, j] < value <= upper[leaf, j]:
            log_weights[leaf] += compute_log_density(densities, leaf, j, value)
        else:
            log_weights[leaf] = -np.inf


@njit(error_model="numpy")
def _add_interval(densities, lower, upper, j, low, high, log_weights):
    _, means, inverse_scales, _, _, _ = densities
    for leaf in range(len(log_weights)):
        left, right = np.float64(lower[leaf, j]), np.float64(upper[leaf, j])
        if max(left, low) >= min(right, high):
            log_weights[leaf] = -np.inf
            continue
        mean, inverse = means[leaf, j], inverse_scales[leaf, j]
        log_weights[leaf] += compute_log_mass(
            (max(left, low) - mean) * inverse, (min(right, high) - mean) * inverse
        ) - compute_log_mass((left - mean) * inverse, (right - mean) * inverse)


def weigh_leaves(leaves: Leaves, evidence):
    """Logarithm of each leaf's share times the probability, or density, of the evidence in it.

    Parameters
    ----------
    leaves : Leaves
    evidence : Evidence

    Returns
    -------
    log_weights : ndarray of shape (n_leaves,)
        Not normalized: the exponentials sum to the number of trees times the probability.
    """
    log_weights = leaves.log_shares.copy()
    for j in range(leaves.n_columns):
        categories = slice(leaves.offsets[j], leaves.offsets[j + 1])
        if not np.isnan(evidence.values[j]):
            _add_value(
                leaves.densities, leaves.lower, leaves.upper, j, evidence.values[j], log_weights
            )
        elif not evidence.allowed[categories].all():
            kept = leaves.log_probabilities[:, categories][:, evidence.allowed[categories]]
            with np.errstate(divide="ignore"):
                log_weights += np.log(np.exp(kept).sum(axis=1))
        elif evidence.low[j] > -np.inf or evidence.high[j] < np.inf:
            _add_interval(
                leaves.densities, leaves.lower, leaves.upper, j, evidence.low[j],
                evidence.high[j], log_weights,
            )  # fmt: skip
    return log_weights
