"""Logistic regression of data in blocks of rows: one pass for each Newton step.

The first pass finds the classes, the scales of the columns and a sample of rows. The model of the
sample is where Newton's method starts.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import sparse
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from skextra import _core
from skextra._validation import compute_weights, validate_penalty_weights
from skextra.linear_model._blocks import set_features
from skextra.utils._rows import summarize

# Rows of the sample, at most, and of it from each block.
_SAMPLE = 20_000
_BLOCK_SAMPLE = 512


@dataclass
class Classes:
    """Labels and the weights of their rows.

    Attributes
    ----------
    labels : ndarray of shape (n_classes,)
        Sorted.
    weights : ndarray of shape (n_classes,)
    """

    labels: np.ndarray
    weights: np.ndarray

    def __add__(self, other):
        """Labels of the rows of both."""
        kinds = {array.dtype.kind in "iufb" for array in (self.labels, other.labels)}
        if len(kinds) > 1:
            raise ValueError(
                f"blocks differ in their kind of labels: {self.labels[0]!r} and {other.labels[0]!r}"
            )
        labels = np.concatenate([self.labels, other.labels])
        return count_classes(labels, np.concatenate([self.weights, other.weights]))


def count_classes(y, weight):
    """Classes of labels and the weights of their rows."""
    labels, codes = np.unique(y, return_inverse=True)
    return Classes(labels, np.bincount(codes, weight, minlength=len(labels)))


@dataclass
class Sample:
    """Some rows of all blocks, evenly spaced."""

    X: object
    y: np.ndarray
    weight: np.ndarray

    def __add__(self, other):
        """Rows of both, every second if they are too many."""
        stack = sparse.vstack if sparse.issparse(self.X) or sparse.issparse(other.X) else np.vstack
        X = stack([self.X, other.X])
        X = X.tocsr() if sparse.issparse(X) else X
        parts = (X, *(np.concatenate(p) for p in ((self.y, other.y), (self.weight, other.weight))))
        step = 1 if len(parts[1]) <= _SAMPLE else 2
        return Sample(*(part[::step] for part in parts))


def read_labels(y):
    """Labels of a block.

    Raises
    ------
    ValueError
        If they are missing or no labels.
    """
    y = column_or_1d(np.asarray(y))
    if y.dtype.kind == "f":
        if np.isnan(y).any():
            raise ValueError("Input y contains NaN.")
        check_classification_targets(y)
    return y


def _inspect(block):
    weight = np.ones(len(block.y)) if block.weight is None else block.weight
    step = -(-len(block.y) // _BLOCK_SAMPLE)
    return (
        _core.logistic.block_moments.measure_columns(block.X, block.weight),
        count_classes(block.y, weight),
        Sample(*(part[::step] for part in (block.X, block.y, weight))),
    )


def fit_logistic(estimator, penalty, X, y, sample_weight):
    """Fit to blocks, with `C` and `l1_ratio` of a resolved penalty.

    Returns
    -------
    solution : Solution
        Of coefficients in the type of the data.
    description : Description
    classes : ndarray
    gap, tol : float
        Relative gap of the solution, and the one to reach.
    is_separated : bool
        Whether features without a penalty separate the classes.
    """
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None")
    rows = X._make_rows(y, sample_weight, read_labels)
    description, (moments, found, sample) = summarize(rows, _inspect)
    set_features(estimator, description)
    classes, per_class = _weigh_classes(estimator, found)
    v = validate_penalty_weights(estimator.penalty_weights, description.n_features)
    v = np.ones(description.n_features) if v is None else v
    n_rows = 1 if len(classes) == 2 else len(classes)
    shift, scales = moments.choose_units(estimator.fit_intercept)
    visit = partial(_sum_block, classes, per_class, shift, scales, estimator.fit_intercept)

    def evaluate(coef, level):
        with np.errstate(over="ignore", invalid="ignore"):
            return rows.reduce(partial(visit, coef, level))

    l1, l2 = _compute_penalties(penalty, v)
    newton = _core.logistic.block_newton.BlockNewton(
        evaluate, n_rows, shift, scales, estimator.fit_intercept, l1, l2
    )
    null = _core.logistic.block_newton.compute_null_objective(
        found.weights * per_class, estimator.fit_intercept
    )
    tol = max(estimator.tol, 64 * np.finfo(np.float64).eps)
    start = _find_start(estimator, penalty, sample, classes, per_class, found, v, description)
    solution = newton.solve(
        *start, tol * null, estimator.max_iter, partial(_round, description.dtype)
    )
    free = v == 0
    is_separated = False
    if np.isinf(penalty.C) or free.any():
        coef = solution.coef if np.isinf(penalty.C) else np.where(free, solution.coef, 0.0)
        wrong = rows.reduce(partial(_count_wrong, classes, per_class, coef, solution.intercept))
        is_separated = wrong == 0
    return solution, description, classes, solution.gap / null, tol, is_separated


def _weigh_classes(estimator, found):
    classes = found.labels
    if len(classes) < 2:
        raise ValueError(
            "This solver needs samples of at least 2 classes in the data, but the data "
            f"contains only one class: {classes[0]!r}"
        )
    per_class = np.ones(len(classes))
    if estimator.class_weight is not None:
        # One row for each class, of its weight.
        every = np.arange(len(classes))
        weights = compute_weights(found.weights, estimator.class_weight, every, classes)
        per_class = np.divide(
            weights, found.weights, out=np.zeros(len(classes)), where=found.weights > 0
        )
    absent = found.weights * per_class == 0
    if absent.any():
        raise ValueError(
            f"with data in blocks each class needs rows of positive weight, got none of "
            f"{classes[absent].tolist()}: leave these rows out"
        )
    return classes, per_class


def _compute_penalties(penalty, v):
    if np.isinf(penalty.C):
        zero = np.where(np.isinf(v), np.inf, 0.0)
        return zero, zero
    strength = 1 / penalty.C
    excluded = np.isinf(v)
    finite = np.where(excluded, 0.0, v)
    l1, l2 = (share * strength * finite for share in (penalty.l1_ratio, 1 - penalty.l1_ratio))
    l1[excluded] = l2[excluded] = np.inf
    return l1, l2


def _find_start(estimator, penalty, sample, classes, per_class, found, v, description):
    """The last fit, the model of the sample, or that of no features at all."""
    n_rows = 1 if len(classes) == 2 else len(classes)
    coef, intercept = estimator._get_start(len(classes), description.n_features)
    if coef is not None:
        return coef, intercept
    codes = np.searchsorted(classes, sample.y)
    weights = sample.weight * per_class[codes]
    share = np.bincount(codes, weights, minlength=len(classes))
    total = found.weights * per_class
    if description.n_rows > 2 * len(codes) and (share > 0).all():
        X = sample.X.astype(np.float64)
        settings = _core.logistic.path.Settings(tol=1e-3)
        path = _core.logistic.path.solve(
            X, codes, len(classes), [penalty.C * total.sum() / share.sum()],
            l1_ratio=penalty.l1_ratio, sample_weight=weights,
            fit_intercept=estimator.fit_intercept, penalty_weights=v, settings=settings,
        )  # fmt: skip
        if path.converged.all():
            return path.coefs[:, 0], path.intercepts[:, 0]
    intercept = np.zeros(n_rows)
    if estimator.fit_intercept:
        logs = np.log(total / total.sum())
        intercept = np.array([logs[1] - logs[0]]) if n_rows == 1 else logs - logs.mean()
    return np.zeros((n_rows, description.n_features)), intercept


def _round(dtype, coef, intercept):
    """Coefficients in the type of the data, as float64, with intercepts of several classes
    that sum to zero.
    """
    if len(intercept) > 1:
        intercept = intercept - intercept.mean()
    if dtype == np.float64:
        return coef, intercept
    return tuple(a.astype(dtype).astype(np.float64) for a in (coef, intercept))


def _weigh_block(classes, per_class, block):
    codes = np.searchsorted(classes, block.y)
    weights = per_class[codes]
    return codes, weights if block.weight is None else weights * block.weight


def _sum_block(classes, per_class, shift, scales, fit_intercept, coef, level, block):
    codes, weights = _weigh_block(classes, per_class, block)
    return _core.logistic.block_newton.sum_loss(
        block.X, codes, len(classes), weights, coef, level, shift, scales, fit_intercept
    )


def _count_wrong(classes, per_class, coef, intercept, block):
    """Rows that do not lie strictly on the side of their class."""
    codes, weights = _weigh_block(classes, per_class, block)
    scores = block.X @ coef.T + intercept
    if scores.shape[1] == 1:
        scores = np.column_stack([-scores, scores])
    own = np.take_along_axis(scores, codes[:, None], axis=1)
    is_right = np.count_nonzero(scores >= own, axis=1) == 1
    return int(np.count_nonzero(~is_right[weights > 0]))
