"""Encodings of positions: time, sequence, space."""

from skextra.preprocessing._relative import (
    alibi_bias,
    alibi_slopes,
    clipped_relative_positions,
    t5_buckets,
)
from skextra.preprocessing._rotary import RotaryEncoder
from skextra.preprocessing._rotary_functions import (
    apply_rotary,
    convert_rotary_layout,
    rotary_frequencies,
    rotary_kernel,
    rotary_linear_attention,
)
from skextra.preprocessing._sinusoidal import SinusoidalEncoder

__all__ = [
    "RotaryEncoder",
    "SinusoidalEncoder",
    "alibi_bias",
    "alibi_slopes",
    "apply_rotary",
    "clipped_relative_positions",
    "convert_rotary_layout",
    "rotary_frequencies",
    "rotary_kernel",
    "rotary_linear_attention",
    "t5_buckets",
]
