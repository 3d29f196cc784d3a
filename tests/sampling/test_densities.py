"""Densities integrate to one and agree with the samples; conditional noise with plain noise."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, stats
from scipy.special import logit, logsumexp

from skextra.sampling import (
    concrete_log_prob,
    gumbel_max,
    gumbel_softmax,
    plackett_luce_log_prob,
    sample_conditional_gumbel,
    sample_gumbel,
)
from tests.sampling.exact import assert_continuous, enumerate_rankings

LOGITS = np.array([0.5, -1.0, 0.2])


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_density_of_two_categories_integrates_to_one_and_is_that_of_the_samples(temperature):
    def density(x):
        return np.exp(concrete_log_prob([x, 1 - x], LOGITS[:2], temperature))

    total, error = integrate.quad(density, 0, 1, limit=200)
    assert abs(total - 1) < max(1e-7, 10 * error)
    sample = gumbel_softmax(LOGITS[:2], temperature, size=200_000, random_state=0)[:, 0]
    # P(x_0 <= x) is that of a logistic difference of two Gumbels.
    gap = LOGITS[0] - LOGITS[1]
    assert_continuous(sample, lambda x: stats.logistic.cdf(temperature * logit(x) - gap))


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_density_of_three_categories_integrates_to_one(temperature):
    # Nodes of a product rule on the simplex, denser towards its edges.
    nodes, weights = np.polynomial.legendre.leggauss(200)
    u, du = (nodes + 1) / 2, weights / 2
    s, ds = u**3 * (10 - 15 * u + 6 * u**2), 30 * u**2 * (1 - u) ** 2 * du
    a, b = np.meshgrid(s, s, indexing="ij")
    x = np.stack([a, (1 - a) * b, (1 - a) * (1 - b)], axis=-1)
    values = np.exp(concrete_log_prob(x, LOGITS, temperature)) * (1 - a)
    assert_allclose((values * ds[:, None] * ds).sum(), 1.0, atol=1e-4)


def test_density_of_logarithms_differs_by_the_jacobian():
    x = gumbel_softmax(LOGITS, 0.7, size=50, random_state=1)
    plain = concrete_log_prob(x, LOGITS, 0.7)
    logs = concrete_log_prob(np.log(x), LOGITS, 0.7, is_log=True)
    assert_allclose(logs, plain + np.log(x).sum(axis=1))
    tiny = gumbel_softmax(LOGITS, 1e-4, return_log=True, size=50, random_state=1)
    assert np.isfinite(concrete_log_prob(tiny, LOGITS, 1e-4, is_log=True)).all()


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_density_of_logarithms_is_that_of_the_log_ratios(temperature):
    """It integrates to one over log(x_0 / x_1), the measure that its docstring states."""

    def density(ratio):
        log_x = -np.logaddexp(0.0, [-ratio, ratio])
        return np.exp(concrete_log_prob(log_x, LOGITS[:2], temperature, is_log=True))

    assert_allclose(integrate.quad(density, -200, 200, limit=500, points=[0.0])[0], 1.0, rtol=1e-7)


def test_density_of_logarithms_of_three_categories_integrates_to_one():
    steps = np.linspace(-40.0, 40.0, 801)
    ratios = np.stack([*np.meshgrid(steps, steps), np.zeros((801, 801))], axis=-1)
    log_x = ratios - logsumexp(ratios, axis=-1, keepdims=True)
    log_prob = concrete_log_prob(log_x, LOGITS, 1.0, is_log=True)
    assert_allclose(np.exp(log_prob).sum() * (steps[1] - steps[0]) ** 2, 1.0, rtol=1e-6)


def test_density_does_not_change_with_a_shift_or_the_form_of_the_weights():
    x = gumbel_softmax(LOGITS, 0.7, size=(5), random_state=1)
    reference = concrete_log_prob(x, LOGITS, 0.7)
    assert_allclose(concrete_log_prob(x, LOGITS + 700, 0.7), reference)
    assert_allclose(concrete_log_prob(x, np.exp(LOGITS), 0.7, input="weights"), reference)
    rows = np.tile(LOGITS, (5, 1))
    assert_allclose(concrete_log_prob(x, rows, 0.7), reference)


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_plackett_luce_is_its_enumeration(k):
    weights = np.array([3.0, 0.2, 1.5, 40.0])
    rankings, probabilities = enumerate_rankings(weights, k)
    found = np.exp(plackett_luce_log_prob(rankings, weights, input="weights"))
    assert_allclose(found, probabilities, rtol=1e-13)
    assert_allclose(found.sum(), 1.0)


def test_plackett_luce_of_extreme_weights():
    assert plackett_luce_log_prob([0, 1], [0.0, -1000.0, -2000.0]) == 0.0
    assert_allclose(plackett_luce_log_prob([2, 0, 1], [0.0, -1000.0, -2000.0]), -2000.0)
    assert plackett_luce_log_prob([1], [0.0, -np.inf]) == -np.inf
    assert plackett_luce_log_prob([0, 1], [0.0, -np.inf]) == -np.inf
    assert plackett_luce_log_prob([0], [5.0]) == 0.0
    assert_allclose(plackett_luce_log_prob([0, 2, 1], [1e308, -1e308, 1e308]), -np.log(2))


def test_conditional_noise_has_its_maximum_at_the_given_index():
    rows = np.random.default_rng(0).normal(scale=3, size=(200, 6))
    labels = np.random.default_rng(1).integers(0, 6, 200)
    drawn = sample_conditional_gumbel(rows, labels, size=50, random_state=0)
    assert (drawn.argmax(axis=2) == labels).all()


def test_conditional_on_a_drawn_label_is_unconditional():
    n = 200_000
    labels = gumbel_max(LOGITS, size=n, random_state=1)
    rows = np.tile(LOGITS, (n, 1))
    drawn = sample_conditional_gumbel(rows, labels, random_state=2)
    for j, location in enumerate(LOGITS):
        assert_continuous(drawn[:, j], lambda x, loc=location: stats.gumbel_r.cdf(x, loc=loc))
    assert_continuous(drawn.max(axis=1), lambda x: stats.gumbel_r.cdf(x, loc=logsumexp(LOGITS)))
    z = np.corrcoef((drawn - LOGITS).T)[np.triu_indices(3, 1)] * np.sqrt(n)
    assert (np.abs(z) < 4).all()


def test_maximum_is_independent_of_the_label_and_others_are_truncated():
    n = 200_000
    plain = LOGITS + sample_gumbel((n, 3), random_state=3)
    given = plain[plain.argmax(axis=1) == 1]
    drawn = sample_conditional_gumbel(LOGITS, 1, size=len(given), random_state=4)
    for j in range(3):
        assert stats.ks_2samp(given[:, j], drawn[:, j]).pvalue > 1e-4
    assert len(given) > 20_000


def test_conditional_noise_of_excluded_and_extreme_logits():
    drawn = sample_conditional_gumbel([0.0, -np.inf, 1e308], 2, size=5, random_state=0)
    assert (drawn[:, 1] == -np.inf).all() and np.isfinite(drawn[:, [0, 2]]).all()
    drawn = sample_conditional_gumbel([0.0, -800.0], 1, size=5, random_state=0)
    assert (drawn.argmax(axis=1) == 1).all()


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: concrete_log_prob([0.5, 0.5, 0.0], LOGITS), ValueError, "inside the simplex"),
        (lambda: concrete_log_prob([0.5, 0.6, 0.1], LOGITS), ValueError, "sum to one"),
        (lambda: concrete_log_prob([0.5, 0.5], LOGITS), ValueError, "3 entries"),
        (lambda: concrete_log_prob([0.2, 0.3, 0.5], LOGITS, 0.0), ValueError, "temperature"),
        (lambda: concrete_log_prob([0.5, 0.5], [0.0, -np.inf]), ValueError, "positive weight"),
        (lambda: plackett_luce_log_prob([0, 0], LOGITS), ValueError, "twice"),
        (lambda: plackett_luce_log_prob([0, 3], LOGITS), ValueError, "between 0 and 2"),
        (lambda: plackett_luce_log_prob([0.5], LOGITS), TypeError, "integers"),
        (lambda: plackett_luce_log_prob([[0]], np.tile(LOGITS, (2, 1))), ValueError, "2 rows"),
        (lambda: sample_conditional_gumbel(LOGITS, 3), ValueError, "labels"),
        (lambda: sample_conditional_gumbel(LOGITS, [0]), ValueError, "labels must have shape"),
        (lambda: sample_conditional_gumbel(LOGITS, 0.5), TypeError, "labels"),
        (lambda: sample_conditional_gumbel([0.0, -np.inf], 1), ValueError, "positive weight"),
    ],
)
def test_error_messages(call, error, message):
    with pytest.raises(error, match=message):
        call()
