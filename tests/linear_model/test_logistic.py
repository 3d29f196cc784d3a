"""LogisticRegression: scikit-learn, limits, probabilities, warnings, bad input."""

import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn.linear_model
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.special import expit
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from skextra.linear_model import LogisticRegression
from skextra.linear_model._logistic import SOLVERS, is_separated

pytestmark = pytest.mark.filterwarnings("error::sklearn.exceptions.ConvergenceWarning")

TIGHT = {"tol": 1e-12, "max_iter": 1000}


def make_data(n_classes=2, shape=(80, 6), seed=0):
    """Classes that overlap, columns that are correlated and have a mean."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal(shape) + 0.5 * rng.standard_normal((shape[0], 1)) + 0.3
    scores = X @ rng.standard_normal((shape[1], n_classes))
    return X, (scores + 2 * rng.gumbel(size=scores.shape)).argmax(axis=1)


def fit_sklearn(X, y, sample_weight=None, **options):
    """As accurate as scikit-learn gets: Newton for L2, saga for the rest."""
    solver = "saga" if options.get("l1_ratio") else "newton-cholesky"
    tol = 1e-9 if solver == "saga" else 1e-10
    model = sklearn.linear_model.LogisticRegression(
        solver=solver, tol=tol, max_iter=100_000, random_state=0, **options
    )
    with warnings.catch_warnings():
        # The line search may end in rounding; the gradient is as small as it gets then.
        warnings.simplefilter("ignore")
        return model.fit(X, y, sample_weight=sample_weight)


def assert_same_model(model, expected, X, atol=1e-6):
    """Coefficients, intercepts up to what probabilities cannot see, and probabilities."""
    assert_array_equal(model.classes_, expected.classes_)
    assert_allclose(model.coef_, expected.coef_, rtol=0, atol=atol * 10)
    shift = np.mean(expected.intercept_) if len(expected.intercept_) > 1 else 0.0
    assert_allclose(model.intercept_, expected.intercept_ - shift, rtol=0, atol=atol * 10)
    assert_allclose(model.predict_proba(X), expected.predict_proba(X), rtol=0, atol=atol)
    assert_allclose(model.decision_function(X).ndim, expected.decision_function(X).ndim)


# --- against scikit-learn ---------------------------------------------------


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("C", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighting", ["none", "rows", "classes", "balanced", "both"])
def test_l2_equals_scikit_learn(n_classes, C, fit_intercept, weighting):
    X, y = make_data(n_classes)
    s = None
    if weighting in ("rows", "both"):
        s = np.random.default_rng(1).integers(0, 4, len(y)).astype(float)
    class_weight = {"classes": {0: 2.0, 1: 0.5}, "balanced": "balanced", "both": "balanced"}
    options = {
        "C": C, "fit_intercept": fit_intercept, "class_weight": class_weight.get(weighting)
    }  # fmt: skip
    expected = fit_sklearn(X, y, s, **options)
    model = LogisticRegression(**options, **TIGHT).fit(X, y, sample_weight=s)
    assert_same_model(model, expected, X)
    assert model.converged_ and 0 <= model.dual_gap_ <= 1e-10
    assert model.n_iter_.shape == (1,) and model.n_iter_.dtype.kind == "i"


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("l1_ratio", [0.4, 1.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_l1_and_elastic_net_equal_scikit_learn(n_classes, l1_ratio, fit_intercept, weighted):
    X, y = make_data(n_classes)
    X = scale(X)  # saga needs it
    s = np.random.default_rng(1).uniform(0.2, 2.0, len(y)) if weighted else None
    options = {"C": 0.1, "l1_ratio": l1_ratio, "fit_intercept": fit_intercept}
    expected = fit_sklearn(X, y, s, **options)
    model = LogisticRegression(**options, **TIGHT).fit(X, y, sample_weight=s)
    assert_same_model(model, expected, X, atol=1e-5)
    assert_array_equal(model.coef_ == 0, np.abs(expected.coef_) < 1e-8)
    assert l1_ratio < 1 or (model.coef_ == 0).any()


@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("make_X", [
    np.asfortranarray, sparse.csr_array, sparse.csc_array, sparse.coo_array, sparse.csr_matrix,
    lambda X: np.repeat(X, 2, axis=1)[:, ::2], pd.DataFrame,
], ids=["F", "csr", "csc", "coo", "matrix", "strided", "frame"])  # fmt: skip
def test_layouts_give_one_answer(l1_ratio, n_classes, make_X):
    X, y = make_data(n_classes, shape=(70, 9), seed=3)
    X[np.random.default_rng(3).random(X.shape) < 0.6] = 0
    reference = LogisticRegression(l1_ratio=l1_ratio, **TIGHT).fit(X, y)
    given = make_X(X)
    model = clone(reference).fit(given, y)
    assert_same_model(model, reference, X.astype(float) if make_X is not pd.DataFrame else given)
    assert_array_equal(model.predict(given), reference.predict(X))


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array, sparse.csc_array])
def test_l2_with_more_features_than_samples(n_classes, container):
    X, y = make_data(n_classes, shape=(60, 700))
    X[np.random.default_rng(3).random(X.shape) < 0.8] = 0
    X[:, 5] = 0.0
    # Probabilities err by about the root of the gap.
    model = LogisticRegression(C=0.01, tol=1e-13, max_iter=1000).fit(container(X), y)
    # In the span of the rows it is a small problem.
    U, values, Vt = np.linalg.svd(X, full_matrices=False)
    expected = fit_sklearn(U * values, y, C=0.01)
    assert_allclose(model.coef_, expected.coef_ @ Vt, rtol=0, atol=1e-5)
    assert_allclose(model.predict_proba(X), expected.predict_proba(U * values), atol=1e-6)


@pytest.mark.parametrize("index_type", [np.int32, np.int64])
def test_sparse_indices_of_either_width(index_type):
    X, y = make_data()
    X[np.abs(X) < 0.5] = 0
    given = sparse.csr_array(X)
    given.indices, given.indptr = given.indices.astype(index_type), given.indptr.astype(index_type)
    model = LogisticRegression(**TIGHT).fit(given, y)
    assert_same_model(model, fit_sklearn(X, y), X)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_float32_stays_float32_and_is_accurate(n_classes, l1_ratio, container):
    X, y = make_data(n_classes)
    model = LogisticRegression(l1_ratio=l1_ratio, tol=1e-7).fit(container(X.astype(np.float32)), y)
    assert model.coef_.dtype == model.intercept_.dtype == np.float32
    reference = LogisticRegression(l1_ratio=l1_ratio, **TIGHT).fit(X, y)
    for name in ("decision_function", "predict_proba", "predict_log_proba"):
        actual = getattr(model, name)(container(X.astype(np.float32)))
        assert actual.dtype == np.float32
        assert_allclose(actual, getattr(reference, name)(X), rtol=0, atol=5e-3)


@pytest.mark.parametrize(
    "load, C", [(load_breast_cancer, 10.0), (load_wine, 0.1), (load_iris, 1.0)]
)
def test_l2_equals_scikit_learn_on_real_data(load, C):
    X, y = load(return_X_y=True)
    X = scale(X)
    model = LogisticRegression(C=C, **TIGHT).fit(X, y)
    assert_same_model(model, fit_sklearn(X, y, C=C), X)


def test_unscaled_real_data_converges_at_the_defaults():
    """scikit-learn's lbfgs stops at max_iter here."""
    X, y = load_breast_cancer(return_X_y=True)
    model = LogisticRegression().fit(X, y)
    assert model.converged_ and model.dual_gap_ <= 1e-4
    assert_allclose(model.predict_proba(X), fit_sklearn(X, y).predict_proba(X), atol=5e-3)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_default_tolerance_gives_probabilities_to_three_digits(n_classes):
    X, y = make_data(n_classes, shape=(200, 10))
    for l1_ratio in (0.0, 0.5, 1.0):
        tight = LogisticRegression(l1_ratio=l1_ratio, **TIGHT).fit(X, y)
        model = LogisticRegression(l1_ratio=l1_ratio).fit(X, y)
        assert_allclose(model.predict_proba(X), tight.predict_proba(X), rtol=0, atol=5e-3)


