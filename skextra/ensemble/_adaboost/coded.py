"""Trees of our own that are not plain and shallow: coded once for all rounds."""

import numpy as np
from sklearn.utils import check_random_state

from skextra import _core
from skextra._compat import validate_parameters
from skextra.ensemble._adaboost.estimators import EstimatorLearner, choose_weights
from skextra.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
    _data,
)
from skextra.tree._base import RAND_R_MAX

_TREES = (DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor)


def can_be_coded(estimator, resample):
    """Whether an estimator is a tree of ours that sees the same rows each round.

    Rows drawn several times count as one there, which tells apart trees that count rows.
    """
    if type(estimator) not in _TREES:
        return False
    criterion = _core.tree.criterion_table.CRITERIA.get(estimator.criterion)
    if estimator.ccp_alpha or criterion is None or criterion.targets != "any":
        return False  # pruned, or of targets that are checked
    return not resample or (estimator.min_samples_split == 2 and estimator.min_samples_leaf == 1)


class CodedTreeLearner(EstimatorLearner):
    """Grows one of our trees each round, without encoding the data or predicting anew.

    Parameters are those of `EstimatorLearner`; X is float32, or sparse.
    """

    def __init__(self, estimator, X, y, classes, **options):
        validate_parameters(estimator)
        super().__init__(estimator, X, y, classes, **options)
        self._codes = _data.encode(X)
        self._leaves = np.empty(len(y), dtype=np.int32)
        self._grower = None

    def fit(self, weights, random_state):
        """Grow one more tree and predict the training data."""
        estimator = self.make(random_state)
        weights = choose_weights(self, weights, random_state)
        n_samples, n_features = self.X.shape
        estimator.n_features_in_, estimator.n_outputs_ = n_features, 1
        target, weights, n_classes = estimator._make_target(self.y[:, None], weights)
        constraints = _data.check_monotonic_cst(estimator.monotonic_cst, n_features, 1, n_classes)
        settings = _data.make_settings(estimator, n_samples, n_features, constraints)
        estimator.max_features_ = settings.max_features
        if self._grower is None:
            self._grower = _core.tree.grow.Grower(self._codes, target, settings)
        seed = check_random_state(estimator.random_state).randint(0, RAND_R_MAX)
        trees = self._grower.grow(weights, seed, self._leaves)
        estimator._set_trees(trees)
        values = trees.leaf_values
        if self.classes is None:
            return values[:, 0][self._leaves]
        return self.classes[values.argmax(axis=1)][self._leaves]
