"""A few rows with the moments of many: what least squares needs to know of blocks of data.

Rows ``(x_i, y_i)`` with weights ``s_i`` are replaced by their weighted mean and a triangular
factor R about it, ``R'R = sum_i s_i (z_i - mean)(z_i - mean)'``. Least squares of the columns of
R has the same solution as least squares of the data. Factors of blocks are merged by another QR
factorization, with one row more for the distance of the means. No product of the data with
itself is formed, so that no digits are lost to its condition number.

References
----------
Demmel, Grigori, Hoemmen & Langou, "Communication-optimal parallel and sequential QR and LU
factorizations", SIAM J. Sci. Comput. 34 (2012).

Chan, Golub & LeVeque, "Algorithms for computing the sample variance: analysis and
recommendations", The American Statistician 37 (1983): the merge of means.
"""

from dataclasses import dataclass

import numpy as np

from skextra._core.numerics import full_data
from skextra._core.numerics.design_matrix import compute_column_means

# Rows of a block relative to its columns: fewer make the merges dear.
_BLOCK_SHAPE = 4
# A column that varies by less than this multiple of its mean's rounding is constant.
_CONSTANT = 8


@dataclass
class Factor:
    """Moments of weighted rows of features and targets.

    Attributes
    ----------
    rows : ndarray of shape (m, n_features + n_targets)
        Has the moments of the centered data; at most as many rows as columns.
    mean : ndarray of shape (n_features + n_targets,)
    weight : float
        Sum of the weights of the data.
    """

    rows: np.ndarray
    mean: np.ndarray
    weight: float

    def __add__(self, other):
        """Factor of the rows of both."""
        weight = self.weight + other.weight
        if weight == 0:
            return self
        difference = other.mean - self.mean
        mean = self.mean + difference * (other.weight / weight) if self.weight else other.mean
        between = np.sqrt(self.weight * (other.weight / weight)) * difference
        return Factor(compress(np.vstack([self.rows, other.rows, between])), mean, weight)

    def move_to_zero(self):
        """Factor about zero instead of the mean, for models without an intercept."""
        rows = compress(np.vstack([self.rows, np.sqrt(self.weight) * self.mean]))
        return Factor(rows, np.zeros_like(self.mean), self.weight)

    def split(self, n_features):
        """Columns of features without those that are constant but for rounding, and of targets."""
        X, Y = self.rows[:, :n_features].copy(), self.rows[:, n_features:]
        lengths = np.sqrt(np.einsum("ij,ij->j", X, X))
        noise = _CONSTANT * np.finfo(np.float64).eps * np.abs(self.mean[:n_features])
        X[:, lengths <= np.sqrt(self.weight) * noise] = 0.0
        return X, Y


def compress(rows):
    """As few rows with the same moments as there are columns."""
    if len(rows) <= rows.shape[1]:
        return rows
    # LAPACK does not come back from some that are not finite.
    if not np.isfinite(rows).all():
        raise ValueError("X or y is too large: sums of squares overflow; scale them")
    return np.linalg.qr(rows, mode="r")


def factorize(X, Y, sample_weight=None):
    """Factor of one block of data.

    Parameters
    ----------
    X : ndarray (C- or F-contiguous) or CSR of shape (n_samples, n_features)
    Y : ndarray of shape (n_samples, n_targets) and float64
    sample_weight : ndarray of shape (n_samples,) and float64, or None

    Returns
    -------
    factor : Factor
    """
    (n, p), q = X.shape, X.shape[1] + Y.shape[1]
    weight = float(n if sample_weight is None else sample_weight.sum())
    if weight == 0:
        return Factor(np.zeros((0, q)), np.zeros(q), 0.0)
    mean = np.concatenate([compute_column_means(A, sample_weight, weight) for A in (X, Y)])
    root = None if sample_weight is None else np.sqrt(sample_weight)
    rows = np.zeros((0, q))
    blocks = full_data.iterate_row_blocks(X, mean[:p], at_least=_BLOCK_SHAPE * q)
    for start, stop, block in blocks:
        part = np.hstack([block, Y[start:stop] - mean[p:]])
        if root is not None:
            part *= root[start:stop, None]
        rows = compress(np.vstack([rows, part]))
    return Factor(rows, mean, weight)
