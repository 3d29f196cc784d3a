"""Held-out errors: from moments, from rows, and by hand."""

from dataclasses import fields

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.model_selection import KFold, LeaveOneOut, RepeatedKFold, ShuffleSplit

from skextra._core.least_squares.elastic_net import Settings, solve
from skextra._core.least_squares.elastic_net_folds import FoldErrors, Moments, _as_counts
from tests._core.least_squares.elastic_net_reference import make_problem

ALPHAS = np.array([1.0, 0.3, 0.05])


def create(X, y, folds, s=None, fit_intercept=True, v=None, tol=1e-13, positive=False):
    settings = Settings(tol, 20_000, positive)
    return FoldErrors(X, y, s, fit_intercept, v, settings, len(ALPHAS), folds)


def interleave(n_samples, n_folds):
    """Complementary folds whose tests part the rows."""
    labels = np.arange(n_samples) % n_folds
    return [(labels != i, labels == i) for i in range(n_folds)]


def predict_errors(X, y, train, test, s=None, fit_intercept=True, v=None, l1_ratio=0.7):
    """Errors of a fit to a copy of the training rows."""
    path = solve(
        X[train], y[train, None], ALPHAS, l1_ratio=l1_ratio, fit_intercept=fit_intercept,
        sample_weight=None if s is None else s[train], penalty_weights=v,
        settings=Settings(1e-13, 20_000),
    )  # fmt: skip
    predictions = X[test] @ path.coefs[0].T + path.intercepts[0]
    weights = None if s is None else s[test]
    return np.average((y[test, None] - predictions) ** 2, axis=0, weights=weights)


@pytest.mark.parametrize("kind", [np.ascontiguousarray, np.asfortranarray, sparse.csc_array])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("penalty", [None, "plain", "mixed"])
@pytest.mark.parametrize("offset", [0.0, 5.0])
def test_moments_and_rows_agree_with_a_plain_fit(kind, weighted, fit_intercept, penalty, offset):
    X, y = make_problem(60, 8, seed=1, offset=offset)
    X[np.random.default_rng(0).random(X.shape) < 0.3] = 0
    s = np.random.default_rng(1).uniform(0.1, 2, 60) if weighted else None
    v = None
    if penalty:
        v = np.random.default_rng(2).uniform(0.5, 2, 8)
        if penalty == "mixed":
            v[[1, 4, 6]] = 0.0, np.inf, 0.0
    train, test = interleave(60, 4)[0]
    folds = create(kind(X), y, interleave(60, 4), s, fit_intercept, v)
    moments, _ = folds._compute_from_moments(folds.parts[0], ALPHAS, 0.7)
    rows, converged = folds._compute_from_rows(*folds.folds[0], ALPHAS, 0.7)
    assert converged
    expected = predict_errors(X, y, train, test, s, fit_intercept, v)
    assert_allclose(moments, expected, rtol=1e-5)
    assert_allclose(rows, expected, rtol=1e-5)


@pytest.mark.parametrize("offset", [0.0, 1e2, 1e4])
def test_moments_of_single_precision(offset):
    """Means of 1e4 leave three digits of the data, and all of them count."""
    rng = np.random.default_rng(3)
    X = (rng.normal(size=(200, 5)) + offset).astype(np.float32)
    y = (X.astype(float) @ rng.normal(size=5) + rng.normal(size=200)).astype(np.float32)
    folds = interleave(200, 4)
    single = create(X, y, folds, tol=1e-6)
    double = create(X.astype(float), y.astype(float), folds)
    in_single = single._compute_from_moments(single.parts[0], ALPHAS, 1.0)
    in_double = double._compute_from_moments(double.parts[0], ALPHAS, 1.0)
    assert in_double is not None
    if in_single is not None:
        assert_allclose(in_single[0], in_double[0], rtol=0.01)


