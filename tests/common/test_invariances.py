"""Invariances: repeated rows and weights, order of rows, features, targets and labels."""

import numpy as np

from tests.common.estimators import (
    add_rows_between,
    assert_same_outputs,
    fit,
    for_each,
    get_sklearn_class,
    has_parameter,
    in_turn,
    is_deterministic,
    is_drop_in,
    is_kind,
    is_multi_output,
    is_weighted,
    make,
    make_data,
    make_splits,
)

N_GROUPS = 3


def is_weighted_and_deterministic(cls):
    return is_weighted(cls) and is_deterministic(cls)


def make_grouped_data(cls):
    """Data with fold labels, so that cross-validation cuts both fits alike."""
    X, y = make_data(cls)
    return X, y, np.arange(len(X)) % N_GROUPS


def fit_grouped(cls, X, y, groups, weights=None):
    parameters = {"cv": make_splits(groups)} if has_parameter("cv")(cls) else {}
    return fit(make(cls, tight=True, **parameters), X, y, weights)


def take(array, rows):
    return None if array is None else array[rows]


def balance(weights, groups):
    """Weights with one total in every fold: the mean over folds then weighs them alike."""
    totals = {group: weights[groups == group].sum() for group in np.unique(groups)}
    assert len(set(totals.values())) == 1, totals
    return weights


@for_each(has_parameter("random_state"))
def test_randomized_estimators_are_those_listed(cls):
    """Else the tests of this file would leave an estimator out that they should cover."""
    X, y = make_data(cls)
    first, second = (make(cls, random_state=seed).fit(X, y) for seed in (0, 1))
    try:
        assert_same_outputs(first, second, add_rows_between(X), exact=True)
    except AssertionError:
        assert not is_deterministic(cls)
    else:
        assert is_deterministic(cls)


