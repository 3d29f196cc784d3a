"""Rotary encoding of arrays of any shape."""

import numpy as np

from skextra import _core
from skextra._validation import as_writeable
from skextra.preprocessing._blocks import find_limit
from skextra.preprocessing._rotation import LAYOUTS, Rotation, resolve_scaling


def rotary_frequencies(
    n_rotated,
    *,
    base=10000.0,
    scaling=None,
    factor=1.0,
    original_length=None,
    scaling_params=None,
):
    """Compute the angular frequencies of a rotary encoding.

    Parameters
    ----------
    n_rotated : int
        Features that are rotated; of an odd number the last one is not.
    base : float, default=10000.0
        The frequencies are ``base ** (-i / n)`` for ``i < n = n_rotated // 2``.
    scaling : str, default=None
        How they are stretched for positions beyond `original_length`. One of
        'linear' (position interpolation), 'ntk' (a larger base), 'dynamic' (the same
        as transformers does it while sequences grow), 'ntk-fixed' and 'ntk-mixed'
        (Su's corrections of it), 'ntk-by-parts', 'yarn' (as in the paper),
        'yarn-transformers' (as in that library), 'llama3'.
    factor : float, default=1.0
        By how much the range of positions grows.
    original_length : float, default=None
        The range before; needed by 'dynamic', 'ntk-by-parts', 'yarn',
        'yarn-transformers' and 'llama3'.
    scaling_params : dict, default=None
        ``ramp``: the rotations within `original_length` up to which a frequency is
        stretched in full and from which it is left alone, (1, 32), and (1, 4) for
        'llama3'. ``truncate``: whether 'yarn-transformers' rounds the ends of its
        ramp to whole indices, True. ``length``: the present range, for 'dynamic'.
        ``exponent``: of 'ntk-mixed', 0.625.

    Returns
    -------
    frequencies : ndarray of shape (n_rotated // 2,)
        Radians per unit of position.
    amplitude : float
        What sines and cosines are to be multiplied with: ``0.1 ln(factor) + 1`` for
        both kinds of YaRN, else 1.

    Raises
    ------
    ValueError
        For an argument out of range or an unknown `scaling`.

    Notes
    -----
    The two kinds of YaRN differ: the paper ramps over rotations, transformers over
    the index of the pair, so that frequencies in between can differ by more than
    half.

    References
    ----------
    Peng et al., "YaRN: efficient context window extension of large language models",
    ICLR (2024).

    Examples
    --------
    >>> from skextra.preprocessing import rotary_frequencies
    >>> rotary_frequencies(4)[0]
    array([1.  , 0.01])
    >>> rotary_frequencies(4, scaling="ntk", factor=2.0)[0]
    array([1.   , 0.005])
    """
    if not isinstance(n_rotated, int | np.integer) or n_rotated < 0:
        raise ValueError(f"n_rotated must be an integer of at least 0, got {n_rotated!r}")
    options = resolve_scaling(base, scaling, factor, original_length, scaling_params)
    angular, amplitude = _core.positions.rotary_scaling.compute_rotary(
        int(n_rotated) // 2, **options
    )
    return _core.positions.frequencies.round_to_floats(angular), amplitude


