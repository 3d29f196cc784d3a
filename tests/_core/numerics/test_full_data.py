"""Products in double precision against extended precision."""

import numpy as np
import pytest
from scipy import sparse

from skextra._core.numerics import full_data

LAYOUTS = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "csr": sparse.csr_array,
    "csc": sparse.csc_array,
}


@pytest.mark.parametrize("is_shifted", [True, False])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", [(400, 7), (7, 400), (3000, 60)])
def test_products_are_those_of_extended_precision(shape, layout, dtype, is_shifted):
    rng = np.random.default_rng(0)
    X = rng.standard_normal(shape).astype(dtype) + dtype(is_shifted * 1000)
    if layout in ("csr", "csc"):
        X = X * (rng.random(shape) < 0.2) if not is_shifted else X
    shift = X.mean(axis=0, dtype=np.float64) if is_shifted else None
    W, R = rng.standard_normal((shape[1], 3)), rng.standard_normal((shape[0], 2))
    wide = X.astype(np.longdouble) - (0 if shift is None else shift)
    Z = LAYOUTS[layout](X)
    product, correlations = full_data.multiply(Z, W, shift), full_data.correlate(Z, R, shift)
    assert product.dtype == correlations.dtype == np.float64
    for found, A, B in ((product, wide, W), (correlations, wide.T, R)):
        # Of the size of the terms that are summed, which are centered before they are.
        size = np.abs(A).astype(float) @ np.abs(B)
        assert (np.abs(found - (A @ B).astype(float)) <= 1e-14 * size + 1e-300).all()
    for k in range(2):
        vector = full_data.correlate(Z, R[:, k], shift)
        np.testing.assert_allclose(vector, correlations[:, k], rtol=1e-12, atol=1e-12)
    assert full_data.multiply(Z, W[:, 0], shift).shape == (shape[0],)


def test_no_rows_or_features_lost_in_the_last_block():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((1001, 300)).astype(np.float32)
    blocks = [(start, stop, block.copy()) for start, stop, block in full_data.iterate_row_blocks(X)]
    assert len(blocks) > 2
    np.testing.assert_array_equal(np.vstack([b for _, _, b in blocks]), X)
    assert [start for start, _, _ in blocks[1:]] == [stop for _, stop, _ in blocks[:-1]]
