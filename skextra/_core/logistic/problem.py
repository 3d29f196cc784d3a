"""Logistic regression as its solvers see it: penalized columns and nuisance directions.

    min over W, b of  sum_i s_i loss_i(x_i W + b) + sum_j v_j (l1 |W_j|_1 + l2 |W_j|^2 / 2)

is the problem divided by C. The intercept and unpenalized features are nuisance
directions: every solver eliminates them exactly, which makes its residual a
feasible point of the dual.

Solvers work in units of their own: sample weights of about one, and columns of about one
scale (see `conditioning`). Coefficients are then ``u_j = w_j * scales_j``, with penalties
``v_j / scales_j`` on ``|u_j|`` and ``v_j / scales_j^2`` on its square.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from skextra._core.logistic.conditioning import ConditionedData, condition_columns
from skextra._core.logistic.loss import LogLoss
from skextra._core.logistic.solver_choice import Shape
from skextra._core.numerics.design_matrix import Design
from skextra._core.numerics.full_data import multiply
from skextra._core.numerics.scaling import round_to_power_of_two

# Penalties in the solvers' units stay within these, so that products of two of them with
# coefficients are numbers; the smaller is no penalty to double precision, the larger admits no
# coefficient.
_WEAKEST, _STRONGEST = 1e-100, 1e250


@dataclass
class LogisticProblem:
    """Loss, penalized columns and nuisance columns.

    Attributes
    ----------
    X : ndarray, CSR or CSC of shape (n_samples, n_features)
        The data as given, without rows of no weight.
    design : Design
        Penalized columns in the solvers' units; centered if dense and an intercept is
        fitted, unweighted.
    loss : LogLoss
        Its weights are those given, divided by `weight_unit`.
    nuisance : ndarray of shape (n_nuisance, n_samples)
        A row of ones if an intercept is fitted, and unpenalized features, centered and of
        about one scale.
    penalty_weights : ndarray of shape (n_features,)
        Zero for unpenalized features, infinite for excluded ones.
    l1_scale, l2_scale : ndarray of shape (n_penalized,)
        Penalty weights in the solvers' units, positive and finite.
    null_objective : float
        Loss at zero coefficients with the best intercept.
    """

    X: object
    data: ConditionedData
    design: Design
    loss: LogLoss
    nuisance: np.ndarray
    penalty_weights: np.ndarray
    l1_scale: np.ndarray
    l2_scale: np.ndarray
    null_objective: float
    fit_intercept: bool
    weight_unit: float
    penalized: np.ndarray | None
    free: np.ndarray
    free_mean: np.ndarray
    free_units: np.ndarray

    @property
    def n_rows(self):
        """Rows of coefficients: one for two classes, else one per class."""
        return self.loss.n_rows

    @property
    def n_features(self):
        return self.X.shape[1]

    @property
    def shape(self):
        """What the choice of a solver depends on."""
        return Shape(
            *self.design.shape, self.n_rows, len(self.free), self.fit_intercept,
            self.design.is_sparse,
        )  # fmt: skip

    @property
    def column_squares(self):
        """Squared lengths of the penalized columns, to a few digits."""
        squares = self.column_lengths**2 - self.loss.n_samples * self.design.mean**2
        return np.maximum(squares, 0.0)

    @property
    def column_lengths(self):
        """Lengths of the penalized columns before they are centered."""
        sizes = self.data.sizes if self.data.scales is None else self.data.sizes / self.data.scales
        sizes = sizes if self.penalized is None else sizes[self.penalized]
        return np.sqrt(self.loss.n_samples) * sizes

    def create_start(self, start=None, intercept=None):
        """Coefficients to start from: (n_penalized, n_rows) and (n_nuisance, n_rows).

        Parameters
        ----------
        start : ndarray of shape (n_rows, n_features) or None
        intercept : ndarray of shape (n_rows,) or None
            None is the best one for no coefficients at all.
        """
        W = np.zeros((self.design.shape[1], self.n_rows))
        V = np.zeros((len(self.nuisance), self.n_rows))
        if start is not None:
            units = self._to_units(start.T)
            W[:] = units if self.penalized is None else units[self.penalized]
            V[self.fit_intercept :] = units[self.free] * self.free_units[:, None]
        if self.fit_intercept and intercept is None:
            V[0] = self.loss.compute_null_intercept()
        elif self.fit_intercept:
            V[0] = intercept + self.design.mean @ W
            if start is not None and self.data.shift is not None:
                V[0] += self.data.shift @ start.T
            if len(self.free):
                V[0] += (self.free_mean / self.free_units) @ V[1:]
        return W, V

    def _to_units(self, coefs):
        return coefs if self.data.scales is None else coefs * self.data.scales[:, None]

    def expand(self, W, V):
        """Coefficients (n_rows, n_features) and intercepts (n_rows,) of the user's problem."""
        coef = np.zeros((self.n_features, self.n_rows))
        coef[slice(None) if self.penalized is None else self.penalized] = W
        free = V[self.fit_intercept :] / self.free_units[:, None]
        if self.n_rows > 1 and len(free):
            # Shared by all classes, a coefficient changes no probability.
            free = free - free.mean(axis=1, keepdims=True)
        coef[self.free] = free
        if self.data.scales is not None:
            coef /= self.data.scales[:, None]
        coef = np.ascontiguousarray(coef.T)
        if not self.fit_intercept:
            return coef, np.zeros(self.n_rows)
        intercept = V[0] - self.design.mean @ W
        if len(free):
            intercept = intercept - self.free_mean @ free
        if self.data.shift is not None:
            # Large coefficients and means cancel, to the last digit of the intercept.
            intercept = intercept - coef.astype(np.longdouble) @ self.data.shift
        intercept = intercept - intercept.mean() if self.n_rows > 1 else intercept
        return coef, intercept.astype(np.float64)

    def compute_decision(self, W, V):
        """Decision values (n_rows, n_samples)."""
        support = np.flatnonzero(W.any(axis=1))
        F = V.T @ self.nuisance if len(V) else np.zeros((self.n_rows, self.loss.n_samples))
        if len(support):
            F = F + predict(self.design, W).T
        return np.ascontiguousarray(F)


