"""From data and penalty weights to the one problem every linear solver sees.

An intercept and unpenalised features are the same thing: directions that the
fit may use freely. They are projected out of the columns and the targets, the
penalised columns are rescaled so that one squared L2 penalty fits all, and the
solution is carried back at the end. Other penalties add to this problem; what
rescaling does to them is their solver's business.
"""

from dataclasses import dataclass

import numpy as np

from skextra._core.numerics.design_matrix import Design, compute_column_means
from skextra._core.numerics.products import multiply_dense


@dataclass
class Problem:
    """Least squares of Y on Z with a penalty, one column a target.

    For ridge regression: min over w of ``||Y - Z w||^2 + alpha ||w||^2``.

    Attributes
    ----------
    design : Design
        Z: penalised columns, centred, residualised and rescaled.
    Y : ndarray of shape (n_samples, n_targets)
        Targets, centred and residualised; unweighted.
    y_mean : ndarray of shape (n_targets,)
    null_objective : ndarray of shape (n_targets,)
        Half the weighted sum of squares of the centred targets: the objective
        at all-zero coefficients with the optimal intercept.
    n_features : int
        Of the original X.
    penalised : ndarray of int, or None for all features
    """

    design: Design
    Y: np.ndarray
    y_mean: np.ndarray
    null_objective: np.ndarray
    n_features: int
    penalised: np.ndarray | None = None
    free: np.ndarray | None = None
    free_mean: np.ndarray | None = None
    free_transform: np.ndarray | None = None
    free_cross: np.ndarray | None = None

    def expand(self, W):
        """Coefficients (n_targets, n_features) and intercepts of a solution W."""
        design = self.design
        W = W if design.scale is None else design.scale[:, None] * W
        mean_part = multiply_dense(W.T, design.mean[:, None])[:, 0] if design.fit_intercept else 0.0
        if self.penalised is None:
            coef = W.T
        else:
            coef = np.zeros((W.shape[1], self.n_features))
            coef[:, self.penalised] = W.T
            if self.free_transform is not None:
                free = self.free_transform @ (self.free_cross - design.projection @ W)
                coef[:, self.free] = free.T
                mean_part = mean_part + self.free_mean @ free
        if not design.fit_intercept:
            return coef, np.zeros(W.shape[1])
        return coef, self.y_mean - mean_part


@dataclass
class Result:
    """Solution of a problem, one column or entry a target.

    ``n_iter`` is None where nothing was iterated, ``method`` names what was done.
    """

    W: np.ndarray
    gap: np.ndarray
    n_iter: np.ndarray | None = None
    method: str = "cholesky"


def build_problem(X, Y, sample_weight=None, fit_intercept=True, penalty_weights=None, dtype=None):
    """Centre, weight, rescale and project out, without copying X.

    Parameters
    ----------
    X : ndarray or CSR/CSC of shape (n_samples, n_features)
    Y : ndarray of shape (n_samples, n_targets)
    sample_weight : ndarray of shape (n_samples,) and float64, or None
    fit_intercept : bool
    penalty_weights : ndarray of shape (n_features,) and float64, or None
    dtype : dtype or None
        Precision of the products; X's by default.

    Returns
    -------
    problem : Problem
    """
    n_features = X.shape[1]
    penalised = free = scale = None
    X_penalised = X
    if penalty_weights is not None:
        scale, penalised, free = _split_features(penalty_weights)
        if penalised is not None:
            X_penalised = X[:, penalised]
    design = Design(X_penalised, sample_weight, fit_intercept, scale, dtype)
    Y, y_mean, null_objective = centre_targets(Y, sample_weight, fit_intercept)
    problem = Problem(design, Y, y_mean, null_objective, n_features, penalised)
    if free is not None and len(free):
        _project_out_free(problem, X[:, free], free)
    return problem


def _split_features(penalty_weights):
    finite = np.isfinite(penalty_weights)
    penalised = np.flatnonzero(finite & (penalty_weights > 0))
    free = np.flatnonzero(penalty_weights == 0)
    scale = 1 / np.sqrt(penalty_weights[penalised])
    if (scale == 1).all():
        scale = None
    if len(penalised) == len(penalty_weights):
        penalised = None
    return scale, penalised, free


def centre_targets(Y, sample_weight, fit_intercept):
    """Centred float64 targets, their means, and half their weighted squares."""
    if fit_intercept:
        total = float(len(Y) if sample_weight is None else sample_weight.sum())
        y_mean = compute_column_means(Y, sample_weight, total)
        Y = Y - y_mean
    else:
        y_mean = np.zeros(Y.shape[1])
        Y = Y.astype(np.float64, copy=False)
    if sample_weight is None:
        squares = np.einsum("ij,ij->j", Y, Y)
    else:
        squares = np.einsum("i,ij,ij->j", sample_weight, Y, Y)
    if not np.isfinite(squares).all():
        raise ValueError("y is too large: its sum of squares overflows; scale y")
    return Y, y_mean, 0.5 * squares


def _project_out_free(problem, X_free, free):
    design = problem.design
    columns = X_free.toarray() if design.is_sparse else np.array(X_free, order="F")
    columns = columns.astype(np.float64, copy=False)
    problem.free = free
    problem.free_mean = np.zeros(len(free))
    if design.fit_intercept:
        total = design.total_weight
        problem.free_mean = compute_column_means(columns, design.weights, total)
        columns -= problem.free_mean
        # Of a constant column centring leaves rounding, which spans nothing.
        noise = 8 * np.finfo(X_free.dtype).eps * np.abs(problem.free_mean)
        columns[:, np.abs(columns).max(axis=0) <= noise] = 0.0
    problem.free_transform = design.project_out(columns)
    problem.free_cross = design.rows.T @ design.weigh(problem.Y)
    problem.Y = problem.Y - design.rows @ problem.free_cross
