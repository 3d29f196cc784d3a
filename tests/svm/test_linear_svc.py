import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_iris, make_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import log_loss
from sklearn.svm import LinearSVC as SklearnLinearSVC

from skextra.svm import LinearSVC

X_IRIS, Y_IRIS = load_iris(return_X_y=True)
KINDS = [
    {"loss": "hinge"},
    {"loss": "squared_hinge"},
    {"penalty": "l1", "dual": False},
    {"multi_class": "crammer_singer"},
]
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda k: next(iter(k.values())))


def make_data(n_classes=3, n=240, seed=0):
    return make_classification(
        n, 6, n_informative=4, n_redundant=0, n_classes=n_classes, n_clusters_per_class=1,
        flip_y=0.1, random_state=seed,
    )  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: next(iter(k.values())))
@pytest.mark.parametrize("n_classes", [2, 3])
def test_without_an_intercept_agrees_with_sklearn(kind, n_classes):
    X, y = make_data(n_classes)
    options = {**kind, "fit_intercept": False, "C": 0.5}
    ours = LinearSVC(**options, tol=1e-6, max_iter=100_000).fit(X, y)
    theirs = SklearnLinearSVC(**options, tol=1e-8, max_iter=1_000_000, random_state=0).fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=5e-3)
    assert ours.converged_
    assert ours.coef_.shape == theirs.coef_.shape


@every_kind
@pytest.mark.parametrize("n_classes", [2, 3])
def test_large_intercept_scaling_of_sklearn_comes_near(kind, n_classes):
    X, y = make_data(n_classes)
    ours = LinearSVC(**kind, C=0.5, tol=1e-6, max_iter=100_000).fit(X, y)
    theirs = SklearnLinearSVC(
        **kind, C=0.5, tol=1e-5, max_iter=1_000_000, intercept_scaling=30, random_state=0
    ).fit(X, y)
    scores = theirs.decision_function(X)
    np.testing.assert_allclose(ours.decision_function(X), scores, atol=0.05 * np.abs(scores).max())


@every_kind
def test_integer_weights_equal_repeated_rows(kind):
    X, y = make_data()
    repeats = np.random.default_rng(1).integers(0, 4, len(y))
    options = {**kind, "tol": 1e-7, "max_iter": 100_000, "probability": True}
    weighted = LinearSVC(**options).fit(X, y, repeats)
    repeated = LinearSVC(**options).fit(np.repeat(X, repeats, axis=0), np.repeat(y, repeats))
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, atol=2e-3)
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=5e-3)


@every_kind
@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csc_array])
def test_sparse_equals_dense(kind, container):
    X, y = make_data()
    X[np.abs(X) < 0.7] = 0.0
    dense = LinearSVC(**kind, tol=1e-8, max_iter=100_000).fit(X, y)
    model = LinearSVC(**kind, tol=1e-8, max_iter=100_000).fit(container(X), y)
    np.testing.assert_allclose(model.coef_, dense.coef_, atol=1e-3)
    np.testing.assert_allclose(
        model.decision_function(container(X)), dense.decision_function(X), atol=5e-3
    )


@every_kind
@pytest.mark.parametrize("n_classes", [2, 3])
def test_probability(kind, n_classes):
    X, y = make_data(n_classes, 480)
    model = LinearSVC(**kind, probability=True).fit(X[:240], y[:240])
    p = model.predict_proba(X[240:])
    np.testing.assert_allclose(p.sum(axis=1), 1.0)
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X[240:])), p)
    frequencies = np.bincount(y[:240]) / 240
    assert log_loss(y[240:], p) < 0.9 * log_loss(y[240:], np.tile(frequencies, (240, 1)))
    plain = LinearSVC(**kind).fit(X[:240], y[:240])
    np.testing.assert_array_equal(plain.predict(X), model.predict(X))
    assert not hasattr(plain, "predict_proba")
    plain.probability = True
    with pytest.raises(NotFittedError, match="fitted with probability=False"):
        plain.predict_proba(X)


