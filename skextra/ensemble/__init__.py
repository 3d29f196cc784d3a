"""Ensembles of trees and of other estimators."""

from skextra._lazy import forward_to_sklearn
from skextra.ensemble._adaboost.classifier import AdaBoostClassifier
from skextra.ensemble._adaboost.display import StagedScoreDisplay
from skextra.ensemble._adaboost.regressor import AdaBoostRegressor
from skextra.ensemble._forest.classifiers import ExtraTreesClassifier, RandomForestClassifier
from skextra.ensemble._forest.display import OOBCurveDisplay
from skextra.ensemble._forest.regressors import ExtraTreesRegressor, RandomForestRegressor

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

# Whole imports can be changed: what we do not have is scikit-learn's.
__getattr__ = forward_to_sklearn(__name__)
