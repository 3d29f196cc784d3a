"""What is compared: one `Case` per estimator, one `Task` per kind of estimator."""

import difflib
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module

import numpy as np

from skextra._compare._errors import InputError


@dataclass(frozen=True)
class Task:
    """How estimators of one kind are split, applied and scored.

    Parameters
    ----------
    name : str
        Key in `TASKS`.
    plural : str
        The kind of estimator, as written in messages.
    apply : {"predict", "transform"}
        Method timed after each fit.
    score_name : str or None
        What ``score`` returns; None where there is no ``score``.
    supervised : bool
        Whether a target is needed.
    """

    name: str
    plural: str
    apply: str = "predict"
    score_name: str | None = None
    supervised: bool = True


TASKS = {
    task.name: task
    for task in (
        Task("regression", "regressors", score_name="R2"),
        Task("classification", "classifiers", score_name="accuracy"),
        Task("density", "mixtures", score_name="log-likelihood", supervised=False),
        Task(
            "likelihood",
            "densities",
            apply="score_samples",
            score_name="log-likelihood",
            supervised=False,
        ),
        Task("transform", "transformers", apply="transform", supervised=False),
    )
}


@dataclass(frozen=True)
class Case:
    """One of our estimators, scikit-learn's counterpart, and what to run them on.

    Parameters
    ----------
    ours, theirs : str or type
        Class, or its dotted name (imported on use).
    task : str
        Key of `TASKS`.
    data : tuple of str
        Keys of the shipped data sets that it runs on if the user passes no data.
    params : dict
        Constructor parameters of both, where they differ from the defaults.
    grid : dict
        Parameter grid of the surrounding ``GridSearchCV``; empty for none, as
        for estimators that choose their own penalty.
    follow : str, type or None
        Estimator that follows a transformer, the same on both sides, so that
        the transformer can be scored; `task` and `grid` are then those of this estimator.
    own_params : tuple of 2 dict
        Constructor parameters of ours alone and of theirs alone.
    note : str
        Note about the counterpart, printed below the table.
    """

    ours: str | type
    theirs: str | type
    task: str
    data: tuple = ()
    params: dict = field(default_factory=dict)
    grid: dict = field(default_factory=dict)
    follow: str | type | None = None
    own_params: tuple = ({}, {})
    note: str = ""

    @property
    def name(self):
        """Name of our class."""
        return self.ours.rpartition(".")[2] if isinstance(self.ours, str) else self.ours.__name__

    @cached_property
    def classes(self):
        """Our class and scikit-learn's."""
        return _resolve(self.ours), _resolve(self.theirs)

    def make(self, side):
        """Steps of a pipeline: the estimator of one side, and what follows it."""
        estimator = self.classes[side](**self.params, **self.own_params[side])
        if self.follow is None:
            return [("model", estimator)]
        return [("model", estimator), ("follow", _resolve(self.follow)())]


def _make_sampler_case(name, params=None):
    return Case(
        f"skextra.sampling.{name}Sampler",
        f"skextra._compare._numpy_samplers.{name}",
        "transform",
        ("wine", "digits"),
        params or {},
        note=f"{name}Sampler: not in scikit-learn; compared with NumPy's Generator.gumbel",
    )


_USES = "skextra._compare"


def _make_use_case(name, description):
    return Case(
        f"skextra._compare._sampling_uses.{name}",
        f"skextra._compare._sampling_uses.Numpy{name}",
        "classification",
        ("wine", "digits"),
        note=f"{name}: {description}; compared with the same using NumPy's draws",
    )


def _resolve(reference):
    if not isinstance(reference, str):
        return reference
    module, _, name = reference.rpartition(".")
    return getattr(import_module(module), name)


def _make_case(path, task, data, params=None, grid=None):
    return Case(f"skextra.{path}", f"sklearn.{path}", task, data, params or {}, grid or {})


# Targets are standardized before fitting, so one grid of penalties suits all data.
_L1_ALPHAS = [0.1, 0.03, 0.01]
_L2_ALPHAS = [1.0, 10.0, 100.0]
_REGRESSION = ("diabetes", "digits-pixel", "cancer-pairs")
_HALVES = ("digits-halves",)
_CLASSES = ("wine", "cancer", "digits")
_TREES = (
    ("tree.DecisionTree", {"random_state": 0}),
    ("tree.ExtraTree", {"random_state": 0}),
    ("ensemble.RandomForest", {"random_state": 0}),
    ("ensemble.ExtraTrees", {"random_state": 0}),
)

