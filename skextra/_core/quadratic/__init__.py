"""Penalized quadratic models: sweeps of coordinate descent and projected Newton steps."""

from skextra._lazy import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
