"""What the overview runs each estimator on: a real table, beside its first shipped data set."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Large:
    """How an estimator is run on a real table, so that scikit-learn needs a second or so.

    Parameters
    ----------
    table : str
        Key of `DATASETS`.
    rows : int or None
        Size of a random sample; None for the whole table.
    params : dict
        Constructor parameters of both sides, in addition to those of the case.
    """

    table: str
    rows: int | None = None
    params: dict = field(default_factory=dict)


_PAIRS, _TWO = "california-pairs", "california-two"
# Most time is spent in scikit-learn's fits, which the number of trees or rows bounds.
_FEW_TREES = {"n_estimators": 20}
LARGE = {
    "Lasso": Large(_PAIRS, params={"alpha": 0.01}),
    "ElasticNet": Large(_PAIRS, params={"alpha": 0.01}),
    "Ridge": Large(_PAIRS),
    "LassoCV": Large(_PAIRS),
    "ElasticNetCV": Large(_PAIRS),
    "RidgeCV": Large(_PAIRS),
    "MultiTaskLasso": Large(_TWO, params={"alpha": 0.01}),
    "MultiTaskElasticNet": Large(_TWO, params={"alpha": 0.01}),
    "MultiTaskLassoCV": Large(_TWO, rows=6_000),
    "MultiTaskElasticNetCV": Large(_TWO, rows=6_000),
    "LogisticRegressionCV": Large("adult", rows=20_000),
    "RandomForestClassifier": Large("adult", rows=20_000, params=_FEW_TREES),
    "RandomForestRegressor": Large("california", rows=10_000, params=_FEW_TREES),
    "ExtraTreesClassifier": Large("adult", rows=20_000, params=_FEW_TREES),
    "ExtraTreesRegressor": Large("california", rows=10_000, params=_FEW_TREES),
    "AdaBoostClassifier": Large("adult", rows=10_000),
    "AdaBoostRegressor": Large("california", rows=6_000),
    "LinearSVC": Large("adult", rows=10_000),
    "SVC": Large("adult", rows=5_000),
    "KernelLogisticRegression": Large("adult", rows=2_000),
    "KernelLogisticRegressionCV": Large("adult", rows=200),
    "DensityForest": Large("california", rows=3_000),
    "VectorQuantizer": Large("adult", rows=20_000),
    "GaussianMixtureIC": Large("california", rows=3_000),
    "SinusoidalEncoder": Large("california"),
}
_TABLES = {
    "regression": "california",
    "classification": "adult",
    "density": "california",
    "likelihood": "california",
    "transform": "adult",
}


def find_large(case):
    """The table for a case, by name or else by its task."""
    return LARGE.get(case.name, Large(_TABLES[case.task]))
