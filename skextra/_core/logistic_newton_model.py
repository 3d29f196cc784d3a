"""The quadratic model of a logistic problem on a few coordinates, nuisance eliminated."""

import numpy as np
from scipy.linalg import lapack

from skextra._core.columns import DenseColumns
from skextra._core.log_loss_hessian import compute_dense_hessian, compute_sparse_hessian

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


class Curvature:
    """Hessian on coordinates and nuisance directions, at fixed probabilities.

    Attributes
    ----------
    P : ndarray of shape (n_rows, n_samples)
        The probabilities.
    gram : ndarray of shape (m, m), C-ordered
        Schur complement of the nuisance block: the Hessian where the nuisance
        coefficients are always optimal.
    """

    def __init__(self, problem, columns, coordinates, P):
        loss = problem.loss
        self.P = P
        self.nuisance_coordinates = list_nuisance_coordinates(problem)
        hessian = _compute_hessian(
            columns, problem.nuisance, coordinates, self.nuisance_coordinates, P, loss.weights
        )
        m = len(coordinates)
        lower = np.tril(hessian)
        full = lower + np.tril(hessian, -1).T
        self._eliminate(full, m)

    def _eliminate(self, full, m):
        self.cross = full[:m, m:]
        block = full[m:, m:]
        if len(block) == 0:
            self.gram, self.solved = np.ascontiguousarray(full), np.zeros((0, m))
            return
        # Directions the data cannot tell apart share what they are given.
        block = block + 1e-14 * max(block.diagonal().max(), 1e-300) * np.eye(len(block))
        self.factor, failed = lapack.dpotrf(block, lower=1)
        if failed:
            values, vectors = np.linalg.eigh(block)
            values = np.maximum(values, 1e-12 * values[-1])
            self.factor = np.linalg.cholesky((vectors * values) @ vectors.T)
        self.solved = self.solve_nuisance(self.cross.T)
        gram = full[:m, :m] - self.cross @ self.solved
        self.gram = np.ascontiguousarray(0.5 * (gram + gram.T))

    def solve_nuisance(self, rhs):
        """Nuisance block of the Hessian, solved for `rhs`."""
        if len(self.cross.T) == 0:
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
