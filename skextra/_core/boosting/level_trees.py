"""Shallow trees for boosting, grown level by level on columns encoded once.

The splits are those of an exhaustive search (scikit-learn's, for Gini's criterion
and the squared error and otherwise its defaults); what they cost is one pass over
the bytes of the codes a level.
"""

from dataclasses import dataclass, fields

import numpy as np

from skextra._core.boosting.level_growing import (
    describe,
    place_rows,
    search_classes,
    search_values,
    split_nodes,
)
from skextra._core.boosting.split_search import make_scratch
from skextra._core.runtime.jit import njit
from skextra._core.tree.problem import scale_extremes

#: Deepest tree that is grown by level: the histograms of the last one fit the cache.
MAX_DEPTH = 6


@dataclass
class Trees:
    """Trees one after the other, each depth first: a node's left child follows it.

    Attributes
    ----------
    begins : ndarray of shape (n_trees + 1,) and int64
        Where each tree's nodes begin; node numbers count from there.
    left, right, feature : ndarray of shape (n_nodes,) and int32
        Children, -1 in a leaf, and the feature split, -2 in a leaf.
    threshold : ndarray of shape (n_nodes,) and float64
        Values up to it go left; -2 in a leaf.
    missing_left : ndarray of bool of shape (n_nodes,)
    impurity, weight : ndarray of shape (n_nodes,) and float64
        Impurities are in units of ``2 ** impurity_exponent``: those of values beyond 1e154
        have no float64.
    count : ndarray of shape (n_nodes,) and int64
        Rows of positive weight.
    value : ndarray of shape (n_nodes, n_classes or 1) and float64
        Share of each class, or the mean.
    impurity_exponent : int
    """

    begins: np.ndarray
    left: np.ndarray
    right: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    missing_left: np.ndarray
    impurity: np.ndarray
    weight: np.ndarray
    count: np.ndarray
    value: np.ndarray
    impurity_exponent: int = 0

    def __len__(self):
        return len(self.begins) - 1

    def __getitem__(self, index):
        """Tree number `index`, as trees of one."""
        part = slice(self.begins[index], self.begins[index + 1])
        arrays = {name: getattr(self, name)[part] for name in _NODE_ARRAYS}
        begins = self.begins[index : index + 2] - self.begins[index]
        return Trees(begins=begins, impurity_exponent=self.impurity_exponent, **arrays)

    def compute_depths(self):
        """Depth of each tree, an int64 array of shape (n_trees,)."""
        return _compute_depths(self.begins, self.left, self.right)

    def compute_importances(self, n_features):
        """Share of the fall in impurity that each tree owes to each feature.

        Returns
        -------
        importances : ndarray of shape (n_trees, n_features)
            Each row sums to 1, or is 0 in a tree without splits.
        """
        totals = np.zeros((len(self), n_features))
        _add_importances(
            self.begins, self.left, self.right, self.feature, self.impurity, self.weight, totals
        )
        sums = totals.sum(axis=1, keepdims=True)
        return np.divide(totals, sums, out=totals, where=sums > 0)


_NODE_ARRAYS = tuple(
    field.name for field in fields(Trees) if field.name not in ("begins", "impurity_exponent")
)


