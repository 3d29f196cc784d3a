"""The core of Gaussian mixtures against EM written out in plain numpy."""

import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.optimize import approx_fprime

from skextra._core.mixture import em
from skextra._core.mixture.data import Data
from skextra._core.mixture.e_step import compute_statistics, evaluate, evaluate_small
from skextra._core.mixture.features import KINDS
from skextra._core.mixture.parameters import CollapseError, maximize
from skextra._core.runtime.threads import Pool
from tests._core.mixture.em_reference import (
    COVARIANCE_TYPES,
    Mixture,
    compute_log_densities,
    compute_objective,
    make_data,
    make_mixture,
    step,
    to_mixture,
)

every_type = pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)


def start_from(covariance_type, n_components, d, seed=0):
    mixture = make_mixture(covariance_type, n_components, d, seed)
    mixture.means += 5.0
    return mixture


def make_missing(X, share=0.25, seed=0):
    hidden = np.random.default_rng(seed).uniform(size=X.shape) < share
    hidden[np.arange(len(X)), np.arange(len(X)) % X.shape[1]] = False
    return np.where(hidden, np.nan, X)


def assert_close(parameters, mixture, rtol=1e-11):
    for name in ("weights", "means", "covariances"):
        expected = getattr(mixture, name)
        actual = getattr(to_mixture(mixture.covariance_type, parameters), name)
        np.testing.assert_allclose(actual, expected, atol=rtol * np.abs(expected).max(), rtol=0)


def run(data, start, n_threads=1, **options):
    with Pool(n_threads) as pool:
        return em.solve(data, start, em.Settings(**options), pool)


@every_type
@pytest.mark.parametrize("penalized", [False, True])
@pytest.mark.parametrize("missing", [False, True])
def test_steps_are_those_of_the_reference(covariance_type, penalized, missing):
    X = make_data(120, 3)
    X = make_missing(X) if missing else X
    weights = np.random.default_rng(1).uniform(0.2, 2.0, len(X))
    expected = start_from(covariance_type, 3, 3)
    parameters = expected.to_parameters()
    data = Data(KINDS[covariance_type], 3, X, weights, 0.1)
    with Pool(1) as pool:
        for _ in range(3):
            penalties = 0.05 * parameters.compute_traces() if penalized else None
            statistics = compute_statistics(data, parameters, pool, penalties)
            objective, expected = step(expected, X, weights, 0.1, penalized)
            parameters = maximize(statistics, 0.1)
            assert statistics.log_likelihood / statistics.weight == pytest.approx(
                objective, rel=1e-12
            )
            assert_close(parameters, expected)


@every_type
def test_narrow_components_far_apart_lose_no_digits(covariance_type):
    """Where expanding the square would cancel, differences from the mean are used."""
    rng = np.random.default_rng(0)
    centers = 1e6 * rng.standard_normal((3, 2))
    X = centers[np.arange(90) % 3] + 1e-2 * rng.standard_normal((90, 2))
    start = Mixture(
        covariance_type, np.full(3, 1 / 3), centers, np.tile(1e-4 * np.eye(2), (3, 1, 1))
    )
    data = Data(KINDS[covariance_type], 3, X, None, 0.0)
    result = run(data, start.to_parameters(), is_accelerated=False, floor=0.0, max_iter=1, tol=0)
    fitted = to_mixture(covariance_type, result.parameters)
    groups = [X[k::3] - centers[k] for k in range(3)]
    scatter = np.array([np.cov(group.T, bias=True) for group in groups])
    if covariance_type == "tied":
        scatter[:] = scatter.mean(axis=0)
    elif covariance_type == "diag":
        scatter *= np.eye(2)
    elif covariance_type == "spherical":
        scatter = np.einsum("kii->k", scatter)[:, None, None] / 2 * np.eye(2)
    # The data themselves are rounded to 1e-10 beside a spread of 1e-2.
    np.testing.assert_allclose(fitted.covariances, scatter, rtol=0, atol=1e-6 * scatter.max())


