"""Machine instructions that numba has no name for: fused multiply-add, bits of a float."""

import platform

from numba import types
from numba.core.codegen import get_host_cpu_features
from numba.core.extending import intrinsic

from skextra._core.jit import njit

#: 2^27 + 1, Veltkamp's constant: splits a float64 into halves of 26 bits.
_SPLIT = 134217729.0


def has_fused_multiply_add():
    """Whether the processor fuses; where not, LLVM would call a slow library function."""
    if platform.machine().lower() in ("arm64", "aarch64"):
        return True
    return "+fma" in get_host_cpu_features().split(",")


@intrinsic
def fuse(typing_context, a, b, c):
    """``a * b + c``, rounded once."""
    signature = types.float64(types.float64, types.float64, types.float64)

    def generate(context, builder, signature, arguments):
        return builder.fma(*arguments)

    return signature, generate


@intrinsic
def to_bits(typing_context, value):
    """The 64 bits of a float64 as an integer."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], context.get_value_type(types.int64))

    return types.int64(types.float64), generate


@intrinsic
def from_bits(typing_context, bits):
    """The float64 with these 64 bits."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], context.get_value_type(types.float64))

    return types.float64(types.int64), generate


@njit
def compute_error_by_halves(a, b, product):
    """What rounding cost the product: ``a * b - product``, exact (Dekker)."""
    t = _SPLIT * a
    ah = t - (t - a)
    al = a - ah
    t = _SPLIT * b
    bh = t - (t - b)
    bl = b - bh
    return ((ah * bh - product) + ah * bl + al * bh) + al * bl


@njit
def compute_error_by_fusing(a, b, product):
    """The same in one instruction."""
    return fuse(a, b, -product)


compute_error = compute_error_by_fusing if has_fused_multiply_add() else compute_error_by_halves
