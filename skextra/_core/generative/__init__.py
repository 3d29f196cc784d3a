"""Densities in the leaves of a forest: fitting, evaluating, sampling, imputing."""

from skextra._lazy import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
