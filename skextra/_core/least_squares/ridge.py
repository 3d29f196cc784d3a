"""Ridge regression: the exact solution, by the cheapest factorization that holds.

Tall data: Cholesky of the p x p Gram matrix. Wide data: Cholesky of the n x n
kernel. Where a bound on the distance from the minimum, taken from the data, is not
at rounding level, the solution is corrected with residuals of the data; where that does
not help, it is replaced by one from singular values of scaled columns, which also gives
the minimum-norm solution where alpha is 0. Sparse data too large for any of these:
conjugate gradients (see :mod:`skextra._core.least_squares.ridge_conjugate_gradients`).

Bounds are duality gaps. For any dual point t that is orthogonal to the unpenalized
directions (t and the rows of Z and y times the roots of the sample weights),

    P(w) - min P <= ||y - Z w - t||^2 / 2 + ||alpha w - Z't||^2 / (2 alpha) .

References
----------
Bjorck, "Stability analysis of the method of seminormal equations for linear
least squares problems", Linear Algebra and its Applications 88/89 (1987).
"""

from contextlib import nullcontext

import numpy as np
from scipy.linalg import blas, eigh, lapack

from skextra._core.least_squares import ridge_conjugate_gradients
from skextra._core.least_squares.problem import Result
from skextra._core.least_squares.ridge_scaled_system import ScaledSystem
from skextra._core.numerics.products import multiply_dense
from skextra._core.runtime.threads import single_threaded_blas

_EPS = np.finfo(np.float64).eps
# A factorization has to reach this gap, relative to the null objective; if it does not, a
# slower and more exact way is taken. Sound ones are below 1e-20.
_EXACT = 1e-10
# A bound on what rounding coefficients to single precision costs is good enough up to this.
_CAST = 1e-8
# Below this reciprocal condition number of the factored matrix the solution is
# corrected with residuals of the data; below the second it is not trusted.
_RCOND_REFINE = 1e-7
_RCOND_SINGULAR = 1e-14
# From this many different penalties on, one eigendecomposition is cheaper than
# a Cholesky factorization each.
_MAX_FACTORIZATIONS = 16
# Sizes of matrices between which one BLAS thread factorizes as fast as more.
_SMALLEST_STALL, _LARGEST_STALL = 100, 600
# Where conjugate gradients end short of their tolerance, a factorization of at most this
# size (seconds) is tried.
_LARGEST_FALLBACK = 4000


class SingularError(Exception):
    """A factorization that rounding has made useless."""


def solve(problem, alphas, *, method="auto", tol=1e-4, max_iter=None):
    """Solve a ridge problem by whatever suits its shape.

    Parameters
    ----------
    problem : Problem
    alphas : ndarray of shape (n_targets,)
        Non-negative penalty of each target.
    method : {"auto", "svd", "iterative"}
        "iterative" prefers conjugate gradients where a factorization is dear.
    tol : float
        Relative tolerance of iterative solutions.
    max_iter : int or None
        Limit of iterations of iterative solutions.

    Returns
    -------
    result : Result
        ``gap`` bounds the objective's distance from its minimum (in units of
        ``1/2 ||y - Zw||^2 + alpha/2 ||w||^2``).
    """
    method_direct = "svd" if method == "svd" else "auto"
    if not is_factorization_expensive(problem.design, len(alphas), method):
        return solve_direct(problem, alphas, method=method_direct)
    result = ridge_conjugate_gradients.solve_iterative(problem, alphas, tol=tol, max_iter=max_iter)
    solved = (result.gap <= max(tol, _EXACT) * problem.null_objective).all()
    # A limit of iterations that the caller sets is kept.
    if solved or max_iter is not None or min(problem.design.shape) > _LARGEST_FALLBACK:
        return result
    return _choose(problem, result, solve_direct(problem, alphas))


def is_factorization_expensive(design, n_targets, method="auto"):
    """Whether conjugate gradients are expected to beat a factorization by far."""
    n, p = design.shape
    small = min(n, p)
    if method == "svd" or small <= 150:
        return False
    if not design.is_sparse:
        return method == "iterative" and small > 2000
    # Seconds, from about 3e10 flops of BLAS and 1e8 multiply-adds of sparse by
    # sparse a second; conjugate gradients mostly take some 25 iterations.
    nnz = float(design.X.nnz)
    factorization = small**3 / 3e10
    product = min(nnz**2 / max(n, p) / 1e8, float(n) * p * small / 2e10)
    iterations = 25 * 2 * nnz * n_targets / 1e9
    return factorization + product > iterations


