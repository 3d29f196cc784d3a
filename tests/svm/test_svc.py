import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, make_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import log_loss
from sklearn.metrics.pairwise import laplacian_kernel, rbf_kernel
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC as SklearnSVC

from skextra.svm import SVC, LinearSVC

X_IRIS, Y_IRIS = load_iris(return_X_y=True)


def make_binary(n=200, seed=0):
    return make_classification(n, 6, n_informative=4, flip_y=0.2, random_state=seed)


@pytest.mark.parametrize("kernel", ["linear", "poly", "rbf", "sigmoid"])
@pytest.mark.parametrize("C", [0.1, 1.0, 50.0])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_agrees_with_sklearn(kernel, C, n_classes):
    X = StandardScaler().fit_transform(X_IRIS)
    X, y = X[3 - n_classes <= Y_IRIS], Y_IRIS[3 - n_classes <= Y_IRIS]
    options = {"kernel": kernel, "C": C, "decision_function_shape": "ovo"}
    # tanh is no positive definite kernel: there, different stationary points are right.
    if kernel == "sigmoid":
        options["gamma"] = 0.01
    ours = SVC(**options).fit(X, y)
    theirs = SklearnSVC(**options, tol=1e-9).fit(X, y)
    # A sample right on its margin may or may not count as a support vector.
    tables = [np.zeros((n_classes - 1, len(y))) for _ in range(2)]
    for table, model in zip(tables, (ours, theirs), strict=True):
        table[:, model.support_] = model.dual_coef_
        assert model.n_support_.sum() == len(model.support_) == len(model.support_vectors_)
        np.testing.assert_array_equal(X[model.support_], model.support_vectors_)
    # LIBSVM's kernel values are in single precision.
    np.testing.assert_allclose(tables[0], tables[1], atol=2e-3 * max(1, np.abs(tables[1]).max()))
    for name in ("intercept_", "class_weight_"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), atol=1e-3)
    np.testing.assert_allclose(
        ours.decision_function(X), theirs.decision_function(X), rtol=1e-3, atol=1e-3
    )
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    if kernel == "linear":
        np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-3, atol=1e-3)
    assert ours.shape_fit_ == theirs.shape_fit_
    assert ours.fit_status_ == theirs.fit_status_ == 0


