"""Convex problems of generalized linear models, solved to eighty digits.

Written apart from the package on purpose, and for clarity: Newton's method on an active set with
fixed signs, in mpmath's arithmetic, on data taken as exact. For the hinge, the active set is
libsvm's. What is returned is the objective at some coefficients, so that it bounds the minimum
from above whatever the method has missed: a certificate below ``objective - minimum`` is wrong for
certain.
"""

import warnings

import mpmath
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import SVC

_DIGITS = 80
_exact = np.vectorize(mpmath.mpf, otypes=[object])


def to_exact(values):
    """Floats as numbers of eighty digits; each float is one, exactly."""
    return _exact(np.asarray(values, dtype=np.float64))


class SquaredLoss:
    """``(y - f)^2 / 2``."""

    def __init__(self, y):
        self.y = to_exact(y)

    def value(self, f):
        return (f - self.y) ** 2 / 2

    def derivatives(self, f):
        return f - self.y, np.array([mpmath.mpf(1)] * len(f), dtype=object)


class LogLoss:
    """``log(1 + exp(-y f))`` for y of -1 and 1."""

    def __init__(self, y):
        self.y = to_exact(y)

    def value(self, f):
        margins = self.y * f
        # log(1 + exp(-m)), without losing what is left of it for large m.
        return np.array([mpmath.log1p(mpmath.exp(-m)) for m in margins], dtype=object)

    def derivatives(self, f):
        p = np.array([1 / (1 + mpmath.exp(m)) for m in self.y * f], dtype=object)
        return -self.y * p, p * (1 - p)


class SquaredHinge:
    """``max(0, 1 - y f)^2``."""

    def __init__(self, y):
        self.y = to_exact(y)

    def value(self, f):
        return np.array([max(mpmath.mpf(0), 1 - m) ** 2 for m in self.y * f], dtype=object)

    def derivatives(self, f):
        short = np.array([max(mpmath.mpf(0), 1 - m) for m in self.y * f], dtype=object)
        return -2 * self.y * short, np.array([mpmath.mpf(2 * (s > 0)) for s in short], dtype=object)


class Hinge:
    """``max(0, 1 - y f)``, for `HingeProblem`."""

    def __init__(self, y):
        self.y = to_exact(y)

    def value(self, f):
        return np.array([max(mpmath.mpf(0), 1 - m) for m in self.y * f], dtype=object)


