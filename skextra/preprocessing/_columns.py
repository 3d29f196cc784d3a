"""A user's table -> float64 columns: numbers as they are, dates as time since an origin."""

from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from skextra.preprocessing._calendar import UNITS
from skextra.preprocessing._dates import extract_dates, get_columns, parse_date


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


@dataclass(frozen=True)
class Schema:
    """What the columns of a table hold; that of later tables must be the same.

    Attributes
    ----------
    kinds : tuple of str
        'number', 'datetime' or 'duration' for each column.
    zones : tuple of (str, tzinfo or None)
        Time zone of each column, None where it has none.
    """

    kinds: tuple
    zones: tuple


class Table:
    """A checked table: numbers and dates by column.

    Attributes
    ----------
    numbers : ndarray of shape (n_samples, n_features)
        float64, or float32 if the input was; columns of dates are not filled.
    dates : dict of int to Dates
    schema : Schema
    """

    def __init__(self, numbers, dates):
        self.numbers, self.dates = numbers, dates
        columns = [dates.get(j) for j in range(numbers.shape[1])]
        self.schema = Schema(
            tuple("number" if column is None else column.kind for column in columns),
            tuple(None if column is None else column.zone for column in columns),
        )


def read_table(estimator, X, schema=None, *, allow_nan, allow_infinite=False):
    """Check a table whose columns may hold dates.

    Parameters
    ----------
    estimator : estimator instance
        Receives ``n_features_in_`` and ``feature_names_in_`` if `schema` is None.
    X : array-like or frame of shape (n_samples, n_features)
    schema : Schema or None
        Of the table seen in fit; None in fit. Dates are converted to its time zones, so that
        the same instants become the same positions.
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
    reset = schema is None
    finite = "allow-nan" if allow_nan else not allow_infinite
    columns = extract_dates(X, {} if reset else dict(enumerate(schema.zones)))
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
        if get_columns(X) is None:
            X = np.asarray(X, dtype=None if hasattr(X, "dtype") else object)
        validate_data(estimator, X, reset=reset, skip_check_array=True)
        table = Table(*_convert_columns(estimator, X, columns, finite))
    if not reset:
        _check_schema(table.schema, schema, type(estimator).__name__)
    return table


def _check_schema(schema, expected, name):
    for j, (kind, wanted) in enumerate(zip(schema.kinds, expected.kinds)):
        if kind != wanted:
            raise ValueError(
                f"X holds a {kind} in feature {j}, where {name} was fitted on a {wanted}"
            )
        zone, wanted = schema.zones[j], expected.zones[j]
        if (zone is None) != (wanted is None):
            found = f"the time zone {zone}" if wanted is None else "no time zone"
            seen = "dates without one" if wanted is None else f"{wanted}"
            raise ValueError(
                f"X holds dates with {found} in feature {j}, where {name} was fitted on {seen}: "
                "localize or convert them"
            )


def _convert_columns(estimator, X, columns, finite):
    """Numbers beside columns of dates, checked as scikit-learn would."""
    n_samples, n_features = len(X), estimator.n_features_in_
    numbers, dates = np.zeros((n_samples, n_features)), {}
    for j in range(n_features):
        column = X[:, j] if get_columns(X) is None else get_columns(X)[j]
        if j in columns:
            dates[j] = columns[j]
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
    dates, kind = table.dates.get(j), table.schema.kinds[j]
    if value is None:
        return 0 if kind == "datetime" else 0.0
    if isinstance(value, str) and value == "min":
        if kind == "datetime":
            return dates.find_first()
        column = table.numbers[:, j] if dates is None else dates.count(unit)
        present = column[~np.isnan(column)].astype(np.float64)
        return float(present.min()) if len(present) else 0.0
    if kind == "datetime":
        return parse_date(value, dates.zone, j)
    if isinstance(value, bool) or not isinstance(value, Real) or not np.isfinite(value):
        raise TypeError(
            f"origin must be None, 'min' or a finite number for feature {j}, which holds "
            f"a {kind}, got {value!r}"
        )
    return float(value)


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


def convert_origins(origins, indices, schema, unit):
    """Origins as the public attribute has them: in `unit`, those of dates since 1970."""
    return np.array(
        [
            origin / UNITS[unit] if schema.kinds[j] == "datetime" else origin
            for j, origin in zip(indices, origins)
        ]
    )


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
