"""Growing trees: from codes, targets and weights to nodes."""

from dataclasses import dataclass, replace

import numpy as np

from skextra._core.tree.criterion_table import (
    BINARY,
    CLASSES,
    CRITERIA,
    ENTROPY,
    GENERAL,
    SUMS,
)
from skextra._core.tree.encode import DENSE_8, DENSE_16, KEYS, SPARSE
from skextra._core.tree.gather import gather_dense, gather_sparse
from skextra._core.tree.grow_kernels import N_BOUNDS, N_COLUMNS, grow, number_depth_first
from skextra._core.tree.nodes import build_trees
from skextra._core.tree.partition import partition
from skextra._core.tree.problem import choose_search, rank_all, scale_extremes
from skextra._core.tree.route import route_rows
from skextra._core.tree.search_binary import BITS, ROW, search_binary, search_binary_block
from skextra._core.tree.search_classes import search_classes, search_classes_block
from skextra._core.tree.search_general import search_general
from skextra._core.tree.search_random import search_random
from skextra._core.tree.search_random_keys import search_random_keys
from skextra._core.tree.search_sums import search_sums, search_sums_block
from skextra._core.tree.sorted_block import BLOCK_ROWS, MOST_CODES, divide_block, enter_block
from skextra._core.tree.state import State
from skextra._core.tree.statistics import describe, describe_general

