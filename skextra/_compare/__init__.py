"""compare(): our estimators and scikit-learn's, timed and scored on the same folds."""

import numbers
import sys
from time import perf_counter

import numpy as np
from sklearn.utils import get_tags
from threadpoolctl import threadpool_limits

from skextra._compare._datasets import Problem, load_problem
from skextra._compare._environment import describe_environment
from skextra._compare._errors import InputError
from skextra._compare._registry import TASKS, select_cases
from skextra._compare._result import Comparison

__all__ = ["compare"]


# Up to this many rows a note names each.
_MOST_NAMED = 6


def compare(
    estimators=None,
    X=None,
    y=None,
    *,
    n_folds=3,
    time_budget=40.0,
    max_rows=None,
    blas_threads=1,
    random_state=0,
    data_name="data",
    verbose=False,
):
    """Time and score our estimators and scikit-learn's of the same name.

    Both get the same folds, the same parameters and the same BLAS settings,
    inside a pipeline with scaling and, unless the estimator chooses its own
    penalty, a small grid search. Fits and predictions alternate between the two;
    the times are medians, without the first call, which loads or compiles
    kernels and is reported separately.

    Parameters
    ----------
    estimators : str, list of str or None, default=None
        Names of estimators, such as ``"Lasso"``. None runs all that suit the data.
    X : {array-like, sparse matrix, frame} of shape (n_samples, n_features), default=None
        Your own data. A pandas or polars frame may hold categories (encoded
        one-hot), dates (encoded as elapsed days and cycles) and missing values
        (numbers are imputed with the training folds' median, a missing category
        is a category). None runs on data sets that ship with scikit-learn.
    y : array-like of shape (n_samples,) or (n_samples, n_targets), or str, default=None
        The target, or the name of its column if `X` is a frame. Rows where it is
        missing are left out. Regression targets are standardized, so that one
        grid of penalties suits any unit.
    n_folds : int, default=3
        Number of outer folds; the grid search inside always has three.
    time_budget : float or None, default=40.0
        Seconds within which folds are repeated, up to three times, for more stable
        medians. After that, each remaining row runs on one fold only. None
        repeats every fold regardless of the time.
    max_rows : int or None, default=None
        Rows of `X` to use: a random sample, where there are more. A fit is never
        interrupted, so that large data can take far longer than `time_budget`.
    blas_threads : int or None, default=1
        Threads of BLAS, for both libraries. One by
        default, because at these sizes several threads on a busy machine wait for
        one another, and times vary by a factor of a hundred. None leaves the setting.
    random_state : int, default=0
        Seed of the folds.
    data_name : str, default="data"
        Name of your data in the table.
    verbose : bool, default=False
        Whether to show progress on standard error.

    Returns
    -------
    comparison : Comparison
        Prints as a table and has ``to_frame()``, ``to_dict()``, ``plot()`` and
        ``rows``.

    Raises
    ------
    ValueError
        For an unknown estimator, an unknown or constant target, a target that
        does not suit the estimators, or data without usable rows or columns.

    Examples
    --------
    >>> import skextra
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> comparison = skextra.compare("Ridge", X, y, time_budget=0)
    >>> [row.estimator for row in comparison.rows]
    ['Ridge']
    """
    return run_comparison(
        estimators,
        X,
        y,
        n_folds=n_folds,
        time_budget=time_budget,
        max_rows=max_rows,
        blas_threads=blas_threads,
        random_state=random_state,
        data_name=data_name,
        verbose=verbose,
    )


def run_comparison(
    estimators,
    X=None,
    y=None,
    *,
    n_folds=3,
    time_budget,
    max_rows,
    blas_threads,
    random_state=0,
    data_name="data",
    verbose,
    on_start=None,
):
    """As `compare`, calling `on_start` once all arguments have turned out to be usable."""
    from skextra._compare._measure import Settings
    from skextra._compare._progress import ProgressLine

    _check_settings(n_folds, time_budget, blas_threads, max_rows)
    settings = Settings(n_folds=n_folds, random_state=random_state, max_rows=max_rows)
    cases = select_cases(estimators)
    if X is None:
        if y is not None:
            raise InputError("y is given without X")
        pairs = _pair_with_shipped_data(cases)
    else:
        pairs = _pair_with_user_data(
            cases, X, y, settings, named=estimators is not None, name=data_name
        )
    if on_start is not None:
        on_start()
    progress = ProgressLine(sys.stderr if verbose else None)
    with threadpool_limits(limits=blas_threads, user_api="blas"):
        environment = describe_environment()
        try:
            rows = _measure_all(pairs, settings, time_budget, progress)
        finally:
            progress.clear()
    notes = list(dict.fromkeys(note for _, problem in pairs for note in problem.notes))
    notes += dict.fromkeys(case.note for case, _ in pairs if case.note)
    return Comparison(rows, notes + _note_shortcomings(rows, settings), environment)


def _check_settings(n_folds, time_budget, blas_threads, max_rows):
    if not (_is_integer(n_folds) and n_folds >= 2):
        raise InputError(f"n_folds must be an integer >= 2, got {n_folds!r}")
    for name, value in (("blas_threads", blas_threads), ("max_rows", max_rows)):
        if value is not None and not (_is_integer(value) and value >= 1):
            raise InputError(f"{name} must be None or an integer >= 1, got {value!r}")
    if time_budget is not None and not time_budget >= 0:
        raise InputError(f"time_budget must be None or at least 0 seconds, got {time_budget!r}")


