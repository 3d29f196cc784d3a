"""Which solvers are tried on a support vector machine, by its shape.

Pure functions of a few numbers. Every threshold has its reason; the figures are of
`python -m benchmarks svm`.
"""

from dataclasses import dataclass
from enum import Enum

# Features up to which a step that factors a system costs less than a few sweeps over the rows.
_FEW_FEATURES = 200
# The same for Newton's method, whose steps are fewer than those of the interior-point method.
_FEW_FOR_NEWTON = 1000
# Features up to which factored systems pay where coordinate descent is slow.
_MANY_FEATURES = 2000
# Samples from which coordinate descent is tried first in spite of few features: a sweep takes
# n d operations, a system n d^2.
_MANY_SAMPLES = 5000
# Sweeps after which another solver takes over. Coordinate descent ends within 20 of them or is
# slow: its rate is that of the condition number, which grows with C.
_FIRST_SWEEPS = 60
# Steps after which factored systems are given up for another basis; 5 to 30 are usual.
_FIRST_STEPS = 100
# The smaller dimension up to which the rows may be rotated onto their singular vectors, which
# takes about 1 s at 1,000.
_MOST_ROTATED = 1000


class LinearSolver(Enum):
    """Solvers of linear machines with an L2 penalty."""

    FACTORED = "Newton's or the interior-point method, each step with a Cholesky factor"
    COORDINATE_DESCENT = "dual coordinate descent"
    CONJUGATE_GRADIENTS = "Newton's method, each step by conjugate gradients (squared hinge)"
    ROTATED = "as FACTORED, in the basis of the rows' singular vectors"


@dataclass(frozen=True)
class LinearShape:
    """What the choice depends on.

    Attributes
    ----------
    n_samples, n_features : int
    is_sparse : bool
        Whether rows stay sparse.
    is_squared : bool
        Squared hinge, else hinge.
    strength : float
        Mean of C times mean squared length of the rows: how little the penalty holds. It
        counts for the hinge alone.
    """

    n_samples: int
    n_features: int
    is_sparse: bool
    is_squared: bool
    strength: float = 1.0


def choose_linear_solvers(shape):
    """Solvers in the order in which they are tried, with their steps at most (None: no limit).

    The next one is tried where a solver ends without a certificate.
    """
    n, d = shape.n_samples, shape.n_features
    solvers = []
    if shape.is_sparse:
        limit = _FIRST_SWEEPS if shape.is_squared else None
        solvers.append((LinearSolver.COORDINATE_DESCENT, limit))
        if shape.is_squared:
            solvers.append((LinearSolver.CONJUGATE_GRADIENTS, None))
        return solvers
    few = _FEW_FOR_NEWTON if shape.is_squared else _FEW_FEATURES
    is_factored_first = (
        d <= few
        and d <= max(n, _FEW_FEATURES)
        and (shape.is_squared or n < _MANY_SAMPLES or shape.strength > 1.0)
    )
    can_factor = d <= _MANY_FEATURES and d <= max(n, _FEW_FEATURES)
    can_rotate = min(n, d) <= _MOST_ROTATED
    if is_factored_first:
        solvers.append((LinearSolver.FACTORED, _FIRST_STEPS if can_rotate else None))
    else:
        others = can_factor or can_rotate or shape.is_squared
        solvers.append((LinearSolver.COORDINATE_DESCENT, _FIRST_SWEEPS if others else None))
        if shape.is_squared:
            solvers.append((LinearSolver.CONJUGATE_GRADIENTS, None))
        elif can_factor:
            solvers.append((LinearSolver.FACTORED, _FIRST_STEPS if can_rotate else None))
    if can_rotate:
        solvers.append((LinearSolver.ROTATED, None))
    return solvers


# Samples up to which the kernel matrix is computed whole, in double precision, if the cache
# holds it: steps then need no products, and the solution is exact. A matrix of 1,536 samples
# takes 19 MB and 20 ms. A matrix that is given is there already.
_WHOLE_MATRIX, _WHOLE_IF_GIVEN = 1536, 4000


class KernelSolver(Enum):
    """Solvers of machines with kernels."""

    WHOLE_MATRIX = "sequential minimal optimization over the whole kernel matrix"
    BLOCKS = "sequential minimal optimization by blocks of rows that are computed as needed"


def choose_kernel_solver(n_samples, is_given, cache_bytes):
    """Solver of a machine between two classes.

    Parameters
    ----------
    n_samples : int
    is_given : bool
        Whether the kernel matrix exists.
    cache_bytes : float
    """
    if is_given and n_samples <= _WHOLE_IF_GIVEN:
        return KernelSolver.WHOLE_MATRIX
    if n_samples <= _WHOLE_MATRIX and 8.0 * n_samples**2 <= cache_bytes:
        return KernelSolver.WHOLE_MATRIX
    return KernelSolver.BLOCKS
