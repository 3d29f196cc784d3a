"""The quadratic model of a logistic problem on a few coordinates, nuisance eliminated."""

import numpy as np
from scipy.linalg import lapack

from skextra._core.logistic.hessian import compute_dense_hessian, compute_sparse_hessian
from skextra._core.logistic.solver_choice import forms_hessian
from skextra._core.numerics.packed_columns import DenseColumns
from skextra._core.quadratic.model import solve_quadratic, solve_ridge

# Sparse columns with more entries than this are cheaper as dense ones.
_DENSE_SHARE = 0.15
# Multiplications in sweeps over a model whose cost is negligible.
_CHEAP_SWEEPS = 2e6


class Coordinates:
    """Which pairs of packed feature and class a model is about, sorted by class.

    Attributes
    ----------
    features, classes : ndarray of int of shape (n_coordinates,)
        Position of the feature among the packed ones, and class.
    """

    def __init__(self, features, classes):
        order = np.lexsort((features, classes))
        self.features, self.classes = features[order], classes[order]

    def __len__(self):
        return len(self.features)

    def gather(self, M):
        """Entries of a matrix (n_packed, n_rows)."""
        return M[self.features, self.classes]

    def scatter(self, values, shape):
        """Matrix (n_packed, n_rows) that is zero elsewhere."""
        M = np.zeros(shape)
        M[self.features, self.classes] = values
        return M


def compute_hessian(problem, columns, coordinates, P):
    """Hessian over coordinates and then nuisance directions.

    Parameters
    ----------
    problem : LogisticProblem
    columns : DenseColumns or SparseColumns
    coordinates : Coordinates
    P : ndarray of shape (n_rows, n_samples)
        Probabilities at which the curvature is taken.

    Returns
    -------
    hessian : ndarray of shape (n_coordinates + n_nuisance,) * 2
    """
    nuisance, weights = problem.nuisance, problem.loss.weights
    directions = list_nuisance_coordinates(problem)
    features = np.concatenate([coordinates.features, columns.n + directions.features])
    classes = np.concatenate([coordinates.classes, directions.classes])
    is_dense = isinstance(columns, DenseColumns)
    if not is_dense and columns.matrix.nnz <= _DENSE_SHARE * np.prod(columns.matrix.shape):
        lower = compute_sparse_hessian(columns.to_rows(), nuisance, features, classes, P, weights)
        return np.tril(lower) + np.tril(lower, -1).T
    matrix = columns.matrix if is_dense else columns.matrix.T.toarray()
    order = np.argsort(classes, kind="stable")
    lower = compute_dense_hessian(matrix, nuisance, features[order], classes[order], P, weights)
    full = np.tril(lower) + np.tril(lower, -1).T
    if len(P) == 1 or len(nuisance) == 0:
        return full
    back = np.argsort(order)
    return full[np.ix_(back, back)]


