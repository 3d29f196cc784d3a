"""Kernel parameters of estimators -> Gram sources, for every kernel estimator."""

from numbers import Real

import numpy as np
from scipy import sparse

from skextra import _core
from skextra._compat import Interval, StrOptions

# The names of the core, repeated here so that importing an estimator does not load its kernels.
KERNELS = {"linear", "poly", "rbf", "sigmoid", "laplacian"}

KERNEL_CONSTRAINTS = {
    "kernel": [StrOptions(KERNELS | {"precomputed"}), callable],
    "gamma": [StrOptions({"scale", "auto"}), Interval(Real, 0.0, None, closed="left")],
    "degree": [Interval(Real, 0, None, closed="left")],
    "coef0": [Interval(Real, None, None, closed="neither")],
    "kernel_params": [dict, None],
}


def compute_gamma(gamma, X, sample_weight=None):
    """Width of a kernel as a number.

    Parameters
    ----------
    gamma : {'scale', 'auto'} or float
        'scale' is ``1 / (n_features * X.var())``, 1 where the variance is zero;
        'auto' is ``1 / n_features``.
    X : ndarray or sparse of shape (n_samples, n_features)
    sample_weight : ndarray of shape (n_samples,) or None
        Weights of the variance, so that a weight of two is equivalent to repeating the row.

    Returns
    -------
    gamma : float
    """
    if gamma == "auto":
        return 1.0 / X.shape[1]
    if gamma != "scale":
        return float(gamma)
    if sample_weight is not None:
        variance = _compute_weighted_variance(X, sample_weight / sample_weight.sum())
    elif sparse.issparse(X):
        values = X.data.astype(np.float64)
        size = X.shape[0] * X.shape[1]
        mean = values.sum() / size
        # Zeros that are not stored contribute to the variance, too.
        total = ((values - mean) ** 2).sum() + (size - len(values)) * mean**2
        variance = total / size
    else:
        variance = float(X.var(dtype=np.float64))
    return 1.0 / (X.shape[1] * variance) if variance != 0 else 1.0


def _compute_weighted_variance(X, shares):
    """Variance of all entries of X, the share of each row given."""
    rows = np.flatnonzero(shares)
    X, shares = X[rows], shares[rows]
    mean = float((shares @ X).sum(dtype=np.float64)) / X.shape[1]
    if sparse.issparse(X):
        values = X.data.astype(np.float64)
        of_entries = np.repeat(shares, np.diff(X.indptr))
        total = of_entries @ (values - mean) ** 2
        return (total + (X.shape[1] - of_entries.sum()) * mean**2) / X.shape[1]
    return float(shares @ ((X - mean) ** 2).sum(axis=1, dtype=np.float64)) / X.shape[1]


def create_gram(estimator, X, sample_weight=None, is_centered=False):
    """Gram source of training data, from an estimator's parameters.

    Parameters
    ----------
    estimator : estimator instance
        With `kernel`, `gamma`, `degree` and `coef0`, and perhaps `kernel_params`.
    X : ndarray or sparse
        As validated; the square matrix of kernel values if precomputed.
    sample_weight : ndarray of shape (n_samples,) or None
        See `compute_gamma`.
    is_centered : bool
        See `NamedGram`.

    Returns
    -------
    source : NamedGram, PrecomputedGram or CallableGram
    gamma : float
        0 where no kernel takes it.

    Raises
    ------
    ValueError
        If a precomputed matrix is sparse or not square, or `kernel_params` are given for a
        named kernel.
    """
    if estimator.kernel == "precomputed":
        if sparse.issparse(X):
            raise TypeError("a precomputed kernel matrix must be dense, got a sparse one")
        if X.shape[0] != X.shape[1]:
            raise ValueError(
                "Precomputed matrix must be a square matrix. Input is a "
                f"{X.shape[0]}x{X.shape[1]} matrix."
            )
        return _core.gram.kernel_functions.PrecomputedGram(X), 0.0
    gamma = 0.0
    if not callable(estimator.kernel):
        gamma = compute_gamma(estimator.gamma, X, sample_weight)
    return create_prediction_gram(estimator, X, gamma, is_centered), gamma


def create_prediction_gram(estimator, points, gamma=None, is_centered=False):
    """Gram source of points, with the kernel of an estimator.

    Parameters
    ----------
    estimator : estimator instance
    points : ndarray or sparse of shape (n_points, n_features)
    gamma : float or None
        None for that of a fitted estimator.
    is_centered : bool
        See `NamedGram`.

    Returns
    -------
    source : NamedGram or CallableGram
    """
    params = getattr(estimator, "kernel_params", None) or {}
    if callable(estimator.kernel):
        return _core.gram.kernel_functions.CallableGram(estimator.kernel, points, params)
    if params:
        raise ValueError(
            "kernel_params is only supported when kernel is a callable; "
            f"kernel={estimator.kernel!r} takes gamma, degree and coef0, got {sorted(params)}"
        )
    kernel = _core.gram.kernel_functions.Kernel(
        estimator.kernel,
        estimator._gamma if gamma is None else gamma,
        estimator.degree,
        estimator.coef0,
    )
    return _core.gram.kernel_functions.NamedGram(kernel, points, is_centered=is_centered)


class KernelTagsMixin:
    """Input tags of an estimator with a `kernel` parameter."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self.kernel == "precomputed"
        tags.input_tags.sparse = self.kernel != "precomputed"
        return tags


__all__ = [
    "KERNEL_CONSTRAINTS",
    "KernelTagsMixin",
    "compute_gamma",
    "create_gram",
    "create_prediction_gram",
]
