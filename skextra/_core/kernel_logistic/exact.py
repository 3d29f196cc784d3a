"""Kernel logistic regression on all samples: from a Gram matrix to certified coefficients.

    minimize over A, b   sum_i c_i loss_i(f_i) + tr(A K A') / 2,   f = A K + b

with one row of A for two classes, else one per class. The dual of the problem is over
points ``theta = c (T - U)``, T the indicators of the classes and U probabilities, whose
sums over the samples are zero if there is an intercept:

    maximize   sum_i c_i entropy(u_i) - tr(theta K theta') / 2 .

Any A whose ``U = T - A / c`` are probabilities is such a point itself, and its duality
gap is the divergence of the model's probabilities from U: it takes no product with K.
Inexact Newton steps keep A in that form.

References
----------
Keerthi, Duan, Shevade & Poo, "A fast dual algorithm for kernel logistic regression",
Machine Learning 61 (2005).
"""

from dataclasses import dataclass

import numpy as np

from skextra._core.gram.partial_cholesky import compute_partial_cholesky
from skextra._core.gram.products import apply_to_all
from skextra._core.kernel_logistic.curvature import Curvature
from skextra._core.kernel_logistic.deflation import CoarseSpace
from skextra._core.kernel_logistic.newton_equations import solve_directly, solve_iteratively
from skextra._core.kernel_logistic.solver_choice import (
    Equations,
    choose_equations,
    choose_rank,
)
from skextra._core.logistic.loss import LogLoss
from skextra._core.logistic.newton_system import compute_divergence

_EPS = np.finfo(np.float64).eps
# Gaps below this multiple of the null objective cannot be told from rounding.
_ROUNDING = 64 * _EPS
# Products that a step may take before the rank of the coarse space is doubled, and the largest
# product of this rank and the number of rows to which it may grow.
_MANY_PRODUCTS, _HUGE_INNER = 60, 3000


@dataclass
class Settings:
    """How to solve.

    Attributes
    ----------
    tol : float
        Duality gap to reach, relative to the objective of the null model.
    max_iter : int
        Newton steps at most.
    seed : int
        Of the draws of the coarse space's pivots.
    report : callable or None
        Called after every step with the coefficients (n_rows, n_points), the intercepts
        (n_rows,) and, of a reduced problem, the positions of its points.
    budget : float
        Bytes that kernel values may take.
    apply : callable
        See `GramProduct`.
    """

    tol: float = 1e-6
    max_iter: int = 100
    seed: int = 0
    report: object = None
    budget: float = np.inf
    apply: object = apply_to_all


