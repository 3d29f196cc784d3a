"""Forests that classify."""

from warnings import warn

import numpy as np
from sklearn.ensemble import (
    ExtraTreesClassifier as SklearnExtraTreesClassifier,
    RandomForestClassifier as SklearnRandomForestClassifier,
)
from sklearn.utils import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets

from skextra import _core
from skextra._compat import fit_context
from skextra.ensemble._forest.base import Forest
from skextra.ensemble._forest.out_of_bag import OOBScore
from skextra.tree import DecisionTreeClassifier, ExtraTreeClassifier, _data
from skextra.tree._classes import choose_classes, split_outputs


class ForestClassifier(Forest):
    """What forests of classification trees share."""

    _parameter_constraints = _data.allow_criteria(
        SklearnRandomForestClassifier._parameter_constraints, is_classification=True
    )

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Grow the trees.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data, taken as float32; NaN is a missing value.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Labels.
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
        """Class numbers, weights of the rows by class, and the attributes that follow from y."""
        check_classification_targets(y)
        classes, codes = zip(
            *(np.unique(column, return_inverse=True) for column in y.T), strict=True
        )
        codes, n_classes = np.column_stack(codes), [len(labels) for labels in classes]
        single = len(classes) == 1
        attributes = {
            "n_outputs_": len(classes),
            "classes_": classes[0] if single else list(classes),
            "n_classes_": n_classes[0] if single else n_classes,
        }
        if self.class_weight is None:
            return codes, None, attributes
        if not isinstance(self.class_weight, str):
            return codes, compute_sample_weight(self.class_weight, y), attributes
        if self.warm_start:
            warn(
                'class_weight presets "balanced" or "balanced_subsample" are not recommended for '
                "warm_start if the fitted data differs from the full dataset. Pass the weights as "
                "a dict instead, computed from a large enough sample of the targets.",
                stacklevel=5,
            )
        if self.class_weight == "balanced_subsample" and self.bootstrap:
            return codes, None, attributes  # in each sample anew
        return codes, compute_balanced_weights(codes, n_classes, sample_weight), attributes

    def _make_target(self, y, n_classes):
        return _core.tree.problem.classification_target(y, np.atleast_1d(n_classes))

    def _set_classes(self, tree):
        counts = np.atleast_1d(self.n_classes_)
        classes = [np.arange(count, dtype=np.float64) for count in counts]
        single = self.n_outputs_ == 1
        tree.classes_ = classes[0] if single else classes
        tree.n_classes_ = counts[0] if single else counts

    def _get_oob_scorer(self):
        metric = self.oob_score if callable(self.oob_score) else None
        return OOBScore(metric, tuple(int(n) for n in np.atleast_1d(self.n_classes_)))

    def _set_oob_predictions(self, values):
        parts = split_outputs(values, self.n_classes_)
        self.oob_decision_function_ = parts[0] if len(parts) == 1 else np.stack(parts, axis=2)

    def predict(self, X):
        """Predict the class of the largest mean probability.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples; compared as float32.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Labels.
        """
        values = self._average_values(X)
        return choose_classes(split_outputs(values, self.n_classes_), self.classes_)

    def predict_proba(self, X):
        """Predict probabilities: the mean over trees of the shares in each sample's leaf.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples; compared as float32.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes) or list of ndarray
            In the order of ``classes_``; for several outputs one array each.
        """
        parts = split_outputs(self._average_values(X), self.n_classes_)
        return parts[0] if self.n_outputs_ == 1 else parts

    def _encode_targets(self, y):
        codes = []
        for labels, column in zip(self._list_classes(), y.T, strict=True):
            is_known = np.isin(column, labels)
            if not is_known.all():
                raise ValueError(
                    f"y has labels that the forest was not fitted with: "
                    f"{np.unique(column[~is_known]).tolist()}; it knows {labels.tolist()}"
                )
            codes.append(np.searchsorted(labels, column))
        return np.column_stack(codes)

    def _get_importance_scorer(self):
        n_classes = self.n_classes_

        def score(y, values, weights):
            chosen = [part.argmax(axis=1) for part in split_outputs(values, n_classes)]
            return float(np.average((np.column_stack(chosen) == y).mean(axis=1), weights=weights))

        return score


