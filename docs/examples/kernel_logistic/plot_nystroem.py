"""
How many kernel functions are enough
====================================

A kernel machine on n rows has n coefficients. Restricted to the span of few kernel functions
(Nyström), it is almost the same machine long before their number reaches n, if they are chosen
well.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from skextra.kernel_logistic import KernelLogisticRegression

X, y = load_digits(return_X_y=True)
X, X_test, y, y_test = train_test_split(X / 16, y % 2, random_state=0)

# %%
# Even against odd digits, on 1,347 images.

exact = KernelLogisticRegression(C=10.0, approximation=None).fit(X, y)
best = log_loss(y_test, exact.predict_proba(X_test))
sizes = [10, 20, 40, 80, 160, 320, 640]
losses = []
for size in sizes:
    model = KernelLogisticRegression(
        C=10.0, approximation="nystroem", n_components=size, random_state=0
    ).fit(X, y)
    losses.append(log_loss(y_test, model.predict_proba(X_test)))
    print(f"{size:4d} kernel functions: test log-loss {losses[-1]:.4f}")
print(f"all {len(X)}: {best:.4f}")

fig, ax = plt.subplots()
ax.loglog(sizes, losses, "o-", label="Nyström")
ax.axhline(best, color="gray", linestyle="--", label=f"all {len(X)} rows")
ax.set(xlabel="kernel functions", ylabel="test log-loss", title="Even or odd digit")
ax.legend()
plt.show()
