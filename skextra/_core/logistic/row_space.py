"""Wide data without an L1 penalty: as many columns as samples say all there is to say.

With a squared L2 penalty the coefficients are combinations of the samples. In an
orthonormal basis of those, the problem has the same decision values, the same
penalty and the same dual: solved there, it is solved.

References
----------
Hastie & Tibshirani, "Efficient quadratic regularization for expression arrays",
Biostatistics 5 (2004).
"""

from dataclasses import replace

import numpy as np

from skextra._core.numerics.design_matrix import Design

# Directions of less than this share of the largest squared length are rounding.
_RANK = 1e-13
_MOST_SAMPLES = 2000


class WideReduction:
    """Coordinates of wide data in a basis of its samples.

    Parameters
    ----------
    problem : LogisticProblem
        Dense, with fewer samples than penalised columns.

    Attributes
    ----------
    problem : LogisticProblem
        The same with at most as many columns as samples, all penalised alike.
    """

    def __init__(self, problem):
        factor = 1.0 / np.sqrt(problem.scale)
        self.design = Design(
            problem.design.X, None, problem.design.fit_intercept, factor, np.float64
        )
        kernel = self.design.compute_kernel()
        values, vectors = np.linalg.eigh(kernel, UPLO="L")
        kept = values > _RANK * max(values[-1], 0.0)
        self.lengths, self.vectors = np.sqrt(values[kept]), vectors[:, kept]
        self.factor = factor
        columns = np.asfortranarray(self.vectors * self.lengths)
        self.problem = replace(
            problem, design=Design(columns, None, False), scale=np.ones(columns.shape[1])
        )

    def reduce(self, W):
        """Coefficients (rank, n_rows) that decide as (n_features, n_rows) do."""
        if not W.any():
            return np.zeros((len(self.lengths), W.shape[1]))
        F = self.design.dot(W / self.factor[:, None])
        return (self.vectors.T @ F) / self.lengths[:, None]

    def expand(self, W):
        """The combination of samples that coefficients (rank, n_rows) stand for."""
        combination = self.vectors @ (W / self.lengths[:, None])
        return self.factor[:, None] * self.design.transpose_dot(combination)


def is_wide(problem):
    """Whether the reduction pays: it reads the data a few times."""
    n, p = problem.design.shape
    return not problem.design.is_sparse and n < p and n <= _MOST_SAMPLES