def solve_direct(problem, alphas, *, method="auto"):
    """Solve a ridge problem by factorization.

    Parameters
    ----------
    problem : Problem
    alphas : ndarray of shape (n_targets,)
        Non-negative penalty of each target.
    method : {"auto", "svd"}
        "auto" falls back to "svd" where Cholesky fails.

    Returns
    -------
    result : Result
        As from :func:`solve`.
    """
    n, p = problem.design.shape
    if p == 0:
        k = problem.Y.shape[1]
        empty = np.zeros((0, k))
        return Result(empty, np.zeros(k), dual=problem.weigh_targets(), correlations=empty)
    result = None
    if method == "auto":
        try:
            result = (_solve_primal if p <= n else _solve_dual)(problem, alphas)
        except SingularError:
            pass
    return ensure_exact(problem, alphas, result)


def ensure_exact(problem, alphas, result, system=None):
    """The result, or one from scaled columns where its bound is not at rounding level.

    Parameters
    ----------
    problem : Problem
    alphas : ndarray of shape (n_targets,)
    result : Result or None
        None if a factorization failed.
    system : ScaledSystem or None
        Of the problem, where it is known.

    Returns
    -------
    result : Result
    """
    if result is not None and is_exact(problem, result):
        return result
    return _choose(problem, result, solve_singular(problem, alphas, system))


def is_exact(problem, result):
    """Whether every target is solved as far as a sound factorization goes."""
    return bool((result.gap <= _EXACT * problem.null_objective).all())


def _choose(problem, first, second):
    """Of two results the one whose worst relative gap is smaller."""
    if first is None:
        return second
    null = np.maximum(problem.null_objective, 1e-300)
    # A gap that is not a number never wins.
    return second if (second.gap / null).max() < (first.gap / null).max() else first


def _group_by_alpha(alphas):
    values, inverse = np.unique(alphas, return_inverse=True)
    if len(values) == 1:
        yield values[0], slice(None)
        return
    for i, value in enumerate(values):
        yield value, np.flatnonzero(inverse == i)


def factorize(matrix, alpha, refine_below):
    """Cholesky factor of ``matrix + alpha I`` and whether it needs refinement.

    The condition number is that of the matrix scaled to a unit diagonal.

    Raises
    ------
    SingularError
        If it has none, or one that is rounding noise.
    """
    a = matrix.copy(order="F")
    diagonal = a.reshape(-1, order="F")[:: len(a) + 1]
    diagonal += alpha
    if not (diagonal > 0).all():
        raise SingularError
    # Threads gain a small factorization nothing, and stall it when cores are busy.
    stalls = _SMALLEST_STALL < len(a) <= _LARGEST_STALL
    with single_threaded_blas() if stalls else nullcontext():
        factor, info = lapack.dpotrf(a, lower=1, overwrite_a=1, clean=0)
    if info:
        raise SingularError
    # LAPACK's estimate would count differently scaled features as
    # ill-conditioned, which a Cholesky factorization does not mind.
    scale = np.sqrt(matrix.diagonal() + alpha)
    rcond = (factor.diagonal() / scale).min() ** 2
    if rcond < max(1e-4, 10 * refine_below):
        rcond = min(rcond, _estimate_scaled_rcond(factor, scale))
    if rcond < _RCOND_SINGULAR:
        raise SingularError
    return factor, rcond < refine_below


def _estimate_scaled_rcond(factor, scale):
    scaled = np.asfortranarray(factor / scale[:, None])
    rcond, info = lapack.dpocon(scaled, float(len(scale)), uplo="L")
    return rcond if info == 0 else 0.0


def solve_factored(factor, B):
    """Solve with a factor from :func:`factorize`."""
    x, info = lapack.dpotrs(factor, B, lower=1)
    return x


def _solve_primal(problem, alphas):
    gram, cross = problem.design.compute_moments(problem.Y)
    return solve_moments(problem, gram, cross, alphas)


