"""Decision trees: scikit-learn's estimators on our core."""

import numpy as np
from sklearn.tree import (
    DecisionTreeClassifier as SklearnDecisionTreeClassifier,
    DecisionTreeRegressor as SklearnDecisionTreeRegressor,
)
from sklearn.utils import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets

from skextra import _core
from skextra._compat import fit_context
from skextra.tree import _data
from skextra.tree._base import Tree


class DecisionTreeClassifier(Tree, SklearnDecisionTreeClassifier):
    """A decision tree classifier (CART).

    A node's samples are divided by a threshold on one feature, the best of all by the
    decrease of impurity, until a rule stops it. The search is exact. With the same
    `random_state` the tree is scikit-learn's, node for node, but for splits that tie.

    Parameters
    ----------
    criterion : {"gini", "entropy", "log_loss"}, default="gini"
        Impurity: Gini's index, or Shannon's entropy under either of two names.
    splitter : {"best", "random"}, default="best"
        Whether a feature is divided at its best threshold or at one drawn uniformly.
    max_depth : int, default=None
        Largest depth; None for no limit.
    min_samples_split : int or float, default=2
        Fewest samples of a node that is divided; a float is a share of all samples.
    min_samples_leaf : int or float, default=1
        Fewest samples on either side of a split; a float is a share of all samples.
    min_weight_fraction_leaf : float, default=0.0
        Least share of the total weight on either side of a split.
    max_features : int, float or {"sqrt", "log2"}, default=None
        Features drawn for each node: a number, a share, the square root or the
        logarithm of their number; None for all.
    random_state : int, RandomState instance or None, default=None
        Of the features' order, which decides between splits that tie, and of drawn
        thresholds.
    max_leaf_nodes : int, default=None
        Largest number of leaves: the most useful split first; None for no limit.
    min_impurity_decrease : float, default=0.0
        Least decrease of impurity, weighted by the node's share of all weight.
    class_weight : dict, list of dict or "balanced", default=None
        Weight of each class as ``{label: weight}``, for several outputs a list of them;
        "balanced" gives all classes one total.
    ccp_alpha : non-negative float, default=0.0
        Cost of a leaf in minimal cost-complexity pruning.
    monotonic_cst : array-like of int of shape (n_features,), default=None
        For each feature whether the probability of the second class may only rise (1)
        or fall (-1) with it, or either (0). Two classes, one output.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,) or list of ndarray
        Labels, sorted; for several outputs one array each.
    n_classes_ : int or ndarray of shape (n_outputs,)
        Number of classes.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during `fit`, if all are strings.
    n_outputs_ : int
        Number of outputs.
    max_features_ : int
        Number of features drawn for each node.
    feature_importances_ : ndarray of shape (n_features,)
        Share of the decrease in impurity that each feature's splits have.
    tree_ : sklearn.tree._tree.Tree
        The tree in scikit-learn's form, built when first asked for; its arrays are read-only.

    See Also
    --------
    DecisionTreeRegressor : For real targets.
    skextra.ensemble.RandomForestClassifier : Many trees.

    Notes
    -----
    Differs from scikit-learn: thresholds are rounded down to float32, the precision
    in which values are compared, which changes no prediction; all different float32
    values can be divided, also those within 1e-7 of each other, so that units of
    features do not matter; nodes are numbered depth first with `max_leaf_nodes`
    too; arrays of `tree_` are read-only, and a changed copy of it can be assigned;
    NaN is also taken in sparse matrices.

    References
    ----------
    Breiman, Friedman, Olshen & Stone, "Classification and Regression Trees", 1984.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skextra.tree import DecisionTreeClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> tree = DecisionTreeClassifier(max_depth=2, random_state=0).fit(X, y)
    >>> tree.get_n_leaves()
    3
    >>> tree.predict(X[[0, 60, 149]])
    array([0, 1, 2])
    """

    _sklearn_class = SklearnDecisionTreeClassifier
    _parameter_constraints = _data.allow_criteria(
        SklearnDecisionTreeClassifier._parameter_constraints, is_classification=True
    )

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, check_input=True):
        """Grow the tree.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data, taken as float32; NaN is a missing value.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample; samples of weight 0 are left out.
        check_input : bool, default=True
            Whether to check `X`; only a checked float32 array may go without.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            If data, weights or constraints have a wrong shape or value.
        """
        return self._fit(X, y, sample_weight=sample_weight, check_input=check_input)

    def _make_target(self, y, sample_weight):
        check_classification_targets(y)
        classes, codes = zip(
            *(np.unique(column, return_inverse=True) for column in y.T), strict=True
        )
        weights = sample_weight
        if self.class_weight is not None:
            weights = compute_sample_weight(self.class_weight, y)
            weights = weights if sample_weight is None else weights * sample_weight
        n_classes = np.array([len(labels) for labels in classes], dtype=np.intp)
        target = _core.tree.problem.classification_target(np.column_stack(codes), n_classes)
        single = self.n_outputs_ == 1
        self.classes_ = classes[0] if single else list(classes)
        self.n_classes_ = n_classes[0] if single else n_classes
        return target, weights, int(n_classes[0])

    def predict(self, X, check_input=True):
        """Predict the most probable class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples; compared as float32.
        check_input : bool, default=True
            Whether to check `X`; only a checked float32 array may go without.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Labels.
        """
        values = self._sum_values(X, check_input)
        return choose_classes(split_outputs(values, self.n_classes_), self.classes_)

    def predict_proba(self, X, check_input=True):
        """Predict probabilities: the shares of the classes in each sample's leaf.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples; compared as float32.
        check_input : bool, default=True
            Whether to check `X`; only a checked float32 array may go without.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes) or list of ndarray
            In the order of ``classes_``; for several outputs one array each.
        """
        parts = split_outputs(self._sum_values(X, check_input), self.n_classes_)
        return parts[0] if self.n_outputs_ == 1 else parts


