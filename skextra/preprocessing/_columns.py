"""A user's table -> float64 columns: numbers as they are, dates as time since an origin."""

import datetime
from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from skextra.preprocessing._calendar import UNITS

_DATES = (datetime.date, datetime.timedelta, np.datetime64, np.timedelta64)


def find_columns(columns, n_features, feature_names, name):
    """Positions of the columns that a user names.

    Parameters
    ----------
    columns : None, int, str, or sequence of int or str
        None is every column; negative integers count from the end.
    n_features : int
    feature_names : ndarray of str or None
    name : str
        The parameter, for messages.

    Returns
    -------
    indices : list of int

    Raises
    ------
    ValueError, TypeError
        For columns that are not there, or twice there, or none.
    """
    if columns is None:
        return list(range(n_features))
    if isinstance(columns, str | Integral):
        columns = [columns]
    indices = [_find_column(c, n_features, feature_names, name) for c in _as_list(columns, name)]
    if not indices:
        raise ValueError(f"{name} must name at least one column, got none")
    if len(set(indices)) < len(indices):
        raise ValueError(f"{name} must name each column once, got {columns!r}")
    return indices


def _as_list(columns, name):
    try:
        return list(columns)
    except TypeError:
        raise TypeError(f"{name} must hold names or indices of columns, got {columns!r}") from None


def _find_column(column, n_features, feature_names, name):
    if isinstance(column, str):
        if feature_names is None:
            raise ValueError(f"{name}={column!r} is a name, but X has no feature names")
        found = np.flatnonzero(np.asarray(feature_names) == column)
        if not len(found):
            raise ValueError(f"{name}={column!r} is not among the features of X")
        return int(found[0])
    if isinstance(column, bool | np.bool_) or not isinstance(column, Integral):
        raise TypeError(f"{name} must hold names or indices of columns, got {column!r}")
    if not -n_features <= column < n_features:
        raise ValueError(f"{name}={column} is out of range: X has {n_features} features")
    return int(column) % n_features


class Dates:
    """A column of dates or durations as integers.

    Attributes
    ----------
    values : ndarray of int64
        Since 1970, or of duration.
    missing : ndarray of bool
    resolution : int
        Nanoseconds a unit of `values`.
    kind : {'datetime', 'duration'}
    """

    def __init__(self, array):
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


class Table:
    """A checked table: numbers and dates by column.

    Attributes
    ----------
    numbers : ndarray of shape (n_samples, n_features)
        float64, or float32 if the input was; columns of dates are not filled.
    dates : dict of int to Dates
    kinds : list of str
        'number', 'datetime' or 'duration', one a column.
    """

    def __init__(self, numbers, dates):
        self.numbers = numbers
        self.dates = dates
        self.kinds = [dates[j].kind if j in dates else "number" for j in range(numbers.shape[1])]


def read_table(estimator, X, *, reset, allow_nan, allow_infinite=False):
    """Check a table whose columns may hold dates.

    Parameters
    ----------
    estimator : estimator instance
        Receives ``n_features_in_`` and ``feature_names_in_`` if `reset`, and holds
        the kinds of its columns to compare with in ``_kinds`` if not.
    X : array-like or frame of shape (n_samples, n_features)
    reset : bool
    allow_nan : bool
        Whether NaN and NaT may stand for missing values.
    allow_infinite : bool
        Whether to leave the numbers unlooked at.

    Returns
    -------
    table : Table

    Raises
    ------
    ValueError, TypeError
        For text, infinite values, sparse data, or columns of another kind than in fit.
    """
    finite = "allow-nan" if allow_nan else not allow_infinite
    columns = _extract_dates(X)
    if not columns:
        numbers = validate_data(
            estimator,
            X,
            reset=reset,
            dtype=[np.float64, np.float32],
            order="C",
            ensure_all_finite=finite,
        )
        table = Table(numbers, {})
    else:
        if _get_columns(X) is None:
            X = np.asarray(X, dtype=None if hasattr(X, "dtype") else object)
        validate_data(estimator, X, reset=reset, skip_check_array=True)
        table = Table(*_convert_columns(estimator, X, columns, finite))
    if not reset and table.kinds != estimator._kinds:
        raise ValueError(_describe_kinds(estimator, table.kinds))
    return table


def _describe_kinds(estimator, kinds):
    j = next(j for j, kind in enumerate(kinds) if kind != estimator._kinds[j])
    return (
        f"X holds a {kinds[j]} in feature {j}, where {type(estimator).__name__} was fitted "
        f"on a {estimator._kinds[j]}"
    )


def _convert_columns(estimator, X, columns, finite):
    """Numbers beside columns of dates, checked as scikit-learn would."""
    n_samples, n_features = len(X), estimator.n_features_in_
    numbers, dates = np.zeros((n_samples, n_features)), {}
    for j in range(n_features):
        column = _get_columns(X)[j] if _get_columns(X) is not None else X[:, j]
        if j in columns:
            dates[j] = Dates(columns[j])
            if finite is True and dates[j].missing.any():
                hint = ", or let handle_missing say what to do"
                hint = hint if hasattr(estimator, "handle_missing") else ""
                raise ValueError(f"Input X contains NaT in feature {j}: impute it{hint}")
        else:
            try:
                numbers[:, j] = np.asarray(column, dtype=np.float64)
            except (TypeError, ValueError) as error:
                raise ValueError(f"X must hold numbers and dates, feature {j}: {error}") from error
    numbers = check_array(numbers, ensure_all_finite=finite, estimator=estimator, input_name="X")
    return numbers, dates