def compute_balanced_weights(codes, n_classes, sample_weight):
    """Weights that give all classes of an output one total, multiplied over outputs.

    Parameters
    ----------
    codes : ndarray of int of shape (n_samples, n_outputs)
    n_classes : list of int
    sample_weight : ndarray of shape (n_samples,) or None
        Rows count by it, as in scikit-learn 1.9.

    Returns
    -------
    weights : ndarray of float64 of shape (n_samples,)
    """
    weights = np.ones(len(codes))
    for column, n in zip(codes.T, n_classes, strict=True):
        totals = np.bincount(column, sample_weight, minlength=n)
        # A class without weight needs none.
        own = np.divide(totals.sum(), n * totals, out=np.zeros(n), where=totals > 0)
        weights *= own[column]
    return weights


class RandomForestClassifier(ForestClassifier, SklearnRandomForestClassifier):
    """A random forest classifier.

    Many trees are grown on samples drawn with replacement, each node divided by the best
    threshold among some features drawn for it; they vote by their probabilities.

    Parameters
    ----------
    n_estimators : int, default=100
        Number of trees.
    criterion : {"gini", "entropy", "log_loss"}, default="gini"
        Impurity: Gini's index, or Shannon's entropy under either of two names.
    max_depth : int, default=None
        Largest depth of a tree; None for no limit.
    min_samples_split : int or float, default=2
        Fewest samples of a node that is divided; a float is a share of all samples.
    min_samples_leaf : int or float, default=1
        Fewest samples on either side of a split; a float is a share of all samples.
    min_weight_fraction_leaf : float, default=0.0
        Least share of the total weight on either side of a split.
    max_features : {"sqrt", "log2", None}, int or float, default="sqrt"
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
    class_weight : {"balanced", "balanced_subsample"}, dict or list of dict, default=None
        Weight of each class as ``{label: weight}``, for several outputs a list of them;
        "balanced" gives all classes one total, "balanced_subsample" in each sample.
    ccp_alpha : non-negative float, default=0.0
        Cost of a leaf in minimal cost-complexity pruning.
    max_samples : int or float, default=None
        Samples drawn for a tree: a number, or a share of the samples, or of their
        weight where they have weights; None for as many as there are.
    monotonic_cst : array-like of int of shape (n_features,), default=None
        For each feature whether the probability of the second class may only rise (1)
        or fall (-1) with it, or either (0).

    Attributes
    ----------
    estimators_ : list of DecisionTreeClassifier
        The trees, made into estimators when first asked for.
    estimator_ : DecisionTreeClassifier
        What they are copies of.
    classes_ : ndarray of shape (n_classes,) or list of ndarray
        Labels, sorted; for several outputs one array each.
    n_classes_ : int or list of int
        Number of classes.
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
    oob_decision_function_ : ndarray of shape (n_samples, n_classes) or \
            (n_samples, n_classes, n_outputs)
        Out-of-bag probabilities; NaN where every tree has seen the sample.

    See Also
    --------
    ExtraTreesClassifier : Thresholds are drawn, not searched.

    Notes
    -----
    With one `random_state` the trees are scikit-learn's, but for splits that tie.

    Differs from scikit-learn: thresholds are rounded down to float32, the precision
    in which values are compared, which changes no prediction; all different float32
    values can be divided, also those within 1e-7 of each other, so that units of
    features do not matter; nodes are numbered depth first with `max_leaf_nodes`
    too; rows that every tree has seen do not count in `oob_score_`, and have NaN as
    their out-of-bag prediction; `warm_start` refuses other features or classes;
    arrays of a tree's `tree_` are read-only, and a changed copy of it can be
    assigned; NaN is also taken in sparse matrices; `verbose` prints nothing.

    References
    ----------
    Breiman, "Random Forests", Machine Learning 45 (2001).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skextra.ensemble import RandomForestClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> forest = RandomForestClassifier(n_estimators=50, oob_score=True, random_state=0).fit(X, y)
    >>> forest.predict(X[[0, 60, 149]])
    array([0, 1, 2])
    >>> forest.oob_score_ > 0.9
    True
    """

    _sklearn_class = SklearnRandomForestClassifier
    _tree_class = DecisionTreeClassifier
    _splitter = "best"

    def __init__(
        self,
        n_estimators=100,
        *,
        criterion="gini",
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        min_weight_fraction_leaf=0.0,
        max_features="sqrt",
        max_leaf_nodes=None,
        min_impurity_decrease=0.0,
        bootstrap=True,
        oob_score=False,
        n_jobs=None,
        random_state=None,
        verbose=0,
        warm_start=False,
        class_weight=None,
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
            class_weight=class_weight,
            ccp_alpha=ccp_alpha,
            max_samples=max_samples,
            monotonic_cst=monotonic_cst,
        )
        self.estimator = self._tree_class()


