"""Gumbel noise itself: plain, and given which category came out on top."""

from numbers import Integral

import numpy as np

from skextra import _core
from skextra.sampling._inputs import as_rows, check_count, draw_seed, is_log


def make_gumbels(seed, n_rows, n_columns, stream=0):
    """Independent standard Gumbel numbers, a row a key.

    Returns
    -------
    noise : ndarray of shape (n_rows, n_columns)
    """
    n_pairs = (n_columns + 1) // 2
    noise = np.empty(n_rows * 2 * n_pairs)
    rows = np.arange(n_rows, dtype=np.uint64)
    _core.sampling.gumbel.fill_gumbels(rows, n_pairs, np.uint64(seed), np.uint64(stream), noise)
    return noise.reshape(n_rows, 2 * n_pairs)[:, :n_columns]


def sample_gumbel(size=None, *, random_state=None):
    """Draw from the standard Gumbel distribution, ``P(G <= g) = exp(-exp(-g))``.

    Parameters
    ----------
    size : int or tuple of int, default=None
        Shape of the result; None draws one number.
    random_state : int, RandomState, Generator or None, default=None
        Source of the noise; an integer gives the same draws in each call.

    Returns
    -------
    noise : float or ndarray of shape `size`
        Float64, always finite: between -3.7 and 37.5, as a uniform number has 52
        bits.

    Raises
    ------
    ValueError, TypeError
        For a size that is no shape, or a random state that is none.

    See Also
    --------
    sample_conditional_gumbel : The same, given the argmax.

    Examples
    --------
    >>> from skextra.sampling import sample_gumbel
    >>> noise = sample_gumbel(100_000, random_state=0)
    >>> float(noise.mean().round(2))  # Euler's constant is 0.577
    0.58
    """
    shape = () if size is None else (size,) if isinstance(size, Integral) else tuple(size)
    shape = tuple(check_count(n, "size", smallest=0) for n in shape)
    count = int(np.prod(shape, dtype=np.int64))
    noise = make_gumbels(draw_seed(random_state), 1, max(count, 1))[0]
    return float(noise[0]) if size is None else noise[:count].reshape(shape)


def sample_conditional_gumbel(X, labels, *, size=None, input="logits", random_state=None):
    """Draw perturbed log-weights given which category is the largest.

    What ``log-weights + Gumbel noise`` is distributed as, once its argmax is
    known: the largest has the location ``logsumexp(log-weights)``, whichever it
    is, and the others are truncated at it.

    Parameters
    ----------
    X : array-like of shape (n_categories,) or (n_samples, n_categories)
        One row of weights or several, in the form that `input` says.
    labels : int or array-like of shape (n_samples,)
        The category that is the largest in each row; of positive weight.
    size : int, default=None
        Number of draws of each row; None draws once, without an axis for it.
    input : {'logits', 'log-probabilities', 'probabilities', 'weights'}, default='logits'
        Logarithms of weights (-inf excludes a category), the same with a sum of
        one in each row, probabilities, or weights that are not negative.
    random_state : int, RandomState, Generator or None, default=None
        Source of the noise; an integer gives the same draws in each call.

    Returns
    -------
    perturbed : ndarray of shape ([size,] [n_samples,] n_categories)
        Log-weights with their noise, float64; -inf where a category is excluded.

    Raises
    ------
    ValueError, TypeError
        If a label is none of the categories or has no weight, or a row is unfit.

    Notes
    -----
    With ``Z = sum_j exp(l_j)`` and standard exponentials ``E``: the largest is
    ``log Z - log E_i`` and the others are ``-log(E_j / exp(l_j) + E_i / Z)``.

    References
    ----------
    Maddison, Tarlow & Minka, "A* sampling", NeurIPS (2014).

    Paulus, Maddison & Krause, "Rao-Blackwellizing the straight-through
    Gumbel-softmax gradient estimator", ICLR (2021), section 3.

    Examples
    --------
    >>> from skextra.sampling import sample_conditional_gumbel
    >>> sample_conditional_gumbel([0.0, 1.0, 2.0], 0, size=5, random_state=0).argmax(axis=1)
    array([0, 0, 0, 0, 0])
    """
    values, is_single = as_rows(X, input)
    labels = _check_labels(labels, values, is_single, 0.0 if not is_log(input) else -np.inf)
    n_draws = 1 if size is None else check_count(size, "size")
    log_weights = as_log_weights(values, input)
    perturbed = draw_conditional(log_weights, labels, n_draws, draw_seed(random_state))
    perturbed = perturbed[:, 0] if is_single else perturbed
    return perturbed[0] if size is None else perturbed


def draw_conditional(log_weights, labels, n_draws, seed, stream=0):
    """`sample_conditional_gumbel` on checked input, always with an axis for draws and rows."""
    n_rows, n_columns = log_weights.shape
    top = log_weights.max(axis=1, keepdims=True)
    relative = log_weights - top
    log_total = np.log(np.exp(relative).sum(axis=1))
    noise = make_gumbels(seed, n_draws * n_rows, n_columns, stream)
    noise = noise.reshape(n_draws, n_rows, n_columns)
    at = np.arange(n_rows)
    largest = log_total + noise[:, at, labels]
    with np.errstate(over="ignore"):
        perturbed = -np.logaddexp(-(relative + noise), -largest[:, :, None])
    # Rounding must not let another one draw level.
    below = np.nextafter(largest, -np.inf)[:, :, None]
    perturbed = np.minimum(perturbed, below)
    perturbed[:, at, labels] = largest
    return perturbed + top


def as_log_weights(values, input):
    """Logarithms of the weights in float64."""
    values = values.astype(np.float64)
    if is_log(input):
        return values
    with np.errstate(divide="ignore"):
        return np.log(values)


def _check_labels(labels, values, is_single, nothing):
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"labels must be integers, got dtype {labels.dtype}")
    expected = () if is_single else (len(values),)
    if labels.shape != expected:
        raise ValueError(f"labels must have shape {expected}, a label per row, got {labels.shape}")
    labels = labels.reshape(len(values))
    if (labels < 0).any() or (labels >= values.shape[1]).any():
        raise ValueError(
            f"labels must be between 0 and {values.shape[1] - 1}, "
            f"got {labels.min()} to {labels.max()}"
        )
    without = values[np.arange(len(values)), labels] <= nothing
    if without.any():
        row = int(without.argmax())
        raise ValueError(f"labels must have a positive weight: that of row {row} has none")
    return labels
