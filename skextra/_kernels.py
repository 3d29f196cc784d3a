"""Kernel parameters of estimators -> Gram sources; once, for every kernel machine."""

from numbers import Real

import numpy as np
from scipy import sparse

from skextra import _core
from skextra._compat import Interval, StrOptions

# The core's names, said here so that importing an estimator does not load its kernels.
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
        How often each row counts in the variance.

    Returns
    -------
    gamma : float
    """
    if gamma == "auto":
        return 1.0 / X.shape[1]
    if gamma != "scale":
        return float(gamma)
    variance = _compute_variance(X, sample_weight)
    return 1.0 / (X.shape[1] * variance) if variance != 0 else 1.0


def _compute_variance(X, sample_weight):
    """Variance of all entries together."""
    n_samples, n_features = X.shape
    if sample_weight is None and not sparse.issparse(X):
        return float(X.var(dtype=np.float64))
    weights = np.ones(n_samples) if sample_weight is None else sample_weight / sample_weight.max()
    total = weights.sum() * n_features
    if not sparse.issparse(X):
        mean = weights @ X.sum(axis=1, dtype=np.float64) / total
        return float(weights @ ((X - mean) ** 2).sum(axis=1, dtype=np.float64) / total)
    values = X.tocoo()
    weights, values = weights[values.row], values.data.astype(np.float64)
    mean = weights @ values / total
    # The zeros that are not stored deviate from the mean, too.
    return float((weights @ (values - mean) ** 2 + (total - weights.sum()) * mean**2) / total)


def create_gram(estimator, X, sample_weight=None):
    """Gram source of training data, from an estimator's parameters.

    Parameters
    ----------
    estimator : estimator instance
        With `kernel`, `gamma`, `degree` and `coef0`, and perhaps `kernel_params`; gets
        ``_gamma``.
    X : ndarray or sparse
        As validated; the square matrix of kernel values if precomputed.
    sample_weight : ndarray of shape (n_samples,) or None
        For ``gamma="scale"``.

    Returns
    -------
    source : NamedGram, PrecomputedGram or CallableGram

    Raises
    ------
    ValueError
        If a precomputed matrix is sparse or not square, or parameters go with no kernel.
    """
    if estimator.kernel == "precomputed":
        if sparse.issparse(X):
            raise TypeError("a precomputed kernel matrix must be dense, got a sparse one")
        if X.shape[0] != X.shape[1]:
            raise ValueError(
                "Precomputed matrix must be a square matrix. Input is a "
                f"{X.shape[0]}x{X.shape[1]} matrix."
            )
        estimator._gamma = 0.0
        return _core.kernels.PrecomputedGram(X)
    if callable(estimator.kernel):
        estimator._gamma = 0.0
    else:
        estimator._gamma = compute_gamma(estimator.gamma, X, sample_weight)
    return create_prediction_gram(estimator, X)


def create_prediction_gram(estimator, points):
    """Gram source of a fitted estimator, from the training points that it kept.

    Parameters
    ----------
    estimator : estimator instance
    points : ndarray or sparse of shape (n_points, n_features)

    Returns
    -------
    source : NamedGram or CallableGram
    """
    params = getattr(estimator, "kernel_params", None) or {}
    if callable(estimator.kernel):
        return _core.kernels.CallableGram(estimator.kernel, points, params)
    if params:
        raise ValueError(
            f"kernel_params go to a kernel that is a function; kernel={estimator.kernel!r} takes "
            f"gamma, degree and coef0, got {sorted(params)}"
        )
    kernel = _core.kernels.Kernel(
        estimator.kernel, estimator._gamma, estimator.degree, estimator.coef0
    )
    return _core.kernels.NamedGram(kernel, points)


class KernelTagsMixin:
    """What an estimator with a `kernel` parameter takes."""

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
