"""How good a split is: impurities as scikit-learn computes them, and cheaper scores to search by.

Up to a constant, what every criterion maximizes over the splits of a node is a
convex function of the left side's statistics. With `s_k` the left weight of class k
(or the left sum of targets) less its expectation, Gini and squared error are
``sum_k s_k^2 * W / (w_left * w_right)``, which is what the searches compare. Where two
candidates come closer than rounding, scikit-learn's own expression decides, so that
ties fall as they do there.

A new criterion has its row in `criterion_table`, and its formulas here: one that counts classes in
`compute_impurity`, one that sums targets in `compute_loss` and `compute_decrease`.
"""

import numpy as np

from skextra._core.runtime.entries import kernel
from skextra._core.tree.criterion_table import ABSOLUTE_ERROR, GAMMA, GINI, POISSON

# Gini impurity or entropy up to which a node is pure, as in scikit-learn; also the rounding of
# an impurity's decrease, as a share of the impurity.
EPSILON = 10 * np.finfo(np.float64).eps
# Targets of a node are equal if they spread less than this share of their size: rounding. An
# absolute limit, like scikit-learn's, would leave small targets undivided.
TARGET_ROUNDING = 4 * np.finfo(np.float64).eps
# Sums of targets whose scores differ less than this share of the best are a tie: the first stays.
# So are scores below this share of the node's weight times its impurity: they are 0 but for
# rounding, whose square is 1e-32 of it for a row.
TIE, ZERO_SCORE = 1e-11, 1e-24
# Candidates this close, relative to the score, are told apart by the exact expression.
TOLERANCE = 1e-9


@kernel
def compute_impurity(criterion, sums, first, n_classes, weight):
    """Gini impurity or entropy (in bits) of the class weights sums[first:first + n_classes]."""
    if criterion == GINI:
        squares = 0.0
        for k in range(first, first + n_classes):
            squares += sums[k] * sums[k]
        return 1.0 - squares / (weight * weight)
    entropy = 0.0
    for k in range(first, first + n_classes):
        if sums[k] > 0.0:
            p = sums[k] / weight
            entropy -= p * (np.log(p) / np.log(2.0))
    return entropy


@kernel
def compute_binary_impurity(criterion, second, weight):
    """`compute_impurity` of two classes, given the weight of the second and of both."""
    first = weight - second
    if criterion == GINI:
        return 1.0 - (first * first + second * second) / (weight * weight)
    entropy = 0.0
    if first > 0.0:
        p = first / weight
        entropy -= p * (np.log(p) / np.log(2.0))
    if second > 0.0:
        p = second / weight
        entropy -= p * (np.log(p) / np.log(2.0))
    return entropy


@kernel
def compute_binary_proxy(criterion, weight, second, left, left_second):
    """scikit-learn's measure of a split into `left` of `weight`, two classes."""
    right = weight - left
    impurity_left = compute_binary_impurity(criterion, left_second, left)
    impurity_right = compute_binary_impurity(criterion, second - left_second, right)
    return -right * impurity_right - left * impurity_left


@kernel
def is_spread(lowest, highest):
    """Whether targets differ by more than rounding."""
    return highest - lowest > TARGET_ROUNDING * max(abs(lowest), abs(highest))


@kernel
def _compute_poisson_term(t):
    """(1 + t) log(1 + t) - t: half the Poisson deviance of m (1 + t) from m, in units of m.

    Summed with weights for which the deviations t cancel, this is the sum of y log(y / m), of
    nonnegative terms that do not cancel.
    """
    return (1.0 + t) * np.log1p(t) - t if t > -1.0 else 1.0


@kernel
def _compute_gamma_term(t):
    """t - log(1 + t): half the gamma deviance of m (1 + t) from m."""
    return t - np.log1p(t) if t > -1.0 else np.inf


@kernel
def compute_loss(criterion, weight, y, mean):
    """Weighted loss of predicting the mean of a node for a target: impurities are means of it."""
    if criterion == POISSON:
        return weight * mean * _compute_poisson_term((y - mean) / mean)
    if criterion == GAMMA:
        return weight * _compute_gamma_term((y - mean) / mean)
    return weight * (y - mean) * (y - mean)


@kernel
def compute_decrease(criterion, mean, weight, left, right, excess):
    """How much a split reduces the sum of losses.

    Parameters
    ----------
    criterion : int
    mean, weight : float
        Mean target, and weight, of the node.
    left, right : float
        Weights of its sides.
    excess : float
        Sum of weighted targets of the left side about `mean`. With d for it, squared errors
        fall by ``d^2 W / (l r)``; deviances, with a term of h(t) at the mean m (1 + t), by
        ``l h(d / l m) + r h(-d / r m)``.
    """
    if criterion == POISSON:
        fall = mean * left * _compute_poisson_term(excess / (left * mean))
        return fall + mean * right * _compute_poisson_term(-excess / (right * mean))
    if criterion == GAMMA:
        fall = left * _compute_gamma_term(excess / (left * mean))
        return fall + right * _compute_gamma_term(-excess / (right * mean))
    return excess * excess * weight / (left * right)


@kernel
def multiply_by_log(x):
    """x log(x), which is 0 at 0 and for what rounding leaves below it."""
    return x * np.log(x) if x > 0.0 else 0.0


@kernel
def round_down(threshold):
    """Largest float32 that is not above: compares with float32 values as the threshold does."""
    rounded = np.float32(threshold)
    if rounded > threshold:
        rounded = np.nextafter(rounded, np.float32(-np.inf))
    return rounded


@kernel
def compute_proxy(problem, totals, sums, weight, left, error_left, error_right):
    """scikit-learn's measure of a split, given the left side's sums and weight.

    Sums of targets are about the node's mean; of losses that are summed, it is the decrease.
    """
    criterion, stride, n_outputs = problem.criterion, problem.stride, len(problem.n_classes)
    right = weight - left
    if criterion == ABSOLUTE_ERROR:
        return -(error_right / n_outputs) - (error_left / n_outputs)
    if problem.is_classification:
        return _compute_class_proxy(problem, totals, sums, left, right)
    score = 0.0
    for k in range(n_outputs):
        mean, excess = totals[k * stride] / weight, sums[k * stride]
        if criterion == POISSON:
            # The mean of a side must be positive. Rounding may leave this of a sum of zeros.
            least = 1e-13 * totals[k * stride]
            if excess + left * mean <= least or right * mean - excess <= least:
                return -np.inf
        score += compute_decrease(criterion, mean, weight, left, right, excess)
    return score


@kernel
def _compute_class_proxy(problem, totals, sums, left, right):
    criterion, n_classes, stride = problem.criterion, problem.n_classes, problem.stride
    impurity_left = impurity_right = 0.0
    for k in range(len(n_classes)):
        first, last = k * stride, k * stride + n_classes[k]
        impurity_left += compute_impurity(criterion, sums, first, n_classes[k], left)
        # The right side's weights take the left's place for the moment.
        for c in range(first, last):
            sums[c] = totals[c] - sums[c]
        impurity_right += compute_impurity(criterion, sums, first, n_classes[k], right)
        for c in range(first, last):
            sums[c] = totals[c] - sums[c]
    n_outputs = len(n_classes)
    return -right * (impurity_right / n_outputs) - left * (impurity_left / n_outputs)
