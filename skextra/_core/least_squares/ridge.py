"""Ridge regression: the exact solution, by the cheapest factorisation that holds.

Tall data: Cholesky of the p x p Gram matrix. Wide data: Cholesky of the n x n
kernel. Ill-conditioned: the same with corrections from residuals taken from the
data, then a singular value decomposition, which also gives the minimum-norm
solution where alpha is 0. Sparse data too large for any of these: conjugate
gradients (see :mod:`skextra._core.least_squares.ridge_conjugate_gradients`).

References
----------
Bjorck, "Stability analysis of the method of seminormal equations for linear
least squares problems", Linear Algebra and its Applications 88/89 (1987).
"""

from contextlib import nullcontext

import numpy as np
from scipy.linalg import blas, eigh, lapack, svd

from skextra._core.least_squares import ridge_conjugate_gradients
from skextra._core.least_squares.problem import Result
from skextra._core.runtime.threads import single_threaded_blas

# Below this reciprocal condition number of the factored matrix the solution is
# corrected with residuals of the data; below the second it is not trusted.
_RCOND_REFINE = {8: 1e-7, 4: 1e-3}
_RCOND_SINGULAR = 1e-14
# From this many different penalties on, one eigendecomposition is cheaper than
# a Cholesky factorisation each.
_MAX_FACTORISATIONS = 16
# Sizes of matrices between which one BLAS thread factorises as fast as more.
_SMALLEST_STALL, _LARGEST_STALL = 100, 600


class SingularError(Exception):
    """A factorisation that rounding has made useless."""


def solve(problem, alphas, *, method="auto", tol=1e-4, max_iter=None):
    """Solve a ridge problem by whatever suits its shape.

    Parameters
    ----------
    problem : Problem
    alphas : ndarray of shape (n_targets,)
        Non-negative penalty of each target.
    method : {"auto", "svd", "iterative"}
        "iterative" prefers conjugate gradients where a factorisation is dear.
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
    if is_factorisation_dear(problem.design, len(alphas), method):
        return ridge_conjugate_gradients.solve_iterative(
            problem, alphas, tol=tol, max_iter=max_iter
        )
    return solve_direct(problem, alphas, method="svd" if method == "svd" else "auto")


def is_factorisation_dear(design, n_targets, method="auto"):
    """Whether conjugate gradients are expected to beat a factorisation by far."""
    n, p = design.shape
    small = min(n, p)
    if method == "svd" or small <= 150:
        return False
    if not design.is_sparse:
        return method == "iterative" and small > 2000
    # Seconds, from about 3e10 flops of BLAS and 1e8 multiply-adds of sparse by
    # sparse a second; conjugate gradients mostly take some 25 iterations.
    nnz = float(design.X.nnz)
    factorisation = small**3 / 3e10
    product = min(nnz**2 / max(n, p) / 1e8, float(n) * p * small / 2e10)
    iterations = 25 * 2 * nnz * n_targets / 1e9
    return factorisation + product > iterations


def solve_direct(problem, alphas, *, method="auto"):
    """Solve a ridge problem by factorisation.

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
        return Result(np.zeros((0, k)), np.zeros(k))
    if method == "auto":
        try:
            solve = _solve_primal if p <= n else _solve_dual
            return solve(problem, alphas)
        except SingularError:
            pass
    return solve_singular(problem, alphas)


def _group_by_alpha(alphas):
    values, inverse = np.unique(alphas, return_inverse=True)
    if len(values) == 1:
        yield values[0], slice(None)
        return
    for i, value in enumerate(values):
        yield value, np.flatnonzero(inverse == i)


