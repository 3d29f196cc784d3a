"""
How many rounds: AdaBoost on noisy labels
=========================================

AdaBoost lowers a bound of its training error with every round. What it does to other data is
another matter: where labels are noisy, the training error goes on falling when there is nothing
left to learn. The display shows both.
"""

# %%
# Ten Gaussian features, a class that depends on their squared length, and one label in ten wrong.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_hastie_10_2
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

from skextra.ensemble import AdaBoostClassifier, StagedScoreDisplay

X, y = make_hastie_10_2(n_samples=3000, random_state=0)
y = np.where(np.random.default_rng(0).random(len(y)) < 0.1, -y, y)
X, X_val, y, y_val = train_test_split(X, y, random_state=0)

# %%
# Stumps first, then trees of depth three, 400 rounds each. The dotted line is the bound.

fig, axes = plt.subplots(1, 2, figsize=(10.0, 4.0), sharey=True, layout="constrained")
models = {}
for ax, max_depth in zip(axes, (1, 3)):
    tree = DecisionTreeClassifier(max_depth=max_depth)
    models[max_depth] = AdaBoostClassifier(tree, n_estimators=400, random_state=0).fit(X, y)
    StagedScoreDisplay.from_estimator(
        models[max_depth], X, y, X_val=X_val, y_val=y_val, show_bound=True, ax=ax
    )
    ax.set_title(f"max_depth={max_depth}")
plt.show()

# %%
# Stumps add up to a sum of functions of one feature each, which fits this problem. Deeper
# trees fit all training labels, including the wrong ones.
#
# ``n_iter_no_change`` sets a tenth of the training data aside, and stops when the error there has
# not decreased for that many rounds: here after an eighth of the rounds, at a small loss of
# accuracy. A larger value takes more rounds.

early = AdaBoostClassifier(
    DecisionTreeClassifier(max_depth=3), n_estimators=400, n_iter_no_change=20, random_state=0
).fit(X, y)
print(f"{len(early)} rounds, error {1 - early.score(X_val, y_val):.3f}")
print(f"{len(models[3])} rounds, error {1 - models[3].score(X_val, y_val):.3f}")

# %%
# Probabilities: the default divides the votes by their sum, and stays near one half; the
# unnormalized votes follow the additive model, which shows in the log loss.

for normalize_votes in (True, False):
    model = models[1].set_params(normalize_votes=normalize_votes)
    probabilities = model.predict_proba(X_val)[:, 1]
    print(
        f"normalize_votes={normalize_votes!s:5}: probabilities from {probabilities.min():.2f} to "
        f"{probabilities.max():.2f}, log loss {log_loss(y_val, probabilities):.3f}"
    )