def apply_rotary(x, positions, *, inverse=False, sections=None, **options):
    """Rotate pairs of features by angles in proportion to their position.

    The inner product of two rotated vectors depends on the difference of their
    positions alone, and their norms are kept.

    Parameters
    ----------
    x : array-like of shape (..., n_features)
        For instance (batch, head, sequence, feature).
    positions : array-like
        Of a shape that broadcasts to that of `x` without its last axis; with
        `sections`, an axis more, of their number.
    inverse : bool, default=False
        Whether to undo the rotation.
    sections : sequence of int, default=None
        For positions of several coordinates (axial encoding): how many features
        each rotates, one section after the other. None is one coordinate.
    **options
        n_rotated : int, default=None
            How many of the first features to rotate; None is all. Of an odd number
            the last one stays.
        base : float, default=10000.0
            As in :func:`rotary_frequencies`.
        frequencies : array-like of shape (n_rotated // 2,), default=None
            Radians per unit, in place of `base`; with `sections` one array for each.
        layout : {'interleaved', 'half'}, default='interleaved'
            Whether partners are neighbors (RoFormer, GPT-J) or half of `n_rotated`
            apart (Llama, GPT-NeoX).
        scaling, factor, original_length, scaling_params
            As in :func:`rotary_frequencies`.
        xpos : {None, 'query', 'key'}, default=None
            Whether amplitudes also grow, or shrink, with the position, so that
            products of queries with keys decay with their distance.
        xpos_length : float, default=512.0
            The distance that xPos' decay is measured in.
        xpos_center : float, default=0.0
            Position at which xPos makes no difference.

    Returns
    -------
    rotated : ndarray of the shape of `x`
        float32 if `x` is, else float64.

    Raises
    ------
    ValueError, TypeError
        For shapes or options that do not go together, or positions that are not
        finite or too large for their phase to be told.

    Notes
    -----
    Libraries center xPos at half the length of the batch, so that the same row comes
    out differently in another batch; here the center is fixed.

    References
    ----------
    Su et al., "RoFormer: enhanced transformer with rotary position embedding",
    Neurocomputing 568 (2024).

    Sun et al., "A length-extrapolatable transformer", ACL (2023).

    Examples
    --------
    >>> import numpy as np
    >>> from skextra.preprocessing import apply_rotary
    >>> query, key = np.array([1.0, 2.0, 3.0, 4.0]), np.array([4.0, 3.0, 2.0, 1.0])
    >>> products = [apply_rotary(query, m) @ apply_rotary(key, n) for m, n in [(5, 3), (105, 103)]]
    >>> np.round(products, 12)
    array([1.19005123, 1.19005123])
    """
    x = np.asarray(x)
    if x.dtype.kind not in "fiub":
        raise TypeError(f"x must hold real numbers, got dtype {x.dtype}")
    if not x.ndim:
        raise ValueError("x must have at least one axis, of features, got a number")
    dtype = np.float32 if x.dtype == np.float32 else np.float64
    positions = _read_positions(positions, x.shape[:-1], sections)
    n_axes = positions.shape[-1]
    rotation = Rotation(x.shape[-1], n_axes, sections=sections, **options)
    n_rows = int(np.prod(x.shape[:-1], dtype=np.int64))
    rows = np.ascontiguousarray(x, dtype=dtype).reshape(n_rows, x.shape[-1])
    out = np.empty_like(rows)
    _check_size(positions, rotation)
    if not rows.size:
        return out.reshape(x.shape)
    units = [1.0] * n_axes
    if 2 * positions[..., 0].size <= n_rows:
        _apply_tables(rotation, as_writeable(rows), positions, x.shape[:-1], units, out, inverse)
    else:
        full = np.broadcast_to(positions, (*x.shape[:-1], n_axes)).reshape(-1, n_axes)
        # A copy: kernels are compiled anew for read-only arrays, as broadcast ones are.
        full = np.array(full, order="C")
        rotation.apply(as_writeable(rows), 0, [(full, i, 0.0) for i in range(n_axes)], units, out,
                       0, inverse)  # fmt: skip
    return out.reshape(x.shape)


def _apply_tables(rotation, rows, positions, shape, units, out, inverse):
    """Rotate where positions repeat: over batches and heads, say."""
    own = positions.shape[:-1]
    index = np.arange(int(np.prod(own, dtype=np.int64))).reshape(own)
    index = np.ascontiguousarray(np.broadcast_to(index, shape).ravel())
    for axis, (first, n) in enumerate(rotation.sections):
        if n:
            column = np.array(positions[..., axis].ravel())
            sines, cosines = rotation.fill_tables(axis, column, units[axis], inverse)
            _core.positions.rotary.rotate_by_table(
                index, sines, cosines, rows, first, rotation.half, out, first
            )
    rotation.copy_rest(rows, 0, out, 0)


def _read_positions(positions, shape, sections):
    """Positions with an axis of coordinates, which broadcasts to `shape`."""
    try:
        positions = np.asarray(positions, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"positions must be numbers: {error}") from error
    if not np.isfinite(positions).all():
        raise ValueError("positions must be finite, got NaN or infinity")
    if sections is None:
        positions = positions[..., None]
    elif not positions.ndim or positions.shape[-1] != len(sections):
        raise ValueError(
            f"positions must have a last axis of {len(sections)} coordinates, one a section, "
            f"got shape {positions.shape}"
        )
    try:
        fits = np.broadcast_shapes(positions.shape[:-1], shape) == tuple(shape)
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"positions must broadcast to the shape of x without its last axis, {shape}, "
            f"got shape {positions.shape[:-1]}"
        )
    return positions


