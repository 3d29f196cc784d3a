"""Logarithm and exponential over whole blocks, in loops that compilers vectorize.

numba has no vector library, and a call of the scalar functions costs ten times
as much as the arithmetic below. The polynomials are minimax fits of our own; the
tests hold both functions against 50 digits: `negate_logs` is within 1 unit in the
last place, `exponentiate` within 1.5. Without fused operations the bits are the
same on every processor.
"""

import numpy as np

from skextra._core.runtime.jit import njit

STRIP = 4096  # numbers per call: the scratch stays in the first-level cache

_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_SQRT_HALF = 0x3FE6A09E00000000  # bits of about sqrt(1/2): mantissas in [sqrt(1/2), sqrt(2))
_LOG2_E = 1.4426950408889634
_ROUND = 6755399441055744.0  # 1.5 * 2^52: adding it rounds to an integer in the last bits
_SMALLEST = -708.0  # of arguments whose exponential is a normal number


@njit(error_model="numpy")
def negate_logs(x, exponents):
    """Replace each normal positive x by ``-log(x)``, in place.

    Parameters
    ----------
    x : ndarray of shape (n,), contiguous
    exponents : ndarray of shape (at least n,)
        Scratch.
    """
    bits = x.view(np.int64)
    for t in range(x.shape[0]):
        exponent = (bits[t] - _SQRT_HALF) >> 52
        exponents[t] = exponent
        bits[t] -= exponent << 52
    for t in range(x.shape[0]):
        # log(1 + f) = 2 artanh(s), as f - (f^2/2 - s (f^2/2 + R)): f itself is exact.
        f = x[t] - 1.0
        s = f / (2.0 + f)
        z = s * s
        r = 0.1533149815911172 + z * 0.14619091909227452
        r = 0.22222211031875044 + z * (0.1818289619675807 + z * r)
        r = 0.3999999999989789 + z * (0.28571428626650863 + z * r)
        r = z * (0.666666666666667 + z * r)
        half = 0.5 * f * f
        k = exponents[t]
        x[t] = ((half - (s * (half + r) + k * _LN2_LOW)) - f) - k * _LN2_HIGH


@njit(error_model="numpy")
def exponentiate(x, scales):
    """Replace each x <= 0 by ``exp(x)``, in place; below -708 by zero.

    Parameters
    ----------
    x : ndarray of shape (n,), contiguous
    scales : ndarray of shape (at least n,)
        Scratch.
    """
    bits = scales.view(np.int64)
    for t in range(x.shape[0]):
        v = x[t]
        # NaN, the difference of infinities, is not less than anything.
        v = v if v >= _SMALLEST else _SMALLEST
        shifted = v * _LOG2_E + _ROUND
        scales[t] = shifted
        k = shifted - _ROUND
        r = (v - k * _LN2_HIGH) - k * _LN2_LOW
        p = 2.76201384775962e-07 + r * 2.5110072603417673e-08
        p = 2.4801521190738833e-05 + r * (2.7557242270154317e-06 + r * p)
        p = 0.0013888888917281531 + r * (0.00019841269886655216 + r * p)
        p = 0.04166666666662399 + r * (0.008333333333322186 + r * p)
        p = 0.5000000000000001 + r * (0.16666666666666674 + r * p)
        x[t] = (1.0 + (r + r * r * p)) if x[t] > _SMALLEST else 0.0
    for t in range(x.shape[0]):
        bits[t] = (bits[t] + 1023) << 52
    for t in range(x.shape[0]):
        x[t] *= scales[t]


# In a kernel, a literal would carry single precision numbers into double precision.
_LOG2_E_SINGLE, _ROUND_SINGLE = np.float32(1.4426950408889634), np.float32(12582912.0)
_LN2_HIGH_SINGLE, _LN2_LOW_SINGLE = np.float32(0.693359375), np.float32(-2.12194440e-4)
_SMALLEST_SINGLE, _ZERO_SINGLE, _ONE_SINGLE = np.float32(-87.0), np.float32(0.0), np.float32(1.0)
_Q0, _Q1 = np.float32(0.4999999403953552), np.float32(0.1666652113199234)
_Q2, _Q3 = np.float32(0.04166838526725769), np.float32(0.008368737995624542)
_Q4 = np.float32(0.0013814774574711919)


@njit(error_model="numpy")
def exponentiate_single(x, scales):
    """As `exponentiate`, for float32; below -87 by zero. Within 1.5 units in the last place."""
    bits = scales.view(np.int32)
    for t in range(x.shape[0]):
        v = x[t]
        v = v if v >= _SMALLEST_SINGLE else _SMALLEST_SINGLE
        shifted = v * _LOG2_E_SINGLE + _ROUND_SINGLE
        scales[t] = shifted
        k = shifted - _ROUND_SINGLE
        r = (v - k * _LN2_HIGH_SINGLE) - k * _LN2_LOW_SINGLE
        q = _Q0 + r * (_Q1 + r * (_Q2 + r * (_Q3 + r * _Q4)))
        x[t] = (_ONE_SINGLE + (r + r * r * q)) if x[t] > _SMALLEST_SINGLE else _ZERO_SINGLE
    for t in range(x.shape[0]):
        bits[t] = (bits[t] + np.int32(127)) << np.int32(23)
    for t in range(x.shape[0]):
        x[t] *= scales[t]
