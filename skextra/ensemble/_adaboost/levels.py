"""Plain shallow trees, grown by level on columns sorted once for all rounds."""

import numpy as np

from skextra import _core
from skextra.ensemble._adaboost.estimators import choose_weights, draw_seed
from skextra.ensemble._adaboost.trees import make_estimators


class TreeLearner:
    """Grows a shallow tree each round, on columns sorted once.

    Attributes
    ----------
    y : ndarray of shape (n_samples,)
        What the predictions of `fit` are to be compared with.
    """

    def __init__(self, estimator, X, y, classes, max_depth, *, resample, trimming):
        self.estimator = estimator
        self.classes = classes
        self.resample = resample
        self.trimming = trimming
        self.n_features = X.shape[1]
        if classes is None:
            self.y = np.ascontiguousarray(y, dtype=np.float64)
        else:
            self.y = np.searchsorted(classes, y).astype(np.int32)
        self._grower = _core.boosting.level_trees.Grower(
            _core.boosting.presorted_columns.encode(X),
            self.y,
            0 if classes is None else len(classes),
            max_depth,
        )  # fmt: skip
        self._trees, self._seeds = [], []

    def __len__(self):
        return len(self._trees)

    def fit(self, weights, random_state):
        """Grow one more tree and predict the training data."""
        self._seeds.append(draw_seed(random_state))
        grower = self._grower
        n_nodes = grower.grow(choose_weights(self, weights, random_state))
        self._trees.append(grower.copy())
        value = grower.value[:n_nodes]
        predicted = value[:, 0] if self.classes is None else value.argmax(axis=1)
        return predicted[grower.nodes]

    def drop(self):
        """Forget the last tree."""
        self._trees.pop()
        self._seeds.pop()

    def predict_last(self, X):
        """What the last tree predicts: positions of classes, or values."""
        tree = _core.boosting.level_trees.arrange(self._trees[-1:])
        columns = _core.boosting.predict.as_columns(X)
        value = tree.value[_core.boosting.predict.find_nodes(tree, 0, columns)]
        return value[:, 0] if self.classes is None else value.argmax(axis=1)

    def get_estimators(self):
        """Fitted estimators so far."""
        _, trees = self.collect()
        return make_estimators(self.estimator, trees, self.classes)

    def collect(self):
        """Nothing in place of the estimators, which are made when asked for, and the trees."""
        trees = _core.boosting.level_trees.arrange(self._trees, self._grower.impurity_exponent)
        if self.resample:  # a row that was drawn twice counts as two
            trees.count = trees.weight.astype(np.int64)
        return None, TreeEnsemble(trees, np.array(self._seeds, dtype=np.int64), self.n_features)


class TreeEnsemble:
    """The trees of a fitted model, in few arrays.

    Parameters
    ----------
    trees : Trees
    seeds : ndarray of shape (n_trees,)
        ``random_state`` of each tree as an estimator.
    n_features : int
    """

    def __init__(self, trees, seeds, n_features):
        self.trees = trees
        self.seeds = seeds
        self.n_features = n_features

    def __len__(self):
        return len(self.trees)

    def to_arrays(self):
        """Everything as arrays in dictionaries: what pickles hold."""
        return {"trees": vars(self.trees), "seeds": self.seeds, "n_features": self.n_features}

    @classmethod
    def from_arrays(cls, arrays):
        """Undo `to_arrays`."""
        trees = _core.boosting.level_trees.Trees(**arrays["trees"])
        return cls(trees, arrays["seeds"], arrays["n_features"])
