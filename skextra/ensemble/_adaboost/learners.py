"""Select the weak-learner implementation for an estimator.

All have the same methods and give the same answers.
"""

import numpy as np
from scipy import sparse
from sklearn.utils import get_tags

from skextra.ensemble._adaboost.coded import CodedTreeLearner, can_be_coded
from skextra.ensemble._adaboost.estimators import EstimatorLearner
from skextra.ensemble._adaboost.levels import TreeLearner
from skextra.ensemble._adaboost.trees import describe_shallow_tree

#: Entries up to which sparse data are made dense: their columns then take 300 MB.
LARGEST_DENSE = 2**25


def make_learner(estimator, X, y, classes, *, resample, trimming=0.0):
    """Choose what learns.

    Parameters
    ----------
    estimator : estimator
        Cloned for each round.
    X : {ndarray, sparse matrix} of shape (n_samples, ...)
    y : ndarray of shape (n_samples,)
    classes : ndarray of shape (n_classes,) or None
        None for regressors.
    resample : bool
        Whether a round draws rows by their weights instead of passing weights on.
    trimming : float
        Share of the weight that a round may leave out.

    Returns
    -------
    learner : TreeLearner, CodedTreeLearner or EstimatorLearner
    """
    options = {"resample": resample, "trimming": trimming}
    max_depth = describe_shallow_tree(estimator, 0 if classes is None else len(classes))
    dense = None if max_depth is None else as_single_precision(X)
    if dense is not None:
        return TreeLearner(estimator, dense, y, classes, max_depth, **options)
    if can_be_coded(estimator, resample):
        rows = _round_sparse(X) if sparse.issparse(X) else as_single_precision(X)
        if rows is not None and _takes_missing(estimator, rows):
            return CodedTreeLearner(estimator, rows, y, classes, **options)
    return EstimatorLearner(estimator, X, y, classes, **options)


def as_single_precision(X):
    """X as a dense float32 array, or None where an estimator had better see it as it is."""
    if sparse.issparse(X):
        if np.prod(X.shape, dtype=float) > LARGEST_DENSE:
            return None
        X = X.toarray()
    if X.ndim != 2:
        return None
    try:
        with np.errstate(over="ignore"):
            dense = X.astype(np.float32)
    except (TypeError, ValueError):
        return None  # the estimator says what is wrong
    return None if np.isinf(dense).any() or X.dtype.kind == "c" else dense


def _round_sparse(X):
    with np.errstate(over="ignore"):
        rows = X.astype(np.float32)
    return None if np.isinf(rows.data).any() else rows


def _takes_missing(estimator, rows):
    values = rows.data if sparse.issparse(rows) else rows
    return get_tags(estimator).input_tags.allow_nan or not np.isnan(values).any()
