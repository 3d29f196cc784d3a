"""Newton's equations of logistic regression with an L2 penalty, nuisance eliminated.

    minimize over x  -r^T x + x^T (Z^T H Z + diag(penalties)) x / 2

where every x comes with the nuisance coefficients that are best for it. The residual
of these equations is what the products of the columns with the dual point lack.
"""

import numpy as np
from scipy.linalg import lapack

_BLOCK = 1 << 20
# Newton steps that make probabilities orthogonal to the nuisance directions.
_MOST_TILTS = 8
_DAMPINGS = np.logspace(-15, 0, 16).tolist()


class NewtonSystem:
    """The equations at probabilities `P` and coefficients `W`, and a point in progress.

    Parameters
    ----------
    rows : DenseRows or SparseRows
    nuisance : ndarray of shape (n_nuisance, n_samples)
    loss : LogLoss
    P : ndarray of shape (n_rows, n_samples)
    W : ndarray of shape (n_rows, n_features)
    penalties : ndarray of shape (n_features,)

    Attributes
    ----------
    x : ndarray of shape (n_rows, n_features)
        Step of the coefficients.
    DF : ndarray of shape (n_rows, n_samples)
        Step of the decision values.
    b : ndarray of shape (n_rows, n_nuisance)
        Step of the nuisance coefficients.
    r : ndarray of shape (n_rows, n_features)
        Residual: products with the dual point less ``penalties * (W + x)``.
    """

    def __init__(self, rows, nuisance, loss, P, W, penalties):
        self.rows, self.nuisance, self.loss, self.P = rows, nuisance, loss, P
        self.W, self.penalties = W, penalties
        self.Q = loss.weights * P
        self.h = self.Q * (1.0 - P) if len(P) == 1 else None
        self.block = NuisanceBlock(nuisance, P, self.Q, self.h)
        self.R = loss.compute_residual(P)
        self.b = self.block.solve(self.R)
        self.DF = self.b @ nuisance if len(nuisance) else np.zeros_like(P)
        theta = self.R - self.multiply_curvature(self.DF) if len(nuisance) else self.R
        self.r = rows.correlate(theta) - penalties * W
        self.x = np.zeros_like(W)
        self._nuisance_images = None

    def multiply_curvature(self, F):
        """Hessian of the loss with respect to decision values, times `F`."""
        if self.h is not None:
            return self.h * F
        return self.Q * (F - np.einsum("kn,kn->n", self.P, F))

    def extend(self, d):
        """Best decision values for the direction `d` and what they do to the residual.

        Returns
        -------
        f : ndarray of shape (n_rows, n_samples)
        b : ndarray of shape (n_rows, n_nuisance)
        Ad : ndarray of shape (n_rows, n_features)
        """
        if self.h is not None and hasattr(self.rows, "multiply_both_ways"):
            return self._extend_at_once(d)
        f, b = self.predict(d)
        Ad = self.rows.correlate(self.multiply_curvature(f)) + self.penalties * d
        return f, b, Ad

    def _extend_at_once(self, d):
        """As `extend`, where a pass over the rows is dear: one instead of two."""
        f, Ad = self.rows.multiply_both_ways(d, self.h[0])
        Ad += self.penalties * d
        if len(self.nuisance) == 0:
            return f, self.b, Ad
        b = -self.block.solve(self.multiply_curvature(f))
        if self._nuisance_images is None:
            self._nuisance_images = [self.rows.correlate(self.h * row) for row in self.nuisance]
        for share, image in zip(b[0], self._nuisance_images, strict=True):
            Ad += share * image
        f += b @ self.nuisance
        return f, b, Ad

    def predict(self, d):
        """Decision values of the direction `d` with the best nuisance coefficients."""
        f = self.rows.predict(d)
        if len(self.nuisance) == 0:
            return f, self.b
        b = -self.block.solve(self.multiply_curvature(f))
        f += b @ self.nuisance
        return f, b

    def move(self, step, d, f, b):
        """Go along a direction; the residual is the caller's."""
        self.x += step * d
        self.DF += step * f
        if len(self.nuisance):
            self.b = self.b + step * b

    def settle(self):
        """Dual point, orthogonal to the nuisance directions up to rounding.

        Returns
        -------
        theta : ndarray of shape (n_rows, n_samples)
        slack : ndarray of shape (n_rows, n_nuisance)
            What is left of its products with the nuisance directions.
        """
        theta = self.R - self.multiply_curvature(self.DF)
        if len(self.nuisance) == 0:
            return theta, np.zeros((len(theta), 0))
        b = self.block.solve(theta)
        self.DF += b @ self.nuisance
        self.b = self.b + b
        theta = self.R - self.multiply_curvature(self.DF)
        return theta, theta @ self.nuisance.T

    def compute_residual(self, theta):
        """Residual of the equations from its definition, for a dual point."""
        return self.rows.correlate(theta) - self.penalties * (self.W + self.x)


