"""
Which words tell the parts of SciPy apart
=========================================

An L1 penalty makes a multinomial model choose its words, each class its own. Choosing it by
held-out log-loss keeps what predicts well; the one-standard-error rule keeps what is needed.
"""

# %%
# Real text that every installation has: the docstrings of SciPy's public functions and classes,
# before their lists of parameters. The signature at the top of some is left out.

import inspect
import re
from importlib import import_module

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from skextra.linear_model import LogisticRegressionCV, RegularizationPathDisplay


def read_description(thing):
    """Docstring up to its first section, without a signature."""
    text = re.split(r"\n[A-Z][a-z]+\n---", inspect.getdoc(thing) or "")[0]
    return re.sub(r"\A\w+\(.*\n", "", text)


parts = [
    "fft",
    "integrate",
    "interpolate",
    "linalg",
    "ndimage",
    "optimize",
    "signal",
    "sparse",
    "stats",
]
texts, labels = [], []
for part in parts:
    module = import_module(f"scipy.{part}")
    for thing in (getattr(module, name) for name in module.__all__):
        if callable(thing):
            texts.append(read_description(thing))
            labels.append(part)

vectorizer = TfidfVectorizer(min_df=3, stop_words="english", token_pattern=r"\b[a-z]{3,}\b")
X = vectorizer.fit_transform(texts)
words = vectorizer.get_feature_names_out()
print(f"{X.shape[0]} descriptions, {X.shape[1]} words, {len(parts)} classes")

# %%
# Both rules see the same folds and the same log-losses.

models = {
    rule: LogisticRegressionCV(
        Cs=np.logspace(-1, 2.5, 15), l1_ratios=(1,), cv=5, selection_rule=rule
    ).fit(X, labels)
    for rule in ("min", "1se")
}
for rule, model in models.items():
    position = np.flatnonzero(model.Cs_ == model.C_)[0]
    print(
        f"{rule:>3}: C {model.C_:6.2f}, {np.count_nonzero(model.coef_):4d} of {model.coef_.size} "
        f"coefficients, held-out log-loss {-model.mean_scores_[0, position]:.3f}"
    )
shares = np.bincount(np.unique(labels, return_inverse=True)[1]) / len(labels)
print(f"Class frequencies alone: log-loss {-(shares @ np.log(shares)):.3f}")

# %%
# The words with the largest coefficients of each part. Writing habits matter too: many descriptions
# in ``linalg`` share a note on batches of matrices.

model = models["1se"]
fig, axes = plt.subplots(3, 3, figsize=(9, 7), sharex=True, layout="constrained")
for ax, part, row in zip(axes.flat, model.classes_, model.coef_):
    top = [j for j in np.argsort(-row)[:6] if row[j] > 0][::-1]
    ax.barh(words[top], row[top])
    ax.set_title(part)
fig.supxlabel("coefficient")
plt.show()

# %%
# How the words of one part enter as the penalty decreases.

RegularizationPathDisplay.from_estimator(
    model, X, labels, feature_names=list(words), panels=["optimize"], kind="coefficients"
)
plt.show()

# %%
# The solution is certified: how far its objective can be from the optimum, relative to the
# objective without any words.

print(f"converged {model.converged_}, relative duality gap {model.dual_gap_:.1e}")
