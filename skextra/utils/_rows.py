"""Features, targets and weights in the same blocks of rows, and sums over these blocks.

All estimators that fit data in blocks are written on `Rows`. It maps a function over the
blocks and merges the results in pairs: blocks 0 and 1, 2 and 3, then the first two pairs, and
so on. This order depends on nothing but the number of blocks, so that results are the same for
any number of threads and, as `skextra.dask` merges in the same order, on any cluster.
"""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from numbers import Real
from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from skextra._parallel import single_threaded_blas
from skextra._validation import as_contiguous, validate_sample_weight
from skextra.utils._blocks import Blocks, pick_part


class Block(NamedTuple):
    """Checked rows.

    Attributes
    ----------
    X : ndarray or CSR of shape (n_samples, n_features), float32 or float64
    y : ndarray of shape (n_samples,) or (n_samples, n_targets), or None
    weight : ndarray of shape (n_samples,) and float64, or None
    names : tuple of str, or None
        Names of the features.
    """

    X: object
    y: object
    weight: object
    names: object


class Description(NamedTuple):
    """What has to be the same in all blocks, and the number of rows.

    Attributes
    ----------
    n_rows, n_features : int
    dtype : dtype
        float32 if all blocks are, else float64.
    names : tuple of str, or None
    n_targets : int or None
        None for targets of one dimension, and where there are none.
    n_weighted : int
        Rows of positive weight.
    """

    n_rows: int
    n_features: int
    dtype: np.dtype
    names: object
    n_targets: object
    n_weighted: int

    def __add__(self, other):
        """Description of the rows of both; refuses what does not go together."""
        for name, text in (("n_features", "features"), ("n_targets", "targets")):
            mine, others = getattr(self, name), getattr(other, name)
            if mine != others:
                raise ValueError(f"blocks differ in their number of {text}: {mine} and {others}")
        if self.names != other.names:
            raise ValueError(f"blocks differ in their columns: {self.names} and {other.names}")
        return Description(
            self.n_rows + other.n_rows,
            self.n_features,
            np.result_type(self.dtype, other.dtype),
            self.names,
            self.n_targets,
            self.n_weighted + other.n_weighted,
        )


def describe(block):
    """Description of one block."""
    n_targets = None if block.y is None or block.y.ndim == 1 else block.y.shape[1]
    n, p = block.X.shape
    n_weighted = n if block.weight is None else int(np.count_nonzero(block.weight))
    return Description(n, p, block.X.dtype, block.names, n_targets, n_weighted)


def merge(first, second):
    """Sum of two results; tuples entry by entry, and None where there is nothing."""
    if first is None or second is None:
        return second if first is None else first
    if type(first) is tuple:
        return tuple(merge(a, b) for a, b in zip(first, second, strict=True))
    return first + second


class PairwiseSum:
    """Merges results that come in order as a tree of pairs would."""

    def __init__(self):
        self._stack = []

    def add(self, value):
        """Take in the next result."""
        level = 0
        while self._stack and self._stack[-1][0] == level:
            value = merge(self._stack.pop()[1], value)
            level += 1
        self._stack.append((level, value))

    def get(self):
        """Sum of all results so far."""
        total = None
        for _, value in reversed(self._stack):
            total = merge(value, total)
        return total


