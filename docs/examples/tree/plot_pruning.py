"""
A tree of the right size
========================

A tree that is grown to the end fits noise. Cost-complexity pruning orders its subtrees from the
whole tree to the root; cross-validation says where to stop, and the one-standard-error rule stops
as early as possible.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import cross_val_score
from sklearn.tree import plot_tree

from skextra.tree import DecisionTreeClassifier

data = load_breast_cancer(as_frame=True)
X, y = data.data, data.target
path = DecisionTreeClassifier(random_state=0).cost_complexity_pruning_path(X, y)
alphas = path.ccp_alphas[:-1]

scores = np.array(
    [
        cross_val_score(DecisionTreeClassifier(ccp_alpha=alpha, random_state=0), X, y, cv=10)
        for alpha in alphas
    ]
)
mean, error = scores.mean(axis=1), scores.std(axis=1) / np.sqrt(scores.shape[1])
best = mean.argmax()
smallest = np.flatnonzero(mean >= mean[best] - error[best]).max()

fig, ax = plt.subplots()
ax.errorbar(alphas, mean, error, marker="o", capsize=3)
ax.axvline(alphas[smallest], color="gray", linestyle="--", label="one standard error")
ax.set(xlabel="ccp_alpha", ylabel="cross-validated accuracy", title="Pruning a tree")
ax.legend()
plt.show()

# %%
# What is left can be read.

whole = DecisionTreeClassifier(random_state=0).fit(X, y)
pruned = DecisionTreeClassifier(ccp_alpha=alphas[smallest], random_state=0).fit(X, y)
print(f"{whole.get_n_leaves()} leaves before, {pruned.get_n_leaves()} after")
plt.figure(figsize=(9, 4))
plot_tree(pruned, feature_names=data.feature_names, class_names=data.target_names, filled=True)
plt.show()
