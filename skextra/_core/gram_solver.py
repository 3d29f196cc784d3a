"""Elastic net on a Gram matrix: coordinate descent helped by Newton steps."""

import numpy as np

from skextra._core.coordinate_descent import solve_gram, solve_gram_path
from skextra._core.newton import update_by_newton


def _choose_patience(n_features):
    """Sweeps before a Newton step is worth its overhead: few where a sweep is dear."""
    return 2 + 3000 // max(n_features, 1)


class Sweeps:
    """How coordinate descent visits coordinates: in order, or shuffled.

    Parameters
    ----------
    positive : bool
        Constrain coefficients to be non-negative.
    max_iter : int
        Sweeps a problem may take.
    seed : int or None
        Shuffle the coordinates before every sweep; None keeps their order.
    """

    def __init__(self, positive=False, max_iter=1000, seed=None):
        self.positive = positive
        self.max_iter = max_iter
        self.random = seed is not None
        # xorshift needs a non-zero state.
        self.state = (seed or 0) + 0x9E3779B97F4A7C15

    @property
    def state(self):
        """Of the generator that shuffles, as the kernels want it."""
        return self._state

    @state.setter
    def state(self, value):
        # A kernel returns its uint64 as a Python int, which below 2**63 would
        # enter the next call as another type, and so another signature.
        self._state = np.uint64(value)


def solve_problem(gram, b, c, w, l1, l2, yy, tol, sweeps, max_iter):
    """Minimise on the leading block of `gram`; `c` and `w` are updated in place.

    Returns
    -------
    gap : float
    n_iter : int
        Sweeps and Newton steps.
    """
    k = len(w)
    patience = _choose_patience(k)
    n_iter = 0
    while True:
        budget = min(patience, max_iter - n_iter)
        done, gap, n_sweeps, sweeps.state = solve_gram(
            gram, b, c, w, l1, l2, yy, tol, np.inf, budget, sweeps.positive, sweeps.random,
            sweeps.state,
        )  # fmt: skip
        n_iter += n_sweeps
        if done or n_iter >= max_iter:
            return gap, n_iter
        n_steps = update_by_newton(gram[:k, :k], b, c, w, l1, l2)
        n_iter += n_steps
        if n_steps == 0:
            patience *= 2


def solve_path(gram, b, scale, lam1, lam2, yy, tol, settle, sweeps, w):
    """Solve for every penalty in turn, each from the previous solution.

    Parameters
    ----------
    gram : ndarray of shape (k, k), C-ordered float64
    b : ndarray of shape (k,)
        ``X.T @ y``.
    scale : ndarray of shape (k,)
        Penalty weights; the penalties are ``lam1[i] * scale``, ``lam2[i] * scale``.
    lam1, lam2 : ndarray of shape (n_alphas,)
    yy, tol : float
        ``y @ y`` and the absolute gap to reach.
    settle : float
        Largest relative change in the last sweep, as scikit-learn asks of its
        solver too: small problems can afford coefficients that are more exact
        than their gap says.
    sweeps : Sweeps
    w : ndarray of shape (k,)
        Where to start; updated in place.

    Returns
    -------
    coefs : ndarray of shape (n_alphas, k)
    gaps : ndarray of shape (n_alphas,)
    n_iters : ndarray of int of shape (n_alphas,)
    """
    n_alphas, k = len(lam1), len(w)
    coefs = np.empty((n_alphas, k))
    gaps = np.empty(n_alphas)
    n_iters = np.zeros(n_alphas, dtype=np.int64)
    c = b - gram @ w if w.any() else b.copy()
    patience, i = _choose_patience(k), 0
    while True:
        stopped, sweeps.state = solve_gram_path(
            gram, b, c, w, scale, lam1, lam2, yy, tol, settle, sweeps.max_iter, patience,
            sweeps.positive, sweeps.random, sweeps.state, i, coefs, gaps, n_iters,
        )  # fmt: skip
        if stopped == n_alphas:
            return coefs, gaps, n_iters
        i = stopped
        n_iters[i] += update_by_newton(gram, b, c, w, lam1[i] * scale, lam2[i] * scale)
