"""Duality gaps of elastic-net coefficients as they are returned, on the data as they are.

Working sets of double-precision data certify themselves on the data; Gram matrices do so up
to the rounding of their sums. Here that rounding is counted, rounded coefficients are compared
with those that the solver found, and where either is too much, the gap is taken from the data.
"""

import numpy as np

from skextra._core.least_squares.gap import compute_elastic_net_gap
from skextra._core.least_squares.ridge_bounds import advance

_EPS = np.finfo(np.float64).eps
# Share of the tolerance that a bound on rounding may use; else the data are asked.
ROUNDING_SHARE = 0.1
# Slopes below this share of the lengths of a column and of y may be charged.
_CHARGED = 1e-9
# No coefficient is taken to explain more than this many times what y, or the largest
# coefficient found, amounts to.
_REACH = 4.0
# Problems whose residuals are held at a time.
_BATCH = 8


def bound_gram_rounding(gram, n_samples, yy, coefs, l1):
    """Bound on what the rounding of a Gram matrix adds to gaps, relative to ``yy / 2``.

    Of each correlation at most ``gamma |x_j| (sum_k |x_k| |w_k| + |y|)`` is rounding; scaling
    a dual point by that, relative to the penalty, costs twice that of the objective.

    Parameters
    ----------
    gram : ndarray of shape (k, k)
    n_samples : int
    yy : float
    coefs : ndarray of shape (n_alphas, k)
    l1 : ndarray of shape (n_alphas, k)

    Returns
    -------
    bound : ndarray of shape (n_alphas,)
        Infinite where a penalty is zero.
    """
    # As in ridge regression: sums over blocks of rows, then over blocks.
    gamma = 17 * _EPS * (min(n_samples, 1024) + n_samples / 256 + 16)
    lengths = np.sqrt(np.maximum(gram.diagonal(), 0.0))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        worst = np.where(lengths > 0, lengths / l1, 0.0).max(axis=1)
    size = np.abs(coefs) @ lengths + np.sqrt(yy)
    return 4 * gamma * worst * size + (gamma * size) ** 2 / max(yy, 1e-300)


def bound_cast(gram, yy, coefs, returned, l1):
    """Bound on what rounding coefficients adds to gaps, relative to ``yy / 2``.

    Where a coefficient is not zero its slope is at most twice its penalty.
    """
    change = np.abs(returned - coefs)
    moved = change @ np.sqrt(np.maximum(gram.diagonal(), 0.0))
    return (4 * np.einsum("ij,ij->i", l1, change) + moved**2) / max(yy, 1e-300)