@every_type
@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    d=st.integers(1, 4),
    n_components=st.integers(1, 4),
    floor=st.sampled_from([0.0, 1e-6, 1e-2, 1.0]),
    missing=st.booleans(),
)
def test_penalized_likelihood_never_falls(covariance_type, seed, d, n_components, floor, missing):
    X = make_data(80, d, seed)
    X = make_missing(X, seed=seed) if missing and d > 1 else X
    start = start_from(covariance_type, n_components, d, seed).to_parameters()
    data = Data(KINDS[covariance_type], n_components, X, None, floor)
    try:
        result = run(data, start, floor=floor, tol=1e-9, max_iter=80)
    except CollapseError:
        assert floor < 1e-2  # a component on a single row has no maximum without a floor
        return
    bounds = np.array(result.bounds)
    assert (np.diff(bounds) >= -1e-10 * np.abs(bounds[1:])).all()


def pack(parameters, covariance_type):
    """Unconstrained coordinates, and back."""
    n, d = parameters.means.shape
    kept = parameters.covariances
    lower = np.tril_indices(d)
    if parameters.is_matrix:
        spread = np.linalg.cholesky(kept)[:, *lower].ravel()
    else:
        spread = np.log(kept).ravel()
    vector = np.concatenate([np.log(parameters.weights), parameters.means.ravel(), spread])

    def unpack(v):
        weights, spread = np.exp(v[:n]), v[n + n * d :]
        if parameters.is_matrix:
            roots = np.zeros(kept.shape)
            roots[:, *lower] = spread.reshape(len(kept), -1)
            covariances = roots @ roots.swapaxes(1, 2)
        else:
            covariances = np.exp(spread).reshape(n, 1, -1) * np.eye(d)
        return Mixture(
            covariance_type,
            weights / weights.sum(),
            v[n : n + n * d].reshape(n, d),
            np.broadcast_to(covariances, (n, d, d)),
        )

    return vector, unpack


@every_type
@pytest.mark.parametrize("missing", [False, True])
def test_gradient_is_zero_at_convergence(covariance_type, missing):
    X = make_data(30, 2, seed=3)
    X = make_missing(X) if missing else X
    floor = 1e-2
    data = Data(KINDS[covariance_type], 2, X, None, floor)
    start = start_from(covariance_type, 2, 2).to_parameters()
    result = run(data, start, floor=floor, tol=1e-13, max_iter=3000)
    assert result.converged
    vector, unpack = pack(result.parameters, covariance_type)

    def objective(v):
        return compute_objective(unpack(v), X, floor=floor)

    assert objective(vector) == pytest.approx(result.bounds[-1], rel=1e-9)
    assert np.abs(approx_fprime(vector, objective, 1e-6)).max() < 2e-5
    moved = vector + 0.1  # the gradient is not zero everywhere
    assert np.abs(approx_fprime(moved, objective, 1e-6)).max() > 1e-3


@every_type
def test_acceleration_ends_no_lower_than_plain_em(covariance_type):
    X = make_data(300, 3, seed=5)
    data = Data(KINDS[covariance_type], 3, X, None, 0.0)
    start = start_from(covariance_type, 3, 3).to_parameters()
    plain = run(data, start, floor=0.0, is_accelerated=False, tol=1e-7, max_iter=3000)
    fast = run(data, start, floor=0.0, tol=1e-7, max_iter=3000)
    assert fast.converged
    assert fast.bounds[-1] >= plain.bounds[-1] - 1e-5
    assert fast.bounds[: em.WARMUP] == plain.bounds[: em.WARMUP]
    assert len(fast.bounds) <= len(plain.bounds)


