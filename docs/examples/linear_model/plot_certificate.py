"""
What a duality gap says
=======================

``dual_gap_`` bounds how far the objective can be from its minimum, without knowledge of the
minimum. Here the minimum is computed to full precision, and the bound of fits that were stopped
early is held against it.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss

from skextra.linear_model import LogisticRegression

X, y = load_digits(return_X_y=True)
X = X / 16

# %%
# The objective, relative to that at zero coefficients with the best intercepts, as ``dual_gap_``
# is.


def compute_objective(model):
    loss = log_loss(y, model.predict_proba(X), normalize=False)
    return loss + 0.5 * np.sum(model.coef_**2) / model.C


shares = np.bincount(y) / len(y)
at_zero = -len(y) * shares @ np.log(shares)
minimum = compute_objective(LogisticRegression(tol=1e-12, max_iter=1000).fit(X, y))

# %%
# Fits of one to forty iterations. Every point lies below the diagonal, up to rounding: the error is
# at most the gap.

gaps, errors = [], []
for max_iter in range(1, 41):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression(tol=1e-10, max_iter=max_iter).fit(X, y)
    gaps.append(model.dual_gap_)
    errors.append((compute_objective(model) - minimum) / at_zero)
gaps, errors = np.array(gaps), np.maximum(errors, 1e-15)  # below this, rounding

fig, ax = plt.subplots()
ax.loglog(gaps, errors, "o", label="fits")
line = np.array([gaps.min(), gaps.max()])
ax.loglog(line, line, "--", color="gray", label="error = gap")
ax.set(xlabel="dual_gap_", ylabel="error of the objective, relative", title="A gap is a bound")
ax.legend()
plt.show()
print("every error is at most its gap:", bool(np.all(errors <= np.maximum(gaps, 1e-14))))
