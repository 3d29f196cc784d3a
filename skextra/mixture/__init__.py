"""Mixture models."""

from skextra.mixture._gaussian_mixture import GaussianMixture

__all__ = ["GaussianMixture"]
