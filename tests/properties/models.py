"""Estimators of every family, with what is true of each, and ways to compare two fits."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from skextra.ensemble import RandomForestClassifier, RandomForestRegressor
from skextra.kernel_logistic import KernelLogisticRegression
from skextra.linear_model import ElasticNet, Lasso, LogisticRegression, Ridge
from skextra.mixture import GaussianMixture
from skextra.svm import SVC, LinearSVC
from skextra.tree import DecisionTreeClassifier, DecisionTreeRegressor


@dataclass(frozen=True)
class Model:
    """An estimator and its invariances.

    Attributes
    ----------
    create : callable
        ``create(scale)`` is an estimator whose penalty suits data that are `scale` times as
        large, so that its predictions are those at 1.
    task : {"regression", "classification", "density"}
    is_exact : bool
        Whether equal sums give equal bits: trees, whose splits are a choice among few.
    rtol : float
        Largest difference of two fits of one problem, relative to the range of the outputs.
    is_sparse, has_offset : bool
        Whether it takes sparse data; whether a constant added to a feature changes nothing.
    """

    create: Callable
    task: str
    is_exact: bool = False
    rtol: float = 1e-4
    is_sparse: bool = True
    has_offset: bool = True


MODELS = {
    "ridge": Model(lambda c: Ridge(alpha=0.1 * c**2, tol=1e-12), "regression"),
    "least squares": Model(lambda c: Ridge(alpha=0, tol=1e-12), "regression"),
    "lasso": Model(lambda c: Lasso(alpha=0.05 * c, tol=1e-12, max_iter=10_000), "regression"),
    "elastic net": Model(
        # Of its two penalties one grows with the scale and the other with its square.
        lambda c: ElasticNet(
            alpha=0.05 * c + 0.05 * c**2, l1_ratio=c / (c + c**2), tol=1e-12, max_iter=10_000
        ),
        "regression",
    ),
    "logistic": Model(
        lambda c: LogisticRegression(C=1 / c**2, tol=1e-11, max_iter=1000), "classification"
    ),
    "sparse logistic": Model(
        lambda c: LogisticRegression(C=1 / c, l1_ratio=1, tol=1e-11, max_iter=1000),
        "classification",
    ),
    "linear svm": Model(lambda c: LinearSVC(C=1 / c**2, tol=1e-11), "classification"),
    # Not gamma="scale", which is not a function of the distances between rows.
    "svm": Model(lambda c: SVC(gamma=0.5 / c**2, tol=1e-10), "classification", rtol=1e-3),
    "kernel logistic": Model(
        lambda c: KernelLogisticRegression(gamma=0.5 / c**2, tol=1e-10),
        "classification",
        rtol=1e-3,
    ),  # fmt: skip
    "tree": Model(
        lambda c: DecisionTreeClassifier(max_depth=2, random_state=0), "classification", True
    ),
    "regression tree": Model(
        lambda c: DecisionTreeRegressor(max_depth=2, random_state=0), "regression", True
    ),
    "forest": Model(
        lambda c: RandomForestClassifier(3, max_depth=2, random_state=0, n_jobs=2),
        "classification",
        True,
    ),  # fmt: skip
    "regression forest": Model(
        lambda c: RandomForestRegressor(3, max_depth=2, random_state=0, n_jobs=2),
        "regression",
        True,
    ),  # fmt: skip
    "mixture": Model(
        lambda c: GaussianMixture(1, covariance_type="diag", reg_covar=1e-6 * c**2),
        "density",
        is_sparse=False,
    ),  # fmt: skip
}


def fit(model, X, y, sample_weight=None):
    """Fit, whether or not the solver gets there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        if y is None:
            return model.fit(X, sample_weight=sample_weight)
        return model.fit(X, y, sample_weight=sample_weight)


def has_converged(*models):
    """Whether all of them claim to be right; the others promise nothing."""
    return all(getattr(model, "converged_", True) for model in models)


def compute_outputs(model, X):
    """One number for each row: what a fit says of it."""
    X = X if sparse.issparse(X) else np.ascontiguousarray(X)
    for name in ("decision_function", "predict_proba", "score_samples", "predict"):
        if hasattr(model, name) and not (name == "predict_proba" and hasattr(model, "means_")):
            outputs = getattr(model, name)(X)
            return outputs[:, -1] if outputs.ndim == 2 else outputs
    raise AssertionError(f"{model} has no outputs")


def assert_close(actual, expected, rtol):
    """Compare outputs of the order of 1, relative to how far these are from each other.

    In single precision both coefficients and outputs are rounded to seven digits.
    """
    assert np.isfinite(actual).all() and np.isfinite(expected).all()
    if np.float32 in (actual.dtype, expected.dtype):
        rtol = max(rtol, 3e-3)
    scale = max(np.ptp(expected), 1e-3 * max(1.0, np.abs(expected).max()))
    difference = np.abs(actual.astype(float) - expected).max()
    assert difference <= rtol * scale, (difference, scale)
