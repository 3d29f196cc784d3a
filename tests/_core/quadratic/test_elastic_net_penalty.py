"""The proximal map and the dual constraint of the L1 penalty."""

import pytest
from hypothesis import given, settings, strategies as st

from skextra._core.quadratic.elastic_net_penalty import compute_dual_magnitude, soft_threshold

numbers = st.floats(-1e6, 1e6)


@settings(deadline=None, derandomize=True)
@given(z=numbers, l1=st.floats(0, 1e6), positive=st.booleans(), other=numbers)
def test_proximal_map_minimizes(z, l1, positive, other):
    """No other point has a smaller (w - z)^2 / 2 + l1 |w| on the constraint."""
    w = soft_threshold(z, l1, positive)
    other = abs(other) if positive else other
    assert w >= 0 or not positive

    def value(u):
        return 0.5 * (u - z) ** 2 + l1 * abs(u)

    assert value(w) <= value(other) * (1 + 1e-12) + 1e-12


@pytest.mark.parametrize("z, l1, expected", [(3, 1, 2), (-3, 1, -2), (1, 1, 0), (-1, 1, 0),
                                             (0.5, 1, 0), (2, 0, 2), (-2, 0, -2)])  # fmt: skip
def test_soft_threshold(z, l1, expected):
    assert soft_threshold(float(z), float(l1), False) == expected
    assert soft_threshold(float(z), float(l1), True) == max(expected, 0)


@settings(deadline=None, derandomize=True)
@given(c=numbers)
def test_dual_magnitude(c):
    assert compute_dual_magnitude(c, False) == abs(c)
    assert compute_dual_magnitude(c, True) == max(c, 0.0)
