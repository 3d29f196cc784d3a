"""
Digits in a few bits
====================

Each image of 64 pixels is replaced by the numbers of its nearest codes. Residual stages refine the
picture, eight bits at a time.
"""

# %%
# Four stages of 256 codes: 8, 16, 24 and 32 bits an image.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from skextra.generative import VectorQuantizer

X = load_digits().data / 16
train, test = X[:1200], X[1200:]
quantizer = VectorQuantizer(256, n_stages=4, random_state=0).fit(train)
codes = quantizer.transform(test)
print(f"perplexity of the stages: {np.round(quantizer.perplexity_).astype(int)}")

# %%
# What is restored from the first codes of each image: those of the later stages are replaced by
# nothing, that is, left out of the sum.

stages = [stage[0] for stage in quantizer.codebooks_]
restored = np.cumsum([stage[codes[:, s]] for s, stage in enumerate(stages)], axis=0)
for bits, images in zip((8, 16, 24, 32), restored, strict=True):
    print(f"{bits:2d} bits: {((images - test) ** 2).mean():.4f} mean squared error of a pixel")

figure, axes = plt.subplots(5, 8, figsize=(8, 5.4), layout="constrained")
for row, images in zip(axes, (test, *restored), strict=True):
    for ax, image in zip(row, images, strict=False):
        ax.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
for ax, name in zip(axes[:, 0], ("real", "8 bits", "16 bits", "24 bits", "32 bits"), strict=True):
    ax.set_ylabel(name)
plt.show()