def predict(design, W):
    """``Z @ W`` in double precision, reading X once."""
    product = multiply(design.X, W)
    if design.fit_intercept:
        product -= design.mean @ W
    return product


def build_problem(X, codes, n_classes, sample_weight, fit_intercept, penalty_weights):
    """Drop what plays no part, bring columns to one scale, tell nuisance from penalized ones.

    Parameters
    ----------
    X : ndarray, CSR or CSC of shape (n_samples, n_features)
    codes : ndarray of int of shape (n_samples,)
    n_classes : int
    sample_weight : ndarray of shape (n_samples,) and float64, or None
    fit_intercept : bool
    penalty_weights : ndarray of shape (n_features,) and float64, or None

    Returns
    -------
    problem : LogisticProblem
    """
    weight_unit = 1.0
    if sample_weight is None:
        sample_weight = np.ones(X.shape[0])
    else:
        if not sample_weight.all():
            kept = np.flatnonzero(sample_weight)
            X, codes, sample_weight = X[kept], codes[kept], sample_weight[kept]
        weight_unit = float(round_to_power_of_two(sample_weight.max()))
    loss = LogLoss(codes, n_classes, sample_weight / weight_unit)
    if penalty_weights is None:
        penalty_weights = np.ones(X.shape[1])
    data = condition_columns(X, loss.weights, fit_intercept, np.isfinite(penalty_weights))
    is_penalized = (penalty_weights > 0) & np.isfinite(penalty_weights)
    penalized = None if is_penalized.all() else np.flatnonzero(is_penalized)
    free = np.flatnonzero(penalty_weights == 0)
    scales = np.ones(X.shape[1]) if data.scales is None else data.scales
    v, scales = penalty_weights[is_penalized], scales[is_penalized]
    Z = data.X if penalized is None else data.X[:, penalized]
    design = Design(Z, None, fit_intercept and isinstance(X, np.ndarray))
    if data.means is not None and design.fit_intercept:
        design._mean = data.means if penalized is None else data.means[penalized]
    nuisance, free_mean, free_units = _collect_nuisance(data.X, free, fit_intercept)
    null = loss.compute_null_intercept() if fit_intercept else np.zeros(loss.n_rows)
    null_objective = loss.compute_constant_value(null)
    with np.errstate(over="ignore", under="ignore"):
        l1_scale, l2_scale = v / scales, v / scales / scales
    return LogisticProblem(
        X, data, design, loss, nuisance, penalty_weights, bound_penalties(l1_scale),
        bound_penalties(l2_scale), null_objective, fit_intercept, weight_unit, penalized, free,
        free_mean, free_units,
    )  # fmt: skip


def bound_penalties(values):
    """Penalties that can be computed with, for those beyond what doubles tell apart."""
    # Faster than np.clip for as few numbers as most fits have.
    return np.minimum(np.maximum(values, _WEAKEST), _STRONGEST)


def _collect_nuisance(X, free, fit_intercept):
    """Nuisance directions, and the means and units of the unpenalized columns among them."""
    n = X.shape[0]
    if not len(free):
        return np.ones((int(fit_intercept), n)), np.zeros(0), np.ones(0)
    columns = X[:, free]
    columns = columns.toarray() if sparse.issparse(columns) else columns
    columns = np.array(columns, dtype=np.float64)
    means = columns.mean(axis=0) if fit_intercept else np.zeros(len(free))
    columns -= means
    if fit_intercept:
        # The rounding of a mean far from zero is large beside what nearly dependent columns
        # differ by: once more, around zero.
        rest = columns.mean(axis=0)
        columns -= rest
        means = means.astype(np.longdouble) + rest
    units = round_to_power_of_two(np.abs(columns).max(axis=0, initial=0.0))
    rows = np.concatenate([np.ones((int(fit_intercept), n)), (columns / units).T])
    return np.ascontiguousarray(rows), means, units
