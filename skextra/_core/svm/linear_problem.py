"""Data of a linear support vector machine, centered for its solvers, and its certificate.

    minimize over w, b   P(w, b) = |w|^2 / 2 + sum_i C_i loss(y_i (x_i w + b))

With an unpenalized intercept, subtracting the means of the columns changes the intercept
alone. Solvers therefore see centered rows, in which features far from zero cost no digits.
Sparse rows stay as they are, unless the dense form takes less memory.
"""

from copy import copy
from functools import cached_property

import numpy as np
from scipy import sparse

from skextra._core.numerics.scaling import round_to_power_of_two
from skextra._core.svm.hinge import (
    balance,
    compute_null_objective,
    compute_squared_dual,
    find_intercept,
    sum_slacks,
)
from skextra._core.svm.result import LinearSVMResult

_BLOCK_VALUES = 1 << 16
_EPS = np.finfo(np.float64).eps
# Bytes of an entry of a CSR matrix (value and index) relative to those of a dense one.
_SPARSE_COST = 1.5
# Values of sparse rows with few features up to which they are made dense: 128 MB.
_FEW_FEATURES, _FEW_VALUES = 100, 1 << 24
# Where a gap is too large: the smaller dimension up to which the dual point is refined (1 s).
_MOST_REFINED = 1000