class Problem:
    """``sum_i weights_i loss_i(x_i w + b) + l1 |w|_1 + l2 |w|^2 / 2``.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Floats, or exact numbers.
    loss : loss
    weights : ndarray of shape (n_samples,)
    l1, l2 : float
    fit_intercept : bool
    positive : bool
        Whether coefficients must not be negative.
    """

    def __init__(self, X, loss, weights, l1=0.0, l2=0.0, fit_intercept=True, positive=False):
        self.X = X if X.dtype == object else to_exact(X)
        self.loss, self.weights = loss, to_exact(weights)
        self.l1, self.l2 = mpmath.mpf(l1), mpmath.mpf(l2)
        self.fit_intercept, self.positive = fit_intercept, positive

    def evaluate(self, coef, intercept):
        """The objective at coefficients and an intercept, as exact numbers."""
        with mpmath.workdps(_DIGITS):
            coef = coef if coef.dtype == object else to_exact(coef)
            f = self.X @ coef + mpmath.mpf(float(intercept))
            penalty = self.l1 * abs(coef).sum() + self.l2 * (coef**2).sum() / 2
            return (self.weights * self.loss.value(f)).sum() + penalty

    def evaluate_null(self):
        """The least objective without features."""
        with mpmath.workdps(_DIGITS):
            none = Problem(self.X[:, :0], self.loss, [], fit_intercept=self.fit_intercept)
            none.weights = self.weights
            return none.minimize()

    def minimize(self, max_steps=30):
        """The least objective found."""
        with mpmath.workdps(_DIGITS):
            n, p = self.X.shape
            # Columns of one size, around their means: Newton's equations are then well scaled.
            means = self.weights @ self.X / self.weights.sum() * self.fit_intercept
            centered = self.X - means
            self._design = np.column_stack([centered, np.array([mpmath.mpf(1)] * n, dtype=object)])[
                :, : p + self.fit_intercept
            ]
            theta = np.array([mpmath.mpf(0)] * self._design.shape[1], dtype=object)
            signs = np.zeros(p, dtype=int)  # of the active coefficients, with an L1 penalty
            for _ in range(3 * p + 2):
                theta, signs = self._descend(theta, signs, max_steps)
                if not self._activate(theta, signs):
                    break
            return self._evaluate(theta)

    @property
    def _has_signs(self):
        return self.l1 > 0 or self.positive

    def _evaluate(self, theta):
        f = self._design @ theta if len(theta) else self.weights * 0
        coef = theta[: self.X.shape[1]]
        penalty = self.l1 * abs(coef).sum() + self.l2 * (coef**2).sum() / 2
        return (self.weights * self.loss.value(f)).sum() + penalty

    def _compute_gradient(self, theta):
        """Of all but the L1 penalty, and the curvature of each row."""
        slopes, curvatures = self.loss.derivatives(self._design @ theta)
        gradient = self._design.T @ (self.weights * slopes)
        p = self.X.shape[1]
        gradient[:p] += self.l2 * theta[:p]
        return gradient, self.weights * curvatures

    def _activate(self, theta, signs):
        """Let in the coefficient at zero whose gradient is furthest beyond the penalty."""
        if not self._has_signs or not len(signs):
            return False
        gradient, _ = self._compute_gradient(theta)
        scale = np.array([abs(column).max() for column in self._design.T[: len(signs)]])
        excess = -gradient[: len(signs)] if self.positive else abs(gradient[: len(signs)])
        excess = np.array(
            [(e - self.l1) / s if s > 0 and not sign else mpmath.mpf(-1)
             for e, s, sign in zip(excess, scale, signs)], dtype=object,
        )  # fmt: skip
        j = int(np.argmax(excess))
        if excess[j] <= mpmath.mpf(10) ** -40:
            return False
        signs[j] = -1 if gradient[j] > 0 else 1
        return True

    def _descend(self, theta, signs, max_steps):
        """Newton's method over the intercept and the active coefficients, within their signs."""
        p = self.X.shape[1]
        value = self._evaluate(theta)
        for _ in range(max_steps):
            free = np.ones(len(theta), dtype=bool)
            if self._has_signs:
                free[:p] = signs != 0
            if not free.any():
                break
            gradient, curvatures = self._compute_gradient(theta)
            gradient[:p] += self.l1 * signs if self._has_signs else 0
            A = self._design[:, free]
            hessian = (A.T * curvatures) @ A
            hessian[np.diag_indices(len(hessian))] += [
                self.l2 if j < p else mpmath.mpf(0) for j in np.flatnonzero(free)
            ]
            step = np.array([mpmath.mpf(0)] * len(theta), dtype=object)
            step[free] = solve(hessian, -gradient[free])
            slope = (step * gradient).sum()
            if not slope < 0:
                break
            length = mpmath.mpf(1)
            blocking = None
            for j in np.flatnonzero(signs):
                if theta[j] * signs[j] + length * step[j] * signs[j] < 0:
                    length, blocking = abs(theta[j] / step[j]), j
            for halvings in range(40):
                trial = theta + length * step
                if blocking is not None and halvings == 0:
                    trial[blocking] = mpmath.mpf(0)
                trial_value = self._evaluate(trial)
                if trial_value <= value + length * slope / 10**4:
                    break
                length /= 2
            else:
                break
            if blocking is not None and halvings == 0:
                signs[blocking] = 0
            change, theta, value = value - trial_value, trial, trial_value
            if blocking is None and change <= abs(value) * mpmath.mpf(10) ** -30:
                break
        return theta, signs


class HingeProblem(Problem):
    """`Problem` with the hinge, an L2 penalty of 1 and an intercept."""

    def minimize(self):
        """The least objective found: that of libsvm, and that of the vertex its solution is at."""
        with mpmath.workdps(_DIGITS):
            y, bounds = self.loss.y, self.weights
            counted = bounds > 0
            rows = self.X - (bounds @ self.X) / bounds.sum()
            gram = rows @ rows.T if rows.shape[1] else np.outer(bounds * 0, bounds * 0)
            values = gram.astype(np.float64)
            machine = SVC(kernel="precomputed", C=1.0, tol=1e-10, max_iter=200_000)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                labels, weights = y.astype(float), bounds.astype(float)
                machine.fit(values[np.ix_(counted, counted)], labels[counted], weights[counted])
            alpha = bounds * 0
            alpha[np.flatnonzero(counted)[machine.support_]] = to_exact(abs(machine.dual_coef_[0]))
            candidates = [bounds * 0, alpha]
            free = (alpha > 0) & (alpha < bounds * (1 - mpmath.mpf(10) ** -12))
            at_bound = np.where((alpha > 0) & ~free, bounds, bounds * 0)
            exact = self._solve_free(gram, free, at_bound)
            if exact is not None:
                candidates.append(exact)
            return min(self._evaluate_dual(gram, alpha * y) for alpha in candidates)

    def _solve_free(self, gram, free, at_bound):
        """Dual coefficients at which the free rows have a margin of 1, and sum_i a_i y_i = 0."""
        indices, y = np.flatnonzero(free), self.loss.y
        if not len(indices):
            return None
        n = len(indices) + 1
        signed = gram * y[:, None] * y
        matrix, right = mpmath.matrix(n, n), mpmath.matrix(n, 1)
        for a, i in enumerate(indices):
            for b, j in enumerate(indices):
                matrix[a, b] = signed[i, j]
            matrix[a, n - 1] = matrix[n - 1, a] = y[i]
            right[a] = 1 - (signed[i] * at_bound).sum()
        right[n - 1] = -(y * at_bound).sum()
        try:
            solution = mpmath.lu_solve(matrix, right)
        except ZeroDivisionError:
            return None
        alpha = at_bound.copy()
        alpha[indices] = list(solution)[: n - 1]
        # Not where the margins of the free rows do not determine the coefficients.
        return alpha if max(abs(alpha)) <= 10**6 * max(self.weights) else None

    def _evaluate_dual(self, gram, coef):
        """The objective at a combination of rows, with the best intercept: one at a corner."""
        f = gram @ coef
        penalty = (coef * f).sum() / 2
        return penalty + min(
            (self.weights * self.loss.value(f + intercept)).sum() for intercept in self.loss.y - f
        )

    def evaluate_null(self):
        """The least objective without features."""
        with mpmath.workdps(_DIGITS):
            return min(
                (self.weights * self.loss.value(self.weights * 0 + sign)).sum() for sign in (-1, 1)
            )


