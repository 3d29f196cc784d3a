"""Sinusoidal encoding of positions."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skextra import _core
from skextra._base import BaseEstimator
from skextra._compat import Interval, StrOptions, check_feature_names_in, fit_context
from skextra.preprocessing._blocks import check_positions, find_bounds
from skextra.preprocessing._calendar import UNITS, resolve_periods
from skextra.preprocessing._columns import (
    convert_origins,
    count_positions,
    find_columns,
    read_table,
    resolve_dtype,
    resolve_origins,
)
from skextra.preprocessing._encoding import Encoding, create_encoding


def _keeps_the_rest(encoder):
    if encoder.mode in ("add", "multiply"):
        raise AttributeError(
            f"inverse_transform needs mode='replace' or 'append', got mode={encoder.mode!r}"
        )
    return True


class SinusoidalEncoder(TransformerMixin, BaseEstimator):
    """Encode positions as sines and cosines of several frequencies.

    A position is any real number: an index, a coordinate, an angle, or a date. Each
    column of positions becomes pairs ``sin(w x), cos(w x)``, so that the inner
    product of two encodings depends on the distance of the positions alone, and a
    linear model on them is a kernel machine on distances in time or space.

    Parameters
    ----------
    n_frequencies : int, default=8
        Frequencies for each column of positions, two columns of output each.
        Without effect where `n_components`, `periods` or `mode` set the width.
    n_components : int, default=None
        Columns of output for each column of positions, in place of
        `n_frequencies`; may be odd. Without effect with `periods`.
    base : float or 'auto', default=10000.0
        At least 1. The frequencies fall geometrically from 1 to about ``1 / base``
        radians per unit. 'auto' takes for each column the smallest base, to 0.01 %,
        whose kernel is proven non-negative for every distance within the range
        seen in `fit`.
    periods : str, float or list of them, default=None
        Periods to use in place of `base`: numbers of `unit`, or 'second', 'minute',
        'hour', 'day', 'week', 'month', 'quarter', 'year' (Gregorian means of
        365.2425 days).
    n_harmonics : int, default=1
        Each of `periods` is also divided by 2, 3, ... up to this number, which lets
        a model fit other shapes than a sine.
    spacing : {'paper', 'tensor2tensor'}, default='paper'
        Frequencies ``base ** (-2 i / width)`` of the original paper, or
        ``base ** (-i / (n - 1))`` of its first code, which reach ``1 / base``.
    layout : {'interleaved', 'blocks'}, default='interleaved'
        Whether each sine is followed by its cosine, or all sines by all cosines.
    columns : int, str or list of them, default=None
        The columns that hold positions, by index or name. None is all of them.
    mode : {'replace', 'append', 'add', 'multiply'}, default='replace'
        What becomes of the input: the encodings replace the columns of positions or
        follow all columns; or they are added to, or multiplied with, the other
        features, whose number then is their width, shared by the columns of
        positions as evenly as can be.
    origin : None, 'min', number, date or list of them, default=None
        What is subtracted from positions. None is 0, and 1970-01-01 for dates;
        'min' is the smallest position in `fit`; a list has one for each column.
    unit : {'ns', 'us', 'ms', 's', 'm', 'h', 'D'}, default='s'
        What dates and durations are counted in, and what numbers mean where
        `periods` are named.
    handle_missing : {'error', 'propagate', 'zero'}, default='error'
        Missing values, NaN or NaT, are refused, give NaN, or give an encoding of
        zeros, which no position has.
    dtype : {None, numpy.float32, numpy.float64}, default=None
        Type of the output; None keeps float32 and makes all else float64. Phases are
        computed in float64 or better in any case.

    Attributes
    ----------
    columns_ : ndarray of shape (n_columns,)
        Indices of the columns of positions.
    base_ : ndarray of shape (n_columns,) or None
        The base of each; None with `periods`.
    frequencies_ : list of ndarray
        For each, its frequencies in radians per unit.
    origin_ : ndarray of shape (n_columns,)
        What is subtracted from each, in `unit`; of dates since 1970.
    inverse_range_ : ndarray of shape (n_columns, 2)
        Between which positions, after subtraction of the origin,
        :meth:`inverse_transform` is right: one period of the slowest frequency around
        the middle of the positions in `fit`. NaN where there is no pair of sine and
        cosine.
    n_features_in_ : int
        Number of features seen during :term:`fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during :term:`fit`, if all are strings.

    See Also
    --------
    RotaryEncoder : Rotates features by angles in proportion to a position.

    Notes
    -----
    Phases are exact products of the position and a frequency of 32 digits, so that an
    entry is within 7e-16 of the true sine or cosine for any position of up to 8e12
    periods. In float32, as many libraries compute them, they are wrong by 4e-4 at
    position 4096 already.

    Dates with a time zone are read on the wall clock of the time zone seen in `fit`, which
    daily and weekly habits follow: the same instants are encoded alike in whatever zone later
    data come, and :meth:`inverse_transform` returns that wall clock. Dates with a zone and
    dates without one do not go together, and are refused.

    With an odd width the last frequency has a sine only ('paper'), or the last column
    is zero ('tensor2tensor').

    References
    ----------
    Vaswani et al., "Attention is all you need", NeurIPS (2017), section 3.5.

    Tancik et al., "Fourier features let networks learn high frequency functions in
    low dimensional domains", NeurIPS (2020).

    Men et al., "Base of RoPE bounds context length", NeurIPS (2024).

    Examples
    --------
    >>> import pandas as pd
    >>> from skextra.preprocessing import SinusoidalEncoder
    >>> X = pd.DataFrame({"time": pd.date_range("2024-01-01", periods=4, freq="6h")})
    >>> encoder = SinusoidalEncoder(periods=["day", "week"])
    >>> encoder.fit_transform(X)[:, :2].round(3) + 0
    array([[ 0.,  1.],
           [ 1.,  0.],
           [ 0., -1.],
           [-1.,  0.]])
    >>> encoder.get_feature_names_out()
    array(['time_day_sin', 'time_day_cos', 'time_week_sin', 'time_week_cos'],
          dtype=object)
    """

    _parameter_constraints: dict = {
        "n_frequencies": [Interval(Integral, 1, None, closed="left")],
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "base": [Interval(Real, 1, 1e100, closed="both"), StrOptions({"auto"})],
        "periods": [str, Real, "array-like", None],
        "n_harmonics": [Interval(Integral, 1, None, closed="left")],
        "spacing": [StrOptions({"paper", "tensor2tensor"})],
        "layout": [StrOptions({"interleaved", "blocks"})],
        "columns": [str, Integral, "array-like", None],
        "mode": [StrOptions({"replace", "append", "add", "multiply"})],
        "origin": "no_validation",
        "unit": [StrOptions(set(UNITS))],
        "handle_missing": [StrOptions({"error", "propagate", "zero"})],
        "dtype": "no_validation",
    }

    def __init__(
        self,
        n_frequencies=8,
        *,
        n_components=None,
        base=10000.0,
        periods=None,
        n_harmonics=1,
        spacing="paper",
        layout="interleaved",
        columns=None,
        mode="replace",
        origin=None,
        unit="s",
        handle_missing="error",
        dtype=None,
    ):
        self.n_frequencies = n_frequencies
        self.n_components = n_components
        self.base = base
        self.periods = periods
        self.n_harmonics = n_harmonics
        self.spacing = spacing
        self.layout = layout
        self.columns = columns
        self.mode = mode
        self.origin = origin
        self.unit = unit
        self.handle_missing = handle_missing
        self.dtype = dtype

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn which columns to encode, their origins and their frequencies.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Positions, and other features where `columns` names the positions.
        y : None
            Ignored.

        Returns
        -------
        self : object
            Fitted encoder.

        Raises
        ------
        ValueError, TypeError
            For data or parameters that do not go together.
        """
        resolve_dtype(self.dtype, np.dtype(np.float64))
        table = read_table(self, X, allow_nan=self.handle_missing != "error")
        names = getattr(self, "feature_names_in_", None)
        indices = find_columns(self.columns, self.n_features_in_, names, "columns")
        origins = resolve_origins(self.origin, table, indices, self.unit)
        frequencies, bases = self._choose_frequencies(table, indices, origins)
        encoding = create_encoding(
            table, indices, origins, self.unit, self.mode, self.layout, frequencies
        )
        self._encoding = encoding
        self.columns_, self.base_ = np.array(indices), bases
        self.frequencies_ = [
            _core.positions.frequencies.round_to_floats(angular) for _, _, angular in frequencies
        ]
        self.origin_ = convert_origins(origins, indices, table.schema, self.unit)
        self.inverse_range_ = encoding.ranges
        return self

    def _resolve_widths(self, n_columns):
        """Columns of output for each column of positions."""
        n_others = self.n_features_in_ - n_columns
        combines = self.mode in ("add", "multiply")
        wanted = self.n_components
        if self.periods is not None:
            lengths, _ = resolve_periods(self.periods, self.unit)
            n = 2 * len(lengths) * self.n_harmonics
            widths = [n] * n_columns
        elif combines:
            n, rest = divmod(n_others, n_columns)
            widths = [n + (i < rest) for i in range(n_columns)]
            if wanted is not None and set(widths) != {wanted}:
                raise ValueError(
                    f"n_components={wanted} does not go with mode={self.mode!r}: {n_others} "
                    f"other features give widths {widths}"
                )
        else:
            widths = [2 * self.n_frequencies if wanted is None else wanted] * n_columns
        if combines and (sum(widths) != n_others or min(widths) < 1):
            raise ValueError(
                f"mode={self.mode!r} needs other features, as many as the encoding is wide: X "
                f"has {n_others} features besides those in columns, the encoding {sum(widths)}"
            )
        return widths

    def _choose_frequencies(self, table, indices, origins):
        """Width, labels and exact frequencies of each column, and the bases or None."""
        widths = self._resolve_widths(len(indices))
        if self.periods is not None:
            lengths, names = resolve_periods(self.periods, self.unit)
            angular = _core.positions.frequencies.convert_periods(tuple(lengths), self.n_harmonics)
            numbers = [""] if self.n_harmonics == 1 else range(1, self.n_harmonics + 1)
            labels = [f"{name}_{{}}{number}" for name in names for number in numbers]
            return [(width, labels, angular) for width in widths], None
        chosen, bases = [], []
        for width, j, origin in zip(widths, indices, origins):
            if self.spacing == "paper":
                n, denominator = (width + 1) // 2, width / 2
            else:
                n, denominator = width // 2, max(width // 2 - 1, 1)
            base = self.base
            if base == "auto":
                low, high = find_bounds(count_positions(table, j, origin, self.unit))
                base = self._find_base(high - low, width // 2, denominator, j)
            bases.append(float(base))
            angular = _core.positions.frequencies.compute_geometric(bases[-1], n, denominator)
            chosen.append((width, [f"{{}}{i}" for i in range(n)], angular))
        return chosen, np.array(bases)

    def _find_base(self, length, n_pairs, denominator, j):
        if length > _core.positions.base_search.LONGEST_RANGE:
            raise ValueError(
                "base='auto' covers ranges of up to "
                f"{_core.positions.base_search.LONGEST_RANGE:.0e}, X has "
                f"{length:.3g} in feature {j}: use a coarser unit, or give the base"
            )
        if not n_pairs:
            return 1.0
        base = _core.positions.base_search.find_base(float(length), n_pairs, denominator)
        if base is None:
            raise ValueError(
                f"base='auto' found no base for the range {length:.3g} of X's feature {j} "
                f"with {n_pairs} pairs of sine and cosine: use more"
            )
        return base

    def transform(self, X):
        """Encode positions.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Data with the columns seen in `fit`.

        Returns
        -------
        X_out : ndarray of shape (n_samples, n_features_out)
            The features that are kept, then the encodings.
        """
        check_is_fitted(self)
        table = read_table(self, X, self._encoding.schema, allow_nan=self.handle_missing != "error")
        dtype = resolve_dtype(self.dtype, table.numbers.dtype)
        return self._encoding.encode(table, dtype, self.handle_missing == "zero")

    @available_if(_keeps_the_rest)
    def inverse_transform(self, X):
        """Recover the positions.

        Right within ``inverse_range_``: the period of each faster frequency is
        resolved from the slower ones. The error is about 1e-15 of the fastest frequency's period in
        float64, and 1e-7 of it in float32.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_out)
            What :meth:`transform` returned.

        Returns
        -------
        X_original : ndarray of shape (n_samples, n_features)
            Numbers; dates and durations as datetime64 and timedelta64 in
            microseconds; objects if there are both.

        Raises
        ------
        ValueError
            If a column has no pair of sine and cosine, or X the wrong shape.
        """
        check_is_fitted(self)
        finite = True if self.handle_missing == "error" else "allow-nan"
        X = check_array(X, dtype=[np.float64, np.float32], ensure_all_finite=finite)
        n_expected = len(self._encoding.kept) + self._encoding.width
        if X.shape[1] != n_expected:
            raise ValueError(f"X must have {n_expected} features, got {X.shape[1]}")
        return self._encoding.decode(X)

    def kernel(self, delta):
        """Inner product of the encodings of positions that are `delta` apart.

        Parameters
        ----------
        delta : array-like of shape (...) or (..., n_columns)
            Differences of positions, in `unit`; the last axis runs over the columns
            of positions if there are several.

        Returns
        -------
        k : ndarray of the shape of `delta`, without the axis of columns
            ``sum(cos(frequencies_ * delta))``, exactly what a product of encodings
            estimates in floating point.

        Raises
        ------
        ValueError
            With an odd width and ``spacing='paper'``: a sine without a cosine has no
            such kernel.
        """
        check_is_fitted(self)
        blocks = self._encoding.blocks
        if any(block.has_lone_sine for block in blocks):
            raise ValueError("kernel needs an even width: the last sine has no cosine")
        delta = np.asarray(delta, dtype=np.float64)
        if len(blocks) == 1:
            check_positions(delta, blocks[0].turns, self.columns_[0])
            return blocks[0].compute_kernel(delta)
        if not delta.ndim or delta.shape[-1] != len(blocks):
            raise ValueError(
                f"delta must have a last axis of {len(blocks)}, one entry per column of "
                f"positions, got shape {delta.shape}"
            )
        return sum(block.compute_kernel(delta[..., i]) for i, block in enumerate(blocks))

    def get_feature_names_out(self, input_features=None):
        """Names of the columns of output.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the input; by default those seen in `fit`, or ``x0, x1, ...``.

        Returns
        -------
        feature_names_out : ndarray of str objects
            Kept features, then ``NAME_sin0, NAME_cos0, ...`` for each column of
            positions, or ``NAME_PERIOD_sin, ...`` with `periods`.
        """
        check_is_fitted(self)
        names = check_feature_names_in(self, input_features)
        return np.array(self._encoding.list_names(names), dtype=object)

    # Files of whatever format hold plain data, so that they need trust in no other class.
    def __getstate__(self):
        state = super().__getstate__()
        if "_encoding" in state:
            state = state | {"_encoding": state["_encoding"].to_plain()}
        return state

    def __setstate__(self, state):
        if "_encoding" in state:
            state = state | {"_encoding": Encoding.from_plain(state["_encoding"])}
        super().__setstate__(state)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.handle_missing != "error"
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        if self.dtype is not None:
            tags.transformer_tags.preserves_dtype = []
        return tags
