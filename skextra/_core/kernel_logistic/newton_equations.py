"""Newton's equations of kernel logistic regression, solved for a step.

With A the expansion coefficients, theta the loss's own dual point and ``r = theta - A``,
a step D obeys ``D + H (D K + b) = r`` with intercepts b that keep the sums of D zero:
``(I + P) D = r`` with ``P = (H - H 1 (1' H 1)^-1 1' H) K``, symmetric in the kernel's
inner product.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

_MAX_CG_STEPS = 2000
# Of a step's decrease: what adding the residual may cost; and of the residual's square the
# loosest that is accepted and the tightest that is asked for.
_SMALL_PART, _LOOSEST, _TIGHTEST = 0.1, 0.1, 1e-6
_EPS = np.finfo(np.float64).eps
_DIVERGED = 1e4  # growth of the squared residual, which conjugate gradients need not lower
_MOST_DAMPINGS = 8  # up to 1e7 times rounding


@dataclass
class Step:
    """Direction of a step.

    Attributes
    ----------
    D : ndarray of shape (n_rows, n_samples)
        Step of the expansion coefficients.
    DK : ndarray of shape (n_rows, n_samples)
        Its product with the kernel matrix.
    n_products : int
        Products with the kernel matrix that it took.
    """

    D: np.ndarray
    DK: np.ndarray
    n_products: int


def solve_directly(K, curvature, R, RK):
    """Step from a Cholesky factor of ``I + sqrt(h) K sqrt(h)``; two classes.

    Parameters
    ----------
    K : ndarray of shape (n_samples, n_samples)
    curvature : Curvature
    R, RK : ndarray of shape (1, n_samples)
        Residual and its product with K.
    """
    root = np.sqrt(curvature.h[0])
    factor = factor_system(K, root)
    s = lapack.dpotrs(factor, root * RK[0], lower=1)[0]
    if len(curvature.ones):
        t = lapack.dpotrs(factor, root, lower=1)[0]
        s -= t * (root @ s) / max(root @ t, 1e-300)
    # Rounding leaves sums that are not zero; the intercept's direction takes them up.
    D = R[0] - root * s
    if len(curvature.ones):
        D -= D.sum() * curvature.h[0] / max(curvature.h.sum(), 1e-300)
    return Step(D[None], (K @ D)[None], 1)


def factor_system(K, root):
    """Lower Cholesky factor of ``I + root K root``.

    Rounding of large kernel values may leave eigenvalues below zero: the diagonal is then
    raised by ever more of what rounding may do to it.
    """
    system = K * root
    system *= root[:, None]
    diagonal = np.diag_indices_from(system)
    largest = np.abs(system[diagonal]).max(initial=0.0)
    system[diagonal] += 1.0
    damping = 0.0
    for _ in range(_MOST_DAMPINGS):
        factor, failed = lapack.dpotrf(system.T, lower=1, overwrite_a=0, clean=0)
        if not failed:
            return factor
        previous, damping = damping, max(10.0 * damping, len(system) * _EPS * largest)
        system[diagonal] += damping - previous
    raise np.linalg.LinAlgError("the kernel matrix has large negative eigenvalues, or overflows")


def solve_iteratively(multiply, curvature, space, R, RK, *, tol):
    """Step by conjugate gradients in the kernel's norm, deflated.

    Every iterate lowers the quadratic model of the objective. The residual is the
    difference of the linearized dual point and the coefficients: half its square in
    the kernel's norm is what it adds to the duality gap.

    Parameters
    ----------
    multiply : callable
        Product of (n_rows, n_samples) arrays with the kernel matrix.
    curvature : Curvature
    space : CoarseSpace
        Updated to this curvature.
    R, RK : ndarray of shape (n_rows, n_samples)
    tol : float
        Gap that the residual may add.
    """
    D, DK = np.zeros_like(R), np.zeros_like(R)
    _correct(space, R, D, DK)
    residual = R - D - curvature.multiply_projected(DK)
    direction, directionK, before, n_products = None, None, 1.0, 0
    best, least = (np.zeros_like(R), np.zeros_like(R), R, RK), np.inf
    while True:
        residualK = multiply(residual)
        n_products += 1
        rho = float((residual * residualK).sum())
        if abs(rho) < least:
            best, least = (D.copy(), DK.copy(), residual, residualK), abs(rho)
        elif not abs(rho) <= _DIVERGED * least or n_products >= _MAX_CG_STEPS:
            # Rounding has taken over.
            (D, DK, residual, residualK), rho = best, least
            break
        if n_products >= _MAX_CG_STEPS or _is_solved(curvature, RK, D, DK, rho, tol):
            break
        z, zK = residual.copy(), residualK.copy()
        _correct(space, residual + curvature.multiply_projected(residualK), z, zK, -1.0)
        if direction is not None:
            z += (rho / before) * direction
            zK += (rho / before) * directionK
        direction, directionK, before = z, zK, rho
        image = z + curvature.multiply_projected(zK)
        energy = float((zK * image).sum())
        if not energy > 0:
            break  # rounding of large kernel values: the step so far has to do
        step = rho / energy
        D += step * z
        DK += step * zK
        residual = residual - step * image
    raised = float((residualK * curvature.multiply_projected(residualK)).sum()) - rho
    if raised <= _SMALL_PART * float((RK * D).sum()):
        # The linearized probabilities are then a dual point to the last bit.
        D += residual
        DK += residualK
    return Step(D, DK, n_products)


def _correct(space, T, D, DK, factor=1.0):
    """Add the coarse space's solution for residuals `T` to a direction."""
    y = space.solve(T)
    if y.shape[1]:
        space.add_coefficients(y, factor, D)
        DK += factor * space.predict(y)


def _is_solved(curvature, RK, D, DK, rho, tol):
    """Whether more accuracy would be lost on what Newton's step leaves."""
    if rho <= 0.2 * tol:
        return True
    decrease = float((RK * D).sum())
    if rho > _LOOSEST * decrease:
        return False
    F = DK - curvature.shift(curvature.solve_intercept(curvature.multiply(DK)))
    reach = 0.1 * float(np.abs(F).max())
    return rho <= min(max(reach * reach, _TIGHTEST), _LOOSEST) * decrease
