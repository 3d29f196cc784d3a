"""k-means of small data, for a start: as scikit-learn's, without the cost of its set-up.

On a few hundred rows scikit-learn's KMeans spends its time on checks and thread
pools. The seeds take the same numbers from the random state, and Lloyd's
iteration stops by the same rule, so that the labels are the same, but for rows as
far from one center as from another.

References
----------
Arthur & Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007.
"""

import numpy as np

from skextra._core.runtime.jit import njit

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
    # As many numbers as scikit-learn takes, in its order, whatever the rows.
    first = random_state.random_sample()
    n_trials = 2 + int(np.log(n_clusters))
    draws = random_state.random_sample((n_clusters - 1, n_trials))
    centered = np.ascontiguousarray(X - X.mean(axis=0))
    tolerance = _TOL * np.vdot(centered, centered) / centered.size
    chances = np.cumsum(weights / weights.sum())
    seed = np.searchsorted(chances / chances[-1], first, side="right")
    centers = np.empty((n_clusters, X.shape[1]))
    choose_seeds(centered, weights, seed, draws, centers)
    labels = np.full(len(X), -1, dtype=np.int64)
    is_complete = iterate(centered, weights, centers, labels, tolerance)
    return labels if is_complete else None


@njit(error_model="numpy")
def choose_seeds(X, weights, seed, draws, centers):
    """Write the rows that k-means++ starts from: of each round's trials, the best.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    weights : ndarray of shape (n_samples,)
    seed : int
        First row.
    draws : ndarray of shape (n_clusters - 1, n_trials)
        Uniform numbers.
    centers : ndarray of shape (n_clusters, n_features)
        Overwritten.
    """
    n, d = X.shape
    closest, trial, best = np.full(n, np.inf), np.empty(n), np.empty(n)
    total = 0.0
    for c in range(centers.shape[0]):
        lowest, chosen = np.inf, seed
        for r in range(draws.shape[1] if c > 0 else 1):
            row = seed
            if c > 0:
                goal, cumulated = draws[c - 1, r] * total, 0.0
                for row in range(n):
                    cumulated += weights[row] * closest[row]
                    if cumulated >= goal:
                        break
            potential = 0.0
            for i in range(n):
                distance = 0.0
                for j in range(d):
                    distance += (X[i, j] - X[row, j]) ** 2
                trial[i] = min(closest[i], distance)
                potential += weights[i] * trial[i]
            if potential < lowest:
                lowest, chosen = potential, row
                best, trial = trial, best
        closest, best = best, closest
        total = lowest
        for j in range(d):
            centers[c, j] = X[chosen, j]


@njit(error_model="numpy")
def iterate(X, weights, centers, labels, tolerance):
    """Lloyd's iteration in place; return whether no cluster ran empty."""
    n_clusters, d = centers.shape
    sums, counts = np.empty((n_clusters, d)), np.empty(n_clusters)
    is_last = False
    for iteration in range(_MAX_ITER + 1):
        sums[:] = 0.0
        counts[:] = 0.0
        n_moved = 0
        for i in range(X.shape[0]):
            best, closest = 0, np.inf
            for k in range(n_clusters):
                distance = 0.0
                for j in range(d):
                    distance += (X[i, j] - centers[k, j]) ** 2
                if distance < closest:
                    best, closest = k, distance
            n_moved += labels[i] != best
            labels[i] = best
            counts[best] += weights[i]
            for j in range(d):
                sums[best, j] += weights[i] * X[i, j]
        if is_last or iteration == _MAX_ITER:
            return True
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
        is_last = shift <= tolerance
    return True
