"""The linear-model family: what is solved, on what, and how each contestant is called."""

from dataclasses import replace
from importlib import import_module

import numpy as np

from benchmarks import _data
from benchmarks._data import make_regression
from benchmarks._harness import Case, Solution

_MANY = 100_000


def _penalty(problem):
    """Class-name stem and arguments of the penalty, as all of them spell it."""
    if problem.l1_ratio == 1:
        return "Lasso", {}
    return "ElasticNet", {"l1_ratio": problem.l1_ratio}


def _given(**arguments):
    # None asks for the contestant's own default.
    return {name: value for name, value in arguments.items() if value is not None}


# Paths -----------------------------------------------------------------------


def _like_sklearn_path(package):
    def run(problem, tol):
        module = import_module(f"{package}.linear_model")
        name, arguments = _penalty(problem)
        path = module.lasso_path if name == "Lasso" else module.enet_path
        return path(
            problem.X, problem.y, alphas=problem.alphas, tol=tol, max_iter=_MANY, **arguments
        )

    return run


def _celer_path(problem, tol):
    celer_path = import_module("celer").celer_path
    return celer_path(
        problem.X,
        problem.y,
        "lasso",
        alphas=problem.alphas,
        l1_ratio=problem.l1_ratio,
        tol=tol,
        max_iter=1000,
        max_epochs=_MANY,
    )


def _skglm_path(problem, tol):
    name, arguments = _penalty(problem)
    model = getattr(import_module("skglm"), name)(
        tol=tol, fit_intercept=False, max_iter=1000, max_epochs=_MANY, **arguments
    )
    return model.path(problem.X, problem.y, problem.alphas)


def _read_path(result, problem):
    alphas, coefs = result[0], result[1]
    return Solution(coefs, np.zeros(len(alphas)), np.asarray(alphas), problem.l1_ratio)


# Single fits -----------------------------------------------------------------


def _like_sklearn_fit(package):
    def run(problem, tol):
        name, arguments = _penalty(problem)
        limit = None if tol is None else _MANY
        arguments |= _given(tol=tol, max_iter=limit)
        model = getattr(import_module(f"{package}.linear_model"), name)
        return model(alpha=problem.alphas[0], **arguments).fit(problem.X, problem.y)

    return run


def _working_set_fit(package):
    def run(problem, tol):
        name, arguments = _penalty(problem)
        limits = {} if tol is None else {"max_iter": 1000, "max_epochs": _MANY}
        model = getattr(import_module(package), name)
        arguments |= _given(tol=tol) | limits
        return model(alpha=problem.alphas[0], **arguments).fit(problem.X, problem.y)

    return run


def _glum_fit(problem, tol):
    model = import_module("glum").GeneralizedLinearRegressor
    alpha = problem.alphas[0]
    if problem.l1_ratio == 0:
        alpha = alpha / len(problem.y)  # scikit-learn's Ridge does not average the loss
    arguments = _given(gradient_tol=tol, max_iter=None if tol is None else 1000)
    return model(alpha=alpha, l1_ratio=problem.l1_ratio, **arguments).fit(problem.X, problem.y)


def _read_fit(model, problem):
    return Solution(
        model.coef_.reshape(-1, 1),
        np.reshape(model.intercept_, 1),
        problem.alphas,
        problem.l1_ratio,
    )


# Cross-validated fits --------------------------------------------------------


def _like_sklearn_cv(package):
    def run(problem, tol):
        name, arguments = _penalty(problem)
        model = getattr(import_module(f"{package}.linear_model"), f"{name}CV")
        return model(cv=5, tol=tol, max_iter=_MANY, **arguments).fit(problem.X, problem.y)

    return run


def _celer_cv(problem, tol):
    name, arguments = _penalty(problem)
    model = getattr(import_module("celer"), f"{name}CV")
    return model(cv=5, tol=tol, max_iter=1000, max_epochs=_MANY, **arguments).fit(
        problem.X, problem.y
    )


def _read_cv(model, problem):
    return _read_fit(model, replace(problem, alphas=np.array([model.alpha_])))


# Ridge -----------------------------------------------------------------------


def _like_sklearn_ridge(package):
    def run(problem, tol):
        model = import_module(f"{package}.linear_model").Ridge
        return model(alpha=problem.alphas[0], **_given(tol=tol)).fit(problem.X, problem.y)

    return run


def _like_sklearn_ridge_cv(package):
    def run(problem, tol):
        model = import_module(f"{package}.linear_model").RidgeCV
        return model(alphas=problem.alphas).fit(problem.X, problem.y)

    return run


def _read_ridge(model, problem):
    coefs = np.atleast_2d(model.coef_).T
    alphas = np.full(coefs.shape[1], getattr(model, "alpha_", problem.alphas[0]), dtype=float)
    intercepts = np.broadcast_to(model.intercept_, coefs.shape[1])
    return Solution(coefs, intercepts, alphas / len(problem.y), 0.0)


