"""Which algorithm solves a logistic regression: pure functions of the shape of the problem.

Each threshold names what it was measured on; shapes are samples x features. All of them
choose between ways to the same answer: none of them changes what is certified.
"""

from dataclasses import dataclass
from enum import Enum

# Coefficients times samples, and features, of a problem that takes less time than it takes
# to limit the threads of BLAS twice (0.05 ms; iris, 150 x 4).
_TINY_PRODUCTS, _TINY_FEATURES = 5000, 200
# Multiplications for a Hessian, and coefficients, up to which a whole fit runs in one
# compiled kernel: there calls of BLAS and NumPy cost more than the arithmetic (iris 2.7
# times as fast with an L2 penalty and 4.4 times with L1, breast cancer 1.4 to 1.6).
_KERNEL_WORK = 6e5
_KERNEL_COEFFICIENTS = 120
# Entries of the centered copy that dense products are made from.
_COPIED_ENTRIES = 1 << 19
# Coefficients from which passes over the data beat the forming of Hessians (50,000 x 10 and
# 5,000 x 20: 1.2 to 1.3 times as fast; 1,000 x 100 and 20,000 x 100: 1.8 to 2.5 times).
_FIRST_ORDER_COEFFICIENTS = 8
# Passes that the arithmetic of a Hessian may take for each of its rows and columns, per
# coefficient, and Newton steps that a fit takes.
_PASSES_PER_COEFFICIENT = 1.0 / 64.0
_PASSES_PER_STEP = 3.0
_NEWTON_STEPS = 5
_MOST_FIRST_ORDER_STEPS = 80
# Coefficients up to which the whole Hessian is factored; for more than two classes only
# where that is less work than the overhead of a factor for each class.
_WHOLE_COEFFICIENTS = 2000
_WHOLE_WORK = 5e6
# Features up to which the Hessian of each class is factored.
_CLASS_FEATURES = 1500
# Coordinates up to which a Hessian is formed in any case, and unpenalized directions up to
# which it may be.
_FEW_COORDINATES = 50
_MOST_NUISANCE = 64


class Start(Enum):
    """What takes the first steps of a fit with an L2 penalty, or all of them."""

    NONE = "newton-cg"
    SMALL_NEWTON = "small-newton"
    LBFGS = "lbfgs"


class Preconditioner(Enum):
    """What conjugate gradients for Newton's equations are preconditioned by."""

    WHOLE = "whole Hessian"
    CLASSES = "Hessian of each class"
    DIAGONAL = "diagonal"


@dataclass(frozen=True)
class Shape:
    """What the choice depends on.

    Attributes
    ----------
    n_samples, n_features : int
        Of positive weight; penalized.
    n_rows : int
        Rows of coefficients: one for two classes, else one per class.
    n_free : int
        Unpenalized features.
    fit_intercept, is_sparse : bool
    """

    n_samples: int
    n_features: int
    n_rows: int = 1
    n_free: int = 0
    fit_intercept: bool = True
    is_sparse: bool = False

    @property
    def n_coefficients(self):
        """All that is fitted."""
        return self.n_rows * (self.n_features + self.n_free + self.fit_intercept)


def limits_blas_threads(n_samples, n_features, n_rows):
    """Whether BLAS is kept to one thread for the fit."""
    return n_samples * n_rows > _TINY_PRODUCTS or n_features > _TINY_FEATURES


def takes_short_last_step(shape):
    """Whether another step costs next to nothing: the last one then has to be a short one."""
    return shape.n_samples * shape.n_coefficients**2 <= _KERNEL_WORK


def uses_small_kernel(shape):
    """Whether Newton steps run in one compiled kernel, up to the one that certifies."""
    return (
        not shape.is_sparse
        and shape.n_coefficients <= _KERNEL_COEFFICIENTS
        and takes_short_last_step(shape)
        and shape.n_samples * shape.n_features <= _COPIED_ENTRIES
    )


def choose_start(shape):
    """What takes the first steps where there is an L2 penalty alone."""
    if uses_small_kernel(shape):
        return Start.SMALL_NEWTON
    # A pass over sparse data costs as much as the several that it is made of.
    if shape.is_sparse or shape.n_free or shape.n_coefficients < _FIRST_ORDER_COEFFICIENTS:
        return Start.NONE
    return Start.LBFGS


def count_first_order_steps(shape, max_iter):
    """Passes over the data that are worth taking before Newton's method goes on."""
    newton = _NEWTON_STEPS * (_PASSES_PER_COEFFICIENT * shape.n_coefficients + _PASSES_PER_STEP)
    return int(min(newton, _MOST_FIRST_ORDER_STEPS, 0.8 * max_iter))


def choose_preconditioner(n_samples, n_features, n_rows, n_coefficients):
    """What preconditions conjugate gradients for Newton's equations."""
    is_cheap = n_rows == 1 or n_samples * n_coefficients**2 <= _WHOLE_WORK
    if n_coefficients <= _WHOLE_COEFFICIENTS and is_cheap:
        return Preconditioner.WHOLE
    if n_features <= _CLASS_FEATURES:
        return Preconditioner.CLASSES
    return Preconditioner.DIAGONAL


def forms_hessian(n_coordinates, n_nuisance, forming, a_sweep, n_sweeps):
    """Whether forming the Hessian of a working set costs less than sweeps that do without.

    Parameters
    ----------
    n_coordinates, n_nuisance : int
    forming, a_sweep : float
        Costs in nanoseconds of one core, roughly.
    n_sweeps : float
        That the model takes.
    """
    m = n_coordinates
    if m <= _FEW_COORDINATES or n_nuisance > _MOST_NUISANCE:
        return True
    work_inside = 0.04 * m**3 + 40.0 * m * m
    return forming + work_inside <= n_sweeps * a_sweep
