"""
How many groups, or how many components
=======================================

Information criteria weigh the likelihood of a mixture against its number of parameters. BIC asks
for the density, and takes several components for one group that is not Gaussian. ICL also asks that
the components are distinct: it counts groups.
"""

import matplotlib.pyplot as plt
import numpy as np

from skextra.mixture import DensityDisplay, GaussianMixtureIC, ModelSelectionDisplay

# %%
# Two groups of 300 rows with skewed distributions.

rng = np.random.default_rng(0)
X = np.vstack([rng.gamma(2.0, 1.0, (300, 2)), [7, 5] + rng.gamma(2.0, 1.0, (300, 2))])

# %%
# All numbers of components up to ten, with all four covariance types, in one call per criterion.

searches = {
    criterion: GaussianMixtureIC(max_components=10, criterion=criterion, random_state=0).fit(X)
    for criterion in ("bic", "icl")
}
for criterion, search in searches.items():
    print(f"{criterion}: {search.n_components_} components, {search.covariance_type_}")

ModelSelectionDisplay.from_estimator(searches["bic"])
plt.show()

# %%
# Both answers are right, to different questions: the density on the left, the groups on the right.

fig, axes = plt.subplots(1, 2, figsize=(10, 4))
for ax, (criterion, search) in zip(axes, searches.items()):
    DensityDisplay.from_estimator(search, X, ax=ax)
    ax.set_title(f"{criterion}: {search.n_components_} components")
plt.tight_layout()
plt.show()
