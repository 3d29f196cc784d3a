"""Which algorithm solves which shape of logistic regression."""

import pytest

from skextra._core.logistic.solver_choice import (
    Preconditioner,
    Shape,
    Start,
    choose_preconditioner,
    choose_start,
    count_first_order_steps,
    forms_hessian,
    limits_blas_threads,
    uses_small_kernel,
)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (Shape(150, 4, 3), Start.SMALL_NEWTON),
        (Shape(500, 30), Start.SMALL_NEWTON),
        (Shape(50_000, 30), Start.LBFGS),
        (Shape(50_000, 5), Start.NONE),
        (Shape(10, 500), Start.LBFGS),
        (Shape(1_000, 100), Start.LBFGS),
        (Shape(20_000, 100, 4), Start.LBFGS),
        (Shape(1_000, 3_000), Start.LBFGS),
        (Shape(1_000, 100, n_free=1), Start.NONE),
        (Shape(1_000, 100, is_sparse=True), Start.NONE),
        (Shape(100, 4, is_sparse=True), Start.NONE),
    ],
)
def test_start(shape, expected):
    assert choose_start(shape) is expected
    assert uses_small_kernel(shape) == (expected is Start.SMALL_NEWTON)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ((1_000, 100, 1, 101), Preconditioner.WHOLE),
        ((100_000, 1_999, 1, 2_000), Preconditioner.WHOLE),
        ((1_000, 3_000, 1, 3_001), Preconditioner.DIAGONAL),
        ((10_000, 1_000, 4, 4_004), Preconditioner.CLASSES),
        ((10_000, 100, 4, 404), Preconditioner.CLASSES),
        ((100, 10, 4, 44), Preconditioner.WHOLE),
    ],
)
def test_preconditioner(sizes, expected):
    assert choose_preconditioner(*sizes) is expected


def test_first_order_steps_follow_the_cost_of_newton_steps():
    few, many = (count_first_order_steps(Shape(1_000, p), 100) for p in (50, 800))
    assert 0 < few < many < 100
    assert count_first_order_steps(Shape(1_000, 800), 5) == 4


def test_hessians_are_formed_where_sweeps_cost_more():
    assert forms_hessian(10, 1, 1e9, 1.0, 1.0)
    assert forms_hessian(200, 100, 1e9, 1.0, 1.0)
    assert forms_hessian(200, 1, 1e6, 1e5, 100.0)
    assert not forms_hessian(200, 1, 1e9, 1e5, 100.0)


def test_tiny_fits_leave_the_threads_of_blas_alone():
    assert not limits_blas_threads(150, 4, 3)
    assert limits_blas_threads(150, 400, 1)
    assert limits_blas_threads(10_000, 4, 1)
