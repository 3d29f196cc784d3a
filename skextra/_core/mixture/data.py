"""Rows to fit a mixture to, or to evaluate it at, grouped by which values are missing."""

import threading
from dataclasses import dataclass

import numpy as np

from skextra._core.mixture.blocks import Block
from skextra._core.mixture.features import (
    TIED,
    choose_block_size,
    count_features,
)
from skextra._core.mixture.whitening import Frame, compute_mean, compute_scatter, create_frame

# How the rows are cut depends on the problem alone, never on the number of threads.
_SEGMENT_ROWS = 8192
_MOST_SEGMENTS = 16
_SEGMENT_BYTES = 4_000_000


@dataclass
class Part:
    """Rows with values in the same columns.

    Attributes
    ----------
    X : ndarray of shape (n_rows, n_columns)
        The columns with values.
    weights : ndarray of shape (n_rows,) or None
    rows, columns : ndarray of int, or None
        Where they are in the data; None for all.
    frame : Frame
    total : ndarray of shape (n_columns, n_columns)
        Scatter about the origin of the frame, in its coordinates; (1, 1) where
        it is not wanted.
    segments : list of tuple of int
        First row and last, exclusive, of each piece of work.
    """

    X: np.ndarray
    weights: np.ndarray | None
    rows: np.ndarray | None
    columns: np.ndarray | None
    frame: Frame
    total: np.ndarray
    segments: list


class Data:
    """Rows to fit to, cut into parts and segments.

    Parameters
    ----------
    kind : int
    n_components : int
        Largest number of components that will be asked for.
    X : ndarray of shape (n_samples, n_features)
        float64 or float32, NaN where missing.
    weights : ndarray of shape (n_samples,) or None
        Positive.
    floor : float
        Added to variances.
    center, covariance : ndarray
        Mean and covariance (or variances) of a distribution whose scale the frame
        takes; by default those of the data.

    Attributes
    ----------
    weight : float
        Sum of weights.
    center, covariance : ndarray
    frame : Frame
        Of all columns.
    parts : list of Part
    """

    def __init__(
        self, kind, n_components, X, weights, floor, center=None, covariance=None, has_total=True
    ):
        self.kind, self.X, self.weights = kind, X, weights
        patterns = group_by_pattern(X)
        self.is_complete = patterns is None
        self.weight = float(len(X) if weights is None else weights.sum())
        if center is None:
            center, covariance = self._compute_moments()
        self.center, self.covariance = center, covariance
        self.frame = create_frame(kind, center, covariance, floor)
        self._floor, self.n_components = floor, n_components
        self._has_total = has_total and kind == TIED
        self._local = threading.local()
        self.ones = np.ones(choose_block_size(kind, 1, 1))
        if self.is_complete:
            self.parts = [self._create_part(X, None, None)]
        else:
            # A row without values has likelihood 1, and no say.
            self.parts = [
                self._create_part(X, rows, columns) for rows, columns in patterns if len(columns)
            ]

    def _compute_moments(self):
        X, weights = self.X, self.weights
        if not self.is_complete:
            X, missing = X.astype(np.float64), np.isnan(X)
            present = ~missing if weights is None else ~missing * weights[:, None]
            counts = np.maximum(present.sum(axis=0), np.finfo(float).tiny)
            means = np.where(missing, 0.0, X * present).sum(axis=0) / counts
            X = np.where(missing, means, X)
        with np.errstate(over="ignore", invalid="ignore"):
            center = compute_mean(X, weights, self.weight)
            return center, compute_scatter(self.kind, X, weights, center) / self.weight

    def _create_part(self, X, rows, columns):
        frame, weights = self.frame, self.weights
        if rows is not None:
            X = np.ascontiguousarray(X[np.ix_(rows, columns)])
            weights = None if weights is None else weights[rows]
            if self.covariance.ndim == 2:
                covariance = self.covariance[np.ix_(columns, columns)]
            else:
                covariance = self.covariance[columns]
            frame = create_frame(self.kind, self.center[columns], covariance, self._floor)
        total = np.zeros((1, 1))
        if self._has_total:
            total = compute_scatter(self.kind, X, weights, frame.center)
            total = frame.to_frame.T @ total @ frame.to_frame
        p = count_features(self.kind, X.shape[1])
        segments = cut(len(X), 8 * p * self.n_components)
        return Part(X, weights, rows, columns, frame, total, segments)

    def get_scratch(self, d, n_components):
        """Scratch of the calling thread: for a block of rows, and for its moments."""
        cache = self._local.__dict__
        key = d, n_components
        if key not in cache:
            p = count_features(self.kind, d)
            cache[key] = Block(self.kind, d, n_components), np.empty((n_components, p))
        return cache[key]


def has_missing(X):
    """Whether X holds NaN."""
    with np.errstate(over="ignore", invalid="ignore"):
        # A sum over all is NaN if an entry is, and needs no second array.
        return bool(np.isnan(X.sum()) and np.isnan(X).any())


def group_by_pattern(X):
    """Rows and columns of each pattern of missing values; None if nothing is missing.

    Patterns come in a fixed order, rows within them in theirs.
    """
    if not has_missing(X):
        return None
    missing = np.isnan(X)
    packed = np.packbits(missing, axis=1)
    _, first, group = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(group.ravel(), kind="stable")
    pieces = np.split(order, np.cumsum(np.bincount(group.ravel()))[:-1])
    columns = [np.flatnonzero(~missing[row]) for row in first]
    return list(zip(pieces, columns, strict=True))


def cut(n_rows, n_bytes):
    """Segments of the rows, given the bytes that the moments of a segment take."""
    most = max(1, min(_MOST_SEGMENTS, _SEGMENT_BYTES * _MOST_SEGMENTS // max(n_bytes, 1)))
    n_segments = max(1, min(most, n_rows // _SEGMENT_ROWS))
    edges = [n_rows * i // n_segments for i in range(n_segments + 1)]
    return list(zip(edges[:-1], edges[1:], strict=True))
