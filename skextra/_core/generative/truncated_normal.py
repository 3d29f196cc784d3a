"""Normal distributions on an interval: mass, mean, quantiles.

Bounds are in standard deviations from the mean, and may be infinite. Everything is computed in the
lower tail, where differences of small probabilities keep their digits.
"""

import math

from skextra._core.runtime.jit import njit

LOG_ROOT_TWO_PI = 0.9189385332046727
_ROOT_HALF = 0.7071067811865476
_NARROW = 1e-5  # the density at the middle times the width is exact to ten digits
_FAR = -37.0  # beyond, tails underflow; Mills' ratio is exact to three digits


@njit(error_model="numpy")
def _compute_tail(x):
    """Probability of less than x; accurate for negative x."""
    return 0.5 * math.erfc(-x * _ROOT_HALF)


@njit(error_model="numpy")
def compute_log_mass(a, b):
    """Logarithm of the probability of a standard normal number in (a, b), for a < b."""
    if a > 0.0:
        a, b = -b, -a
    if b - a < _NARROW:
        middle = 0.5 * (a + b)
        return math.log(b - a) - 0.5 * middle * middle - LOG_ROOT_TWO_PI
    if b > 0.0:
        return math.log1p(-_compute_tail(a) - _compute_tail(-b))
    if b > _FAR:
        return math.log(_compute_tail(b) - _compute_tail(a))
    share = -math.expm1(0.5 * (b - a) * (b + a))  # of the tail below b
    return math.log(share / -b) - 0.5 * b * b - LOG_ROOT_TWO_PI


@njit(error_model="numpy")
def compute_mean(a, b):
    """Mean of a standard normal number in (a, b)."""
    log_mass = compute_log_mass(a, b) + LOG_ROOT_TWO_PI
    mean = math.exp(-0.5 * a * a - log_mass) - math.exp(-0.5 * b * b - log_mass)
    return min(max(mean, a), b)


@njit(error_model="numpy")
def _invert_tail(p):
    """Quantile of p <= 1/2: Wichura's PPND16, AS 241, Applied Statistics 37 (1988)."""
    q = p - 0.5
    if q >= -0.425:
        r = 0.180625 - q * q
        top = 2.5090809287301226727e3
        for c in (
            3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
            1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2,
            3.3871328727963666080e0,
        ):  # fmt: skip
            top = top * r + c
        bottom = 5.2264952788528545610e3
        for c in (
            2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
            5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0,
        ):  # fmt: skip
            bottom = bottom * r + c
        return q * top / bottom
    r = math.sqrt(-math.log(p)) if p > 0.0 else 40.0
    if r <= 5.0:
        r -= 1.6
        top = 7.7454501427834140764e-4
        for c in (
            2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e0,
            3.64784832476320460504e0, 5.76949722146069140550e0, 4.63033784615654529590e0,
            1.42343711074968357734e0,
        ):  # fmt: skip
            top = top * r + c
        bottom = 1.05075007164441684324e-9
        for c in (
            5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
            6.89767334985100004550e-1, 1.67638483018380384940e0, 2.05319162663775882187e0, 1.0,
        ):  # fmt: skip
            bottom = bottom * r + c
        return -top / bottom
    r -= 5.0
    top = 2.01033439929228813265e-7
    for c in (
        2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
        2.96560571828504891230e-1, 1.78482653991729133580e0, 5.46378491116411436990e0,
        6.65790464350110377720e0,
    ):  # fmt: skip
        top = top * r + c
    bottom = 2.04426310338993978564e-15
    for c in (
        1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
        1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0,
    ):  # fmt: skip
        bottom = bottom * r + c
    return -top / bottom


@njit(error_model="numpy")
def compute_quantile(a, b, u):
    """Number in (a, b) below which a standard normal number in (a, b) is with probability u."""
    flips = a > 0.0
    low, high = (-b, -a) if flips else (a, b)
    share = 1.0 - u if flips else u
    if high - low < _NARROW or high < _FAR:
        # Uniform, or exponential from the bound next to the mean.
        rate = -high
        if high - low < _NARROW:
            z = low + share * (high - low)
        else:
            z = high + math.log1p((1.0 - share) * math.expm1(-rate * (high - low))) / rate
    else:
        left, right = _compute_tail(low), _compute_tail(high)
        p = left + share * (right - left)
        # Above one half the complement is small, and is what is known exactly.
        upper = _compute_tail(-high) + (1.0 - share) * (right - left)
        z = _invert_tail(p) if p <= 0.5 else -_invert_tail(min(upper, 0.5))
    z = min(max(z, low), high)
    return -z if flips else z
