"""Sine and cosine of fractions of a turn, and the exact fraction of a phase.

numba has no vector library: a scalar ``sin`` in a loop loses to NumPy's. These
functions are free of branches, so that the compiler turns loops over them into
vector code.
"""

from skextra._core.numerics.exact_arithmetic import compute_error, from_bits, to_bits
from skextra._core.runtime.jit import njit

# Adding and subtracting it rounds to an integer, for arguments below 2^51.
_ROUND = 6755399441055744.0
_SIGN = -(2**63)  # the bit of a float's sign
_TWO_PI = 6.283185307179586

# Interpolation of (sin y / y - 1) / y^2 and (cos y - 1 + y^2 / 2) / y^4 in y^2 at the
# Chebyshev nodes of [0, (pi / 4)^2]; the truncation errors are 1.3e-17 and 5e-19.
_S0, _S1, _S2 = -0.16666666666666666, 0.008333333333330948, -0.00019841269836758574
_S3, _S4, _S5 = 2.755731610255244e-06, -2.5051131845003624e-08, 1.5918129294866608e-10
_C0, _C1, _C2 = 0.041666666666666664, -0.0013888888888887398, 2.480158729876569e-05
_C3, _C4, _C5 = -2.7557317271729793e-07, 2.08761462684032e-09, -1.1382632425521717e-11


@njit
def _round(value):
    return (value + _ROUND) - _ROUND


@njit(fastmath={"contract"})
def _polynomial_sin(y, u):
    return y + y * u * (_S0 + u * (_S1 + u * (_S2 + u * (_S3 + u * (_S4 + u * _S5)))))


@njit(fastmath={"contract"})
def _polynomial_cos(u):
    p = _C0 + u * (_C1 + u * (_C2 + u * (_C3 + u * (_C4 + u * _C5))))
    return 1.0 - 0.5 * u + u * u * p


@njit
def compute_sincos(turns):
    """Sine and cosine of ``2 pi turns``."""
    # The last two bits of the shifted number count quarters: they say which of the
    # two polynomials is which, and its sign, without a branch.
    shifted = 4.0 * turns + _ROUND
    y = _TWO_PI * (turns - 0.25 * (shifted - _ROUND))
    u = y * y
    s, c = _polynomial_sin(y, u), _polynomial_cos(u)
    quarters = to_bits(shifted)
    is_odd = (quarters & 1) != 0
    sine, cosine = (c if is_odd else s), (s if is_odd else c)
    sine = from_bits(to_bits(sine) ^ ((quarters << 62) & _SIGN))
    return sine, from_bits(to_bits(cosine) ^ (((quarters + 1) << 62) & _SIGN))


@njit
def compute_turns(position, frequency, residue):
    """Fraction of a turn that ``position * (frequency + residue)`` is beyond a whole one.

    The product is exact: rounding it, as the plain product does, costs 1e-16 of the
    whole angle, which is all of it after 1e16 turns.
    """
    product = position * frequency
    error = compute_error(position, frequency, product)
    return (product - _round(product)) + (error + position * residue)
