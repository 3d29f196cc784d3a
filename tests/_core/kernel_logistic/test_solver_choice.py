import pytest

from skextra._core.kernel_logistic.solver_choice import (
    Equations,
    choose_approximation,
    choose_equations,
    choose_n_components,
    choose_rank,
)


@pytest.mark.parametrize(
    ("approximation", "n_samples", "budget", "expected"),
    [
        ("auto", 20_000, 2e9, None),
        ("auto", 20_000, 1e9, "nystroem"),
        ("auto", 20_001, 1e12, "nystroem"),
        (None, 10**6, 1e9, None),
        ("nystroem", 10, 1e9, "nystroem"),
    ],
)
def test_approximation(approximation, n_samples, budget, expected):
    assert choose_approximation(approximation, n_samples, budget) == expected


def test_number_of_components():
    assert choose_n_components(None, 10_000) == 1_000
    assert choose_n_components(None, 50) == 50
    assert choose_n_components(7, 5) == 5


def test_equations():
    assert choose_equations(400, 1) is Equations.FACTORED
    assert choose_equations(401, 1) is Equations.CONJUGATE_GRADIENTS
    assert choose_equations(100, 3) is Equations.CONJUGATE_GRADIENTS


def test_rank_of_the_coarse_space():
    assert choose_rank(10_000, 1) == 250
    assert choose_rank(10_000, 1, growth=2) == 500
    assert choose_rank(30, 1) == 30
    assert choose_rank(10_000, 100) == 20