def split_outputs(values, n_classes):
    """Leaf values of several outputs, one array per output."""
    n_classes = np.atleast_1d(n_classes)
    stride = int(n_classes.max())
    return [values[:, k * stride : k * stride + n] for k, n in enumerate(n_classes)]


def choose_classes(parts, classes):
    """Labels of the largest entries, one column per output if there are several."""
    if len(parts) == 1:
        labels = classes if not isinstance(classes, list) else classes[0]
        return labels.take(np.argmax(parts[0], axis=1), axis=0)
    chosen = np.empty((len(parts[0]), len(parts)), dtype=classes[0].dtype)
    for k, part in enumerate(parts):
        chosen[:, k] = classes[k].take(np.argmax(part, axis=1), axis=0)
    return chosen


class DecisionTreeRegressor(Tree, SklearnDecisionTreeRegressor):
    """A decision tree regressor (CART).

    A node's samples are divided by a threshold on one feature, the best of all by the
    decrease of impurity, until a rule stops it. The search is exact. With the same
    `random_state` the tree is scikit-learn's, node for node, but for splits that tie.

    Parameters
    ----------
    criterion : {"squared_error", "absolute_error", "poisson", "gamma"}, default="squared_error"
        Impurity: variance, mean absolute deviation from the median, half the mean
        Poisson deviance, for targets that are not negative, or half the mean gamma
        deviance, for positive targets.
    splitter : {"best", "random"}, default="best"
        Whether a feature is divided at its best threshold or at one drawn uniformly.
    max_depth : int, default=None
        Largest depth; None for no limit.
    min_samples_split : int or float, default=2
        Fewest samples of a node that is divided; a float is a share of all samples.
    min_samples_leaf : int or float, default=1
        Fewest samples on either side of a split; a float is a share of all samples.
    min_weight_fraction_leaf : float, default=0.0
        Least share of the total weight on either side of a split.
    max_features : int, float or {"sqrt", "log2"}, default=None
        Features drawn for each node: a number, a share, the square root or the
        logarithm of their number; None for all.
    random_state : int, RandomState instance or None, default=None
        Of the features' order, which decides between splits that tie, and of drawn
        thresholds.
    max_leaf_nodes : int, default=None
        Largest number of leaves: the most useful split first; None for no limit.
    min_impurity_decrease : float, default=0.0
        Least decrease of impurity, weighted by the node's share of all weight.
    ccp_alpha : non-negative float, default=0.0
        Cost of a leaf in minimal cost-complexity pruning.
    monotonic_cst : array-like of int of shape (n_features,), default=None
        For each feature whether the prediction may only rise (1) or fall (-1) with it,
        or either (0). One output.

    Attributes
    ----------
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during `fit`, if all are strings.
    n_outputs_ : int
        Number of outputs.
    max_features_ : int
        Number of features drawn for each node.
    feature_importances_ : ndarray of shape (n_features,)
        Share of the decrease in impurity that each feature's splits have.
    tree_ : sklearn.tree._tree.Tree
        The tree in scikit-learn's form, built when first asked for; its arrays are read-only.

    See Also
    --------
    DecisionTreeClassifier : For classes.
    skextra.ensemble.RandomForestRegressor : Many trees.

    Notes
    -----
    Differs from scikit-learn: thresholds are rounded down to float32, the precision
    in which values are compared, which changes no prediction; all different float32
    values can be divided, also those within 1e-7 of each other, so that units of
    features do not matter; targets are compared relative to their own size, so that
    neither their units nor a constant added to them matter; nodes are numbered
    depth first with `max_leaf_nodes` too; arrays of `tree_` are read-only, and a
    changed copy of it can be assigned; NaN is also taken in sparse matrices;
    ``criterion="gamma"`` is ours.

    References
    ----------
    Breiman, Friedman, Olshen & Stone, "Classification and Regression Trees", 1984.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skextra.tree import DecisionTreeRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> tree = DecisionTreeRegressor(max_depth=3, random_state=0).fit(X, y)
    >>> tree.get_n_leaves()
    8
    >>> tree.predict(X[:2]).round(1)
    array([208.6,  83.4])
    """

    _sklearn_class = SklearnDecisionTreeRegressor
    _parameter_constraints = _data.allow_criteria(
        SklearnDecisionTreeRegressor._parameter_constraints, is_classification=False
    )

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, check_input=True):
        """Grow the tree.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data, taken as float32; NaN is a missing value.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample; samples of weight 0 are left out.
        check_input : bool, default=True
            Whether to check `X`; only a checked float32 array may go without.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            If data, weights or constraints have a wrong shape or value.
        """
        return self._fit(X, y, sample_weight=sample_weight, check_input=check_input)

    def _make_target(self, y, sample_weight):
        if self.criterion == "squared_error":
            _data.check_squares(y)
        return _core.tree.problem.regression_target(y), sample_weight, None

    def predict(self, X, check_input=True):
        """Predict the mean, or the median, of each sample's leaf.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples; compared as float32.
        check_input : bool, default=True
            Whether to check `X`; only a checked float32 array may go without.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions.
        """
        values = self._sum_values(X, check_input)
        return values[:, 0] if self.n_outputs_ == 1 else values
