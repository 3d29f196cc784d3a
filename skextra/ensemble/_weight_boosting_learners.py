"""What learns in a round of boosting: any estimator, or shallow trees on sorted columns.

Both have the same methods, and give the same answers: an estimator that is a
plain shallow tree is grown on columns that are sorted once for all rounds.
"""

import numpy as np
from scipy import sparse
from sklearn.base import clone

from skextra import _core
from skextra._compat import safe_indexing
from skextra.ensemble._weight_boosting_trees import describe_shallow_tree, make_estimators

#: Entries up to which sparse data are made dense: their columns then take 300 MB.
LARGEST_DENSE = 2**25
_LARGEST_SEED = np.iinfo(np.int32).max


def make_learner(estimator, X, y, classes, *, resample, trimming=0.0):
    """Choose what learns.

    Parameters
    ----------
    estimator : estimator
        Cloned for each round.
    X : {ndarray, sparse matrix} of shape (n_samples, ...)
    y : ndarray of shape (n_samples,)
    classes : ndarray of shape (n_classes,) or None
        None for regressors.
    resample : bool
        Whether a round draws rows by their weights instead of passing weights on.
    trimming : float
        Share of the weight that a round may leave out.

    Returns
    -------
    learner : EstimatorLearner or TreeLearner
    """
    options = {"resample": resample, "trimming": trimming}
    max_depth = describe_shallow_tree(estimator, 0 if classes is None else len(classes))
    dense = None if max_depth is None else as_single_precision(X)
    if dense is not None:
        return TreeLearner(estimator, dense, y, classes, max_depth, **options)
    return EstimatorLearner(estimator, X, y, classes, **options)


def as_single_precision(X):
    """X as a dense float32 array, or None where an estimator had better see it as it is."""
    if sparse.issparse(X):
        if np.prod(X.shape, dtype=float) > LARGEST_DENSE:
            return None
        X = X.toarray()
    if X.ndim != 2:
        return None
    try:
        with np.errstate(over="ignore"):
            dense = X.astype(np.float32)
    except (TypeError, ValueError):
        return None  # the estimator says what is wrong
    return None if np.isinf(dense).any() or X.dtype.kind == "c" else dense


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
        estimator = clone(self.estimator)
        set_random_states(estimator, random_state)
        self.estimators.append(estimator)
        X, y = self.X, self.y
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
        self._grower = _core.boosting_trees.Grower(
            _core.boosting_columns.encode(X), self.y, 0 if classes is None else len(classes),
            max_depth,
        )  # fmt: skip
        self._trees, self._seeds = [], []

    def __len__(self):
        return len(self._trees)

    def fit(self, weights, random_state):
        """Grow one more tree and predict the training data."""
        self._seeds.append(draw_seed(random_state))
        if self.resample:
            weights = _core.boosting.draw_counts(weights, random_state)
        elif self.trimming:
            weights = trim(weights, self.trimming, self.y)
        grower = self._grower
        n_nodes = grower.grow(weights)
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
        tree = _core.boosting_trees.arrange(self._trees[-1:])
        columns = _core.boosting_predict.as_columns(X)
        value = tree.value[_core.boosting_predict.find_nodes(tree, 0, columns)]
        return value[:, 0] if self.classes is None else value.argmax(axis=1)

    def get_estimators(self):
        """Fitted estimators so far."""
        _, trees = self.collect()
        return make_estimators(self.estimator, trees, self.classes)

    def collect(self):
        """Nothing in place of the estimators, which are made when asked for, and the trees."""
        trees = _core.boosting_trees.arrange(self._trees)
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
    kept = _core.boosting.trim(weights, share)
    for label in np.unique(y[(kept == 0) & (weights > 0)]):
        members = np.flatnonzero(y == label)
        if not kept[members].any():
            heaviest = members[weights[members].argmax()]
            kept[heaviest] = weights[heaviest]
    return kept
