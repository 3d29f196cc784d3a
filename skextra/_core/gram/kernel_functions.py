"""Kernel values, block by block: dense points by GEMM, sparse ones by their columns.

A *Gram source* stands for the matrix of kernel values among training points. It is
asked for blocks of rows and columns, in single or double precision, and never holds the
whole: what to keep is up to the solver.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.linalg import blas

from skextra._core.gram import loops

_EPS = np.finfo(np.float64).eps
_NO_SUM = 1e-10  # of coefficients, relative to their sizes: rounding of an intercept's constraint

NAMES = ("linear", "poly", "rbf", "sigmoid", "laplacian")


@dataclass(frozen=True)
class Kernel:
    """A named kernel and its parameters.

    Attributes
    ----------
    name : {'linear', 'poly', 'rbf', 'sigmoid', 'laplacian'}
        ``x.y``, ``(gamma x.y + coef0)^degree``, ``exp(-gamma |x - y|^2)``,
        ``tanh(gamma x.y + coef0)``, ``exp(-gamma |x - y|_1)``.
    gamma : float
    degree : float
    coef0 : float
    """

    name: str
    gamma: float = 1.0
    degree: float = 3
    coef0: float = 0.0

    def __post_init__(self):
        if self.name not in NAMES:
            raise ValueError(f"kernel must be one of {NAMES}, got {self.name!r}")

    @property
    def is_stationary(self):
        """Whether it depends on differences alone: then its diagonal is ones."""
        return self.name in ("rbf", "laplacian")

    @property
    def is_semidefinite(self):
        """Whether theory says that none of its Gram matrices has a negative eigenvalue."""
        if self.name == "poly":
            return self.gamma >= 0 and self.coef0 >= 0 and float(self.degree).is_integer()
        return self.name != "sigmoid"


class Points:
    """Points in the form that products need, in either precision.

    Parameters
    ----------
    X : ndarray or sparse of shape (n_points, n_features)
    shift : ndarray of shape (n_features,) or None
        Subtracted from dense points: distances stay, and rounding errors shrink.
    """

    def __init__(self, X, shift=None):
        self.is_sparse = sparse.issparse(X)
        self.shape = X.shape
        self.original = X
        self._shift = shift
        self._cast = {}

    def cast(self, dtype):
        """Row-major or CSR copy in `dtype`, kept; the original where it is one already."""
        dtype = np.dtype(dtype)
        if dtype not in self._cast:
            self._cast[dtype] = self._make(dtype)
        return self._cast[dtype]

    def _make(self, dtype):
        if not self.is_sparse:
            if self._shift is None:
                return np.ascontiguousarray(self.original, dtype=dtype)
            # The difference in double precision, its result in the type asked for.
            return np.ascontiguousarray(self.original - self._shift, dtype=dtype)
        X = sparse.csr_array(self.original)
        if not X.has_canonical_format:
            X = X.copy()
            X.sum_duplicates()
        return X.astype(dtype, copy=False)

    def get_columns(self, dtype):
        """CSC form of sparse points, kept."""
        key = (np.dtype(dtype), "csc")
        if key not in self._cast:
            self._cast[key] = sparse.csc_array(self.cast(dtype))
        return self._cast[key]

    def compute_squares(self):
        """Squared length of each point, in double precision."""
        if "squares" not in self._cast:
            X = self.cast(np.float64)
            if self.is_sparse:
                squares = np.asarray(X.multiply(X).sum(axis=1)).ravel()
            else:
                squares = np.einsum("ij,ij->i", X, X)
            self._cast["squares"] = squares
        return self._cast["squares"]


class NamedGram:
    """Values of a named kernel.

    Parameters
    ----------
    kernel : Kernel
    X : ndarray or sparse of shape (n_samples, n_features)
        Training points.
    shift : ndarray of shape (n_features,) or None
        See `Points`; None for the mean where it makes no difference.
    is_centered : bool
        Whether coefficients of kernel functions will sum to zero, as an unpenalized intercept
        makes them: the linear kernel is then one of the centered points, up to the intercept.
    """

    def __init__(self, kernel, X, shift=None, is_centered=False):
        self.kernel = kernel
        self.points = X
        self.n_samples = X.shape[0]
        self.is_centered = is_centered
        depends_on_differences = kernel.name == "rbf" or (kernel.name == "linear" and is_centered)
        if shift is None and depends_on_differences and not sparse.issparse(X):
            shift = compute_mean(X)
        self._shift = shift
        self._points = Points(X, shift)

    @property
    def is_semidefinite(self):
        return self.kernel.is_semidefinite

    @property
    def is_shifted(self):
        """Whether its values are those of shifted points up to the intercept alone."""
        return self.kernel.name == "linear" and self._shift is not None

    def compute_block(self, rows=None, columns=None, dtype=np.float64, out=None):
        """Kernel values of some training points against others.

        Parameters
        ----------
        rows, columns : slice, ndarray of int, or None for all
        dtype : float32 or float64
            What products and exponentials are computed in.
        out : ndarray of shape (n_rows, n_columns), C-contiguous, or None
            Filled if given.

        Returns
        -------
        block : ndarray of shape (n_rows, n_columns), C-contiguous
        """
        block = _compute(self.kernel, self._points, self._points, rows, columns, dtype, out)
        if self.kernel.is_stationary:
            _set_coinciding(block, rows, columns, self.n_samples, 1.0)
        return block

    def compute_whole(self):
        """Kernel values of all training points in double precision, exactly symmetric."""
        if self.kernel.name != "rbf" or self._points.is_sparse:
            K = self.compute_block()
        else:
            K = np.empty((self.n_samples, self.n_samples))
            X = self._points.cast(np.float64)
            result = blas.dsyrk(1.0, X.T, trans=1, c=K.T, overwrite_c=1)
            if not np.may_share_memory(result, K):
                K = np.ascontiguousarray(result.T)
            loops.finish_gaussian_below(K, self._points.compute_squares(), self.kernel.gamma)
        loops.mirror(K)
        return K

    def compute_cross(self, X, columns=None, dtype=np.float64):
        """Kernel values of new points against training points, (n_new, n_columns)."""
        if sparse.issparse(X) and not self._points.is_sparse:
            X = X.toarray()  # dense training points may be shifted
        return _compute(
            self.kernel, Points(X, self._shift), self._points, None, columns, dtype, None
        )

    def compute_diagonal(self, dtype=np.float64):
        """Kernel value of each training point with itself."""
        if self.kernel.is_stationary:
            return np.ones(self.n_samples, dtype=dtype)
        diagonal = self._points.compute_squares().copy()
        return _apply_function(self.kernel, diagonal[None])[0].astype(dtype, copy=False)

    def compute_magnitude(self):
        """Size of the numbers whose rounding errors get into the values."""
        if self.kernel.name == "rbf":
            return 1.0 + 2.0 * self.kernel.gamma * self._points.compute_squares().max(initial=0.0)
        return float(np.abs(self.compute_diagonal()).max(initial=0.0))

    def take(self, rows):
        """The source of a subset of the training points."""
        return NamedGram(self.kernel, self.points[rows], self._shift, self.is_centered)

    def restore_intercepts(self, A, b):
        """Intercepts of expansions in kernel functions of the points as they were given.

        Parameters
        ----------
        A : ndarray of shape (n_rows, n_samples)
            Coefficients, whose rows sum to zero.
        b : ndarray of shape (n_rows,)
            Intercepts for kernel values of this source.

        Returns
        -------
        intercepts : ndarray of shape (n_rows,)
        rounding : ndarray of shape (n_rows,)
            Typical error of scores by what rounding makes of the features' coefficients,
            times the mean.
        """
        if not self.is_shifted:
            return b, np.zeros(len(b))
        X = self._points.cast(np.float64)
        rounding = _EPS * np.sqrt((A * A) @ (X * X)) @ np.abs(self._shift)
        return b - (A @ X) @ self._shift, rounding


class PrecomputedGram:
    """Values that are given: a matrix of all of them.

    Parameters
    ----------
    K : ndarray of shape (n_samples, n_samples)
    is_semidefinite : bool
        Whether it is known to have no negative eigenvalue.
    """

    points = None
    is_shifted = False

    def __init__(self, K, is_semidefinite=False):
        self.K = K
        self.is_semidefinite = is_semidefinite
        self.n_samples = K.shape[0]

    def compute_block(self, rows=None, columns=None, dtype=np.float64, out=None):
        """As in `NamedGram`."""
        return _pick(self.K, rows, columns, dtype, out)

    def compute_whole(self):
        """The matrix, perhaps itself."""
        return self.compute_block()

    def restore_intercepts(self, A, b):
        """As in `NamedGram`."""
        return b, np.zeros(len(b))

    def take_ranges(self, first, second):
        """The source of two slices of the training points, one after the other."""
        n, m = first.stop - first.start, second.stop - second.start
        values = np.empty((n + m, n + m))
        values[:n, :n], values[:n, n:] = self.K[first, first], self.K[first, second]
        values[n:, :n], values[n:, n:] = self.K[second, first], self.K[second, second]
        return PrecomputedGram(values, self.is_semidefinite)

    def compute_cross(self, X, columns=None, dtype=np.float64):
        """As in `NamedGram`; `X` holds the values, one column a training point."""
        return _pick(X, None, columns, dtype, None)

    def compute_diagonal(self, dtype=np.float64):
        """As in `NamedGram`."""
        return self.K.diagonal().astype(dtype)

    def compute_magnitude(self):
        """As in `NamedGram`."""
        return float(np.abs(self.K.diagonal()).max(initial=0.0))

    def take(self, rows):
        """As in `NamedGram`."""
        K = self.K
        if K.flags.c_contiguous and K.flags.writeable and K.dtype == np.float64:
            rows = np.arange(len(K))[rows]
            values = np.empty((len(rows), len(rows)))
            loops.gather_into(K, rows, rows, values)
        else:
            values = _pick(K, rows, rows, K.dtype, None)
        return PrecomputedGram(values, self.is_semidefinite)


class CallableGram:
    """Values that a function of two sets of points computes.

    Parameters
    ----------
    function : callable
        ``function(A, B, **params)`` of shape (len(A), len(B)).
    X : ndarray or sparse of shape (n_samples, n_features)
    params : dict or None
    """

    is_semidefinite = is_shifted = False

    def __init__(self, function, X, params=None):
        self.function, self.points, self.params = function, X, dict(params or {})
        self.n_samples = X.shape[0]

    def _call(self, left, right):
        values = np.asarray(self.function(left, right, **self.params))
        expected = (left.shape[0], right.shape[0])
        if values.shape != expected or values.dtype.kind not in "fiub":
            raise ValueError(
                f"kernel={self.function!r} must return real numbers of shape {expected} for "
                f"two sets of so many points, got {values.dtype} of shape {values.shape}"
            )
        if not np.isfinite(values).all():
            raise ValueError(f"kernel={self.function!r} returned NaN or infinity")
        return values

    def compute_block(self, rows=None, columns=None, dtype=np.float64, out=None):
        """As in `NamedGram`."""
        left = self.points if rows is None else self.points[rows]
        right = self.points if columns is None else self.points[columns]
        return _pick(self._call(left, right), None, None, dtype, out)

    def compute_whole(self):
        """All values in double precision."""
        return self.compute_block()

    def compute_cross(self, X, columns=None, dtype=np.float64):
        """As in `NamedGram`."""
        right = self.points if columns is None else self.points[columns]
        return _pick(self._call(X, right), None, None, dtype, None)

    def compute_diagonal(self, dtype=np.float64):
        """As in `NamedGram`."""
        diagonal = np.empty(self.n_samples, dtype=dtype)
        for start in range(0, self.n_samples, 256):
            part = slice(start, start + 256)
            diagonal[part] = self.compute_block(part, part).diagonal()
        return diagonal

    def restore_intercepts(self, A, b):
        """As in `NamedGram`."""
        return b, np.zeros(len(b))

    def take(self, rows):
        """As in `NamedGram`."""
        return CallableGram(self.function, self.points[rows], self.params)


def compute_mean(X):
    """Mean of each column, accurate for columns far from zero."""
    mean = X.mean(axis=0, dtype=np.float64)
    return mean + (X - mean).mean(axis=0)


def compute_linear_coefficients(coefs, points):
    """``coefs @ points``, without cancellation of what the points have in common.

    A sum of coefficients that is zero but for rounding counts as zero: times a mean far from
    zero, its last digit would be anything.
    """
    if len(points) == 0:
        return np.zeros((len(coefs), points.shape[1]))
    mean = compute_mean(points)
    sums, sizes = coefs.sum(axis=1), np.abs(coefs).sum(axis=1)
    sums[np.abs(sums) <= _NO_SUM * sizes] = 0.0
    return coefs @ (points - mean) + np.outer(sums, mean)


def _pick(K, rows, columns, dtype, out):
    block = K if rows is None else K[rows]
    block = block if columns is None else block[:, columns]
    if out is None:
        return np.ascontiguousarray(block, dtype=dtype)
    out[:] = block
    return out


def _set_coinciding(block, rows, columns, n, value):
    """Set the entries of a block where row and column are the same point."""
    everything = np.arange(n)
    rows = everything if rows is None else everything[rows]
    if columns is None or isinstance(columns, slice):
        # Positions of a plain range need no search.
        span = everything if columns is None else everything[columns]
        if len(span) == 0:
            return
        step = 1 if len(span) == 1 else span[1] - span[0]
        positions, rest = np.divmod(rows - span[0], step)
        inside = (rest == 0) & (positions >= 0) & (positions < len(span))
        block[np.flatnonzero(inside), positions[inside]] = value
        return
    columns = everything[columns]
    order = np.argsort(columns, kind="stable")
    first = np.searchsorted(columns[order], rows, side="left")
    last = np.searchsorted(columns[order], rows, side="right")
    for i in np.flatnonzero(last > first):
        block[i, order[first[i] : last[i]]] = value


def _compute(kernel, left, right, rows, columns, dtype, out):
    """Values between two sets of points; `rows` and `columns` pick from them."""
    dtype = np.dtype(dtype)
    A = _pick_points(left.cast(dtype), rows)
    n_columns = right.shape[0] if columns is None else len(np.arange(right.shape[0])[columns])
    if out is None:
        out = np.empty((A.shape[0], n_columns), dtype=dtype)
    if kernel.name == "laplacian":
        _fill_manhattan(A, right, columns, dtype, out)
        loops.finish_exponential(out, kernel.gamma)
        return out
    _fill_products(A, right, columns, dtype, out)
    if kernel.name == "rbf":
        a, b = left.compute_squares(), right.compute_squares()
        a = a if rows is None else a[rows]
        b = b if columns is None else b[columns]
        loops.finish_gaussian(out, a.astype(dtype), b.astype(dtype), kernel.gamma)
        return out
    return _apply_function(kernel, out)


def _pick_points(X, rows):
    return X if rows is None else X[rows]


def _fill_products(A, right, columns, dtype, out):
    if out.size == 0:
        return
    if sparse.issparse(A):
        if not right.is_sparse:
            out[:] = A @ _pick_points(right.cast(dtype), columns).T
            return
        B = _pick_columns(right, columns, dtype)
        loops.multiply_rows(A.data, A.indices, A.indptr, B.data, B.indices, B.indptr, out)
        return
    B = _pick_points(right.cast(dtype), columns)
    if sparse.issparse(B):
        out[:] = (B @ A.T).T
        return
    gemm = blas.dgemm if dtype == np.float64 else blas.sgemm
    target = out.T
    result = gemm(1.0, B.T, A.T, trans_a=1, c=target, overwrite_c=1)
    if not np.may_share_memory(result, out):
        target[:] = result


def _pick_columns(right, columns, dtype):
    if columns is None:
        return right.get_columns(dtype)
    return sparse.csc_array(right.cast(dtype)[columns])


def _fill_manhattan(A, right, columns, dtype, out):
    B = _pick_points(right.cast(dtype), columns)
    if sparse.issparse(A) and sparse.issparse(B):
        loops.fill_sparse_manhattan(
            A.data, A.indices, A.indptr, B.data, B.indices, B.indptr, A.shape[1], out
        )
        return
    A = A.toarray() if sparse.issparse(A) else A
    B = B.toarray() if sparse.issparse(B) else B
    loops.fill_manhattan(np.ascontiguousarray(A), np.ascontiguousarray(B), out)


def _apply_function(kernel, values):
    """Function of scalar products, in place; `values` are lengths or products."""
    if kernel.name == "linear":
        return values
    values *= values.dtype.type(kernel.gamma)
    values += values.dtype.type(kernel.coef0)
    if kernel.name == "sigmoid":
        return np.tanh(values, out=values)
    degree = kernel.degree
    if float(degree).is_integer() and 0 <= degree <= 16:
        loops.raise_to(values, int(degree))
        return values
    return np.power(values, values.dtype.type(degree), out=values)
