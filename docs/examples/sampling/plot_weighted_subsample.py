"""
A mean from a weighted subsample
================================

A few large items make up most of a total, and only some items can be looked at. Draw the large ones
more often, and divide each by how likely it was to be drawn. How likely that is, without
replacement, is *not* the number of draws times the share of the weights.
"""

# %%
# Two thousand items have sizes that are known and values that are roughly in proportion to them. A
# sample of sixty, by size and without replacement, is used to estimate the total of the values.

import matplotlib.pyplot as plt
import numpy as np

from skextra.sampling import gumbel_top_k, inclusion_probabilities, weighted_subsample

rng = np.random.default_rng(0)
size = rng.pareto(0.9, 2000) + 0.1
value = size * rng.lognormal(sigma=0.2, size=2000)
n = 60

share = size / size.sum()
inclusion = inclusion_probabilities(size, n, input="weights")
print(f"largest n p: {n * share.max():.2f}, largest inclusion probability: {inclusion.max():.4f}")
print(f"inclusion probabilities sum to {inclusion.sum():.12f}")

# %%
# One such sample, as rows of a table would be drawn:

sizes, values = weighted_subsample(size, value, sample_weight=size, n_samples=n, random_state=0)
print(f"mean size {size.mean():.2f}, in the sample {sizes.mean():.2f}")

# %%
# Four thousand samples, and three estimates of the total from each: uniform draws; weighted draws
# divided by ``n p``; weighted draws divided by their exact inclusion probabilities (Horvitz and
# Thompson). The last is unbiased, and the second is not.

n_repeats = 4000
drawn = gumbel_top_k(size, n, input="weights", size=n_repeats, random_state=1)
uniform = gumbel_top_k(np.zeros(2000), n, size=n_repeats, random_state=2)
estimates = {
    "uniform": value[uniform].mean(axis=1) * 2000,
    "by size, over n p": (value[drawn] / (n * share[drawn])).sum(axis=1),
    "by size, over inclusion": (value[drawn] / inclusion[drawn]).sum(axis=1),
}
total = value.sum()
for name, estimate in estimates.items():
    bias, error = estimate.mean() / total - 1, estimate.std() / np.sqrt(n_repeats) / total
    rmse = np.sqrt(((estimate / total - 1) ** 2).mean())
    print(f"{name:24} bias {bias:+.3f} +- {error:.3f}   rmse {rmse:.3f}")

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
left.loglog(n * share, inclusion, ".")
left.plot([1e-3, 20], [1e-3, 20], color="black", linewidth=0.8)
left.set(xlabel="n p", ylabel="inclusion probability")
right.boxplot(
    [e / total for e in estimates.values()],
    orientation="horizontal",
    tick_labels=list(estimates),
    showfliers=False,
)
right.axvline(1, color="black", linewidth=0.8)
right.set_xlabel("estimate over the total")
plt.show()