CASES = (
    _make_case("linear_model.Lasso", "regression", _REGRESSION, grid={"alpha": _L1_ALPHAS}),
    _make_case(
        "linear_model.ElasticNet",
        "regression",
        _REGRESSION,
        grid={"alpha": _L1_ALPHAS[:2], "l1_ratio": [0.3, 0.7]},
    ),
    _make_case(
        "linear_model.Ridge",
        "regression",
        (*_REGRESSION, "digits-halves"),
        grid={"alpha": _L2_ALPHAS},
    ),
    _make_case("linear_model.LassoCV", "regression", _REGRESSION, {"cv": 3}),
    _make_case("linear_model.ElasticNetCV", "regression", _REGRESSION, {"cv": 3}),
    _make_case("linear_model.MultiTaskLasso", "regression", _HALVES, grid={"alpha": _L1_ALPHAS}),
    _make_case(
        "linear_model.MultiTaskElasticNet",
        "regression",
        _HALVES,
        grid={"alpha": _L1_ALPHAS[:2], "l1_ratio": [0.3, 0.7]},
    ),
    _make_case("linear_model.MultiTaskLassoCV", "regression", _HALVES, {"cv": 3, "alphas": 20}),
    _make_case(
        "linear_model.MultiTaskElasticNetCV", "regression", _HALVES, {"cv": 3, "alphas": 20}
    ),
    _make_case(
        "linear_model.RidgeCV",
        "regression",
        (*_REGRESSION, "digits-halves"),
        {"alphas": tuple(np.logspace(-2, 4, 13).tolist())},
    ),
    _make_case(
        "linear_model.LogisticRegression", "classification", _CLASSES, grid={"C": [0.1, 1.0, 10.0]}
    ),
    _make_case(
        "linear_model.LogisticRegressionCV",
        "classification",
        _CLASSES,
        {"cv": 3, "l1_ratios": (0.0,), "scoring": "accuracy", "use_legacy_attributes": False},
    ),
    _make_case(
        "ensemble.AdaBoostClassifier",
        "classification",
        _CLASSES,
        grid={"learning_rate": [0.5, 1.0]},
    ),
    _make_case(
        "ensemble.AdaBoostRegressor",
        "regression",
        _REGRESSION[:2],
        {"random_state": 0},
        {"learning_rate": [0.5, 1.0]},
    ),
    *(
        _make_case(f"{path}Classifier", "classification", _CLASSES, params)
        for path, params in _TREES
    ),
    *(
        _make_case(f"{path}Regressor", "regression", _REGRESSION[:2], params)
        for path, params in _TREES
    ),
    _make_case(
        "mixture.GaussianMixture",
        "density",
        ("wine", "cancer"),
        {"n_components": 3, "reg_covar": 1e-3, "random_state": 0},
    ),
    Case(
        "skextra.mixture.GaussianMixtureIC",
        "skextra._compare._mixture_loop.MixtureLoop",
        "density",
        ("wine", "cancer"),
        {"max_components": 4, "reg_covar": 1e-3, "random_state": 0},
        note="GaussianMixtureIC: not in scikit-learn; compared with a loop over fits of its "
        "GaussianMixture that keeps the lowest BIC",
    ),
    Case(
        "skextra.generative.DensityForest",
        "sklearn.mixture.GaussianMixture",
        "likelihood",
        ("wine", "cancer"),
        {"random_state": 0},
        own_params=({}, {"n_components": 10, "reg_covar": 1e-3}),
        note="DensityForest: not in scikit-learn; compared with its GaussianMixture of 10 "
        "components",
    ),
    Case(
        "skextra.generative.VectorQuantizer",
        "sklearn.cluster.KMeans",
        "transform",
        ("wine", "digits"),
        {"random_state": 0},
        own_params=({"n_codes": 16}, {"n_clusters": 16}),
        note="VectorQuantizer: not in scikit-learn; compared with its KMeans of as many clusters",
    ),
    # scikit-learn has no kernel logistic regression: compared with its usual way to get
    # probabilities from a kernel.
    Case(
        "skextra.kernel_logistic.KernelLogisticRegression",
        "skextra._compare._calibrated_svc.CalibratedSVC",
        "classification",
        _CLASSES,
        grid={"C": [1.0, 10.0]},
        note="KernelLogisticRegression: not in scikit-learn; compared with "
        "CalibratedClassifierCV(SVC())",
    ),
    Case(
        "skextra.kernel_logistic.KernelLogisticRegressionCV",
        "skextra._compare._calibrated_svc.CalibratedSVCSearch",
        "classification",
        ("wine", "cancer"),
        own_params=({"Cs": [1.0, 10.0, 100.0], "gammas": 3}, {}),
        note="KernelLogisticRegressionCV: not in scikit-learn; compared with GridSearchCV of "
        "CalibratedClassifierCV(SVC())",
    ),
    _make_case("svm.SVC", "classification", _CLASSES, grid={"C": [1.0, 10.0]}),
    _make_case(
        "svm.LinearSVC", "classification", _CLASSES, {"loss": "hinge"}, grid={"C": [0.1, 1.0]}
    ),
    # scikit-learn has no such encoders: compared with its splines, and with NumPy.
    Case(
        "skextra.preprocessing.SinusoidalEncoder",
        "sklearn.preprocessing.SplineTransformer",
        "regression",
        ("diabetes", "digits-pixel"),
        grid={"alpha": _L2_ALPHAS},
        follow="sklearn.linear_model.Ridge",
        own_params=({"periods": 8.0, "n_harmonics": 3}, {"n_knots": 5}),
        note="SinusoidalEncoder: not in scikit-learn; compared with SplineTransformer",
    ),
    Case(
        "skextra.preprocessing.RotaryEncoder",
        "skextra._compare._numpy_rotary.NumpyRotary",
        "regression",
        ("diabetes",),
        {"base": 10.0, "keep_positions": True},
        grid={"C": [0.3, 1.0, 3.0]},
        follow="sklearn.svm.SVR",
        note="RotaryEncoder: not in scikit-learn; compared with the same in NumPy",
    ),
    _make_sampler_case("GumbelMax"),
    _make_sampler_case("GumbelSoftmax"),
    _make_sampler_case("GumbelTopK", {"k": 4}),
    _make_use_case("NoisyLabels", "30 % of the labels wrong, true ones drawn by gumbel_max"),
    _make_use_case("WeightedSubsample", "half of the rows, drawn by weighted_subsample"),
)


