"""Logistic regression, binary and multinomial, with L1, L2 and elastic-net penalties."""

from skextra._lazy import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
