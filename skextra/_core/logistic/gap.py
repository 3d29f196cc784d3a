"""Duality gap of penalized logistic regression."""

import numpy as np


def compute_logistic_gap(loss, primal, U, C, W, l1, l2, noise):
    """Duality gap of penalised logistic regression at a dual point.

    Parameters
    ----------
    loss : LogLoss
    primal : float
        Objective at `W`.
    U : ndarray of shape (n_rows, n_samples)
        Probabilities; the dual point is ``weights * (targets - U)`` and must be
        orthogonal to the nuisance directions.
    C : ndarray of shape (k, n_rows)
        Products of the penalised columns with the dual point.
    W : ndarray of shape (k, n_rows)
    l1, l2 : ndarray of shape (k,)
    noise : ndarray of shape (k, n_rows)
        Rounding error of `C`. An excess within it is charged at the coefficient's
        value, not scaled away: where the penalty is weaker than rounding, no dual
        point would ever seem feasible.

    Returns
    -------
    gap : float
    scale : float
        Of the dual point that counts.
    """
    l1, l2 = l1[:, None], l2[:, None]
    limit = l1 + noise
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        magnitude = np.abs(C - l2 * W)
        worst = float(np.where(magnitude > 0, magnitude / limit, 0.0).max(initial=0.0))
        # The dual point zero is always feasible.
        best, best_scale = 0.0, 0.0
        for scale in sorted({1.0, 1.0 / max(worst, 1.0)}):
            excess = np.maximum(scale * np.abs(C) - limit, 0.0)
            # The scale that makes the worst product feasible leaves rounding behind.
            excess[excess <= 1e-14 * limit] = 0.0
            conjugate = float(np.where(excess > 0, 0.5 * excess * excess / l2, 0.0).sum())
            value = loss.compute_dual_value(loss.targets + scale * (U - loss.targets)) - conjugate
            if value > best:
                best, best_scale = value, scale
    return max(primal - best + float((noise * np.abs(W)).sum()), 0.0), best_scale
