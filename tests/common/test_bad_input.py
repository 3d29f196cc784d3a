"""Bad input: a clear error that names the argument, or a finite right answer.

Never a hang, a crash of the process, a silent NaN or a floating-point warning.
"""

import re
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.utils import get_tags

from tests.common.estimators import (
    OUTPUT_METHODS,
    compute_outputs,
    fit,
    fit_default,
    for_each,
    get_fitted_attributes,
    get_sklearn_class,
    has_parameter,
    in_turn,
    is_kind,
    is_randomized,
    is_single_output,
    is_sparse,
    is_weighted,
    make,
    make_data,
    requires_y,
)

REFUSALS = (ValueError, TypeError)
# scikit-learn's validation has words of its own, that users know, for X and y.
ABOUT_DATA = (
    r"Found array with|Complex data not supported|[Cc]ould not convert string to float"
    r"|argument must be a string or a real number|not compatible with arrays of bytes/strings"
    r"|inconsistent numbers of samples|at least 1 dimension"
)
ABOUT_X = rf"\bX\b|feature|Expected 2D array|inhomogeneous|{ABOUT_DATA}"
ABOUT_Y = rf"\by\b|[Uu]nknown label|{ABOUT_DATA}"
ABOUT_WEIGHTS = r"sample_weight|[Ss]ample weights"


def replace(array, value, position=(3, 1)):
    array = array.astype(np.result_type(array, type(value)) if type(value) is not str else object)
    array[position if array.ndim == 2 else 3] = value
    return array


BAD_X = {
    "NaN": lambda X: replace(X, np.nan),
    "inf": lambda X: replace(X, np.inf),
    "-inf": lambda X: replace(X, -np.inf),
    "float32 inf": lambda X: replace(X, np.inf).astype(np.float32),
    "text": lambda X: X.astype(str).astype("U3") + "a",
    "text among objects": lambda X: replace(X, "high"),
    "objects": lambda X: np.full(X.shape, object()),
    "complex": lambda X: X + 1j,
    "zero rows": lambda X: X[:0],
    "zero columns": lambda X: X[:, :0],
    "one dimension": lambda X: X[:, 0],
    "three dimensions": lambda X: X[:, :, None],
    "number": lambda X: 3.0,
    "none": lambda X: None,
    "ragged": lambda X: [[1.0], [1.0, 2.0]],
    "dictionary": lambda X: {"a": 1},
}
BAD_Y = {
    "NaN": lambda y: replace(y.astype(float), np.nan),
    "inf": lambda y: replace(y.astype(float), np.inf),
    "complex": lambda y: y + 1j,
    "empty": lambda y: y[:0],
    "none": lambda y: None,
    "three dimensions": lambda y: y.reshape(len(y), -1, 1),
    "number": lambda y: 3.0,
    "sparse": lambda y: sparse.csr_array(y.reshape(len(y), -1)),
}
BAD_WEIGHTS = {
    "all zero": lambda w: 0.0 * w,
    "negative": lambda w: replace(w, -1.0),
    "NaN": lambda w: replace(w, np.nan),
    "inf": lambda w: replace(w, np.inf),
    "text": lambda w: ["heavy"] * len(w),
    "name": lambda w: "balanced",
    "complex": lambda w: w + 1j,
    "too few": lambda w: w[:-1],
    "too many": lambda w: np.append(w, 1.0),
    "two dimensions": lambda w: w[:, None],
    "negative number": lambda w: -1.0,
    "zero": lambda w: 0.0,
    "NaN number": lambda w: np.nan,
    "objects": lambda w: np.full(w.shape, object()),
}


def is_allowed(cls, case):
    if case == "-inf":  # the logarithm of zero, where X holds logarithms
        return getattr(cls, "_allow_minus_infinity", False)
    return case == "NaN" and get_tags(cls()).input_tags.allow_nan


def assert_refused(call, about):
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        with pytest.raises(REFUSALS, match=about):
            call()


@for_each()
@in_turn("case", BAD_X)
def test_bad_X_is_refused_by_fit(cls, case):
    if is_allowed(cls, case):
        return
    X, y = make_data(cls)
    bad = BAD_X[case](X)
    if y is not None and hasattr(bad, "__len__"):
        y = y[: len(bad)]  # so that it is X that is wrong
    assert_refused(lambda: make(cls).fit(bad, y), ABOUT_X)


@for_each()
@in_turn("case", BAD_X)
def test_bad_X_is_refused_by_a_fitted_model(cls, case):
    if is_allowed(cls, case):
        return
    estimator, X, _ = fit_default(cls)
    bad = BAD_X[case](X)
    for name in set(OUTPUT_METHODS) & set(dir(estimator)):
        assert_refused(lambda name=name: getattr(estimator, name)(bad), ABOUT_X)


