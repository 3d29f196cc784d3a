"""Sine and cosine of positions times frequencies, exact to the last bits.

numba has no vector library: a scalar ``sin`` in a loop loses to NumPy's. These
kernels are branch-free polynomials, which the compiler turns into vector code.

Every value depends on its position alone, never on its neighbours, so that any
batching gives the same bits. The absolute error is below 2.5e-16 (5e-16 for
positions that are multiples of `unit`, which share tables), as long as a position
is below ``MAX_TURNS`` periods; it does not grow with the position.
"""

import numpy as np

from skextra._core.jit import njit

#: Positions of more periods than this are refused: neighbouring floats are then
#: further apart than a thousandth of the period, and the phase says nothing.
MAX_TURNS = 2.0**43
#: Positions beyond this cannot be split into halves without overflow.
MAX_POSITION = 2.0**970

_ROWS = 64  # of the fine table; a coarse one is computed for every 64 units
_TILE = 256  # pairs worked on at a time: what fits the first-level cache

# Adding and subtracting it rounds to an integer, for arguments below 2^51.
_ROUND = 6755399441055744.0
_SPLIT = 134217729.0  # 2^27 + 1, Veltkamp's constant
_TWO_PI = 6.283185307179586

# Interpolation of (sin y / y - 1) / y^2 and (cos y - 1 + y^2 / 2) / y^4 in y^2 at the
# Chebyshev nodes of [0, (pi / 4)^2]; the truncation errors are 1.3e-17 and 5e-19.
_S0, _S1, _S2 = -0.16666666666666666, 0.008333333333330948, -0.00019841269836758574
_S3, _S4, _S5 = 2.755731610255244e-06, -2.5051131845003624e-08, 1.5918129294866608e-10
_C0, _C1, _C2 = 0.041666666666666664, -0.0013888888888887398, 2.480158729876569e-05
_C3, _C4, _C5 = -2.7557317271729793e-07, 2.08761462684032e-09, -1.1382632425521717e-11


@njit
def _round(value):
    return (value + _ROUND) - _ROUND


@njit(fastmath={"contract"})
def _polynomial_sin(y, u):
    return y + y * u * (_S0 + u * (_S1 + u * (_S2 + u * (_S3 + u * (_S4 + u * _S5)))))


@njit(fastmath={"contract"})
def _polynomial_cos(u):
    p = _C0 + u * (_C1 + u * (_C2 + u * (_C3 + u * (_C4 + u * _C5))))
    return 1.0 - 0.5 * u + u * u * p


@njit
def compute_sincos(turns):
    """Sine and cosine of ``2 pi turns``."""
    quarter = _round(4.0 * turns)
    y = _TWO_PI * (turns - 0.25 * quarter)
    u = y * y
    s, c = _polynomial_sin(y, u), _polynomial_cos(u)
    # Turn back by the quarters, by products with 0 and +-1 in place of branches.
    odd = quarter - 2.0 * _round(0.5 * quarter)
    odd = odd * odd
    m = quarter - 4.0 * _round(0.25 * quarter)
    sine = m * odd
    cosine = 1.0 - odd - 0.5 * (m * m) * (1.0 - odd)
    return s * cosine + c * sine, c * cosine - s * sine


@njit
def compute_turns(position, frequency, residue):
    """Fraction of a turn that ``position * (frequency + residue)`` is beyond a whole one.

    The product is exact (Dekker): rounding it, as the plain product does, costs
    1e-16 of the whole angle, which is all of it after 1e16 turns.
    """
    t = _SPLIT * position
    ph = t - (t - position)
    pl = position - ph
    t = _SPLIT * frequency
    fh = t - (t - frequency)
    fl = frequency - fh
    product = position * frequency
    error = ((ph * fh - product) + ph * fl + pl * fh) + pl * fl
    return (product - _round(product)) + (error + position * residue)


@njit
def _fill_direct(positions, frequencies, residues, sines, cosines):
    for i in range(positions.shape[0]):
        sines[i], cosines[i] = compute_sincos(
            compute_turns(positions[i], frequencies[i], residues[i])
        )


@njit
def _are_multiples(positions, unit):
    every = True
    for position in positions:
        multiple = position / unit
        every &= (np.floor(multiple) == multiple) & (multiple * unit == position)
    return every


