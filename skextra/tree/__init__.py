"""Decision trees."""

from skextra.tree._classes import DecisionTreeClassifier, DecisionTreeRegressor
from skextra.tree._extra import ExtraTreeClassifier, ExtraTreeRegressor

__all__ = [
    "DecisionTreeClassifier",
    "DecisionTreeRegressor",
    "ExtraTreeClassifier",
    "ExtraTreeRegressor",
]
