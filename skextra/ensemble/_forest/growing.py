"""Growing a forest's trees: tasks of several trees, for threads or processes."""

from dataclasses import dataclass, replace
from numbers import Integral
from warnings import warn

import numpy as np
from joblib import effective_n_jobs
from sklearn.utils import check_random_state, compute_sample_weight

from skextra import _core
from skextra.tree._conversion import prune

RAND_R_MAX = 2147483647
MAX_INT = np.iinfo(np.int32).max


@dataclass(frozen=True)
class Sampling:
    """What each tree of a forest sees of the training data.

    Attributes
    ----------
    bootstrap : bool
        Whether rows are drawn with replacement.
    n_drawn : int or None
        How many.
    weights : ndarray of float64 of shape (n_samples,) or None
        Weights: in proportion to which rows are drawn, or of the rows without a bootstrap.
    balances : bool
        Whether classes are balanced anew in each sample.
    labels : ndarray of int of shape (n_samples, n_outputs) or None
        Class numbers, where classes are to be balanced.
    n_samples : int
    digest : bytes or None
        Of the training data, where it is known.
    """

    bootstrap: bool
    n_drawn: int | None
    weights: np.ndarray | None
    balances: bool
    labels: np.ndarray | None
    n_samples: int
    digest: bytes | None = None

    def without_labels(self):
        """What is kept after the trees have grown: enough to draw the rows again."""
        return replace(self, labels=None, balances=False)

    def draw_rows(self, seed):
        """Rows of a tree's sample, with repetitions; all without a bootstrap."""
        if not self.bootstrap:
            return np.arange(self.n_samples, dtype=np.int32)
        random = check_random_state(seed)
        if self.weights is None:
            rows = random.randint(0, self.n_samples, self.n_drawn)
        else:
            shares = self.weights / np.sum(self.weights)
            rows = random.choice(self.n_samples, self.n_drawn, replace=True, p=shares)
        return rows.astype(np.int32)

    def compute_weights(self, seed):
        """Weights of all rows in a tree; None for weights of 1."""
        if not self.bootstrap:
            return self.weights
        rows = self.draw_rows(seed)
        weights = np.bincount(rows, minlength=self.n_samples).astype(np.float64)
        if self.balances:
            weights *= compute_sample_weight("balanced", self.labels, indices=rows)
        return weights

    def find_left_out(self, seed):
        """Mask of the rows that a tree has not seen."""
        return np.bincount(self.draw_rows(seed), minlength=self.n_samples) == 0


@dataclass(frozen=True)
class Batch:
    """What trees grown in one call of `fit` have in common.

    Attributes
    ----------
    parameters : dict
        Of the trees as estimators, but for their seeds.
    sampling : Sampling or None
        None for trees that came from elsewhere.
    """

    parameters: dict
    sampling: Sampling | None


def pack_batches(batches):
    """Batches of a forest's trees as plain data, each written once: what files hold.

    Parameters
    ----------
    batches : list of Batch
        One per tree.

    Returns
    -------
    packed : dict
        ``members``, the different batches, and ``member_of_tree``, the number of each tree's.
    """
    numbers = {}
    member_of_tree = [numbers.setdefault(id(batch), len(numbers)) for batch in batches]
    distinct = {id(batch): batch for batch in batches}
    members = [
        {
            "parameters": batch.parameters,
            "sampling": None if batch.sampling is None else dict(vars(batch.sampling)),
        }
        for batch in (distinct[key] for key in numbers)
    ]
    return {"members": members, "member_of_tree": member_of_tree}


def unpack_batches(packed):
    """Undo `pack_batches`."""
    members = [
        Batch(
            member["parameters"],
            None if member["sampling"] is None else Sampling(**member["sampling"]),
        )
        for member in packed["members"]
    ]
    return [members[number] for number in packed["member_of_tree"]]


def count_drawn_samples(n_samples, max_samples, weights):
    """How many rows a tree's sample has, as in scikit-learn 1.9.

    Parameters
    ----------
    n_samples : int
    max_samples : int, float or None
        A float is a share of the rows, or of the sum of the weights.
    weights : ndarray of shape (n_samples,) or None

    Returns
    -------
    n_drawn : int
    """
    if max_samples is None:
        return n_samples
    if isinstance(max_samples, Integral):
        return int(max_samples)
    total = n_samples if weights is None else weights.sum()
    if max_samples * total > MAX_INT:
        raise ValueError(
            f"max_samples={max_samples} of the sum of sample_weight, {total}, are more samples "
            "than can be drawn; pass max_samples as an integer, or smaller weights"
        )
    n_drawn = max(int(max_samples * total), 1)
    if n_drawn < max(10, n_samples ** (1 / 3)):
        what = "number of samples" if weights is None else "total sum of sample weights"
        warn(
            f"Using the fractional value max_samples={max_samples} when the {what} is {total} "
            f"results in a low number ({n_drawn}) of bootstrap samples. We recommend passing "
            "`max_samples` as an integer instead.",
            stacklevel=2,
        )
    return n_drawn


def grow_block(codes, target, settings, sampling, ccp_alpha, seeds):
    """Grow one tree for each seed.

    Parameters
    ----------
    codes : Codes
    target : Target
    settings : Settings
    sampling : Sampling
    ccp_alpha : float
        Cost of a leaf in pruning.
    seeds : list of int
        Each tree's `random_state`.

    Returns
    -------
    trees : Trees
    """
    grower = _core.tree.grow.Grower(codes, target, settings)
    grown = []
    for seed in seeds:
        weights = sampling.compute_weights(seed)
        split_seed = check_random_state(seed).randint(0, RAND_R_MAX)
        tree = grower.grow(weights, split_seed)
        grown.append(prune(tree, ccp_alpha, settings.criterion))
    return _core.tree.nodes.concatenate(grown)


def split_seeds(seeds, n_jobs, n_values):
    """Blocks of seeds, a task each: enough for all workers, few enough to be worth it.

    `n_values` is the size of the data: small trees share a task.
    """
    n_workers = effective_n_jobs(n_jobs)
    if n_workers == 1:
        size = max(1, len(seeds) // 10) if n_values > 1e6 else len(seeds)
    else:
        size = max(1, -(-len(seeds) // (4 * n_workers)))
    return [seeds[i : i + size] for i in range(0, len(seeds), size)]