def list_estimator_cases():
    """Cases of our public estimators: not of functions or uses of them."""
    return [case for case in CASES if not case.classes[0].__module__.startswith(_USES)]


def select_cases(estimators=None, cases=None):
    """Find the cases named.

    Parameters
    ----------
    estimators : None, str, Case, or list of str and Case
        Names in any spelling of case; None for all.
    cases : sequence of Case, optional
        Where names are looked up; `CASES` by default.

    Returns
    -------
    selected : list of Case
        Each once, in the order asked for.

    Raises
    ------
    InputError
        For a name that is not there.
    """
    cases = CASES if cases is None else cases
    if estimators is None:
        return list(cases)
    if isinstance(estimators, str | Case):
        estimators = [estimators]
    by_name = {case.name.lower(): case for case in cases}
    selected = []
    for item in estimators:
        case = item if isinstance(item, Case) else by_name.get(str(item).lower())
        if case is None:
            raise InputError(describe_unknown("estimator", item, [c.name for c in cases]))
        if case not in selected:
            selected.append(case)
    if not selected:
        raise InputError("estimators is empty: name at least one, or None for all")
    return selected


def describe_unknown(kind, name, known, shown=12):
    """One line with the unknown name, the closest known one and a list of those known."""
    lowered = {str(k).lower(): str(k) for k in known}
    close = difflib.get_close_matches(str(name).lower(), lowered, n=1)
    hint = f"did you mean {lowered[close[0]]!r}? " if close else ""
    listed = ", ".join(str(k) for k in known[:shown]) + (", ..." if len(known) > shown else "")
    return f"unknown {kind} {str(name)!r}: {hint}there are {listed}"
