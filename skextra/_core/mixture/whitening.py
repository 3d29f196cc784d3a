"""The coordinates densities are computed in: data with mean zero and unit scale."""

from dataclasses import dataclass

import numpy as np

from skextra._core.mixture.features import DIAG, FULL, SPHERICAL, TIED

_BLOCK = 2048


@dataclass(frozen=True)
class Frame:
    """Affine coordinates ``z = (x - center) @ to_frame``.

    Attributes
    ----------
    center, scale : ndarray of shape (n_features,)
        `scale` is the diagonal of the map for "diag" and "spherical".
    to_frame, from_frame : ndarray of shape (n_features, n_features)
        Triangular, each other's inverse; of shape (1, 1) and unused where the map
        is diagonal.
    """

    center: np.ndarray
    scale: np.ndarray
    to_frame: np.ndarray
    from_frame: np.ndarray


def create_frame(kind, center, covariance, floor):
    """Frame in which data of this mean and covariance have unit scale.

    Parameters
    ----------
    kind : int
    center : ndarray of shape (n_features,)
    covariance : ndarray of shape (n_features, n_features) or (n_features,)
        Variances alone for "diag" and "spherical".
    floor : float
        Added to the variances, as to those of every component: where the data
        are constant, it is their scale.
    """
    variances = np.diagonal(covariance) if covariance.ndim == 2 else covariance
    variances = variances + floor
    if kind == SPHERICAL:
        variances = np.full_like(variances, variances.mean())
    usable = (variances > 0) & np.isfinite(variances)
    scale = 1.0 / np.sqrt(np.where(usable, variances, 1.0))
    if kind in (DIAG, SPHERICAL):
        unused = np.zeros((1, 1))
        return Frame(center, scale, unused, unused)
    matrix = covariance + floor * np.eye(len(center))
    # The correlation matrix, so that units do not count against the factorization.
    matrix = matrix * scale[:, None] * scale
    np.fill_diagonal(matrix, np.where(usable, np.diagonal(matrix), 1.0))
    factor = _factorize_or_give_up(matrix)
    to_frame = np.ascontiguousarray(scale[:, None] * np.linalg.inv(factor).T)
    from_frame = np.ascontiguousarray(factor.T / scale)
    return Frame(center, scale, to_frame, from_frame)


def _factorize_or_give_up(matrix):
    # Any frame is right; one that does not whiten leaves more to differences.
    try:
        factor = np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return np.eye(len(matrix))
    return factor if factor.diagonal().min() > 1e-7 else np.eye(len(matrix))


def compute_mean(X, weights, total):
    """Weighted mean of the columns, summed block by block in float64."""
    center = np.zeros(X.shape[1])
    for start in range(0, len(X), _BLOCK):
        rows = X[start : start + _BLOCK]
        if weights is None:
            center += rows.sum(axis=0, dtype=np.float64)
        else:
            center += weights[start : start + _BLOCK] @ rows.astype(np.float64, copy=False)
    return center / total


def compute_scatter(kind, X, weights, center):
    """Weighted sum of squared differences from `center`: a matrix, or its diagonal."""
    d = X.shape[1]
    is_matrix = kind in (FULL, TIED)
    scatter = np.zeros((d, d) if is_matrix else d)
    for start in range(0, len(X), _BLOCK):
        rows = np.subtract(X[start : start + _BLOCK], center, dtype=np.float64)
        if weights is not None:
            rows *= np.sqrt(weights[start : start + _BLOCK, None])
        if is_matrix:
            scatter += rows.T @ rows
        else:
            scatter += np.einsum("ij,ij->j", rows, rows)
    return scatter
