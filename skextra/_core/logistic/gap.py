"""Duality gaps of penalized logistic regression, from any coefficients and any dual point.

With probabilities U and the dual point ``theta = weights * (targets - U)``, the gap of
coefficients W with decision values F and probabilities P is

    KL(U || P) + sum_j penalty_j(W_j) + penalty_j*(X_j' theta) - W_j X_j' theta

in which every term is non-negative. The dual point has to be orthogonal to unpenalized
columns; what is left of those products is charged at the coefficients' values.
"""

import numpy as np

from skextra._core.logistic.newton_system import compute_divergence, make_feasible
from skextra._core.numerics.full_data import correlate, multiply

_EPS = np.finfo(np.float64).eps
# Rounding errors of a product with a column, relative to the lengths of both.
_NOISE = 8 * _EPS


class FullDataGap:
    """Gaps of returned coefficients, in double precision and on the data as given.

    Nothing here depends on how a solver has scaled, centered, packed or rounded the data;
    all that it takes from the solver is the dual point, which lives in the space of the
    samples. A gap costs two products with X.

    Parameters
    ----------
    problem : LogisticProblem
    """

    def __init__(self, problem):
        self.X, self.loss, self.problem = problem.X, problem.loss, problem
        data, v = problem.data, problem.penalty_weights
        self.is_penalized, self.is_free = (v > 0) & np.isfinite(v), v == 0
        self.scales = np.ones(len(v)) if data.scales is None else data.scales
        # Where columns are far from zero they are centered before products, not after.
        self.shift = data.shift
        self.lengths = np.sqrt(self.loss.n_samples) * data.sizes

    def compute(self, coef, intercept, U, lam1, lam2):
        """Gap of coefficients at the dual point that probabilities `U` make.

        Parameters
        ----------
        coef : ndarray of shape (n_rows, n_features)
        intercept : ndarray of shape (n_rows,)
        U : ndarray of shape (n_rows, n_samples) or None
            None is the probabilities of the model, made orthogonal to the intercept and to
            unpenalized columns.
        lam1, lam2 : float
            Penalties before penalty weights, in units of the loss.

        Returns
        -------
        gap : float
            Absolute; infinite or NaN where the objective is.
        """
        loss = self.loss
        level = intercept
        if self.shift is not None:
            # Of large coefficients and means the last digit of the intercept moves all samples.
            offset = coef.astype(np.longdouble) @ self.shift.astype(np.longdouble)
            level = (intercept + offset).astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            F = multiply(self.X, coef.T, self.shift).T + level[:, None]
            value, P = loss.evaluate(F)
            if not np.isfinite(value):
                return np.inf
            if U is None:
                U, _, _ = make_feasible(loss, self.problem.nuisance, P)
            theta = loss.compute_residual(U)
            # In units in which squares are numbers; powers of two change no digit.
            C = correlate(self.X, theta.T, self.shift) / self.scales[:, None]
            W = coef.T * self.scales[:, None]
            lengths = np.sqrt((theta * theta).sum(axis=1))
            noise = _NOISE * np.outer(self.lengths / self.scales, lengths)
            gap = float(np.abs(theta.sum(axis=1) * level).sum())
            if not self.is_penalized.all():
                gap += float(np.abs(C[self.is_free] * W[self.is_free]).sum())
                C, W, noise = C[self.is_penalized], W[self.is_penalized], noise[self.is_penalized]
            if lam1 == 0 and lam2 == 0:
                gap += float(np.abs(C * W).sum())
            l1, l2 = lam1 * self.problem.l1_scale, lam2 * self.problem.l2_scale
            penalty = float(l1 @ np.abs(W).sum(axis=1) + 0.5 * (l2 @ (W * W).sum(axis=1)))
            primal = value + penalty
            if lam1 > 0:
                return compute_gap(loss, primal + gap, U, C, W, l1, l2, noise)[0]
            gap += compute_divergence(loss, F, P, U)
            if lam2 > 0:
                gap += charge_residual(C - l2[:, None] * W, W, l2[:, None], noise)
        # The dual point zero is always feasible.
        return min(gap, primal)


def charge_residual(r, W, l2, noise):
    """What residuals of L2-penalized coefficients cost: ``r^2 / (2 l2)``.

    A residual within rounding is charged to first order where that is less: where the
    penalty is weaker than rounding, no dual point would ever do.
    """
    r = np.abs(r)
    with np.errstate(divide="ignore", over="ignore"):
        conjugate = np.where(r > 0, 0.5 * r * (r / l2), 0.0)
    first_order = r * np.abs(W)
    return float(np.where(r <= noise, np.minimum(first_order, conjugate), conjugate).sum())


def compute_gap(loss, primal, U, C, W, l1, l2, noise):
    """Duality gap with an L1 penalty: the dual point may have to be scaled.

    Parameters
    ----------
    loss : LogLoss
    primal : float
        Objective at `W`.
    U : ndarray of shape (n_rows, n_samples)
        Probabilities; the dual point is ``weights * (targets - U)`` and must be
        orthogonal to the nuisance directions.
    C : ndarray of shape (k, n_rows)
        Products of the penalized columns with the dual point.
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
