"""Gumbel and inverse-CDF samplers, their densities and inclusion probabilities."""

from skextra._lazy import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
