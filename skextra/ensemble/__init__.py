"""Ensembles of trees."""

from skextra.ensemble._display import OOBCurveDisplay
from skextra.ensemble._forest_classifiers import ExtraTreesClassifier, RandomForestClassifier
from skextra.ensemble._forest_regressors import ExtraTreesRegressor, RandomForestRegressor

__all__ = [
    "ExtraTreesClassifier",
    "ExtraTreesRegressor",
    "OOBCurveDisplay",
    "RandomForestClassifier",
    "RandomForestRegressor",
]
