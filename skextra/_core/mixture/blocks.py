"""E-step and M-step of one block of rows, in one pass, while it is in the cache.

Expanding a square loses digits where a component is narrow beside its distance
from the origin of the frame. Such components are marked, and go by differences
from their own mean instead.
"""

import math
from functools import cache
from itertools import accumulate

import numpy as np

from skextra._core.mixture.features import (
    DIAG,
    FULL,
    SPHERICAL,
    TIED,
    choose_block_size,
    count_features,
    fill_products,
    normalize,
)


@cache
def list_pairs(d):
    """Rows and columns of the upper triangle of a matrix, row by row."""
    return np.triu_indices(d)


def enter_frame(kind, rows, frame, out):
    """Write the coordinates in a frame of rows less its center, one row a coordinate."""
    if kind in (FULL, TIED):
        np.dot(frame.to_frame.T, rows.T, out=out)
    else:
        np.multiply(rows.T, frame.scale[:, None], out=out)


def fill_features(kind, z, out):
    """Write the features of rows in the frame, one row per feature."""
    d = len(z)
    if kind == FULL:
        fill_products(z, out)
    elif kind == DIAG:
        np.multiply(z, z, out=out[:d])
    elif kind == SPHERICAL:
        np.einsum("ij,ij->j", z, z, out=out[0])
    out[-1 - d : -1] = z
    out[-1] = 1.0


class Block:
    """Scratch for a block of rows, used over and over by one thread.

    Parameters
    ----------
    kind, d, n_components : int
    memory : ndarray or None
        Of a block of at least as many rows.
    n_rows : int or None
        As many as fit the cache for None.

    Attributes
    ----------
    n_rows : int
    log_densities : ndarray of shape (n_components, n_rows)
        Responsibilities in the end.
    log_likelihoods : ndarray of shape (n_rows,)
    """

    def __init__(self, kind, d, n_components, memory=None, n_rows=None):
        self.kind, self._shape = kind, (d, n_components)
        p = count_features(kind, d)
        n = self.n_rows = n_rows or choose_block_size(kind, d, n_components)
        shapes = (
            (n, d), (p, n), (n_components, n), (d, n), (d, n), (d, n), (n,), (n,), (n,), (n,),
        )  # fmt: skip
        ends = list(accumulate(math.prod(shape) for shape in shapes))
        self.memory = np.empty(ends[-1]) if memory is None else memory
        arrays = [
            self.memory[end - math.prod(shape) : end].reshape(shape)
            for shape, end in zip(shapes, ends, strict=True)
        ]
        self._rows, self._features, self.log_densities = arrays[:3]
        self._z, self._y, self._differences = arrays[3:6]
        self._base, self._top, self.log_likelihoods, self._scratch = arrays[6:]
        self._smaller = None

    def resize(self, n_rows):
        """Return this block for `n_rows`, at most as many as it had at first."""
        if n_rows == self.n_rows:
            return self
        if self._smaller is None or self._smaller.n_rows != n_rows:
            self._smaller = Block(self.kind, *self._shape, self.memory, n_rows)
        return self._smaller

    def enter(self, rows, frame):
        """Write the coordinates of rows in a frame."""
        np.subtract(rows, frame.center, out=self._rows)
        enter_frame(self.kind, self._rows, frame, self._z)

    def fill_log_densities(self, prepared):
        """Write the weighted log-densities, up to a sum common to all components."""
        if not prepared.is_all_by_differences:
            fill_features(self.kind, self._z, self._features)
            np.dot(prepared.theta, self._features, out=self.log_densities)
            if self.kind == TIED:
                np.dot(prepared.cholesky[0].T, self._z, out=self._y)
                np.einsum("ij,ij->j", self._y, self._y, out=self._base)
        for k in prepared.components_by_differences:
            self._fill_by_differences(prepared, k)

    def normalize(self, prepared, weights):
        """Turn log-densities into responsibilities times weights; write the log-likelihoods."""
        total = self.log_likelihoods
        normalize(self.log_densities, weights, self._top, total, self._scratch)
        np.log(total, out=total)
        total += self._top
        if self.kind == TIED and not prepared.is_all_by_differences:
            self._base *= 0.5
            total -= self._base

    def add_moments(self, prepared, product, moments, pooled):
        """Add what the M-step wants of the block.

        Parameters
        ----------
        prepared : Prepared
        product, moments : ndarray of shape (n_components, n_features)
            Scratch, and what is added to: about the origin of the frame, or for
            components by differences, about their means.
        pooled : ndarray of shape (d, d)
            Added to for "tied" by differences: the scatter about all means.
        """
        if not prepared.is_all_by_differences:
            np.dot(self.log_densities, self._features.T, out=product)
        for k in prepared.components_by_differences:
            self._write_moments_by_differences(prepared, k, product[k], pooled)
        moments += product

    def _subtract_mean(self, prepared, k):
        np.subtract(self._z, prepared.means[k, :, None], out=self._differences)
        return self._differences

    def _fill_by_differences(self, prepared, k):
        differences, y, out = self._subtract_mean(prepared, k), self._y, self.log_densities[k]
        cholesky = prepared.cholesky[0 if self.kind == TIED else k]
        if self.kind in (FULL, TIED):
            np.dot(cholesky.T, differences, out=y)
        else:
            np.multiply(differences, cholesky[0][:, None], out=y)
        np.einsum("ij,ij->j", y, y, out=out)
        out *= -0.5
        out += prepared.constants[k]

    def _write_moments_by_differences(self, prepared, k, moments, pooled):
        differences, shares = self._subtract_mean(prepared, k), self.log_densities[k]
        y = np.multiply(differences, shares, out=self._y)
        if self.kind == FULL:
            moments[: -1 - len(y)] = (y @ differences.T)[list_pairs(len(y))]
        elif self.kind == TIED:
            pooled += y @ differences.T
        elif self.kind == DIAG:
            np.einsum("ij,ij->i", y, differences, out=moments[: len(y)])
        else:
            moments[0] = np.vdot(y, differences)
        y.sum(axis=1, out=moments[-1 - len(y) : -1])
        moments[-1] = shares.sum()
