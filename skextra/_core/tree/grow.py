"""Growing trees: from codes, targets and weights to nodes."""

from dataclasses import dataclass, replace

import numpy as np

from skextra._core.tree import records, slots
from skextra._core.tree.criteria import ABSOLUTE_ERROR, ENTROPY, SQUARED_ERROR
from skextra._core.tree.encode import KEYS, SPARSE
from skextra._core.tree.gather import enter_gather_dense, enter_gather_sparse
from skextra._core.tree.grow_kernels import grow, number_depth_first
from skextra._core.tree.nodes import build_trees
from skextra._core.tree.partition import enter_partition
from skextra._core.tree.problem import (
    BINARY,
    CLASSES,
    GENERAL,
    SUMS,
    choose_search,
    parse_criterion,
    rank_all,
    scale_extremes,
)
from skextra._core.tree.random_split_keys import enter_draw
from skextra._core.tree.route import route_rows
from skextra._core.tree.search_binary import BITS, ROW, enter_search_binary
from skextra._core.tree.search_classes import enter_search_classes
from skextra._core.tree.search_general import enter_search_general
from skextra._core.tree.search_random import enter_search_random
from skextra._core.tree.search_sums import enter_search_sums
from skextra._core.tree.sorted_block import BLOCK_ROWS, MOST_CODES
from skextra._core.tree.statistics import enter_describe, enter_describe_general

