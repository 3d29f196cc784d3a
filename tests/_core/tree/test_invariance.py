"""Units and offsets change no tree: powers of two scale without rounding, and so must trees."""

import numpy as np
import pytest

from skextra._core import tree

CRITERIA = ("gini", "entropy", "squared_error", "absolute_error", "poisson")


def make_problem(criterion, n_outputs=1, has_missing=False):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((150, 3)).astype(np.float32)
    X[:, 1] = np.round(2 * X[:, 1])
    signal = np.sin(2 * X[:, 0]) + X[:, 1] + 0.3 * rng.standard_normal(150)
    if has_missing:
        X[rng.random(X.shape) < 0.1] = np.nan
    y = np.column_stack([signal, -signal * signal])[:, :n_outputs]
    if criterion in ("gini", "entropy"):
        y = np.digitize(y, [-0.5, 0.7])
    return X, np.abs(y) if criterion == "poisson" else y, rng.uniform(0.5, 2.0, 150)


def grow(X, y, weights, criterion, **options):
    if criterion in ("gini", "entropy"):
        target = tree.problem.classification_target(y, y.max(axis=0) + 1)
    else:
        target = tree.problem.regression_target(y)
    settings = tree.grow.Settings(criterion, **{"max_features": 3, **options})
    return tree.grow.grow_tree(tree.encode.encode_dense(X), target, weights, settings, seed=1)


def assert_same_structure(first, second):
    np.testing.assert_array_equal(first.nodes[:, [0, 2]], second.nodes[:, [0, 2]])


@pytest.mark.parametrize("splitter", ["best", "random"])
@pytest.mark.parametrize("criterion", CRITERIA)
def test_units_of_features_and_weights(criterion, splitter):
    X, y, weights = make_problem(criterion)
    reference = grow(X, y, weights, criterion, splitter=splitter)
    assert reference.n_leaves > 10
    for exponent in (-100, -27, 90):
        scaled = grow(np.ldexp(X, exponent), y, weights, criterion, splitter=splitter)
        assert_same_structure(scaled, reference)
    for exponent in (-800, -40, 700):
        weighted = np.ldexp(weights, exponent)
        scaled = grow(X, y, weighted, criterion, splitter=splitter)
        np.testing.assert_array_equal(scaled.nodes, reference.nodes)
        np.testing.assert_array_equal(scaled.leaf_values, reference.leaf_values)
        np.testing.assert_array_equal(
            scaled.leaf_weights, np.ldexp(reference.leaf_weights, exponent)
        )


@pytest.mark.parametrize("splitter", ["best", "random"])
@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("criterion", CRITERIA[2:])
def test_units_of_targets(criterion, n_outputs, splitter):
    X, y, weights = make_problem(criterion, n_outputs)
    options = {"splitter": splitter, "min_impurity_decrease": 2.0**-10}
    reference = grow(X, y, weights, criterion, **options)
    assert reference.n_leaves > 10
    for exponent in (-450, -40, 450):
        power = 2 * exponent if criterion == "squared_error" else exponent
        options["min_impurity_decrease"] = np.ldexp(1.0, power - 10)
        scaled = grow(X, np.ldexp(y, exponent), weights, criterion, **options)
        np.testing.assert_array_equal(scaled.nodes, reference.nodes)
        np.testing.assert_array_equal(scaled.leaf_values, np.ldexp(reference.leaf_values, exponent))


@pytest.mark.parametrize("splitter", ["best", "random"])
@pytest.mark.parametrize("has_missing", [False, True])
@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("options", [{}, {"monotonic_cst": np.array([1, 0, 0], np.int8)}], ids=str)
def test_offset_of_targets(options, n_outputs, has_missing, splitter):
    if options and n_outputs > 1:
        options = {}
    X, y, weights = make_problem("squared_error", n_outputs, has_missing)
    y = np.round(64 * y) / 64  # exact beside an offset of 1e9, too
    options = {**options, "splitter": splitter, "min_samples_leaf": 4, "min_samples_split": 8}
    reference = grow(X, y, None, "squared_error", **options)
    for offset in (1e8, -1e9):
        shifted = grow(X, y + offset, None, "squared_error", **options)
        np.testing.assert_array_equal(shifted.nodes, reference.nodes)
        np.testing.assert_allclose(
            shifted.leaf_values - offset, reference.leaf_values, atol=1e-15 * abs(offset)
        )


def test_targets_that_differ_by_rounding_are_one():
    X = np.arange(100, dtype=np.float32)[:, None]
    y = np.full((100, 1), 1e5 / 3)
    y[::3] = np.nextafter(y[0, 0], 1.0)
    for criterion in CRITERIA[2:]:
        assert grow(X, y, None, criterion).n_leaves == 1
        assert grow(X, 1 + 1e-13 * np.arange(100.0)[:, None], None, criterion).n_leaves > 90


def test_a_side_without_weight_is_no_side():
    # The heavy row's weight is beyond the rounding of the others' sum.
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 2)).astype(np.float32)
    y = X[:, 0] + 0.1 * rng.standard_normal(200)
    weights = 10.0 ** rng.uniform(-12, 12, 200)
    grown = grow(X, y, weights, "squared_error")
    root = tree.nodes.describe_nodes(grown)
    mean = np.average(y, weights=weights)
    assert root[3][0, 0] == pytest.approx(mean)
    leaves = tree.predict.find_leaves(grown, X)[:, 0]
    rest = np.average((y - grown.leaf_values[leaves, 0]) ** 2, weights=weights)
    assert rest <= 1e-9 * np.average((y - mean) ** 2, weights=weights)


@pytest.mark.parametrize("criterion", ["squared_error", "poisson"])
def test_inner_nodes_are_described_far_from_zero(criterion):
    # Impurities of inner nodes follow from the leaves' values.
    X, y, weights = make_problem("poisson")
    grown = grow(X, y + 1e8, weights, criterion, max_depth=4)
    _, _, impurities, _ = tree.nodes.describe_nodes(grown)
    values = y[:, 0] + 1e8
    mean = np.average(values, weights=weights)
    expected = np.average((values - mean) ** 2, weights=weights)
    if criterion == "poisson":
        expected /= 2 * mean  # (1 + t) log(1 + t) - t is t^2 / 2 there
    assert impurities[0] == pytest.approx(expected, rel=1e-6)
    importances = tree.nodes.compute_importances(grown)
    assert (importances >= 0).all()