@pytest.mark.parametrize("break_ties", [True, False])
def test_class_scores_and_ties_match_sklearn(break_ties):
    X, y = load_digits(return_X_y=True)
    X, y = X[:400], y[:400]
    options = {"break_ties": break_ties, "gamma": 0.01, "C": 0.05}
    ours, theirs = SVC(**options).fit(X, y), SklearnSVC(**options, tol=1e-8).fit(X, y)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    np.testing.assert_allclose(
        ours.decision_function(X), theirs.decision_function(X), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("name, compute", [("rbf", rbf_kernel), ("laplacian", laplacian_kernel)])
def test_precomputed_and_callable_are_the_named_kernel(name, compute):
    X, y = make_binary()
    reference = SVC(kernel=name, gamma=0.3).fit(X, y)
    scores = reference.decision_function(X)
    K = compute(X, gamma=0.3)
    precomputed = SVC(kernel="precomputed").fit(K, y)
    np.testing.assert_allclose(precomputed.decision_function(K), scores, atol=1e-9)
    function = SVC(kernel=lambda A, B: compute(A, B, gamma=0.3)).fit(X, y)
    np.testing.assert_allclose(function.decision_function(X), scores, atol=1e-9)


def test_linear_is_the_linear_machine():
    X, y = make_binary()
    weights = np.linspace(0.2, 2.0, len(y))
    kernel = SVC(kernel="linear", C=0.7, tol=1e-8).fit(X, y, weights)
    linear = LinearSVC(loss="hinge", C=0.7, tol=1e-12).fit(X, y, weights)
    np.testing.assert_allclose(linear.coef_, kernel.coef_, atol=1e-6)
    np.testing.assert_allclose(linear.intercept_, kernel.intercept_, atol=1e-6)


def test_callable_kernels_take_anything_and_must_fit():
    words = ["aa", "ab", "ba", "bb", "aab", "bbb"] * 4
    y = [0, 0, 1, 1, 0, 1] * 4

    def count(left, right):
        return np.array([[sum(a in b for a in set(s)) for b in right] for s in left], dtype=float)

    model = SVC(kernel=count).fit(words, y)
    assert set(model.predict(["ab", "bb"])) <= {0, 1}
    with pytest.raises(ValueError, match="kernel must return an array of shape"):
        SVC(kernel=lambda A, B: np.ones((2, 2))).fit(X_IRIS, Y_IRIS)
    with pytest.raises(ValueError, match="kernel returned NaN"):
        SVC(kernel=lambda A, B: np.full((len(A), len(B)), np.nan)).fit(X_IRIS, Y_IRIS)


def test_stops_early_with_a_warning_and_a_true_gap():
    X, y = make_binary(seed=1)
    with pytest.warns(ConvergenceWarning, match=r"max_iter=5\).*dual.*gap"):
        model = SVC(max_iter=5).fit(X, y)
    assert not model.converged_
    assert model.fit_status_ == 1
    assert model.n_iter_.tolist() == [5]
    assert model.dual_gap_ > 0.01


@pytest.mark.parametrize("n_classes", [2, 3])
class TestProbability:
    def make_data(self, n_classes, n=300):
        return make_classification(
            n, 5, n_informative=4, n_redundant=0, n_classes=n_classes, n_clusters_per_class=1,
            flip_y=0.15, class_sep=0.8, random_state=0,
        )  # fmt: skip

    def test_is_a_distribution_that_beats_the_frequencies(self, n_classes):
        X, y = self.make_data(n_classes, 600)
        model = SVC(probability=True).fit(X[:300], y[:300])
        p = model.predict_proba(X[300:])
        np.testing.assert_allclose(p.sum(axis=1), 1.0)
        np.testing.assert_allclose(np.log(p), model.predict_log_proba(X[300:]))
        frequencies = np.bincount(y[:300]) / 300
        assert log_loss(y[300:], p) < 0.85 * log_loss(y[300:], np.tile(frequencies, (300, 1)))

    def test_leaves_predictions_alone(self, n_classes):
        X, y = self.make_data(n_classes)
        plain, calibrated = SVC().fit(X, y), SVC(probability=True).fit(X, y)
        np.testing.assert_array_equal(plain.predict(X), calibrated.predict(X))
        assert not hasattr(plain, "predict_proba")
        assert not hasattr(plain, "probA_")

    def test_is_the_same_whatever_the_seed_and_the_order(self, n_classes):
        X, y = self.make_data(n_classes)
        reference = SVC(probability=True, random_state=0).fit(X, y).predict_proba(X)
        order = np.random.default_rng(0).permutation(len(y))
        model = SVC(probability=True, random_state=1, n_jobs=2).fit(X[order], y[order])
        np.testing.assert_allclose(model.predict_proba(X), reference, atol=1e-6)

    def test_integer_weights_equal_repeated_rows(self, n_classes):
        X, y = self.make_data(n_classes)
        repeats = np.random.default_rng(1).integers(0, 4, len(y))
        weighted = SVC(probability=True).fit(X, y, repeats)
        repeated = SVC(probability=True).fit(np.repeat(X, repeats, axis=0), np.repeat(y, repeats))
        np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-6)

    def test_sparse_equals_dense(self, n_classes):
        X, y = self.make_data(n_classes)
        X[np.abs(X) < 0.7] = 0.0
        dense = SVC(probability=True).fit(X, y).predict_proba(X)
        model = SVC(probability=True).fit(sparse.csc_array(X), y)
        np.testing.assert_allclose(model.predict_proba(sparse.csr_array(X)), dense, atol=1e-7)


