"""Loops over kernel values that BLAS has no call for."""

import numpy as np

from skextra._core.numerics.vector_math import STRIP, exponentiate, exponentiate_single
from skextra._core.runtime.jit import njit

_FAST = {"contract", "reassoc", "nsz"}
_TILE = 32


def finish_gaussian(products, left, right, gamma):
    """Turn scalar products into ``exp(-gamma |x - y|^2)``, in place.

    Parameters
    ----------
    products : ndarray of shape (n_left, n_right), C-contiguous
    left, right : ndarray of shape (n_left,) and (n_right,)
        Squared lengths.
    gamma : float
    """
    _get(products, _gaussian, _gaussian_single)(
        products, np.ascontiguousarray(left), np.ascontiguousarray(right),
        products.dtype.type(gamma),
    )  # fmt: skip


@njit
def finish_gaussian_below(products, squares, gamma):
    """As `finish_gaussian` below the diagonal, which becomes ones."""
    scratch = np.empty(STRIP)
    for i in range(products.shape[0]):
        own = squares[i]
        for start in range(0, i, STRIP):
            part = products[i, start : min(start + STRIP, i)]
            other = squares[start : start + STRIP]
            for t in range(part.shape[0]):
                product = part[t]
                distance = (own - product) + (other[t] - product)
                part[t] = -gamma * max(distance, 0.0)
            exponentiate(part, scratch)
        products[i, i] = 1.0


@njit
def mirror(K):
    """Copy what is below the diagonal above it, tile by tile."""
    n = K.shape[0]
    for first in range(0, n, _TILE):
        for second in range(0, first + 1, _TILE):
            for j in range(second, min(second + _TILE, n)):
                for i in range(max(first, j + 1), min(first + _TILE, n)):
                    K[j, i] = K[i, j]


def finish_exponential(distances, gamma):
    """Turn distances into ``exp(-gamma distance)``, in place."""
    _get(distances, _exponential, _exponential_single)(distances, distances.dtype.type(gamma))


def _get(array, double, single):
    return double if array.dtype == np.float64 else single


@njit
def _gaussian(products, left, right, gamma):
    scratch = np.empty(STRIP, dtype=products.dtype)
    for i in range(products.shape[0]):
        own = left[i]
        for start in range(0, products.shape[1], STRIP):
            part = products[i, start : start + STRIP]
            other = right[start : start + STRIP]
            for t in range(part.shape[0]):
                product = part[t]
                distance = (own - product) + (other[t] - product)
                # Rounding can make the distance of neighbors negative.
                part[t] = -gamma * max(distance, 0.0)
            exponentiate(part, scratch)


@njit
def _gaussian_single(products, left, right, gamma):
    scratch = np.empty(STRIP, dtype=products.dtype)
    zero = np.float32(0.0)
    for i in range(products.shape[0]):
        own = left[i]
        for start in range(0, products.shape[1], STRIP):
            part = products[i, start : start + STRIP]
            other = right[start : start + STRIP]
            for t in range(part.shape[0]):
                product = part[t]
                distance = (own - product) + (other[t] - product)
                part[t] = -gamma * max(distance, zero)
            exponentiate_single(part, scratch)


@njit
def _exponential(distances, gamma):
    scratch = np.empty(STRIP, dtype=distances.dtype)
    for i in range(distances.shape[0]):
        for start in range(0, distances.shape[1], STRIP):
            part = distances[i, start : start + STRIP]
            for t in range(part.shape[0]):
                part[t] = -gamma * part[t]
            exponentiate(part, scratch)


@njit
def _exponential_single(distances, gamma):
    scratch = np.empty(STRIP, dtype=distances.dtype)
    for i in range(distances.shape[0]):
        for start in range(0, distances.shape[1], STRIP):
            part = distances[i, start : start + STRIP]
            for t in range(part.shape[0]):
                part[t] = -gamma * part[t]
            exponentiate_single(part, scratch)


@njit
def raise_to(values, degree):
    """Raise to a power of a whole number that is not negative, in place."""
    one = values.dtype.type(1)
    for i in range(values.shape[0]):
        row = values[i]
        for t in range(row.shape[0]):
            result, base, left = one, row[t], degree
            while left > 0:
                if left & 1:
                    result *= base
                base *= base
                left >>= 1
            row[t] = result


@njit(fastmath=_FAST)
def fill_manhattan(A, B, out):
    """Sums of absolute differences between rows, tile by tile."""
    for first in range(0, A.shape[0], 16):
        for start in range(0, B.shape[0], 64):
            for i in range(first, min(first + 16, A.shape[0])):
                for j in range(start, min(start + 64, B.shape[0])):
                    total = np.abs(A[i, 0] - B[j, 0])
                    for k in range(1, A.shape[1]):
                        total += np.abs(A[i, k] - B[j, k])
                    out[i, j] = total


@njit
def fill_sparse_manhattan(data, indices, indptr, b_data, b_indices, b_indptr, n_features, out):
    """Sums of absolute differences between rows of two CSR matrices."""
    dense = np.zeros(n_features, dtype=data.dtype)
    for i in range(out.shape[0]):
        length = 0.0
        for t in range(indptr[i], indptr[i + 1]):
            dense[indices[t]] = data[t]
            length += abs(data[t])
        for j in range(out.shape[1]):
            # What the other row has no entry for counts with its own size.
            total = length
            for t in range(b_indptr[j], b_indptr[j + 1]):
                own = dense[b_indices[t]]
                total += abs(own - b_data[t]) - abs(own)
            out[i, j] = max(total, 0.0)
        for t in range(indptr[i], indptr[i + 1]):
            dense[indices[t]] = 0


@njit
def multiply_rows(data, indices, indptr, b_data, b_indices, b_indptr, out):
    """Rows of a CSR matrix times a CSC matrix, into a dense array.

    Only pairs of entries that share a feature are visited, and what is written to is
    one row at a time.
    """
    for i in range(out.shape[0]):
        row = out[i]
        row[:] = 0
        for t in range(indptr[i], indptr[i + 1]):
            value, k = data[t], indices[t]
            for e in range(np.uint64(b_indptr[k]), np.uint64(b_indptr[k + 1])):
                row[np.uint64(b_indices[e])] += value * b_data[e]


@njit
def gather_into(rows, slots, columns, out):
    """Put ``rows[slots][:, columns]`` into `out`."""
    for s in range(slots.shape[0]):
        row = rows[slots[s]]
        for t in range(columns.shape[0]):
            out[s, t] = row[np.uint64(columns[t])]