_NO_LIMIT = 2**31 - 1
_FIRST_STACK = 256
_SEARCHES = {BINARY: search_binary, SUMS: search_sums, CLASSES: search_classes}
_BLOCK_SEARCHES = {
    BINARY: search_binary_block, SUMS: search_sums_block, CLASSES: search_classes_block,
}  # fmt: skip
# Orders of all features are kept up to date where a node looks at one in so many, or more.
_MOST_ORDERS = 2
# Arrays of `state.Nodes` in the order in which `nodes.build_trees` takes them.
_NODE_ARRAYS = (
    "features", "thresholds", "cuts", "missing_left", "rights", "n_rows", "weights", "impurities",
    "values",
)  # fmt: skip


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
    """Grows trees on one set of codes and targets, with memory it keeps from tree to tree.

    Parameters
    ----------
    codes : Codes
    target : Target
    settings : Settings

    Attributes
    ----------
    state : State
        What the kernels share, and owns all memory that they use.

    Notes
    -----
    One thread at a time may use it.
    """

    def __init__(self, codes, target, settings):
        self.codes, self.settings = codes, settings
        self.criterion = CRITERIA[settings.criterion]
        values, self._exponent = scale_extremes(target.values)
        self.target = replace(target, values=values)
        self._stride, self._width = target.stride, target.stride * target.n_outputs
        self.state = State()
        self._n_rows = self._n_nodes = -1  # the largest tree there is memory for
        self._set_problem()
        self._set_codes()
        self._allocate_small()

    def _set_problem(self):
        problem, target, settings = self.state.problem, self.target, self.settings
        constraints = settings.monotonic_cst
        problem.criterion, problem.stride = self.criterion.number, self._stride
        problem.is_classification = target.is_classification
        problem.is_random = settings.splitter == "random"
        problem.max_features = settings.max_features
        problem.min_samples_split = settings.min_samples_split
        problem.min_samples_leaf = settings.min_samples_leaf
        problem.max_depth = min(settings.max_depth or _NO_LIMIT, _NO_LIMIT)
        problem.max_leaf_nodes = settings.max_leaf_nodes or 0
        problem.min_impurity_decrease = np.ldexp(
            settings.min_impurity_decrease, -self._get_impurity_exponent()
        )
        problem.n_classes = target.n_classes
        problem.targets = target.values
        problem.target_ranks = rank_all(target, self.criterion)
        if constraints is not None:
            problem.directions = np.ascontiguousarray(constraints, np.int8)

    def _set_codes(self):
        codes, own = self.codes, self.state.codes
        width = {DENSE_8: 8, DENSE_16: 16}.get(codes.kind, 32)
        setattr(own, f"codes_{width}", codes.codes)
        setattr(own, f"by_row_{width}", codes.codes_by_row)
        for name in (
            "kind", "n_samples", "n_features", "indptr", "indices", "zero", "values", "offsets",
            "missing",
        ):  # fmt: skip
            setattr(own, name, getattr(codes, name))

    def _allocate_small(self):
        """Memory whose size does not depend on the number of rows."""
        state, n_features = self.state, self.codes.n_features
        stride, width = self._stride, self._width
        state.node.allocate(totals=width)
        state.sampler.allocate(features=n_features, constants=n_features)
        state.scratch.allocate(
            sums=width, left=stride, right=stride, parts=4, stack=(64, 2), counts=(3, 2048),
            sides=(2, 3),
        )  # fmt: skip

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
        rows = np.flatnonzero(weights)
        if len(rows) == 0:
            raise ValueError("sample_weight must contain at least one non-zero value")
        counted = weights[rows]
        search = choose_search(self.target, self.criterion, counted)
        if len(rows) > self._n_rows:
            self._allocate(len(rows))
        problem = self.state.problem
        problem.sample_weights = np.ascontiguousarray(weights, dtype=np.float64)
        problem.total_weight, problem.keeps_routes = weights.sum(), leaf_of_row is not None
        problem.min_weight_leaf = self.settings.min_weight_fraction_leaf * problem.total_weight
        self._load_rows(search, rows, counted)
        self._load_steps(search)
        arrays, depth = self._grow(len(rows), seed)
        self._restore_units(*arrays[6:], exponent)
        if leaf_of_row is not None:
            route_rows(self.codes, arrays, leaf_of_row)
        return build_trees(
            arrays, depth, self.criterion.number, self.target.n_classes, self.codes.n_features,
            keeps_nodes=self.settings.monotonic_cst is not None,
        )  # fmt: skip

    def _get_impurity_exponent(self):
        return self.criterion.degree * self._exponent

    def _restore_units(self, weights, impurities, values, weight_exponent):
        """Undo `scale_extremes` of weights and targets in the arrays of a tree."""
        for array, exponent in (
            (weights, weight_exponent),
            (impurities, self._get_impurity_exponent()),
            (values, self._exponent),
        ):
            if exponent != 0:
                np.ldexp(array, exponent, out=array)

    def _grow(self, n_rows, seed):
        self._allocate_nodes(n_rows)
        state, n_stack = self.state, _FIRST_STACK
        n_nodes = -1
        while n_nodes < 0:
            # The order of a node's rows is of no consequence, so that a second attempt,
            # with a larger stack, starts from where the first one left them.
            if len(state.waiting.stack) < n_stack:
                state.waiting.allocate(stack=(n_stack, N_COLUMNS), stack_bounds=(n_stack, N_BOUNDS))
            state.sampler.bits, state.block.start, state.block.end = seed, 0, 0
            state.sampler.features[:] = np.arange(self.codes.n_features)
            n_nodes, depth = grow(state)
            n_stack *= 16
        arrays = tuple(getattr(state.nodes, name)[:n_nodes] for name in _NODE_ARRAYS)
        if self.settings.max_leaf_nodes is not None:
            arrays = _renumber(arrays, state.nodes.lefts, n_nodes)
        return arrays, depth

    def _allocate(self, n):
        """Memory for as many rows.

        Untouched pages of memory cost nothing: most problems use few of these arrays.
        """
        self._n_rows = n
        rows, scratch = self.state.rows, self.state.scratch
        rows.allocate(
            numbers=n, payload=n, weights=n, targets=n,
            places=self.codes.n_samples if self.codes.kind == SPARSE else 0,
        )  # fmt: skip
        scratch.allocate(
            code=n, order=n, arranged=n, local=n, ordered=n, spare_rows=n, spare=n, second_spare=n,
            keys=2 * n, buckets=(n, 2), bucket_sums=(n, 2),
            # Of buckets a quarter of the rows at most, and 16 where there are few rows.
            histogram=4 * n + 16 * (self._stride + 1),
            errors=(2, n), medians=(2, n), fenwick=(2, n + 1),
        )  # fmt: skip
        rows.weight_bits = rows.weights.view(np.int64)
        rows.target_bits = rows.targets.view(np.int64)
        scratch.radix_keys = scratch.keys.view(np.uint64).reshape(2, n)
        scratch.packed_histogram = scratch.histogram.view(np.int64)

    def _allocate_nodes(self, n_rows):
        """Memory for a tree of as many rows."""
        settings, nodes, waiting = self.settings, self.state.nodes, self.state.waiting
        n = 2 * (n_rows // settings.min_samples_leaf) + 1
        if settings.max_depth is not None and settings.max_depth < 30:
            n = min(n, 2 ** (settings.max_depth + 1))
        is_best_first = settings.max_leaf_nodes is not None
        if is_best_first:
            n = min(n, 2 * settings.max_leaf_nodes)
        if n <= self._n_nodes:
            return
        self._n_nodes, n_waiting = n, n if is_best_first else 1
        nodes.allocate(
            features=n, thresholds=n, cuts=n, missing_left=n, rights=n, n_rows=n, weights=n,
            impurities=n, lefts=n_waiting, values=(n, self._width),
        )  # fmt: skip
        waiting.allocate(
            heap=n_waiting, frontier=(n_waiting, N_COLUMNS), frontier_bounds=(n_waiting, N_BOUNDS)
        )

    def _load_rows(self, search, numbers, weights):
        """Rows, and in the same order what the search needs of them."""
        rows, n = self.state.rows, len(numbers)
        self.state.problem.search, rows.n = search, n
        rows.numbers[:n] = numbers
        if self.codes.kind == SPARSE:
            rows.places[:] = -1
            rows.places[numbers] = np.arange(n, dtype=np.int32)
        if search == GENERAL:
            return
        values = self.target.values[0][numbers]
        if search == BINARY:
            integers = weights.astype(np.int64)
            rows.payload[:n] = ROW + (integers << BITS) + integers * values.astype(np.int64)
            if self.criterion.number == ENTROPY:
                self._extend_logs(int(weights.sum()) + 1)
            return
        rows.weights[:n] = weights
        if search == CLASSES:
            rows.payload[:n] = values
        else:
            rows.targets[:n] = values

    def _extend_logs(self, n):
        if len(self.state.problem.logs) < n:
            whole = np.arange(n, dtype=float)
            self.state.problem.logs = whole * np.log(np.maximum(whole, 1.0))

    def _load_steps(self, search):
        """Addresses of the entries this problem needs, which are compiled now if need be."""
        steps, codes = self.state.steps, self.codes
        steps.gather = (gather_sparse if codes.kind == SPARSE else gather_dense).address
        steps.partition = partition.address
        steps.describe = (describe_general if search == GENERAL else describe).address
        if self.settings.splitter == "random":
            is_by_key = codes.kind == KEYS
            steps.search_random = (search_random_keys if is_by_key else search_random).address
            return
        if search != GENERAL:
            steps.search = _SEARCHES[search].address
        is_constrained = self.settings.monotonic_cst is not None
        if search == GENERAL or codes.has_missing or is_constrained:
            steps.search_general = search_general.address
        has_blocks = self._has_blocks(search)
        self.state.block.size = BLOCK_ROWS if has_blocks else 0
        if has_blocks:
            self._allocate_block()
            steps.enter_block, steps.divide_block = enter_block.address, divide_block.address
            steps.search_block = _BLOCK_SEARCHES[search].address

    def _has_blocks(self, search):
        """Whether small subtrees are grown from rows sorted once.

        Benchmarks: a random forest of regression on 20,000 x 20 is 1.7x faster with blocks, a
        regression tree 1.5x; nothing is slower than 0.94x.
        """
        codes, settings = self.codes, self.settings
        return not (
            search == GENERAL
            or codes.has_missing
            or codes.kind == SPARSE
            or codes.n_samples >= MOST_CODES
            or settings.monotonic_cst is not None
            # The best node first: no subtree is finished before another begins.
            or settings.max_leaf_nodes is not None
            or codes.n_features > _MOST_ORDERS * settings.max_features
        )

    def _allocate_block(self):
        block, n = self.state.block, BLOCK_ROWS
        if len(block.places) == 0:
            by_feature = n * self.codes.n_features
            block.allocate(
                codes=by_feature, orders=by_feature, places=n, payload=n, weights=n, targets=n,
                sides=n, spare=n, keys=n, ranks=n,
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
