"""
Leave-one-out errors from one factorization
===========================================

Leaving out each row in turn would take one fit per row. For Ridge regression the error that a
model makes on the row it has not seen is known from a single fit, for every penalty.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import LeaveOneOut, cross_val_predict

from skextra.linear_model import Ridge, RidgeCV

X, y = load_diabetes(return_X_y=True)
alphas = np.logspace(-4, 2, 25)

# %%
# One call for all penalties:

model = RidgeCV(alphas=alphas, store_cv_results=True).fit(X, y)
errors = model.cv_results_.mean(axis=0)

# %%
# The same, the long way, for five of the penalties: 442 fits each.

few = alphas[::6]
slow = [
    np.mean((y - cross_val_predict(Ridge(alpha=alpha), X, y, cv=LeaveOneOut())) ** 2)
    for alpha in few
]
print("largest relative difference:", f"{np.max(np.abs(slow / errors[::6] - 1)):.0e}")

fig, ax = plt.subplots()
ax.semilogx(alphas, errors, label="from one factorization")
ax.semilogx(few, slow, "o", label="442 fits per point")
ax.axvline(model.alpha_, color="gray", linestyle="--", label="chosen")
ax.set(xlabel="alpha", ylabel="leave-one-out squared error", title="RidgeCV on the diabetes data")
ax.legend()
plt.show()
