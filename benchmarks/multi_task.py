"""The multi-task family: several targets that share their features."""

from dataclasses import replace
from importlib import import_module

import numpy as np

from benchmarks._data import load_diabetes, make_regression
from benchmarks._harness import Case
from benchmarks.linear_model import find_first_tolerance  # noqa: F401, the harness asks for it

_MANY = 100_000


def _fit(package):
    def run(problem, tol):
        name = "MultiTaskLasso" if problem.l1_ratio == 1 else "MultiTaskElasticNet"
        arguments = {} if problem.l1_ratio == 1 else {"l1_ratio": problem.l1_ratio}
        arguments |= {"tol": tol, "max_iter": _MANY}
        model = getattr(import_module(package), name)
        return model(alpha=problem.alphas[0], **arguments).fit(problem.X, problem.y)

    return run


def _search(package):
    def run(problem, tol):
        model = import_module(package).MultiTaskLassoCV
        return model(cv=5, tol=tol, max_iter=_MANY).fit(problem.X, problem.y)

    return run


def _measure(case, problem, model, refine=False):
    """Relative duality gap, written apart from the package's own certificate on purpose."""
    X, Y, W = problem.X, problem.y, model.coef_.T
    alpha = getattr(model, "alpha_", problem.alphas[0])
    l1, l2 = (len(Y) * alpha * share for share in (problem.l1_ratio, 1 - problem.l1_ratio))
    residual = Y - X @ W - model.intercept_
    norms = np.linalg.norm(W, axis=1)
    primal = 0.5 * (residual**2).sum() + l1 * norms.sum() + 0.5 * l2 * (norms**2).sum()
    Y, theta = Y - Y.mean(axis=0), residual - residual.mean(axis=0)
    # The residual of the problem in which the L2 penalty stands as rows of X.
    slopes = np.linalg.norm(X.T @ theta - l2 * W, axis=1)
    squares = (theta**2).sum() + l2 * (W**2).sum()
    scale = min((Y * theta).sum() / squares, l1 / max(slopes.max(), 1e-300))
    dual = scale * (Y * theta).sum() - 0.5 * scale**2 * squares
    return float((primal - dual) / (0.5 * (Y**2).sum()))


def _with_penalty(problem, share, l1_ratio=1.0):
    X, Y = problem.X - problem.X.mean(axis=0), problem.y - problem.y.mean(axis=0)
    largest = np.linalg.norm(X.T @ Y, axis=1).max() / len(Y)
    alphas = np.array([share * largest / l1_ratio])
    return replace(problem, alphas=alphas, l1_ratio=l1_ratio)


def _load_three_targets(quick):
    problem = load_diabetes()
    # The progression, and two measurements that it goes with.
    X, Y = np.delete(problem.X, [2, 3], axis=1), np.c_[problem.y, 1000 * problem.X[:, 2:4]]
    return _with_penalty(replace(problem, X=np.asfortranarray(X), y=Y), 0.05)


def _make(n_samples, n_features, n_targets, share, l1_ratio=1.0, correlation=0.5):
    def make(quick):
        problem = make_regression(
            n_samples, n_features, n_features // 10, n_targets=n_targets, correlation=correlation
        )
        return _with_penalty(problem, share, l1_ratio)

    return make


_FIT = {"skextra": _fit("skextra.linear_model"), "scikit-learn": _fit("sklearn.linear_model")}
_CV = {"skextra": _search("skextra.linear_model"), "scikit-learn": _search("sklearn.linear_model")}


def _case(name, title, make, runs=_FIT):
    return Case(f"multi-task-{name}", title, make, runs, None, measure=_measure)


CASES = (
    _case("tiny", "MultiTaskLasso", _load_three_targets),
    _case("small", "MultiTaskLasso", _make(500, 100, 10, 0.05)),
    _case("small-enet", "MultiTaskElasticNet", _make(500, 100, 10, 0.05, 0.5)),
    _case("square", "MultiTaskLasso", _make(1000, 1000, 5, 0.05)),
    _case("square-strong", "MultiTaskLasso", _make(1000, 1000, 5, 0.2)),
    _case("square-iid", "MultiTaskLasso", _make(1000, 1000, 5, 0.05, 1.0, 0.0)),
    _case("wide", "MultiTaskLasso", _make(200, 5000, 5, 0.1)),
    _case("tall", "MultiTaskLasso", _make(20_000, 200, 10, 0.05)),
    _case("cv", "MultiTaskLassoCV, 5 folds", _make(1000, 50, 5, 1.0), _CV),
)
