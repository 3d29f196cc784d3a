"""What all forests share: sampling, growing, out-of-bag estimates, prediction."""

from functools import partial
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
from skextra._compat import CallbackSupportMixin
from skextra._conversion import copy_to_sklearn
from skextra._parallel import map_tasks
from skextra._validation import validate_sample_weight
from skextra.ensemble._forest.growing import (
    MAX_INT,
    Batch,
    Sampling,
    count_drawn_samples,
    grow_block,
    pack_batches,
    split_seeds,
    unpack_batches,
)
from skextra.ensemble._forest.members import adopt_estimators, are_as_made
from skextra.ensemble._forest.oob_importances import (
    check_training_rows,
    compute_null_importances,
    compute_tree_importances,
    summarize,
)
from skextra.ensemble._forest.out_of_bag import check_same_data, compute_out_of_bag, hash_data
from skextra.tree import _data


class Forest(CallbackSupportMixin, BaseEstimator):
    """Base of the four forests; a subclass names its tree and what its targets are."""

    def _fit_forest(self, X, y, sample_weight):
        given = X, y
        n_old = self._get_trees().n_trees if self.warm_start and self._has_trees() else 0
        X, y, sample_weight = self._validate_training_data(X, y, sample_weight, n_old)
        y, class_weight, attributes = self._encode_training_targets(y, sample_weight)
        weights = sample_weight
        if class_weight is not None:
            weights = class_weight if weights is None else weights * class_weight
        _data.check_total_weight(weights)
        sampling = self._make_sampling(X, y, weights)
        seeds = self._draw_seeds(n_old)
        lacks_oob = self.oob_score and not hasattr(self, "oob_score_")
        if seeds or lacks_oob:
            self._check_warm_start(n_old, y.shape[1], attributes)
            self._check_oob_score(y, attributes, sampling, n_old)
        if seeds:
            blocks = split_seeds(seeds, self.n_jobs, X.shape[0] * X.shape[1])
            with report_fit(self, *given, sample_weight, max_subtasks=len(blocks)) as report:
                trees = self._grow(report, X, y, sampling, attributes, blocks)
                self._set_attributes(trees, seeds, n_old, sampling, attributes)
                if self.oob_score:
                    self._set_oob_score_and_attributes(X, y)
        else:
            warn(
                "Warm-start fitting without increasing n_estimators does not fit new trees.",
                stacklevel=4,
            )
            if lacks_oob:
                self._set_oob_score_and_attributes(X, y)
        return self

    def _validate_training_data(self, X, y, sample_weight, n_old):
        if sparse.issparse(y):
            raise ValueError("sparse multilabel-indicator for y is not supported.")
        X, y = validate_data(
            self,
            X,
            y,
            reset=n_old == 0,  # the features of the trees there are must be those of the new ones
            multi_output=True,
            accept_sparse="csc",
            dtype=np.float32,
            ensure_all_finite=False,
        )
        _data.check_finite(X, type(self).__name__)
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
        _data.check_targets(self.criterion, y, "strictly ")
        return X, y, sample_weight

    def _check_warm_start(self, n_old, n_outputs, attributes):
        """Refuse targets that the trees there are do not predict."""
        if n_old == 0:
            return
        if n_outputs != self.n_outputs_:
            raise ValueError(
                f"y has {n_outputs} outputs, but with warm_start=True the trees there are predict "
                f"{self.n_outputs_}"
            )
        if "classes_" in attributes:
            pairs = zip(
                self._list_classes(), self._list_classes(attributes["classes_"]), strict=True
            )
            if not all(np.array_equal(old, new) for old, new in pairs):
                raise ValueError(
                    f"y has the classes {attributes['classes_']}, but with warm_start=True the "
                    f"trees there are predict {self.classes_}"
                )

    def _make_sampling(self, X, y, weights):
        if self.max_samples is not None and not self.bootstrap:
            raise ValueError(
                "`max_sample` cannot be set if `bootstrap=False`. Either switch to "
                "`bootstrap=True` or set `max_sample=None`."
            )
        balances = getattr(self, "class_weight", None) == "balanced_subsample" and self.bootstrap
        n_drawn = count_drawn_samples(X.shape[0], self.max_samples, weights)
        return Sampling(
            bootstrap=self.bootstrap,
            n_drawn=n_drawn if self.bootstrap else None,
            weights=weights,
            balances=balances,
            labels=y if balances else None,
            n_samples=X.shape[0],
            digest=hash_data(X, y) if self.warm_start and self.oob_score else None,
        )

    def _check_oob_score(self, y, attributes, sampling, n_old):
        if not self.oob_score:
            return
        if not self.bootstrap:
            raise ValueError("Out of bag estimation only available if bootstrap=True")
        if n_old > 0:
            check_same_data([*self._get_samplings(sampling.n_samples), sampling])
        y_type = type_of_target(y)
        is_classification = "classes_" in attributes
        if y_type == "unknown" or (is_classification and y_type == "multiclass-multioutput"):
            raise ValueError(
                "The type of target cannot be used to compute OOB estimates. "
                f"Got {y_type} while only the following are supported: continuous, "
                "continuous-multioutput, binary, multiclass, multilabel-indicator."
            )

    def _draw_seeds(self, n_old):
        """Seeds of the trees to grow, as scikit-learn draws them."""
        random_state = check_random_state(self.random_state)
        n_new = self.n_estimators - n_old
        if n_new < 0:
            raise ValueError(
                f"n_estimators={self.n_estimators} must be larger or equal to "
                f"len(estimators_)={n_old} when warm_start==True"
            )
        if n_old > 0:
            random_state.randint(MAX_INT, size=n_old)
        return [int(random_state.randint(MAX_INT)) for _ in range(n_new)]

    def _grow(self, report, X, y, sampling, attributes, blocks):
        n_classes = attributes.get("n_classes_")
        constraints = _data.check_monotonic_cst(
            self.monotonic_cst,
            X.shape[1],
            y.shape[1],
            None if n_classes is None else int(np.atleast_1d(n_classes)[0]),
        )
        settings = _data.make_settings(self, *X.shape, constraints, splitter=self._splitter)
        target = self._make_target(y, n_classes)
        codes = _data.encode(X, self.n_jobs, _data.draws_simply(settings, target, sampling.weights))
        # What all tasks share is held by the function, see `map_tasks`.
        grow = partial(grow_block, codes, target, settings, sampling, self.ccp_alpha)
        function, tasks = report.split(grow, [(block,) for block in blocks], "trees")
        return _core.tree.nodes.concatenate(map_tasks(function, tasks, self.n_jobs))

    def _set_attributes(self, trees, seeds, n_old, sampling, attributes):
        for name, value in attributes.items():
            setattr(self, name, value)
        self._n_samples, self._sample_weight = sampling.n_samples, sampling.weights
        self._n_samples_bootstrap = sampling.n_drawn
        self.estimator_ = self._tree_class()
        parameters = {name: getattr(self, name) for name in self.estimator_params}
        batches = [Batch(parameters, sampling.without_labels())] * len(seeds)
        if n_old > 0:
            trees = _core.tree.nodes.concatenate([self._trees, trees])
            seeds, batches = self._seeds + seeds, self._batches + batches
        else:
            self.__dict__.pop("_out_of_bag", None)
        self._set_trees(trees, seeds, batches)

    def _set_trees(self, trees, seeds, batches):
        self._trees, self._seeds, self._batches = trees, seeds, batches
        for name in ("_estimators", "_made"):
            self.__dict__.pop(name, None)

    def _set_oob_score_and_attributes(self, X, y):
        self._out_of_bag = compute_out_of_bag(
            self._get_trees(), X, y, self._get_samplings(X.shape[0]), self._seeds,
            self._get_oob_scorer(), self.n_jobs, vars(self).get("_out_of_bag"),
        )  # fmt: skip
        self._set_oob_predictions(self._out_of_bag.compute_predictions())
        self.oob_curve_ = self._out_of_bag.curve
        self.oob_score_ = float(self.oob_curve_[-1])

    def _get_samplings(self, n_samples):
        """What each tree has seen of the training data, which have as many rows."""
        samplings = [batch.sampling for batch in self._batches]
        for index, sampling in enumerate(samplings):
            if sampling is None:
                raise ValueError(
                    f"which samples estimators_[{index}] was trained on is not known: it was put "
                    "there, not grown in fit"
                )
            if sampling.n_samples != n_samples:
                raise ValueError(
                    f"estimators_[{index}] was grown on {sampling.n_samples} samples, but the "
                    f"training data given have {n_samples}: out-of-bag estimates need all trees "
                    "grown on the same data"
                )
        return samplings

    def _has_trees(self):
        return "_trees" in vars(self) or "_estimators" in vars(self)

    def _get_trees(self):
        """All trees in arrays, with the changes made to `estimators_`."""
        held = vars(self).get("_estimators")
        if held is not None and not are_as_made(held, self._made):
            trees, seeds, batches = adopt_estimators(self, held)
            self._trees, self._seeds, self._batches = trees, seeds, batches
            self._made = [(estimator, estimator._trees) for estimator in held]
            self.__dict__.pop("_out_of_bag", None)
        return self._trees

    @property
    def estimators_(self):
        """The trees as estimators, made when first asked for; changes to the list count."""
        if not self._has_trees():
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute 'estimators_' before it is fitted"
            )
        if "_estimators" not in vars(self):
            self._estimators = [self._make_tree(i) for i in range(self._trees.n_trees)]
            # To see later whether somebody has changed them.
            self._made = [(estimator, estimator._trees) for estimator in self._estimators]
        return self._estimators

    @estimators_.setter
    def estimators_(self, estimators):
        self._estimators, self._made = estimators, vars(self).get("_made", [])

    def _make_tree(self, index):
        tree = clone(self.estimator_)
        parameters = self._batches[index].parameters
        tree.set_params(**{**parameters, "random_state": self._seeds[index]})
        tree._set_trees(self._trees.get_tree(index))
        tree.n_features_in_, tree.n_outputs_ = self.n_features_in_, self.n_outputs_
        tree.max_features_ = _data.resolve_max_features(
            parameters["max_features"], self.n_features_in_
        )
        self._set_classes(tree)
        return tree

    def _set_classes(self, tree):
        """Trees of a forest of classes know them by number."""

    def _list_classes(self, classes=None):
        """Classes of each output."""
        classes = self.classes_ if classes is None else classes
        return classes if isinstance(classes, list) else [classes]

    def __getstate__(self):
        if self._has_trees():
            self._get_trees()  # with the changes made to `estimators_`
        state = dict(super().__getstate__())
        # Trees are made anew from the arrays; templates of them hold nothing but defaults.
        for name in ("_estimators", "_made", "_out_of_bag", "estimator", "estimator_"):
            state.pop(name, None)
        if "_trees" in state:
            state["_trees"] = self._trees.to_arrays()
            state["_batches"] = pack_batches(self._batches)
        return state

    def __setstate__(self, state):
        super().__setstate__(state)
        self.estimator = self._tree_class()
        if "_trees" in vars(self):
            self._trees = _core.tree.nodes.Trees.from_arrays(self._trees)
            self._batches = unpack_batches(self._batches)
            self.estimator_ = self._tree_class()

    def __sklearn_is_fitted__(self):
        return self._has_trees()

    def __len__(self):
        """Number of trees."""
        return self._get_trees().n_trees

    def __getitem__(self, index):
        """One tree, or several."""
        return self.estimators_[index]

    def __iter__(self):
        """Iterate over the trees."""
        return iter(self.estimators_)

    @property
    def estimators_samples_(self):
        """Rows of the training data that each tree was grown on, with repetitions."""
        check_is_fitted(self)
        self._get_trees()
        samplings = self._get_samplings(self._n_samples)
        return [
            sampling.draw_rows(seed) for sampling, seed in zip(samplings, self._seeds, strict=True)
        ]

    @property
    def feature_importances_(self):
        """Mean over trees of each feature's share in the decrease in impurity."""
        check_is_fitted(self)
        bundle = self._get_trees()
        trees = [bundle.get_tree(i) for i in range(bundle.n_trees)]
        grown = [tree for tree in trees if len(tree.nodes) > 1]
        if not grown:
            return np.zeros(self.n_features_in_)
        compute = _core.tree.nodes.compute_importances
        importances = np.mean([compute(tree) for tree in grown], axis=0)
        total = importances.sum()
        # Splits may be many, and none decrease the impurity.
        return importances / total if total > 0 else np.zeros(self.n_features_in_)

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
        leaves = _data.find_leaves(self._get_trees(), X, as_nodes=True, n_jobs=self.n_jobs)
        return leaves.astype(np.int64)

    def _average_values(self, X):
        check_is_fitted(self)
        X = _data.validate_rows(self, X)
        trees = self._get_trees()
        return _data.sum_values(trees, X, n_jobs=self.n_jobs) / trees.n_trees

    def compute_oob_importances(self, X, y, sample_weight=None, random_state=0, n_permutations=0):
        """Compute permutation importances from the samples that each tree has not seen.

        A feature's importance is the score a tree loses, accuracy or minus the mean
        squared error, when the feature is permuted among those samples: Breiman's
        measure [1]_. Unlike ``feature_importances_`` it does not favor features with many
        values.

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
        n_permutations : int, default=0
            Forests to grow on permuted training data, for p-values; 99 is a usual number, and
            takes as long as 99 fits.

        Returns
        -------
        importances : Bunch
            ``importances_mean`` and ``importances_standard_error`` of shape
            (n_features,), over trees, and ``importances`` of shape
            (n_features, n_estimators). With `n_permutations` also ``pvalues`` of shape
            (n_features,).

        Raises
        ------
        ValueError
            If the forest draws no samples, the data are not as many as in `fit`, or `y` has
            labels that the forest does not know.

        Notes
        -----
        The standard errors are those of the mean over trees: they say how much the
        importances would change with other trees grown on the *same* data, and go to 0 as
        trees are added. They do not cover the draw of the data, and are no test: features that
        have nothing to do with the target often lie many standard errors from 0.

        A test are the p-values of `n_permutations` [2]_: the forest is grown again on rows of
        X that were permuted against the targets, and a feature's p-value is
        ``(1 + k) / (1 + n_permutations)``, where k permuted forests gave it at least the
        importance that it has. If X has nothing to do with the target, each p-value is at most
        p with a probability of at most p, exactly, whatever the parameters of the forest. If
        some features do, the others' p-values tend to be too large rather than too small;
        features correlated with those that matter share their importance, and are rightly
        found not to be independent of the target. P-values are of one feature: for many at a
        time, correct them.

        References
        ----------
        .. [1] Breiman, "Random forests", Machine Learning 45 (2001).
        .. [2] Altmann, Tolosi, Sander & Lengauer, "Permutation importance: a corrected feature
           importance measure", Bioinformatics 26 (2010).
        """
        check_is_fitted(self)
        if not self.bootstrap:
            raise ValueError("out-of-bag importances need a forest with bootstrap=True")
        X, y = check_training_rows(self, X, y, sample_weight)
        codes = self._encode_targets(y)
        weights = None if sample_weight is None else np.asarray(sample_weight, dtype=float)
        trees, score = self._get_trees(), self._get_importance_scorer()
        samplings = self._get_samplings(X.shape[0])
        tasks = [
            (
                trees.get_tree(index), X, codes, weights,
                np.flatnonzero(samplings[index].find_left_out(seed)), score,
                [random_state, index],
            )
            for index, seed in enumerate(self._seeds)
        ]  # fmt: skip
        result = summarize(np.array(map_tasks(compute_tree_importances, tasks, self.n_jobs)))
        if n_permutations:
            null = compute_null_importances(self, X, y, weights, random_state, n_permutations)
            n_above = (null >= result.importances_mean).sum(axis=0)
            result.pvalues = (1 + n_above) / (1 + n_permutations)
        return result

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
