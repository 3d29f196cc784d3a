"""How exact a logistic regression is, measured one way for every contestant.

Written apart from the package's own certificates on purpose: a mistake there
must not be able to hide here. The objective is divided by C,

    sum_i loss_i + (l1_ratio * ||W||_1 + (1 - l1_ratio) / 2 * ||W||^2) / C ,

with the softmax loss; a binary model has the scores (0, f).
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse.linalg import LinearOperator, cg


@dataclass(frozen=True)
class Model:
    """A model, its data and its penalty.

    Attributes
    ----------
    X : ndarray or sparse of shape (n_samples, n_features)
    codes : ndarray of int of shape (n_samples,)
    coefs : ndarray of shape (n_rows, n_features)
        One row where there are two classes, else a row each.
    intercepts : ndarray of shape (n_rows,)
    l1, l2 : float
        Penalties, divided by C.
    """

    X: object
    codes: np.ndarray
    coefs: np.ndarray
    intercepts: np.ndarray
    l1: float
    l2: float
    fit_intercept: bool

    @property
    def onehot(self):
        """Classes as columns of zeros and ones."""
        n_classes = max(2, len(self.coefs))
        return (self.codes[:, None] == np.arange(n_classes)).astype(float)

    def compute_scores(self, intercepts=None):
        """Scores of every class."""
        scores = np.asarray(self.X @ self.coefs.T)
        scores = scores + (self.intercepts if intercepts is None else intercepts)
        return np.hstack([np.zeros_like(scores), scores]) if len(self.coefs) == 1 else scores


def _compute_losses(scores, codes):
    """Loss of each sample, and its probabilities."""
    scores = scores - scores.max(axis=1, keepdims=True)
    exponentials = np.exp(scores)
    sums = exponentials.sum(axis=1)
    return np.log(sums) - scores[np.arange(len(codes)), codes], exponentials / sums[:, None]


def compute_objective(model):
    """The objective divided by C."""
    losses, _ = _compute_losses(model.compute_scores(), model.codes)
    penalty = model.l1 * np.abs(model.coefs).sum() + model.l2 / 2 * (model.coefs**2).sum()
    return losses.sum() + penalty


def compute_null_objective(codes, n_classes, fit_intercept):
    """The objective at zero coefficients with the best intercepts."""
    counts = np.bincount(codes, minlength=n_classes)
    if not fit_intercept:
        return len(codes) * np.log(n_classes)
    return -float(counts @ np.log(counts / len(codes)))


def _fit_intercepts(model, scores):
    """Probabilities once the intercepts are the best for these coefficients."""
    losses, P = _compute_losses(scores, model.codes)
    onehot = model.onehot
    for _ in range(100):
        gradient = (P - onehot).sum(axis=0)
        if np.abs(gradient).max() <= 1e-13 * len(P):
            break
        hessian = np.diag(P.sum(axis=0)) - P.T @ P
        step = np.linalg.lstsq(hessian, -gradient, rcond=1e-14)[0]
        for _ in range(50):
            moved, P_moved = _compute_losses(scores + step, model.codes)
            if moved.sum() <= losses.sum() + 1e-4 * gradient @ step + 1e-12 * losses.sum():
                break
            step = step / 2
        scores, losses, P = scores + step, moved, P_moved
    return P


def compute_lower_bound(model):
    """A value that the objective cannot fall below, whatever the coefficients are.

    The dual point is the difference between classes and probabilities. Best
    intercepts make its columns sum to zero; mixing in the classes themselves
    scales it until the correlations are within the L1 penalty.
    """
    scores = model.compute_scores()
    P = _compute_losses(scores, model.codes)[1]
    onehot = model.onehot
    if model.fit_intercept:
        P = _fit_intercepts(model, scores)
        # What is left of the sums is rounding, which feasibility must not be built on.
        assert np.abs((P - onehot).sum(axis=0)).max() < 1e-9 * len(P)
    theta = (onehot - P)[:, -len(model.coefs) :]
    correlations = np.abs(np.asarray(model.X.T @ theta))
    scales, conjugates = [], []
    if model.l2 > 0:
        scales.append(1.0)
        conjugates.append((np.maximum(correlations - model.l1, 0) ** 2).sum() / (2 * model.l2))
    if model.l1 > 0:
        scales.append(min(1.0, model.l1 / max(correlations.max(), 1e-300)))
        conjugates.append(0.0)
    bounds = [_compute_entropy(onehot + s * (P - onehot)) - c for s, c in zip(scales, conjugates)]
    return max([0.0, *bounds])


def _compute_entropy(P):
    positive = np.where(P > 0, P, 1.0)
    return -float((positive * np.log(positive)).sum())


def polish(model, n_steps=10):
    """Newton steps on the support, with its signs; stops where a sign would change."""
    support = np.flatnonzero(model.coefs.any(axis=0))
    columns = model.X[:, support]
    signs = np.sign(model.coefs[:, support])
    # An L1 penalty fixes the zeros inside a feature's row as well.
    free = np.ones_like(signs, dtype=bool) if model.l1 == 0 else signs != 0
    for _ in range(n_steps):
        P = _compute_losses(model.compute_scores(), model.codes)[1]
        step, size = _find_newton_step(model, columns, signs, free, support, P)
        coefs = model.coefs.copy()
        coefs[:, support] += step[0]
        if model.l1 > 0 and (np.sign(coefs[:, support]) * signs < 0).any():
            break
        moved = replace(model, coefs=coefs, intercepts=model.intercepts + step[1])
        if not compute_objective(moved) <= compute_objective(model) * (1 + 1e-12):
            break
        model = moved
        if size < 1e-13 * len(model.codes):
            break
    return model


def _find_newton_step(model, columns, signs, free, support, P):
    """Step of coefficients and intercepts, and the largest slope before it."""
    n_rows = len(model.coefs)
    errors = (P - model.onehot)[:, -n_rows:]
    slopes = np.asarray(columns.T @ errors).T + model.l1 * signs
    slopes = (slopes + model.l2 * model.coefs[:, support]) * free
    ends = errors.sum(axis=0) * model.fit_intercept
    P = P[:, -n_rows:]

    def split(flat):
        return flat[: signs.size].reshape(signs.shape), flat[signs.size :]

    def multiply(flat):
        W, b = split(flat)
        W = W * free
        scores = np.asarray(columns @ W.T) + b * model.fit_intercept
        moved = P * (scores - (P * scores).sum(axis=1, keepdims=True))
        rows = (np.asarray(columns.T @ moved).T + model.l2 * W) * free
        return np.concatenate([rows.ravel(), moved.sum(axis=0) * model.fit_intercept])

    gradient = np.concatenate([slopes.ravel(), ends])
    size = np.abs(gradient).max(initial=0.0)
    weights = P * (1 - P)
    diagonal = np.asarray(_square(columns).T @ weights).T + model.l2
    diagonal = np.concatenate([diagonal.ravel(), weights.sum(axis=0)]) + 1e-12
    shape = (len(gradient), len(gradient))
    step, _ = cg(
        LinearOperator(shape, matvec=multiply),
        -gradient,
        rtol=1e-10,
        maxiter=1000,
        M=LinearOperator(shape, matvec=lambda flat: flat / diagonal),
    )
    return split(step), size


def _square(columns):
    return columns.multiply(columns) if hasattr(columns, "multiply") else columns**2
