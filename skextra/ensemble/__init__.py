"""Ensembles of trees and of other estimators."""

from skextra.ensemble._display import OOBCurveDisplay
from skextra.ensemble._forest_classifiers import ExtraTreesClassifier, RandomForestClassifier
from skextra.ensemble._forest_regressors import ExtraTreesRegressor, RandomForestRegressor
from skextra.ensemble._weight_boosting_classifier import AdaBoostClassifier
from skextra.ensemble._weight_boosting_display import StagedScoreDisplay
from skextra.ensemble._weight_boosting_regressor import AdaBoostRegressor

__all__ = [
    "AdaBoostClassifier",
    "AdaBoostRegressor",
    "ExtraTreesClassifier",
    "ExtraTreesRegressor",
    "OOBCurveDisplay",
    "RandomForestClassifier",
    "RandomForestRegressor",
    "StagedScoreDisplay",
]
