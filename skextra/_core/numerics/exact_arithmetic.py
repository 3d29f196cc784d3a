"""Machine instructions that numba has no name for: fused multiply-add, bits of a float."""

import platform

import numba
import numpy as np
from numba import types
from numba.core.codegen import get_host_cpu_features
from numba.core.extending import intrinsic, overload

from skextra._core.runtime.jit import njit

#: 2^27 + 1, Veltkamp's constant: splits a float64 into halves of 26 bits.
_SPLIT = 134217729.0


def has_fused_multiply_add():
    """Whether kernels may fuse: LLVM may call a slow library where the processor cannot."""
    if numba.config.DISABLE_JIT:
        return False
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


def to_bits(value):
    """The 64 bits of a float64 as an integer."""
    return np.float64(value).view(np.int64)


def from_bits(bits):
    """The float64 with these 64 bits."""
    return np.int64(bits).view(np.float64)


@intrinsic
def _cast_to_bits(typing_context, value):
    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], context.get_value_type(types.int64))

    return types.int64(types.float64), generate


@intrinsic
def _cast_from_bits(typing_context, bits):
    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], context.get_value_type(types.float64))

    return types.float64(types.int64), generate


@overload(to_bits, inline="always")
def _overload_to_bits(value):
    return lambda value: _cast_to_bits(value)


@overload(from_bits, inline="always")
def _overload_from_bits(bits):
    return lambda bits: _cast_from_bits(bits)


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
