"""``python -m benchmarks.map ESTIMATOR``: where we are faster, and where not, over shapes of data.

Each cell of the map is one data set: a number of samples and features, a density, a kind of
target, a precision. Ours, scikit-learn's and every installed rival fit it in turns in one
process; the ratio is the rival's median time divided by ours. Ours is tightened until it is
no less accurate than scikit-learn's, so that no cell is won by stopping early.
"""
