"""Scores of held-out rows from decision values, and the rows of folds."""

import numpy as np
import pytest
from sklearn.metrics import log_loss

from skextra._core.logistic.folds import FoldModels, compute_hits, compute_log_losses
from skextra._core.logistic.path import Settings


@pytest.mark.parametrize("n_rows", [1, 3])
@pytest.mark.parametrize("size", [1.0, 30.0, 1e300])
def test_log_losses_are_scikit_learns(n_rows, size):
    rng = np.random.default_rng(0)
    n_classes = max(2, n_rows)
    decisions = size * rng.uniform(-1, 1, (n_rows, 50, 2))
    codes = rng.integers(0, n_classes, 50)
    losses = compute_log_losses(decisions, codes)
    for model in range(2):
        scores = decisions[..., model].T
        scores = np.column_stack([0 * scores, scores]) if n_rows == 1 else scores
        scores = scores - scores.max(axis=1, keepdims=True)
        probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        for i in range(50):
            expected = log_loss(
                codes[i : i + 1], y_proba=probabilities[i : i + 1], labels=range(n_classes)
            )
            assert losses[i, model] == pytest.approx(expected, rel=1e-9, abs=1e-15)


def test_hits_are_the_likeliest_classes():
    decisions = np.array([[[-1.0], [0.0], [2.0]]])
    assert compute_hits(decisions, np.array([0, 1, 1])).ravel().tolist() == [True, False, True]
    decisions = np.array([[[1.0], [0.0]], [[2.0], [0.0]], [[0.0], [-1.0]]])
    assert compute_hits(decisions, np.array([1, 0])).ravel().tolist() == [True, True]


def test_masks_are_rows_and_the_rest_is_never_read():
    rng = np.random.default_rng(0)
    X, codes = rng.standard_normal((30, 3)), np.tile([0, 1], 15)
    test = np.arange(30) % 3 == 0
    folds = [(~test, test), (np.flatnonzero(~test), np.flatnonzero(test))]
    models = FoldModels(X, codes, 2, None, True, None, Settings(1e-9), folds)
    paths = [models.solve(fold, np.array([0.1, 1.0]), 0.5) for fold in range(2)]
    np.testing.assert_array_equal(paths[0].coefs, paths[1].coefs)
    for metric in ("log_loss", "accuracy"):
        first, second = (models.score(i, paths[i], None, metric) for i in range(2))
        np.testing.assert_array_equal(first, second)
    spoilt = FoldModels(
        np.where(test[:, None], np.nan, X), codes, 2, None, True, None, Settings(1e-9), folds
    )
    np.testing.assert_array_equal(spoilt.solve(0, np.array([0.1, 1.0]), 0.5).coefs, paths[0].coefs)