def factorise(matrix, alpha, refine_below):
    """Cholesky factor of ``matrix + alpha I`` and whether it needs refinement.

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
    # Threads gain a small factorisation nothing, and stall it when cores are busy.
    stalls = _SMALLEST_STALL < len(a) <= _LARGEST_STALL
    with single_threaded_blas() if stalls else nullcontext():
        factor, info = lapack.dpotrf(a, lower=1, overwrite_a=1, clean=0)
    if info:
        raise SingularError
    # LAPACK's estimate would count differently scaled features as
    # ill-conditioned, which a Cholesky factorisation does not mind.
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
    """Solve with a factor from :func:`factorise`."""
    x, info = lapack.dpotrs(factor, B, lower=1)
    return x


def _solve_primal(problem, alphas):
    gram, cross = problem.design.compute_moments(problem.Y)
    return solve_moments(problem, gram, cross, alphas)


def solve_moments(problem, gram, cross, alphas, eigen=None):
    """Solve from the Gram matrix (lower triangle) and its right-hand sides.

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
    if eigen is not None or len(groups) > _MAX_FACTORISATIONS:
        return _solve_eigen(gram, cross, alphas, eigen)
    W = np.empty_like(cross, order="F")
    gap = np.empty(cross.shape[1])
    refine_below = _RCOND_REFINE[problem.design.dtype.itemsize]
    for alpha, columns in groups:
        factor, refine = factorise(gram, alpha, refine_below)
        w = solve_factored(factor, cross[:, columns])
        if refine:
            w, gradient = _refine_primal(problem, alpha, columns, factor, w)
        else:
            gradient = cross[:, columns] - _multiply(gram, w) - alpha * w
        W[:, columns] = w
        gap[columns] = _bound_gap(gradient, alpha, factor, problem.null_objective[columns])
    return Result(W, gap)


def _multiply(symmetric, W):
    """Product with a symmetric matrix of which only the lower triangle is set."""
    if W.shape[1] == 1:
        return blas.dsymv(1.0, symmetric, W[:, 0], lower=1)[:, None]
    return blas.dsymm(1.0, symmetric, W, side=0, lower=1)


def _bound_gap(gradient, alpha, factor, null_objective):
    """Duality gap at the residual as dual point, ``||Z'r - alpha w||^2 / (2 alpha)``.

    Where alpha is too small for that to say anything, the distance from the
    minimum itself, which is half the gradient in the inverse Hessian's norm.
    """
    if alpha > 0:
        bound = np.einsum("ij,ij->j", gradient, gradient) / (2 * alpha)
        if (bound <= 1e-10 * null_objective).all():
            return bound
    step = solve_factored(factor, gradient)
    return np.maximum(0.5 * np.einsum("ij,ij->j", gradient, step), 0)


def _refine(x, correct, compute_residual):
    """Add corrections until they no longer shrink; SingularError if they grow."""
    residual = compute_residual(x)
    last = np.inf
    for _ in range(6):
        correction = correct(residual)
        size = np.linalg.norm(correction) / max(np.linalg.norm(x), 1e-300)
        if not size < 0.5 * last:
            break
        x = x + correction
        residual = compute_residual(x)
        last = size
        if size < 1e-14:
            break
    if not last < 1e-3:
        raise SingularError
    return x, residual


def _refine_primal(problem, alpha, columns, factor, W):
    design, Y = problem.design, problem.Y[:, columns]

    def compute_residual(W):
        return design.transpose_dot(design.weigh(Y - design.dot(W))) - alpha * W

    return _refine(W, lambda g: solve_factored(factor, g), compute_residual)


def decompose(symmetric):
    """Eigenvalues, ascending, and eigenvectors; only the lower triangle is read."""
    return eigh(symmetric, lower=True, driver="evd", check_finite=False)


def _solve_eigen(gram, cross, alphas, eigen=None):
    values, V = decompose(gram) if eigen is None else eigen
    if alphas.min() + max(values[0], 0) <= _RCOND_SINGULAR * values[-1]:
        raise SingularError
    denominator = np.maximum(values, 0)[:, None] + alphas
    W = V @ ((V.T @ cross) / denominator)
    gradient = cross - _multiply(gram, np.asfortranarray(W)) - alphas * W
    rotated = V.T @ gradient
    return Result(W, 0.5 * np.einsum("ij,ij->j", rotated, rotated / denominator))


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
    design = problem.design
    Yw = design.weigh_rows(problem.Y)
    groups = list(_group_by_alpha(alphas))
    if len(groups) > _MAX_FACTORISATIONS:
        C, gap = _solve_dual_eigen(kernel, Yw, alphas)
    else:
        C, gap = np.empty_like(Yw), np.empty(Yw.shape[1])
        refine_below = _RCOND_REFINE[design.dtype.itemsize]
        for alpha, columns in groups:
            factor, refine = factorise(kernel, alpha, refine_below)
            y = Yw[:, columns]
            c = solve_factored(factor, y)
            if refine:
                c, error = _refine_dual(problem, alpha, factor, c, y)
            else:
                error = y - _multiply(kernel, np.asfortranarray(c)) - alpha * c
            C[:, columns] = c
            gap[columns] = _bound_dual_gap(kernel, error, alpha)
    return Result(_apply_transpose(design, C), gap)