# --- what must not matter, and what must ------------------------------------


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.7])
def test_every_solver_gives_one_answer(n_classes, l1_ratio):
    X, y = make_data(n_classes)
    reference = LogisticRegression(l1_ratio=l1_ratio).fit(X, y)
    options = {"dual": True, "intercept_scaling": 5.0, "random_state": 3, "verbose": 0}
    for solver in sorted(SOLVERS):
        model = LogisticRegression(l1_ratio=l1_ratio, solver=solver, **options).fit(X, y)
        assert_array_equal(model.coef_, reference.coef_)
        assert_array_equal(model.intercept_, reference.intercept_)


def test_solvers_are_those_of_scikit_learn():
    (theirs,) = sklearn.linear_model.LogisticRegression._parameter_constraints["solver"]
    assert theirs.options == SOLVERS


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.6])
def test_weights_are_repetitions(n_classes, l1_ratio):
    X, y = make_data(n_classes)
    repeats = np.random.default_rng(2).integers(0, 4, len(y))
    weighted = LogisticRegression(l1_ratio=l1_ratio, **TIGHT).fit(X, y, sample_weight=repeats)
    repeated = clone(weighted).fit(np.repeat(X, repeats, axis=0), np.repeat(y, repeats))
    assert_same_model(weighted, repeated, X)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.6])
