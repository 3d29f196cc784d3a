"""Sorting of short runs of 64-bit keys."""

import numpy as np

from skextra._core.runtime.entries import kernel

_SHORT = 24


@kernel
def insert_keys(keys, lower, upper):
    """Sort keys[lower:upper] by insertion."""
    for i in range(lower + 1, upper):
        key = keys[i]
        j = i - 1
        while j >= lower and keys[j] > key:
            keys[j + 1] = keys[j]
            j -= 1
        keys[j + 1] = key


@kernel
def _sift(keys, lower, root, n):
    key = keys[lower + root]
    child = 2 * root + 1
    while child < n:
        if child + 1 < n and keys[lower + child + 1] > keys[lower + child]:
            child += 1
        if keys[lower + child] <= key:
            break
        keys[lower + root] = keys[lower + child]
        root, child = child, 2 * child + 1
    keys[lower + root] = key


@kernel
def _heap_sort(keys, lower, upper):
    n = upper - lower
    for root in range(n // 2 - 1, -1, -1):
        _sift(keys, lower, root, n)
    for last in range(n - 1, 0, -1):
        keys[lower], keys[lower + last] = keys[lower + last], keys[lower]
        _sift(keys, lower, np.int64(0), last)


@kernel
def sort_run(keys, lower, upper, stack):
    """Sort keys[lower:upper]: quicksort, by heap where it degenerates, insertion below 24.

    `stack` is scratch of int64 of shape (at least 64, 2): the larger part waits on it.
    """
    depth, budget = 0, 2 * (upper - lower)
    while True:
        while upper - lower > _SHORT:
            # Each partition halves a run on average; many bad ones exhaust the budget.
            budget -= (upper - lower) // 8 if depth > 24 else 0
            if budget < 0 or depth >= 60:
                _heap_sort(keys, lower, upper)
                break
            middle = (lower + upper) >> 1
            a, b, c = keys[lower], keys[middle], keys[upper - 1]
            pivot = max(min(a, b), min(max(a, b), c))
            i, j = lower, upper - 1
            while i <= j:
                while keys[i] < pivot:
                    i += 1
                while keys[j] > pivot:
                    j -= 1
                if i <= j:
                    keys[i], keys[j] = keys[j], keys[i]
                    i += 1
                    j -= 1
            if j + 1 - lower > upper - i:
                stack[depth, 0], stack[depth, 1] = lower, j + 1
                lower = i
            else:
                stack[depth, 0], stack[depth, 1] = i, upper
                upper = j + 1
            depth += 1
        else:
            insert_keys(keys, lower, upper)
        if depth == 0:
            return
        depth -= 1
        lower, upper = stack[depth, 0], stack[depth, 1]
