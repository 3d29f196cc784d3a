"""What a tree is grown for: targets, criterion, weights, and which search they allow."""

from dataclasses import dataclass

import numpy as np

from skextra._core.tree.criterion_table import (
    ABSOLUTE_ERROR,
    BINARY,
    CLASSES,
    GENERAL,
    SUMS,
)
from skextra._core.tree.search_binary import MAX_TOTAL, MAX_WEIGHT

# Numbers up to 2^100 and from 2^-100 on: products of four of them are numbers, too.
_LARGEST_EXPONENT = 100


@dataclass(frozen=True)
class Target:
    """Targets of all rows, one row of `values` an output.

    Attributes
    ----------
    values : ndarray of float64 of shape (n_outputs, n_samples)
        Class numbers, or what is to be predicted.
    n_classes : ndarray of int64 of shape (n_outputs,)
        Number of classes of each output; 1 for regression.
    is_classification : bool
    """

    values: np.ndarray
    n_classes: np.ndarray
    is_classification: bool

    @property
    def n_outputs(self):
        """Number of outputs."""
        return len(self.n_classes)

    @property
    def stride(self):
        """Largest number of classes of an output."""
        return int(self.n_classes.max())


def classification_target(y, n_classes):
    """Target of class numbers.

    Parameters
    ----------
    y : ndarray of int of shape (n_samples,) or (n_samples, n_outputs)
    n_classes : int or sequence of int
        Of each output.

    Returns
    -------
    target : Target
    """
    return Target(_as_rows(y), np.atleast_1d(np.asarray(n_classes, dtype=np.int64)), True)


def regression_target(y):
    """Target of real numbers, of shape (n_samples,) or (n_samples, n_outputs)."""
    values = _as_rows(y)
    return Target(values, np.ones(len(values), dtype=np.int64), False)


def _as_rows(y):
    y = np.asarray(y, dtype=np.float64)
    return np.ascontiguousarray(y[None] if y.ndim == 1 else y.T)


def choose_search(target, criterion, weights):
    """The fastest search that finds this problem's best splits.

    Parameters
    ----------
    target : Target
    criterion : Criterion
    weights : ndarray of float64
        Of the rows that count, none of them 0.

    Returns
    -------
    search : int
    """
    if target.n_outputs > 1 or (len(weights) and weights.min() < 0):
        return GENERAL
    has_two_classes = target.n_classes[0] == 2
    largest, total = weights.max(initial=0.0), weights.sum()
    is_whole = largest < MAX_WEIGHT and total < MAX_TOTAL and (weights == np.floor(weights)).all()
    is_possible = {
        BINARY: has_two_classes and is_whole,
        # Of two classes, the share of one is a mean.
        SUMS: has_two_classes or not target.is_classification,
        CLASSES: target.is_classification,
    }
    return next((search for search in criterion.searches if is_possible[search]), GENERAL)


def rank_all(target, criterion):
    """Ranks of every output's targets, which only the absolute error asks for."""
    if criterion.number != ABSOLUTE_ERROR:
        return np.zeros((1, 1), dtype=np.int32)
    ranks = [np.unique(values, return_inverse=True)[1].ravel() for values in target.values]
    return np.array(ranks, dtype=np.int32)


def scale_extremes(values):
    """Bring very large or small numbers near 1, where their squares and products are numbers.

    Others are left as they are, whole numbers among them.

    Parameters
    ----------
    values : ndarray of float64

    Returns
    -------
    scaled : ndarray of float64
        Multiplied by a power of two, which is exact.
    exponent : int
        `values` are ``np.ldexp(scaled, exponent)``.
    """
    largest = max(values.max(initial=0.0), -values.min(initial=0.0))
    exponent = int(np.frexp(largest)[1])
    if abs(exponent) <= _LARGEST_EXPONENT:
        return values, 0
    return np.ldexp(values, -exponent), exponent
