"""Classes and probabilities of models whose scores are log-odds."""

import numpy as np
from scipy.special import expit, log_expit, log_softmax, softmax


class LogOddsMixin:
    """Predictions from ``decision_function`` and ``classes_``.

    With two classes the scores are the log-odds of ``classes_[1]``; otherwise their
    differences are log-odds.
    """

    def predict(self, X):
        """Predict the most probable class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples, in the form that `decision_function` takes.

        Returns
        -------
        y_pred : ndarray of shape (n_samples,)
            Labels, of the type of ``classes_``.
        """
        scores = self.decision_function(X)
        codes = (scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)
        return self.classes_[codes]

    def predict_proba(self, X):
        """Predict the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples, in the form that `decision_function` takes.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``; each row sums to 1.
        """
        scores = self.decision_function(X)
        if scores.ndim == 1:
            # Not 1 minus the other: that would lose all digits of a small probability.
            return np.column_stack([expit(-scores), expit(scores)])
        return softmax(scores, axis=1)

    def predict_log_proba(self, X):
        """Predict the logarithm of each class's probability.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples, in the form that `decision_function` takes.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``; finite and exact also where the
            probability itself rounds to 0 or 1.
        """
        scores = self.decision_function(X)
        if scores.ndim == 1:
            return np.column_stack([log_expit(-scores), log_expit(scores)])
        return log_softmax(scores, axis=1)