def solve_moments(problem, gram, cross, alphas, eigen=None):
    """Solve from the Gram matrix (lower triangle) and its right-hand sides.

    The bound is taken from these, with their rounding counted, where that is enough: it
    spares two products with the data (a fifth of the time for 100,000 samples and 100
    features). Where it is not, it is taken from the data.

    Parameters
    ----------
    problem : Problem
    gram, cross : ndarrays
        As from :meth:`Design.compute_moments`.
    alphas : ndarray of shape (n_targets,)
    eigen : tuple of ndarray, or None
        Eigenvalues and eigenvectors of `gram` where they are known.

    Returns
    -------
    result : Result

    Raises
    ------
    SingularError
        If the Gram matrix is too ill-conditioned to say.
    """
    groups = list(_group_by_alpha(alphas))
    if eigen is not None or len(groups) > _MAX_FACTORIZATIONS:
        W = _solve_eigen(gram, cross, alphas, eigen)
        return Result(W, _bound_from_moments(problem, gram, cross, alphas, W, slice(None)))
    parts = []
    for alpha, columns in groups:
        factor, refine = factorize(gram, alpha, _RCOND_REFINE)
        W = solve_factored(factor, cross[:, columns])
        null = problem.null_objective[columns]
        if not refine and alpha > 0:
            gap = _bound_from_moments(problem, gram, cross[:, columns], alpha, W, columns)
            if (gap <= _EXACT * null).all():
                parts.append((W, gap, None, None))
                continue
        newton = _Newton(lambda g, factor=factor: solve_factored(factor, g), True)
        parts.append(refine_primal(problem, alpha, columns, W, newton, refine))
    result = _assemble(problem, groups, parts)
    result.lengths = np.sqrt(np.maximum(gram.diagonal(), 0.0))
    return result


def _assemble(problem, groups, parts, method="cholesky"):
    """One result of the parts ``(W, gap, dual, correlations)`` of groups of targets."""
    if len(parts) == 1:
        W, gap, dual, correlations = parts[0]
        return Result(W, gap, method=method, dual=dual, correlations=correlations)
    k = problem.Y.shape[1]
    W, gap = np.empty((problem.design.shape[1], k), order="F"), np.empty(k)
    dual = correlations = None
    if all(part[2] is not None for part in parts):
        dual, correlations = np.empty((problem.design.shape[0], k)), np.empty_like(W)
    for (_, columns), part in zip(groups, parts, strict=True):
        W[:, columns], gap[columns] = part[:2]
        if dual is not None:
            dual[:, columns], correlations[:, columns] = part[2:]
    return Result(W, gap, method=method, dual=dual, correlations=correlations)


def _multiply(symmetric, W):
    """Product with a symmetric matrix of which only the lower triangle is set."""
    if W.shape[1] == 1:
        return blas.dsymv(1.0, symmetric, W[:, 0], lower=1)[:, None]
    return blas.dsymm(1.0, symmetric, W, side=0, lower=1)


def _bound_from_moments(problem, gram, cross, alpha, W, columns):
    """Gap with the residual as dual point, ``||Z'r - alpha w||^2 / (2 alpha)``.

    The moments are sums of n rounded products: of each entry at most
    ``gamma |z_j| (sum_k |z_k| |w_k| + |y|)`` of the gradient is rounding, which is counted.
    """
    # Sums run over blocks of at most 1,024 rows, then over blocks; the shift of the
    # columns may have left the sums 17 times as large as they are.
    n = problem.design.shape[0]
    gamma = 17 * _EPS * (min(n, 1024) + n / 256 + 16)
    lengths = np.sqrt(np.maximum(gram.diagonal(), 0.0))
    y_lengths = np.sqrt(2 * problem.null_objective[columns])
    gradient = np.abs(cross - _multiply(gram, np.asfortranarray(W)) - alpha * W)
    gradient += gamma * lengths[:, None] * (lengths @ np.abs(W) + y_lengths)
    squares = np.einsum("ij,ij->j", gradient, gradient)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(squares > 0, squares / (2 * alpha), 0.0)


