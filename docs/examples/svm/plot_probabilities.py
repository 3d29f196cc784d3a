"""
Probabilities of a support vector machine
=========================================

An SVM finds a boundary; a sigmoid turns its scores into probabilities. The sigmoid must be fitted
to scores of rows that the machine has not seen, or it trusts them too much. ``probability=True``
does that within ``fit``, without random numbers: the same data give the same probabilities.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.calibration import CalibrationDisplay
from sklearn.datasets import make_moons
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from skextra.kernel_logistic import KernelLogisticRegression
from skextra.linear_model import LogisticRegression
from skextra.svm import SVC

X, y = make_moons(2400, noise=0.35, random_state=0)
X, X_test, y, y_test = train_test_split(X, y, train_size=400, random_state=0)

# %%
# For comparison, a sigmoid fitted to the scores of the training rows themselves: the machine was
# fitted to those rows, and they are farther from its boundary than new ones are.

model = SVC(gamma=5.0, C=100.0, probability=True).fit(X, y)
kernel_logistic = KernelLogisticRegression(gamma=5.0, C=100.0).fit(X, y)
sigmoid = LogisticRegression(C=1e6).fit(model.decision_function(X)[:, None], y)
scores = model.decision_function(X_test)[:, None]
probabilities = {
    "sigmoid of training scores": sigmoid.predict_proba(scores)[:, 1],
    "SVC(probability=True)": model.predict_proba(X_test)[:, 1],
    "KernelLogisticRegression": kernel_logistic.predict_proba(X_test)[:, 1],
}

fig, ax = plt.subplots()
for name, probability in probabilities.items():
    print(f"{name:>27}: log-loss {log_loss(y_test, probability):.3f}")
    CalibrationDisplay.from_predictions(y_test, probability, n_bins=8, name=name, ax=ax)
ax.set_title("Calibration on 2,000 test rows")
plt.show()

# %%
# Fitted twice, on rows in another order, the probabilities are the same.

order = np.random.default_rng(0).permutation(len(y))
again = SVC(gamma=5.0, C=100.0, probability=True).fit(X[order], y[order])
difference = again.predict_proba(X_test) - model.predict_proba(X_test)
print("largest difference below 1e-3:", bool(np.abs(difference).max() < 1e-3))
