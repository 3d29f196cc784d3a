"""Decision trees."""

from skextra._lazy import forward_to_sklearn
from skextra.tree._classes import DecisionTreeClassifier, DecisionTreeRegressor
from skextra.tree._extra import ExtraTreeClassifier, ExtraTreeRegressor

__all__ = [
    "DecisionTreeClassifier",
    "DecisionTreeRegressor",
    "ExtraTreeClassifier",
    "ExtraTreeRegressor",
]

# Whole imports can be changed: what we do not have is scikit-learn's.
__getattr__ = forward_to_sklearn(__name__)