def _check_size(positions, rotation):
    largest = np.abs(positions).max(axis=tuple(range(positions.ndim - 1)), initial=0.0)
    for value, (turns, _) in zip(np.atleast_1d(largest), rotation.turns):
        limit = find_limit(turns)
        if not value < limit:
            raise ValueError(
                f"positions up to {value:.3g} are beyond {limit:.3g}, where neighboring numbers "
                "are too far apart to tell the phase: subtract an origin"
            )


def convert_rotary_layout(x, source, target, *, n_rotated=None):
    """Reorder features from one layout of rotary pairs to the other.

    Rotating in one layout and converting equals converting and rotating in the
    other, exactly. Mixing the two up is a classic error.

    Parameters
    ----------
    x : array-like of shape (..., n_features)
        Features.
    source, target : {'interleaved', 'half'}
        The layouts.
    n_rotated : int, default=None
        How many of the first features are in pairs; None is all. Of an odd number
        the last one stays.

    Returns
    -------
    converted : ndarray of the shape of `x`
        Its features in another order.

    Raises
    ------
    ValueError
        For an unknown layout or `n_rotated` beyond the features.

    Examples
    --------
    >>> from skextra.preprocessing import convert_rotary_layout
    >>> convert_rotary_layout([0, 1, 2, 3, 4, 5], "interleaved", "half")
    array([0, 2, 4, 1, 3, 5])
    """
    x = np.asarray(x)
    for name, layout in (("source", source), ("target", target)):
        if layout not in LAYOUTS:
            raise ValueError(f"{name} must be 'interleaved' or 'half', got {layout!r}")
    if not x.ndim:
        raise ValueError("x must have at least one axis, of features, got a number")
    n = x.shape[-1] if n_rotated is None else n_rotated
    if not 0 <= n <= x.shape[-1]:
        raise ValueError(f"n_rotated must be from 0 to {x.shape[-1]}, got {n_rotated!r}")
    order, n_pairs = np.arange(x.shape[-1]), n // 2
    if source != target:
        pairs = order[: 2 * n_pairs]
        shape = (n_pairs, 2) if source == "interleaved" else (2, n_pairs)
        order[: 2 * n_pairs] = pairs.reshape(shape).T.ravel()
    return x[..., order]


def rotary_kernel(X, Y=None, *, columns=0, **options):
    """Inner products of rows whose features are rotated by their position.

    A positive definite kernel: ``kernel=rotary_kernel`` works in `sklearn.svm.SVC` and
    everything else that takes a function.

    Parameters
    ----------
    X : array-like of shape (n_samples_X, n_features)
        Rows with a position among their columns.
    Y : array-like of shape (n_samples_Y, n_features), default=None
        Other rows; None is `X`.
    columns : int or list of int, default=0
        The columns that hold positions. With several, the features are shared out
        among them as evenly as pairs allow, or as ``sections`` says.
    **options
        As in :func:`apply_rotary`.

    Returns
    -------
    K : ndarray of shape (n_samples_X, n_samples_Y)
        The kernel matrix.

    Raises
    ------
    ValueError, TypeError
        For shapes or options that do not go together.

    Examples
    --------
    >>> import numpy as np
    >>> from functools import partial
    >>> from sklearn.svm import SVC
    >>> from skextra.preprocessing import rotary_kernel
    >>> X = np.array([[0.0, 1, 0], [1.6, 1, 0], [3.1, 1, 0], [4.7, 1, 0]])
    >>> y = [0, 0, 1, 1]
    >>> kernel = partial(rotary_kernel, frequencies=[1.0])
    >>> SVC(kernel=kernel, C=100.0).fit(X, y).predict(X + [2 * np.pi, 0, 0])
    array([0, 0, 1, 1])
    """
    rotated = [_rotate_rows(A, name, columns, options) for A, name in ((X, "X"), (Y, "Y"))
               if A is not None]  # fmt: skip
    if rotated[0].shape[1] != rotated[-1].shape[1]:
        raise ValueError(
            f"X and Y must have as many features, got {np.shape(X)[1]} and {np.shape(Y)[1]}"
        )
    return rotated[0] @ rotated[-1].T


