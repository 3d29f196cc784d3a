"""The best split found so far in a node, as entries of two small arrays."""

# Of the int64 array: feature (-1: none yet), highest code that goes left, whether NaN does.
FEATURE, CUT, MISSING_LEFT = 0, 1, 2
# Of the float64 array: scikit-learn's measure, the searches' score, threshold if drawn.
EXACT, SCORE, THRESHOLD = 0, 1, 2
SIZE = 4
