"""The logistic-regression family: what is solved, on what, and how each contestant is called."""

from dataclasses import dataclass, replace
from importlib import import_module

import numpy as np

from benchmarks import _classification as data
from benchmarks._classification import Problem
from benchmarks._harness import Case
from benchmarks._log_loss_accuracy import (
    Model,
    compute_lower_bound,
    compute_null_objective,
    compute_objective,
    polish,
)

#: What has to meet the target: every contestant stops on something else, so it is the
#: distance from the minimum, which one function measures for all.
MATCH = "excess"

_MANY = 100_000
# Bounds worse than this would show in the comparison.
_EXACT = 1e-8


@dataclass(frozen=True)
class Solution:
    """A fitted model, the position of its C in the grid, and which problem it solves."""

    coefs: np.ndarray
    intercepts: np.ndarray
    position: int = 0
    penalizes_intercept: bool = False


def _given(**arguments):
    # None asks for the contestant's own default.
    return {name: value for name, value in arguments.items() if value is not None}


def _limit(tol):
    return None if tol is None else _MANY


# How each is called -------------------------------------------------------------------


def _skextra(problem, tol):
    model = import_module("skextra.linear_model").LogisticRegression
    return model(
        C=problem.Cs[0],
        l1_ratio=problem.l1_ratio,
        fit_intercept=problem.fit_intercept,
        **_given(tol=tol, max_iter=_limit(tol)),
    ).fit(problem.X, problem.y)


def _scikit_learn(solver):
    def run(problem, tol):
        model = import_module("sklearn.linear_model").LogisticRegression
        return model(
            C=problem.Cs[0],
            l1_ratio=problem.l1_ratio,
            fit_intercept=problem.fit_intercept,
            solver=solver,
            random_state=0,
            **_given(tol=tol, max_iter=_limit(tol)),
        ).fit(problem.X, problem.y)

    return run


def _skglm(problem, tol):
    model = import_module("skglm").SparseLogisticRegression
    return model(
        alpha=1.0 / (problem.Cs[0] * len(problem.y)),
        l1_ratio=problem.l1_ratio,
        fit_intercept=problem.fit_intercept,
        max_iter=1000,
        max_epochs=_MANY,
        **_given(tol=tol),
    ).fit(problem.X, problem.y)


def _celer(problem, tol):
    model = import_module("celer").LogisticRegression
    return model(C=problem.Cs[0], max_iter=1000, max_epochs=_MANY, **_given(tol=tol)).fit(
        problem.X, problem.y
    )


def _glum(problem, tol):
    model = import_module("glum").GeneralizedLinearRegressor
    return model(
        family="binomial",
        alpha=1.0 / (problem.Cs[0] * len(problem.y)),
        l1_ratio=problem.l1_ratio,
        fit_intercept=problem.fit_intercept,
        **_given(gradient_tol=tol, max_iter=None if tol is None else 1000),
    ).fit(problem.X, problem.y)


def _skextra_cv(problem, tol):
    model = import_module("skextra.linear_model").LogisticRegressionCV
    return _fit_cv(model, problem, tol)


def _scikit_learn_cv(solver):
    def run(problem, tol):
        model = import_module("sklearn.linear_model").LogisticRegressionCV
        return _fit_cv(
            model, problem, tol, solver=solver, random_state=0, use_legacy_attributes=False
        )

    return run


def _fit_cv(model, problem, tol, **arguments):
    return model(
        Cs=problem.Cs,
        l1_ratios=(problem.l1_ratio,),
        cv=5,
        scoring="neg_log_loss",
        **arguments,
        **_given(tol=tol, max_iter=_limit(tol)),
    ).fit(problem.X, problem.y)


# How exact the answers are ------------------------------------------------------------


def _read(model, problem):
    n_rows = 1 if problem.n_classes == 2 else problem.n_classes
    C = getattr(model, "C_", problem.Cs[0])
    return Solution(
        np.reshape(model.coef_, (n_rows, -1)),
        np.broadcast_to(model.intercept_, n_rows).astype(float),
        int(np.argmin(np.abs(problem.Cs - np.ravel(C)[0]))),
        getattr(model, "solver", None) == "liblinear" and problem.fit_intercept,
    )


def _create_model(problem, coefs, intercepts, C):
    return Model(
        problem.X,
        problem.y,
        np.asarray(coefs, dtype=float),
        intercepts,
        problem.l1_ratio / C,
        (1.0 - problem.l1_ratio) / C,
        problem.fit_intercept,
    )