class ExtraTreesClassifier(ForestClassifier, SklearnExtraTreesClassifier):
    """An extra-trees classifier.

    Each node of each tree is divided at the best of some thresholds, drawn uniformly
    between the extremes of features drawn for it; the trees vote by their probabilities.

    Parameters
    ----------
    n_estimators : int, default=100
        Number of trees.
    criterion : {"gini", "entropy", "log_loss"}, default="gini"
        Impurity: Gini's index, or Shannon's entropy under either of two names.
    max_depth : int, default=None
        Largest depth of a tree; None for no limit.
    min_samples_split : int or float, default=2
        Fewest samples of a node that is divided; a float is a share of all samples.
    min_samples_leaf : int or float, default=1
        Fewest samples on either side of a split; a float is a share of all samples.
    min_weight_fraction_leaf : float, default=0.0
        Least share of the total weight on either side of a split.
    max_features : {"sqrt", "log2", None}, int or float, default="sqrt"
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
    class_weight : {"balanced", "balanced_subsample"}, dict or list of dict, default=None
        Weight of each class as ``{label: weight}``, for several outputs a list of them;
        "balanced" gives all classes one total, "balanced_subsample" in each sample.
    ccp_alpha : non-negative float, default=0.0
        Cost of a leaf in minimal cost-complexity pruning.
    max_samples : int or float, default=None
        Samples drawn for a tree: a number, or a share of the samples, or of their
        weight where they have weights; None for as many as there are.
    monotonic_cst : array-like of int of shape (n_features,), default=None
        For each feature whether the probability of the second class may only rise (1)
        or fall (-1) with it, or either (0).

    Attributes
    ----------
    estimators_ : list of DecisionTreeClassifier
        The trees, made into estimators when first asked for.
    estimator_ : DecisionTreeClassifier
        What they are copies of.
    classes_ : ndarray of shape (n_classes,) or list of ndarray
        Labels, sorted; for several outputs one array each.
    n_classes_ : int or list of int
        Number of classes.
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
    oob_decision_function_ : ndarray of shape (n_samples, n_classes) or \
            (n_samples, n_classes, n_outputs)
        Out-of-bag probabilities; NaN where every tree has seen the sample.

    See Also
    --------
    RandomForestClassifier : Thresholds are searched, not drawn.

    Notes
    -----
    With one `random_state` the trees are scikit-learn's, but for splits that tie.

    Differs from scikit-learn: thresholds are rounded down to float32, the precision
    in which values are compared, which changes no prediction; all different float32
    values can be divided, also those within 1e-7 of each other, so that units of
    features do not matter; nodes are numbered depth first with `max_leaf_nodes`
    too; rows that every tree has seen do not count in `oob_score_`, and have NaN as
    their out-of-bag prediction; `warm_start` refuses other features or classes;
    arrays of a tree's `tree_` are read-only, and a changed copy of it can be
    assigned; NaN is also taken in sparse matrices; `verbose` prints nothing.

    References
    ----------
    Geurts, Ernst & Wehenkel, "Extremely randomized trees", Machine Learning 63 (2006).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skextra.ensemble import ExtraTreesClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> forest = ExtraTreesClassifier(n_estimators=50, random_state=0).fit(X, y)
    >>> forest.predict(X[[0, 60, 149]])
    array([0, 1, 2])
    """

    _sklearn_class = SklearnExtraTreesClassifier
    _tree_class = ExtraTreeClassifier
    _splitter = "random"

    def __init__(
        self,
        n_estimators=100,
        *,
        criterion="gini",
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        min_weight_fraction_leaf=0.0,
        max_features="sqrt",
        max_leaf_nodes=None,
        min_impurity_decrease=0.0,
        bootstrap=False,
        oob_score=False,
        n_jobs=None,
        random_state=None,
        verbose=0,
        warm_start=False,
        class_weight=None,
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
            class_weight=class_weight,
            ccp_alpha=ccp_alpha,
            max_samples=max_samples,
            monotonic_cst=monotonic_cst,
        )
        self.estimator = self._tree_class()