@for_each(is_sparse)
@in_turn("value", [np.nan, np.inf])
def test_bad_sparse_entries_are_refused(cls, value):
    X, y = make_data(cls)
    for container in (sparse.csr_array, sparse.csc_matrix):
        bad = container(replace(X, value))
        if np.isnan(value) and get_tags(cls()).input_tags.allow_nan:
            assert np.isfinite(fit(make(cls), bad, y).predict(bad)).all()
            continue
        assert_refused(lambda bad=bad: make(cls).fit(bad, y), ABOUT_X)
        assert_refused(lambda bad=bad: fit(make(cls), X, y).predict(bad), ABOUT_X)


@for_each()
@in_turn("change", [-1, 1])
def test_wrong_number_of_features_is_refused(cls, change):
    estimator, X, _ = fit_default(cls)
    bad = X[:, :-1] if change < 0 else np.c_[X, X[:, 0]]
    expected = f"X has {bad.shape[1]} features, but {cls.__name__} is expecting {X.shape[1]}"
    for name in set(OUTPUT_METHODS) & set(dir(estimator)):
        assert_refused(lambda name=name: getattr(estimator, name)(bad), expected)


@for_each(requires_y)
@in_turn("case", BAD_Y)
def test_bad_y_is_refused(cls, case):
    X, y = make_data(cls)
    bad = BAD_Y[case](y)
    assert_refused(lambda: make(cls).fit(X, bad), ABOUT_Y)


@for_each(is_kind("regressor"))
@in_turn("case", ["text", "objects"])
def test_y_that_is_no_number_is_refused_by_regressors(cls, case):
    X, y = make_data(cls)
    bad = np.full(y.shape, "high") if case == "text" else np.full(y.shape, object())
    assert_refused(lambda: make(cls).fit(X, bad), ABOUT_Y)


@for_each(requires_y)
def test_lengths_that_differ_are_refused(cls):
    X, y = make_data(cls)
    assert_refused(lambda: make(cls).fit(X, y[:-1]), "inconsistent numbers")
    assert_refused(lambda: make(cls).fit(X[:-1], y), "inconsistent numbers")


def is_fitted_by_scikit_learn(cls, X, y):
    theirs = get_sklearn_class(cls)
    try:
        return theirs is not None and make(theirs).fit(X, y) is not None
    except (TypeError, ValueError):
        return False


@for_each(is_kind("classifier"))
def test_one_class_is_refused_unless_scikit_learn_takes_it(cls):
    X, y = make_data(cls)
    y = np.zeros_like(y)
    if is_fitted_by_scikit_learn(cls, X, y):
        model = fit(make(cls), X, y)
        np.testing.assert_array_equal(model.predict(X), y)
        np.testing.assert_array_equal(model.predict_proba(X), np.ones((len(X), 1)))
    else:
        assert_refused(lambda: make(cls).fit(X, y), "class")


@for_each(is_weighted)
@in_turn("case", BAD_WEIGHTS)
def test_bad_weights_are_refused(cls, case):
    if case == "negative" and cls.__name__ == "SVC":
        return  # leaves such samples out, as scikit-learn's does; see its own tests
    X, y = make_data(cls)
    bad = BAD_WEIGHTS[case](np.linspace(0.5, 1.5, len(X)))
    assert_refused(lambda: make(cls).fit(X, y, sample_weight=bad), ABOUT_WEIGHTS)


BAD_PENALTY_WEIGHTS = {
    "too few": [1.0],
    "two dimensions": np.ones((1, 6)),
    "NaN": [1.0, np.nan, 1.0, 1.0, 1.0, 1.0],
    "negative": [1.0, -1.0, 1.0, 1.0, 1.0, 1.0],
    "text": ["a"] * 6,
    "complex": [1j] * 6,
}


@for_each(has_parameter("penalty_weights"))
@in_turn("case", BAD_PENALTY_WEIGHTS)
def test_bad_penalty_weights_are_refused(cls, case):
    X, y = make_data(cls)
    bad = BAD_PENALTY_WEIGHTS[case]
    assert_refused(lambda: make(cls, penalty_weights=bad).fit(X, y), "penalty_weights")


