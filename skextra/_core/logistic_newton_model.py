"""The quadratic model of a logistic problem on a few coordinates, nuisance eliminated."""

import numpy as np
from scipy.linalg import lapack

from skextra._core.columns import DenseColumns
from skextra._core.log_loss_hessian import compute_dense_hessian, compute_sparse_hessian
from skextra._core.quadratic_model import solve_quadratic, solve_ridge

# Sparse columns with more entries than this are cheaper as dense ones.
_DENSE_SHARE = 0.05


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


class GramModel:
    """Quadratic model at given probabilities, with a Hessian of its own.

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
        self.problem, self.columns, self.coordinates, self.R = problem, columns, coordinates, R
        self.nuisance = list_nuisance_coordinates(problem)
        hessian = _compute_hessian(
            columns, problem.nuisance, coordinates, self.nuisance, P, problem.loss.weights
        )
        m = len(coordinates)
        full = np.tril(hessian) + np.tril(hessian, -1).T
        self.cross = full[:m, m:]
        self.nuisance_block = NuisanceBlock(full[m:, m:])
        # Schur complement: the Hessian where the nuisance coefficients are optimal.
        gram = full[:m, :m] - self.cross @ self.nuisance_block.solve(self.cross.T)
        self.gram = np.ascontiguousarray(0.5 * (gram + gram.T))
        self.gradient = coordinates.gather(columns.correlate_rows(self.R))
        self.nuisance_gradient = self.nuisance.gather(problem.nuisance @ self.R.T)

    def minimise(self, w, l1, l2, tol, budget):
        """Minimise model and penalty from `w`, which is updated.

        Returns
        -------
        violation : float
            Of optimality.
        """
        start = w.copy()
        c = self.gradient - self.cross @ self.nuisance_block.solve(self.nuisance_gradient)
        if l1.any():
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
        # Directions the data cannot tell apart share what they are given.
        block = block + 1e-14 * max(block.diagonal().max(), 1e-300) * np.eye(self.size)
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


def _compute_hessian(columns, nuisance, coordinates, nuisance_coordinates, P, weights):
    """Lower triangle over coordinates first and nuisance coordinates after them."""
    k = columns.n
    features = np.concatenate([coordinates.features, k + nuisance_coordinates.features])
    classes = np.concatenate([coordinates.classes, nuisance_coordinates.classes])
    if not isinstance(columns, DenseColumns):
        share = columns.matrix.nnz / max(columns.matrix.shape[0] * columns.n, 1)
        if share <= _DENSE_SHARE:
            return compute_sparse_hessian(
                columns.to_rows(), nuisance, features, classes, P, weights
            )
    matrix = columns.matrix if isinstance(columns, DenseColumns) else columns.matrix.T.toarray()
    if len(nuisance):
        matrix = np.concatenate([matrix, nuisance])
    order = np.argsort(classes, kind="stable")
    hessian = compute_dense_hessian(matrix, features[order], classes[order], P, weights)
    if len(P) == 1 or len(nuisance) == 0:
        return hessian
    full = np.tril(hessian) + np.tril(hessian, -1).T
    back = np.argsort(order)
    return full[np.ix_(back, back)]
