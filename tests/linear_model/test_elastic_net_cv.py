"""LassoCV and ElasticNetCV against a plain loop of fits over the folds."""

import warnings

import numpy as np
import pytest
import sklearn.linear_model
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GroupKFold, KFold, LeaveOneOut, ShuffleSplit

from skextra._core.least_squares import elastic_net_folds
from skextra.linear_model import ElasticNet, ElasticNetCV, LassoCV
from tests._core.least_squares.elastic_net_reference import make_problem

pytestmark = pytest.mark.filterwarnings("error::sklearn.exceptions.ConvergenceWarning")

TIGHT = {"tol": 1e-12, "max_iter": 50_000}


def compute_errors(X, y, folds, alphas, l1_ratio=1.0, sample_weight=None, **options):
    """Weighted test errors, one fit for every fold and every alpha."""
    errors = np.empty((len(alphas), len(folds)))
    for j, (train, test) in enumerate(folds):
        s = np.ones(len(y)) if sample_weight is None else sample_weight
        for i, alpha in enumerate(alphas):
            model = ElasticNet(alpha, l1_ratio=l1_ratio, **TIGHT, **options)
            model.fit(X[train], y[train], sample_weight=s[train])
            squares = (y[test] - model.predict(X[test])) ** 2
            errors[i, j] = np.average(squares, weights=s[test])
    return errors


def check(model, X, y, folds, sample_weight=None, atol=2e-5, **options):
    """The whole search, by brute force."""
    options.setdefault("l1_ratio", 1.0)
    errors = compute_errors(X, y, folds, model.alphas_, sample_weight=sample_weight, **options)
    # Fitted values are 1e-6 of y exact, errors twice that, times the extrapolation.
    assert_allclose(model.mse_path_, errors, rtol=2e-5, atol=atol * 1e-3)
    assert model.alpha_ == model.alphas_[model.mse_path_.mean(axis=1).argmin()]
    s = sample_weight
    expected = ElasticNet(model.alpha_, **TIGHT, **options).fit(X, y, sample_weight=s)
    assert_allclose(model.coef_, expected.coef_, atol=1e-5)
    assert_allclose(model.intercept_, expected.intercept_, atol=1e-4)
    assert model.converged_ and 0 <= model.dual_gap_ <= 1e-12


