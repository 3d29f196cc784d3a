"""logistic_path: against separate fits, certified, on sensible grids."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_iris, make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale

from skextra.linear_model import LogisticRegression, logistic_path

CS = [0.01, 0.3, 5.0]


def make(n_classes=2, n_samples=90, n_features=7, seed=0):
    return make_classification(
        n_samples,
        n_features,
        n_informative=4,
        n_redundant=0,
        n_classes=n_classes,
        flip_y=0.1,
        random_state=seed,
    )


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array, sparse.csc_array])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_equals_separate_fits(n_classes, l1_ratio, kind, fit_intercept):
    X, y = make(n_classes)
    X = kind(X)
    options = {"l1_ratio": l1_ratio, "fit_intercept": fit_intercept, "tol": 1e-11}
    Cs, coefs, intercepts, gaps, n_iters = logistic_path(X, y, Cs=CS[::-1], **options)
    np.testing.assert_array_equal(Cs, CS)
    assert coefs.shape == ((7, 3) if n_classes == 2 else (3, 7, 3))
    assert intercepts.shape == ((3,) if n_classes == 2 else (3, 3))
    assert gaps.shape == n_iters.shape == (3,)
    for i, C in enumerate(CS):
        model = LogisticRegression(C=C, **options).fit(X, y)
        np.testing.assert_allclose(coefs[..., i], np.squeeze(model.coef_), atol=2e-4)
        np.testing.assert_allclose(intercepts[..., i], np.squeeze(model.intercept_), atol=2e-4)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("tol", [1e-3, 1e-8])
def test_every_model_is_certified(l1_ratio, tol):
    X, y = load_iris(return_X_y=True)
    _, _, _, gaps, n_iters = logistic_path(scale(X), y, l1_ratio=l1_ratio, Cs=15, tol=tol)
    assert (gaps <= tol).all() and (gaps >= 0).all()
    assert n_iters.dtype.kind == "i" and n_iters.max() <= 100


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("l1_ratio", [0.2, 1.0])
def test_generated_grid_starts_where_the_first_feature_is_about_to_enter(n_classes, l1_ratio):
    X, y = make(n_classes)
    weights = np.random.default_rng(0).uniform(0.5, 2, len(y))
    penalty = np.array([1, 2, 0.5, 1, 1, 3, np.inf])
    options = {"l1_ratio": l1_ratio, "sample_weight": weights, "penalty_weights": penalty}
    Cs, coefs, *_ = logistic_path(X, y, Cs=7, eps=1e-2, tol=1e-10, **options)
    assert Cs[0] / Cs[-1] == pytest.approx(1e-2)
    np.testing.assert_allclose(np.diff(np.log(Cs)), np.log(100) / 6)
    assert not coefs[..., 0].any() and coefs[..., 1].any()
    _, coefs, *_ = logistic_path(X, y, Cs=[0.99 * Cs[0], 1.01 * Cs[0]], tol=1e-13, **options)
    assert not coefs[..., 0].any() and coefs[..., 1].any()
    assert not coefs[..., 6, :].any()


def test_default_grids():
    X, y = load_breast_cancer(return_X_y=True)
    X = scale(X[:, :4])
    Cs, coefs, *_ = logistic_path(X, y)
    assert Cs.shape == (100,) and Cs[-1] / Cs[0] == pytest.approx(1000)
    assert coefs.shape == (4, 100)
    np.testing.assert_allclose(logistic_path(X, y, l1_ratio=0, Cs=9)[0], np.logspace(-4, 4, 9))


def test_uninformative_features_get_a_default_grid():
    X, y = np.ones((20, 2)), np.tile([0, 1], 10)
    Cs, coefs, *_ = logistic_path(X, y, Cs=5)
    np.testing.assert_allclose(Cs, np.logspace(-4, 4, 5))
    assert not coefs.any()
    X, y = make()
    _, coefs, *_ = logistic_path(X, y, Cs=5, penalty_weights=np.full(7, np.inf))
    assert not coefs.any()


def test_weights_repeat_rows_and_balanced_classes_weigh_the_same():
    X, y = make(3)
    weights = np.random.default_rng(0).integers(0, 3, len(y))
    options = {"Cs": CS, "l1_ratio": 0.5, "tol": 1e-11}
    rows = np.repeat(np.arange(len(y)), weights)
    weighted = logistic_path(X, y, sample_weight=weights, **options)
    repeated = logistic_path(X[rows], y[rows], **options)
    np.testing.assert_allclose(weighted[1], repeated[1], atol=1e-4)
    balanced = logistic_path(X, y, class_weight="balanced", **options)
    by_hand = len(y) / (3 * np.bincount(y))
    same = logistic_path(X, y, sample_weight=by_hand[y], **options)
    np.testing.assert_allclose(balanced[1], same[1], atol=1e-8)


def test_single_precision_is_kept():
    X, y = make(3)
    _, coefs, intercepts, *_ = logistic_path(X.astype(np.float32), y, Cs=CS)
    assert coefs.dtype == intercepts.dtype == np.float32
    np.testing.assert_allclose(coefs, logistic_path(X, y, Cs=CS)[1], atol=2e-2)


def test_start_does_not_change_the_answer():
    X, y = make()
    cold = logistic_path(X, y, Cs=CS, tol=1e-11)
    for start in (cold[1][:, -1], cold[1][None, :, -1]):
        warm = logistic_path(X, y, Cs=CS, tol=1e-11, coef_init=start)
        np.testing.assert_allclose(warm[1], cold[1], atol=1e-4)


def test_string_labels_and_no_penalty():
    X, y = make(n_samples=300, n_features=4)
    names = np.array(["no", "yes"])[y]
    Cs, coefs, *_ = logistic_path(X, names, Cs=[1.0, np.inf], l1_ratio=0, tol=1e-11)
    assert Cs[-1] == np.inf
    free = LogisticRegression(C=np.inf, tol=1e-11).fit(X, names)
    np.testing.assert_allclose(coefs[:, 1], free.coef_[0], atol=1e-4)


def test_unfinished_paths_warn_once_with_their_progress():
    X, y = make()
    with pytest.warns(ConvergenceWarning, match="logistic models failed.*tol=1e-12") as caught:
        logistic_path(X, y, Cs=[1.0, 1e3], tol=1e-12, max_iter=1)
    assert len(caught) == 1 and caught[0].filename == __file__


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"Cs": []}, "Cs must be a one-dimensional array of at least one number"),
        ({"Cs": [1.0, 0.0]}, "Cs must be positive"),
        ({"Cs": [1.0, np.nan]}, "Cs must be positive"),
        ({"Cs": ["a"]}, "Cs must be an array of numbers"),
        ({"Cs": [[1.0]]}, "Cs must be a one-dimensional"),
        ({"Cs": [True]}, "Cs must be a one-dimensional"),
        ({"Cs": 0}, "'Cs' parameter"),
        ({"eps": 1.0}, "'eps' parameter"),
        ({"l1_ratio": 1.5}, "'l1_ratio' parameter"),
        ({"tol": -1.0}, "'tol' parameter"),
        ({"coef_init": [1.0]}, r"coef_init must have shape \(7,\), got \(1,\)"),
        ({"penalty_weights": [1.0]}, "penalty_weights must have shape"),
        ({"sample_weight": np.zeros(90)}, "at least one non-zero"),
    ],
)
def test_bad_arguments(options, match):
    X, y = make()
    with pytest.raises(ValueError, match=match):
        logistic_path(X, y, **options)


def test_bad_data():
    X, y = make()
    with pytest.raises(ValueError, match="NaN"):
        logistic_path(np.where(X > 2, np.nan, X), y)
    with pytest.raises(ValueError, match="only one class"):
        logistic_path(X, np.zeros(90))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        logistic_path(X, y[1:])
