from . import (
    draws as draws,
    evidence as evidence,
    leaf_fit as leaf_fit,
    leaves as leaves,
    quantize as quantize,
    truncated_normal as truncated_normal,
)