def test_moments_that_would_be_mostly_rounding_are_refused():
    test = np.arange(60) < 20

    def compute(X, y, alphas=ALPHAS, l1_ratio=1.0):
        folds = create(X, y, [(~test, test)])
        return folds._compute_from_moments(folds.parts[0], alphas, l1_ratio)

    X, y = make_problem(60, 4, seed=4)
    X[:, 0] = 0
    X[:20, 0] = 1e5 * np.arange(20)
    assert compute(X, y) is None
    X, y = make_problem(60, 4, seed=4)
    y[20:] = 1e-9 * y[20:]
    assert compute(X, y) is None
    X, y = make_problem(60, 4, seed=4)
    assert compute(X, y, np.array([0.1, 0.0])) is None
    assert compute(X, y, l1_ratio=0.0) is None
    assert compute(X, y) is not None


def test_counts():
    assert_array_equal(_as_counts(np.array([True, False, True]), 3), [1, 0, 1])
    assert_array_equal(_as_counts([0, 2, 2], 4), [1, 0, 2, 0])


def test_weights_of_nothing_are_named():
    X, y = make_problem(40, 4)
    s = np.r_[np.zeros(10), np.ones(30)]
    rows = np.arange(40)
    folds = create(X, y, [(rows >= 10, rows < 10), (rows < 10, rows >= 10)], s)
    with pytest.raises(ValueError, match="sample_weight.*test"):
        folds.compute(0, ALPHAS, 1.0)
    with pytest.raises(ValueError, match="sample_weight.*training"):
        folds.compute(1, ALPHAS, 1.0)


# --- moments -----------------------------------------------------------------------


def measure(X, y, s=None, shift=0.0, y_shift=0.0, fit_intercept=True):
    """Moments as their definition says; without an intercept nobody needs the sums."""
    s = np.ones(len(y)) if s is None else s
    Z, z = X - shift, y - y_shift
    sums, y_sum = (s @ Z, s @ z) if fit_intercept else (np.zeros(X.shape[1]), 0.0)
    cross, y_sum, yy = (Z.T @ (s * z))[:, None], np.array([y_sum]), np.array([s @ z**2])
    return Moments(Z.T @ (s[:, None] * Z), cross, sums, y_sum, yy, s.sum())


def assert_same_moments(moments, expected, **options):
    for field in fields(Moments):
        value = getattr(moments, field.name)
        assert_allclose(value, getattr(expected, field.name), err_msg=field.name, **options)


@pytest.fixture
def rows():
    X, y = make_problem(30, 4, seed=5)
    return X, y, np.random.default_rng(5).uniform(0.1, 2, 30)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_moments_add_and_subtract_like_sets_of_rows(fit_intercept, rows):
    X, y, s = rows
    options = {"shift": 0.3, "y_shift": -2.0, "fit_intercept": fit_intercept}
    total = measure(X, y, s, **options)
    first = measure(X[:12], y[:12], s[:12], **options)
    last = measure(X[12:], y[12:], s[12:], **options)
    before = measure(X[:12], y[:12], s[:12], **options)
    assert_same_moments(first + last, total, rtol=1e-12)
    assert_same_moments(total - first, last, rtol=1e-10)
    # Parts are shared between folds and threads.
    assert_same_moments(first, before, rtol=0)


@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_centered_moments_do_not_depend_on_the_shift(shift, rows):
    X, y, s = rows
    gram, cross, yy = measure(X, y, s, shift, 10 * shift).center()
    expected = measure(X, y, s, np.average(X, axis=0, weights=s), np.average(y, weights=s))
    assert_allclose(gram, expected.gram, rtol=1e-10)
    assert_allclose(cross, expected.cross, rtol=1e-10)
    assert_allclose(yy, expected.yy, rtol=1e-10)


def test_moments_without_intercept_have_no_center(rows):
    X, y, s = rows
    moments = measure(X, y, s, fit_intercept=False)
    gram, cross, yy = moments.center()
    assert_array_equal(gram, moments.gram)
    assert_array_equal(cross, moments.cross)
    assert yy == moments.yy


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_squared_errors_follow_from_moments(fit_intercept, weighted, rows):
    X, y, s = rows
    s = s if weighted else None
    shift, y_shift = (0.3, -2.0) if fit_intercept else (0.0, 0.0)
    W = np.random.default_rng(6).normal(size=(5, 4))
    intercepts = np.linspace(-1, 1, 5) if fit_intercept else np.zeros(5)
    moments = measure(X, y, s, shift, y_shift, fit_intercept)
    residuals = (y - y_shift)[:, None] - (X - shift) @ W.T - intercepts
    expected = (np.ones(30) if s is None else s) @ residuals**2
    assert_allclose(moments.compute_squared_errors(W[None], intercepts[None]), expected, rtol=1e-10)


