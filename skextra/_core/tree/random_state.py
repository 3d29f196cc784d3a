"""scikit-learn's generator for trees: xorshift on 32 bits, seeded alike, drawn from alike."""

from skextra._core.runtime.entries import kernel

RAND_R_MAX = 2147483647


@kernel
def draw_bits(sampler):
    """Next integer in [0, 2^31); the generator's state is `sampler.bits`."""
    bits = sampler.bits if sampler.bits != 0 else 1
    bits ^= (bits << 13) & 0xFFFFFFFF
    bits ^= bits >> 17
    bits ^= (bits << 5) & 0xFFFFFFFF
    sampler.bits = bits
    return bits & 0x7FFFFFFF


@kernel
def draw_integer(low, high, sampler):
    """Integer in [low, high)."""
    return low + draw_bits(sampler) % (high - low)


@kernel
def draw_uniform(low, high, sampler):
    """Real number in [low, high]."""
    return (high - low) * float(draw_bits(sampler)) / float(RAND_R_MAX) + low
