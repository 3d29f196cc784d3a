"""Conditions on columns, as users write them, to evidence."""

from numbers import Real

import numpy as np

from skextra import _core
from skextra.generative._columns import find_column


def make_evidence(conditions, table, scaling, leaves):
    """Evidence that the conditions of `DensityForest.sample` stand for.

    Parameters
    ----------
    conditions : dict or None
        From names or numbers of columns to a value, a pair of bounds, or a list of categories.
    table : Table
    scaling : Scaling
    leaves : Leaves

    Returns
    -------
    evidence : Evidence
    known : dict
        Numbers of columns to values, in the units of the data, that are given exactly.

    Raises
    ------
    TypeError
        If `conditions` is not a dictionary.
    ValueError
        For a column or a category that is not there, or bounds that are not ordered numbers.
    """
    evidence, known = _core.generative.evidence.make_evidence(leaves), {}
    if conditions is None:
        return evidence, known
    if not isinstance(conditions, dict):
        raise TypeError(
            "conditions must be a dictionary from columns to values, got an instance of "
            f"{type(conditions).__name__}"
        )
    labels = [column.label for column in table.columns]
    for key, wanted in conditions.items():
        j = find_column(key, labels, "conditions")
        column = table.columns[j]
        if column.categories is not None:
            codes = column.encode(list(wanted) if isinstance(wanted, list | set) else [wanted])
            if np.isnan(codes).any() or len(codes) == 0:
                raise ValueError(f"conditions[{key!r}] must be categories, got {wanted!r}")
            start, stop = leaves.offsets[j : j + 2]
            evidence.allowed[start:stop] = False
            evidence.allowed[start + codes.astype(np.int64)] = True
        elif isinstance(wanted, tuple):
            low, high = _check_bounds(key, wanted)
            evidence.low[j], evidence.high[j] = _scale(scaling, j, np.array([low, high]))
        else:
            if not isinstance(wanted, Real) or not np.isfinite(wanted):
                raise ValueError(
                    f"conditions[{key!r}] must be a number or a pair (low, high), got {wanted!r}"
                )
            known[j] = float(wanted)
            evidence.values[j] = _scale(scaling, j, np.array([known[j]]))[0]
    return evidence, known


def _check_bounds(key, wanted):
    is_pair = len(wanted) == 2 and all(isinstance(bound, Real) for bound in wanted)
    if not is_pair or not wanted[0] < wanted[1]:
        raise ValueError(
            f"conditions[{key!r}] must be a pair of numbers (low, high) with low < high, "
            f"got {wanted!r}"
        )
    return wanted


def _scale(scaling, j, values):
    scaled = np.ldexp(values, -scaling.exponents[j])
    return (scaled - scaling.means[j]) / scaling.scales[j]
