"""How good a split is: impurities as scikit-learn computes them, and cheaper scores to search by.

Up to a constant, what every criterion maximises over the splits of a node is a
convex function of the left side's statistics. With `s_k` the left weight of class k
(or the left sum of targets) less its expectation, gini and squared error are
``sum_k s_k^2 * W / (w_left * w_right)``, which is what the searches compare. Where two
candidates come closer than rounding, scikit-learn's own expression decides, so that
ties fall as they do there.
"""

import numpy as np

from skextra._core.runtime.entries import kernel

GINI, ENTROPY, SQUARED_ERROR, ABSOLUTE_ERROR, POISSON = range(5)
CRITERIA = {
    "gini": GINI,
    "entropy": ENTROPY,
    "log_loss": ENTROPY,
    "squared_error": SQUARED_ERROR,
    "absolute_error": ABSOLUTE_ERROR,
    "poisson": POISSON,
}
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
def compute_deviance(t):
    """Half the Poisson deviance of m (1 + t) from the mean m, in units of m.

    (1 + t) log(1 + t) - t: summed with weights for which the deviations t cancel, this is the
    sum of y log(y / m), of nonnegative terms that do not cancel.
    """
    return (1.0 + t) * np.log1p(t) - t if t > -1.0 else 1.0


@kernel
def compute_limits(min_leaf, min_weight, n_rows, weight, impurity):
    """Least rows and weight of a side of a split, and the largest score that is 0 but for rounding.

    A side with less than the rounding of the node's weight has no weight.
    """
    least = max(min_weight, n_rows * np.finfo(np.float64).eps * weight)
    return min_leaf, least, ZERO_SCORE * weight * impurity


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
