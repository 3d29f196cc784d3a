"""A choice compiled to a conditional move equals Python's."""

import numpy as np

from skextra._core.runtime.jit import njit
from skextra._core.runtime.select import choose


@njit
def choose_all(conditions, first, second, out):
    for i in range(len(out)):
        out[i] = choose(conditions[i], first[i], second[i])


def test_choices():
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 2**64, (2, 100), dtype=np.uint64)
    conditions = rng.random(100) < 0.5
    out = np.empty(100, np.uint64)
    choose_all(conditions, first, second, out)
    np.testing.assert_array_equal(out, np.where(conditions, first, second))
