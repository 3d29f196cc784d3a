"""The rows of the data that a mixture is fitted to."""

import numpy as np

from skextra import _core


def select_rows(X, weights, n_components, merge=False):
    """Rows that count, and their weights with mean 1.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    weights : ndarray of shape (n_samples,) or None
    n_components : int
    merge : bool
        Whether to sort the rows and write equal ones once: what is drawn from them then depends
        neither on their order nor on whether a row is written twice or has the weight 2.

    Returns
    -------
    X : ndarray of shape (n_rows, n_features)
    weights : ndarray of shape (n_rows,) or None
    total : float
        Sum of the original weights of these rows: the number of samples.

    Raises
    ------
    ValueError
        If fewer rows than components have a positive weight and a value.
    """
    kept, scale = np.ones(len(X), dtype=bool), 1.0
    if weights is not None:
        # Near 1 first: their sum may overflow. A power of two rounds none of them.
        scale = 2.0 ** np.floor(np.log2(weights.max()))
        weights = weights / scale
        kept = weights > 0
    if np.isnan(X[:, 0]).any():
        kept &= ~np.isnan(X).all(axis=1)
    if not kept.all():
        X = X[kept]
        weights = None if weights is None else weights[kept]
    if len(X) < n_components:
        raise ValueError(
            "Expected n_samples >= n_components among samples of X with a positive "
            f"sample_weight and a value, but got n_components = {n_components}, "
            f"n_samples = {len(X)}"
        )
    with np.errstate(over="ignore"):
        total = float(len(X) if weights is None else scale * weights.sum())
    if merge:
        X, weights = merge_equal_rows(X, weights)
    if weights is not None:
        weights = weights * (len(weights) / weights.sum())
    return X, weights, total


def merge_equal_rows(X, weights):
    """Sort rows, and write equal ones once, with their weights added up.

    Returns
    -------
    X : ndarray of shape (n_distinct, n_features)
    weights : ndarray of shape (n_distinct,) or None
        None where all are equal.
    """
    order = np.lexsort(X.T[::-1])
    X = X[order]
    differs = (X[1:] != X[:-1]) & ~(np.isnan(X[1:]) & np.isnan(X[:-1]))
    starts = np.flatnonzero(np.concatenate([[True], differs.any(axis=1)]))
    weights = np.ones(len(X)) if weights is None else weights[order]
    weights = np.add.reduceat(weights, starts)
    return X[starts], None if (weights == weights[0]).all() else weights


def check_total(weight, value=1.0):
    """Refuse weights whose sum, as a number of samples, overflows.

    Parameters
    ----------
    weight : float
        Sum of the weights.
    value : float
        Mean of what the sum is multiplied with.

    Raises
    ------
    ValueError
        If the sum, or its product with `value`, is infinite or vanishes.
    """
    with np.errstate(over="ignore"):
        total = np.float64(weight) * value
    if not (np.isfinite(total) and weight > 0):
        raise ValueError(
            f"sample_weight must have a sum that is a number of samples, got {weight:.3g}: "
            "divide the weights by a constant"
        )


def format_features(estimator, columns):
    """Features as messages name them."""
    names = getattr(estimator, "feature_names_in_", None)
    shown = [str(j) if names is None else repr(names[j]) for j in columns[:5]]
    more = ", ..." if len(columns) > 5 else ""
    return f"feature{'s' * (len(columns) > 1)} {', '.join(shown)}{more}"


def create_data(estimator, kind, n_components, X, weights):
    """The core's view of the rows.

    Raises
    ------
    ValueError
        If a feature has no value at all, or a variance overflows.
    """
    if _core.mixture.data.has_missing(X):
        empty = np.flatnonzero(np.isnan(X).all(axis=0))
        if len(empty):
            raise ValueError(
                f"X must have a value in every feature, among the samples with a positive "
                f"sample_weight; there is none in {format_features(estimator, empty)}"
            )
    data = _core.mixture.data.Data(kind, n_components, X, weights, estimator.reg_covar)
    if not (np.isfinite(data.center).all() and np.isfinite(data.covariance).all()):
        raise ValueError(
            f"{type(estimator).__name__} overflowed: the variances of X are beyond what "
            "floating-point numbers hold; rescale X, for instance with StandardScaler"
        )
    return data
