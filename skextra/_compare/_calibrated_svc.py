"""What scikit-learn's users take for probabilities from a kernel: a calibrated SVC."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC


class CalibratedSVC(ClassifierMixin, BaseEstimator):
    """``CalibratedClassifierCV(SVC(C), cv=5)`` with `C` within reach of a grid."""

    def __init__(self, C=1.0):
        self.C = C

    def fit(self, X, y):
        """Fit five machines, and their sigmoids on what each left out."""
        self.model_ = self._make().fit(X, y)
        self.classes_ = self.model_.classes_
        return self

    def _make(self):
        return CalibratedClassifierCV(SVC(C=self.C), cv=5)

    def predict(self, X):
        """Labels of the largest mean probability."""
        return self.model_.predict(X)

    def predict_proba(self, X):
        """Mean of the calibrated probabilities."""
        return self.model_.predict_proba(X)


class CalibratedSVCSearch(CalibratedSVC):
    """A grid search over its `C` and `gamma` by log-loss."""

    def __init__(self):
        pass

    def _make(self):
        scale = np.array([0.25, 1.0, 4.0])
        grid = {"estimator__C": [1.0, 10.0, 100.0], "estimator__gamma": scale / 20}
        model = CalibratedClassifierCV(SVC(), cv=5)
        return GridSearchCV(model, grid, scoring="neg_log_loss")
