"""The quadratic model of a logistic problem where its Hessian is too big to form.

Coordinate descent finds the support. On it, conjugate gradients find the Newton
direction, and coefficients that would change sign on the way become zero.
"""

import numpy as np
from scipy.linalg import blas, lapack

from skextra._core.logistic.implicit_sweeps import (
    sweep_dense_model,
    sweep_sparse_binary_model,
    sweep_sparse_model,
)
from skextra._core.logistic.quadratic_model import NuisanceBlock, list_nuisance_coordinates
from skextra._core.numerics.packed_columns import DenseColumns
from skextra._core.quadratic.model import combine_violation

# Sweeps over the non-zero coordinates that follow one over all, at most.
_INNER_SWEEPS = 8
# Logarithm by which the violation falls for a sweep's work where sweeps are slow.
_SLOW = 0.05
_CG_TOL = 0.03
_CG_STEPS = 60


class ImplicitModel:
    """Quadratic model at given probabilities, on the coordinates of packed columns.

    Parameters
    ----------
    problem : LogisticProblem
    columns : DenseColumns or SparseColumns
    coordinates : Coordinates
    R : ndarray of shape (n_rows, n_samples)
        Residuals.
    P : ndarray of shape (n_rows, n_samples)
        Probabilities at which the curvature is taken.
    """

    def __init__(self, problem, columns, coordinates, R, P):
        self.problem, self.columns, self.coordinates = problem, columns, coordinates
        self.R, self.P = R, P
        self.loss = problem.loss
        self.Q = self.loss.weights * P
        self.nuisance = list_nuisance_coordinates(problem)
        self.D = np.zeros_like(P)
        self.M = np.zeros(P.shape[1])
        self._compute_moments()
        self.gradient = coordinates.gather(columns.correlate_rows(self.R))
        gradient = self.nuisance.gather(problem.nuisance @ self.R.T)
        self.offset = self.nuisance_block.solve(gradient)
        # Two classes and sparse columns: the residual alone is cheaper to update.
        self.keeps_residual = len(P) == 1 and not isinstance(columns, DenseColumns)
        self.is_current = True
        if self.keeps_residual:
            self.z = self.R[0].copy()
            self.h = self.Q[0] * (1.0 - P[0])

    def _compute_moments(self):
        """Curvature of every coordinate, and the Hessian's nuisance blocks."""
        P, Q, coordinates = self.P, self.Q, self.coordinates
        squares = self.columns.compute_weighted_squares(Q * (1.0 - P))
        curvatures = coordinates.gather(squares)
        q, m = len(self.nuisance), len(coordinates)
        block = np.zeros((q, q))
        self.cross = np.zeros((m, q))
        own = self.problem.nuisance[self.nuisance.features]
        for k in range(len(P)):
            weights = -Q[k] * P[self.nuisance.classes]
            weights[self.nuisance.classes == k] += Q[k]
            weights *= own
            mine = coordinates.classes == k
            if q and mine.any():
                products = self.columns.correlate_rows(weights)
                self.cross[mine] = products[coordinates.features[mine]]
            rows = self.nuisance.classes == k
            block[rows] = own[rows] @ weights.T
        self.nuisance_block = NuisanceBlock(block)
        self.solved = np.ascontiguousarray(self.nuisance_block.solve(self.cross.T).T)
        if q:
            curvatures = curvatures - np.einsum("jq,jq->j", self.cross, self.solved)
        self.curvatures = np.maximum(curvatures, 0.0)

    # --- what is asked of it --------------------------------------------------

    def minimize(self, w, l1, l2, tol, budget):
        """Minimize model and penalty from `w`, which is updated.

        Sweeps and Newton directions take turns by what they have achieved for
        their work: sweeps and products with all columns cost about the same.

        Parameters
        ----------
        w, l1, l2 : ndarray of shape (m,)
        tol : float
            Violation of optimality to reach.
        budget : int
            Sweeps and products at most.

        Returns
        -------
        violation : float
        """
        self.start = w.copy()
        everything = np.arange(len(w))
        violation = self._sweep(w, l1, l2, everything)
        work, rates = 1, [np.inf, np.inf]
        while violation > tol and work < budget:
            newton = int(rates[0] < _SLOW and rates[1] > rates[0])
            cost = self._update_by_newton(w, l1, l2) if newton else self._cycle(w, l1, l2, tol)
            before, violation = violation, self._sweep(w, l1, l2, everything)
            work += cost + 1
            rates[newton] = np.log(before / max(violation, 1e-300)) / (cost + 1)
            if rates[0] < _SLOW and rates[1] < _SLOW:
                # What was slow once may have changed.
                rates[1 - newton] = max(rates[1 - newton], 0.5 * _SLOW)
        return violation

    def _cycle(self, w, l1, l2, tol):
        """Sweep over the non-zero coordinates until little is left to gain there."""
        first = violation = self._sweep(w, l1, l2, np.flatnonzero(w))
        n_sweeps = 1
        while n_sweeps < _INNER_SWEEPS and violation > max(0.1 * first, 0.3 * tol):
            violation = self._sweep(w, l1, l2, np.flatnonzero(w))
            n_sweeps += 1
        return n_sweeps

    def get_moves(self):
        """Moves of the decision values, and of the nuisance coefficients."""
        self._synchronise()
        moves = self.nuisance.scatter(
            self.offset, (len(self.problem.nuisance), self.problem.n_rows)
        )
        return self.D + moves.T @ self.problem.nuisance, moves

    # --- sweeps -----------------------------------------------------------------

    def _sweep(self, w, l1, l2, order):
        coordinates, columns = self.coordinates, self.columns
        rest = (
            self.cross, self.solved, self.offset, self.curvatures, w, l1, l2, order, len(order),
        )  # fmt: skip
        self.w, self.is_current = w, not self.keeps_residual
        if isinstance(columns, DenseColumns):
            met = sweep_dense_model(
                columns.matrix, coordinates.features, coordinates.classes, self.R, self.Q,
                self.P, self.D, self.M, *rest,
            )  # fmt: skip
        else:
            matrix = columns.matrix
            sparse = (matrix.data, matrix.indices, matrix.indptr, coordinates.features)
            if self.keeps_residual:
                met = sweep_sparse_binary_model(*sparse, self.z, self.h, *rest)
            else:
                met = sweep_sparse_model(
                    *sparse, coordinates.classes, self.R, self.Q, self.P, self.D, self.M, *rest
                )
        return combine_violation(*met, self.problem.null_objective)

    def _synchronise(self):
        """Moves from the coefficients, where the sweeps kept something else."""
        if not self.is_current:
            shape = (self.columns.n, len(self.P))
            delta = self.w - self.start
            self.D = self.columns.predict_rows(self.coordinates.scatter(delta, shape))
            self.is_current = True

    # --- Newton directions -------------------------------------------------------

    def _update_by_newton(self, w, l1, l2):
        """Move to the minimum for the present signs, or part of the way.

        Returns
        -------
        cost : int
            Products with the columns.
        """
        slopes = self._compute_slopes()
        support = np.flatnonzero(w)
        if len(support) == 0:
            return 1
        rhs = (slopes - l2 * w - l1 * np.sign(w))[support]
        direction = np.zeros(len(w))
        direction[support], cost = self._solve_on(support, rhs, l2[support])
        for step in list_steps(w, direction):
            cost += 1
            new = w + step * direction
            # A coefficient at its crossing is zero, whatever rounding leaves of it.
            new[(new * w < 0) | (np.abs(new) <= 1e-15 * np.abs(w))] = 0.0
            delta = new - w
            product, D = self._multiply(delta)
            change = -slopes @ delta + 0.5 * (delta @ product)
            change += l1 @ (np.abs(new) - np.abs(w)) + 0.5 * (l2 @ (new * new - w * w))
            if change < 0:
                break
        else:
            return cost
        w[:] = new
        self.D += D
        self.M = np.einsum("kn,kn->n", self.P, self.D)
        self.offset -= self.solved.T @ delta
        if self.keeps_residual:
            self.z = self.R[0] - self.h * self.D[0]
        return cost

    def _compute_slopes(self):
        """Minus the gradient of the model on all coordinates."""
        self._synchronise()
        Z = self.R - self.loss.weights * self.loss.multiply_curvature(self.P, self.D)
        slopes = self.coordinates.gather(self.columns.correlate_rows(Z))
        return slopes - self.cross @ self.offset

    def _multiply(self, v):
        """Hessian times coefficients, and the move of the decision values."""
        shape = (self.columns.n, len(self.P))
        D = self.columns.predict_rows(self.coordinates.scatter(v, shape))
        Z = self.loss.weights * self.loss.multiply_curvature(self.P, D)
        product = self.coordinates.gather(self.columns.correlate_rows(Z))
        return product - self.cross @ (self.solved.T @ v), D

    def _solve_on(self, support, rhs, l2):
        """Newton direction on the support by preconditioned conjugate gradients."""
        precondition = self._create_preconditioner(support, l2)
        x, r = np.zeros(len(rhs)), rhs.copy()
        z = precondition(r)
        p, rz = z.copy(), float(r @ z)
        target = _CG_TOL**2 * rz
        full = np.zeros(len(self.coordinates))
        cost = 0
        while cost < _CG_STEPS and rz > target:
            cost += 1
            full[support] = p
            product = self._multiply(full)[0][support] + l2 * p
            curvature = float(p @ product)
            if curvature <= 0:
                break
            step = rz / curvature
            x += step * p
            r -= step * product
            z = precondition(r)
            rz, before = float(r @ z), rz
            p = z + (rz / before) * p
        return x, cost

    def _create_preconditioner(self, support, l2):
        """Diagonal of the Hessian, or for dense columns its block of each class."""
        diagonal = self.curvatures[support] + l2
        diagonal = np.maximum(diagonal, 1e-12 * max(diagonal.max(), 1e-300))
        if not isinstance(self.columns, DenseColumns):
            return lambda r: r / diagonal
        classes = self.coordinates.classes[support]
        features = self.coordinates.features[support]
        factors = []
        for k in range(len(self.P)):
            own = np.flatnonzero(classes == k)
            if len(own) == 0:
                continue
            weights = np.sqrt(self.Q[k] * (1.0 - self.P[k]))
            rows = self.columns.matrix[features[own]] * weights
            block = blas.dsyrk(1.0, rows.T, trans=1, lower=1)
            block[np.diag_indices_from(block)] += l2[own] + 1e-8 * diagonal[own].max()
            factor, failed = lapack.dpotrf(block, lower=1, clean=0, overwrite_a=1)
            if failed:
                return lambda r: r / diagonal
            factors.append((own, factor))

        def precondition(r):
            out = np.empty_like(r)
            for own, factor in factors:
                out[own] = lapack.dpotrs(factor, r[own], lower=1)[0]
            return out

        return precondition


def list_steps(w, direction):
    """Lengths of a step worth trying: all of it, or to where fewer coefficients cross zero.

    Those that have crossed stay at zero; with a quarter as many each time, the last
    is the step to the first crossing, up to which the model is what it seems.
    """
    towards = np.flatnonzero(w * direction < 0)
    crossings = np.sort(-w[towards] / direction[towards])
    crossings = crossings[crossings < 1.0] * (1.0 + 1e-14)
    yield 1.0
    count = len(crossings) // 2
    while count > 1:
        yield float(crossings[count - 1])
        count //= 4
    if len(crossings):
        yield float(crossings[0])
