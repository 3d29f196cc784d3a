"""Public arrays of a mixture, checked, to and from the layout of the core."""

import numpy as np
from sklearn.utils import check_array

from skextra import _core

SHAPES = {
    "full": "(n_components, n_features, n_features)",
    "tied": "(n_features, n_features)",
    "diag": "(n_components, n_features)",
    "spherical": "(n_components,)",
}


def get_kind(covariance_type):
    """Number of a covariance type in the core."""
    return _core.mixture.features.KINDS[covariance_type]


def to_layout(array, covariance_type):
    """Covariances or their like with three axes, as the core has them."""
    array = np.asarray(array, dtype=np.float64)
    if covariance_type == "tied":
        array = array[None]
    elif covariance_type == "diag":
        array = array[:, None]
    elif covariance_type == "spherical":
        array = array[:, None, None]
    return np.ascontiguousarray(array)


def from_layout(array, covariance_type):
    """Covariances or their like in scikit-learn's shape."""
    if covariance_type == "tied":
        return array[0]
    if covariance_type == "diag":
        return array[:, 0]
    return array[:, 0, 0] if covariance_type == "spherical" else array


def get_shape(covariance_type, n_components, n_features):
    """Shape of the covariances."""
    sizes = {"n_components": n_components, "n_features": n_features}
    names = SHAPES[covariance_type].strip("(,)").split(", ")
    return tuple(sizes[name] for name in names)


def check_shape(array, shape, name):
    """Refuse an array of another shape, in scikit-learn's words."""
    if array.shape != shape:
        raise ValueError(
            f"The parameter '{name}' should have the shape of {shape}, but got {array.shape}"
        )


def check_weights(weights, n_components):
    """Check shares of components.

    Raises
    ------
    ValueError
        If they have another shape, are outside [0, 1] or do not sum to 1.
    """
    weights = check_array(
        weights, dtype=[np.float64, np.float32], ensure_2d=False, input_name="weights"
    )
    check_shape(weights, (n_components,), "weights")
    if (weights < 0).any() or (weights > 1).any():
        raise ValueError(
            "The parameter 'weights' should be in the range [0, 1], but got max value "
            f"{weights.max():.5f}, min value {weights.min():.5f}"
        )
    total = weights.sum()
    if abs(total - 1) > (1e-6 if weights.dtype == np.float32 else 1e-8):
        raise ValueError(
            f"The parameter 'weights' should be normalized, but got sum(weights) = {total:.5f}"
        )
    return weights.astype(np.float64)


def check_means(means, n_components, n_features):
    """Check the shape and values of means."""
    means = check_array(means, dtype=[np.float64, np.float32], ensure_2d=False, input_name="means")
    check_shape(means, (n_components, n_features), "means")
    return means.astype(np.float64)


def check_definite(matrices, covariance_type, n_components, n_features, name):
    """Check precisions or covariances: shape, symmetry, definiteness.

    Returns
    -------
    matrices : ndarray of three axes
        In the layout of the core.

    Raises
    ------
    ValueError
        If they have another shape or are not positive definite.
    """
    matrices = check_array(
        matrices, dtype=[np.float64, np.float32], ensure_2d=False, allow_nd=True, input_name=name
    )
    shape = get_shape(covariance_type, n_components, n_features)
    check_shape(matrices, shape, f"{covariance_type} {name}")
    layout = to_layout(matrices, covariance_type)
    if covariance_type in ("diag", "spherical"):
        if (layout <= 0).any():
            raise ValueError(f"'{covariance_type} {name}' should be positive")
    elif not (
        np.allclose(layout, layout.swapaxes(1, 2)) and (np.linalg.eigvalsh(layout) > 0).all()
    ):
        raise ValueError(f"'{covariance_type} {name}' should be symmetric, positive-definite")
    return layout


def invert(covariances, kind):
    """Factors of the precisions of covariances in the layout of the core.

    Raises
    ------
    ValueError
        If one is not positive definite.
    """
    cholesky = np.zeros_like(covariances)
    failed = np.zeros(len(covariances), dtype=np.bool_)
    is_matrix = kind in (_core.mixture.features.FULL, _core.mixture.features.TIED)
    _core.mixture.covariances.invert_covariances(covariances, is_matrix, cholesky, failed)
    if failed.any():
        raise _core.mixture.parameters.CollapseError(np.flatnonzero(failed))
    return cholesky
