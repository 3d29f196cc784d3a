"""Units of time and named periods."""

from numbers import Real

import numpy as np

#: Unit -> nanoseconds.
UNITS = {
    "ns": 1,
    "us": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
    "D": 86400 * 10**9,
}
# The Gregorian calendar repeats after 400 years of 365.2425 days.
_YEAR = 31_556_952 * 10**9
#: Name -> nanoseconds.
PERIODS = {
    "second": UNITS["s"],
    "minute": UNITS["m"],
    "hour": UNITS["h"],
    "day": UNITS["D"],
    "week": 7 * UNITS["D"],
    "month": _YEAR // 12,
    "quarter": _YEAR // 4,
    "year": _YEAR,
}


def resolve_periods(periods, unit):
    """Periods as numbers of `unit`, and labels for them.

    Parameters
    ----------
    periods : str, float, or sequence of them
    unit : str
        Key of `UNITS`.

    Returns
    -------
    lengths : list of float
    labels : list of str

    Raises
    ------
    ValueError, TypeError
        For an unknown name, a number that is not positive and finite, anything
        else, or no period at all.
    """
    if isinstance(periods, str | Real):
        periods = [periods]
    try:
        periods = list(periods)
    except TypeError:
        raise TypeError(f"periods must be a list of names and numbers, got {periods!r}") from None
    if not periods:
        raise ValueError("periods must name at least one period, got none")
    lengths, labels = [], []
    for period in periods:
        if isinstance(period, str):
            if period not in PERIODS:
                raise ValueError(
                    f"periods must be positive numbers or among {', '.join(PERIODS)}, "
                    f"got {period!r}"
                )
            lengths.append(PERIODS[period] / UNITS[unit])
            labels.append(str(period))
        elif isinstance(period, Real) and not isinstance(period, bool | np.bool_):
            # Beyond these neither the period nor its inverse is a plain float.
            if not 1e-300 < period < 1e300:
                raise ValueError(f"periods must be positive and finite, got {period!r}")
            lengths.append(float(period))
            labels.append(f"{float(period):.15g}")
        else:
            raise TypeError(f"periods must be names or numbers, got {period!r}")
    return lengths, labels
