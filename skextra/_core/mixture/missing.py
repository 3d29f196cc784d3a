"""Exact EM with values missing at random: marginals, and what they say of the rest.

Rows with values in the same columns share, for each component, one factorization
of the marginal covariance. Their statistics are taken as for complete data of
fewer columns. A missing value then has, given the component, the mean
``mu_m + B (x_o - mu_o)`` and the covariance ``C``, with the regression matrix
``B = S_mo S_oo^-1`` and ``C = S_mm - B S_om``: linear in the row, so that the
statistics of the completed rows follow from those of the columns observed.

References
----------
Ghahramani & Jordan, "Supervised learning from incomplete data via an EM
approach", NIPS 6 (1994).

Delalleau, Courville & Bengio, "Efficient EM training of Gaussian mixtures with
missing data", arXiv:1209.0521 (2012).
"""

import numpy as np

from skextra._core.mixture.covariances import invert_covariances
from skextra._core.mixture.features import DIAG, FULL, SPHERICAL
from skextra._core.mixture.parameters import CollapseError
from skextra._core.mixture.statistics import SufficientStatistics, create_scatters


def take_marginal(parameters, columns):
    """Parameters of some of the columns; all of them for None."""
    if columns is None:
        return parameters
    kind, covariances = parameters.kind, parameters.covariances
    cholesky = parameters.cholesky
    if parameters.is_matrix:
        covariances = np.ascontiguousarray(covariances[:, columns[:, None], columns])
        cholesky = np.zeros_like(covariances)
        failed = np.zeros(len(covariances), dtype=np.bool_)
        invert_covariances(covariances, True, cholesky, failed)
        if failed.any():
            # Principal blocks of what is positive definite: only rounding can fail.
            raise CollapseError(np.flatnonzero(failed))
    elif kind == DIAG:
        covariances = np.ascontiguousarray(covariances[:, :, columns])
        cholesky = np.ascontiguousarray(cholesky[:, :, columns])
    means = np.ascontiguousarray(parameters.means[:, columns])
    return type(parameters)(kind, parameters.weights, means, covariances, cholesky)


def regress(covariances, cholesky, observed, missing):
    """Regression of missing columns on observed ones, and what it leaves unexplained.

    Parameters
    ----------
    covariances : ndarray of shape (n, n_features, n_features)
    cholesky : ndarray of shape (n, n_observed, n_observed)
        Of the precisions of the observed columns.
    observed, missing : ndarray of int

    Returns
    -------
    coefficients : ndarray of shape (n, n_missing, n_observed)
    residuals : ndarray of shape (n, n_missing, n_missing)
        Conditional covariances.
    """
    cross = covariances[:, missing[:, None], observed]
    half = cross @ cholesky
    residuals = covariances[:, missing[:, None], missing] - half @ half.swapaxes(1, 2)
    return half @ cholesky.swapaxes(1, 2), residuals


def expand(statistics, marginal, parameters, columns):
    """Statistics of completed rows from those of their observed columns.

    Parameters
    ----------
    statistics : SufficientStatistics
        Of the columns observed.
    marginal, parameters : Parameters
        Of the columns observed, and of all.
    columns : ndarray of int

    Returns
    -------
    statistics : SufficientStatistics
    """
    kind, (n_components, d) = parameters.kind, parameters.means.shape
    missing = np.setdiff1d(np.arange(d), columns)
    counts = statistics.counts
    means = parameters.means.copy()
    means[:, columns] = statistics.means
    scatters = create_scatters(kind, n_components, d)
    if kind == SPHERICAL:
        gained = counts[:, None, None] * parameters.covariances * len(missing)
        scatters[:] = statistics.scatters + gained
    elif kind == DIAG:
        scatters[:, :, columns] = statistics.scatters
        scatters[:, 0, missing] = counts[:, None] * parameters.covariances[:, 0, missing]
    else:
        coefficients, residuals = regress(
            parameters.covariances, marginal.cholesky, columns, missing
        )
        shifts = statistics.means - marginal.means
        means[:, missing] += (coefficients @ shifts[:, :, None])[:, :, 0]
        design = np.zeros((len(coefficients), d, len(columns)))
        design[:, columns, np.arange(len(columns))] = 1.0
        design[:, missing] = coefficients
        scatters[:] = design @ statistics.scatters @ design.swapaxes(1, 2)
        shares = counts if kind == FULL else counts.sum()[None]
        scatters[:, missing[:, None], missing] += shares[:, None, None] * residuals
    means[counts <= 0] = 0.0
    return SufficientStatistics(
        kind, counts, means, scatters, statistics.log_likelihood, statistics.weight
    )
