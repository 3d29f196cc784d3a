"""
The adaptive Lasso finds the features that matter
=================================================

One penalty for all features either shrinks large coefficients too much or lets irrelevant
features in. The adaptive Lasso penalizes a feature the less, the larger its coefficient in a
first fit. Here the truth is known, and both are counted against it.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_regression

from skextra.linear_model import LassoCV, RidgeCV

# %%
# Fifty data sets with ten relevant features of forty. Penalty weights are the inverse of a Ridge
# regression's coefficients.


def count(kept, truth):
    return (kept & ~truth).sum(), (~kept & truth).sum()


errors = {"Lasso": [], "adaptive Lasso": []}
for seed in range(50):
    X, y, truth = make_regression(
        150, 40, n_informative=10, noise=40.0, coef=True, random_state=seed
    )
    first = RidgeCV(alphas=np.logspace(-2, 3, 20)).fit(X, y)
    weights = 1.0 / np.abs(first.coef_)
    for name, penalty_weights in (("Lasso", None), ("adaptive Lasso", weights)):
        model = LassoCV(penalty_weights=penalty_weights).fit(X, y)
        errors[name].append(count(model.coef_ != 0, truth != 0))

# %%
# Irrelevant features that were kept, and relevant ones that were lost, on average:

for name, counts in errors.items():
    added, lost = np.mean(counts, axis=0)
    print(f"{name:>14}: {added:4.1f} irrelevant features kept, {lost:3.1f} relevant ones lost")

fig, ax = plt.subplots()
bins = np.arange(-0.5, 31.5)
for name, counts in errors.items():
    ax.hist(np.array(counts)[:, 0], bins=bins, alpha=0.6, label=name)
ax.set(xlabel="irrelevant features kept (of 30)", ylabel="data sets", title="50 data sets")
ax.legend()
plt.show()
