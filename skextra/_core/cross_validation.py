"""Held-out errors of elastic-net paths, sharing one read of the data across folds.

On tall data the moments of a fold's training rows are those of all rows minus
those of its test rows, and the test error of every model on the path follows
from the test rows' moments: the data is read twice, whatever the numbers of
folds, penalties and mixing ratios. On wide or sparse data a fold is the whole
data with the test rows' weights set to zero: nothing is copied.
"""

import numpy as np
from scipy import sparse

from skextra._core.design import Design
from skextra._core.elastic_net import (
    compute_gram,
    normalise,
    prefers_gram,
    solve,
    solve_on_moments,
)
from skextra._core.problem import build_problem

# Below this share of the test rows' variance a mean squared error computed from
# moments has lost half its digits.
_CANCELLATION = 1e-8


class FoldErrors:
    """Computes test errors for every model on the path of a fold.

    Parameters
    ----------
    X : ndarray or CSC of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
    sample_weight : ndarray of shape (n_samples,) and float64, or None
    fit_intercept : bool
    penalty_weights : ndarray of shape (n_features,) and float64, or None
    settings : Settings
    n_alphas : int
    """

    def __init__(self, X, y, sample_weight, fit_intercept, penalty_weights, settings, n_alphas):
        self.X, self.Y = X, y[:, None]
        self.sample_weight = normalise(sample_weight)
        self.fit_intercept = fit_intercept
        self.penalty_weights = penalty_weights
        self.settings = settings
        self.rows = X.tocsr() if sparse.issparse(X) else X
        self.total = None
        # Without any feature there are no moments to take.
        is_empty = penalty_weights is not None and np.isinf(penalty_weights).all()
        if prefers_gram(X, n_alphas) and not is_empty:
            self._read_total()

    def _read_total(self):
        kept = None
        if self.penalty_weights is not None:
            # Unpenalised features stay in the moments: each fold eliminates them.
            kept = np.where(np.isinf(self.penalty_weights), np.inf, 1.0)
        self.total = build_problem(self.X, self.Y, self.sample_weight, self.fit_intercept, kept)
        self.gram, self.cross = compute_gram(self.total)

    def compute(self, train, test, alphas, l1_ratio):
        """Test error of the model of each alpha, fitted to the rows `train`.

        Parameters
        ----------
        train, test : ndarray of int or bool
        alphas : ndarray of shape (n_alphas,)
            Decreasing.
        l1_ratio : float

        Returns
        -------
        errors : ndarray of shape (n_alphas,)
            Weighted mean squared errors.
        converged : bool
        """
        train, test = _as_counts(train, len(self.Y)), _as_counts(test, len(self.Y))
        if self.sample_weight is not None and not self.sample_weight[test > 0].any():
            raise ValueError("sample_weight must not be all zero in the test part of a fold")
        if self.total is not None and ((train + test) == 1).all():
            result = self._compute_from_moments(test > 0, alphas, l1_ratio)
            if result is not None:
                return result
        return self._compute_from_rows(train, test, alphas, l1_ratio)

    def _compute_from_rows(self, train, test, alphas, l1_ratio):
        weights = train.astype(np.float64)
        if self.sample_weight is not None:
            weights *= self.sample_weight
        if not weights.any():
            raise ValueError("sample_weight must not be all zero in the training part of a fold")
        path = solve(
            self.X, self.Y, alphas, l1_ratio=l1_ratio,
            sample_weight=None if (weights == 1).all() else weights,
            fit_intercept=self.fit_intercept, penalty_weights=self.penalty_weights,
            settings=self.settings,
        )  # fmt: skip
        errors = self._predict_errors(test, path.coefs[0], path.intercepts[0])
        return errors, bool(path.converged.all())

    def _predict_errors(self, test, coefs, intercepts):
        rows = np.repeat(np.arange(len(test)), test)
        support = np.flatnonzero(coefs.any(axis=0))
        if sparse.issparse(self.rows):
            predictions = self.rows[rows] @ coefs.T
        else:
            predictions = self.rows[np.ix_(rows, support)] @ coefs[:, support].T
        squares = (self.Y[rows] - predictions - intercepts) ** 2
        weights = None if self.sample_weight is None else self.sample_weight[rows]
        return np.average(squares.astype(np.float64), axis=0, weights=weights)

    def _compute_from_moments(self, test, alphas, l1_ratio):
        """Errors from moments; None where a subtraction would leave mostly rounding."""
        problem = self.total
        design, Y = problem.design, problem.Y
        weights = None if design.weights is None else design.weights[test]
        X_test = (
            self.rows[test] if problem.penalised is None else self.rows[test][:, problem.penalised]
        )
        part = Design(X_test, weights, self.fit_intercept, dtype=design.dtype)
        Y_test = Y[test]
        gram, cross, sums = part.accumulate_moments(Y_test, design.mean)
        gram = np.tril(gram) + np.tril(gram, -1).T
        y_sum = float(part.weigh(Y_test).sum())
        yy = float((part.weigh(Y_test) * Y_test).sum())
        total_yy = 2 * float(problem.null_objective[0])
        remaining = design.total_weight - part.total_weight
        if not self.fit_intercept:
            sums, y_sum = np.zeros_like(sums), 0.0
        if remaining <= 1e-6 * design.total_weight:
            return None
        train_gram = self.gram - gram - np.outer(sums / remaining, sums)
        train_cross = self.cross - cross - (sums * y_sum / remaining)[:, None]
        train_yy = total_yy - yy - y_sum**2 / remaining
        diagonal, left = self.gram.diagonal(), train_gram.diagonal()
        if (left < 1e-6 * diagonal).any(where=diagonal > 0) or train_yy < 1e-6 * total_yy:
            return None
        solution = solve_on_moments(
            train_gram, train_cross[:, 0], train_yy, remaining, alphas, l1_ratio,
            None if self.penalty_weights is None else self.penalty_weights[
                slice(None) if problem.penalised is None else problem.penalised
            ],
            self.settings,
        )  # fmt: skip
        if solution is None:
            return None
        W, converged = solution
        # In coordinates centred on all rows, the training means are not zero.
        intercepts = (W @ sums - y_sum) / remaining
        squares = (
            yy - 2 * (W @ cross[:, 0]) + np.einsum("ij,ij->i", W @ gram, W)
            - 2 * intercepts * (y_sum - W @ sums) + part.total_weight * intercepts**2
        )  # fmt: skip
        errors = squares / part.total_weight
        if (errors < _CANCELLATION * yy / part.total_weight).any():
            return None
        return errors, converged


def _as_counts(rows, n_samples):
    """How often each row occurs in a boolean mask or a list of indices."""
    rows = np.asarray(rows)
    if rows.dtype == bool:
        return rows.astype(np.int64)
    return np.bincount(rows, minlength=n_samples)
