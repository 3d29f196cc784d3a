"""What estimators on Dask collections share."""

from functools import partial

import numpy as np

from skextra.dask._rows import Partitions, is_collection, is_frame


class DaskEstimator:
    """Mixin before an estimator that fits data in blocks."""

    @staticmethod
    def describe(local):
        """Docstring of the class that fits Dask collections as `local` fits arrays."""
        summary = local.__doc__.partition("\n")[0]
        return (
            f"{summary}\n\n"
            f"    :class:`skextra.{local.__module__.split('.')[1]}.{local.__name__}` fitted to "
            "Dask arrays or data frames, with its\n"
            "    parameters and fitted attributes.\n    "
        )

    def fit(self, X, y, sample_weight=None):
        """Fit the model to Dask collections.

        Parameters
        ----------
        X : Dask array or data frame of shape (n_samples, n_features)
            Training data. It is read once in each pass: `persist` it if it fits into the
            memory of the workers.
        y : Dask array, series or data frame, or array-like
            Targets, in as many partitions as `X`, or chunks that are known and can be cut
            to those of `X`.
        sample_weight : Dask array or series, array-like or float, default=None
            Weight of each sample.

        Returns
        -------
        self : object
            Fitted estimator; its fitted attributes are NumPy arrays.

        Raises
        ------
        TypeError
            If `X` is no Dask collection.
        ValueError
            If partitions do not go together, or an argument has a wrong value.
        """
        if not is_collection(X):
            raise TypeError(
                f"X must be a Dask array or data frame, got {type(X).__name__}; for data in "
                f"memory use {self._get_local_class().__module__.rpartition('.')[0]}."
                f"{type(self).__name__}"
            )
        return super().fit(Partitions(X), y, sample_weight)

    @classmethod
    def _get_local_class(cls):
        return next(
            base
            for base in cls.__mro__
            if base.__module__.startswith("skextra.") and not issubclass(base, DaskEstimator)
        )

    def to_local(self):
        """Give the same model as an estimator for data in memory.

        Returns
        -------
        estimator : object
            With the parameters and fitted attributes of this one.
        """
        local = self._get_local_class()(**self.get_params(deep=False))
        local.__dict__.update(self.__dict__)
        return local

    def _map(self, method, X):
        """Apply a method of the local model to each partition of a collection."""
        return map_partitions(partial(_call_method, self.to_local(), method), X)


class DaskRegressor(DaskEstimator):
    """Mixin before a regressor that fits data in blocks."""

    def predict(self, X):
        """Predict targets.

        Parameters
        ----------
        X : Dask array or data frame, or array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        y_pred : Dask array, series or data frame, or ndarray
            Predicted values; of a Dask collection they are computed when they are asked for.
        """
        if not is_collection(X):
            return super().predict(X)
        return self._map("predict", X)

    def score(self, X, y, sample_weight=None):
        """R^2 of the predictions.

        Parameters
        ----------
        X : Dask array or data frame, or array-like of shape (n_samples, n_features)
            Samples.
        y : Dask array, series or data frame, or array-like
            Targets.
        sample_weight : Dask array or series, or array-like, default=None
            Weight of each sample.

        Returns
        -------
        score : Dask array of no dimension, or float
            Of Dask collections it is computed when it is asked for.
        """
        if not is_collection(X):
            return super().score(X, y, sample_weight)
        from dask.array import where

        y, predicted, weights = align_targets(self.predict(X), y, sample_weight)
        mean = (weights * y).sum(axis=0) / weights.sum()
        total = (weights * (y - mean) ** 2).sum(axis=0)
        left = (weights * (y - predicted) ** 2).sum(axis=0)
        # Of a constant target as scikit-learn: 1 if it is met, else 0.
        is_constant = total == 0
        return where(is_constant, 1.0 * (left == 0), 1 - left / where(is_constant, 1, total)).mean()


