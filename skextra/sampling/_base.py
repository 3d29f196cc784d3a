"""What the Gumbel samplers share: rows of weights, the key of each row's noise, threads."""

from numbers import Integral

import numpy as np
from joblib import effective_n_jobs
from scipy import sparse
from sklearn.base import TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from skextra import _core
from skextra._base import BaseEstimator
from skextra._compat import StrOptions, align_sparse_interface, fit_context
from skextra._validation import as_writeable
from skextra.sampling._inputs import (
    INPUTS,
    check_rows,
    draw_seed,
    is_log,
    map_rows,
)

# The parameters that mean the same for every sampler.
COMMON_CONSTRAINTS = {
    "input": [StrOptions(set(INPUTS))],
    "noise": [StrOptions({"row-keyed", "iid"})],
    "salt": [Integral, str, None],
    "random_state": ["random_state", np.random.Generator],
    "n_jobs": [Integral, None],
}

# Bits of a weight that do not go into the key: it keeps nine significant digits.
_N_DROPPED = 20


class GumbelSampler(TransformerMixin, BaseEstimator):
    """Fit and noise of a sampler; a subclass draws."""

    # -inf is the logit of what is never drawn.
    _allow_minus_infinity = True

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the data and settle the seed.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to draw from later; nothing is learned from them.
        y : None
            Ignored.

        Returns
        -------
        self : object
            Fitted sampler.

        Raises
        ------
        ValueError
            If a row cannot be drawn from, or a parameter has a wrong value.
        """
        effective_n_jobs(self.n_jobs)  # refuses zero
        if not isinstance(self.random_state, Integral | np.random.Generator):
            check_random_state(self.random_state)
        X = self._validate(X, reset=True)
        self._find_salt()
        self._split_salt(X)
        self.seed_ = draw_seed(self.random_state)
        # A list, so that drawing advances it without setting an attribute.
        self._n_rows_drawn = [0]
        return self

    @property
    def n_rows_drawn_(self):
        """Rows drawn since :meth:`fit`, with ``noise='iid'`` only.

        Returns
        -------
        n_rows_drawn : int
        """
        if self.noise != "iid" or not hasattr(self, "_n_rows_drawn"):
            raise AttributeError(f"{type(self).__name__} counts rows with noise='iid', once fitted")
        return self._n_rows_drawn[0]

    def _validate(self, X, reset):
        return validate_data(
            self, X, dtype=[np.float64, np.float32], order="C", ensure_all_finite=False, reset=reset
        )

    def _find_salt(self):
        """Column of the salt, or None."""
        if self.salt is None:
            return None
        if isinstance(self.salt, str):
            names = list(getattr(self, "feature_names_in_", ()))
            if self.salt not in names:
                raise ValueError(f"salt={self.salt!r} is not among the feature names {names}")
            return names.index(self.salt)
        if not -self.n_features_in_ <= self.salt < self.n_features_in_:
            raise ValueError(
                f"salt={self.salt} is not among the {self.n_features_in_} feature columns"
            )
        return int(self.salt) % self.n_features_in_

    def _split_salt(self, X):
        """Checked rows of weights, without the salt."""
        salt = self._find_salt()
        values = X
        if salt is not None:
            if not np.isfinite(X[:, salt]).all():
                raise ValueError("Input X contains NaN or infinity in the salt column")
            values = np.ascontiguousarray(np.delete(X, salt, axis=1))
        if values.shape[1] == 0:
            raise ValueError("X has no feature column besides the salt")
        check_rows(values, self.input, self._count_needed(values.shape[1]))
        return values

    def _count_needed(self, n_categories):
        return 1

    def _prepare(self, X):
        """Weights of each row, whether they are logarithms, and the key of its noise."""
        check_is_fitted(self)
        X = as_writeable(self._validate(X, reset=False))
        values = self._split_salt(X)
        if self.noise == "iid":
            first = self._n_rows_drawn[0]
            self._n_rows_drawn[0] += len(X)
            rows = np.arange(first, first + len(X), dtype=np.uint64)
        else:
            rows = np.empty(len(X), dtype=np.uint64)
            map_rows(_write_row_keys, values, rows, n_jobs=self.n_jobs)
            salt = self._find_salt()
            if salt is not None:
                column = np.ascontiguousarray(X[:, [salt]])
                rows ^= _core.numerics.counter_rng.compute_row_keys(column, 0)
            _core.numerics.counter_rng.tell_repeats_apart(rows)
        return values, is_log(self.input), rows

    def _get_category_names(self, input_features):
        names = _check_names(self, input_features)
        salt = self._find_salt()
        return names if salt is None else np.delete(names, salt)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.non_deterministic = self.noise == "iid"
        tags.input_tags.positive_only = self.input in ("probabilities", "weights")
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _write_row_keys(values, rows):
    rows[:] = _core.numerics.counter_rng.compute_row_keys(values, _N_DROPPED)


def _check_names(estimator, input_features):
    """Names of the features that went in, as every one-to-one transformer has them."""
    check_is_fitted(estimator)
    fitted = getattr(estimator, "feature_names_in_", None)
    if input_features is None:
        if fitted is not None:
            return fitted
        return np.array([f"x{j}" for j in range(estimator.n_features_in_)], dtype=object)
    names = np.asarray(input_features, dtype=object)
    if fitted is not None and not np.array_equal(fitted, names):
        raise ValueError("input_features is not equal to feature_names_in_")
    if len(names) != estimator.n_features_in_:
        raise ValueError(
            "input_features should have length equal to number of features "
            f"({estimator.n_features_in_}), got {len(names)}"
        )
    return names


def make_indicator(columns, n_categories, dtype, as_sparse):
    """Rows of zeros with ones at the columns drawn.

    Parameters
    ----------
    columns : ndarray of shape (n_rows, n_drawn)
    n_categories : int
    dtype : dtype
    as_sparse : bool

    Returns
    -------
    indicator : ndarray or CSR of shape (n_rows, n_categories)
    """
    n_rows, n_drawn = columns.shape
    if as_sparse:
        indices = np.sort(columns, axis=1).ravel()
        starts = np.arange(0, n_rows * n_drawn + 1, n_drawn)
        ones = np.ones(indices.size, dtype=dtype)
        indicator = sparse.csr_array((ones, indices, starts), shape=(n_rows, n_categories))
        return align_sparse_interface(indicator)
    indicator = np.zeros((n_rows, n_categories), dtype=dtype)
    np.put_along_axis(indicator, columns, 1, axis=1)
    return indicator