def test_scale_of_weights_is_the_scale_of_C(l1_ratio):
    X, y = make_data(3)
    scaled = LogisticRegression(C=0.5, l1_ratio=l1_ratio, **TIGHT).fit(X, y, sample_weight=4.0)
    reference = LogisticRegression(C=2.0, l1_ratio=l1_ratio, **TIGHT).fit(X, y)
    assert_same_model(scaled, reference, X)


@pytest.mark.parametrize("n_classes", [3, 4])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("by", ["sample_weight", "class_weight", "both"])
def test_a_class_that_weights_remove_has_no_probability(n_classes, l1_ratio, by):
    X, y = make_data(n_classes)
    s = (y != 1).astype(float) if by != "class_weight" else None
    class_weight = {"sample_weight": None, "class_weight": {1: 0.0}, "both": "balanced"}[by]
    model = LogisticRegression(C=0.5, l1_ratio=l1_ratio, class_weight=class_weight, **TIGHT)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X, y, sample_weight=s)
    kept = y != 1
    assert_array_equal(model.classes_, np.arange(n_classes))
    assert not model.coef_[1].any() and np.isfinite(model.intercept_).all()
    assert model.predict_proba(X[kept])[:, 1].max() < 1e-15
    # It is the limit of a weight that tends to zero.
    nearly = np.where(kept, 1.0, 1e-9)
    if by == "both":
        nearly *= (len(y) - (y == 1).sum()) / (n_classes * np.bincount(y)[y])
    limit = LogisticRegression(C=0.5, l1_ratio=l1_ratio, **TIGHT).fit(X, y, sample_weight=nearly)
    assert_allclose(model.predict_proba(X), limit.predict_proba(X), atol=1e-5)


def test_class_weights_are_sample_weights():
    X, y = make_data(3)
    factors, own = np.array([2.0, 0.5, 1.0]), np.linspace(0.5, 1.5, len(y))
    model = LogisticRegression(class_weight={0: 2.0, 1: 0.5}, **TIGHT).fit(X, y, own)
    expected = LogisticRegression(**TIGHT).fit(X, y, own * factors[y])
    assert_array_equal(model.coef_, expected.coef_)
    labels = np.array(["b", "a", "c"])[y]
    named = LogisticRegression(class_weight={"b": 2.0, "a": 0.5}, **TIGHT).fit(X, labels, own)
    assert_allclose(named.coef_, expected.coef_[[1, 0, 2]], atol=1e-6)


