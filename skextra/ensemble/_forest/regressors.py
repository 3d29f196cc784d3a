"""Forests that predict real numbers."""

import numpy as np
from sklearn.ensemble import (
    ExtraTreesRegressor as SklearnExtraTreesRegressor,
    RandomForestRegressor as SklearnRandomForestRegressor,
)
from sklearn.utils.validation import check_is_fitted

from skextra import _core
from skextra._compat import fit_context
from skextra.ensemble._forest.base import Forest
from skextra.ensemble._forest.oob_importances import check_training_rows
from skextra.ensemble._forest.out_of_bag import OOBScore
from skextra.tree import DecisionTreeRegressor, ExtraTreeRegressor, _data


class ForestRegressor(Forest):
    """What forests of regression trees share."""

    _parameter_constraints = _data.allow_criteria(
        SklearnRandomForestRegressor._parameter_constraints, is_classification=False
    )

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Grow the trees.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data, taken as float32; NaN is a missing value.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, in proportion to which samples are drawn; without a bootstrap,
            weights of the samples in every tree.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            If data, weights or constraints have a wrong shape or value, or parameters
            contradict each other.
        """
        return self._fit_forest(X, y, sample_weight)

    def _encode_training_targets(self, y, sample_weight):
        return np.asarray(y, dtype=np.float64), None, {"n_outputs_": y.shape[1]}

    def _make_target(self, y, n_classes):
        if self.criterion == "squared_error":
            _data.check_squares(y)
        return _core.tree.problem.regression_target(y)

    def _get_oob_scorer(self):
        return OOBScore(self.oob_score if callable(self.oob_score) else None, ())

    def _set_oob_predictions(self, values):
        self.oob_prediction_ = values if self.n_outputs_ > 1 else values[:, 0]

    def predict(self, X):
        """Predict the mean over trees of the value of each sample's leaf.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples; compared as float32.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions.
        """
        values = self._average_values(X)
        return values[:, 0] if self.n_outputs_ == 1 else values

    def _encode_targets(self, y):
        y = y.astype(np.float64)
        if not np.isfinite(y).all():
            raise ValueError("y must be finite, got NaN or infinity")
        return y

    def _get_importance_scorer(self):
        def score(y, values, weights):
            return -float(np.average(((y - values) ** 2).mean(axis=1), weights=weights))

        return score

    def predict_quantiles(self, X, X_train, y_train, quantiles=(0.05, 0.5, 0.95)):
        """Predict quantiles of the target: the training targets in a sample's leaves.

        A training sample counts in proportion to its weight in a tree, as a share of its
        leaf; shares are averaged over trees, and the quantiles are those of the targets
        so weighted.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples; compared as float32.
        X_train : {array-like, sparse matrix} of shape (n_training_samples, n_features)
            The training data, in the same order: a forest does not keep them.
        y_train : array-like of shape (n_training_samples,)
            Their targets.
        quantiles : float or array-like of shape (n_quantiles,), default=(0.05, 0.5, 0.95)
            Between 0 and 1, in any order.

        Returns
        -------
        y : ndarray of shape (n_samples, n_quantiles)
            In the order of `quantiles`.

        Raises
        ------
        ValueError
            If quantiles are outside [0, 1], the data are not as many as in `fit`, or
            there are several outputs.

        References
        ----------
        Meinshausen, "Quantile Regression Forests", JMLR 7 (2006).
        """
        check_is_fitted(self)
        if self.n_outputs_ > 1:
            raise ValueError(f"predict_quantiles needs one output, got {self.n_outputs_}")
        levels = np.atleast_1d(np.asarray(quantiles, dtype=np.float64))
        if levels.ndim != 1 or len(levels) == 0 or not ((levels >= 0) & (levels <= 1)).all():
            raise ValueError(f"quantiles must be numbers between 0 and 1, got {quantiles!r}")
        X_train, y_train = check_training_rows(self, X_train, y_train, None)
        X = _data.validate_rows(self, X)
        trees, samplings = self._get_trees(), self._get_samplings(X_train.shape[0])
        kept = _core.tree.quantiles.LeafTargets(
            _data.find_leaves(trees, X_train, n_jobs=self.n_jobs),
            [
                sampling.compute_weights(seed)
                for sampling, seed in zip(samplings, self._seeds, strict=True)
            ],
            y_train[:, 0].astype(np.float64),
        )
        order = np.argsort(levels, kind="stable")
        out = np.empty((X.shape[0], len(levels)))
        for start in range(0, X.shape[0], 4096):
            leaves = _data.find_leaves(trees, X[start : start + 4096], n_jobs=self.n_jobs)
            out[start : start + 4096, order] = kept.compute_quantiles(leaves, levels[order])
        return out


class RandomForestRegressor(ForestRegressor, SklearnRandomForestRegressor):
    """A random forest regressor.

    Many trees are grown on samples drawn with replacement, each node divided by the best
    threshold of its features; their predictions are averaged.

    Parameters
    ----------
    n_estimators : int, default=100
        Number of trees.
    criterion : {"squared_error", "absolute_error", "poisson", "gamma"}, default="squared_error"
        Impurity: variance, absolute deviation from the median, half the Poisson deviance, or
        half the gamma deviance, for positive targets.
    max_depth : int, default=None
        Largest depth of a tree; None for no limit.
    min_samples_split : int or float, default=2
        Fewest samples of a node that is divided; a float is a share of all samples.
    min_samples_leaf : int or float, default=1
        Fewest samples on either side of a split; a float is a share of all samples.
    min_weight_fraction_leaf : float, default=0.0
        Least share of the total weight on either side of a split.
    max_features : {"sqrt", "log2", None}, int or float, default=1.0
        Features drawn for each node: the square root or the logarithm of their number,
        a number, or a share; None for all. "log2" is the classical recommendation.
    max_leaf_nodes : int, default=None
        Largest number of leaves: the most useful split first; None for no limit.
    min_impurity_decrease : float, default=0.0
        Least decrease of impurity, weighted by the node's share of all weight.
    bootstrap : bool, default=True
        Whether each tree sees a sample drawn with replacement; else all samples.
    oob_score : bool or callable, default=False
        Whether to estimate the score of prediction from the samples that each tree has
        not seen; a callable is used as ``score(y_true, y_pred)``.
    n_jobs : int, default=None
        Threads, or workers of joblib's backend; the result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Of samples, of the features drawn, and of drawn thresholds.
    verbose : int, default=0
        Accepted for compatibility: nothing is printed. Callbacks report progress.
    warm_start : bool, default=False
        Keep the trees of the previous fit and add to them.
    ccp_alpha : non-negative float, default=0.0
        Cost of a leaf in minimal cost-complexity pruning.
    max_samples : int or float, default=None
        Samples drawn for a tree: a number, or a share of the samples, or of their
        weight where they have weights; None for as many as there are.
    monotonic_cst : array-like of int of shape (n_features,), default=None
        For each feature whether the prediction may only rise (1)
        or fall (-1) with it, or either (0).

    Attributes
    ----------
    estimators_ : list of DecisionTreeRegressor
        The trees, made into estimators when first asked for.
    estimator_ : DecisionTreeRegressor
        What they are copies of.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during `fit`, if all are strings.
    n_outputs_ : int
        Number of outputs.
    feature_importances_ : ndarray of shape (n_features,)
        Mean over trees of each feature's share in the decrease in impurity. It favors
        features of many values: see `compute_oob_importances`.
    estimators_samples_ : list of ndarray
        Rows of each tree's sample, drawn anew when asked for.
    oob_score_ : float
        Score of the out-of-bag predictions, with ``oob_score``.
    oob_curve_ : ndarray of shape (n_estimators,)
        That score after each tree, of the samples that have a prediction by then.
    oob_prediction_ : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Out-of-bag predictions; NaN where every tree has seen the sample.

    See Also
    --------
    ExtraTreesRegressor : Thresholds are drawn, not searched.

    Notes
    -----
    With one `random_state` the trees are scikit-learn's, but for splits that tie.

    Differs from scikit-learn: thresholds are rounded down to float32, the precision
    in which values are compared, which changes no prediction; all different float32
    values can be divided, also those within 1e-7 of each other, so that units of
    features do not matter; targets are compared relative to their own size, so that
    neither their units nor a constant added to them matter; nodes are numbered
    depth first with `max_leaf_nodes` too; rows that every tree has seen do not
    count in `oob_score_`, and have NaN as their out-of-bag prediction; `warm_start`
    refuses other features or classes; arrays of a tree's `tree_` are read-only, and
    a changed copy of it can be assigned; NaN is also taken in sparse matrices;
    ``criterion="gamma"`` is ours; `verbose` prints nothing.

    References
    ----------
    Breiman, "Random Forests", Machine Learning 45 (2001).

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skextra.ensemble import RandomForestRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> forest = RandomForestRegressor(n_estimators=50, oob_score=True, random_state=0).fit(X, y)
    >>> forest.predict(X[:2]).shape
    (2,)
    >>> forest.oob_score_ > 0.35
    True
    """

    _sklearn_class = SklearnRandomForestRegressor
    _tree_class = DecisionTreeRegressor
    _splitter = "best"

    def __init__(
        self,
        n_estimators=100,
        *,
        criterion="squared_error",
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        min_weight_fraction_leaf=0.0,
        max_features=1.0,
        max_leaf_nodes=None,
        min_impurity_decrease=0.0,
        bootstrap=True,
        oob_score=False,
        n_jobs=None,
        random_state=None,
        verbose=0,
        warm_start=False,
        ccp_alpha=0.0,
        max_samples=None,
        monotonic_cst=None,
    ):
        super().__init__(
            n_estimators=n_estimators,
            criterion=criterion,
            max_depth=max_depth,
            min_samples_split=min_samples_split,
            min_samples_leaf=min_samples_leaf,
            min_weight_fraction_leaf=min_weight_fraction_leaf,
            max_features=max_features,
            max_leaf_nodes=max_leaf_nodes,
            min_impurity_decrease=min_impurity_decrease,
            bootstrap=bootstrap,
            oob_score=oob_score,
            n_jobs=n_jobs,
            random_state=random_state,
            verbose=verbose,
            warm_start=warm_start,
            ccp_alpha=ccp_alpha,
            max_samples=max_samples,
            monotonic_cst=monotonic_cst,
        )
        self.estimator = self._tree_class()


class ExtraTreesRegressor(ForestRegressor, SklearnExtraTreesRegressor):
    """An extra-trees regressor.

    Each node of each tree is divided at the best of some thresholds, drawn uniformly
    between the extremes of its features; their predictions are averaged.

    Parameters
    ----------
    n_estimators : int, default=100
        Number of trees.
    criterion : {"squared_error", "absolute_error", "poisson", "gamma"}, default="squared_error"
        Impurity: variance, absolute deviation from the median, half the Poisson deviance, or
        half the gamma deviance, for positive targets.
    max_depth : int, default=None
        Largest depth of a tree; None for no limit.
    min_samples_split : int or float, default=2
        Fewest samples of a node that is divided; a float is a share of all samples.
    min_samples_leaf : int or float, default=1
        Fewest samples on either side of a split; a float is a share of all samples.
    min_weight_fraction_leaf : float, default=0.0
        Least share of the total weight on either side of a split.
    max_features : {"sqrt", "log2", None}, int or float, default=1.0
        Features drawn for each node: the square root or the logarithm of their number,
        a number, or a share; None for all. "log2" is the classical recommendation.
    max_leaf_nodes : int, default=None
        Largest number of leaves: the most useful split first; None for no limit.
    min_impurity_decrease : float, default=0.0
        Least decrease of impurity, weighted by the node's share of all weight.
    bootstrap : bool, default=False
        Whether each tree sees a sample drawn with replacement; else all samples.
    oob_score : bool or callable, default=False
        Whether to estimate the score of prediction from the samples that each tree has
        not seen; a callable is used as ``score(y_true, y_pred)``.
    n_jobs : int, default=None
        Threads, or workers of joblib's backend; the result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Of samples, of the features drawn, and of drawn thresholds.
    verbose : int, default=0
        Accepted for compatibility: nothing is printed. Callbacks report progress.
    warm_start : bool, default=False
        Keep the trees of the previous fit and add to them.
    ccp_alpha : non-negative float, default=0.0
        Cost of a leaf in minimal cost-complexity pruning.
    max_samples : int or float, default=None
        Samples drawn for a tree: a number, or a share of the samples, or of their
        weight where they have weights; None for as many as there are.
    monotonic_cst : array-like of int of shape (n_features,), default=None
        For each feature whether the prediction may only rise (1)
        or fall (-1) with it, or either (0).

    Attributes
    ----------
    estimators_ : list of DecisionTreeRegressor
        The trees, made into estimators when first asked for.
    estimator_ : DecisionTreeRegressor
        What they are copies of.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during `fit`, if all are strings.
    n_outputs_ : int
        Number of outputs.
    feature_importances_ : ndarray of shape (n_features,)
        Mean over trees of each feature's share in the decrease in impurity. It favors
        features of many values: see `compute_oob_importances`.
    estimators_samples_ : list of ndarray
        Rows of each tree's sample, drawn anew when asked for.
    oob_score_ : float
        Score of the out-of-bag predictions, with ``oob_score``.
    oob_curve_ : ndarray of shape (n_estimators,)
        That score after each tree, of the samples that have a prediction by then.
    oob_prediction_ : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Out-of-bag predictions; NaN where every tree has seen the sample.

    See Also
    --------
    RandomForestRegressor : Thresholds are searched, not drawn.

    Notes
    -----
    With one `random_state` the trees are scikit-learn's, but for splits that tie.

    Differs from scikit-learn: thresholds are rounded down to float32, the precision
    in which values are compared, which changes no prediction; all different float32
    values can be divided, also those within 1e-7 of each other, so that units of
    features do not matter; targets are compared relative to their own size, so that
    neither their units nor a constant added to them matter; nodes are numbered
    depth first with `max_leaf_nodes` too; rows that every tree has seen do not
    count in `oob_score_`, and have NaN as their out-of-bag prediction; `warm_start`
    refuses other features or classes; arrays of a tree's `tree_` are read-only, and
    a changed copy of it can be assigned; NaN is also taken in sparse matrices;
    ``criterion="gamma"`` is ours; `verbose` prints nothing.

    References
    ----------
    Geurts, Ernst & Wehenkel, "Extremely randomized trees", Machine Learning 63 (2006).

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skextra.ensemble import ExtraTreesRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> forest = ExtraTreesRegressor(n_estimators=50, random_state=0).fit(X, y)
    >>> forest.predict(X[:2]).shape
    (2,)
    """

    _sklearn_class = SklearnExtraTreesRegressor
    _tree_class = ExtraTreeRegressor
    _splitter = "random"

    def __init__(
        self,
        n_estimators=100,
        *,
        criterion="squared_error",
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        min_weight_fraction_leaf=0.0,
        max_features=1.0,
        max_leaf_nodes=None,
        min_impurity_decrease=0.0,
        bootstrap=False,
        oob_score=False,
        n_jobs=None,
        random_state=None,
        verbose=0,
        warm_start=False,
        ccp_alpha=0.0,
        max_samples=None,
        monotonic_cst=None,
    ):
        super().__init__(
            n_estimators=n_estimators,
            criterion=criterion,
            max_depth=max_depth,
            min_samples_split=min_samples_split,
            min_samples_leaf=min_samples_leaf,
            min_weight_fraction_leaf=min_weight_fraction_leaf,
            max_features=max_features,
            max_leaf_nodes=max_leaf_nodes,
            min_impurity_decrease=min_impurity_decrease,
            bootstrap=bootstrap,
            oob_score=oob_score,
            n_jobs=n_jobs,
            random_state=random_state,
            verbose=verbose,
            warm_start=warm_start,
            ccp_alpha=ccp_alpha,
            max_samples=max_samples,
            monotonic_cst=monotonic_cst,
        )
        self.estimator = self._tree_class()
