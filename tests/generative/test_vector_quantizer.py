"""Codebooks: what they must satisfy exactly, and k-means of scikit-learn's beside them."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from skextra.generative import VectorQuantizer


def draw(n=900, d=6, seed=0):
    random = np.random.default_rng(seed)
    centers = 3 * random.normal(size=(12, d))
    return centers[random.integers(12, size=n)] + random.normal(size=(n, d))


def compute_errors(quantizer, X):
    return ((quantizer.inverse_transform(quantizer.transform(X)) - X) ** 2).sum(axis=1)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_codes_are_the_nearest_and_the_distortion_is_theirs(dtype):
    X = draw().astype(dtype) + dtype(100)
    quantizer = VectorQuantizer(20, random_state=0).fit(X)
    codes = quantizer.codebooks_[0][0].astype(np.float64)
    distances = ((X[:, None, :].astype(np.float64) - codes) ** 2).sum(axis=2)
    chosen = np.take_along_axis(distances, quantizer.transform(X), axis=1)[:, 0]
    assert_allclose(chosen, distances.min(axis=1), rtol=1e-3 if dtype == np.float32 else 1e-9)
    assert_allclose(compute_errors(quantizer, X).mean(), quantizer.distortion_[0], rtol=1e-4)
    assert quantizer.inverse_transform(quantizer.transform(X)).dtype == dtype
    shares = np.bincount(quantizer.transform(X)[:, 0], minlength=20) / len(X)
    assert_allclose(quantizer.usage_[0], shares)
    assert_allclose(quantizer.perplexity_, np.exp(-np.sum(shares * np.log(shares))))


def test_distortion_is_that_of_kmeans():
    X = draw(2000)
    ours = np.mean([VectorQuantizer(30, random_state=s).fit(X).distortion_[0] for s in range(5)])
    theirs = np.mean(
        [KMeans(30, n_init=1, random_state=s).fit(X).inertia_ / len(X) for s in range(5)]
    )
    assert_allclose(ours, theirs, rtol=0.02)
    # At a solution each code is the mean of its rows.
    quantizer = VectorQuantizer(30, tol=0.0, max_iter=500, random_state=0).fit(X)
    labels = quantizer.transform(X)[:, 0]
    for k, code in enumerate(quantizer.codebooks_[0][0]):
        assert_allclose(X[labels == k].mean(axis=0), code, rtol=1e-9, atol=1e-9)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_more_iterations_stages_and_codes_never_do_worse():
    X = draw()
    costs = [
        VectorQuantizer(25, max_iter=n, tol=0.0, restart=False, random_state=0).fit(X).distortion_
        for n in range(1, 8)
    ]
    assert (np.diff(np.ravel(costs)) <= 1e-6).all()
    for method in ("kmeans", "ema"):
        quantizer = VectorQuantizer(8, n_stages=4, method=method, max_iter=20, random_state=0)
        assert (np.diff(quantizer.fit(X).distortion_) < 0).all()
        assert_allclose(compute_errors(quantizer, X).mean(), quantizer.distortion_[-1], rtol=1e-9)


def test_as_many_codes_as_rows_restore_them():
    X = draw(60)
    assert VectorQuantizer(60, random_state=0).fit(X).distortion_[0] < 1e-20
    with_repeats = np.repeat(X[:10], 5, axis=0)
    quantizer = VectorQuantizer(30, random_state=0).fit(with_repeats)
    assert quantizer.distortion_[0] < 1e-20
    assert (quantizer.usage_[0] > 0).sum() == 10
    assert_allclose(quantizer.perplexity_, 10.0)


def test_groups_are_quantizers_of_their_features():
    X = draw(500, 7)
    quantizer = VectorQuantizer(10, n_groups=3, n_stages=2, random_state=0).fit(X)
    assert [book.shape for book in quantizer.codebooks_[0]] == [(10, 3), (10, 2), (10, 2)]
    codes = quantizer.transform(X)
    assert codes.shape == (500, 6)
    changed = codes.copy()
    changed[:, [1, 4]] = 0
    restored, other = quantizer.inverse_transform(codes), quantizer.inverse_transform(changed)
    assert_array_equal(restored[:, [0, 1, 2, 5, 6]], other[:, [0, 1, 2, 5, 6]])
    assert quantizer.get_feature_names_out()[-1] == "vectorquantizer5"


def test_moving_averages_come_near_kmeans_and_restart_dead_codes():
    X = draw(3000)
    kmeans = VectorQuantizer(30, random_state=0).fit(X).distortion_[0]
    ema = VectorQuantizer(
        30, method="ema", max_iter=30, batch_size=256, decay=0.9, random_state=0
    ).fit(X)
    assert ema.distortion_[0] < 1.15 * kmeans
    assert (ema.usage_ > 0).all()


def test_threads_batches_and_pickles_change_nothing():
    X = draw(20_000, 3)
    for method in ("kmeans", "ema"):
        parameters = {"method": method, "max_iter": 3, "tol": 1.0, "random_state": 0}
        serial = VectorQuantizer(40, **parameters).fit(X)
        threaded = VectorQuantizer(40, n_jobs=3, **parameters).fit(X)
        loaded = pickle.loads(pickle.dumps(threaded))
        codes = serial.transform(X)
        for other in (threaded, loaded):
            assert_array_equal(other.codebooks_[0][0], serial.codebooks_[0][0])
            assert_array_equal(other.transform(X), codes)
    assert_array_equal(serial.transform(X[5:900:7]), codes[5:900:7])


def test_units_do_not_matter():
    X = draw(300)
    first = VectorQuantizer(8, random_state=0).fit(X)
    second = VectorQuantizer(8, random_state=0).fit(np.ldexp(X, 300))
    assert_array_equal(second.transform(np.ldexp(X, 300)), first.transform(X))
    assert_allclose(np.ldexp(second.codebooks_[0][0], -300), first.codebooks_[0][0])


def test_stops_short_of_convergence_are_warned_of():
    with pytest.warns(ConvergenceWarning, match="max_iter=1 passes"):
        VectorQuantizer(20, max_iter=1, random_state=0).fit(draw())


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        ([[0]], r"shape \(n_samples, 2\), got shape \(1, 1\)"),
        ([[0, 8]], "column 1 must be integers from 0 to 7, got 8"),
        ([[-1, 0]], "column 0 must be integers from 0 to 7, got -1"),
        ([[0.5, 0.0]], "from 0 to 7, got 0.5"),
        ([[np.nan, 0.0]], "from 0 to 7, got nan"),
        ([["a", "b"]], "must be integers, got dtype"),
    ],
)
def test_bad_codes_are_named(codes, message):
    quantizer = VectorQuantizer(8, n_stages=2, random_state=0).fit(draw(50))
    with pytest.raises(ValueError, match=message):
        quantizer.inverse_transform(codes)


def test_more_groups_than_features_are_refused():
    with pytest.raises(ValueError, match="n_groups=9 must be at most the number of features, 6"):
        VectorQuantizer(n_groups=9).fit(draw(50))