@pytest.mark.parametrize("labels", [["b", "a"], [1, -1], [True, False], ["z", "a", "m"]])
def test_labels_are_sorted_and_columns_follow(labels):
    X, y = make_data(len(labels))
    model = LogisticRegression(**TIGHT).fit(X, np.array(labels)[y])
    assert_array_equal(model.classes_, sorted(labels))
    reference = LogisticRegression(**TIGHT).fit(X, y)
    order = np.argsort(labels)
    assert_allclose(model.predict_proba(X), reference.predict_proba(X)[:, order], atol=1e-8)
    if len(labels) == 3:
        assert_allclose(model.coef_, reference.coef_[order], atol=1e-6)
    assert_array_equal(model.predict(X), np.array(labels)[reference.predict(X)])


def test_intercept_is_not_penalized():
    X, y = make_data()
    shifted = X + 50.0
    for l1_ratio in (0.0, 1.0):
        model = LogisticRegression(C=0.01, l1_ratio=l1_ratio, **TIGHT)
        reference = clone(model).fit(X, y)
        assert_allclose(
            clone(model).fit(shifted, y).predict_proba(shifted), reference.predict_proba(X),
            atol=1e-6,
        )  # fmt: skip
        # The gradient in the intercept is the sum of the residuals.
        assert abs((reference.predict_proba(X)[:, 1] - y).sum()) < 1e-4


@pytest.mark.parametrize("n_classes", [2, 3])
def test_without_intercept_there_are_zeros(n_classes):
    X, y = make_data(n_classes)
    model = LogisticRegression(fit_intercept=False).fit(X, y)
    assert_array_equal(model.intercept_, np.zeros(1 if n_classes == 2 else n_classes))


def test_intercepts_and_coefficients_of_several_classes_sum_to_zero():
    X, y = make_data(4)
    for C in (1.0, np.inf):
        model = LogisticRegression(C=C, **TIGHT).fit(X, y)
        assert_allclose(model.intercept_.sum(), 0, atol=1e-8)
        assert_allclose(model.coef_.sum(axis=0), 0, atol=1e-6)


# --- limits -----------------------------------------------------------------


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_no_penalty_is_maximum_likelihood(n_classes, l1_ratio):
    X, y = make_data(n_classes, shape=(150, 4))
    model = LogisticRegression(C=np.inf, l1_ratio=l1_ratio, **TIGHT).fit(X, y)
    expected = fit_sklearn(X, y, C=np.inf)
    assert_allclose(model.predict_proba(X), expected.predict_proba(X), atol=1e-6)
    # The scores of maximum likelihood: residuals are orthogonal to every column.
    residual = model.predict_proba(X) - np.eye(n_classes)[y]
    assert_allclose(np.c_[np.ones(len(X)), X].T @ residual, 0, atol=1e-4)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_strong_penalty_leaves_the_frequencies(n_classes, l1_ratio):
    X, y = make_data(n_classes)
    model = LogisticRegression(C=1e-8, l1_ratio=l1_ratio, **TIGHT).fit(X, y)
    assert_allclose(model.coef_, 0, atol=1e-5)
    if l1_ratio:
        assert not model.coef_.any()
    frequencies = np.bincount(y) / len(y)
    assert_allclose(model.predict_proba(X), np.tile(frequencies, (len(y), 1)), atol=1e-5)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_penalty_weights(n_classes, l1_ratio):
    X, y = make_data(n_classes)
    weights = np.array([1.0, 2.0, 0.5, np.inf, 1.0, 3.0])
    options = {"C": 0.3, "l1_ratio": l1_ratio, **TIGHT}
    model = LogisticRegression(penalty_weights=weights, **options).fit(X, y)
    assert not model.coef_[:, 3].any()
    if l1_ratio in (0.0, 1.0):
        # A weight is a scale of the column, where the penalty is homogeneous.
        factors = weights if l1_ratio else np.sqrt(weights)
        reference = LogisticRegression(**options).fit(X / factors, y)
        assert_allclose(model.predict_proba(X), reference.predict_proba(X / factors), atol=1e-6)
    ones = LogisticRegression(penalty_weights=np.ones(6), **options).fit(X, y)
    assert_same_model(ones, LogisticRegression(**options).fit(X, y), X)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_an_unpenalized_feature_has_orthogonal_residuals(n_classes, l1_ratio):
    X, y = make_data(n_classes)
    model = LogisticRegression(
        C=0.02, l1_ratio=l1_ratio, penalty_weights=[0, 1, 1, 1, 1, 0], **TIGHT
    ).fit(X, y)
    residual = model.predict_proba(X) - np.eye(n_classes)[y]
    assert_allclose(X[:, [0, 5]].T @ residual, 0, atol=1e-4)
    assert np.abs(X[:, 1:5].T @ residual).max() > 1.0
    assert model.coef_[:, [0, 5]].all()