@for_each(lambda cls: has_parameter("penalty_weights")(cls) and is_kind("regressor")(cls))
def test_penalty_weights_at_their_ends(cls):
    """Everything excluded, nothing penalized: what is left is a mean, or least squares."""
    X, y = make_data(cls)
    excluded = fit(make(cls, penalty_weights=np.full(X.shape[1], np.inf)), X, y)
    assert excluded.coef_.shape[-1] == X.shape[1] and not excluded.coef_.any()
    means = np.broadcast_to(y.mean(axis=0), y.shape)
    np.testing.assert_allclose(excluded.predict(X), means)
    free = fit(make(cls, tight=True, penalty_weights=np.zeros(X.shape[1])), X, y)
    design = np.c_[np.ones(len(X)), X]
    solution = np.linalg.lstsq(design, y, rcond=None)[0]
    np.testing.assert_allclose(free.coef_.T, solution[1:], rtol=1e-5, atol=1e-6)
    ones = fit(make(cls, tight=True, penalty_weights=np.ones(X.shape[1])), X, y)
    np.testing.assert_allclose(
        ones.predict(X), fit(make(cls, tight=True), X, y).predict(X), rtol=1e-6
    )


@for_each(lambda cls: has_parameter("penalty_weights")(cls) and is_kind("classifier")(cls))
def test_penalty_weights_at_their_ends_in_classifiers(cls):
    """Everything excluded, nothing penalized: what is left are frequencies, or the likeliest."""
    X, y = make_data(cls)
    n_features = X.shape[1]
    # Some labels are moved, so that the classes are not separable.
    y = np.where(np.arange(len(y)) % 5 == 0, np.roll(y, 1), y)
    excluded = fit(make(cls, tight=True, penalty_weights=np.full(n_features, np.inf)), X, y)
    assert not excluded.coef_.any()
    frequencies = np.bincount(y) / len(y)
    np.testing.assert_allclose(excluded.predict_proba(X), np.tile(frequencies, (len(X), 1)))
    free = fit(make(cls, tight=True, penalty_weights=np.zeros(n_features)), X, y)
    likeliest = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000).fit(X, y)
    np.testing.assert_allclose(free.predict_proba(X), likeliest.predict_proba(X), atol=1e-6)
    ones = fit(make(cls, tight=True, penalty_weights=np.ones(n_features)), X, y)
    unweighted = fit(make(cls, tight=True), X, y)
    np.testing.assert_allclose(ones.predict_proba(X), unweighted.predict_proba(X), atol=1e-7)


def put(X, columns, value):
    X = X.copy()
    X[:, columns] = value
    return X


HARD = {
    "one feature": lambda X, y: (X[:, :1], y),
    "two rows": lambda X, y: (X[:2], y[:2]),
    "more features than rows": lambda X, y: (X[:4], y[:4]),
    "constant column": lambda X, y: (put(X, 2, 7.0), y),
    "only constant columns": lambda X, y: (np.full_like(X, 7.0), y),
    "column that is not quite constant": lambda X, y: (put(X, 2, 0.1 + 1e-17 * X[:, 2]), y),
    "only zeros": lambda X, y: (0.0 * X, y),
    "duplicate columns": lambda X, y: (np.c_[X, X, X[:, :1]], y),
    "duplicate rows": lambda X, y: (np.repeat(X[:6], 10, axis=0), np.repeat(y[:6], 10, axis=0)),
    "one row many times": lambda X, y: (np.tile(X[:1], (len(X), 1)), y),
    "huge X": lambda X, y: (1e200 * X, y),
    "large X": lambda X, y: (1e30 * X, y),
    "tiny X": lambda X, y: (1e-200 * X, y),
    "subnormal X": lambda X, y: (1e-310 * X, y),
    "largest X": lambda X, y: (np.sign(X) * np.finfo(float).max, y),
    "columns of very different scale": lambda X, y: (X * 10.0 ** np.arange(-90, 90, 30), y),
    "column scales beyond squares": lambda X, y: (X * 10.0 ** np.linspace(-200, 200, 6), y),
    "offset": lambda X, y: (X + 1e8, y),
    "offset that hides all": lambda X, y: (X + 1e20, y),
    "huge float32 X": lambda X, y: ((1e30 * X).astype(np.float32), y),
    "tiny float32 X": lambda X, y: ((1e-30 * X).astype(np.float32), y),
}
HARD_Y = {
    "constant y": lambda X, y: (X, np.full_like(y, 3.0)),
    "zero y": lambda X, y: (X, 0.0 * y),
    "huge y": lambda X, y: (X, 1e200 * y),
    "large y": lambda X, y: (X, 1e30 * y),
    "tiny y": lambda X, y: (X, 1e-200 * y),
    "subnormal y": lambda X, y: (X, 1e-310 * y),
    "offset y": lambda X, y: (X, y + 1e12),
    "huge X and y": lambda X, y: (1e200 * X, 1e200 * y),
    "tiny X and y": lambda X, y: (1e-200 * X, 1e-200 * y),
    "integer y": lambda X, y: (X, np.round(10 * y).astype(int)),
    "boolean y": lambda X, y: (X, y > 2),
    "y beyond float32": lambda X, y: (X.astype(np.float32), 1e60 * y),
}


