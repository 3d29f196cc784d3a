"""Time and score one pair of estimators on one problem."""

import math
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
from skextra._compare._scores import compute_noise, score_each_row

_PASSES = 3  # over the folds, at most
_SEEDS = 4  # of estimators that draw at random, to see how much their scores vary
# Short calls are repeated within a round: a single one would be mostly noise.
_SHORT_REPEATS, _SHORT_SECONDS = 5, 0.05
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


class Side:
    """Measurements of one library so far."""

    def __init__(self):
        self.seconds = {"fit": [], "alone": [], "apply": []}
        self.rounds = {"fit": [], "alone": [], "apply": []}
        self.points = []
        self.dual_gaps = []
        self.n_fits = 0
        self.n_unconverged = 0
        self._n_before = dict.fromkeys(self.seconds, 0)

    def fit(self, model, X, y, method="fit"):
        """Fit a model and count it; its seconds."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            start = perf_counter()
            getattr(model, method)(X, y)
            self.seconds["fit"].append(perf_counter() - start)
        self.n_fits += 1
        self.n_unconverged += any(issubclass(w.category, ConvergenceWarning) for w in caught)
        return self.seconds["fit"][-1]

    def fit_alone(self, model, X, y):
        """Fit the estimator by itself, as chosen, on data prepared already; its seconds."""
        pipeline = getattr(model, "best_estimator_", model)
        before = list(pipeline.named_steps).index("model")
        X, estimator = pipeline[:before].transform(X), clone(pipeline["model"])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            start = perf_counter()
            estimator.fit(X, y)
            self.seconds["alone"].append(perf_counter() - start)
        return self.seconds["alone"][-1]

    def apply(self, function, X):
        """Time a prediction or a transformation."""
        start = perf_counter()
        function(X)
        self.seconds["apply"].append(perf_counter() - start)

    def close_round(self):
        """Keep the fastest of the calls since the last round: what else ran only adds time."""
        for name, seconds in self.seconds.items():
            if len(seconds) > self._n_before[name]:
                self.rounds[name].append(min(seconds[self._n_before[name] :]))
                self._n_before[name] = len(seconds)

    def summarize(self, task, model, X, y):
        """Score of the fitted model and its certificate, where there is one."""
        points = score_each_row(task, model, X, y)
        if points is not None:
            self.points.append(points)
        final = getattr(model, "best_estimator_", model)
        gap = getattr(final[-1] if isinstance(final, Pipeline) else final, "dual_gap_", None)
        if gap is not None:
            self.dual_gaps.append(float(np.max(gap)))

    def get_score(self):
        """Mean over the folds, or None."""
        return statistics.fmean(float(np.mean(p)) for p in self.points) if self.points else None


def repeat_if_short(call):
    """Repeat a call that returns what it took, while that is too short for a single timing."""
    spent = 0.0
    for _ in range(_SHORT_REPEATS):
        spent += sum(call())
        if spent > _SHORT_SECONDS:
            break


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
        self.sides = (Side(), Side())
        self.n_rounds = 0
        self.round_seconds = 0.0
        self.seed_noise = 0.0

    @property
    def is_complete(self):
        """Whether every fold has been repeated as often as is useful."""
        return self.n_rounds >= _PASSES * len(self.folds)

    def run_first_pass(self, deadline, warm_theirs=True):
        """Warm up and run each fold once; after `deadline` the first fold only.

        scikit-learn has nothing to compile: its classes need no second warm-up
        on other data.

        Returns
        -------
        seconds : float
            By how much our first fit was slower than the next one: loading and
            compiling, which no time budget should pay for.
        """
        self.first_call_seconds = self._warm_up(warm_theirs)
        for position in range(len(self.folds)):
            if position == 0 or perf_counter() < deadline:
                self.run_round()
                if position == 0:
                    loading = max(0.0, self.first_call_seconds - self.sides[OURS].rounds["fit"][0])
                    deadline += loading
        return loading

    def run_round(self):
        """Run the next fold."""
        start = perf_counter()
        order = (OURS, THEIRS) if self.n_rounds % 2 == 0 else (THEIRS, OURS)
        fold = self.folds[self.n_rounds % len(self.folds)]
        self._run_fold(fold, self.sides, order, scored=self.n_rounds < len(self.folds))
        self.n_rounds += 1
        self.round_seconds = perf_counter() - start

    def measure_seed_noise(self):
        """Learn how much the score of an estimator that draws at random varies with its seed.

        From a few fits of ours, which are not timed.
        """
        if "random_state" in self.case.params and self.sides[OURS].points:
            scores = [float(np.mean(self.sides[OURS].points[0]))]
            scores += [self._score_with_seed(seed) for seed in range(1, _SEEDS)]
            self.seed_noise = statistics.stdev(scores)

    def _score_with_seed(self, seed):
        X, y = self.problem.X, self.problem.y
        train, test = self.folds[0]
        y_train, y_test = (None, None) if y is None else (y[train], y[test])
        model = build_model(self.case, OURS, self.problem, self.settings)
        final = model.estimator if isinstance(model, GridSearchCV) else model
        final["model"].set_params(random_state=seed)
        model.fit(X[train], y_train)
        return float(np.mean(score_each_row(self.task, model, X[test], y_test)))

    def _warm_up(self, warm_theirs):
        # scikit-learn goes first, so that shared modules are loaded already and
        # our first call measures our own part only.
        first = (Side(), Side())
        for side in (THEIRS, OURS) if warm_theirs else (OURS,):
            self._run_fold(self.folds[0], first, (side,), scored=False)
        return first[OURS].seconds["fit"][0]

    def _run_fold(self, fold, sides, order, scored):
        X, y = self.problem.X, self.problem.y
        train, test = fold
        y_train, y_test = (None, None) if y is None else (y[train], y[test])
        X_train, X_test = X[train], X[test]
        models = {side: build_model(self.case, side, self.problem, self.settings) for side in order}
        for name in ("fit", "fit_alone"):
            repeat_if_short(
                lambda name=name: [
                    getattr(sides[s], name)(models[s], X_train, y_train) for s in order
                ]
            )
        for _ in range(_SHORT_REPEATS):
            for side in order:
                sides[side].apply(getattr(models[side], self.task.apply), X_test)
        for side in order:
            sides[side].close_round()
            if scored:
                sides[side].summarize(self.task, models[side], X_test, y_test)

    def _compute_noise(self):
        """Standard error of the difference of the mean scores, by rows and by seeds."""
        points = [side.points for side in self.sides]
        return math.hypot(compute_noise(*points), self.seed_noise * math.sqrt(2 / len(points[0])))

    def to_row(self):
        """Medians and means of the rounds so far.

        Returns
        -------
        row : Row
        """
        ours, theirs = self.sides
        has_score = self.task.score_name is not None and ours.points and theirs.points

        def take_median(side, name):
            return statistics.median(side.rounds[name] or side.rounds["fit"])

        return Row(
            estimator=self.case.name,
            data=self.problem.name,
            task=self.case.task,
            n_samples=self.problem.X.shape[0],
            n_features=self.problem.X.shape[1],
            n_targets=self.problem.n_targets,
            fit_seconds=take_median(ours, "fit"),
            sklearn_fit_seconds=take_median(theirs, "fit"),
            alone_seconds=take_median(ours, "alone"),
            sklearn_alone_seconds=take_median(theirs, "alone"),
            predict_seconds=take_median(ours, "apply"),
            sklearn_predict_seconds=take_median(theirs, "apply"),
            score_name=self.task.score_name,
            score=ours.get_score() if has_score else None,
            sklearn_score=theirs.get_score() if has_score else None,
            score_noise=self._compute_noise() if has_score else None,
            dual_gap=max(ours.dual_gaps) if ours.dual_gaps else None,
            first_call_seconds=self.first_call_seconds,
            n_rounds=self.n_rounds,
            n_folds=min(self.n_rounds, len(self.folds)),
            n_fits=ours.n_fits,
            n_unconverged=ours.n_unconverged,
            sklearn_n_unconverged=theirs.n_unconverged,
            fit_spread=_measure_spread(ours.rounds["fit"], theirs.rounds["fit"]),
        )


def _measure_spread(ours, theirs):
    """Half the range of the rounds' ratios, or None for a single round.

    From four rounds on the range between the quartiles, which one disturbed round leaves alone.
    """
    ratios = [slow / fast for fast, slow in zip(ours, theirs, strict=True)]
    if len(ratios) < 2:
        return None
    low, high = min(ratios), max(ratios)
    if len(ratios) >= 4:
        low, _, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return (high - low) / 2
