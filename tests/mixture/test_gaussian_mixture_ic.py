"""GaussianMixtureIC: what it compares, and what it chooses."""

import numpy as np
import pytest
from sklearn.datasets import load_iris

from skextra.mixture import GaussianMixture, GaussianMixtureIC
from tests._core.mixture.em_reference import make_data


@pytest.fixture(scope="module")
def iris():
    return load_iris().data


@pytest.mark.parametrize("criterion", ["bic", "aic", "icl"])
def test_values_are_those_of_the_mixtures(iris, criterion):
    search = GaussianMixtureIC(max_components=3, criterion=criterion, random_state=0).fit(iris)
    assert search.criterion_values_.shape == (4, 3)
    best = search.best_estimator_
    assert isinstance(best, GaussianMixture)
    assert getattr(best, criterion)(iris) == pytest.approx(search.best_criterion_)
    assert search.best_criterion_ == search.criterion_values_.min()
    np.testing.assert_array_equal(search.predict(iris), best.predict(iris))
    np.testing.assert_array_equal(search.means_, best.means_)


@pytest.mark.parametrize("criterion", ["bic", "held_out"])
def test_the_truth_is_found(criterion):
    truth = GaussianMixture.from_parameters(
        [0.4, 0.3, 0.3], [[0, 0], [6, 0], [0, 8]], [1.0, 0.5, 2.0],
        covariance_type="spherical", random_state=0,
    )  # fmt: skip
    X, _ = truth.sample(600)
    search = GaussianMixtureIC(max_components=5, criterion=criterion, random_state=0).fit(X)
    if criterion == "bic":
        assert (search.n_components_, search.covariance_type_) == (3, "spherical")
    assert search.n_components_ >= 3
    assert search.score(X) == pytest.approx(truth.score(X), abs=0.05)


def test_likelihoods_rise_with_components(iris):
    """Splitting starts from the mixture with one less, which it can only better."""
    search = GaussianMixtureIC(max_components=5, covariance_type="diag", random_state=0).fit(iris)
    assert (np.diff(search.log_likelihoods_[0]) > 0).all()


def test_log_likelihoods_are_those_of_the_mixtures(iris):
    """Not the penalized ones that the fits climb."""
    search = GaussianMixtureIC(max_components=2, reg_covar=0.1, random_state=0).fit(iris)
    i = search.covariance_types_.index(search.covariance_type_)
    likelihood = search.log_likelihoods_[i, search.n_components_ - 1]
    assert likelihood == pytest.approx(search.score(iris), rel=1e-12)
    assert likelihood > search.lower_bound_


def test_jobs_and_weights_and_missing_values():
    X = make_data(90, 2)
    X[::7, 1] = np.nan
    weights = np.tile([1.0, 2.0, 0.0], 30)
    fits = [
        GaussianMixtureIC(max_components=3, random_state=0, n_jobs=n).fit(X, sample_weight=weights)
        for n in (1, 2)
    ]
    np.testing.assert_array_equal(fits[0].criterion_values_, fits[1].criterion_values_)
    assert fits[0].best_criterion_ == pytest.approx(
        fits[0].best_estimator_.bic(X, sample_weight=weights)
    )


def test_bad_choices_are_refused():
    X = make_data(30, 2)
    with pytest.raises(ValueError, match="min_components must not exceed"):
        GaussianMixtureIC(4, 2).fit(X)
    for types in ([], ["round"], ["full", "full"]):
        with pytest.raises(ValueError, match="covariance_type must be"):
            GaussianMixtureIC(covariance_type=types).fit(X)
    with pytest.raises(ValueError, match="folds need as many samples"):
        GaussianMixtureIC(max_components=1, criterion="held_out", cv=40).fit(X)


def test_more_components_than_samples_are_left_out():
    search = GaussianMixtureIC(max_components=9, covariance_type="diag").fit(make_data(4, 1))
    assert search.component_counts_.tolist() == [1, 2, 3, 4]