def test_probability_grows_with_the_decision_value():
    rng = np.random.default_rng(0)
    for seed in range(5):
        # Labels without any relation to X: unseen decision values are often misleading.
        X, y = rng.standard_normal((40, 3)), rng.integers(0, 2, 40)
        model = SVC(probability=True, random_state=seed).fit(X, y)
        order = np.argsort(model.decision_function(X))
        assert (np.diff(model.predict_proba(X)[order, 1]) >= -1e-12).all()
        assert model.probA_[0] <= 0


def test_probability_with_classes_of_one_row():
    X = np.array([[0.0], [1.0], [2.0], [3.0], [10.0]])
    for y in ([0, 0, 0, 0, 1], [0, 0, 1, 1, 2], [0, 0, 0, 1, 1]):
        p = SVC(probability=True).fit(X, y).predict_proba(X)
        assert np.isfinite(p).all()
        np.testing.assert_allclose(p.sum(axis=1), 1.0)


def test_probability_needs_a_fit_with_it():
    model = SVC(probability=False).fit(X_IRIS, Y_IRIS)
    model.probability = True
    with pytest.raises(NotFittedError, match="fitted with probability=False"):
        model.predict_proba(X_IRIS)


def test_probabilities_are_calibrated_on_real_data():
    X, y = load_breast_cancer(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    model = SVC(C=100.0, probability=True).fit(X[::2], y[::2])
    assert log_loss(y[1::2], model.predict_proba(X[1::2])) < 0.15


def test_class_without_weight_wins_nothing():
    weights = np.where(Y_IRIS == 1, 0.0, 1.0)
    model = SVC(probability=True).fit(X_IRIS, Y_IRIS, weights)
    assert set(model.predict(X_IRIS)) == {0, 2}
    assert model.n_support_[1] == 0
    assert np.isfinite(model.predict_proba(X_IRIS)).all()


def test_negative_weight_leaves_a_sample_out():
    X, y = make_binary()
    weights = np.where(np.arange(len(X)) % 5, 1.0, -0.5)
    model = SVC(probability=True).fit(X, y, weights)
    reference = SVC(probability=True).fit(X, y, np.maximum(weights, 0.0))
    assert len(model.support_) > 0 and (weights[model.support_] > 0).all()
    np.testing.assert_array_equal(model.predict_proba(X), reference.predict_proba(X))
    with pytest.raises(ValueError, match="sample_weight"):
        SVC().fit(X, y, -np.ones(len(X)))
    with pytest.raises(ValueError, match="sample_weight must leave two classes"):
        SVC().fit(X, y, np.where(y == y[0], 1.0, -1.0))


def test_altered_model_is_refused():
    model = SVC().fit(X_IRIS, Y_IRIS)
    model.n_support_ = model.n_support_ + 1
    with pytest.raises(ValueError, match="altered"):
        model.predict(X_IRIS)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_names_that_converters_read(n_classes):
    kept = n_classes > Y_IRIS
    ours = SVC(tol=1e-8).fit(X_IRIS[kept], Y_IRIS[kept])
    theirs = SklearnSVC(tol=1e-8).fit(X_IRIS[kept], Y_IRIS[kept])
    for name in ("_n_support", "_dual_coef_", "_intercept_"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), atol=1e-5)


def test_jobs_and_cache_change_nothing():
    X, y = load_digits(return_X_y=True)
    X, y = X[:500], y[:500]
    # Of pairs: those of classes jump by a vote where one changes sign within the tolerance.
    options = {"decision_function_shape": "ovo"}
    reference = SVC(**options).fit(X, y).decision_function(X)
    scores = SVC(n_jobs=2, **options).fit(X, y).decision_function(X)
    np.testing.assert_array_equal(scores, reference)
    # Without room for a whole matrix, in blocks and single precision, to the tolerance.
    scores = SVC(cache_size=0.05, **options).fit(X, y).decision_function(X)
    np.testing.assert_allclose(scores, reference, atol=1e-2)