def assert_right_or_refused(cls, X, y, weights=None, **parameters):
    """Fit, then hold the result against what any sound fit guarantees."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            warnings.simplefilter("ignore", ConvergenceWarning)
            options = {} if weights is None else {"sample_weight": weights}
            estimator = make(cls, **parameters).fit(X, y, **options)
    except REFUSALS as error:
        assert re.search(rf"{ABOUT_X}|{ABOUT_Y}|{ABOUT_WEIGHTS}|n_splits|overflow", str(error)), (
            error
        )
        return
    outputs = compute_outputs(estimator, X)
    for name, output in outputs.items():
        if output.dtype.kind == "f" and name != "predict_log_proba":
            assert np.isfinite(output).all(), name
    for name, value in get_fitted_attributes(estimator).items():
        value = value.data if sparse.issparse(value) else value
        if getattr(value, "dtype", np.dtype(object)).kind == "f" and np.ndim(value):
            assert not np.isnan(np.asarray(value)).any(), name
    # One that draws its samples at random does not promise it.
    if get_tags(estimator).estimator_type == "regressor" and not is_randomized(cls):
        assert_no_worse_than_the_mean(outputs["predict"], y, weights)
    if get_tags(estimator).estimator_type == "classifier":
        assert set(outputs["predict"]) <= set(y)


def assert_no_worse_than_the_mean(predicted, y, weights=None):
    # A penalized least-squares fit with an intercept has no larger loss than its
    # start, all coefficients zero; scaled first, so that squares do not overflow.
    y = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
    predicted = predicted.reshape(len(y), -1)
    scale = np.abs(y).max() or 1.0
    y, predicted = y / scale, predicted.astype(np.float64) / scale
    weights = np.ones(len(y)) if weights is None else weights / np.max(weights)
    assert np.abs(predicted).max() < 1e6, "far beyond every target"
    mean = np.average(y, axis=0, weights=weights)
    start = np.sqrt(np.sum(weights @ (y - mean) ** 2))
    reached = np.sqrt(np.sum(weights @ (y - predicted) ** 2))
    assert reached <= start * (1 + 1e-5) + 1e-5 * np.sqrt(weights.sum())


@for_each()
@in_turn("case", HARD)
def test_hard_X_gives_a_right_answer_or_a_clear_error(cls, case):
    X, y = make_data(cls)
    assert_right_or_refused(cls, *HARD[case](X, np.zeros(len(X)) if y is None else y))


@for_each(is_kind("regressor"))
@in_turn("case", HARD_Y)
def test_hard_y_gives_a_right_answer_or_a_clear_error(cls, case):
    assert_right_or_refused(cls, *HARD_Y[case](*make_data(cls)))


@for_each(is_sparse)
@in_turn("case", ["one feature", "only zeros", "duplicate columns", "huge X"])
def test_hard_sparse_X_gives_a_right_answer_or_a_clear_error(cls, case):
    X, y = HARD[case](*make_data(cls))
    assert_right_or_refused(cls, sparse.csr_array(X), y)


HARD_WEIGHTS = {
    "huge": lambda w: 1e200 * w,
    "tiny": lambda w: 1e-200 * w,
    "one row": lambda w: np.where(np.arange(len(w)) == 5, 1.0, 0.0),
    "two rows": lambda w: np.where(np.arange(len(w)) < 2, 1.0, 0.0),
    "of very different scale": lambda w: 10.0 ** np.linspace(-150, 150, len(w)),
    "sum beyond the largest number": lambda w: np.full(len(w), 1e308),
}


@for_each(is_weighted)
@in_turn("case", HARD_WEIGHTS)
def test_hard_weights_give_a_right_answer_or_a_clear_error(cls, case):
    X, y = make_data(cls)
    assert_right_or_refused(cls, X, y, HARD_WEIGHTS[case](np.linspace(0.5, 1.5, len(X))))


@for_each(lambda cls: is_kind("regressor")(cls))
def test_one_row(cls):
    X, y = make_data(cls)
    assert_right_or_refused(cls, X[:1], y[:1])


@for_each(lambda cls: is_kind("regressor")(cls) and is_single_output(cls))
def test_column_vector_of_targets(cls):
    X, y = make_data(cls)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # single-output estimators warn of the conversion
        column = make(cls).fit(X, y[:, None]).predict(X)
    np.testing.assert_allclose(column.ravel(), fit(make(cls), X, y).predict(X), rtol=1e-6)
