"""Support vector machines."""

from skextra.svm._svc import SVC

__all__ = ["SVC"]
