"""The kernels that grow a shallow tree, level by level.

Arrays of nodes, in the order in which they are made:

- ``links``: left and right child (-1 in a leaf), feature (-2 in a leaf);
- ``numbers``: threshold, impurity, weight;
- ``counts``: rows, and whether missing values go left;
- ``value``: share of each class, or the mean.
"""

import numpy as np

from skextra._core.boosting.presorted_columns import STRIDE
from skextra._core.boosting.split_search import (
    BEFORE_MISSING,
    CAPACITY,
    UNDECIDED,
    add_up,
    add_up_listed,
    find_ends,
    open_buckets_of_classes,
    open_buckets_of_values,
    scan_classes,
    scan_values,
)
from skextra._core.runtime.jit import njit
from skextra._core.tree.criteria import is_spread

# Gini impurity up to which a node is pure.
_PURE = np.finfo(np.float64).eps


@njit(error_model="numpy")
def describe(nodes, weights, y, targets, n_classes, first, stop, links, numbers, counts, value):
    """Set count, weight, impurity and value of the nodes from `first` on, leaves as yet."""
    for node in range(first, stop):
        links[0, node], links[1, node], links[2, node], numbers[0, node] = -1, -1, -2, -2.0
        counts[0, node], counts[1, node], numbers[1, node], numbers[2, node] = 0, 0, 0.0, 0.0
        for k in range(value.shape[1]):
            value[node, k] = 0.0
    for i in range(nodes.size):
        node = nodes[i]
        if node >= first and weights[i] > 0.0:
            counts[0, node] += 1
            if n_classes > 0:
                value[node, y[i]] += weights[i]
            else:
                numbers[2, node] += weights[i]
                value[node, 0] += weights[i] * targets[i]
    for node in range(first, stop):
        for k in range(n_classes):
            numbers[2, node] += value[node, k]
        squares = 0.0
        for k in range(value.shape[1]):
            if numbers[2, node] > 0.0:
                value[node, k] /= numbers[2, node]
            squares += value[node, k] * value[node, k]
        if n_classes > 0:
            numbers[1, node] = 1.0 - squares
    if n_classes == 0:
        extremes = np.empty((2, stop))
        extremes[0, :], extremes[1, :] = np.inf, -np.inf
        for i in range(nodes.size):
            node = nodes[i]
            if node >= first and weights[i] > 0.0:
                numbers[1, node] += weights[i] * (targets[i] - value[node, 0]) ** 2
                extremes[0, node] = min(extremes[0, node], targets[i])
                extremes[1, node] = max(extremes[1, node], targets[i])
        for node in range(first, stop):
            if not is_spread(extremes[0, node], extremes[1, node]):
                numbers[1, node] = 0.0
            elif numbers[2, node] > 0.0:
                numbers[1, node] /= numbers[2, node]


@njit(error_model="numpy")
def place_rows(
    nodes, weights, y, targets, n_classes, first, stop, numbers, counts, value, slot_of_node,
    slots, offsets, signed, rows, reach, totals, shares,
):  # fmt: skip
    """Give the nodes of a level that may be split a slot each, and their rows what it asks for.

    Sets slot, offsets into the histogram and centered value of each row, and reach,
    weight and value of each slot. Returns how many slots there are, and how many
    rows are in one; those are listed in `rows`.
    """
    n_slots = 0
    for node in range(stop):
        slot_of_node[node] = -1
        least = 0.0 if n_classes == 0 else _PURE
        if node >= first and counts[0, node] > 1 and numbers[1, node] > least:
            slot_of_node[node] = n_slots
            totals[n_slots] = numbers[2, node]
            for k in range(value.shape[1]):
                shares[n_slots, k] = value[node, k]
            reach[n_slots] = 0.0 if n_classes == 0 else 1.0
            n_slots += 1
    n_planes, n_rows = 3 if n_classes == 0 else n_classes, 0
    for i in range(nodes.size if n_slots > 0 else 0):
        slot = slot_of_node[nodes[i]]
        if slot < 0 or weights[i] == 0.0:
            slots[i] = n_slots
            offsets[0, i] = n_slots * n_planes * STRIDE
            offsets[1, i] = offsets[0, i]
            continue
        slots[i] = slot
        rows[n_rows] = i
        n_rows += 1
        plane = 0
        if n_classes == 0:
            distance = targets[i] - shares[slot, 0]
            signed[i] = weights[i] * distance
            reach[slot] = max(reach[slot], abs(distance))
            offsets[1, i] = (slot * n_planes + (1 if distance > 0.0 else 2)) * STRIDE
        else:
            plane = y[i]
            if n_classes == 2:
                signed[i] = weights[i] * (shares[slot, 1] if plane == 0 else -shares[slot, 0])
        offsets[0, i] = (slot * n_planes + plane) * STRIDE
    return n_slots, n_rows


