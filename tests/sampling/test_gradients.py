"""Gradient estimators against enumeration: unbiased, or biased by what theory says."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, stats

from skextra.sampling import (
    compare_gradient_estimators,
    enumerated_gradient,
    gaussian_reparameterization_gradient,
    gumbel_rao_gradient,
    gumbel_softmax_gradient,
    score_function_gradient,
    straight_through_gradient,
)

LOGITS = np.array([0.4, -0.3, 0.8, 0.0])
TARGET = np.array([0.1, 0.7, 0.15, 0.05])
N = 40_000


def f(Z):
    return 3 + ((Z - TARGET) ** 2).sum(axis=1) + 2 * Z[:, 1] * Z[:, 2]


def grad_f(Z):
    slopes = 2 * (Z - TARGET)
    slopes[:, 1] += 2 * Z[:, 2]
    slopes[:, 2] += 2 * Z[:, 1]
    return slopes


def assert_unbiased(estimate, exact):
    assert (np.abs(estimate.gradient - exact) < 4.5 * estimate.standard_error).all()


def test_enumeration_is_the_derivative():
    def expectation(logits):
        p = np.exp(logits - logits.max())
        return f(np.eye(4)) @ (p / p.sum())

    steps = 1e-6 * np.eye(4)
    numerical = [(expectation(LOGITS + h) - expectation(LOGITS - h)) / 2e-6 for h in steps]
    assert_allclose(enumerated_gradient(f, LOGITS), numerical, atol=1e-9)
    p = np.exp(LOGITS)
    assert_allclose(enumerated_gradient(f, p, input="weights"), numerical, atol=1e-9)


def test_score_function_is_unbiased_and_its_variance_is_the_enumerated_one():
    exact = enumerated_gradient(f, LOGITS)
    p = np.exp(LOGITS) / np.exp(LOGITS).sum()
    samples = f(np.eye(4))[:, None] * (np.eye(4) - p)
    variance = p @ (samples - exact) ** 2
    plain = score_function_gradient(f, LOGITS, baseline=None, n_samples=N, random_state=0)
    assert_unbiased(plain, exact)
    assert_allclose(plain.variance, variance, rtol=0.05)
    baseline = score_function_gradient(f, LOGITS, n_samples=N, random_state=0)
    assert_unbiased(baseline, exact)
    assert baseline.variance.sum() < 0.2 * plain.variance.sum()


def test_leave_one_out_is_unbiased_with_few_samples():
    exact = enumerated_gradient(f, LOGITS)
    means = [
        score_function_gradient(f, LOGITS, n_samples=2, random_state=seed).gradient
        for seed in range(4000)
    ]
    error = np.std(means, axis=0) / np.sqrt(len(means))
    assert (np.abs(np.mean(means, axis=0) - exact) < 4.5 * error).all()


def test_variance_is_that_of_repetitions():
    gradients, variances = [], []
    for seed in range(400):
        estimate = gumbel_softmax_gradient(grad_f, LOGITS, 0.5, n_samples=50, random_state=seed)
        gradients.append(estimate.gradient)
        variances.append(estimate.standard_error**2)
    assert_allclose(np.var(gradients, axis=0), np.mean(variances, axis=0), rtol=0.3)


def test_gaussian_against_the_closed_form():
    # E[(z - a)^4] with z = m + s e: derivative 4 (d^3 + 3 d s^2) and 12 d^2 s + 12 s^3.
    mean, scale, a = np.array([0.5, -1.0]), np.array([0.7, 1.2]), 0.3
    d = mean - a
    exact = [4 * (d**3 + 3 * d * scale**2), 12 * d**2 * scale + 12 * scale**3]
    estimate = gaussian_reparameterization_gradient(
        lambda Z: 4 * (Z - a) ** 3, mean, scale, n_samples=N, random_state=0
    )
    assert estimate.gradient.shape == (2, 2)
    assert_unbiased(estimate, exact)


def test_relaxed_gradient_is_that_of_the_relaxed_expectation():
    # Two categories: y = expit((gap + logistic noise) / t), by quadrature.
    temperature, gap = 0.6, 0.9

    def expectation(gap):
        def integrand(noise):
            y = 1 / (1 + np.exp(-(gap + noise) / temperature))
            return y**2 * stats.logistic.pdf(noise)

        return integrate.quad(integrand, -40, 40, points=[-gap], limit=200)[0]

    exact = (expectation(gap + 1e-4) - expectation(gap - 1e-4)) / 2e-4
    estimate = gumbel_softmax_gradient(
        lambda Y: np.c_[2 * Y[:, 0], 0 * Y[:, 1]],
        [gap, 0.0],
        temperature,
        n_samples=N,
        random_state=0,
    )
    assert_unbiased(estimate, np.array([exact, -exact]))


def test_bias_of_the_relaxation_vanishes_with_the_temperature():
    exact = enumerated_gradient(f, LOGITS)
    biases = []
    for temperature in (2.0, 0.5, 0.1):
        estimate = gumbel_softmax_gradient(grad_f, LOGITS, temperature, n_samples=N, random_state=0)
        biases.append(np.abs(estimate.gradient - exact).max())
    assert biases[0] > 1.5 * biases[1] > 2 * biases[2]
    assert biases[2] < 0.02


def test_straight_through_is_unbiased_for_linear_functions_in_the_limit_only():
    slope = np.array([1.0, -2.0, 0.5, 0.0])
    exact = enumerated_gradient(lambda Z: Z @ slope, LOGITS)

    def linear(Z):
        return np.broadcast_to(slope, Z.shape)

    cold = straight_through_gradient(linear, LOGITS, 0.02, n_samples=20 * N, random_state=0)
    assert_unbiased(cold, exact)
    warm = straight_through_gradient(linear, LOGITS, 2.0, n_samples=N, random_state=0)
    assert (np.abs(warm.gradient - exact) > 10 * warm.standard_error).any()


@pytest.mark.parametrize("temperature", [1.0, 0.3])
def test_gumbel_rao_has_the_mean_of_straight_through_and_less_variance(temperature):
    plain = straight_through_gradient(grad_f, LOGITS, temperature, n_samples=N, random_state=0)
    averaged = gumbel_rao_gradient(
        grad_f, LOGITS, temperature, n_inner=20, n_samples=N, random_state=1
    )
    error = np.hypot(plain.standard_error, averaged.standard_error)
    assert (np.abs(plain.gradient - averaged.gradient) < 4.5 * error).all()
    assert averaged.variance.sum() < plain.variance.sum()
    single = gumbel_rao_gradient(
        grad_f, LOGITS, temperature, n_inner=1, n_samples=N, random_state=2
    )
    assert_allclose(single.variance.sum(), plain.variance.sum(), rtol=0.1)


def test_report_says_that_no_estimator_wins_everywhere():
    report = compare_gradient_estimators(
        f, grad_f, LOGITS, temperatures=(1.0, 0.05), n_samples=N, random_state=0
    )
    rows = {(row.estimator, row.temperature): row for row in report.rows}
    baseline = rows["score function, baseline", None]
    assert rows["Gumbel-softmax", 1.0].total_variance < baseline.total_variance
    assert rows["Gumbel-softmax", 0.05].total_variance > baseline.total_variance
    assert rows["Gumbel-softmax", 1.0].largest_bias > 5 * rows["Gumbel-softmax", 1.0].bias_error
    assert rows["score function", None].largest_bias == 0
    assert_allclose(report.exact, enumerated_gradient(f, LOGITS))
    text = str(report)
    assert all(row.estimator in text for row in report.rows)
    assert len(report.to_dict()["rows"]) == len(report.rows) == 8
    again = compare_gradient_estimators(
        f, grad_f, LOGITS, temperatures=(1.0, 0.05), n_samples=N, random_state=0
    )
    assert str(again) == text


@pytest.mark.parametrize("temperature", [1e-300, 1e-3, 1e300])
@pytest.mark.parametrize("logits", [[0.0, 1e308], [0.0, -np.inf, 1.0], [2.0]])
def test_extremes_stay_finite(temperature, logits):
    for estimate in (
        gumbel_softmax_gradient(lambda Z: Z, logits, temperature, n_samples=50, random_state=0),
        straight_through_gradient(lambda Z: Z, logits, temperature, n_samples=50, random_state=0),
        gumbel_rao_gradient(lambda Z: Z, logits, temperature, n_samples=50, random_state=0),
    ):
        assert np.isfinite(estimate.gradient).all() and np.isfinite(estimate.variance).all()


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: score_function_gradient(f, [LOGITS, LOGITS]), "one row"),
        (lambda: score_function_gradient(f, LOGITS, n_samples=1), "n_samples"),
        (lambda: score_function_gradient(f, LOGITS, baseline="mean"), "baseline"),
        (lambda: score_function_gradient(lambda Z: 1.0, LOGITS), "f must return an array"),
        (lambda: enumerated_gradient(lambda Z: Z[:, 0] / 0, LOGITS), "f must return finite"),
        (lambda: gumbel_softmax_gradient(f, LOGITS), "grad_f must return an array"),
        (lambda: gumbel_softmax_gradient(grad_f, LOGITS, 0.0), "temperature"),
        (lambda: gumbel_rao_gradient(grad_f, LOGITS, n_inner=0), "n_inner"),
        (lambda: gaussian_reparameterization_gradient(grad_f, [np.nan]), "mean"),
        (lambda: gaussian_reparameterization_gradient(grad_f, [0.0], 0.0), "scale"),
    ],
)
def test_error_messages(call, message):
    with np.errstate(all="ignore"), pytest.raises(ValueError, match=message):
        call()
