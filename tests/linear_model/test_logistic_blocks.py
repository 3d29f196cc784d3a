"""Logistic regression fitted to blocks of rows is that of all of them at once."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from skextra.linear_model import LogisticRegression
from skextra.utils import Blocks

SIZE = 57
PENALTY_WEIGHTS = [0, 1, 2, np.inf]
MODELS = [
    LogisticRegression(),
    LogisticRegression(fit_intercept=False),
    LogisticRegression(C=np.inf),
    LogisticRegression(C=0.05, l1_ratio=1),
    LogisticRegression(C=0.1, l1_ratio=0.5, fit_intercept=False),
    LogisticRegression(penalty_weights=PENALTY_WEIGHTS),
    LogisticRegression(C=0.1, l1_ratio=1, penalty_weights=PENALTY_WEIGHTS),
    LogisticRegression(class_weight="balanced"),
]


def make_data(n_classes=2, n=900, dtype=np.float64):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, 4)) @ rng.standard_normal((4, 4)) * [1e-2, 1, 10, 1] + [0, 5, 1, 0]
    score = (X - X.mean(axis=0)) / X.std(axis=0) @ [0.3, -1, 0, 1] + rng.logistic(size=n)
    y = np.array(["no", "yes", "maybe"])[np.digitize(score, [0.5, 1.5][: n_classes - 1])]
    weight = rng.random(n)
    weight[:30] = 0
    return X.astype(dtype), y, weight


def fit_in_blocks(model, X, y, weight=None):
    parts = [None if a is None else Blocks.from_array(a, SIZE) for a in (X, y, weight)]
    return clone(model).fit(*parts)


@pytest.mark.parametrize("model", MODELS, ids=str)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_fit_is_that_of_all_rows(model, n_classes):
    X, y, weight = make_data(n_classes)
    model = clone(model).set_params(tol=1e-11, max_iter=500)
    weight = weight if n_classes == 2 else None
    in_memory, model = clone(model).fit(X, y, weight), fit_in_blocks(model, X, y, weight)
    assert model.converged_ and model.dual_gap_ <= 1e-11
    scale = X.std(axis=0)
    # The root of the gap is what it says of coefficients.
    np.testing.assert_allclose(model.coef_ * scale, in_memory.coef_ * scale, atol=2e-5)
    np.testing.assert_allclose(model.predict_proba(X), in_memory.predict_proba(X), atol=1e-5)
    np.testing.assert_array_equal(model.classes_, in_memory.classes_)
    assert vars(model).keys() == vars(in_memory).keys()
    assert model.n_iter_.shape == in_memory.n_iter_.shape


def test_single_precision_certifies_what_is_returned():
    X, y, _ = make_data(dtype=np.float32)
    model = fit_in_blocks(LogisticRegression(), X, y)
    assert model.coef_.dtype == np.float32 and model.converged_
    in_memory = LogisticRegression(tol=1e-9).fit(X.astype(np.float64), y)
    np.testing.assert_allclose(model.predict_proba(X), in_memory.predict_proba(X), atol=1e-3)


def test_sparse_blocks():
    X, y, _ = make_data()
    X[np.abs(X) < 1] = 0
    cuts = range(0, len(X), 100)
    blocks = Blocks([sparse.csr_array(X[i : i + 100]) for i in cuts])
    model = LogisticRegression().fit(blocks, y)
    expected = fit_in_blocks(LogisticRegression(), X, y)
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-6)


def test_a_class_may_be_missing_from_a_block():
    X, y, _ = make_data(3)
    order = np.argsort(y, kind="stable")
    model = fit_in_blocks(LogisticRegression(tol=1e-10), X[order], y[order])
    expected = LogisticRegression(tol=1e-10).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), expected.predict_proba(X), atol=1e-5)


def test_few_passes():
    """A start from a sample leaves a few steps."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60_000, 5))
    y = X @ np.arange(5) + rng.logistic(size=60_000) > 0
    model = LogisticRegression().fit(Blocks.from_array(X, 5000), y)
    assert model.converged_ and model.n_iter_[0] <= 3


def test_warm_start_takes_no_steps():
    X, y, _ = make_data()
    blocks = Blocks.from_array(X, SIZE)
    model = LogisticRegression(warm_start=True).fit(blocks, y)
    assert model.n_iter_[0] > 0
    assert model.fit(blocks, y).n_iter_[0] == 0


def test_separated_classes_without_a_penalty_are_reported():
    X, _, _ = make_data()
    y = X[:, 0] > 0
    with pytest.warns(ConvergenceWarning, match="no finite solution|failed to converge"):
        model = fit_in_blocks(LogisticRegression(C=np.inf), X, y)
    assert not model.converged_


def test_a_fit_that_stops_early_warns():
    X, y, _ = make_data()
    with pytest.warns(ConvergenceWarning, match="max_iter was reached"):
        model = fit_in_blocks(LogisticRegression(tol=1e-15, max_iter=1), X, y)
    assert model.dual_gap_ > 1e-15


def test_what_is_refused_by_name():
    X, y, weight = make_data()

    def refuse(message, y, weight=None, **parameters):
        with pytest.raises(ValueError, match=message), warnings.catch_warnings():
            warnings.simplefilter("error")
            fit_in_blocks(LogisticRegression(**parameters), X, y, weight)

    refuse("only one class: .*'no'", np.full(len(X), "no"))
    refuse("Unknown label type", np.random.default_rng(0).random(len(X)))
    refuse("requires y", None)
    refuse(r"none of \['yes'\]", y, np.where(y == "yes", 0, weight))
    refuse(r"class_weight\['yes'\] == -1.0", y, class_weight={"no": 1.0, "yes": -1.0})
    refuse("penalty_weights must have shape", y, penalty_weights=[1.0])
    labels = Blocks([np.array(["a", "b"] * 225), np.arange(450) % 2])
    with pytest.raises(ValueError, match="differ in their kind of labels"):
        LogisticRegression().fit(Blocks.from_array(X, 450), labels)
