"""Matrix products against NumPy's."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from skextra._core.numerics import products


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("order_a", ["C", "F"])
@pytest.mark.parametrize("order_b", ["C", "F", "strided"])
@pytest.mark.parametrize(
    "shape", [(5, 7, 3), (5, 7, 1), (1, 7, 1), (7, 1, 2), (0, 3, 2), (3, 0, 2)]
)
def test_dense(dtype, order_a, order_b, shape):
    n, p, k = shape
    rng = np.random.default_rng(0)
    A = np.asarray(rng.normal(size=(n, p)), dtype=dtype, order=order_a)
    B = np.asarray(rng.normal(size=(2 * p, k)), dtype=dtype)
    B = B[::2] if order_b == "strided" else np.asarray(B[:p], order=order_b)
    product = products.multiply_dense(A, B)
    assert product.dtype == dtype and product.shape == (n, k)
    assert_allclose(product, A @ B, rtol=1e-5, atol=1e-5 if dtype == np.float32 else 1e-13)


def test_dense_of_two_types_keeps_the_wider():
    A, B = np.full((2, 2), 1 / 3, dtype=np.float32), np.full((2, 1), 1 / 3)
    product = products.multiply_dense(A, B)
    assert product.dtype == np.float64
    assert_allclose(product, A @ B, rtol=1e-15)


@pytest.mark.parametrize("k", [1, 3])
def test_sparse(k):
    rng = np.random.default_rng(1)
    X = sparse.random_array((6, 4), density=0.5, rng=rng, format="csc")
    W = rng.normal(size=(4, k))
    assert_allclose(products.multiply_sparse(X, W), X.toarray() @ W, atol=1e-15)


@pytest.mark.parametrize("n_features", [0, 1, 5])
def test_subtract_outer_from_the_lower_triangle(n_features):
    rng = np.random.default_rng(2)
    gram = np.asfortranarray(rng.normal(size=(n_features, n_features)))
    x = rng.normal(size=n_features)
    expected = np.tril(gram - 2.5 * np.outer(x, x))
    result = products.subtract_outer(gram, 2.5, x)
    assert_allclose(np.tril(result), expected, atol=1e-14)
    assert np.shares_memory(result, gram) or n_features == 0


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_accumulate_gram(order, dtype):
    rng = np.random.default_rng(3)
    block = np.asarray(rng.normal(size=(9, 4)), dtype=dtype, order=order)
    gram = np.asfortranarray(np.eye(4))
    result = products.accumulate_gram(gram, block)
    assert result.dtype == np.float64
    assert_allclose(np.tril(result), np.tril(np.eye(4) + block.T @ block), rtol=1e-5)
