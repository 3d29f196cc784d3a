"""From data and penalty weights to the one problem every linear solver sees.

An intercept and unpenalized features are the same thing: directions that the
fit may use freely. They are projected out of the columns and the targets, the
penalized columns are rescaled so that one squared L2 penalty fits all, and the
solution is carried back at the end. Other penalties add to this problem; what
rescaling does to them is their solver's business.
"""

from dataclasses import dataclass

import numpy as np

from skextra._core.numerics import full_data
from skextra._core.numerics.design_matrix import Design, compute_column_means
from skextra._core.numerics.products import multiply_dense

# Coefficients whose products with means are summed in extended precision.
_FEW_PRODUCTS = 1_000_000


@dataclass
class Problem:
    """Least squares of Y on Z with a penalty, one column per target.

    For ridge regression: min over w of ``||Y - Z w||^2 + alpha ||w||^2``.

    Attributes
    ----------
    design : Design
        Z: penalized columns, centered, residualized and rescaled.
    Y : ndarray of shape (n_samples, n_targets)
        Targets, centered and residualized; unweighted.
    y_mean : ndarray of shape (n_targets,)
    null_objective : ndarray of shape (n_targets,)
        Half the weighted sum of squares of the centered targets: the objective
        at all-zero coefficients with the optimal intercept.
    n_features : int
        Of the original X.
    penalized : ndarray of int, or None for all features
    free : ndarray of int, or None
        Unpenalized features, which are projected out.
    Y_centered : ndarray of shape (n_samples, n_targets)
        Targets, centered but not residualized.
    """

    design: Design
    Y: np.ndarray
    y_mean: np.ndarray
    null_objective: np.ndarray
    n_features: int
    penalized: np.ndarray | None = None
    free: np.ndarray | None = None
    free_mean: np.ndarray | None = None
    free_columns: np.ndarray | None = None
    free_transform: np.ndarray | None = None
    free_cross: np.ndarray | None = None
    Y_centered: np.ndarray | None = None

    def expand(self, W, target=None):
        """Coefficients (n_targets, n_features) and intercepts of a solution W.

        All columns of W are for `target` if it is given.
        """
        design = self.design
        W = W if design.scale is None else design.scale[:, None] * W
        if self.penalized is None:
            coef = W.T
        else:
            coef = np.zeros((W.shape[1], self.n_features))
            coef[:, self.penalized] = W.T
            if self.free_transform is not None:
                cross = self.free_cross if target is None else self.free_cross[:, [target]]
                free = self.free_transform @ (cross - design.projection @ W)
                coef[:, self.free] = free.T
        return coef, self.compute_intercept(coef, target)

    def weigh_targets(self):
        """Residualized targets times the roots of the sample weights."""
        return self.design.weigh_rows(self.Y)

    def compute_intercept(self, coef, target=None):
        """Best intercepts for coefficients (n_targets, n_features), in float64."""
        return self._sum_intercept(coef, target).astype(np.float64)

    def compute_shift(self, coef, intercept, target=None):
        """Best intercepts for coefficients less those that are returned.

        Where coefficients of unpenalized features that nearly depend on each other are large,
        and their means, too, the last digit of the intercept is what moves all predictions.
        """
        return (self._sum_intercept(coef, target) - intercept).astype(np.float64)

    def _sum_intercept(self, coef, target):
        design = self.design
        if not design.fit_intercept:
            return np.zeros(len(coef))
        penalized = coef if self.penalized is None else coef[:, self.penalized]
        if penalized.size <= _FEW_PRODUCTS:
            means = penalized.astype(np.longdouble) @ design.mean.astype(np.longdouble)
        else:
            penalized = np.ascontiguousarray(penalized, dtype=np.float64)
            means = multiply_dense(penalized, design.mean[:, None])[:, 0]
        if self.free_transform is not None:
            means = means + coef[:, self.free] @ self.free_mean
        return (self.y_mean if target is None else self.y_mean[target]) - means

    def compute_residual(self, coef, intercept, target=None):
        """Residuals of returned coefficients on the data as they were given, in float64.

        Features are centered before the product, so that none that is far from zero cancels;
        what the intercept differs from the best one is added as the constant that it is.

        Parameters
        ----------
        coef : ndarray of shape (n_targets, n_features)
            Of the precision that is returned.
        intercept : ndarray of shape (n_targets,)
        target : int or None
            The target that all of these are for; None if there is one for each.

        Returns
        -------
        residual : ndarray of shape (n_samples, n_targets)
            Unweighted.
        """
        design = self.design
        coef = coef.astype(np.float64, copy=False)
        penalized = coef if self.penalized is None else coef[:, self.penalized]
        shift = design.mean if design.fit_intercept else None
        # A few features of many: products with the others would be with zeros.
        support = np.flatnonzero(penalized.any(axis=0))
        X = design.X
        if 4 * len(support) < penalized.shape[1]:
            X, penalized = X[:, support], penalized[:, support]
            shift = None if shift is None else shift[support]
        Y = self.Y_centered if target is None else self.Y_centered[:, [target]]
        residual = Y - full_data.multiply(X, penalized.T, shift)
        if self.free_transform is not None:
            residual -= self.free_columns @ coef[:, self.free].T
        if design.fit_intercept:
            residual += self.compute_shift(coef, intercept, target)
        return residual


