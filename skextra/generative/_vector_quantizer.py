"""Rows to codes and back: codebooks by k-means or moving averages, in stages and groups."""

import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from skextra import _core
from skextra._base import BaseEstimator
from skextra._callbacks import report_fit
from skextra._compat import CallbackSupportMixin, Interval, StrOptions, fit_context
from skextra._parallel import map_in_threads


class VectorQuantizer(
    CallbackSupportMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """Rows to the numbers of nearest codes, and back.

    A codebook of `n_codes` vectors is fitted by k-means or by exponential moving averages. With
    several stages each quantizes what the one before has left (residual quantization); with several
    groups the features are divided among as many codebooks (product quantization). A row then takes
    ``n_stages * n_groups * log2(n_codes)`` bits.

    Parameters
    ----------
    n_codes : int, default=256
        Codes of each codebook. Where there are fewer different rows, some stay unused.
    method : {'kmeans', 'ema'}, default='kmeans'
        Lloyd's iteration on all rows, or exponential moving averages over batches, as in VQ-VAE.
    n_stages : int, default=1
        Number of residual stages.
    n_groups : int, default=1
        Number of groups of neighboring features, of equal size up to one.
    max_iter : int, default=100
        Passes over the rows at most; with ``method='ema'`` exactly.
    tol : float, default=1e-4
        Stop when the codes move by less, squared and summed, than `tol` times the mean variance of
        the features. For ``method='kmeans'``.
    decay : float, default=0.99
        Share that an average keeps from one batch to the next. For ``method='ema'``.
    batch_size : int, default=1024
        Rows in a batch. For ``method='ema'``.
    restart : bool, default=True
        Whether codes that no row uses are put at the rows farthest from their codes, or with
        ``method='ema'`` at rows of the batch.
    n_jobs : int, default=None
        Number of threads. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seed of the start, by greedy k-means++, and of the batches.

    Attributes
    ----------
    codebooks_ : list of list of ndarray
        For each stage, for each group, the codes, of shape (n_codes, number of features in the
        group). Those of the first stage include the mean of the rows.
    usage_ : ndarray of shape (n_stages * n_groups, n_codes)
        Shares of the training rows that use each code.
    perplexity_ : ndarray of shape (n_stages * n_groups,)
        Exponential of the entropy of `usage_`: the number of codes that are used, if they were
        used alike.
    distortion_ : ndarray of shape (n_stages,)
        Mean squared distance of the training rows to what the stages up to each restore.
    n_iter_ : int
        Largest number of passes of a codebook.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during `fit`, where all are strings.

    See Also
    --------
    sklearn.cluster.KMeans : Clusters, by the same objective.

    References
    ----------
    Jégou, Douze & Schmid, "Product quantization for nearest neighbor search", IEEE TPAMI 33 (2011).

    van den Oord, Vinyals & Kavukcuoglu, "Neural discrete representation learning", NeurIPS 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skextra.generative import VectorQuantizer
    >>> X = np.random.default_rng(0).normal(size=(500, 4))
    >>> quantizer = VectorQuantizer(16, n_stages=2, random_state=0).fit(X)
    >>> codes = quantizer.transform(X)
    >>> codes.shape
    (500, 2)
    >>> error = ((quantizer.inverse_transform(codes) - X) ** 2).sum(axis=1).mean()
    >>> bool(np.isclose(error, quantizer.distortion_[-1]))
    True
    """

    _parameter_constraints: dict = {
        "n_codes": [Interval(Integral, 1, None, closed="left")],
        "method": [StrOptions({"kmeans", "ema"})],
        "n_stages": [Interval(Integral, 1, None, closed="left")],
        "n_groups": [Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0.0, None, closed="left")],
        "decay": [Interval(Real, 0.0, 1.0, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "restart": ["boolean"],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_codes=256,
        *,
        method="kmeans",
        n_stages=1,
        n_groups=1,
        max_iter=100,
        tol=1e-4,
        decay=0.99,
        batch_size=1024,
        restart=True,
        n_jobs=None,
        random_state=None,
    ):
        self.n_codes = n_codes
        self.method = method
        self.n_stages = n_stages
        self.n_groups = n_groups
        self.max_iter = max_iter
        self.tol = tol
        self.decay = decay
        self.batch_size = batch_size
        self.restart = restart
        self.n_jobs = n_jobs
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Fit the codebooks.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        y : None
            Ignored.

        Returns
        -------
        self : object
            Fitted quantizer.

        Raises
        ------
        ValueError
            If there are more groups than features.
        """
        given = X, y
        X = validate_data(self, X, dtype=[np.float64, np.float32], order="C")
        if self.n_groups > X.shape[1]:
            raise ValueError(
                f"n_groups={self.n_groups} must be at most the number of features, {X.shape[1]}"
            )
        random = np.random.default_rng(check_random_state(self.random_state).randint(2**31 - 1))
        exponent = int(np.frexp(np.abs(X).max())[1])
        residual = np.ldexp(X, -exponent)
        mean = residual.mean(axis=0, dtype=np.float64).astype(X.dtype)
        residual -= mean
        groups = np.array_split(np.arange(X.shape[1]), self.n_groups)
        scaled, usage, distortions, n_iter = [], [], [], 0
        with (
            report_fit(self, *given, max_subtasks=None) as report,
            report.count("stage") as advance,
        ):
            for _ in range(self.n_stages):
                stage, squares = [], np.zeros(len(X))
                for columns in groups:
                    part = np.ascontiguousarray(residual[:, columns])
                    book = self._fit_codebook(part, random)
                    squares += _core.generative.quantize.measure(
                        part, book.codes, book.labels, self._map
                    )
                    residual[:, columns] -= book.codes[book.labels]
                    counts = np.bincount(book.labels, minlength=self.n_codes)
                    usage.append(counts / len(X))
                    n_iter = max(n_iter, book.n_iter)
                    stage.append(book.codes)
                scaled.append(stage)
                distortions.append(squares.mean())
                attributes = self._list_attributes(
                    scaled, exponent, mean, groups, usage, distortions, n_iter
                )
                if advance is not None:
                    advance(attributes.copy)
            vars(self).update(attributes)
        return self

    def _fit_codebook(self, part, random):
        quantize = _core.generative.quantize
        n_codes = min(self.n_codes, len(part))
        seeds = quantize.choose_seeds(part, n_codes, random)
        if self.method == "ema":
            book = quantize.fit_moving_averages(
                part, seeds, self.max_iter, self.batch_size, self.decay, self.restart, random,
                self._map,
            )  # fmt: skip
        else:
            book = quantize.fit_kmeans(
                part, seeds, self.max_iter, self.tol, self.restart, self._map
            )
        if not book.is_converged:
            warnings.warn(
                f"VectorQuantizer did not converge in max_iter={self.max_iter} passes; increase "
                "max_iter or tol",
                ConvergenceWarning,
                stacklevel=4,
            )
        return book

    def _list_attributes(self, scaled, exponent, mean, groups, usage, distortions, n_iter):
        """Fitted attributes by name, in the units of the data."""
        books = [[np.ldexp(codes, exponent) for codes in stage] for stage in scaled]
        center = np.ldexp(mean, exponent)
        for codes, columns in zip(books[0], groups, strict=True):
            codes += center[columns]
        usage = np.array(usage)
        entropies = -np.sum(usage * np.log(np.where(usage > 0, usage, 1.0)), axis=1)
        with np.errstate(over="ignore"):
            distortion = np.ldexp(np.array(distortions), 2 * exponent)
        return {
            "codebooks_": books,
            "usage_": usage,
            "perplexity_": np.exp(entropies),
            "distortion_": distortion,
            "n_iter_": n_iter,
            "_scaled": [list(stage) for stage in scaled],
            "_exponent": exponent,
            "_mean": mean,
            "_n_features_out": self.n_stages * self.n_groups,
        }

    def _map(self, function, tasks):
        return map_in_threads(function, tasks, self.n_jobs)

    def transform(self, X):
        """Numbers of the nearest codes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        codes : ndarray of int32 of shape (n_samples, n_stages * n_groups)
            Those of the first stage's groups come first.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], order="C", reset=False)
        X = X.astype(self._mean.dtype, copy=False)
        with np.errstate(over="ignore"):
            residual = np.ldexp(X, -self._exponent) - self._mean
        groups = np.array_split(np.arange(X.shape[1]), len(self._scaled[0]))
        labels = []
        for stage in self._scaled:
            for columns, codes in zip(groups, stage, strict=True):
                part = np.ascontiguousarray(residual[:, columns])
                labels.append(_core.generative.quantize.assign(part, codes, self._map))
                residual[:, columns] -= codes[labels[-1]]
        return np.column_stack(labels)

    def inverse_transform(self, X):
        """Rows that codes stand for.

        Parameters
        ----------
        X : array-like of int of shape (n_samples, n_stages * n_groups)
            Codes, as `transform` returns them.

        Returns
        -------
        X_original : ndarray of shape (n_samples, n_features)
            Sums over the stages of the vectors that the codes stand for.

        Raises
        ------
        ValueError
            If the codes have another shape, or are none of the codebooks'.
        """
        check_is_fitted(self)
        codes = check_codes(X, self._n_features_out, [len(b) for s in self.codebooks_ for b in s])
        n_groups = len(self.codebooks_[0])
        out = 0.0
        for number, stage in enumerate(self.codebooks_):
            columns = codes[:, number * n_groups : (number + 1) * n_groups].T
            parts = [book[labels] for book, labels in zip(stage, columns, strict=True)]
            out = out + np.hstack(parts)
        return out

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags


def check_codes(codes, n_columns, n_codes):
    """Codes as integers within their codebooks.

    Parameters
    ----------
    codes : array-like of int of shape (n_samples, n_columns)
    n_columns : int
    n_codes : sequence of int
        Number of codes of each column.

    Returns
    -------
    codes : ndarray of int64

    Raises
    ------
    ValueError
        If the shape is another, or an entry is not a code.
    """
    given = np.asarray(codes)
    if given.ndim != 2 or given.shape[1] != n_columns:
        raise ValueError(f"codes must have shape (n_samples, {n_columns}), got shape {given.shape}")
    if given.dtype.kind not in "iuf":
        raise ValueError(f"codes must be integers, got dtype {given.dtype}")
    limits = np.asarray(n_codes)
    with np.errstate(invalid="ignore"):
        is_wrong = ~((given >= 0) & (given < limits) & (given == np.floor(given)))
    if is_wrong.any():
        i, j = np.argwhere(is_wrong)[0]
        raise ValueError(
            f"codes in column {j} must be integers from 0 to {limits[j] - 1}, got {given[i, j]}"
        )
    return given.astype(np.int64)
