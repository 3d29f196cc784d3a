import pytest

from skextra._core.svm.solver_choice import (
    KernelSolver,
    LinearShape,
    LinearSolver,
    choose_kernel_solver,
    choose_linear_solvers,
)

FACTORED, DESCENT = LinearSolver.FACTORED, LinearSolver.COORDINATE_DESCENT
GRADIENTS, ROTATED = LinearSolver.CONJUGATE_GRADIENTS, LinearSolver.ROTATED


@pytest.mark.parametrize(
    ("n", "d", "is_sparse", "is_squared", "strength", "expected"),
    [
        (150, 4, False, True, 10.0, [FACTORED, ROTATED]),
        (150, 4, False, False, 10.0, [FACTORED, ROTATED]),
        (50_000, 20, False, False, 20.0, [FACTORED, ROTATED]),
        (50_000, 20, False, False, 0.01, [DESCENT, FACTORED, ROTATED]),
        (5_000, 1_000, False, True, 1e3, [FACTORED, ROTATED]),
        (5_000, 1_000, False, False, 1e3, [DESCENT, FACTORED, ROTATED]),
        (9_000, 3_000, False, False, 1e3, [DESCENT]),
        (9_000, 3_000, False, True, 1e3, [DESCENT, GRADIENTS]),
        (1_000, 3_000, False, False, 1e3, [DESCENT, ROTATED]),
        (1_000, 3_000, False, True, 1e3, [DESCENT, GRADIENTS, ROTATED]),
        (20_000, 100_000, True, False, 1.0, [DESCENT]),
        (20_000, 100_000, True, True, 1.0, [DESCENT, GRADIENTS]),
    ],
)
def test_linear_solvers_by_shape(n, d, is_sparse, is_squared, strength, expected):
    shape = LinearShape(n, d, is_sparse, is_squared, strength)
    solvers = choose_linear_solvers(shape)
    assert [solver for solver, _ in solvers] == expected
    assert solvers[-1][1] is None  # the last one goes on until the user's limit


@pytest.mark.parametrize(
    ("n", "is_given", "cache", "expected"),
    [
        (1_500, False, 200e6, KernelSolver.WHOLE_MATRIX),
        (1_500, False, 1e6, KernelSolver.BLOCKS),
        (2_000, False, 200e6, KernelSolver.BLOCKS),
        (4_000, True, 1e6, KernelSolver.WHOLE_MATRIX),
        (5_000, True, 200e6, KernelSolver.BLOCKS),
    ],
)
def test_kernel_solver_by_size(n, is_given, cache, expected):
    assert choose_kernel_solver(n, is_given, cache) is expected
