"""The public classes: equivalences between ways to say one thing, wrong input, certificates."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression as SklearnLogisticRegression
from sklearn.metrics.pairwise import pairwise_kernels, rbf_kernel
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.preprocessing import scale

from skextra.kernel_logistic import KernelLogisticRegression, KernelLogisticRegressionCV
from skextra.linear_model import LogisticRegression


def load(n_classes):
    X, y = (load_breast_cancer if n_classes == 2 else load_iris)(return_X_y=True)
    rows = np.random.default_rng(0).permutation(len(y))[:140]
    return scale(X[rows]), y[rows]


@pytest.fixture(params=[2, 3], ids=["binary", "multinomial"])
def data(request):
    return load(request.param)


@pytest.mark.parametrize("C", [0.1, 10.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_linear_kernel_is_logistic_regression(data, C, fit_intercept):
    X, y = data
    options = {"C": C, "fit_intercept": fit_intercept}
    kernel = KernelLogisticRegression(kernel="linear", tol=1e-12, **options).fit(X, y)
    linear = LogisticRegression(tol=1e-12, **options).fit(X, y)
    theirs = SklearnLogisticRegression(tol=1e-10, max_iter=10_000, **options).fit(X, y)
    expected = linear.predict_proba(X)
    np.testing.assert_allclose(kernel.predict_proba(X), expected, atol=1e-5)
    np.testing.assert_allclose(theirs.predict_proba(X), expected, atol=1e-4)
    np.testing.assert_allclose(kernel.dual_coef_ @ X, linear.coef_, atol=1e-4)
    np.testing.assert_allclose(kernel.intercept_, linear.intercept_, atol=1e-4)


@pytest.mark.parametrize("kernel", ["linear", "poly", "rbf", "sigmoid", "laplacian"])
def test_precomputed_and_callable_kernels_are_the_named_one(data, kernel):
    X, y = data
    params = {"gamma": 0.1, "coef0": 0.5, "degree": 2}
    used = {"linear": (), "poly": params, "sigmoid": ("gamma", "coef0")}.get(kernel, ("gamma",))
    values = {name: params[name] for name in used}
    named = KernelLogisticRegression(kernel=kernel, tol=1e-10, **params).fit(X, y)
    K = pairwise_kernels(X, metric=kernel, **values)
    given = KernelLogisticRegression(kernel="precomputed", tol=1e-10).fit(K, y)
    called = KernelLogisticRegression(
        kernel=pairwise_kernels, kernel_params={"metric": kernel, **values}, tol=1e-10
    ).fit(X, y)
    expected = named.predict_proba(X)
    np.testing.assert_allclose(given.predict_proba(K), expected, atol=2e-5)
    np.testing.assert_allclose(called.predict_proba(X), expected, atol=2e-5)
    assert given.X_fit_ is None


@pytest.mark.parametrize("approximation", [None, "nystroem"])
@pytest.mark.parametrize("kernel", ["linear", "rbf", "laplacian"])
def test_sparse_data_give_the_model_of_dense_data(data, kernel, approximation):
    X, y = data
    X = np.where(np.abs(X) < 0.5, 0.0, X)
    options = {"kernel": kernel, "approximation": approximation, "n_components": 30,
               "tol": 1e-10, "random_state": 0}  # fmt: skip
    dense = KernelLogisticRegression(**options).fit(X, y)
    for form in (sparse.csr_array, sparse.csc_matrix):
        model = KernelLogisticRegression(**options).fit(form(X), y)
        assert sparse.issparse(model.X_fit_)
        np.testing.assert_allclose(model.predict_proba(form(X)), dense.predict_proba(X), atol=2e-5)


def test_dual_coefficients_are_what_the_probabilities_lack(data):
    X, y = data
    model = KernelLogisticRegression(C=3.0, tol=1e-13).fit(X, y)
    targets = y[:, None] == model.classes_
    residual = 3.0 * (targets - model.predict_proba(X))
    expected = residual[:, 1:] if len(model.classes_) == 2 else residual
    np.testing.assert_allclose(model.dual_coef_.T, expected, atol=1e-4)
    # Dual feasibility: within the box, and orthogonal to the intercept.
    np.testing.assert_allclose(model.dual_coef_.sum(axis=1), 0.0, atol=1e-6)
    assert np.abs(model.dual_coef_).max() <= 3.0 + 1e-6


def test_reduced_model_predicts_from_its_components():
    X, y = load(3)
    model = KernelLogisticRegression(approximation="nystroem", n_components=20, random_state=0)
    model.fit(X, y)
    assert model.approximation_ == "nystroem" and model.dual_coef_.shape == (3, 20)
    np.testing.assert_array_equal(model.X_fit_, X[model.components_indices_])
    scores = rbf_kernel(X, model.X_fit_, gamma=1 / (4 * X.var())) @ model.dual_coef_.T
    np.testing.assert_allclose(model.decision_function(X), scores + model.intercept_)
    given = KernelLogisticRegression(
        kernel="precomputed", approximation="nystroem", n_components=20, random_state=0
    )
    K = rbf_kernel(X, gamma=1 / (4 * X.var()))
    np.testing.assert_allclose(given.fit(K, y).predict_proba(K), model.predict_proba(X),
                               atol=1e-3)  # fmt: skip


def test_auto_goes_by_samples_and_memory(monkeypatch):
    X, y = load(2)
    assert KernelLogisticRegression().fit(X, y).approximation_ is None
    monkeypatch.setattr("skextra._core.kernel_logistic.solver_choice._MANY_SAMPLES", 100)
    assert KernelLogisticRegression().fit(X, y).approximation_ == "nystroem"
    monkeypatch.undo()
    monkeypatch.setattr("skextra._core.kernel_logistic.fit.measure_free_memory", lambda: 1e4)
    assert KernelLogisticRegression().fit(X, y).approximation_ == "nystroem"
    exact = KernelLogisticRegression(approximation=None).fit(X, y)
    assert exact.approximation_ is None and exact.converged_


def test_class_of_weight_zero_keeps_its_place():
    X, y = load(3)
    weights = np.where(y == 1, 0.0, 1.0)
    model = KernelLogisticRegression().fit(X, y, sample_weight=weights)
    rest = y != 1
    alone = KernelLogisticRegression(C=2.0, gamma=model._gamma).fit(X[rest], y[rest])
    probabilities = model.predict_proba(X)
    assert probabilities[:, 1].max() < 1e-15
    np.testing.assert_allclose(probabilities[:, [0, 2]], alone.predict_proba(X), atol=1e-4)


def test_warm_start_begins_at_the_last_solution():
    X, y = load(3)
    for approximation in (None, "nystroem"):
        model = KernelLogisticRegression(
            warm_start=True, approximation=approximation, random_state=0
        ).fit(X, y)
        first = model.n_iter_[0]
        assert model.fit(X, y).n_iter_[0] < first
        assert model.converged_
    with pytest.raises(ValueError, match="warm_start=True needs as many classes and samples"):
        model.fit(X[:-1], y[:-1])


def test_warns_on_early_stop():
    X, y = load(3)
    with pytest.warns(ConvergenceWarning, match="max_iter was reached"):
        model = KernelLogisticRegression(C=1e3, max_iter=1, tol=1e-9).fit(X, y)
    assert not model.converged_ and model.dual_gap_ > 1e-9


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"C": 0}, ValueError, "'C' parameter"),
        ({"C": np.inf}, ValueError, "'C' parameter"),
        ({"kernel": "cosine"}, ValueError, "'kernel' parameter"),
        ({"gamma": -1.0}, ValueError, "'gamma' parameter"),
        ({"approximation": "random"}, ValueError, "'approximation' parameter"),
        ({"kernel": "precomputed"}, ValueError, "must be a square matrix"),
        (
            {"kernel_params": {"a": 1}},
            ValueError,
            "kernel_params is only supported when kernel is a callable",
        ),
        ({"kernel": lambda A, B: np.ones(3)}, ValueError, "must return real numbers of shape"),
    ],
)
def test_wrong_parameters_are_named(parameters, error, message):
    X, y = load(2)
    with pytest.raises(error, match=message):
        KernelLogisticRegression(**parameters).fit(X, y)


def test_search_finds_the_best_pair_and_fits_it(data):
    X, y = data
    Cs, gammas = [10.0, 0.1, 1.0], [0.02, 0.3]
    search = KernelLogisticRegressionCV(Cs, gammas).fit(X, y)
    assert search.scores_.shape == (1, 2, 3)
    best = np.unravel_index(search.mean_scores_.argmax(), (2, 3))
    assert (search.gamma_, search.C_) == (gammas[best[0]], Cs[best[1]])
    plain = KernelLogisticRegression(C=search.C_, gamma=search.gamma_).fit(X, y)
    np.testing.assert_allclose(search.predict_proba(X), plain.predict_proba(X), atol=1e-3)


def test_folds_are_scored_as_by_cross_val_score(data):
    X, y = data
    cv = StratifiedKFold(3, shuffle=True, random_state=0)
    search = KernelLogisticRegressionCV([0.1, 10.0], [0.1], cv=cv, tol=1e-9).fit(X, y)
    for i, C in enumerate([0.1, 10.0]):
        model = KernelLogisticRegression(C=C, gamma=0.1, tol=1e-9)
        expected = cross_val_score(model, X, y, cv=cv, scoring="neg_log_loss")
        np.testing.assert_allclose(search.scores_[:, 0, i], expected, atol=2e-3)


def test_leaving_single_samples_out_agrees_with_many_folds():
    X, y = load(2)
    X, y = X[:60], y[:60]
    by_one = KernelLogisticRegressionCV([0.1, 1.0], [0.03]).fit(X, y)
    folds = [(np.delete(np.arange(60), i), np.array([i])) for i in range(60)]
    by_fold = KernelLogisticRegressionCV([0.1, 1.0], [0.03], cv=folds).fit(X, y)
    np.testing.assert_allclose(by_one.mean_scores_, by_fold.mean_scores_, rtol=0.03)


def test_search_does_not_depend_on_threads_and_takes_every_kernel():
    X, y = load(3)
    for options in ({"cv": 3}, {}):
        one, two = (KernelLogisticRegressionCV(3, 2, n_jobs=n, **options).fit(X, y) for n in (1, 2))
        np.testing.assert_array_equal(one.scores_, two.scores_)
    K = rbf_kernel(X, gamma=0.1)
    given = KernelLogisticRegressionCV([0.1, 1.0], kernel="precomputed").fit(K, y)
    named = KernelLogisticRegressionCV([0.1, 1.0], [0.1]).fit(X, y)
    np.testing.assert_allclose(given.mean_scores_, named.mean_scores_, rtol=1e-4)
    assert KernelLogisticRegressionCV(2, kernel="linear").fit(X, y).gammas_.shape == (1,)


def test_fold_that_lacks_a_class_is_scored():
    X, y = load(3)
    order = np.argsort(y, kind="stable")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folds = [(order[y[order] != k], order[y[order] == k]) for k in range(3)]
        model = KernelLogisticRegressionCV([1.0], [0.1], cv=folds).fit(X, y)
    np.testing.assert_allclose(model.scores_, np.log(np.finfo(float).eps))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"Cs": []}, "Cs must be a whole number or"),
        ({"Cs": [1.0, -1.0]}, r"Cs\[1\]"),
        ({"gammas": [[1.0]]}, "gammas must be a whole number or"),
        ({"gammas": [np.inf]}, "gammas must be finite"),
    ],
)
def test_wrong_candidates_are_named(parameters, message):
    X, y = load(2)
    with pytest.raises(ValueError, match=message):
        KernelLogisticRegressionCV(**parameters).fit(X, y)


@pytest.mark.parametrize("approximation", [None, "nystroem"])
def test_callbacks_can_predict_with_the_model_in_progress(approximation):
    callback = pytest.importorskip("sklearn.callback")
    X, y = load(3)
    monitor = callback.ScoringMonitor(scoring="neg_log_loss")
    model = KernelLogisticRegression(C=10.0, approximation=approximation, random_state=0)
    model.set_callbacks(monitor).fit(X, y)
    scores = [row["neg_log_loss"] for row in monitor.get_logs().data]
    assert len(scores) > model.n_iter_[0]
    own = np.log(np.take_along_axis(model.predict_proba(X), y[:, None], axis=1)).mean()
    np.testing.assert_allclose(max(scores), own, rtol=1e-3)
    assert min(scores) < max(scores) - 0.05


@pytest.mark.parametrize("cv", [None, 3])
def test_search_reports_each_of_its_parts(cv):
    callback = pytest.importorskip("sklearn.callback")
    X, y = load(2)
    model = KernelLogisticRegressionCV([0.1, 1.0], [0.1, 0.3], cv=cv)
    plain = KernelLogisticRegressionCV([0.1, 1.0], [0.1, 0.3], cv=cv).fit(X, y)
    model.set_callbacks(callback.ScoringMonitor(scoring="neg_log_loss")).fit(X, y)
    np.testing.assert_array_equal(model.scores_, plain.scores_)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_semidefinite_kernels_of_raw_data_are_fitted(fit_intercept):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(90)
    y = (x + 0.5 * rng.standard_normal(90) > 0).astype(int)
    seconds = 1.7e9 + rng.integers(0, 3 * 10**7, 90)
    points = np.c_[x, rng.standard_normal((90, 2))] + 1000
    for options, X in (
        ({"kernel": "linear"}, np.c_[seconds, x]),
        ({"kernel": "linear"}, np.c_[1e9 * rng.standard_normal(90), x]),
        ({"kernel": "poly", "gamma": 0.5}, points),
        ({"kernel": "laplacian"}, np.c_[seconds, x]),
    ):
        model = KernelLogisticRegression(**options, fit_intercept=fit_intercept)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.fit(X, y)
        assert np.isfinite(model.decision_function(X)).all()
        assert model.converged_ or caught
        assert model.converged_ == (model.dual_gap_ <= 1e-6)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_linear_kernel_is_invariant_to_offsets(n_classes):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 3))
    y = np.clip(np.round(X[:, 0] + 0.5 * rng.standard_normal(80)), 0, n_classes - 1)
    near = KernelLogisticRegression(kernel="linear").fit(X, y)
    for offset in (1e3, 1e7):
        far = KernelLogisticRegression(kernel="linear", tol=1e-4).fit(X + offset, y)
        assert far.converged_
        np.testing.assert_allclose(far.predict_proba(X + offset), near.predict_proba(X), atol=1e-2)


def test_gap_bounds_the_suboptimality_of_large_kernel_values():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 3))
    y = (X[:, 0] + rng.standard_normal(50) > 0).astype(int)
    for unit in (1.0, 1e3, 1e6):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = KernelLogisticRegression(kernel="linear", C=1 / unit**2).fit(unit * X, y)
        reference = KernelLogisticRegression(kernel="linear", tol=1e-10).fit(X, y)
        np.testing.assert_allclose(
            model.decision_function(unit * X), reference.decision_function(X), atol=5e-3
        )
        assert model.converged_


@pytest.mark.parametrize("approximation", [None, "nystroem"])
def test_indices_and_coefficients_have_one_length(approximation):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 3))
    y = (X[:, 0] > 0).astype(int)
    weights = (rng.random(60) < 0.7).astype(float)
    K = np.exp(-0.3 * ((X[:, None] - X) ** 2).sum(axis=2))
    options = {"approximation": approximation, "n_components": 20, "random_state": 0}
    given = KernelLogisticRegression(kernel="precomputed", **options).fit(K, y, weights)
    assert given.dual_coef_.shape == (1, len(given.components_indices_))
    assert (weights[given.components_indices_] > 0).all()
    named = KernelLogisticRegression(gamma=0.3, **options).fit(X, y, weights)
    np.testing.assert_allclose(given.predict_proba(K), named.predict_proba(X), atol=1e-4)
    warm = KernelLogisticRegression(kernel="precomputed", warm_start=True, **options)
    warm.fit(K, y, weights).fit(K, y, weights)
    np.testing.assert_allclose(warm.predict_proba(K), given.predict_proba(K), atol=1e-4)
