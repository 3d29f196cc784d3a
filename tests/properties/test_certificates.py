"""`dual_gap_` is at least the true suboptimality of the returned coefficients."""

import warnings

import mpmath
import numpy as np
import pytest
from hypothesis import given, strategies as st
from sklearn.exceptions import ConvergenceWarning

from skextra.kernel_logistic import KernelLogisticRegression
from skextra.linear_model import (
    ElasticNet,
    Lasso,
    LogisticRegression,
    MultiTaskElasticNet,
    MultiTaskLasso,
    Ridge,
)
from skextra.svm import SVC, LinearSVC
from tests.properties import references
from tests.properties.references import (
    Hinge,
    HingeProblem,
    LogLoss,
    Problem,
    SquaredHinge,
    SquaredLoss,
)
from tests.properties.strategies import SPREADS, designs, labels, targets

# What float64 leaves of a certificate, relative to the objective without features: residuals
# of rows far from the origin are differences of large numbers.
ROUNDING = 1e-7
# Kernels far from the origin: the docs say what their certificates cannot promise.
KERNEL_ROUNDING = 1e-6
KERNEL_DATA = {"dtypes": [np.float64], "offsets": (0.0, 1.0, -1e3), "exponents": (0, -4, -1, 1)}


def fit(model, design, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(design.X, y, sample_weight=design.sample_weight)


def assert_certified(model, problem, coef, intercept, tol, rounding=ROUNDING):
    """The gap bounds the suboptimality; where `tol` is for the gap, converged fits reached it."""
    null = problem.evaluate_null()
    objective = problem.evaluate(coef, intercept)
    if null <= 0:
        return
    true = float((objective - problem.minimize()) / null)
    gap = float(np.max(model.dual_gap_))
    assert not np.isnan(gap)
    assert true <= gap * (1 + 1e-6) + rounding, (true, gap, model.converged_)
    if model.converged_ and tol is not None:
        assert true <= tol + rounding, (true, gap, tol)


@given(st.data())
def test_ridge(data):
    alpha = data.draw(st.sampled_from([1.0, 0.0, 1e-6, 1e3]), label="alpha")
    # Columns that differ by their rounding alone: without a penalty that is what would be fitted.
    spreads = (1.0, 1e-3, 1e-7) if alpha == 0 else SPREADS
    design = data.draw(designs(spreads=spreads))
    y = data.draw(targets(design)).astype(design.X.dtype)
    fit_intercept = data.draw(st.booleans(), label="fit_intercept")
    model = fit(Ridge(alpha=alpha, fit_intercept=fit_intercept, tol=1e-6), design, y)
    problem = Problem(
        design.X, SquaredLoss(y), 2 * design.weights, l2=2 * alpha, fit_intercept=fit_intercept
    )
    assert_certified(model, problem, model.coef_, model.intercept_, 1e-6)


@pytest.mark.parametrize("cls", [Lasso, ElasticNet])
@given(st.data())
def test_elastic_net(cls, data):
    design = data.draw(designs())
    y = data.draw(targets(design)).astype(design.X.dtype)
    fit_intercept = data.draw(st.booleans(), label="fit_intercept")
    positive = data.draw(st.booleans(), label="positive")
    # A penalty that matters: a share of the one that makes all coefficients zero.
    weights = design.weights / design.weights.sum()
    centered = design.X.astype(float) - fit_intercept * (weights @ design.X)
    largest = np.abs(centered.T @ (weights * (y - fit_intercept * (weights @ y)))).max()
    share = data.draw(st.sampled_from([0.1, 0.5, 1e-4]), label="share")
    alpha, l1_ratio = float(share * largest), 1.0
    options = {"fit_intercept": fit_intercept, "positive": positive, "tol": 1e-8}
    if cls is ElasticNet:
        l1_ratio = options["l1_ratio"] = data.draw(st.sampled_from([0.5, 0.9]), label="l1_ratio")
    if not alpha > 0:
        return
    model = fit(cls(alpha=alpha, max_iter=20_000, **options), design, y)
    with mpmath.workdps(80):
        exact = references.to_exact(design.weights)
        problem = Problem(
            design.X, SquaredLoss(y), design.weights, l1=alpha * l1_ratio,
            l2=mpmath.mpf(alpha) * (1 - mpmath.mpf(l1_ratio)), fit_intercept=fit_intercept,
            positive=positive,
        )  # fmt: skip
        problem.weights = exact / exact.sum()
    if positive:
        assert (model.coef_ >= 0).all()
    assert_certified(model, problem, model.coef_, model.intercept_, 1e-8)


@pytest.mark.parametrize("cls", [Lasso, Ridge])
@given(st.data())
def test_unpenalized_features(cls, data):
    # Penalized columns that differ from the others by less than 8 units in the last place of
    # their means count as rounding: the docs say so.
    design = data.draw(
        designs(max_features=5, offsets=(0.0, 1e3, 1e6, 1e7), spreads=(1.0, 1e-3, 1e-7))
    )
    y = data.draw(targets(design)).astype(design.X.dtype)
    n_free = data.draw(st.integers(1, design.X.shape[1]), label="unpenalized features")
    alpha = data.draw(st.sampled_from([0.1, 1e-4]), label="alpha") * float(np.abs(y).max())
    if not alpha > 0:
        return
    penalties = np.arange(design.X.shape[1]) >= n_free
    options = {} if cls is Ridge else {"max_iter": 5000}
    model = fit(cls(alpha, tol=1e-6, penalty_weights=penalties, **options), design, y)
    with mpmath.workdps(80):
        X, target = references.to_exact(design.X), references.to_exact(y)
        weights = references.to_exact(design.weights)
        if cls is Lasso:
            weights = weights / weights.sum()
        residual = (
            target - X @ references.to_exact(model.coef_) - mpmath.mpf(float(model.intercept_))
        )
        coef = references.to_exact(model.coef_[penalties])
        l1, l2 = (alpha, 0.0) if cls is Lasso else (0.0, alpha)
        objective = (weights * residual**2).sum() / 2
        objective += l1 * abs(coef).sum() + mpmath.mpf(l2) * (coef**2).sum() / 2
        # Without them and the intercept it is a problem of the other features alone.
        ones = target * 0 + 1
        free = np.column_stack([ones, X[:, ~penalties]])
        free[:, 1:] = references.project_out(free[:, 1:], free[:, :1], weights)
        rest = references.project_out(
            np.column_stack([target, X[:, penalties]]), free, weights
        )  # fmt: skip
        problem = Problem(rest[:, 1:], SquaredLoss(y), [], l1=l1, l2=l2, fit_intercept=False)
        problem.loss.y, problem.weights = rest[:, 0], weights
        null = references.project_out(target[:, None], free[:, :1], weights)
        null = (weights * null[:, 0] ** 2).sum() / 2
        true = float((objective - problem.minimize()) / null) if null > 0 else 0.0
    # Columns are ten times as far from zero here as elsewhere.
    rounding = 10 * ROUNDING
    assert true <= model.dual_gap_ * (1 + 1e-6) + rounding, (true, model.dual_gap_)
    if model.converged_:
        assert true <= 1e-6 + rounding, (true, model.dual_gap_)


@pytest.mark.parametrize("cls", [MultiTaskLasso, MultiTaskElasticNet])
@given(st.data())
def test_multi_task(cls, data):
    """The best of several fits takes the place of the minimum; objectives are exact."""
    design = data.draw(designs(offsets=(0.0, 1.0, -1e3)))
    Y = np.column_stack([data.draw(targets(design)) for _ in range(2)]).astype(design.X.dtype)
    fit_intercept = data.draw(st.booleans(), label="fit_intercept")
    share = data.draw(st.sampled_from([0.1, 0.5, 1e-4]), label="share")
    weights = design.weights / design.weights.sum()
    means = fit_intercept * (weights @ design.X), fit_intercept * (weights @ Y)
    cross = (design.X - means[0]).T @ (weights[:, None] * (Y - means[1]))
    alpha = float(share * np.linalg.norm(cross, axis=1).max())
    if not alpha > 0:
        return
    options = {"alpha": alpha, "fit_intercept": fit_intercept, "max_iter": 20_000}
    model = fit(cls(tol=1e-8, **options), design, Y)
    best = min(
        references.evaluate_multi_task(
            fit(cls(tol=tol, **options), design.replace(X=design.X.astype(float)), Y), design, Y
        )
        for tol in (1e-8, 1e-12, 1e-15)
    )
    null = references.evaluate_multi_task(None, design, Y, fit_intercept)
    if null > 0:
        true = float((references.evaluate_multi_task(model, design, Y) - best) / null)
        assert true <= model.dual_gap_ * (1 + 1e-6) + ROUNDING
        if model.converged_:
            assert true <= 1e-8 + ROUNDING


@given(st.data())
def test_logistic_regression(data):
    design = data.draw(designs(max_samples=14, max_features=3))
    y = data.draw(labels(design))
    l1_ratio = data.draw(st.sampled_from([0.0, 1.0, 0.5]), label="l1_ratio")
    C = data.draw(st.sampled_from([1.0, 1e-3, 1e3]), label="C")
    fit_intercept = data.draw(st.booleans(), label="fit_intercept")
    model = LogisticRegression(C=C, l1_ratio=l1_ratio, fit_intercept=fit_intercept, tol=1e-6)
    model = fit(model.set_params(max_iter=1000), design, y)
    problem = Problem(
        design.X, LogLoss(2 * y - 1), C * design.weights, l1=l1_ratio, l2=1 - l1_ratio,
        fit_intercept=fit_intercept,
    )  # fmt: skip
    assert_certified(model, problem, model.coef_[0], model.intercept_[0], 1e-6)


@given(st.data())
def test_linear_svc(data):
    design = data.draw(designs(max_samples=12, max_features=3))
    y = data.draw(labels(design))
    penalty, loss = data.draw(
        st.sampled_from([("l2", "squared_hinge"), ("l1", "squared_hinge"), ("l2", "hinge")])
    )
    C = data.draw(st.sampled_from([1.0, 1e-3, 1e3]), label="C")
    fit_intercept = loss == "hinge" or data.draw(st.booleans(), label="fit_intercept")
    model = LinearSVC(penalty, loss, C=C, fit_intercept=fit_intercept, tol=1e-6)
    model = fit(model, design, y)
    weights = C * design.weights
    if loss == "hinge":
        problem = HingeProblem(design.X, Hinge(2 * y - 1), weights, l2=1.0)
    else:
        problem = Problem(
            design.X, SquaredHinge(2 * y - 1), weights, l1=float(penalty == "l1"),
            l2=float(penalty == "l2"), fit_intercept=fit_intercept,
        )  # fmt: skip
    assert_certified(model, problem, model.coef_[0], model.intercept_[0], 1e-6)


def assert_kernel_certified(model, loss, design, gram, C, support, tol):
    """In the kernel's feature space the problem is linear."""
    with mpmath.workdps(80):
        rows = references.factorize(gram)
        # The coefficients sum to zero but for rounding, which predictions take for zero: times
        # the square of a distance from the origin it would be anything.
        centered = rows[support] - rows.mean(axis=0)
        coef = references.to_exact(model.dual_coef_[0]) @ centered
    cls = HingeProblem if isinstance(loss, Hinge) else Problem
    problem = cls(rows, loss, C * design.weights, l2=1.0)
    assert_certified(model, problem, coef, model.intercept_[0], tol, KERNEL_ROUNDING)


@given(st.data())
def test_svc(data):
    design = data.draw(designs(max_samples=10, max_features=3, **KERNEL_DATA))
    y = data.draw(labels(design))
    C = data.draw(st.sampled_from([1.0, 1e-2, 100.0]), label="C")
    kernel = data.draw(st.sampled_from(["rbf", "linear"]), label="kernel")
    model = fit(SVC(C=C, kernel=kernel, gamma="scale", tol=1e-6), design, y)
    if kernel == "rbf":
        gram = references.compute_rbf_gram(design.X, model._gamma)
    else:
        gram = references.compute_linear_gram(design.X)
    # Its `tol` is for violations of the optimality conditions, as in scikit-learn.
    assert_kernel_certified(model, Hinge(2 * y - 1), design, gram, C, model.support_, None)


@given(st.data())
def test_kernel_logistic_regression(data):
    # Values of the kernel are kept in single precision, which limits what can be certified.
    design = data.draw(designs(max_samples=10, max_features=3, **KERNEL_DATA))
    y = data.draw(labels(design))
    C = data.draw(st.sampled_from([1.0, 1e-2, 100.0]), label="C")
    model = fit(KernelLogisticRegression(C=C, gamma=1.0, tol=1e-6), design, y)
    gram = references.compute_rbf_gram(design.X, 1.0)
    support = model.components_indices_
    assert_kernel_certified(model, LogLoss(2 * y - 1), design, gram, C, support, 1e-6)
