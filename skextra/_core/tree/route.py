"""Finding the leaves of training rows by their codes."""

import numpy as np

from skextra._core.runtime.entries import kernel
from skextra._core.tree.encode import DENSE_8, DENSE_16, DENSE_32, KEYS


@kernel
def _get_code(data, feature, row):
    kind, codes_8, codes_16, codes_32, indptr, indices, zero, n_samples = data
    place = feature * n_samples + row
    if kind == DENSE_8:
        return int(codes_8[place])
    if kind == DENSE_16:
        return int(codes_16[place])
    if kind in (DENSE_32, KEYS):
        return int(np.int32(codes_32[place]))
    lower, upper = indptr[feature], indptr[feature + 1]
    end = upper
    while lower < upper:
        middle = (lower + upper) >> 1
        if indices[middle] < row:
            lower = middle + 1
        else:
            upper = middle
    if lower < end and indices[lower] == row:
        return int(codes_32[lower])
    return int(zero[feature])


@kernel
def _route(data, missing, features, cuts, is_missing_left, rights, leaf_numbers, leaf_of_row):
    for row in range(len(leaf_of_row)):
        node = 0
        while rights[node] >= 0:
            code = _get_code(data, features[node], row)
            goes_left = code <= cuts[node]
            if code == missing[features[node]]:
                goes_left = is_missing_left[node] != 0
            node = node + 1 if goes_left else rights[node]
        leaf_of_row[row] = leaf_numbers[node]


def route_rows(codes, arrays, leaf_of_row):
    """Fill `leaf_of_row` with the number of every row's leaf in a tree as it was grown."""
    features, _, cuts, is_missing_left, rights = arrays[:5]
    numbers = np.cumsum(rights < 0, dtype=np.int32) - np.int32(1)
    data = (
        codes.kind, *codes.as_views(), codes.indptr, codes.indices, codes.zero, codes.n_samples,
    )  # fmt: skip
    _route(data, codes.missing, features, cuts, is_missing_left, rights, numbers, leaf_of_row)
