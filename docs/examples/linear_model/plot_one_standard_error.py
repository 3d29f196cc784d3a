"""
A smaller model with the one-standard-error rule
================================================

Cross-validation estimates the error of each penalty, and the estimate has an error of its own. The
penalty with the smallest estimate is one of several that cannot be told apart; the
one-standard-error rule takes the strongest of them, and with it the smallest model.
"""

# %%
# Ten measurements of 442 diabetes patients, and the progression of the disease within a year. The
# interactions of the measurements are candidates too: 65 features, most of them irrelevant.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from skextra.linear_model import LassoCV, RegularizationPathDisplay

data = load_diabetes(as_frame=True)
expand = PolynomialFeatures(degree=2, include_bias=False).set_output(transform="pandas")
scale = StandardScaler().set_output(transform="pandas")
X = scale.fit_transform(expand.fit_transform(data.data))
y = data.target

# %%
# Both rules see the same folds and the same errors; they differ in the penalty they choose.

models = {
    rule: LassoCV(cv=10, max_iter=10_000, selection_rule=rule).fit(X, y) for rule in ("min", "1se")
}
for rule, model in models.items():
    position = np.flatnonzero(model.alphas_ == model.alpha_)[0]
    print(
        f"{rule:>3}: alpha {model.alpha_:5.2f}, {np.count_nonzero(model.coef_):2d} features, "
        f"cross-validated error {model.mse_path_[position].mean():.0f}"
    )

# %%
# The path shows what the rule leaves out: features that enter when the error hardly
# decreases any more. The band is one standard error of the mean over the folds.

RegularizationPathDisplay.from_estimator(models["1se"], X, y)
plt.show()

# %%
# The model that remains is short enough to interpret.

kept = models["1se"].coef_ != 0
for name, coef in sorted(zip(X.columns[kept], models["1se"].coef_[kept]), key=lambda p: -abs(p[1])):
    print(f"{name:>12} {coef:7.2f}")

# %%
# Every solution is certified: how far its objective can be from the optimum, relative to the
# objective at zero coefficients.

for rule, model in models.items():
    print(f"{rule:>3}: converged {model.converged_}, relative duality gap {model.dual_gap_:.1e}")
