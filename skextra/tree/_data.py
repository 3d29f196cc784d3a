"""What trees and forests share: their data, their settings, their rows for prediction."""

from math import ceil
from numbers import Integral

import numpy as np
from scipy import sparse
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import validate_data

from skextra import _core
from skextra._compat import StrOptions
from skextra._parallel import map_in_threads
from skextra._validation import refuse_infinite_sum

_BLOCK = 8192


def encode(X, n_jobs=None, draws=False):
    """Codes of a checked matrix.

    Parameters
    ----------
    X : ndarray of float32 or sparse matrix
    n_jobs : int or None
    draws : bool
        Whether splits are drawn, and need no ranks; see `draws_simply`.

    Returns
    -------
    codes : Codes
    """
    if not sparse.issparse(X):
        if draws and not np.isnan(X.min()):
            return _core.tree.encode.encode_keys(X)
        return _core.tree.encode.encode_dense(
            X, lambda function, tasks: map_in_threads(function, tasks, n_jobs)
        )
    X = X.tocsc()
    if not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    return _core.tree.encode.encode_sparse(X)


def draws_simply(settings, target, weights):
    """Whether splits are drawn and judged by sums alone; the data may still forbid it."""
    searches = _core.tree.criterion_table.CRITERIA[settings.criterion].searches
    return (
        settings.splitter == "random"
        and len(searches) > 0
        and settings.monotonic_cst is None
        and target.n_outputs == 1
        and (weights is None or weights.min() >= 0)
    )


def allow_criteria(constraints, is_classification):
    """scikit-learn's constraints on parameters, with our criteria."""
    names = StrOptions(_core.tree.criterion_table.list_names(is_classification))
    return {**constraints, "criterion": [names, *constraints["criterion"][1:]]}


def resolve_max_features(max_features, n_features):
    """Number of features to draw at a node, from the parameter in any of its forms."""
    if max_features is None:
        return n_features
    if isinstance(max_features, str):
        function = np.sqrt if max_features == "sqrt" else np.log2
        return max(1, int(function(n_features)))
    if isinstance(max_features, Integral):
        return int(max_features)
    return max(1, int(max_features * n_features))


def make_settings(tree, n_samples, n_features, monotonic_cst, splitter=None):
    """Settings of the core, from an estimator's parameters.

    Parameters
    ----------
    tree : estimator
        A tree or a forest, with the parameters of a tree.
    n_samples, n_features : int
        Of the training data.
    monotonic_cst : ndarray of int8 or None
        As the core takes it.
    splitter : {"best", "random"} or None
        None for the estimator's parameter.

    Returns
    -------
    settings : Settings
    """
    for name in ("criterion", "splitter"):
        if not isinstance(getattr(tree, name, ""), str):
            raise ValueError(
                f"{name} must be given by its name, got an instance of "
                f"{type(getattr(tree, name)).__name__}"
            )
    min_leaf, min_split = tree.min_samples_leaf, tree.min_samples_split
    if not isinstance(min_leaf, Integral):
        min_leaf = ceil(min_leaf * n_samples)
    if not isinstance(min_split, Integral):
        min_split = max(2, ceil(min_split * n_samples))
    return _core.tree.grow.Settings(
        criterion=tree.criterion,
        max_features=resolve_max_features(tree.max_features, n_features),
        splitter=splitter or tree.splitter,
        max_depth=tree.max_depth,
        min_samples_split=max(min_split, 2 * min_leaf),
        min_samples_leaf=min_leaf,
        min_weight_fraction_leaf=tree.min_weight_fraction_leaf,
        max_leaf_nodes=tree.max_leaf_nodes,
        min_impurity_decrease=tree.min_impurity_decrease,
        monotonic_cst=monotonic_cst,
    )


def check_monotonic_cst(monotonic_cst, n_features, n_outputs, n_classes):
    """Monotonic constraints as the core takes them, or None.

    Parameters
    ----------
    monotonic_cst : array-like or None
    n_features, n_outputs : int
    n_classes : int or None
        None for regression.

    Raises
    ------
    ValueError
        For a wrong length or value, several outputs or more than two classes.
    """
    if monotonic_cst is None:
        return None
    if n_outputs > 1:
        raise ValueError("Monotonicity constraints are not supported with multiple outputs.")
    constraints = np.asarray(monotonic_cst)
    if constraints.shape[0] != n_features:
        raise ValueError(
            f"monotonic_cst has shape {constraints.shape[0]} but the input data "
            f"X has {n_features} features."
        )
    if not np.isin(constraints, (-1, 0, 1)).all():
        raise ValueError(
            "monotonic_cst must be None or an array-like of -1, 0 or 1, but "
            f"got {np.unique(constraints)}"
        )
    constraints = constraints.astype(np.int8)
    if n_classes is None:
        return constraints
    if n_classes > 2:
        raise ValueError(
            "Monotonicity constraints are not supported with multiclass classification"
        )
    # The core constrains the share of the first class.
    return -constraints


