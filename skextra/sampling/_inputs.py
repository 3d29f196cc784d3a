"""What samplers are given: rows of weights in one of four forms, and a seed."""

from numbers import Integral

import numpy as np
from sklearn.utils import check_array, check_random_state

from skextra import _core
from skextra._parallel import map_in_threads
from skextra._validation import as_writeable

INPUTS = ("logits", "log-probabilities", "probabilities", "weights")
_LOG_INPUTS = ("logits", "log-probabilities")
_CHUNK = 1 << 17  # numbers per task: long enough to be worth a thread


def draw_seed(random_state):
    """A 64-bit seed; an integer is its own seed.

    Parameters
    ----------
    random_state : int, RandomState, Generator or None
        Instances are advanced by one draw.

    Returns
    -------
    seed : int
    """
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(0, 2**63 - 1))
    if isinstance(random_state, Integral) and not isinstance(random_state, bool):
        if random_state < 0:
            raise ValueError(f"random_state must not be negative, got {random_state}")
        return int(random_state) % 2**64
    return int(check_random_state(random_state).randint(0, 2**63 - 1, dtype=np.int64))


def check_choice(value, allowed, name):
    """Refuse what is not among the allowed words.

    Raises
    ------
    ValueError
        Naming the argument, what came and what is allowed.
    """
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}")


def check_count(value, name, smallest=1):
    """Refuse what is not an integer of at least `smallest`; return it as int."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if value < smallest:
        raise ValueError(f"{name} must be at least {smallest}, got {value}")
    return int(value)


def is_log(input):
    """Whether rows of this form hold logarithms."""
    return input in _LOG_INPUTS


def check_rows(values, input, n_needed=1):
    """Refuse rows that no category can be drawn from.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_categories), C-contiguous
    input : str
        One of `INPUTS`.
    n_needed : int
        Categories with a positive probability that each row must have.

    Raises
    ------
    ValueError
        For NaN, +inf, negative weights, rows with too few categories to draw
        from, or probabilities that do not sum to one.
    """
    log = is_log(input)
    fault, row, column = _core.sampling.validation.find_fault(values, log, n_needed)
    if fault == _core.sampling.validation.TOO_FEW:
        least = "above -inf" if log else "above zero"
        needed = "a category" if n_needed == 1 else f"{n_needed} categories"
        raise ValueError(
            f"Input X must have {needed} with a value {least} in every row "
            f"(input={input!r}), got {column} in row {row}"
        )
    if fault:
        found = {
            _core.sampling.validation.NOT_A_NUMBER: "NaN",
            _core.sampling.validation.INFINITE: "infinity",
            _core.sampling.validation.NEGATIVE: "a negative value",
        }[fault]
        allowed = "finite or -inf" if log else "finite and not negative"
        raise ValueError(
            f"Input X contains {found} in row {row}, column {column}; "
            f"input={input!r} must be {allowed}"
        )
    if input in ("probabilities", "log-probabilities"):
        _check_sums(values, input)


def _check_sums(values, input):
    with np.errstate(over="ignore"):
        sums = (np.exp(values) if is_log(input) else values).sum(axis=1, dtype=np.float64)
    tolerance = 1e-6 + 4 * values.shape[1] * np.finfo(values.dtype).eps
    off = np.abs(sums - 1)
    worst = int(off.argmax())
    if not off[worst] <= tolerance:
        other = "weights" if input == "probabilities" else "logits"
        raise ValueError(
            f"Input X must hold {input} that sum to 1 within {tolerance:.0e} in every row, got "
            f"{sums[worst]:.9g} in row {worst}; use input={other!r} for rows that need not"
        )


def as_rows(X, input, n_needed=1):
    """Checked rows from one row or several.

    Returns
    -------
    values : ndarray of shape (n_rows, n_categories), C-contiguous, float64 or float32
    is_single : bool
        Whether `X` was one row.

    Raises
    ------
    ValueError, TypeError
        As in `check_rows`, or for what is no array of numbers.
    """
    check_choice(input, INPUTS, "input")
    # Frames have two dimensions and no cheap way to say so but their shape.
    n_dimensions = len(X.shape) if hasattr(X, "shape") else np.ndim(X)
    if n_dimensions == 0:
        raise ValueError(f"X must be a row of {input} or several, got {X!r}")
    values = check_array(
        np.asarray(X)[None, :] if n_dimensions == 1 else X,
        dtype=[np.float64, np.float32],
        order="C",
        ensure_all_finite=False,
        input_name="X",
    )
    values = as_writeable(values)
    check_rows(values, input, n_needed)
    return values, n_dimensions == 1


def map_rows(function, values, rows, *outputs, n_jobs=None):
    """Call ``function(values, rows, *outputs)`` on chunks of rows, in threads.

    Kernels key their noise by `rows`, so that the cuts show nowhere.
    """
    n_rows = max(1, _CHUNK // values.shape[1])
    cuts = [slice(a, a + n_rows) for a in range(0, len(values), n_rows)]
    map_in_threads(
        function,
        [(values[cut], rows[cut], *(output[cut] for output in outputs)) for cut in cuts],
        n_jobs,
    )
