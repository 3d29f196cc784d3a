"""Models of logistic paths fitted to folds, and what they say about the held-out rows.

The models of a whole path score a fold from one product of its test rows with all
their coefficients: log-loss and accuracy follow from decision values alone.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from skextra._core.logistic.missing_classes import iterate_decisions, solve_present_classes


@dataclass(frozen=True)
class Fold:
    """Rows of one fold, as indices.

    Parameters
    ----------
    train, test : ndarray of int
    """

    train: np.ndarray
    test: np.ndarray


class FoldModels:
    """Fits a path to the training rows of each fold.

    Parameters
    ----------
    X : ndarray, CSR or CSC of shape (n_samples, n_features)
    codes : ndarray of int of shape (n_samples,)
        Classes, from 0 to ``n_classes - 1``.
    n_classes : int
    weights : ndarray of shape (n_samples,) and float64, or None
        Sample weights times class weights.
    fit_intercept : bool
    penalty_weights : ndarray of shape (n_features,) and float64, or None
    settings : Settings
    folds : list of (train, test)
        Index arrays or boolean masks.
    """

    def __init__(
        self, X, codes, n_classes, weights, fit_intercept, penalty_weights, settings, folds
    ):
        self.X = X.tocsr() if sparse.issparse(X) else X
        self.codes, self.n_classes = codes, n_classes
        self.weights = weights
        self.fit_intercept = fit_intercept
        self.penalty_weights = penalty_weights
        self.settings = settings
        self.folds = [Fold(_as_indices(train), _as_indices(test)) for train, test in folds]

    def solve(self, index, Cs, l1_ratio):
        """Models of all `Cs`, increasing, fitted to the training rows of a fold.

        Returns
        -------
        path : Path
        """
        rows = self.folds[index].train
        codes = self.codes[rows]
        weights = None if self.weights is None else self.weights[rows]
        if weights is not None and not weights.any():
            raise ValueError("sample_weight must not be all zero in the training part of a fold")
        return self._solve(_take(self.X, rows), codes, Cs, l1_ratio, weights)

    def solve_all(self, C, l1_ratio, start):
        """Model of one C fitted to all rows, from the coefficients `start`."""
        return self._solve(self.X, self.codes, np.array([C]), l1_ratio, self.weights, start)

    def _solve(self, X, codes, Cs, l1_ratio, weights, start=None):
        return solve_present_classes(
            X, codes, self.n_classes, Cs, l1_ratio=l1_ratio, sample_weight=weights,
            fit_intercept=self.fit_intercept, penalty_weights=self.penalty_weights,
            settings=self.settings, start=start,
        )  # fmt: skip

    def score(self, index, path, sample_weight, metric):
        """Score every model of a path on the test rows of a fold.

        Parameters
        ----------
        index : int
            Of the fold.
        path : Path
        sample_weight : ndarray of shape (n_samples,) or None
        metric : {"log_loss", "accuracy"}

        Returns
        -------
        scores : ndarray of shape (n_Cs,)
            The metric itself: a log-loss is not negated.
        """
        rows = self.folds[index].test
        codes = self.codes[rows]
        weights = np.ones(len(rows)) if sample_weight is None else sample_weight[rows]
        if not weights.any():
            raise ValueError("sample_weight must not be all zero in the test part of a fold")
        measure = compute_log_losses if metric == "log_loss" else compute_hits
        total = np.zeros(path.intercepts.shape[1])
        X = _take(self.X, rows)
        for decisions, block in iterate_decisions(X, path.coefs, path.intercepts):
            total += weights[block] @ measure(decisions, codes[block])
        return total / weights.sum()


def compute_log_losses(decisions, codes):
    """Log-loss of each sample, with probabilities kept off 0 and 1 as in scikit-learn.

    Parameters
    ----------
    decisions : ndarray of shape (n_rows, n_samples, n_Cs)
    codes : ndarray of int of shape (n_samples,)

    Returns
    -------
    losses : ndarray of shape (n_samples, n_Cs)
    """
    if len(decisions) == 1:
        losses = np.logaddexp(0.0, np.where(codes == 1, -1.0, 1.0)[:, None] * decisions[0])
    else:
        # The true class's own term is part of the sum: the result is never negative.
        relative = decisions - decisions[codes, np.arange(len(codes))]
        peak = relative.max(axis=0)
        losses = peak + np.log(np.exp(relative - peak).sum(axis=0))
    eps = np.finfo(np.float64).eps
    return np.clip(losses, -np.log1p(-eps), -np.log(eps))


def compute_hits(decisions, codes):
    """Whether each model finds each sample's class, as booleans of shape (n_samples, n_Cs)."""
    if len(decisions) == 1:
        return (decisions[0] > 0) == (codes == 1)[:, None]
    return decisions.argmax(axis=0) == codes[:, None]


def _as_indices(rows):
    rows = np.asarray(rows)
    rows = np.flatnonzero(rows) if rows.dtype == bool else rows
    if rows.size == 0:
        raise ValueError("cv must yield at least one training row and one test row in each fold")
    return rows


def _take(X, rows):
    """Rows of X in a layout that the core takes."""
    part = X[rows]
    if sparse.issparse(part) or part.flags.c_contiguous or part.flags.f_contiguous:
        return part
    return np.asfortranarray(part)
