"""Angular frequencies of position encodings, to more digits than a float holds.

A frequency that is rounded to float64 before it meets a position of 1e9 is wrong
by 1e-7 radians there. Frequencies are therefore computed to 50 digits and handed to
the kernels as two floats, value and residue, in turns per unit of position.
"""

from decimal import Decimal, localcontext
from functools import lru_cache, wraps

import numpy as np

DIGITS = 60
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640629")


def _exact(function):
    # Fits and calls ask for the same few again and again, a millisecond each.
    @lru_cache(maxsize=256)
    def call(*args):
        with localcontext(prec=DIGITS):
            return tuple(function(*args))

    return wraps(function)(call)


@_exact
def compute_geometric(base, n_frequencies, denominator):
    """``base ** (-i / denominator)`` for ``i = 0, ..., n_frequencies - 1``.

    Parameters
    ----------
    base : float or Decimal
        Positive.
    n_frequencies : int
    denominator : float
        Half the width of the encoding in the original paper, one less than the
        number of frequencies in tensor2tensor.

    Returns
    -------
    angular : tuple of Decimal
        Radians per unit of position.
    """
    ratio = (-Decimal(base).ln() / Decimal(denominator)).exp()
    power = Decimal(1)
    for _ in range(n_frequencies):
        yield power
        power *= ratio


@_exact
def convert_periods(periods, n_harmonics):
    """``2 pi h / period`` for each of a tuple of periods and each ``h = 1, ..., n_harmonics``."""
    for period in periods:
        for h in range(1, n_harmonics + 1):
            yield 2 * PI * h / Decimal(period)


def convert_floats(angular):
    """Frequencies given as floats, taken as exact."""
    return tuple(Decimal(float(w)) for w in angular)


@_exact
def _split(angular):
    for w in angular:
        turns = w / (2 * PI)
        value = float(turns)
        yield value, float(turns - Decimal(value))


def split_turns(angular):
    """Frequencies in turns per unit, as floats and what the floats leave out.

    Parameters
    ----------
    angular : tuple of Decimal
        Radians per unit of position.

    Returns
    -------
    turns : ndarray of shape (n_frequencies,)
    residues : ndarray of shape (n_frequencies,)
        Together with `turns` good to 32 digits.
    """
    turns, residues = np.array(_split(angular)).reshape(-1, 2).T
    return np.ascontiguousarray(turns), np.ascontiguousarray(residues)


def round_to_floats(angular):
    """Frequencies in radians per unit as the nearest floats."""
    return np.array([float(w) for w in angular])
