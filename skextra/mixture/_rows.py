"""The rows of the data that a mixture is fitted to."""

import numpy as np

from skextra import _core


def select_rows(X, weights, n_components):
    """Rows that count, and their weights with mean 1.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    weights : ndarray of shape (n_samples,) or None
    n_components : int

    Raises
    ------
    ValueError
        If fewer rows than components have a positive weight and a value.
    """
    if weights is not None:
        kept = weights > 0
        weights = weights[kept] / weights.max()
        weights *= len(weights) / weights.sum()
        X = X if kept.all() else X[kept]
    if np.isnan(X[:, 0]).any():
        has_values = ~np.isnan(X).all(axis=1)
        if not has_values.all():
            X = X[has_values]
            weights = None if weights is None else weights[has_values]
    if len(X) < n_components:
        raise ValueError(
            "Expected n_samples >= n_components among samples of X with a positive "
            f"sample_weight and a value, but got n_components = {n_components}, "
            f"n_samples = {len(X)}"
        )
    return X, weights


def create_data(estimator, kind, n_components, X, weights):
    """The core's view of the rows.

    Raises
    ------
    ValueError
        If a variance overflows.
    """
    data = _core.mixture.data.Data(kind, n_components, X, weights, estimator.reg_covar)
    if not (np.isfinite(data.center).all() and np.isfinite(data.covariance).all()):
        raise ValueError(
            f"{type(estimator).__name__} overflowed: the variances of X are beyond what "
            "floating-point numbers hold; rescale X, for instance with StandardScaler"
        )
    return data
