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
from skextra._core.least_squares.ridge_bounds import EXACT, Newton, refine_dual, refine_primal
from skextra._core.least_squares.ridge_scaled_system import ScaledSystem
from skextra._core.runtime.threads import single_threaded_blas

_EPS = np.finfo(np.float64).eps
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
    solved = (result.gap <= max(tol, EXACT) * problem.null_objective).all()
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
    return bool((result.gap <= EXACT * problem.null_objective).all())


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
            if (gap <= EXACT * null).all():
                parts.append((W, gap, None, None))
                continue
        newton = Newton(lambda g, factor=factor: solve_factored(factor, g), True)
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
        W, gap, dual = refine_dual(problem, kernel, alphas, Yw, C, inverse, False)
        return Result(W, gap, dual=dual, correlations=alphas * W)
    parts = []
    for alpha, columns in groups:
        factor, refine = factorize(kernel, alpha, _RCOND_REFINE)
        y = Yw[:, columns]
        W, gap, dual = refine_dual(
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
        newton = Newton(solve_all, is_trusted)
        parts.append(refine_primal(problem, alpha, columns, W, newton, alpha > 0))
    return _assemble(problem, groups, parts, "svd")