@pytest.mark.parametrize("kind", [np.ascontiguousarray, np.asfortranarray, sparse.csc_array])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("excluded", [True, False])
@pytest.mark.parametrize("fold", ["adjacent", "scattered"])
def test_moments_read_from_the_data(kind, weighted, fit_intercept, excluded, fold):
    """Excluded features have none, and the mean weight is one whatever it was."""
    X, y = make_problem(60, 6, seed=7)
    X[np.random.default_rng(0).random(X.shape) < 0.3] = 0
    s = np.random.default_rng(1).uniform(0.1, 2, 60) if weighted else None
    v = np.array([1.0, np.inf, 0.5, 2.0, 0.0, np.inf]) if excluded else None
    test = np.arange(60) < 20 if fold == "adjacent" else np.arange(60) % 3 == 0
    folds = create(kind(X), y, [(~test, test)], s, fit_intercept, v)
    kept = [0, 2, 3, 4] if excluded else slice(None)
    scaled = np.ones(60) if s is None else s / s.mean()
    shift, y_shift = 0.0, 0.0
    if fit_intercept:
        shift, y_shift = np.average(X[:, kept], axis=0, weights=s), np.average(y, weights=s)
    options = {"shift": shift, "y_shift": y_shift, "fit_intercept": fit_intercept}
    expected = measure(X[test][:, kept], y[test], scaled[test], **options)
    assert_same_moments(folds.parts[0], expected, rtol=1e-9, atol=1e-11)
    expected = measure(X[:, kept], y, scaled, **options)
    assert_same_moments(folds.total, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csc_array])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_gram_matrix_of_all_rows(kind, fit_intercept):
    X, y = make_problem(60, 6, seed=8)
    s = np.random.default_rng(1).uniform(0.1, 2, 60)
    Z = X - np.average(X, axis=0, weights=s) if fit_intercept else X
    gram = create(kind(X), y, interleave(60, 4), s, fit_intercept).get_total_gram()
    assert_allclose(gram, (Z * (s / s.mean())[:, None]).T @ Z, rtol=1e-10, atol=1e-10)
    v = np.ones(6)
    assert create(kind(X), y, interleave(60, 4), s, fit_intercept, v).get_total_gram() is None
    X, y = make_problem(20, 301)
    assert create(kind(X), y, interleave(20, 4)).get_total_gram() is None


# --- where the moments of folds come from ------------------------------------------


@pytest.fixture
def read(monkeypatch):
    """Numbers of rows of each read of the data; fits to rows are forbidden."""
    counts, original = [], FoldErrors._sum_moments

    def spy(self, rows):
        counts.append(len(self.Y[rows]))
        return original(self, rows)

    def refuse(*args):
        raise AssertionError("fitted to rows")

    monkeypatch.setattr(FoldErrors, "_sum_moments", spy)
    monkeypatch.setattr(FoldErrors, "_compute_from_rows", refuse)
    return counts


def check_every_fold(X, y, folds, splits, **options):
    for index, (train, test) in enumerate(splits):
        for l1_ratio in (1.0, 0.3):
            errors, converged = folds.compute(index, ALPHAS, l1_ratio)
            assert converged
            expected = predict_errors(X, y, train, test, l1_ratio=l1_ratio, **options)
            assert_allclose(errors, expected, rtol=1e-5)


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_total_of_a_partition_is_the_sum_of_its_parts(weighted, fit_intercept, read):
    X, y = make_problem(60, 6, seed=9)
    s = np.random.default_rng(1).uniform(0.1, 2, 60) if weighted else None
    splits = [(np.flatnonzero(a), np.flatnonzero(b)) for a, b in interleave(60, 4)]
    folds = create(X, y, splits, s, fit_intercept)
    assert read == [15] * 4 and list(folds.parts) == [0, 1, 2, 3]
    first, *others = folds.parts.values()
    assert_same_moments(folds.total, sum(others, start=first), rtol=0)
    assert_same_moments(folds.total, folds._sum_moments(slice(None)), rtol=1e-9, atol=1e-11)
    check_every_fold(X, y, folds, splits, s=s, fit_intercept=fit_intercept)
    assert read == [15] * 4 + [60]


