"""Trees whose thresholds are drawn: scikit-learn's extra-trees on our core."""

from sklearn.tree import (
    ExtraTreeClassifier as SklearnExtraTreeClassifier,
    ExtraTreeRegressor as SklearnExtraTreeRegressor,
)

from skextra.tree._classes import DecisionTreeClassifier, DecisionTreeRegressor


class ExtraTreeClassifier(DecisionTreeClassifier, SklearnExtraTreeClassifier):
    """An extremely randomized tree classifier.

    At each node a threshold is drawn for each of a few features, and the best of these
    splits is taken. Alone such a tree is weak; it is meant for ensembles. With the same
    `random_state` the tree is scikit-learn's, node for node, but for splits that tie.

    Parameters
    ----------
    criterion : {"gini", "entropy", "log_loss"}, default="gini"
        Impurity: Gini's index, or Shannon's entropy under either of two names.
    splitter : {"random", "best"}, default="random"
        Whether a feature is divided at its best threshold or at one drawn uniformly.
    max_depth : int, default=None
        Largest depth; None for no limit.
    min_samples_split : int or float, default=2
        Fewest samples of a node that is divided; a float is a share of all samples.
    min_samples_leaf : int or float, default=1
        Fewest samples on either side of a split; a float is a share of all samples.
    min_weight_fraction_leaf : float, default=0.0
        Least share of the total weight on either side of a split.
    max_features : int, float or {"sqrt", "log2"}, default="sqrt"
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
    DecisionTreeClassifier : Thresholds are searched, not drawn.
    skextra.ensemble.ExtraTreesClassifier : Many such trees.

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
    Geurts, Ernst & Wehenkel, "Extremely randomized trees", Machine Learning 63 (2006).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skextra.tree import ExtraTreeClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> tree = ExtraTreeClassifier(random_state=0).fit(X, y)
    >>> tree.predict(X[[0, 60, 149]])
    array([0, 1, 2])
    """

    _sklearn_class = SklearnExtraTreeClassifier


class ExtraTreeRegressor(DecisionTreeRegressor, SklearnExtraTreeRegressor):
    """An extremely randomized tree regressor.

    At each node a threshold is drawn for each of a few features, and the best of these
    splits is taken. Alone such a tree is weak; it is meant for ensembles. With the same
    `random_state` the tree is scikit-learn's, node for node, but for splits that tie.

    Parameters
    ----------
    criterion : {"squared_error", "absolute_error", "poisson", "gamma"}, default="squared_error"
        Impurity: variance, mean absolute deviation from the median, half the mean
        Poisson deviance, for targets that are not negative, or half the mean gamma
        deviance, for positive targets.
    splitter : {"random", "best"}, default="random"
        Whether a feature is divided at its best threshold or at one drawn uniformly.
    max_depth : int, default=None
        Largest depth; None for no limit.
    min_samples_split : int or float, default=2
        Fewest samples of a node that is divided; a float is a share of all samples.
    min_samples_leaf : int or float, default=1
        Fewest samples on either side of a split; a float is a share of all samples.
    min_weight_fraction_leaf : float, default=0.0
        Least share of the total weight on either side of a split.
    max_features : int, float or {"sqrt", "log2"}, default=1.0
        Features drawn for each node: a number, a share, the square root or the
        logarithm of their number; None for all.
    random_state : int, RandomState instance or None, default=None
        Of the features' order, which decides between splits that tie, and of drawn
        thresholds.
    min_impurity_decrease : float, default=0.0
        Least decrease of impurity, weighted by the node's share of all weight.
    max_leaf_nodes : int, default=None
        Largest number of leaves: the most useful split first; None for no limit.
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
    DecisionTreeRegressor : Thresholds are searched, not drawn.
    skextra.ensemble.ExtraTreesRegressor : Many such trees.

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
    Geurts, Ernst & Wehenkel, "Extremely randomized trees", Machine Learning 63 (2006).

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skextra.tree import ExtraTreeRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> tree = ExtraTreeRegressor(random_state=0).fit(X, y)
    >>> tree.predict(X[:2])
    array([151.,  75.])
    """

    _sklearn_class = SklearnExtraTreeRegressor