def measure_gap(case, problem, result, refine=False):
    """Objective above a lower bound, relative to the objective at zero coefficients.

    The bound is that of the coefficients' own dual point; with `refine`, that of
    the optimum, found beforehand. Where the solver penalizes the intercept, all
    of it is about that problem.
    """
    solution = case.read(result, problem)
    coefs, intercepts = solution.coefs, solution.intercepts
    bounds = problem.bounds.get("penalized" if solution.penalizes_intercept else "plain")
    null = compute_null_objective(problem.y, problem.n_classes, problem.fit_intercept)
    if solution.penalizes_intercept:
        problem = problem.with_column_of_ones()
        coefs = np.column_stack([coefs, intercepts])
        intercepts = np.zeros(len(coefs))
    model = _create_model(problem, coefs, intercepts, problem.Cs[solution.position])
    primal, bound = compute_objective(model), compute_lower_bound(model)
    if refine and bounds is not None:
        bound = max(bound, bounds[solution.position])
    gap = (primal - bound) / null
    # Rounding alone can put the bound above the objective; anything more is a fault to see.
    return 0.0 if -1e-11 < gap < 0 else float(gap)


def prepare(problem, case):
    """The problem with lower bounds close to the minima of its objectives."""
    problems = {"plain": problem}
    if "liblinear" in case.runs and problem.fit_intercept:
        problems["penalized"] = problem.with_column_of_ones()
    try:
        bounds = {name: find_bounds(each) for name, each in problems.items()}
    except Exception as error:  # every contestant then has to prove its own accuracy
        print(f"no reference, excess is gap: {type(error).__name__}: {error}", flush=True)
        bounds = {}
    return replace(problem, bounds=bounds)


def find_bounds(problem):
    """Lower bound of the objective at each C: from our solution, improved and judged apart."""
    bounds = []
    null = compute_null_objective(problem.y, problem.n_classes, problem.fit_intercept)
    for C in problem.Cs:
        fitted = _skextra(replace(problem, Cs=np.array([C])), 1e-9)
        model = _create_model(problem, fitted.coef_, fitted.intercept_, C)
        candidates = [model]
        if compute_objective(model) - compute_lower_bound(model) > 0.1 * _EXACT * null:
            candidates.append(polish(model))
        bounds.append(max(map(compute_lower_bound, candidates)))
        excess = (min(map(compute_objective, candidates)) - bounds[-1]) / null
        if excess > _EXACT:
            print(f"reference at C={C:.3g} exact to {excess:.0e} only", flush=True)
    return np.array(bounds)


def find_remark(contestant, problem):
    """What a reader has to know of a contestant's row."""
    if contestant == "liblinear" and problem.fit_intercept:
        return "penalizes the intercept; judged on that problem"
    return ""


def find_first_tolerance(contestant, problem, target):
    """Loosest tolerance worth trying."""
    if contestant == "skglm":  # bounds the gradient, which has the units of the data
        return float(10.0 ** np.floor(np.log10(0.1 / (problem.smallest_C * len(problem.y)))))
    if contestant in ("skextra", "celer"):  # a duality gap
        return 10_000 * target
    return 1e-1 if contestant in ("saga", "liblinear") else 1e-2


# Problems: quick ones are the same, smaller -------------------------------------------


def _with(load, l1_ratio=0.0, factor=20.0, **changes):
    def make(quick):
        problem = load(quick)
        if problem is None:
            return None
        if l1_ratio == 0:
            return replace(problem, **changes)
        return problem.with_penalty(l1_ratio, factor, **changes)

    return make


def _fashion(quick):
    return data.load_fashion(300 if quick else 5_000)


def _covtype(quick):
    return data.load_covtype(2_000 if quick else 50_000)


def _departments(quick):
    return data.load_reviews("Department Name", 1_000 if quick else None)


def _recommended(quick):
    return data.load_reviews("Recommended IND", 1_000 if quick else None)


def _farm_ads(quick):
    return data.load_farm_ads(8 if quick else 1)


def _tall(quick):
    return data.make_classification(*((5_000, 20, 10) if quick else (100_000, 50, 25)))


def _wide_multinomial(quick):
    return data.make_classification(*((100, 500, 20, 4) if quick else (400, 5_000, 50, 4)))


def _some_covtype(quick):
    return data.load_covtype(1_000 if quick else 10_000)


def _choose(*solvers, **others):
    runs = {"skextra": _skextra} | others
    return runs | {solver: _scikit_learn(solver) for solver in solvers}


