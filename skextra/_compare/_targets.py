"""The target: the tasks that it suits, and its checked, encoded form."""

import numpy as np

from skextra._compare._errors import InputError
from skextra._compare._registry import TASKS

MIN_ROWS = 10  # below, an inner fold of three in an outer fold of three has no two rows
_MAX_CLASSES = 20


def guess_tasks(y):
    """Groups of tasks that the target `y` suits, the most likely group first."""
    if y is None:
        return [tuple(name for name, task in TASKS.items() if not task.supervised)]
    values = np.asarray(y)
    if not _is_numeric(values):
        return [("classification",)]
    if values.ndim == 2:
        return [("regression",)]
    present = values[~np.isnan(values.astype(np.float64))].astype(np.float64)
    whole = bool((present == np.round(present)).all())
    if whole and np.unique(present).size <= _MAX_CLASSES:
        return [("classification",), ("regression",)]
    return [("regression",)]


def _is_numeric(values):
    return values.dtype.kind in "fiub"


def target_values(y):
    """The target as a plain array (float where it is numeric), NaN or None for missing."""
    if hasattr(y, "iloc") and getattr(y, "ndim", 1) == 1:
        from pandas.api import types

        if types.is_numeric_dtype(y) or types.is_bool_dtype(y):
            return y.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
        if types.is_datetime64_any_dtype(y) or types.is_timedelta64_dtype(y):
            raise InputError(f"target {y.name!r} is a date or a duration: use a number or a class")
        return y.astype(object).where(y.notna(), None).to_numpy()
    values = np.asarray(y)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim not in (1, 2):
        raise InputError(f"y must have one or two dimensions, got shape {values.shape}")
    return values.astype(np.float64) if _is_numeric(values) else values


def find_missing(values):
    """Mask of the rows whose target is missing."""
    if _is_numeric(values):
        missing = np.isnan(values)
        return missing.any(axis=1) if values.ndim == 2 else missing
    flat = values.reshape(len(values), -1)
    return np.array([any(v is None or v != v for v in row) for row in flat], dtype=bool)


def prepare_target(values, task, name, n_folds):
    """Check a target without missing values and bring it into the form of `task`.

    Parameters
    ----------
    values : ndarray of shape (n_samples,) or (n_samples, n_targets), or None
    task : Task
    name : str
        How messages call the target.
    n_folds : int
        A class needs as many rows.

    Returns
    -------
    y : ndarray of float64 (regression) or of int codes (classification), or None
    """
    if not task.supervised:
        return None
    if values is None:
        raise InputError(f"{task.plural} need a target: y is missing")
    if task.name == "classification":
        return _prepare_classes(values, name, n_folds)
    if not _is_numeric(values):
        shown = ", ".join(repr(str(v)) for v in list(dict.fromkeys(values.ravel().tolist()))[:3])
        raise InputError(f"target {name!r} is text ({shown}, ...): regressors need numbers")
    if not (np.abs(values) < 1e100).all():
        raise InputError(
            f"target {name!r} has infinite or extremely large values: leave these rows out"
        )
    if (values == values[:1]).all(axis=0).any():
        raise InputError(f"target {name!r} is constant: there is nothing to predict")
    return values


def _prepare_classes(values, name, n_folds):
    if values.ndim == 2:
        raise InputError(f"target {name!r} has {values.shape[1]} columns: classifiers need one")
    if _is_numeric(values):
        classes, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
        if (classes != np.round(classes)).any():
            raise InputError(
                f"target {name!r} holds {classes.size} distinct fractional numbers: "
                "classifiers need classes"
            )
    else:
        text = values.astype(str)
        classes, codes, counts = np.unique(text, return_inverse=True, return_counts=True)
    if classes.size < 2:
        raise InputError(f"target {name!r} is constant: there is nothing to predict")
    if counts.min() < n_folds:
        rarest = classes[counts.argmin()]
        rarest = f"{rarest:g}" if _is_numeric(classes) else rarest
        raise InputError(
            f"class {str(rarest)!r} of target {name!r} has {counts.min()} rows: "
            f"{n_folds} folds need at least {n_folds} rows of every class"
        )
    return codes
