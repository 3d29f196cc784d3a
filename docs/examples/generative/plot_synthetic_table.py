"""
A synthetic table, and what is known of a row
=============================================

A density forest is fitted to a table of numbers and categories with holes. It then draws
new rows, rows that meet conditions, and the missing values.
"""

# %%
# The wines, with their cultivar as a column of names, and a tenth of the numbers hidden.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_wine

from skextra.generative import DensityForest, SampleDisplay, two_sample_report

data = load_wine(as_frame=True)
columns = ["alcohol", "color_intensity", "flavanoids", "proline"]
table = data.data[columns].copy()
hidden = np.random.default_rng(0).uniform(size=table.shape) < 0.1
holes = table.mask(hidden)
holes["cultivar"] = data.target.map({0: "Barolo", 1: "Grignolino", 2: "Barbera"})
forest = DensityForest(random_state=0).fit(holes)
print(f"accuracies of the rounds: {', '.join(f'{a:.2f}' for a in forest.accuracies_)}")

# %%
# New wines, in the table's own types; and wines of one cultivar with much alcohol.

print(forest.sample(3))
print(forest.sample(3, conditions={"cultivar": "Barbera", "alcohol": (13.5, 15.0)}))

# %%
# Hidden values, filled with their conditional means: better than the means of the columns.

filled = forest.impute(holes)
scale = table.std()
for name, guess in (("column means", holes[columns].mean()), ("forest", filled[columns])):
    error = ((table - guess) / scale).to_numpy()[hidden]
    print(f"{name}: root mean squared error {np.sqrt((error**2).mean()):.2f} standard deviations")

# %%
# Real wines and as many drawn ones.

drawn = forest.sample(len(table), random_state=1)
figure, axes = plt.subplots(1, 2, figsize=(8, 4), sharex=True, sharey=True)
for ax, rows, title in zip(axes, (holes, drawn), ("real", "drawn"), strict=True):
    for cultivar, group in rows.groupby("cultivar"):
        ax.scatter(group["flavanoids"], group["color_intensity"], s=12, label=cultivar)
    ax.set(title=title, xlabel="flavanoids")
axes[0].set_ylabel("color intensity")
axes[0].legend()
plt.show()

# %%
# The columns one by one, and four questions about all of them together. The report says of which
# cultivar a wine is, by a model that has seen drawn wines only.

SampleDisplay.from_samples(holes, drawn)
plt.show()
print(two_sample_report(holes, drawn, target="cultivar", random_state=0))

# %%
# How common is each wine? The rarest by the joint density of all columns.

scores = forest.score_samples(holes)
print(holes.assign(log_density=scores).nsmallest(3, "log_density"))
