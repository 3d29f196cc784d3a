"""Adversarial rounds: a forest tells real rows from synthetic ones, which are then drawn anew."""

from dataclasses import dataclass

import numpy as np

from skextra import _core
from skextra.ensemble import RandomForestClassifier
from skextra.tree._data import find_leaves

# In standard deviations; the density is zero long before.
_FARTHEST = 1e15
# In place of the standard deviation of a column whose values are all the same, next to its value.
_CONSTANT = 2.0**-20


@dataclass(frozen=True)
class Scaling:
    """How columns are brought to one scale: numbers are ``(x * 2**-exponents - means) / scales``.

    Trees compare in float32, to which a column far from zero would be constant.
    """

    exponents: np.ndarray
    means: np.ndarray
    scales: np.ndarray

    @property
    def log_volumes(self):
        """Logarithms of the factors by which densities shrink in the units of the data."""
        return np.log(self.scales) + np.log(2.0) * self.exponents

    def apply(self, X):
        """Scaled values as float32; `X` may have missing values."""
        Z = (np.ldexp(X, -self.exponents) - self.means) / self.scales
        return np.ascontiguousarray(np.clip(Z, -_FARTHEST, _FARTHEST), dtype=np.float32)

    def undo(self, Z):
        """Values in the units of the data."""
        return np.ldexp(Z * self.scales + self.means, self.exponents)


def learn_scaling(X, n_categories):
    """Scaling of a matrix with missing values; columns of categories are left alone."""
    p = X.shape[1]
    scaling = Scaling(np.zeros(p, dtype=np.int64), np.zeros(p), np.ones(p))
    for j in np.flatnonzero(np.asarray(n_categories) == 0):
        known = X[~np.isnan(X[:, j]), j]
        exponent = int(np.frexp(np.abs(known).max())[1])
        known = np.ldexp(known, -exponent)
        scaling.exponents[j], scaling.means[j] = exponent, known.mean()
        scaling.scales[j] = known.std() if known.min() < known.max() else _CONSTANT
    return scaling


def grow_discriminator(X, synthetic, parameters, seed):
    """Forest that tells real rows from synthetic ones, and its out-of-bag accuracy.

    Parameters
    ----------
    X, synthetic : ndarray of float32 of shape (n_samples, n_columns)
    parameters : dict
        Of `RandomForestClassifier`.
    seed : int

    Returns
    -------
    trees : Trees
    accuracy : float
    """
    forest = RandomForestClassifier(random_state=seed, **parameters)
    rows, is_real = np.concatenate([X, synthetic]), np.repeat([1, 0], [len(X), len(synthetic)])
    trees = forest.fit(rows, is_real)._get_trees()
    leaves = find_leaves(trees, rows, n_jobs=forest.n_jobs) + trees.leaf_offsets[:-1]
    margins, n_votes = np.zeros((2, len(rows)))
    samplings = zip(forest._get_samplings(len(rows)), forest._seeds, strict=True)
    for index, (sampling, tree_seed) in enumerate(samplings):
        is_out = sampling.find_left_out(tree_seed)
        margins[is_out] += trees.leaf_values[leaves[is_out, index], 1] - 0.5
        n_votes += is_out
    is_seen = n_votes > 0
    # Few rows may all be in every sample: then nothing speaks for another round.
    accuracy = np.mean((margins > 0)[is_seen] == is_real[is_seen]) if is_seen.any() else 0.5
    return trees, float(accuracy)


def draw_from_marginals(X, random):
    """Rows whose columns are permuted apart: equal marginals, no dependence."""
    return np.ascontiguousarray(np.stack([random.permutation(column) for column in X.T], axis=1))


def fill_from_marginals(X, random):
    """Missing values replaced by values of other rows."""
    filled = X.copy()
    for column in filled.T:
        is_missing = np.isnan(column)
        column[is_missing] = random.choice(column[~is_missing], is_missing.sum())
    return filled


def draw_rows(leaves, n_rows, random, map_blocks, evidence=None, log_weights=None):
    """Rows of the density, given evidence.

    Parameters
    ----------
    leaves : Leaves
    n_rows : int
    random : Generator
    map_blocks : callable
    evidence : Evidence or None
    log_weights : ndarray of shape (n_leaves,) or None
        Of the leaves given the evidence.

    Returns
    -------
    rows : ndarray of float64 of shape (n_rows, n_columns)
    """
    if evidence is None:
        evidence, log_weights = _core.generative.evidence.make_evidence(leaves), leaves.log_shares
    cumulated = np.cumsum(np.exp(log_weights - log_weights.max()))
    goals = random.uniform(size=n_rows) * cumulated[-1]
    chosen = np.minimum(np.searchsorted(cumulated, goals, side="right"), len(cumulated) - 1)
    uniforms = random.uniform(size=(n_rows, leaves.n_columns))
    return _core.generative.draws.draw_from_leaves(
        leaves, chosen, evidence.low, evidence.high, evidence.allowed, uniforms, map_blocks
    )
