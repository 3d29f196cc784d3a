"""
An intercept that is not penalized
==================================

liblinear, behind scikit-learn's ``LinearSVC``, penalizes the intercept. Adding a constant to a
feature then changes the model, and far from the origin it fails. Ours does not penalize it: units
and offsets of the features shift the intercept and nothing else.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import sklearn.svm
from sklearn.datasets import load_iris

from skextra.svm import LinearSVC

X, y = load_iris(return_X_y=True)
X, y = X[y > 0, 2:], y[y > 0]

# %%
# The same flowers, measured from another origin.

offsets = np.array([0, 1, 2, 5, 10, 20, 50, 100])
scores = {"scikit-learn": [], "skextra": []}
for offset in offsets:
    for name, cls in (("scikit-learn", sklearn.svm.LinearSVC), ("skextra", LinearSVC)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = cls(random_state=0).fit(X + offset, y)
        scores[name].append(model.score(X + offset, y))

fig, ax = plt.subplots()
for name, values in scores.items():
    ax.plot(offsets, values, "o-", label=name)
ax.set(
    xscale="symlog", xlabel="constant added to both features", ylabel="training accuracy",
    title="LinearSVC() on two kinds of iris", ylim=(0.45, 1.0),
)  # fmt: skip
ax.legend()
plt.show()
