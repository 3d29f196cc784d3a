"""A file or frame -> a float matrix and a target, with notes on the conversion."""

import csv
import gzip
import zlib
from pathlib import Path

import numpy as np

from skextra._compare._encoding import encode_features
from skextra._compare._errors import InputError, need
from skextra._compare._numbers import read_written_numbers
from skextra._compare._registry import describe_unknown

_READ_ERRORS = (OSError, ValueError, EOFError, zlib.error, csv.Error)


def read_table(path, sep=None, encoding=None):
    """Read a csv, csv.gz, tsv or parquet file.

    Parameters
    ----------
    path : str or path-like
    sep : str, optional
        What separates columns of text; by default what the header has most of.
    encoding : str, optional
        Of text; UTF-8 by default.

    Returns
    -------
    frame : pandas.DataFrame
        Columns of text that are written numbers (``1.234,5``, ``1,234``, ``12 %``) are numbers;
        ``frame.attrs["numbers"]`` says how each was read.

    Raises
    ------
    InputError
        If the file is missing, of another kind, damaged or empty.
    MissingPackageError
        If pandas, or pyarrow for parquet, is not installed.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"no such file: {path}")
    if not path.is_file():
        raise InputError(f"not a file: {path}")
    kind = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    if kind not in ("csv", "tsv", "txt", "parquet", "pq"):
        raise InputError(f"cannot tell the format of {path}: use .csv, .csv.gz, .tsv or .parquet")
    pandas = need("pandas", f"reading {path.name}")
    if kind in ("parquet", "pq"):
        need("pyarrow", f"reading {path.name}")
    try:
        if kind in ("parquet", "pq"):
            frame = pandas.read_parquet(path, engine="pyarrow")
        else:
            frame = _read_csv(pandas, path, sep, encoding)
    except UnicodeError as error:
        raise InputError(
            f"cannot read {path} as {encoding or 'UTF-8'}: name its encoding, such as "
            "--encoding latin-1 or cp1252"
        ) from error
    except LookupError as error:
        raise InputError(f"unknown encoding {encoding!r}") from error
    except _READ_ERRORS as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise InputError(f"cannot read {path}: {reason[0]}") from error
    if frame.empty:
        raise InputError(f"{path} holds no rows")
    return frame


def _read_csv(pandas, path, sep, encoding):
    encoding = encoding or "utf-8-sig"
    open_text = gzip.open if path.name.lower().endswith(".gz") else open
    with open_text(path, "rt", encoding=encoding) as file:
        header = file.readline()
    # Semicolons and tabs are as common as commas; the header shows which it is.
    separator = (sep or max(",;\t|", key=header.count)).replace("\\t", "\t")
    engine = "c" if len(separator) == 1 else "python"
    options = {} if engine == "python" else {"low_memory": False}
    frame = pandas.read_csv(
        path, sep=separator, na_values=["?"], skipinitialspace=True, encoding=encoding,
        engine=engine, **options,
    )  # fmt: skip
    # Where columns are separated by semicolons, commas are for decimals.
    return read_written_numbers(frame, prefers_comma=separator == ";")


def drop_columns(frame, names):
    """Leave columns out, by name."""
    columns = [str(column) for column in frame.columns]
    for name in names:
        if name not in columns:
            raise InputError(describe_unknown("column", name, columns))
    return frame.loc[:, [column not in names for column in columns]]


def split_target(frame, target):
    """Split a frame into features and the column `target`."""
    columns = [str(column) for column in frame.columns]
    repeated = sorted({name for name in columns if columns.count(name) > 1})
    if repeated:
        raise InputError(f"column {repeated[0]!r} appears more than once")
    if str(target) not in columns:
        raise InputError(describe_unknown("column", target, columns))
    position = columns.index(str(target))
    return frame.drop(columns=frame.columns[position]), frame.iloc[:, position]


def prepare_features(X):
    """Turn an array, sparse matrix or frame into a float matrix.

    Returns
    -------
    X : ndarray or sparse matrix of shape (n_samples, n_features)
        NaN where a value is missing (dense only).
    notes : list of str
    """
    from sklearn.utils import check_array

    X = as_pandas(X)
    if hasattr(X, "iloc"):
        return encode_features(X)
    missing = "allow-nan" if not hasattr(X, "tocsr") else True
    try:
        X = check_array(X, accept_sparse="csr", dtype=np.float64, ensure_all_finite=missing)
    except (ValueError, TypeError) as error:
        raise InputError(f"X: {str(error).splitlines()[0]}") from error
    return X, []


def as_pandas(data):
    """Turn a polars frame or series into pandas; leave all else as it is."""
    if type(data).__module__.partition(".")[0] != "polars":
        return data
    need("pandas", "comparing on a polars frame")
    need("pyarrow", "comparing on a polars frame")
    return data.to_pandas()
