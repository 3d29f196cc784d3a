"""Two uses of samples: ours drawn by `skextra.sampling`, theirs as NumPy's users write it.

The classifier around the draws is the same on both sides.
"""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted, validate_data

_WRONG = 0.3  # share of labels that are replaced by another class
_ROUNDS = 5
_SHARE = 0.5  # of the rows that are kept


class _FromSamples(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        X = validate_data(self, X)
        self.classes_, codes = np.unique(y, return_inverse=True)
        self.model_ = self._fit(X, codes)
        return self

    def predict(self, X):
        check_is_fitted(self)
        return self.classes_[self.model_.predict(validate_data(self, X, reset=False))]


class _NoisyLabels(_FromSamples):
    """Stochastic EM: draw the true labels, given the wrong ones and the last fit; fit; repeat."""

    def _fit(self, X, codes):
        k, rng = len(self.classes_), np.random.default_rng(0)
        wrong = rng.random(len(codes)) < _WRONG
        seen = np.where(wrong, (codes + rng.integers(1, k, len(codes))) % k, codes)
        likelihood = np.where(seen[:, None] == np.arange(k), 1 - _WRONG, _WRONG / (k - 1))
        model, beliefs = LogisticRegression(C=0.1), np.full((len(X), k), 1 / k)
        for seed in range(_ROUNDS):
            labels = self._draw(likelihood * beliefs, seed)
            labels[:k] = np.arange(k)  # every class is there
            beliefs = model.fit(X, labels).predict_proba(X)
        return model


class NoisyLabels(_NoisyLabels):
    """With `gumbel_max`."""

    def _draw(self, weights, seed):
        from skextra.sampling import gumbel_max

        return gumbel_max(weights, input="weights", random_state=seed)


class NumpyNoisyLabels(_NoisyLabels):
    """With cumulated weights and uniform numbers."""

    def _draw(self, weights, seed):
        cumulated = weights.cumsum(axis=1)
        goals = np.random.default_rng(seed).random(len(weights)) * cumulated[:, -1]
        return (cumulated < goals[:, None]).sum(axis=1)


class _WeightedSubsample(_FromSamples):
    """A fit to half of the rows, those of rare classes more likely."""

    def _fit(self, X, codes):
        weights = 1.0 / np.bincount(codes)[codes]
        n_samples = max(len(self.classes_), int(_SHARE * len(X)))
        rows = self._draw(weights, n_samples)
        rows = np.r_[rows, [int(np.argmax(codes == c)) for c in range(len(self.classes_))]]
        return LogisticRegression().fit(X[rows], codes[rows])


class WeightedSubsample(_WeightedSubsample):
    """With `weighted_subsample`."""

    def _draw(self, weights, n_samples):
        from skextra.sampling import weighted_subsample

        return weighted_subsample(sample_weight=weights, n_samples=n_samples, random_state=0)


class NumpyWeightedSubsample(_WeightedSubsample):
    """With ``Generator.choice``."""

    def _draw(self, weights, n_samples):
        generator = np.random.default_rng(0)
        return generator.choice(len(weights), n_samples, replace=False, p=weights / weights.sum())
