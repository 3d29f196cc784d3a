"""Ridge regression from singular values of scaled columns: slow, and exact for any units.

The columns of ``[Z; sqrt(alpha) I]`` are brought to one length before directions are called
rounding. Tall data enter through a triangular factor, whose error in each column is relative
to that column. The rows of wide data are reduced first, features of like length together:
within a group a rotation of the features mixes nothing large into anything small.
"""

import numpy as np
from scipy.linalg import qr, svd

from skextra._core.numerics.scaling import round_to_power_of_two

_EPS = np.finfo(np.float64).eps
# Features whose lengths differ by less than this many powers of two are rotated together.
_GROUP_OCTAVES = 14
# Reciprocal condition number of the scaled columns from which on the length of a gradient in
# the norm of the inverse Hessian has digits.
_TRUSTED = 1e-6


class ScaledSystem:
    """A small matrix M with the penalized columns' inner products, and their way back.

    Parameters
    ----------
    problem : Problem
    """

    def __init__(self, problem):
        design = problem.design
        n, p = design.shape
        self.n_features = p
        # Rounding of the data themselves, as a length: relative to values, not to differences.
        self.noise = np.sqrt(design.compute_noise())
        if design.scale is not None:
            self.noise *= design.scale
        self.groups = None
        if p <= n:
            self.M, self.C = design.compute_triangular_factor(problem.Y)
            self.lengths = _compute_lengths(self.M)
            is_noise = self.lengths <= self.noise
            self.M[:, is_noise] = self.lengths[is_noise] = 0.0
        else:
            self.C = problem.weigh_targets()
            self._reduce_rows(design)

    def _reduce_rows(self, design):
        Z = np.empty(design.shape, order="F")
        for start, stop, block in design.iterate_column_blocks():
            Z[:, start:stop] = block
        lengths = _compute_lengths(Z)
        used = lengths > self.noise
        octaves = np.frexp(lengths)[1] // _GROUP_OCTAVES
        self.groups, parts, part_lengths, part_noise = [], [np.zeros((len(Z), 0))], [], []
        for octave in np.unique(octaves[used])[::-1]:
            features = np.flatnonzero((octaves == octave) & used)
            rotation = None
            part, size, noise = Z[:, features], lengths[features], self.noise[features]
            if len(features) > len(Z):
                rotation, triangle = qr(part.T, mode="economic", check_finite=False)
                part = triangle.T
                # Of rotated columns one may be rounding of the others: they share a length.
                size = np.full(part.shape[1], size.max())
                noise = np.full(part.shape[1], noise.max())
            parts.append(part)
            part_lengths.append(size)
            part_noise.append(noise)
            self.groups.append((features, rotation))
        self.M = np.hstack(parts)
        self.lengths = np.concatenate(part_lengths) if part_lengths else np.zeros(0)
        self.noise = np.concatenate(part_noise) if part_noise else np.zeros(0)

    def expand(self, V):
        """Coefficients of all features from those of the columns of M."""
        if self.groups is None:
            return V
        W = np.zeros((self.n_features, V.shape[1]))
        start = 0
        for features, rotation in self.groups:
            stop = start + (len(features) if rotation is None else rotation.shape[1])
            W[features] = V[start:stop] if rotation is None else rotation @ V[start:stop]
            start = stop
        return W

    def reduce(self, G):
        """Gradient along the columns of M from that along all features."""
        if self.groups is None:
            return G
        parts = [G[f] if rotation is None else rotation.T @ G[f] for f, rotation in self.groups]
        return np.vstack(parts) if parts else np.zeros((0, G.shape[1]))

    def solve(self, alpha, columns):
        """Solution of some targets for one penalty.

        Returns
        -------
        W : ndarray of shape (n_features, k)
        solve_newton : callable
            Step for a gradient of shape (n_features, k).
        is_trusted : bool
            Whether these steps have digits in every direction.
        """
        M, C = self.M, self.C[:, columns]
        m, p = M.shape
        if p == 0:
            return self.expand(np.zeros((0, C.shape[1]))), np.zeros_like, True
        A = np.vstack([M, np.sqrt(alpha) * np.eye(p)]) if alpha > 0 else M
        scales = round_to_power_of_two(np.hypot(self.lengths, np.sqrt(alpha)))[:, None]
        # Without a penalty the null space is needed, too, also that of fewer rows than columns.
        U, s, Vt = svd(A / scales.T, full_matrices=alpha <= 0, check_finite=False)
        kept = s > max(m, p) * _EPS * s[0]
        if alpha <= 0:
            # Without a penalty, what the rounding of the data may have made of nothing
            # would be fitted as if it were a feature.
            right = Vt[: len(s)]
            kept &= s > np.sqrt((right * right) @ (self.noise / scales[:, 0]) ** 2)
        positions = np.flatnonzero(kept)
        inverse = (Vt[positions].T / s[kept]) / scales
        V = inverse @ (U[:m, positions].T @ C)
        if alpha <= 0 and len(positions) < p:
            null_space = np.delete(Vt, positions, axis=0).T / scales
            V = _find_shortest(V, null_space, scales)

        def solve_newton(G):
            return self.expand(inverse @ (inverse.T @ self.reduce(G)))

        return self.expand(V), solve_newton, kept.all() and s[-1] > _TRUSTED * s[0]


def _compute_lengths(columns):
    return np.sqrt(np.einsum("ij,ij->j", columns, columns))


def _find_shortest(V, null_space, scales):
    """The shortest of the solutions that differ in the null space."""
    # Scaled columns make the solution shortest in their own units.
    change = np.linalg.lstsq(null_space, V, rcond=None)[0]
    shortest = V - null_space @ change
    # Null vectors have rounding in every entry; where units differ by more than its inverse,
    # that would be large beside other coefficients.
    size = np.linalg.norm(scales * V, axis=0)
    is_safe = np.linalg.norm(change, axis=0) <= 1e3 * size
    return np.where(is_safe, shortest, V)
