"""The rotation that the options of a rotary encoding describe."""

from numbers import Integral, Real

import numpy as np

from skextra import _core
from skextra.preprocessing._blocks import find_limit

LAYOUTS = ("interleaved", "half")
_PARAMETERS = {
    "ntk-by-parts": {"ramp"},
    "yarn": {"ramp"},
    "yarn-transformers": {"ramp", "truncate"},
    "llama3": {"ramp"},
    "dynamic": {"length"},
    "ntk-mixed": {"exponent"},
}


class Rotation:
    """Rotation of the leading features by one or several positions.

    Parameters
    ----------
    n_features : int
    n_axes : int
        Positions a row.
    n_rotated, sections, base, frequencies, layout, scaling, factor, original_length, \
scaling_params, xpos, xpos_length, xpos_center
        As in `apply_rotary`.

    Attributes
    ----------
    sections : list of (int, int)
        First feature and number of pairs of each axis.
    turns : list of (ndarray, ndarray)
        Frequencies and residues of each axis.
    frequencies : list of ndarray
        Radians per unit of position.
    amplitude : float
    """

    def __init__(
        self,
        n_features,
        n_axes,
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
    ):
        if layout not in LAYOUTS:
            raise ValueError(f"layout must be 'interleaved' or 'half', got {layout!r}")
        self.half = layout == "half"
        widths = resolve_sections(n_features, n_axes, n_rotated, sections)
        starts = np.cumsum([0, *widths])
        self.n_features = n_features
        self.sections = [(int(s), w // 2) for s, w in zip(starts, widths)]
        pairs = [n for _, n in self.sections]
        if frequencies is not None:
            if scaling is not None:
                raise ValueError(f"scaling={scaling!r} does not go with given frequencies")
            angular, self.amplitude = _read_frequencies(frequencies, pairs), 1.0
        else:
            options = resolve_scaling(base, scaling, factor, original_length, scaling_params)
            found = [_core.positions.rotary_scaling.compute_rotary(n, **options) for n in pairs]
            angular, self.amplitude = [a for a, _ in found], found[0][1]
        self.turns = [_core.positions.frequencies.split_turns(a) for a in angular]
        self.frequencies = [_core.positions.frequencies.round_to_floats(a) for a in angular]
        self.log_scales = _resolve_xpos(pairs, xpos, xpos_length, xpos_center)
        self.center = float(xpos_center)

    def apply(self, x, start, sources, units, out, begin, inverse=False):
        """Rotate columns of `x` from `start` on, and copy those that stay.

        Parameters
        ----------
        x : ndarray of shape (n_samples, n_columns)
        start : int
        sources : list of (ndarray of shape (n_samples, n), int, float)
            Where the positions of each axis are: in which column of which float64
            matrix, and what is to be subtracted from them.
        units : list of float
            As in `_core.positions.sinusoids.fill_tile`, one an axis.
        out : ndarray of shape (n_samples, n_outputs)
        begin : int
        inverse : bool

        Returns
        -------
        is_sound : bool
            Whether the positions rotated by have phases and the output is finite. If
            not, the output is not complete.
        """
        sign = -1.0 if inverse else 1.0
        gain = 1.0 / self.amplitude if inverse else self.amplitude
        for (first, n), turns, scales, source, unit in zip(
            self.sections, self.turns, self.log_scales, sources, units
        ):
            if n:
                n_lost, n_infinite = _core.positions.rotary.rotate(
                    *source, find_limit(turns[0]), *turns, unit,
                    (sign * gain, gain, self.center), sign * scales,
                    x, start + first, self.half, out, begin + first,
                )  # fmt: skip
                if n_lost or n_infinite:
                    return False
        return self.copy_rest(x, start, out, begin)

    def copy_rest(self, x, start, out, begin):
        """Copy the features that are not rotated; return whether they are finite."""
        rotated = np.zeros(self.n_features, dtype=bool)
        for first, n in self.sections:
            rotated[first : first + 2 * n] = True
        rest = np.flatnonzero(~rotated)
        if not len(rest):
            return True
        stay = x[:, start + rest]
        out[:, begin + rest] = stay
        return bool(np.isfinite(stay).all())

    def fill_tables(self, axis, positions, unit, inverse):
        """Factors of sine and cosine for rows of positions, amplitudes included."""
        turns, scales = self.turns[axis], self.log_scales[axis]
        sines, cosines = np.empty((2, len(positions), len(turns[0])))
        _core.positions.sinusoids.fill_rows(positions, *turns, unit, sines, cosines)
        sign = -1.0 if inverse else 1.0
        gain = self.amplitude**sign
        if len(scales):
            gain = gain * np.exp((positions[:, None] - self.center) * (sign * scales))
        return sines * (sign * gain), cosines * gain


def resolve_sections(n_features, n_axes, n_rotated, sections):
    """How many features each axis rotates.

    Raises
    ------
    ValueError
        For counts that are no integers, are negative or exceed the features, or for
        a wrong number of them.
    """
    if sections is None:
        total = n_features if n_rotated is None else n_rotated
        if not _is_count(total) or total > n_features:
            raise ValueError(
                f"n_rotated must be an integer from 0 to the number of features, {n_features}, "
                f"got {n_rotated!r}"
            )
        return [int(total)] if n_axes == 1 else [2 * (int(total) // (2 * n_axes))] * n_axes
    widths = list(sections) if np.ndim(sections) == 1 else [sections]
    if len(widths) != n_axes or not all(_is_count(w) for w in widths):
        raise ValueError(
            f"sections must be {n_axes} integers, one per column of positions, got {sections!r}"
        )
    if sum(widths) > n_features:
        raise ValueError(
            f"sections must sum to at most the number of features, {n_features}, got {sections!r}"
        )
    if n_rotated is not None and n_rotated != sum(widths):
        raise ValueError(f"n_rotated={n_rotated} does not go with sections={sections!r}")
    return [int(w) for w in widths]


def _is_count(value):
    return isinstance(value, Integral) and not isinstance(value, bool) and value >= 0


def resolve_scaling(base, scaling, factor, original_length, scaling_params):
    """Checked arguments of `_core.positions.rotary_scaling.compute_rotary`.

    Raises
    ------
    ValueError
        For an unknown rule or parameter, or numbers out of range.
    """
    if not _is_number(base) or not 1.0 <= base <= 1e100:
        raise ValueError(f"base must be a number from 1 to 1e100, got {base!r}")
    rules = _core.positions.rotary_scaling.RULES
    if scaling is not None and scaling not in rules:
        raise ValueError(f"scaling must be None or among {', '.join(rules)}, got {scaling!r}")
    if not _is_number(factor) or not factor >= 1.0:
        raise ValueError(f"factor must be a number of at least 1, got {factor!r}")
    needed = scaling in _core.positions.rotary_scaling.LENGTH_RULES
    if needed and original_length is None:
        raise ValueError(f"scaling={scaling!r} needs original_length")
    if original_length is not None and not (_is_number(original_length) and original_length > 0):
        raise ValueError(f"original_length must be a positive number, got {original_length!r}")
    extra = dict(scaling_params or {})
    unknown = sorted(set(extra) - _PARAMETERS.get(scaling, set()))
    if unknown:
        raise ValueError(f"scaling_params holds {unknown[0]!r}, which scaling={scaling!r} lacks")
    if "ramp" in extra:
        low, high = extra["ramp"]
        if not (_is_number(low) and _is_number(high) and 0 < low < high):
            raise ValueError(
                f"scaling_params['ramp'] must be two rising numbers, got {(low, high)}"
            )
        extra["ramp"] = (float(low), float(high))
    for name in ("length", "exponent"):
        if name in extra and not (_is_number(extra[name]) and extra[name] > 0):
            raise ValueError(f"scaling_params[{name!r}] must be positive, got {extra[name]!r}")
    length = None if original_length is None else float(original_length)
    options = {"base": float(base), "rule": scaling, "factor": float(factor)}
    return options | {"original_length": length} | extra


def _is_number(value):
    return isinstance(value, Real) and not isinstance(value, bool) and bool(np.isfinite(value))


def _read_frequencies(frequencies, pairs):
    """Frequencies given by the user, for each axis."""
    several = list(frequencies) if len(pairs) > 1 else [frequencies]
    if len(several) != len(pairs):
        raise ValueError(
            f"frequencies must hold an array for each of {len(pairs)} columns of positions, "
            f"got {len(several)}"
        )
    angular = []
    for values, n in zip(several, pairs):
        try:
            values = np.asarray(values, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise TypeError(f"frequencies must be numbers: {error}") from error
        if values.shape != (n,) or not np.isfinite(values).all():
            raise ValueError(
                f"frequencies must be {n} finite numbers, one per pair of features, got {values}"
            )
        angular.append(_core.positions.frequencies.convert_floats(values))
    return angular


def _resolve_xpos(pairs, xpos, length, center):
    """Logarithmic growth of amplitudes per unit of position, for each axis."""
    if xpos not in (None, "query", "key"):
        raise ValueError(f"xpos must be None, 'query' or 'key', got {xpos!r}")
    if not _is_number(length) or not length > 0:
        raise ValueError(f"xpos_length must be a positive number, got {length!r}")
    if not _is_number(center):
        raise ValueError(f"xpos_center must be a finite number, got {center!r}")
    if xpos is None:
        return [np.zeros(0) for _ in pairs]
    sign = 1.0 if xpos == "query" else -1.0
    return [sign * _core.positions.rotary.compute_xpos_log_scales(n, length) for n in pairs]
