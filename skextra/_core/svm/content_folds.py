"""Stratified folds that depend on the samples, not on how they are written down.

Equal samples share a fold, so that no sample is scored by a model that has seen its twin, and
a sample of weight two is one written twice. The order of rows and the order of columns make
no difference, and neither do units and offsets of features, as long as rounding keeps
different values apart: what counts are the ranks of values within their columns.

Columns are told apart by which samples have which ranks, samples by which ranks they have in
which columns, in turn: a few rounds of color refinement (Weisfeiler & Leman, 1968) on the
table of ranks.
"""

import numpy as np
from scipy import sparse

_ODD = np.uint64(0x9E3779B97F4A7C15)
_ROUNDS = 2
_BLOCK_VALUES = 1 << 20


def hash_samples(X, is_counted=None, *, is_square=False):
    """A number of 64 bits for each sample; equal samples, dense or sparse, have equal ones.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
    is_counted : ndarray of bool of shape (n_samples,) or None
        Samples whose ranks count; others get any number.
    is_square : bool
        Whether columns are samples, too, as of a kernel matrix.

    Returns
    -------
    hashes : ndarray of uint64 of shape (n_samples,)
        In the order of these, samples that the ranks tell apart follow one another.
    """
    counted = np.arange(X.shape[0]) if is_counted is None else np.flatnonzero(is_counted)
    part = X[counted]
    if is_square:
        part = part[:, counted]
    content = hash_rows(part)
    # One of each kind: a sample written twice is one of weight two.
    _, first, group = np.unique(content, return_index=True, return_inverse=True)
    part = part[first]
    if is_square:
        part = part[:, first]
    colors = _refine_sparse(part) if sparse.issparse(part) else _refine_dense(part)
    # Samples that trade places under a symmetry of the data are told apart by their content.
    order = np.lexsort((content[first], colors))
    places = np.empty(len(order), dtype=np.uint64)
    places[order] = np.arange(len(order), dtype=np.uint64)
    hashes = np.zeros(X.shape[0], dtype=np.uint64)
    hashes[counted] = places[group]
    return hashes


def _refine_dense(X):
    """Colors of different rows, refined over blocks of columns."""
    n, d = X.shape
    colors = np.zeros(n, dtype=np.uint64)
    step = max(_BLOCK_VALUES // max(n, 1), 1)
    for _ in range(_ROUNDS):
        total = np.zeros(n, dtype=np.uint64)
        for start in range(0, d, step):
            ranks = _mix(_rank_columns(X[:, start : start + step]))
            columns = (ranks * _mix(colors)[:, None]).sum(axis=0, dtype=np.uint64)
            total += _mix(ranks ^ _mix(columns)).sum(axis=1, dtype=np.uint64)
        colors = _mix(total)
    return colors


def _rank_columns(X):
    """How many different values of its column each entry is larger than."""
    order = np.argsort(X, axis=0, kind="stable")
    values = np.take_along_axis(X, order, axis=0)
    ranks = np.zeros(X.shape, dtype=np.uint64)
    ranks[1:] = np.cumsum(values[1:] != values[:-1], axis=0)
    out = np.empty_like(ranks)
    np.put_along_axis(out, order, ranks, axis=0)
    return out


def _refine_sparse(X):
    """As of the dense rows; entries that are not stored are zeros."""
    X = sparse.csc_array(X)
    X.sum_duplicates()
    n, d = X.shape
    of_entry = np.repeat(np.arange(d), np.diff(X.indptr))
    # Zeros take part as one more entry of a column that is not full.
    lacking = np.flatnonzero(np.diff(X.indptr) < n)
    columns = np.concatenate([of_entry, lacking])
    values = np.concatenate([X.data.astype(np.float64), np.zeros(len(lacking))])
    order = np.lexsort((values, columns))
    c, v = columns[order], values[order]
    is_new = np.ones(len(c), dtype=bool)
    is_new[1:] = (c[1:] != c[:-1]) | (v[1:] != v[:-1])
    place = np.cumsum(is_new)
    starts = np.ones(len(c), dtype=bool)
    starts[1:] = c[1:] != c[:-1]
    place -= np.maximum.accumulate(np.where(starts, place, 0))
    ranks = np.empty(len(c), dtype=np.uint64)
    ranks[order] = place
    zero = np.zeros(d, dtype=np.uint64)
    zero[lacking] = ranks[len(of_entry) :]
    zero, ranks = _mix(zero), _mix(ranks[: len(of_entry)])
    rows = X.indices
    colors = np.zeros(n, dtype=np.uint64)
    for _ in range(_ROUNDS):
        marks = _mix(colors)
        stored = _add_up(marks[rows], of_entry, d)
        sums = _add_up(ranks * marks[rows], of_entry, d)
        sums += zero * (marks.sum(dtype=np.uint64) - stored)
        columns = _mix(sums)
        absent = _mix(zero ^ columns)
        total = _add_up(_mix(ranks ^ columns[of_entry]) - absent[of_entry], rows, n)
        colors = _mix(total + absent.sum(dtype=np.uint64))
    return colors


def _add_up(values, places, size):
    totals = np.zeros(size, dtype=np.uint64)
    np.add.at(totals, places, values)
    return totals


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
    """Bijective 64-bit mixer (the finalizer of SplitMix64)."""
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
