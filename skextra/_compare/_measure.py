"""Time and score one pair of estimators on one problem."""

import statistics
import warnings
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skextra._compare._registry import TASKS
from skextra._compare._result import Row

_PASSES = 3  # over the folds, at most
_APPLY_REPEATS = 5  # predictions take microseconds: one a fit would be mostly noise
OURS, THEIRS = 0, 1


@dataclass(frozen=True)
class Settings:
    """How a comparison is run; the same for every row."""

    n_folds: int = 3
    n_inner_folds: int = 3
    random_state: int = 0


def build_model(case, side, problem, settings):
    """Pipeline with scaling, in a grid search where the case has a grid.

    Parameters
    ----------
    case : Case
    side : {OURS, THEIRS}
    problem : Problem
    settings : Settings

    Returns
    -------
    model : Pipeline or GridSearchCV
    """
    steps = [("impute", SimpleImputer(strategy="median"))] if problem.has_missing else []
    steps.append(("scale", StandardScaler(with_mean=not sparse.issparse(problem.X))))
    steps.append(("model", case.classes[side](**case.params)))
    pipeline = Pipeline(steps)
    if not case.grid:
        return pipeline
    grid = {f"model__{name}": values for name, values in case.grid.items()}
    # An error in one fit must surface, not become a NaN among the scores.
    return GridSearchCV(pipeline, grid, cv=settings.n_inner_folds, error_score="raise")


def split_folds(task, problem, settings):
    """Outer folds as (train, test) pairs of index arrays."""
    kind = StratifiedKFold if task.name == "classification" else KFold
    splitter = kind(settings.n_folds, shuffle=True, random_state=settings.random_state)
    return list(splitter.split(problem.X, problem.y))


def standardise_target(problem):
    """Problem whose target has mean 0 and variance 1, column by column."""
    y = np.asarray(problem.y, dtype=np.float64)
    y = (y - y.mean(axis=0)) / y.std(axis=0)
    return type(problem)(problem.name, problem.X, y, problem.notes)


class _Side:
    """What one library has shown so far."""

    def __init__(self):
        self.fit_seconds = []
        self.apply_seconds = []
        self.scores = []
        self.dual_gaps = []
        self.n_unconverged = 0

    def fit(self, model, X, y):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            start = perf_counter()
            model.fit(X, y)
            self.fit_seconds.append(perf_counter() - start)
        self.n_unconverged += sum(issubclass(w.category, ConvergenceWarning) for w in caught)

    def apply(self, function, X):
        start = perf_counter()
        function(X)
        self.apply_seconds.append(perf_counter() - start)

    def summarise(self, model, X, y):
        """Score of the fitted model and its certificate, where there is one."""
        if hasattr(model, "score"):
            self.scores.append(float(model.score(X, y)))
        gap = getattr(getattr(model, "best_estimator_", model)[-1], "dual_gap_", None)
        if gap is not None:
            self.dual_gaps.append(float(np.max(gap)))


def measure(case, problem, settings, deadline, repeat_until):
    """Run both estimators of `case` on `problem`, turn about.

    The first call of either is timed apart and left out of every median: it
    loads or compiles kernels. Then come rounds, each a fold: both fit, both are
    applied, and who goes first alternates.

    Parameters
    ----------
    case : Case
    problem : Problem
        With a standardised target, if it is a regression.
    settings : Settings
    deadline : float
        Value of ``perf_counter()`` after which no round but the first begins.
    repeat_until : float
        The same for rounds that repeat a fold.

    Returns
    -------
    row : Row
    """
    task = TASKS[case.task]
    folds = split_folds(task, problem, settings)
    sides = (_Side(), _Side())
    first_call = _warm_up(case, problem, settings, folds[0])
    n_rounds = 0
    while n_rounds < _PASSES * len(folds):
        limit = deadline if n_rounds < len(folds) else repeat_until
        if n_rounds > 0 and perf_counter() > limit:
            break
        order = (OURS, THEIRS) if n_rounds % 2 == 0 else (THEIRS, OURS)
        fold = folds[n_rounds % len(folds)]
        _run_round(case, problem, settings, fold, sides, order, n_rounds < len(folds))
        n_rounds += 1
    return _make_row(case, problem, sides, first_call, n_rounds, len(folds))


def _warm_up(case, problem, settings, fold):
    # scikit-learn goes first, so that what both share is loaded already and
    # our first call shows what is ours alone.
    seconds = {}
    for side in (THEIRS, OURS):
        start = perf_counter()
        _run_round(case, problem, settings, fold, (_Side(), _Side()), (side,), False)
        seconds[side] = perf_counter() - start
    return seconds[OURS]


def _run_round(case, problem, settings, fold, sides, order, scored):
    task = TASKS[case.task]
    train, test = fold
    y_train, y_test = (None, None) if problem.y is None else (problem.y[train], problem.y[test])
    X_train, X_test = problem.X[train], problem.X[test]
    models = {side: build_model(case, side, problem, settings) for side in order}
    for side in order:
        sides[side].fit(models[side], X_train, y_train)
    for _ in range(_APPLY_REPEATS):
        for side in order:
            sides[side].apply(getattr(models[side], task.apply), X_test)
    if scored:
        for side in order:
            sides[side].summarise(models[side], X_test, y_test)


def _make_row(case, problem, sides, first_call, n_rounds, n_folds):
    ours, theirs = sides
    task = TASKS[case.task]
    has_score = task.score_name is not None and ours.scores and theirs.scores
    return Row(
        estimator=case.name,
        data=problem.name,
        task=case.task,
        n_samples=problem.X.shape[0],
        n_features=problem.X.shape[1],
        n_targets=problem.n_targets,
        fit_seconds=statistics.median(ours.fit_seconds),
        sklearn_fit_seconds=statistics.median(theirs.fit_seconds),
        predict_seconds=statistics.median(ours.apply_seconds),
        sklearn_predict_seconds=statistics.median(theirs.apply_seconds),
        score_name=task.score_name,
        score=statistics.fmean(ours.scores) if has_score else None,
        sklearn_score=statistics.fmean(theirs.scores) if has_score else None,
        dual_gap=max(ours.dual_gaps) if ours.dual_gaps else None,
        first_call_seconds=first_call,
        n_rounds=n_rounds,
        n_folds=min(n_rounds, n_folds),
        n_unconverged=ours.n_unconverged,
        sklearn_n_unconverged=theirs.n_unconverged,
    )
