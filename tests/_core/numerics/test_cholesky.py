import numpy as np

from skextra._core.numerics.cholesky import add_outer_products, factor_in_place, solve_factored


def test_outer_products_and_their_system():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 6))
    rows = rng.permutation(30)  # of which 23 count: not a multiple of four
    factors = rng.random(30)
    gram = np.zeros((6, 6))
    add_outer_products(X, rows, factors, 23, gram)
    chosen = X[rows[:23]]
    expected = (chosen.T * factors[:23]) @ chosen
    np.testing.assert_allclose(np.tril(gram), np.tril(expected), rtol=1e-12)
    solution = rng.standard_normal(6)
    right = expected[:4, :4] @ solution[:4]
    rhs = np.append(right, [7.0, 7.0])
    assert factor_in_place(gram, 4, 1e-12)
    solve_factored(gram, 4, rhs)
    np.testing.assert_allclose(rhs[:4], solution[:4], rtol=1e-9)
    np.testing.assert_array_equal(rhs[4:], 7.0)


def test_singular_matrix_is_not_factored():
    x = np.array([1.0, 2.0, 3.0])
    assert not factor_in_place(np.outer(x, x), 3, 1e-12)
    assert not factor_in_place(np.diag([1.0, -1.0]), 2, 0.0)
    assert not factor_in_place(np.diag([1.0, np.nan]), 2, 0.0)
