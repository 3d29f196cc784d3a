"""scikit-learn's generator for trees: xorshift on 32 bits, seeded alike, drawn from alike."""

from skextra._core.runtime.entries import kernel

RAND_R_MAX = 2147483647


@kernel
def draw_bits(state):
    """Next integer in [0, 2^31); `state` is an int64 array of size 1."""
    bits = state[0] if state[0] != 0 else 1
    bits ^= (bits << 13) & 0xFFFFFFFF
    bits ^= bits >> 17
    bits ^= (bits << 5) & 0xFFFFFFFF
    state[0] = bits
    return bits & 0x7FFFFFFF


@kernel
def draw_integer(low, high, state):
    """Integer in [low, high)."""
    return low + draw_bits(state) % (high - low)


@kernel
def draw_uniform(low, high, state):
    """Real number in [low, high]."""
    return (high - low) * float(draw_bits(state)) / float(RAND_R_MAX) + low