class NuisanceBlock:
    """Hessian of the nuisance coefficients, those of the last class but one left out."""

    def __init__(self, nuisance, P, Q, h):
        self.nuisance, self.n_rows = nuisance, len(P)
        q = len(nuisance)
        if q == 0:
            return
        if h is not None:
            block = (nuisance * h) @ nuisance.T
        elif q == 1 and (nuisance == 1.0).all():
            block = (np.diag(Q.sum(axis=1)) - Q @ P.T)[:-1, :-1]
        else:
            block = _compute_block(nuisance, P[:-1], Q[:-1])
        # Directions the data cannot tell apart share what they are given.
        diagonal = block.diagonal()
        size = max(diagonal.max(), 1e-300)
        for damping in _DAMPINGS:
            damped = block + np.diag(damping * diagonal + 1e-30 * size + 1e-300)
            self.factor, failed = lapack.dpotrf(damped, lower=1)
            if not failed:
                return
        self.factor = np.diag(np.sqrt(diagonal + size))

    def solve(self, T):
        """Nuisance coefficients (n_rows, n_nuisance) whose curvature has T's products."""
        q = len(self.nuisance)
        if q == 0:
            return np.zeros((self.n_rows, 0))
        g = T @ self.nuisance.T
        if self.n_rows == 1:
            return lapack.dpotrs(self.factor, g[0], lower=1)[0].reshape(1, q)
        b = np.zeros((self.n_rows, q))
        b[:-1] = lapack.dpotrs(self.factor, g[:-1].ravel(), lower=1)[0].reshape(-1, q)
        return b - b.sum(axis=0) / len(b)


def _compute_block(nuisance, P, Q):
    k, q, n = len(P), len(nuisance), nuisance.shape[1]
    block = np.zeros((k * q, k * q))
    step = max(64, _BLOCK // (k * q))
    for start in range(0, n, step):
        part = slice(start, start + step)
        N = nuisance[:, part]
        left = (Q[:, None, part] * N).reshape(k * q, -1)
        right = (P[:, None, part] * N).reshape(k * q, -1)
        block -= left @ right.T
        for c in range(k):
            own = slice(c * q, (c + 1) * q)
            block[own, own] += left[own] @ N.T
    return block


def compute_divergence(loss, F, P, U):
    """Weighted Kullback-Leibler divergence of `P`, the probabilities at `F`, from `U`.

    It is the loss at `F` less its dual value at `U`, without the cancellation.
    """
    if len(P) == 1:
        u = U[0]
        log_p = -np.logaddexp(0.0, -F[0])
        log_q = log_p - F[0]
        terms = _entropy(u) + _entropy(1.0 - u) - u * log_p - (1.0 - u) * log_q
        return max(float(loss.weights @ terms), 0.0)
    top = F.max(axis=0)
    logs = F - (top + np.log(np.exp(F - top).sum(axis=0)))
    terms = U * (np.log(np.maximum(U, 1e-300)) - logs)
    return max(float(loss.weights @ terms.sum(axis=0)), 0.0)


def _entropy(u):
    return u * np.log(np.maximum(u, 1e-300))


def make_feasible(loss, nuisance, U):
    """Probabilities near `U`, which need not be any, that are orthogonal to the nuisance.

    Returns
    -------
    U : ndarray of shape (n_rows, n_samples)
    theta : ndarray of shape (n_rows, n_samples)
        The dual point they make.
    slack : ndarray of shape (n_rows, n_nuisance)
        Its products with the nuisance directions: rounding, unless `U` was far off.
    """
    U = np.clip(U, 0.0, 1.0)
    U = U if len(U) == 1 else U / U.sum(axis=0)
    for n_left in range(_MOST_TILTS, -1, -1):
        theta = loss.compute_residual(U)
        slack = theta @ nuisance.T
        if n_left == 0 or np.abs(slack).max(initial=0.0) <= 1e-15 * loss.total_weight:
            break
        Q = loss.weights * U
        block = NuisanceBlock(nuisance, U, Q, Q * (1.0 - U) if len(U) == 1 else None)
        odds = np.exp(np.clip(block.solve(theta) @ nuisance, -1.0, 1.0))
        U = U * odds
        U = U / (1.0 - U / odds + U) if len(U) == 1 else U / U.sum(axis=0)
    return U, theta, slack
