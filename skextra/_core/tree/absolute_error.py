"""Weighted medians and absolute errors about them, of every head and tail of a sequence.

Targets are added one by one to a Fenwick tree over their ranks in the node, which
holds prefix sums of weights and of weighted targets; the median is found by descent,
so that all heads together cost O(n log n).
"""

import numpy as np

from skextra._core.runtime.entries import kernel
from skextra._core.tree.encode import sort_keys


@kernel
def rank_targets(target_ranks, rows, keys, counts, local, ordered):
    """Position of each row's target among those of `rows`, and the rows in that order."""
    n = len(rows)
    for i in range(n):
        keys[0, i] = (np.uint64(target_ranks[rows[i]]) << np.uint64(32)) | np.uint64(i)
    source = sort_keys(keys, n, counts)
    for p in range(n):
        i = np.int64(keys[source, p] & np.uint64(0xFFFFFFFF))
        local[i] = p
        ordered[p] = rows[i]


@kernel
def _add(tree, n, place, weight, product):
    i = place + 1
    while i <= n:
        tree[0, i] += weight
        tree[1, i] += product
        i += i & -i


@kernel
def _descend(tree, n, target, may_equal):
    """Number of places whose weights sum to less than target (or at most), and their sums."""
    step = 1
    while 2 * step <= n:
        step *= 2
    place, weight, product = 0, 0.0, 0.0
    while step > 0:
        after = place + step
        if after <= n:
            reached = weight + tree[0, after]
            if reached < target or (may_equal and reached == target):
                place = after
                weight = reached
                product += tree[1, after]
        step >>= 1
    return place, weight, product


@kernel
def fill_errors(order, local, ordered, targets, weights, is_reversed, tree, errors, medians):
    """Add each head's (or tail's) sum of absolute errors to `errors`, and set its median.

    Parameters
    ----------
    order : ndarray of int32 of shape (n,)
        The sequence, as places in the node.
    local, ordered : ndarray of int32 of shape (n,)
        As `rank_targets` returns them.
    targets, weights : ndarray of float64 of shape (n_samples,)
    is_reversed : bool
        Tails: entry p is of order[p:]. Heads: entry p is of order[:p + 1].
    tree : ndarray of float64 of shape (2, at least n + 1)
    errors, medians : ndarray of float64 of shape (n,)
    """
    n = len(order)
    for p in range(n + 1):
        tree[0, p] = tree[1, p] = 0.0
    total, total_product = 0.0, 0.0
    for q in range(n):
        p = n - 1 - q if is_reversed else q
        place = local[order[p]]
        row = ordered[place]
        weight, product = weights[row], weights[row] * targets[row]
        _add(tree, n, place, weight, product)
        total += weight
        total_product += product
        half = 0.5 * total
        before, _, _ = _descend(tree, n, half, False)
        middle, left, left_product = _descend(tree, n, half, True)
        middle, before = min(middle, n - 1), min(before, n - 1)
        median = targets[ordered[middle]]
        if before != middle:
            median = (targets[ordered[before]] + median) / 2
        medians[p] = median
        errors[p] += (total_product - left_product - median * (total - left)) + (
            median * left - left_product
        )


@kernel
def compute_median(local, ordered, targets, weights):
    """Weighted median of a node's targets, and the weighted sum of absolute errors about it."""
    n, total = len(local), 0.0
    for p in range(n):
        total += weights[ordered[p]]
    half, reached, median = 0.5 * total, 0.0, 0.0
    for p in range(n):
        reached += weights[ordered[p]]
        if reached >= half:
            median = targets[ordered[p]]
            if reached == half and p + 1 < n:
                median = (median + targets[ordered[p + 1]]) / 2
            break
    error = 0.0
    for p in range(n):
        error += weights[ordered[p]] * abs(targets[ordered[p]] - median)
    return median, error