# --- predictions ------------------------------------------------------------


def test_probabilities_do_not_overflow_and_logarithms_do_not_underflow():
    X, y = make_data(2)
    model = LogisticRegression().fit(X, y)
    far = 1e5 * X[:5]
    scores = model.decision_function(far)
    assert np.abs(scores).max() > 1e4
    with np.errstate(all="raise", under="ignore"):
        probabilities, logs = model.predict_proba(far), model.predict_log_proba(far)
    assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-15)
    assert np.isfinite(logs).all()
    assert_allclose(logs[:, 1] - logs[:, 0], scores, rtol=1e-12)
    # A small probability keeps its digits, also next to one that rounds to 1.
    assert_allclose(probabilities[:, 0], expit(-scores), rtol=1e-15)


def test_probabilities_of_several_classes_do_not_overflow():
    X, y = make_data(4)
    model = LogisticRegression().fit(X, y)
    far = 1e5 * X[:5]
    scores = model.decision_function(far)
    with np.errstate(all="raise", under="ignore"):
        probabilities, logs = model.predict_proba(far), model.predict_log_proba(far)
    assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-14)
    assert np.isfinite(logs).all() and logs.min() < -1e4
    differences = scores - scores[:, :1]
    assert_allclose(logs - logs[:, :1], differences, rtol=1e-9, atol=1e-6)
    assert_array_equal(model.predict(far), model.classes_[probabilities.argmax(axis=1)])


@pytest.mark.parametrize("n_classes", [2, 3])
def test_logarithms_are_those_of_the_probabilities(n_classes):
    X, y = make_data(n_classes)
    model = LogisticRegression().fit(X, y)
    assert_allclose(np.exp(model.predict_log_proba(X)), model.predict_proba(X), rtol=1e-12)
    assert model.score(X, y) == np.mean(model.predict(X) == y)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_scores_that_overflow_are_refused(n_classes):
    X, y = make_data(n_classes)
    model = LogisticRegression(C=1e3).fit(X, y)
    with pytest.raises(ValueError, match="scores of LogisticRegression overflow.*X"):
        model.predict_proba(np.sign(model.coef_[:1]) * np.finfo(float).max)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_sparse_coefficients_predict_the_same(n_classes):
    X, y = make_data(n_classes)
    model = LogisticRegression(C=0.1, l1_ratio=1).fit(X, y)
    names = ("decision_function", "predict", "predict_proba", "predict_log_proba")
    expected = {name: getattr(model, name)(X) for name in names}
    dense = model.coef_
    assert model.sparsify() is model and sparse.issparse(model.coef_)
    assert model.coef_.format == "csr" and model.coef_.nnz == np.count_nonzero(dense)
    for name, values in expected.items():
        for given in (X, sparse.csr_array(X), sparse.coo_matrix(X)):
            actual = getattr(model, name)(given)
            assert isinstance(actual, np.ndarray)
            assert_allclose(actual, values, rtol=1e-12)
    assert_array_equal(model.densify().coef_, dense)
    assert model.densify() is model
    assert_allclose(model.sparsify().fit(X, y).coef_, dense)


# --- starts and stops -------------------------------------------------------


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_warm_start(n_classes, l1_ratio):
    X, y = make_data(n_classes)
    model = LogisticRegression(l1_ratio=l1_ratio, warm_start=True, tol=1e-8).fit(X, y)
    coef, n_iter = model.coef_.copy(), model.n_iter_[0]
    model.sparsify().fit(X, y)
    assert model.n_iter_[0] < n_iter
    assert_allclose(model.coef_, coef, atol=1e-3)
    model.set_params(C=0.1).fit(X, y)
    cold = LogisticRegression(l1_ratio=l1_ratio, C=0.1, tol=1e-8).fit(X, y)
    assert_allclose(model.predict_proba(X), cold.predict_proba(X), atol=1e-3)


