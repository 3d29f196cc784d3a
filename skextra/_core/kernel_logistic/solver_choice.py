"""How kernel logistic regression is solved, by its shape.

Pure functions of a few numbers; the figures are of `python -m benchmarks kernel`.
"""

from enum import Enum

# Samples up to which "auto" solves on all of them, if the kernel matrix fits: 1.6 GB.
_MANY_SAMPLES = 20_000
# Centers of an approximation relative to the root of the number of samples, whose order loses
# no accuracy (Rudi, Camoriano & Rosasco, NeurIPS 2015).
_CENTERS_FACTOR = 10
# Two classes: samples up to which the whole system is factored. Conjugate gradients take fewer
# operations from there on.
_FEW_SAMPLES = 400
# Rank of the coarse space relative to the root of the number of samples per row of
# coefficients: forming its matrix then costs about as much as a few products.
_RANK_FACTOR = 2.5
# Largest product of the rank and the number of rows to start with, and the product up to which
# the space costs next to nothing.
_LARGEST_INNER, _SMALL_INNER = 1000, 60


class Equations(Enum):
    """How Newton's equations are solved."""

    FACTORED = "a Cholesky factor of the whole system"
    CONJUGATE_GRADIENTS = "conjugate gradients, deflated by a coarse space"


def choose_approximation(approximation, n_samples, budget):
    """'nystroem' or None: "auto" goes by the samples and by the memory for their matrix."""
    if approximation != "auto":
        return approximation
    fits = n_samples <= _MANY_SAMPLES and 4.0 * n_samples**2 <= budget
    return None if fits else "nystroem"


def choose_n_components(n_components, n_samples):
    """Centers to look for: where none are asked for, more for more samples."""
    wanted = int(_CENTERS_FACTOR * n_samples**0.5) if n_components is None else n_components
    return min(n_samples, max(wanted, 1))


def choose_equations(n_samples, n_rows):
    """How to solve for a step of `n_rows` rows of coefficients."""
    is_small = n_rows == 1 and n_samples <= _FEW_SAMPLES
    return Equations.FACTORED if is_small else Equations.CONJUGATE_GRADIENTS


def choose_rank(n_samples, n_rows, growth=1):
    """Rank of the coarse space, `growth` times the one to start with."""
    rank = int(_RANK_FACTOR * (n_samples / n_rows) ** 0.5)
    rank = min(rank, max(_LARGEST_INNER // n_rows, 20))
    return min(n_samples, max(growth * rank, _SMALL_INNER // n_rows))
