"""
Intervals from a forest
=======================

The leaves of a forest hold more than means: the training targets in them are a distribution. Its
quantiles are prediction intervals that are wider where the target varies more.
"""

import matplotlib.pyplot as plt
import numpy as np

from skextra.ensemble import RandomForestRegressor

# %%
# A curve whose noise grows to the right.

rng = np.random.default_rng(0)


def draw(n):
    x = rng.uniform(0, 10, n)
    return x[:, None], np.sin(x) + 0.15 * x * rng.normal(size=n)


X, y = draw(2000)
forest = RandomForestRegressor(200, min_samples_leaf=20, random_state=0).fit(X, y)

# %%
# The shares of new rows below each quantile are close to what the quantiles say.

levels = (0.05, 0.5, 0.95)
X_new, y_new = draw(5000)
below = y_new[:, None] <= forest.predict_quantiles(X_new, X, y, quantiles=levels)
print("share of new targets below:", dict(zip(levels, below.mean(axis=0).round(3).tolist())))

grid = np.linspace(0, 10, 300)[:, None]
low, middle, high = forest.predict_quantiles(grid, X, y, quantiles=levels).T
fig, ax = plt.subplots()
ax.plot(X_new[:800, 0], y_new[:800], ".", color="gray", markersize=3, label="new rows")
ax.fill_between(grid[:, 0], low, high, alpha=0.3, label="5 % to 95 %")
ax.plot(grid[:, 0], middle, label="median")
ax.set(xlabel="x", ylabel="y", title="RandomForestRegressor.predict_quantiles")
ax.legend()
plt.show()
