"""Stratified folds that depend on what stands in the rows, not on where they stand.

Equal rows share a fold, so no row is scored by a model that has seen its twin, a row of
weight two is a row written twice, and the order of rows is of no account.
"""

import numpy as np
from scipy import sparse

_ODD = np.uint64(0x9E3779B97F4A7C15)


def hash_rows(X):
    """A number of 64 bits for each row; equal rows, dense or sparse, have equal ones.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)

    Returns
    -------
    hashes : ndarray of uint64 of shape (n_samples,)
    """
    if sparse.issparse(X):
        X = sparse.csr_array(X)
        hashes = np.zeros(X.shape[0], dtype=np.uint64)
        entries = _hash_entries(X.data, X.indices.astype(np.uint64))
        rows = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
        np.add.at(hashes, rows, entries)
        return _mix(hashes)
    hashes = np.zeros(X.shape[0], dtype=np.uint64)
    for start in range(0, X.shape[0], 1024):
        block = X[start : start + 1024]
        columns = np.arange(X.shape[1], dtype=np.uint64)
        hashes[start : start + 1024] = _hash_entries(block, columns).sum(axis=1, dtype=np.uint64)
    return _mix(hashes)


def _hash_entries(values, columns):
    # Zeros count nothing, as they do where they are not stored.
    bits = np.ascontiguousarray(values, dtype=np.float64).view(np.uint64)
    mixed = _mix(bits ^ _mix(columns + np.uint64(1)))
    return np.where(values == 0, np.uint64(0), mixed)


def _mix(x):
    """Bits of every input bit's mind, one to one (the finaliser of SplitMix64)."""
    x = x + _ODD
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def assign_folds(hashes, codes, weights, n_folds):
    """Fold of each row: in each class, folds of about the same weight.

    Parameters
    ----------
    hashes : ndarray of uint64 of shape (n_samples,)
    codes : ndarray of int of shape (n_samples,)
        Class of each row.
    weights : ndarray of shape (n_samples,)
    n_folds : int

    Returns
    -------
    folds : ndarray of int of shape (n_samples,)
    """
    folds = np.empty(len(codes), dtype=np.intp)
    for code in np.unique(codes):
        rows = np.flatnonzero(codes == code)
        _, group = np.unique(hashes[rows], return_inverse=True)
        totals = np.bincount(group, weights=weights[rows])
        middle = np.cumsum(totals) - 0.5 * totals
        fold = np.minimum((n_folds * middle / totals.sum()).astype(np.intp), n_folds - 1)
        if len(totals) <= n_folds:
            fold = np.arange(len(totals))
        folds[rows] = fold[group]
    return folds
