"""Growing trees: from codes, targets and weights to nodes."""

from dataclasses import dataclass

import numpy as np

from skextra._core.tree.encode import SPARSE
from skextra._core.tree.grow_best_first import grow_best_first, number_depth_first
from skextra._core.tree.grow_kernels import grow_depth_first
from skextra._core.tree.nodes import Trees, build_trees
from skextra._core.tree.problem import (
    BINARY,
    CLASSES,
    GENERAL,
    SUMS,
    choose_search,
    parse_criterion,
    rank_all,
)
from skextra._core.tree.route import route_rows
from skextra._core.tree.scores import ABSOLUTE_ERROR, ENTROPY, FEATURE_THRESHOLD
from skextra._core.tree.search_binary import BITS, ROW

_NO_LIMIT = 2**31 - 1


@dataclass(frozen=True)
class Settings:
    """When to split, and when to stop.

    Attributes
    ----------
    criterion : str
        As scikit-learn's trees name them.
    splitter : {"best", "random"}
    max_features : int
        Features to draw at each node.
    max_depth, max_leaf_nodes : int or None
    min_samples_split, min_samples_leaf : int
    min_weight_leaf : float
        In units of the weights.
    min_impurity_decrease : float
    monotonic_cst : ndarray of int8 of shape (n_features,) or None
        Signs of the constraints on the node's first value: for classification that is
        the share of the first class.
    """

    criterion: str
    max_features: int
    splitter: str = "best"
    max_depth: int | None = None
    min_samples_split: int = 2
    min_samples_leaf: int = 1
    min_weight_leaf: float = 0.0
    max_leaf_nodes: int | None = None
    min_impurity_decrease: float = 0.0
    monotonic_cst: np.ndarray | None = None

    def as_tuple(self):
        """As kernels take them."""
        constraints = self.monotonic_cst
        return (
            self.splitter == "random",
            int(self.max_features),
            int(self.min_samples_split),
            int(self.min_samples_leaf),
            float(self.min_weight_leaf),
            _NO_LIMIT if self.max_depth is None else int(min(self.max_depth, _NO_LIMIT)),
            0 if self.max_leaf_nodes is None else int(self.max_leaf_nodes),
            float(self.min_impurity_decrease),
            np.empty(0, np.int8) if constraints is None else np.ascontiguousarray(constraints, np.int8),
        )


