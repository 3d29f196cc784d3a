"""Generative models: densities of tables, codebooks, and reports on generated rows."""

from skextra.generative._density_forest import DensityForest
from skextra.generative._sample_display import SampleDisplay
from skextra.generative._two_sample import TwoSampleReport, two_sample_report
from skextra.generative._vector_quantizer import VectorQuantizer

__all__ = [
    "DensityForest",
    "SampleDisplay",
    "TwoSampleReport",
    "VectorQuantizer",
    "two_sample_report",
]
