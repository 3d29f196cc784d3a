"""The arithmetic of AdaBoost: errors, votes and weights, whatever learns from them.

`compute_samme_step` and `compute_r2_step` do what scikit-learn 1.9 does, operation
by operation, so that the same learners get the same weights to the last bit.
"""

import warnings
from dataclasses import dataclass

import numpy as np

from skextra._core.runtime.jit import njit

_EPS = np.finfo(np.float64).eps


@dataclass(frozen=True)
class Step:
    """What one round comes to.

    Attributes
    ----------
    weights : ndarray of shape (n_samples,)
        For the next round, not normalized.
    vote : float
        Weight of the round's learner in the ensemble.
    error : float
        Weighted error of the learner on the training data.
    """

    weights: np.ndarray
    vote: float
    error: float


def compute_samme_step(weights, is_wrong, n_classes, learning_rate, is_last):
    """One round of SAMME.

    Parameters
    ----------
    weights : ndarray of shape (n_samples,)
    is_wrong : ndarray of bool of shape (n_samples,)
    n_classes : int
    learning_rate : float
    is_last : bool
        Whether no further round needs the weights.

    Returns
    -------
    step : Step or None
        None if the learner is no better than chance.

    References
    ----------
    Zhu, Zou, Rosset & Hastie, "Multi-class AdaBoost", Statistics and Its
    Interface 2 (2009), algorithm 2.
    """
    error = (is_wrong * weights).sum() / weights.sum()
    if error <= 0:
        return Step(weights, 1.0, 0.0)
    if error >= 1.0 - (1.0 / n_classes):
        return None
    vote = learning_rate * (np.log((1.0 - error) / error) + np.log(n_classes - 1.0))
    if not is_last:
        with np.errstate(divide="ignore", over="ignore"):
            weights = np.exp(np.log(weights) + vote * is_wrong * (weights > 0))
    return Step(weights, vote, error)


_LOSSES = {
    "linear": lambda errors: errors,
    "square": np.square,
    "exponential": lambda errors: 1.0 - np.exp(-errors),
}


def compute_r2_step(weights, errors, loss, learning_rate, is_last):
    """One round of AdaBoost.R2.

    Parameters
    ----------
    weights : ndarray of shape (n_samples,)
    errors : ndarray of shape (n_samples,)
        Absolute errors of the learner.
    loss : {"linear", "square", "exponential"}
    learning_rate : float
    is_last : bool
        Whether no further round needs the weights.

    Returns
    -------
    step : Step or None
        None if the average loss reaches one half.

    References
    ----------
    Drucker, "Improving regressors using boosting techniques", ICML (1997).
    """
    counted = weights > 0
    masked, errors = weights[counted], errors[counted]
    largest = errors.max()
    if largest != 0:
        errors = errors / largest
    errors = _LOSSES[loss](errors)
    error = (masked * errors).sum()
    if error <= 0:
        return Step(weights, 1.0, 0.0)
    if error >= 0.5:
        return None
    beta = error / (1.0 - error)
    vote = learning_rate * np.log(1.0 / beta)
    if not is_last:
        weights = weights.copy()
        weights[counted] *= np.power(beta, (1.0 - errors) * learning_rate)
    return Step(weights, vote, error)


def run_rounds(weights, n_rounds, take_step, is_done=None):
    """Boost: clip, take a step, normalize, until there is a reason to stop.

    Parameters
    ----------
    weights : ndarray of shape (n_samples,)
        Of sum 1.
    n_rounds : int
    take_step : callable
        ``take_step(round, weights)`` trains a learner and returns its `Step`, or
        None to end without it.
    is_done : callable, optional
        ``is_done(round, step)`` is called after each round that counts, and ends
        the fit by returning True.

    Returns
    -------
    votes, errors : ndarray of shape (n_rounds,)
        0 and 1 for rounds that did not take place.
    """
    votes, errors = np.zeros(n_rounds), np.ones(n_rounds)
    is_zero = weights == 0.0
    for index in range(n_rounds):
        # Weights that vanish would never come back (scikit-learn #20320).
        weights = np.maximum(weights, _EPS)
        weights[is_zero] = 0.0
        step = take_step(index, weights)
        if step is None:
            break
        votes[index], errors[index] = step.vote, step.error
        if (is_done is not None and is_done(index, step)) or step.error == 0:
            break
        total = step.weights.sum()
        if not np.isfinite(total):
            warnings.warn(
                f"Sample weights have reached infinite values, at iteration {index}, causing "
                "overflow. Iterations stopped. Try lowering the learning rate.",
                stacklevel=4,
            )
            break
        if total <= 0:
            break
        weights = step.weights / total if index < n_rounds - 1 else step.weights
    return votes, errors


def draw_counts(weights, random_state):
    """How often each row is drawn in as many draws with replacement as there are rows.

    The draws are those of ``random_state.choice(n, size=n, p=weights)``.

    Parameters
    ----------
    weights : ndarray of shape (n_samples,)
    random_state : RandomState

    Returns
    -------
    counts : ndarray of shape (n_samples,) and float64
    """
    cumulated = weights.cumsum()
    cumulated /= cumulated[-1]
    return _count_draws(cumulated, random_state.random_sample(weights.size))


@njit(error_model="numpy")
def _count_draws(cumulated, uniforms):
    n = cumulated.size
    counts = np.zeros(n)
    # Where to start looking for a number in [k / n, (k + 1) / n).
    guide = np.empty(n, dtype=np.int64)
    i = 0
    for k in range(n):
        while i < n - 1 and cumulated[i] <= k / n:
            i += 1
        guide[k] = i
    for u in uniforms:
        i = guide[min(int(u * n), n - 1)]
        while i > 0 and cumulated[i - 1] > u:  # u * n may have been rounded up
            i -= 1
        while i < n - 1 and cumulated[i] <= u:
            i += 1
        counts[i] += 1.0
    return counts


def trim(weights, share):
    """Weights with the smallest ones set to 0, of at most `share` of the total.

    Rows of one weight are all kept or all left out.
    """
    return _trim(weights, weights.view(np.uint64), share * weights.sum())


@njit(error_model="numpy")
def _trim(weights, bits, limit):
    # The bits of positive floats are in order: 16 of them tell weights apart to 3 %.
    sums = np.zeros(1 << 16)
    for i in range(weights.size):
        sums[bits[i] >> np.uint64(48)] += weights[i]
    total, bucket = 0.0, 0
    while bucket < sums.size - 1 and total + sums[bucket] <= limit:
        total += sums[bucket]
        bucket += 1
    kept = np.empty_like(weights)
    for i in range(weights.size):
        kept[i] = weights[i] if (bits[i] >> np.uint64(48)) >= np.uint64(bucket) else 0.0
    return kept
