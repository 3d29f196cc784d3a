"""Tables of numbers and categories: to and from matrices of floats, in which NaN is missing."""

from dataclasses import dataclass, replace
from importlib import import_module
from numbers import Integral

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

_NUMBERS = {"dtype": np.float64, "order": "C", "ensure_all_finite": "allow-nan"}


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    label : str or int
        Name, or number where the table has no names.
    categories : list or None
        Those seen in `fit`, in order; None for numbers.
    dtype : object
        As the table has it.
    """

    label: object
    categories: list | None
    dtype: object

    def encode(self, values):
        """Numbers, or the numbers of categories; NaN where a value is missing.

        Raises
        ------
        ValueError
            For a category that was not there in `fit`, or text in a column of numbers.
        """
        if self.categories is None:
            return _read_numbers(values, self.label)
        numbers = {category: float(k) for k, category in enumerate(self.categories)}
        codes = np.empty(len(values))
        for i, value in enumerate(values):
            codes[i] = np.nan if _is_missing(value) else numbers.get(value, -1.0)
        if (codes < 0).any():
            unknown = values[int(np.argmax(codes < 0))]
            shown = ", ".join(map(repr, self.categories[:8]))
            raise ValueError(
                f"column {self.label!r} has the category {unknown!r}, which it did not have in "
                f"fit; it had {shown}{', ...' if len(self.categories) > 8 else ''}"
            )
        return codes

    def decode(self, codes):
        """Values of the table; `codes` has no missing values."""
        if self.categories is None:
            return np.rint(codes) if _is_whole(self.dtype) else codes
        values = np.empty(len(codes), dtype=object)
        values[:] = [self.categories[int(code)] for code in codes]
        return values


@dataclass(frozen=True)
class Table:
    """The columns of a table, and the kind of object that it is.

    Attributes
    ----------
    columns : list of Column
    library : {"pandas", "polars"} or None
        None for arrays.
    """

    columns: list
    library: str | None

    @property
    def n_categories(self):
        """Number of categories of each column, 0 for numbers."""
        return [len(column.categories or ()) for column in self.columns]

    @property
    def has_categories(self):
        """Whether any column has categories."""
        return any(self.n_categories)

    def encode(self, X, estimator):
        """Matrix of float64, of a table of the columns seen in `fit`.

        Raises
        ------
        ValueError
            For infinite numbers, text in a column of numbers, unknown categories, or other
            columns than in `fit`.
        """
        if not self.has_categories:
            return validate_data(estimator, X, **_NUMBERS, reset=False)
        validate_data(estimator, X, skip_check_array=True, reset=False)
        return self._encode_columns(_read_columns(X), estimator)

    def _encode_columns(self, parts, estimator):
        matrix = [column.encode(part) for column, part in zip(self.columns, parts, strict=True)]
        return check_array(np.column_stack(matrix), **_NUMBERS, estimator=estimator, input_name="X")

    def decode(self, matrix, index=None):
        """Table of the same kind as in `fit`; `matrix` has no missing values.

        `index` is that of a frame of pandas.
        """
        columns = [column.decode(matrix[:, j]) for j, column in enumerate(self.columns)]
        if self.library is not None:
            frames = import_module(self.library)
            pairs = list(zip(self.columns, columns, strict=True))
            if self.library == "polars":
                return frames.DataFrame(
                    [frames.Series(c.label, list(v)).cast(c.dtype) for c, v in pairs]
                )
            series = [frames.Series(v, name=c.label).astype(c.dtype) for c, v in pairs]
            frame = frames.concat(series, axis=1)
            return frame if index is None else frame.set_axis(index)
        dtype = self.columns[0].dtype
        out = np.empty(matrix.shape, dtype if dtype.kind == "O" or _is_whole(dtype) else float)
        for j, values in enumerate(columns):
            out[:, j] = values
        return out

    def to_state(self):
        """Plain data: NumPy's data types as text."""
        columns = []
        for column in self.columns:
            dtype = column.dtype.str if isinstance(column.dtype, np.dtype) else column.dtype
            columns.append([column.label, column.categories, dtype])
        return [columns, self.library]

    @classmethod
    def from_state(cls, state):
        """Undo `to_state`."""
        columns, library = state
        return cls(
            [
                Column(label, categories, np.dtype(dtype) if isinstance(dtype, str) else dtype)
                for label, categories, dtype in columns
            ],
            library,
        )


