"""What to do with components whose covariance has degenerated."""

import numpy as np

from skextra._core.mixture.e_step import evaluate
from skextra._core.mixture.features import SPHERICAL
from skextra._core.mixture.parameters import maximize
from skextra._core.mixture.statistics import SufficientStatistics


def repair(data, statistics, trial, error, settings, pool):
    """Parameters without the components that collapsed, or with new ones in their place.

    Parameters
    ----------
    data : Data
    statistics : SufficientStatistics
        That have no maximum.
    trial : Parameters
        They were taken at.
    error : CollapseError
    settings : Settings
    pool : Pool

    Raises
    ------
    CollapseError
        If all components collapsed, or share the covariance that did.
    """
    kept = np.setdiff1d(np.arange(len(statistics.counts)), error.components)
    if len(kept) == 0:
        raise error
    if settings.on_collapse == "drop":
        return maximize(_take(statistics, kept), settings.floor)
    return maximize(_reseed(data, statistics, trial, error.components, pool), settings.floor)


def _take(statistics, kept):
    return SufficientStatistics(
        statistics.kind,
        statistics.counts[kept],
        statistics.means[kept],
        statistics.scatters[kept],
        statistics.log_likelihood,
        statistics.weight,
    )


def _reseed(data, statistics, trial, components, pool):
    """Put each component where the mixture describes the data worst, as wide as all data."""
    log_likelihoods, _, _ = evaluate(data.X, trial, pool)
    worst = np.argsort(log_likelihoods, kind="stable")[: len(components)]
    counts, means = statistics.counts.copy(), statistics.means.copy()
    scatters = statistics.scatters.copy()
    shares = statistics.weight / len(counts)
    covariance = data.covariance
    for component, row in zip(components, worst, strict=False):
        counts[component] = shares
        values = data.X[row].astype(np.float64)
        means[component] = np.where(np.isnan(values), data.center, values)
        if data.kind == SPHERICAL:
            scatters[component] = shares * covariance.sum()
        else:
            scatters[component] = shares * covariance
    return SufficientStatistics(
        data.kind, counts, means, scatters, statistics.log_likelihood, statistics.weight
    )
