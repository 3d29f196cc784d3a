"""Cases by name: each makes a function without arguments that fits one model of ours.

Modules are imported on use: a first fit is to import what it needs and nothing else.
"""

from functools import partial
from importlib import import_module

_LINEAR = ("tiny", "medium", "path-wide", "lasso-cv-tall", "ridge-tall", "ridge-cv-tall")
_LOGISTIC = ("tiny-iris", "l2-tall", "l1-tall", "l2-multi-wide", "cv-digits")
_SVM = (("dense-5000-20", {}), ("dense-500-20", {"C": 100.0}))
_TREES = ("RandomForest", "ExtraTrees", "DecisionTree")
_BOOSTING = ("cancer, stumps", "synthetic 10,000 x 20, depth 3", "friedman 10,000 x 20, R2")
_MIXTURE = ("full-20-16", "diag-10-32", "iris-full")


def _import(family):
    return import_module(f"benchmarks.{family}")


def _find(family, name):
    return next(case for case in _import(family).CASES if case.name == name)


def _make_matched(family, name):
    """A case of the harness, at the size of ``--quick`` and at its target as tolerance."""
    case = _find(family, name)
    return partial(case.runs["skextra"], case.make(quick=True), case.target)


def _make_svm(estimator, name, options):
    cls = getattr(import_module("skextra.svm"), estimator)
    return partial(cls(**options).fit, *_import("svm").load(name, quick=False))


def _make_kernel_logistic():
    kernel = _import("kernel")
    return partial(kernel.fit_ours, kernel.make_waves(2_000))


def _make_ensemble(model):
    ensemble = _import("ensemble")
    X, y, _, _ = ensemble.load("synthetic-5k", quick=True)
    cls = ensemble.list_contestants("classification", model)["skextra"]
    options = {} if model == "DecisionTree" else {"n_estimators": 20}
    return partial(cls(random_state=0, **options).fit, X, y)


def _make_boosting(name):
    case = _find("boosting", name)
    return partial(_import("boosting").make_models(case)["skextra"].fit, *case.load())


def _make_mixture(name):
    case = _find("mixture", name)
    X, start = case.make(quick=True)
    return partial(_import("mixture").run_skextra, case, X, start, max_iter=20, tol=0.0)


CASES = {
    **{f"linear_model {name}": partial(_make_matched, "linear_model", name) for name in _LINEAR},
    **{f"logistic {name}": partial(_make_matched, "logistic", name) for name in _LOGISTIC},
    **{f"SVC {name} {options}": partial(_make_svm, "SVC", name, options) for name, options in _SVM},
    "LinearSVC dense-50000-50": partial(
        _make_svm, "LinearSVC", "dense-50000-50", {"loss": "hinge"}
    ),
    "kernel_logistic waves-2000": _make_kernel_logistic,
    **{f"{name} synthetic-5k": partial(_make_ensemble, name) for name in _TREES},
    **{f"AdaBoost {name}": partial(_make_boosting, name) for name in _BOOSTING},
    **{f"GaussianMixture {name}": partial(_make_mixture, name) for name in _MIXTURE},
}
