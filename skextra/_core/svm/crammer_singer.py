"""One margin over all classes: the multi-class support vector machine of Crammer and Singer.

    P(W, b) = |W|^2 / 2 + sum_i C_i max(0, 1 - min_{m != y_i} (f_iy - f_im)),  f_i = W x_i + b

Its dual has a row of variables for each sample, ``sum_m a_im = 0`` and ``a_im <= C_i``
where m is the sample's class, ``a_im <= 0`` else, and ``W_m = sum_i a_im x_i``. Rows are
minimized one at a time. The unpenalized intercepts ask for ``sum_i a_im = 0``; as for two
classes, an augmented Lagrangian takes care of that.

References
----------
Crammer & Singer, "On the algorithmic implementation of multiclass kernel-based vector
machines", JMLR 2 (2001).

Keerthi, Sundararajan, Chang, Hsieh & Lin, "A sequential dual method for large scale
multi-class linear SVMs", KDD (2008).
"""

import numpy as np
from scipy import sparse

from skextra._core.runtime.jit import njit
from skextra._core.svm.dual_coordinate_descent import shuffle
from skextra._core.svm.result import MultiClassSVMResult


@njit
def sort_few(values):
    """Positions in rising order, by insertion."""
    order = np.arange(values.shape[0])
    for r in range(1, order.shape[0]):
        m = order[r]
        t = r
        while t > 0 and values[order[t - 1]] > values[m]:
            order[t] = order[t - 1]
            t -= 1
        order[t] = m
    return order


@njit
def solve_row(gradient, a, upper, curvature, new):
    """Minimize ``curvature |v - a|^2 / 2 + gradient . (v - a)`` over a row v; it goes to `new`.

    Every entry of v is ``min(upper, a - (gradient + z) / curvature)``, with z such that
    the entries sum to zero: found among the sorted bends.
    """
    k = a.shape[0]
    bends = np.empty(k)
    for m in range(k):
        bends[m] = curvature * (a[m] - upper[m]) - gradient[m]
    order = sort_few(bends)
    # Entries whose bend is at most z are off their bounds; sums over those.
    free, slope, held = 0.0, 0.0, 0.0
    for m in range(k):
        held += upper[m]
    z = bends[order[0]]
    for r in range(k):
        m = order[r]
        free += curvature * a[m] - gradient[m]
        slope += 1.0
        held -= upper[m]
        z = (free + curvature * held) / slope
        if r == k - 1 or z <= bends[order[r + 1]]:
            break
    for m in range(k):
        new[m] = min(upper[m], a[m] - (gradient[m] + z) / curvature)


@njit
def sweep_rows(
    data, indices, indptr, codes, C, squares, A, W, rows, multipliers, sums, rho, state
):  # fmt: skip
    """One sweep over all samples, in random order; `A`, `W` and `sums` are updated.

    Parameters
    ----------
    data, indices, indptr : ndarray
        Samples in compressed form.
    codes, C, squares : ndarray of shape (n_samples,)
    A : ndarray of shape (n_samples, n_classes)
    W : ndarray of shape (n_features, n_classes)
    rows : ndarray of int of shape (n_samples,)
    multipliers, sums : ndarray of shape (n_classes,)
        Intercepts, and sums of the columns of `A`.
    rho : float
    state : uint64

    Returns
    -------
    state : uint64
    largest : float
        Largest change of a variable.
    """
    n_classes = A.shape[1]
    gradient, upper, new = np.empty(n_classes), np.empty(n_classes), np.empty(n_classes)
    state = shuffle(rows, rows.shape[0], state)
    largest = 0.0
    for s in range(rows.shape[0]):
        i = rows[s]
        for m in range(n_classes):
            gradient[m] = multipliers[m] + rho * sums[m] + 1.0
            upper[m] = 0.0
        gradient[codes[i]] -= 1.0
        upper[codes[i]] = C[i]
        for t in range(indptr[i], indptr[i + 1]):
            x, j = data[t], indices[t]
            for m in range(n_classes):
                gradient[m] += x * W[j, m]
        solve_row(gradient, A[i], upper, squares[i] + rho, new)
        moved = False
        for m in range(n_classes):
            new[m] -= A[i, m]
            largest = max(largest, abs(new[m]))
            moved = moved or new[m] != 0.0
        if moved:
            for m in range(n_classes):
                A[i, m] += new[m]
                sums[m] += new[m]
            for t in range(indptr[i], indptr[i + 1]):
                x, j = data[t], indices[t]
                for m in range(n_classes):
                    W[j, m] += x * new[m]
    return state, largest


