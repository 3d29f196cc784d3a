"""Sequential minimal optimization by blocks, for kernel matrices too large to hold.

A block of the rows that violate optimality most is solved by itself, to a part of the
violation; its kernel rows come from one matrix product. Rows at a bound that
do not tend to leave it are left out until the others are done, and are checked then.

References
----------
Joachims, "Making large-scale support vector machine learning practical", in Advances
in Kernel Methods (1999).

Wen, Shi, Li, He & Chen, "ThunderSVM: a fast SVM library on GPUs and CPUs",
JMLR 19 (2018).
"""

import numpy as np

from skextra._core.runtime.jit import njit
from skextra._core.svm.row_cache import RowCache, gather_symmetric
from skextra._core.svm.smo import solve_matrix

BLOCK = 512
_FAST = {"contract", "reassoc", "nsz"}
_STRIP = 1024  # scores at a time: they stay in the first-level cache
_INNER = 0.1  # of the violation, to which a block is solved
_PATIENCE = 4  # blocks between two looks for rows to leave out
_WORTHWHILE = 0.25  # share of the rows that makes leaving them out pay


class BlockSolver:
    """State of one binary problem.

    Parameters
    ----------
    source : Gram source
    y, C : ndarray of shape (n_samples,) and float64
    alpha, f : ndarray of shape (n_samples,) and float64
        Where to start, and the scores there; both are updated in place.
    cache_bytes : float
    dtype : float32 or float64
        Of kernel values.
    shrinking : bool
    """

    def __init__(self, source, y, C, alpha, f, cache_bytes, dtype, shrinking):
        self.source, self.y, self.C, self.alpha, self.f = source, y, C, alpha, f
        self.cache_bytes, self.dtype, self.shrinking = cache_bytes, dtype, shrinking
        self.diag = source.compute_diagonal()
        self.n_steps = 0
        self._activate_all()

    def _activate_all(self):
        self.active = np.arange(len(self.y))
        self.removed = []
        self.cache = RowCache(self.source, self.cache_bytes, self.dtype)
        self.newest = np.empty(0, dtype=np.intp)

    def solve(self, tol, max_steps, report=None):
        """Take steps until no pair violates optimality by more than `tol`.

        Parameters
        ----------
        report : callable or None
            Called after each block.

        Returns
        -------
        violation : float
            Over all rows if it is at most `tol`.
        """
        n_blocks = 0
        while True:
            up, low = self._find_sides()
            f = self.f[self.active]
            f_up = np.where(up, f, np.inf)
            f_low = np.where(low, f, -np.inf)
            violation = f_low.max() - f_up.min()
            if violation <= tol:
                if not self.removed:
                    return max(violation, 0.0)
                self._restore()
                continue
            if self.n_steps >= max_steps:
                if self.removed:
                    self._restore()
                return violation
            n_blocks += 1
            if self.shrinking and n_blocks % _PATIENCE == 0:
                self._shrink(f, up, low, f_up.min(), f_low.max())
                if len(f) > len(self.active):
                    continue
            block = self._select(f_up, f_low)
            self._solve_block(block, max(_INNER * violation, 0.5 * tol), max_steps)
            if report is not None:
                report()

    def _find_sides(self):
        alpha, positive = self.alpha[self.active], self.y[self.active] > 0
        below, above = alpha < self.C[self.active], alpha > 0
        return np.where(positive, below, above), np.where(positive, above, below)

    def _select(self, f_up, f_low):
        """Rows of the next block: the worst ones, and those chosen last time."""
        size = min(BLOCK, len(f_up), len(self.cache.rows))
        kept = self.newest[: min(size // 2, size - 2)]
        is_kept = np.zeros(len(f_up), dtype=bool)
        is_kept[kept] = True
        n_side = max((size - len(kept)) // 2, 1)
        chosen = []
        for badness, limit in ((-f_up, -f_low.max()), (f_low, f_up.min())):
            # Only what takes part in a violating pair.
            rows = np.flatnonzero((badness > limit) & ~is_kept)
            if len(rows) > n_side:
                rows = rows[np.argpartition(badness[rows], -n_side)[-n_side:]]
            is_kept[rows] = True
            chosen.append(rows)
        self.newest = np.concatenate(chosen)
        # In order, so that reading their columns walks through memory.
        return np.sort(np.concatenate([self.newest, kept]))

    def _solve_block(self, block, tol, max_steps):
        slots = self.cache.fetch(block)
        rows = self.active[block]
        K = gather_symmetric(self.cache.rows, slots, block)
        y, alpha, f = self.y[rows], self.alpha[rows], self.f[rows]
        before = alpha.copy()
        n_steps, _ = solve_matrix(
            K, self.diag[rows], y, self.C[rows], alpha, f, tol, max_steps - self.n_steps
        )
        self.n_steps += n_steps
        self.alpha[rows] = alpha
        change = (alpha - before) * y
        moved = np.flatnonzero(change)
        f = self.f[self.active]
        add_rows(self.cache.rows, slots[moved], change[moved], f)
        self.f[self.active] = f

    def _shrink(self, f, up, low, least_up, most_low):
        # At a bound, and on the right side of every row it could be paired with.
        can_shrink = (~up & (f < least_up)) | (~low & (f > most_low))
        if np.count_nonzero(can_shrink) < _WORTHWHILE * len(f):
            return
        gone = self.active[can_shrink]
        self.removed.append((gone, self.alpha.copy()))
        kept = np.flatnonzero(~can_shrink)
        self.active = self.active[kept]
        self.cache = self.cache.restrict(kept)
        self.newest = np.empty(0, dtype=np.intp)

    def _restore(self):
        """Bring the scores of removed rows up to date, and all rows back."""
        for gone, alpha in self.removed:
            change = (self.alpha - alpha) * self.y
            moved = np.flatnonzero(change)
            update_far_scores(self.source, gone, moved, change[moved], self.f, self.dtype)
        self._activate_all()


def update_far_scores(source, rows, moved, change, f, dtype):
    """Add ``K[rows][:, moved] @ change`` to the scores of some rows, a block at a time."""
    f[rows] += compute_scores(source, rows, moved, change, dtype)


def compute_scores(source, rows, moved, change, dtype):
    """``K[rows][:, moved] @ change``, a block at a time."""
    scores = np.empty(len(rows))
    change = change.astype(dtype)
    for start in range(0, len(rows), BLOCK):
        part = slice(start, start + BLOCK)
        scores[part] = source.compute_block(rows[part], moved, dtype=dtype) @ change
    return scores


@njit(fastmath=_FAST)
def add_rows(rows, slots, factors, out):
    """Add ``factors @ rows[slots]`` to `out`, in double precision."""
    n = out.shape[0]
    for start in range(0, n, _STRIP):
        part = out[start : start + _STRIP]
        for s in range(slots.shape[0]):
            row = rows[slots[s], start : start + _STRIP]
            factor = factors[s]
            for t in range(part.shape[0]):
                part[t] += factor * row[t]
