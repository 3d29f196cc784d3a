"""
How many trees, and which features
==================================

The rows that a tree has not seen tell how well a forest predicts, when more trees stop helping,
and which features it needs: without a test set.
"""

# %%
# Medical data from scikit-learn, with two columns of noise added: one with many values,
# one with two.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer

from skextra.ensemble import OOBCurveDisplay, RandomForestClassifier

data = load_breast_cancer()
rng = np.random.default_rng(0)
noise = np.column_stack(
    [rng.standard_normal(len(data.target)), rng.integers(0, 2, len(data.target))]
)
X = np.column_stack([data.data[:, :6], noise])
names = [*data.feature_names[:6], "noise, many values", "noise, two values"]

# %%
# The curve is flat after some thirty trees: three hundred are more than enough.

forest = RandomForestClassifier(n_estimators=300, oob_score=True, random_state=0)
forest.fit(X, data.target)
print(f"out-of-bag accuracy {forest.oob_score_:.3f}")
OOBCurveDisplay.from_estimator(forest)

# %%
# Impurity gives some importance to the noise with many values, because it can be split on.
# Permutation among out-of-bag rows gives it none: within two standard errors of zero.

importances = forest.compute_oob_importances(X, data.target)
order = np.argsort(importances.importances_mean)
_, axes = plt.subplots(1, 2, figsize=(9, 3.5), sharey=True, layout="constrained")
axes[0].barh(np.array(names)[order], forest.feature_importances_[order])
axes[0].set_xlabel("share of the decrease in impurity")
axes[1].barh(
    np.array(names)[order],
    importances.importances_mean[order],
    xerr=2 * importances.importances_standard_error[order],
)
axes[1].set_xlabel("accuracy lost by permuting, out of bag")
plt.show()