class KernelLogisticSolver:
    """Solves for one vector of weights after another, each from the last solution.

    Parameters
    ----------
    product : GramProduct
    codes : ndarray of int of shape (n_samples,)
    n_classes : int
    fit_intercept : bool
    settings : Settings

    Attributes
    ----------
    A : ndarray of shape (n_rows, n_samples)
    b : ndarray of shape (n_rows,)
    F : ndarray of shape (n_rows, n_samples)
        Decision values.
    gap : float
        Relative to the objective of the null model.
    n_iter : int
    converged : bool
    """

    def __init__(self, product, codes, n_classes, fit_intercept, settings):
        self.product, self.settings = product, settings
        self.codes, self.n_classes = codes, n_classes
        self.n_rows = 1 if n_classes == 2 else n_classes
        self.n = len(codes)
        self.ones = np.ones((1 if fit_intercept else 0, self.n))
        self.A = np.zeros((self.n_rows, self.n))
        self.AK = np.zeros_like(self.A)
        self.b = np.zeros(self.n_rows)
        self.is_cold = True
        self._space, self._growth = None, 1
        self.n_products = 0

    def start_from(self, A, b):
        """Start from coefficients other than zeros."""
        self.A, self.b = np.array(A, dtype=np.float64), np.array(b, dtype=np.float64)
        self.AK = self._multiply(self.A)
        self.is_cold = False

    def solve(self, weights):
        """Solve with these weights of the samples' losses, all positive."""
        self.loss = LogLoss(self.codes, self.n_classes, weights)
        self.null = self._compute_null_objective()
        self.tol = max(self.settings.tol, _ROUNDING) * self.null
        if not self.is_cold and self._is_poor_start():
            self.A[:], self.AK[:], self.b[:] = 0.0, 0.0, 0.0
        if len(self.ones) and not self.A.any():
            self.b = self.loss.compute_null_intercept()
        self.n_iter, self.converged = 0, False
        self.is_cold = False
        self._iterate()
        self.gap = max(self.absolute_gap, 0.0) / self.null
        return self

    def _compute_null_objective(self):
        b = self.loss.compute_null_intercept() if len(self.ones) else np.zeros(self.n_rows)
        return self.loss.compute_value(np.repeat(b[:, None], self.n, axis=1))

    def _is_poor_start(self):
        value = self.loss.compute_value(self.AK + self.b[:, None])
        return value + 0.5 * float((self.A * self.AK).sum()) > self.null

    def _multiply(self, V):
        self.n_products += 1
        return self.product.multiply(V)

    def _iterate(self):
        n_failures, verified = 0, False
        self._set_decision()
        while True:
            R = self.loss.compute_residual(self.P) - self.A
            self.absolute_gap = self._compute_feasible_gap()
            RK = None
            if self.absolute_gap > self.tol:
                RK = self._multiply(R)
                # Rounding may turn the sign of a square that is small.
                square = abs(0.5 * float((R * RK).sum()))
                self.absolute_gap = min(self.absolute_gap, square + self._slack(R + self.A))
            self.converged = self.absolute_gap <= self.tol
            if self.converged or self.n_iter >= self.settings.max_iter or n_failures > 2:
                if verified:
                    self.absolute_gap += self._measure_rounding()
                    self.converged = self.absolute_gap <= self.tol
                    return
                # The products so far were sums of steps, perhaps of single precision.
                self.AK = self.product.multiply_exactly(self.A)
                self._set_decision()
                verified = True
                continue
            decrease = self._step(R, RK)
            verified = False
            self.n_iter += 1
            n_failures = n_failures + 1 if decrease <= 1e-15 * abs(self.value) else 0
            if n_failures and self._space is not None and self._grow_space():
                n_failures = 0  # products alone do not get there
            if self.settings.report is not None:
                self.settings.report(self.A, self.b)

    def _set_decision(self):
        """Decision values, their loss and probabilities, with the best intercept."""
        F = self.AK + self.b[:, None]
        if len(self.ones):
            shift, self.value, self.P = self.loss.fit_intercept(F)
            self.b = self.b + shift
            if self.n_rows > 1:
                self.b -= self.b.mean()
            F = self.AK + self.b[:, None]
        else:
            self.value, self.P = self.loss.evaluate(F)
        self.F = F

    def _measure_rounding(self):
        """What rounding of kernel values, large ones far from the origin, may do to the gap."""
        error = _EPS * self.product.magnitude * float(np.linalg.norm(self.A))
        return error * float(np.abs(self.A).sum())

    def _compute_feasible_gap(self):
        """Gap at the dual point that the coefficients themselves are, if they are one."""
        U = self.loss.targets - self.A / self.loss.weights
        rounding = 1e-12
        if len(self.ones):
            sums = np.abs(self.A.sum(axis=1)).max()
            if sums > 1e-10 * self.loss.total_weight:
                return np.inf  # what this may cost depends on intercepts that nobody knows
        if U.min() < -rounding or U.max() > 1.0 + rounding:
            return np.inf
        U = np.clip(U, 0.0, 1.0)
        return compute_divergence(self.loss, self.F, self.P, U) + self._slack(self.A)

    def _slack(self, theta):
        """What sums of a dual point that are not quite zero may cost."""
        if not len(self.ones):
            return 0.0
        return float((np.abs(theta.sum(axis=1)) * np.abs(self.b)).sum())

    def _step(self, R, RK):
        curvature = Curvature(self.loss, self.P, self.ones)
        step = self._solve_equations(curvature, R, RK)
        b = -curvature.solve_intercept(curvature.multiply(step.DK))
        DF = step.DK + curvature.shift(b)
        return self._search(step, b.sum(axis=1), DF, -float((R * step.DK).sum()))

    def _solve_equations(self, curvature, R, RK):
        if choose_equations(self.n, self.n_rows) is Equations.FACTORED:
            try:
                return solve_directly(self.product.K, curvature, R, RK)
            except np.linalg.LinAlgError:
                pass  # too far from definite for a factor; products still lower the objective
        if self._space is None:
            self._space = self._create_space()
        self._space.update(curvature)
        step = solve_iteratively(self._multiply, curvature, self._space, R, RK, tol=self.tol)
        if step.n_products > _MANY_PRODUCTS:
            self._grow_space()
        return step

    def _grow_space(self):
        """Double the rank of the coarse space from the next step on; False if it cannot be."""
        rank = choose_rank(self.n, self.n_rows, 2 * self._growth)
        if not len(self._space.factor) < rank <= _HUGE_INNER // self.n_rows:
            return False
        self._growth, self._space = 2 * self._growth, None
        return True

    def _create_space(self):
        rank = choose_rank(self.n, self.n_rows, self._growth)
        factor, pivots, _ = compute_partial_cholesky(
            self.product.source, rank, tol=1e-10, seed=self.settings.seed
        )
        if not self.product.is_exact:
            factor = factor.astype(np.float32)
        return CoarseSpace(factor, pivots)

    def _search(self, step, b, DF, slope):
        """Take the longest of ever shorter steps that lowers the objective enough."""
        linear = float((self.A * step.DK).sum())
        quadratic = float((step.D * step.DK).sum())
        before = self.value
        t = 1.0
        for _ in range(40):
            value = self.loss.compute_value(self.F + t * DF)
            change = value - before + t * linear + 0.5 * t * t * quadratic
            if change <= 1e-4 * t * slope + 1e-14 * abs(before):
                break
            t *= 0.5
        else:
            return 0.0
        self.A = self.A + t * step.D
        self.AK = self.AK + t * step.DK
        self.b = self.b + t * b
        self._set_decision()
        return -change
