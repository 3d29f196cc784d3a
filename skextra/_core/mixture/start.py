"""Parameters to start from: moments of rows that are assigned to components."""

import numpy as np

from skextra._core.mixture.features import DIAG, FULL, TIED
from skextra._core.mixture.statistics import SufficientStatistics, create_scatters

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
    # Rows of a component one after the other, so that BLAS sums each.
    order = np.argsort(labels, kind="stable")
    edges = np.searchsorted(labels[order], np.arange(n_components + 1))
    for k in range(n_components):
        members = order[edges[k] : edges[k + 1]]
        pieces = [members[i : i + BLOCK] for i in range(0, len(members), BLOCK)]
        for piece in pieces:
            w = np.ones(len(piece)) if weights is None else weights[piece]
            counts[k] += w.sum()
            means[k] += w @ X[piece].astype(np.float64, copy=False)
        means[k] /= counts[k] if counts[k] > 0 else 1.0
        for piece in pieces:
            differences = X[piece] - means[k]
            if weights is not None:
                differences *= np.sqrt(weights[piece, None])
            scatters[0 if kind == TIED else k] += compute_scatter(kind, differences)
    return SufficientStatistics(kind, counts, means, scatters, 0.0, weight)


def compute_scatter(kind, differences):
    """Sum of squared differences, in the layout of the scatters."""
    if kind in (FULL, TIED):
        return differences.T @ differences
    squares = np.einsum("ij,ij->j", differences, differences)
    return squares[None] if kind == DIAG else squares.sum(keepdims=True)[None]


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
            scatters[0 if kind == TIED else k] += compute_scatter(kind, differences)
        part = SufficientStatistics(kind, counts, means, scatters, 0.0, float(shares.sum()))
        total = part if total is None else total + part
    return total
