"""The overview: one line per estimator, on a real table and on a small data set."""

import statistics
from dataclasses import replace
from functools import cache
from time import perf_counter

import numpy as np
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skextra._compare import _overview_table as table, fit_to_task
from skextra._compare._datasets import Problem, load_problem
from skextra._compare._environment import describe_environment
from skextra._compare._measure import OURS, THEIRS, Measurement, Settings, Side, repeat_if_short
from skextra._compare._overview_cases import find_large
from skextra._compare._registry import TASKS, list_estimator_cases
from skextra._compare._result import Comparison, describe_ratios, describe_scores, wrap_lines
from skextra._compare._scores import score_each_row
from skextra._compare._timing import format_ratio

# Rows of scikit-learn's first fit, which only loads its modules.
_FEW = 300
# Share of an estimator's time that its small data set may take.
_SMALL_SHARE = 0.25
# At least so many rounds, of those that take no longer than this.
_FEWEST, _QUICK = 2, 0.3


class AloneMeasurement(Measurement):
    """The estimator by itself, on data that are scaled already; without a grid search.

    Parameters
    ----------
    case : Case
    problem : Problem
    settings : Settings
    params : dict
        Constructor parameters of both sides, in addition to those of the case.
    """

    def __init__(self, case, problem, settings, params):
        super().__init__(case, problem, settings)
        self.params = params
        self.fit_name = "fit_transform" if self.task.apply == "transform" else "fit"

    def _warm_up(self, warm_theirs):
        first = (Side(), Side())
        X_train, y_train, X_test, _ = self._prepare(self.folds[0])
        for side in (THEIRS, OURS) if warm_theirs else (OURS,):
            kept = _keep_every_class(y_train, _FEW) if side == THEIRS else slice(None)
            model = self._make(side)
            first[side].fit(
                model, X_train[kept], None if y_train is None else y_train[kept], self.fit_name
            )
            getattr(model, self.task.apply)(X_test[:_FEW])
        return first[OURS].seconds["fit"][0]

    def _make(self, side):
        model = self.case.make(side)[0][1]
        return model.set_params(**self.params)

    def _prepare(self, fold):
        X, y = self.problem.X, self.problem.y
        train, test = fold
        scaler = StandardScaler().fit(X[train])
        parts = scaler.transform(X[train]), scaler.transform(X[test])
        y_train, y_test = (None, None) if y is None else (y[train], y[test])
        return parts[0], y_train, parts[1], y_test

    def _run_fold(self, fold, sides, order, scored):
        X_train, y_train, X_test, y_test = self._prepare(fold)
        models = {side: self._make(side) for side in order}
        repeat_if_short(
            lambda: [sides[s].fit(models[s], X_train, y_train, self.fit_name) for s in order]
        )
        for side in order:
            sides[side].apply(getattr(models[side], self.task.apply), X_test)
            sides[side].close_round()
            if scored:
                sides[side].summarize(self.task, models[side], X_test, y_test)

    def _score_with_seed(self, seed):
        X_train, y_train, X_test, y_test = self._prepare(self.folds[0])
        model = self._make(OURS).set_params(random_state=seed).fit(X_train, y_train)
        return float(np.mean(score_each_row(self.task, model, X_test, y_test)))


def _keep_every_class(y, n_rows):
    """The first rows, and the first one of every class, as indices."""
    if y is None or y.dtype.kind not in "iu":
        return slice(n_rows)
    first = np.unique(y, return_index=True)[1]
    return np.union1d(first, np.arange(min(n_rows, len(y))))


class Overview(Comparison):
    """One line per estimator: a real table, and a small data set beside it.

    Parameters
    ----------
    pairs : list of (Row, Row)
        Every estimator on its small data set and on its table.
    notes : list of str
    environment : dict
    """

    def __init__(self, pairs, notes, environment):
        super().__init__([row for pair in pairs for row in pair], notes, environment)
        self.pairs = pairs

    def __str__(self):
        lines, section = table.write_header(), None
        for pair in self.pairs:
            if table.name_section(pair) != section:
                section = table.name_section(pair)
                lines.append(section)
            lines.append(table.write_pair(pair))
        return "\n".join([*lines, *self.close()])

    def close(self):
        """Lines below the table; the last is the sentence to repeat."""
        return ["", *wrap_lines(self.list_notes()), "", *wrap_lines([self.summarize()])]

    def list_notes(self):
        """How to read the table, and notes."""
        return [table.NOTE, *self._list_own_notes()]

    def summarize(self):
        """One sentence to repeat, computed from the rows."""
        small, large = zip(*self.pairs, strict=True)
        return (
            f"{len(self.pairs)} estimators: {describe_ratios(large)}; on small data "
            f"{format_ratio(statistics.median(row.fit_ratio for row in small))} in the median; "
            f"{describe_scores(large)}."
        )


