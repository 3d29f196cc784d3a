"""
From a density to predictions
=============================

A mixture of all columns answers any question about some of them given others: with the length of
a petal known, the distribution of its width is another mixture, in closed form.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_iris

from skextra.mixture import GaussianMixture

X = load_iris().data[:, 2:]
mixture = GaussianMixture(3, random_state=0).fit(X)

# %%
# The conditional density at three lengths. At 5 cm two species are possible, and the distribution
# is not a Gaussian: a regression of the mean would not show it.

lengths = (1.5, 4.0, 5.0)
widths = np.linspace(0, 3, 300)
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5))
left.plot(*X.T, ".", color="gray")
left.set(xlabel="petal length (cm)", ylabel="petal width (cm)")
for length in lengths:
    given = mixture.condition([0], [length])
    density = np.exp(given.score_samples(widths[:, None]))
    line = right.plot(widths, density, label=f"length {length} cm")[0]
    left.axvline(length, color=line.get_color())
    mean = given.weights_ @ given.means_[:, 0]
    print(f"length {length}: mean width {mean:.2f} cm")
right.set(xlabel="petal width (cm)", ylabel="conditional density", yscale="log", ylim=(1e-3, 20))
right.legend()
plt.tight_layout()
plt.show()
