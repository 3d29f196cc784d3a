"""Partitions of Dask collections as blocks of rows, and sums over them in a fixed order."""

from functools import partial

import numpy as np

from skextra._parallel import single_threaded_blas
from skextra.utils._blocks import Blocks
from skextra.utils._rows import Rows, call_on_block, len_rows, merge


def is_collection(data):
    """Whether data are a Dask array or data frame."""
    try:
        from dask.base import is_dask_collection
    except ImportError:
        return False
    return is_dask_collection(data)


def is_frame(collection):
    """Whether a Dask collection has partitions of data frames or series."""
    return hasattr(collection, "map_partitions")


class Partitions(Blocks):
    """A Dask collection of features in the place of :class:`skextra.utils.Blocks`.

    Parameters
    ----------
    collection : Dask array or data frame of shape (n_samples, n_features)
    """

    def __init__(self, collection):
        if getattr(collection, "ndim", None) != 2:
            raise ValueError(
                "X must have two dimensions, got "
                f"{getattr(collection, 'ndim', 'a ' + type(collection).__name__)}"
            )
        self.collection = collection
        if not is_frame(collection):
            # A partition has all features of its rows.
            self.collection = collection.rechunk({1: -1})
        self._columns = None
        self._row_counts = _get_known_counts(self.collection)
        self._parts = list_partitions(self.collection)

    def __len__(self):
        return len(self._parts)

    def __getitem__(self, index):
        return self._parts[index].compute()

    def __iter__(self):
        return (part.compute() for part in self._parts)

    def _make_rows(self, y, sample_weight, read_target):
        return PartitionRows(self, y, sample_weight, read_target)


def list_partitions(collection):
    """Every partition of rows, as a delayed object."""
    return list(np.ravel(collection.to_delayed()))


def _get_known_counts(collection):
    if is_frame(collection) or np.isnan(collection.chunks[0]).any():
        return None
    return list(collection.chunks[0])


class PartitionRows(Rows):
    """Rows of partitions, summed where they are.

    Parameters
    ----------
    X : Partitions
    y, sample_weight : Dask collection or array-like or None
        Of as many rows as X; a number is a weight of all rows.
    read_target : callable
    """

    def _align(self, part, name):
        if part is None:
            return None
        if not is_collection(part):
            aligned = super()._align(part, name)
            return [_delay(aligned[i]) for i in range(len(aligned))]
        counts = self.X._row_counts
        if not is_frame(part):
            part = part.rechunk({1: -1}) if part.ndim == 2 else part
            known = _get_known_counts(part)
            if counts is not None and known is not None:
                if sum(counts) != sum(known):
                    raise ValueError(
                        f"X and {name} must have as many rows each, got {sum(counts)} and "
                        f"{sum(known)}"
                    )
                part = part.rechunk({0: tuple(counts)})
        partitions = list_partitions(part)
        if len(partitions) != len(self.X):
            raise ValueError(
                f"X and {name} must have as many partitions each, got {len(self.X)} and "
                f"{len(partitions)}"
            )
        return partitions

    def count_rows(self):
        """Rows of every partition."""
        import dask

        if self.X._row_counts is None:
            counts = [dask.delayed(len_rows)(part) for part in self.X._parts]
            self.X._row_counts = list(dask.compute(*counts))
        return np.array(self.X._row_counts)

    def reduce(self, function, arguments=None):
        """As :meth:`Rows.reduce`, on the scheduler that Dask uses now."""
        import dask

        arguments = [()] * len(self.X) if arguments is None else arguments
        # One task of its own: what a function holds is sent once, not with every partition.
        shared = _delay(partial(_call_with_one_blas_thread, function, self.read_target))
        values = [
            _call(shared, arguments[i], i, self.X._parts[i], *self._get_targets(i))
            for i in range(len(self.X))
        ]
        while len(values) > 1:
            pairs = [_merge(*values[i : i + 2]) for i in range(0, len(values) - 1, 2)]
            values = pairs + values[len(values) - len(values) % 2 :]
        return dask.compute(values[0])[0]

    def _get_targets(self, index):
        y, weight = self.parts["y"], self.parts["sample_weight"]
        return (
            None if y is None else y[index],
            self.weight if weight is None else weight[index],
        )


def _delay(value):
    import dask

    return dask.delayed(value, traverse=False)


def _call(shared, arguments, index, X, y, weight):
    import dask

    return dask.delayed(_apply, traverse=False)(shared, arguments, index, X, y, weight)


def _merge(first, second):
    import dask

    return dask.delayed(merge)(first, second)


def _apply(call, arguments, index, X, y, weight):
    return call(arguments, index, X, y, weight)


def _call_with_one_blas_thread(function, read_target, arguments, index, X, y, weight):
    with single_threaded_blas():
        return call_on_block(function, arguments, read_target, index, None, X, y, weight)
