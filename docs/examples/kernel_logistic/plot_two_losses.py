"""
Probabilities from two losses
=============================

A kernel machine with the logistic loss models the probability; with the hinge loss it finds the
boundary, and a second model makes its scores probabilities. Where the truth is known, both can be
held against it.
"""

# %%
# Two classes whose log-odds are a smooth function of two coordinates, so that the probability of
# every point of the plane is known.

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import expit

from skextra.kernel_logistic import KernelLogisticRegressionCV
from skextra.svm import SVC


def compute_log_odds(X):
    return 3.0 * np.sin(1.5 * X[:, 0]) * np.cos(X[:, 1]) - 0.5 * X[:, 1]


rng = np.random.default_rng(0)
X = rng.uniform(-3.0, 3.0, (600, 2))
y = (rng.uniform(size=len(X)) < expit(compute_log_odds(X))).astype(int)

# %%
# The logistic loss needs no folds for its probabilities; penalty and width are chosen by the
# approximate leave-one-out log-loss. The support vector machine gets the same
# width, and sigmoids fitted on the held-out samples of five folds.

logistic = KernelLogisticRegressionCV(Cs=8, gammas=[0.1, 0.2, 0.4, 0.8]).fit(X, y)
hinge = SVC(C=logistic.C_, gamma=logistic.gamma_, probability=True).fit(X, y)
print(f"C={logistic.C_:.3g}, gamma={logistic.gamma_}, duality gap {logistic.dual_gap_:.1e}")

# %%
# Both find the boundary. The surfaces differ where the hinge loss is flat: beyond its margin
# it carries no information about confidence.

side = np.linspace(-3.0, 3.0, 120)
grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
truth = expit(compute_log_odds(grid))
surfaces = {"truth": truth}
for name, model in (("logistic loss", logistic), ("hinge loss and sigmoid", hinge)):
    surfaces[name] = model.predict_proba(grid)[:, 1]

figure, axes = plt.subplots(1, 3, figsize=(11, 3.8), sharey=True, layout="constrained")
for axis, (name, p) in zip(axes, surfaces.items(), strict=True):
    image = axis.contourf(side, side, p.reshape(120, 120), np.linspace(0, 1, 11), cmap="RdBu_r")
    axis.contour(side, side, p.reshape(120, 120), [0.5], colors="black")
    q = np.clip(p, 1e-12, 1 - 1e-12)
    divergence = np.mean(truth * np.log(truth / q) + (1 - truth) * np.log((1 - truth) / (1 - q)))
    axis.set_title(name if name == "truth" else f"{name}\ndivergence {divergence:.3f}")
axes[0].scatter(*X.T, c=y, s=4, cmap="RdBu_r", edgecolors="black", linewidths=0.2)
figure.colorbar(image, ax=axes, label="probability of class 1")
plt.show()
