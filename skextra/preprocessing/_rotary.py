"""Rotary encoding of the rows of a table."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from skextra import _core
from skextra._base import BaseEstimator
from skextra._compat import Interval, StrOptions, check_feature_names_in, fit_context
from skextra._validation import as_writeable
from skextra.preprocessing._blocks import check_positions
from skextra.preprocessing._calendar import UNITS
from skextra.preprocessing._columns import (
    Schema,
    convert_origins,
    count_positions,
    find_columns,
    read_table,
    resolve_dtype,
    resolve_origins,
)
from skextra.preprocessing._rotation import Rotation


class RotaryEncoder(TransformerMixin, BaseEstimator):
    """Rotate pairs of features by angles in proportion to a position.

    The position is a column of X: an index, a coordinate, an angle or a date. The
    inner product of two encoded rows depends on the difference of their positions
    alone, so that a kernel machine or attention on them sees relative positions; the
    norms of rows are kept.

    Parameters
    ----------
    columns : int, str or list of them, default=0
        The columns that hold positions, by index or name. With several, each
        rotates a section of the features (axial encoding): latitude, longitude and
        time, say.
    n_rotated : int, default=None
        How many of the first features (other than positions) to rotate; None is all.
        Of an odd number the last one stays.
    sections : list of int, default=None
        How many features each column of positions rotates, one section after the
        other; None shares them out as evenly as pairs allow.
    base : float, default=10000.0
        The frequencies are ``base ** (-i / n)`` radians per unit, for ``i < n``, the
        number of pairs: half of `n_rotated` or of the section, rounded down.
    frequencies : array-like of shape (n_rotated // 2,) or list of them, default=None
        Radians per unit, in place of `base`; with several columns of positions an
        array for each.
    layout : {'interleaved', 'half'}, default='interleaved'
        Whether partners are neighbors (RoFormer, GPT-J) or half of `n_rotated` apart
        (Llama, GPT-NeoX).
    scaling : str, default=None
        How frequencies are stretched for positions beyond `original_length`:
        'linear', 'ntk', 'dynamic', 'ntk-fixed', 'ntk-mixed', 'ntk-by-parts', 'yarn',
        'yarn-transformers' or 'llama3'; see :func:`rotary_frequencies`.
    factor : float, default=1.0
        By how much the range of positions grows.
    original_length : float, default=None
        The range before.
    scaling_params : dict, default=None
        As in :func:`rotary_frequencies`.
    xpos : {None, 'query', 'key'}, default=None
        Whether amplitudes also grow, or shrink, with the position, so that products
        of queries with keys decay with their distance.
    xpos_length : float, default=512.0
        The distance that this decay is measured in.
    xpos_center : float, default=0.0
        Position, after subtraction of the origin, at which it makes no difference.
    keep_positions : bool, default=False
        Whether the columns of positions stay, in front of the features. What comes
        after then sees absolute positions.
    origin : None, 'min', number, date or list of them, default=None
        What is subtracted from positions. None is 0, and 1970-01-01 for dates;
        'min' is the smallest position in `fit`; a list has one for each column.
    unit : {'ns', 'us', 'ms', 's', 'm', 'h', 'D'}, default='s'
        What dates and durations are counted in.
    dtype : {None, numpy.float32, numpy.float64}, default=None
        Type of the output; None keeps float32 and makes all else float64. Phases are
        computed in float64 or better in any case.

    Attributes
    ----------
    columns_ : ndarray of shape (n_columns,)
        Indices of the columns of positions.
    frequencies_ : list of ndarray
        For each of them, radians per unit, one per pair of features.
    amplitude_ : float
        What rotated features are multiplied with: 1 but for YaRN.
    origin_ : ndarray of shape (n_columns,)
        What is subtracted from each, in `unit`; of dates since 1970.
    n_features_in_ : int
        Number of features seen during :term:`fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during :term:`fit`, if all are strings.

    See Also
    --------
    SinusoidalEncoder : Encodes positions as features of their own.
    apply_rotary : The same for arrays of any shape.
    rotary_kernel : Inner products of encoded rows, for kernel machines.

    Notes
    -----
    Phases are exact products of the position and a frequency of 32 digits: relative
    positions hold to 1e-15, also for seconds since 1970.

    Dates with a time zone are read on the wall clock of the time zone seen in `fit`, whatever
    zone later data come in.

    References
    ----------
    Su et al., "RoFormer: enhanced transformer with rotary position embedding",
    Neurocomputing 568 (2024).

    Peng et al., "YaRN: efficient context window extension of large language models",
    ICLR (2024).

    Sun et al., "A length-extrapolatable transformer", ACL (2023).

    Examples
    --------
    >>> import numpy as np
    >>> from skextra.preprocessing import RotaryEncoder
    >>> X = np.array([[0.0, 1.0, 0.0], [np.pi / 2, 1.0, 0.0], [np.pi, 1.0, 0.0]])
    >>> RotaryEncoder().fit_transform(X).round(3) + 0
    array([[ 1.,  0.],
           [ 0.,  1.],
           [-1.,  0.]])
    """

    _parameter_constraints: dict = {
        "columns": [str, Integral, "array-like"],
        "n_rotated": [Interval(Integral, 0, None, closed="left"), None],
        "sections": ["array-like", None],
        "base": [Interval(Real, 1, 1e100, closed="both")],
        "frequencies": ["array-like", None],
        "layout": [StrOptions({"interleaved", "half"})],
        "scaling": [str, None],
        "factor": [Interval(Real, 1, None, closed="left")],
        "original_length": [Interval(Real, 0, None, closed="neither"), None],
        "scaling_params": [dict, None],
        "xpos": [StrOptions({"query", "key"}), None],
        "xpos_length": [Interval(Real, 0, None, closed="neither")],
        "xpos_center": [Interval(Real, None, None, closed="neither")],
        "keep_positions": ["boolean"],
        "origin": "no_validation",
        "unit": [StrOptions(set(UNITS))],
        "dtype": "no_validation",
    }

    def __init__(
        self,
        columns=0,
        *,
        n_rotated=None,
        sections=None,
        base=10000.0,
        frequencies=None,
        layout="interleaved",
        scaling=None,
        factor=1.0,
        original_length=None,
        scaling_params=None,
        xpos=None,
        xpos_length=512.0,
        xpos_center=0.0,
        keep_positions=False,
        origin=None,
        unit="s",
        dtype=None,
    ):
        self.columns = columns
        self.n_rotated = n_rotated
        self.sections = sections
        self.base = base
        self.frequencies = frequencies
        self.layout = layout
        self.scaling = scaling
        self.factor = factor
        self.original_length = original_length
        self.scaling_params = scaling_params
        self.xpos = xpos
        self.xpos_length = xpos_length
        self.xpos_center = xpos_center
        self.keep_positions = keep_positions
        self.origin = origin
        self.unit = unit
        self.dtype = dtype

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn which columns hold positions, their origins and the frequencies.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Positions, and features to rotate.
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
        table = read_table(self, X, allow_nan=False)
        names = getattr(self, "feature_names_in_", None)
        indices = find_columns(self.columns, self.n_features_in_, names, "columns")
        self.columns_ = np.array(indices)
        features = self._list_features()
        if not features:
            raise ValueError(
                f"X has {self.n_features_in_} feature(s), all of them positions: there must be "
                "others to rotate"
            )
        if any(j in table.dates for j in features):
            raise ValueError("X holds dates among the features to rotate: name them in columns")
        self._schema = table.schema.kinds, table.schema.zones  # plain, for files of any format
        self._origins = resolve_origins(self.origin, table, indices, self.unit)
        self.origin_ = convert_origins(self._origins, indices, table.schema, self.unit)
        rotation = self._make_rotation()
        self.frequencies_, self.amplitude_ = rotation.frequencies, rotation.amplitude
        positions = self._count_positions(table, rotation)
        self._units = [_core.positions.sinusoids.find_unit(p) for p in positions]
        return self

    def _list_features(self):
        positions = set(self.columns_.tolist())
        return [j for j in range(self.n_features_in_) if j not in positions]

    def _make_rotation(self):
        return Rotation(
            self.n_features_in_ - len(self.columns_),
            len(self.columns_),
            n_rotated=self.n_rotated,
            sections=self.sections,
            base=self.base,
            frequencies=self.frequencies,
            layout=self.layout,
            scaling=self.scaling,
            factor=self.factor,
            original_length=self.original_length,
            scaling_params=self.scaling_params,
            xpos=self.xpos,
            xpos_length=self.xpos_length,
            xpos_center=self.xpos_center,
        )

    def _count_positions(self, table, rotation):
        positions = []
        for j, origin, (turns, _) in zip(self.columns_, self._origins, rotation.turns):
            positions.append(count_positions(table, j, origin, self.unit))
            check_positions(positions[-1], turns, j)
        return positions

    def transform(self, X):
        """Rotate the features of each row by its position.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Data with the columns seen in `fit`.

        Returns
        -------
        X_out : ndarray of shape (n_samples, n_features_out)
            The rotated features, behind the positions if these are kept.
        """
        check_is_fitted(self)
        rotation = self._make_rotation()
        # The kernel looks for what is not finite as it goes, which spares two passes.
        looks = all(n for _, n in rotation.sections)
        table = read_table(self, X, Schema(*self._schema), allow_nan=False, allow_infinite=looks)
        numbers = as_writeable(table.numbers)
        dtype = resolve_dtype(self.dtype, numbers.dtype)
        sources = []
        for j, origin in zip(self.columns_, self._origins):
            if j not in table.dates and numbers.dtype == np.float64:
                sources.append((numbers, int(j), origin))
            else:
                positions = count_positions(table, j, origin, self.unit)
                sources.append((positions.reshape(-1, 1), 0, 0.0))
        features, n_kept = self._list_features(), self.keep_positions * len(self.columns_)
        out = np.empty((len(numbers), n_kept + len(features)), dtype=dtype)
        for i in range(n_kept):
            j = self.columns_[i]
            out[:, i] = sources[i][0][:, 0] if j in table.dates else numbers[:, j]
        x, start = numbers, features[0]
        if features != list(range(start, start + len(features))):
            x, start = np.ascontiguousarray(x[:, features]), 0
        if not rotation.apply(x, start, sources, self._units, out, n_kept):
            read_table(self, X, Schema(*self._schema), allow_nan=False)
            self._count_positions(table, rotation)
            raise ValueError(
                f"the rotated features overflow {out.dtype}: scale X, or the positions of xpos"
            )
        return out

    def inverse_transform(self, X, positions=None):
        """Turn the features back.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_out)
            What :meth:`transform` returned.
        positions : array-like of shape (n_samples,) or (n_samples, n_columns), \
default=None
            The positions in `unit`, origin included, of dates since 1970; needed
            unless ``keep_positions=True``.

        Returns
        -------
        X_original : ndarray of shape (n_samples, n_features)
            All columns in the order of `fit`; positions as numbers.

        Raises
        ------
        ValueError
            If `positions` are missing, or a shape is wrong.
        """
        check_is_fitted(self)
        X = check_array(X, dtype=[np.float64, np.float32], order="C")
        n_columns, features = len(self.columns_), self._list_features()
        n_kept = self.keep_positions * n_columns
        if X.shape[1] != n_kept + len(features):
            raise ValueError(f"X must have {n_kept + len(features)} features, got {X.shape[1]}")
        if positions is None and not n_kept:
            raise ValueError("positions are needed, since keep_positions=False left them out")
        if positions is None:
            given = X[:, :n_kept].astype(np.float64)
            # Dates are kept as time since their origin, numbers as they came.
            is_date = np.array([self._schema[0][j] == "datetime" for j in self.columns_])
            given = given + np.where(is_date, self.origin_, 0.0)
        else:
            given = check_array(positions, ensure_2d=False, dtype=np.float64)
            given = given.reshape(len(given), -1)
        if given.shape != (len(X), n_columns):
            raise ValueError(
                f"positions must have shape ({len(X)}, {n_columns}), got {given.shape}"
            )
        rotation = self._make_rotation()
        offsets = given - self.origin_
        for p, (turns, _), j in zip(offsets.T, rotation.turns, self.columns_):
            check_positions(p, turns, j)
        turned = np.empty((len(X), len(features)), dtype=X.dtype)
        sources = [(offsets, i, 0.0) for i in range(n_columns)]
        rotation.apply(as_writeable(X), n_kept, sources, self._units, turned, 0, inverse=True)
        restored = np.empty((len(X), self.n_features_in_), dtype=X.dtype)
        restored[:, self.columns_] = given
        restored[:, features] = turned
        return restored

    def decay_bound(self, delta):
        """Bound on inner products of encoded rows by the distance of their positions.

        For rows ``q`` and ``k`` with pairs ``q_i`` and ``k_i``, read as complex
        numbers, and ``h_i = q_i conj(k_i)``, ``h_n = 0``, the inner product is at most
        ``max |h_(i+1) - h_i|`` times this (Abel's summation by parts). It is loose, but
        its fall with the distance is where rotary encodings' decay comes from.

        Parameters
        ----------
        delta : array-like of shape (...) or (..., n_columns)
            Differences of positions, in `unit`; the last axis runs over the columns
            of positions if there are several.

        Returns
        -------
        bound : ndarray of the shape of `delta`, without the axis of columns
            ``sum_j |sum_(i <= j) exp(i delta w_i)|``, times the squared amplitude.

        Raises
        ------
        ValueError
            For a wrong shape, or with `xpos`, whose amplitudes are no part of it.
        """
        check_is_fitted(self)
        if self.xpos is not None:
            raise ValueError("decay_bound is for xpos=None: growing amplitudes are no part of it")
        delta = np.asarray(delta, dtype=np.float64)
        rotation = self._make_rotation()
        if len(rotation.turns) == 1:
            delta = delta[..., None]
        elif not delta.ndim or delta.shape[-1] != len(rotation.turns):
            raise ValueError(
                f"delta must have a last axis of {len(rotation.turns)}, got shape {delta.shape}"
            )
        turns = [delta[..., [i]] * t for i, (t, _) in enumerate(rotation.turns)]
        sums = _core.positions.rotary.compute_partial_sums(np.concatenate(turns, axis=-1))
        return self.amplitude_**2 * sums

    def get_feature_names_out(self, input_features=None):
        """Names of the columns of output: those of the input, in the order of output.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the input; by default those seen in `fit`, or ``x0, x1, ...``.

        Returns
        -------
        feature_names_out : ndarray of str objects
            A rotated feature keeps its name.
        """
        check_is_fitted(self)
        names = check_feature_names_in(self, input_features)
        kept = self.columns_.tolist() if self.keep_positions else []
        return np.array([names[j] for j in kept + self._list_features()], dtype=object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        if self.dtype is not None:
            tags.transformer_tags.preserves_dtype = []
        return tags