@pytest.mark.parametrize("splitter, is_once", [
    # Four tests of a quarter of the rows each: as many rows as a partition has.
    (ShuffleSplit(4, test_size=0.25, random_state=0), False),
    (RepeatedKFold(n_splits=2, n_repeats=2, random_state=0), False),
    (KFold(4, shuffle=True, random_state=0), True),
])  # fmt: skip
def test_overlapping_tests_do_not_make_the_total(splitter, is_once, read):
    X, y = make_problem(60, 6, seed=10)
    splits = list(splitter.split(X))
    folds = create(X, y, splits)
    n_tests = [len(test) for _, test in splits]
    assert read == n_tests + ([] if is_once else [60])
    total = measure(X, y, shift=X.mean(axis=0), y_shift=y.mean())
    assert_same_moments(folds.total, total, rtol=1e-9, atol=1e-11)
    check_every_fold(X, y, folds, splits)
    assert read == n_tests + ([] if is_once else [60])


def test_folds_beyond_the_memory_of_the_data_are_read_when_needed(read):
    """Forty Gram matrices of 3 by 3 are more than two copies of X."""
    X, y = make_problem(40, 3, seed=11)
    splits = list(LeaveOneOut().split(X))
    folds = create(X, y, splits)
    assert read == [40] and not folds.parts
    check_every_fold(X, y, folds, splits)
    assert read == [40] + [1] * 80 and not folds.parts


def test_folds_within_the_memory_of_the_data_are_kept(read):
    X, y = make_problem(40, 2, seed=11)
    splits = list(LeaveOneOut().split(X))
    folds = create(X, y, splits)
    assert read == [1] * 40 and len(folds.parts) == 40
    check_every_fold(X, y, folds, splits)
    assert read == [1] * 40


def test_only_complementary_folds_use_moments():
    """Neither a fold that leaves rows out nor one that repeats them spoils the others."""
    X, y = make_problem(60, 6, seed=12)
    splits = [(np.flatnonzero(a), np.flatnonzero(b)) for a, b in interleave(60, 4)]
    left_out = (np.arange(20), np.arange(50, 60))
    repeated = (np.r_[np.arange(30), np.arange(30)], np.r_[np.arange(30, 60), 59])
    both = (np.arange(40), np.arange(30, 60))
    splits = [left_out, *splits, repeated, both]
    folds = create(X, y, splits)
    assert list(folds.parts) == [1, 2, 3, 4]
    total = measure(X, y, shift=X.mean(axis=0), y_shift=y.mean())
    assert_same_moments(folds.total, total, rtol=1e-9, atol=1e-11)
    check_every_fold(X, y, folds, splits)


def test_wide_data_has_no_moments():
    X, y = make_problem(20, 301, seed=13)
    folds = create(X, y, interleave(20, 4))
    assert folds.total is None and not folds.parts
    check_every_fold(X, y, folds, interleave(20, 4))


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1])
@pytest.mark.parametrize("free", [True, False])
def test_constant_features_are_no_news(value, free):
    """Penalized or not, they can say nothing that the intercept has not said."""
    X, y = make_problem(60, 5, seed=14)
    X[:, 2] = value
    v = np.where(np.arange(5) == 2, 0.0, 1.0) if free else None
    folds = create(X, y, interleave(60, 4), v=v)
    for index, (train, test) in enumerate(interleave(60, 4)):
        errors, converged = folds.compute(index, ALPHAS, 0.7)
        assert converged
        expected = predict_errors(np.delete(X, 2, axis=1), y, train, test)
        assert_allclose(errors, expected, rtol=1e-5)


@pytest.mark.parametrize("scale", [1e160, 1e200])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csc_array])
def test_overflow_is_refused(scale, kind):
    X, y = make_problem(60, 5, seed=15)
    with pytest.raises(ValueError, match="overflow"):
        create(kind(X * scale), y, interleave(60, 4)).compute(0, ALPHAS, 1.0)
