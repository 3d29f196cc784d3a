"""The functional forms: shapes, distributions, subsamples, schedules, refusals."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import sparse, stats

from skextra.sampling import (
    gumbel_max,
    gumbel_softmax,
    gumbel_top_k,
    inclusion_probabilities,
    sample_gumbel,
    temperature_schedule,
    weighted_subsample,
)
from tests.sampling.exact import (
    assert_continuous,
    assert_distributed,
    enumerate_inclusion,
    softmax,
)

LOGITS = np.array([0.5, -0.5, 1.0])


@pytest.mark.parametrize("method", ["auto", "gumbel", "inverse-cdf"])
def test_shapes(method):
    rows = np.tile(LOGITS, (4, 1))
    assert gumbel_max(LOGITS, method=method).shape == ()
    assert gumbel_max(LOGITS, size=5, method=method).shape == (5,)
    assert gumbel_max(rows, method=method).shape == (4,)
    assert gumbel_max(rows, size=5, method=method).shape == (5, 4)
    assert gumbel_softmax(LOGITS).shape == (3,)
    assert gumbel_softmax(rows, size=5).shape == (5, 4, 3)
    assert gumbel_top_k(LOGITS, 2).shape == (2,)
    assert gumbel_top_k(rows, 2, size=1).shape == (1, 4, 2)
    assert sample_gumbel((2, 3)).shape == (2, 3) and isinstance(sample_gumbel(), float)
    assert sample_gumbel(0).shape == (0,)
    assert gumbel_softmax(LOGITS.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("method", ["gumbel", "inverse-cdf"])
def test_every_row_has_its_own_distribution(method):
    rows = np.array([LOGITS, -2 * LOGITS])
    labels = gumbel_max(rows, size=100_000, method=method, random_state=0)
    assert_distributed(labels[:, 0], softmax(rows[0]))
    assert_distributed(labels[:, 1], softmax(rows[1]))
    joint = np.outer(softmax(rows[0]), softmax(rows[1])).ravel()
    assert_distributed(3 * labels[:, 0] + labels[:, 1], joint)


def test_noise_is_gumbel():
    assert_continuous(sample_gumbel(200_000, random_state=4), stats.gumbel_r.cdf)
    first, second = sample_gumbel(5, random_state=1), sample_gumbel((5,), random_state=1)
    np.testing.assert_array_equal(first, second)


def test_hard_samples_are_vertices_at_the_largest_soft_entry():
    soft = gumbel_softmax(LOGITS, 0.8, size=500, random_state=3)
    hard = gumbel_softmax(LOGITS, 0.8, hard=True, size=500, random_state=3)
    np.testing.assert_array_equal(hard, np.eye(3)[soft.argmax(axis=1)])
    assert_distributed(
        gumbel_softmax(LOGITS, 0.8, size=100_000, random_state=3).argmax(axis=1), softmax(LOGITS)
    )


def test_logarithms_do_not_underflow():
    logs = gumbel_softmax(LOGITS, 1e-3, return_log=True, size=200, random_state=0)
    assert np.isfinite(logs).all() and logs.min() < -1000
    assert_allclose(
        np.exp(logs), gumbel_softmax(LOGITS, 1e-3, size=200, random_state=0), atol=1e-12
    )


def test_inclusion_is_what_is_drawn_and_not_k_times_p():
    weights = np.array([4.0, 2.0, 1.0, 1.0])
    exact = inclusion_probabilities(weights, 2, input="weights")
    assert_allclose(exact, enumerate_inclusion(weights, 2), atol=1e-12)
    drawn = gumbel_top_k(weights, 2, size=100_000, input="weights", random_state=0)
    share = np.bincount(drawn.ravel()) / 100_000
    error = np.sqrt(exact * (1 - exact) / 100_000)
    assert (np.abs(share - exact) < 4 * error).all()
    assert (np.abs(2 * weights / weights.sum() - exact) > 20 * error).all()


def test_inclusion_of_rows_and_of_excluded_categories():
    rows = np.array([[0.0, 1.0, -np.inf, 2.0], [1.0, 1.0, 1.0, 1.0]])
    found = inclusion_probabilities(rows, 2)
    assert found[0, 2] == 0
    assert_allclose(found.sum(axis=1), 2)
    assert_allclose(found[0, [0, 1, 3]], enumerate_inclusion(np.exp([0.0, 1.0, 2.0]), 2))
    assert_allclose(found[1], 0.5)
    assert_allclose(inclusion_probabilities([0.0, -1e308, 1e308], 2), [1, 0, 1], atol=1e-12)


def test_many_of_many():
    weights = np.random.default_rng(0).lognormal(size=1_000_000)
    drawn = gumbel_top_k(weights, 50_000, input="weights", random_state=0)
    assert len(np.unique(drawn)) == 50_000
    # First draws are by weight: their mean weight is E[w^2] / E[w].
    expected = (weights**2).mean() / weights.mean()
    assert abs(weights[drawn[:2000]].mean() / expected - 1) < 0.2
    assert weights[drawn[:5000]].mean() > weights[drawn[-5000:]].mean()
    labels = gumbel_max(weights, input="weights", size=3, method="gumbel", random_state=0)
    assert (labels < 1_000_000).all() and labels[0] == drawn[0]
    assert abs(gumbel_softmax(weights, input="weights", random_state=0).sum() - 1) < 1e-9


def test_weighted_rows_of_every_container():
    X = np.arange(20.0).reshape(10, 2)
    weights = np.r_[np.zeros(5), np.ones(5)]
    options = {"sample_weight": weights, "n_samples": 4, "random_state": 0}
    drawn = weighted_subsample(**options)
    assert len(set(drawn.tolist())) == 4 and (drawn >= 5).all()
    dense, frame, matrix, names = weighted_subsample(
        X, pd.DataFrame(X), sparse.csr_array(X), list("abcdefghij"), **options
    )
    np.testing.assert_array_equal(dense, X[drawn])
    np.testing.assert_array_equal(frame.to_numpy(), X[drawn])
    np.testing.assert_array_equal(matrix.toarray(), X[drawn])
    assert names == ["abcdefghij"[i] for i in drawn]
    np.testing.assert_array_equal(weighted_subsample(X, **options), X[drawn])


def test_schedules():
    for kind in ("exponential", "linear", "cosine"):
        levels = temperature_schedule(11, start=2.0, stop=0.5, kind=kind)
        assert levels[0] == 2.0 and levels[-1] == 0.5 and (np.diff(levels) < 0).all()
    assert_allclose(temperature_schedule(11, kind="linear")[5], 0.55)
    assert_allclose(temperature_schedule(11, kind="cosine")[5], 0.55)
    assert_allclose(temperature_schedule(3)[1], np.sqrt(0.1))
    held = temperature_schedule(7, hold=3)
    assert len(held) == 7 and (held[:3] == 1.0).all() and held[6] == 0.1
    assert temperature_schedule(1).tolist() == [1.0]
    extreme = temperature_schedule(3, start=1e300, stop=1e-300)
    assert_allclose(extreme[1], 1.0)


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: gumbel_max(LOGITS, size=0), ValueError, "size"),
        (lambda: gumbel_max(LOGITS, size=2.5), TypeError, "size"),
        (lambda: gumbel_max(LOGITS, method="magic"), ValueError, "method .* got 'magic'"),
        (lambda: gumbel_max(LOGITS, input="odds"), ValueError, "input .* got 'odds'"),
        (lambda: gumbel_max(3.0), ValueError, "X must be a row"),
        (lambda: gumbel_max([]), ValueError, "feature"),
        (lambda: gumbel_max(["a", "b"]), ValueError, "could not convert"),
        (lambda: gumbel_max(LOGITS, random_state="a"), ValueError, "seed"),
        (lambda: gumbel_softmax(LOGITS, -0.5), ValueError, "temperature"),
        (lambda: gumbel_softmax(LOGITS, "warm"), TypeError, "temperature"),
        (lambda: gumbel_top_k(LOGITS, 4), ValueError, "4 categories"),
        (lambda: gumbel_top_k(LOGITS, 0), ValueError, "k must be at least 1"),
        (lambda: inclusion_probabilities([1.0, -np.inf], 2), ValueError, "2 categories"),
        (lambda: sample_gumbel(-1), ValueError, "size"),
        (lambda: temperature_schedule(3, stop=0.0), ValueError, "stop: temperature"),
        (lambda: temperature_schedule(0), ValueError, "n_steps"),
        (lambda: temperature_schedule(3, kind="step"), ValueError, "kind"),
        (
            lambda: weighted_subsample([1, 2], sample_weight=[1.0, 0.0], n_samples=2),
            ValueError,
            "sample_weight does not allow",
        ),
        (
            lambda: weighted_subsample([1], sample_weight=[1.0, 1.0], n_samples=1),
            ValueError,
            "inconsistent",
        ),
    ],
)
def test_error_messages(call, error, message):
    with pytest.raises(error, match=message):
        call()