_NO_LIMIT = 2**31 - 1
_FIRST_STACK = 256
# Orders of all features are kept up to date where a node looks at one in so many, or more.
_MOST_ORDERS = 2


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
    min_weight_fraction_leaf : float
        A share of the tree's own weight.
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
    min_weight_fraction_leaf: float = 0.0
    max_leaf_nodes: int | None = None
    min_impurity_decrease: float = 0.0
    monotonic_cst: np.ndarray | None = None


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
        self.codes, self.settings = codes, settings
        self.criterion = parse_criterion(settings.criterion)
        values, self.exponent = scale_extremes(target.values)
        self.target = replace(target, values=values)
        # Memory that joblib maps is read-only, for which the kernels would compile anew.
        table = (codes.values, codes.offsets, codes.missing)
        self.table = tuple(np.require(array, requirements="W") for array in table)
        self.log_table = np.zeros(1)
        self.slots = np.zeros(slots.N_SLOTS, np.int64)
        self.floats = np.zeros(slots.N_FLOATS)
        self.features = np.empty((2, codes.n_features), np.int32)
        self.kept = {}  # arrays whose addresses stand in the table, by slot
        constraints = settings.monotonic_cst
        self.directions = np.empty(0, np.int8)
        if constraints is not None:
            self.directions = np.ascontiguousarray(constraints, np.int8)
        self._fill_slots()

    def _fill_slots(self):
        codes, target, settings, t = self.codes, self.target, self.settings, self.slots
        t[slots.CRITERION], t[slots.STRIDE] = self.criterion, target.stride
        t[slots.N_OUTPUTS], t[slots.DATA_KIND] = target.n_outputs, codes.kind
        t[slots.N_SAMPLES], t[slots.N_FEATURES] = codes.n_samples, codes.n_features
        t[slots.IS_RANDOM], t[slots.MAX_FEATURES] = (
            settings.splitter == "random",
            settings.max_features,
        )
        t[slots.MIN_SPLIT], t[slots.MIN_LEAF] = (
            settings.min_samples_split,
            settings.min_samples_leaf,
        )
        t[slots.MAX_DEPTH] = min(settings.max_depth or _NO_LIMIT, _NO_LIMIT)
        t[slots.MAX_LEAVES] = settings.max_leaf_nodes or 0
        self.floats[slots.MIN_DECREASE] = np.ldexp(
            settings.min_impurity_decrease, -self._get_impurity_exponent()
        )
        is_sparse = codes.kind == SPARSE
        self._keep(slots.CODES, codes.codes)
        self._keep(slots.CODES_BY_ROW, codes.codes_by_row)
        self._keep(slots.INDPTR, codes.indptr)
        self._keep(slots.INDICES, codes.indices)
        self._keep(slots.ZERO, codes.zero)
        self._keep(slots.ALL_VALUES, codes.values)
        self._keep(slots.N_CLASSES, target.n_classes)
        self._keep(slots.TARGETS, target.values)
        self._keep(slots.RANKS, rank_all(target, self.criterion))
        self._keep(slots.FLOATS, self.floats)
        self._keep(slots.RECORD, np.zeros(records.SIZE))
        self._keep(slots.MARKS, np.zeros(records.SIZE, np.int64))
        self._keep(slots.TOTALS, np.zeros(target.n_outputs * target.stride))
        self._keep(slots.RANDOM, np.zeros(1, np.int64))
        self._keep(slots.WHERE, np.empty(codes.n_samples if is_sparse else 1, np.int32))
        t[slots.GATHER] = (enter_gather_sparse if is_sparse else enter_gather_dense).address
        t[slots.PARTITION] = enter_partition.address

    def _keep(self, slot, array):
        """Let an array's address stand in the table, and the array live."""
        self.kept[slot] = array
        self.slots[slot] = array.ctypes.data

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
        if weights is None:
            weights = np.ones(self.codes.n_samples)
        weights, exponent = scale_extremes(weights)
        rows = np.flatnonzero(weights).astype(np.int32)
        if len(rows) == 0:
            raise ValueError("sample_weight must have an entry that is not 0")
        counted = weights[rows]
        kind = choose_search(self.target, self.criterion, counted)
        self._allocate(len(rows))
        self._keep(slots.WEIGHTS, np.ascontiguousarray(weights, dtype=np.float64))
        self._load_rows(kind, rows, counted)
        self._load_entries(kind)
        self.slots[slots.ROUTES] = leaf_of_row is not None
        total = float(weights.sum())
        self.floats[slots.MIN_WEIGHT] = self.settings.min_weight_fraction_leaf * total
        arrays, depth = self._grow(len(rows), total, seed)
        self._restore_units(arrays, exponent)
        if leaf_of_row is not None:
            route_rows(self.codes, arrays, leaf_of_row)
        return build_trees(
            arrays, depth, self.criterion, self.target.n_classes, self.codes.n_features,
            keeps_nodes=self.settings.monotonic_cst is not None,
        )  # fmt: skip

    def _get_impurity_exponent(self):
        return 2 * self.exponent if self.criterion == SQUARED_ERROR else self.exponent

    def _restore_units(self, arrays, weight_exponent):
        """Undo `scale_extremes` of weights and targets in the arrays of a tree."""
        for array, exponent in (
            (arrays[6], weight_exponent),
            (arrays[7], self._get_impurity_exponent()),
            (arrays[8], self.exponent),
        ):
            if exponent != 0:
                np.ldexp(array, exponent, out=array)

    def _grow(self, n_rows, total, seed):
        arrays = self._allocate_tree(n_rows)
        is_best_first = self.settings.max_leaf_nodes is not None
        n_frontier = len(arrays[0]) if is_best_first else 1
        lefts = np.empty(n_frontier, np.int32)
        frontier = np.empty((n_frontier, 8), np.int64), np.empty((n_frontier, 4))
        small = (
            *(self.kept[k] for k in (slots.RECORD, slots.MARKS, slots.TOTALS)),
            np.zeros((2, 3)),
        )
        random = self.kept[slots.RANDOM]
        n_nodes, n_stack = -1, _FIRST_STACK
        while n_nodes < 0:
            # The order of a node's rows is of no consequence, so that a second attempt,
            # with a larger stack, starts from where the first one left them.
            random[0] = seed
            self.slots[slots.BLOCK_START] = self.slots[slots.BLOCK_END] = 0
            self.features[0] = np.arange(self.codes.n_features)
            n_nodes, depth = grow(
                self.slots, self.slots.ctypes.data, self.floats, total, self.table,
                self.features[0], self.features[1], self.directions, random, arrays, lefts,
                np.empty((n_stack, 8), np.int64), np.empty((n_stack, 4)), *frontier,
                np.empty(n_frontier, np.int64), small,
            )  # fmt: skip
            n_stack *= 16
        arrays = tuple(array[:n_nodes] for array in arrays)
        return (_renumber(arrays, lefts, n_nodes) if is_best_first else arrays), depth

    def _allocate(self, n):
        """Scratch for as many rows; kept between trees."""
        if n <= self.slots[slots.CAPACITY]:
            return
        stride, width = self.target.stride, self.target.stride * self.target.n_outputs
        is_absolute = self.criterion == ABSOLUTE_ERROR
        self.slots[slots.CAPACITY] = n
        for slot, size, itemsize in (
            (slots.PAYLOAD, n, 8), (slots.ROW_WEIGHTS, n, 8), (slots.ROW_TARGETS, n, 8),
            (slots.SPARE, 2 * n + n // 2 + 1, 8), (slots.CODE, n, 4), (slots.KEYS, 2 * n, 8),
            (slots.HISTOGRAM, 4 * n + 16 * (stride + 1), 8), (slots.BUCKETS, 2 * n, 8),
            (slots.BUCKET_SUMS, 2 * n, 8), (slots.STACK, 128, 8), (slots.LOCAL, n + 64, 4),
            (slots.ORDERED, n + 64, 4), (slots.FENWICK, 2 * n + 2 if is_absolute else 1, 8),
            (slots.ERRORS, 2 * n, 8), (slots.MEDIANS, 2 * n, 8), (slots.COUNTS, 3 * 2048, 8),
            (slots.ORDER, n, 4), (slots.ARRANGED, n, 4), (slots.SUMS, width, 8),
            (slots.LEFT, stride, 8), (slots.RIGHT, stride, 8), (slots.PARTS, 4, 8),
        ):  # fmt: skip
            # Untouched pages of memory cost nothing: most problems use few of these.
            self._keep(slot, np.zeros(size, np.int64 if itemsize == 8 else np.int32))

    def _load_rows(self, kind, rows, weights):
        """Rows, their places, and payloads in the same order."""
        t, n = self.slots, len(rows)
        t[slots.KIND], t[slots.N_ROWS] = kind, n
        self._keep(slots.ROWS, rows)
        if self.codes.kind == SPARSE:
            self.kept[slots.WHERE][:] = -1
            self.kept[slots.WHERE][rows] = np.arange(n, dtype=np.int32)
        if kind == GENERAL:
            return
        values = self.target.values[0][rows]
        if kind == BINARY:
            integers = weights.astype(np.int64)
            self.kept[slots.PAYLOAD][:n] = (
                ROW + (integers << BITS) + integers * values.astype(np.int64)
            )
            self._keep(slots.LOGS, self._get_log_table(kind, weights))
            t[slots.N_LOGS] = len(self.log_table)
            return
        self.kept[slots.ROW_WEIGHTS].view(np.float64)[:n] = weights
        if kind == CLASSES:
            self.kept[slots.PAYLOAD][:n] = values
        else:
            self.kept[slots.ROW_TARGETS].view(np.float64)[:n] = values

    def _load_entries(self, kind):
        """Addresses of the entries this problem needs, which are compiled now if need be."""
        t = self.slots
        t[slots.DESCRIBE] = (enter_describe_general if kind == GENERAL else enter_describe).address
        if self.settings.splitter == "random":
            is_by_key = self.codes.kind == KEYS
            t[slots.SEARCH_RANDOM] = (enter_draw if is_by_key else enter_search_random).address
            return
        t[slots.BLOCK_SIZE] = BLOCK_ROWS if self._has_blocks(kind) else 0
        if t[slots.BLOCK_SIZE] and slots.BLOCK_CODES not in self.kept:
            self._allocate_block()
        if kind != GENERAL:
            t[slots.SEARCH] = _SEARCHES[kind].address
        if kind == GENERAL or self.codes.has_missing or len(self.directions):
            t[slots.SEARCH_GENERAL] = enter_search_general.address

    def _has_blocks(self, kind):
        """Whether small subtrees are grown from rows sorted once."""
        codes, settings = self.codes, self.settings
        return not (
            kind == GENERAL
            or codes.has_missing
            or codes.kind == SPARSE
            or codes.n_samples >= MOST_CODES
            or len(self.directions)
            # The best node first: no subtree is finished before another begins.
            or settings.max_leaf_nodes is not None
            or codes.n_features > _MOST_ORDERS * settings.max_features
        )

    def _allocate_block(self):
        size = BLOCK_ROWS * self.codes.n_features
        self._keep(slots.BLOCK_CODES, np.empty(size, np.int32))
        self._keep(slots.BLOCK_ORDERS, np.empty(size, np.uint8))
        for slot in (slots.BLOCK_PLACES, slots.BLOCK_SIDES):
            self._keep(slot, np.empty(BLOCK_ROWS, np.uint8))
        for slot in (slots.BLOCK_PAYLOAD, slots.BLOCK_WEIGHTS, slots.BLOCK_TARGETS):
            self._keep(slot, np.empty(BLOCK_ROWS))

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


_SEARCHES = {BINARY: enter_search_binary, SUMS: enter_search_sums, CLASSES: enter_search_classes}
_TREE_TYPES = (
    np.int32, np.float32, np.int32, np.uint8, np.int32, np.int32, np.float64, np.float64,
)  # fmt: skip


def _renumber(arrays, lefts, n_nodes):
    """Arrays of a tree that was not grown depth first, as if it had been."""
    order, stack = np.empty(n_nodes, np.int64), np.empty(n_nodes + 1, np.int64)
    number_depth_first(lefts, arrays[4], n_nodes, order, stack)
    numbers = np.empty(n_nodes, np.int32)
    numbers[order] = np.arange(n_nodes, dtype=np.int32)
    arrays = tuple(array[order] for array in arrays)
    inner = arrays[4] >= 0
    arrays[4][inner] = numbers[arrays[4][inner]]
    return arrays


def grow_tree(codes, target, weights, settings, seed, leaf_of_row=None):
    """Grow one tree; see `Grower.grow`."""
    return Grower(codes, target, settings).grow(weights, seed, leaf_of_row)