@every_type
def test_bitwise_equal_across_threads_and_close_across_chunks(covariance_type, monkeypatch):
    X = make_data(40_000, 3)
    start = start_from(covariance_type, 3, 3).to_parameters()
    options = {"tol": 0, "max_iter": 3}
    one, three = (
        run(Data(KINDS[covariance_type], 3, X, None, 1e-6), start, n, **options) for n in (1, 3)
    )
    assert one.bounds == three.bounds
    np.testing.assert_array_equal(one.parameters.means, three.parameters.means)
    np.testing.assert_array_equal(one.parameters.covariances, three.parameters.covariances)
    monkeypatch.setattr("skextra._core.mixture.data._SEGMENT_ROWS", 3000)
    other = run(Data(KINDS[covariance_type], 3, X, None, 1e-6), start, **options)
    np.testing.assert_allclose(other.bounds, one.bounds, rtol=1e-13)
    np.testing.assert_allclose(
        other.parameters.covariances, one.parameters.covariances, rtol=1e-10, atol=1e-12
    )


@every_type
def test_statistics_of_parts_add_up_and_travel(covariance_type):
    X = make_missing(make_data(200, 3))
    parameters = start_from(covariance_type, 3, 3).to_parameters()
    kind = KINDS[covariance_type]
    with Pool(1) as pool:
        whole, first, second = (
            compute_statistics(Data(kind, 3, rows, None, 1e-6), parameters, pool)
            for rows in (X, X[:70], X[70:])
        )
    merged = pickle.loads(pickle.dumps(first)) + second
    assert merged.weight == whole.weight
    assert merged.log_likelihood == pytest.approx(whole.log_likelihood, rel=1e-12)
    for name in ("counts", "means", "scatters"):
        expected = getattr(whole, name)
        np.testing.assert_allclose(
            getattr(merged, name), expected, rtol=1e-10, atol=1e-10 * np.abs(expected).max()
        )


@every_type
def test_float32_rows_are_summed_in_float64(covariance_type):
    X = (make_data(500, 3) + 1000.0).astype(np.float32)
    start = start_from(covariance_type, 3, 3)
    start.means += 1000.0
    data = [Data(KINDS[covariance_type], 3, x, None, 1e-6) for x in (X, X.astype(np.float64))]
    single, double = (run(each, start.to_parameters(), tol=0, max_iter=4) for each in data)
    assert single.bounds == double.bounds
    assert (
        np.einsum("kii->ki", to_mixture(covariance_type, single.parameters).covariances) > 0
    ).all()


@every_type
@pytest.mark.parametrize("missing", [False, True])
def test_densities_and_posteriors(covariance_type, missing):
    X = make_data(60, 3)
    X = make_missing(X) if missing else X
    if missing:
        X[7] = np.nan
    mixture = start_from(covariance_type, 4, 3)
    with Pool(1) as pool:
        scores, labels, shares = evaluate(X, mixture.to_parameters(), pool, True)
    logs = compute_log_densities(mixture, X)
    expected = np.logaddexp.reduce(logs, axis=1)
    np.testing.assert_allclose(scores, expected, rtol=1e-11, atol=1e-11)
    np.testing.assert_array_equal(labels, logs.argmax(axis=1))
    np.testing.assert_allclose(shares, np.exp(logs - expected[:, None]), atol=1e-12)
    small = evaluate_small(X, mixture.to_parameters())
    if missing:
        assert small is None
        return
    np.testing.assert_allclose(small[0], scores, rtol=1e-12)
    np.testing.assert_array_equal(small[1], labels)
    np.testing.assert_allclose(small[2], shares, atol=1e-13)


def test_memory_does_not_grow_with_rows_times_components():
    X = make_data(50_000, 2)
    start = start_from("full", 40, 2).to_parameters()
    run(Data(KINDS["full"], 40, X[:5000], None, 1e-6), start, max_iter=1)
    tracemalloc.start()
    run(Data(KINDS["full"], 40, X, None, 1e-6), start, max_iter=2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.15 * X.itemsize * len(X) * 40
