"""What a logistic regression in blocks knows of the data before it starts."""

from dataclasses import dataclass

import numpy as np

from skextra._core.numerics import full_data
from skextra._core.numerics.design_matrix import compute_column_means
from skextra._core.numerics.scaling import round_to_power_of_two


@dataclass
class ColumnMoments:
    """Weighted means of columns and sums of squares about them.

    Attributes
    ----------
    weight : float
    mean, squares : ndarray of shape (n_features,)

    References
    ----------
    Chan, Golub & LeVeque, "Algorithms for computing the sample variance: analysis and
    recommendations", The American Statistician 37 (1983).
    """

    weight: float
    mean: np.ndarray
    squares: np.ndarray

    def __add__(self, other):
        """Moments of the rows of both."""
        weight = self.weight + other.weight
        if self.weight == 0 or other.weight == 0:
            return other if self.weight == 0 else self
        difference = other.mean - self.mean
        share = other.weight / weight
        between = self.weight * share * difference**2
        return ColumnMoments(
            weight, self.mean + share * difference, self.squares + other.squares + between
        )

    def choose_units(self, fit_intercept):
        """Shift and power of two that bring each column to a mean of 0 and a size of about 1."""
        if fit_intercept:
            sizes = np.sqrt(self.squares / self.weight)
            # Of a constant column centering leaves rounding.
            sizes[sizes <= 2 * np.finfo(np.float64).eps * np.abs(self.mean)] = 1.0
            return self.mean, round_to_power_of_two(sizes)
        sizes = np.sqrt(self.squares / self.weight + self.mean**2)
        return np.zeros_like(self.mean), round_to_power_of_two(sizes)


def measure_columns(X, sample_weight):
    """Moments of one block.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
    sample_weight : ndarray of shape (n_samples,) or None

    Returns
    -------
    moments : ColumnMoments
    """
    n, p = X.shape
    weight = float(n if sample_weight is None else sample_weight.sum())
    if weight == 0:
        return ColumnMoments(0.0, np.zeros(p), np.zeros(p))
    mean = compute_column_means(X, sample_weight, weight)
    squares = np.zeros(p)
    ones = np.ones(n) if sample_weight is None else sample_weight
    for start, stop, block in full_data.iterate_row_blocks(X, mean):
        squares += ones[start:stop] @ np.square(block, out=block)
    return ColumnMoments(weight, mean, squares)
