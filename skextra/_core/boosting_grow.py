"""The kernel that grows a shallow tree, level by level.

Arrays of nodes, in the order in which they are made:

- ``links``: left and right child (-1 in a leaf), feature (-2 in a leaf);
- ``numbers``: threshold, impurity, weight;
- ``counts``: rows, and whether missing values go left;
- ``value``: share of each class, or the mean.
"""

import numpy as np

from skextra._core.boosting_columns import STRIDE
from skextra._core.boosting_search import (
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
from skextra._core.jit import njit

_PURE = np.finfo(np.float64).eps


@njit(error_model="numpy")
def grow_levels(
    values, codes, order, edges, is_mixed, n_buckets, n_missing, y, targets, n_classes, weights,
    max_depth, nodes, slots, offsets, signed, rows, histogram, waiting, starts, links, numbers,
    counts, value,
):  # fmt: skip
    """Grow a tree and say in `nodes` where each row ends; returns the number of nodes."""
    nodes[:] = 0
    links[:2], links[2], numbers[0], counts[1] = -1, -2, -2.0, 0
    _describe(nodes, weights, y, targets, n_classes, 0, 1, numbers, counts, value)
    slot_of_node = np.full(links.shape[1], -1)
    first, n_nodes, depth = 0, 1, 0
    while first < n_nodes and depth < max_depth:
        stop, n_slots = n_nodes, 0
        for node in range(first, stop):
            if counts[0, node] > 1 and numbers[1, node] > _PURE:
                slot_of_node[node] = n_slots
                n_slots += 1
        if n_slots == 0:
            break
        reach = np.ones(n_slots)
        n_rows = _place_rows(
            nodes, weights, y, targets, n_classes, slot_of_node, n_slots, value, slots, offsets,
            signed, rows, reach,
        )  # fmt: skip
        totals, shares = np.empty(n_slots), np.empty((n_slots, value.shape[1]))
        for node in range(first, stop):
            if slot_of_node[node] >= 0:
                totals[slot_of_node[node]] = numbers[2, node]
                shares[slot_of_node[node]] = value[node]
        weigh, choice = np.full(n_slots, -1.0), np.full((n_slots, 4), -1)
        ends = np.zeros((n_slots, 2), dtype=np.float32)
        _search(
            values, codes, order, edges, is_mixed, n_buckets, y, n_classes, weights, slots,
            offsets, signed, rows[:n_rows], histogram, waiting, starts, reach, totals, shares,
            weigh, choice, ends,
        )  # fmt: skip
        for node in range(first, stop):
            slot = slot_of_node[node]
            if slot >= 0 and choice[slot, 0] >= 0:
                if choice[slot, 1] >= 0:
                    feature, bucket = choice[slot, 0], choice[slot, 1]
                    find_ends(values, order, edges, slots, slot, feature, bucket, ends)
                _split(node, choice[slot], ends[slot], n_nodes, links, numbers, counts)
                n_nodes += 2
        _move_rows(values, nodes, weights, slot_of_node, links, numbers, counts)
        _describe(nodes, weights, y, targets, n_classes, stop, n_nodes, numbers, counts, value)
        for node in range(first, stop):
            slot_of_node[node] = -1
            if counts[1, node] == UNDECIDED:
                _decide_missing(values, n_missing, nodes, node, links, counts)
        first, depth = stop, depth + 1
    return n_nodes


@njit(error_model="numpy")
def _describe(nodes, weights, y, targets, n_classes, first, stop, numbers, counts, value):
    """Count, weight, impurity and value of the nodes from `first` on."""
    for node in range(first, stop):
        counts[0, node], numbers[1, node], numbers[2, node] = 0, 0.0, 0.0
        value[node] = 0.0
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
        if n_classes > 0:
            numbers[2, node] = value[node].sum()
        if numbers[2, node] > 0.0:
            value[node] /= numbers[2, node]
        if n_classes > 0:
            numbers[1, node] = 1.0 - (value[node] * value[node]).sum()
    if n_classes == 0:
        for i in range(nodes.size):
            node = nodes[i]
            if node >= first:
                numbers[1, node] += weights[i] * (targets[i] - value[node, 0]) ** 2
        for node in range(first, stop):
            if numbers[2, node] > 0.0:
                numbers[1, node] /= numbers[2, node]


@njit(error_model="numpy")
def _place_rows(
    nodes, weights, y, targets, n_classes, slot_of_node, n_slots, value, slots, offsets, signed,
    rows, reach,
):  # fmt: skip
    """Set slot, offsets into the histogram and centred value of each row.

    Returns how many rows are in a slot; those are listed in `rows`.
    """
    n_planes = 3 if n_classes == 0 else n_classes
    n_rows = 0
    if n_classes == 0:
        reach[:] = 0.0
    for i in range(nodes.size):
        node = nodes[i]
        slot = slot_of_node[node]
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
            distance = targets[i] - value[node, 0]
            signed[i] = weights[i] * distance
            reach[slot] = max(reach[slot], abs(distance))
            offsets[1, i] = (slot * n_planes + (1 if distance > 0.0 else 2)) * STRIDE
        else:
            plane = y[i]
            if n_classes == 2:
                signed[i] = weights[i] * (value[node, 1] if plane == 0 else -value[node, 0])
        offsets[0, i] = (slot * n_planes + plane) * STRIDE
    return n_rows


@njit(error_model="numpy")
def _search(
    values, codes, order, edges, is_mixed, n_buckets, y, n_classes, weights, slots, offsets,
    signed, rows, histogram, waiting, starts, reach, totals, shares, weigh, choice, ends,
):  # fmt: skip
    """Best split of every slot, over all features."""
    n_slots = totals.size
    n_planes = 3 if n_classes == 0 else n_classes
    size = n_slots * n_planes * STRIDE
    parts = histogram[:size].reshape(n_slots, n_planes, STRIDE)
    is_listed = 4 * rows.size < 3 * slots.size
    place = np.zeros(1, dtype=np.int64)
    class_totals = shares * totals.reshape(n_slots, 1)
    buckets, left = np.empty((3, STRIDE)), np.empty(shares.shape[1])
    for j in range(codes.shape[0]):
        histogram[: size + STRIDE] = 0.0
        if is_listed:
            add_up_listed(codes[j], rows, offsets[0], weights, histogram)
            if n_classes == 0:
                add_up_listed(codes[j], rows, offsets[1], signed, histogram)
        else:
            add_up(codes[j], offsets[0], weights, histogram)
            if n_classes == 0:
                add_up(codes[j], offsets[1], signed, histogram)
        for slot in range(n_slots):
            if n_classes > 2:
                scan_classes(
                    j, slot, parts[slot], n_buckets[j], is_mixed[j], edges[j], class_totals[slot],
                    totals[slot], weigh, choice, place, waiting, starts, left,
                )  # fmt: skip
            else:
                if n_classes == 2:
                    _center(parts[slot], n_buckets[j] + 1, shares[slot], buckets)
                scan_values(
                    j, slot, buckets if n_classes == 2 else parts[slot], n_buckets[j],
                    is_mixed[j], edges[j], totals[slot], reach[slot], weigh, choice, place,
                    waiting, starts,
                )  # fmt: skip
            if place[0] > CAPACITY or (j == codes.shape[0] - 1 and slot == n_slots - 1):
                if n_classes > 2:
                    open_buckets_of_classes(
                        values, order, edges, slots, weights, y, class_totals, totals, weigh,
                        choice, ends, place, waiting, starts, left,
                    )  # fmt: skip
                else:
                    open_buckets_of_values(
                        values, order, edges, slots, weights, signed, totals, weigh, choice, ends,
                        place, waiting, starts,
                    )  # fmt: skip


@njit(error_model="numpy")
def _center(part, n, shares, buckets):
    """Weight, positive and negative centred values of each bucket, of two classes."""
    for b in range(n):
        buckets[0, b] = part[0, b] + part[1, b]
        buckets[1, b] = shares[1] * part[0, b]
        buckets[2, b] = -shares[0] * part[1, b]


@njit(error_model="numpy")
def _split(node, choice, ends, n_nodes, links, numbers, counts):
    links[0, node], links[1, node], links[2, node] = n_nodes, n_nodes + 1, choice[0]
    if choice[1] == BEFORE_MISSING:
        numbers[0, node] = np.inf
    else:
        low, high = np.float64(ends[0]), np.float64(ends[1])
        middle = low / 2.0 + high / 2.0
        numbers[0, node] = low if middle == high else middle
    counts[1, node] = choice[2]


@njit(error_model="numpy")
def _move_rows(values, nodes, weights, slot_of_node, links, numbers, counts):
    for i in range(nodes.size):
        node = nodes[i]
        if slot_of_node[node] >= 0 and links[0, node] >= 0:
            value = values[links[2, node], i]
            goes_left = value <= numbers[0, node] or (np.isnan(value) and counts[1, node] == 1)
            nodes[i] = links[0, node] if goes_left else links[1, node]


@njit(error_model="numpy")
def _decide_missing(values, n_missing, nodes, node, links, counts):
    """Missing values that took no part in a split go where most rows went."""
    left, right, feature = links[:, node]
    counts[1, node] = counts[0, left] > counts[0, right]
    if counts[1, node] and n_missing[feature] > 0:  # of rows without weight
        for i in range(nodes.size):
            if nodes[i] == right and np.isnan(values[feature, i]):
                nodes[i] = left
