"""Any estimator as what learns in a round of boosting, and what all learners need."""

import numpy as np
from sklearn.base import clone

from skextra import _core
from skextra._compat import safe_indexing

_LARGEST_SEED = np.iinfo(np.int32).max


class EstimatorLearner:
    """Fits a clone of an estimator each round.

    Attributes
    ----------
    y : ndarray of shape (n_samples,)
        What the predictions of `fit` are to be compared with.
    """

    def __init__(self, estimator, X, y, classes, *, resample, trimming):
        self.estimator = estimator
        self.X = X
        self.y = y
        self.classes = classes
        self.resample = resample
        self.trimming = trimming
        self.estimators = []

    def __len__(self):
        return len(self.estimators)

    def fit(self, weights, random_state):
        """Fit one more estimator and predict the training data."""
        estimator, X, y = self.make(random_state), self.X, self.y
        if self.resample:
            n = len(weights)
            rows = random_state.choice(np.arange(n), size=n, replace=True, p=weights)
            estimator.fit(safe_indexing(X, rows), y[rows])
        elif self.trimming:
            rows = np.flatnonzero(trim(weights, self.trimming, y))
            estimator.fit(safe_indexing(X, rows), y[rows], sample_weight=weights[rows])
        else:
            estimator.fit(X, y, sample_weight=weights)
        return estimator.predict(X)

    def make(self, random_state):
        """Clone the estimator for a round, with a seed of its own."""
        estimator = clone(self.estimator)
        set_random_states(estimator, random_state)
        self.estimators.append(estimator)
        return estimator

    def drop(self):
        """Forget the last estimator."""
        self.estimators.pop()

    def predict_last(self, X):
        """What the last estimator predicts: positions of classes, or values."""
        predicted = self.estimators[-1].predict(X)
        return predicted if self.classes is None else np.searchsorted(self.classes, predicted)

    def get_estimators(self):
        """Fitted estimators so far."""
        return list(self.estimators)

    def collect(self):
        """Estimators, and the trees they consist of if those are known."""
        return self.estimators, None


def draw_seed(random_state):
    """A seed as scikit-learn's ensembles draw one for a member."""
    return random_state.randint(_LARGEST_SEED)


def set_random_states(estimator, random_state):
    """Set every ``random_state`` of an estimator, nested ones included, to a drawn seed."""
    names = sorted(estimator.get_params(deep=True))
    names = [name for name in names if name == "random_state" or name.endswith("__random_state")]
    if names:
        estimator.set_params(**{name: draw_seed(random_state) for name in names})


def trim(weights, share, y):
    """Leave out the smallest weights, up to a share of the total, but no class whole."""
    kept = _core.boosting.adaboost.trim(weights, share)
    for label in np.unique(y[(kept == 0) & (weights > 0)]):
        members = np.flatnonzero(y == label)
        if not kept[members].any():
            heaviest = members[weights[members].argmax()]
            kept[heaviest] = weights[heaviest]
    return kept


def choose_weights(learner, weights, random_state):
    """Weights for a tree that is to see all samples, drawn or trimmed as the learner says."""
    if learner.resample:
        return _core.boosting.adaboost.draw_counts(weights, random_state)
    return trim(weights, learner.trimming, learner.y) if learner.trimming else weights
