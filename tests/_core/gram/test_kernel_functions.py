"""Kernel values against scikit-learn's, in every form that a block can be asked for."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics.pairwise import pairwise_kernels

from skextra._core.gram.kernel_functions import CallableGram, Kernel, NamedGram, PrecomputedGram

KERNELS = [
    ("linear", {}),
    ("poly", {"gamma": 0.3, "degree": 3, "coef0": 1.0}),
    ("poly", {"gamma": 0.3, "degree": 0, "coef0": 1.0}),
    ("rbf", {"gamma": 0.2}),
    ("sigmoid", {"gamma": 0.1, "coef0": 0.5}),
    ("laplacian", {"gamma": 0.2}),
]


def _make_points(is_sparse):
    if is_sparse:
        options = {"density": 0.2, "format": "csr"}
        return tuple(sparse.random(n, 25, rng=n, **options) for n in (90, 40))
    rng = np.random.default_rng(0)
    return rng.normal(3.0, 1.0, (90, 5)), rng.normal(3.0, 1.0, (40, 5))


@pytest.mark.parametrize("is_sparse", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("name", "params"), KERNELS)
def test_blocks_are_the_kernel_s_values(name, params, dtype, is_sparse):
    X, new = _make_points(is_sparse)
    gram = NamedGram(Kernel(name, **params), X)
    expected = pairwise_kernels(X, metric=name, **params)
    scale = (1e-12 if dtype == np.float64 else 2e-6) * np.abs(expected).max()
    picked = np.array([3, 70, 12])
    for rows, columns in [(None, None), (slice(5, 40), None), (picked, slice(10, 90, 3)),
                          (slice(0, 4), picked), (picked, picked)]:  # fmt: skip
        block = gram.compute_block(rows, columns, dtype)
        wanted = expected if rows is None else expected[rows]
        wanted = wanted if columns is None else wanted[:, columns]
        assert block.dtype == dtype and block.flags.c_contiguous
        np.testing.assert_allclose(block, wanted, rtol=0, atol=scale)
        out = np.full(block.shape, np.nan, dtype=dtype)
        assert gram.compute_block(rows, columns, dtype, out) is out
        np.testing.assert_array_equal(out, block)
    np.testing.assert_allclose(gram.compute_diagonal(), expected.diagonal(), rtol=1e-12)
    cross = pairwise_kernels(new, X, metric=name, **params)
    np.testing.assert_allclose(gram.compute_cross(new, picked, dtype), cross[:, picked],
                               rtol=0, atol=scale)  # fmt: skip
    part = gram.take(picked)
    np.testing.assert_allclose(part.compute_block(), expected[np.ix_(picked, picked)],
                               rtol=0, atol=scale)  # fmt: skip


def test_dense_points_meet_sparse_ones():
    X, new = _make_points(True)
    for name, params in KERNELS:
        kernel = Kernel(name, **params)
        expected = NamedGram(kernel, X.toarray()).compute_cross(new.toarray())
        assert np.allclose(NamedGram(kernel, X).compute_cross(new.toarray()), expected)
        assert np.allclose(NamedGram(kernel, X.toarray()).compute_cross(new), expected)


def test_single_precision_keeps_its_digits_far_from_the_origin():
    X = np.random.default_rng(0).normal(1e4, 1.0, (50, 3))
    kernel = Kernel("rbf", gamma=0.5)
    expected = pairwise_kernels(X - X.mean(axis=0), metric="rbf", gamma=0.5)
    block = NamedGram(kernel, X).compute_block(dtype=np.float32)
    np.testing.assert_allclose(block, expected, atol=2e-6)
    np.testing.assert_array_equal(block.diagonal(), 1.0)


def test_coinciding_points_of_strided_blocks_have_ones():
    X, _ = _make_points(False)
    gram = NamedGram(Kernel("rbf", gamma=0.3), X)
    block = gram.compute_block(np.array([4, 5, 6, 4]), slice(0, 90, 2), np.float32)
    assert block[0, 2] == block[2, 3] == block[3, 2] == 1.0
    assert (block[1] < 1.0).all()


def test_given_and_computed_values_agree():
    X, new = _make_points(False)
    named = NamedGram(Kernel("rbf", gamma=0.2), X)
    given = PrecomputedGram(named.compute_block())
    called = CallableGram(pairwise_kernels, X, {"metric": "rbf", "gamma": 0.2})
    rows = np.array([1, 50, 7])
    for gram in (given, called):
        for args in ((None, None), (rows, slice(3, 9))):
            assert np.allclose(gram.compute_block(*args), named.compute_block(*args))
        assert np.allclose(gram.compute_diagonal(), 1.0)
        assert np.allclose(gram.take(rows).compute_block(), named.compute_block(rows, rows))
    assert np.allclose(called.compute_cross(new), named.compute_cross(new))
    assert np.allclose(given.compute_cross(named.compute_cross(new), rows),
                       named.compute_cross(new, rows))  # fmt: skip


def test_callables_that_return_something_else_are_refused():
    X, _ = _make_points(False)
    with pytest.raises(ValueError, match=r"must return real numbers of shape \(90, 90\)"):
        CallableGram(lambda A, B: np.ones(len(A)), X).compute_block()
    with pytest.raises(ValueError, match="NaN or infinity"):
        CallableGram(lambda A, B: np.full((len(A), len(B)), np.nan), X).compute_block()


def test_semidefiniteness_is_that_of_theory():
    assert Kernel("rbf").is_semidefinite and Kernel("poly", coef0=1.0).is_semidefinite
    assert not Kernel("sigmoid").is_semidefinite
    assert not Kernel("poly", coef0=-1.0).is_semidefinite
    assert not Kernel("poly", degree=2.5).is_semidefinite
    with pytest.raises(ValueError, match="kernel must be one of"):
        Kernel("cosine")
