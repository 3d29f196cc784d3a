"""The state of growing trees: what the kernels share, by name and type.

`grow.Grower` owns one `State`, and with it all memory: it allocates the arrays, keeps them from
tree to tree, and fills in `problem` and `codes` once, `rows` for each tree. Kernels change the
rest. Arrays have room for the largest node; what lies beyond the node's rows is left from before.
"""

from numba.types import float32, float64, int8, int32, int64, uint8, uint16, uint32, uint64

from skextra._core.runtime.entries import Struct


class Problem(Struct):
    """What the tree is grown for, and when to stop.

    `search` is `problem.BINARY`, `SUMS`, `CLASSES` or `GENERAL`; `stride` is the largest number
    of classes of an output, and how far apart the outputs' statistics are; `logs` is x log(x)
    of whole numbers; `directions` are the monotonic constraints, or of size 0; `keeps_routes`
    says that rows will be routed by codes when the tree is grown.
    """

    search: int64
    criterion: int64
    is_classification: int64
    stride: int64
    is_random: int64
    max_features: int64
    min_samples_split: int64
    min_samples_leaf: int64
    max_depth: int64
    max_leaf_nodes: int64
    keeps_routes: int64
    min_weight_leaf: float64
    min_impurity_decrease: float64
    total_weight: float64
    n_classes: int64[::1]
    targets: float64[:, ::1]
    target_ranks: int32[:, ::1]
    sample_weights: float64[::1]
    logs: float64[::1]
    directions: int8[::1]


class Codes(Struct):
    """Rank codes of the data, as `encode.Codes` has them, in one array for each width."""

    kind: int64
    n_samples: int64
    n_features: int64
    codes_8: uint8[::1]
    codes_16: uint16[::1]
    codes_32: uint32[::1]
    by_row_8: uint8[::1]
    by_row_16: uint16[::1]
    by_row_32: uint32[::1]
    indptr: int64[::1]
    indices: int32[::1]
    zero: int32[::1]
    values: float32[::1]
    offsets: int64[::1]
    missing: int32[::1]


class Rows(Struct):
    """The rows that take part, so that a node has a range of places, and what goes with them.

    `numbers` are the samples; `payload` holds packed counts (`BINARY`) or class numbers
    (`CLASSES`). Partitions move real numbers as the integers of the same bits. `places` of all
    samples are kept for sparse data.
    """

    n: int64
    numbers: int32[::1]
    places: int32[::1]
    payload: int64[::1]
    weights: float64[::1]
    weight_bits: int64[::1]
    targets: float64[::1]
    target_bits: int64[::1]


class Scratch(Struct):
    """Memory that a kernel may use until it returns; some arrays share theirs.

    `code`, the current column's codes of the node's rows, stays until the next column is read.
    """

    code: int32[::1]
    # Of searches: keys to sort; histograms; statistics before, and first key of, each bucket
    # to be refined; the stack of the sort; class weights and scores of both sides.
    keys: int64[::1]
    histogram: float64[::1]
    packed_histogram: int64[::1]  # the same memory as `histogram`
    buckets: int64[:, ::1]
    bucket_sums: float64[:, ::1]
    stack: int64[:, ::1]
    left: float64[::1]
    right: float64[::1]
    parts: float64[::1]
    # Of the general search: rows in order, and statistics of the left side.
    radix_keys: uint64[:, ::1]  # the same memory as `keys`
    counts: int64[:, ::1]
    order: int32[::1]
    arranged: int32[::1]
    sums: float64[::1]
    # Of the absolute error: see `absolute_error`.
    local: int32[::1]
    ordered: int32[::1]
    fenwick: float64[:, ::1]
    errors: float64[:, ::1]
    medians: float64[:, ::1]
    # Of partitions.
    spare_rows: int32[::1]
    spare: int64[::1]
    second_spare: int64[::1]
    # Weight, impurity and first value of a split's two sides.
    sides: float64[:, ::1]


class Node(Struct):
    """The node that is being split: its places, its bounds, and its statistics.

    `n_constant` features are known to be constant in it: the first of `sampler.constants`.
    A side of a split must have a weight of `min_weight`; scores up to `zero_score` are 0 but for
    rounding, see `criteria.ZERO_SCORE`. `totals` are class weights or sums of targets, or medians
    for the absolute error; `packed` is the sum of packed counts.
    """

    start: int64
    end: int64
    n_constant: int64
    lower: float64
    upper: float64
    weight: float64
    impurity: float64
    min_weight: float64
    zero_score: float64
    packed: int64
    totals: float64[::1]


class Column(Struct):
    """The column whose codes were read last.

    `low` and `high` are the node's extreme codes but for NaN, whose code in the column is
    `missing`, -1 if there is none; `has_missing` is of the node. `n_values` distinct values begin
    at `first`. `direction` is the monotonic constraint.
    """

    feature: int64
    low: int64
    high: int64
    missing: int64
    has_missing: int64
    direction: int64
    first: int64
    n_values: int64


class Best(Struct):
    """The best split found so far.

    `feature` is -1 before there is one, `cut` the highest code that goes left, `missing_left`
    whether NaN does, -1 if no row of the node has it. `exact` is scikit-learn's measure, `score`
    the searches' own. `threshold` is known only if it was drawn; `below` and `above`, the codes
    next to the cut, only when rows have been divided.
    """

    feature: int64
    cut: int64
    missing_left: int64
    exact: float64
    score: float64
    threshold: float64
    below: int64
    above: int64


class Block(Struct):
    """Rows of a small subtree that are kept sorted; see `sorted_block`.

    `size` is the most rows that a block may have; 0 if there are no blocks.
    """

    size: int64
    start: int64
    end: int64
    codes: int32[::1]
    orders: uint8[::1]
    places: uint8[::1]
    payload: int64[::1]
    weights: float64[::1]
    targets: float64[::1]
    sides: uint8[::1]
    spare: uint8[::1]
    keys: int32[::1]
    ranks: int32[::1]


class Sampler(Struct):
    """Drawing features: the generator, a permutation, and those known to be constant."""

    bits: int64
    features: int32[::1]
    constants: int32[::1]


class Nodes(Struct):
    """The tree as it grows; `rights` are -1 at leaves, `lefts` are kept best first only."""

    features: int32[::1]
    thresholds: float32[::1]
    cuts: int32[::1]
    missing_left: uint8[::1]
    rights: int32[::1]
    lefts: int32[::1]
    n_rows: int32[::1]
    weights: float64[::1]
    impurities: float64[::1]
    values: float64[:, ::1]


class Waiting(Struct):
    """Nodes that are still to be split: a stack, and a heap of those that wait for a better one.

    See `grow_kernels` for the columns.
    """

    stack: int64[:, ::1]
    stack_bounds: float64[:, ::1]
    frontier: int64[:, ::1]
    frontier_bounds: float64[:, ::1]
    heap: int64[::1]


class Steps(Struct):
    """Addresses of the entries that this problem needs."""

    gather: int64
    describe: int64
    partition: int64
    search: int64
    search_general: int64
    search_random: int64
    enter_block: int64
    search_block: int64
    divide_block: int64


class State(Struct):
    """All of it."""

    problem: Problem
    codes: Codes
    rows: Rows
    scratch: Scratch
    node: Node
    column: Column
    best: Best
    block: Block
    sampler: Sampler
    nodes: Nodes
    waiting: Waiting
    steps: Steps
