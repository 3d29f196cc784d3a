"""What NumPy's users write: the samplers' counterparts, as scikit-learn has none.

Noise is drawn anew for each call, by `numpy.random.Generator`.
"""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data


class _NumpySampler(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        validate_data(self, X)
        self.generator_ = np.random.default_rng(0)
        return self

    def _perturb(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        return X + self.generator_.gumbel(size=X.shape)


class GumbelMax(_NumpySampler):
    """One-hot argmax of logits plus noise."""

    def transform(self, X):
        """One-hot rows."""
        keys = self._perturb(X)
        drawn = np.zeros_like(keys)
        drawn[np.arange(len(keys)), keys.argmax(axis=1)] = 1.0
        return drawn


class GumbelSoftmax(_NumpySampler):
    """Softmax of logits plus noise."""

    def transform(self, X):
        """Rows that sum to one."""
        keys = self._perturb(X)
        keys = np.exp(keys - keys.max(axis=1, keepdims=True))
        return keys / keys.sum(axis=1, keepdims=True)


class GumbelTopK(_NumpySampler):
    """k-hot rows of the largest logits plus noise."""

    def __init__(self, k=1):
        self.k = k

    def transform(self, X):
        """k-hot rows."""
        keys = self._perturb(X)
        columns = np.argpartition(-keys, self.k - 1, axis=1)[:, : self.k]
        drawn = np.zeros_like(keys)
        np.put_along_axis(drawn, columns, 1.0, axis=1)
        return drawn