def test_gap_of_crammer_singer_bounds_the_suboptimality():
    X, y = make_data()

    def compute_objective(model):
        scores = X @ model.coef_.T + model.intercept_
        own = scores[np.arange(len(y)), y].copy()
        scores[np.arange(len(y)), y] = -np.inf
        losses = np.maximum(0.0, 1.0 - own + scores.max(axis=1))
        return 0.5 * (model.coef_**2).sum() + losses.sum()

    kind = {"multi_class": "crammer_singer"}
    optimum = compute_objective(LinearSVC(**kind, tol=1e-7, max_iter=100_000).fit(X, y))
    counts = np.bincount(y)
    null = min(len(y), 2 * (len(y) - counts.max()))
    for tol in (1e-1, 1e-2, 1e-3):
        model = LinearSVC(**kind, tol=tol).fit(X, y)
        assert (compute_objective(model) - optimum) / null <= model.dual_gap_ + 1e-6


def test_l1_penalty_makes_zeros():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((150, 300))
    y = (X[:, 0] - X[:, 1] + 0.3 * rng.standard_normal(150) > 0).astype(int)
    model = LinearSVC(penalty="l1", C=0.1, dual=False).fit(X, y)
    assert 2 <= np.count_nonzero(model.coef_) < 40
    assert model.converged_


def test_intercept_is_not_penalized():
    X, y = make_data(2)
    reference = LinearSVC(tol=1e-10).fit(X, y)
    shifted = LinearSVC(tol=1e-10).fit(X + 50.0, y)
    np.testing.assert_allclose(
        shifted.decision_function(X + 50.0), reference.decision_function(X), atol=1e-4
    )
    for scaling in (0.01, 100.0):
        other = LinearSVC(tol=1e-10, intercept_scaling=scaling).fit(X, y)
        np.testing.assert_array_equal(other.coef_, reference.coef_)


def test_stops_early_with_a_warning():
    X, y = make_data()
    with pytest.warns(ConvergenceWarning, match="increase the number of iterations.*gap"):
        model = LinearSVC(loss="hinge", max_iter=1).fit(X, y)
    assert not model.converged_
    assert model.n_iter_ == 1
    assert model.dual_gap_ > 1e-4


@pytest.mark.parametrize(
    "options",
    [
        {"penalty": "l1", "loss": "hinge"},
        {"loss": "hinge", "dual": False},
        {"penalty": "l1", "dual": True},
    ],
)
def test_combinations_that_are_refused(options):
    with pytest.raises(ValueError, match="Unsupported set of arguments.*not supported"):
        LinearSVC(**options).fit(X_IRIS, Y_IRIS)


def test_large_C_converges_where_descent_would_not():
    X, y = make_classification(3000, 20, flip_y=0.3, random_state=0)
    model = LinearSVC(loss="hinge", C=1000.0).fit(X, y)
    assert model.converged_
    assert model.n_iter_ < 40


def test_class_without_weight_wins_nothing():
    weights = np.where(Y_IRIS == 1, 0.0, 1.0)
    model = LinearSVC().fit(X_IRIS, Y_IRIS, weights)
    assert set(model.predict(X_IRIS)) == {0, 2}


L2_KINDS = [{"loss": "hinge"}, {"loss": "squared_hinge"}]
every_l2_kind = pytest.mark.parametrize("kind", L2_KINDS, ids=lambda k: k["loss"])


@every_l2_kind
@pytest.mark.parametrize("C", [1.0, 1e5])
def test_wide_data_with_one_large_column(kind, C):
    rng = np.random.default_rng(0)
    spectrum = 0.01 * rng.standard_normal((80, 200))
    count = rng.normal(2.5e5, 6e4, 80)
    y = (spectrum[:, :5].sum(axis=1) > 0).astype(int)
    X = np.c_[count, spectrum]
    model = LinearSVC(**kind, C=C).fit(X, y)
    alone = LinearSVC(**kind, C=C).fit(spectrum, y)
    assert model.converged_
    # One more feature, which says nothing, makes the objective no larger.
    values = []
    for fitted, data in ((model, X), (alone, spectrum)):
        margins = np.where(y == 1, 1, -1) * fitted.decision_function(data)
        missed = np.maximum(1 - margins, 0)
        loss = missed.sum() if kind["loss"] == "hinge" else (missed**2).sum()
        values.append(0.5 * (fitted.coef_**2).sum() + C * loss)
    assert values[0] <= values[1] + 2e-4 * 80 * C


