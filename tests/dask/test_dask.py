"""Estimators on Dask collections are those on local blocks, wherever the partitions are."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import skextra.dask as skd
from skextra import linear_model
from skextra.dask._rows import Partitions
from skextra.utils._rows import read_numbers
from tests.dask.data import (
    REGRESSORS,
    SIZE,
    assert_same_bits,
    fit_local,
    make_data,
    to_arrays,
    to_frames,
)

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")


@pytest.fixture(autouse=True)
def in_one_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.mark.parametrize("model", REGRESSORS, ids=str)
@pytest.mark.parametrize("scheduler", ["synchronous", "threads"])
def test_fit_has_the_bits_of_local_blocks(model, scheduler):
    data = make_data()
    with dask.config.set(scheduler=scheduler):
        fitted = clone(model).fit(*to_arrays(*data))
    assert_same_bits(fitted, fit_local(model, *data))


def test_methods_are_lazy_and_those_of_the_local_model():
    X, y, weight = make_data()
    dX, dy, dw = to_arrays(X, y, weight)
    model = skd.Ridge().fit(dX, dy, dw)
    local = model.to_local()
    assert type(local) is linear_model.Ridge
    predicted, score = model.predict(dX), model.score(dX, dy, dw)
    assert dask.is_dask_collection(predicted) and dask.is_dask_collection(score)
    np.testing.assert_allclose(predicted.compute(), local.predict(X), rtol=1e-12)
    np.testing.assert_allclose(float(score), local.score(X, y, weight), rtol=1e-12)
    assert isinstance(model.predict(X), np.ndarray)
    assert model.score(X, y) == local.score(X, y)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), local.predict(X))


def test_score_of_a_constant_target():
    X, y, _ = make_data()
    dX, dy, constant = to_arrays(X, y, np.full(len(y), 3.0))
    assert float(skd.Ridge().fit(dX, dy).score(dX, constant)) == 0
    met = skd.Ridge().fit(dX, constant)
    assert float(met.score(dX, met.predict(dX[:1]).compute()[0] * da.ones_like(constant))) == 1


def test_several_targets():
    X, y, _ = make_data()
    Y = np.column_stack([y, np.cos(y)])
    dX = to_arrays(X)[0]
    # Chunks of targets are cut to those of the features.
    model = skd.Ridge().fit(dX, da.from_array(Y, chunks=(77, 1)))
    assert model.predict(dX).shape == (500, 2)
    np.testing.assert_allclose(model.predict(dX).compute(), model.predict(X), rtol=1e-12)
    np.testing.assert_allclose(float(model.score(dX, Y)), model.to_local().score(X, Y))


def test_data_frames():
    X, y, _ = make_data()
    frame, target = to_frames(X, y)
    model = skd.Ridge().fit(frame, target)
    expected = linear_model.Ridge().fit(X, y)
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-10)
    assert model.feature_names_in_.tolist() == list("abcd")
    predicted = model.predict(frame)
    assert isinstance(predicted._meta, pd.Series)
    computed = predicted.compute()
    np.testing.assert_allclose(computed, expected.predict(X), rtol=1e-10)
    assert computed.index.equals(frame.compute().index)
    np.testing.assert_allclose(float(model.score(frame, target)), expected.score(X, y))


def test_folds_of_frames_are_of_adjacent_rows():
    X, y, _ = make_data()
    model = skd.RidgeCV(cv=3).fit(*to_frames(X, y))
    expected = linear_model.RidgeCV(cv=3).fit(X, y)
    np.testing.assert_allclose(model.best_score_, expected.best_score_)


def test_empty_partitions_are_no_rows():
    X, y, _ = make_data()
    frame, target = (
        part.map_partitions(lambda rows: rows if rows.index[0] else rows[:0])
        for part in to_frames(X, y)
    )
    model = skd.Ridge().fit(frame, target)
    np.testing.assert_allclose(model.coef_, linear_model.Ridge().fit(X[125:], y[125:]).coef_)
    assert len(model.predict(frame).compute()) == 375


def test_targets_and_weights_in_memory():
    X, y, weight = make_data()
    model = skd.Ridge().fit(to_arrays(X)[0], y, weight)
    assert_same_bits(model, fit_local(skd.Ridge(), X, y, weight))
    half = skd.Ridge(alpha=2).fit(to_arrays(X)[0], y, 2.0)
    np.testing.assert_allclose(half.coef_, linear_model.Ridge().fit(X, y).coef_, rtol=1e-10)


def test_chunks_of_features_are_joined():
    X, y, weight = make_data()
    model = skd.Ridge().fit(da.from_array(X, chunks=(SIZE, 1)), y, weight)
    assert_same_bits(model, fit_local(skd.Ridge(), X, y, weight))


@pytest.mark.parametrize(
    "fit, error, message",
    [
        (lambda X, y: skd.Ridge().fit(np.ones((3, 2)), y), TypeError, "linear_model.Ridge"),
        (lambda X, y: skd.Ridge().fit(y, y), ValueError, "X must have two dimensions, got 1"),
        (lambda X, y: skd.Ridge().fit(X, y[:-1]), ValueError, "as many rows each, got 500 and 499"),
        (lambda X, y: skd.Ridge().fit(X, np.ones(3)), ValueError, "as many rows each"),
        (lambda X, y: skd.Ridge().fit(X, None), ValueError, "requires y"),
        (lambda X, y: skd.Ridge().fit(X[X[:, 0] > 3], y), ValueError, "X has .* rows and y has"),
        (lambda X, y: skd.Ridge().fit(X * np.nan, y), ValueError, r"block \d: .*NaN"),
    ],
)
def test_what_is_refused(fit, error, message):
    X, y, _ = to_arrays(*make_data())
    with pytest.raises(error, match=message), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit(X, y)


def test_frames_of_other_partitions_are_refused():
    X, y, _ = make_data()
    frame, target = to_frames(X, y)
    with pytest.raises(ValueError, match="as many partitions each, got 4 and 2"):
        skd.Ridge().fit(frame, target.repartition(npartitions=2))


def test_large_arguments_are_sent_once():
    """A function that holds much is a task of its own, not a part of each."""
    X, y, _ = to_arrays(*make_data())
    rows = Partitions(X)._make_rows(y, None, read_numbers)
    sizes = []

    def measure(graph, keys, **options):
        sizes.append(len(pickle.dumps(dict(graph.__dask_graph__()))))
        return dask.get(graph, keys, **options)

    with dask.config.set(scheduler=measure):
        for size in (1, 100_000):
            rows.reduce(Adder(np.ones(size)))
    assert sizes[1] - sizes[0] < 1.5 * 8 * 100_000


class Adder:
    def __init__(self, values):
        self.values = values

    def __call__(self, block):
        return block.X.sum() + self.values.sum()


@pytest.mark.parametrize("parameters", [{}, {"C": 0.1, "l1_ratio": 1}])
def test_logistic_regression_has_the_bits_of_local_blocks(parameters):
    X, y, weight = make_data()
    labels = np.array(["low", "mid", "high"])[np.digitize(y, np.quantile(y, [0.3, 0.8]))]
    model = skd.LogisticRegression(**parameters)
    model.fit(*to_arrays(X, labels, weight))
    local = fit_local(model, X, labels, weight)
    assert_same_bits(model, local)
    dX, dlabels, dweight = to_arrays(X, labels, weight)
    for method in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        result, expected = getattr(model, method)(dX), getattr(local, method)(X)
        assert dask.is_dask_collection(result)
        assert result.shape == expected.shape
        if method == "predict":
            np.testing.assert_array_equal(result.compute(), expected)
        else:
            np.testing.assert_allclose(result.compute(), expected, rtol=1e-10)
        np.testing.assert_array_equal(getattr(model, method)(X), expected)
    score = model.score(dX, dlabels, dweight)
    np.testing.assert_allclose(float(score), local.score(X, labels, weight))


def test_classes_of_data_frames():
    X, y, _ = make_data()
    frame, target = to_frames(X, (y > 0).astype(int))
    model = skd.LogisticRegression().fit(frame, target)
    probabilities = model.predict_proba(frame)
    assert probabilities.compute().shape == (500, 2)
    np.testing.assert_allclose(probabilities.compute(), model.predict_proba(frame.compute()))
    assert float(model.score(frame, target)) == model.to_local().score(frame.compute(), y > 0)
