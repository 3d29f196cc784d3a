"""Probabilities from decision values: Platt's sigmoid and pairwise coupling."""

import numpy as np
from scipy.special import expit, log_expit, logsumexp

_MAX_STEPS = 100
_STOP = 1e-10  # relative gradient
_SMALLEST = 1e-7  # probability of one class of a pair, as in LIBSVM


def fit_sigmoid(decisions, is_positive, weights):
    """Slope and offset of ``1 / (1 + exp(slope * decision + offset))``.

    Maximum likelihood with Platt's targets, which are those of uniform priors on
    one observation more of each class. The slope is not positive: a larger decision
    value never means a smaller probability.

    Parameters
    ----------
    decisions : ndarray of shape (n_samples,)
        Of samples that the machine has not seen.
    is_positive : ndarray of bool of shape (n_samples,)
    weights : ndarray of shape (n_samples,)
        How often each counts.

    Returns
    -------
    slope, offset : float

    References
    ----------
    Platt, "Probabilistic outputs for support vector machines and comparisons to
    regularized likelihood methods", Advances in Large Margin Classifiers (1999).

    Lin, Lin & Weng, "A note on Platt's probabilistic outputs for support vector
    machines", Machine Learning 68 (2007).
    """
    n_positive = weights[is_positive].sum()
    n_negative = weights.sum() - n_positive
    targets = np.where(
        is_positive, (n_positive + 1.0) / (n_positive + 2.0), 1.0 / (n_negative + 2.0)
    )
    # Decision values of size one make the two unknowns comparable.
    scale = np.sqrt(weights @ decisions**2 / weights.sum())
    constant = _find_best_constant(targets, weights)
    if not scale > 0:
        return 0.0, constant
    slope, offset = _minimize(decisions / scale, targets, weights, 0.0, constant)
    return (slope / scale, offset) if slope < 0 else (0.0, constant)


def _find_best_constant(targets, weights):
    mean = weights @ targets / weights.sum()
    return float(np.log((1.0 - mean) / mean))


def _minimize(x, targets, weights, slope, offset):
    """Newton's method with a line search on a convex function of two variables."""
    total = weights.sum()
    value = _compute_loss(slope * x + offset, targets, weights)
    for _ in range(_MAX_STEPS):
        p = expit(-(slope * x + offset))
        residual, curvature = weights * (targets - p), weights * p * (1.0 - p)
        gradient = np.array([residual @ x, residual.sum()])
        if np.abs(gradient).max() <= _STOP * total:
            break
        hessian = np.array([[curvature @ x**2, curvature @ x], [curvature @ x, curvature.sum()]])
        hessian[np.diag_indices(2)] += 1e-12 * total
        step = np.linalg.solve(hessian, gradient)
        decrease = gradient @ step
        length = 1.0
        while length > 1e-10:
            trial = slope - length * step[0], offset - length * step[1]
            new = _compute_loss(trial[0] * x + trial[1], targets, weights)
            if new <= value - 1e-4 * length * decrease:
                break
            length *= 0.5
        else:
            break
        (slope, offset), value = trial, new
    return float(slope), float(offset)


def _compute_loss(z, targets, weights):
    # With p = expit(-z), -t log p - (1 - t) log(1 - p).
    return -(weights @ (targets * log_expit(-z) + (1.0 - targets) * log_expit(z)))


def apply_sigmoid(decisions, slopes, offsets):
    """Probabilities of the positive classes, elementwise with a column a machine."""
    return expit(-(decisions * slopes + offsets))


def couple_pairs(probabilities, pairs, n_classes):
    """Probabilities of all classes from those within pairs.

    Minimizes ``sum_ij (r_ji p_i - r_ij p_j)^2`` over distributions p; the solution
    of the linear system is positive without being told.

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_pairs)
        Of the first class of each pair.
    pairs : list of tuple of int
    n_classes : int

    Returns
    -------
    p : ndarray of shape (n_samples, n_classes)

    References
    ----------
    Wu, Lin & Weng, "Probability estimates for multi-class classification by pairwise
    coupling", JMLR 5 (2004), section 4.2.
    """
    n = len(probabilities)
    within = np.zeros((n, n_classes, n_classes))
    clipped = np.clip(probabilities, _SMALLEST, 1.0 - _SMALLEST)
    for p, (first, second) in enumerate(pairs):
        within[:, first, second] = clipped[:, p]
        within[:, second, first] = 1.0 - clipped[:, p]
    # Stationary where Q p + b = 0, with b the multiplier of sum(p) = 1.
    system = np.zeros((n, n_classes + 1, n_classes + 1))
    system[:, :n_classes, :n_classes] = -within * within.transpose(0, 2, 1)
    classes = np.arange(n_classes)
    system[:, classes, classes] = (within**2).sum(axis=1)
    system[:, :n_classes, n_classes] = system[:, n_classes, :n_classes] = 1.0
    right = np.zeros((n, n_classes + 1, 1))
    right[:, n_classes] = 1.0
    p = np.maximum(np.linalg.solve(system, right)[:, :n_classes, 0], 0.0)
    return p / p.sum(axis=1, keepdims=True)


def normalize_logarithms(logarithms):
    """Logarithms of distributions proportional to one number per class."""
    return logarithms - logsumexp(logarithms, axis=1, keepdims=True)