class _Newton:
    """Newton steps: an inverse of the Hessian, exact or nearly so.

    Parameters
    ----------
    solve : callable
        Step of each column of gradients.
    is_trusted : bool
        Whether the squared length of a gradient in the norm of the inverse is its true one
        to some digits.
    """

    def __init__(self, solve, is_trusted):
        self.solve = solve
        self.is_trusted = is_trusted


def advance(design, dual, step):
    """Residual after a step, and its products with the columns of Z, reading X once.

    Parameters
    ----------
    design : Design
    dual : ndarray of shape (n_samples, k)
        Times the roots of the weights.
    step : ndarray of shape (n_features, k)

    Returns
    -------
    dual : ndarray of shape (n_samples, k)
        ``dual - sqrt(weights) Z step``.
    correlations : ndarray of shape (n_features, k)
        ``(sqrt(weights) Z).T`` times that.
    """
    if design.is_sparse:
        dual = dual - design.weigh_rows(design.dot(step))
        return dual, design.transpose_dot(design.weigh_rows(dual))
    step = step if design.scale is None else design.scale[:, None] * step
    new, correlations = np.empty_like(dual), np.zeros(step.shape)
    for start, stop, block in design.iterate_row_blocks(16 if step.shape[1] == 1 else 256):
        change = multiply_dense(block, step)
        if design.weights is not None:
            root = design.sqrt_weights[start:stop, None]
            change *= root
        part = np.subtract(dual[start:stop], change, out=new[start:stop])
        part = part if design.weights is None else part * root
        correlations += multiply_dense(block.T, part)
    if design.scale is not None:
        correlations *= design.scale[:, None]
    return new, correlations


def refine_primal(problem, alpha, columns, W, newton, polish):
    """Bound a solution from the data, and correct it until the bound no longer falls.

    The dual point is the residual, updated with the corrections: it does not have the
    rounding of a residual of coefficients whose products with the data are large, which the
    length of those columns would multiply.

    Parameters
    ----------
    problem : Problem
    alpha : float
    columns : slice or ndarray
        Targets.
    W : ndarray of shape (n_features, k)
    newton : _Newton
    polish : bool
        Whether to correct a solution also if its bound is small.

    Returns
    -------
    W, gap, dual, correlations : ndarrays
        As in :class:`Result`.
    """
    design, null = problem.design, problem.null_objective[columns]
    target = design.weigh_rows(problem.Y[:, columns])
    dual, correlations = advance(design, target, W)
    step, gap = _bound(newton, correlations - alpha * W, alpha, null)
    n_steps = 0
    while n_steps < 8 and (polish or (gap > _EXACT * null).any()):
        new = W + step
        new_dual, new_correlations = advance(design, dual, step)
        new_step, new_gap = _bound(newton, new_correlations - alpha * new, alpha, null)
        if not (new_gap <= gap).all() or not np.isfinite(new).all():
            break
        has_stalled = (new_gap > 0.25 * gap).all()
        W, dual, correlations, step, gap = new, new_dual, new_correlations, new_step, new_gap
        n_steps += 1
        if has_stalled:
            break
    if n_steps:
        drift = target - design.weigh_rows(design.dot(W)) - dual
        gap = gap + 0.5 * np.einsum("ij,ij->j", drift, drift)
    return W, gap + _bound_rounding(design, W, null), dual, correlations


def _bound_rounding(design, W, null_objective, trace=np.inf):
    """What the rounding of residuals can hide: large where coefficients cancel.

    `trace` is the sum of the squared lengths of columns, if known: it spares a pass.
    """
    lengths = np.linalg.norm(W, axis=0)
    sizes = np.where(lengths > 0, np.sqrt(trace), 0.0) * lengths if trace < np.inf else np.inf
    if not (0.5 * (4 * _EPS * sizes) ** 2 <= 1e-3 * _EXACT * null_objective).all():
        sizes = np.sqrt(design.compute_column_norms()) @ np.abs(W)
    return 0.5 * (4 * _EPS * sizes) ** 2