@njit
def make_tile(frequencies, residues):
    """How many rows make a tile, and arrays of a tile's length.

    Returns
    -------
    n_rows : int
    spread : tuple of 4 ndarray
        Frequencies and residues, repeated for every row, and room for positions.
    sines, cosines : ndarray
        For `fill_tile` to fill, row after row.
    """
    k = frequencies.shape[0]
    n_rows = max(1, _TILE // max(1, k))
    many_frequencies, many_residues = np.empty(n_rows * k), np.empty(n_rows * k)
    for row in range(n_rows):
        for j in range(k):
            many_frequencies[row * k + j] = frequencies[j]
            many_residues[row * k + j] = residues[j]
    rows = np.empty((2, n_rows))
    spread = (many_frequencies, many_residues, np.empty(n_rows * k), rows)
    return n_rows, spread, np.empty(n_rows * k), np.empty(n_rows * k)


@njit
def make_tables(frequencies, residues, unit):
    """Sines and cosines of 0 to 63 units, and a row each for a coarse position."""
    k = frequencies.shape[0]
    n_rows = _ROWS if unit > 0.0 else 0
    sines, cosines = np.empty((n_rows + 1, k)), np.empty((n_rows + 1, k))
    for row in range(n_rows):
        _fill_row(row * unit, frequencies, residues, sines[row], cosines[row])
    return sines, cosines


@njit
def _fill_row(position, frequencies, residues, sines, cosines):
    for j in range(frequencies.shape[0]):
        turns = compute_turns(position, frequencies[j], residues[j])
        sines[j], cosines[j] = compute_sincos(turns)


@njit
def _split_positions(positions, unit, rows):
    """Coarse and fine parts of multiples of `unit`; how often the coarse part changes."""
    n_changes, last = 0, np.nan
    for row in range(positions.shape[0]):
        multiple = positions[row] / unit
        coarse = np.floor(multiple / _ROWS)
        rows[0, row] = coarse
        rows[1, row] = multiple - coarse * _ROWS
        n_changes += coarse != last
        last = coarse
    return n_changes


@njit
def _fill_from_tables(m, frequencies, residues, unit, tables, last, spread, sines, cosines):
    """Seeds for every coarse part, turned by the fine part."""
    k, rows = frequencies.shape[0], spread[3]
    fine_sines, fine_cosines = tables
    seed_sines, seed_cosines = fine_sines[_ROWS], fine_cosines[_ROWS]
    for row in range(m):
        if rows[0, row] != last:
            last = rows[0, row]
            start = last * _ROWS * unit
            _fill_row(start, frequencies, residues, seed_sines, seed_cosines)
        fine = int(rows[1, row])
        for j in range(k):
            a, b = seed_sines[j], seed_cosines[j]
            sines[row * k + j] = a * fine_cosines[fine, j] + b * fine_sines[fine, j]
            cosines[row * k + j] = b * fine_cosines[fine, j] - a * fine_sines[fine, j]
    return last


@njit
def _fill_many_seeds(m, k, unit, tables, spread, sines, cosines):
    """The same where nearly every row has a coarse part of its own."""
    fine_sines, fine_cosines = tables
    rows = spread[3]
    for row in range(m):
        for j in range(k):
            spread[2][row * k + j] = rows[0, row] * _ROWS * unit
    _fill_direct(spread[2][: m * k], spread[0], spread[1], sines, cosines)
    for row in range(m):
        fine = int(rows[1, row])
        for j in range(k):
            a, b = sines[row * k + j], cosines[row * k + j]
            sines[row * k + j] = a * fine_cosines[fine, j] + b * fine_sines[fine, j]
            cosines[row * k + j] = b * fine_cosines[fine, j] - a * fine_sines[fine, j]


@njit
def _fill_multiples(positions, frequencies, residues, unit, tables, last, spread, sines, cosines):
    m, k = positions.shape[0], frequencies.shape[0]
    if 4 * _split_positions(positions, unit, spread[3]) > m > 1:
        _fill_many_seeds(m, k, unit, tables, spread, sines, cosines)
        return last
    return _fill_from_tables(m, frequencies, residues, unit, tables, last, spread, sines, cosines)


@njit
def fill_tile(positions, frequencies, residues, unit, tables, last, spread, sines, cosines):
    """Sines and cosines of a tile's phases, row after row.

    Parameters
    ----------
    positions : ndarray of shape (n_rows,)
    frequencies, residues : ndarray of shape (n_frequencies,)
        Turns per unit of position.
    unit : float
        Positions that are multiples of it come from tables; 0 for none.
    tables : tuple of 2 ndarray
        Of `make_tables`; their last rows are written to.
    last : float
        The coarse position which these last rows are for, or NaN.
    spread : tuple of 4 ndarray
        Of `make_tile`.
    sines, cosines : ndarray of shape (n_rows * n_frequencies,)
        Where results go.

    Returns
    -------
    last : float
    """
    m, k = positions.shape[0], frequencies.shape[0]
    if unit > 0.0 and _are_multiples(positions, unit):
        return _fill_multiples(
            positions, frequencies, residues, unit, tables, last, spread, sines, cosines
        )
    many = spread[2]
    for row in range(m):
        for j in range(k):
            many[row * k + j] = positions[row]
    _fill_direct(many[: m * k], spread[0], spread[1], sines, cosines)
    if unit > 0.0:
        # The value at a position must not depend on what else is in its tile.
        for row in range(m):
            one = positions[row : row + 1]
            if _are_multiples(one, unit):
                s, c = sines[row * k : row * k + k], cosines[row * k : row * k + k]
                last = _fill_multiples(one, frequencies, residues, unit, tables, last, spread, s, c)
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
    n_rows, spread, sines, cosines = make_tile(frequencies, residues)
    tables, last = make_tables(frequencies, residues, unit), np.nan
    for start in range(0, positions.shape[0], n_rows):
        tile = positions[start : start + n_rows]
        few_seeds = False
        if unit > 0.0 and _are_multiples(tile, unit):
            few_seeds = 4 * _split_positions(tile, unit, spread[3]) <= tile.shape[0]
        if few_seeds:
            last = _store_from_tables(
                np.uint64(start), np.uint64(tile.shape[0]), frequencies, residues, unit, tables,
                last, spread[3], out, np.uint64(sine_start), np.uint64(cosine_start),
                np.uint64(step), np.uint64(n_cosines),
            )  # fmt: skip
            continue
        last = fill_tile(tile, frequencies, residues, unit, tables, last, spread, sines, cosines)
        _store(
            np.uint64(start), np.uint64(tile.shape[0]), np.uint64(k), sines, cosines, out,
            np.uint64(sine_start), np.uint64(cosine_start), np.uint64(step), np.uint64(n_cosines),
        )  # fmt: skip


# Indices without a sign cannot count from the end, which saves the test whether
# they do; with the step a constant each inner loop then becomes vector code.
_ONE, _TWO = np.uint64(1), np.uint64(2)


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
    s, c = tables
    a, b = s[_ROWS], c[_ROWS]
    for row in range(m):
        if rows[0, row] != last:
            last = rows[0, row]
            _fill_row(last * _ROWS * unit, frequencies, residues, a, b)
        i, fine = start + row, np.uint64(rows[1, row])
        if step == _TWO:
            for j in range(n_cosines):
                out[i, sine_start + _TWO * j] = a[j] * c[fine, j] + b[j] * s[fine, j]
                out[i, sine_start + _TWO * j + _ONE] = b[j] * c[fine, j] - a[j] * s[fine, j]
            if n_cosines < k:
                j = n_cosines
                out[i, sine_start + _TWO * j] = a[j] * c[fine, j] + b[j] * s[fine, j]
        else:
            for j in range(k):
                out[i, sine_start + j] = a[j] * c[fine, j] + b[j] * s[fine, j]
            for j in range(n_cosines):
                out[i, cosine_start + j] = b[j] * c[fine, j] - a[j] * s[fine, j]
    return last


@njit
def fill_rows(positions, frequencies, residues, unit, sines, cosines):
    """Sines and cosines of every position and frequency, as two matrices."""
    k = frequencies.shape[0]
    n_rows, spread, s, c = make_tile(frequencies, residues)
    tables, last = make_tables(frequencies, residues, unit), np.nan
    for start in range(0, positions.shape[0], n_rows):
        tile = positions[start : start + n_rows]
        last = fill_tile(tile, frequencies, residues, unit, tables, last, spread, s, c)
        for row in range(tile.shape[0]):
            for j in range(k):
                sines[start + row, j] = s[row * k + j]
                cosines[start + row, j] = c[row * k + j]


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
