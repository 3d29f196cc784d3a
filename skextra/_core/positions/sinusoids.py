"""Sine and cosine of positions times frequencies, exact to the last bits.

Every value depends on its position alone, never on its neighbors, so that any
batching gives the same bits. The absolute error is below 2.5e-16 (5e-16 for
positions that are multiples of `unit`, which share tables), as long as a position
is below ``MAX_TURNS`` periods; it does not grow with the position.

Work goes by tiles of rows. Where there are few frequencies a tile is stored one
frequency after the other, else one row after the other: in either order the inner
loops are long enough to be worth vector code.
"""

import numpy as np

from skextra._core.positions.sincos import compute_sincos, compute_turns
from skextra._core.runtime.jit import njit

#: Positions of more periods than this are refused: neighboring floats are then
#: further apart than a thousandth of the period, and the phase says nothing.
MAX_TURNS = 2.0**43
#: Positions beyond this cannot be split into halves without overflow.
MAX_POSITION = 2.0**970

_ROWS = 64  # of the fine table; a coarse one is computed for every 64 units
_TILE = 256  # pairs worked on at a time: what fits the first-level cache
WIDE = 12  # frequencies from which on a tile is stored by rows
# Kinds of tile: no multiples of the unit, some, all, in many or few coarse parts,
# and one unit after the other.
_OFF, _MIXED, _MANY_SEEDS, _FEW_SEEDS, _GRID = range(5)
_ROUND = 6755399441055744.0  # adding and subtracting it rounds, below 2^51