class Rows:
    """Rows of local blocks.

    Parameters
    ----------
    X : Blocks
    y : Blocks or array-like or None
    sample_weight : Blocks or array-like or float or None
    read_target : callable or None
        Checks the targets of a block.
    """

    def __init__(self, X, y, sample_weight, read_target):
        self.X, self.read_target = X, read_target
        self.weight = None
        if isinstance(sample_weight, Real):
            self.weight, sample_weight = sample_weight, None
        parts = {"y": y, "sample_weight": sample_weight}
        self.parts = {name: self._align(part, name) for name, part in parts.items()}

    def _align(self, part, name):
        if part is None or isinstance(part, Blocks):
            if part is not None and len(part) != len(self.X):
                raise ValueError(
                    f"X and {name} must have as many blocks each, got {len(self.X)} and {len(part)}"
                )
            return part
        part = part if hasattr(part, "shape") else np.asarray(part)
        counts = self.count_rows()
        if len(part.shape) == 0 or part.shape[0] != counts.sum():
            raise ValueError(
                f"X and {name} must have as many rows each, got {counts.sum()} rows of X and "
                f"{name} of shape {tuple(part.shape)}"
            )
        stops = np.cumsum(counts)
        rows = part.iloc if hasattr(part, "iloc") else part
        return Blocks([rows[stop - n : stop] for stop, n in zip(stops, counts)])

    def count_rows(self):
        """Rows of every block."""
        if self.X._row_counts is None:
            self.X._row_counts = [len_rows(block) for block in self.X]
        return np.array(self.X._row_counts)

    def reduce(self, function, arguments=None):
        """Sum of what a function gives for each block that has rows.

        Parameters
        ----------
        function : callable
            Takes a :class:`Block` and an entry of `arguments` where there are any. Must be
            picklable.
        arguments : sequence of tuple, or None
            More arguments, one tuple for each block.

        Returns
        -------
        total : object
            Merged in the order of the blocks, see :func:`merge`; None without any rows.
        """
        arguments = [()] * len(self.X) if arguments is None else arguments
        total = PairwiseSum()
        with single_threaded_blas():
            tasks = ((i, function, arguments[i]) for i in range(len(self.X)))
            for result in _map_in_order(self._call, tasks, self.X.n_jobs):
                total.add(result)
        return total.get()

    def _call(self, index, function, arguments):
        given = self._load(index)
        return call_on_block(function, arguments, self.read_target, index, self.X._columns, *given)

    def _load(self, index):
        """X, y and weights of a block as they were given; from one source they are read once."""
        loaded = {}
        result = []
        for part in (self.X, *self.parts.values()):
            if part is None:
                result.append(None)
                continue
            source = part._sources[index]
            if id(source) not in loaded:
                loaded[id(source)] = source()
            whole = loaded[id(source)]
            result.append(whole if part._pick is None else pick_part(whole, *part._pick))
        if self.weight is not None:
            result[2] = self.weight
        return result


def _map_in_order(function, tasks, n_threads):
    """Results of tasks in their order, with no more than a task per thread under way."""
    if n_threads == 1:
        for task in tasks:
            yield function(*task)
        return
    with ThreadPoolExecutor(n_threads) as executor:
        pending = deque()
        for task in tasks:
            pending.append(executor.submit(function, *task))
            if len(pending) > n_threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def len_rows(block):
    """Rows of a block of any kind."""
    return block.shape[0] if hasattr(block, "shape") else len(block)


def call_on_block(function, arguments, read_target, index, names, X, y, weight):
    """Check one block and apply a function to it; None if it is empty.

    Raises
    ------
    ValueError, TypeError
        With the number of the block in the message.
    """
    try:
        if len_rows(X) == 0 and (y is None or len_rows(y) == 0):
            return None
        return function(read_block(X, y, weight, read_target, names), *arguments)
    except (ValueError, TypeError) as error:
        raise type(error)(f"block {index}: {error}") from error


def read_block(X, y, weight, read_target, names=None):
    """Check the rows of one block."""
    columns = getattr(X, "columns", None)
    if names is None and columns is not None and all(isinstance(c, str) for c in columns):
        names = tuple(columns)
    X = check_array(X, accept_sparse="csr", dtype=[np.float64, np.float32], input_name="X")
    # One layout, so that sums have the same bits however the block came here.
    X = as_contiguous(X) if sparse.issparse(X) else np.require(X, requirements=["C", "A"])
    if y is not None:
        y = np.require(read_target(y), requirements=["C", "A"])
        if len(y) != X.shape[0]:
            raise ValueError(f"X has {X.shape[0]} rows and y has {len(y)}")
    if weight is not None:
        # A block may have weights of zero only.
        if not isinstance(weight, Real) and not np.any(np.asarray(weight)):
            weight = np.asarray(weight, dtype=np.float64)
            if weight.shape != (X.shape[0],):
                raise ValueError(
                    f"sample_weight must have shape ({X.shape[0]},), got {weight.shape}"
                )
        else:
            weight = validate_sample_weight(weight, X)
        if weight is not None:
            weight = np.require(weight, requirements=["C", "A"])
    return Block(X, y, weight, names)


def read_numbers(y):
    """Targets of a regression as float64, of one or two dimensions."""
    if sparse.issparse(y):
        raise TypeError("y must be dense, got a sparse matrix; use y.toarray()")
    return check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")


def summarize(rows, function, arguments=None):
    """Description of all rows, and the sum of what a function gives for each block.

    Raises
    ------
    ValueError
        If there are no rows, none of positive weight, or blocks do not go together.
    """
    arguments = [()] * len(rows.X) if arguments is None else arguments
    total = rows.reduce(partial(_describe_and_call, function), arguments)
    if total is None:
        raise ValueError("Found array with 0 sample(s): X has no rows in any block")
    description, result = total
    if description.n_weighted == 0:
        raise ValueError("Sample weights must contain at least one non-zero number: got all zeros")
    return description, result


def _describe_and_call(function, block, *arguments):
    return describe(block), function(block, *arguments)