class CenteredRows:
    """Samples in double precision, without the means of their features if that is harmless.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features) or sparse; float32 or float64
    fit_intercept : bool
        Whether an unpenalized intercept takes up what is subtracted.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features) or CSR
    columns : ndarray of shape (n_samples, n_features + 1 or n_features) or None
        Dense rows, C-ordered, with a constant feature if there is an intercept.
    mean : ndarray of shape (n_features,)
        What was subtracted.
    is_sparse : bool
    """

    def __init__(self, X, fit_intercept):
        n, d = self.shape = X.shape
        self.mean, self.columns = np.zeros(d), None
        self.is_sparse = sparse.issparse(X)
        if self.is_sparse:
            is_small = d <= _FEW_FEATURES and n * d <= _FEW_VALUES
            self.is_sparse = not (is_small or _SPARSE_COST * X.nnz >= n * d)
        if self.is_sparse:
            self.X = _convert_sparse(X)
            return
        X = X.toarray() if sparse.issparse(X) else X
        self.columns = np.empty((n, d + fit_intercept))
        self.columns[:, d:] = 1.0
        self.X = self.columns[:, :d]
        step = max(_BLOCK_VALUES // max(d, 1), 1)
        parts = [slice(start, start + step) for start in range(0, n, step)]
        if fit_intercept and n:
            # Differences from one row are as small as the spread: a large mean costs no digits.
            first, total = X[0].astype(np.float64), np.zeros(d)
            for part in parts:
                total += (X[part] - first).sum(axis=0)
            self.mean = first + total / n
        for part in parts:
            np.subtract(X[part], self.mean, out=self.X[part])

    @cached_property
    def mean_square(self):
        """Mean squared length of a row."""
        n = max(self.shape[0], 1)
        if self.is_sparse:
            return float(self.X.data @ self.X.data) / n
        return float(np.einsum("ij,ij->", self.X, self.X)) / n

    def take(self, rows):
        """Some of the samples; the means that were subtracted stay."""
        part = copy(self)
        part.__dict__.pop("mean_square", None)
        part.shape = len(rows), self.shape[1]
        if self.is_sparse:
            part.X = self.X[rows]
        else:
            part.columns = self.columns[rows]
            part.X = part.columns[:, : self.shape[1]]
        return part

    def predict(self, coef, intercept):
        """Scores of coefficients (n_features,) or (n_classes, n_features), for raw features.

        The intercept is that of features from which nothing was subtracted.
        """
        return np.asarray(self.X @ coef.T, dtype=np.float64) + (intercept + coef @ self.mean)

    def round_intercept(self, coef, intercept, dtype):
        """Intercept for raw features in a precision, and what it then is for `X`."""
        offset = np.sum(self.mean.astype(np.longdouble) * coef, axis=-1)
        returned = (intercept - offset).astype(dtype)
        return returned.astype(np.float64), (returned + offset).astype(np.float64)


def _convert_sparse(X):
    """CSR in double precision, with small indices where they suffice."""
    X = sparse.csr_array(X).astype(np.float64, copy=False)
    if X.indices.dtype != np.int32 and max(X.nnz, *X.shape) < np.iinfo(np.int32).max:
        X = sparse.csr_array(
            (X.data, X.indices.astype(np.int32), X.indptr.astype(np.int32)), shape=X.shape
        )
    return X


class LinearProblem:
    """Training data of two classes.

    Parameters
    ----------
    rows : CenteredRows
    y, C : ndarray of shape (n_samples,)
        -1 and 1, and positive weights of the losses.
    is_squared, fit_intercept : bool
    dtype : float32 or float64
        Precision that coefficients are returned in.

    Attributes
    ----------
    X, columns, is_sparse, shape
        As of the rows.
    scale : float
        Objective of the best constant: what gaps are relative to.
    """

    def __init__(self, rows, y, C, is_squared, fit_intercept, dtype=np.float64):
        self.rows, self.y, self.C, self.dtype = rows, y, C, np.dtype(dtype)
        self.X, self.columns, self.is_sparse = rows.X, rows.columns, rows.is_sparse
        self.is_squared, self.fit_intercept = is_squared, fit_intercept
        self.shape = rows.shape
        self.scale = compute_null_objective(y, C, is_squared, fit_intercept)

    def certify(self, coef, intercept, dual, tol, scores=None, image=None):
        """Result with the duality gap of coefficients as they are returned.

        The gap is a sum of terms none of which is negative, so that nothing cancels:
        ``|w - v|^2 / 2`` with ``v = sum_i a_i y_i x_i``, the slacks of complementarity, and
        what the intercept makes of a sum of ``a_i y_i`` that is not quite zero.

        Parameters
        ----------
        coef : ndarray of shape (n_features,)
        intercept : float
            For the rows in `X`; a better one is looked for.
        dual : ndarray of shape (n_samples,) or None
            A dual point; None for the derivative of the losses (squared hinge).
        tol : float
        scores, image : ndarray or None
            ``X @ coef`` and ``X.T @ (dual * y)``, of a balanced dual point, where known.

        Returns
        -------
        result : LinearSVMResult
            With the intercept for rows that are not centered.
        """
        w = coef.astype(self.dtype).astype(np.float64)
        if scores is None or self.dtype != np.float64:
            scores = np.asarray(self.X @ w, dtype=np.float64)
        if self.fit_intercept:
            intercept = find_intercept(scores, self.y, self.C, self.is_squared, intercept)
        returned, intercept = self.round_intercept(w, intercept)
        margins = self.y * (scores + intercept)
        gap = np.inf
        if dual is not None:
            gap = self._compute_gap(w, intercept, margins, dual, image)
        if self.is_squared and gap > tol * self.scale:
            derived = compute_squared_dual(margins, self.C)
            other = self._compute_gap(w, intercept, margins, derived)
            gap, dual = (other, derived) if other < gap else (gap, dual)
        can_refine = not self.is_sparse and min(self.shape) <= _MOST_REFINED
        if gap > tol * self.scale and dual is not None and can_refine:
            gap, dual = self._refine(w, intercept, margins, dual, gap, tol)
        rounding = 64 * _EPS * (0.5 * float(w @ w) + self.scale)
        converged = bool(gap <= max(tol * self.scale, rounding))
        return LinearSVMResult(w, returned, gap / self.scale, 0, converged, dual)

    def _refine(self, w, intercept, margins, dual, gap, tol):
        """Smaller gap of a dual point whose sum of samples is closer to the coefficients.

        Where units of features are large, the last digits of dual variables decide whether
        ``v = X' (a y)`` is w. Variables next to zero are raised to a trillionth of C, which
        costs nothing; those between their bounds make up for the difference to w, and what
        their rounding leaves is left to the former, whose floating-point numbers lie closest.
        """
        X, C, y = self.columns, self.C, self.y
        upper = np.inf if self.is_squared else C
        is_small = dual <= 1e-6 * C
        is_free = (dual > 0) & (dual < (1.0 - 1e-9) * upper)
        target = np.zeros(X.shape[1])
        target[: len(w)] = w
        other = np.where(is_small, np.maximum(dual, 1e-12 * C), dual)
        residual = target - X.T @ (other * y)
        if residual @ residual < gap:
            return gap, dual  # it is less than half of the gap
        for group in (is_free, is_free & ~is_small, is_small):
            rows = np.flatnonzero(group)
            for _ in range(2 if len(rows) else 0):
                units = 1.0 / np.maximum(np.abs(X[rows]).max(axis=0), 1e-300)
                change = np.linalg.lstsq((X[rows] * units).T, residual * units, rcond=None)[0]
                other[rows] += change * y[rows]
                other = np.minimum(np.maximum(other, 0.0), upper)
                image = X.T @ (other * y)
                residual = target - image
                # Not balanced: a last digit of a large variable would spoil what was gained.
                smaller = self._compute_gap(w, intercept, margins, other, image)
                if smaller < gap:
                    dual, gap = other.copy(), smaller
                if gap <= tol * self.scale:
                    return gap, dual
        return gap, dual

    def _compute_gap(self, w, intercept, margins, dual, image=None):
        y, upper = self.y, np.inf if self.is_squared else self.C
        if image is None:
            dual = np.minimum(np.maximum(dual, 0.0), upper)
            dual = balance(dual, y, self.C, self.is_squared) if self.fit_intercept else dual
            image = np.asarray(self.X.T @ (dual * y), dtype=np.float64)
        image = image[: len(w)]
        gap = 0.5 * float((w - image) @ (w - image))
        gap += sum_slacks(margins, dual, self.C, self.is_squared)
        if self.fit_intercept:
            gap += abs(intercept * float((dual * y).sum()))
        return gap if np.isfinite(gap) else np.inf

    def round_intercept(self, w, intercept):
        """Intercept as it is returned, for raw features, and what it then is for `X`."""
        if not self.fit_intercept:
            return 0.0, 0.0
        returned, inside = self.rows.round_intercept(w, np.float64(intercept), self.dtype)
        return float(returned), float(inside)

    def compute_scales(self):
        """Power of two next to the root mean square of each feature, as `X` has it."""
        if self.is_sparse:
            squares = np.asarray(self.X.multiply(self.X).sum(axis=0)).ravel()
        else:
            squares = np.einsum("ij,ij->j", self.X, self.X)
        return round_to_power_of_two(np.sqrt(squares / self.shape[0]))
