"""One data set in every container, layout and precision gives one model."""

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.utils import get_tags

from tests.common.estimators import (
    assert_same_outputs,
    compute_outputs,
    fit,
    for_each,
    get_sklearn_class,
    in_turn,
    is_drop_in,
    is_kind,
    is_multi_output,
    is_single_output,
    is_sparse,
    is_weighted,
    make,
    make_data,
)

SPARSE_CONTAINERS = [
    sparse.csr_matrix,
    sparse.csr_array,
    sparse.csc_matrix,
    sparse.csc_array,
    sparse.coo_array,
    sparse.lil_matrix,
]


def make_strided(X):
    return np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3]


def make_unaligned(X):
    storage = bytearray(X.nbytes + 1)
    unaligned = np.frombuffer(storage, dtype=X.dtype, offset=1, count=X.size).reshape(X.shape)
    unaligned[...] = X
    assert not unaligned.flags.aligned
    return unaligned


LAYOUTS = {
    "fortran": np.asfortranarray,
    "strided": make_strided,
    "reversed": lambda X: X[::-1, ::-1].copy()[::-1, ::-1],
    "unaligned": make_unaligned,
    "big-endian": lambda X: X.astype(">f8"),
    "object": lambda X: X.astype(object),
    "list": lambda X: X.tolist(),
    "float128": lambda X: X.astype(np.longdouble),
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
}


@for_each()
@in_turn("layout", LAYOUTS)
def test_containers_and_layouts_of_X(cls, layout):
    X, y = make_data(cls)
    reference = fit(make(cls, tight=True), X, y)
    converted = LAYOUTS[layout](X)
    if layout in ("pandas", "polars"):
        converted.columns = [f"x{j}" for j in range(X.shape[1])]
    assert_same_outputs(reference, fit(make(cls, tight=True), converted, y), X, converted)


@for_each(lambda cls: make_data(cls)[1] is not None and is_single_output(cls))
@in_turn("container", [list, pd.Series, pl.Series, np.asfortranarray])
def test_containers_of_y_and_weights(cls, container):
    X, y = make_data(cls)
    weights = np.linspace(0.5, 1.5, len(X)) if is_weighted(cls) else None
    reference = fit(make(cls), X, y, weights)
    converted = None if weights is None else container(weights)
    assert_same_outputs(reference, fit(make(cls), X, container(y), converted), X, exact=True)


@for_each(is_multi_output)
@in_turn("container", [np.asfortranarray, pd.DataFrame, np.ndarray.tolist])
def test_containers_of_several_targets(cls, container):
    X, y = make_data(cls, n_targets=3)
    reference = fit(make(cls, tight=True), X, y)
    assert_same_outputs(reference, fit(make(cls, tight=True), X, container(y)), X)


@for_each()
@in_turn("dtype", [np.int32, np.int64, np.uint8, np.bool_, np.float16])
def test_other_types_are_computed_in_floating_point(cls, dtype):
    X, y = make_data(cls)
    X = np.abs(np.round(2 * X)).astype(dtype)
    reference = fit(make(cls, tight=True), X.astype(np.float64), y)
    actual = fit(make(cls, tight=True), X, y)
    assert_same_outputs(reference, actual, X.astype(np.float64), X)


@for_each()
def test_float32_is_close_to_float64(cls):
    X, y = make_data(cls)
    X = X.astype(np.float32)
    y32 = y.astype(np.float32) if is_kind("regressor")(cls) else y
    reference = fit(make(cls), X.astype(np.float64), y)
    actual = fit(make(cls), X, y32)
    assert_same_outputs(reference, actual, X.astype(np.float64), X, rtol=1e-3)


@for_each(is_drop_in)
def test_float32_is_kept_where_sklearn_keeps_it(cls):
    X, y = make_data(cls)
    X = X.astype(np.float32)
    y = y.astype(np.float32) if is_kind("regressor")(cls) else y
    theirs = compute_outputs(make(get_sklearn_class(cls)).fit(X, y), X)
    ours = compute_outputs(fit(make(cls), X, y), X)
    for name, output in theirs.items():
        if output.dtype == np.float32:
            assert ours[name].dtype == np.float32, name
    preserved = getattr(get_tags(cls()).transformer_tags, "preserves_dtype", ())
    if "float32" in preserved:
        assert ours["transform"].dtype == np.float32