def solve(rows, codes, n_classes, C, *, fit_intercept, tol, max_iter, dtype=np.float64):
    """Minimize over all classes at once.

    Parameters
    ----------
    rows : CenteredRows
    codes : ndarray of int of shape (n_samples,)
    n_classes : int
    C : ndarray of shape (n_samples,)
        Positive.
    fit_intercept : bool
    tol : float
        Duality gap relative to the objective of the best constant.
    max_iter : int
        A tenth of the sweeps at most, which are cheap.
    dtype : float32 or float64
        Precision of the coefficients, whose rounding the gap contains.

    Returns
    -------
    result : MultiClassSVMResult
        Of the smallest gap seen.
    """
    X = sparse.csr_array(rows.X)
    squares = np.asarray(X.multiply(X).sum(axis=1), dtype=np.float64).ravel()
    rho = max(float(squares.mean()), 1e-300) if fit_intercept else 0.0
    squares = np.maximum(squares, 1e-300)
    n, d = X.shape
    A, W = np.zeros((n, n_classes)), np.zeros((d, n_classes))
    multipliers, sums = np.zeros(n_classes), np.zeros(n_classes)
    order, state = np.arange(n), np.uint64(0x5DEECE66D)
    best, next_check = None, 2
    n_iter, max_iter = 0, 10 * max_iter
    while n_iter < max_iter and not (best is not None and best.converged):
        state, largest = sweep_rows(
            X.data, X.indices, X.indptr, codes, C, squares, A, W, order, multipliers, sums, rho,
            state,
        )  # fmt: skip
        state = np.uint64(state)
        n_iter += 1
        if fit_intercept:
            multipliers += rho * sums
        if n_iter < min(next_check, max_iter) and largest > 0:
            continue
        next_check = n_iter + max(2, n_iter // 4)
        result = _certify(rows, codes, C, A, multipliers, fit_intercept, tol, dtype)
        best = result if best is None or result.gap < best.gap else best
    if best is None:
        best = _certify(rows, codes, C, A, multipliers, fit_intercept, tol, dtype)
    best.n_iter = -(-n_iter // 10)
    return best


def compute_null_objective(codes, n_classes, C, fit_intercept):
    """Objective without features: the heaviest class gains all, or no class does."""
    totals = np.bincount(codes, weights=C, minlength=n_classes)
    if not fit_intercept:
        return float(totals.sum())
    # A class that is ahead by one costs its rivals two each; level, all cost one.
    return float(min(totals.sum(), 2.0 * (totals.sum() - totals.max())))


def balance(A, codes):
    """Feasible dual point near `A`, with columns that sum to zero.

    Columns of a negative sum give up a share of their negative entries; what the rows
    then lack is taken from columns of a positive sum, which have no lower bound.
    """
    sums = A.sum(axis=0)
    lack = np.maximum(-sums, 0.0)
    if not lack.any():
        return A
    negative = np.minimum(A, 0.0)
    totals = -negative.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(lack > 0, lack / totals, 0.0)
    released = -negative * np.minimum(share, 1.0)
    surplus = np.maximum(sums, 0.0)
    return A + released - np.outer(released.sum(axis=1), surplus / surplus.sum())


def _certify(rows, codes, C, A, multipliers, fit_intercept, tol, dtype):
    """Result with the duality gap of coefficients as they are returned.

    A sum of terms none of which is negative: ``|W - V|^2 / 2`` with ``V = X' A``, and for each
    sample ``C_i loss_i - sum_m (-a_im) (1 - (f_iy - f_im))``.
    """
    dual = balance(A, codes) if fit_intercept else A
    image = np.asarray(rows.X.T @ dual, dtype=np.float64).T
    coef = image.astype(dtype).astype(np.float64)
    returned = inside = np.zeros(len(coef))
    if fit_intercept:
        returned, inside = rows.round_intercept(coef, multipliers, dtype)
    scores = np.asarray(rows.X @ coef.T, dtype=np.float64) + inside
    samples = np.arange(len(codes))
    # How much each other class lacks of being behind by one.
    lacks = 1.0 + scores - scores[samples, codes][:, None]
    lacks[samples, codes] = 0.0
    losses = np.maximum(lacks.max(axis=1), 0.0)
    others = dual.copy()
    others[samples, codes] = 0.0
    slacks = C * losses + (others * lacks).sum(axis=1)
    difference = coef - image
    gap = 0.5 * float((difference * difference).sum()) + float(np.maximum(slacks, 0.0).sum())
    gap += float((np.abs(inside) * np.abs(dual.sum(axis=0))).sum())
    gap /= compute_null_objective(codes, len(coef), C, fit_intercept)
    gap = gap if np.isfinite(gap) else np.inf
    return MultiClassSVMResult(coef, returned, gap, 0, bool(gap <= tol))
