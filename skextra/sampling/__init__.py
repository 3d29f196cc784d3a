"""Sampling of categories, subsets and rankings with Gumbel noise, and gradients through it."""

from skextra.sampling._densities import concrete_log_prob, plackett_luce_log_prob
from skextra.sampling._gradient_report import GradientReport, compare_gradient_estimators
from skextra.sampling._gradients import (
    GradientEstimate,
    enumerated_gradient,
    gaussian_reparameterization_gradient,
    gumbel_rao_gradient,
    gumbel_softmax_gradient,
    score_function_gradient,
    straight_through_gradient,
)
from skextra.sampling._gumbel_max import GumbelMaxSampler, gumbel_max
from skextra.sampling._gumbel_softmax import GumbelSoftmaxSampler, gumbel_softmax
from skextra.sampling._inclusion import inclusion_probabilities
from skextra.sampling._noise import sample_conditional_gumbel, sample_gumbel
from skextra.sampling._schedule import temperature_schedule
from skextra.sampling._top_k import GumbelTopKSampler, gumbel_top_k, weighted_subsample

__all__ = [
    "GradientEstimate",
    "GradientReport",
    "GumbelMaxSampler",
    "GumbelSoftmaxSampler",
    "GumbelTopKSampler",
    "compare_gradient_estimators",
    "concrete_log_prob",
    "enumerated_gradient",
    "gaussian_reparameterization_gradient",
    "gumbel_max",
    "gumbel_rao_gradient",
    "gumbel_softmax",
    "gumbel_softmax_gradient",
    "gumbel_top_k",
    "inclusion_probabilities",
    "plackett_luce_log_prob",
    "sample_conditional_gumbel",
    "sample_gumbel",
    "score_function_gradient",
    "straight_through_gradient",
    "temperature_schedule",
    "weighted_subsample",
]