class Certifier:
    """Certifies the returned coefficients of one target.

    Parameters
    ----------
    problem : Problem
    t : int
        The target.
    scale : ndarray of shape (n_penalized,)
        Penalty weights.
    lam1, lam2 : ndarray of shape (n_alphas,)
        L1 and L2 penalties at weight one.
    positive : bool
    floor : ndarray of shape (n_penalized,)
        What the solver added to the L1 penalties, see
        :func:`skextra._core.least_squares.elastic_net_target.compute_floor`.
    """

    def __init__(self, problem, t, scale, lam1, lam2, positive, floor):
        self.problem, self.t, self.scale = problem, t, scale
        self.lam1, self.lam2, self.positive, self.floor = lam1, lam2, positive, floor
        self.y = problem.design.weigh_rows(problem.Y[:, [t]])

    def compute_gaps(self, W, coefs, intercepts, which):
        """Gaps of some problems from the data.

        Parameters
        ----------
        W : ndarray of shape (n_alphas, n_penalized)
            As solved.
        coefs : ndarray of shape (n_alphas, n_features)
            As returned.
        intercepts : ndarray of shape (n_alphas,)
        which : ndarray of int
            Problems.

        Returns
        -------
        gaps : ndarray of shape (len(which),)
        """
        gaps = np.empty(len(which))
        for start in range(0, len(which), _BATCH):
            batch = which[start : start + _BATCH]
            target = np.repeat(self.y, len(batch), axis=1)
            dual, correlations = advance(self.problem.design, target, W[batch].T)
            change = self._compute_rise(dual, W, coefs, intercepts, batch)
            for i, b in enumerate(batch):
                gap = compute_elastic_net_gap(
                    W[b], np.ascontiguousarray(correlations[:, i]),
                    self.lam1[b] * self.scale + self.floor, self.lam2[b] * self.scale,
                    float(self.y[:, 0] @ dual[:, i]), self.positive, 0.0, 0.0,
                )  # fmt: skip
                if self.floor.any():
                    charged = self._charge_rounding(W[b], correlations[:, i], dual[:, i], b)
                    gap = min(gap + float(self.floor @ W[b]), charged)
                gaps[start + i] = gap + change[i]
        return gaps

    def _charge_rounding(self, w, c, dual, b):
        """Gap where unpenalized features are constrained to be non-negative.

        No dual point in floating point is feasible for these to the last digit. Slopes at
        rounding level are charged at the size that a coefficient can have instead.
        """
        y = self.y[:, 0]
        l1, l2 = self.lam1[b] * self.scale, self.lam2[b] * self.scale
        has_none = l1 == 0
        slopes = c - l2 * w
        worst = float((slopes[~has_none] / l1[~has_none]).max(initial=0.0))
        squares, yr = float(dual @ dual + (l2 * w) @ w), float(y @ dual)
        scale = min(max(yr / squares, 0.0) if squares > 0 else 0.0, 1 / max(worst, 1e-300))
        primal = 0.5 * squares + l1 @ w
        excess = np.maximum(scale * slopes[has_none], 0.0)
        lengths = np.sqrt(self.problem.design.compute_column_norms()[has_none])
        # A column of zeros has rounding for a slope.
        excess[lengths == 0] = 0.0
        lengths[lengths == 0] = 1.0
        size = np.sqrt(y @ y)
        if (excess > _CHARGED * lengths * size).any():
            return np.inf
        reach = _REACH * max(size, (lengths * w[has_none]).max(initial=0.0))
        charge = excess @ (w[has_none] + reach / lengths)
        return max(float(primal - scale * yr + 0.5 * scale * scale * squares + charge), 0.0)

    def compute_cast_rise(self, W, solved, coefs, intercepts):
        """How much the objectives of rounded coefficients are above those of solved ones.

        Parameters
        ----------
        W : ndarray of shape (n_alphas, n_penalized)
        solved : tuple (coefs, intercepts)
            Before rounding.
        coefs, intercepts : ndarrays
            As returned.
        """
        rise = np.empty(len(W))
        for start in range(0, len(W), _BATCH):
            batch = np.arange(start, min(start + _BATCH, len(W)))
            residual = self._compute_residual(solved[0], solved[1], batch)
            rise[batch] = self._compute_rise(residual, W, coefs, intercepts, batch)
        return rise

    def _compute_residual(self, coefs, intercepts, batch):
        problem = self.problem
        residual = problem.compute_residual(coefs[batch], intercepts[batch], self.t)
        return problem.design.weigh_rows(residual)

    def _compute_rise(self, dual, W, coefs, intercepts, batch):
        residual = self._compute_residual(coefs, intercepts, batch)
        returned, W = coefs[batch], W[batch]
        if self.problem.penalized is not None:
            returned = returned[:, self.problem.penalized]
        loss = np.einsum("ij,ij->j", residual, residual) - np.einsum("ij,ij->j", dual, dual)
        first = (np.abs(returned) - np.abs(W)) @ self.scale
        second = ((returned - W) * (returned + W)) @ self.scale
        penalty = self.lam1[batch] * first + 0.5 * self.lam2[batch] * second
        return np.maximum(0.5 * loss + penalty, 0.0)
