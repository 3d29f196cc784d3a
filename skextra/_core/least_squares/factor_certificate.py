"""Duality gaps of coefficients from one pass over blocks of data.

The pass gives the products of the residual of the returned coefficients with the columns and
with the targets (see :func:`sum_residuals`): all that a gap needs. The factor of the data, whose
rounding is then one of a correction only, makes the residual orthogonal to unpenalized columns.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import svd

from skextra._core.least_squares.gap import compute_elastic_net_gap
from skextra._core.numerics import full_data
from skextra._core.numerics.scaling import round_to_power_of_two

_EPS = np.finfo(np.float64).eps
# Reciprocal condition number from which on the length of a gradient in the norm of the
# inverse Hessian has digits.
_TRUSTED = 1e-6


@dataclass
class Residuals:
    """Weighted sums over rows of the residuals of given coefficients.

    Attributes
    ----------
    squares : ndarray of shape (n_models,)
    sums : ndarray of shape (n_models,)
    with_target : ndarray of shape (n_models,)
        Products with the centered targets.
    with_features : ndarray of shape (n_features, n_models)
        Products with the centered features.
    """

    squares: np.ndarray
    sums: np.ndarray
    with_target: np.ndarray
    with_features: np.ndarray

    def __add__(self, other):
        """Sums over the rows of both."""
        return Residuals(*(a + b for a, b in zip(vars(self).values(), vars(other).values())))

    def select(self, index):
        """Sums of one model."""
        return Residuals(
            self.squares[index],
            self.sums[index],
            self.with_target[index],
            np.ascontiguousarray(self.with_features[:, index]),
        )


def sum_residuals(X, Y, sample_weight, coef, offset, mean):
    """Sums over one block.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
    Y : ndarray of shape (n_samples, n_models) and float64
    sample_weight : ndarray of shape (n_samples,) or None
    coef : ndarray of shape (n_models, n_features) and float64
        As returned.
    offset : ndarray of shape (n_models,)
        What the returned intercepts are above ``mean_y - coef @ mean_x``.
    mean : ndarray of shape (n_features + n_models,)

    Returns
    -------
    residuals : Residuals
    """
    p = X.shape[1]
    shift = mean[:p] if mean.any() else None
    Y = Y - mean[p:]
    R = Y - full_data.multiply(X, coef.T, shift) - offset
    weighted = R if sample_weight is None else R * sample_weight[:, None]
    return Residuals(
        np.einsum("ij,ij->j", weighted, R),
        weighted.sum(axis=0),
        np.einsum("ij,ij->j", weighted, Y),
        full_data.correlate(X, weighted, shift),
    )


class Certifier:
    """Gaps of models of one target.

    Parameters
    ----------
    X, y : ndarray of shape (m, n_features) and (m,)
        Rows with the moments of the centered data.
    weight : float
        Sum of the weights of the data if an intercept is fitted, else infinity.
    penalty_weights : ndarray of shape (n_features,) or None
    """

    def __init__(self, X, y, weight, penalty_weights):
        self.X, self.y, self.weight = X, y, weight
        v = np.ones(X.shape[1]) if penalty_weights is None else penalty_weights
        self.v = v
        self.penalized = np.flatnonzero(np.isfinite(v) & (v > 0))
        self.free = np.flatnonzero(v == 0)

    def _project(self, residuals):
        """Make the residual a dual point: orthogonal to ones and to unpenalized columns.

        Returns
        -------
        excess : float
            Half the square of what was taken away.
        with_target : float
        with_penalized : ndarray
            Products of the dual point.
        """
        excess = 0.5 * residuals.sums**2 / self.weight
        c, with_target = residuals.with_features, residuals.with_target
        penalized = c[self.penalized]
        if len(self.free):
            F = self.X[:, self.free]
            scales = round_to_power_of_two(np.sqrt(np.einsum("ij,ij->j", F, F)))
            U, s, Vt = svd(F / scales, full_matrices=False, check_finite=False)
            kept = s > max(F.shape) * _EPS * max(s[0], 1e-300)
            part = (Vt[kept] @ (c[self.free] / scales)) / s[kept]
            rows = U[:, kept] @ part
            excess += 0.5 * float(part @ part)
            with_target = with_target - float(self.y @ rows)
            penalized = penalized - self.X[:, self.penalized].T @ rows
        return float(excess), float(with_target), np.ascontiguousarray(penalized)

    def compute_elastic_net_gap(self, residuals, coef, l1, l2, positive):
        """Gap of the elastic net.

        Parameters
        ----------
        residuals : Residuals
            Of this model.
        coef : ndarray of shape (n_features,)
        l1, l2 : float
            Penalties at penalty weight one, in units of ``1/2 ||y - Xw||^2``.
        positive : bool

        Returns
        -------
        gap : float
        """
        if l1 == 0 and not positive:
            return self.compute_ridge_gap(residuals, coef, l2)
        excess, with_target, c = self._project(residuals)
        v = self.v[self.penalized]
        w = np.ascontiguousarray(coef[self.penalized], dtype=np.float64)
        gap = compute_elastic_net_gap(w, c, l1 * v, l2 * v, with_target, positive, 0.0, 0.0)
        return excess + gap

    def compute_ridge_gap(self, residuals, coef, alpha):
        """Gap of ridge regression with penalty ``alpha / 2 sum_j v_j w_j^2``.

        Half the squared length of the gradient in the norm of the inverse Hessian, which is
        the distance from the minimum itself, counts where it has digits.
        """
        excess, _, c = self._project(residuals)
        a, w = alpha * self.v[self.penalized], coef[self.penalized]
        gap = np.inf
        if alpha > 0:
            gap = excess + float((0.5 * (c - a * w) * ((c - a * w) / a)).sum())
        decrement, is_trusted = self._compute_decrement(residuals, coef, alpha)
        if alpha == 0:
            return decrement
        if is_trusted:
            gap = min(gap, 1.01 * decrement + 0.5 * _EPS * float(self.y @ self.y))
        return gap

    def _compute_decrement(self, residuals, coef, alpha):
        used = np.flatnonzero(np.isfinite(self.v))
        a = alpha * self.v[used]
        gradient = residuals.with_features[used] - a * coef[used]
        A = np.vstack([self.X[:, used], np.diag(np.sqrt(a))])
        decrement = 0.5 * residuals.sums**2 / self.weight
        if len(used) == 0:
            return float(decrement), True
        scales = round_to_power_of_two(np.sqrt(np.einsum("ij,ij->j", A, A)))
        _, s, Vt = svd(A / scales, full_matrices=False, check_finite=False)
        kept = s > max(A.shape) * _EPS * s[0]
        part = (Vt[kept] @ (gradient / scales)) / s[kept]
        return float(decrement + 0.5 * (part @ part)), bool(s[-1] > _TRUSTED * s[0])
