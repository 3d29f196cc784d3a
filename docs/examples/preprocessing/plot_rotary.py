"""
Similarity that depends on distance alone
=========================================

Rotary encoding turns pairs of features by angles proportional to a position. Inner products of
two rows then depend on the difference of their positions, and not on where they are.
"""

import matplotlib.pyplot as plt
import numpy as np

from skextra.preprocessing import apply_rotary

# %%
# One query and one key, at all pairs of positions. The inner products are constant along diagonals:
# one curve has them all.

rng = np.random.default_rng(0)
query, key = rng.normal(size=(2, 64))
positions = np.arange(100)
queries = apply_rotary(np.tile(query, (100, 1)), positions)
keys = apply_rotary(np.tile(key, (100, 1)), positions)
products = queries @ keys.T

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8))
image = left.imshow(products)
left.set(xlabel="position of the key", ylabel="position of the query", title="inner products")
fig.colorbar(image)
for start in (0, 20, 60):
    right.plot(np.arange(100 - start), products[start, start:], label=f"query at {start}")
right.set(xlabel="distance", title="the same curve from every start")
right.legend()
plt.tight_layout()
plt.show()
spread = max(np.ptp(np.diagonal(products, d)) for d in range(99))
print(f"largest spread along a diagonal: {spread:.0e}")
