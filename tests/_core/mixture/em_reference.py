"""EM for Gaussian mixtures in plain numpy and scipy, row by row where values are missing.

Slow and written from the formulas alone: what the core is held against.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from skextra._core.mixture.features import KINDS
from skextra._core.mixture.parameters import Parameters

COVARIANCE_TYPES = tuple(KINDS)


@dataclass
class Mixture:
    """Weights, means and full covariance matrices, whatever the type."""

    covariance_type: str
    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray

    def to_parameters(self):
        """As the core has it."""
        kind, matrices = KINDS[self.covariance_type], self.covariances
        if self.covariance_type == "full":
            covariances = matrices
        elif self.covariance_type == "tied":
            covariances = matrices[:1]
        elif self.covariance_type == "diag":
            covariances = np.einsum("kii->ki", matrices)[:, None]
        else:
            covariances = matrices[:, :1, :1]
        covariances = np.ascontiguousarray(covariances)
        if self.covariance_type in ("full", "tied"):
            inverse = np.linalg.inv(np.linalg.cholesky(covariances))
            cholesky = np.ascontiguousarray(inverse.swapaxes(1, 2))
        else:
            cholesky = 1 / np.sqrt(covariances)
        return Parameters(kind, self.weights.copy(), self.means.copy(), covariances, cholesky)


def to_mixture(covariance_type, parameters):
    """The core's parameters with full matrices."""
    n_components, d = parameters.means.shape
    covariances = parameters.covariances
    if covariance_type == "tied":
        matrices = np.repeat(covariances, n_components, axis=0)
    elif covariance_type == "full":
        matrices = covariances
    else:
        matrices = np.array([np.eye(d) * row[0] for row in covariances])
    return Mixture(covariance_type, parameters.weights, parameters.means, matrices)


def make_mixture(covariance_type, n_components, d, seed=0, spread=3.0):
    rng = np.random.default_rng(seed)
    roots = rng.standard_normal((n_components, d, d)) * 0.4 + np.eye(d)
    matrices = roots @ roots.swapaxes(1, 2) + 0.1 * np.eye(d)
    if covariance_type == "tied":
        matrices[:] = matrices[0]
    elif covariance_type == "diag":
        matrices *= np.eye(d)
    elif covariance_type == "spherical":
        matrices = matrices[:, :1, :1] * np.eye(d)
    weights = rng.dirichlet(np.full(n_components, 5.0))
    return Mixture(
        covariance_type, weights, spread * rng.standard_normal((n_components, d)), matrices
    )


def make_data(n, d, seed=0, n_groups=3):
    """Overlapping groups of different shapes, correlated, off the origin."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(n_groups, size=n)
    roots = rng.standard_normal((n_groups, d, d)) * 0.5 + np.eye(d)
    means = 2.0 * rng.standard_normal((n_groups, d)) + 5.0
    noise = rng.standard_normal((n, d))
    return means[labels] + np.einsum("nij,nj->ni", roots[labels], noise)


def compute_log_densities(mixture, X, penalties=0.0):
    """Of each component at each row, on the columns with values."""
    out = np.empty((len(X), len(mixture.weights)))
    for i, row in enumerate(X):
        seen = np.flatnonzero(~np.isnan(row))
        for k in range(out.shape[1]):
            covariance = mixture.covariances[k][np.ix_(seen, seen)]
            out[i, k] = np.log(mixture.weights[k])
            if len(seen):
                out[i, k] += multivariate_normal.logpdf(
                    row[seen], mixture.means[k][seen], covariance
                )
    return out - penalties


def compute_objective(mixture, X, weights=None, floor=0.0):
    """Mean penalized log-likelihood."""
    traces = np.array([np.trace(np.linalg.inv(matrix)) for matrix in mixture.covariances])
    values = logsumexp(compute_log_densities(mixture, X, 0.5 * floor * traces), axis=1)
    return np.average(values, weights=weights)


def step(mixture, X, weights=None, floor=0.0, penalized=False):
    """One EM step; the objective at its start, and the mixture at its end."""
    weights = np.ones(len(X)) if weights is None else weights
    d = X.shape[1]
    traces = np.array([np.trace(np.linalg.inv(matrix)) for matrix in mixture.covariances])
    logs = compute_log_densities(mixture, X, 0.5 * floor * traces if penalized else 0.0)
    totals = logsumexp(logs, axis=1)
    shares = np.exp(logs - totals[:, None]) * weights[:, None]
    counts = shares.sum(axis=0)
    means, scatters = np.empty_like(mixture.means), np.empty_like(mixture.covariances)
    for k in range(len(counts)):
        rows, noise = complete(mixture.means[k], mixture.covariances[k], X)
        means[k] = shares[:, k] @ rows / counts[k]
        differences = rows - means[k]
        scatters[k] = (differences.T * shares[:, k]) @ differences
        scatters[k] += np.tensordot(shares[:, k], noise, 1)
    if mixture.covariance_type == "tied":
        covariances = np.repeat(scatters.sum(axis=0)[None] / counts.sum(), len(counts), axis=0)
    else:
        covariances = scatters / counts[:, None, None]
    if mixture.covariance_type == "diag":
        covariances = covariances * np.eye(d)
    elif mixture.covariance_type == "spherical":
        covariances = np.einsum("kii->k", covariances)[:, None, None] / d * np.eye(d)
    covariances = covariances + floor * np.eye(d)
    following = Mixture(mixture.covariance_type, counts / counts.sum(), means, covariances)
    return np.average(totals, weights=weights), following


def complete(mean, covariance, X):
    """Conditional means of the rows, and conditional covariances of what is missing."""
    rows, noise = X.copy(), np.zeros((len(X), len(mean), len(mean)))
    for i, row in enumerate(X):
        absent = np.isnan(row)
        if not absent.any():
            continue
        a, o = np.flatnonzero(absent), np.flatnonzero(~absent)
        regression = covariance[np.ix_(a, o)] @ np.linalg.inv(covariance[np.ix_(o, o)])
        rows[i, a] = mean[a] + regression @ (row[o] - mean[o])
        noise[i][np.ix_(a, a)] = covariance[np.ix_(a, a)] - regression @ covariance[np.ix_(o, a)]
    return rows, noise
