"""Positions from their phases: slower frequencies resolve the period of each faster one."""

import numpy as np


def unwrap_positions(sines, cosines, turns, center):
    """Recover positions from sines and cosines of their phases.

    The slowest frequency gives a position within its own period around `center`;
    every faster one then refines it, since the estimate says which of its periods
    is meant.

    Parameters
    ----------
    sines, cosines : ndarray of shape (n_samples, n_frequencies)
    turns : ndarray of shape (n_frequencies,)
        Turns per unit of position, positive, in any order.
    center : float
        Of the range in which positions are looked for.

    Returns
    -------
    positions : ndarray of shape (n_samples,)
        NaN where a phase is NaN or the sines and cosines are all zero.
    """
    positions = np.full(len(sines), float(center))
    for j in np.argsort(turns, kind="stable"):
        phases = np.arctan2(sines[:, j].astype(np.float64), cosines[:, j].astype(np.float64))
        expected = positions * turns[j]
        offset = phases / (2 * np.pi) - expected
        positions += (offset - np.round(offset)) / turns[j]
    gone = ~(np.abs(sines).sum(axis=1) + np.abs(cosines).sum(axis=1) > 0)
    positions[gone] = np.nan
    return positions


def find_safe_frequencies(turns, eps):
    """Which frequencies can be told apart from the next slower ones.

    An angle known to `eps` turns places a position within ``eps / turns`` of the
    truth; a faster frequency can refine it only if its period is longer than that.

    Parameters
    ----------
    turns : ndarray of shape (n_frequencies,)
    eps : float
        Error of an angle, in turns.

    Returns
    -------
    safe : ndarray of bool of shape (n_frequencies,)
    """
    safe, error = np.zeros(len(turns), dtype=bool), 0.0
    for j in np.argsort(turns, kind="stable"):
        safe[j] = error * turns[j] < 0.25
        if safe[j]:
            error = eps / turns[j]
    return safe