@njit
def make_tile(k):
    """Arrays for a tile of `k` frequencies.

    Returns
    -------
    n_rows : int
        That fit it.
    rows : ndarray of shape (2, n_rows)
        Room for coarse and fine parts of positions.
    sines, cosines : ndarray of shape (n_rows * k,)
        For `fill_tile` to fill; entry (row, j) is at ``row * k + j`` if `k` is at
        least `WIDE`, else at ``j * n_rows + row``.
    """
    n_rows = max(1, _TILE // max(1, k))
    return n_rows, np.empty((2, n_rows)), np.empty(n_rows * k), np.empty(n_rows * k)


@njit
def make_tables(frequencies, residues, unit):
    """Sines and cosines of 0 to 63 units, and seeds: those of a coarse position.

    Entry (fine, j) is at ``fine * k + j``, or ``64 * j + fine``, as in a tile.
    """
    k = frequencies.shape[0]
    n_rows = _ROWS if unit > 0.0 else 0
    sines, cosines = np.empty(n_rows * k), np.empty(n_rows * k)
    for fine in range(n_rows):
        for j in range(k):
            s, c = compute_sincos(compute_turns(fine * unit, frequencies[j], residues[j]))
            at = fine * k + j if k >= WIDE else j * _ROWS + fine
            sines[at], cosines[at] = s, c
    return sines, cosines, np.empty((2, k))


@njit
def _seed(coarse, frequencies, residues, unit, seeds):
    start = coarse * _ROWS * unit
    for j in range(frequencies.shape[0]):
        turns = compute_turns(start, frequencies[j], residues[j])
        seeds[0, j], seeds[1, j] = compute_sincos(turns)


@njit
def _split_positions(positions, unit, rows):
    """Coarse and fine parts of multiples of `unit`, and what kind of tile they make."""
    m = positions.shape[0]
    inverse, n_off = 1.0 / unit, 0
    for row in range(m):
        multiple = (positions[row] * inverse + _ROUND) - _ROUND
        n_off += multiple * unit != positions[row]
        coarse = np.floor(multiple * (1.0 / _ROWS))
        rows[0, row] = coarse
        rows[1, row] = multiple - coarse * _ROWS
    if n_off == m:
        return _OFF
    if n_off > 0:
        return _MIXED
    n_seeds, n_jumps = 1, 0
    for row in range(1, m):
        step = rows[0, row] - rows[0, row - 1]
        n_seeds += step != 0.0
        n_jumps += _ROWS * step + (rows[1, row] - rows[1, row - 1]) != 1.0
    if 4 * n_seeds > m > 1:
        return _MANY_SEEDS
    return _GRID if n_jumps == 0 else _FEW_SEEDS


@njit
def _fill_direct(positions, frequencies, residues, n_rows, sines, cosines):
    m, k = positions.shape[0], frequencies.shape[0]
    if k >= WIDE:
        for row in range(m):
            for j in range(k):
                turns = compute_turns(positions[row], frequencies[j], residues[j])
                sines[row * k + j], cosines[row * k + j] = compute_sincos(turns)
        return
    for j in range(k):
        s, c = sines[j * n_rows : j * n_rows + m], cosines[j * n_rows : j * n_rows + m]
        for row in range(m):
            turns = compute_turns(positions[row], frequencies[j], residues[j])
            s[row], c[row] = compute_sincos(turns)


@njit
def _turn_tile(m, k, n_rows, rows, fine_sines, fine_cosines, sines, cosines):
    """Turn seeds, which the tile holds, by the fine parts; not where these are negative."""
    if k >= WIDE:
        for row in range(m):
            if rows[1, row] >= 0.0:
                t, f = row * k, np.uint64(rows[1, row]) * k
                for j in range(k):
                    a, b = sines[t + j], cosines[t + j]
                    sines[t + j] = a * fine_cosines[f + j] + b * fine_sines[f + j]
                    cosines[t + j] = b * fine_cosines[f + j] - a * fine_sines[f + j]
        return
    for j in range(k):
        t, f = j * n_rows, j * np.uint64(_ROWS)
        for row in range(m):
            if rows[1, row] >= 0.0:
                fine = f + np.uint64(rows[1, row])
                a, b = sines[t + row], cosines[t + row]
                sines[t + row] = a * fine_cosines[fine] + b * fine_sines[fine]
                cosines[t + row] = b * fine_cosines[fine] - a * fine_sines[fine]


@njit
def _fill_from_tables(m, frequencies, residues, unit, tables, last, rows, sines, cosines):
    """Seeds for every coarse part, turned by the fine part; not where this is negative."""
    seeds, k, n_rows = tables[2], np.uint64(frequencies.shape[0]), np.uint64(rows.shape[1])
    for row in range(np.uint64(m)):
        if rows[1, row] < 0.0:
            continue
        if rows[0, row] != last:
            last = rows[0, row]
            _seed(last, frequencies, residues, unit, seeds)
        if k >= WIDE:
            for j in range(k):
                sines[row * k + j], cosines[row * k + j] = seeds[0, j], seeds[1, j]
        else:
            for j in range(k):
                sines[j * n_rows + row], cosines[j * n_rows + row] = seeds[0, j], seeds[1, j]
    _turn_tile(np.uint64(m), k, n_rows, rows, tables[0], tables[1], sines, cosines)
    return last


@njit
def _fill_grid(m, frequencies, residues, unit, tables, last, rows, sines, cosines):
    """The same for few frequencies and positions one unit apart: loops over runs of rows."""
    n_rows, row = rows.shape[1], 0
    while row < m:
        fine = int(rows[1, row])
        n = min(m - row, _ROWS - fine)
        if rows[0, row] != last:
            last = rows[0, row]
            _seed(last, frequencies, residues, unit, tables[2])
        for j in range(frequencies.shape[0]):
            a, b = tables[2][0, j], tables[2][1, j]
            f, t = j * _ROWS + fine, j * n_rows + row
            fs, fc = tables[0][f : f + n], tables[1][f : f + n]
            s, c = sines[t : t + n], cosines[t : t + n]
            for i in range(n):
                s[i] = a * fc[i] + b * fs[i]
                c[i] = b * fc[i] - a * fs[i]
        row += n
    return last


@njit
def _fill_many_seeds(m, frequencies, residues, unit, tables, rows, sines, cosines):
    """The same where nearly every row has a coarse part of its own."""
    k, n_rows = frequencies.shape[0], rows.shape[1]
    for row in range(m):
        rows[0, row] *= _ROWS * unit
    _fill_direct(rows[0, :m], frequencies, residues, n_rows, sines, cosines)
    _turn_tile(
        np.uint64(m), np.uint64(k), np.uint64(n_rows), rows, tables[0], tables[1], sines, cosines
    )


@njit
def fill_tile(positions, frequencies, residues, unit, tables, last, rows, sines, cosines):
    """Sines and cosines of a tile's phases.

    Parameters
    ----------
    positions : ndarray of shape (m,)
        At most as many as fit the tile.
    frequencies, residues : ndarray of shape (n_frequencies,)
        Turns per unit of position.
    unit : float
        Positions that are multiples of it come from tables; 0 for none.
    tables : tuple of 3 ndarray
        Of `make_tables`; the seeds are written to.
    last : float
        The coarse position which the seeds are for, or NaN.
    rows, sines, cosines : ndarray
        Of `make_tile`.

    Returns
    -------
    last : float
    """
    m, k = positions.shape[0], frequencies.shape[0]
    kind = _split_positions(positions, unit, rows) if unit > 0.0 else _OFF
    if kind == _GRID and k < WIDE:
        return _fill_grid(m, frequencies, residues, unit, tables, last, rows, sines, cosines)
    if kind in (_GRID, _FEW_SEEDS):
        return _fill_from_tables(m, frequencies, residues, unit, tables, last, rows, sines, cosines)
    if kind == _MANY_SEEDS:
        _fill_many_seeds(m, frequencies, residues, unit, tables, rows, sines, cosines)
        return last
    _fill_direct(positions, frequencies, residues, rows.shape[1], sines, cosines)
    if kind == _MIXED:
        # The value at a position must not depend on what else is in its tile.
        for row in range(m):
            if (rows[0, row] * _ROWS + rows[1, row]) * unit != positions[row]:
                rows[1, row] = -1.0
        return _fill_from_tables(m, frequencies, residues, unit, tables, last, rows, sines, cosines)
    return last


@njit
def encode(positions, frequencies, residues, unit, out, sine_start, cosine_start, step, n_cosines):
    """Write sines and cosines into columns of `out`.

    Parameters
    ----------
    positions : ndarray of shape (n_samples,)
    frequencies, residues : ndarray of shape (n_frequencies,)
    unit : float
        As in `fill_tile`.
    out : ndarray of shape (n_samples, n_columns)
        float32 or float64.
    sine_start, cosine_start : int
        First column of each.
    step : int
        1 where sines and cosines are blocks, 2 where they are interleaved.
    n_cosines : int
        The number of frequencies, or one less where the width is odd.
    """
    k = frequencies.shape[0]
    n_rows, rows, sines, cosines = make_tile(k)
    tables, last = make_tables(frequencies, residues, unit), np.nan
    for start in range(0, positions.shape[0], n_rows):
        tile = positions[start : start + n_rows]
        m = tile.shape[0]
        kind = _split_positions(tile, unit, rows) if unit > 0.0 and k >= WIDE else _OFF
        if kind in (_GRID, _FEW_SEEDS):
            last = _store_from_tables(
                np.uint64(start), np.uint64(m), frequencies, residues, unit, tables, last, rows,
                out, np.uint64(sine_start), np.uint64(cosine_start), np.uint64(step),
                np.uint64(n_cosines),
            )  # fmt: skip
            continue
        last = fill_tile(tile, frequencies, residues, unit, tables, last, rows, sines, cosines)
        if k >= WIDE:
            _store(
                np.uint64(start), np.uint64(m), np.uint64(k), sines, cosines, out,
                np.uint64(sine_start), np.uint64(cosine_start), np.uint64(step),
                np.uint64(n_cosines),
            )  # fmt: skip
        else:
            _store_short(
                np.uint64(start), np.uint64(m), np.uint64(k), np.uint64(n_rows), sines, cosines,
                out, np.uint64(sine_start), np.uint64(cosine_start), np.uint64(step),
                np.uint64(n_cosines),
            )  # fmt: skip


# Indices without a sign cannot count from the end, which saves the test whether
# they do; with the step a constant each inner loop then becomes vector code.
_ONE, _TWO = np.uint64(1), np.uint64(2)


@njit
def _store_short(
    start, m, k, n_rows, sines, cosines, out, sine_start, cosine_start, step, n_cosines
):
    for j in range(k):
        t, column = j * n_rows, sine_start + step * j
        for row in range(m):
            out[start + row, column] = sines[t + row]
    for j in range(n_cosines):
        t, column = j * n_rows, cosine_start + step * j
        for row in range(m):
            out[start + row, column] = cosines[t + row]


@njit
def _store(start, m, k, sines, cosines, out, sine_start, cosine_start, step, n_cosines):
    for row in range(m):
        i, first = start + row, row * k
        if step == _TWO:
            for j in range(n_cosines):
                out[i, sine_start + _TWO * j] = sines[first + j]
                out[i, sine_start + _TWO * j + _ONE] = cosines[first + j]
            if n_cosines < k:
                out[i, sine_start + _TWO * n_cosines] = sines[first + n_cosines]
        else:
            for j in range(k):
                out[i, sine_start + j] = sines[first + j]
            for j in range(n_cosines):
                out[i, cosine_start + j] = cosines[first + j]


@njit
def _store_from_tables(
    start, m, frequencies, residues, unit, tables, last, rows, out, sine_start, cosine_start, step,
    n_cosines,
):  # fmt: skip
    """What `fill_tile` and `_store` do, without a buffer between them."""
    k = np.uint64(frequencies.shape[0])
    s, c, seeds = tables
    a, b = seeds[0], seeds[1]
    for row in range(m):
        if rows[0, row] != last:
            last = rows[0, row]
            _seed(last, frequencies, residues, unit, seeds)
        i, f = start + row, np.uint64(rows[1, row]) * k
        if step == _TWO:
            for j in range(n_cosines):
                out[i, sine_start + _TWO * j] = a[j] * c[f + j] + b[j] * s[f + j]
                out[i, sine_start + _TWO * j + _ONE] = b[j] * c[f + j] - a[j] * s[f + j]
            if n_cosines < k:
                j = n_cosines
                out[i, sine_start + _TWO * j] = a[j] * c[f + j] + b[j] * s[f + j]
        else:
            for j in range(k):
                out[i, sine_start + j] = a[j] * c[f + j] + b[j] * s[f + j]
            for j in range(n_cosines):
                out[i, cosine_start + j] = b[j] * c[f + j] - a[j] * s[f + j]
    return last


@njit
def fill_rows(positions, frequencies, residues, unit, sines, cosines):
    """Sines and cosines of every position and frequency, as two matrices."""
    k = frequencies.shape[0]
    n_rows, rows, s, c = make_tile(k)
    tables, last = make_tables(frequencies, residues, unit), np.nan
    for start in range(0, positions.shape[0], n_rows):
        tile = positions[start : start + n_rows]
        last = fill_tile(tile, frequencies, residues, unit, tables, last, rows, s, c)
        for row in range(tile.shape[0]):
            for j in range(k):
                t = row * k + j if k >= WIDE else j * n_rows + row
                sines[start + row, j], cosines[start + row, j] = s[t], c[t]


def find_unit(positions):
    """Largest integer that divides all finite positions: the `unit` of their tables.

    Parameters
    ----------
    positions : ndarray of shape (n_samples,)

    Returns
    -------
    unit : float
        0.0 if they are no integers.
    """
    finite = positions[np.isfinite(positions)]
    if not len(finite) or np.abs(finite).max() > 2.0**53:
        return 0.0
    # Most columns that are no integers say so at once.
    for part in (finite[:64], finite):
        if (np.floor(part) != part).any():
            return 0.0
    return float(np.gcd.reduce(np.abs(finite).astype(np.int64)))
