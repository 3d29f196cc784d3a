"""Linear algebra, design matrices, sorting and random numbers, shared by all families."""

from skextra._lazy import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