def test_large_data_takes_blocks_and_agrees_with_sklearn():
    X, y = make_binary(2500, seed=2)
    ours, theirs = SVC(C=5.0).fit(X, y), SklearnSVC(C=5.0, tol=1e-5).fit(X, y)
    scores = theirs.decision_function(X)
    np.testing.assert_allclose(ours.decision_function(X), scores, atol=0.02)
    assert ours.converged_
    assert ours.dual_gap_ < 1e-3
    single = SVC(C=5.0).fit(X.astype(np.float32), y)
    np.testing.assert_allclose(single.decision_function(X.astype(np.float32)), scores, atol=0.02)
    assert single.support_vectors_.dtype == np.float32


def test_errors_name_what_is_wrong():
    X, y = make_binary(20)
    with pytest.raises(ValueError, match="break_ties must be False"):
        SVC(break_ties=True, decision_function_shape="ovo").fit(X, y).predict(X)
    with pytest.raises(ValueError, match="square"):
        SVC(kernel="precomputed").fit(X, y)
    with pytest.raises(TypeError, match="Sparse precomputed"):
        SVC(kernel="precomputed").fit(sparse.csr_array(np.eye(20)), y)
    with pytest.raises(ValueError, match="sparse input in 'SVC' trained on dense"):
        SVC().fit(X, y).predict(sparse.csr_array(X))
    with pytest.raises(AttributeError, match="only available when using a linear kernel"):
        _ = SVC().fit(X, y).coef_
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match="not finite"):
            SVC(kernel="linear").fit(1e200 * X, y)


def make_far_data(offset=0.0, n=60, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 3))
    return X + offset, (X[:, 0] + 0.5 * rng.standard_normal(n) > 0).astype(int)


@pytest.mark.parametrize("offset", [1e4, 1e8])
def test_linear_kernel_is_invariant_to_offsets(offset):
    X, y = make_far_data()
    near, far = SVC(kernel="linear").fit(X, y), SVC(kernel="linear").fit(X + offset, y)
    assert far.converged_
    scores = far.decision_function(X + offset)
    np.testing.assert_allclose(scores, near.decision_function(X), atol=1e-7 * offset)
    np.testing.assert_allclose(far.coef_, near.coef_, atol=1e-7 * offset)
    np.testing.assert_array_equal(far.support_, near.support_)
    # The fitted attributes alone say as much.
    np.testing.assert_allclose(
        (X + offset) @ far.coef_[0] + far.intercept_[0], scores, atol=1e-7 * offset
    )


def test_kernels_far_from_zero_that_rounding_spoils_are_not_converged():
    X, y = make_far_data(1e6)
    with pytest.warns(ConvergenceWarning, match="gap"):
        model = SVC(kernel="poly").fit(X, y)
    assert not model.converged_
    assert model.fit_status_ == 1
    assert model.dual_gap_ > 1.0


@pytest.mark.parametrize("kernel", ["linear", "rbf", "poly"])
def test_optimality_on_imbalanced_data(kernel):
    for seed in range(353, 393, 4):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(20, 120))
        X = rng.standard_normal((n, 2))
        y = (rng.random(n) < 0.12).astype(int)
        y[:2] = 0, 1
        model = SVC(kernel=kernel).fit(X, y)
        assert model.converged_
        signs, alpha = np.where(y == 1, 1.0, -1.0), np.zeros(n)
        alpha[model.support_] = np.abs(model.dual_coef_[0])
        scores = model.decision_function(X) - signs
        up = np.where(signs > 0, alpha < 1.0, alpha > 0)
        low = np.where(signs > 0, alpha > 0, alpha < 1.0)
        assert scores[low].max() - scores[up].min() <= 1.001e-3


