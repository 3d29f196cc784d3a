"""Ours, scikit-learn's and rivals' estimators with the parameters of a cell."""

import inspect
from importlib import import_module
from importlib.util import find_spec

import numpy as np
from sklearn.base import BaseEstimator

from benchmarks.map.cells import JOINT_REGRESSORS, REGRESSORS

_PACKAGES = {
    "linear_model": (
        *REGRESSORS,
        *JOINT_REGRESSORS,
        "LogisticRegression",
        "LogisticRegressionCV",
    ),  # fmt: skip
    "svm": ("LinearSVC", "SVC"),
    "tree": tuple(
        f"{kind}Tree{role}"
        for kind in ("Decision", "Extra")
        for role in ("Classifier", "Regressor")
    ),
    "mixture": ("GaussianMixture",),
    "ensemble": tuple(
        f"{kind}{role}"
        for kind in ("RandomForest", "ExtraTrees", "AdaBoost")
        for role in ("Classifier", "Regressor")
    ),
}
OURS, THEIRS = "skextra", "scikit-learn"
_TIGHT = {"SVC": 1e-6, "GaussianMixture": 1e-8}
# Share of the penalty at which all coefficients are zero.
_PENALTY_SHARE = 0.05


def list_contestants(cell, data):
    """Unfitted estimators of a cell by name: ours, scikit-learn's, and what is installed.

    Returns
    -------
    contestants : dict of str to estimator
    """
    parameters = choose_parameters(cell, data)
    package = next(name for name, classes in _PACKAGES.items() if cell.estimator in classes)
    found = {
        OURS: _make(f"skextra.{package}", cell.estimator, parameters),
        THEIRS: _make(f"sklearn.{package}", cell.estimator, parameters),
    }
    if find_spec("sklearnex") and find_spec(f"sklearnex.{package}"):
        cls = getattr(import_module(f"sklearnex.{package}"), cell.estimator, None)
        # Names that it does not accelerate are scikit-learn's own.
        if cls is not None and cls.__module__.startswith(("sklearnex", "daal4py")):
            found["intelex"] = _fill(cls, parameters)
    for name, make in _RIVALS.get(cell.estimator, {}).items():
        rival = make(cell, parameters)
        if rival is not None:
            found[name] = rival
    return found


def choose_parameters(cell, data):
    """Constructor parameters of a cell, as scikit-learn names them."""
    parameters = {"random_state": 0}
    if cell.estimator.removeprefix("MultiTask") in ("Lasso", "ElasticNet"):
        Y = (data.y - data.y.mean(axis=0)).reshape(len(data.y), -1)
        means = np.asarray(data.X.mean(axis=0)).reshape(-1, 1)
        correlation = np.linalg.norm(data.X.T @ Y - means * Y.sum(axis=0), axis=1)
        parameters["alpha"] = float(_PENALTY_SHARE * correlation.max() / len(Y))
    if cell.estimator == "GaussianMixture":
        parameters["n_components"] = 8
    if cell.parameters == "tight":
        parameters["tol"] = _TIGHT.get(cell.estimator, 1e-10)
        parameters["max_iter"] = 100_000
    return parameters


def _make(module, name, parameters):
    return _fill(getattr(import_module(module), name), parameters)


def _fill(cls, parameters):
    accepted = inspect.signature(cls).parameters
    return cls(**{name: value for name, value in parameters.items() if name in accepted})


def _make_celer(cell, parameters):
    if not find_spec("celer") or cell.dtype != "float64":
        return None
    import celer

    return _fill(getattr(celer, cell.estimator), parameters)


def _make_skglm(cell, parameters):
    if not find_spec("skglm") or cell.dtype != "float64":
        return None
    import skglm

    return _fill(getattr(skglm, cell.estimator), parameters)


def _make_lightgbm(cell, parameters):
    if not find_spec("lightgbm") or cell.target == "10 targets":
        return None
    import lightgbm

    cls = getattr(lightgbm, "LGBMRegressor" if cell.target == "regression" else "LGBMClassifier")
    return cls(
        boosting_type="rf", n_estimators=100, bagging_freq=1, bagging_fraction=0.632,
        feature_fraction=1.0 if cell.target == "regression" else None, num_leaves=2**15,
        min_child_samples=1, random_state=0, verbose=-1,
    )  # fmt: skip


class YDFForest(BaseEstimator):
    """YDF's random forest with scikit-learn's interface, on NumPy arrays.

    Parameters
    ----------
    is_classifier : bool
    """

    def __init__(self, is_classifier=True):
        self.is_classifier = is_classifier

    def fit(self, X, y):
        """Fit 100 fully grown trees."""
        import ydf

        ydf.verbose(0)
        learner = ydf.RandomForestLearner(
            label="y",
            task=ydf.Task.CLASSIFICATION if self.is_classifier else ydf.Task.REGRESSION,
            num_trees=100,
            max_depth=-1,
            winner_take_all=False,
            compute_oob_performances=False,
            min_examples=1 if self.is_classifier else 2,
        )
        self.classes_ = np.unique(y)
        self.model_ = learner.train({"x": np.asarray(X), "y": np.asarray(y)})
        return self

    def predict(self, X):
        """Predict values or classes."""
        predicted = self.model_.predict({"x": np.asarray(X)})
        if not self.is_classifier:
            return predicted
        if predicted.ndim == 1:
            return self.classes_[(predicted > 0.5).astype(int)]
        return self.classes_[predicted.argmax(axis=1)]


def _make_ydf(cell, parameters):
    if not find_spec("ydf") or cell.density < 1 or cell.target == "10 targets":
        return None
    return YDFForest(cell.target != "regression")


_FOREST_RIVALS = {"LightGBM rf": _make_lightgbm, "YDF": _make_ydf}
_PENALIZED_RIVALS = {"celer": _make_celer}
_RIVALS = {
    "Lasso": _PENALIZED_RIVALS | {"skglm": _make_skglm},
    "ElasticNet": _PENALIZED_RIVALS | {"skglm": _make_skglm},
    "LassoCV": _PENALIZED_RIVALS,
    "ElasticNetCV": _PENALIZED_RIVALS,
    "RandomForestClassifier": _FOREST_RIVALS,
    "RandomForestRegressor": _FOREST_RIVALS,
}
