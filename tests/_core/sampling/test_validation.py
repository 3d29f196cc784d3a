"""The first fault of rows, whatever surrounds it."""

import numpy as np
import pytest

from skextra._core.sampling import validation
from skextra._core.sampling.validation import (
    FAULTLESS,
    INFINITE,
    NEGATIVE,
    NOT_A_NUMBER,
    TOO_FEW,
    find_fault,
)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_faults_and_where_they_are(dtype):
    good = np.arange(1.0, 21.0, dtype=dtype).reshape(4, 5)
    for value, is_log, fault in (
        (np.nan, True, NOT_A_NUMBER),
        (np.nan, False, NOT_A_NUMBER),
        (np.inf, True, INFINITE),
        (np.inf, False, INFINITE),
        (-1.0, False, NEGATIVE),
        (-np.inf, False, NEGATIVE),
    ):
        bad = good.copy()
        bad[2, 3] = value
        assert find_fault(bad, is_log, 1) == (fault, 2, 3)
    assert find_fault(good, True, 5) == find_fault(good, False, 5) == (FAULTLESS, -1, -1)


def test_rows_with_too_few_to_draw_from():
    values = np.array([[0.0, 1.0, 2.0], [0.0, 0.0, 2.0]])
    assert find_fault(values, False, 1)[0] == FAULTLESS
    assert find_fault(values, False, 2) == (TOO_FEW, 1, 1)
    with np.errstate(divide="ignore"):
        logs = np.log(values)
    assert find_fault(logs, True, 2) == (TOO_FEW, 1, 1)
    assert find_fault(values, True, 3)[0] == FAULTLESS, "zero is a logarithm like others"
    assert validation.find_fault(np.full((1, 3), -np.inf), True, 1) == (TOO_FEW, 0, 0)
