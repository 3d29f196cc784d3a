from . import (
    concrete as concrete,
    gumbel as gumbel,
    inclusion_probabilities as inclusion_probabilities,
    inverse_cdf as inverse_cdf,
    top_k as top_k,
    validation as validation,
)