@for_each(is_weighted_and_deterministic)
def test_integer_weights_equal_repeated_rows(cls):
    X, y, groups = make_grouped_data(cls)
    weights = balance(np.tile(np.repeat([1, 2, 3, 0], N_GROUPS), len(X) // 12), groups).astype(
        float
    )
    repeats = weights.astype(int)
    weighted = fit_grouped(cls, X, y, groups, weights)
    rows = np.repeat(np.arange(len(X)), repeats)
    twice = [take(array, rows) for array in (X, y, groups)]
    assert_same_outputs(fit_grouped(cls, *twice, np.ones(repeats.sum())), weighted, X)
    assert_same_outputs(fit_grouped(cls, *twice), weighted, X)


@for_each(is_weighted_and_deterministic)
def test_zero_weight_equals_removing_the_row(cls):
    X, y, groups = make_grouped_data(cls)
    kept = np.arange(len(X)) % 10 >= N_GROUPS
    weights = balance(kept.astype(float), groups)
    reference = fit_grouped(cls, X[kept], take(y, kept), groups[kept])
    assert_same_outputs(reference, fit_grouped(cls, X, y, groups, weights), X)
    # The values of rows with zero weight must not matter.
    X = np.where(kept[:, None], X, 1e3)
    if is_kind("regressor")(cls):
        y = np.where(kept.reshape(-1, *[1] * (y.ndim - 1)), y, -1e3)
    assert_same_outputs(reference, fit_grouped(cls, X, y, groups, weights), X[kept])


@for_each(is_weighted_and_deterministic)
def test_unit_weights_equal_no_weights(cls):
    X, y = make_data(cls)
    reference = fit(make(cls, tight=True), X, y)
    for weights in (1, np.ones(len(X)), np.ones(len(X), dtype=np.float32), [1] * len(X)):
        assert_same_outputs(reference, fit(make(cls, tight=True), X, y, weights), X)


@for_each(is_weighted_and_deterministic)
def test_a_number_is_that_weight_for_every_row(cls):
    X, y = make_data(cls)
    reference = fit(make(cls, tight=True), X, y, np.full(len(X), 2.5))
    assert_same_outputs(reference, fit(make(cls, tight=True), X, y, 2.5), X)


def agree(first, second, X):
    try:
        assert_same_outputs(first, second, X, rtol=1e-5)
    except AssertionError:
        return False
    return True


@for_each(
    lambda cls: (
        is_weighted_and_deterministic(cls)
        and is_drop_in(cls)
        and is_weighted(get_sklearn_class(cls))  # its GaussianMixture takes no weights
    )
)
def test_scale_of_weights_counts_as_it_does_in_sklearn(cls):
    X, y = make_data(cls)
    weights = np.linspace(0.5, 1.5, len(X))

    def fit_both(some_class):
        return [make(some_class, tight=True).fit(X, y, c * weights) for c in (1.0, 1000.0)]

    theirs, ours = fit_both(get_sklearn_class(cls)), fit_both(cls)
    if agree(*theirs, X):
        assert_same_outputs(*ours, X)
    else:
        assert not agree(*ours, X)


@for_each(is_deterministic)
def test_order_of_rows(cls):
    X, y, groups = make_grouped_data(cls)
    order = np.random.default_rng(1).permutation(len(X))
    reference = fit_grouped(cls, X, y, groups)
    permuted = fit_grouped(cls, X[order], take(y, order), groups[order])
    assert_same_outputs(reference, permuted, X)
    if is_weighted(cls):
        weights = np.linspace(0.0, 2.0, len(X))
        reference = fit_grouped(cls, X, y, groups, weights)
        permuted = fit_grouped(cls, X[order], take(y, order), groups[order], weights[order])
        assert_same_outputs(reference, permuted, X)


@for_each(lambda cls: is_deterministic(cls) and not hasattr(cls, "transform"))
def test_order_of_features(cls):
    X, y = make_data(cls)
    order = np.random.default_rng(1).permutation(X.shape[1])
    reference = fit(make(cls, tight=True), X, y)
    assert_same_outputs(reference, fit(make(cls, tight=True), X[:, order], y), X, X[:, order])


@for_each(lambda cls: is_deterministic(cls) and is_multi_output(cls) and is_kind("regressor")(cls))
def test_order_of_targets(cls):
    X, y = make_data(cls, n_targets=3)
    reference = fit(make(cls, tight=True), X, y).predict(X)
    permuted = fit(make(cls, tight=True), X, y[:, [2, 0, 1]]).predict(X)
    np.testing.assert_allclose(permuted, reference[:, [2, 0, 1]], rtol=1e-6, atol=1e-6)


@for_each(is_kind("classifier"))
@in_turn("names", ["text", "objects", "negative"])
def test_names_of_classes(cls, names):
    X, y = make_data(cls)
    labels = {
        "text": np.array(["a", "b", "c"]),
        "objects": np.array(["a", "b", "c"], dtype=object),
        "negative": np.array([-7, 0, 9]),
    }[names]
    reference = fit(make(cls), X, y).predict(X)
    np.testing.assert_array_equal(fit(make(cls), X, labels[y]).predict(X), labels[reference])


@for_each(lambda cls: has_parameter("fit_intercept")(cls) and is_kind("regressor")(cls))
def test_intercept_takes_up_shifts_of_features_and_target(cls):
    X, y = make_data(cls)
    reference = fit(make(cls, tight=True), X, y)
    shifts = np.linspace(-20.0, 30.0, X.shape[1])
    shifted = fit(make(cls, tight=True), X + shifts, y + 100.0)
    np.testing.assert_allclose(
        shifted.predict(X + shifts) - 100.0, reference.predict(X), rtol=1e-6, atol=1e-6
    )


@for_each(is_weighted_and_deterministic)
def test_weighted_fit_differs_from_unweighted(cls):
    """Without it, an estimator that drops its weights would pass half of this file."""
    X, y = make_data(cls)
    weights = np.where(np.arange(len(X)) < len(X) // 2, 10.0, 0.1)
    unweighted, weighted = fit(make(cls), X, y), fit(make(cls), X, y, weights)
    assert not agree(unweighted, weighted, add_rows_between(X))
