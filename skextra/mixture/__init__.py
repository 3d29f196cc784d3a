"""Mixture models."""

from skextra.mixture._display_density import DensityDisplay
from skextra.mixture._display_selection import ModelSelectionDisplay
from skextra.mixture._gaussian_mixture import GaussianMixture
from skextra.mixture._gaussian_mixture_ic import GaussianMixtureIC

__all__ = ["DensityDisplay", "GaussianMixture", "GaussianMixtureIC", "ModelSelectionDisplay"]