def _get_columns(X):
    """The columns of a pandas or polars frame, or None."""
    if hasattr(X, "iloc"):
        return [X.iloc[:, j] for j in range(X.shape[1])] if X.ndim == 2 else None
    if hasattr(X, "get_columns"):
        return X.get_columns()
    return None


def _extract_dates(X):
    """Columns of dates as datetime64 or timedelta64 arrays, by index; mostly none."""
    columns = _get_columns(X)
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
    found = {j: _as_dates(column) for j, column in enumerate(columns)}
    return {j: dates for j, dates in found.items() if dates is not None}


def _as_dates(column):
    """A column as datetime64 or timedelta64, or None if it holds something else."""
    if hasattr(column, "dtype") and type(column).__module__.startswith("polars"):
        return _convert_polars(column)
    dtype = getattr(column, "dtype", None)
    if getattr(dtype, "kind", "") in ("m", "M"):
        if getattr(dtype, "tz", None) is not None or "tz=" in str(dtype):
            # The wall clock is what a daily or weekly cycle follows.
            column = column.dt.tz_localize(None)
        array = np.asarray(column)
        if array.dtype.kind not in "mM":  # pandas' columns that live in Arrow
            array = array.astype(f"{dtype.kind}8[ns]")
        return array
    if getattr(dtype, "kind", "") == "O":
        return _convert_objects(np.asarray(column, dtype=object))
    return None


def _convert_polars(series):
    if not series.dtype.is_temporal():
        return None
    if getattr(series.dtype, "time_zone", None) is not None:
        series = series.dt.replace_time_zone(None)
    if str(series.dtype) == "Time":
        return series.cast(int).to_numpy().astype("m8[ns]")
    return series.to_numpy()


def _convert_objects(values):
    present = [v for v in values if v is not None and v == v]
    if not present or not isinstance(present[0], _DATES):
        return None
    is_duration = isinstance(present[0], datetime.timedelta | np.timedelta64)
    kinds = (datetime.timedelta, np.timedelta64) if is_duration else _DATES[::2]
    if not all(isinstance(v, kinds) for v in present):
        raise ValueError("X must not mix dates with other values in one column")
    plain = [
        (v.replace(tzinfo=None) if getattr(v, "tzinfo", None) is not None else v)
        if v is not None and v == v
        else "NaT"
        for v in values
    ]
    return np.array(plain, dtype="m8[us]" if is_duration else "M8[us]")


def resolve_origins(origin, table, indices, unit):
    """Where each column's positions are counted from.

    Parameters
    ----------
    origin : None, 'min', number, date, or sequence of them
    table : Table
    indices : list of int
        The columns of positions.
    unit : str

    Returns
    -------
    origins : list of float or int
        Floats for numbers and durations, nanoseconds since 1970 for dates.

    Raises
    ------
    ValueError, TypeError
        For an origin that does not suit its column, or a wrong number of them.
    """
    several = isinstance(origin, list | tuple) or (
        isinstance(origin, np.ndarray) and origin.ndim == 1
    )
    values = list(origin) if several else [origin] * len(indices)
    if len(values) != len(indices):
        raise ValueError(
            f"origin must be one value, or one for each of the {len(indices)} columns of "
            f"positions, got {len(values)}"
        )
    return [_resolve_origin(value, table, j, unit) for value, j in zip(values, indices)]


def _resolve_origin(value, table, j, unit):
    dates, kind = table.dates.get(j), table.kinds[j]
    if value is None:
        return 0 if kind == "datetime" else 0.0
    if isinstance(value, str) and value == "min":
        if kind == "datetime":
            return dates.find_first()
        column = table.numbers[:, j] if dates is None else dates.count(unit)
        present = column[~np.isnan(column)].astype(np.float64)
        return float(present.min()) if len(present) else 0.0
    if kind == "datetime":
        return _parse_date(value)
    if isinstance(value, bool) or not isinstance(value, Real) or not np.isfinite(value):
        raise TypeError(
            f"origin must be None, 'min' or a finite number for feature {j}, which holds "
            f"a {kind}, got {value!r}"
        )
    return float(value)


def _parse_date(value):
    """Nanoseconds since 1970."""
    if getattr(value, "tzinfo", None) is not None:
        value = value.replace(tzinfo=None)
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


def count_positions(table, j, origin, unit):
    """Positions of one column since its origin, as contiguous float64."""
    if j in table.dates:
        dates = table.dates[j]
        if dates.kind == "datetime":
            return dates.count(unit, origin)
        return dates.count(unit) - origin
    column = np.ascontiguousarray(table.numbers[:, j], dtype=np.float64)
    # Kernels are compiled anew for read-only arrays, such as memory maps.
    return column - origin if origin or not column.flags.writeable else column


def restore_dates(positions, kind, origin, unit):
    """Positions of dates and durations as NumPy's own, to the microsecond."""
    if kind == "number":
        return positions
    whole, rest = divmod(origin, 1000) if kind == "datetime" else (0, 0)
    elapsed = positions * (UNITS[unit] / 1000) + rest / 1000
    missing = np.isnan(elapsed)
    counts = np.round(np.where(missing, 0.0, elapsed)).astype(np.int64) + whole
    restored = counts.astype("M8[us]" if kind == "datetime" else "m8[us]")
    restored[missing] = "NaT"
    return restored


def resolve_dtype(dtype, given):
    """Type of the output for input of type `given`.

    Raises
    ------
    ValueError
        If `dtype` is neither None nor float32 or float64.
    """
    if dtype is None:
        return given
    try:
        resolved = np.dtype(dtype)
    except TypeError:
        resolved = np.dtype(object)  # NumPy takes None for float64
    if resolved not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise ValueError(f"dtype must be None, float32 or float64, got {dtype!r}")
    return resolved