_PATH = {
    "skextra": _like_sklearn_path("skextra"),
    "scikit-learn": _like_sklearn_path("sklearn"),
    "celer": _celer_path,
    "skglm": _skglm_path,
}
_FIT = {
    "skextra": _like_sklearn_fit("skextra"),
    "scikit-learn": _like_sklearn_fit("sklearn"),
    "celer": _working_set_fit("celer"),
    "skglm": _working_set_fit("skglm"),
}
_FIT_GLUM = {**_FIT, "glum": _glum_fit}
_CV = {
    "skextra": _like_sklearn_cv("skextra"),
    "scikit-learn": _like_sklearn_cv("sklearn"),
    "celer": _celer_cv,
}
_RIDGE = {
    "skextra": _like_sklearn_ridge("skextra"),
    "scikit-learn": _like_sklearn_ridge("sklearn"),
}
_RIDGE_GLUM = {**_RIDGE, "glum": _glum_fit}
_RIDGE_CV = {
    "skextra": _like_sklearn_ridge_cv("skextra"),
    "scikit-learn": _like_sklearn_ridge_cv("sklearn"),
}


def find_first_tolerance(contestant, problem, target):
    """Loosest tolerance worth trying: ten times what ought to be enough.

    skglm and glum bound the gradient, which has the units of the data; the
    others bound a duality gap relative to the target.
    """
    if contestant in ("skglm", "glum"):
        return float(10.0 ** np.floor(np.log10(0.1 * problem.alpha_max)))
    return 10 * target


# Problems: quick ones are the same, smaller ----------------------------------


def _path(load, quick_eps=1e-2):
    def make(quick):
        problem = load()
        if problem is None:
            return None
        return problem.with_path(10, quick_eps) if quick else problem.with_path(100, 1e-3)

    return make


def _wide(quick, l1_ratio=1.0):
    if quick:
        return make_regression(200, 2_000, 20).with_path(30, 1e-2, l1_ratio)
    return make_regression(1_000, 20_000, 100).with_path(100, 1e-3, l1_ratio)


def _tall(quick):
    return make_regression(5_000, 100, 30) if quick else make_regression(100_000, 500, 100)


def _medium(quick, l1_ratio=1.0):
    return make_regression(5_000, 200, 40).with_alpha(0.01, l1_ratio)


def _ridge(load, alphas=(1.0,)):
    def make(quick):
        problem = load(quick)
        return problem and replace(problem, alphas=np.array(alphas), l1_ratio=0.0)

    return make


_GRID = tuple(np.logspace(-2, 4, 13))
_RIDGE_PROBLEMS = {
    "tiny": lambda quick: _data.load_diabetes(),
    "tall": lambda quick: make_regression(5_000 if quick else 100_000, 100, 50),
    "wide": lambda quick: (
        make_regression(100, 1_000, 50) if quick else make_regression(200, 5_000, 50)
    ),
    "square": lambda quick: make_regression(*(2 * [400 if quick else 2_000]), 100),
    "targets": lambda quick: (
        make_regression(1_000, 100, 50, n_targets=100)
        if quick
        else make_regression(5_000, 200, 100, n_targets=1_000)
    ),
    "sparse": lambda quick: _data.load_adult(5_000 if quick else None),
}

CASES = (
    Case(
        "tiny",
        "Lasso, defaults",
        lambda quick: _data.load_diabetes(),
        _FIT,
        _read_fit,
        target=None,
        fresh_when_quick=True,
    ),
    Case(
        "tiny-enet",
        "ElasticNet, defaults",
        lambda quick: replace(_data.load_diabetes(), l1_ratio=0.5),
        _FIT,
        _read_fit,
        target=None,
    ),
    Case("medium", "Lasso at alpha_max/100", _medium, _FIT_GLUM, _read_fit),
    Case(
        "medium-enet",
        "ElasticNet at alpha_max/100",
        lambda quick: _medium(quick, 0.5),
        _FIT_GLUM,
        _read_fit,
    ),
    Case("path-wide", "lasso_path", _wide, _PATH, _read_path),
    Case("path-wide-enet", "enet_path", lambda quick: _wide(quick, 0.5), _PATH, _read_path),
    Case("path-golub", "lasso_path, genes", _path(_data.load_golub), _PATH, _read_path),
    Case("path-tecator", "lasso_path, spectra", _path(_data.load_tecator), _PATH, _read_path),
    Case("path-yarn", "lasso_path, spectra", _path(_data.load_yarn), _PATH, _read_path),
    Case("path-farm-ads", "lasso_path, words", _path(_data.load_farm_ads, 0.1), _PATH, _read_path),
    Case("path-adult", "lasso_path, one-hot", _path(_data.load_adult, 0.1), _PATH, _read_path),
    Case("path-reviews", "lasso_path, tf-idf", _path(_data.load_reviews, 0.1), _PATH, _read_path),
    Case(
        "path-tall",
        "lasso_path",
        lambda quick: _tall(quick).with_path(100, 1e-3),
        _PATH,
        _read_path,
    ),
    Case("lasso-cv-tall", "LassoCV, 5 folds", _tall, _CV, _read_cv),
    Case(
        "enet-cv-tall",
        "ElasticNetCV, 5 folds",
        lambda quick: replace(_tall(quick), l1_ratio=0.5),
        _CV,
        _read_cv,
    ),
    *(
        Case(
            f"ridge-{name}",
            "Ridge",
            _ridge(load),
            _RIDGE_GLUM if name in ("tall", "wide", "sparse") else _RIDGE,
            _read_ridge,
            fresh_when_quick=name == "tiny",
        )
        for name, load in _RIDGE_PROBLEMS.items()
    ),
    *(
        Case(
            f"ridge-cv-{name}",
            "RidgeCV, 13 alphas",
            _ridge(load, _GRID),
            _RIDGE_CV,
            _read_ridge,
            has_tolerance=False,
        )
        for name, load in _RIDGE_PROBLEMS.items()
    ),
)