def _solve_dual_eigen(kernel, Yw, alphas):
    values, Q = decompose(kernel)
    if alphas.min() + max(values[0], 0) <= _RCOND_SINGULAR * values[-1]:
        raise SingularError
    denominator = np.maximum(values, 0)[:, None] + alphas
    C = Q @ ((Q.T @ Yw) / denominator)
    error = Yw - _multiply(kernel, np.asfortranarray(C)) - alphas * C
    rotated = Q.T @ error
    squares = np.einsum("ij,i,ij->j", rotated, np.maximum(values, 0), rotated)
    # With alpha = 0 the residual itself, which is `error`, bounds the objective.
    fallback = 0.5 * np.einsum("ij,ij->j", error, error)
    return C, np.where(alphas > 0, squares / np.maximum(2 * alphas, 1e-300), fallback)


def _bound_dual_gap(kernel, error, alpha):
    if alpha <= 0:
        return 0.5 * np.einsum("ij,ij->j", error, error)
    product = _multiply(kernel, np.asfortranarray(error))
    return np.maximum(np.einsum("ij,ij->j", error, product), 0) / (2 * alpha)


def _apply_transpose(design, C):
    """``Z.T @ sqrt(weights) C`` without cancellation where features have an offset."""
    return design.transpose_dot(design.weigh_rows(C))


def _refine_dual(problem, alpha, factor, C, Yw):
    design = problem.design

    def compute_residual(C):
        product = design.weigh_rows(design.dot(_apply_transpose(design, C)))
        return Yw - product - alpha * C

    return _refine(C, lambda e: solve_factored(factor, e), compute_residual)


def compute_singular_system(design, Y):
    """Singular values s, right vectors V and ``U.T @ Y`` of weighted Z."""
    n, p = design.shape
    if p <= n:
        R, C = design.compute_triangular_factor(Y)
        U, s, Vt = svd(R, full_matrices=False, check_finite=False)
        return s, Vt.T, U.T @ C
    Z = np.empty((n, p), order="F")
    for start, stop, block in design.iterate_column_blocks():
        Z[:, start:stop] = block
    U, s, Vt = svd(Z, full_matrices=False, overwrite_a=True, check_finite=False)
    return s, Vt.T, U.T @ design.weigh_rows(Y)


def solve_singular(problem, alphas, system=None):
    """Solve from a singular value decomposition, for any conditioning.

    Parameters
    ----------
    problem : Problem
    alphas : ndarray of shape (n_targets,)
    system : tuple of ndarray, or None
        As from :func:`compute_singular_system` where it is known.

    Returns
    -------
    result : Result
        Of minimum norm where the solution is not unique.
    """
    design = problem.design
    s, V, UtY = compute_singular_system(design, problem.Y) if system is None else system
    # Directions at rounding level carry no information about y.
    kept = s > max(design.shape) * np.finfo(design.dtype).eps * (s[0] if len(s) else 0)
    s, V, UtY = s[kept], V[:, kept], UtY[kept]
    denominator = s[:, None] ** 2 + alphas
    W = V @ (s[:, None] * UtY / denominator)
    residual = design.weigh(problem.Y - design.dot(W))
    rotated = V.T @ (design.transpose_dot(residual) - alphas * W)
    gap = 0.5 * np.einsum("ij,ij->j", rotated, rotated / denominator)
    return Result(W, gap, method="svd")
