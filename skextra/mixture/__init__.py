"""Mixture models."""

from skextra._lazy import forward_to_sklearn
from skextra.mixture._display_density import DensityDisplay
from skextra.mixture._display_selection import ModelSelectionDisplay
from skextra.mixture._gaussian_mixture import GaussianMixture
from skextra.mixture._gaussian_mixture_ic import GaussianMixtureIC

__all__ = ["DensityDisplay", "GaussianMixture", "GaussianMixtureIC", "ModelSelectionDisplay"]

# Whole imports can be changed: what we do not have is scikit-learn's.
__getattr__ = forward_to_sklearn(__name__)
