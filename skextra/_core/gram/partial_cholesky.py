"""Pivoted partial Cholesky factor of a Gram matrix: its largest part, from few columns.

Pivots are drawn with probabilities proportional to what is left of the diagonal, many
at a time, so that the work is matrix products; of each draw, those that the others of
the draw make superfluous are left out.

References
----------
Chen, Epperly, Tropp & Webber, "Randomly pivoted Cholesky", Comm. Pure Appl. Math.
(2024). Epperly, Tropp & Webber, "Embrace rejection", arXiv:2410.03969 (2024).
"""

import numpy as np
from scipy.linalg import lapack, solve_triangular

_BLOCK = 64
# Relative to the largest of the diagonal: pivots smaller than this are rounding.
_SMALLEST_PIVOT = 1e-12


def compute_partial_cholesky(source, rank, *, tol=0.0, seed=0):
    """Factor the part of a Gram matrix that `rank` of its columns span.

    Parameters
    ----------
    source : Gram source
    rank : int
        Columns at most.
    tol : float
        Ends when what is left of the trace is this part of it.
    seed : int

    Returns
    -------
    factor : ndarray of shape (n_pivots, n_samples)
        ``factor.T @ factor`` is the approximation, never more than the matrix.
    pivots : ndarray of int of shape (n_pivots,)
    left : float
        Part of the trace that is left.
    """
    rng = np.random.default_rng(seed)
    n = source.n_samples
    rank = min(rank, n)
    left = np.maximum(source.compute_diagonal(), 0.0)
    trace, largest = float(left.sum()), float(left.max(initial=0.0))
    factor = np.empty((rank, n))
    pivots = np.empty(rank, dtype=np.intp)
    filled = 0
    while filled < rank and left.sum() > tol * trace:
        drawn = _draw(left, min(_BLOCK, rank - filled), _SMALLEST_PIVOT * largest, rng)
        if len(drawn) == 0:
            break
        rows = source.compute_block(drawn)
        if filled:
            rows -= factor[:filled, drawn].T @ factor[:filled]
        upper, order = _factor_core(rows[:, drawn], _SMALLEST_PIVOT * largest)
        kept = drawn[order]
        left[drawn] = 0.0  # also of those left out, which are spanned by the others
        if len(order) == 0:
            continue
        stop = filled + len(order)
        factor[filled:stop] = solve_triangular(upper, rows[order], trans=1, check_finite=False)
        left -= np.einsum("ij,ij->j", factor[filled:stop], factor[filled:stop])
        np.maximum(left, 0.0, out=left)
        left[drawn] = 0.0
        pivots[filled:stop] = kept
        filled = stop
    return factor[:filled], pivots[:filled], float(left.sum()) / max(trace, 1e-300)


def _draw(left, size, smallest, rng):
    """Distinct positions, with probabilities proportional to `left`."""
    candidates = np.flatnonzero(left > smallest)
    if len(candidates) <= size:
        return candidates
    # The smallest of exponentials of these rates: draws without replacement.
    times = rng.standard_exponential(len(candidates)) / left[candidates]
    return candidates[np.argpartition(times, size - 1)[:size]]


def _factor_core(core, smallest):
    """Upper Cholesky factor of the rows that can be told apart, and their order."""
    upper, order, rank, _ = lapack.dpstrf(np.asfortranarray(core), tol=smallest, lower=0)
    order = order[:rank] - 1
    diagonal = upper.diagonal()[:rank]
    # A draw's last pivots may be much smaller than its first: rounding would be amplified.
    rank = int(np.argmin(np.append(diagonal**2 > 1e-9 * core.diagonal()[order], False)))
    return np.triu(upper[:rank, :rank]), order[:rank]