class DaskClassifier(DaskEstimator):
    """Mixin before a classifier that fits data in blocks."""

    def predict(self, X):
        """Predict the most probable class of each sample.

        Parameters
        ----------
        X : Dask array or data frame, or array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        y_pred : Dask array or series, or ndarray of shape (n_samples,)
            Labels; of a Dask collection they are computed when they are asked for.
        """
        return self._map("predict", X) if is_collection(X) else super().predict(X)

    def decision_function(self, X):
        """Compute the scores of the classes.

        Parameters
        ----------
        X : Dask array or data frame, or array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        scores : Dask array, series or data frame, or ndarray
            As of the local estimator.
        """
        if not is_collection(X):
            return super().decision_function(X)
        return self._map("decision_function", X)

    def predict_proba(self, X):
        """Predict probabilities of the classes.

        Parameters
        ----------
        X : Dask array or data frame, or array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        probabilities : Dask array or data frame, or ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        return self._map("predict_proba", X) if is_collection(X) else super().predict_proba(X)

    def predict_log_proba(self, X):
        """Predict logarithms of probabilities of the classes.

        Parameters
        ----------
        X : Dask array or data frame, or array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        logarithms : Dask array or data frame, or ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        if not is_collection(X):
            return super().predict_log_proba(X)
        return self._map("predict_log_proba", X)

    def score(self, X, y, sample_weight=None):
        """Accuracy of the predictions.

        Parameters
        ----------
        X : Dask array or data frame, or array-like of shape (n_samples, n_features)
            Samples.
        y : Dask array or series, or array-like of shape (n_samples,)
            Labels.
        sample_weight : Dask array or series, or array-like, default=None
            Weight of each sample.

        Returns
        -------
        score : Dask array of no dimension, or float
            Of Dask collections it is computed when it is asked for.
        """
        if not is_collection(X):
            return super().score(X, y, sample_weight)
        y, predicted, weights = align_targets(self.predict(X), y, sample_weight)
        return (weights * (y == predicted)).sum() / weights.sum()


def align_targets(predicted, y, sample_weight):
    """Targets, predictions and weights as Dask arrays of two dimensions and the same chunks."""
    import dask.array as da

    arrays = [_as_dask_array(predicted), _as_dask_array(y)]
    arrays = [a[:, None] if a.ndim == 1 else a for a in arrays]
    if sample_weight is None:
        weights = da.ones_like(arrays[0][:, :1], dtype=np.float64)
    else:
        weights = _as_dask_array(sample_weight)[:, None]
    return arrays[1], arrays[0], weights


def _as_dask_array(data):
    import dask.array as da

    if is_frame(data):
        return data.to_dask_array()
    return data if is_collection(data) else da.asarray(np.asarray(data))


def map_partitions(function, X):
    """Apply a function of arrays or frames to each partition of rows, lazily.

    The result has the form that the function gives for a few rows of the same types.
    """
    if is_frame(X):
        meta = X._meta_nonempty
        return X.map_partitions(
            partial(_call_on_frame, function), meta=_call_on_frame(function, meta)[:0]
        )
    X = X.rechunk({1: -1})
    sample = function(np.ones((1, X.shape[1]), dtype=X.dtype))
    options = {"dtype": sample.dtype, "meta": sample[:0]}
    if sample.ndim == 1:
        options["drop_axis"] = 1
    else:
        options["chunks"] = (X.chunks[0], (sample.shape[1],))
    return X.map_blocks(partial(_call_on_array, function, sample[:0]), **options)


def _call_on_array(function, empty, block):
    return function(block) if len(block) else empty


def _call_on_frame(function, frame):
    import pandas as pd

    if len(frame) == 0:
        filler = pd.DataFrame(np.ones((1, frame.shape[1])), columns=frame.columns)
        result = function(filler.astype(frame.dtypes))[:0]
    else:
        result = function(frame)
    kind = pd.Series if result.ndim == 1 else pd.DataFrame
    return kind(result, index=frame.index)


def _call_method(model, method, X):
    return getattr(model, method)(X)
