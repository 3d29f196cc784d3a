"""
Importances that noise does not win
===================================

The importances that come with a forest add up what each split gained on the training rows. A
column of random numbers offers many thresholds, and so gains something in every tree. Importances
measured on the rows that a tree has not seen do not reward that, and they have standard errors.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_wine

from skextra.ensemble import RandomForestClassifier

# %%
# Wines from three cultivars, described by three of their measurements, two columns of random
# numbers, and a coin.

data = load_wine(as_frame=True)
X = data.data[["proline", "flavanoids", "ash"]].copy()
rng = np.random.default_rng(0)
X["noise 1"], X["noise 2"] = rng.normal(size=(2, len(X)))
X["coin"] = rng.integers(2, size=len(X))
y = data.target

forest = RandomForestClassifier(500, random_state=0).fit(X, y)
oob = forest.compute_oob_importances(X, y)
for name, impurity, mean, error in zip(
    X.columns, forest.feature_importances_, oob.importances_mean, oob.importances_standard_error
):
    print(f"{name:>10}: impurity {impurity:.3f}, out-of-bag {mean:.3f} +/- {error:.3f}")

fig, (left, right) = plt.subplots(1, 2, sharey=True, figsize=(8, 3))
left.barh(X.columns, forest.feature_importances_)
left.set_title("decrease of impurity")
right.barh(X.columns, oob.importances_mean, xerr=2 * oob.importances_standard_error)
right.set_title("loss of out-of-bag accuracy")
plt.tight_layout()
plt.show()