def test_warm_start_needs_the_same_shape():
    X, y = make_data(3)
    model = LogisticRegression(warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match=r"warm_start.*coef_ has shape \(3, 6\).*\(3, 5\)"):
        model.fit(X[:, 1:], y)
    with pytest.raises(ValueError, match=r"warm_start.*coef_ has shape \(3, 6\).*\(1, 6\)"):
        model.fit(X, y > 0)
    model.set_params(warm_start=False).fit(X[:, 1:], y > 0)
    assert model.coef_.shape == (1, 5)


def test_early_stop_warns_with_the_gap_and_what_to_do():
    X, y = make_data(3)
    model = LogisticRegression(C=10, max_iter=1, tol=1e-10)
    with pytest.warns(ConvergenceWarning) as caught:
        model.fit(X, y)
    (warning,) = caught
    assert warning.filename == __file__
    text = str(warning.message)
    for part in (
        "LogisticRegression failed to converge", "after 1 iterations", "tol=1e-10",
        f"gap {model.dual_gap_:.2e}", "The max_iter was reached", "number of iterations (max_iter)",
    ):  # fmt: skip
        assert part in text
    assert not model.converged_ and model.dual_gap_ > 1e-10
    assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("free", ["C", "penalty_weights"])
@pytest.mark.parametrize("weighted", [True, False])
def test_separable_classes_without_penalty_warn(n_classes, free, weighted):
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(n_classes), 20)
    X = np.eye(n_classes)[y] * 4 + rng.uniform(-1, 1, (len(y), n_classes))
    s = np.ones(len(y))
    if weighted:
        y[0], s[0] = n_classes - 1, 0.0  # out of line, and does not count
    options = {"C": np.inf} if free == "C" else {"penalty_weights": np.zeros(n_classes)}
    model = LogisticRegression(**options)
    with pytest.warns(
        ConvergenceWarning, match="no finite solution.*separate the classes.*finite C"
    ):
        model.fit(X, y, sample_weight=s)
    assert np.isfinite(model.coef_).all() and not model.converged_
    assert model.score(X, y, sample_weight=s) == 1.0
    # With a penalty there is a solution.
    assert LogisticRegression().fit(X, y, sample_weight=s).converged_


def test_is_separated():
    codes = np.array([0, 1, 2])
    right = np.array([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.5, 1.0]])
    assert is_separated(right, codes, None)
    tie = right.copy()
    tie[1, 0] = 2.0
    assert not is_separated(tie, codes, None)
    assert is_separated(tie, codes, np.array([1.0, 0.0, 1.0]))
    binary = np.array([[-1.0], [2.0]])
    assert is_separated(binary, np.array([0, 1]), None)
    assert not is_separated(binary, np.array([1, 1]), None)
    assert not is_separated(0 * binary, np.array([0, 1]), None)


# --- bad input --------------------------------------------------------------


@pytest.mark.parametrize(
    "parameters, about",
    [
        ({"C": 0.0}, r"'C' parameter .* must be a float in the range \(0.0, inf\]"),
        ({"C": -1.0}, "'C' parameter"),
        ({"C": np.nan}, "'C' parameter"),
        ({"C": "strong"}, "'C' parameter"),
        ({"l1_ratio": 1.5}, "'l1_ratio' parameter"),
        ({"penalty": "l3"}, "'penalty' parameter"),
        ({"solver": "newton"}, "'solver' parameter"),
        ({"tol": -1.0}, "'tol' parameter"),
        ({"max_iter": -1}, "'max_iter' parameter"),
        ({"class_weight": "even"}, "'class_weight' parameter"),
        ({"class_weight": {5: 1.0}}, r"The classes, \[0, 1\], are not in class_weight"),
        ({"class_weight": {0: -1.0}}, r"class_weight\[0\] == -1.0, must be >= 0"),
        ({"class_weight": {0: 0.0}}, "class_weight leaves only"),
        ({"penalty_weights": [1.0, 2.0]}, "penalty_weights must have shape"),
        ({"penalty_weights": -np.ones(6)}, "penalty_weights must be non-negative"),
    ],
)
def test_bad_parameters_are_refused(parameters, about):
    X, y = make_data()
    with pytest.raises(ValueError, match=about):
        LogisticRegression(**parameters).fit(X, y)


