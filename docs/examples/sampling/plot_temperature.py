"""
From a category to its relaxation
=================================

A Gumbel-softmax sample is a point of the simplex. At a low temperature it is close to a corner,
as a category is; at a high one it is close to the middle, and gradients through it are smooth.
"""

import matplotlib.pyplot as plt
import numpy as np

from skextra.sampling import gumbel_max, gumbel_softmax

probabilities = np.array([[0.5, 0.3, 0.2]])
corners = np.array([[0, 0], [1, 0], [0.5, np.sqrt(0.75)]])

fig, axes = plt.subplots(1, 3, figsize=(9, 3.2))
for ax, temperature in zip(axes, (0.1, 0.5, 2.0)):
    points = gumbel_softmax(
        probabilities, temperature, size=2000, input="probabilities", random_state=0
    ).reshape(-1, 3)
    ax.plot(*corners[[0, 1, 2, 0]].T, color="gray")
    ax.plot(*(points @ corners).T, ".", markersize=2)
    ax.set_title(f"temperature {temperature}")
    ax.set_axis_off()
    # The largest coordinate has the probabilities of the categories, at every temperature.
    shares = np.bincount(points.argmax(axis=1), minlength=3) / len(points)
    print(f"temperature {temperature}: largest coordinate {shares.round(2)}")
plt.tight_layout()
plt.show()

# %%
# The limit of temperature zero is a category.

draws = gumbel_max(probabilities, size=2000, input="probabilities", random_state=0)
print("categories", (np.bincount(draws.ravel(), minlength=3) / draws.size).round(2))