@njit(error_model="numpy")
def search_values(
    values, codes, order, edges, is_mixed, n_buckets, is_binary, weights, slots, offsets, signed,
    rows, histogram, waiting, starts, reach, totals, shares, weigh, choice, ends,
):  # fmt: skip
    """Best split of every slot over all features, of values or of two classes."""
    n_slots, n_features = totals.size, codes.shape[0]
    n_planes = 2 if is_binary else 3
    size = n_slots * n_planes * STRIDE
    parts = histogram[:size].reshape(n_slots, n_planes, STRIDE)
    is_listed = 4 * rows.size < 3 * slots.size
    place, buckets = np.zeros(1, dtype=np.int64), np.empty((3, STRIDE))
    for j in range(n_features):
        for entry in range(size + STRIDE):
            histogram[entry] = 0.0
        if is_listed:
            add_up_listed(codes[j], rows, offsets[0], weights, histogram)
            if not is_binary:
                add_up_listed(codes[j], rows, offsets[1], signed, histogram)
        else:
            add_up(codes[j], offsets[0], weights, histogram)
            if not is_binary:
                add_up(codes[j], offsets[1], signed, histogram)
        for slot in range(n_slots):
            if is_binary:
                for b in range(n_buckets[j] + 1):
                    buckets[0, b] = parts[slot, 0, b] + parts[slot, 1, b]
                    buckets[1, b] = shares[slot, 1] * parts[slot, 0, b]
                    buckets[2, b] = -shares[slot, 0] * parts[slot, 1, b]
            scan_values(
                j, slot, buckets if is_binary else parts[slot], n_buckets[j], is_mixed[j],
                edges[j], totals[slot], reach[slot], weigh, choice, place, waiting, starts,
            )  # fmt: skip
            if place[0] > CAPACITY or (j == n_features - 1 and slot == n_slots - 1):
                open_buckets_of_values(
                    values, order, edges, slots, weights, signed, totals, weigh, choice, ends,
                    place, waiting, starts,
                )  # fmt: skip


@njit(error_model="numpy")
def search_classes(
    values, codes, order, edges, is_mixed, n_buckets, y, weights, slots, offsets, rows, histogram,
    waiting, starts, totals, shares, weigh, choice, ends,
):  # fmt: skip
    """`search_values` for more than two classes."""
    n_slots, n_features = totals.size, codes.shape[0]
    n_classes = shares.shape[1]
    size = n_slots * n_classes * STRIDE
    parts = histogram[:size].reshape(n_slots, n_classes, STRIDE)
    is_listed = 4 * rows.size < 3 * slots.size
    place, left = np.zeros(1, dtype=np.int64), np.empty(n_classes)
    class_totals = np.empty((n_slots, n_classes))
    for slot in range(n_slots):
        for k in range(n_classes):
            class_totals[slot, k] = shares[slot, k] * totals[slot]
    for j in range(n_features):
        for entry in range(size + STRIDE):
            histogram[entry] = 0.0
        if is_listed:
            add_up_listed(codes[j], rows, offsets[0], weights, histogram)
        else:
            add_up(codes[j], offsets[0], weights, histogram)
        for slot in range(n_slots):
            scan_classes(
                j, slot, parts[slot], n_buckets[j], is_mixed[j], edges[j], class_totals[slot],
                totals[slot], weigh, choice, place, waiting, starts, left,
            )  # fmt: skip
            if place[0] > CAPACITY or (j == n_features - 1 and slot == n_slots - 1):
                open_buckets_of_classes(
                    values, order, edges, slots, weights, y, class_totals, totals, weigh, choice,
                    ends, place, waiting, starts, left,
                )  # fmt: skip


@njit(error_model="numpy")
def split_nodes(
    values, order, edges, n_missing, weights, nodes, slots, first, stop, slot_of_node, choice,
    ends, links, numbers, counts,
):  # fmt: skip
    """Split the nodes of a level as chosen and move their rows on; returns how many nodes are."""
    n_nodes = stop
    for node in range(first, stop):
        slot = slot_of_node[node]
        if slot < 0 or choice[slot, 0] < 0:
            continue
        feature, bucket = choice[slot, 0], choice[slot, 1]
        if bucket >= 0:
            find_ends(values, order, edges, slots, slot, feature, bucket, ends)
        low, high = np.float64(ends[slot, 0]), np.float64(ends[slot, 1])
        middle = low / 2.0 + high / 2.0
        numbers[0, node] = low if middle == high else middle
        if bucket == BEFORE_MISSING:
            numbers[0, node] = np.inf
        links[0, node], links[1, node], links[2, node] = n_nodes, n_nodes + 1, feature
        counts[1, node] = choice[slot, 2]
        n_nodes += 2
    passed = np.zeros((2, stop), dtype=np.int64)
    for i in range(nodes.size):
        node = nodes[i]
        if node >= first and links[0, node] >= 0:
            value = values[links[2, node], i]
            goes_left = value <= numbers[0, node] or (np.isnan(value) and counts[1, node] == 1)
            nodes[i] = links[0, node] if goes_left else links[1, node]
            passed[0 if goes_left else 1, node] += weights[i] > 0.0
    for node in range(first, stop):
        if counts[1, node] == UNDECIDED:
            # Missing values that took no part in the split go where most rows went.
            counts[1, node] = passed[0, node] > passed[1, node]
            if counts[1, node] and n_missing[links[2, node]] > 0:
                for i in range(nodes.size):
                    if nodes[i] == links[1, node] and np.isnan(values[links[2, node], i]):
                        nodes[i] = links[0, node]
    return n_nodes
