"""Decision values of every sample by the model that was fitted without it, approximately.

At the solution, the model without a sample is one Newton step away, whose effect on that
sample's own decision values needs only a block of the inverse of Newton's matrix: all
samples together cost one factorization, or one per class.

References
----------
Cawley & Talbot, "Efficient approximate leave-one-out cross-validation for kernel
logistic regression", Machine Learning 71 (2008), section 3. Rasmussen & Williams,
"Gaussian Processes for Machine Learning" (2006), algorithms 3.3 and 3.4, for several
classes.
"""

import numpy as np
from scipy.linalg import lapack, solve_triangular

from skextra._core.kernel_logistic.newton_equations import factor_system

# Variance of an intercept relative to the kernel's: a prior that says nothing.
_VAGUE = 1e4
_SMALLEST = 1e-12


def compute_left_out_decisions(solver):
    """Decision values of each sample as of the model without it.

    Parameters
    ----------
    solver : KernelLogisticSolver
        Solved, its kernel matrix kept in double precision.

    Returns
    -------
    F : ndarray of shape (n_rows, n_samples)

    Raises
    ------
    ValueError
        If the weights of the losses are so large that rounding leaves nothing.
    """
    leave_out = _leave_out_binary if solver.n_rows == 1 else _leave_out_multinomial
    try:
        F = leave_out(solver)
    except np.linalg.LinAlgError:
        F = np.array(np.nan)
    if not np.isfinite(F).all():
        raise ValueError(
            "leave-one-out overflows: C times sample_weight is too large beside the kernel values; "
            "decrease Cs, or give cv a number of folds"
        )
    return F


def _leave_out_binary(solver):
    p, weights = solver.P[0], solver.loss.weights
    h = np.maximum(weights * p * (1.0 - p), _SMALLEST * weights)
    root = np.sqrt(h)
    factor = factor_system(solver.product.K, root)
    inverse, _ = lapack.dtrtri(factor, lower=1, overwrite_c=0)
    inverse = np.tril(inverse)
    share = np.einsum("ij,ij->j", inverse, inverse)
    if len(solver.ones):
        t = inverse.T @ (inverse @ root)
        share -= t * t / max(float(root @ t), 1e-300)
    # Of a sample's own pull on its decision value: 1 where it alone decides.
    leverage = np.clip(1.0 - share, 0.0, 1.0 - 1e-12)
    own = weights * (solver.loss.targets[0] - p)
    return (solver.F[0] - own / h * leverage / (1.0 - leverage))[None]


def _leave_out_multinomial(solver):
    K, P, weights = solver.product.K, solver.P, solver.loss.weights
    if len(solver.ones):
        K = K + _VAGUE * max(float(K.diagonal().mean()), 1e-300)
    G = _compute_posterior_blocks(K, np.maximum(weights * P, _SMALLEST * weights))
    identity = np.eye(len(P))
    curvature = (weights * P).T[:, :, None] * (identity - P.T[:, None, :])
    own = (weights * (solver.loss.targets - P)).T[:, :, None]
    shift = np.linalg.solve(identity - G @ curvature, G @ own)[..., 0]
    return solver.F - shift.T


def _compute_posterior_blocks(K, D):
    """Blocks (n_samples, n_classes, n_classes) of ``(K^-1 + H)^-1``.

    ``H = diag(D) - D R (R' D R)^-1 R' D`` is the curvature of the softmax.
    """
    k, n = D.shape
    total = np.zeros((n, n))
    images = []
    G = np.zeros((n, k, k))
    for c in range(k):
        root = np.sqrt(D[c])
        factor = factor_system(K, root)
        half = solve_triangular(factor, root[:, None] * K, lower=True, check_finite=False)
        G[:, c, c] = K.diagonal() - np.einsum("ij,ij->j", half, half)
        inverse, _ = lapack.dpotri(factor, lower=1)
        inverse = np.tril(inverse) + np.tril(inverse, -1).T
        inverse *= root
        inverse *= root[:, None]
        total += inverse
        images.append(inverse @ K)
    factor, failed = lapack.dpotrf(total, lower=1, clean=0)
    if failed:
        total[np.diag_indices_from(total)] *= 1.0 + 1e-8
        factor, failed = lapack.dpotrf(total, lower=1, clean=0)
    images = [solve_triangular(factor, image, lower=True, check_finite=False) for image in images]
    for c in range(k):
        for d in range(c + 1):
            product = np.einsum("ij,ij->j", images[c], images[d])
            G[:, c, d] += product
            if c != d:
                G[:, d, c] += product
    return G
