"""
Missing values tell something
=============================

A tree sends rows without a value to the side where they fit better. Where it is no accident that
a value is missing, that is better than any imputation.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from skextra.ensemble import RandomForestClassifier

X, y = load_breast_cancer(return_X_y=True)
X = X[:, :10]
rng = np.random.default_rng(0)

# %%
# A third of all measurements is deleted: once at random, once so that values are missing more
# often for malignant tumors, as when a form is left incomplete for urgent cases.


def delete(X, probability):
    holes = X.copy()
    holes[rng.random(X.shape) < np.broadcast_to(probability, X.shape)] = np.nan
    return holes


cases = {
    "missing at random": delete(X, 0.33),
    "missing for a reason": delete(X, np.where(y == 0, 0.6, 0.17)[:, None]),
}
forest = RandomForestClassifier(100, random_state=0)
models = {
    "median imputation": make_pipeline(SimpleImputer(strategy="median"), forest),
    "missing values as they are": forest,
}
means = {
    name: [cross_val_score(model, holes, y, cv=5).mean() for holes in cases.values()]
    for name, model in models.items()
}

fig, ax = plt.subplots()
places = np.arange(len(cases))
for shift, (name, values) in zip((-0.2, 0.2), means.items()):
    print(f"{name:>26}:", *(f"{value:.3f}" for value in values))
    ax.bar(places + shift, values, width=0.38, label=name)
ax.set(
    xticks=places, xticklabels=cases, ylim=(0.8, 1.0), ylabel="cross-validated accuracy",
    title="Random forest, a third of all values missing",
)  # fmt: skip
ax.legend(loc="upper left")
plt.show()