def test_dual_coefficients_sum_to_zero():
    rng = np.random.default_rng(0)
    X = rng.poisson(3, (120, 4)).astype(float)
    y = (X[:, 0] + rng.standard_normal(120) > 3).astype(int)
    for kernel in ("linear", "poly", "rbf"):
        model = SVC(kernel=kernel, coef0=1.0).fit(X, y)
        assert abs(model.dual_coef_.sum()) <= 1e-13 * np.abs(model.dual_coef_).sum()


@pytest.mark.parametrize("model", [SVC(probability=True), LinearSVC(probability=True, tol=1e-10)])
def test_probabilities_do_not_depend_on_order_units_and_offsets(model):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((90, 4))
    X[:, 1] = np.round(2 * X[:, 1])
    y = (X[:, 0] + X[:, 1] + rng.standard_normal(90) > 0).astype(int) + 2 * (X[:, 2] > 1)
    y = np.minimum(y, 2)
    expected = clone(model).fit(X, y).predict_proba(X)
    columns, rows = rng.permutation(4), rng.permutation(90)
    np.testing.assert_allclose(
        clone(model).fit(X[:, columns], y).predict_proba(X[:, columns]), expected, atol=1e-4
    )
    np.testing.assert_allclose(
        clone(model).fit(X[rows], y[rows]).predict_proba(X), expected, atol=1e-4
    )
    np.testing.assert_allclose(
        clone(model).fit(X + 100.0, y).predict_proba(X + 100.0), expected, atol=1e-4
    )
    if isinstance(model, SVC):
        # gamma="scale" makes up for a common unit.
        units = 1e3
        np.testing.assert_allclose(
            clone(model).fit(units * X, y).predict_proba(units * X), expected, atol=1e-4
        )


def test_a_fit_that_fails_leaves_the_model_as_it_was():
    X, y = make_far_data()
    model = SVC(probability=True).fit(X, y)
    before = {name: value for name, value in vars(model).items() if name.endswith("_")}
    model.kernel = lambda A, B: np.full((len(A), len(B)), np.nan)
    with pytest.raises(ValueError, match="NaN"):
        model.fit(X, y)
    after = {name: value for name, value in vars(model).items() if name.endswith("_")}
    assert before.keys() == after.keys()
    assert all(before[name] is after[name] for name in before)
    with pytest.raises(ValueError, match="NaN"):
        fresh = SVC(kernel=model.kernel)
        fresh.fit(X, y)
    assert not [name for name in vars(fresh) if name.endswith("_") and not name.startswith("_")]


def test_rounding_of_many_steps_does_not_unbalance_the_dual_variables():
    # Millions of steps, whose rounding errors add up beside variables of 1e7: the best
    # coefficient is 0, and the best intercept is 1.
    X = np.random.default_rng(1).standard_normal((6, 1))
    y, C = [0, 1, 0, 1, 0, 1], np.array([2e7, 4e7, 2e7, 2e7, 2e7, 2e7])
    model = SVC(kernel="linear", tol=1e-6).fit(X, y, sample_weight=C)
    losses = np.maximum(0, 1 - np.where(y, 1, -1) * model.decision_function(X))
    objective = C @ losses + 0.5 * float(model.coef_[0] @ model.coef_[0])
    best = 2 * C[::2].sum()
    assert objective - best <= max(model.dual_gap_, 1e-8) * best


def test_gap_counts_the_rounding_of_coefficients_that_cancel():
    # Equal rows of both classes: coefficients of 4e11 leave a function next to nothing.
    X = np.array([[2.197, 2.074], [1.438, 1.839], [-0.774, 0.427]])[[0, 1, 2, 1, 2, 1]]
    y, C = [0, 1, 0, 0, 0, 1], np.array([2e11, 2e11, 1e11, 4e11, 2e11, 2e11])
    model = SVC(kernel="linear", tol=1e-6).fit(X, y, sample_weight=C)
    losses = np.maximum(0, 1 - np.where(y, 1, -1) * model.decision_function(X))
    best = 2 * C[[1, 5]].sum()
    assert (C @ losses - best) / best <= model.dual_gap_ + 1e-12
