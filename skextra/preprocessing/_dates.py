"""Columns of dates and durations, of NumPy, pandas, polars and Python, as integers."""

import datetime
from zoneinfo import ZoneInfo

import numpy as np

from skextra.preprocessing._calendar import UNITS

_DATES = (datetime.date, datetime.timedelta, np.datetime64, np.timedelta64)


class Dates:
    """A column of dates or durations as integers.

    Parameters
    ----------
    array : ndarray of datetime64 or timedelta64
    zone : str, tzinfo or None
        The time zone on whose wall clock the dates are; None where they have none.

    Attributes
    ----------
    values : ndarray of int64
        Since 1970, or of duration.
    missing : ndarray of bool
    resolution : int
        Nanoseconds per unit of `values`.
    kind : {'datetime', 'duration'}
    zone : str, tzinfo or None
    """

    def __init__(self, array, zone=None):
        if np.datetime_data(array.dtype)[0] in ("Y", "M", "W"):
            # Years and months have no fixed length, and weeks no key in UNITS.
            array = array.astype(f"{array.dtype.kind}8[D]")
        unit, count = np.datetime_data(array.dtype)
        if unit not in UNITS:
            array = array.astype(f"{array.dtype.kind}8[ns]")
            unit, count = "ns", 1
        self.missing = np.isnat(array)
        self.values = array.astype(np.int64)
        self.resolution = UNITS[unit] * count
        self.kind = "datetime" if array.dtype.kind == "M" else "duration"
        self.zone = zone

    def count(self, unit, origin=0):
        """Floats in `unit` since `origin`, NaN where missing.

        Parameters
        ----------
        unit : str
        origin : int
            Nanoseconds since 1970. Subtracted as an integer: nanoseconds since
            1970 are beyond what a float64 holds.

        Returns
        -------
        positions : ndarray of float64
        """
        whole, rest = divmod(origin, self.resolution)
        elapsed = self.values - whole
        length = UNITS[unit]
        if length % self.resolution == 0:
            positions = elapsed / (length // self.resolution)
        else:
            positions = elapsed * (self.resolution / length)
        if rest:
            positions -= rest / length
        positions[self.missing] = np.nan
        return positions

    def find_first(self):
        """The earliest date in nanoseconds since 1970, or 0 if there is none."""
        present = self.values[~self.missing]
        return int(present.min()) * self.resolution if len(present) else 0


def get_columns(X):
    """The columns of a pandas or polars frame, or None."""
    if hasattr(X, "iloc"):
        return [X.iloc[:, j] for j in range(X.shape[1])] if X.ndim == 2 else None
    if hasattr(X, "get_columns"):
        return X.get_columns()
    return None


def extract_dates(X, zones):
    """Columns of dates by index; mostly none.

    Dates with a time zone are read on the wall clock of that zone, which daily and weekly
    cycles follow.

    Parameters
    ----------
    X : array-like or frame
    zones : dict of int to (str, tzinfo or None)
        Time zones to convert dates of columns to that have one. Others keep their own.

    Returns
    -------
    dates : dict of int to Dates
    """
    columns = get_columns(X)
    if columns is None:
        array = X
        if isinstance(X, list | tuple):
            # The first row tells; what is no table is for scikit-learn to refuse.
            if not X or not isinstance(X[0], list | tuple):
                return {}
            if not any(isinstance(value, _DATES) for row in X[:1] for value in row):
                return {}
            array = np.array(X, dtype=object)
        if not isinstance(array, np.ndarray) or array.ndim != 2 or array.dtype.kind not in "mMO":
            return {}
        columns = list(array.T)
    found = {j: _read_column(column, zones.get(j), j) for j, column in enumerate(columns)}
    return {j: dates for j, dates in found.items() if dates is not None}


def _read_column(column, zone, j):
    """A column as `Dates`, or None if it holds something else."""
    if hasattr(column, "dtype") and type(column).__module__.startswith("polars"):
        return _read_polars(column, zone, j)
    dtype = getattr(column, "dtype", None)
    kind = getattr(dtype, "kind", "")
    if kind == "O":
        return _read_objects(np.asarray(column, dtype=object), zone, j)
    if kind not in ("m", "M"):
        return None
    own = None
    if getattr(dtype, "tz", None) is not None or "tz=" in str(dtype):
        own = column.dt.tz
        if zone is not None and not is_same_zone(zone, own):
            column, own = _convert(column.dt.tz_convert, zone, j), zone
        column = column.dt.tz_localize(None)
    array = np.asarray(column)
    if array.dtype.kind not in "mM":  # pandas' columns that live in Arrow
        array = array.astype(f"{kind}8[ns]")
    return Dates(array, _simplify_zone(own))


def _read_polars(series, zone, j):
    if not series.dtype.is_temporal():
        return None
    own = getattr(series.dtype, "time_zone", None)
    if own is not None:
        if zone is not None and not is_same_zone(zone, own):
            series, own = _convert(series.dt.convert_time_zone, str(zone), j), zone
        series = series.dt.replace_time_zone(None)
    if str(series.dtype) == "Time":
        return Dates(series.cast(int).to_numpy().astype("m8[ns]"))
    return Dates(series.to_numpy(), own)


def _read_objects(values, zone, j):
    present = [v for v in values if v is not None and v == v]
    if not present or not isinstance(present[0], _DATES):
        return None
    is_duration = isinstance(present[0], datetime.timedelta | np.timedelta64)
    kinds = (datetime.timedelta, np.timedelta64) if is_duration else _DATES[::2]
    if not all(isinstance(v, kinds) for v in present):
        raise ValueError("X must not mix dates with other values in one column")
    has_zone = [getattr(v, "tzinfo", None) is not None for v in present]
    own = None
    if any(has_zone):
        if not all(has_zone):
            raise ValueError(f"X must not mix dates with and without a time zone, in feature {j}")
        own = present[0].tzinfo if zone is None else zone
        info = _convert(ZoneInfo, own, j) if isinstance(own, str) else own
        values = [v.astimezone(info).replace(tzinfo=None) if v == v and v else v for v in values]
    plain = [v if v is not None and v == v else "NaT" for v in values]
    return Dates(np.array(plain, dtype="m8[us]" if is_duration else "M8[us]"), _simplify_zone(own))


def _convert(convert, zone, j):
    try:
        return convert(zone)
    except Exception as error:  # each library has its own, for zones that it does not know
        raise ValueError(
            f"X has dates in feature {j} that cannot be converted to {zone}, the time zone seen in "
            f"fit: {error}"
        ) from error


def _simplify_zone(zone):
    """The name of a time zone where it has one: the same in every library, and easily pickled."""
    name = getattr(zone, "key", None) or getattr(zone, "zone", None)
    if zone in (datetime.UTC, "UTC") or str(zone) == "UTC":
        return "UTC"
    return name if isinstance(name, str) else zone


def is_same_zone(first, second):
    """Whether two time zones are one, by whatever library."""
    return str(_simplify_zone(first)) == str(_simplify_zone(second))


def parse_date(value, zone, j):
    """Nanoseconds since 1970 of a date that a user gives, on the wall clock of a time zone.

    Parameters
    ----------
    value : date, datetime64 or str
        With a time zone of its own, or on the wall clock of `zone`.
    zone : str, tzinfo or None
        Of the column `j` that it belongs to.
    j : int

    Raises
    ------
    ValueError, TypeError
        For what is no date, or has a time zone where the column has none.
    """
    if getattr(value, "tzinfo", None) is not None:
        if zone is None:
            raise ValueError(
                f"origin has a time zone, got {value!r}, and the dates of X's feature {j} have none"
            )
        info = ZoneInfo(zone) if isinstance(zone, str) else zone
        value = value.astimezone(info).replace(tzinfo=None)
    # NumPy knows "now" and "today", which would be others at every fit.
    if isinstance(value, datetime.date | np.datetime64) or (
        isinstance(value, str) and value[:1].isdigit()
    ):
        try:
            dates = Dates(np.array([np.datetime64(value)]))
        except ValueError as error:
            raise ValueError(f"origin must be a date, got {value!r}: {error}") from error
        if not dates.missing[0]:
            return dates.find_first()
    raise TypeError(f"origin must be None, 'min' or a date for a column of dates, got {value!r}")
