"""GaussianMixture: scikit-learn's iteration, and what goes beyond it."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest, multivariate_normal
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as SklearnMixture

from skextra.mixture import GaussianMixture
from tests._core.mixture.em_reference import COVARIANCE_TYPES, make_data

ARRAYS = ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_")
every_type = pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)


def fit(mixture, X, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return mixture.fit(X, **options)


def assert_same(first, second, rtol=1e-10):
    for name in ARRAYS:
        expected = getattr(second, name)
        np.testing.assert_allclose(
            getattr(first, name), expected, rtol=0, atol=rtol * np.abs(expected).max(), err_msg=name
        )


@every_type
@pytest.mark.parametrize("init_params", ["kmeans", "random"])
@pytest.mark.parametrize(("n", "max_iter"), [(300, 0), (300, 1), (300, 12), (5000, 4)])
def test_plain_em_matches_sklearn_step_by_step(covariance_type, init_params, n, max_iter):
    X = make_data(n, 4)
    options = {
        "covariance_type": covariance_type,
        "init_params": init_params,
        "max_iter": max_iter,
        "tol": 0.0,
        "random_state": 1,
    }
    theirs = fit(SklearnMixture(3, **options), X)
    ours = fit(GaussianMixture(3, acceleration=None, **options), X)
    assert_same(ours, theirs)
    assert ours.n_iter_ == theirs.n_iter_
    np.testing.assert_allclose(ours.lower_bounds_, theirs.lower_bounds_, rtol=1e-11)
    np.testing.assert_allclose(ours.score_samples(X), theirs.score_samples(X), rtol=1e-9)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-9)
    for name in ("bic", "aic", "score"):
        assert getattr(ours, name)(X) == pytest.approx(getattr(theirs, name)(X), rel=1e-10)


@every_type
@pytest.mark.parametrize("init_params", ["k-means++", "random_from_data"])
def test_starts_of_single_samples_match_sklearn(covariance_type, init_params):
    X = make_data(200, 3)
    options = {"covariance_type": covariance_type, "init_params": init_params, "max_iter": 0}
    theirs = fit(SklearnMixture(3, random_state=2, **options), X)
    ours = fit(GaussianMixture(3, random_state=2, **options), X)
    np.testing.assert_allclose(ours.means_, theirs.means_, rtol=1e-12)
    np.testing.assert_allclose(ours.weights_, theirs.weights_, rtol=1e-12)
    # scikit-learn has 1e-6 as a difference of squares there, and its rounding.
    np.testing.assert_allclose(ours.covariances_, theirs.covariances_, rtol=1e-6, atol=1e-12)
    # With a larger `reg_covar` that rounding does not count.
    options |= {"max_iter": 8, "reg_covar": 0.5, "tol": 0.0, "random_state": 2}
    ours = fit(GaussianMixture(3, acceleration=None, **options), X)
    assert_same(ours, fit(SklearnMixture(3, **options), X))


@every_type
def test_given_parameters_are_where_it_starts(covariance_type):
    X = make_data(200, 3)
    fitted = fit(SklearnMixture(3, covariance_type=covariance_type, random_state=0), X)
    options = {
        "covariance_type": covariance_type,
        "weights_init": fitted.weights_,
        "means_init": fitted.means_,
        "precisions_init": fitted.precisions_,
    }
    start = fit(GaussianMixture(3, max_iter=0, **options), X)
    assert_same(start, fitted)
    theirs = fit(SklearnMixture(3, max_iter=3, tol=0, **options), X)
    assert_same(fit(GaussianMixture(3, max_iter=3, tol=0, **options), X), theirs, rtol=1e-4)
    plain = fit(GaussianMixture(3, max_iter=3, tol=0, acceleration=None, **options), X)
    assert_same(plain, theirs)


def test_warm_start_goes_on():
    X = make_data(300, 2)
    once = fit(GaussianMixture(3, max_iter=4, random_state=0, tol=0), X)
    twice = GaussianMixture(3, max_iter=2, random_state=0, tol=0, warm_start=True)
    fit(fit(twice, X), X)
    assert_same(twice, once, rtol=1e-12)
    with pytest.raises(ValueError, match="warm_start=True needs as many components"):
        twice.set_params(n_components=4).fit(X)


def test_best_of_several_starts_for_every_number_of_threads():
    X = make_data(300, 2, n_groups=5)
    options = {"n_components": 5, "random_state": 3, "init_params": "random_from_data"}
    fits = [fit(GaussianMixture(n_init=4, n_jobs=n, **options), X) for n in (1, 2, 4)]
    single = fit(GaussianMixture(**options), X)
    assert fits[0].lower_bound_ >= single.lower_bound_
    for other in fits[1:]:
        assert other.lower_bounds_ == fits[0].lower_bounds_
        np.testing.assert_array_equal(other.covariances_, fits[0].covariances_)


@every_type
@pytest.mark.parametrize("missing", [False, True])
def test_weights_count_samples(covariance_type, missing):
    X = make_data(120, 3)
    if missing:
        X[np.random.default_rng(0).uniform(size=X.shape) < 0.15] = np.nan
    weights = np.tile([0, 1, 2, 3], 30)
    start = fit(
        SklearnMixture(2, covariance_type=covariance_type, random_state=0), make_data(120, 3)
    )
    options = {
        "covariance_type": covariance_type,
        "weights_init": start.weights_,
        "means_init": start.means_,
        "precisions_init": start.precisions_,
        "tol": 1e-6,
    }
    weighted = fit(GaussianMixture(2, **options), X, sample_weight=weights)
    repeated = fit(GaussianMixture(2, **options), np.repeat(X, weights, axis=0))
    assert_same(weighted, repeated, rtol=1e-8)
    assert weighted.bic(X, sample_weight=weights) == pytest.approx(
        repeated.bic(np.repeat(X, weights, axis=0))
    )
    assert weighted.icl(X) >= weighted.bic(X)


@every_type
def test_missing_values_of_one_component_are_recovered(covariance_type):
    """Against the closed form: a monotone pattern, where regression is exact."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 2)) @ np.array([[1.0, 0.8], [0.0, 0.6]]) + [3.0, -2.0]
    X[250:, 1] = np.nan
    mixture = GaussianMixture(
        covariance_type=covariance_type, reg_covar=0, tol=1e-13, max_iter=1000
    )
    mixture = fit(mixture, X)
    if covariance_type in ("full", "tied"):
        x, y = X[:250].T
        slope = np.cov(x, y, bias=True)[0, 1] / x.var()
        mean = y.mean() + slope * (X[:, 0].mean() - x.mean())
        variance = (y - y.mean() - slope * (x - x.mean())).var() + slope**2 * X[:, 0].var()
        covariance = np.reshape(mixture.covariances_, (2, 2))
        np.testing.assert_allclose(covariance[1, 1], variance, rtol=1e-5)
    else:
        mean = np.nanmean(X[:, 1])
    np.testing.assert_allclose(mixture.means_[0], [X[:, 0].mean(), mean], rtol=1e-5)


