"""Mixtures on data as they come: any units, single precision, weights, gaps, repeated rows."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as SklearnMixture
from sklearn.utils.estimator_checks import check_sample_weight_equivalence_on_dense_data

from skextra.mixture import GaussianMixture, GaussianMixtureIC
from tests._core.mixture.em_reference import COVARIANCE_TYPES, make_data

every_type = pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
SINGLE_ROWS = ("k-means++", "random_from_data")


@pytest.fixture(scope="module")
def blobs():
    return make_blobs(500, centers=3, random_state=0)[0]


@every_type
@pytest.mark.parametrize("init_params", SINGLE_ROWS)
@pytest.mark.parametrize("reg_covar", [0.0, 1e-300])
def test_start_from_single_rows_without_floor(blobs, covariance_type, init_params, reg_covar):
    """As good as scikit-learn, which has rounding errors for a floor, where it fits."""
    options = {"covariance_type": covariance_type, "init_params": init_params, "tol": 1e-7}
    options |= {"reg_covar": reg_covar, "max_iter": 1000}
    ours = [GaussianMixture(3, random_state=seed, **options).fit(blobs) for seed in range(5)]
    scores = [mixture.score(blobs) for mixture in ours]
    assert np.isfinite(scores).all()
    if covariance_type in ("diag", "spherical"):
        theirs = [SklearnMixture(3, random_state=i, **options).fit(blobs) for i in range(5)]
        best = max(mixture.score(blobs) for mixture in theirs)
        assert max(scores) == pytest.approx(best, abs=1e-4)


@every_type
@pytest.mark.parametrize("init_params", ["kmeans", *SINGLE_ROWS])
@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_units_do_not_matter_without_floor(blobs, covariance_type, init_params, scale):
    scale = 2.0 ** round(np.log2(scale))  # exact, so that all draws are the same
    options = {"covariance_type": covariance_type, "init_params": init_params, "reg_covar": 0}
    if covariance_type == "tied" and init_params != "kmeans":
        blobs = blobs - blobs.mean(axis=0)  # this start, scikit-learn's, is about the origin
    first = GaussianMixture(3, random_state=0, **options).fit(blobs)
    second = GaussianMixture(3, random_state=0, **options).fit(blobs * scale)
    np.testing.assert_allclose(second.means_, first.means_ * scale, rtol=1e-9)
    np.testing.assert_allclose(
        second.predict_proba(blobs * scale), first.predict_proba(blobs), atol=1e-9
    )


@every_type
@pytest.mark.parametrize("init_params", ["kmeans", *SINGLE_ROWS])
@pytest.mark.parametrize("offset", [1e4, 2.0**24])
def test_origin_does_not_matter(blobs, covariance_type, init_params, offset):
    blobs = np.round(blobs * 2**16) / 2**16  # so that adding the offset is exact
    options = {"covariance_type": covariance_type, "tol": 1e-9, "max_iter": 1000}
    first = GaussianMixture(3, random_state=0, init_params=init_params, **options).fit(blobs)
    second = GaussianMixture(3, random_state=0, init_params=init_params, **options)
    second.fit(blobs + offset)
    if covariance_type == "tied" and init_params != "kmeans":
        # Another start: scikit-learn's is about the origin. As good an end is what remains.
        assert second.score(blobs + offset) == pytest.approx(first.score(blobs), abs=1e-3)
        return
    np.testing.assert_allclose(second.means_ - offset, first.means_, rtol=0, atol=1e-5)
    assert second.score(blobs + offset) == pytest.approx(first.score(blobs), abs=1e-8)


def make_rounded_cases():
    points = np.repeat([[0.0, 0], [1, 1], [5, 5]], [50, 30, 20], axis=0)
    line = np.random.default_rng(3).standard_normal((100, 5))
    line[:, -1] = 2 * line[:, 0]
    mixed = line[:, :3] * [1e-8, 1.0, 1e8]
    return {
        "five components on three points": (5, points, {}),
        "a column twice another": (1, line, {"covariance_type": "tied", "reg_covar": 1e-9}),
        "columns in other units": (2, mixed, {"reg_covar": 1e-20}),
    }


@pytest.mark.parametrize("name", make_rounded_cases())
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_what_was_fitted_in_float32_can_be_sampled(name):
    n_components, X, options = make_rounded_cases()[name]
    mixture = GaussianMixture(n_components, random_state=0, **options).fit(X.astype(np.float32))
    samples, labels = mixture.sample(2000)
    assert np.isfinite(samples).all()
    # Samples are as likely as those of the mixture are: they come from its densities.
    in_float64 = GaussianMixture(n_components, random_state=0, **options).fit(X)
    expected = in_float64.score(in_float64.sample(2000)[0])
    assert mixture.score(samples) == pytest.approx(expected, abs=0.5)


@every_type
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_sample_after_setting_parameters_by_hand(covariance_type, dtype):
    """As scikit-learn: from ``weights_``, ``means_`` and ``covariances_`` as they stand."""
    X = make_data(100, 2).astype(dtype)
    fitted = GaussianMixture(2, covariance_type=covariance_type, random_state=0).fit(X)
    bare = GaussianMixture(2, covariance_type=covariance_type, random_state=0)
    for name in ("weights_", "means_", "covariances_"):
        setattr(bare, name, getattr(fitted, name))
    np.testing.assert_allclose(bare.sample(50)[0], fitted.sample(50)[0], atol=1e-5)
    np.testing.assert_allclose(bare.score_samples(X), fitted.score_samples(X), atol=1e-4)
    narrow = fitted.covariances_ * dtype(1e-6)
    fitted.covariances_, fitted.means_ = narrow, fitted.means_ + dtype(10)
    samples, labels = fitted.sample(1000)
    assert np.abs(samples - fitted.means_[labels]).max() < 0.05


def test_sample_from_a_singular_covariance_set_by_hand():
    mixture = GaussianMixture(1, random_state=0)
    mixture.weights_, mixture.means_ = np.ones(1), np.zeros((1, 2))
    mixture.covariances_ = np.array([[[1.0, 1e6], [1e6, 1e12]]])
    samples, _ = mixture.sample(100)
    np.testing.assert_allclose(samples[:, 1], 1e6 * samples[:, 0], rtol=1e-6)
    assert samples[:, 0].std() == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_missing_values_under_narrow_covariances(dtype):
    """Marginals come from the precisions: rounded covariances need not have any."""
    X = np.random.default_rng(0).standard_normal((200, 4))
    X[:, 3] = X[:, :3].sum(axis=1) + 1e-5 * X[:, 3]
    mixture = GaussianMixture(1, reg_covar=0).fit(X.astype(dtype))
    gaps = X.astype(dtype)
    gaps[:, 0] = np.nan
    marginal = GaussianMixture(1, reg_covar=0).fit(X[:, 1:]).score_samples(X[:, 1:])
    np.testing.assert_allclose(mixture.score_samples(gaps), marginal, atol=1e-2)
    assert np.isfinite(mixture.marginal([0, 3]).score(X[:, [0, 3]]))
    assert mixture.condition([0, 1, 2], X[0, :3]).means_[0, 0] == pytest.approx(
        X[0, :3].sum(), abs=1e-2
    )


@pytest.mark.parametrize("cls", [GaussianMixture, GaussianMixtureIC])
def test_feature_without_any_value(cls):
    X = make_data(60, 3)
    X[:, 1] = np.nan
    with pytest.raises(ValueError, match="must have a value in every feature.*feature 1"):
        cls(1).fit(X)
    weights = np.ones(60)
    X[:10, 1] = 1.0
    weights[:10] = 0.0
    with pytest.raises(ValueError, match="must have a value in every feature.*feature 1"):
        cls(1).fit(X, sample_weight=weights)


@pytest.mark.parametrize("scale", [1e-310, 1e-100, 1e100, 1e307])
def test_scale_of_weights_leaves_the_mean_score(scale):
    X = make_data(50, 2)
    weights = np.linspace(0.5, 1.5, 50)
    plain = GaussianMixture(2, random_state=0).fit(X, sample_weight=weights)
    scaled = GaussianMixture(2, random_state=0).fit(X, sample_weight=weights * scale)
    np.testing.assert_allclose(scaled.means_, plain.means_, rtol=1e-9)
    expected = plain.score(X, sample_weight=weights)
    assert plain.score(X, sample_weight=weights * scale) == pytest.approx(expected)


def test_criteria_of_weights_whose_sum_overflows():
    X = make_data(50, 2)
    mixture = GaussianMixture(2, random_state=0).fit(X)
    for criterion in (mixture.bic, mixture.aic, mixture.icl):
        assert np.isfinite(criterion(X, sample_weight=1e250))
        with pytest.raises(ValueError, match="sample_weight must have a sum"):
            criterion(X, sample_weight=np.full(50, 1e308))
    with pytest.raises(ValueError, match="sample_weight must have a sum"):
        GaussianMixtureIC(max_components=2).fit(X, sample_weight=np.full(50, 1e308))


def test_scores_beyond_float32_are_refused():
    mixture = GaussianMixture(1).fit(make_data(50, 2).astype(np.float32))
    with pytest.raises(ValueError, match="too large for its covariances"):
        mixture.score(np.full((2, 2), 1e30, dtype=np.float32))


@pytest.mark.parametrize("criterion", ["bic", "aic", "icl", "held_out"])
def test_search_at_defaults_counts_weights_as_repeated_rows(criterion):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        check_sample_weight_equivalence_on_dense_data(
            "GaussianMixtureIC", GaussianMixtureIC(criterion=criterion)
        )


def test_search_does_not_depend_on_the_order_of_rows():
    X = make_data(80, 2)
    X[::9, 0] = np.nan
    order = np.random.default_rng(0).permutation(80)
    first = GaussianMixtureIC(max_components=4, random_state=0).fit(X)
    second = GaussianMixtureIC(max_components=4, random_state=0).fit(X[order])
    np.testing.assert_array_equal(first.criterion_values_, second.criterion_values_)
    np.testing.assert_array_equal(first.means_, second.means_)


def test_search_with_fewer_distinct_rows_than_components():
    X = np.repeat(make_data(3, 2), 10, axis=0)
    search = GaussianMixtureIC(max_components=5, random_state=0).fit(X)
    assert search.component_counts_.tolist() == [1, 2, 3]
    with pytest.raises(ValueError, match="min_components=4 is more than the distinct samples"):
        GaussianMixtureIC(4, 5).fit(X)


def test_held_out_samples_are_those_of_the_split():
    """A split may leave samples out of both sides."""
    X = make_data(60, 2)
    X[40:] = 1e3  # neither trained on nor tested
    search = GaussianMixtureIC(
        max_components=1, covariance_type="full", criterion="held_out",
        cv=[(np.arange(20), np.arange(20, 40))],
    ).fit(X)  # fmt: skip
    fitted = GaussianMixture(1).fit(X[:20])
    assert search.best_criterion_ == pytest.approx(-fitted.score(X[20:40]))