def _rotate_rows(A, name, columns, options):
    A = np.asarray(A)
    if A.ndim != 2 or A.dtype.kind not in "fiub":
        raise ValueError(f"{name} must be a matrix of numbers, got shape {A.shape} of {A.dtype}")
    columns = np.atleast_1d(columns)
    if columns.dtype.kind not in "iu" or (np.abs(columns + 0.5) > A.shape[1]).any():
        raise ValueError(
            f"columns must be indices of the {A.shape[1]} columns of {name}, got {columns}"
        )
    columns = columns % A.shape[1]
    features = np.delete(A, columns, axis=1)
    if len(columns) == 1 and "sections" not in options:
        return apply_rotary(features, A[:, columns[0]], **options)
    options = dict(options)
    n_rotated = options.pop("n_rotated", None)
    n_rotated = features.shape[1] if n_rotated is None else n_rotated
    even = [2 * (n_rotated // (2 * len(columns)))] * len(columns)
    sections = options.pop("sections", even)
    return apply_rotary(features, A[:, columns], sections=sections, **options)


def rotary_linear_attention(
    queries, keys, values, query_positions, key_positions=None, *, feature_map="elu", **options
):
    """Linear attention with rotary positions.

    Each query's output is a mean of the values, weighted by products of features of
    queries and keys. The positions turn the numerator alone: rotated products may be
    negative, and a denominator of them could vanish.

    Parameters
    ----------
    queries : array-like of shape (..., n_queries, n_features)
        Queries.
    keys : array-like of shape (..., n_keys, n_features)
        Keys.
    values : array-like of shape (..., n_keys, n_values)
        Values.
    query_positions : array-like of shape (n_queries,)
        Positions, or any shape that :func:`apply_rotary` takes with the queries.
    key_positions : array-like of shape (n_keys,), default=None
        The same for the keys; None is those of the queries.
    feature_map : {'elu', None}, default='elu'
        Positive features: ``elu(x) + 1``; None takes queries and keys as they are,
        which then must not be negative.
    **options
        As in :func:`apply_rotary`.

    Returns
    -------
    output : ndarray of shape (..., n_queries, n_values)
        In time and memory linear in the numbers of queries and keys.

    Raises
    ------
    ValueError
        For shapes that do not go together, negative features without a map, or
        weights that sum to zero.

    References
    ----------
    Su et al., "RoFormer: enhanced transformer with rotary position embedding",
    Neurocomputing 568 (2024), equation 19.

    Examples
    --------
    >>> import numpy as np
    >>> from skextra.preprocessing import rotary_linear_attention
    >>> rng = np.random.default_rng(0)
    >>> queries, keys, values = rng.standard_normal((3, 6, 4))
    >>> rotary_linear_attention(queries, keys, values, np.arange(6)).shape
    (6, 4)
    """
    if feature_map not in ("elu", None):
        raise ValueError(f"feature_map must be 'elu' or None, got {feature_map!r}")
    queries, keys, values = (np.asarray(a, dtype=np.float64) for a in (queries, keys, values))
    if keys.ndim < 2 or values.ndim < 2 or keys.shape[-2] != values.shape[-2]:
        raise ValueError(
            f"keys and values must have as many rows, got shapes {keys.shape} and {values.shape}"
        )
    if queries.shape[-1:] != keys.shape[-1:]:
        raise ValueError(
            "queries and keys must have as many features, got shapes "
            f"{queries.shape} and {keys.shape}"
        )
    if feature_map == "elu":
        queries, keys = (np.where(a > 0, a + 1, np.exp(np.minimum(a, 0))) for a in (queries, keys))
    elif (queries < 0).any() or (keys < 0).any():
        raise ValueError("queries and keys must not be negative without a feature_map")
    key_positions = query_positions if key_positions is None else key_positions
    turned = apply_rotary(keys, key_positions, **options)
    numerator = apply_rotary(queries, query_positions, **options) @ (
        np.swapaxes(turned, -1, -2) @ values
    )
    denominator = queries @ keys.sum(axis=-2)[..., None]
    if not (denominator > 0).all():
        raise ValueError("queries and keys give weights that sum to zero")
    return numerator / denominator
