"""Elastic nets solved by brute force, and objectives written out plainly.

Nothing here shares a line with the package: centering, unpenalized features and
sample weights enter as columns and rows of an ordinary least-squares problem.
"""

import itertools

import numpy as np

EPS = np.finfo(np.float64).eps


def make_problem(n, p, seed=0, k=1, offset=1.0, noise=1.0, n_nonzero=3):
    """Correlated features away from zero and a sparse signal of both signs."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(n, 1))
    X = rng.normal(size=(n, p)) + 0.5 * common + offset
    W = np.zeros((p, k))
    W[: min(n_nonzero, p)] = rng.normal(size=(min(n_nonzero, p), k)) * 2
    Y = X @ W + noise * rng.normal(size=(n, k)) - 7 * offset
    return X, (Y[:, 0] if k == 1 else Y)


def compute_objective(
    X, y, coef, intercept, alpha, l1_ratio=1.0, sample_weight=None, penalty_weights=None
):
    """What the documentation says is minimized; excluded features must be zero."""
    X = X.toarray() if hasattr(X, "toarray") else X
    s = np.ones(len(y)) if sample_weight is None else sample_weight / sample_weight.max()
    v = np.ones(X.shape[1]) if penalty_weights is None else np.asarray(penalty_weights, float)
    coef = np.asarray(coef, dtype=np.float64)
    excluded = np.isinf(v)
    assert not coef[excluded].any()
    v = np.where(excluded, 0.0, v)
    loss = s @ (y - X @ coef - intercept) ** 2 / (2 * s.sum())
    penalty = v @ (l1_ratio * np.abs(coef) + (1 - l1_ratio) / 2 * coef**2)
    return loss + alpha * penalty


def _list_free_columns(X, fit_intercept, penalty_weights, positive=False):
    v = np.ones(X.shape[1]) if penalty_weights is None else np.asarray(penalty_weights, float)
    free = X[:, (v == 0) & (not positive)]
    return np.column_stack([free, np.ones(len(X))]) if fit_intercept else free


def compute_null_objective(
    X, y, fit_intercept=True, sample_weight=None, penalty_weights=None, positive=False
):
    """Objective with nothing but the intercept and the unpenalized features.

    With a sign constraint these are no free directions, and it is the intercept alone.
    """
    s = np.ones(len(y)) if sample_weight is None else sample_weight / sample_weight.max()
    root = np.sqrt(s)
    A = _list_free_columns(X, fit_intercept, penalty_weights, positive) * root[:, None]
    b = y * root
    residual = b - A @ np.linalg.lstsq(A, b, rcond=None)[0] if A.shape[1] else b
    return residual @ residual / (2 * s.sum())


def find_minimum(
    X, y, alpha, l1_ratio=1.0, *, fit_intercept=True, sample_weight=None, penalty_weights=None,
    positive=False,
):  # fmt: skip
    """Smallest objective by solving for every support and every pattern of signs.

    Each pattern gives a feasible point, and one of them is the optimum: among
    the solutions of an elastic net there is one whose columns are independent.

    Returns
    -------
    minimum : float
    coef : ndarray of shape (n_features,)
    intercept : float
    """
    n, p = X.shape
    s = np.ones(n) if sample_weight is None else sample_weight / sample_weight.max()
    s = s / s.sum()
    root = np.sqrt(s)
    v = np.ones(p) if penalty_weights is None else np.asarray(penalty_weights, dtype=np.float64)
    free = _list_free_columns(X, fit_intercept, v, positive) * root[:, None]
    # With a sign constraint unpenalized features are constrained like the others.
    penalized = np.flatnonzero(((v > 0) | positive) & np.isfinite(v))
    b = y * root
    best = (np.inf, None, None)
    for size in range(min(len(penalized), n) + 1):
        for support in map(list, itertools.combinations(penalized, size)):
            A = np.column_stack([X[:, support] * root[:, None], free])
            l1 = np.append(alpha * l1_ratio * v[support], np.zeros(free.shape[1]))
            l2 = np.append(alpha * (1 - l1_ratio) * v[support], np.zeros(free.shape[1]))
            inverse = np.linalg.pinv(np.vstack([A, np.diag(np.sqrt(l2))]), rcond=1e-13)
            signs = np.array(
                list(itertools.product([1.0] if positive else [1.0, -1.0], repeat=size))
            )
            signs = np.column_stack([signs, np.zeros((len(signs), free.shape[1]))])
            W = inverse[:, :n] @ b - (signs * l1) @ (inverse @ inverse.T)
            if positive:
                W = W[(W[:, :size] >= 0).all(axis=1)]
            residuals = b[:, None] - A @ W.T
            values = 0.5 * (residuals**2).sum(axis=0) + np.abs(W) @ l1 + 0.5 * (W * W) @ l2
            if len(values) and values.min() < best[0]:
                w = W[values.argmin()]
                coef = np.zeros(p)
                coef[support] = w[:size]
                n_free = free.shape[1] - fit_intercept
                if n_free:
                    coef[v == 0] = w[size : size + n_free]
                best = (values.min(), coef, w[-1] if fit_intercept else 0.0)
    return best