def _is_integer(value):
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _measure_all(pairs, settings, time_budget, progress):
    from skextra._compare._measure import Measurement

    end = float("inf") if time_budget is None else perf_counter() + time_budget
    measurements, warm = [Measurement(*pair, settings) for pair in pairs], set()
    # Small data first: if time runs out, it does so on the data sets that take longest.
    for done, measurement in enumerate(sorted(measurements, key=lambda m: m.problem.size)):
        name = measurement.case.name
        progress.show(done + 1, len(pairs), f"{name} on {measurement.problem.name}")
        end += measurement.run_first_pass(end, warm_theirs=name not in warm)
        warm.add(name)
    # Repeats start when every row has had its folds; rows with the fewest rounds come first.
    while waiting := [
        m for m in measurements if not m.is_complete and perf_counter() + m.round_seconds < end
    ]:
        following = min(waiting, key=lambda m: (m.n_rounds, m.round_seconds))
        name = f"{following.case.name} on {following.problem.name}"
        progress.show(len(pairs), len(pairs), f"again: {name}")
        following.run_round()
    return [measurement.to_row() for measurement in measurements]


def _pair_with_shipped_data(cases):
    loaded = {}
    pairs = []
    for case in cases:
        if not case.data:
            raise InputError(f"{case.name} has no shipped data set: give X and y")
        for name in case.data:
            key = (name, case.task)
            if key not in loaded:
                loaded[key] = fit_to_task(load_problem(name), TASKS[case.task])
            pairs.append((case, loaded[key]))
    return pairs


def fit_to_task(problem, task):
    """A problem as a task needs it: without a target, or with a standardized one."""
    from skextra._compare._measure import standardize_target

    if not task.supervised:
        return Problem(problem.name, problem.X, None, problem.notes)
    return standardize_target(problem) if task.name == "regression" else problem


def _pair_with_user_data(cases, X, y, settings, *, named, name):
    from skextra._compare import _tables, _targets

    X, y = _tables.as_pandas(X), _tables.as_pandas(y)
    target_name = "y"
    if isinstance(y, str):
        if not hasattr(X, "iloc"):
            raise InputError(f"y={y!r} names a column, but X is not a frame")
        target_name = y
        X, y = _tables.split_target(X, y)
    X, values, notes = _select_rows(X, y, settings)
    X, encoding_notes = _tables.prepare_features(X)
    notes += encoding_notes
    if not named:
        cases = _choose_suitable(cases, _targets.guess_tasks(values))
    pairs = []
    for case in cases:
        task = TASKS[case.task]
        target = _targets.prepare_target(values, task, target_name, settings.n_folds)
        _check_multi_output(case, target)
        pairs.append((case, fit_to_task(Problem(name, X, target, tuple(notes)), task)))
    return pairs


def _select_rows(X, y, settings):
    from skextra._compare import _targets

    if not hasattr(X, "shape"):
        X = np.asarray(X)
    if len(X.shape) != 2:
        raise InputError(f"X must have two dimensions, got shape {X.shape}")
    n_rows, notes = X.shape[0], []
    values = None if y is None else _targets.target_values(y)
    keep = np.arange(n_rows)
    if values is not None:
        if len(values) != n_rows:
            raise InputError(f"X has {n_rows} rows and y has {len(values)}")
        keep = np.flatnonzero(~_targets.find_missing(values))
        if keep.size < n_rows:
            notes.append(f"{n_rows - keep.size} rows without a target left out")
    if settings.max_rows is not None and keep.size > settings.max_rows:
        notes.append(f"a random {settings.max_rows} of {keep.size} rows")
        rng = np.random.RandomState(settings.random_state)
        keep = np.sort(rng.permutation(keep)[: settings.max_rows])
    if keep.size < n_rows:
        X = X.iloc[keep] if hasattr(X, "iloc") else _take_rows(X, keep)
        values = None if values is None else values[keep]
    least = max(_targets.MIN_ROWS, 3 * settings.n_folds + 1)
    if X.shape[0] < least:
        raise InputError(f"{X.shape[0]} usable rows: a comparison needs at least {least}")
    return X, values, notes


def _take_rows(X, keep):
    # Not every sparse format can be indexed by rows.
    return (X.tocsr() if hasattr(X, "tocsr") else X)[keep]


def _choose_suitable(cases, groups):
    for tasks in groups:
        suitable = [case for case in cases if case.task in tasks]
        if suitable:
            return suitable
    kinds = " or ".join(TASKS[task].plural for tasks in groups for task in tasks)
    raise InputError(f"no estimator is named, and none suits this target, which needs {kinds}")


def _check_multi_output(case, target):
    if target is None or target.ndim == 1:
        return
    if not all(get_tags(case.make(k)[-1][1]).target_tags.multi_output for k in (0, 1)):
        raise InputError(f"{case.name} accepts one target, y has {target.shape[1]} columns")


def _note_shortcomings(rows, settings):
    """Notes on shortcomings that are not errors, one line each."""
    cut = [row for row in rows if row.n_folds < settings.n_folds]
    if len(cut) > _MOST_NAMED:
        folds = f"fewer than {settings.n_folds} folds, down to {min(row.n_folds for row in cut)}"
        notes = [f"{len(cut)} of {len(rows)} rows: {folds}, the time budget ran out"]
    else:
        notes = [
            f"{row.estimator} on {row.data}: {row.n_folds} of {settings.n_folds} folds, "
            "the time budget ran out"
            for row in cut
        ]
    for row in rows:
        where = f"{row.estimator} on {row.data}"
        counts = (row.n_unconverged, row.sklearn_n_unconverged)
        if any(counts):
            notes.append(
                f"{where}: models with convergence warnings: skextra {counts[0]}, "
                f"scikit-learn {counts[1]}, of {row.n_fits} each"
            )
    return notes
