"""Logistic regression with an L2 penalty or none: inexact Newton steps.

Conjugate gradients solve Newton's equations for all classes together; by shape, their
preconditioner is anything from the factored Hessian itself, which makes them one step,
to its diagonal. The probabilities that the model predicts are a dual point whose
products with the columns are known from the residual of the equations.

References
----------
Nocedal & Wright, "Numerical Optimization", 2nd ed., section 7.1, Springer (2006).
"""

from functools import cached_property

import numpy as np

from skextra._core.logistic.gap import charge_residual
from skextra._core.logistic.l2_start import combine_solutions
from skextra._core.logistic.lbfgs import FirstOrderDescent
from skextra._core.logistic.newton_system import (
    NewtonSystem,
    NuisanceBlock,
    compute_divergence,
    make_feasible,
)
from skextra._core.logistic.preconditioners import create_preconditioner
from skextra._core.logistic.result import Solution
from skextra._core.logistic.rows import create_rows
from skextra._core.logistic.small_newton import join_columns, take_small_steps
from skextra._core.logistic.solver_choice import (
    Start,
    choose_start,
    count_first_order_steps,
    takes_short_last_step,
)

_EPS = np.finfo(np.float64).eps
# Share of the tolerance that the residual of the equations may use up.
_RESIDUAL_SHARE = 0.3
_LOOSEST, _TIGHTEST = 0.25, 1e-3
# Of a step, relative to how far it moves a decision value: that is how far off the model is.
_ACCURACY = 0.1
_MAX_CG_STEPS = 1000
# Decreases of the last step, in tolerances, after which a gap within it is worth a product.
_NEAR = 100.0
# Products with nuisance directions that are rounding, relative to the weight of all samples.
_ORTHOGONAL = 1e-12
# With the Hessian itself factored, rounding is all that is left after these.
_MAX_EXACT_STEPS = 6
# With the Hessian itself factored, steps have length one but where damping was needed.
_LONGEST = 10.0


