"""What stands where in the table that entries share."""

# Set once for a grower, or a tree: the problem and the settings.
(
    KIND, CRITERION, STRIDE, N_OUTPUTS, DATA_KIND, N_SAMPLES, N_FEATURES, N_ROWS, CAPACITY,
    IS_RANDOM, MAX_FEATURES, MIN_SPLIT, MIN_LEAF, MAX_DEPTH, MAX_LEAVES, N_LOGS,
    # Addresses: of the data,
    CODES, INDPTR, INDICES, ZERO, N_CLASSES, TARGETS, WEIGHTS, RANKS, LOGS, ALL_VALUES,
    # of what is in the order of the rows, and room for as much,
    ROWS, WHERE, PAYLOAD, ROW_WEIGHTS, ROW_TARGETS, SPARE,
    # of scratch memory,
    CODE, KEYS, HISTOGRAM, BUCKETS, BUCKET_SUMS, STACK, LOCAL, ORDERED, FENWICK, ERRORS, MEDIANS,
    COUNTS, ORDER, ARRANGED, SUMS, LEFT, RIGHT, PARTS, TOTALS, RECORD, MARKS, FLOATS, RANDOM,
    # and of the other entries.
    GATHER, DESCRIBE, PARTITION, SEARCH, SEARCH_GENERAL, SEARCH_RANDOM,
    # Arguments and results of a call.
    START, END, FEATURE, LOW, HIGH, CUT, MISSING, GOES_LEFT, PACKED, BELOW, ABOVE, DIRECTION,
    VALUES, N_VALUES, HAS_MISSING, CODES_BY_ROW,
    # Of a block of rows that is kept sorted: most rows it may have (0: there are no blocks),
    # the rows it has, and addresses of its arrays.
    BLOCK_SIZE, BLOCK_START, BLOCK_END, BLOCK_CODES, BLOCK_ORDERS, BLOCK_PLACES, BLOCK_PAYLOAD,
    BLOCK_WEIGHTS, BLOCK_TARGETS, BLOCK_SIDES,
    # Whether rows are to be routed by codes when the tree is grown.
    ROUTES,
) = range(88)  # fmt: skip
N_SLOTS = 88

# In the table of real numbers at FLOATS.
MIN_WEIGHT, MIN_DECREASE, WEIGHT, IMPURITY, LOWER, UPPER = range(6)
N_FLOATS = 8
