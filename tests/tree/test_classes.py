"""The tree estimators: scikit-learn's trees, its tools, pickles, pruning, bad input."""

import pickle

import numpy as np
import pytest
import sklearn.tree
from scipy import sparse
from sklearn.datasets import load_diabetes, load_iris
from sklearn.tree import export_graphviz, export_text, plot_tree

from skextra.tree import DecisionTreeClassifier, DecisionTreeRegressor

PAIRS = [
    (DecisionTreeClassifier, sklearn.tree.DecisionTreeClassifier),
    (DecisionTreeRegressor, sklearn.tree.DecisionTreeRegressor),
]


def make_data(cls, n_outputs=1):
    X, y = load_iris(return_X_y=True)
    if cls is DecisionTreeRegressor:
        # Sums are exact, so that nothing ties but for rounding.
        X = np.random.default_rng(0).standard_normal((400, 3)).astype(np.float32)
        y = np.round(64 * (X[:, 0] + X[:, 1] ** 2)) / 64
    if n_outputs == 2:
        y = np.column_stack([y, y[::-1]])
    return X, y


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("options", [{"max_depth": 4}, {"max_leaf_nodes": 9}, {"ccp_alpha": 0.02}])
def test_same_predictions_as_sklearns(ours, theirs, n_outputs, options):
    X, y = make_data(ours, n_outputs)
    ours, theirs = (cls(random_state=0, **options).fit(X, y) for cls in (ours, theirs))
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X))
    if hasattr(ours, "predict_proba"):
        np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X))
    np.testing.assert_allclose(ours.feature_importances_, theirs.feature_importances_, atol=1e-12)
    assert ours.get_depth() == theirs.get_depth()
    assert ours.get_n_leaves() == theirs.get_n_leaves()
    if n_outputs == 1:
        assert ours.score(X, y) == pytest.approx(theirs.score(X, y))


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_sklearns_tools_read_our_tree(ours, theirs):
    X, y = make_data(ours)
    tree = ours(max_depth=3, random_state=0).fit(X, y)
    reference = theirs(max_depth=3, random_state=0).fit(X, y)
    assert export_text(tree) == export_text(reference)
    assert export_graphviz(tree, precision=2) == export_graphviz(reference, precision=2)
    assert len(plot_tree(tree)) == len(plot_tree(reference))
    assert (tree.decision_path(X) != reference.decision_path(X)).nnz == 0
    np.testing.assert_array_equal(tree.apply(X), tree.tree_.apply(X.astype(np.float32)))
    np.testing.assert_allclose(
        tree.cost_complexity_pruning_path(X, y).ccp_alphas,
        reference.cost_complexity_pruning_path(X, y).ccp_alphas,
        atol=1e-12,
    )


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_to_sklearn(ours, theirs):
    X, y = make_data(ours)
    tree = ours(random_state=0, max_depth=5).fit(X, y)
    converted = tree.to_sklearn()
    assert type(converted) is theirs
    np.testing.assert_allclose(converted.predict(X), tree.predict(X))
    assert converted.n_features_in_ == X.shape[1]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_pickles_are_compact_and_without_sklearns_tree(ours, theirs):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2000, 4))
    y = rng.integers(0, 2, 2000) if ours is DecisionTreeClassifier else X @ np.ones(4)
    tree, reference = ours(random_state=0).fit(X, y), theirs(random_state=0).fit(X, y)
    size = len(pickle.dumps(tree))
    assert size <= len(pickle.dumps(reference)) / 3
    tree.tree_  # noqa: B018  builds it, which the pickle must not show
    assert len(pickle.dumps(tree)) == size
    loaded = pickle.loads(pickle.dumps(tree))
    np.testing.assert_array_equal(loaded.predict(X), tree.predict(X))
    np.testing.assert_array_equal(loaded.tree_.impurity, tree.tree_.impurity)


def test_nothing_is_built_before_access():
    X, y = load_iris(return_X_y=True)
    tree = DecisionTreeClassifier().fit(X, y)
    tree.predict(X)
    assert "_sklearn_tree" not in vars(tree)
    with pytest.raises(AttributeError, match="before it is fitted"):
        DecisionTreeClassifier().tree_  # noqa: B018


@pytest.mark.parametrize("cls", [DecisionTreeClassifier, DecisionTreeRegressor])
@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csc_array, sparse.csr_array])
def test_sparse_equals_dense_with_missing_values_too(cls, container):
    X, y = make_data(cls)
    rng = np.random.default_rng(0)
    X = np.where(rng.random(X.shape) < 0.5, 0.0, X)
    X[rng.random(X.shape) < 0.1] = np.nan
    dense = cls(random_state=0).fit(X, y)
    stored = cls(random_state=0).fit(container(X), y)
    np.testing.assert_array_equal(stored.predict(container(X)), dense.predict(X))


def test_zero_weight_equals_removing_the_row():
    X, y = load_diabetes(return_X_y=True)
    weights = np.random.default_rng(0).integers(0, 3, len(y))
    weighted = DecisionTreeRegressor(min_samples_leaf=1, max_depth=4, random_state=0)
    weighted.fit(X, y, sample_weight=weights)
    repeated = DecisionTreeRegressor(min_samples_leaf=1, max_depth=4, random_state=0)
    repeated.fit(np.repeat(X, weights, axis=0), np.repeat(y, weights))
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X))


def test_equal_large_targets_are_one_leaf():
    X = np.arange(50.0)[:, None]
    tree = DecisionTreeRegressor().fit(X, np.full(50, 1e9 / 3))
    assert tree.get_n_leaves() == 1


@pytest.mark.parametrize(
    ("options", "fit_options", "message"),
    [
        ({}, {"sample_weight": np.zeros(150)}, "(?i)sample.weight"),
        ({"monotonic_cst": [1, 0]}, {}, "monotonic_cst has shape 2 but"),
        ({"monotonic_cst": [2, 0, 0, 0]}, {}, "array-like of -1, 0 or 1"),
        ({"monotonic_cst": [1, 0, 0, 0]}, {}, "multiclass"),
        ({"criterion": "squared_error"}, {}, "criterion"),
        ({"max_depth": 0}, {}, "max_depth"),
    ],
)
def test_bad_input_is_named(options, fit_options, message):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=message):
        DecisionTreeClassifier(**options).fit(X, y, **fit_options)


def test_large_values_in_float32_are_refused():
    with pytest.raises(ValueError, match="infinity"):
        DecisionTreeRegressor().fit([[1e300], [0.0]], [0.0, 1.0])