def _bound(newton, gradient, alpha, null_objective):
    """Newton step, and bound on the distance of each target from its minimum."""
    step = newton.solve(gradient)
    decrement = np.maximum(0.5 * np.einsum("ij,ij->j", gradient, step), 0.0)
    if alpha <= 0:
        return step, decrement
    gap = np.einsum("ij,ij->j", gradient, gradient) / (2 * alpha)
    if newton.is_trusted:
        # Half the squared length of the gradient in the norm of the inverse Hessian is the
        # distance itself. Unlike the gap it does not depend on the units of features.
        gap = np.minimum(gap, 1.01 * decrement + _EPS * null_objective)
    return step, gap


def decompose(symmetric):
    """Eigenvalues, ascending, and eigenvectors; only the lower triangle is read."""
    return eigh(symmetric, lower=True, driver="evd", check_finite=False)


def _solve_eigen(gram, cross, alphas, eigen=None):
    values, V = decompose(gram) if eigen is None else eigen
    if alphas.min() + max(values[0], 0) <= _RCOND_SINGULAR * values[-1]:
        raise SingularError
    denominator = np.maximum(values, 0)[:, None] + alphas
    return V @ ((V.T @ cross) / denominator)


def deflate_kernel(kernel, null_rows):
    """Move the kernel's known null directions above its largest eigenvalue, in place.

    They carry the intercept: at eigenvalue 0 they would make the kernel
    singular and the leave-one-out denominators cancel.

    Returns
    -------
    kernel : ndarray
    shift : float
    """
    if null_rows is None:
        return kernel, 0.0
    diagonal = kernel.diagonal()
    squares = 2 * lapack.dlange("F", np.tril(kernel)) ** 2 - np.einsum("i,i", diagonal, diagonal)
    norm = np.sqrt(max(squares, 0.0))
    # Twice, so that they stay apart from a kernel of rank one, too.
    shift = 2 * norm if norm > 0 else 1.0
    return blas.dsyrk(
        shift, np.asfortranarray(null_rows), beta=1.0, c=kernel, lower=1, overwrite_c=1
    ), shift


def _solve_dual(problem, alphas):
    design = problem.design
    kernel, _ = deflate_kernel(design.compute_kernel(), design.list_null_rows())
    return solve_kernel(problem, kernel, alphas)


def solve_kernel(problem, kernel, alphas):
    """Solve from the kernel (lower triangle) with its null directions deflated.

    Parameters
    ----------
    problem : Problem
    kernel : ndarray of shape (n_samples, n_samples)
        As from :func:`deflate_kernel`.
    alphas : ndarray of shape (n_targets,)

    Returns
    -------
    result : Result

    Raises
    ------
    SingularError
        If the kernel is too ill-conditioned to say.
    """
    Yw = problem.weigh_targets()
    groups = list(_group_by_alpha(alphas))
    if len(groups) > _MAX_FACTORIZATIONS:
        C, inverse = _solve_dual_eigen(kernel, Yw, alphas)
        W, gap, dual = _refine_dual(problem, kernel, alphas, Yw, C, inverse, False)
        return Result(W, gap, dual=dual, correlations=alphas * W)
    parts = []
    for alpha, columns in groups:
        factor, refine = factorize(kernel, alpha, _RCOND_REFINE)
        y = Yw[:, columns]
        W, gap, dual = _refine_dual(
            problem, kernel, alpha, y, solve_factored(factor, y),
            lambda e, factor=factor: solve_factored(factor, e), refine,
        )  # fmt: skip
        parts.append((W, gap, dual, alpha * W))
    return _assemble(problem, groups, parts)


def _solve_dual_eigen(kernel, Yw, alphas):
    values, Q = decompose(kernel)
    if alphas.min() + max(values[0], 0) <= _RCOND_SINGULAR * values[-1]:
        raise SingularError
    denominator = np.maximum(values, 0)[:, None] + alphas

    def solve_all(R):
        return Q @ ((Q.T @ R) / denominator)

    return solve_all(Yw), solve_all