class Grower:
    """Grows one tree per round on the same rows and target, without allocating anew.

    Parameters
    ----------
    columns : Columns
    y : ndarray of shape (n_samples,)
        Codes of the classes as int32, or values as float64.
    n_classes : int
        0 for a target of values.
    max_depth : int
        Between 1 and `MAX_DEPTH`.
    """

    def __init__(self, columns, y, n_classes, max_depth):
        self.columns = columns
        self.n_classes = n_classes
        self.max_depth = max_depth
        n, n_slots = columns.n_samples, 2 ** (max_depth - 1)
        codes = y if n_classes else np.zeros(1, dtype=np.int32)
        values, self._exponent = scale_extremes(np.zeros(1) if n_classes else y)
        self._target = (codes, values, n_classes)
        self._scratch = make_scratch(n_slots, 3 if n_classes == 0 else n_classes)
        # Of each row: node, slot, offsets and signed value; and the rows that are in a slot.
        self.nodes = np.zeros(n, dtype=np.uint8)
        self._slots = np.empty(n, dtype=np.uint8)
        self._offsets = np.empty((2, n), dtype=np.uint32)
        self._signed = np.empty(n if n_classes in (0, 2) else 1)
        self._rows = np.empty(n, dtype=np.int32)
        # Of each slot: reach, weight and value; gain, choice and ends of its split.
        self._reach, self._totals = np.empty(n_slots), np.empty(n_slots)
        self._shares = np.empty((n_slots, max(1, n_classes)))
        size = 2 ** (max_depth + 1) - 1
        self._slot_of_node = np.empty(size, dtype=np.int64)
        self._links = np.empty((3, size), dtype=np.int32)
        self._numbers = np.empty((3, size))
        self._counts = np.empty((2, size), dtype=np.int64)
        self.value = np.empty((size, max(1, n_classes)))

    def grow(self, weights):
        """Grow a tree; `nodes` then holds the node each row ends in, `value` what is there.

        Parameters
        ----------
        weights : ndarray of shape (n_samples,) and float64
            Rows of weight 0 take no part, but end in a node, too.

        Returns
        -------
        n_nodes : int
            In the order they were made.
        """
        c, nodes = self.columns, self.nodes
        held = (self._links, self._numbers, self._counts, self.value)
        nodes[:] = 0
        describe(nodes, weights, *self._target, 0, 1, *held)
        first, n_nodes = 0, 1
        for _ in range(self.max_depth):
            n_slots, n_rows = place_rows(
                nodes, weights, *self._target, first, n_nodes, *held[1:], self._slot_of_node,
                self._slots, self._offsets, self._signed, self._rows, self._reach, self._totals,
                self._shares,
            )  # fmt: skip
            if n_slots == 0:
                break
            choice, ends = self._search(weights, n_slots, n_rows)
            stop = n_nodes
            n_nodes = split_nodes(
                c.values, c.order, c.edges, c.n_missing, weights, nodes, self._slots, first, stop,
                self._slot_of_node, choice, ends, *held[:3],
            )  # fmt: skip
            describe(nodes, weights, *self._target, stop, n_nodes, *held)
            first = stop
        if self._exponent != 0:
            value = self.value[:n_nodes]
            np.ldexp(value, self._exponent, out=value)
        self.n_nodes = n_nodes
        return n_nodes

    def _search(self, weights, n_slots, n_rows):
        """Choice and ends of the best split of each slot."""
        c = self.columns
        columns = (c.values, c.codes, c.order, c.edges, c.is_mixed, c.n_buckets)
        rows, totals, shares = self._rows[:n_rows], self._totals[:n_slots], self._shares[:n_slots]
        weigh, choice = np.full(n_slots, -1.0), np.full((n_slots, 4), -1)
        ends = np.zeros((n_slots, 2), dtype=np.float32)
        found = (weigh, choice, ends)
        if self.n_classes > 2:
            search_classes(
                *columns, self._target[0], weights, self._slots, self._offsets, rows,
                *self._scratch, totals, shares, *found,
            )  # fmt: skip
        else:
            search_values(
                *columns, self.n_classes == 2, weights, self._slots, self._offsets, self._signed,
                rows, *self._scratch, self._reach[:n_slots], totals, shares, *found,
            )  # fmt: skip
        return choice, ends

    @property
    def impurity_exponent(self):
        """Impurities are in units of 2 to this power."""
        return 2 * int(self._exponent)

    def copy(self):
        """Arrays of the last tree grown, its nodes in the order they were made."""
        n = self.n_nodes
        return (
            self._links[:, :n].copy(), self._numbers[:, :n].copy(), self._counts[:, :n].copy(),
            self.value[:n].copy(),
        )  # fmt: skip


def arrange(copies, impurity_exponent=0):
    """Put trees that `Grower.copy` returned one after the other, each depth first.

    Parameters
    ----------
    copies : list of tuple
    impurity_exponent : int
        Of the grower.

    Returns
    -------
    trees : Trees
    """
    begins = np.concatenate([[0], np.cumsum([len(copy[3]) for copy in copies])])
    links, numbers, counts = (np.concatenate(parts, axis=1) for parts in list(zip(*copies))[:3])
    order = np.empty(begins[-1], dtype=np.int64)
    _arrange(begins, links, order)
    return Trees(
        begins=begins,
        left=links[0],
        right=links[1],
        feature=links[2, order],
        threshold=numbers[0, order],
        missing_left=counts[1, order].astype(bool),
        impurity=numbers[1, order],
        weight=numbers[2, order],
        count=counts[0, order],
        value=np.concatenate([copy[3] for copy in copies])[order],
        impurity_exponent=impurity_exponent,
    )


@njit
def _arrange(begins, links, order):
    """Nodes of each tree in the order of a walk that goes left first; renumbers the children."""
    size = 0
    for tree in range(begins.size - 1):
        size = max(size, begins[tree + 1] - begins[tree])
    places, stack = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    left, right = np.empty(size, dtype=np.int32), np.empty(size, dtype=np.int32)
    for tree in range(begins.size - 1):
        begin, n_nodes = begins[tree], begins[tree + 1] - begins[tree]
        for node in range(n_nodes):
            left[node], right[node] = links[0, begin + node], links[1, begin + node]
        stack[0], height, place = 0, 1, 0
        while height > 0:
            height -= 1
            node = stack[height]
            order[begin + place], places[node] = begin + node, place
            place += 1
            if left[node] >= 0:
                stack[height], stack[height + 1] = right[node], left[node]
                height += 2
        for node in range(n_nodes):
            at = begin + places[node]
            links[0, at] = places[left[node]] if left[node] >= 0 else -1
            links[1, at] = places[right[node]] if left[node] >= 0 else -1


@njit
def _compute_depths(begins, left, right):
    depths = np.zeros(begins.size - 1, dtype=np.int64)
    levels = np.zeros(left.size, dtype=np.int64)
    for tree in range(depths.size):
        begin = begins[tree]
        for node in range(begin, begins[tree + 1]):
            depths[tree] = max(depths[tree], levels[node])
            if left[node] >= 0:  # children come after their parent
                levels[begin + left[node]] = levels[node] + 1
                levels[begin + right[node]] = levels[node] + 1
    return depths


@njit(error_model="numpy")
def _add_importances(begins, left, right, feature, impurity, weight, totals):
    for tree in range(totals.shape[0]):
        begin = begins[tree]
        for node in range(begin, begins[tree + 1]):
            if left[node] >= 0:
                a, b = begin + left[node], begin + right[node]
                fall = weight[node] * impurity[node]
                fall -= weight[a] * impurity[a] + weight[b] * impurity[b]
                totals[tree, feature[node]] += fall