@for_each(is_sparse)
class TestSparse:
    def make_data(self, cls):
        X, y = make_data(cls)
        X[np.abs(X) < 0.8] = 0.0
        return X, y

    def check(self, cls, X, y, converted, rtol=1e-6):
        reference = fit(make(cls, tight=True), X, y)
        actual = fit(make(cls, tight=True), converted, y)
        assert_same_outputs(reference, actual, X, converted, rtol=rtol)
        assert_same_outputs(reference, actual, X, rtol=rtol)

    @in_turn("container", SPARSE_CONTAINERS)
    def test_containers(self, cls, container):
        X, y = self.make_data(cls)
        self.check(cls, X, y, container(X))

    @in_turn("container", SPARSE_CONTAINERS[:4])
    def test_64_bit_indices(self, cls, container):
        X, y = self.make_data(cls)
        converted = container(X)
        converted.indices = converted.indices.astype(np.int64)
        converted.indptr = converted.indptr.astype(np.int64)
        self.check(cls, X, y, converted)
        assert converted.indices.dtype == np.int64, "the user's matrix is left as it was"

    @in_turn("container", SPARSE_CONTAINERS[:4])
    def test_unsorted_duplicate_and_zero_entries(self, cls, container):
        X, y = self.make_data(cls)
        major = container(X)
        # Every entry as two halves and one zero, in falling order of index.
        indices = np.repeat(major.indices, 3)
        data = np.repeat(major.data, 3) * np.tile([0.5, 0.0, 0.5], major.nnz)
        for start, stop in zip(major.indptr[:-1] * 3, major.indptr[1:] * 3, strict=True):
            indices[start:stop] = indices[start:stop][::-1].copy()
            data[start:stop] = data[start:stop][::-1].copy()
        converted = container((data, indices, major.indptr * 3), shape=X.shape)
        before = converted.data.copy(), converted.indices.copy()
        self.check(cls, X, y, converted)
        np.testing.assert_array_equal(converted.data, before[0])
        np.testing.assert_array_equal(converted.indices, before[1])

    def test_float32(self, cls):
        X, y = self.make_data(cls)
        X = X.astype(np.float32)
        self.check(cls, X, y, sparse.csr_array(X), rtol=1e-3)

    def test_weights(self, cls):
        if not is_weighted(cls):
            return
        X, y = self.make_data(cls)
        weights = np.linspace(0.0, 2.0, len(X))
        reference = fit(make(cls, tight=True), X, y, weights)
        actual = fit(make(cls, tight=True), sparse.csc_array(X), y, weights)
        assert_same_outputs(reference, actual, X)

    def test_empty_rows_and_columns(self, cls):
        X, y = self.make_data(cls)
        X[::3] = 0.0
        X[:, 2] = 0.0
        self.check(cls, X, y, sparse.csr_array(X))


@for_each(lambda cls: not is_sparse(cls))
def test_sparse_is_refused_in_words(cls):
    X, y = make_data(cls)
    with pytest.raises((TypeError, ValueError), match="[Ss]parse"):
        make(cls).fit(sparse.csr_array(X), y)


CONTAINERS = {"c": np.ascontiguousarray, "fortran": np.asfortranarray}


@for_each()
@in_turn("container", [*CONTAINERS, "csr", "csc"])
def test_read_only_memory_maps(cls, container, tmp_path):
    if container in ("csr", "csc") and not is_sparse(cls):
        return
    X, y = make_data(cls)
    weights = np.linspace(0.5, 1.5, len(X)) if is_weighted(cls) else None
    convert = CONTAINERS.get(container) or getattr(sparse, f"{container}_array")
    converted = convert(X)
    reference = fit(make(cls), converted, y, weights)
    path = tmp_path / container
    joblib.dump((converted, y, weights), path)
    mapped, mapped_y, mapped_weights = joblib.load(path, mmap_mode="r")
    buffers = [mapped] if container in CONTAINERS else [mapped.data, mapped.indices]
    assert all(isinstance(b, np.memmap) and not b.flags.writeable for b in buffers)
    actual = fit(make(cls), mapped, mapped_y, mapped_weights)
    assert_same_outputs(reference, actual, converted, mapped, exact=True)
