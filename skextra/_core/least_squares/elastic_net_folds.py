"""Held-out errors of elastic-net paths, sharing one read of the data across folds.

On tall data the moments of a fold's training rows are those of all rows minus
those of its test rows, and the test error of every model on the path follows
from the test rows' moments: the data is read once, whatever the numbers of
folds, penalties and mixing ratios. On wide or sparse data a fold is the whole
data with the test rows' weights set to zero: nothing is copied.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from skextra._core.least_squares import elastic_net, multi_task
from skextra._core.least_squares.elastic_net import normalize, prefers_gram
from skextra._core.least_squares.problem import build_problem
from skextra._core.numerics.design_matrix import Design, refuse_overflow

# Below this share of the test rows' variance a mean squared error computed from
# moments has lost half its digits.
_CANCELLATION = 1e-8
# Share of the squared terms of a prediction below which an error has four digits.
_ROUNDING = 1e-11
# A training part that has less than this share of a column's, or of the target's,
# sum of squares would be left with rounding by the subtraction.
_SMALLEST_SHARE = 1e-6


@dataclass
class Moments:
    """Weighted sums of products over some rows, about a common shift.

    They add and subtract like the sets of rows they stand for.

    Attributes
    ----------
    gram : ndarray of shape (n_features, n_features)
    cross : ndarray of shape (n_features, n_targets)
    sums : ndarray of shape (n_features,)
    y_sum, yy : ndarray of shape (n_targets,)
    weight : float
    """

    gram: np.ndarray
    cross: np.ndarray
    sums: np.ndarray
    y_sum: np.ndarray
    yy: np.ndarray
    weight: float

    def __add__(self, other):
        # Sums that overflow are refused where the total is complete.
        with np.errstate(over="ignore", invalid="ignore"):
            return Moments(*(a + b for a, b in zip(self._list(), other._list(), strict=True)))

    def __sub__(self, other):
        return Moments(*(a - b for a, b in zip(self._list(), other._list(), strict=True)))

    def _list(self):
        return self.gram, self.cross, self.sums, self.y_sum, self.yy, self.weight

    def center(self):
        """Gram matrix, cross products and sums of squares about these rows' own means."""
        offset = self.sums / self.weight
        gram = self.gram - np.outer(offset, self.sums)
        cross = self.cross - np.outer(offset, self.y_sum)
        return gram, cross, self.yy - self.y_sum**2 / self.weight

    def compute_squared_errors(self, W, intercepts):
        """Sums of squared errors without touching the data.

        Parameters
        ----------
        W : ndarray of shape (n_targets, n_alphas, n_features)
        intercepts : ndarray of shape (n_targets, n_alphas)

        Returns
        -------
        errors : ndarray of shape (n_alphas,)
            Summed over targets.
        """
        products = np.einsum("taj,taj->ta", W @ self.gram, W)
        explained = np.einsum("taj,jt->ta", W, self.cross)
        residual_sums = self.y_sum[:, None] - W @ self.sums
        errors = (
            self.yy[:, None] - 2 * explained + products
            - 2 * intercepts * residual_sums + self.weight * intercepts**2
        )  # fmt: skip
        return errors.sum(axis=0)


