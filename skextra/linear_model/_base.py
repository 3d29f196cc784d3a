"""What linear models do after the fit."""

import numpy as np
from scipy import sparse
from sklearn.base import ClassifierMixin, MultiOutputMixin, RegressorMixin
from sklearn.utils.extmath import safe_sparse_dot
from sklearn.utils.validation import check_is_fitted, validate_data

from skextra._base import BaseEstimator
from skextra._compat import align_sparse_interface
from skextra._conversion import SklearnConvertible
from skextra._log_odds import LogOddsMixin


class LinearRegressor(SklearnConvertible, MultiOutputMixin, RegressorMixin, BaseEstimator):
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


class LinearClassifier(SklearnConvertible, LogOddsMixin, ClassifierMixin, BaseEstimator):
    """Classes and probabilities from ``coef_``, ``intercept_`` and ``classes_``."""

    def decision_function(self, X):
        """Compute the linear score of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            With two classes, the log-odds of ``classes_[1]``; otherwise one
            score per class, whose differences are log-odds.

        Raises
        ------
        ValueError
            If a score overflows.
        """
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse=["csr", "csc", "coo"], reset=False)
        with np.errstate(over="ignore", invalid="ignore"):
            scores = safe_sparse_dot(X, self.coef_.T, dense_output=True) + self.intercept_
        if not np.isfinite(scores).all():
            raise ValueError(
                f"the scores of {type(self).__name__} overflow: entries of X are too large "
                "for its coefficients"
            )
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def densify(self):
        """Convert ``coef_`` back to a dense array.

        Returns
        -------
        self : object
            Fitted estimator.
        """
        check_is_fitted(self)
        if sparse.issparse(self.coef_):
            self.coef_ = self.coef_.toarray()
        return self

    def sparsify(self):
        """Convert ``coef_`` to CSR format, which saves memory if most entries are zero.

        Returns
        -------
        self : object
            Fitted estimator.
        """
        check_is_fitted(self)
        self.coef_ = align_sparse_interface(sparse.csr_array(self.coef_))
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
