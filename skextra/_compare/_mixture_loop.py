"""How scikit-learn's users choose a Gaussian mixture: a loop over fits, by BIC."""

from sklearn.base import BaseEstimator, DensityMixin
from sklearn.mixture import GaussianMixture

_TYPES = ("full", "tied", "diag", "spherical")


class MixtureLoop(DensityMixin, BaseEstimator):
    """The mixture of lowest BIC among all numbers of components and covariance types."""

    def __init__(self, max_components=9, reg_covar=1e-6, random_state=None):
        self.max_components = max_components
        self.reg_covar = reg_covar
        self.random_state = random_state

    def fit(self, X, y=None):
        """Fit each once, from a k-means start, on all of X."""
        models = [
            GaussianMixture(
                n_components,
                covariance_type=covariance_type,
                reg_covar=self.reg_covar,
                random_state=self.random_state,
            ).fit(X)
            for covariance_type in _TYPES
            for n_components in range(1, self.max_components + 1)
        ]
        self.best_estimator_ = min(models, key=lambda model: model.bic(X))
        return self

    def predict(self, X):
        """Component of each sample."""
        return self.best_estimator_.predict(X)

    def score(self, X, y=None):
        """Mean log-likelihood."""
        return self.best_estimator_.score(X)

    def score_samples(self, X):
        """Log-likelihood of each sample."""
        return self.best_estimator_.score_samples(X)
