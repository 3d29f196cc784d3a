"""Time and score one pair of estimators on one problem."""

import statistics
import warnings
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skextra._compare._registry import TASKS
from skextra._compare._result import Row

_PASSES = 3  # over the folds, at most
# Short calls are repeated within a round: a single one would be mostly noise.
_SHORT_REPEATS, _SHORT_SECONDS = 5, 0.01
OURS, THEIRS = 0, 1


@dataclass(frozen=True)
class Settings:
    """How a comparison is run; the same for every row."""

    n_folds: int = 3
    n_inner_folds: int = 3
    random_state: int = 0
    max_rows: int | None = None


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
    pipeline = Pipeline(steps + case.make(side))
    if not case.grid:
        return pipeline
    grid = {f"{pipeline.steps[-1][0]}__{name}": values for name, values in case.grid.items()}
    # An error in one fit must be raised, not become a NaN score.
    return GridSearchCV(pipeline, grid, cv=settings.n_inner_folds, error_score="raise")


def split_folds(task, problem, settings):
    """Outer folds as (train, test) pairs of index arrays."""
    kind = StratifiedKFold if task.name == "classification" else KFold
    splitter = kind(settings.n_folds, shuffle=True, random_state=settings.random_state)
    return list(splitter.split(problem.X, problem.y))


def standardize_target(problem):
    """Problem whose target has mean 0 and variance 1, column by column."""
    y = np.asarray(problem.y, dtype=np.float64)
    y = (y - y.mean(axis=0)) / y.std(axis=0)
    return type(problem)(problem.name, problem.X, y, problem.notes)


class _Side:
    """Measurements of one library so far."""

    def __init__(self):
        self.fit_seconds = []
        self.alone_seconds = []
        self.apply_seconds = []
        self.scores = []
        self.dual_gaps = []
        self.n_fits = 0
        self.n_unconverged = 0

    def fit(self, model, X, y):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            start = perf_counter()
            model.fit(X, y)
            self.fit_seconds.append(perf_counter() - start)
        self.n_fits += 1
        self.n_unconverged += any(issubclass(w.category, ConvergenceWarning) for w in caught)
        return self.fit_seconds[-1]

    def fit_alone(self, model, X, y):
        """Fit the estimator by itself, as chosen, on data prepared already; its seconds."""
        pipeline = getattr(model, "best_estimator_", model)
        before = list(pipeline.named_steps).index("model")
        X, estimator = pipeline[:before].transform(X), clone(pipeline["model"])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            start = perf_counter()
            estimator.fit(X, y)
            self.alone_seconds.append(perf_counter() - start)
        return self.alone_seconds[-1]

    def apply(self, function, X):
        start = perf_counter()
        function(X)
        self.apply_seconds.append(perf_counter() - start)

    def summarize(self, model, X, y):
        """Score of the fitted model and its certificate, where there is one."""
        if hasattr(model, "score"):
            self.scores.append(float(model.score(X, y)))
        gap = getattr(getattr(model, "best_estimator_", model)[-1], "dual_gap_", None)
        if gap is not None:
            self.dual_gaps.append(float(np.max(gap)))


class Measurement:
    """Both estimators of a case on a problem, in turns, round by round.

    The first call of either is timed apart and left out of every median: it
    loads or compiles kernels. Then come rounds, each a fold: both fit as a whole
    model, both fit the estimator alone, both are applied, and who goes first
    alternates.

    Parameters
    ----------
    case : Case
    problem : Problem
        With a standardized target, if it is a regression.
    settings : Settings

    Attributes
    ----------
    n_rounds : int
        Rounds so far.
    round_seconds : float
        What the last round took.
    """

    def __init__(self, case, problem, settings):
        self.case, self.problem, self.settings = case, problem, settings
        self.task = TASKS[case.task]
        self.folds = split_folds(self.task, problem, settings)
        self.sides = (_Side(), _Side())
        self.n_rounds = 0
        self.round_seconds = 0.0

    @property
    def is_complete(self):
        """Whether every fold has been repeated as often as is useful."""
        return self.n_rounds >= _PASSES * len(self.folds)

    def run_first_pass(self, deadline, warm_theirs=True):
        """Warm up and run each fold once; after `deadline` the first fold only.

        scikit-learn has nothing to compile: its classes need no second warm-up
        on other data.
        """
        self.first_call_seconds = self._warm_up(warm_theirs)
        for position in range(len(self.folds)):
            if position == 0 or perf_counter() < deadline:
                self.run_round()

    def run_round(self):
        """Run the next fold."""
        start = perf_counter()
        order = (OURS, THEIRS) if self.n_rounds % 2 == 0 else (THEIRS, OURS)
        fold = self.folds[self.n_rounds % len(self.folds)]
        self._run_fold(fold, self.sides, order, scored=self.n_rounds < len(self.folds))
        self.n_rounds += 1
        self.round_seconds = perf_counter() - start

    def _warm_up(self, warm_theirs):
        # scikit-learn goes first, so that shared modules are loaded already and
        # our first call measures our own part only.
        first = (_Side(), _Side())
        for side in (THEIRS, OURS) if warm_theirs else (OURS,):
            self._run_fold(self.folds[0], first, (side,), scored=False)
        return first[OURS].fit_seconds[0]

    def _run_fold(self, fold, sides, order, scored):
        X, y = self.problem.X, self.problem.y
        train, test = fold
        y_train, y_test = (None, None) if y is None else (y[train], y[test])
        X_train, X_test = X[train], X[test]
        models = {side: build_model(self.case, side, self.problem, self.settings) for side in order}
        for name in ("fit", "fit_alone"):
            for _ in range(_SHORT_REPEATS):
                spent = [getattr(sides[s], name)(models[s], X_train, y_train) for s in order]
                if max(spent) > _SHORT_SECONDS:
                    break
        for _ in range(_SHORT_REPEATS):
            for side in order:
                sides[side].apply(getattr(models[side], self.task.apply), X_test)
        if scored:
            for side in order:
                sides[side].summarize(models[side], X_test, y_test)

    def to_row(self):
        """Medians and means of the rounds so far.

        Returns
        -------
        row : Row
        """
        ours, theirs = self.sides
        has_score = self.task.score_name is not None and ours.scores and theirs.scores
        return Row(
            estimator=self.case.name,
            data=self.problem.name,
            task=self.case.task,
            n_samples=self.problem.X.shape[0],
            n_features=self.problem.X.shape[1],
            n_targets=self.problem.n_targets,
            fit_seconds=statistics.median(ours.fit_seconds),
            sklearn_fit_seconds=statistics.median(theirs.fit_seconds),
            alone_seconds=statistics.median(ours.alone_seconds),
            sklearn_alone_seconds=statistics.median(theirs.alone_seconds),
            predict_seconds=statistics.median(ours.apply_seconds),
            sklearn_predict_seconds=statistics.median(theirs.apply_seconds),
            score_name=self.task.score_name,
            score=statistics.fmean(ours.scores) if has_score else None,
            sklearn_score=statistics.fmean(theirs.scores) if has_score else None,
            dual_gap=max(ours.dual_gaps) if ours.dual_gaps else None,
            first_call_seconds=self.first_call_seconds,
            n_rounds=self.n_rounds,
            n_folds=min(self.n_rounds, len(self.folds)),
            n_fits=ours.n_fits,
            n_unconverged=ours.n_unconverged,
            sklearn_n_unconverged=theirs.n_unconverged,
        )