@every_l2_kind
def test_wide_data_far_from_zero(kind):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 60)) + 1e6 * rng.standard_normal(60)
    y = (X[:, 0] > np.median(X[:, 0])).astype(int)
    for fit_intercept in (True, False):
        model = LinearSVC(**kind, fit_intercept=fit_intercept).fit(X, y)
        assert model.converged_
        assert model.score(X, y) == 1.0
        other = LinearSVC(**kind, fit_intercept=fit_intercept).fit(sparse.csr_array(X), y)
        np.testing.assert_allclose(other.coef_, model.coef_, rtol=1e-10)


@every_kind
def test_offsets_change_the_intercept_alone(kind):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 4))
    y = (X[:, 0] + 0.5 * rng.standard_normal(60) > 0).astype(int)
    reference = LinearSVC(**kind, tol=1e-6, max_iter=5000).fit(X, y)
    for offset in (1e4, 1e7):
        model = LinearSVC(**kind, tol=1e-6, max_iter=5000).fit(X + offset, y)
        assert model.converged_
        np.testing.assert_allclose(model.coef_, reference.coef_, atol=1e-8 * offset)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@every_l2_kind
def test_a_column_of_nanoseconds(kind):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 300))
    y = (3 * a - 2 * b + 3 * rng.logistic(size=300) > 0).astype(int)
    time = 1.7e18 + rng.integers(0, 3 * 10**16, 300).astype(float)
    model = LinearSVC(**kind).fit(np.c_[time, a, b], y)
    seconds = (time - 1.7e18) / 1e16
    reference = LinearSVC(**kind).fit(np.c_[1e3 * seconds, a, b], y)
    np.testing.assert_allclose(model.coef_[0, 1:], reference.coef_[0, 1:], rtol=0.02)


def test_l1_penalty_far_from_zero():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((10, 39)) + 1e5
    y = np.arange(10) % 2
    model = LinearSVC(penalty="l1", max_iter=20_000).fit(X, y)
    assert model.converged_
    assert model.n_iter_ < 100
    reference = LinearSVC(penalty="l1").fit(X - 1e5, y)
    np.testing.assert_allclose(model.coef_, reference.coef_, atol=1e-3)


def test_l1_penalty_that_rounding_leaves_unsolved_stops_early():
    # Without an intercept, all columns are nearly the same one.
    rng = np.random.default_rng(0)
    X = rng.standard_normal((10, 39)) + 1e5
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = LinearSVC(penalty="l1", fit_intercept=False, max_iter=20_000).fit(
            X, np.arange(10) % 2
        )
    assert model.n_iter_ < 500
    assert model.converged_ or caught


def test_mixed_units_and_penalties():
    rng = np.random.default_rng(0)
    Z = rng.standard_normal((80, 5))
    y = (Z[:, 0] - Z[:, 1] + 0.5 * rng.standard_normal(80) > 0).astype(int)
    units = 10.0 ** np.array([-8, 8, 0, 4, -4])
    for kind in KINDS[:3]:
        for X in (Z * units, (Z + 10.0) * units):
            model = LinearSVC(**kind).fit(X, y)
            assert model.converged_, kind
            assert model.dual_gap_ <= 1e-4


def test_no_intercept_with_samples_of_one_class_left():
    weights = np.where(Y_IRIS == 1, 0.0, 1.0)
    model = LinearSVC(fit_intercept=False).fit(X_IRIS, Y_IRIS, weights)
    assert not model.intercept_.any()
