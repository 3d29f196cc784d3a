"""Products with a Gram matrix: kept in single precision, summed up in double.

Vectors are class-major, of shape (n_rows, n_samples), so that all classes are one BLAS
call. Where the matrix does not fit into the memory allowed, the block rows that do not
are computed anew for every product.
"""

import os

import numpy as np
from scipy.linalg import blas, eigh, lapack
from scipy.sparse.linalg import LinearOperator, eigsh

from skextra._core.gram.kernel_functions import NamedGram, PrecomputedGram

# Samples up to which the matrix is kept in double precision.
_FEW_SAMPLES = 2500
# Samples up to which an indefinite matrix is decomposed.
_MANY_SAMPLES = 6000
_BLOCK = 512
# Negative eigenvalues smaller than this part of the trace are rounding.
_NEGATIVE = {np.float64: 1e-9, np.float32: 1e-6}


def apply_to_all(function, tasks):
    """Call `function` with each tuple of `tasks`, one after the other."""
    return [function(*task) for task in tasks]


def measure_free_memory():
    """Bytes of memory that the system could give to this process."""
    try:
        with open("/proc/meminfo") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    return 1024.0 * int(line.split()[1])
    except OSError:
        pass
    try:
        return 0.5 * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 4e9


class GramProduct:
    """Products of row vectors with a symmetric Gram matrix.

    Parameters
    ----------
    source : Gram source
    budget : float
        Bytes that the matrix may take.
    apply : callable
        Calls a function with each of a list of tuples, perhaps in threads.

    Attributes
    ----------
    is_exact : bool
        Whether `multiply` is as accurate as `multiply_exactly`.
    magnitude : float
        Size of the numbers whose rounding errors get into kernel values.
    K : ndarray or None
        The matrix, if it is kept whole.
    """

    def __init__(self, source, budget=np.inf, apply=apply_to_all):
        self.source, self.apply = source, apply
        self.n = n = source.n_samples
        self.is_exact = n <= _FEW_SAMPLES
        self.K, self.kept, self.positive = None, [], None
        if self.is_exact:
            self.K = source.compute_whole()
            if not isinstance(source, NamedGram):
                self.K = 0.5 * (self.K + self.K.T)
        elif 4.0 * n * n <= budget:
            self.K = np.empty((n, n), dtype=np.float32)
            apply(self._fill, list(self._iterate()))
        else:
            self._keep_what_fits(budget)
        if not source.is_semidefinite:
            self._make_semidefinite()
        self.magnitude = self._measure_magnitude()

    def _measure_magnitude(self):
        """Size of the numbers whose rounding errors get into kernel values."""
        if hasattr(self.source, "compute_magnitude"):
            return self.source.compute_magnitude()
        diagonal = self.source.compute_diagonal() if self.K is None else self.K.diagonal()
        return float(np.abs(diagonal).max(initial=0.0))

    def _fill(self, start, stop):
        block = self.source.compute_block(slice(start, stop), slice(0, stop), np.float32)
        self.K[start:stop, :stop] = block
        self.K[:start, start:stop] = block[:, :start].T

    def _iterate(self):
        for start in range(0, self.n, _BLOCK):
            yield start, min(start + _BLOCK, self.n)

    def _keep_what_fits(self, budget):
        parts = []
        for start, stop in self._iterate():
            budget -= 4.0 * (stop - start) * stop
            if budget < 0:
                break
            parts.append((slice(start, stop), slice(0, stop), np.float32))
        self.kept = self.apply(self.source.compute_block, parts)

    def _make_semidefinite(self):
        """Leave out eigenvectors of negative eigenvalues, if there are any.

        Models are then expansions without a part along these: their decision values are
        those of the matrix with its negative eigenvalues set to zero.
        """
        if not self._has_negative():
            return
        if self.n > _MANY_SAMPLES:
            raise ValueError(
                f"kernel: the matrix of {self.n} samples has negative eigenvalues, which is "
                f"solved exactly for at most {_MANY_SAMPLES}; use approximation='nystroem'"
            )
        K = self.K if self.is_exact else self.source.compute_block()
        values, vectors = eigh(0.5 * (K + K.T), check_finite=False)
        kept = values > max(values[-1], 0.0) * 1e-12
        self.positive = np.ascontiguousarray(vectors[:, kept])
        self.K = (self.positive * values[kept]) @ self.positive.T
        self.K = 0.5 * (self.K + self.K.T)
        self.is_exact = True
        self.source = PrecomputedGram(self.K, True)

    def _has_negative(self):
        if self.K is None:
            return False
        trace = float(np.abs(self.K.diagonal()).sum(dtype=np.float64))
        allowed = _NEGATIVE[self.K.dtype.type] * max(trace, 1e-300)
        if self.is_exact:
            shifted = self.K.copy()
            shifted[np.diag_indices_from(shifted)] += allowed
            return bool(lapack.dpotrf(shifted.T, lower=1, overwrite_a=1, clean=0)[1])
        operator = LinearOperator(
            self.K.shape, matvec=lambda v: self.multiply(v.reshape(1, -1))[0], dtype=np.float64
        )
        start = np.random.default_rng(0).standard_normal(self.n)
        smallest = eigsh(operator, k=1, which="SA", tol=1e-2, v0=start, return_eigenvectors=False)
        return bool(smallest[0] < -allowed)

    def project(self, V):
        """`V` without its part along eigenvectors that were left out; ``V @ K`` stays."""
        return V if self.positive is None else (V @ self.positive) @ self.positive.T

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
