"""The smallest base whose kernel stays non-negative over a range of distances.

The kernel of an encoding with base ``b`` is ``f_b(m) = sum_i cos(m b^(-i/d))``. The
bases for which it is non-negative on all of [0, L] are no interval, so that bisection
from above could stop at a needlessly large one: bases are tried in rising order, each
until a distance with a negative value is found or a proof that there is none.
"""

import numpy as np

from skextra._core.positions.frequencies import compute_geometric, split_turns
from skextra._core.positions.sincos import compute_sincos, compute_turns
from skextra._core.runtime.jit import njit

_COARSE, _FINE = 1.01, 1.0001
_LARGEST_BASE = 1e12
#: Distances in the units of the fastest frequency; a scan beyond takes minutes.
LONGEST_RANGE = 1e6
# Intervals this short whose bound is still negative count as a zero of the kernel.
_SHORTEST = 1e-5


@njit
def compute_kernel(distance, frequencies, residues):
    """Sum of the cosines of ``2 pi distance * frequencies``."""
    total = 0.0
    for j in range(frequencies.shape[0]):
        total += compute_sincos(compute_turns(distance, frequencies[j], residues[j]))[1]
    return total


@njit
def find_negative(start, stop, frequencies, residues, curvature):
    """First distance found where the kernel is negative; NaN if provably none is.

    Between two points that are ``h`` apart a function with ``|f''| <= c`` is at
    least the smaller of its values there minus ``c h^2 / 8``; intervals for which
    that does not settle the matter are halved.

    Parameters
    ----------
    start, stop : float
    frequencies, residues : ndarray of shape (n_frequencies,)
        Turns per unit of distance.
    curvature : float
        Bound on the second derivative.

    Returns
    -------
    distance : float
    """
    left, left_value = start, compute_kernel(start, frequencies, residues)
    if left_value < 0.0:
        return left
    longest = 2.0 / np.sqrt(curvature)
    step = longest
    while left < stop:
        right = min(left + step, stop)
        right_value = compute_kernel(right, frequencies, residues)
        if right_value < 0.0:
            return right
        if min(left_value, right_value) < curvature * (right - left) ** 2 / 8.0:
            if right - left < _SHORTEST * longest:
                return right
            step = 0.5 * (right - left)
            continue
        left, left_value = right, right_value
        step = min(2.0 * step, longest)
    return np.nan


def _prepare(base, n_frequencies, denominator):
    frequencies, residues = split_turns(compute_geometric(base, n_frequencies, denominator))
    return frequencies, residues, float(((2 * np.pi * frequencies) ** 2).sum())


def find_base(length, n_frequencies, denominator):
    """Search the smallest base with a kernel that is non-negative on ``[0, length]``.

    Parameters
    ----------
    length : float
        At least 0.
    n_frequencies : int
    denominator : float
        As in `compute_geometric`.

    Returns
    -------
    base : float or None
        Certified; None if no base up to 1e12 will do. Smaller ones are refuted on
        a grid of ratio 1.01, which is refined to 1.0001 below the answer.
    """
    below, base, witness = 1.0, 1.0, np.nan
    while base < _LARGEST_BASE:
        witness = _refute(base, length, n_frequencies, denominator, witness)
        if np.isnan(witness):
            return _refine(below, base, length, n_frequencies, denominator)
        below, base = base, base * _COARSE
    return None


def _refute(base, length, n_frequencies, denominator, witness):
    """A distance with a negative kernel, or NaN; looks where the last one was first."""
    arguments = _prepare(base, n_frequencies, denominator)
    if not np.isnan(witness):
        near = find_negative(max(0.0, witness - 2.0), min(length, witness + 4.0), *arguments)
        if not np.isnan(near):
            return near
    return find_negative(0.0, length, *arguments)


def _refine(refuted, certified, length, n_frequencies, denominator):
    while certified > refuted * _FINE:
        middle = float(np.sqrt(refuted * certified))
        if np.isnan(_refute(middle, length, n_frequencies, denominator, np.nan)):
            certified = middle
        else:
            refuted = middle
    return certified
