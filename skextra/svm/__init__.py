"""Support vector machines."""

from skextra._lazy import forward_to_sklearn
from skextra.svm._linear_svc import LinearSVC
from skextra.svm._svc import SVC

__all__ = ["SVC", "LinearSVC"]

# Whole imports can be changed: what we do not have is scikit-learn's.
__getattr__ = forward_to_sklearn(__name__)
