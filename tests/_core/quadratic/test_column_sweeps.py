"""Coordinate descent on columns of either layout, against a textbook step."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from skextra._core.numerics.design_matrix import Design
from skextra._core.numerics.packed_columns import CenteredColumns, pack, pack_all
from skextra._core.quadratic.column_sweeps import (
    combine_iterates,
    compute_value,
    descend_columns,
    extrapolate,
    sweep_columns,
)
from tests._core.quadratic.test_sweeps import ORDERS, make, sweep_by_hand

LAYOUTS = ["packed", "as they lie", "sparse"]


def prepare(layout, X, y, w, fit_intercept):
    """Columns, centered dense copies of X and y, and the two parts of the residual."""
    if layout == "packed":
        columns = pack(Design(X, None, fit_intercept), np.arange(X.shape[1]))
    else:
        kind = sparse.csc_array if layout == "sparse" else np.asfortranarray
        columns = pack_all(Design(kind(X), None, fit_intercept))
        assert isinstance(columns, CenteredColumns) == (layout == "as they lie")
    if fit_intercept:
        X, y = X - X.mean(axis=0), y - y.mean()
    return columns, X, y, columns.start_residual(y, w)


def join(columns, r, offset):
    return r + columns.basis @ offset if len(offset) else r


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("positive", [True, False])
def test_sweeps_are_textbook_steps(layout, fit_intercept, order, positive):
    X, y, w, l1, l2 = make(1)
    w = np.abs(w) if positive else w
    columns, Z, y, parts = prepare(layout, X, y, w, fit_intercept)
    assert_allclose(columns.correlate_parts(*parts), Z.T @ (y - Z @ w), atol=1e-11)
    expected = sweep_by_hand(Z, y, w, l1, l2, order, positive)
    before = compute_value(*parts, w, l1, l2)
    norms = columns.compute_squared_norms()
    gain = sweep_columns(
        *columns.as_arrays(), norms, *parts, w, l1, l2, order, len(order), positive
    )
    residual = y - Z @ expected
    value = residual @ residual / 2 + l1 @ np.abs(expected) + expected @ (l2 * expected) / 2
    assert_allclose(w, expected, atol=1e-12)
    assert_allclose(join(columns, *parts), residual, atol=1e-12)
    assert_allclose(compute_value(*parts, w, l1, l2), value, rtol=1e-12)
    # What a step gains is at least that of a parabola through its end.
    assert 0 <= gain <= (before - value) * (1 + 1e-9) + 1e-12


@pytest.mark.parametrize("layout", ["packed", "sparse"])
def test_a_column_of_zeros_loses_its_coefficient(layout):
    X, y, _, l1, l2 = make(5)
    X[:, 2] = l2[2] = 0
    w, order = np.ones(6), np.arange(6)
    columns, Z, y, parts = prepare(layout, X, y, w, False)
    norms = columns.compute_squared_norms()
    sweep_columns(*columns.as_arrays(), norms, *parts, w, l1, l2, order, 6, False)
    assert w[2] == 0
    assert_allclose(parts[0], y - X @ w, atol=1e-12)


def test_the_limit_of_a_linear_iteration_is_found():
    rng = np.random.default_rng(0)
    Q = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    T = Q @ np.diag([0.99, 0.9, 0.5, -0.3]) @ Q.T
    limit, x = rng.normal(size=4), np.zeros(4)
    history = []
    for _ in range(6):
        history.append(x)
        x = limit + T @ (x - limit)
    found = np.empty(4)
    assert combine_iterates(np.array(history), found)
    assert np.abs(found - limit).max() < 0.1 * np.abs(x - limit).max()
    assert not combine_iterates(np.ones((6, 4)), found)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_extrapolation_never_raises_the_objective(layout):
    rng = np.random.default_rng(3)
    for seed in range(10):
        X, y, w, l1, l2 = make(seed)
        columns, Z, y, parts = prepare(layout, X, y, w, True)
        before, signs = compute_value(*parts, w, l1, l2), np.sign(w)
        history = w + rng.normal(size=(6, 6))
        members = np.arange(6)
        extrapolate(*columns.as_arrays(), *parts, w, l1, l2, members, history)
        assert compute_value(*parts, w, l1, l2) <= before
        assert_allclose(join(columns, *parts), y - Z @ w, atol=1e-11)
        assert (np.sign(w) * signs >= 0).all() and not w[signs == 0].any()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("random", [True, False])
def test_descent_reaches_the_optimum_of_correlated_columns(layout, random):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 8)) + 3 * rng.normal(size=(40, 1))
    y = X @ rng.normal(size=8) + rng.normal(size=40)
    w, l1, l2 = np.zeros(8), np.full(8, 4.0), np.zeros(8)
    columns, Z, y, parts = prepare(layout, X, y, w, True)
    n_sweeps, gain, _ = descend_columns(
        *columns.as_arrays(), columns.compute_squared_norms(), *parts, w, l1, l2, np.arange(8),
        False, random, np.uint64(7), 300, 1e-15, 0.0,
    )  # fmt: skip
    slopes = Z.T @ (y - Z @ w)
    assert n_sweeps < 300 and gain <= 1e-15
    assert_allclose(slopes[w != 0], (l1 * np.sign(w))[w != 0], atol=1e-4)