class GramModel:
    """Quadratic model with a Hessian that is formed.

    Parameters
    ----------
    problem : LogisticProblem
    columns : DenseColumns or SparseColumns
    coordinates : Coordinates
    R : ndarray of shape (n_rows, n_samples)
        Residuals.
    full : ndarray of shape (n_coordinates + n_nuisance,) * 2
        Hessian.
    """

    def __init__(self, problem, columns, coordinates, R, full):
        self.problem, self.columns, self.coordinates, self.R = problem, columns, coordinates, R
        self.nuisance = list_nuisance_coordinates(problem)
        m = len(coordinates)
        self.cross = full[:m, m:]
        self.nuisance_block = NuisanceBlock(full[m:, m:])
        # Schur complement: the Hessian where the nuisance coefficients are optimal.
        gram = full[:m, :m] - self.cross @ self.nuisance_block.solve(self.cross.T)
        self.gram = np.ascontiguousarray(0.5 * (gram + gram.T))
        self.gradient = coordinates.gather(columns.correlate_rows(self.R))
        self.nuisance_gradient = self.nuisance.gather(problem.nuisance @ self.R.T)

    def minimize(self, w, l1, l2, tol, budget):
        """Minimize model and penalty from `w`, which is updated.

        Returns
        -------
        violation : float
            Of optimality.
        """
        start = w.copy()
        c = self.gradient - self.cross @ self.nuisance_block.solve(self.nuisance_gradient)
        if l1.any():
            # On few coordinates any number of sweeps costs less than another step.
            budget = max(budget, int(_CHEAP_SWEEPS // max(len(w), 1) ** 2))
            violation, _ = solve_quadratic(
                self.gram, c, w, l1, l2, self.problem.null_objective, tol, budget
            )
        else:
            violation = 0.0
            solve_ridge(self.gram, c, w, l2)
        self.delta = w - start
        return violation

    def get_moves(self):
        """Moves of the decision values, and of the nuisance coefficients."""
        problem = self.problem
        D = self.coordinates.scatter(self.delta, (self.columns.n, problem.n_rows))
        offset = self.nuisance_block.solve(self.nuisance_gradient - self.cross.T @ self.delta)
        moves = self.nuisance.scatter(offset, (len(problem.nuisance), problem.n_rows))
        return self.columns.predict_rows(D) + moves.T @ problem.nuisance, moves


class NuisanceBlock:
    """Factor of the Hessian's block of nuisance directions."""

    def __init__(self, block):
        self.size = len(block)
        if self.size == 0:
            return
        # Directions the data cannot tell apart share what they are given. Relative to each of
        # them: classes may be of any rarity.
        diagonal = block.diagonal()
        block = block + np.diag(1e-14 * diagonal + 1e-30 * diagonal.max() + 1e-300)
        self.factor, failed = lapack.dpotrf(block, lower=1)
        if failed:
            values, vectors = np.linalg.eigh(block)
            values = np.maximum(values, 1e-12 * values[-1])
            self.factor = np.linalg.cholesky((vectors * values) @ vectors.T)

    def solve(self, rhs):
        """The block's inverse times `rhs`."""
        if self.size == 0 or rhs.size == 0:
            return np.zeros_like(rhs)
        return lapack.dpotrs(self.factor, rhs, lower=1)[0]


def list_nuisance_coordinates(problem):
    """Nuisance directions of every class but, for softmax, the last.

    All classes may be shifted together without effect; leaving one out settles it.
    """
    q, rows = len(problem.nuisance), problem.n_rows
    n_classes = 1 if rows == 1 else rows - 1
    return Coordinates(np.tile(np.arange(q), n_classes), np.repeat(np.arange(n_classes), q))


def prefers_hessian(problem, columns, coordinates, n_sweeps):
    """Whether forming a Hessian costs less than so many sweeps.

    Costs are in nanoseconds of one core, roughly.
    """
    m, n = len(coordinates), problem.loss.n_samples
    n_nuisance = len(list_nuisance_coordinates(problem))
    if isinstance(columns, DenseColumns):
        return forms_hessian(m, n_nuisance, 0.05 * n * m * m, 4.0 * n * m, n_sweeps)
    counts = np.bincount(coordinates.features, minlength=columns.n).astype(np.float64)
    entries = np.diff(columns.matrix.indptr)
    pattern = columns.to_rows()
    a_row = np.add.reduceat(
        np.append(counts[pattern.indices], 0.0), np.minimum(pattern.indptr[:-1], pattern.nnz)
    )
    a_row[np.diff(pattern.indptr) == 0] = 0.0
    # Scattered additions, to a matrix that fits the cache or does not.
    forming = (0.5 + min(8.0, 5e-7 * m * m)) * float(a_row @ a_row)
    a_sweep = (3.0 if problem.n_rows == 1 else 8.0) * float(counts @ entries)
    return forms_hessian(m, n_nuisance, forming, a_sweep, n_sweeps)
