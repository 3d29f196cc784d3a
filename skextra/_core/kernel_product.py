"""Products with a Gram matrix: kept in single precision, summed up in double.

Vectors are class-major, of shape (n_rows, n_samples), so that all classes are one BLAS
call. Where the matrix does not fit into the memory allowed, the block rows that do not
are computed anew for every product.
"""

import numpy as np
from scipy.linalg import blas

from skextra._core.kernels import PrecomputedGram

# Samples up to which the matrix is kept in double precision.
_FEW_SAMPLES = 2500
_BLOCK = 512


class GramProduct:
    """Products of row vectors with a symmetric Gram matrix.

    Parameters
    ----------
    source : Gram source
    budget : float
        Bytes that the matrix may take.

    Attributes
    ----------
    is_exact : bool
        Whether `multiply` is as accurate as `multiply_exactly`.
    K : ndarray or None
        The matrix, if it is kept whole.
    """

    def __init__(self, source, budget=np.inf):
        self.source = source
        self.n = n = source.n_samples
        self.is_exact = n <= _FEW_SAMPLES
        self.K, self.kept = None, []
        if self.is_exact:
            self.K = source.compute_block()
            self.K = 0.5 * (self.K + self.K.T)
        elif 4.0 * n * n <= budget:
            self.K = np.empty((n, n), dtype=np.float32)
            for start, stop in self._iterate():
                block = source.compute_block(slice(start, stop), slice(0, stop), np.float32)
                self.K[start:stop, :stop] = block
                self.K[:start, start:stop] = block[:, :start].T
        else:
            self._keep_what_fits(budget)

    def _iterate(self):
        for start in range(0, self.n, _BLOCK):
            yield start, min(start + _BLOCK, self.n)

    def _keep_what_fits(self, budget):
        for start, stop in self._iterate():
            budget -= 4.0 * (stop - start) * stop
            if budget < 0:
                break
            self.kept.append(
                self.source.compute_block(slice(start, stop), slice(0, stop), np.float32)
            )

    def multiply(self, V):
        """``V @ K``."""
        if self.K is None:
            return self._multiply_lower(V, np.float32)
        if self.is_exact:
            return V @ self.K if len(V) > 1 else (self.K @ V[0])[None]
        if len(V) == 1:
            return blas.ssymv(1.0, self.K.T, V[0].astype(np.float32))[None].astype(np.float64)
        return self._multiply_many(V.astype(np.float32))

    def _multiply_many(self, V):
        out = np.zeros(V.shape)
        for start, stop in self._iterate():
            # Partial sums of single precision, added up in double.
            out += V[:, start:stop] @ self.K[start:stop]
        return out

    def multiply_exactly(self, V):
        """``V @ K`` with kernel values of double precision, computed anew if need be."""
        if self.is_exact:
            return self.multiply(V)
        if isinstance(self.source, PrecomputedGram) and self.source.K.dtype == np.float64:
            return V @ self.source.K
        return self._multiply_lower(V, np.float64)

    def _multiply_lower(self, V, dtype):
        """From the lower triangle, block row by block row."""
        out = np.zeros(V.shape)
        V = np.ascontiguousarray(V, dtype=dtype)
        for index, (start, stop) in enumerate(self._iterate()):
            if dtype == np.float32 and index < len(self.kept):
                block = self.kept[index]
            else:
                block = self.source.compute_block(slice(start, stop), slice(0, stop), dtype)
            out[:, start:stop] += V[:, :stop] @ block.T
            out[:, :start] += V[:, start:stop] @ block[:, :start]
        return out
