"""Sigmoids of binary machines, fitted to decision values that no machine saw in its fit."""

import numpy as np

from skextra._core.svm.content_folds import assign_folds
from skextra._core.svm.platt import fit_sigmoid

N_FOLDS = 5


def compute_unseen_decisions(fit, hashes, is_positive, weights):
    """Decision value of each sample by a machine fitted to the other folds.

    Parameters
    ----------
    fit : callable
        ``fit(train, test)``, two arrays of positions, returns the decision values of
        the latter.
    hashes : ndarray of uint64 of shape (n_samples,)
        Equal for samples that must share a fold.
    is_positive : ndarray of bool of shape (n_samples,)
    weights : ndarray of shape (n_samples,)

    Returns
    -------
    decisions : ndarray of shape (n_samples,)
        1 or -1, the class that is left, where the other folds hold one class.
    """
    n_groups = [len(np.unique(hashes[side])) for side in (is_positive, ~is_positive)]
    n_folds = max(min(N_FOLDS, *n_groups), 2)
    folds = assign_folds(hashes, is_positive.astype(np.intp), weights, n_folds)
    decisions = np.empty(len(folds))
    for fold in range(n_folds):
        test, train = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        kinds = is_positive[train]
        if kinds.all() or not kinds.any():
            decisions[test] = 1.0 if kinds.any() else -1.0
        elif len(test):
            decisions[test] = fit(train, test)
    return decisions


def compute_unseen_scores(fit, hashes, codes, weights, n_classes):
    """As `compute_unseen_decisions` for machines of several classes.

    Parameters
    ----------
    fit : callable
        Returns the decision values, one column per class, or one for two classes.
    hashes, codes, weights : ndarray of shape (n_samples,)
    n_classes : int
    """
    n_groups = [len(np.unique(hashes[codes == code])) for code in np.unique(codes)]
    n_folds = max(min(N_FOLDS, *n_groups), 2)
    folds = assign_folds(hashes, codes, weights, n_folds)
    scores = np.zeros((len(codes), 1 if n_classes == 2 else n_classes))
    for fold in range(n_folds):
        test, train = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        if len(test) and len(np.unique(codes[train])) > 1:
            scores[test] = fit(train, test)
    return scores


def calibrate(fit, hashes, is_positive, weights):
    """Slope and offset of the sigmoid of one machine; arguments as above."""
    decisions = compute_unseen_decisions(fit, hashes, is_positive, weights)
    return fit_sigmoid(decisions, is_positive, weights)
