from . import (
    base_search as base_search,
    frequencies as frequencies,
    inverse as inverse,
    rotary as rotary,
    rotary_scaling as rotary_scaling,
    sincos as sincos,
    sinusoids as sinusoids,
)
