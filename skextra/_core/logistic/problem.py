"""Logistic regression as its solvers see it: penalised columns and nuisance directions.

    min over W, b of  sum_i s_i loss_i(x_i W + b) + sum_j v_j (l1 |W_j|_1 + l2 |W_j|^2 / 2)

is the problem divided by C. The intercept and unpenalised features are nuisance
directions: every solver eliminates them exactly, which makes its residual a
feasible point of the dual.
"""

from dataclasses import dataclass

import numpy as np

from skextra._core.logistic.loss import LogLoss
from skextra._core.numerics.design_matrix import Design


@dataclass
class LogisticProblem:
    """Loss, penalised columns and nuisance columns.

    Attributes
    ----------
    design : Design
        Penalised columns; centred if dense and an intercept is fitted, unweighted.
    loss : LogLoss
    nuisance : ndarray of shape (n_nuisance, n_samples)
        A row of ones if an intercept is fitted, and unpenalised features.
    scale : ndarray of shape (n_penalised,)
        Penalty weights, positive and finite.
    null_objective : float
        Loss at zero coefficients with the best intercept.
    """

    design: Design
    loss: LogLoss
    nuisance: np.ndarray
    scale: np.ndarray
    null_objective: float
    n_features: int
    fit_intercept: bool
    penalised: np.ndarray | None = None
    free: np.ndarray | None = None
    free_mean: np.ndarray | None = None

    @property
    def n_rows(self):
        """Rows of coefficients: one for two classes, else one a class."""
        return self.loss.n_rows

    def create_start(self, start=None, intercept=None):
        """Coefficients to start from: (n_penalised, n_rows) and (n_nuisance, n_rows).

        Parameters
        ----------
        start : ndarray of shape (n_rows, n_features) or None
        intercept : ndarray of shape (n_rows,) or None
            None is the best one for no coefficients at all.
        """
        W = np.zeros((self.design.shape[1], self.n_rows))
        V = np.zeros((len(self.nuisance), self.n_rows))
        if start is not None:
            W[:] = (start if self.penalised is None else start[:, self.penalised]).T
            if self.free is not None:
                V[self.fit_intercept :] = start[:, self.free].T
        if self.fit_intercept and intercept is None:
            V[0] = self.loss.compute_null_intercept()
        elif self.fit_intercept:
            V[0] = intercept + self.design.mean @ W
            if self.free is not None and len(self.free):
                V[0] += self.free_mean @ V[1:]
        return W, V

    def expand(self, W, V):
        """Coefficients (n_rows, n_features) and intercepts (n_rows,) of the user's problem."""
        coef = np.zeros((self.n_rows, self.n_features))
        coef[:, slice(None) if self.penalised is None else self.penalised] = W.T
        if self.free is not None and len(self.free):
            free = V[self.fit_intercept :]
            if self.n_rows > 1:
                # Shared by all classes, a coefficient changes no probability.
                free = free - free.mean(axis=1, keepdims=True)
            coef[:, self.free] = free.T
        if not self.fit_intercept:
            return coef, np.zeros(self.n_rows)
        intercept = V[0] - self.design.mean @ W
        if self.free is not None and len(self.free):
            intercept = intercept - self.free_mean @ free
        return coef, intercept - intercept.mean() if self.n_rows > 1 else intercept

    def compute_decision(self, W, V):
        """Decision values (n_rows, n_samples)."""
        support = np.flatnonzero(W.any(axis=1))
        F = V.T @ self.nuisance if len(V) else np.zeros((self.n_rows, self.loss.n_samples))
        if len(support):
            F = F + predict(self.design, W).T
        return np.ascontiguousarray(F)


def predict(design, W):
    """``Z @ W`` reading X once and copying nothing."""
    product = np.asarray(design.X @ W.astype(design.X.dtype, copy=False), dtype=np.float64)
    if design.fit_intercept:
        product -= design.mean @ W
    return product


def build_problem(X, codes, n_classes, sample_weight, fit_intercept, penalty_weights):
    """Drop what plays no part, tell nuisance from penalised columns, centre on paper.

    Parameters
    ----------
    X : ndarray or CSR/CSC of shape (n_samples, n_features)
    codes : ndarray of int of shape (n_samples,)
    n_classes : int
    sample_weight : ndarray of shape (n_samples,) and float64, or None
    fit_intercept : bool
    penalty_weights : ndarray of shape (n_features,) and float64, or None

    Returns
    -------
    problem : LogisticProblem
    """
    if sample_weight is None:
        sample_weight = np.ones(X.shape[0])
    elif not sample_weight.all():
        kept = np.flatnonzero(sample_weight)
        X, codes, sample_weight = X[kept], codes[kept], sample_weight[kept]
    n_features = X.shape[1]
    penalised, free, scale = None, None, np.ones(n_features)
    if penalty_weights is not None:
        positive = (penalty_weights > 0) & np.isfinite(penalty_weights)
        free = np.flatnonzero(penalty_weights == 0)
        if not positive.all():
            penalised = np.flatnonzero(positive)
        scale = penalty_weights[positive]
    loss = LogLoss(codes, n_classes, sample_weight)
    is_centred = fit_intercept and isinstance(X, np.ndarray)
    design = Design(X if penalised is None else X[:, penalised], None, is_centred)
    nuisance, free_mean = _collect_nuisance(X, free, fit_intercept)
    if fit_intercept:
        null = loss.compute_null_intercept()[:, None]
    else:
        null = np.zeros((loss.n_rows, 1))
    null_objective = loss.compute_value(np.repeat(null, loss.n_samples, axis=1))
    return LogisticProblem(
        design, loss, nuisance, scale, null_objective, n_features, fit_intercept,
        penalised, free, free_mean,
    )  # fmt: skip


def _collect_nuisance(X, free, fit_intercept):
    rows = [np.ones((1, X.shape[0]))] if fit_intercept else [np.zeros((0, X.shape[0]))]
    free_mean = np.zeros(0)
    if free is not None and len(free):
        columns = X[:, free]
        columns = np.asarray(columns if isinstance(X, np.ndarray) else columns.toarray(), float)
        free_mean = columns.mean(axis=0) if fit_intercept else np.zeros(len(free))
        rows.append((columns - free_mean).T)
    return np.ascontiguousarray(np.concatenate(rows)), free_mean
