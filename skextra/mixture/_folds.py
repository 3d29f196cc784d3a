"""Samples that a criterion leaves out of a fit."""

from dataclasses import dataclass
from numbers import Integral

import numpy as np
from sklearn.model_selection import KFold, check_cv

from skextra.mixture._rows import select_rows


@dataclass(frozen=True)
class Fold:
    """Samples to fit to, and samples left out.

    Attributes
    ----------
    X : ndarray of shape (n_rows, n_features)
        Distinct rows in a fixed order.
    weights : ndarray of shape (n_rows,) or None
        With mean 1.
    X_test, weights_test : ndarray, or None where nothing is left out
    """

    X: np.ndarray
    weights: np.ndarray | None
    X_test: np.ndarray | None = None
    weights_test: np.ndarray | None = None


def make_folds(X, weights, rows, row_weights, cv, random_state):
    """Training and test samples of each fold.

    Parameters
    ----------
    X, weights : ndarray
        As users gave them; `weights` may be None.
    rows, row_weights : ndarray
        Those that count, each distinct row once, as `select_rows` returns them.
    cv : int, cross-validation generator or iterable
        An int draws folds of the distinct rows, so that no row is left out of a fit to its
        double; splits that users give refer to the rows of `X`.
    random_state : RandomState

    Returns
    -------
    folds : list of Fold

    Raises
    ------
    ValueError
        If there are fewer distinct samples than folds, or a fold has none to fit to.
    """
    if isinstance(cv, Integral):
        if len(rows) < cv:
            raise ValueError(f"cv={cv} folds need as many samples, X has {len(rows)} distinct ones")
        w = np.ones(len(rows)) if row_weights is None else row_weights
        splitter = KFold(cv, shuffle=True, random_state=random_state)
        return [
            Fold(*select_rows(rows[train], w[train], 1, merge=True)[:2], rows[test], w[test])
            for train, test in splitter.split(rows)
        ]
    w = np.ones(len(X)) if weights is None else weights / weights.max()
    counts = (w > 0) & ~np.isnan(X).all(axis=1)
    folds = []
    for train, test in check_cv(cv).split(X):
        left_out = np.zeros(len(X), dtype=bool)
        left_out[test] = True
        left_out &= counts
        train_rows = select_rows(X[train], w[train], 1, merge=True)[:2]
        folds.append(Fold(*train_rows, X[left_out], w[left_out]))
    if not any(len(fold.X_test) for fold in folds):
        raise ValueError("cv leaves no sample out that has a value and a positive sample_weight")
    return folds
