"""Times and accuracies of all contestants on one cell, in turns, in this process."""

import statistics
import time
import warnings
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse
from scipy.special import logsumexp
from sklearn.base import clone

from benchmarks.map.cells import TREES, make_data
from benchmarks.map.contestants import OURS, THEIRS, choose_parameters, list_contestants

# Relative suboptimality below which two solutions count as equally accurate.
_EQUAL = 1e-6
# Kernels of more values are not formed to judge a support vector machine.
_MOST_KERNEL_ROWS = 5_000


@dataclass
class Result:
    """One contestant on one cell.

    Attributes
    ----------
    fit, predict, predict_one : float or None
        Median seconds of a fit, of predictions for the held-out rows, and for one row; None if
        the contestant failed or took too long, which `note` says.
    error : float or None
        Relative suboptimality on the training data, where the estimator minimizes a function.
    score : float or None
        R², accuracy or log-likelihood on held-out data.
    tol : float or None
        Of ours, if it had to be tightened to match scikit-learn's accuracy.
    """

    fit: float | None = None
    predict: float | None = None
    predict_one: float | None = None
    error: float | None = None
    score: float | None = None
    tol: float | None = None
    note: str = ""
    times: list = field(default_factory=list, repr=False)


def measure_cell(cell, limit=20.0):
    """Fit and predict with every contestant.

    Parameters
    ----------
    cell : Cell
    limit : float
        Seconds of a single fit after which a contestant is not timed further.

    Returns
    -------
    results : dict of str to Result
    """
    data = make_data(cell)
    contestants = list_contestants(cell, data)
    results = {name: Result() for name in contestants}
    models, values = {}, {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, estimator in contestants.items():
            models[name] = _try(results[name], estimator, data, warm=True)
        objective = make_objective(cell, data)
        if objective is not None:
            values = {name: objective(model) for name, model in models.items() if model is not None}
            best = min([*values.values(), objective(_fit_exactly(cell, data, contestants[OURS]))])
            scale = max(abs(best), 1e-300)
            for name, value in values.items():
                results[name].error = max((value - best) / scale, 0.0)
            if models[OURS] is not None and models[THEIRS] is not None:
                _tighten(contestants, models, results, objective, best, scale, data)
        _time_fits(contestants, models, results, data, limit)
        _time_predictions(models, results, data)
    return results


def _try(result, estimator, data, warm):
    try:
        model = clone(estimator)
        if warm:  # imports and compilation
            model.fit(data.X, data.y) if data.y is not None else model.fit(data.X)
            model = clone(estimator)
        start = time.perf_counter()
        model.fit(data.X, data.y) if data.y is not None else model.fit(data.X)
        result.times.append(time.perf_counter() - start)
    except Exception as error:
        result.note = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"[:200]
        return None
    result.score = _score(model, data)
    return model


def _score(model, data):
    if data.y is None:
        return float(np.mean(model.score_samples(data.X_test)))
    predicted = np.asarray(model.predict(data.X_test))
    if data.y.dtype.kind == "f":
        residual = ((data.y_test - predicted.reshape(data.y_test.shape)) ** 2).sum(axis=0)
        total = ((data.y_test - data.y_test.mean(axis=0)) ** 2).sum(axis=0)
        return float(np.mean(1 - residual / total))
    return float(np.mean(predicted == data.y_test))


def _fit_exactly(cell, data, ours):
    """Our solution at the tightest tolerance: the reference for suboptimality."""
    model = clone(ours)
    if "tol" in model.get_params():
        model.set_params(tol=1e-12, max_iter=100_000)
    return model.fit(data.X, data.y)


def _tighten(contestants, models, results, objective, best, scale, data):
    ours, theirs = results[OURS], results[THEIRS]
    tol = contestants[OURS].get_params().get("tol")
    while tol is not None and ours.error > max(theirs.error, _EQUAL) and tol > 1e-12:
        tol /= 10
        contestants[OURS] = clone(contestants[OURS]).set_params(tol=tol)
        ours.times.clear()
        models[OURS] = _try(ours, contestants[OURS], data, warm=False)
        ours.error = max((objective(models[OURS]) - best) / scale, 0.0)
        ours.tol = tol


def _time_fits(contestants, models, results, data, limit):
    running = [name for name, model in models.items() if model is not None]
    longest = max((results[name].times[-1] for name in running), default=0.0)
    n_rounds = int(np.clip(0.5 / max(longest, 1e-4), 0 if longest > limit / 4 else 4, 30))
    for _ in range(n_rounds):
        for name in running:
            _try(results[name], contestants[name], data, warm=False)
    for name in running:
        results[name].fit = statistics.median(results[name].times)
        if results[name].times[0] > limit:
            results[name].note = f"over {limit:g} s"


def _time_predictions(models, results, data):
    one = data.X_test[:1]
    for attribute, X in (("predict", data.X_test), ("predict_one", one)):
        times = {name: [] for name, model in models.items() if model is not None}
        for name in times:
            models[name].predict(X)
        start = time.perf_counter()
        while time.perf_counter() - start < 0.5 or min(map(len, times.values())) < 3:
            for name, taken in times.items():
                before = time.perf_counter()
                models[name].predict(X)
                taken.append(time.perf_counter() - before)
            if min(map(len, times.values())) >= 200:
                break
        for name, taken in times.items():
            setattr(results[name], attribute, statistics.median(taken))


def make_objective(cell, data):
    """Function of a fitted model that its estimator minimizes on the training data, or None.

    Trees, forests and mixtures have none that could be compared; nor have estimators that
    choose their penalty, and support vector machines whose intercept scikit-learn penalizes.
    """
    name, X, y = cell.estimator, data.X, data.y
    parameters = choose_parameters(cell, data)
    if name in TREES or name.endswith("CV") or name in ("GaussianMixture", "LinearSVC"):
        return None
    if name == "SVC":
        is_judged = len(y) <= _MOST_KERNEL_ROWS and cell.target == "2 classes"
        return _make_svc_objective(X) if is_judged else None
    X = X.astype(np.float64)
    if name == "LogisticRegression":
        return lambda model: _compute_log_loss(model, X, y)
    alpha = parameters.get("alpha", 1.0)
    l1_ratio = {"Ridge": 0.0, "ElasticNet": 0.5, "Lasso": 1.0}[name.removeprefix("MultiTask")]
    loss_scale = 1.0 if name == "Ridge" else 0.5 / len(y)
    ridge_scale = alpha if name == "Ridge" else 0.5 * alpha * (1 - l1_ratio)

    def compute(model):
        coef = np.asarray(model.coef_, dtype=np.float64)
        residual = y - (X @ coef.T + model.intercept_).reshape(y.shape)
        sizes = np.linalg.norm(coef, axis=0) if name.startswith("MultiTask") else np.abs(coef)
        penalty = alpha * l1_ratio * sizes.sum() + ridge_scale * (coef**2).sum()
        return float(loss_scale * (residual**2).sum() + penalty)

    return compute


def _compute_log_loss(model, X, y):
    coef = np.asarray(model.coef_, dtype=np.float64)
    scores = X @ coef.T + model.intercept_
    if scores.shape[1] == 1:
        losses = np.logaddexp(0.0, np.where(y == 1, -scores[:, 0], scores[:, 0]))
    else:
        losses = logsumexp(scores, axis=1) - scores[np.arange(len(y)), y]
    return float(losses.sum() + 0.5 * (coef**2).sum())


def _make_svc_objective(X):
    """Dual objective of a machine with two classes and the default kernel, to be minimized."""

    def compute(model):
        support = model.support_vectors_
        support = support.toarray() if sparse.issparse(support) else np.asarray(support)
        coef = model.dual_coef_.toarray() if sparse.issparse(model.dual_coef_) else model.dual_coef_
        gamma = 1 / (X.shape[1] * (X.toarray() if sparse.issparse(X) else X).var())
        squares = (support.astype(float) ** 2).sum(axis=1)
        distances = squares[:, None] + squares - 2 * support.astype(float) @ support.T
        K = np.exp(-gamma * np.maximum(distances, 0))
        return float(0.5 * coef[0] @ K @ coef[0] - np.abs(coef[0]).sum())

    return compute
