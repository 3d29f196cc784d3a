"""Features that make log-densities linear, and responsibilities from these.

With z the row in a frame where the data have mean zero and unit scale, the
log-density of a Gaussian is linear in features of z,

    full        (z_i z_j for i <= j, z, 1)
    tied        (z, 1), as the quadratic part is the same for all components
    diag        (z_i^2, z, 1)
    spherical   (sum of z_i^2, z, 1)

so that the densities of all components at a block of rows are one matrix
product, and so are the moments that the M-step wants: responsibilities times
the same features. The symmetry of z z' is used up, which halves the work of
going by triangular factors.

Matrix products are left to NumPy, here and in all of EM: compiled ones call the
same BLAS, and take seconds to compile.
"""

from skextra._core.numerics.vector_math import exponentiate
from skextra._core.runtime.jit import njit

FULL, TIED, DIAG, SPHERICAL = 0, 1, 2, 3
KINDS = {"full": FULL, "tied": TIED, "diag": DIAG, "spherical": SPHERICAL}

_FLAGS = {"contract", "reassoc", "nsz"}


def count_features(kind, d):
    """Number of features of a row of `d` values."""
    return {FULL: d * (d + 1) // 2, TIED: 0, DIAG: d, SPHERICAL: 1}[kind] + d + 1


def choose_block_size(kind, d, n_components):
    """Rows a block: they stay in the second-level cache, unless that makes products small."""
    width = count_features(kind, d) + n_components + 3 * d
    size = max(65536 // width, min(256, 786432 // width))
    return int(min(504, max(64, size // 8 * 8)))


@njit(error_model="numpy")
def fill_products(z, features):
    """Write the products of the rows of `z` (d, b), each pair once, one row per pair."""
    d, b = z.shape
    q = 0
    for i in range(d):
        first = z[i]
        for j in range(i, d):
            second, row = z[j], features[q]
            for t in range(b):
                row[t] = first[t] * second[t]
            q += 1


@njit(error_model="numpy", fastmath=_FLAGS)
def normalize(log_densities, weights, top, total, scratch):
    """Turn log-densities into responsibilities times weights, in place.

    Parameters
    ----------
    log_densities : ndarray of shape (n_components, b)
    weights : ndarray of shape (b,)
    top, total : ndarray of shape (b,)
        Overwritten: the largest log-density of each row, and the sum of the
        densities relative to that.
    scratch : ndarray of shape (b,)
    """
    n_components, b = log_densities.shape
    # Array to array by loops: numba's own assignment takes seconds to compile.
    for t in range(b):
        top[t] = log_densities[0, t]
        total[t] = 0.0
    for k in range(1, n_components):
        row = log_densities[k]
        for t in range(b):
            top[t] = row[t] if row[t] > top[t] else top[t]
    for k in range(n_components):
        row = log_densities[k]
        for t in range(b):
            row[t] -= top[t]
        exponentiate(row, scratch)
        for t in range(b):
            total[t] += row[t]
    for t in range(b):
        scratch[t] = weights[t] / total[t]
    for k in range(n_components):
        row = log_densities[k]
        for t in range(b):
            row[t] *= scratch[t]