def learn_table(X, categorical_features, estimator):
    """Check training data, and find out what its columns are.

    Parameters
    ----------
    X : array-like or data frame
    categorical_features : "from_dtype", None, or array-like of bool, int or str
    estimator : estimator instance
        Receives ``n_features_in_`` and ``feature_names_in_``.

    Returns
    -------
    table : Table
    matrix : ndarray of float64 of shape (n_samples, n_columns)
        NaN where a value is missing.

    Raises
    ------
    ValueError
        If `categorical_features` names a column that is not there, or a column has no values.
    """
    library = _find_library(X)
    is_named = not (categorical_features is None or isinstance(categorical_features, str))
    if library is None and not is_named:
        matrix = validate_data(estimator, X, **_NUMBERS, ensure_min_samples=2)
        dtype = X.dtype if hasattr(X, "dtype") else np.asarray(X).dtype
        labels = list(getattr(estimator, "feature_names_in_", range(matrix.shape[1])))
        table = Table([Column(label, None, dtype) for label in labels], None)
    else:
        validate_data(estimator, X, skip_check_array=True)
        labels = getattr(estimator, "feature_names_in_", range(estimator.n_features_in_))
        labels, parts = list(labels), _read_columns(X)
        dtypes = [np.asarray(X).dtype] * len(labels) if library is None else list(X.dtypes)
        are_categories = _choose_categories(categorical_features, labels, dtypes, library)
        columns = [
            Column(label, _find_categories(part, dtype, label) if is_one else None, dtype)
            for label, part, dtype, is_one in zip(
                labels, parts, dtypes, are_categories, strict=True
            )
        ]
        table = Table(columns, library)
        matrix = table._encode_columns(parts, estimator)
        check_array(matrix, ensure_all_finite=False, ensure_min_samples=2, estimator=estimator)
    is_empty = np.isnan(matrix).all(axis=0)
    if is_empty.any():
        label = labels[int(np.argmax(is_empty))]
        raise ValueError(f"column {label!r} has no value that is not missing")
    return table, matrix


def _choose_categories(categorical_features, labels, dtypes, library):
    """Whether each column is one of categories."""
    labels = list(labels)
    if categorical_features is None:
        return [False] * len(labels)
    if isinstance(categorical_features, str):
        if library is None:
            return [False] * len(labels)
        return [not _is_number(dtype, library) for dtype in dtypes]
    chosen = np.asarray(categorical_features)
    if chosen.dtype.kind == "b":
        if chosen.shape != (len(labels),):
            raise ValueError(
                f"categorical_features as a mask must have shape ({len(labels)},), one entry per "
                f"feature, got shape {chosen.shape}"
            )
        return chosen.tolist()
    is_category = [False] * len(labels)
    for item in chosen.ravel().tolist():
        is_category[find_column(item, labels, "categorical_features")] = True
    return is_category


def find_column(item, labels, argument):
    """Number of the column that a name or a number stands for."""
    if isinstance(item, str) and item in labels:
        return labels.index(item)
    is_number = isinstance(item, Integral) and not isinstance(item, bool)
    if is_number and -len(labels) <= item < len(labels):
        return int(item) % len(labels)
    known = f"{len(labels)} columns" if isinstance(labels[0], Integral) else f"columns {labels}"
    raise ValueError(f"{argument} has {item!r}, which is not among the {known} seen in fit")


def _find_categories(values, dtype, label):
    """Categories that occur, in the order of their data type or sorted."""
    present = {value for value in values if not _is_missing(value)}
    if not present:
        raise ValueError(f"column {label!r} has no value that is not missing")
    declared = getattr(dtype, "categories", None)
    if declared is not None:
        declared = declared.to_list() if hasattr(declared, "to_list") else list(declared)
        if present <= set(declared):
            return [category for category in declared if category in present]
    # Numbers before text, each in order.
    return sorted(present, key=lambda value: (isinstance(value, str), value))


def _find_library(X):
    """Name of the library of a data frame, or None."""
    library = type(X).__module__.partition(".")[0]
    return library if library in ("pandas", "polars") and hasattr(X, "columns") else None


def _is_number(dtype, library):
    if library == "polars":
        return dtype.is_numeric()
    return dtype.kind in "iuf"


def _is_whole(dtype):
    if hasattr(dtype, "is_integer"):
        return dtype.is_integer()
    return getattr(dtype, "kind", "O") in "iu"


def _is_missing(value):
    return value is None or type(value).__name__ == "NAType" or value != value


def _read_columns(X):
    """Columns of a table as sequences of Python objects."""
    library = _find_library(X)
    if library == "polars":
        return [column.to_list() for column in X.get_columns()]
    if library == "pandas":
        return [X.iloc[:, j].tolist() for j in range(X.shape[1])]
    if sparse.issparse(X):
        raise TypeError("sparse data with categorical_features is not supported: use X.toarray()")
    return [column.tolist() for column in np.asarray(X).T]


def _read_numbers(values, label):
    try:
        return np.array([np.nan if _is_missing(value) else float(value) for value in values])
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"column {label!r} must hold numbers: {error}; name columns of categories in "
            "categorical_features"
        ) from error


class _Names(BaseEstimator):
    """Holds the names and the number of columns of one table."""


def read_tables(real, generated, categorical_features):
    """Two tables with the same columns, as matrices.

    Parameters
    ----------
    real, generated : array-like or data frame
    categorical_features : "from_dtype", None, or array-like of bool, int or str

    Returns
    -------
    table : Table
        With the categories of both.
    matrices : two ndarrays of float64
        NaN where a value is missing.
    """
    holder = _Names()
    table, matrix = learn_table(real, categorical_features, holder)
    if not table.has_categories:
        return table, matrix, table.encode(generated, holder)
    other, _ = learn_table(generated, categorical_features, _Names())
    columns = list(table.columns)
    for j, (column, second) in enumerate(zip(columns, other.columns, strict=False)):
        if column.categories is not None and second.categories is not None:
            new = [value for value in second.categories if value not in column.categories]
            columns[j] = replace(column, categories=column.categories + new)
    table = replace(table, columns=columns)
    return table, table.encode(real, holder), table.encode(generated, holder)