def _refine_dual(problem, kernel, alpha, Yw, C, solve_all, polish):
    """As `refine_primal`, for ``W = Z'C`` and the dual point ``alpha C``.

    Of the gap only ``||y - Z w - alpha c||^2 / 2`` is left, and what rounding did to W.
    """
    design = problem.design
    null = 0.5 * np.einsum("ij,ij->j", Yw, Yw)
    trace = max(kernel.trace(), 0.0)
    noise = 0.5 * (design.shape[0] * _EPS) ** 2 * trace * alpha
    n_steps = 0
    best = None
    while True:
        # Without cancellation where features have an offset.
        W = design.transpose_dot(design.weigh_rows(C))
        error = Yw - design.weigh_rows(design.dot(W)) - alpha * C
        gap = 0.5 * np.einsum("ij,ij->j", error, error) + noise * np.einsum("ij,ij->j", C, C)
        if best is not None and not (gap < 0.25 * best[1]).any():
            break
        best = W, gap, alpha * C
        n_steps += 1
        if n_steps > 6 or not (polish or (gap > _EXACT * null).any()):
            break
        C = C + solve_all(error)
    W, gap, dual = best
    return W, gap + _bound_rounding(design, W, null, trace), dual


def solve_singular(problem, alphas, system=None):
    """Solve from singular values of scaled columns, for any conditioning.

    Parameters
    ----------
    problem : Problem
    alphas : ndarray of shape (n_targets,)
    system : ScaledSystem or None
        Of the problem, where it is known.

    Returns
    -------
    result : Result
        Of minimum norm where the solution is not unique.
    """
    system = ScaledSystem(problem) if system is None else system
    groups = list(_group_by_alpha(alphas))
    parts = []
    for alpha, columns in groups:
        W, solve_all, is_trusted = system.solve(alpha, columns)
        newton = _Newton(solve_all, is_trusted)
        parts.append(refine_primal(problem, alpha, columns, W, newton, alpha > 0))
    return _assemble(problem, groups, parts, "svd")


def compute_returned_gap(problem, result, coef, intercept, alphas):
    """Gaps of coefficients as they are returned, on the data as they were given.

    Parameters
    ----------
    problem : Problem
    result : Result
        The solution that was expanded, and perhaps rounded, to `coef`.
    coef : ndarray of shape (n_targets, n_features)
    intercept : ndarray of shape (n_targets,)
    alphas : ndarray of shape (n_targets,)

    Returns
    -------
    gap : ndarray of shape (n_targets,)
    """
    if coef.dtype == np.float64 and problem.free_transform is None:
        return result.gap
    design, null = problem.design, problem.null_objective
    W = coef.astype(np.float64).T
    W = W if problem.penalized is None else W[problem.penalized]
    W = W if design.scale is None else W / design.scale[:, None]
    if result.lengths is not None and problem.free_transform is None:
        gap = _bound_cast(problem, result, W, coef, intercept, alphas)
        if (gap <= _CAST * null).all():
            return gap
    residual = design.weigh_rows(problem.compute_residual(coef, intercept))
    gap = np.full(len(null), np.inf)
    if result.dual is not None and (alphas > 0).all():
        loss = residual - result.dual
        excess = np.sqrt(alphas) * W - result.correlations / np.sqrt(alphas)
        gap = 0.5 * (np.einsum("ij,ij->j", loss, loss) + np.einsum("ij,ij->j", excess, excess))
    if (gap <= _EXACT * null).all():
        return gap
    # What the objective is above that of the solution, which is bounded otherwise.
    solved, _ = advance(design, problem.weigh_targets(), result.W)
    loss = np.einsum("ij,ij->j", residual, residual) - np.einsum("ij,ij->j", solved, solved)
    penalty = alphas if result.penalty is None else result.penalty
    change = (penalty * (W - result.W) * (W + result.W)).sum(axis=0)
    return np.minimum(gap, result.gap + np.maximum(0.5 * (loss + change), 0.0))


def _bound_cast(problem, result, W, coef, intercept, alphas):
    """Bound on the gap of rounded coefficients from lengths of columns, without the data.

    With ``H = Z'Z + alpha I`` and a change d of the solution the gap rises by at most
    ``|g'd| + d'Hd / 2``, where the gradient g is at most ``sqrt(2 alpha gap)`` long.
    """
    change = np.abs(W - result.W)
    size = np.einsum("ij,ij->j", change, change)
    shift = problem.compute_intercept(coef) - intercept
    moved = (result.lengths @ change) ** 2 + alphas * size
    moved += problem.design.total_weight * shift**2
    return result.gap + np.sqrt(2 * alphas * result.gap * size) + 0.5 * moved
