"""Mixtures of every number of components: starts of their own, splits and merges."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from skextra import _core
from skextra.mixture._start import draw_labels, draw_statistics, summarize_labels

_TRIALS, _SHORT = 3, 5  # components tried for splitting, iterations each gets


@dataclass(frozen=True)
class Plan:
    """What a search runs.

    Attributes
    ----------
    sizes : tuple of int
        Numbers of components, rising by 1.
    n_init : int
    init_params : str
    settings : Settings
    """

    sizes: tuple
    n_init: int
    init_params: str
    settings: object


def draw_assignments(data, plan, random_state):
    """For each size, what each start is drawn from: labels, or a seed for shares.

    They do not depend on the covariance type, and are made once for all.
    """
    X = data.X
    if not data.is_complete:
        with _core.runtime.threads.Pool(1) as pool:
            X = _core.mixture.start.impute(data, plan.settings.floor, pool)
    drawn = {}
    for size in plan.sizes:
        if plan.init_params == "random":
            seeds = random_state.randint(np.iinfo(np.int32).max, size=plan.n_init)
            drawn[size] = [int(seed) for seed in seeds]
        else:
            drawn[size] = [
                draw_labels(X, data.weights, size, plan.init_params, random_state)
                for _ in range(plan.n_init)
            ]
    return X, drawn


def fit_size(data, X, size, drawn, plan):
    """Best result of the starts of one size and covariance type; None if all collapse."""
    best, settings = None, plan.settings
    for assignment in drawn:
        if isinstance(assignment, int):
            random_state = np.random.RandomState(assignment)
            statistics = draw_statistics(X, data, size, "random", settings.floor, random_state)
        else:
            statistics = summarize_labels(
                X, data, size, assignment, plan.init_params, settings.floor
            )
        start = partial(
            _core.mixture.start.create_start,
            statistics, settings.floor, data.kind, {}, data.covariance,
        )  # fmt: skip
        best = _choose(best, _try(data, plan, start))
    return best


def improve(data, results, plan):
    """Pass over the sizes upwards by splits and downwards by merges, keeping what is better.

    Parameters
    ----------
    data : Data
    results : list of Result or None
        One a size, rising; changed in place.
    plan : Plan
    """
    moves = _core.mixture.split_merge
    for i in range(1, len(results)):
        if results[i - 1] is not None:
            split = _split(data, results[i - 1].parameters, plan)
            results[i] = _choose(results[i], split)
    for i in range(len(results) - 2, -1, -1):
        if results[i + 1] is not None:
            larger = results[i + 1].parameters
            merged = _try(data, plan, lambda larger=larger: moves.merge(larger))
            results[i] = _choose(results[i], merged)
    return results


def _split(data, parameters, plan):
    moves = _core.mixture.split_merge
    short = _core.mixture.em.Settings(
        **{**vars(plan.settings), "max_iter": min(_SHORT, plan.settings.max_iter)}
    )
    best = None
    for component in moves.choose_splits(parameters, _TRIALS):
        trial = _try(
            data,
            plan,
            lambda k=component: moves.split(parameters, k, np.atleast_1d(data.covariance)),
            short,
        )
        best = _choose(best, trial)
    if best is None:
        return None
    return _try(data, plan, lambda: best.parameters)


def _try(data, plan, create, settings=None):
    try:
        with _core.runtime.threads.Pool(1) as pool:
            return _core.mixture.em.solve(data, create(), settings or plan.settings, pool)
    except _core.mixture.parameters.CollapseError:
        return None


def _choose(first, second):
    if first is None or second is None:
        return second if first is None else first
    return second if second.bounds[-1] > first.bounds[-1] else first