_SMOOTH = ("lbfgs", "newton-cg", "newton-cholesky")
_CV_GRID = np.logspace(-4, 4, 10)
_CV_L1_GRID = np.logspace(-2, 1, 10)


def _case(name, title, make, runs, **options):
    return Case(
        name, title, make, runs, _read, measure=measure_gap, problem_type=Problem, **options
    )


_MULTINOMIAL = (("fashion", _fashion), ("covtype", _covtype), ("reviews", _departments))

CASES = (
    _case(
        "tiny-iris", "L2, defaults, standardized",
        lambda quick: data.load_bundled("iris"), _choose(*_SMOOTH),
        target=None, fresh_when_quick=True,
    ),
    _case(
        "tiny-breast-cancer", "L2, defaults, standardized",
        lambda quick: data.load_bundled("breast_cancer"), _choose(*_SMOOTH, "liblinear"),
        target=None,
    ),
    *(
        _case(f"l1-multi-{name}", "L1 multinomial", _with(load, 1.0), _choose("saga"))
        for name, load in _MULTINOMIAL
    ),
    *(
        _case(
            f"enet-multi-{name}", "elastic net (0.5) multinomial", _with(load, 0.5),
            _choose("saga"),
        )
        for name, load in _MULTINOMIAL
    ),
    _case(
        "l1-farm-ads", "L1 binary, words", _with(_farm_ads, 1.0),
        _choose("liblinear", "saga", skglm=_skglm),
    ),
    _case(
        "l1-farm-ads-origin", "L1 binary without intercept, words",
        _with(_farm_ads, 1.0, fit_intercept=False),
        _choose("liblinear", "saga", skglm=_skglm, celer=_celer),
    ),
    _case(
        "l1-reviews", "L1 binary, tf-idf", _with(_recommended, 1.0),
        _choose("liblinear", "saga", skglm=_skglm),
    ),
    _case(
        "l1-tall", "L1 binary", _with(_tall, 1.0),
        _choose("liblinear", "saga", skglm=_skglm, glum=_glum),
    ),
    _case("l2-tall", "L2 binary", _with(_tall), _choose(*_SMOOTH, "liblinear", glum=_glum)),
    # Newton-Cholesky's matrix would have 3,051 rows here, 58,052 for the words.
    _case(
        "l2-wide", "L2 binary, genes", _with(lambda quick: data.load_golub()),
        _choose(*_SMOOTH, "liblinear"),
    ),
    _case(
        "l2-sparse", "L2 binary, words", _with(_farm_ads),
        _choose("lbfgs", "newton-cg", "liblinear"),
    ),
    _case("l2-multi-covtype", "L2 multinomial", _with(_covtype), _choose(*_SMOOTH)),
    _case("l2-multi-fashion", "L2 multinomial", _with(_fashion), _choose("lbfgs", "newton-cg")),
    _case(
        "l2-multi-wide", "L2 multinomial", _with(_wide_multinomial),
        _choose("lbfgs", "newton-cg"),
    ),
    _case(
        "l2-multi-reviews", "L2 multinomial, tf-idf", _with(_departments),
        _choose("lbfgs", "newton-cg"),
    ),
    _case(
        "cv-tall", "LogisticRegressionCV, L2, 10 Cs, 5 folds", _with(_tall, Cs=_CV_GRID),
        {"skextra": _skextra_cv} | {name: _scikit_learn_cv(name) for name in _SMOOTH},
    ),
    _case(
        "cv-digits", "LogisticRegressionCV, L2, 10 Cs, 5 folds, standardized",
        _with(lambda quick: data.load_bundled("digits"), Cs=_CV_GRID),
        {"skextra": _skextra_cv} | {name: _scikit_learn_cv(name) for name in _SMOOTH},
    ),
    _case(
        "cv-multi-covtype", "LogisticRegressionCV, L2, 10 Cs, 5 folds",
        _with(_some_covtype, Cs=_CV_GRID),
        {"skextra": _skextra_cv} | {name: _scikit_learn_cv(name) for name in _SMOOTH},
    ),
    _case(
        "cv-l1-reviews", "LogisticRegressionCV, L1, 10 Cs, 5 folds",
        lambda quick: (
            (problem := _recommended(quick)) and replace(problem, l1_ratio=1.0, Cs=_CV_L1_GRID)
        ),
        {"skextra": _skextra_cv} | {n: _scikit_learn_cv(n) for n in ("liblinear", "saga")},
    ),
)  # fmt: skip
