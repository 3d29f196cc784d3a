"""Kernel rows that were computed lately, in a ring that never grows."""

import numpy as np

from skextra._core.gram.loops import gather_into
from skextra._core.runtime.jit import njit


class RowCache:
    """Rows of the kernel matrix of a Gram source, the oldest overwritten first.

    Parameters
    ----------
    source : Gram source
        Whose rows these are, over all of its samples.
    n_bytes : float
        Memory to use at most; two rows are held in any case.
    dtype : float32 or float64
    """

    def __init__(self, source, n_bytes, dtype):
        self.source, self.n_bytes = source, n_bytes
        n = source.n_samples
        n_rows = min(max(int(n_bytes // (n * np.dtype(dtype).itemsize)), 2), n)
        self.rows = np.empty((n_rows, n), dtype=dtype)
        self._slot_of = np.full(n, -1)
        self._held = np.full(n_rows, -1)
        self._next = 0

    def fetch(self, wanted):
        """Slots of the wanted rows in `rows`, after computing those that are missing.

        Parameters
        ----------
        wanted : ndarray of int of shape (n_wanted,)
            Different ones, not more than are held.
        """
        missing = wanted[self._slot_of[wanted] < 0]
        while len(missing):
            # The ring goes on from its start where the end has no room for all.
            first = self._next if self._next + len(missing) <= len(self.rows) else 0
            self._fill(missing, first)
            displaced = wanted[self._slot_of[wanted] < 0]
            if len(displaced):
                # Wanted rows were in the way. All at once, none displaces another.
                missing = wanted
                self._slot_of[wanted] = -1
                self._held[np.isin(self._held, wanted)] = -1
                continue
            break
        return self._slot_of[wanted]

    def _fill(self, missing, first):
        slots = slice(first, first + len(missing))
        displaced = self._held[slots]
        self._slot_of[displaced[displaced >= 0]] = -1
        self.source.compute_block(missing, dtype=self.rows.dtype, out=self.rows[slots])
        self._held[slots] = missing
        self._slot_of[missing] = np.arange(slots.start, slots.stop)
        self._next = slots.stop

    def restrict(self, kept):
        """The cache of the samples at `kept` alone, with what is known of their rows."""
        smaller = RowCache(self.source.take(kept), self.n_bytes, self.rows.dtype)
        slots = self._slot_of[kept]
        known = np.flatnonzero(slots >= 0)[: len(smaller.rows)]
        gather_into(self.rows, slots[known], kept, smaller.rows)
        smaller._slot_of[known] = np.arange(len(known))
        smaller._held[: len(known)] = known
        smaller._next = len(known) % len(smaller.rows)
        return smaller


@njit
def gather_symmetric(rows, slots, columns):
    """``rows[slots][:, columns]``, known to be symmetric."""
    n = columns.shape[0]
    out = np.empty((n, n), dtype=rows.dtype)
    for s in range(n):
        row = rows[slots[s]]
        for t in range(s, n):
            out[s, t] = row[np.uint64(columns[t])]
    for s in range(n):
        for t in range(s):
            out[s, t] = out[t, s]
    return out
