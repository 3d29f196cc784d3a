"""
Gradients through a random choice
=================================

How does an expectation change with the probabilities of a category? The score function answers
without bias and with much variance; relaxations answer with little variance and with bias. Which
is better depends on the function, and can be measured.
"""

import matplotlib.pyplot as plt
import numpy as np

from skextra.sampling import compare_gradient_estimators

target = np.array([0.2, 0.5, 0.3])
report = compare_gradient_estimators(
    lambda Z: ((Z - target) ** 2).sum(axis=1),
    lambda Z: 2 * (Z - target),
    [0.0, 0.5, -0.5],
    temperatures=(2.0, 1.0, 0.5, 0.2, 0.1),
    n_samples=4000,
    random_state=0,
)
print(report)

# %%
# The root of the mean squared error of one sample has both in it.

fig, ax = plt.subplots()
names = dict.fromkeys(row.estimator for row in report.rows)
for name in names:
    rows = [row for row in report.rows if row.estimator == name]
    errors = [row.root_mean_square_error for row in rows]
    if rows[0].temperature is None:
        ax.axhline(errors[0], color="gray", linestyle=":" if "," in name else "--", label=name)
    else:
        ax.loglog([row.temperature for row in rows], errors, "o-", label=name)
ax.set(xlabel="temperature", ylabel="root mean squared error of one sample")
ax.legend()
plt.show()
