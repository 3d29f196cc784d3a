"""Logistic regression by Newton's method on sums over blocks of rows.

Each iteration is one pass: value, gradient and Hessian of the loss are sums over rows. With an L1
penalty a step minimizes the quadratic model plus the penalty (proximal Newton). Steps that do not
lower the objective are halved.

The gap is that of the coefficients of a pass, from its sums alone. Probabilities P make the dual
point ``theta = weights * (targets - P)``, which has to be orthogonal to the columns N without a
penalty (the intercept among them). It is moved by the linear map of the loss's curvature: with
``b = H_NN^-1 N'theta`` and ``t = N b`` the probabilities become ``U = P + (diag(P) - P P') t``, and

    KL(U || P) <= (1 + max|t|) b'H_NN b / 2      where max|t| <= 1/2,

as ``(1 + x) log(1 + x) <= x + (1 + |x|) x^2 / 2`` for ``|x| <= 1/2``. The gap is this divergence
plus what penalties and their conjugates differ by, see :mod:`skextra._core.logistic.gap`.

References
----------
Lee, Sun & Saunders, "Proximal Newton-type methods for minimizing composite functions", SIAM J.
Optim. 24 (2014).
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from skextra._core.logistic.hessian import compute_dense_hessian
from skextra._core.logistic.loss import LogLoss
from skextra._core.numerics import full_data
from skextra._core.quadratic.model import solve_quadratic

_EPS = np.finfo(np.float64).eps
# Largest max|t| at which the bound of the divergence holds.
_LARGEST_TILT = 0.5
# Share of the decrease that the model promises with which a step is content.
_SUFFICIENT = 1e-4
_MOST_HALVINGS = 20
# Damping of directions without a penalty, of which several classes share one.
_DAMPING = 1e-13


@dataclass
class LossSums:
    """Sums over rows of the loss at given coefficients, in units of scaled columns.

    Attributes
    ----------
    value : float
    products : ndarray of shape (n_rows, n_columns)
        Minus the gradient: products of the columns with the dual point.
    hessian : ndarray of shape (n_rows * n_columns, n_rows * n_columns)
        Both triangles.
    largest : ndarray of shape (n_columns,)
        Largest entry of each column, in size.
    """

    value: float
    products: np.ndarray
    hessian: np.ndarray
    largest: np.ndarray

    def __add__(self, other):
        """Sums over the rows of both."""
        return LossSums(
            self.value + other.value,
            self.products + other.products,
            self.hessian + other.hessian,
            np.maximum(self.largest, other.largest),
        )


def sum_loss(X, codes, n_classes, weights, coef, level, shift, scales, fit_intercept):
    """Sums over one block.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
    codes : ndarray of int of shape (n_samples,)
    n_classes : int
    weights : ndarray of shape (n_samples,)
    coef : ndarray of shape (n_rows, n_features)
        Of the columns as they are.
    level : ndarray of shape (n_rows,)
        Decision values of a row of features that are equal to `shift`.
    shift, scales : ndarray of shape (n_features,)
        Columns are ``(X - shift) / scales``, with one of ones behind them for an intercept.
    fit_intercept : bool

    Returns
    -------
    sums : LossSums
    """
    loss = LogLoss(codes, n_classes, weights)
    p, k = X.shape[1], loss.n_rows
    q = p + fit_intercept
    total = LossSums(0.0, np.zeros((k, q)), np.zeros((k * q, k * q)), np.zeros(q))
    features, classes = np.tile(np.arange(q), k), np.repeat(np.arange(k), q)
    moved = shift if shift.any() else None
    for start, stop, block in full_data.iterate_row_blocks(X, moved):
        rows = slice(start, stop)
        F = np.ascontiguousarray((block @ coef.T + level).T)
        value, P = loss.evaluate(F, rows)
        theta = loss.compute_residual(P, rows)
        block /= scales
        ones = np.ones((int(fit_intercept), stop - start))
        hessian = compute_dense_hessian(block.T, ones, features, classes, P, weights[rows])
        total.value += value
        total.products[:, :p] += theta @ block
        total.products[:, p:] += theta.sum(axis=1, keepdims=True)[:, : q - p]
        total.hessian += hessian
        np.maximum(total.largest[:p], np.abs(block).max(axis=0), out=total.largest[:p])
    total.largest[p:] = 1.0
    total.hessian = np.tril(total.hessian) + np.tril(total.hessian, -1).T
    return total


@dataclass
class Solution:
    """What Newton's method arrives at.

    Attributes
    ----------
    coef : ndarray of shape (n_rows, n_features)
    intercept : ndarray of shape (n_rows,)
    gap : float
        Absolute, of these coefficients.
    n_iter : int
        Steps.
    """

    coef: np.ndarray
    intercept: np.ndarray
    gap: float
    n_iter: int


class BlockNewton:
    """Newton's method where only sums over all rows are known.

    Parameters
    ----------
    evaluate : callable
        ``evaluate(coef, level)`` passes over the data and gives :class:`LossSums`.
    n_rows : int
        Rows of coefficients.
    shift, scales : ndarray of shape (n_features,)
    fit_intercept : bool
    l1, l2 : ndarray of shape (n_features,)
        Penalties of the coefficients of the columns as they are; both zero without one,
        infinite where a feature is excluded.
    """

    def __init__(self, evaluate, n_rows, shift, scales, fit_intercept, l1, l2):
        self.evaluate, self.n_rows = evaluate, n_rows
        self.shift, self.scales, self.fit_intercept = shift, scales, fit_intercept
        used = np.isfinite(l1) & np.isfinite(l2)
        self.used = np.append(np.flatnonzero(used), [len(l1)] * fit_intercept).astype(np.int64)
        zero = np.zeros(int(fit_intercept))
        l1 = np.append(l1[used] / scales[used], zero)
        l2 = np.append(l2[used] / scales[used] ** 2, zero)
        self.l1, self.l2 = np.tile(l1, n_rows), np.tile(l2, n_rows)
        self.nuisance = np.flatnonzero((self.l1 == 0) & (self.l2 == 0))
        self.penalized = np.flatnonzero((self.l1 > 0) | (self.l2 > 0))
        self.has_l1 = bool(self.l1.any())

    def solve(self, coef, intercept, tol, max_iter, refine=None):
        """Step until the gap is at most `tol`.

        Parameters
        ----------
        coef : ndarray of shape (n_rows, n_features)
            Where to start.
        intercept : ndarray of shape (n_rows,)
        tol : float
            Absolute gap to reach.
        max_iter : int
            Steps at most.
        refine : callable or None
            Called with coefficients and intercepts before each pass; returns those that the
            pass is to be about, such as rounded ones.

        Returns
        -------
        solution : Solution
        """
        refine = refine or (lambda coef, intercept: (coef, intercept))
        coef, intercept = refine(coef, intercept)
        sums, objective, u = self._visit(coef, intercept)
        best = Solution(coef, intercept, self._compute_gap(sums, u), 0)
        n_iter = 0
        while best.gap > tol and n_iter < max_iter:
            step, promised = self._compute_step(sums, u)
            size, n_iter = 1.0, n_iter + 1
            for _ in range(_MOST_HALVINGS):
                new = refine(*self._expand(u + size * step))
                new_sums, new_objective, new_u = self._visit(*new)
                target = objective - _SUFFICIENT * size * promised
                if new_objective <= target + 8 * _EPS * abs(objective):
                    break
                size *= 0.5
            else:
                break
            sums, objective, u = new_sums, new_objective, new_u
            gap = self._compute_gap(sums, u)
            has_stalled = gap >= best.gap and promised <= 64 * _EPS * abs(objective)
            if gap < best.gap:
                best = Solution(*new, gap, n_iter)
            if has_stalled:
                break
        best.n_iter = n_iter
        return best

    def _visit(self, coef, intercept):
        """Sums, objective and coefficients in the solver's units, of what is returned."""
        level = intercept + coef @ self.shift
        sums = self.evaluate(coef, level)
        every = (
            np.hstack([coef * self.scales, level[:, None]])
            if self.fit_intercept
            else (coef * self.scales)
        )
        u = every[:, self.used].ravel()
        penalty = self.l1 @ np.abs(u) + 0.5 * (self.l2 @ (u * u))
        return sums, sums.value + float(penalty), u

    def _expand(self, u):
        p = len(self.shift)
        every = np.zeros((self.n_rows, p + 1))
        every[:, self.used] = u.reshape(self.n_rows, -1)
        if self.n_rows > 1:
            # Shared by all classes, a coefficient without a penalty changes no probability.
            free = self.used[self.nuisance[self.nuisance < len(self.used)]]
            every[:, free] -= every[:, free].mean(axis=0)
        coef, level = every[:, :p] / self.scales, every[:, p]
        return coef, level - coef @ self.shift if self.fit_intercept else level

    def _select(self, sums):
        """Minus the gradient and the Hessian of the coordinates in use."""
        q = sums.products.shape[1]
        index = (np.arange(self.n_rows)[:, None] * q + self.used).ravel()
        return sums.products.ravel()[index], sums.hessian[np.ix_(index, index)]

    def _eliminate(self, c, H):
        """Solver for the coordinates without a penalty, and the Hessian of the others.

        Returns
        -------
        solve : callable
            Of right-hand sides of these coordinates.
        cross : ndarray
            Their rows of the Hessian, columns of the others.
        c, H : ndarrays
            Of the others, for the best values of these.
        """
        N, A = self.nuisance, self.penalized
        cross = H[np.ix_(N, A)]
        solve = _factorize(H[np.ix_(N, N)])
        return solve, cross, c[A] - cross.T @ solve(c[N]), H[np.ix_(A, A)] - cross.T @ solve(cross)

    def _compute_step(self, sums, u):
        """Newton step and the decrease of the objective that its model promises."""
        c, H = self._select(sums)
        step = np.zeros_like(u)
        N, A = self.nuisance, self.penalized
        solve, cross, reduced, schur = self._eliminate(c, H)
        l1, l2 = self.l1[A], self.l2[A]
        if not self.has_l1:
            step[A] = _factorize(schur + np.diag(l2))(reduced - l2 * u[A])
        else:
            w, slope = u[A].copy(), reduced.copy()
            value = max(abs(sums.value), 1e-300)
            solve_quadratic(
                np.ascontiguousarray(schur), slope, w, l1, l2, value, 1e-15 * value, 2000
            )
            step[A] = w - u[A]
        step[N] = solve(c[N] - cross @ step[A])
        moved = u + step
        penalty = self.l1 @ (np.abs(moved) - np.abs(u)) + 0.5 * (self.l2 @ (step * (moved + u)))
        return step, max(float(c @ step - penalty), 0.0)

    def _compute_gap(self, sums, u):
        if not np.isfinite(sums.value):
            return np.inf
        c, H = self._select(sums)
        N, A = self.nuisance, self.penalized
        solve, cross, products, _ = self._eliminate(c, H)
        b = solve(c[N])
        b = b + solve(c[N] - H[np.ix_(N, N)] @ b)
        largest = np.tile(sums.largest[self.used], self.n_rows)[N]
        tilt = 2 * float(np.abs(b) @ largest)
        if tilt > _LARGEST_TILT:
            return np.inf
        divergence = 0.5 * (1 + tilt) * max(float(b @ (H[np.ix_(N, N)] @ b)), 0.0)
        # What rounding and damping leave of the products with the nuisance directions.
        left = float(np.abs(c[N] - H[np.ix_(N, N)] @ b) @ np.abs(u[N]))
        w, l1, l2 = u[A], self.l1[A], self.l2[A]
        penalty = l1 @ np.abs(w) + 0.5 * (l2 @ (w * w))
        if not self.has_l1:
            residual = products - l2 * w
            return divergence + left + float((0.5 * residual * (residual / l2)).sum())
        dual = sums.value + float(w @ products) - divergence
        worst = float((np.abs(products) / l1).max(initial=0.0))
        best = np.inf
        for scale in {1.0, 1.0 / max(worst, 1.0)}:
            excess = np.maximum(scale * np.abs(products) - l1, 0.0)
            excess[excess <= 1e-14 * l1] = 0.0
            with np.errstate(divide="ignore", invalid="ignore"):
                conjugate = np.where(excess > 0, 0.5 * excess * (excess / l2), 0.0).sum()
            # The entropy is concave and zero at the labels.
            best = min(best, sums.value + penalty - scale * dual + conjugate)
        return max(float(best), 0.0) + left


def _factorize(H):
    """Solver of a positive semidefinite system; directions it does not determine are damped."""
    if len(H) == 0:
        return np.zeros_like
    diagonal = np.maximum(H.diagonal(), 1e-300 + 1e-30 * H.diagonal().max())
    unit = 1 / np.sqrt(diagonal)
    scaled = H * unit * unit[:, None]
    damping = _DAMPING
    while True:
        factor, failed = lapack.dpotrf(scaled + damping * np.eye(len(H)), lower=1)
        if not failed:
            break
        damping *= 10

    def solve(B):
        scale = unit if B.ndim == 1 else unit[:, None]
        return lapack.dpotrs(factor, np.asfortranarray(B * scale), lower=1)[0] * scale

    return solve


def compute_null_objective(class_weights, fit_intercept):
    """Loss at zero coefficients with the best intercept."""
    total = class_weights.sum()
    if not fit_intercept:
        return float(total * np.log(len(class_weights)))
    return float(class_weights @ np.log(total / class_weights))