def test_bad_targets_are_refused_in_scikit_learns_words():
    X, y = make_data()
    with pytest.raises(ValueError, match="samples of at least 2 classes .* only one class: "):
        LogisticRegression().fit(X, np.zeros(len(X)))
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        LogisticRegression().fit(X, X[:, 0])
    with pytest.raises(ValueError, match="y should be a 1d array"):
        LogisticRegression().fit(X, np.c_[y, y])


def test_weights_that_leave_one_class_are_refused():
    X, y = make_data(3)
    with pytest.raises(ValueError, match=r"sample_weight leaves only \[2\].*at least 2"):
        LogisticRegression().fit(X, y, sample_weight=y == 2)


# --- in company -------------------------------------------------------------


def test_search_over_C_in_a_pipeline():
    X, y = load_iris(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    grid = {
        "logisticregression__C": [0.01, 1.0, 100.0],
        "logisticregression__l1_ratio": [0.0, 1.0],
    }
    search = GridSearchCV(pipeline, grid, cv=3, scoring="neg_log_loss", error_score="raise")
    search.fit(X, y)
    theirs = GridSearchCV(
        make_pipeline(
            StandardScaler(),
            sklearn.linear_model.LogisticRegression(solver="saga", tol=1e-6, max_iter=100_000),
        ),
        {name: values if name[-1] == "C" else [0.0] for name, values in grid.items()},
        cv=3, scoring="neg_log_loss",
    ).fit(X, y)  # fmt: skip
    ours = search.cv_results_["mean_test_score"][::2]
    assert_allclose(ours, theirs.cv_results_["mean_test_score"], atol=1e-2)


class TestCallbacks:
    callback = pytest.importorskip("sklearn.callback", reason="came with scikit-learn 1.9")

    @pytest.mark.parametrize("n_classes", [2, 3])
    def test_scoring_monitor(self, n_classes):
        X, y = make_data(n_classes)
        X = pd.DataFrame(X, columns=list("abcdef"))
        weights = np.linspace(0.5, 2.0, len(y))
        monitor = self.callback.ScoringMonitor(scoring="accuracy")
        model = LogisticRegression(class_weight="balanced").set_callbacks(monitor)
        model.fit(X, y, sample_weight=weights)
        rows = monitor.get_logs().data
        assert {row["estimator_name"] for row in rows} == {"LogisticRegression"}
        # One row per iteration, the last of which is the model, and one for the fit.
        assert len(rows) == model.n_iter_[0] + 1
        score = model.score(X, y, sample_weight=weights)
        assert rows[0]["accuracy"] == rows[-1]["accuracy"] == score
        assert_array_equal(
            model.coef_,
            LogisticRegression(class_weight="balanced").fit(X, y, sample_weight=weights).coef_,
        )

    @pytest.mark.parametrize("solver", ["lbfgs", "saga"])
    @pytest.mark.filterwarnings("error")
    def test_progress_bar(self, solver, monkeypatch, capsys):
        pytest.importorskip("rich")
        monkeypatch.setenv("COLUMNS", "200")
        X, y = make_data(3)
        model = LogisticRegression(solver=solver).set_callbacks(self.callback.ProgressBar())
        model.fit(X, y)
        shown = capsys.readouterr().out
        assert "LogisticRegression - fit" in shown and "100%" in shown

    def test_bad_data_are_refused_before_a_task_begins(self):
        X, y = make_data()
        monitor = self.callback.ScoringMonitor(scoring="accuracy")
        model = LogisticRegression().set_callbacks(monitor)
        with pytest.raises(ValueError, match="NaN"):
            model.fit(np.full_like(X, np.nan), y)
        assert not {"_callback_fit_ctx", "_parent_callback_ctx"} & vars(model).keys()
