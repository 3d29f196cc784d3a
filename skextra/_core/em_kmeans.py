"""k-means of small data, for a start: as scikit-learn's, without the cost of its set-up.

On a few hundred rows scikit-learn's KMeans spends its time on checks and thread
pools. The seeds take the same numbers from the random state, and Lloyd's
iteration stops by the same rule, so that the labels are the same.

References
----------
Arthur & Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007.
"""

import numpy as np

from skextra._core.jit import njit

#: Rows times columns times clusters, above which the set-up does not count.
LARGEST = 200_000
_MAX_ITER, _TOL = 300, 1e-4


def find_labels(X, weights, n_clusters, random_state):
    """Clusters of the rows, or None where one of them ran empty.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features) and float64
    weights : ndarray of shape (n_samples,) or None
    n_clusters : int
    random_state : RandomState

    Returns
    -------
    labels : ndarray of int of shape (n_samples,) or None
    """
    weights = np.ones(len(X)) if weights is None else weights
    tolerance = _TOL * X.var(axis=0).mean()
    centred = np.ascontiguousarray(X - X.mean(axis=0))
    centers = centred[choose_seeds(centred, weights, n_clusters, random_state)]
    labels = np.full(len(X), -1, dtype=np.int64)
    is_complete = iterate(centred, weights, centers, labels, tolerance)
    return labels if is_complete else None


def choose_seeds(X, weights, n_clusters, random_state):
    """Rows that k-means++ starts from, with scikit-learn's number of trials."""
    n_trials = 2 + int(np.log(n_clusters))
    seeds = [random_state.choice(len(X), p=weights / weights.sum())]
    closest = measure_distances(X, X[seeds])[0]
    for _ in range(1, n_clusters):
        drawn = random_state.uniform(size=n_trials) * (closest @ weights)
        candidates = np.searchsorted(np.cumsum(weights * closest), drawn)
        np.clip(candidates, None, len(X) - 1, out=candidates)
        trials = np.minimum(closest, measure_distances(X, X[candidates]))
        best = np.argmin(trials @ weights)
        closest = trials[best]
        seeds.append(candidates[best])
    return np.array(seeds)


def measure_distances(X, centers):
    """Squared distances of all rows from each of a few centres."""
    norms = np.einsum("ij,ij->i", X, X)
    squares = np.einsum("ij,ij->i", centers, centers)
    distances = squares[:, None] - 2.0 * (centers @ X.T) + norms
    return np.maximum(distances, 0.0)


@njit(error_model="numpy")
def iterate(X, weights, centers, labels, tolerance):
    """Lloyd's iteration in place; return whether no cluster ran empty."""
    n_clusters, d = centers.shape
    sums, counts = np.zeros((n_clusters, d)), np.zeros(n_clusters)
    for _ in range(_MAX_ITER):
        n_moved = assign(X, centers, labels)
        sums[:] = 0.0
        counts[:] = 0.0
        for i in range(X.shape[0]):
            counts[labels[i]] += weights[i]
            for j in range(d):
                sums[labels[i], j] += weights[i] * X[i, j]
        shift = 0.0
        for k in range(n_clusters):
            if not counts[k] > 0.0:
                return False
            for j in range(d):
                center = sums[k, j] / counts[k]
                shift += (center - centers[k, j]) ** 2
                centers[k, j] = center
        if n_moved == 0:
            return True
        if shift <= tolerance:
            break
    assign(X, centers, labels)
    return True


@njit(error_model="numpy")
def assign(X, centers, labels):
    """Write the closest centre of each row; return how many changed."""
    n_moved = 0
    for i in range(X.shape[0]):
        best, closest = 0, np.inf
        for k in range(centers.shape[0]):
            distance = 0.0
            for j in range(X.shape[1]):
                distance += (X[i, j] - centers[k, j]) ** 2
            if distance < closest:
                best, closest = k, distance
        n_moved += labels[i] != best
        labels[i] = best
    return n_moved
