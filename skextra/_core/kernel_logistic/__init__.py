"""Kernel logistic regression, exact and by the Nystroem approximation."""

from skextra._lazy import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
