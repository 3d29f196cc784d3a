"""Scores row by row, so that the noise of their difference is known."""

import numpy as np

# Solutions that agree within a solver's tolerance differ by less than this, relative to the score.
_TOLERANCE = 1e-3


def score_each_row(task, model, X, y):
    """What each row contributes to the score: the mean over the rows is the score.

    Parameters
    ----------
    task : Task
    model : estimator
        Fitted.
    X, y : array-like
        Rows that it has not seen.

    Returns
    -------
    points : ndarray of shape (n_samples,), or None
        Hits of a classifier, log-likelihoods of a density, and for a regressor one less the
        squared error over its mean for a constant; None where there is no score.
    """
    if task.score_name is None or not hasattr(model, "score"):
        return None
    if task.name == "classification":
        return (model.predict(X) == y).astype(np.float64)
    if not task.supervised:
        return model.score_samples(X)
    errors = (np.asarray(model.predict(X)) - y) ** 2
    scale = np.mean((y - y.mean(axis=0)) ** 2, axis=0)
    points = 1.0 - errors / np.where(scale > 0, scale, 1.0)
    return points if points.ndim == 1 else points.mean(axis=1)


def compute_noise(ours, theirs):
    """Standard error of the difference of two scores on the same rows.

    Parameters
    ----------
    ours, theirs : list of ndarray
        As from `score_each_row`, fold by fold.

    Returns
    -------
    noise : float
    """
    differences = np.concatenate(ours) - np.concatenate(theirs)
    return float(differences.std() / np.sqrt(differences.size))


def is_equal(score, other, noise):
    """Whether two scores differ by no more than chance and rounding explain.

    Parameters
    ----------
    score, other : float
    noise : float
        Standard error of their difference.
    """
    return abs(score - other) <= max(2 * noise, _TOLERANCE * max(1.0, abs(other)))
