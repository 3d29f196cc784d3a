"""Relative positions as indices and biases, as attention-like models take them."""

from numbers import Integral

import numpy as np


def clipped_relative_positions(query_positions, key_positions=None, *, max_distance):
    """Index of each clipped relative position.

    Parameters
    ----------
    query_positions : array-like of shape (n_queries,)
        Integers.
    key_positions : array-like of shape (n_keys,), default=None
        Integers; None is those of the queries.
    max_distance : int
        Distances beyond it count as it.

    Returns
    -------
    index : ndarray of int of shape (n_queries, n_keys)
        ``clip(key - query, -max_distance, max_distance) + max_distance``: a row of a
        table of ``2 * max_distance + 1`` entries.

    Raises
    ------
    ValueError
        For positions or a distance that are no integers.

    References
    ----------
    Shaw, Uszkoreit & Vaswani, "Self-attention with relative position representations",
    NAACL (2018).

    Examples
    --------
    >>> from skextra.preprocessing import clipped_relative_positions
    >>> clipped_relative_positions([0, 1, 2, 3], max_distance=2)
    array([[2, 3, 4, 4],
           [1, 2, 3, 4],
           [0, 1, 2, 3],
           [0, 0, 1, 2]])
    """
    _check_count(max_distance, "max_distance", 0)
    relative = _subtract(query_positions, key_positions)
    return np.clip(relative, -max_distance, max_distance) + max_distance


def t5_buckets(
    query_positions, key_positions=None, *, bidirectional=True, n_buckets=32, max_distance=128
):
    """Bucket of each relative position, as in T5.

    Half of the buckets (of a direction) hold one distance each, the others ranges
    that grow logarithmically up to `max_distance`.

    Parameters
    ----------
    query_positions : array-like of shape (n_queries,)
        Integers.
    key_positions : array-like of shape (n_keys,), default=None
        Integers; None is those of the queries.
    bidirectional : bool, default=True
        Whether later keys have buckets of their own, or all share that of distance
        zero.
    n_buckets : int, default=32
        Their number, both directions together.
    max_distance : int, default=128
        All from here on share the last bucket.

    Returns
    -------
    buckets : ndarray of int of shape (n_queries, n_keys)
        From 0 to ``n_buckets - 1``.

    Raises
    ------
    ValueError
        For arguments that are no integers or leave no logarithmic bucket.

    Notes
    -----
    Follows T5's code, in its float32 arithmetic, where the paper's words leave room.

    References
    ----------
    Raffel et al., "Exploring the limits of transfer learning with a unified
    text-to-text transformer", JMLR 21 (2020).

    Examples
    --------
    >>> from skextra.preprocessing import t5_buckets
    >>> t5_buckets([0], [0, 1, 7, 8, 23, 200, -23])
    array([[ 0, 17, 23, 24, 27, 31, 11]])
    """
    _check_count(n_buckets, "n_buckets", 4 if bidirectional else 2)
    _check_count(max_distance, "max_distance", 1)
    relative = _subtract(query_positions, key_positions)
    n, offset = int(n_buckets), 0
    if bidirectional:
        n //= 2
        offset = np.where(relative > 0, n, 0)
        distance = np.abs(relative)
    else:
        distance = -np.minimum(relative, 0)
    exact = n // 2
    if max_distance <= exact:
        raise ValueError(
            f"max_distance must be above {exact}, where the logarithmic buckets begin, "
            f"got {max_distance}"
        )
    ratio = np.maximum(distance, exact).astype(np.float32) / np.float32(exact)
    steps = np.log(ratio) / np.float32(np.log(max_distance / exact)) * np.float32(n - exact)
    far = np.minimum(exact + steps.astype(np.int64), n - 1)
    return offset + np.where(distance < exact, distance, far)


def alibi_slopes(n_heads):
    """Slopes of ALiBi's linear biases.

    Parameters
    ----------
    n_heads : int
        At least 1.

    Returns
    -------
    slopes : ndarray of shape (n_heads,)
        ``2 ** (-8 h / n_heads)`` for ``h = 1, ..., n_heads`` where that number is a
        power of two; else those of the next smaller power, then every other one of
        the next larger.

    Raises
    ------
    ValueError
        If `n_heads` is not a positive integer.

    References
    ----------
    Press, Smith & Lewis, "Train short, test long: attention with linear biases enables
    input length extrapolation", ICLR (2022).

    Examples
    --------
    >>> from skextra.preprocessing import alibi_slopes
    >>> alibi_slopes(4)
    array([0.25      , 0.0625    , 0.015625  , 0.00390625])
    """
    _check_count(n_heads, "n_heads", 1)
    power = 1 << (int(n_heads).bit_length() - 1)
    slopes = 2.0 ** (-8.0 * np.arange(1, power + 1) / power)
    between = 2.0 ** (-4.0 * np.arange(1, 2 * (n_heads - power), 2) / power)
    return np.concatenate([slopes, between])


def alibi_bias(query_positions, key_positions=None, *, n_heads):
    """ALiBi's biases: distances times the slope of each head, negative.

    Parameters
    ----------
    query_positions : array-like of shape (n_queries,)
        Real numbers.
    key_positions : array-like of shape (n_keys,), default=None
        Real numbers; None is those of the queries.
    n_heads : int
        At least 1.

    Returns
    -------
    bias : ndarray of shape (n_heads, n_queries, n_keys)
        ``-slope * abs(key - query)``, to be added to attention's logits.

    Raises
    ------
    ValueError
        If `n_heads` is not a positive integer, or positions are not finite.

    References
    ----------
    Press, Smith & Lewis, "Train short, test long: attention with linear biases enables
    input length extrapolation", ICLR (2022).

    Examples
    --------
    >>> from skextra.preprocessing import alibi_bias
    >>> alibi_bias([0, 1, 2], n_heads=1)
    array([[[-0.        , -0.00390625, -0.0078125 ],
            [-0.00390625, -0.        , -0.00390625],
            [-0.0078125 , -0.00390625, -0.        ]]])
    """
    slopes = alibi_slopes(n_heads)
    queries = _read(query_positions, "query_positions")
    keys = queries if key_positions is None else _read(key_positions, "key_positions")
    return -slopes[:, None, None] * np.abs(keys - queries[:, None])


def _subtract(query_positions, key_positions):
    queries = _read_integers(query_positions, "query_positions")
    keys = queries
    if key_positions is not None:
        keys = _read_integers(key_positions, "key_positions")
    return keys - queries[:, None]


def _read_integers(positions, name):
    values = _read(positions, name)
    if (np.floor(values) != values).any() or (np.abs(values) > 2.0**53).any():
        raise ValueError(f"{name} must be integers, got {positions!r}")
    return values.astype(np.int64)


def _read(positions, name):
    try:
        values = np.asarray(positions, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be numbers: {error}") from error
    if values.ndim != 1 or not np.isfinite(values).all():
        raise ValueError(f"{name} must be finite numbers along one axis, got shape {values.shape}")
    return values


def _check_count(value, name, smallest):
    if isinstance(value, bool) or not isinstance(value, Integral) or value < smallest:
        raise ValueError(f"{name} must be an integer of at least {smallest}, got {value!r}")
