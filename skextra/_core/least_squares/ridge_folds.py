"""Ridge solutions for every penalty on the training part of every fold.

Within a fold all penalties and targets share one Gram matrix or kernel. Across
complementary folds of tall data even that is shared: the training rows' moments
are the whole data's minus the test rows', so that the data is read twice,
whatever the number of folds and penalties.
"""

import numpy as np
from scipy import sparse

from skextra._core.least_squares import ridge
from skextra._core.least_squares.problem import build_problem
from skextra._core.least_squares.ridge_scaled_system import ScaledSystem
from skextra._core.numerics.design_matrix import Design

# From this many penalties on, eigenvectors cost less than a Cholesky factor each.
_MAX_FACTORIZATIONS = 16


class FoldSolver:
    """Solves ridge problems on subsets of one data set's rows.

    Parameters
    ----------
    X : ndarray or CSR/CSC of shape (n_samples, n_features)
    Y : ndarray of shape (n_samples, n_targets)
    alphas : ndarray of shape (n_alphas,)
    sample_weight : ndarray of shape (n_samples,) and float64, or None
    fit_intercept : bool
    penalty_weights : ndarray of shape (n_features,) and float64, or None
    """

    def __init__(self, X, Y, alphas, sample_weight, fit_intercept, penalty_weights):
        self.X = X.tocsr() if sparse.issparse(X) else X
        self.Y = Y
        self.alphas = alphas
        self.sample_weight = sample_weight
        self.fit_intercept = fit_intercept
        self.penalty_weights = penalty_weights
        self._total = None
        dense_tall = isinstance(X, np.ndarray) and X.shape[1] < 0.5 * X.shape[0]
        # Without a penalty, noise left by a subtraction would not be damped.
        self._may_subtract = dense_tall and penalty_weights is None and alphas.min() > 0

    def solve_fold(self, train, test):
        """Coefficients of each alpha, fitted to the rows `train`.

        Parameters
        ----------
        train, test : ndarray of int or bool
            As cross-validation splitters yield them.

        Yields
        ------
        coef : ndarray of shape (n_targets, n_features)
        intercept : ndarray of shape (n_targets,)
        """
        if self._may_subtract and self._are_complementary(train, test):
            try:
                yield from self._solve_complement(test)
                return
            except ridge.SingularError:
                pass
        yield from self._solve_rows(train)

    def _are_complementary(self, train, test):
        n = self.X.shape[0]
        if len(test) > 0.5 * n and np.asarray(test).dtype != bool:
            return False
        seen = np.zeros(n, dtype=np.int64)
        for rows in (train, test):
            rows = np.asarray(rows)
            np.add.at(seen, np.flatnonzero(rows) if rows.dtype == bool else rows, 1)
        return (seen == 1).all()

    def _solve_rows(self, train):
        weights = None if self.sample_weight is None else self.sample_weight[train]
        if weights is not None and not weights.any():
            raise ValueError("sample_weight must not be all zero in the training part of a fold")
        problem = build_problem(
            self.X[train], self.Y[train], weights, self.fit_intercept, self.penalty_weights
        )
        for result in solve_path(problem, self.alphas):
            yield problem.expand(result.W)

    def solve_all(self, alpha):
        """Solve for one penalty on all rows.

        Returns
        -------
        problem : Problem
        result : Result
        """
        alphas = np.full(self.Y.shape[1], alpha)
        if self._total is not None:
            problem, gram, cross = self._total
            try:
                result = ridge.solve_moments(problem, gram, cross, alphas)
            except ridge.SingularError:
                result = None
            return problem, ridge.ensure_exact(problem, alphas, result)
        problem = self._build_total()
        return problem, ridge.solve(problem, alphas, tol=1e-6)

    def _build_total(self):
        return build_problem(
            self.X, self.Y, self.sample_weight, self.fit_intercept, self.penalty_weights
        )

    def _solve_complement(self, test):
        if self._total is None:
            problem = self._build_total()
            self._total = problem, *problem.design.compute_moments(problem.Y)
        problem, gram, cross = self._total
        gram, cross, offset, y_offset = self._subtract(test, problem, gram, cross)
        mean, y_mean = problem.design.mean - offset, problem.y_mean - y_offset
        # All before the first: a failure must leave the caller nothing to undo.
        for W in list(_solve_penalties(gram, cross, self.alphas)):
            intercept = y_mean - mean @ W if self.fit_intercept else np.zeros(W.shape[1])
            yield W.T, intercept

    def _subtract(self, test, problem, gram, cross):
        design, Y = problem.design, problem.Y
        weights = None if design.weights is None else design.weights[test]
        Y_test = Y[test]
        part = Design(self.X[test], weights, self.fit_intercept, dtype=np.float64)
        part_gram, part_cross, sums = part.accumulate_moments(Y_test, design.mean)
        y_sums = part.weigh(Y_test).sum(axis=0)
        remaining = design.total_weight - part.total_weight
        if remaining <= 1e-6 * design.total_weight:
            raise ridge.SingularError
        train_gram = gram - part_gram
        train_cross = cross - part_cross
        if not self.fit_intercept:
            sums, y_sums = np.zeros_like(sums), np.zeros_like(y_sums)
        train_gram -= np.outer(sums / remaining, sums)
        train_cross -= np.outer(sums / remaining, y_sums)
        # A feature (almost) constant in training would be left with rounding noise.
        diagonal = gram.diagonal()
        if (train_gram.diagonal() < 1e-6 * diagonal).any(where=diagonal > 0):
            raise ridge.SingularError
        return train_gram, train_cross, sums / remaining, y_sums / remaining


def _solve_penalties(gram, cross, alphas):
    if len(alphas) > _MAX_FACTORIZATIONS:
        values, V = ridge.decompose(gram)
        if alphas.min() + max(values[0], 0) < 1e-10 * values[-1]:
            raise ridge.SingularError
        rotated = V.T @ cross
        for alpha in alphas:
            yield V @ (rotated / (np.maximum(values, 0) + alpha)[:, None])
        return
    for alpha in alphas:
        factor, refine = ridge.factorize(gram, alpha, refine_below=1e-10)
        if refine:
            raise ridge.SingularError
        yield ridge.solve_factored(factor, cross)


def solve_path(problem, alphas):
    """Yield the solution for each alpha, sharing one Gram matrix or kernel.

    Parameters
    ----------
    problem : Problem
    alphas : ndarray of shape (n_alphas,)

    Yields
    ------
    result : Result
    """
    n, p = problem.design.shape
    k = problem.Y.shape[1]
    dear = ridge.is_factorization_expensive(problem.design, k)
    moments = kernel = system = eigen = None
    if p and not dear:
        if p <= n:
            moments = problem.design.compute_moments(problem.Y)
            if len(alphas) > _MAX_FACTORIZATIONS:
                eigen = ridge.decompose(moments[0])
        else:
            kernel, _ = ridge.deflate_kernel(
                problem.design.compute_kernel(), problem.design.list_null_rows()
            )
    for alpha in alphas:
        penalties = np.full(k, alpha)
        if p == 0 or dear:
            yield ridge.solve(problem, penalties, tol=1e-6)
            continue
        result = None
        try:
            if moments is not None:
                result = ridge.solve_moments(problem, *moments, penalties, eigen=eigen)
            else:
                result = ridge.solve_kernel(problem, kernel, penalties)
        except ridge.SingularError:
            pass
        if result is None or not ridge.is_exact(problem, result):
            system = ScaledSystem(problem) if system is None else system
            result = ridge.ensure_exact(problem, penalties, result, system)
        yield result
