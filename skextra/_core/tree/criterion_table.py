"""The criteria that splits are chosen by: what the package must know of each.

A new criterion is a row of `CRITERIA` here, and its formulas in `criteria.py`. Nothing else names a
criterion, but for the searches that know one in particular. This module imports no numba, so that
estimators can take their parameters' allowed values from it.
"""

from dataclasses import dataclass

# Searches: for two classes and whole weights; by sums of targets; for any classes; for anything.
BINARY, SUMS, CLASSES, GENERAL = range(4)

GINI, ENTROPY, SQUARED_ERROR, ABSOLUTE_ERROR, POISSON, GAMMA = range(6)


@dataclass(frozen=True)
class Criterion:
    """What the package must know of a criterion.

    Attributes
    ----------
    number : int
        By which kernels, and pickles, know it.
    is_classification : bool
    searches : tuple of int
        Searches that find its best splits, besides the general one.
    degree : int
        The impurity of c y is c ** degree times that of y.
    targets : {"any", "nonnegative", "positive"}
        What targets may be; "nonnegative" with a positive sum.
    """

    number: int
    is_classification: bool
    searches: tuple = ()
    degree: int = 0
    targets: str = "any"


CRITERIA = {
    "gini": Criterion(GINI, True, (BINARY, SUMS, CLASSES)),
    "entropy": Criterion(ENTROPY, True, (BINARY, CLASSES)),
    "log_loss": Criterion(ENTROPY, True, (BINARY, CLASSES)),
    "squared_error": Criterion(SQUARED_ERROR, False, (SUMS,), degree=2),
    "absolute_error": Criterion(ABSOLUTE_ERROR, False, degree=1),
    "poisson": Criterion(POISSON, False, degree=1, targets="nonnegative"),
    "gamma": Criterion(GAMMA, False, targets="positive"),
}
# Numbers of the criteria that count classes; those of the others sum targets.
CLASSIFICATION = tuple(sorted({c.number for c in CRITERIA.values() if c.is_classification}))


def list_names(is_classification):
    """Names of the criteria of classification, or of regression."""
    return {name for name, c in CRITERIA.items() if c.is_classification == is_classification}