def create_folds(name, n):
    rng = np.random.default_rng(0)
    if name == "kfold":
        return list(KFold(4).split(np.zeros(n)))
    if name == "shuffle split":
        return list(ShuffleSplit(4, test_size=0.3, random_state=0).split(np.zeros(n)))
    if name == "bootstrap":
        draws = [rng.integers(0, n, n) for _ in range(3)]
        return [(draw, np.setdiff1d(np.arange(n), draw)) for draw in draws]
    if name == "repeated test rows":
        return [(np.arange(n // 2), rng.integers(n // 2, n, n)) for _ in range(2)]
    if name == "training rows as test rows":
        return [(np.arange(n), np.arange(n)), (np.arange(n // 2), np.arange(n // 3, n))]
    if name == "masks":
        masks = [np.arange(n) % 3 == i for i in range(3)]
        return [(~mask, mask) for mask in masks]
    if name == "unbalanced":
        cuts = [0, 2, n // 4, n]
        parts = [np.arange(a, b) for a, b in zip(cuts, cuts[1:])]
        return [(np.setdiff1d(np.arange(n), part), part) for part in parts]
    if name == "lists":
        return [(list(train), list(test)) for train, test in KFold(3).split(np.zeros(n))]
    raise ValueError(name)


FOLDS = ["kfold", "shuffle split", "bootstrap", "repeated test rows",
         "training rows as test rows", "masks", "unbalanced", "lists"]  # fmt: skip


@pytest.mark.parametrize("folds", FOLDS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(60, 8), (40, 320)])
def test_errors_of_any_kind_of_folds(folds, weighted, shape):
    X, y = make_problem(*shape, seed=1)
    s = np.random.default_rng(0).uniform(0.1, 3, shape[0]) if weighted else None
    folds = create_folds(folds, shape[0])
    model = LassoCV(cv=folds, alphas=[1.0, 0.3, 0.05], **TIGHT).fit(X, y, sample_weight=s)
    check(model, X, y, folds, s)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("positive", [True, False])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.3])
@pytest.mark.parametrize("penalty", [None, "plain", "mixed"])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_errors_of_any_kind_of_model(fit_intercept, positive, l1_ratio, penalty, kind):
    X, y = make_problem(60, 9, seed=2)
    X[np.random.default_rng(0).random(X.shape) < 0.4] = 0
    s = np.random.default_rng(0).integers(0, 3, 60).astype(float)
    v = None
    if penalty is not None:
        v = np.random.default_rng(1).uniform(0.5, 2, 9)
        if penalty == "mixed":
            v[[0, 5, 7]] = 0.0, 0.0, np.inf
    folds = create_folds("kfold", 60)
    options = {
        "l1_ratio": l1_ratio,
        "fit_intercept": fit_intercept,
        "positive": positive,
        "penalty_weights": v,
    }
    model = ElasticNetCV(cv=folds, alphas=5, eps=0.01, **options, **TIGHT)
    model.fit(kind(X), y, sample_weight=s)
    check(model, X, y, folds, s, **options)
    if positive:
        assert (model.coef_[slice(None) if v is None else v > 0] >= 0).all()


def test_tall_data_uses_moments(monkeypatch):
    used = []
    original = elastic_net_folds.FoldErrors._compute_from_moments

    def spy(self, *args):
        result = original(self, *args)
        used.append(result is not None)
        return result

    monkeypatch.setattr(elastic_net_folds.FoldErrors, "_compute_from_moments", spy)
    X, y = make_problem(60, 8, seed=3)
    LassoCV(cv=4, alphas=5).fit(X, y)
    assert used == [True] * 4
    v = np.r_[0.0, np.ones(7)]
    LassoCV(cv=4, alphas=5, penalty_weights=v).fit(X, y)
    assert used == [True] * 8
    used.clear()
    # Masks that are no partition, and many more features than samples.
    LassoCV(cv=create_folds("bootstrap", 60), alphas=5).fit(X, y)
    X, y = make_problem(40, 320, seed=3)
    LassoCV(cv=4, alphas=5, eps=0.1).fit(X, y)
    assert used == []


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e6])
@pytest.mark.parametrize("p", [6, 320])
def test_data_far_from_zero(offset, p):
    X, y = make_problem(48, p, seed=4, offset=0.0)
    folds = create_folds("kfold", 48)
    expected = compute_errors(X, y, folds, [1.0, 0.1])
    model = LassoCV(cv=folds, alphas=[1.0, 0.1], tol=1e-9, max_iter=50_000)
    model.fit(X + offset, y + offset)
    # A gap of 1e-9 leaves 3e-5 of y; the data is rounded to 1e-10 of its spread.
    assert_allclose(model.mse_path_, expected, rtol=1e-3)


def test_errors_that_vanish_are_not_lost_in_moments():
    X, y = make_problem(60, 4, seed=5, noise=1e-5)
    folds = create_folds("kfold", 60)
    model = LassoCV(cv=folds, alphas=[1e-4, 1e-6], tol=1e-14, max_iter=100_000).fit(X, y)
    errors = np.empty((2, 4))
    for j, (train, test) in enumerate(folds):
        for i, alpha in enumerate(model.alphas_):
            fit = ElasticNet(alpha, l1_ratio=1, tol=1e-14, max_iter=100_000)
            fit.fit(X[train], y[train])
            errors[i, j] = np.mean((y[test] - fit.predict(X[test])) ** 2)
    assert (model.mse_path_ > 0).all() and model.mse_path_.min() < 1e-8 * np.var(y)
    # The gap leaves an error of 1e-14 of the variance of y, these are 1e-10 of it.
    assert_allclose(model.mse_path_, errors, rtol=0.05)


@pytest.mark.parametrize("alpha_zero", [True, False])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
@pytest.mark.parametrize("positive", [True, False])
def test_least_squares_and_ridge_may_be_on_the_grid(alpha_zero, l1_ratio, positive):
    X, y = make_problem(60, 5, seed=6)
    folds = create_folds("kfold", 60)
    alphas = [1.0, 0.1, 0.0] if alpha_zero else [1.0, 0.1]
    options = {"l1_ratio": l1_ratio, "positive": positive}
    model = ElasticNetCV(cv=folds, alphas=alphas, tol=1e-10, max_iter=50_000, **options).fit(X, y)
    errors = np.empty((len(alphas), 4))
    for j, (train, test) in enumerate(folds):
        for i, alpha in enumerate(alphas):
            fit = ElasticNet(alpha, tol=1e-10, max_iter=50_000, **options).fit(X[train], y[train])
            errors[i, j] = np.mean((y[test] - fit.predict(X[test])) ** 2)
    assert_allclose(model.mse_path_, errors, rtol=1e-4)


@pytest.mark.parametrize("shape", [(60, 8), (40, 320)])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_equals_scikit_learn(shape, kind):
    X, y = make_problem(*shape, seed=7)
    options = {"cv": 4, "alphas": 12, "eps": 0.02, "max_iter": 50_000}
    model = LassoCV(tol=1e-12, **options).fit(kind(X), y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = sklearn.linear_model.LassoCV(tol=1e-12, **options).fit(X, y)
    assert_allclose(model.alphas_, expected.alphas_, rtol=1e-9)
    assert_allclose(model.mse_path_, expected.mse_path_, rtol=1e-4)
    assert_allclose(model.alpha_, expected.alpha_, rtol=1e-9)
    assert_allclose(model.coef_, expected.coef_, atol=1e-5)
    assert_allclose(model.intercept_, expected.intercept_, atol=1e-4)


@pytest.mark.parametrize("alphas", [6, [1.0, 0.5, 0.1]])
@pytest.mark.parametrize("l1_ratio", [0.5, [0.5], [0.1, 0.7, 1.0]])
def test_several_mixing_ratios(alphas, l1_ratio):
    X, y = make_problem(60, 8, seed=8)
    folds = create_folds("kfold", 60)
    model = ElasticNetCV(l1_ratio=l1_ratio, alphas=alphas, eps=0.01, cv=folds, **TIGHT).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reference = sklearn.linear_model.ElasticNetCV(
            l1_ratio=l1_ratio, alphas=alphas, eps=0.01, cv=folds, tol=1e-12, max_iter=50_000
        ).fit(X, y)
    assert model.mse_path_.shape == reference.mse_path_.shape
    assert model.alphas_.shape == reference.alphas_.shape
    assert_allclose(model.alphas_, reference.alphas_, rtol=1e-9)
    assert_allclose(model.mse_path_, reference.mse_path_, rtol=1e-4)
    assert model.l1_ratio_ == reference.l1_ratio_
    assert_allclose(model.alpha_, reference.alpha_, rtol=1e-9)
    assert_allclose(model.coef_, reference.coef_, atol=1e-5)


@pytest.mark.parametrize("cv", [LeaveOneOut(), KFold(5, shuffle=True, random_state=0), 3, None])
def test_splitters(cv):
    X, y = make_problem(25, 4, seed=9)
    model = LassoCV(cv=cv, alphas=[0.5, 0.1], **TIGHT).fit(X, y)
    splitter = KFold(cv or 5) if cv is None or isinstance(cv, int) else cv
    check(model, X, y, list(splitter.split(X)))


def test_groups():
    X, y = make_problem(30, 4, seed=10)
    groups = np.repeat(np.arange(6), 5)
    folds = list(GroupKFold(3).split(X, y, groups))
    model = LassoCV(cv=folds, alphas=[0.5, 0.1], **TIGHT).fit(X, y)
    check(model, X, y, folds)


# --- the one-standard-error rule ---------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("l1_ratio", [1.0, [0.2, 0.9]])
def test_one_standard_error_rule(seed, l1_ratio):
    X, y = make_problem(40, 10, seed=seed, noise=3.0)
    options = {"l1_ratio": l1_ratio, "alphas": 20, "cv": 5, "tol": 1e-8}
    smallest = ElasticNetCV(**options).fit(X, y)
    simplest = ElasticNetCV(selection_rule="1se", **options).fit(X, y)
    assert_array_equal(smallest.mse_path_, simplest.mse_path_)
    assert smallest.l1_ratio_ == simplest.l1_ratio_
    errors = np.atleast_3d(smallest.mse_path_.T).T  # (n_l1_ratios, n_alphas, n_folds)
    ratio = np.flatnonzero(np.atleast_1d(l1_ratio) == smallest.l1_ratio_)[0]
    errors, alphas = errors[ratio], np.atleast_2d(smallest.alphas_)[ratio]
    means = [sum(row) / 5 for row in errors]
    best = int(np.argmin(means))
    variance = sum((e - means[best]) ** 2 for e in errors[best]) / 4
    limit = means[best] + np.sqrt(variance / 5)
    expected = max(alpha for alpha, mean in zip(alphas, means) if mean <= limit)
    assert simplest.alpha_ == expected >= smallest.alpha_
    refit = ElasticNet(expected, l1_ratio=simplest.l1_ratio_, tol=1e-8).fit(X, y)
    assert_allclose(simplest.coef_, refit.coef_, atol=1e-3)


def test_one_standard_error_rule_with_one_fold_is_the_minimum():
    X, y = make_problem(40, 6)
    folds = [(np.arange(30), np.arange(30, 40))]
    options = {"cv": folds, "alphas": 10}
    assert (
        LassoCV(selection_rule="1se", **options).fit(X, y).alpha_
        == LassoCV(**options).fit(X, y).alpha_
    )


# --- threads, weights, degenerate data ---------------------------------------------


@pytest.mark.parametrize("shape", [(300, 30), (3000, 150), (40, 600)])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("selection", ["cyclic", "random"])
def test_threads_do_not_change_a_bit(shape, kind, selection):
    X, y = make_problem(*shape, seed=11)
    options = {
        "cv": 4,
        "alphas": 8,
        "eps": 0.05,
        "l1_ratio": [0.5, 1.0],
        "selection": selection,
        "random_state": 0,
    }
    one = ElasticNetCV(n_jobs=1, **options).fit(kind(X), y)
    two = ElasticNetCV(n_jobs=2, **options).fit(kind(X), y)
    assert_array_equal(one.mse_path_, two.mse_path_)
    assert_array_equal(one.coef_, two.coef_)
    assert one.alpha_ == two.alpha_ and one.intercept_ == two.intercept_


@pytest.mark.parametrize("p", [6, 320])
def test_integer_weights_repeat_rows(p):
    X, y = make_problem(40, p, seed=12)
    counts = np.random.default_rng(0).integers(1, 4, 40)
    folds = create_folds("kfold", 40)
    weighted = LassoCV(cv=folds, alphas=[0.5, 0.1], **TIGHT).fit(X, y, sample_weight=counts)
    index = np.repeat(np.arange(40), counts)
    repeated_folds = [
        (np.flatnonzero(np.isin(index, train)), np.flatnonzero(np.isin(index, test)))
        for train, test in folds
    ]
    repeated = LassoCV(cv=repeated_folds, alphas=[0.5, 0.1], **TIGHT).fit(X[index], y[index])
    assert_allclose(weighted.mse_path_, repeated.mse_path_, rtol=2e-5)
    assert_allclose(weighted.coef_, repeated.coef_, atol=1e-5)


@pytest.mark.parametrize("factor", [1e-200, 1e200])
@pytest.mark.parametrize("p", [6, 320])
def test_scale_of_the_weights_is_immaterial(factor, p):
    X, y = make_problem(40, p, seed=13)
    s = np.random.default_rng(0).uniform(0.1, 2, 40)
    expected = LassoCV(cv=4, alphas=5, eps=0.05, **TIGHT).fit(X, y, sample_weight=s)
    model = LassoCV(cv=4, alphas=5, eps=0.05, **TIGHT).fit(X, y, sample_weight=s * factor)
    assert_allclose(model.mse_path_, expected.mse_path_, rtol=2e-5)
    assert_allclose(model.alphas_, expected.alphas_, rtol=1e-12)
    assert_allclose(model.coef_, expected.coef_, atol=1e-5)


@pytest.mark.parametrize("p", [6, 320])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_constant_and_duplicate_features(p, kind):
    X, y = make_problem(48, p, seed=14)
    X[:, 1] = 0.1
    X[:, 2] = X[:, 0]
    folds = create_folds("kfold", 48)
    model = LassoCV(cv=folds, alphas=[0.5, 0.1], **TIGHT).fit(kind(X), y)
    errors = compute_errors(X, y, folds, model.alphas_)
    assert_allclose(model.mse_path_, errors, rtol=2e-5)
    assert model.coef_[1] == 0


@pytest.mark.parametrize("p", [6, 320])
def test_a_feature_that_is_constant_in_a_training_part(p):
    X, y = make_problem(48, p, seed=15)
    X[:, 0] = 0.0
    X[:12, 0] = np.linspace(1, 2, 12)
    folds = create_folds("kfold", 48)
    model = LassoCV(cv=folds, alphas=[0.5, 0.01], **TIGHT).fit(X, y)
    assert_allclose(model.mse_path_, compute_errors(X, y, folds, model.alphas_), rtol=2e-5)


@pytest.mark.parametrize("p", [4, 320])
def test_a_target_that_is_constant_in_a_training_part(p):
    X, y = make_problem(48, p, seed=16)
    y[12:] = 3.0
    folds = create_folds("kfold", 48)
    model = LassoCV(cv=folds, alphas=[0.5, 0.1], **TIGHT).fit(X, y)
    assert_allclose(model.mse_path_, compute_errors(X, y, folds, model.alphas_), rtol=2e-5)


@pytest.mark.parametrize("p", [4, 320])
def test_constant_target(p):
    X, _ = make_problem(40, p, seed=17)
    model = LassoCV(cv=4, alphas=5).fit(X, np.full(40, 2.5))
    assert not model.coef_.any() and model.intercept_ == 2.5
    assert_allclose(model.mse_path_, 0, atol=1e-25)


def test_one_feature_and_excluded_features():
    X, y = make_problem(40, 1, seed=18)
    folds = create_folds("kfold", 40)
    model = LassoCV(cv=folds, alphas=[0.5, 0.1], **TIGHT).fit(X, y)
    check(model, X, y, folds)
    model = LassoCV(cv=folds, alphas=[0.5, 0.1], penalty_weights=[np.inf]).fit(X, y)
    means = [np.mean((y[test] - y[train].mean()) ** 2) for train, test in folds]
    assert_allclose(model.mse_path_, [means, means])
    assert not model.coef_.any()


def test_collinear_unpenalized_features():
    X, y = make_problem(60, 6, seed=19)
    X[:, 1] = X[:, 0]
    v = np.array([0.0, 0.0, 1, 1, 1, 1])
    folds = create_folds("kfold", 60)
    model = LassoCV(cv=folds, alphas=[0.5, 0.1], penalty_weights=v, **TIGHT).fit(X, y)
    errors = compute_errors(X, y, folds, model.alphas_, penalty_weights=v)
    assert_allclose(model.mse_path_, errors, rtol=2e-5)


@pytest.mark.parametrize("p", [6, 320])
@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_single_precision(p, offset):
    X, y = make_problem(60, p, seed=20, offset=0.0)
    X, y = (X + offset).astype(np.float32), (y + offset).astype(np.float32)
    options = {"cv": 4, "alphas": [0.5, 0.1], "max_iter": 50_000}
    expected = LassoCV(tol=1e-10, **options).fit(X.astype(float), y.astype(float))
    model = LassoCV(tol=1e-4, **options).fit(X, y)
    assert model.coef_.dtype == np.float32
    # A gap of 1e-4 leaves one per cent of y in the fitted values, squared in the errors.
    assert_allclose(model.mse_path_, expected.mse_path_, rtol=0.05)


@pytest.mark.parametrize("p", [6, 320])
def test_test_rows_without_weight(p):
    """As in scikit-learn: a fold that cannot be judged is an error, not a NaN."""
    X, y = make_problem(40, p, seed=21)
    s = np.ones(40)
    s[:10] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        with pytest.raises((ZeroDivisionError, ValueError), match="(?i)weight"):
            LassoCV(cv=KFold(4), alphas=[0.5, 0.1]).fit(X, y, sample_weight=s)


@pytest.mark.parametrize("p", [6, 320])
def test_training_rows_without_weight(p):
    X, y = make_problem(40, p, seed=21)
    s = np.zeros(40)
    s[:10] = 1
    with pytest.raises(ValueError, match="sample_weight"):
        LassoCV(cv=KFold(4), alphas=[0.5, 0.1]).fit(X, y, sample_weight=s)


@pytest.mark.parametrize("p", [20, 600])
def test_unfinished_folds_warn(p):
    X, y = make_problem(60, p, seed=22)
    with pytest.warns(ConvergenceWarning) as caught:
        model = LassoCV(cv=3, alphas=5, max_iter=1, tol=1e-12).fit(X, y)
    assert len(caught) <= 2 and "cross-validation" in str(caught[0].message)
    assert all(warning.filename == __file__ for warning in caught)
    assert model.converged_ == (model.dual_gap_ <= 1e-12)


def test_read_only_data_are_accepted():
    X, y = make_problem(40, 5)
    X.flags.writeable = y.flags.writeable = False
    assert LassoCV(cv=3, alphas=5).fit(X, y).converged_


@pytest.mark.parametrize("options, message", [
    ({"alphas": 0}, "alphas"), ({"alphas": []}, "alphas"), ({"alphas": [-1.0]}, "alphas"),
    ({"alphas": [np.nan]}, "alphas"), ({"eps": 0}, "eps"), ({"cv": 1}, "k-fold|cv"),
    ({"selection_rule": "2se"}, "selection_rule"), ({"tol": -1}, "tol"),
    ({"max_iter": 0}, "max_iter"), ({"l1_ratio": [0.5, 2.0]}, "l1_ratio"),
    ({"l1_ratio": []}, "l1_ratio"), ({"l1_ratio": 0.0}, "l1_ratio=0"),
    ({"l1_ratio": np.nan}, "l1_ratio"),
    ({"penalty_weights": [1.0]}, "penalty_weights"), ({"precompute": np.eye(2)}, "precompute"),
    ({"n_jobs": 1.5}, "n_jobs"),
])  # fmt: skip
def test_bad_parameters(options, message):
    X, y = make_problem(20, 3)
    with pytest.raises(ValueError, match=message):
        ElasticNetCV(**options).fit(X, y)


def test_several_targets_are_refused():
    X, Y = make_problem(20, 3, k=2)
    with pytest.raises(ValueError, match="MultiTask"):
        LassoCV().fit(X, Y)
