"""Exact distributions by enumeration, and tests of samples against them with their power."""

from itertools import permutations

import numpy as np
from scipy import stats

LEVEL = 1e-4  # of each test: at a fixed seed it passes for good or fails for good


def softmax(logits):
    logits = np.asarray(logits, dtype=np.float64)
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()


def enumerate_rankings(weights, k):
    """Every ordered draw of k and its Plackett-Luce probability."""
    weights = np.asarray(weights, dtype=np.float64)
    rankings, probabilities = [], []
    for ranking in permutations(range(len(weights)), k):
        left, probability = list(range(len(weights))), 1.0
        for i in ranking:
            probability *= weights[i] / weights[left].sum()  # a difference would cancel
            left.remove(i)
        rankings.append(ranking)
        probabilities.append(probability)
    return rankings, np.array(probabilities)


def enumerate_inclusion(weights, k):
    rankings, probabilities = enumerate_rankings(weights, k)
    included = np.zeros(len(weights))
    for ranking, probability in zip(rankings, probabilities):
        included[list(ranking)] += probability
    return included


def compute_power(probabilities, alternative, n):
    """Power of the chi-square test with n draws against an alternative."""
    noncentrality = n * ((alternative - probabilities) ** 2 / probabilities).sum()
    degrees = len(probabilities) - 1
    return stats.ncx2.sf(stats.chi2.isf(LEVEL, degrees), degrees, noncentrality)


def shift(probabilities, amount):
    """Alternative: `amount` moved from the likeliest outcome to the unlikeliest."""
    alternative, order = probabilities.copy(), np.argsort(probabilities, kind="stable")
    alternative[order[-1]] -= amount
    alternative[order[0]] += amount
    return alternative


def assert_distributed(outcomes, probabilities, visible=0.01):
    """Chi-square of outcomes numbered from 0, with power 0.999 to see a shift of `visible`."""
    probabilities = np.asarray(probabilities)
    counts = np.bincount(outcomes, minlength=len(probabilities))
    assert len(counts) == len(probabilities)
    assert not counts[probabilities == 0].any()
    counts, probabilities = counts[probabilities > 0], probabilities[probabilities > 0]
    assert (probabilities * len(outcomes) >= 5).all(), "too few draws for a chi-square test"
    power = compute_power(probabilities, shift(probabilities, visible), len(outcomes))
    assert power > 0.999, power
    assert stats.chisquare(counts, probabilities * counts.sum()).pvalue > LEVEL


def assert_continuous(sample, cdf, visible=0.01):
    """Kolmogorov-Smirnov, with power 0.999 to see a cdf that is off by `visible` somewhere."""
    # Dvoretzky, Kiefer & Wolfowitz bound both errors: 2 exp(-2 n d^2).
    n = len(sample)
    critical = np.sqrt(np.log(2 / LEVEL) / (2 * n))
    assert visible > critical + np.sqrt(np.log(2 / 0.001) / (2 * n))
    assert stats.kstest(sample, cdf).statistic < critical
