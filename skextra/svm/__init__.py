"""Support vector machines."""

from skextra.svm._linear_svc import LinearSVC
from skextra.svm._svc import SVC

__all__ = ["SVC", "LinearSVC"]
