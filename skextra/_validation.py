"""Validation of user input: checked, typed, contiguous arrays, for every estimator."""

import numbers
from functools import partial

import numpy as np
from scipy import sparse
from sklearn.utils import check_scalar
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d, validate_data

from skextra._compat import check_sample_weight

_FLOATS = (np.float64, np.float32)


def validate_regression_data(estimator, X, y, *, multi_output=True, dtype=_FLOATS):
    """Check training data of a linear model.

    Parameters
    ----------
    estimator : estimator instance
        Receives ``n_features_in_`` and ``feature_names_in_``.
    X : array-like or sparse of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
    multi_output : bool
        Whether a two-dimensional `y` is allowed.
    dtype : sequence of dtypes
        Allowed types; the first is the one others are converted to.

    Returns
    -------
    X : ndarray (C- or F-contiguous) or CSC with sorted, unique indices
        Never written to by skextra; shares memory with the input where it can.
    y : ndarray of X's dtype, F-contiguous if two-dimensional
    """
    try:
        X, y = validate_data(
            estimator,
            X,
            y,
            accept_sparse=["csc", "csr"],
            dtype=list(dtype),
            multi_output=True,
            y_numeric=True,
        )
        y = _cast_target(y, X.dtype)
    except ValueError as error:
        if "could not convert string" not in str(error):
            raise
        raise ValueError(f"X and y must be numeric, got text: {error}") from error
    if y.ndim == 2 and not multi_output:
        if y.shape[1] != 1:
            raise ValueError(
                f"y must be one-dimensional for {type(estimator).__name__}, "
                f"got an array of shape {y.shape}"
            )
        y = column_or_1d(y, warn=True)
    return as_columns(X), y


def _cast_target(y, dtype):
    """Checked y as a column-major array of X's dtype, still finite."""
    if sparse.issparse(y):
        raise TypeError("y must be dense, got a sparse matrix; use y.toarray()")
    if y.ndim > 2:
        raise ValueError(f"y must have one or two dimensions, got shape {y.shape}")
    if y.dtype == dtype:
        return np.asfortranarray(y)
    with np.errstate(over="ignore"):
        cast = y.astype(dtype, order="F")
    if not np.isfinite(cast).all():
        raise ValueError(
            f"Input y contains infinity or a value too large for {dtype}, the type of X"
        )
    return cast


def validate_classification_data(estimator, X, y, *, dtype=_FLOATS):
    """Check training data of a classifier and number its classes.

    Parameters
    ----------
    estimator : estimator instance
        Receives ``n_features_in_`` and ``feature_names_in_``.
    X : array-like or sparse of shape (n_samples, n_features)
    y : array-like of shape (n_samples,)
        Labels of any kind that can be sorted.
    dtype : sequence of dtypes
        Allowed types; the first is the one others are converted to.

    Returns
    -------
    X : ndarray (C- or F-contiguous) or CSR or CSC with sorted, unique indices
        Never written to by skextra; shares memory with the input where it can.
    codes : ndarray of int of shape (n_samples,)
        Position of each label in `classes`.
    classes : ndarray of shape (n_classes,)
        Sorted, at least two.

    Raises
    ------
    ValueError
        If y is continuous or has a single class, or the data are otherwise invalid.
    """
    X, y = validate_data(estimator, X, y, accept_sparse=["csr", "csc"], dtype=list(dtype))
    classes, codes = np.unique(y, return_inverse=True)
    # Few distinct integers, booleans or strings are classes; scikit-learn's check would take
    # longer than a small fit.
    if y.dtype.kind not in "iubSU" or 2 * len(classes) > len(y):
        check_classification_targets(y)
    if len(classes) < 2:
        raise ValueError(
            "This solver needs samples of at least 2 classes in the data, "
            f"but the data contains only one class: {classes[0]!r}"
        )
    return as_contiguous(X), codes, classes


def as_columns(X):
    """X in a layout whose columns can be read: contiguous dense or canonical CSC."""
    return as_contiguous(X.tocsc() if sparse.issparse(X) else X)


def as_contiguous(X):
    """X in a layout that the core takes: contiguous dense or canonical compressed sparse."""
    if not sparse.issparse(X):
        if not X.flags.aligned:  # numba would compile for these again, and NumPy is slow
            return np.array(X, order="F")
        return X if X.flags.c_contiguous or X.flags.f_contiguous else np.asfortranarray(X)
    if not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    return X


def validate_sample_weight(sample_weight, X, *, negative_is_zero=False):
    """Check sample weights; None and 1 become None, another number one weight per sample.

    Numbers are kept, not dropped: where the loss is a sum (Ridge), equal weights
    of 2 halve the penalty.

    Parameters
    ----------
    sample_weight : float or array-like of shape (n_samples,) or None
    X : array-like of n_samples
    negative_is_zero : bool
        Whether negative entries of an array exclude their samples; otherwise they are an error.

    Returns
    -------
    sample_weight : ndarray of shape (n_samples,) and float64, or None

    Raises
    ------
    TypeError
        For text, complex numbers or anything else that is not a number.
    ValueError
        For NaN, infinite, negative, or only zero weights, or a wrong length.
    """
    if sample_weight is None:
        return None
    values = _as_numeric_array(sample_weight, "sample_weight")
    if values.ndim == 0:
        if not (np.isfinite(values) and values > 0):
            raise ValueError(
                f"as a scalar, sample_weight must be positive and finite, got {sample_weight!r}"
            )
        if values == 1:
            return None
        values = float(values)
    if negative_is_zero and np.all(values <= 0):
        # scikit-learn's message.
        raise ValueError(
            "Invalid input - all samples have zero or negative weights. sample_weight must "
            "contain at least one positive number"
        )
    weights = check_sample_weight(
        values, X, dtype=np.float64, ensure_non_negative=not negative_is_zero
    )
    if negative_is_zero:
        weights = np.maximum(weights, 0.0)
    if not weights.any():
        raise ValueError("Sample weights must contain at least one non-zero number: got all zeros")
    return weights


