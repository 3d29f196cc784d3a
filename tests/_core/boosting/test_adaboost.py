"""The arithmetic of AdaBoost's rounds."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skextra._core.boosting.adaboost import (
    Step,
    compute_r2_step,
    compute_samme_step,
    draw_counts,
    run_rounds,
    trim,
)

EPS = np.finfo(float).eps


def make_weights(n=200, seed=0):
    weights = np.random.default_rng(seed).exponential(size=n) ** 3
    return weights / weights.sum()


@pytest.mark.parametrize("n_classes", [2, 5])
@pytest.mark.parametrize("learning_rate", [1.0, 0.3])
def test_samme_vote_and_weights_follow_the_formulas(n_classes, learning_rate):
    weights, is_wrong = make_weights(), np.random.default_rng(1).random(200) < 0.3
    step = compute_samme_step(weights, is_wrong, n_classes, learning_rate, False)
    error = weights[is_wrong].sum()
    vote = learning_rate * (np.log((1 - error) / error) + np.log(n_classes - 1))
    assert_allclose([step.error, step.vote], [error, vote])
    assert_allclose(step.weights, np.where(is_wrong, weights * np.exp(vote), weights))
    if learning_rate == 1:  # a learner at chance on the new weights
        assert_allclose(step.weights[is_wrong].sum() / step.weights.sum(), 1 - 1 / n_classes)


def test_samme_ends_at_chance_and_keeps_a_perfect_learner():
    weights = np.full(6, 1 / 6)
    assert compute_samme_step(weights, np.arange(6) < 3, 2, 1.0, False) is None
    assert compute_samme_step(weights, np.arange(6) < 3, 3, 1.0, False) is not None
    assert compute_samme_step(weights, np.arange(6) < 4, 3, 1.0, False) is None
    perfect = compute_samme_step(weights, np.zeros(6, dtype=bool), 2, 0.1, False)
    assert (perfect.vote, perfect.error) == (1.0, 0.0)


def test_zero_weights_stay_zero_and_the_last_round_leaves_weights_alone():
    weights = np.array([0.5, 0.0, 0.5, 0.0])
    is_wrong = np.array([False, True, False, False])
    assert compute_samme_step(weights, is_wrong, 2, 1.0, False).error == 0
    is_wrong[0] = True
    weights = np.array([0.3, 0.0, 0.7, 0.0])
    assert_array_equal(compute_samme_step(weights, is_wrong, 2, 1.0, True).weights, weights)
    assert_array_equal(
        compute_samme_step(weights, is_wrong, 2, 1.0, False).weights == 0, weights == 0
    )


@pytest.mark.parametrize("loss", ["linear", "square", "exponential"])
def test_r2_vote_and_weights_follow_the_formulas(loss):
    weights, errors = make_weights(), np.random.default_rng(1).random(200) ** 2
    weights[0], errors[0] = 0.0, 100.0  # the largest error, but of no weight
    step = compute_r2_step(weights.copy(), errors, loss, 0.7, False)
    relative = errors[1:] / errors[1:].max()
    losses = {
        "linear": relative, "square": relative**2, "exponential": 1 - np.exp(-relative)
    }[loss]  # fmt: skip
    error = (weights[1:] * losses).sum()
    beta = error / (1 - error)
    assert_allclose([step.error, step.vote], [error, 0.7 * np.log(1 / beta)])
    assert_allclose(step.weights[1:], weights[1:] * beta ** (0.7 * (1 - losses)))
    assert step.weights[0] == 0


def test_r2_ends_at_one_half_and_keeps_a_perfect_regressor():
    weights = np.full(4, 0.25)
    assert compute_r2_step(weights, np.array([1.0, 1.0, 0.0, 0.0]), "linear", 1.0, False) is None
    perfect = compute_r2_step(weights, np.zeros(4), "linear", 1.0, False)
    assert (perfect.vote, perfect.error) == (1.0, 0.0)


@pytest.mark.parametrize("n", [1, 2, 50, 3000])
@pytest.mark.parametrize("kind", ["uniform", "skewed", "zeros", "one"])
def test_counts_are_those_of_choice(n, kind):
    weights = {
        "uniform": np.full(n, 1 / n),
        "skewed": make_weights(n) ** 2,
        "zeros": np.where(np.arange(n) % 3 == 0, 1.0, 0.0),
        "one": np.where(np.arange(n) == n - 1, 1.0, 0.0),
    }[kind]
    weights = weights / weights.sum()
    for seed in range(5):
        ours, theirs = np.random.RandomState(seed), np.random.RandomState(seed)
        rows = theirs.choice(np.arange(n), size=n, replace=True, p=weights)
        assert_array_equal(draw_counts(weights, ours), np.bincount(rows, minlength=n))
        assert ours.randint(1000) == theirs.randint(1000)


def test_trimming_leaves_out_the_smallest_weights_up_to_the_share():
    weights = make_weights(2000)
    for share in (0.0, 0.01, 0.1, 0.5):
        kept = trim(weights, share)
        left_out = kept == 0
        assert weights[left_out].sum() <= share
        assert_array_equal(kept[~left_out], weights[~left_out])
        assert not left_out.any() or weights[left_out].max() <= weights[~left_out].min()
        # Weights within 7 % of each other may be kept together.
        heavier = weights[~left_out] <= 1.07 * weights[~left_out].min()
        assert weights[left_out].sum() + weights[~left_out][heavier].sum() > share
    assert (trim(weights, 0.5) > 0).sum() < 300


def test_equal_weights_are_kept_or_left_out_together():
    weights = np.full(100, 0.01)
    assert_array_equal(trim(weights, 0.5), weights)


def test_weights_are_clipped_unless_they_were_zero():
    seen = []

    def take_step(index, weights):
        seen.append(weights)
        return Step(np.array([1e-300, 0.0, 1.0]), 1.0, 0.3)

    votes, errors = run_rounds(np.array([0.5, 0.0, 0.5]), 3, take_step)
    assert_allclose(seen[1], [EPS, 0.0, 1.0])
    assert_array_equal(votes, [1, 1, 1])
    assert_array_equal(errors, [0.3] * 3)


def test_rounds_that_do_not_take_place_have_vote_zero_and_error_one():
    weights = np.full(2, 0.5)
    votes, errors = run_rounds(weights, 4, lambda i, w: None if i == 2 else Step(w, 2.0, 0.1))
    assert_array_equal(votes, [2, 2, 0, 0])
    assert_array_equal(errors, [0.1, 0.1, 1, 1])
    votes, errors = run_rounds(weights, 3, lambda i, w: Step(w, 1.0, 0.0))
    assert_array_equal(votes, [1, 0, 0])
    assert_array_equal(errors, [0, 1, 1])
    votes, _ = run_rounds(weights, 3, lambda i, w: Step(w, 1.0, 0.2), lambda i, step: i == 1)
    assert_array_equal(votes, [1, 1, 0])


@pytest.mark.parametrize(("total", "warns"), [(np.inf, True), (0.0, False)])
def test_weights_that_overflow_or_vanish_end_the_rounds(total, warns):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        votes, _ = run_rounds(np.full(2, 0.5), 3, lambda i, w: Step(np.full(2, total), 1.0, 0.2))
    assert_array_equal(votes, [1, 0, 0])
    assert len(caught) == warns
    assert all("infinite values" in str(warning.message) for warning in caught)