def run_overview(seconds, blas_threads, progress, write):
    """Measure every public estimator and write the table as it grows.

    Parameters
    ----------
    seconds : float
        Time budget; compilation and loading of kernels do not count.
    blas_threads : int or None
    progress : ProgressLine
    write : callable
        Receives each line of the table as soon as it is known.

    Returns
    -------
    overview : Overview
    """
    cases = list_cases()
    for line in table.write_header():
        write(line)
    pairs, section = [], None
    settings, end = Settings(), perf_counter() + seconds
    with threadpool_limits(limits=blas_threads, user_api="blas"):
        for position, case in enumerate(cases):
            progress.show(position + 1, len(cases), case.name)
            share = max(0.0, end - perf_counter()) / (len(cases) - position)
            pair, loading = _measure_case(case, settings, share)
            end += loading
            pairs.append(pair)
            progress.clear()
            if table.name_section(pair) != section:
                section = table.name_section(pair)
                write(section)
            write(table.write_pair(pair))
        environment = describe_environment()
    overview = Overview(pairs, _collect_notes(cases, pairs), environment)
    for line in overview.close():
        write(line)
    return overview


def list_cases():
    """Cases of the public estimators, task by task."""
    cases = [
        replace(case, task="transform", follow=None) if case.follow else case
        for case in list_estimator_cases()
        if case.data
    ]
    return sorted(cases, key=lambda case: (list(TASKS).index(case.task), find_large(case).table))


def _measure_case(case, settings, share):
    """Both rows of a case, and the seconds of compilation and loading in them."""
    start, large = perf_counter(), find_large(case)
    rows, loading = [], 0.0
    for name, n_rows, part in ((case.data[0], None, _SMALL_SHARE), (large.table, large.rows, 1.0)):
        problem = _sample(_load(name, case.task), n_rows)
        measurement = AloneMeasurement(case, problem, settings, large.params)
        loading += measurement.run_first_pass(0.0)
        while not measurement.is_complete:
            spent = perf_counter() - start - loading
            is_quick = measurement.n_rounds < _FEWEST and measurement.round_seconds < _QUICK
            if not is_quick and spent + measurement.round_seconds > part * share:
                break
            measurement.run_round()
        if name == large.table:
            measurement.measure_seed_noise()
        rows.append(measurement.to_row())
    return tuple(rows), loading


@cache
def _load(name, task):
    return fit_to_task(load_problem(name), TASKS[task])


def _sample(problem, n_rows):
    if n_rows is None or n_rows >= problem.X.shape[0]:
        return problem
    kept = np.random.RandomState(0).permutation(problem.X.shape[0])[:n_rows]
    y = None if problem.y is None else problem.y[kept]
    return Problem(problem.name, problem.X[kept], y, problem.notes)


def _collect_notes(cases, pairs):
    notes = []
    chosen = {}
    for case in cases:
        for name, value in find_large(case).params.items():
            chosen.setdefault(f"{name}={value}", []).append(case.name)
    notes += [f"{what} in {', '.join(names)}" for what, names in chosen.items()]
    told = {}
    for case in cases:
        if case.note:
            told.setdefault(case.note.partition(": ")[2], []).append(case.name)
    notes += [f"{', '.join(names)}: {what}" for what, names in told.items()]
    for owner, name in (("skextra", "n_unconverged"), ("scikit-learn", "sklearn_n_unconverged")):
        failed = [pair[1].estimator for pair in pairs if any(getattr(row, name) for row in pair)]
        if failed:
            notes.append(f"convergence warnings of {owner}: {', '.join(failed)}")
    return notes