def compute_weights(sample_weight, class_weight, codes, classes):
    """Weight of each sample: its sample weight times its class weight.

    Parameters
    ----------
    sample_weight : ndarray of shape (n_samples,) or None
        As `validate_sample_weight` returns it.
    class_weight : dict, 'balanced' or None
    codes : ndarray of int of shape (n_samples,)
    classes : ndarray of shape (n_classes,)

    Returns
    -------
    weights : ndarray of shape (n_samples,) and float64, or None

    Raises
    ------
    TypeError, ValueError
        If a class weight is negative, not finite or not a number.
    ValueError
        If fewer than two classes have positive weight, `class_weight` misses a class, or the
        sum of all weights overflows.
    """
    if sample_weight is None and class_weight is None:
        return None
    _check_two_classes_count(sample_weight, codes, classes, "sample_weight")
    if class_weight is None:
        return refuse_infinite_sum(sample_weight)
    if isinstance(class_weight, dict):
        for label, value in class_weight.items():
            check_scalar(value, f"class_weight[{label!r}]", numbers.Real, min_val=0.0)
            if not np.isfinite(value):
                raise ValueError(f"class_weight[{label!r}] must be finite, got {value}")
    with np.errstate(divide="ignore"):
        per_class = compute_class_weight(
            class_weight, classes=classes, y=classes[codes], sample_weight=sample_weight
        )
    # The balanced weight of a class without weight would be infinite.
    weights = np.where(np.isfinite(per_class), per_class, 0.0)[codes]
    if sample_weight is not None:
        weights *= sample_weight
    _check_two_classes_count(weights, codes, classes, "class_weight")
    return refuse_infinite_sum(weights)


def refuse_infinite_sum(weights):
    """Return `weights` if their sum is a number; raise ValueError otherwise."""
    with np.errstate(over="ignore"):
        if np.isfinite(weights.sum()):
            return weights
    raise ValueError(
        "the sum of sample_weight times class_weight overflows: divide the weights by a "
        "constant, and multiply C, where there is one, by it"
    )


def _check_two_classes_count(weights, codes, classes, name):
    if weights is None or weights.all():
        return
    counted = np.unique(codes[weights > 0])
    if len(counted) < 2:
        raise ValueError(
            f"{name} leaves only {classes[counted].tolist()} of the classes: samples of at "
            "least 2 classes need a positive weight"
        )


def validate_penalty_weights(penalty_weights, n_features):
    """Check per-feature penalty weights.

    Returns
    -------
    penalty_weights : ndarray of shape (n_features,) and float64, or None
        0 leaves a feature unpenalized, inf excludes it.

    Raises
    ------
    TypeError
        For text, complex numbers or anything else that is not a number.
    ValueError
        For NaN or negative entries or a wrong length.
    """
    if penalty_weights is None:
        return None
    weights = _as_numeric_array(penalty_weights, "penalty_weights").astype(np.float64)
    if weights.shape != (n_features,):
        raise ValueError(
            f"penalty_weights must have shape ({n_features},), one entry per feature, "
            f"got shape {weights.shape}"
        )
    if np.isnan(weights).any() or (weights < 0).any():
        raise ValueError(
            "penalty_weights must be non-negative (inf excludes a feature), "
            "got NaN or negative entries"
        )
    return weights


def validate_alphas(alphas, allow_zero):
    """Check the candidate penalties.

    Returns
    -------
    alphas : ndarray of shape (n_alphas,) and float64

    Raises
    ------
    ValueError, TypeError
        For entries that are negative, zero (unless `allow_zero`), not finite or not
        numbers, for no entries, or more than one dimension.
    """
    check = partial(
        check_scalar,
        target_type=numbers.Real,
        min_val=0.0,
        include_boundaries="left" if allow_zero else "neither",
    )
    if np.ndim(alphas) == 0:
        alphas = [alphas if np.isscalar(alphas) else np.asarray(alphas).item()]
    elif np.ndim(alphas) > 1 or len(alphas) == 0:
        raise ValueError(
            "alphas must be a number or a one-dimensional array of at least one number, "
            f"got shape {np.shape(alphas)}"
        )
    for index, alpha in enumerate(alphas):
        check(alpha, "alphas" if len(alphas) == 1 else f"alphas[{index}]")
    alphas = np.array(alphas, dtype=np.float64)
    if not np.isfinite(alphas).all():
        raise ValueError(f"alphas must be finite, got {alphas}")
    return alphas


def _as_numeric_array(values, name):
    """Array of bool, int or float; an error that names the argument for anything else."""
    try:
        array = np.asarray(values)
        if array.dtype.kind == "O":
            array = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be an array of numbers: {error}") from error
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must be an array of numbers, got dtype {array.dtype}")
    return array


def check_finite_result(estimator, *results):
    """Raise an error if fitted arrays overflowed, instead of returning NaN.

    Raises
    ------
    ValueError
        If any entry of `results` is NaN or infinite.
    """
    if not all(np.isfinite(result).all() for result in results):
        name = estimator if isinstance(estimator, str) else type(estimator).__name__
        raise ValueError(
            f"{name} overflowed: the scales of X, y and sample_weight exceed the range of "
            "floating-point numbers; rescale X or y, for instance with StandardScaler"
        )


def as_writeable(array):
    """A writable, C-contiguous array: kernels would compile again for other layouts."""
    return np.require(array, requirements=["C", "W", "A"])
