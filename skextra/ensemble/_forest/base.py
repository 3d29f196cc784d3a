"""What all forests share: sampling, growing, out-of-bag estimates, prediction."""

from warnings import warn

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from skextra import _core
from skextra._base import BaseEstimator
from skextra._callbacks import report_fit
from skextra._compat import CallbackSupportMixin, get_n_samples_bootstrap
from skextra._parallel import map_tasks
from skextra._validation import validate_sample_weight
from skextra.ensemble._forest.growing import MAX_INT, Sampling, grow_block, split_seeds
from skextra.ensemble._forest.oob_importances import (
    check_training_rows,
    compute_tree_importances,
    summarize,
)
from skextra.ensemble._forest.out_of_bag import compute_out_of_bag
from skextra.tree import _data
from skextra.tree._base import copy_to_sklearn


class Forest(CallbackSupportMixin, BaseEstimator):
    """Base of the four forests; a subclass names its tree and what its targets are."""

    def _fit_forest(self, X, y, sample_weight):
        given = X, y
        X, y, sample_weight = self._validate_training_data(X, y, sample_weight)
        self._n_samples, self.n_outputs_ = y.shape
        y, class_weight = self._validate_y_class_weight(y, sample_weight)
        weights = sample_weight
        if class_weight is not None:
            weights = class_weight if weights is None else weights * class_weight
        _data.check_total_weight(weights)
        self._check_bootstrap(X, weights)
        self._validate_estimator()
        seeds, n_old = self._draw_seeds()
        if seeds:
            blocks = split_seeds(seeds, self.n_jobs, X.shape[0] * X.shape[1])
            with report_fit(self, *given, sample_weight, max_subtasks=len(blocks)) as report:
                trees = self._grow(report, X, y, weights, blocks)
                self._keep_trees(trees, seeds, n_old)
                self._finish(X, y, grew=True)
        else:
            warn(
                "Warm-start fitting without increasing n_estimators does not fit new trees.",
                stacklevel=4,
            )
            self._finish(X, y, grew=False)
        return self

    def _validate_training_data(self, X, y, sample_weight):
        if sparse.issparse(y):
            raise ValueError("sparse multilabel-indicator for y is not supported.")
        X, y = validate_data(
            self,
            X,
            y,
            multi_output=True,
            accept_sparse="csc",
            dtype=np.float32,
            ensure_all_finite=False,
        )
        tree = type(self.estimator)(criterion=self.criterion)
        tree._compute_missing_values_in_feature_mask(X, estimator_name=type(self).__name__)
        sample_weight = validate_sample_weight(sample_weight, X)
        y = np.atleast_1d(y)
        if y.ndim == 2 and y.shape[1] == 1:
            warn(
                "A column-vector y was passed when a 1d array was expected. Please change the "
                "shape of y to (n_samples,), for example using ravel().",
                DataConversionWarning,
                stacklevel=5,
            )
        if y.ndim == 1:
            y = np.reshape(y, (-1, 1))
        if self.criterion == "poisson":
            _data.check_counts(y, "strictly ")
        return X, y, sample_weight

    def _check_bootstrap(self, X, weights):
        self._sample_weight = weights
        self._n_samples_bootstrap = None
        if self.bootstrap:
            self._n_samples_bootstrap = get_n_samples_bootstrap(
                X.shape[0], self.max_samples, weights
            )
            return
        if self.max_samples is not None:
            raise ValueError(
                "`max_sample` cannot be set if `bootstrap=False`. Either switch to "
                "`bootstrap=True` or set `max_sample=None`."
            )
        if self.oob_score:
            raise ValueError("Out of bag estimation only available if bootstrap=True")

    def _draw_seeds(self):
        """Seeds of the trees to grow, as scikit-learn draws them, and the number there are."""
        random_state = check_random_state(self.random_state)
        n_old = len(self._seeds) if self.warm_start and "_trees" in vars(self) else 0
        n_new = self.n_estimators - n_old
        if n_new < 0:
            raise ValueError(
                f"n_estimators={self.n_estimators} must be larger or equal to "
                f"len(estimators_)={n_old} when warm_start==True"
            )
        if n_old > 0:
            random_state.randint(MAX_INT, size=n_old)
        return [int(random_state.randint(MAX_INT)) for _ in range(n_new)], n_old

    def _make_sampling(self, y, weights):
        balances = getattr(self, "class_weight", None) == "balanced_subsample" and self.bootstrap
        return Sampling(
            bootstrap=self.bootstrap,
            n_drawn=self._n_samples_bootstrap,
            weights=weights,
            balances=balances,
            labels=y if balances else None,
            n_samples=self._n_samples,
        )

    def _grow(self, report, X, y, weights, blocks):
        n_samples, n_features = X.shape
        constraints = _data.check_monotonic_cst(
            self.monotonic_cst, n_features, self.n_outputs_, self._count_classes()
        )
        sampling = self._make_sampling(y, weights)
        total = n_samples if weights is None else float(np.sum(weights))
        if self.bootstrap:
            total = self._n_samples_bootstrap
        settings = _data.make_settings(
            self, n_samples, n_features, total, constraints, splitter=self._splitter
        )
        target = self._make_target(y)
        codes = _data.encode(X, self.n_jobs, _data.draws_simply(settings, target, weights))
        tasks = [(codes, target, settings, sampling, self.ccp_alpha, block) for block in blocks]
        function, tasks = report.split(grow_block, tasks, "trees")
        return _core.tree.nodes.concatenate(map_tasks(function, tasks, self.n_jobs))

    def _keep_trees(self, trees, seeds, n_old):
        if n_old > 0:
            trees = _core.tree.nodes.concatenate([self._trees, trees])
            seeds = self._seeds + seeds
        self._trees, self._seeds = trees, seeds
        self.__dict__.pop("_estimators", None)

    def _finish(self, X, y, grew):
        if self.oob_score and (grew or not hasattr(self, "oob_score_")):
            y_type = type_of_target(y)
            is_classification = self._count_classes() is not None
            if y_type == "unknown" or (is_classification and y_type == "multiclass-multioutput"):
                raise ValueError(
                    "The type of target cannot be used to compute OOB estimates. "
                    f"Got {y_type} while only the following are supported: continuous, "
                    "continuous-multioutput, binary, multiclass, multilabel-indicator."
                )
            self._set_oob_score_and_attributes(X, y)
        if self._count_classes() is not None and self.n_outputs_ == 1:
            self.n_classes_ = self.n_classes_[0]
            self.classes_ = self.classes_[0]

    def _set_oob_score_and_attributes(self, X, y):
        sampling = self._make_sampling(y, self._sample_weight)
        predictions, curve = compute_out_of_bag(
            self._trees, X, y, sampling, self._seeds, self._get_oob_scorer(), self.n_jobs
        )
        self._set_oob_attributes(predictions, y)
        self.oob_curve_ = curve

    @property
    def estimators_(self):
        """The trees as estimators, made when first asked for."""
        if "_trees" not in vars(self):
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute 'estimators_' before it is fitted"
            )
        if "_estimators" not in vars(self):
            self._estimators = [self._make_tree(i) for i in range(self._trees.n_trees)]
        return self._estimators

    def _make_tree(self, index):
        tree = clone(self.estimator_)
        parameters = {name: getattr(self, name) for name in self.estimator_params}
        tree.set_params(**{**parameters, "random_state": self._seeds[index]})
        tree._set_trees(self._trees.get_tree(index))
        tree.n_features_in_, tree.n_outputs_ = self.n_features_in_, self.n_outputs_
        tree.max_features_ = _data.resolve_max_features(self.max_features, self.n_features_in_)
        self._set_classes(tree)
        return tree

    def _set_classes(self, tree):
        """Trees of a forest of classes know them by number."""

    def _count_classes(self):
        return None

    def __getstate__(self):
        state = dict(super().__getstate__())
        # Trees are made anew from the arrays; templates of them hold nothing but defaults.
        for name in ("_estimators", "estimator", "estimator_"):
            state.pop(name, None)
        if "_trees" in state:
            state["_trees"] = self._trees.to_arrays()
        return state

    def __setstate__(self, state):
        super().__setstate__(state)
        self.estimator = self._tree_class()
        if "_trees" in vars(self):
            self._trees = _core.tree.nodes.Trees.from_arrays(self._trees)
            self._validate_estimator()

    def __sklearn_is_fitted__(self):
        return "_trees" in vars(self)

    def __len__(self):
        """Number of trees."""
        return len(self._seeds)

    def __getitem__(self, index):
        """One tree, or several."""
        return self.estimators_[index]

    def __iter__(self):
        """Iterate over the trees."""
        return iter(self.estimators_)

    def _get_estimators_indices(self):
        sampling = self._make_sampling(None, self._sample_weight)
        for seed in self._seeds:
            yield sampling.draw_rows(seed)

    @property
    def feature_importances_(self):
        """Mean over trees of each feature's share in the decrease in impurity."""
        check_is_fitted(self)
        trees = [self._trees.get_tree(i) for i in range(self._trees.n_trees)]
        grown = [tree for tree in trees if len(tree.nodes) > 1]
        if not grown:
            return np.zeros(self.n_features_in_)
        compute = _core.tree.importances.compute_importances
        importances = np.mean([compute(tree) for tree in grown], axis=0)
        return importances / importances.sum()

    def apply(self, X):
        """Return the leaf that each sample falls into, in each tree.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples; compared as float32.

        Returns
        -------
        X_leaves : ndarray of shape (n_samples, n_estimators)
            Number of each sample's leaf among the nodes of each tree's ``tree_``.
        """
        check_is_fitted(self)
        X = _data.validate_rows(self, X)
        leaves = _data.find_leaves(self._trees, X, as_nodes=True, n_jobs=self.n_jobs)
        return leaves.astype(np.int64)

    def _average_values(self, X):
        check_is_fitted(self)
        X = _data.validate_rows(self, X)
        return _data.sum_values(self._trees, X, n_jobs=self.n_jobs) / self._trees.n_trees

    def compute_oob_importances(self, X, y, sample_weight=None, random_state=0):
        """Compute permutation importances from the samples that each tree has not seen.

        A feature's importance is the score a tree loses, accuracy or minus the mean
        squared error, when the feature is permuted among those samples: Breiman's
        measure. Unlike ``feature_importances_`` it does not favour features of many
        values, and it has an error.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The training data, in the same order.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights in the score.
        random_state : int, default=0
            Of the permutations.

        Returns
        -------
        importances : Bunch
            ``importances_mean`` and ``importances_standard_error`` of shape
            (n_features,), over trees, and ``importances`` of shape
            (n_features, n_estimators).

        Raises
        ------
        ValueError
            If the forest draws no samples, or the data are not as many as in `fit`.
        """
        check_is_fitted(self)
        if not self.bootstrap:
            raise ValueError("out-of-bag importances need a forest with bootstrap=True")
        X, y = check_training_rows(self, X, y, sample_weight)
        y = self._encode_targets(y)
        weights = None if sample_weight is None else np.asarray(sample_weight, dtype=float)
        sampling = self._make_sampling(None, self._sample_weight)
        score = self._get_importance_scorer()
        tasks = [
            (
                self._trees.get_tree(index), X, y, weights,
                np.flatnonzero(sampling.find_left_out(seed)), score, [random_state, index],
            )
            for index, seed in enumerate(self._seeds)
        ]  # fmt: skip
        return summarize(np.array(map_tasks(compute_tree_importances, tasks, self.n_jobs)))

    def to_sklearn(self):
        """Return scikit-learn's own estimator with the same trees.

        Returns
        -------
        estimator : sklearn.ensemble estimator
            Fitted; predicts the same.
        """
        check_is_fitted(self)
        forest = copy_to_sklearn(self, self._sklearn_class, {})
        forest.estimators_ = [tree.to_sklearn() for tree in self.estimators_]
        forest.estimator_ = type(forest.estimator)()
        return forest