@every_type
def test_plain_em_is_equivariant_at_every_step(covariance_type):
    """Under the maps that keep the covariance type."""
    X = make_data(250, 3, seed=2)
    general = np.array([[2.0, 0.3, 0.0], [-1.0, 0.5, 4.0], [0.0, 100.0, 1.0]])
    turn = np.linalg.qr(general)[0]
    A = {"diag": np.diag([3.0, 0.01, 50.0]), "spherical": 20.0 * turn}.get(covariance_type, general)
    b = np.array([10.0, -300.0, 0.1])
    options = {
        "covariance_type": covariance_type, "reg_covar": 0, "tol": 0, "max_iter": 15,
        "acceleration": None, "weights_init": [0.2, 0.3, 0.5],
    }  # fmt: skip
    start = {
        "full": (np.tile(np.eye(3), (3, 1, 1)), np.tile(np.linalg.inv(A @ A.T), (3, 1, 1))),
        "tied": (np.eye(3), np.linalg.inv(A @ A.T)),
        "diag": (np.ones((3, 3)), np.tile(1 / np.diagonal(A) ** 2, (3, 1))),
        "spherical": (np.ones(3), np.full(3, 1 / 400)),
    }[covariance_type]
    start = [(precision + np.swapaxes(precision, -1, -2)) / 2 if precision.ndim == 3
             else precision for precision in start]  # fmt: skip
    first = fit(GaussianMixture(3, means_init=X[:3], precisions_init=start[0], **options), X)
    moved = X @ A.T + b
    second = fit(
        GaussianMixture(3, means_init=moved[:3], precisions_init=start[1], **options), moved
    )
    expected = first.means_ @ A.T + b
    scale = moved.std(axis=0)
    np.testing.assert_allclose(second.means_ / scale, expected / scale, rtol=0, atol=1e-7)
    np.testing.assert_allclose(second.weights_, first.weights_, rtol=1e-7)
    np.testing.assert_allclose(second.predict_proba(moved), first.predict_proba(X), atol=1e-7)
    shift = np.log(abs(np.linalg.det(A)))
    np.testing.assert_allclose(second.lower_bounds_, np.array(first.lower_bounds_) - shift,
                               rtol=1e-9)  # fmt: skip


