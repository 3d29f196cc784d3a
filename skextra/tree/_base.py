"""What the tree estimators share, whatever their target."""

import numpy as np
from sklearn.base import clone
from sklearn.utils import Bunch, check_consistent_length, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from skextra import _core
from skextra._base import BaseEstimator
from skextra._compat import compute_pruning_path
from skextra._conversion import copy_to_sklearn
from skextra._validation import validate_sample_weight
from skextra.tree import _data
from skextra.tree._conversion import build_sklearn_tree, prune, read_sklearn_tree

RAND_R_MAX = 2147483647


class Tree(BaseEstimator):
    """Base of the trees: everything but the kind of target."""

    def _fit(
        self,
        X,
        y,
        sample_weight=None,
        check_input=True,
        missing_values_in_feature_mask=None,
    ):
        random_state = check_random_state(self.random_state)
        X, y = self._validate_training_data(X, y, check_input)
        n_samples, self.n_features_in_ = X.shape
        check_consistent_length(X, y)
        y = np.reshape(np.atleast_1d(y), (len(y), -1))
        self.n_outputs_ = y.shape[1]
        sample_weight = validate_sample_weight(sample_weight, X)
        target, weights, n_classes = self._make_target(y, sample_weight)
        _data.check_total_weight(weights)
        constraints = _data.check_monotonic_cst(
            self.monotonic_cst, self.n_features_in_, self.n_outputs_, n_classes
        )
        settings = _data.make_settings(self, n_samples, self.n_features_in_, constraints)
        self.max_features_ = settings.max_features
        seed = random_state.randint(0, RAND_R_MAX)
        codes = _data.encode(X, draws=_data.draws_simply(settings, target, weights))
        grower = _core.tree.grow.Grower(codes, target, settings)
        self._set_trees(grower.grow(weights, seed))
        self._prune_tree()
        return self

    def _validate_training_data(self, X, y, check_input):
        if not check_input:
            return X, y
        X, y = validate_data(
            self,
            X,
            y,
            validate_separately=(
                {"dtype": np.float32, "accept_sparse": "csc", "ensure_all_finite": False},
                {"ensure_2d": False, "dtype": None},
            ),
        )
        _data.check_finite(X, type(self).__name__)
        _data.check_targets(self.criterion, y)
        return X, y

    def _support_missing_values(self, X):
        return True  # in sparse matrices too

    def _set_trees(self, trees):
        self._trees = trees
        self.__dict__.pop("_sklearn_tree", None)

    @property
    def tree_(self):
        """scikit-learn's `Tree`, built when first asked for.

        Its arrays are read-only: change a copy, ``copy.deepcopy(estimator.tree_)``, and assign
        that to ``tree_``.
        """
        if "_trees" not in vars(self):
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute 'tree_' before it is fitted"
            )
        if "_sklearn_tree" not in vars(self):
            self._sklearn_tree = build_sklearn_tree(self._trees, is_read_only=True)
        return self._sklearn_tree

    @tree_.setter
    def tree_(self, tree):
        n_features = vars(self).get("n_features_in_", tree.n_features)
        if tree.n_features != n_features:
            raise ValueError(
                f"tree_ must be a tree of {n_features} features, got one of {tree.n_features}"
            )
        self._set_trees(read_sklearn_tree(tree, self.criterion))

    def _prune_tree(self):
        self._set_trees(prune(self._trees, self.ccp_alpha, self.criterion))

    def __getstate__(self):
        state = dict(super().__getstate__())
        state.pop("_sklearn_tree", None)
        if "_trees" in state:
            state["_trees"] = self._trees.to_arrays()
        return state

    def __setstate__(self, state):
        super().__setstate__(state)
        if "_trees" in vars(self):
            self._trees = _core.tree.nodes.Trees.from_arrays(self._trees)

    def __sklearn_is_fitted__(self):
        return "_trees" in vars(self)

    def get_depth(self):
        """Return the depth of the tree.

        Returns
        -------
        depth : int
            Largest distance between the root and a leaf.
        """
        check_is_fitted(self)
        return int(self._trees.depths[0])

    def get_n_leaves(self):
        """Return the number of leaves.

        Returns
        -------
        n_leaves : int
            Number of leaves.
        """
        check_is_fitted(self)
        return self._trees.n_leaves

    @property
    def feature_importances_(self):
        """Share of the decrease in impurity that each feature's splits have."""
        check_is_fitted(self)
        return _core.tree.nodes.compute_importances(self._trees)

    def _sum_values(self, X, check_input):
        check_is_fitted(self)
        X = self._validate_rows(X, check_input)
        return _data.sum_values(self._trees, X, n_jobs=1)

    def _validate_rows(self, X, check_input):
        if check_input:
            return _data.validate_rows(self, X, allow_nan=self._support_missing_values(X))
        if X.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {X.shape[1]} features, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input"
            )
        return X

    def apply(self, X, check_input=True):
        """Return the leaf that each sample falls into.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples; compared as float32.
        check_input : bool, default=True
            Whether to check `X`; only a checked float32 array may go without.

        Returns
        -------
        X_leaves : ndarray of shape (n_samples,)
            Number of each sample's leaf among the nodes of ``tree_``.
        """
        check_is_fitted(self)
        X = self._validate_rows(X, check_input)
        return _data.find_leaves(self._trees, X, as_nodes=True, n_jobs=1)[:, 0].astype(np.intp)

    def cost_complexity_pruning_path(self, X, y, sample_weight=None):
        """Compute the pruning path of minimal cost-complexity pruning.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data, taken as float32; NaN is a missing value.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample; samples of weight 0 are left out.

        Returns
        -------
        path : Bunch
            ``ccp_alphas``, at which the tree pruned changes, and ``impurities``, the sum of
            the impurities of its leaves at each; of shape (n_alphas,).
        """
        tree = clone(self).set_params(ccp_alpha=0.0).fit(X, y, sample_weight=sample_weight)
        return Bunch(**compute_pruning_path(build_sklearn_tree(tree._trees)))

    def to_sklearn(self):
        """Return scikit-learn's own estimator with the same tree.

        Returns
        -------
        estimator : sklearn.tree estimator
            Fitted; predicts the same.
        """
        check_is_fitted(self)
        return copy_to_sklearn(
            self, self._sklearn_class, {"tree_": build_sklearn_tree(self._trees)}
        )
