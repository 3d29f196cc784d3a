"""
Labels from annotators who err
==============================

Two annotators have looked at every image of a digit, and each errs in his own way. What is known
of a label then is a distribution. A classifier that takes labels, and not distributions, can be
fitted to draws from it: `GumbelMaxSampler` makes them.
"""

# %%
# Half of the images are for training. An annotator gives the right digit with probability 0.55,
# else the next one or the one after it. The votes are draws from the row of the confusion matrix
# of the true digit.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split

from skextra.linear_model import LogisticRegression
from skextra.sampling import GumbelMaxSampler, gumbel_max

images, digits = load_digits(return_X_y=True)
X, X_test, y, y_test = train_test_split(images / 16, digits, train_size=0.5, random_state=0)

shifts = np.array([0, 1, 2])
chances = ([0.55, 0.3, 0.15], [0.55, 0.15, 0.3])
confusions = np.zeros((2, 10, 10))
for confusion, chance in zip(confusions, chances):
    for digit in range(10):
        confusion[digit, (digit + shifts) % 10] = chance
votes = [
    gumbel_max(confusion[y], input="probabilities", random_state=seed)
    for seed, confusion in enumerate(confusions)
]
print(f"right: {[round(float((v == y).mean()), 2) for v in votes]}")

# %%
# By Bayes' rule the posterior of the true digit is proportional to the likelihood of the votes
# times the prior: uniform at first, then the prediction of a classifier for the image.

likelihood = np.prod([c[:, v].T for c, v in zip(confusions, votes)], axis=0)


def draw_labels(beliefs, seed):
    """One label per row; the row number makes draws of equal posteriors differ."""
    rows = np.c_[likelihood * beliefs, np.arange(len(X))]
    sampler = GumbelMaxSampler(input="weights", output="label", salt=-1, random_state=seed)
    return sampler.fit_transform(rows)[:, 0]


def fit(labels):
    return LogisticRegression(C=0.3).fit(X, labels)


# %%
# Stochastic EM draws the labels, fits the classifier to them, updates its predictions, and
# repeats. Drawing labels, rather than taking the most probable ones, keeps the classifier from
# confirming its own errors, because it sees the uncertainty. The result is the mean
# of the probabilities of the last rounds.

answers = {
    "first annotator": fit(votes[0]).predict_proba(X_test),
    "likeliest digit": fit(likelihood.argmax(axis=1)).predict_proba(X_test),
}
beliefs, rounds = np.full((len(X), 10), 0.1), []
for seed in range(20):
    model = fit(draw_labels(beliefs, seed))
    beliefs = model.predict_proba(X)
    rounds.append(model.predict_proba(X_test))
answers["drawn, one round"] = rounds[0]
answers["drawn, twenty rounds"] = np.mean(rounds[10:], axis=0)
answers["the truth"] = fit(y).predict_proba(X_test)

losses = {}
for name, probabilities in answers.items():
    losses[name] = log_loss(y_test, probabilities)
    accuracy = accuracy_score(y_test, probabilities.argmax(axis=1))
    print(f"{name:22} accuracy {accuracy:.3f}   log loss {losses[name]:.3f}")

# %%
fig, ax = plt.subplots(layout="constrained")
ax.barh(list(losses), list(losses.values()))
ax.invert_yaxis()
ax.set_xlabel("log loss on test images, by the labels trained on")
plt.show()
