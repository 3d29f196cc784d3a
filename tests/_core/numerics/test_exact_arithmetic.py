"""Instructions by name: one rounding, exact errors, the bits of floats."""

import numpy as np
from numba import njit

from skextra._core.numerics import exact_arithmetic


@njit
def call(a, b, c):
    return (
        exact_arithmetic.fuse(a, b, c),
        exact_arithmetic.to_bits(a),
        exact_arithmetic.from_bits(np.int64(1)),
    )


def test_the_sum_is_rounded_once():
    tiny = 2.0**-30
    product = (1 + tiny) * (1 - tiny)  # 1 - 2^-60 rounds to 1
    assert product == 1.0
    assert call(1 + tiny, 1 - tiny, -1.0)[0] == -(2.0**-60)


def test_bits():
    assert call(-0.0, 1.0, 1.0)[1] == -(2**63)
    assert call(1.0, 1.0, 1.0)[1:] == (0x3FF0000000000000, 5e-324)


def test_both_ways_to_the_error_of_a_product_are_exact():
    """What processors without the instruction do is what others do."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 5000)) * 10.0 ** rng.integers(-60, 60, (2, 5000))
    for x, y in zip(a, b):
        product = x * y
        n, d = (float(x).as_integer_ratio()[i] * float(y).as_integer_ratio()[i] for i in (0, 1))
        p, q = product.as_integer_ratio()
        exact = (n * q - p * d) / (d * q)
        assert exact_arithmetic.compute_error_by_halves(x, y, product) == exact
        assert exact_arithmetic.compute_error_by_fusing(x, y, product) == exact
    assert exact_arithmetic.has_fused_multiply_add() in (True, False)
