"""Gaussian mixtures by expectation maximization."""

from skextra._lazy import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