def check_finite(X, estimator_name):
    """Refuse infinite values; NaN is a missing one."""
    assert_all_finite(
        X.data if sparse.issparse(X) else X,
        allow_nan=True,
        estimator_name=estimator_name,
        input_name="X",
    )


def check_targets(criterion, y, how=""):
    """Refuse targets for which a criterion's loss is not defined, in scikit-learn's words."""
    if not isinstance(criterion, str):
        return  # `make_settings` refuses it
    allowed = _core.tree.criterion_table.CRITERIA[criterion].targets
    if allowed == "positive" and np.any(y <= 0):
        raise ValueError(
            f"Some value(s) of y are not positive which is not allowed for {criterion} regression."
        )
    if allowed == "nonnegative" and np.any(y < 0):
        raise ValueError(
            f"Some value(s) of y are negative which is not allowed for "
            f"{criterion.capitalize()} regression."
        )
    if allowed == "nonnegative" and np.sum(y) <= 0:
        raise ValueError(
            f"Sum of y is not {how}positive which is necessary for "
            f"{criterion.capitalize()} regression."
        )


def check_squares(y):
    """Refuse targets whose squared error is no number."""
    y = np.asarray(y, dtype=np.float64)
    with np.errstate(over="ignore"):
        if not np.isfinite(np.square(y).sum()):
            raise ValueError("the squared error of y overflows; rescale y")


def check_total_weight(weights):
    """Refuse weights that leave nothing to learn from, or whose sum is no number."""
    if weights is None:
        return
    if not np.any(weights):
        raise ValueError("sample_weight must contain at least one non-zero value, got zeros only")
    refuse_infinite_sum(weights)


def validate_rows(estimator, X, allow_nan=True):
    """Check rows to predict for: ndarray or CSR matrix of float32."""
    return validate_data(
        estimator,
        X,
        dtype=np.float32,
        accept_sparse="csr",
        reset=False,
        ensure_all_finite="allow-nan" if allow_nan else True,
    )


def iterate_blocks(X, size=_BLOCK):
    """Row blocks as kernels take them, with where they begin: contiguous, dense, writable."""
    if not sparse.issparse(X):
        for start in range(0, X.shape[0], size):
            block = np.require(X[start : start + size], np.float32, ["C", "W", "A"])
            yield start, block
        return
    X = X.tocsr()
    size = max(1, min(size, 4_000_000 // max(X.shape[1], 1)))
    for start in range(0, X.shape[0], size):
        yield start, np.ascontiguousarray(X[start : start + size].toarray(), np.float32)


def sum_values(trees, X, n_jobs=None):
    """Sum over trees of the values of each row's leaves.

    Parameters
    ----------
    trees : Trees
    X : ndarray or CSR matrix of float32 of shape (n_samples, n_features)
    n_jobs : int or None
        The result does not depend on it.

    Returns
    -------
    out : ndarray of float64 of shape (n_samples, n_outputs * stride)
    """
    # Parts are returned, not written to: workers may be processes.
    tasks = [(trees, X[start : start + _BLOCK]) for start in range(0, X.shape[0], _BLOCK)]
    parts = map_in_threads(_sum_block, tasks, n_jobs if len(tasks) > 1 else 1)
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _sum_block(trees, X):
    out = np.zeros((X.shape[0], trees.leaf_values.shape[1]))
    for start, block in iterate_blocks(X):
        _core.tree.predict.sum_leaf_values(trees, block, out[start : start + len(block)])
    return out


def find_leaves(trees, X, as_nodes=False, n_jobs=None):
    """Each row's leaf in each tree, as `skextra._core.tree.predict.find_leaves` numbers them."""
    bounds = list(range(0, X.shape[0], _BLOCK))
    tasks = [(trees, X[start : start + _BLOCK], as_nodes) for start in bounds]
    parts = map_in_threads(_find_block, tasks, n_jobs if len(tasks) > 1 else 1)
    return np.concatenate(parts) if parts else np.empty((0, trees.n_trees), np.int32)


def _find_block(trees, X, as_nodes):
    parts = [
        _core.tree.predict.find_leaves(trees, block, as_nodes) for _, block in iterate_blocks(X)
    ]
    return np.concatenate(parts)
