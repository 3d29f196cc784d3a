"""Columns of a frame -> floats: categories one-hot, dates as elapsed time and cycles."""

import warnings

import numpy as np

from skextra._compare._errors import InputError

MAX_CATEGORIES = 30
_FREE_TEXT_SHARE = 0.5
# What pandas calls them.
_NUMBER_KINDS = ("integer", "floating", "mixed-integer-float", "decimal", "boolean")
_DATE_KINDS = ("date", "datetime", "datetime64", "string", "categorical")
_LARGEST = 1e100  # sums of squares of anything larger leave float64's range


def encode_features(frame):
    """Encode every column of a pandas frame as numbers.

    Numbers and booleans stay as they are and keep missing values as NaN. A text
    column becomes one column per category (the `MAX_CATEGORIES` most frequent, then
    "other"; missing is a category). Dates become days since the first one and the
    sine and cosine of the season, the weekday and the hour. Constant or empty
    columns, and text that hardly repeats, are left out.

    Parameters
    ----------
    frame : pandas.DataFrame

    Returns
    -------
    X : ndarray of shape (n_samples, n_encoded)
    notes : list of str
        What was left out or changed, a line each.

    Raises
    ------
    InputError
        For infinite or astronomically large values, or if no column is left.
    """
    encoded, notes = [], []
    for position, name in enumerate(frame.columns):
        columns, note = _encode_column(frame.iloc[:, position], str(name))
        encoded += [c for c in columns if _varies(c)]
        if note is None and not any(_varies(c) for c in columns):
            note = f"column {str(name)!r} left out: constant or empty"
        if note is not None:
            notes.append(note)
    if not encoded:
        raise InputError("no usable feature column: all are constant, empty or free text")
    X = np.ascontiguousarray(np.column_stack(encoded))
    if np.isnan(X).any():
        notes.append(f"missing numbers ({np.isnan(X).mean():.1%}): median of each training fold")
    return X, notes


def _varies(column):
    present = column[~np.isnan(column)]
    return present.size > 0 and bool((present != present[0]).any())


def _encode_column(series, name):
    """Encoded columns, and a note if something was lost."""
    from pandas.api import types

    if types.is_datetime64_any_dtype(series):
        return _encode_dates(series), None
    if types.is_timedelta64_dtype(series):
        return [series.dt.total_seconds().to_numpy(np.float64)], None
    if types.is_complex_dtype(series):
        raise InputError(f"column {name!r} holds complex numbers")
    if types.is_bool_dtype(series) or types.is_numeric_dtype(series):
        return _as_floats(series, name)
    kind = types.infer_dtype(series, skipna=True)
    if kind in _NUMBER_KINDS:
        return _as_floats(series, name)
    if kind in _DATE_KINDS:
        dates = _parse_dates(series)
        if dates is not None:
            return _encode_dates(dates), None
    return _encode_categories(series, name)


def guess_kind(series):
    """How a column is encoded: "numbers", "dates", "categories" or "free text"."""
    from pandas.api import types

    if types.is_datetime64_any_dtype(series):
        return "dates"
    if types.is_numeric_dtype(series) or types.is_timedelta64_dtype(series):
        return "numbers"
    if types.infer_dtype(series, skipna=True) in _NUMBER_KINDS:
        return "numbers"
    if types.infer_dtype(series, skipna=True) in _DATE_KINDS and _parse_dates(series) is not None:
        return "dates"
    n_present, n_values = series.notna().sum(), series.astype(str).nunique()
    return "free text" if _is_free_text(n_values, n_present) else "categories"


def _is_free_text(n_values, n_present):
    return n_values > MAX_CATEGORIES and n_values > _FREE_TEXT_SHARE * n_present


def _as_floats(series, name):
    """Floats, and a note on infinite values, which count as missing."""
    values = series.astype("Float64" if series.dtype.kind == "b" else np.float64)
    values = values.to_numpy(dtype=np.float64, na_value=np.nan)
    infinite = np.isinf(values)
    note = None
    if infinite.any():
        values = np.where(infinite, np.nan, values)
        note = f"column {name!r}: {infinite.sum()} infinite values count as missing"
    if (np.abs(values) > _LARGEST).any():  # false for NaN
        raise InputError(
            f"column {name!r} has extremely large values (above {_LARGEST:g}): rescale it, or "
            "leave it out (--drop)"
        )
    return [values], note


def _parse_dates(series):
    """Dates where every value present is one, else None."""
    import pandas

    present = series.dropna()
    if present.empty:
        return None
    text = present.astype(str)
    if not text.str.match(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?$").all():
        return None
    iso = text.str.match(r"\d{4}-\d{2}-\d{2}").all()
    try:
        with warnings.catch_warnings():
            # pandas warns where the day comes first; it reads such dates rightly.
            warnings.simplefilter("ignore")
            dates = pandas.to_datetime(text, format="ISO8601" if iso else None, utc=True)
    except (ValueError, OverflowError):
        return None
    return dates.reindex(series.index) if series.index.is_unique else None


def _encode_dates(series):
    """Days since the first date; sine and cosine of season, weekday and hour."""
    elapsed = (series - series.min()).dt.total_seconds().to_numpy(np.float64) / 86400
    dates = series.dt
    hours = (dates.hour + dates.minute / 60).to_numpy(np.float64)
    columns = [elapsed]
    for values, period in (
        (dates.day_of_year.to_numpy(np.float64), 365.25),
        (dates.day_of_week.to_numpy(np.float64), 7),
        (hours, 24),
    ):
        if _varies(values):
            columns += [np.sin(2 * np.pi * values / period), np.cos(2 * np.pi * values / period)]
    return columns


def _encode_categories(series, name):
    missing = series.isna().to_numpy()
    labels = series.astype(object).map(str, na_action="ignore").to_numpy()
    values, codes = np.unique(labels[~missing].astype(str), return_inverse=True)
    n_present = codes.size
    if _is_free_text(values.size, n_present):
        return [], f"column {name!r} left out: {values.size} distinct texts in {n_present} rows"
    full_codes = np.full(len(series), -1)
    full_codes[~missing] = codes
    counts = np.bincount(codes, minlength=values.size)
    kept = np.argsort(-counts, kind="stable")[:MAX_CATEGORIES]
    columns = [(full_codes == code).astype(np.float64) for code in kept]
    if missing.any():
        columns.append(missing.astype(np.float64))
    elif values.size == 2:
        columns = columns[:1]  # the other category is its complement
    if values.size <= MAX_CATEGORIES:
        return columns, None
    columns.append((~np.isin(full_codes, kept) & ~missing).astype(np.float64))
    note = f'column {name!r}: {values.size - MAX_CATEGORIES} rare categories joined as "other"'
    return columns, note
