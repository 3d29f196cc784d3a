"""Rotation of pairs of features by angles in proportion to a position."""

import numpy as np

from skextra._core.positions.sinusoids import WIDE, fill_tile, make_tables, make_tile
from skextra._core.runtime.jit import njit

# Indices without a sign: see `phases`.
_ONE, _TWO = np.uint64(1), np.uint64(2)


@njit
def _rotate_tile(rows, n_pairs, sines, cosines, x, first, start, out, begin, half):
    k, start, begin = np.uint64(n_pairs), np.uint64(start), np.uint64(begin)
    for row in range(np.uint64(rows)):
        i, t = np.uint64(first) + row, row * k
        # Two loops where the pairs lie apart: one loop would write to two streams,
        # which the compiler cannot prove apart and leaves as scalar code.
        if half:
            for j in range(k):
                a, b = x[i, start + j], x[i, start + k + j]
                out[i, begin + j] = a * cosines[t + j] - b * sines[t + j]
            for j in range(k):
                a, b = x[i, start + j], x[i, start + k + j]
                out[i, begin + k + j] = a * sines[t + j] + b * cosines[t + j]
        else:
            for j in range(k):
                a, b = x[i, start + _TWO * j], x[i, start + _TWO * j + _ONE]
                c, s = cosines[t + j], sines[t + j]
                out[i, begin + _TWO * j] = a * c - b * s
                out[i, begin + _TWO * j + _ONE] = a * s + b * c


@njit
def _rotate_short(rows, n_pairs, n_rows, sines, cosines, x, first, start, out, begin, half):
    """The same for few pairs, whose tile is stored one frequency after the other."""
    k, first = np.uint64(n_pairs), np.uint64(first)
    step, apart = (_ONE, k) if half else (_TWO, _ONE)
    for j in range(k):
        t, column, target = j * np.uint64(n_rows), start + step * j, begin + step * j
        for row in range(np.uint64(rows)):
            a, b = x[first + row, column], x[first + row, column + apart]
            c, s = cosines[t + row], sines[t + row]
            out[first + row, target] = a * c - b * s
            out[first + row, target + apart] = a * s + b * c


@njit
def _scale_tile(positions, log_scales, center, n_rows, sines, cosines):
    """Multiply a tile by ``exp((position - center) * log_scales)``."""
    k = log_scales.shape[0]
    for row in range(positions.shape[0]):
        for j in range(k):
            scale = np.exp((positions[row] - center) * log_scales[j])
            t = row * k + j if k >= WIDE else j * n_rows + row
            sines[t] *= scale
            cosines[t] *= scale


@njit
def _load_positions(source, column, origin, limit, first, tile):
    """Copy positions less their origin; return how many are not below the limit."""
    n_lost = 0
    for row in range(tile.shape[0]):
        position = source[first + row, column] - origin
        tile[row] = position
        n_lost += not abs(position) < limit
    return n_lost


@njit
def _count_infinite(values):
    """How many are infinite or NaN."""
    n_infinite = 0
    for t in range(values.shape[0]):
        n_infinite += values[t] - values[t] != 0.0
    return n_infinite


@njit
def rotate(
    source, column, origin, limit, frequencies, residues, unit, weights, log_scales, x, start, half,
    out, begin,
):  # fmt: skip
    """Rotate pairs of columns of `x` by each row's own position.

    Positions are read, and results looked at, a tile at a time: a pass of its own
    over a large table takes as long as the rotation.

    Parameters
    ----------
    source : ndarray of shape (n_samples, n_columns)
        Holds the positions, for instance `x` itself.
    column : int
        Where they are.
    origin : float
        What is subtracted from them.
    limit : float
        Positions of this size and beyond have no phase.
    frequencies, residues : ndarray of shape (n_pairs,)
        Turns per unit of position.
    unit : float
        As in `phases.fill_tile`.
    weights : tuple of 3 float
        Factors of sines and of cosines, -1 for the inverse's sines, and the
        position at which `log_scales` make no difference.
    log_scales : ndarray of shape (n_pairs,) or (0,)
        Growth of the amplitudes per unit of position.
    x : ndarray of shape (n_samples, n_columns)
    start : int
        First column to rotate.
    half : bool
        Whether partners are half the width apart, not neighbors.
    out : ndarray of shape (n_samples, n_outputs)
    begin : int
        First column to write.

    Returns
    -------
    n_lost : int
        Positions not below the limit, NaN among them; the work ends at the first tile
        that has any.
    n_infinite : int
        Entries written that are infinite or NaN.
    """
    k = frequencies.shape[0]
    n_rows, rows, sines, cosines = make_tile(k)
    tables, last = make_tables(frequencies, residues, unit), np.nan
    positions, n_infinite = np.empty(n_rows), 0
    unsigned_start, unsigned_begin = np.uint64(start), np.uint64(begin)
    for first in range(0, x.shape[0], n_rows):
        m = min(n_rows, x.shape[0] - first)
        tile = positions[:m]
        n_lost = _load_positions(source, column, origin, limit, first, tile)
        if n_lost > 0:
            return n_lost, n_infinite
        last = fill_tile(tile, frequencies, residues, unit, tables, last, rows, sines, cosines)
        if log_scales.shape[0]:
            _scale_tile(tile, log_scales, weights[2], n_rows, sines, cosines)
        if weights[0] != 1.0 or weights[1] != 1.0:
            for i in range(n_rows * k):
                sines[i] *= weights[0]
                cosines[i] *= weights[1]
        if k >= WIDE:
            _rotate_tile(m, k, sines, cosines, x, first, start, out, begin, half)
        else:
            _rotate_short(
                m, k, n_rows, sines, cosines, x, first, unsigned_start, out, unsigned_begin, half
            )
        if out.shape[1] == 2 * k:
            n_infinite += _count_infinite(out.reshape(-1)[first * 2 * k : (first + m) * 2 * k])
        else:
            for i in range(first, first + m):
                n_infinite += _count_infinite(out[i, begin : begin + 2 * k])
    return 0, n_infinite


@njit
def rotate_by_table(index, sines, cosines, x, start, half, out, begin):
    """Rotate rows of `x` by the angles in row ``index[i]`` of two tables."""
    k = sines.shape[1]
    for row in range(x.shape[0]):
        at = index[row]
        _rotate_tile(1, k, sines[at], cosines[at], x, row, start, out, begin, half)


def compute_partial_sums(turns):
    """Sum over j of ``|sum_(i <= j) exp(2 pi i turns_i)|``: what bounds the decay.

    Parameters
    ----------
    turns : ndarray of shape (..., n_pairs)

    Returns
    -------
    sums : ndarray of shape (...)
    """
    phases = 2 * np.pi * (turns - np.round(turns))
    return np.abs(np.cumsum(np.exp(1j * phases), axis=-1)).sum(axis=-1)


def compute_xpos_log_scales(n_pairs, length):
    """Logarithms of xPos' decay per unit of position, one per pair.

    Its amplitudes are ``zeta ** (position / length)`` with
    ``zeta = (2 i + 0.4 d) / (1.4 d)`` for a width of ``d = 2 n_pairs``.
    """
    width = 2 * n_pairs
    return np.log((2 * np.arange(n_pairs) + 0.4 * width) / (1.4 * width)) / length
