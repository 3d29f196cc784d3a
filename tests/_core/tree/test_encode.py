"""Rank codes against numpy's `unique`."""

import numpy as np
import pytest
from scipy import sparse

from skextra._core import tree


def make_columns(n_samples, kind, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_samples, 4)).astype(np.float32)
    X[:, 1] = np.round(X[:, 1])
    X[:, 2] *= np.float32(1e30)
    X[:, 3] = 5.0
    if kind == "missing":
        X[rng.random(X.shape) < 0.3] = np.nan
        X[:, 3] = np.nan
    if kind == "zeros":
        X[rng.random(X.shape) < 0.5] = -0.0
        X[rng.random(X.shape) < 0.1] = 0.0
    return X


def assert_codes(column, code, values, missing):
    present = ~np.isnan(column)
    expected, ranks = np.unique(column[present], return_inverse=True)
    np.testing.assert_array_equal(values, expected)
    np.testing.assert_array_equal(code[present], ranks)
    assert missing == (-1 if present.all() else len(expected))
    assert (code[~present] == len(expected)).all()


@pytest.mark.parametrize("n_samples", [1, 2, 30, 1000, 70_000])
@pytest.mark.parametrize("kind", ["plain", "missing", "zeros"])
def test_dense_codes_are_ranks(n_samples, kind):
    X = make_columns(n_samples, kind)
    codes = tree.encode.encode_dense(X)
    columns = codes.codes.reshape(4, n_samples)
    for j in range(4):
        values = codes.values[codes.offsets[j] : codes.offsets[j + 1]]
        assert_codes(X[:, j], columns[j].astype(int), values, codes.missing[j])
    largest = columns.max()
    assert columns.itemsize == (1 if largest < 256 else 2 if largest < 65536 else 4)


@pytest.mark.parametrize("density", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("has_missing", [False, True])
def test_sparse_codes_are_ranks_of_all_entries(density, has_missing):
    rng = np.random.default_rng(0)
    X = sparse.random(60, 9, density, format="csc", dtype=np.float32, random_state=0)
    X.data = np.round(4 * X.data - 2)
    if has_missing:
        X.data[rng.random(X.nnz) < 0.2] = np.nan
    codes = tree.encode.encode_sparse(X)
    dense = X.toarray()
    for j in range(9):
        code = np.full(60, codes.zero[j])
        stored = slice(codes.indptr[j], codes.indptr[j + 1])
        code[codes.indices[stored]] = codes.codes[stored]
        values = codes.values[codes.offsets[j] : codes.offsets[j + 1]]
        assert_codes(dense[:, j], code, values, codes.missing[j])


def test_layout_and_blocks_do_not_matter():
    X = make_columns(500, "missing")
    reference = tree.encode.encode_dense(X)
    calls = []

    def map_blocks(function, tasks):
        calls.append(len(tasks))
        return [function(*task) for task in tasks]

    for layout in (np.asfortranarray(X), X[::1], np.repeat(X, 2, axis=0)[::2]):
        codes = tree.encode.encode_dense(layout, map_blocks)
        np.testing.assert_array_equal(codes.codes, reference.codes)
        np.testing.assert_array_equal(codes.values, reference.values)
    assert calls == [1, 1, 1]
