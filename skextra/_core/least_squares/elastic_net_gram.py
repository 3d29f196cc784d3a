"""Elastic net on a Gram matrix: coordinate descent helped by Newton steps."""

import numpy as np

from skextra._core.least_squares.gap import compute_elastic_net_gap
from skextra._core.numerics.scaling import round_to_power_of_two
from skextra._core.quadratic.projected_newton import update_by_newton
from skextra._core.quadratic.sweeps import (
    CYCLE,
    FAST,
    find_nonzero,
    is_settled,
    shuffle,
    sweep_gram,
)
from skextra._core.runtime.jit import njit

# Columns whose lengths differ by more than this are brought to one length.
_LARGEST_SPREAD = 8.0


def _choose_patience(n_features):
    """Sweeps before a Newton step is worth its overhead: few where a sweep is expensive."""
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
    """Minimize on the leading block of `gram`; `c` and `w` are updated in place.

    Returns
    -------
    gap : float
    n_iter : int
        Sweeps and Newton steps.
    """
    k = len(w)
    # A visit of the working set may be too short for more, and would never see a Newton step.
    patience = min(_choose_patience(k), max(max_iter // 2, 1))
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
        n_steps = update_by_newton(gram[:k, :k], b, c, w, l1, l2, min(10, max_iter - n_iter))
        n_iter += n_steps
        if n_steps == 0:
            patience *= 2


def solve_path(gram, b, L1, L2, yy, tol, settle, sweeps, w):
    """Solve for every penalty in turn, each from the previous solution.

    Parameters
    ----------
    gram : ndarray of shape (k, k), C-ordered float64
    b : ndarray of shape (k,)
        ``X.T @ y``.
    L1, L2 : ndarray of shape (n_alphas, k)
        Penalties of every feature.
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
    n_alphas, k = L1.shape
    # Which changes are small, and what is added to a singular matrix, must not depend on
    # the units of features.
    sizes = round_to_power_of_two(np.sqrt(np.maximum(gram.diagonal(), 0.0)))
    if k and sizes.max() > _LARGEST_SPREAD * sizes.min():
        gram = gram / sizes / sizes[:, None]
        result = solve_path(
            gram, b / sizes, L1 / sizes, L2 / sizes**2, yy, tol, settle, sweeps, w * sizes
        )
        return result[0] / sizes, *result[1:]
    coefs = np.empty((n_alphas, k))
    gaps = np.empty(n_alphas)
    n_iters = np.zeros(n_alphas, dtype=np.int64)
    c = b - gram @ w if w.any() else b.copy()
    patience, i = _choose_patience(k), 0
    while True:
        stopped, sweeps.state = solve_gram_path(
            gram, b, c, w, L1, L2, yy, tol, settle, sweeps.max_iter, patience,
            sweeps.positive, sweeps.random, sweeps.state, i, coefs, gaps, n_iters,
        )  # fmt: skip
        if stopped == n_alphas:
            return coefs, gaps, n_iters
        i = stopped
        n_iters[i] += update_by_newton(gram, b, c, w, L1[i], L2[i])


@njit(fastmath=FAST)
def compute_gram_gap(b, c, w, l1, l2, yy, positive):
    """Duality gap of a problem whose every feature is in the Gram matrix."""
    wb = 0.0
    for j in range(w.shape[0]):
        wb += w[j] * b[j]
    return compute_elastic_net_gap(w, c, l1, l2, yy - wb, positive, 0.0, 0.0)


@njit
def solve_gram(gram, b, c, w, l1, l2, yy, tol, settle, max_iter, positive, random, state):
    """Sweep until the duality gap is at most `tol` and the coefficients are settled.

    Parameters
    ----------
    gram : ndarray of shape (>=k, >=k)
        Symmetric; its leading block is used.
    b, c, w : ndarray of shape (k,)
        ``X.T @ y``; correlations and coefficients, updated in place.
    l1, l2 : ndarray of shape (k,)
    yy, tol : float
    settle : float
        Largest change in the last sweep, relative to the largest coefficient;
        inf if the gap alone counts.
    max_iter : int
        Sweeps at most.
    positive, random : bool
    state : uint64
        Of the generator that orders the sweeps if `random`.

    Returns
    -------
    done : bool
    gap : float
    n_iter : int
    state : uint64
    """
    k = w.shape[0]
    everything = np.arange(k)
    active = np.empty(k, dtype=np.int64)
    n_iter = 0
    n_active = 0
    first, change = 0.0, 0.0
    while True:
        # A sweep over all coordinates starts each cycle, and a look at the gap
        # ends it, or comes when a cycle has done most of what it can.
        position = n_iter % CYCLE
        if position == 0 or change <= 0.1 * first or n_iter >= max_iter:
            gap = compute_gram_gap(b, c, w, l1, l2, yy, positive)
            done = gap <= tol and (n_iter == 0 or is_settled(w, change, settle))
            if done or n_iter >= max_iter:
                return done, gap, n_iter, state
        if position == 0:
            if random:
                state = shuffle(everything, k, state)
            change = sweep_gram(gram, c, w, l1, l2, everything, k, positive)
            first = change
            n_active = find_nonzero(w, active)
        else:
            if random:
                state = shuffle(active, n_active, state)
            change = sweep_gram(gram, c, w, l1, l2, active, n_active, positive)
        n_iter += 1


@njit
def solve_gram_path(
    gram, b, c, w, L1, L2, yy, tol, settle, max_iter, patience, positive, random, state,
    start, coefs, gaps, n_iters,
):  # fmt: skip
    """Solve for the penalties ``L1[i]``, ``L2[i]`` from `start` on.

    Stops at the first problem that is not solved after `patience` more sweeps,
    so that the caller can help with a Newton step and call again.

    Returns
    -------
    index : int
        Of the first unfinished problem; ``len(L1)`` if there is none.
    state : uint64
    """
    for i in range(start, L1.shape[0]):
        budget = min(patience, max_iter - n_iters[i])
        done, gap, n_iter, state = solve_gram(
            gram, b, c, w, L1[i], L2[i], yy, tol, settle, budget, positive, random, state
        )
        n_iters[i] += n_iter
        gaps[i] = gap
        coefs[i] = w
        if not done and n_iters[i] < max_iter:
            return i, state
    return L1.shape[0], state
