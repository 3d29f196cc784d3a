"""One machine for each pair of classes, put together and taken apart.

Pairs are in the order (0, 1), (0, 2), ..., (1, 2), ...; in each the first class is the
positive one. Support vectors are sorted by class. A support vector of class c has one
coefficient for each other class k, in row k - 1 of the table if k > c and in row k else.
"""

from itertools import combinations

import numpy as np


def list_pairs(n_classes):
    """Pairs of classes in order."""
    return list(combinations(range(n_classes), 2))


def collect(machines, members, n_classes):
    """Support vectors and table of coefficients.

    Parameters
    ----------
    machines : list of ndarray
        Of each pair, the dual variables of its samples: those of the first class, then
        those of the second.
    members : list of ndarray of int
        Samples of each class, in order.
    n_classes : int

    Returns
    -------
    support : ndarray of int of shape (n_support,)
        Samples that any machine uses.
    n_support : ndarray of int of shape (n_classes,)
    table : ndarray of shape (n_classes - 1, n_support)
        Dual variables times labels.
    """
    tables = [np.zeros((n_classes - 1, len(rows))) for rows in members]
    for (first, second), alpha in zip(list_pairs(n_classes), machines, strict=True):
        n_first = len(members[first])
        tables[first][second - 1] = alpha[:n_first]
        tables[second][first] = -alpha[n_first:]
    used = [np.flatnonzero(table.any(axis=0)) for table in tables]
    support = np.concatenate([rows[u] for rows, u in zip(members, used, strict=True)])
    table = np.concatenate([t[:, u] for t, u in zip(tables, used, strict=True)], axis=1)
    n_support = np.array([len(u) for u in used], dtype=np.int32)
    return support.astype(np.int32), n_support, table


def expand(table, n_support):
    """Coefficients of each pair's machine, (n_support, n_pairs), from the table."""
    n_classes = len(n_support)
    ends = np.cumsum(n_support)
    parts = [slice(end - n, end) for end, n in zip(ends, n_support, strict=True)]
    pairs = list_pairs(n_classes)
    coefs = np.zeros((table.shape[1], len(pairs)))
    for p, (first, second) in enumerate(pairs):
        coefs[parts[first], p] = table[second - 1, parts[first]]
        coefs[parts[second], p] = table[first, parts[second]]
    return coefs


def count_votes(decisions, n_classes):
    """Pairs that each class wins, (n_samples, n_classes); a tie goes to the second."""
    votes = np.zeros((len(decisions), n_classes))
    for p, (first, second) in enumerate(list_pairs(n_classes)):
        wins = decisions[:, p] > 0
        votes[:, first] += wins
        votes[:, second] += ~wins
    return votes


def compute_class_scores(decisions, n_classes):
    """One score per class: its votes, and less than a third of one for its decision values."""
    votes, sums = np.zeros((len(decisions), n_classes)), np.zeros((len(decisions), n_classes))
    for p, (first, second) in enumerate(list_pairs(n_classes)):
        value = decisions[:, p]
        votes[:, first] += value >= 0
        votes[:, second] += value < 0
        sums[:, first] += value
        sums[:, second] -= value
    return votes + sums / (3.0 * (np.abs(sums) + 1.0))
