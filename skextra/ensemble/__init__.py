"""Ensembles of trees and of other estimators."""

from skextra.ensemble._weight_boosting_classifier import AdaBoostClassifier
from skextra.ensemble._weight_boosting_display import StagedScoreDisplay
from skextra.ensemble._weight_boosting_regressor import AdaBoostRegressor

__all__ = [
    "AdaBoostClassifier",
    "AdaBoostRegressor",
    "StagedScoreDisplay",
]
