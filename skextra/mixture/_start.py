"""Parameters a fit starts from, drawn as scikit-learn draws them."""

import numpy as np
from sklearn.cluster import KMeans, kmeans_plusplus

from skextra import _core

INIT_PARAMS = ("kmeans", "k-means++", "random", "random_from_data")


def draw_statistics(X, data, n_components, init_params, floor, random_state):
    """Statistics of a first assignment of rows to components.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows of `data`, without missing values.
    data : Data
    n_components : int
    init_params : str
    floor : float
    random_state : RandomState
        The same numbers are taken from it as scikit-learn takes.

    Returns
    -------
    statistics : SufficientStatistics
    """
    start, weights = _core.mixture.start, data.weights
    if init_params == "random":

        def draw(n_rows):
            shares = random_state.uniform(size=(n_rows, n_components))
            return shares / shares.sum(axis=1)[:, None]

        return start.summarize_responsibilities(data.kind, X, weights, draw, n_components)
    labels = draw_labels(X, weights, n_components, init_params, random_state)
    return summarize_labels(X, data, n_components, labels, init_params, floor)


def summarize_labels(X, data, n_components, labels, init_params, floor):
    """Statistics of rows that belong to one component each, or to none."""
    start, weights = _core.mixture.start, data.weights
    statistics = start.summarize_labels(data.kind, n_components, X, weights, labels)
    if init_params == "kmeans":
        return statistics
    if data.kind == _core.mixture.features.TIED:
        # scikit-learn's start: the rows that were not drawn, about the origin.
        others = labels < 0
        rows = X[others].astype(np.float64, copy=False)
        scaled = rows if weights is None else rows * weights[others, None]
        statistics.scatters += scaled.T @ rows
    return start.widen_single_rows(statistics, data.covariance, floor)


def draw_labels(X, weights, n_components, init_params, random_state):
    """Component of each row, -1 for rows that are in none."""
    if init_params == "kmeans":
        if X.dtype == np.float64 and X.size * n_components <= _core.mixture.kmeans.LARGEST:
            before = random_state.get_state()
            labels = _core.mixture.kmeans.find_labels(X, weights, n_components, random_state)
            if labels is not None:
                return labels
            random_state.set_state(before)
        clusters = KMeans(n_components, n_init=1, random_state=random_state)
        return clusters.fit(X, sample_weight=weights).labels_
    labels = np.full(len(X), -1)
    if init_params == "k-means++":
        _, rows = kmeans_plusplus(X, n_components, sample_weight=weights, random_state=random_state)
    else:
        rows = random_state.choice(
            len(X), size=n_components, replace=False, p=_get_chances(weights)
        )
    # A row drawn twice stands for the component that drew it first.
    labels[rows[::-1]] = np.arange(n_components)[::-1]
    return labels


def _get_chances(weights):
    return None if weights is None else weights / weights.sum()
