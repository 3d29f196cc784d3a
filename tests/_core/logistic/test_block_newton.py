"""Newton's method on sums over blocks: the sums, and gaps that bound the suboptimality."""

import numpy as np
import pytest
from scipy.optimize import check_grad, minimize

from skextra._core.logistic.block_moments import measure_columns
from skextra._core.logistic.block_newton import BlockNewton, compute_null_objective, sum_loss
from skextra._core.logistic.loss import LogLoss


def make_data(n_classes, n=150, p=3):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p)) * [1.0, 30.0, 0.1] + [0.0, 50.0, -1.0]
    codes = rng.integers(0, n_classes, n)
    codes[X[:, 0] > 0.5] = 0
    return X, codes, rng.integers(0, 3, n).astype(float)


def make_newton(X, codes, n_classes, weights, l1, l2, fit_intercept=True):
    half = len(X) // 2
    moments = measure_columns(X[:half], weights[:half]) + measure_columns(X[half:], weights[half:])
    shift, scales = moments.choose_units(fit_intercept)

    def evaluate(coef, level):
        parts = [
            sum_loss(
                X[i : i + 40], codes[i : i + 40], n_classes, weights[i : i + 40], coef, level,
                shift, scales, fit_intercept,
            )
            for i in range(0, len(X), 40)
        ]  # fmt: skip
        return sum(parts[1:], start=parts[0])

    n_rows = 1 if n_classes == 2 else n_classes
    return BlockNewton(evaluate, n_rows, shift, scales, fit_intercept, l1, l2)


def evaluate_objective(X, codes, n_classes, weights, l1, l2, coef, intercept):
    loss = LogLoss(codes, n_classes, weights)
    value = loss.compute_value(coef @ X.T + intercept[:, None])
    return value + (l1 * np.abs(coef)).sum() + 0.5 * (l2 * coef**2).sum()


def test_moments_are_those_of_all_rows():
    X, _, weights = make_data(2)
    weights[:50] = 0
    parts = [measure_columns(X[i : i + 50], weights[i : i + 50]) for i in (0, 50, 100)]
    total = sum(parts[1:], start=parts[0])
    mean = np.average(X, axis=0, weights=weights)
    np.testing.assert_allclose(total.mean, mean, rtol=1e-13)
    np.testing.assert_allclose(total.squares, weights @ (X - mean) ** 2, rtol=1e-12)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_sums_are_derivatives(n_classes):
    X, codes, weights = make_data(n_classes)
    newton = make_newton(X, codes, n_classes, weights, np.zeros(3), np.ones(3))
    k = newton.n_rows
    point = np.random.default_rng(1).standard_normal((k, 4)) * 0.3

    def split(theta):
        theta = theta.reshape(k, 4)
        return theta[:, :3] / newton.scales, theta[:, 3]

    def value(theta):
        return newton.evaluate(*split(theta)).value

    def gradient(theta):
        return -newton.evaluate(*split(theta)).products.ravel()

    assert check_grad(value, gradient, point.ravel()) < 1e-3
    for i in range(k * 4):
        moved = [gradient(point.ravel() + sign * 1e-5 * np.eye(k * 4)[i]) for sign in (1, -1)]
        hessian = newton.evaluate(*split(point.ravel())).hessian
        np.testing.assert_allclose((moved[0] - moved[1]) / 2e-5, hessian[i], atol=1e-4)


PENALTIES = {
    "l2": (np.zeros(3), np.array([1.0, 2.0, 0.5])),
    "l2, one unpenalized": (np.zeros(3), np.array([1.0, 0.0, 0.5])),
    "l1": (np.array([3.0, 20.0, 0.2]), np.zeros(3)),
    "elastic net": (np.array([1.0, 5.0, 0.0]), np.array([1.0, 2.0, 0.0])),
    "none": (np.zeros(3), np.zeros(3)),
}


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_gap_bounds_the_distance_from_the_minimum_on_the_way(n_classes, penalty):
    X, codes, weights = make_data(n_classes)
    l1, l2 = PENALTIES[penalty]
    newton = make_newton(X, codes, n_classes, weights, l1, l2)
    zero = np.zeros((newton.n_rows, 3)), np.zeros(newton.n_rows)
    visited = []
    original = newton._compute_gap

    def compute_gap(sums, u):
        gap = original(sums, u)
        visited.append((gap, newton._expand(u)))
        return gap

    newton._compute_gap = compute_gap
    solution = newton.solve(*zero, 1e-12, 50)
    problem = (X, codes, n_classes, weights, l1, l2)
    best = evaluate_objective(*problem, solution.coef, solution.intercept)
    assert solution.gap <= 1e-12
    for gap, point in visited:
        assert gap >= evaluate_objective(*problem, *point) - best - 1e-11
    # An independent solver does not get lower.
    k = newton.n_rows

    def objective(theta):
        theta = theta.reshape(k, 4)
        coef = theta[:, :3] / newton.scales
        return evaluate_objective(*problem, coef, theta[:, 3] - coef @ newton.shift)

    every = np.hstack([solution.coef * newton.scales, np.zeros((k, 1))])
    every[:, 3] = solution.intercept + solution.coef @ newton.shift
    found = minimize(objective, every.ravel() + 0.01, method="Powell", options={"xtol": 1e-9})
    assert found.fun >= best - 1e-10 * best


def test_no_step_gives_the_gap_of_the_start():
    X, codes, weights = make_data(2)
    newton = make_newton(X, codes, 2, weights, np.zeros(3), np.ones(3))
    solution = newton.solve(np.zeros((1, 3)), np.zeros(1), 0.0, 0)
    assert solution.n_iter == 0 and solution.gap > 0


def test_null_objective_is_that_of_the_best_constant():
    _, codes, weights = make_data(3)
    totals = np.bincount(codes, weights)
    logs = np.log(totals / totals.sum())
    loss = LogLoss(codes, 3, weights)
    np.testing.assert_allclose(
        compute_null_objective(totals, True), loss.compute_value(np.tile(logs[:, None], len(codes)))
    )
    np.testing.assert_allclose(
        compute_null_objective(totals, False), loss.compute_value(np.zeros((3, len(codes))))
    )
