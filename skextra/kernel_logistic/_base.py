"""What kernel logistic models do after the fit, and how their data are checked."""

import numpy as np
from scipy import sparse
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from skextra import _core
from skextra._base import BaseEstimator
from skextra._kernels import KernelTagsMixin, create_prediction_gram
from skextra._log_odds import LogOddsMixin
from skextra._validation import validate_classification_data

# Kernel values at a time in prediction.
_BLOCK = 1 << 20


class KernelClassifier(KernelTagsMixin, LogOddsMixin, ClassifierMixin, BaseEstimator):
    """Classes and probabilities from ``dual_coef_``, ``intercept_`` and ``X_fit_``."""

    def _validate(self, X, y):
        """Checked training data, numbers of classes, and the classes."""
        X, codes, classes = validate_classification_data(self, X, y)
        if sparse.issparse(X):
            X = X.tocsr()
        elif not X.flags.c_contiguous:
            X = np.ascontiguousarray(X)
        return X, codes, classes

    def _create_kernel_function(self, X):
        """Function from samples to values, and the coefficients of these."""
        if self.kernel == "precomputed":
            return lambda X: X[:, self.components_indices_], self.dual_coef_
        if self.kernel == "linear" and not (sparse.issparse(X) or sparse.issparse(self.X_fit_)):
            # By the features' coefficients: kernel values far from zero would cancel.
            return lambda X: X, _core.gram.kernel_functions.compute_linear_coefficients(
                self.dual_coef_, self.X_fit_
            )
        return create_prediction_gram(self, self.X_fit_).compute_cross, self.dual_coef_

    def decision_function(self, X):
        """Compute the score of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples; kernel values of shape (n_samples, n_samples_fit) if the kernel is
            precomputed.

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            With two classes, the log-odds of ``classes_[1]``; otherwise one score a
            class, whose differences are log-odds.

        Raises
        ------
        ValueError
            If a score overflows.
        """
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=[np.float64, np.float32], reset=False)
        scores = np.empty((X.shape[0], len(self.dual_coef_)), dtype=X.dtype)
        step = max(16, _BLOCK // max(self.dual_coef_.shape[1], 1))
        compute, coefs = self._create_kernel_function(X)
        with np.errstate(over="ignore", invalid="ignore"):
            for start in range(0, X.shape[0], step):
                values = compute(X[start : start + step])
                scores[start : start + step] = values @ coefs.T + self.intercept_
        if not np.isfinite(scores).all():
            raise ValueError(
                f"the scores of {type(self).__name__} overflow: entries of X are too large"
            )
        return scores[:, 0] if scores.shape[1] == 1 else scores
