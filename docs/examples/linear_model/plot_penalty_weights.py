"""
Features that are in the model for certain
==========================================

Age and sex are known to matter and belong in the model whatever an L1 penalty says of them. A
penalty weight of zero leaves them unpenalized; the others still have to earn their place.
"""

# %%
# Ten measurements of 442 diabetes patients.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes

from skextra.linear_model import Lasso, RegularizationPathDisplay, lasso_path

X, y = load_diabetes(return_X_y=True, as_frame=True)
weights = np.where(X.columns.isin(["age", "sex"]), 0.0, 1.0)

# %%
# At a strong penalty an ordinary Lasso drops both. With penalty weights they stay, and the
# effects of the other features are adjusted for them.

ordinary = Lasso(alpha=0.5).fit(X, y)
adjusted = Lasso(alpha=0.5, penalty_weights=weights).fit(X, y)
for name, before, after in zip(X.columns, ordinary.coef_, adjusted.coef_):
    print(f"{name:>4} {before:8.1f} {after:8.1f}")

# %%
# The whole path: the unpenalized features start at their least-squares effect, where all others
# are zero.

center = X - X.mean()
alphas, coefs, _ = lasso_path(center, y - y.mean(), penalty_weights=weights)
display = RegularizationPathDisplay.from_path(alphas, coefs, feature_names=X.columns)
plt.show()
