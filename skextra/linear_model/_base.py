"""What linear regressors do after the fit."""

from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from skextra._base import BaseEstimator


class LinearRegressor(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Prediction from ``coef_`` and ``intercept_``."""

    def predict(self, X):
        """Predict targets with the linear model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        y_pred : ndarray of shape (n_samples,) or (n_samples, n_targets)
            Predicted values.
        """
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse=["csr", "csc", "coo"], reset=False)
        return X @ self.coef_.T + self.intercept_
