"""Rotation of pairs of features by angles in proportion to a position."""

import numpy as np

from skextra._core.jit import njit
from skextra._core.phases import fill_tile, make_tables, make_tile

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
def scale_tile(positions, log_scales, centre, sines, cosines):
    """Multiply a tile by ``exp((position - centre) * log_scales)``."""
    k = log_scales.shape[0]
    for row in range(positions.shape[0]):
        for j in range(k):
            scale = np.exp((positions[row] - centre) * log_scales[j])
            sines[row * k + j] *= scale
            cosines[row * k + j] *= scale


@njit
def rotate(positions, frequencies, residues, unit, weights, log_scales, x, start, half, out, begin):
    """Rotate pairs of columns of `x` by each row's own position.

    Parameters
    ----------
    positions : ndarray of shape (n_samples,)
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
        Whether partners are half the width apart, not neighbours.
    out : ndarray of shape (n_samples, n_outputs)
    begin : int
        First column to write.
    """
    k = frequencies.shape[0]
    n_rows, spread, sines, cosines = make_tile(frequencies, residues)
    tables, last = make_tables(frequencies, residues, unit), np.nan
    for first in range(0, positions.shape[0], n_rows):
        tile = positions[first : first + n_rows]
        last = fill_tile(tile, frequencies, residues, unit, tables, last, spread, sines, cosines)
        m = tile.shape[0]
        if log_scales.shape[0]:
            scale_tile(tile, log_scales, weights[2], sines, cosines)
        if weights[0] != 1.0 or weights[1] != 1.0:
            for i in range(m * k):
                sines[i] *= weights[0]
                cosines[i] *= weights[1]
        _rotate_tile(m, k, sines, cosines, x, first, start, out, begin, half)


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
    """Logarithms of xPos' decay per unit of position, one a pair.

    Its amplitudes are ``zeta ** (position / length)`` with
    ``zeta = (2 i + 0.4 d) / (1.4 d)`` for a width of ``d = 2 n_pairs``.
    """
    width = 2 * n_pairs
    return np.log((2 * np.arange(n_pairs) + 0.4 * width) / (1.4 * width)) / length
