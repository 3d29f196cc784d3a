"""Generative models: densities of tables, and reports on generated rows."""

from skextra.generative._density_forest import DensityForest
from skextra.generative._sample_display import SampleDisplay
from skextra.generative._two_sample import TwoSampleReport, two_sample_report

__all__ = [
    "DensityForest",
    "SampleDisplay",
    "TwoSampleReport",
    "two_sample_report",
]
