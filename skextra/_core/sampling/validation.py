"""What makes a row of weights unfit to draw from, found in one pass."""

import numpy as np

from skextra._core.runtime.jit import njit

FAULTLESS, NOT_A_NUMBER, INFINITE, NEGATIVE, TOO_FEW = 0, 1, 2, 3, 4


@njit(error_model="numpy")
def find_fault(values, is_log, n_needed):
    """First fault of rows of log-weights or weights.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns), C-contiguous
    is_log : bool
        Whether -inf, rather than 0, is the weight of what is never drawn.
    n_needed : int
        Categories of positive weight that a row must have.

    Returns
    -------
    fault : int
        One of the constants above.
    row, column : int
    """
    nothing = -np.inf if is_log else 0.0
    for i in range(values.shape[0]):
        n_good, n_positive = 0, 0
        for j in range(values.shape[1]):
            value = values[i, j]
            n_good += (value >= nothing) & (value < np.inf)
            n_positive += value > nothing
        if n_good < values.shape[1]:
            for j in range(values.shape[1]):
                value = values[i, j]
                if value != value:
                    return NOT_A_NUMBER, i, j
                if value == np.inf:
                    return INFINITE, i, j
                if value < nothing:
                    return NEGATIVE, i, j
        if n_positive < n_needed:
            return TOO_FEW, i, n_positive
    return FAULTLESS, -1, -1