class FoldErrors:
    """Computes test errors for every model on the path of a fold.

    Parameters
    ----------
    X : ndarray or CSC of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,) or (n_samples, n_targets)
        Several targets are solved jointly, and their errors are averaged.
    sample_weight : ndarray of shape (n_samples,) and float64, or None
    fit_intercept : bool
    penalty_weights : ndarray of shape (n_features,) and float64, or None
    settings : Settings
    n_alphas : int
    folds : list of (train, test)
        Index arrays or boolean masks.
    """

    def __init__(
        self, X, y, sample_weight, fit_intercept, penalty_weights, settings, n_alphas, folds
    ):
        self.X, self.Y = X, y.reshape(len(y), -1)
        solver = elastic_net if y.ndim == 1 else multi_task
        self.solve, self.solve_on_moments = solver.solve, solver.solve_on_moments
        self.sample_weight = normalize(sample_weight)
        self.fit_intercept = fit_intercept
        self.penalty_weights = penalty_weights
        self.settings = settings
        self.rows = X.tocsr() if sparse.issparse(X) else X
        n = len(y)
        self.folds = [(_as_counts(train, n), _as_counts(test, n)) for train, test in folds]
        self.total, self.parts = None, {}
        # Without any feature there are no moments to take.
        is_empty = penalty_weights is not None and np.isinf(penalty_weights).all()
        if prefers_gram(X, n_alphas) and not is_empty:
            self._read_moments()

    def _read_moments(self):
        kept = None
        if self.penalty_weights is not None:
            # Unpenalized features stay in the moments: each fold eliminates them.
            kept = np.where(np.isinf(self.penalty_weights), np.inf, 1.0)
        self.problem = build_problem(self.X, self.Y, self.sample_weight, self.fit_intercept, kept)
        self.shift = self.problem.design.mean
        n, p = self.problem.design.shape
        complementary = [i for i, fold in enumerate(self.folds) if (sum(fold) == 1).all()]
        # As many Gram matrices as take no more memory than two copies of X.
        if len(complementary) * p <= 2 * n:
            self.parts = {i: self._sum_moments(self.folds[i][1] > 0) for i in complementary}
        tests = sum(self.folds[i][1] for i in self.parts)
        if self.parts and (tests == 1).all():
            first, *others = self.parts.values()
            self.total = sum(others, start=first)
        else:
            self.total = self._sum_moments(slice(None))
        refuse_overflow(self.total.gram.diagonal(), self.total.cross)
        if self.fit_intercept:
            # Folds of a column that is constant but for rounding have nothing to share.
            noise = 8 * np.finfo(self.problem.design.dtype).eps * np.abs(self.shift)
            left = self.total.center()[0].diagonal()
            if (left <= self.total.weight * noise**2).any(where=noise > 0):
                self.total, self.parts = None, {}

    def _sum_moments(self, rows):
        design, Y = self.problem.design, self.problem.Y[rows]
        X = design.X
        if not isinstance(rows, slice):
            X = self.rows if self.problem.penalized is None else design.X
            X = X[_as_slice(rows)]
        weights = None if design.weights is None else design.weights[rows]
        part = Design(X, weights, self.fit_intercept, dtype=design.dtype)
        gram, cross, sums = part.accumulate_moments(Y, self.shift)
        gram = np.tril(gram) + np.tril(gram, -1).T
        Yw = part.weigh(Y)
        y_sum = Yw.sum(axis=0) if self.fit_intercept else np.zeros(Y.shape[1])
        return Moments(gram, cross, sums, y_sum, (Yw * Y).sum(axis=0), part.total_weight)

    def get_total_gram(self):
        """Gram matrix of all rows as `solve` takes it, or None if it is not at hand."""
        if self.total is None or self.penalty_weights is not None:
            return None
        return self.total.center()[0]

    def compute(self, index, alphas, l1_ratio):
        """Test error of the model of each alpha, fitted to a fold's training rows.

        Parameters
        ----------
        index : int
            Of the fold.
        alphas : ndarray of shape (n_alphas,)
            Decreasing.
        l1_ratio : float

        Returns
        -------
        errors : ndarray of shape (n_alphas,)
            Weighted mean squared errors.
        converged : bool
        """
        train, test = self.folds[index]
        if self.sample_weight is not None and not self.sample_weight[test > 0].any():
            raise ValueError("sample_weight must not be all zero in the test part of a fold")
        if self.total is not None and (train + test == 1).all():
            part = self.parts.get(index)
            part = self._sum_moments(test > 0) if part is None else part
            result = self._compute_from_moments(part, alphas, l1_ratio)
            if result is not None:
                return result
        return self._compute_from_rows(train, test, alphas, l1_ratio)

    def _compute_from_rows(self, train, test, alphas, l1_ratio):
        weights = train.astype(np.float64)
        if self.sample_weight is not None:
            weights *= self.sample_weight
        if not weights.any():
            raise ValueError("sample_weight must not be all zero in the training part of a fold")
        path = self.solve(
            self.X, self.Y, alphas, l1_ratio=l1_ratio,
            sample_weight=None if (weights == 1).all() else weights,
            fit_intercept=self.fit_intercept, penalty_weights=self.penalty_weights,
            settings=self.settings,
        )  # fmt: skip
        errors = np.mean(
            [self._predict_errors(test, t, path) for t in range(len(path.coefs))], axis=0
        )
        return errors, bool(path.converged.all())

    def _predict_errors(self, test, t, path):
        """Mean squared errors of one target."""
        coefs, rows = path.coefs[t], np.repeat(np.arange(len(test)), test)
        support = np.flatnonzero(coefs.any(axis=0))
        if sparse.issparse(self.rows):
            predictions = self.rows[rows] @ coefs.T
        else:
            predictions = self.rows[np.ix_(rows, support)] @ coefs[:, support].T
        squares = (self.Y[rows, [t]][:, None] - predictions - path.intercepts[t]) ** 2
        weights = None if self.sample_weight is None else self.sample_weight[rows]
        return np.average(squares.astype(np.float64), axis=0, weights=weights)

    def _compute_from_moments(self, part, alphas, l1_ratio):
        """Errors from moments; None where a subtraction would leave mostly rounding."""
        train = self.total - part
        if train.weight <= _SMALLEST_SHARE * self.total.weight:
            return None
        gram, cross, yy = train.center()
        before = self.total.gram.diagonal()
        lost = (gram.diagonal() < _SMALLEST_SHARE * before).any(where=before > 0)
        if lost or (yy < _SMALLEST_SHARE * self.total.yy).any():
            return None
        penalty_weights, penalized = self.penalty_weights, self.problem.penalized
        if penalty_weights is not None and penalized is not None:
            penalty_weights = penalty_weights[penalized]
        solution = self.solve_on_moments(
            gram, cross, yy, train.weight, alphas, l1_ratio, penalty_weights, self.settings
        )
        if solution is None:
            return None
        W, converged = solution
        intercepts = (train.y_sum[:, None] - W @ train.sums) / train.weight
        n_targets = len(W)
        errors = part.compute_squared_errors(W, intercepts) / (n_targets * part.weight)
        # Where coefficients cancel, the sums are made of much more than the targets.
        lengths = np.sqrt(np.maximum(part.gram.diagonal(), 0.0))
        size = ((np.abs(W) @ lengths) ** 2).sum(axis=0)
        smallest = np.maximum(_CANCELLATION * part.yy.sum(), _ROUNDING * size)
        if (errors < smallest / (n_targets * part.weight)).any():
            return None
        return errors, converged


def _as_counts(rows, n_samples):
    """How often each row occurs in a boolean mask or a list of indices."""
    rows = np.asarray(rows)
    if rows.size == 0 or (rows.dtype == bool and not rows.any()):
        raise ValueError("cv must yield at least one training row and one test row in each fold")
    if rows.dtype == bool:
        return rows.astype(np.int64)
    counts = np.zeros(n_samples, dtype=np.int64)
    np.add.at(counts, rows, 1)
    return counts


def _as_slice(mask):
    """A mask of adjacent rows as a slice, which copies nothing."""
    rows = np.flatnonzero(mask)
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows):
        return slice(rows[0], rows[-1] + 1)
    return rows