def test_affine_equivariance():
    X = make_data(250, 3, seed=2)
    A = np.array([[2.0, 0.3, 0.0], [-1.0, 0.5, 4.0], [0.0, 100.0, 1.0]])
    start = fit(SklearnMixture(3, random_state=0), X)
    options = {"reg_covar": 0, "tol": 1e-11, "max_iter": 2000, "weights_init": start.weights_}
    first = fit(
        GaussianMixture(3, means_init=start.means_, precisions_init=start.precisions_, **options),
        X,
    )
    precisions = np.linalg.inv(A @ start.covariances_ @ A.T)
    precisions = (precisions + precisions.swapaxes(1, 2)) / 2
    second = fit(
        GaussianMixture(3, means_init=start.means_ @ A.T, precisions_init=precisions, **options),
        X @ A.T,
    )
    np.testing.assert_allclose(second.means_, first.means_ @ A.T, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(second.predict_proba(X @ A.T), first.predict_proba(X), atol=1e-3)
    shift = np.log(abs(np.linalg.det(A)))
    assert second.score(X @ A.T) == pytest.approx(first.score(X) - shift, rel=1e-9)


@pytest.fixture(scope="module")
def mixture():
    return fit(GaussianMixture(3, random_state=0), make_data(300, 4))


def compute_density(mixture, x):
    return sum(
        w * multivariate_normal.pdf(x, m, c)
        for w, m, c in zip(mixture.weights_, mixture.means_, mixture.covariances_, strict=True)
    )


def test_conditional_is_joint_over_marginal(mixture):
    rng = np.random.default_rng(0)
    given, others = [2, 0], [1, 3]
    values = np.array([5.5, 4.0])
    conditional, marginal = mixture.condition(given, values), mixture.marginal(given)
    for rest in 5 + rng.standard_normal((5, 2)):
        x = np.empty(4)
        x[given], x[others] = values, rest
        expected = np.log(compute_density(mixture, x) / compute_density(marginal, values))
        assert conditional.score_samples([rest])[0] == pytest.approx(expected, rel=1e-9)
    np.testing.assert_allclose(
        marginal.score_samples([values]),
        mixture.score_samples([[values[1], np.nan, values[0], np.nan]]),
    )


@pytest.mark.parametrize("covariance_type", ["tied", "diag", "spherical"])
def test_conditionals_of_the_other_types(covariance_type):
    X = make_data(200, 3)
    mixture = fit(GaussianMixture(2, covariance_type=covariance_type, random_state=0), X)
    conditional = mixture.condition([1], X[0, 1:2])
    joint = mixture.score_samples(X[:1])[0]
    marginal = mixture.marginal([1]).score_samples(X[:1, 1:2])[0]
    assert conditional.covariance_type == covariance_type
    assert conditional.score_samples(X[:1, [0, 2]])[0] == pytest.approx(joint - marginal)


def test_features_by_name_and_errors(mixture):
    frame = pd.DataFrame(make_data(100, 3), columns=["a", "b", "c"])
    named = fit(GaussianMixture(2, random_state=0), frame)
    assert named.marginal(["c", "a"]).feature_names_in_.tolist() == ["c", "a"]
    assert named.condition("b", [5.0]).feature_names_in_.tolist() == ["a", "c"]
    for features, message in (
        (["d"], "no feature 'd'"), ([7], "positions below 3"), ([], "at least one"),
        ([0, 0], "each once"), ([1.5], "positions below"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            named.marginal(features)
    with pytest.raises(ValueError, match="values must have shape"):
        mixture.condition([0], [1.0, 2.0])
    with pytest.raises(ValueError, match="values must be finite"):
        mixture.condition([0], [np.nan])
    with pytest.raises(ValueError, match="leave at least one"):
        mixture.condition([0, 1, 2, 3], np.zeros(4))


@every_type
def test_from_parameters(covariance_type):
    X = make_data(100, 2)
    fitted = fit(GaussianMixture(2, covariance_type=covariance_type, random_state=0), X)
    again = GaussianMixture.from_parameters(
        fitted.weights_, fitted.means_, fitted.covariances_, covariance_type=covariance_type
    )
    np.testing.assert_allclose(again.predict_proba(X), fitted.predict_proba(X), atol=1e-12)
    with pytest.raises(ValueError, match="normalized"):
        GaussianMixture.from_parameters([0.5, 0.4], fitted.means_, fitted.covariances_,
                                        covariance_type=covariance_type)  # fmt: skip
    with pytest.raises(ValueError, match="positive"):
        GaussianMixture.from_parameters(fitted.weights_, fitted.means_, -fitted.covariances_,
                                        covariance_type=covariance_type)  # fmt: skip


@every_type
def test_samples_have_the_moments_of_the_components(covariance_type):
    fitted = fit(
        GaussianMixture(2, covariance_type=covariance_type, random_state=0), make_data(200, 2)
    )
    X, labels = fitted.sample(40_000)
    assert (np.diff(labels) >= 0).all()
    for k in range(2):
        rows = X[labels == k]
        covariance = fitted.covariances_ if covariance_type == "tied" else fitted.covariances_[k]
        if covariance_type in ("diag", "spherical"):
            covariance = np.eye(2) * covariance
        scale = np.sqrt(np.diagonal(covariance))
        np.testing.assert_allclose(rows.mean(axis=0), fitted.means_[k], atol=0.06 * scale.max())
        np.testing.assert_allclose(
            np.cov(rows.T), covariance, atol=0.06 * covariance.max(), rtol=0.06
        )
    np.testing.assert_array_equal(fitted.sample(5)[0], fitted.sample(5)[0])


def test_posteriors_are_calibrated():
    truth = GaussianMixture.from_parameters(
        [0.3, 0.7], [[0.0, 0.0], [2.0, 1.0]], [np.eye(2), [[1.0, 0.5], [0.5, 2.0]]], random_state=0
    )
    X, labels = truth.sample(20_000)
    fitted = fit(GaussianMixture(2, random_state=0, means_init=truth.means_, tol=1e-6), X)
    shares = fitted.predict_proba(X)[:, 1]
    for low in np.arange(0, 1, 0.2):
        chosen = (shares >= low) & (shares < low + 0.2)
        assert labels[chosen].mean() == pytest.approx(shares[chosen].mean(), abs=0.03)
    marginal = fitted.marginal([0])
    cdf = sum(
        w * multivariate_normal.cdf(np.sort(X[:, :1], axis=0), m, c)
        for w, m, c in zip(marginal.weights_, marginal.means_, marginal.covariances_, strict=True)
    )
    assert kstest(cdf, "uniform").pvalue > 0.01


def make_degenerate():
    X = make_data(60, 2)
    X[:20] = X[0]
    return X


def test_collapse_raises_or_drops():
    X = make_degenerate()
    options = {"reg_covar": 0, "random_state": 0, "means_init": [X[0], [5, 5], [6, 6]]}
    with pytest.raises(ValueError, match="ill-defined empirical covariance"):
        GaussianMixture(3, **options).fit(X)
    mixture = GaussianMixture(3, on_collapse="drop", max_iter=30, **options)
    with pytest.warns(RuntimeWarning, match="collapsed"):
        fit(mixture, X)
    assert len(mixture.weights_) in (1, 2)
    assert np.isfinite(mixture.score(X))


def test_collapsed_component_is_reseeded_where_it_is_needed():
    """Twins attract a component until it collapses; a far group lacks one."""
    rng = np.random.default_rng(0)
    near, far = rng.standard_normal((60, 2)), rng.standard_normal((20, 2)) + [40.0, 0.0]
    twins = np.full((2, 2), [0.5, 9.0])
    X = np.vstack([near, far, twins])
    start = {
        "means_init": [near.mean(axis=0), twins[0]], "weights_init": [0.95, 0.05],
        "precisions_init": [np.eye(2) / 500, 1e6 * np.eye(2)],
    }  # fmt: skip
    with pytest.raises(ValueError, match="ill-defined"):
        GaussianMixture(2, reg_covar=0, **start).fit(X)
    mixture = GaussianMixture(2, reg_covar=0, on_collapse="reseed", tol=1e-6, **start)
    with pytest.warns(RuntimeWarning, match="collapsed"):
        fit(mixture, X)
    # The twins, too far from the others, go with the far group.
    np.testing.assert_allclose(mixture.means_[1], X[60:].mean(axis=0), atol=0.01)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("n, d, n_clusters", [(200, 3, 3), (150, 4, 8), (40, 1, 4), (60, 2, 30)])
def test_kmeans_start_is_that_of_sklearns_kmeans(seed, n, d, n_clusters):
    X = make_data(n, d, seed=seed)
    random_state = np.random.RandomState(seed)
    labels = KMeans(n_clusters, n_init=1, random_state=random_state).fit(X).labels_
    ours = np.random.RandomState(seed)
    start = fit(GaussianMixture(n_clusters, max_iter=0, random_state=ours), X)
    expected = np.array([X[labels == k].mean(axis=0) for k in range(n_clusters)])
    np.testing.assert_allclose(start.means_, expected, rtol=1e-11, atol=1e-11)
    assert ours.uniform() == random_state.uniform(), "as many numbers were drawn"


def test_verbose_prints_sklearns_lines(capsys):
    X = make_data(100, 2)
    fit(GaussianMixture(2, verbose=1, verbose_interval=1, random_state=0, n_init=2), X)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Initialization 0"
    assert "  Iteration 1" in lines
    assert "Initialization converged." in lines
    assert "Initialization 1" in lines
    fit(GaussianMixture(2, verbose=2, verbose_interval=1, random_state=0), X)
    assert "ll change" in capsys.readouterr().out


def test_callbacks_see_iterations_and_starts():
    callback = pytest.importorskip("sklearn.callback")
    assert callback is not None
    seen = []

    class Recorder:
        def setup(self, estimator, context): ...
        def teardown(self, estimator, context): ...
        def on_fit_task_begin(self, estimator, context, **given): ...
        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None, **given):
            seen.append(context.task_name)

    X = make_data(100, 2)
    model = GaussianMixture(2, random_state=0)
    fit(model.set_callbacks(Recorder()), X)
    assert seen.count("iteration") == model.n_iter_ + 1
    seen.clear()
    fit(GaussianMixture(2, random_state=0, n_init=3).set_callbacks(Recorder()), X)
    assert seen.count("start") == 3


def test_too_few_samples_that_count():
    X = make_data(20, 2)
    weights = np.zeros(20)
    weights[:2] = 1
    with pytest.raises(ValueError, match="n_samples >= n_components"):
        GaussianMixture(3).fit(X, sample_weight=weights)
    X[:] = np.nan
    with pytest.raises(ValueError, match="n_samples >= n_components"):
        GaussianMixture(1).fit(X)