@dataclass
class Result:
    """Solution of a problem, one column or entry per target.

    Attributes
    ----------
    W : ndarray of shape (n_features, n_targets)
    gap : ndarray of shape (n_targets,)
        Bound on the distance of the objective at `W` from its minimum.
    n_iter : ndarray or None
        None where nothing was iterated.
    method : str
    dual : ndarray of shape (n_samples, n_targets) or None
        Dual point of the bound: a residual times the roots of the weights, orthogonal to
        the unpenalized directions. None if the bound needed none, see
        :func:`skextra._core.least_squares.ridge.solve_moments`.
    correlations : ndarray of shape (n_features, n_targets) or None
        Products of the columns of Z with `dual`.
    penalty : ndarray of shape (n_features, n_targets) or None
        Where it is not the same for every feature of Z.
    lengths : ndarray of shape (n_features,) or None
        Of the columns of Z, where they are known.
    """

    W: np.ndarray
    gap: np.ndarray
    n_iter: np.ndarray | None = None
    method: str = "cholesky"
    dual: np.ndarray | None = None
    correlations: np.ndarray | None = None
    penalty: np.ndarray | None = None
    lengths: np.ndarray | None = None


def build_problem(X, Y, sample_weight=None, fit_intercept=True, penalty_weights=None):
    """Center, weight, rescale and project out, without copying X.

    All products are in double precision, also of data in single precision: columns that
    share a large part leave no digits in a Gram matrix of float32 products.

    Parameters
    ----------
    X : ndarray or CSR/CSC of shape (n_samples, n_features)
    Y : ndarray of shape (n_samples, n_targets)
    sample_weight : ndarray of shape (n_samples,) and float64, or None
    fit_intercept : bool
    penalty_weights : ndarray of shape (n_features,) and float64, or None

    Returns
    -------
    problem : Problem
    """
    n_features = X.shape[1]
    penalized = free = scale = None
    X_penalized = X
    if penalty_weights is not None:
        scale, penalized, free = _split_features(penalty_weights)
        if penalized is not None:
            X_penalized = X[:, penalized]
    design = Design(X_penalized, sample_weight, fit_intercept, scale, np.float64)
    Y, y_mean, null_objective = center_targets(Y, sample_weight, fit_intercept)
    problem = Problem(design, Y, y_mean, null_objective, n_features, penalized, free, Y_centered=Y)
    if free is not None and len(free):
        _project_out_free(problem, X[:, free])
    return problem


def _split_features(penalty_weights):
    finite = np.isfinite(penalty_weights)
    penalized = np.flatnonzero(finite & (penalty_weights > 0))
    free = np.flatnonzero(penalty_weights == 0)
    scale = 1 / np.sqrt(penalty_weights[penalized])
    if (scale == 1).all():
        scale = None
    if len(penalized) == len(penalty_weights):
        penalized = None
    return scale, penalized, free


def center_targets(Y, sample_weight, fit_intercept):
    """Centered float64 targets, their means, and half their weighted squares."""
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


def _project_out_free(problem, X_free):
    design = problem.design
    columns = X_free.toarray() if design.is_sparse else X_free
    columns = np.array(columns, dtype=np.float64, order="F")
    problem.free_mean = np.zeros(columns.shape[1])
    if design.fit_intercept:
        total = design.total_weight
        problem.free_mean = compute_column_means(columns, design.weights, total)
        columns -= problem.free_mean
        # The rounding of a mean far from zero is large beside what nearly dependent columns
        # differ by: once more, around zero.
        rest = compute_column_means(columns, design.weights, total)
        columns -= rest
        problem.free_mean = problem.free_mean.astype(np.longdouble) + rest
        # Of a constant column centering leaves rounding, which spans nothing.
        noise = 2 * np.finfo(np.float64).eps * np.abs(problem.free_mean)
        columns[:, np.abs(columns).max(axis=0) <= noise] = 0.0
    problem.free_columns = columns
    problem.free_transform = design.project_out(columns)
    problem.free_cross = design.rows.T @ design.weigh(problem.Y)
    problem.Y = problem.Y - design.rows @ problem.free_cross
    # Once more: where they explain nearly all of Y, the first left its rounding behind.
    remainder = design.rows.T @ design.weigh(problem.Y)
    problem.Y -= design.rows @ remainder
    problem.free_cross = problem.free_cross + remainder
