"""Out-of-bag predictions: every row by the trees that have not seen it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import blake2b
from warnings import warn

import numpy as np
from scipy import sparse

from skextra.tree import _data
from skextra.tree._classes import split_outputs

_GROUP = 16


@dataclass(frozen=True)
class OutOfBag:
    """What out-of-bag predictions have come to, tree by tree.

    Attributes
    ----------
    sums : ndarray of float64 of shape (n_samples, n_outputs * stride)
        Leaf values of the trees that have not seen a row.
    counts : ndarray of int64 of shape (n_samples,)
        How many these are.
    curve : ndarray of float64 of shape (n_trees,)
        Score after each tree, of the rows that have a prediction by then; NaN before the first.
    digest : bytes or None
        Of the training data.
    score : OOBScore
    """

    sums: np.ndarray
    counts: np.ndarray
    curve: np.ndarray
    digest: bytes | None
    score: "OOBScore"

    def compute_predictions(self):
        """Mean leaf values; NaN where every tree has seen the row."""
        with np.errstate(invalid="ignore"):
            return self.sums / self.counts[:, None]


def hash_data(X, y):
    """Digest that tells training data apart."""
    digest = blake2b(digest_size=16)
    parts = (X.data, X.indices, X.indptr) if sparse.issparse(X) else (X,)
    for part in (*parts, y):
        digest.update(str((part.shape, part.dtype)).encode())
        digest.update(np.ascontiguousarray(part).data)
    return digest.digest()


def compute_out_of_bag(trees, X, y, samplings, seeds, score, n_jobs, earlier=None):
    """Predictions for the training rows, and their score as trees were added.

    Parameters
    ----------
    trees : Trees
    X : ndarray or sparse matrix of float32 of shape (n_samples, n_features)
    y : ndarray of shape (n_samples, n_outputs)
    samplings : list of Sampling
        Of each tree.
    seeds : list of int
    score : OOBScore
    n_jobs : int or None
        The result does not depend on it.
    earlier : OutOfBag or None
        What the first trees came to, when the forest had no more. It is taken up where data
        and score are the same.

    Returns
    -------
    out_of_bag : OutOfBag
    """
    n_samples, digest = X.shape[0], samplings[-1].digest
    if not isinstance(X, np.ndarray):
        X = X.tocsr()
    curve = np.full(trees.n_trees, np.nan)
    if earlier is not None and digest is not None and (earlier.digest, earlier.score) == (
        digest, score,
    ):  # fmt: skip
        n_done, sums, counts = len(earlier.curve), earlier.sums.copy(), earlier.counts.copy()
        curve[:n_done] = earlier.curve
    else:
        n_done, counts = 0, np.zeros(n_samples, np.int64)
        sums = np.zeros((n_samples, trees.leaf_values.shape[1]))
    for first in range(n_done, trees.n_trees, _GROUP):
        group = range(first, min(first + _GROUP, trees.n_trees))
        leaves = _data.find_leaves(_take(trees, group), X, n_jobs=n_jobs)
        for column, index in enumerate(group):
            left_out = np.flatnonzero(samplings[index].find_left_out(seeds[index]))
            begin = trees.leaf_offsets[index]
            sums[left_out] += trees.leaf_values[begin + leaves[left_out, column]]
            counts[left_out] += 1
            seen = counts > 0
            if seen.all():
                curve[index] = score(y, sums / counts[:, None])
            elif seen.any():
                curve[index] = score(y[seen], sums[seen] / counts[seen, None])
    if not counts.all():
        warn(
            "Some inputs do not have OOB scores. This probably means too few trees were used "
            "to compute any reliable OOB estimates.",
            UserWarning,
            stacklevel=6,
        )
    return OutOfBag(sums, counts, curve, digest, score)


def check_same_data(samplings):
    """Refuse out-of-bag estimates from trees that are known to have seen other data."""
    digests = {sampling.digest for sampling in samplings} - {None}
    if len(digests) > 1:
        raise ValueError(
            "oob_score with warm_start=True needs the same training data in each call of fit: "
            "trees grown on other data have not left these samples out"
        )


def _take(trees, group):
    """Some neighboring trees, on the same memory."""
    first, stop = group.start, group.stop
    nodes = trees.node_offsets[first : stop + 1]
    leaves = trees.leaf_offsets[first : stop + 1]
    return replace(
        trees,
        nodes=trees.nodes[nodes[0] : nodes[-1]],
        node_offsets=nodes - nodes[0],
        leaf_offsets=leaves - leaves[0],
        leaf_values=trees.leaf_values[leaves[0] : leaves[-1]],
        depths=trees.depths[first:stop],
    )


@dataclass(frozen=True)
class OOBScore:
    """Score of out-of-bag predictions.

    Attributes
    ----------
    metric : callable or None
        Takes targets and predictions; None for accuracy or R².
    n_classes : tuple of int
        Of each output; empty for regression.
    """

    metric: Callable | None
    n_classes: tuple

    def __call__(self, y, values):
        """Score targets of shape (n_samples, n_outputs) against mean leaf values."""
        if self.n_classes:
            parts = split_outputs(values, np.array(self.n_classes))
            values = np.column_stack([part.argmax(axis=1) for part in parts])
        if self.metric is not None:
            # A classifier's targets have two dimensions, as scikit-learn gives them.
            is_flat = values.shape[1] == 1 and not self.n_classes
            return self.metric(y, values[:, 0] if is_flat else values)
        return _compute_accuracy(y, values) if self.n_classes else _compute_r2(y, values)


def _compute_accuracy(y, chosen):
    """Share of rows all of whose outputs are right: what `accuracy_score` returns."""
    return float((y == chosen).all(axis=1).mean())


def _compute_r2(y, values):
    """Mean R² of the outputs: what `r2_score` returns; NaN for fewer than two rows."""
    if len(y) < 2:
        return float("nan")
    rest = ((y - values) ** 2).sum(axis=0)
    total = ((y - y.mean(axis=0)) ** 2).sum(axis=0)
    constant = np.where(rest == 0, 1.0, 0.0)
    return float(np.where(total > 0, 1 - rest / np.where(total > 0, total, 1), constant).mean())
