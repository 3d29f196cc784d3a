"""Which algorithm solves a lasso or an elastic net: pure functions of the shape of the problem.

Each threshold names what it was measured on; shapes are samples x features. All of them
choose between ways to the same answer: none of them changes what is certified.
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np

# Features up to which a single penalty is solved on the Gram matrix (200 x 50 at a hundredth of
# the largest penalty: 1.4 times as fast as on columns). Beyond, forming it takes longer than the
# few sweeps that a fit needs (1,000 x 300: columns 1.9 times as fast, 5,000 x 200: 1.7 times).
_GRAM_FEATURES = 100
# Penalties that make a path, whose Gram matrix is formed once for all of them, and features
# up to which it pays: any number of samples, and at least as many samples as features.
_PATH_PENALTIES = 5
_PATH_FEATURES = 300
_TALL_PATH_FEATURES = 3000
# Features up to which few penalties are solved on all columns: a working set is packed anew
# and certified several times (dense 1,000 x 1,000: 1.4 times as fast; with 10,000 features
# the working set is).
_ALL_COLUMNS = 4000

# Nanoseconds of one core, roughly, of one multiplication in: a product of matrices, the Gram
# matrix of sparse columns, a dense sweep that moves all coefficients, the same on sparse
# columns; and of one column of a sparse sweep, one entry of a Gram matrix (formed from sparse
# columns, then passed over by a Newton step), and one cubed size of a Cholesky factor with the
# few updates that follow it.
_GEMM, _SPARSE_GRAM, _DENSE_SWEEP, _SPARSE_SWEEP = 0.025, 2.0, 0.3, 3.0
_SPARSE_COLUMN, _GRAM_ENTRY, _FACTOR = 30.0, 4.0, 0.04
# Its Gram matrix takes 0.8 GB.
_LARGEST_SUPPORT = 10_000


class Solver(Enum):
    """What a target's problems are solved on."""

    GRAM = "gram"
    COLUMNS = "columns"
    WORKING_SET = "working-set"


@dataclass(frozen=True)
class Shape:
    """What the choice depends on.

    Attributes
    ----------
    n_samples, n_features : int
        Penalized features.
    n_alphas : int
        Penalties that are solved for in turn.
    has_gram : bool
        Whether the Gram matrix is known already.
    """

    n_samples: int
    n_features: int
    n_alphas: int = 1
    has_gram: bool = False


def choose_solver(shape):
    """How the problems of a target are solved."""
    if shape.has_gram or shape.n_features <= _GRAM_FEATURES:
        return Solver.GRAM
    if shape.n_alphas > _PATH_PENALTIES:
        return Solver.GRAM if prefers_gram(shape) else Solver.WORKING_SET
    return Solver.COLUMNS if shape.n_features <= _ALL_COLUMNS else Solver.WORKING_SET


def prefers_gram(shape):
    """Whether one Gram matrix of all features pays for a path, or for many targets."""
    n, p = shape.n_samples, shape.n_features
    if p <= _PATH_FEATURES:
        return True
    return p <= n and shape.n_alphas > _PATH_PENALTIES and p <= _TALL_PATH_FEATURES


def count_patient_sweeps(n_samples, n_support, n_missing, density, is_sparse, has_l2):
    """Sweeps that cost as much as Newton steps on the support would.

    Whoever takes these steps after so many sweeps pays at most twice what the better of both
    would have cost: dense 1,000 x 3,000 with neighbors correlated by 0.99 at a hundredth of the
    largest penalty is solved to its tolerance 7 times as fast as scikit-learn gives up, while
    Newton steps are never reached on sparse 2,000 x 12,000 with 1,500 coefficients.

    Parameters
    ----------
    n_samples, n_support : int
    n_missing : int
        Features of the support that are not in the Gram matrix yet.
    density : float
        Share of the entries of the columns that are stored.
    is_sparse : bool
    has_l2 : bool
        Whether there is an L2 penalty.

    Returns
    -------
    n_sweeps : float
        Infinite where neither the support nor an L2 penalty determines the coefficients, so
        that a Newton step runs along a null space, and where the Gram matrix of the support
        would not fit into memory.
    """
    n, k, m = n_samples, n_support, n_missing
    if not 0 < k < _LARGEST_SUPPORT or (k >= n and not has_l2):
        return np.inf
    if is_sparse:
        forming = _SPARSE_GRAM * k * m * n * density**2 + _GRAM_ENTRY * k * m
        sweep = _SPARSE_SWEEP * n * k * density + _SPARSE_COLUMN * k
    else:
        forming = _GEMM * k * m * n
        sweep = _DENSE_SWEEP * k * n
    return (forming + _FACTOR * k**3 + _GRAM_ENTRY * k * k) / sweep


def sweeps_on_gram(n_support, n_stored):
    """Whether a sweep over the Gram matrix of the support reads less than one over its columns.

    Parameters
    ----------
    n_support : int
    n_stored : int
        Numbers that the columns of the support have.
    """
    return n_support * n_support <= n_stored
