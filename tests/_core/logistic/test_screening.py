"""Gap-safe screening: what it rules out is zero, and nothing else changes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skextra._core.logistic import l1_proximal_newton
from skextra._core.logistic.path import Settings, compute_smallest_C, solve


@pytest.fixture
def screened(monkeypatch):
    """Columns ruled out, one array a time, on problems of any size."""
    found = []
    screen = l1_proximal_newton.WorkingSetSolver._screen

    def record(self, gap):
        screen(self, gap)
        if self.alive is not None:
            found.append(np.setdiff1d(np.arange(len(self.W)), self.alive))

    monkeypatch.setattr(l1_proximal_newton, "_WORTH_SCREENING", 0.0)
    monkeypatch.setattr(l1_proximal_newton.WorkingSetSolver, "_screen", record)
    return found


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
@pytest.mark.parametrize("weighted", [True, False])
def test_what_is_ruled_out_is_zero(screened, monkeypatch, n_classes, l1_ratio, weighted):
    rng = np.random.default_rng(n_classes)
    X = rng.standard_normal((60, 700)) * rng.uniform(0.2, 2.0, 700) + 1.0
    codes = np.digitize(X[:, :4].sum(axis=1) + rng.logistic(size=60), [3.0, 5.0][: n_classes - 1])
    options = {
        "l1_ratio": l1_ratio,
        "sample_weight": rng.uniform(0.1, 3.0, 60) if weighted else None,
    }
    Cs = compute_smallest_C(X, codes, n_classes, **options) * np.array([1.5, 4.0])
    for C in Cs:
        screened.clear()
        path = solve(X, codes, n_classes, [C], settings=Settings(tol=1e-10), **options)
        assert path.converged.all()
        assert screened
        with monkeypatch.context() as patch:
            patch.setattr(l1_proximal_newton, "_WORTH_SCREENING", np.inf)
            exact = solve(X, codes, n_classes, [C], settings=Settings(tol=1e-13), **options)
        for gone in screened:
            assert not exact.coefs[:, 0, gone].any()
        assert_allclose(path.coefs, exact.coefs, atol=1e-4)
