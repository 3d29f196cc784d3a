"""Parameters to start from: moments of rows that are assigned to components."""

import numpy as np

from skextra._core.em_kernels import DIAG, FULL, TIED
from skextra._core.em_statistics import SufficientStatistics, create_scatters
from skextra._core.jit import njit

BLOCK = 4096  # rows at a time


def summarise_labels(kind, n_components, X, weights, labels):
    """Statistics of complete rows that belong to one component each.

    Parameters
    ----------
    kind : int
    n_components : int
    X : ndarray of shape (n_samples, n_features)
        Without missing values.
    weights : ndarray of shape (n_samples,) or None
    labels : ndarray of int of shape (n_samples,)
        Negative for rows that belong to none.
    """
    d = X.shape[1]
    weight = float(len(X) if weights is None else weights.sum())
    counts, means = np.zeros(n_components), np.zeros((n_components, d))
    scatters = create_scatters(kind, n_components, d)
    blocks = []
    for start in range(0, len(X), BLOCK):
        stop = min(start + BLOCK, len(X))
        w = np.ones(stop - start) if weights is None else weights[start:stop]
        blocks.append((slice(start, stop), w, labels[start:stop].astype(np.int64)))
    for rows, w, codes in blocks:
        add_sums(np.ascontiguousarray(X[rows], dtype=np.float64), w, codes, counts, means)
    means /= np.where(counts > 0, counts, 1.0)[:, None]
    for rows, w, codes in blocks:
        block = np.ascontiguousarray(X[rows], dtype=np.float64)
        add_scatters(kind, block, w, codes, means, scatters)
    return SufficientStatistics(kind, counts, means, scatters, 0.0, weight)


@njit(error_model="numpy")
def add_sums(X, weights, labels, counts, sums):
    """Add the weights and weighted rows of a block to their components."""
    for i in range(X.shape[0]):
        k = labels[i]
        if k >= 0:
            counts[k] += weights[i]
            for j in range(X.shape[1]):
                sums[k, j] += weights[i] * X[i, j]


@njit(error_model="numpy")
def add_scatters(kind, X, weights, labels, means, scatters):
    """Add the squared differences of a block from the means of its components."""
    n, d = X.shape
    row = np.empty(d)
    for i in range(n):
        k = labels[i]
        if k < 0:
            continue
        for j in range(d):
            row[j] = X[i, j] - means[k, j]
        if kind in (FULL, TIED):
            scatter = scatters[0 if kind == TIED else k]
            for a in range(d):
                scaled = weights[i] * row[a]
                for b in range(d):
                    scatter[a, b] += scaled * row[b]
        else:
            scatter = scatters[k]
            for j in range(d):
                scatter[0, j if kind == DIAG else 0] += weights[i] * row[j] * row[j]


def summarise_responsibilities(kind, X, weights, draw, n_components):
    """Statistics of complete rows shared out between the components.

    Parameters
    ----------
    kind : int
    X : ndarray of shape (n_samples, n_features)
        Without missing values.
    weights : ndarray of shape (n_samples,) or None
    draw : callable
        ``draw(n_rows)`` gives the responsibilities of the next rows, of shape
        (n_rows, n_components).
    n_components : int

    Returns
    -------
    statistics : SufficientStatistics
        Merged from blocks, so that no array has a row a sample.
    """
    d = X.shape[1]
    total = None
    for start in range(0, len(X), BLOCK):
        rows = X[start : start + BLOCK].astype(np.float64)
        shares = draw(len(rows))
        if weights is not None:
            shares = shares * weights[start : start + BLOCK, None]
        counts = shares.sum(axis=0)
        means = (shares.T @ rows) / np.where(counts > 0, counts, 1.0)[:, None]
        scatters = create_scatters(kind, n_components, d)
        for k in range(n_components):
            differences = (rows - means[k]) * np.sqrt(shares[:, k, None])
            if kind in (FULL, TIED):
                scatters[0 if kind == TIED else k] += differences.T @ differences
            elif kind == DIAG:
                scatters[k, 0] = (differences**2).sum(axis=0)
            else:
                scatters[k] = (differences**2).sum()
        part = SufficientStatistics(kind, counts, means, scatters, 0.0, float(shares.sum()))
        total = part if total is None else total + part
    return total