class Grower:
    """Grows trees on one set of codes and targets, with scratch memory it keeps.

    Parameters
    ----------
    codes : Codes
    target : Target
    settings : Settings

    Notes
    -----
    One thread at a time may use it.
    """

    def __init__(self, codes, target, settings):
        self.codes, self.target, self.settings = codes, target, settings
        self.criterion = parse_criterion(settings.criterion)
        self.data = (
            codes.kind, *codes.as_views(), codes.indptr, codes.indices, codes.zero, codes.n_samples,
        )  # fmt: skip
        self.table = (codes.values, codes.offsets, codes.missing, find_close_values(codes))
        self.ranks = rank_all(target, self.criterion)
        self.log_table = np.zeros(1)
        self.capacity = -1

    def grow(self, weights, seed, leaf_of_row=None):
        """Grow a tree.

        Parameters
        ----------
        weights : ndarray of float64 of shape (n_samples,) or None
            Rows of weight 0 take no part; None for weights of 1.
        seed : int
            In [0, 2^31 - 1).
        leaf_of_row : ndarray of int32 of shape (n_samples,) or None
            Filled with the number of the leaf that each row falls into, whatever its weight.

        Returns
        -------
        tree : Trees
            A single one.
        """
        n_samples = self.codes.n_samples
        if weights is None:
            weights = np.ones(n_samples)
        rows = np.flatnonzero(weights).astype(np.int32)
        counted = weights[rows]
        if len(rows) == 0:
            raise ValueError("sample_weight must have an entry that is not 0")
        kind = choose_search(self.target, self.criterion, counted)
        self._allocate(len(rows))
        state, spare = self._build_state(kind, rows, counted)
        problem = (
            kind, self.criterion, self.target.n_classes, self.target.stride, self.target.values,
            weights, self.ranks, self._get_log_table(kind, counted),
        )  # fmt: skip
        tree = self._grow(problem, state, spare, len(rows), float(weights.sum()), seed)
        if leaf_of_row is not None:
            route_rows(self.data, self.table, tree, leaf_of_row)
        return tree.trees

    def _grow(self, problem, state, spare, n_rows, total, seed):
        settings = self.settings.as_tuple()
        arrays = self._allocate_tree(n_rows)
        work = (*self.work[:1], np.arange(self.codes.n_features, dtype=np.int32), *self.work[1:])
        arguments = (problem, self.data, self.table, state, spare, work, settings, n_rows, total)
        if settings[6] > 0:
            lefts = np.empty(len(arrays[0]), np.int32)
            n_nodes, depth = grow_best_first(*arguments, int(seed), arrays, lefts)
            order = number_depth_first(lefts, arrays[4], n_nodes)
            numbers = np.empty(n_nodes, np.int32)
            numbers[order] = np.arange(n_nodes, dtype=np.int32)
            arrays = tuple(array[:n_nodes][order] for array in arrays)
            inner = arrays[4] >= 0
            arrays[4][inner] = numbers[arrays[4][inner]]
        else:
            n_nodes, depth = grow_depth_first(*arguments, int(seed), arrays)
            arrays = tuple(array[:n_nodes] for array in arrays)
        return GrownTree(build_trees(arrays, depth, self), arrays)

    def _allocate(self, n_rows):
        """Scratch for as many rows; kept between trees."""
        if n_rows <= self.capacity:
            return
        n, stride, n_outputs = n_rows, self.target.stride, self.target.n_outputs
        is_absolute = self.criterion == ABSOLUTE_ERROR
        self.capacity = n
        absolute = (
            np.empty((2, n), np.uint64),
            np.empty(n, np.int32),
            np.empty(n, np.int32),
            np.empty((2, n + 1 if is_absolute else 1)),
            np.zeros((2, n)),
            np.zeros((2, n)),
        )
        sums = np.empty(n_outputs * stride)
        self.work = (
            np.empty(n, np.int32),
            np.empty(self.codes.n_features, np.int32),
            np.empty(n, np.int64),
            np.empty(2 * n + 8, np.int64),
            np.empty(8 * n + 16 * (stride + 1)),
            (np.empty((n + 8, 2), np.int64), np.empty((n + 8, 2)), np.empty((64, 2), np.int64)),
            (absolute, np.empty(n, np.int32), np.empty(n, np.int32), sums),
            (np.empty(stride), np.empty(stride), np.empty(4)),
        )
        self.spare = tuple(np.empty(n, dtype) for dtype in _STATE_TYPES)

    def _build_state(self, kind, rows, weights):
        """Rows, their places, and payloads in the same order."""
        none = [np.empty(0, dtype) for dtype in _STATE_TYPES]
        state = [rows, *none[1:]]
        if self.codes.kind == SPARSE:
            state[1] = np.full(self.codes.n_samples, -1, np.int32)
            state[1][rows] = np.arange(len(rows), dtype=np.int32)
        if kind != GENERAL:
            values = self.target.values[0][rows]
        if kind == BINARY:
            integers = weights.astype(np.int64)
            state[2] = ROW + (integers << BITS) + integers * values.astype(np.int64)
        elif kind == CLASSES:
            state[2], state[3] = values.astype(np.int64), weights
        elif kind == SUMS:
            state[3], state[4] = weights, values
        return tuple(state), self.spare

    def _get_log_table(self, kind, weights):
        if kind == BINARY and self.criterion == ENTROPY:
            n = int(weights.sum()) + 1
            if len(self.log_table) < n:
                whole = np.arange(n, dtype=float)
                self.log_table = whole * np.log(np.maximum(whole, 1.0))
        return self.log_table

    def _allocate_tree(self, n_rows):
        settings = self.settings
        n = 2 * (n_rows // settings.min_samples_leaf) + 1
        if settings.max_depth is not None and settings.max_depth < 30:
            n = min(n, 2 ** (settings.max_depth + 1))
        if settings.max_leaf_nodes is not None:
            n = min(n, 2 * settings.max_leaf_nodes)
        return (
            *(np.empty(n, dtype) for dtype in _TREE_TYPES),
            np.zeros((n, self.target.n_outputs * self.target.stride)),
        )


_STATE_TYPES = (np.int32, np.int32, np.int64, np.float64, np.float64)
_TREE_TYPES = (
    np.int32, np.float32, np.int32, np.uint8, np.int32, np.int32, np.float64, np.float64,
)  # fmt: skip


@dataclass
class GrownTree:
    """A tree as it is kept, and the arrays it was grown into."""

    trees: Trees
    arrays: tuple


def find_close_values(codes):
    """Of each feature, whether some of its values lie within scikit-learn's threshold of a tie."""
    is_close = np.zeros(codes.n_features, np.uint8)
    values, offsets = codes.values, codes.offsets
    if len(values) > 1:
        close = values[1:] <= values[:-1] + FEATURE_THRESHOLD
        close[offsets[1:-1][(offsets[1:-1] > 0) & (offsets[1:-1] < len(values))] - 1] = False
        where = np.flatnonzero(close)
        is_close[np.searchsorted(offsets, where, side="right") - 1] = 1
    return is_close


def grow_tree(codes, target, weights, settings, seed, leaf_of_row=None):
    """Grow one tree; see `Grower.grow`."""
    return Grower(codes, target, settings).grow(weights, seed, leaf_of_row)
