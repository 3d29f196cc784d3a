"""Splitting a component in two, and merging two into one."""

import numpy as np
import pytest

from skextra._core.mixture.e_step import compute_moments
from skextra._core.mixture.parameters import CollapseError
from skextra._core.mixture.split_merge import choose_splits, merge, split
from tests._core.mixture.em_reference import COVARIANCE_TYPES, make_mixture

every_type = pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)


@every_type
def test_a_split_keeps_the_mean_and_the_variance_along_its_axis(covariance_type):
    before = make_mixture(covariance_type, 3, 3).to_parameters()
    after = split(before, 1, np.ones(3))
    assert after.weights.sum() == pytest.approx(1.0)
    assert after.weights[[1, 3]].sum() == pytest.approx(before.weights[1])
    np.testing.assert_allclose(after.means[[1, 3]].mean(axis=0), before.means[1])
    shift = after.means[3] - after.means[1]
    assert np.abs(shift).max() > 0.1
    center, spread = compute_moments(before)
    new_center, new_spread = compute_moments(after)
    np.testing.assert_allclose(new_center, center)
    if covariance_type in ("full", "diag"):
        np.testing.assert_allclose(new_spread, spread)
    elif covariance_type == "spherical":
        assert new_spread.sum() == pytest.approx(spread.sum())
    else:
        assert (after.covariances == before.covariances).all()


@every_type
def test_the_cheapest_merge_by_trying_all(covariance_type):
    """Runnalls's bound, pair by pair, on full matrices."""
    mixture = make_mixture(covariance_type, 4, 2, seed=1)
    merged = merge(mixture.to_parameters())
    costs = {}
    for i in range(4):
        for j in range(i + 1, 4):
            weights = mixture.weights[[i, j]]
            shares = weights / weights.sum()
            mean = shares @ mixture.means[[i, j]]
            offsets = mixture.means[[i, j]] - mean
            within = np.tensordot(shares, mixture.covariances[[i, j]], 1)
            between = (offsets.T * shares) @ offsets
            if covariance_type == "diag":
                between *= np.eye(2)
            elif covariance_type == "spherical":
                between = np.trace(between) / 2 * np.eye(2)
            log_volumes = np.linalg.slogdet(mixture.covariances[[i, j]])[1]
            cost = weights.sum() * np.linalg.slogdet(within + between)[1] - weights @ log_volumes
            costs[cost] = weights.sum(), mean
    weight, mean = costs[min(costs)]
    found = np.flatnonzero(np.isclose(merged.weights, weight))
    assert len(merged.weights) == 3
    assert any(np.allclose(merged.means[k], mean) for k in found)
    if covariance_type == "full":
        for before, after in zip(
            compute_moments(mixture.to_parameters()), compute_moments(merged), strict=True
        ):
            np.testing.assert_allclose(after, before)


def test_one_component_cannot_be_merged():
    with pytest.raises(CollapseError):
        merge(make_mixture("full", 1, 2).to_parameters())


@every_type
def test_heavy_wide_components_are_split_first(covariance_type):
    parameters = make_mixture(covariance_type, 3, 2).to_parameters()
    parameters.weights[:] = 0.1, 0.8, 0.1
    parameters.cholesky[:] = parameters.cholesky[0]
    assert choose_splits(parameters, 2)[0] == 1
    assert len(choose_splits(parameters, 2)) == 2