class RidgeLogisticSolver:
    """Solves a problem for a sequence of penalties, each from the last solution.

    Parameters
    ----------
    problem : LogisticProblem
    target : Target
    max_iter : int
        Newton steps a penalty may take.
    W, V : ndarray
        Where to start, see `LogisticProblem.create_start`.
    """

    def __init__(self, problem, target, max_iter, W, V):
        self.problem, self.loss = problem, problem.loss
        self.target, self.max_iter = target, max_iter
        self.rows = create_rows(problem.design)
        self.W = np.array(W.T, order="C")
        if len(self.W) > 1:
            # What all classes share changes no probability, and steps are free of it.
            self.W -= self.W.mean(axis=0)
        self.V = np.array(V.T, order="C")
        self.nuisance = problem.nuisance
        self.start = choose_start(problem.shape)
        self.polishes = takes_short_last_step(problem.shape)
        self.solver_used = "newton-cg"
        self.small_columns = None
        if self.start is Start.SMALL_NEWTON:
            self.small_columns = join_columns(self.rows.whole, self.nuisance)
        self._set_decision()
        self.is_stale = True
        self.norms = None
        self.report = None
        self.solutions = []

    @cached_property
    def preconditioner(self):
        """Made when it is first needed: many fits end before."""
        return create_preconditioner(self.problem, self.rows, self.W.size + self.V.size)

    def _set_decision(self):
        self.F = self.rows.predict(self.W) if self.W.any() else np.zeros(self.loss.targets.shape)
        if len(self.nuisance):
            self.F += self.V @ self.nuisance
        self.value, self.P = self.loss.evaluate(self.F)

    def solve(self, lam1, lam2):
        """Solve for the penalty ``lam2 * l2_scale``, which may be zero; ``lam1`` must be."""
        self.lam2 = lam2
        self.penalties = lam2 * self.problem.l2_scale
        self._reset_poor_start()
        self._extrapolate()
        self.gap, self.moved, self.is_separable, self.U = np.inf, np.inf, False, None
        self.is_factored = self.is_close = False
        n_iter, n_failures = self._descend(), 0
        while n_iter < self.max_iter and not self.is_close:
            n_iter += 1
            before = self.gap
            decrease = self._step()
            # The objective never rises, so an earlier bound still holds.
            self.gap = min(self.gap, before)
            if self.report is not None:
                self.report(*self._get_coefficients())
            if self._is_done():
                break
            n_failures = n_failures + 1 if decrease <= 1e-15 * abs(self.value) else 0
            if n_failures > 2:
                break
        if not np.isfinite(self.gap):
            self.gap = self._compute_plain_gap()
        converged = self.gap <= self.target.gap and not self.is_separable
        self.solutions = [(self.W, self.V, self.F), *self.solutions[:1]]
        return Solution(
            *self._get_coefficients(), self.gap, n_iter, converged, self.U, self.is_separable
        )

    def refine(self, gap):
        """Prepare for solving again, for a smaller gap and from exact decision values."""
        self.target = self.target._replace(gap=gap)
        self.start = Start.NONE
        self.small_columns = None
        self._set_decision()
        self.is_stale, self.solutions = True, []

    def _get_coefficients(self):
        return np.ascontiguousarray(self.W.T), np.ascontiguousarray(self.V.T)

    def _penalize(self, W):
        return 0.5 * float((self.penalties * W * W).sum())

    def _reset_poor_start(self):
        if self.value + self._penalize(self.W) <= self.problem.null_objective or not self.W.any():
            return
        _, V = self.problem.create_start()
        self.W[:], self.V[:] = 0.0, V.T
        self._set_decision()
        self.is_stale = True

    def _extrapolate(self):
        """Start from the best combination of the last solutions."""
        # Nothing limits free features: if they tell some samples apart, theirs may be any size.
        has_free = len(self.nuisance) > self.problem.fit_intercept
        if self.lam2 == 0 or has_free or not self.solutions:
            return
        if self.start is not Start.LBFGS and self.preconditioner.is_exact:
            return
        if self.solutions[0][2] is not self.F:  # a poor start was thrown away
            self.solutions = []
            return
        Ws, Vs, Fs = (np.stack(parts) for parts in zip(*self.solutions))
        shares, self.F, self.value, self.P = combine_solutions(
            self.loss, Fs, Ws, self.penalties, self.target.gap
        )
        self.W, self.V = np.tensordot(shares, Ws, 1), np.tensordot(shares, Vs, 1)

    def _descend(self):
        """Take the steps that a cheaper method is good for; returns how many."""
        if self.lam2 == 0:
            return 0
        if self.start is Start.LBFGS:
            return self._descend_first_order()
        return self._descend_in_kernel() if self.small_columns is not None else 0

    def _descend_first_order(self):
        """Steps of limited-memory BFGS, which may end the fit."""
        descent = FirstOrderDescent(
            self.rows, self.loss, self.problem.fit_intercept, self.penalties,
            self.problem.column_squares, self.W, self.V, self.F, self.value, self.P,
        )  # fmt: skip

        def take():
            self.W, self.V = descent.W, descent.V
            self.F, self.value, self.P = descent.F, descent.value, descent.P

        def report():
            take()
            self.report(*self._get_coefficients())

        budget = count_first_order_steps(self.problem.shape, self.max_iter)
        n_steps, self.is_close = descent.run(
            self.target.gap, budget, None if self.report is None else report
        )
        take()
        if len(self.W) > 1:
            # Rounding must not add up in what all classes share.
            self.W = self.W - self.W.mean(axis=0)
        self.is_stale = True
        if self.is_close:
            self.gap, self.U = self.target.gap, self.P
            self.solver_used = "lbfgs"
        return n_steps

    def _descend_in_kernel(self):
        """Take steps in one kernel, down to one that is short enough to be the last."""
        U = np.concatenate([self.W, self.V], axis=1)
        p = self.W.shape[1]
        l1, l2 = np.zeros(U.shape[1]), np.zeros(U.shape[1])
        l2[:p] = self.penalties

        def report(U):
            self.W, self.V = U[:, :p].copy(), U[:, p:].copy()
            self.report(*self._get_coefficients())

        n_steps, self.is_close = take_small_steps(
            self.small_columns, self.loss, l1, l2, U, self.target.max_change, self.max_iter - 1,
            None if self.report is None else report,
        )  # fmt: skip
        if n_steps:
            self.solver_used = "small-newton"
            if len(U) > 1:
                # Rounding must not add up in what all classes share.
                U -= U.mean(axis=0)
            self.W, self.V = U[:, :p].copy(), U[:, p:].copy()
            self._set_decision()
            self.is_stale = True
        if self.is_close:
            self.gap, self.U = self.target.gap, self.P
        return n_steps

    def _is_done(self):
        if self.gap > self.target.gap:
            return False
        # Without a penalty the gap also closes where there is no solution: only a long step
        # after that shows it.
        is_settled = self.is_separable or self.value <= self.target.gap
        is_loose = self.lam2 > 0 and not self.polishes
        return is_loose or is_settled or self.moved <= self.target.max_change

    # --- one Newton step -------------------------------------------------------

    def _step(self):
        system = NewtonSystem(self.rows, self.nuisance, self.loss, self.P, self.W, self.penalties)
        self._refresh_preconditioner()
        self._solve_system(system)
        theta, slack = system.settle()
        decrease = self._search(system)
        self._certify(system, theta, slack, decrease)
        if self.lam2 == 0 and not self.is_separable:
            self.is_separable = self._detect_separation(system)
        return decrease

    def _refresh_preconditioner(self):
        if self.is_stale:
            self.preconditioner.update(self.P)
            self.is_stale = self.is_factored = False
            self.n_since_update = 0
        if not self.is_factored:
            self.preconditioner.factorize(self.penalties)
            self.is_factored = True

    def _solve_system(self, system):
        """Conjugate gradients until the step is as good as the model, or certified."""
        limit = 2.0 * _RESIDUAL_SHARE * self.target.gap
        z = self.preconditioner.solve(system.r)
        rho = first = float((system.r * z).sum())
        d, squared_size, n_steps = z, 0.0, 0
        if self.gap <= self.target.gap and self._is_noise(system):
            return
        most = _MAX_EXACT_STEPS if self.preconditioner.is_exact else _MAX_CG_STEPS
        while rho > 0 and n_steps < most:
            f, b, Ad = system.extend(d)
            curvature = float((d * Ad).sum())
            if curvature <= 0:
                break
            step = rho / curvature
            if self.lam2 == 0 and self.preconditioner.is_exact and step > _LONGEST:
                # The Hessian does not feel this direction: only rounding tells how far to go.
                break
            system.move(step, d, f, b)
            system.r -= step * Ad
            squared_size += step * rho
            n_steps += 1
            z = self.preconditioner.solve(system.r)
            new_rho = float((system.r * z).sum())
            if self._is_solved(system, squared_size, new_rho / first, limit):
                break
            d = z + (new_rho / rho) * d
            rho = new_rho
        self.n_since_update += n_steps
        if self.preconditioner.is_exact or self.n_since_update > self.preconditioner.patience:
            self.is_stale = True

    def _is_solved(self, system, squared_size, relative, limit):
        """Whether the equations are solved as well as is of use.

        A Newton step of relative size e leaves an error of e^2: more is not worth
        solving for, unless what is left will be within the tolerance.
        """
        reach = float(np.abs(system.DF).max(initial=0.0))
        wanted = np.clip(_ACCURACY * reach, _TIGHTEST, _LOOSEST)
        if relative > wanted * wanted:
            return False
        # Probabilities of a model that far out are not even between 0 and 1.
        mean_square = 4.0 * squared_size / self.loss.total_weight
        if 0.05 * squared_size * mean_square > self.target.gap or reach > 1.0:
            return True
        if self.lam2 == 0:
            left = float(np.abs(system.r * system.x).sum())
            return left <= _RESIDUAL_SHARE * self.target.gap or self._is_noise(system)
        return float((system.r * (system.r / self.penalties)).sum()) <= limit or relative <= 1e-26

    def _search(self, system):
        """Take the longest of ever shorter steps that lowers the objective enough."""
        W, x, DF = self.W, system.x, system.DF
        wx = float((self.penalties * W * x).sum())
        xx = float((self.penalties * x * x).sum())
        slope = -float((system.R * DF).sum()) + wx
        before = self.value
        step = 1.0
        for _ in range(40):
            F = self.F + step * DF
            value, P = self.loss.evaluate(F)
            change = value - before + step * wx + 0.5 * step * step * xx
            if change <= 1e-4 * step * slope + 1e-14 * abs(before):
                break
            step *= 0.5
        else:
            # Within the tolerance already, this is where rounding ends the descent.
            self.step, self.moved = 0.0, 0.0
            return 0.0
        self.step, self.F, self.value, self.P = step, F, value, P
        self.W = W + step * x
        self.V = self.V + step * system.b
        self.moved = float(np.abs(DF).max(initial=0.0)) if step == 1.0 else np.inf
        return -change

    # --- certificates ------------------------------------------------------------

    def _certify(self, system, theta, slack, decrease):
        """Gap of the new point, from the probabilities that the model predicts."""
        if self.step == 0.0:
            return
        primal = self._compute_primal()
        # The dual point zero is always feasible.
        self.gap, self.U = primal if primal <= self.target.gap else np.inf, None
        if self.step != 1.0:
            return
        U = system.P + system.multiply_curvature(system.DF) / self.loss.weights
        far = np.abs(system.b)
        if U.min(initial=0.0) < 0.0 or U.max(initial=0.0) > 1.0:
            if self.lam2 > 0 and decrease > _NEAR * self.target.gap:
                return
            # Samples of classes that are told apart go a step too far for ever.
            U, theta, slack = make_feasible(self.loss, self.nuisance, U)
            if (
                self.lam2 > 0
                and np.abs(slack).max(initial=0.0) > _ORTHOGONAL * self.loss.total_weight
            ):
                return
            system.r = system.compute_residual(theta)
            far = far + np.abs(self.V)
        gap = compute_divergence(self.loss, self.F, self.P, U)
        gap += float((np.abs(slack) * far).sum())
        gap += self._charge_residual(system, theta)
        self.gap, self.U = min(gap, primal), np.clip(U, 0.0, 1.0)

    def _compute_primal(self):
        return self.value + self._penalize(self.W)

    def _charge_residual(self, system, theta):
        """What the residual may cost: its conjugate, or to first order if it is rounding."""
        r = np.abs(system.r)
        if self.lam2 == 0:
            return float((r * np.abs(self.W)).sum())
        total = 0.5 * float((r * (r / self.penalties)).sum())
        if total <= 0.5 * self.target.gap:
            return total
        return charge_residual(r, system.x, self.penalties, self._compute_noise(theta))

    def _is_noise(self, system):
        return bool((np.abs(system.r) <= self._compute_noise(system.R)).all())

    def _compute_noise(self, theta):
        """Rounding errors of the products of all columns with a dual point."""
        if self.norms is None:
            self.norms = np.sqrt(self.rows.compute_squares(np.ones((1, self.loss.n_samples))))
        return 8 * _EPS * np.sqrt((theta * theta).sum(axis=1))[:, None] * self.norms

    def _compute_plain_gap(self):
        """Gap at the dual point of the probabilities themselves, nuisance refitted for it.

        The coefficients stay what the last step made them, and was reported.
        """
        kept = self.V, self.F, self.value, self.P
        primal = self._compute_primal()
        for _ in range(50):
            slack = self.loss.compute_residual(self.P) @ self.nuisance.T
            if np.abs(slack).max(initial=0.0) <= 1e-14 * self.loss.total_weight:
                break
            if not self._refit_nuisance():
                break
        gained, P = kept[2] - self.value, self.P
        self.V, self.F, self.value, self.P = kept
        if self.lam2 == 0:
            return primal
        r = self.rows.correlate(self.loss.compute_residual(P)) - self.penalties * self.W
        return min(primal, gained + 0.5 * float((r * (r / self.penalties)).sum()))

    def _refit_nuisance(self):
        P = self.P
        h = self.loss.weights * P * (1.0 - P) if len(P) == 1 else None
        block = NuisanceBlock(self.nuisance, P, self.loss.weights * P, h)
        b = block.solve(self.loss.compute_residual(P))
        for _ in range(30):
            F = self.F + b @ self.nuisance
            value, P = self.loss.evaluate(F)
            if value <= self.value * (1 + 1e-15):
                self.V, self.F, self.value, self.P = self.V + b, F, value, P
                return True
            b = 0.5 * b
        return False

    def _detect_separation(self, system):
        """Whether the step goes where no sample's loss rises, ever."""
        size = self.moved
        if not np.isfinite(size) or self.gap > self.target.gap or size <= self.target.max_change:
            return False
        DF = system.DF
        if len(DF) == 1:
            margins = np.where(self.loss.codes == 1, DF[0], -DF[0])
        else:
            own = DF[self.loss.codes, np.arange(self.loss.n_samples)]
            margins = own - np.where(self.loss.targets > 0, -np.inf, DF).max(axis=0)
        return bool(margins.min() >= -1e-3 * size)
