"""What NumPy's users write: rotary encoding, as scikit-learn has none."""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data


class NumpyRotary(TransformerMixin, BaseEstimator):
    """Rotate neighboring features by angles in proportion to the first column."""

    def __init__(self, base=10000.0, keep_positions=False):
        self.base = base
        self.keep_positions = keep_positions

    def fit(self, X, y=None):
        """Compute the frequencies."""
        n_pairs = (validate_data(self, X).shape[1] - 1) // 2
        self.frequencies_ = self.base ** (-np.arange(n_pairs) / max(n_pairs, 1))
        return self

    def transform(self, X):
        """Rotated rows; of an odd number of features the last one stays."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        angles = X[:, :1] * self.frequencies_
        sines, cosines = np.sin(angles), np.cos(angles)
        end = 1 + 2 * len(self.frequencies_)
        rotated = X.copy()
        rotated[:, 1:end:2] = X[:, 1:end:2] * cosines - X[:, 2:end:2] * sines
        rotated[:, 2:end:2] = X[:, 1:end:2] * sines + X[:, 2:end:2] * cosines
        return rotated if self.keep_positions else rotated[:, 1:]