def solve(matrix, right):
    """Solve a positive semidefinite system; directions without curvature stay at zero."""
    n = len(right)
    scale = [mpmath.sqrt(matrix[j, j]) if matrix[j, j] > 0 else mpmath.mpf(1) for j in range(n)]
    scale = np.array(scale, dtype=object)
    A = matrix / scale[:, None] / scale
    b = right / scale
    pivots, order = [], list(range(n))
    rows = np.column_stack([A, b])
    for _ in range(n):
        j = max(order, key=lambda k: rows[k, k])
        if rows[j, j] <= mpmath.mpf(10) ** -50:
            break
        order.remove(j)
        pivots.append(j)
        for i in order:
            rows[i] = rows[i] - rows[j] * (rows[i, j] / rows[j, j])
    x = np.array([mpmath.mpf(0)] * n, dtype=object)
    for j in reversed(pivots):
        x[j] = (rows[j, n] - (rows[j, :n] * x).sum()) / rows[j, j]
    return x / scale


def project_out(columns, free, weights):
    """What exact columns keep beside exact free ones, which may depend on each other."""
    products = (free.T * weights) @ free
    kept = columns.copy()
    for j in range(columns.shape[1]):
        kept[:, j] = columns[:, j] - free @ solve(products, free.T @ (weights * columns[:, j]))
    return kept


def factorize(gram):
    """Rows whose inner products are a positive semidefinite matrix: a kernel's feature space."""
    n = len(gram)
    left, factor, columns = gram.copy(), [], list(range(n))
    for _ in range(n):
        j = max(columns, key=lambda k: left[k, k])
        if left[j, j] <= mpmath.mpf(10) ** -60 * max(abs(np.diagonal(gram))):
            break
        columns.remove(j)
        factor.append(left[:, j] / mpmath.sqrt(left[j, j]))
        left = left - factor[-1][:, None] * factor[-1]
    return np.column_stack(factor) if factor else gram[:, :0]


def compute_rbf_gram(X, gamma):
    """Gaussian kernel of exact rows."""
    with mpmath.workdps(_DIGITS):
        rows = to_exact(X)
        gram = np.empty((len(X), len(X)), dtype=object)
        for i in range(len(X)):
            for j in range(i + 1):
                distance = ((rows[i] - rows[j]) ** 2).sum()
                gram[i, j] = gram[j, i] = mpmath.exp(-mpmath.mpf(gamma) * distance)
        return gram


def compute_linear_gram(X):
    """Inner products of exact rows."""
    with mpmath.workdps(_DIGITS):
        rows = to_exact(X)
        return rows @ rows.T


def evaluate_multi_task(model, design, Y, fit_intercept=True):
    """Exact objective of a fitted multi-task model; of the best constants if it is None."""
    with mpmath.workdps(_DIGITS):
        weights, residual = to_exact(design.weights), to_exact(Y)
        weights = weights / weights.sum()
        penalty = mpmath.mpf(0)
        if model is None:
            residual = residual - fit_intercept * (weights @ residual)
        else:
            W = to_exact(model.coef_)
            residual = residual - to_exact(design.X) @ W.T - to_exact(model.intercept_)
            squares = (W**2).sum(axis=0)
            norms = sum(mpmath.sqrt(square) for square in squares)
            l1_ratio = mpmath.mpf(model.l1_ratio)
            penalty = mpmath.mpf(model.alpha) * (
                l1_ratio * norms + (1 - l1_ratio) * squares.sum() / 2
            )
        return (weights @ residual**2).sum() / 2 + penalty
